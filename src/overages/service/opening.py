"""Openings: the balance that an org brings along from another system.

It is the closing of a time before the org's first period, for which nothing is charged here:

    repository.close_period(opening(repository, account, balance), closed_at=now, grants=grants)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from overages._ground.parsing import Problems
from overages.errors import InvalidValue, OveragesError, PeriodClosed
from overages.grants.grant import Grant
from overages.periods.cycle import Cycle
from overages.periods.period import Period, format_instant
from overages.repository import Repository
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement
from overages.statements.calculation import nothing_charged
from overages.terms.account import Account
from overages.terms.plan import Plan, unknown_metric

_TICK: Final = timedelta(microseconds=1)


def opening(repository: Repository, account: Account, balance: Balance) -> Settlement:
    """Return the settlement of the time before an org's first period, which leaves a balance.

    That time is the part of a period of the first terms' cycle that comes before the account.

    :raises UnknownPlan: if the plan of the first terms isn't in force as they begin.
    :raises NoTerms: if none hold where the account begins.
    :raises InvalidValue: if the balance is of another org, of a grant that wasn't put, of a time
        that the account's first period doesn't go on from; `InvalidValues` for several. If the
        account begins with the year 1.
    :raises UnknownMetric: if its plan doesn't know a metric.
    :raises PeriodClosed: if a period of the org is closed already, by anything but this balance.
    """
    account.require_terms(account.since, "since")
    terms = account.at(account.since)
    assert terms is not None  # or it would have been refused
    before = _before(account, terms.cycle)
    earlier = repository.closing(account.org_id, before)
    closed = repository.closed_periods(account.org_id)
    if closed and (earlier is None or earlier.balance != balance):
        period, since = next(iter(closed.items()))
        problem = f"is closed since {format_instant(since)}, and not by that balance"
        raise PeriodClosed((), since, problem).within(org_id=account.org_id, period=period)
    instant = None if terms.plan_version is not None else account.since
    plan = repository.plan(terms.plan, version=terms.plan_version, at=instant)
    problems = Problems()
    for fault in _faults(account, plan, balance, repository.grants(account.org_id)):
        problems.add(fault)
    problems.raise_any()
    return Settlement(nothing_charged(account.org_id, before, plan), balance)


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
    """Yield the faults of a balance: it is another's, or no period can go on from it."""
    since = format_instant(account.since)
    for metric, units in balance.carried.items():
        path: tuple[str | int, ...] = ("balance", "carried", metric)
        if metric not in plan.allowances:
            yield unknown_metric(path, metric, plan)
        if units[-1].period.end > account.since:
            problem = f"must be left by periods that end by {since}"
            yield InvalidValue((*path, len(units) - 1, "period"), str(units[-1].period), problem)
    for name, usages in (("used", balance.used), ("covered", balance.covered)):
        for place, usage in enumerate(usages):
            path = ("balance", name, place)
            if usage.org_id != account.org_id:
                problem = f"must be {account.org_id!r}"
                yield InvalidValue((*path, "org_id"), usage.org_id, problem)
            for metric in usage.quantities:
                if metric not in plan.allowances:
                    yield unknown_metric((*path, "quantities", metric), metric, plan)
                    continue
                cycle, period = plan.allowances[metric].included_for, usage.period
                own = None if cycle is None else cycle.period_at(account.since)
                if period != own:
                    problem = f"must be the time that {metric} is included for, {own or 'none'}"
                    yield InvalidValue((*path, "period"), str(period), problem)
    for grant_id in sorted(balance.grants.difference(grant.id for grant in grants)):
        problem = "must tell of grants that were put: put_grant comes first"
        yield InvalidValue(("balance", "burndowns"), grant_id, problem)
