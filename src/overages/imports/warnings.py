"""Warnings: the budgets and alerts of a book, found where they are new, and compared with terms.

They are compared with what each org has agreed to once all of the book is put, so that a metric, an
account's entry or a budget counts wherever it stands in the file:

    changes = [*new_budgets(book, repository, problems), *new_alerts(book, repository, problems)]
    require_reachable(changes[0], repository, now)    # once they are put
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import datetime
from itertools import islice
from typing import Final

from overages._ground.parsing import Problems
from overages.alerts.alert import Alert
from overages.amounts.money import Money
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.errors import (
    CurrencyMismatch,
    InvalidValue,
    OveragesError,
    Path,
    StorageError,
    UnknownAlert,
    UnknownBudget,
    UnknownMetric,
    did_you_mean,
)
from overages.imports.plan_files.changes import NewAlert, NewBudget
from overages.imports.plans import PlanBook
from overages.imports.stored_plans import NamedPlans
from overages.insight.budget import Budget
from overages.repository import Repository
from overages.service.alert_subjects import AlertSubjects, require_budget, require_grant
from overages.terms.account import Account

_MOST_NEAR: Final = 5_000  # orgs among which one that a name resembles is looked for


# Changes


def new_budgets(
    book: PlanBook, repository: Repository, plans: NamedPlans, problems: Problems
) -> Iterator[NewBudget]:
    """Yield the budgets that a book has and a repository doesn't, and those that it drops there.

    :param problems: takes the orgs without an account, the budgets of metrics that no plan has, and
        changes of one that stops charging.
    """
    for org_id, by_id in book.budgets.items():
        if not has_account(org_id, "budgets", book, repository, problems):
            continue
        stored = {budget.id: budget for budget in repository.budgets(org_id)}
        for budget_id, budget in by_id.items():
            before = stored.get(budget_id)
            if before == budget:
                continue
            if before is not None and before.on_reached == "stop_charging":
                path = ("budgets", org_id, budget_id)
                problem = "must stay as it is, as it stops charging: OverageService.drop_budget"
                problems.add(InvalidValue(path, budget, f"{problem} takes back its maximum, too"))
                continue
            if budget is not None and budget.metric is not None:
                place = ("budgets", org_id, budget_id, "metric")
                problems.attempt(plans.require_metric, budget.metric, place)
            yield NewBudget(org_id, budget_id, budget, before)


def new_alerts(
    book: PlanBook, repository: Repository, plans: NamedPlans, problems: Problems
) -> Iterator[NewAlert]:
    """Yield the alerts that a book has and a repository doesn't, and those that it drops there.

    :param problems: takes the orgs without an account, the alerts of metrics that no plan has, or
        of a grant or a budget that their org hasn't, and those of all orgs that none of them could
        ever reach, by the plans that there are.
    """
    for org_id, alerts in _alerts_of(book):
        if org_id is not None and not has_account(org_id, "org_alerts", book, repository, problems):
            continue
        stored = _stored_alerts(org_id, repository)
        for alert_id, alert in alerts.items():
            before = stored.get(alert_id)
            if before != alert:
                if org_id is None and alert is not None:
                    problems.attempt(plans.require_reachable, alert, ("alerts", alert_id))
                elif org_id is not None and alert is not None:
                    _require_names(org_id, alert, book, repository, plans, problems)
                yield NewAlert(alert_id, alert, before, org_id)


def _require_names(
    org_id: str,
    alert: Alert,
    book: PlanBook,
    repository: Repository,
    plans: NamedPlans,
    problems: Problems,
) -> None:
    """Refuse a metric that no plan has, and a grant or a budget that the org hasn't, then."""
    path = (*_alerts_path(org_id), alert.id)
    if alert.metric is not None:
        problems.attempt(plans.require_metric, alert.metric, (*path, "metric"))
    try:
        if alert.grant is not None:
            grants = [*repository.grants(org_id), *book.grants.get(org_id, ())]
            require_grant(alert.grant, {each.id for each in grants}, (*path, "grant"))
        if alert.budget is not None:
            budgets = {each.id for each in repository.budgets(org_id)}
            for budget_id, budget in book.budgets.get(org_id, {}).items():
                (budgets.discard if budget is None else budgets.add)(budget_id)
            require_budget(alert.budget, budgets, (*path, "budget"))
    except OveragesError as error:
        problems.add(error.within(org_id=org_id))


