"""Budgets and alerts of orgs in a file, compared with what each org has agreed to.

It is compared when all of the file is put, so that a metric, an account's entry or a budget counts
wherever it stands in the file:

    require_reachable(NewBudget("acme", "daily", budget, None), repository, now)
"""

from __future__ import annotations

from copy import copy
from datetime import datetime

from overages._ground.parsing import Problems
from overages.amounts.money import Money
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.errors import CurrencyMismatch, OveragesError, Path, StorageError, UnknownMetric
from overages.imports.plan_files.changes import NewAlert, NewBudget
from overages.insight.budget import Budget
from overages.repository import Repository
from overages.service.alert_subjects import AlertSubjects
from overages.terms.account import Account


def require_reachable(change: NewBudget | NewAlert, repository: Repository, now: datetime) -> None:
    """Refuse a budget or an alert of an org that its terms of now, or else its first, can't reach.

    :raises OveragesError: with the path to it in the file.
    """
    account = None if change.org_id is None else repository.account(change.org_id)
    instant = None if account is None else _first_terms(account, now)
    if account is None or instant is None:
        return
    try:
        if isinstance(change, NewAlert):
            if change.alert is not None:
                AlertSubjects(repository, account, instant).require(change.alert)
        elif change.budget is not None:
            _require_of_plan(change.budget, repository, account, instant)
    except StorageError:
        raise
    except OveragesError as error:
        problems = Problems()
        for each in error.errors:
            renamed = copy(each)
            renamed.path = (*path_of(change), *each.path[1:])
            problems.add(renamed)
        raise problems.error() from None


def path_of(change: NewBudget | NewAlert) -> Path:
    """Return the way to the table of a change in its file."""
    if isinstance(change, NewBudget):
        return ("budgets", change.org_id, change.id)
    return (*alerts_path(change.org_id), change.id)


def alerts_path(org_id: str | None) -> Path:
    """Return the way to the alerts of an org, or of all orgs."""
    return ("alerts",) if org_id is None else ("org_alerts", org_id)


def _first_terms(account: Account, now: datetime) -> datetime | None:
    """Return the first instant from now on at which terms hold; None if none do any more."""
    stretches = account.timeline.stretches
    starts = (each.start for each in stretches if each.terms is not None and each.end > now)
    start = next(starts, None)
    return None if start is None else max(start, now)


def _require_of_plan(
    budget: Budget, repository: Repository, account: Account, instant: datetime
) -> None:
    """Refuse a budget of a metric or a currency that the plan of an instant's period hasn't."""
    period, plans = account.period_at(instant), PlansInForce(repository)
    agreed = [plans.plan(period, part, terms) for part, terms in account.parts(period)]
    metrics = dict.fromkeys(metric for plan in agreed for metric in plan.allowances)
    if budget.metric is not None and budget.metric not in metrics:
        told = ", ".join(metrics) or "which has none"
        problem = f"{budget.metric!r} must be a metric of the org's plan, {told}"
        error = UnknownMetric(("budget", "metric"), budget.metric, problem)
        raise error.within(org_id=account.org_id)
    currency = agreed[-1].currency
    if isinstance(budget.amount, Money) and budget.amount.currency != currency:
        own = budget.amount.currency.code
        clash = CurrencyMismatch(own, currency.code, ("budget", "amount"))
        raise clash.within(org_id=account.org_id)
