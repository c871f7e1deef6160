"""Openings: the balance that an org brings along from another system.

It is the closing of a time before the org's first period, for which nothing is charged here:

    repository.close_period(opening(repository, account, balance), closed_at=now, grants=grants)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from overages._ground.parsing import Problems
from overages.amounts.exact import scaled
from overages.errors import InvalidValue, OveragesError, Path, PeriodClosed, RecordConflict
from overages.grants.burndown import Burndown
from overages.grants.drawn_grants import draw_on, pools_of
from overages.grants.grant import Grant
from overages.grants.state import GrantState
from overages.periods.cycle import Cycle
from overages.periods.period import Period, format_instant
from overages.records.closing import Closing
from overages.repository import Repository
from overages.settlements.balance import Balance
from overages.settlements.inputs import check_follows
from overages.settlements.settlement import Settlement
from overages.statements.calculation import nothing_charged
from overages.terms.account import Account
from overages.terms.plan import Plan, unknown_metric
from overages.usage.usage import Usage

_TICK: Final = timedelta(microseconds=1)


def opening_of(repository: Repository, account: Account) -> Closing | None:
    """Return the closing that keeps the opening balance of an org; None if it has none."""
    closing = repository.closing_before(account.org_id, account.since)
    return closing if closing is not None and closing.period.end == account.since else None


def opening(repository: Repository, account: Account, balance: Balance) -> Settlement:
    """Return the settlement of the time before an org's first period, which leaves a balance.

    That time is the part of a period of the first terms' cycle that comes before the account.

    :raises UnknownPlan: if the plan of the first terms isn't in force as they begin.
    :raises NoTerms: if none hold where the account begins.
    :raises InvalidValue: if the account's first period can't go on from the balance;
        `InvalidValues` for several. If the account begins with the year 1.
    :raises UnknownMetric: if its plan doesn't know a metric.
    :raises PeriodClosed: if a period of the account is closed already.
    :raises RecordConflict: if the org was charged for a time before the account.
    """
    org_id, since = account.org_id, account.since
    account.require_terms(since, "since")
    terms = account.at(since)
    assert terms is not None  # or it would have been refused
    closing = opening_of(repository, account)
    before = _before(account, terms.cycle) if closing is None else closing.period
    for period, closed_at in repository.closed_periods(org_id).items():
        if period.end > since:
            problem = (
                f"is closed since {format_instant(closed_at)}, and an opening balance comes first"
            )
            raise PeriodClosed((), closed_at, problem).within(org_id=org_id, period=period)
    for record in repository.records(org_id):
        if record.period.start < since:
            problem = f"must not be there before the account begins, {format_instant(since)}"
            conflict = RecordConflict("records", str(record.period), problem)
            raise conflict.within(org_id=org_id)
    instant = None if terms.plan_version is not None else since
    plan = repository.plan(terms.plan, version=terms.plan_version, at=instant)
    problems = Problems()
    check_follows(org_id, account.period_at(since), balance, (), problems)
    for fault in _faults(account, plan, balance, repository.grants(org_id)):
        problems.add(fault)
    problems.raise_any()
    return Settlement(nothing_charged(org_id, before, plan), balance)


def _before(account: Account, cycle: Cycle) -> Period:
    """Return the part of a period of its first cycle that comes before an account."""
    try:
        last = account.since - _TICK
    except OverflowError:
        problem = "must leave room for an opening balance"
        error = InvalidValue("since", format_instant(account.since), problem)
        raise error.within(org_id=account.org_id) from None
    return Period(cycle.period_at(last).start, account.since)


def _faults(
    account: Account, plan: Plan, balance: Balance, grants: Iterable[Grant]
) -> Iterator[OveragesError]:
    """Yield the faults of a balance that no period can go on from."""
    for metric in balance.carried:
        path: Path = ("balance", "carried", metric)
        if metric not in plan.allowances:
            yield unknown_metric(path, metric, plan)
        elif plan.allowances[metric].carry_over is None:
            yield InvalidValue(path, metric, "must be a metric that carries units over")
    yield from _faults_of_counts(account, plan, "used", balance.used)
    yield from _faults_of_counts(account, plan, "covered", balance.covered)
    by_id = {grant.id: grant for grant in grants}
    for place, burndown in enumerate(balance.burndowns):
        yield from _faults_of_burndown(("balance", "burndowns", place), burndown, by_id)


def _faults_of_counts(
    account: Account, plan: Plan, name: str, counts: Iterable[Usage]
) -> Iterator[OveragesError]:
    """Yield the faults of units counted of longer allowances; those that are over don't matter."""
    for place, usage in enumerate(counts):
        if usage.period.end <= account.since:
            continue
        path: Path = ("balance", name, place)
        for metric in usage.quantities:
            if metric not in plan.allowances:
                yield unknown_metric((*path, "quantities", metric), metric, plan)
                continue
            cycle = plan.allowances[metric].included_for
            own = None if cycle is None else cycle.period_at(account.since)
            if usage.period != own:
                problem = f"must be the time that {metric} is included for, {own or 'none'}"
                yield InvalidValue((*path, "period"), str(usage.period), problem)


def _faults_of_burndown(
    path: Path, burndown: Burndown, grants: Mapping[str, Grant]
) -> Iterator[OveragesError]:
    """Yield the faults of how grants stand: they can't have come to that."""
    if burndown != burndown.closed():
        problem = "must be closed: its draws and its overage are in an earlier bill"
        yield InvalidValue(path, burndown, problem)
    for place, state in enumerate(burndown.grants):
        at = (*path, "grants", place)
        grant = grants.get(state.grant_id)
        if grant is None:
            problem = "must be of a grant that was put: put_grant comes first"
            yield InvalidValue((*at, "grant_id"), state.grant_id, problem)
        elif grant.unit != burndown.unit:
            problem = "must be of a grant of the burndown's metric and currency"
            yield InvalidValue((*at, "grant_id"), state.grant_id, problem)
        elif grant.effective_at > burndown.at:
            problem = f"must be effective by {format_instant(burndown.at)}"
            yield InvalidValue((*at, "grant_id"), state.grant_id, problem)
        else:
            yield from _faults_of_state(at, state, _undrawn(grant, burndown))


def _faults_of_state(path: Path, state: GrantState, undrawn: GrantState) -> Iterator[OveragesError]:
    """Yield the faults of the state of a grant, beside the one that it has if it isn't used."""
    if state.filled_at != undrawn.filled_at:
        problem = f"must be when it was last filled, {format_instant(undrawn.filled_at)}"
        yield InvalidValue((*path, "filled_at"), format_instant(state.filled_at), problem)
    for name in ("granted", "left"):
        most = getattr(undrawn, name)
        if scaled(getattr(state, name)) > scaled(most):
            problem = f"must be at most {most}, as if nothing had been drawn"
            yield InvalidValue((*path, name), getattr(state, name), problem)


def _undrawn(grant: Grant, burndown: Burndown) -> GrantState:
    """Return the state that a grant would have if nothing had been drawn on it."""
    ((_, pool),) = pools_of([grant]).items()
    begun = Burndown(grant.effective_at, burndown.metric, burndown.currency)
    (state,) = draw_on(pool, (), begun, burndown.at).grants
    return state
