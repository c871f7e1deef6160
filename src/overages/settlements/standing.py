"""Standing: a period with its grants as they are at an instant, and the units left of them then.

stands = standing(account, plans, february, usage, at=now, grants=grants, events=events)
stands.left["runs"]                               # units that its grants can still pay for
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final, NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import LIMIT, Quantity, add_up
from overages.grants.burndown import Burndown
from overages.grants.drawn_grant import GrantNotes, PooledGrant
from overages.grants.drawn_grants import pools_of
from overages.grants.grant import Grant
from overages.periods.period import Period, parse_instant
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.grant_lines import begun
from overages.settlements.inputs import Plans, parse_names, with_more
from overages.settlements.settlement import SettlementInputs, inputs_of, settle_inputs
from overages.statements.limit_now import limit_now
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

_TICK: Final = timedelta(microseconds=1)


class Standing(NamedTuple):
    """A period as it stands.

    :param statement: as it would be billed.
    :param grants: the states of the org's grants, for the units of each metric and for money.
    :param left: the units of each metric that grants can still pay for.
    """

    statement: Statement
    grants: Sequence[Burndown] = ()
    left: Mapping[str, Quantity] = FrozenDict()


def standing(
    account: Account,
    plans: Plans,
    period: Period,
    usage: Usage | Iterable[Usage],
    balance: Balance = EMPTY_BALANCE,
    *,
    at: datetime,
    grants: Iterable[Grant] = (),
    events: Iterable[UsageEvent] = (),
    timed: Iterable[str] = (),
    ended: bool = True,
    levels: Iterable[str] = (),
    reserved: Mapping[str, Quantity] = FrozenDict(),
) -> Standing:
    """Return an account's period with its grants as they are at an instant, not as it leaves them.

    The balance of `settle` has them as the period leaves them: one that expires by its end is gone,
    and one that recurs was granted anew. Here, each is as before anything that happens to it after
    the instant: its units left can still be used.

    Money pays at the last instant of the period, and so do units that are used without an event: it
    is the one that decides for these. Where only a part of the usage was by then, those units can
    still be used that are left all the time from the instant to that one. Of grants in steps,
    and beside usage that is taken back, they are as many of these as add no overage. Where the
    terms of a metric change later in the period, units without an event are drawn by then: those
    can be used that are left all the time from there to its end.

    :param at: the instant, timezone-aware.
    :param timed: the metrics of which one more unit is used at an instant of its own.

    The other parameters, and the errors, are those of `settle`.

    >>> from datetime import UTC, datetime
    >>> from overages import Allowance, PerUnit, Plan, settle
    >>> month, plan = Period.month(2024, 2), Plan("s", "USD", {"runs": Allowance(50, PerUnit(1))})
    >>> account, noon = Account("acme", "s", since=month.start), datetime(2024, 2, 9, tzinfo=UTC)
    >>> pack = Grant("p", 100, metric="runs", effective_at=month.start, expires_at=month.end)
    >>> events = [UsageEvent("acme", "runs", 60, noon)]
    >>> of_month = account, {"s": plan}, month, Usage("acme", month, {"runs": 60})
    >>> standing(*of_month, at=noon, grants=[pack], events=events, timed=["runs"]).grants[0].left
    90
    >>> settle(*of_month, grants=[pack], events=events).balance.burndowns[0].left
    0
    """
    inputs = inputs_of(
        account, plans, period, usage, balance, grants, events, ended, levels, reserved
    )
    now, last = min(parse_instant(at, "at"), period.end - _TICK), period.end - _TICK
    counted = frozenset(parse_names(timed, "timed"))
    all_by_now = {metric for metric in counted if _is_used_by(metric, inputs, now)}

    notes = GrantNotes(now)
    settled = settle_inputs(inputs, notes)
    burndowns, left = [], dict[str, Quantity]()
    for unit, pool in pools_of(inputs.grants, inputs.reserved, notes).items():
        drawn = begun(pool, unit, period, settled.balance.burndown(*unit))
        drawn.run(())  # nothing was drawn on some of them, but they have ended or were refilled
        after = {state.grant_id: state for state in drawn.burndown().grants}
        grants_after = [(grant, after.get(grant.id)) for grant, *_ in pool]
        metric, currency = unit
        is_timed = currency is None and metric in counted
        shown_at = now if is_timed else last
        shown = [notes.states(*each, shown_at, shown_at)[0] for each in grants_after]
        burndowns.append(Burndown(now, *unit, filter(None, shown)))
        if metric is not None and currency is None:
            first = now if is_timed else _last_instant(settled.statement, metric, now)
            until = now if metric in all_by_now else last
            states = [notes.states(*each, first, until) for each in grants_after]
            left[metric] = add_up(min(each.left if each else 0 for each in own) for own in states)
            if metric in counted and _can_be_fewer(metric, pool, inputs.events):
                left[metric] = _usable(inputs, settled.statement, metric, left[metric], now)
    return Standing(settled.statement, tuple(burndowns), FrozenDict(left))


def _is_used_by(metric: str, inputs: SettlementInputs, instant: datetime) -> bool:
    """Tell whether events up to an instant tell of all units of a metric in a period."""
    events, period = inputs.events, inputs.period
    told = [each.quantity for each in events if each.metric == metric and each.at <= instant]
    used = next((each.quantities for each in inputs.usages if each.period == period), FrozenDict())
    return add_up(told) == used.get(metric, 0)


def _last_instant(statement: Statement, metric: str, now: datetime) -> datetime:
    """Return the last instant, in a period, of the terms that a metric has now."""
    lines = statement.of(metric) if metric in statement else ()
    time = next((line.part for line in lines if line.part and now in line.part), statement.period)
    return time.end - _TICK


def _can_be_fewer(metric: str, pool: Iterable[PooledGrant], events: Iterable[UsageEvent]) -> bool:
    """Tell whether fewer units than grants have left may be usable.

    In steps, each use is rounded up by itself: units of now can leave fewer for those of later than
    they are themselves. A correction takes back overage, or the units of now, before others.
    """
    return any(grant.step is not None for grant, *_ in pool) or any(
        each.quantity < 0 for each in events if each.metric == metric
    )


def _usable(
    inputs: SettlementInputs, statement: Statement, metric: str, left: Quantity, now: datetime
) -> Quantity:
    """Return how many of the units that grants have left can be used now without more overage.

    It settles the period with them: all that are left, or else the most whole ones that do.

    :param statement: that of the period without them.
    """
    part = next((each for each in statement.parts if now in each.period), None)
    allowance = None if part is None else part.plan.allowances.get(metric)
    if not left or allowance is None or allowance.conversion is not None:
        return left  # of converted units, nobody knows which usage would be as many
    alone = limit_now(statement, metric, now)
    included, overage = alone.remaining, alone.over
    if included is None or add_up([alone.used, included, left]) >= LIMIT:
        return left  # no usage is so large

    def overage_with(units: Quantity) -> Quantity:
        more = add_up([included, units])
        used = tuple(with_more(each, {metric: more}, now) for each in inputs.usages)
        events = (*inputs.events, UsageEvent(inputs.account.org_id, metric, more, now))
        settled = settle_inputs(inputs._replace(usages=used, events=events))
        return limit_now(settled.statement, metric, now).over

    if overage_with(left) <= overage:
        return left
    low, high = 0, ceil(left)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if overage_with(middle) <= overage else (low, middle)
    return low
