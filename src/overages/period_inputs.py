"""Period inputs: what a repository has of an org, put together for a calculation.

usage = used_in(repository, account, period, routes)
settlement_of(repository, account, period, routes).statement
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
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
    """Return what an org used: what the repository has summed, and what is worked out of events.

    :param routes: the metrics that are more than sums.
    """
    org_id = account.org_id
    if not routes.worked_out:
        return repository.usage(org_id, period)
    summed = repository.usage(org_id, period, without=routes.worked_out)
    within = routes.worked_out - routes.carried
    placed = chain(
        repository.counted_events(org_id, period, metrics=within),
        repository.counted_events(org_id, period, metrics=routes.carried, earlier=True),
    )
    try:
        counted = usage_of(placed, org_id, period, routes).quantities
    except OveragesError as error:
        raise error.within(org_id=org_id, period=period) from None
    used = {metric: quantity for metric, quantity in counted.items() if quantity}
    return Usage(org_id, period, {**summed.quantities, **used})


def settlement_of(
    repository: Repository, account: Account, period: Period, routes: Routes
) -> Settlement:
    """Settle an org's period, and all before it that it depends on, one after another.

    Usage is what is kept, and the balance follows from it, so that what was reported late counts.
    From before the account has its plan, nothing is carried over; what was drawn on grants then is
    worked out as if by that plan. Where the plan keeps nothing and nothing was granted, no other
    period is looked at.

    :raises UnknownPlan: if the account's plan was not yet in force at the start of the period.
    """
    plan = repository.plan(account.plan, at=period.start)
    grants = repository.grants(account.org_id)
    balance = EMPTY_BALANCE
    if grants or plan.keeps:
        used = _counted_in(repository, account, period, routes)
        for earlier in periods_before(account, period, used):
            with suppress(UnknownPlan):  # none was in force yet
                terms = repository.plan(account.plan, at=earlier.start)
                found = _settled(repository, account, terms, earlier, routes, balance, grants)
                balance = found.balance
                if not account.has_plan_in(earlier):  # what was drawn on grants counts, no more
                    balance = Balance(burndowns=balance.burndowns)
    return _settled(repository, account, plan, period, routes, balance, grants)


def _counted_in(
    repository: Repository, account: Account, period: Period, routes: Routes
) -> list[Period]:
    """Return the periods in which something counts, up to one, sorted."""
    found = set(repository.usage_periods(account.org_id))
    if routes.worked_out:  # quantities that sum to nothing can still be a count, or a peak
        placed = repository.counted_events(
            account.org_id, period, metrics=routes.worked_out, earlier=True
        )
        found |= {when for _, when in placed}
    return sorted(found)


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
        known = {m: used for m, used in usage.quantities.items() if m in plan.allowances}
        usage = Usage(usage.org_id, period, known)
    granted = {grant.metric for grant in grants if grant.metric is not None} - routes.worked_out
    events = repository.counted_events(account.org_id, period, metrics=granted) if granted else ()
    return settle(
        plan,
        usage,
        balance,
        limits=account.limits,
        grants=grants,
        events=[event for event, _ in events],
        timezone=account.cycle.timezone,
    )


def periods_before(account: Account, period: Period, used: Iterable[Period]) -> list[Period]:
    """Return an org's periods before one, those in which nothing was used among them.

    :param used: those in which something was, sorted.
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
