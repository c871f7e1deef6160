"""Period inputs: plans, usage, grants and events of an org's periods, put together to settle one.

A period that carries over, includes units for longer than itself, or draws on grants depends on the
periods before it. Balances aren't kept: each period from the org's first on is settled anew from
its usage, so that usage that was reported late counts. (Where nothing depends on an earlier period,
none is looked at.)

    usage = used_in(repository, account, period, routes)
    settlement_of(repository, account, period, routes).statement
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, takewhile

from overages.errors import OveragesError, UnknownPlan
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.repository import Repository
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.settlement import Settlement, settle
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.usage.metering import usage_of
from overages.usage.routing import Routes
from overages.usage.usage import Usage


def used_in(repository: Repository, account: Account, period: Period, routes: Routes) -> Usage:
    """Return the usage of an org: the repository's sums, and metrics that are worked out of events.

    :param routes: the metrics that are more than sums.
    """
    org_id = account.org_id
    if not routes.worked_out:
        return repository.usage(org_id, period)
    summed = repository.usage(org_id, period, without=routes.worked_out)
    within = routes.worked_out - routes.levels
    placed = chain(
        repository.counted_events(org_id, period, metrics=within),
        repository.counted_events(org_id, period, metrics=routes.levels, earlier=True),
    )
    try:
        worked_out = usage_of(placed, org_id, period, routes).quantities
        used = {metric: quantity for metric, quantity in worked_out.items() if quantity}
        return Usage(org_id, period, {**summed.quantities, **used})
    except OveragesError as error:
        raise error.within(org_id=org_id, period=period) from None


def settlement_of(
    repository: Repository, account: Account, period: Period, routes: Routes
) -> Settlement:
    """Settle an org's period, and all before it that it depends on, one after another.

    From before the account has its plan, nothing is carried over; draws on grants then are worked
    out as if by that plan.

    :raises UnknownPlan: if the account's plan was not yet in force at the start of the period.
    :raises OveragesError: as `settle` does; it says which of the periods it is about.
    """
    plan = _plan_of(repository, account, period)
    grants = repository.grants(account.org_id)
    balance = EMPTY_BALANCE
    if grants or plan.needs_balance:
        used = _counted_in(repository, account, period, routes)
        for earlier in periods_before(account, period, used):
            try:
                earlier_plan = _plan_of(repository, account, earlier)
            except UnknownPlan:  # none was in force yet
                continue
            balance = _settled(
                repository, account, earlier_plan, earlier, routes, balance, grants
            ).balance
            if not account.has_plan_in(earlier):  # draws on grants count, and nothing else
                balance = Balance(burndowns=balance.burndowns)
    return _settled(repository, account, plan, period, routes, balance, grants)


def _plan_of(repository: Repository, account: Account, period: Period) -> Plan:
    try:
        return repository.plan(account.plan, at=period.start)
    except UnknownPlan as error:
        raise error.within(org_id=account.org_id, period=period) from None


def _counted_in(
    repository: Repository, account: Account, period: Period, routes: Routes
) -> list[Period]:
    """Return the periods in which something counts, up to one, sorted."""
    periods = set(repository.usage_periods(account.org_id))
    if routes.worked_out:  # quantities that sum to nothing can still be a count, or a peak
        placed = repository.counted_events(
            account.org_id, period, metrics=routes.worked_out, earlier=True
        )
        periods |= {own for _, own in placed}
    return sorted(periods)


def _settled(
    repository: Repository,
    account: Account,
    plan: Plan,
    period: Period,
    routes: Routes,
    balance: Balance,
    grants: tuple[Grant, ...],
) -> Settlement:
    usage = used_in(repository, account, period, routes)
    if not account.has_plan_in(period):  # another plan may have had other metrics
        of_plan = {m: used for m, used in usage.quantities.items() if m in plan.allowances}
        usage = Usage(usage.org_id, period, of_plan)
    # Units of a sum are drawn when their events were; others, of which no event has a share, last.
    granted = {grant.metric for grant in grants if grant.metric is not None} - routes.worked_out
    placed = repository.counted_events(account.org_id, period, metrics=granted) if granted else ()
    events = [event for event, _ in placed]
    limits, timezone = account.limits, account.cycle.timezone
    try:
        return settle(
            plan, usage, balance, limits=limits, grants=grants, events=events, timezone=timezone
        )
    except OveragesError as error:
        raise error.within(org_id=account.org_id, period=period) from error.__cause__


def periods_before(account: Account, period: Period, used: Iterable[Period]) -> list[Period]:
    """Return an org's periods before one, those without usage among them.

    :param used: those with usage, sorted.
    """
    counted = [each for each in used if each.end <= period.start]
    starts = [each.start for each in counted[:1]]
    if account.since is not None:
        starts.append(account.period_at(account.since).start)
    if not starts:
        return []
    since = account.cycle.periods_from(min(starts))
    idle = [
        each
        for each in takewhile(lambda each: each.end <= period.start, since)
        if not any(each.start < other.end and other.start < each.end for other in counted)
    ]
    return sorted([*counted, *idle])
