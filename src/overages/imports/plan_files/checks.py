"""Checks across a book: that its plans, accounts, metrics, grants, budgets and alerts agree.

check_accounts(accounts, versions, problems)      # plans, limits and currencies that they name
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cache
from typing import TypeAlias

from overages._ground.parsing import Problems
from overages.alerts.alert import Alert
from overages.errors import (
    InvalidValue,
    OveragesError,
    Path,
    UnknownMetric,
    UnknownPlan,
    did_you_mean,
)
from overages.grants.grant import Grant
from overages.imports.plan_files.versions import PlanVersion, in_force
from overages.insight.budget import Budget
from overages.terms.account import Account
from overages.terms.allowance import check_currency
from overages.terms.plan import Plan, unknown_metric
from overages.terms.timeline import Stretch
from overages.usage.metric import Metric
from overages.usage.routing import Routes

Versions: TypeAlias = Mapping[str, Sequence[PlanVersion]]
"""The versions of each plan, by slug."""


def check_plan(slug: str, versions: Versions, path: Path, problems: Problems) -> bool:
    """Tell whether a plan is there; if it isn't, that is a problem."""
    if slug in versions:
        return True
    problem = f"must be one of the plans, {', '.join(versions)}{did_you_mean(slug, versions)}"
    problems.add(UnknownPlan(path, slug, problem))
    return False


def check_accounts(accounts: Mapping[str, Account], versions: Versions, problems: Problems) -> None:
    """Check that accounts name plans that there are, and of them only the terms that these know.

    An own limit has to be of a metric, and an own amount in the currency, of each version of the
    plan that holds with it.
    """

    @cache
    def contents(slug: str) -> Sequence[Plan]:
        """Return the plans that a version number counts."""
        return tuple(dict.fromkeys(version.plan for version in versions[slug]))

    for org_id, account in accounts.items():
        path = "accounts", org_id
        is_known = check_plan(account.plan, versions, (*path, "plan"), problems)
        for i, change in enumerate(account.changes):
            if change.plan is not None:
                field = (*path, "changes", i, "plan")
                is_known &= check_plan(change.plan, versions, field, problems)
        if is_known:
            problems.attempt(_check_own_terms, account, versions, contents, path=path)


def _check_own_terms(
    account: Account, versions: Versions, contents: Callable[[str], Sequence[Plan]]
) -> None:
    """Refuse each limit of a metric that a plan doesn't know, and the first amount that clashes."""
    refused: set[str] = set()
    problems, clashes = Problems(), Problems()
    for stretch in account.timeline.stretches:
        terms = stretch.terms
        amounts = [] if terms is None else list(terms.own.amounts())
        if terms is None or not (terms.limits or amounts):
            continue  # as most have none
        if terms.plan_version is None:
            plans: Sequence[Plan] = _plans_in_force(account, stretch, versions[terms.plan])
        else:  # as far as it is one of these: the database may have counted others before
            plans = contents(terms.plan)[terms.plan_version - 1 : terms.plan_version]
        for plan in plans:
            for metric in terms.limits:
                if metric not in plan.allowances and metric not in refused:
                    refused.add(metric)
                    problems.add(unknown_metric(path_of_limit(account, metric), metric, plan))
            if not clashes:
                check_currency(plan.currency, amounts, clashes)
    if clashes:
        problems.add(clashes.error())
    problems.raise_any()


def _plans_in_force(
    account: Account, stretch: Stretch, versions: Sequence[PlanVersion]
) -> list[Plan]:
    """Return the plans at the starts of an account's periods in a stretch, each version once.

    One that comes into force within the first period holds from its part on, if none did before.
    """
    first = account.period_at(stretch.start).start
    starts = [first]
    for since in (version.since for version in versions):
        if since is not None and first < since < stretch.end:
            period = account.period_at(max(since, stretch.start))
            starts.append(period.start if since <= period.start else period.end)
    if in_force(versions, first) is None:
        starts[0] = stretch.start
    plans = [in_force(versions, start) for start in starts if start < stretch.end]
    return [plan for plan in plans if plan is not None]


def path_of_limit(account: Account, metric: str) -> Path:
    """Return the path to the first own limit of a metric in an account."""
    if metric in account.limits:
        return ("limits", metric)
    named = [i for i, change in enumerate(account.changes) if metric in change.limits]
    return ("changes", named[0], "limits", metric)


def check_metrics(metrics: Mapping[str, Metric], versions: Versions, problems: Problems) -> None:
    """Check that metrics can be counted side by side, and that plans say of each how it is counted.

    A level that is summed would be billed for each report of it, a flow of which the largest counts
    for one event alone.
    """
    routes = problems.attempt(routes_of, list(metrics.values()))
    held = frozenset[str]() if routes is None else routes.held
    refused: set[tuple[str, str]] = set()
    priced = set[str]().union(
        *(version.plan.allowances for each in versions.values() for version in each)
    )
    for metric in sorted(metrics.keys() - priced) if versions else ():
        near = did_you_mean(metric, sorted(priced))
        problem = f"{metric!r} is a metric of no plan{near}"
        problems.add(UnknownMetric(("metrics", metric), metric, problem))
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


def check_grants(
    grants: Mapping[str, Sequence[Grant]], versions: Versions, problems: Problems
) -> None:
    """Check that each grant of a metric is of one that some plan knows."""
    metrics = [
        (("grants", org_id, grant.id), grant.metric)
        for org_id, granted in grants.items()
        for grant in granted
    ]
    _check_known(metrics, versions, problems)


def check_budgets(
    budgets: Mapping[str, Mapping[str, Budget | None]], versions: Versions, problems: Problems
) -> None:
    """Check that budgets have their own ids, are of metrics that plans know, and stop no charging.

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
    _check_known([(path, budget.metric) for path, budget in held], versions, problems)


def check_alerts(
    alerts: Mapping[str, Alert | None], path: Path, versions: Versions, problems: Problems
) -> None:
    """Check that alerts have their own ids, and are of metrics that plans know.

    :param path: leads to them.
    """
    held = [((*path, alert_id), alert) for alert_id, alert in alerts.items() if alert is not None]
    for place, alert in held:
        _check_id(alert.id, place, problems)
    _check_known([(place, alert.metric) for place, alert in held], versions, problems)


def _check_id(own: str, path: Path, problems: Problems) -> None:
    if own != path[-1]:
        problems.add(InvalidValue((*path, "id"), own, f"must be {path[-1]!r}, as its key"))


def _check_known(
    metrics: Sequence[tuple[Path, str | None]], versions: Versions, problems: Problems
) -> None:
    """Check that each metric is one of some plan, unless there are no plans.

    :param metrics: each with the path to the table that names it, or doesn't.
    """
    if not metrics or not versions:
        return
    plans = [version.plan for each in versions.values() for version in each]
    priced = set[str]().union(*(plan.allowances for plan in plans))
    for path, metric in metrics:
        if metric is not None and metric not in priced:
            problem = f"{metric!r} is a metric of no plan{did_you_mean(metric, sorted(priced))}"
            problems.add(UnknownMetric((*path, "metric"), metric, problem))
