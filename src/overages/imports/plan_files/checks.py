"""Checks across a book: that its plans, metrics, budgets and alerts agree.

check_metrics(metrics, versions, problems)        # that plans and metrics count in one way
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TypeAlias

from overages._ground.parsing import Problems
from overages.alerts.alert import Alert
from overages.errors import InvalidValue, OveragesError, Path
from overages.imports.plan_files.versions import PlanVersion
from overages.insight.budget import Budget
from overages.usage.metric import Metric
from overages.usage.routing import Routes

Versions: TypeAlias = Mapping[str, Sequence[PlanVersion]]
"""The versions of each plan, by slug."""


def check_metrics(metrics: Mapping[str, Metric], versions: Versions, problems: Problems) -> None:
    """Check that metrics can be counted side by side, and that plans say of each how it is counted.

    A level that is summed would be billed for each report of it, a flow of which the largest counts
    for one event alone.
    """
    routes = problems.attempt(routes_of, list(metrics.values()))
    held = frozenset[str]() if routes is None else routes.held
    refused: set[tuple[str, str]] = set()
    for slug, each in versions.items():
        for allowances in (version.plan.allowances for version in each):
            for metric in metrics if routes is not None else ():
                if metric not in allowances:
                    continue
                kind = allowances[metric].kind
                right = "level" if metric in held else "flow"
                if kind not in (None, right) and (slug, metric) not in refused:
                    refused.add((slug, metric))
                    path = ("plans", slug, "allowances", metric, "kind")
                    aggregation = metrics[metric].aggregation
                    problem = (
                        f"must be {right!r}, as metrics.{metric} is a {aggregation} of events, or"
                        " left out; or the metric is to be counted otherwise"
                    )
                    problems.add(InvalidValue(path, kind, problem))


def routes_of(metrics: Sequence[Metric]) -> Routes:
    """Return the routes of events to metrics.

    :raises InvalidValue: for metrics that clash, each by its name; `InvalidValues` if several do.
    """
    try:
        return Routes(metrics)
    except OveragesError as error:
        problems = Problems()
        for clash in error.errors:
            renamed = copy(clash)
            renamed.path = tuple(
                metrics[step].name if isinstance(step, int) else step for step in clash.path
            )
            problems.add(renamed)
        raise problems.error() from None


def check_budgets(budgets: Mapping[str, Mapping[str, Budget | None]], problems: Problems) -> None:
    """Check that budgets have their own ids, and stop no charging.

    To stop that is a term of the account, and so an entry of its history.
    """
    held = [
        (("budgets", org_id, budget_id), budget)
        for org_id, by_id in budgets.items()
        for budget_id, budget in by_id.items()
        if budget is not None
    ]
    for path, budget in held:
        _check_id(budget.id, path, problems)
        if budget.on_reached == "stop_charging":
            problem = 'must be "tell" or "stop_usage": maximum, in an account, stops charging'
            problems.add(InvalidValue((*path, "on_reached"), budget.on_reached, problem))


def check_alerts(alerts: Mapping[str, Alert | None], path: Path, problems: Problems) -> None:
    """Check that alerts have their own ids.

    :param path: leads to them.
    """
    for alert_id, alert in alerts.items():
        if alert is not None:
            _check_id(alert.id, (*path, alert_id), problems)


def _check_id(own: str, path: Path, problems: Problems) -> None:
    if own != path[-1]:
        problems.add(InvalidValue((*path, "id"), own, f"must be {path[-1]!r}, as its key"))