def never_there(book: PlanBook, repository: Repository) -> Iterator[Path]:
    """Yield the paths of budgets and alerts that a book drops, and that none ever had the name of.

    To drop one that counts no more changes nothing, and so tells whether there was one.
    """
    for org_id, alerts in _alerts_of(book):
        counting = _stored_alerts(org_id, repository)
        for alert_id in (name for name, alert in alerts.items() if alert is None):
            try:
                if alert_id not in counting:
                    repository.drop_alert(alert_id, org_id=org_id)
            except UnknownAlert:
                yield *_alerts_path(org_id), alert_id
    for org_id, budgets in book.budgets.items():
        held = {each.id for each in repository.budgets(org_id)}
        for budget_id in (name for name, budget in budgets.items() if budget is None):
            try:
                if budget_id not in held:
                    repository.drop_budget(org_id, budget_id)
            except UnknownBudget:
                yield "budgets", org_id, budget_id


def has_account(
    org_id: str, table: str, book: PlanBook, repository: Repository, problems: Problems
) -> bool:
    """Tell whether an org has an account, here or there; if it hasn't, that is a problem.

    :param table: the name of the table that names it.
    """
    if org_id in book.accounts or repository.account(org_id) is not None:
        return True
    orgs = [*book.accounts, *islice(repository.orgs(), _MOST_NEAR)]
    problem = f"must be an org with an account{did_you_mean(org_id, orgs)}"
    problems.add(InvalidValue((table, org_id), org_id, problem))
    return False


def _alerts_of(book: PlanBook) -> Iterator[tuple[str | None, Mapping[str, Alert | None]]]:
    """Yield the alerts of all orgs, as those of None, and of each org of its own."""
    yield None, book.alerts
    yield from book.org_alerts.items()


def _stored_alerts(org_id: str | None, repository: Repository) -> dict[str, Alert]:
    """Return the alerts of an org alone, or those of all orgs, by id."""
    definitions = repository.alert_definitions(org_id)
    return {each.alert.id: each.alert for each in definitions if each.org_id == org_id}


# Terms


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
            renamed.path = (*_path_of(change), *each.path[1:])
            problems.add(renamed)
        raise problems.error() from None


def out_of_reach(
    org_id: str, repository: Repository, now: datetime
) -> Iterator[tuple[Alert, OveragesError]]:
    """Yield the alerts of an org alone that its terms of now, or else its first, can't reach.

    Each is given with the reason: its budget was dropped, say, or its metric left the plan.
    """
    account = repository.account(org_id)
    instant = None if account is None else _first_terms(account, now)
    if account is None or instant is None:
        return
    subjects = AlertSubjects(repository, account, instant)
    for alert in _stored_alerts(org_id, repository).values():
        try:
            subjects.require(alert)
        except StorageError:
            raise
        except OveragesError as error:
            yield alert, error


def without_subject(
    alerts: Iterable[Alert], repository: Repository
) -> Iterator[tuple[Alert, str, str]]:
    """Yield those of some alerts of all orgs that are about a budget or a grant that no org has.

    Each is given with the subject, and one that the name resembles, as the end of a message.
    """
    subjects = [(alert, subject) for alert in alerts if (subject := _subject_of(alert)) is not None]
    missing, others = {subject for _, subject in subjects}, set[tuple[str, str]]()
    for org_id in repository.orgs() if missing else ():
        held = {("budget", each.id) for each in repository.budgets(org_id)}
        held |= {("grant", each.id) for each in repository.grants(org_id)}
        missing -= held
        if not missing:
            return
        if len(others) < _MOST_NEAR:
            others |= held
    for alert, (kind, name) in subjects:
        if (kind, name) in missing:
            near = did_you_mean(name, sorted(other for of, other in others if of == kind))
            yield alert, f"{kind} {name!r}", near


def _subject_of(alert: Alert) -> tuple[str, str] | None:
    """Return the budget or the grant that an alert is about, of which each org has its own."""
    if alert.budget is not None:
        return "budget", alert.budget
    return None if alert.grant is None else ("grant", alert.grant)


def _path_of(change: NewBudget | NewAlert) -> Path:
    """Return the way to the table of a change in its file."""
    if isinstance(change, NewBudget):
        return ("budgets", change.org_id, change.id)
    return (*_alerts_path(change.org_id), change.id)


def _alerts_path(org_id: str | None) -> Path:
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
