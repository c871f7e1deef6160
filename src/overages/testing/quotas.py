"""Strategies of quotas: budgets, decisions, reservations.

Their fields depend on each other; any other class is drawn as its declaration says (see `fields`).
"""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from overages.amounts.exact import Quantity
from overages.amounts.money import Money
from overages.insight.budget import Budget, WindowedBudget
from overages.periods.cycle import Cycle
from overages.quotas.decision import Decision
from overages.quotas.reservation import Reservation
from overages.quotas.standing_limit import StandingLimit
from overages.testing import quantities as numbers
from overages.testing.fields import (
    BY_CLASS,
    Arguments,
    currencies,
    made,
    metrics,
    values,
)
from overages.testing.values import but

_money = st.builds(Money, st.integers(0, 5000), currencies)
BUDGETED: Final = numbers.quantities | _money
"""Amounts that an org can mean not to pass."""


def budgeted(named: Arguments) -> Arguments:
    """Let units be of a metric, and charging stop for money of all metrics alone."""
    if isinstance(named["amount"], Money):
        stops = named.get("on_reached") == "stop_charging"
        return but(but(named, "metric"), "window") if stops else named
    if named.get("on_reached") == "stop_charging":
        named = but(named, "on_reached")
    return named if named.get("metric") is not None else {**named, "metric": "tokens"}


def like(limit: Quantity | Money, named: Arguments) -> Arguments:
    """Let numbers that are used and held be units, or money of one currency, as a limit is."""
    for name in named.keys() & {"used", "held"}:
        if isinstance(limit, Money):
            minor = named[name].minor if isinstance(named[name], Money) else 5
            named = {**named, name: Money(minor, limit.currency)}
        elif isinstance(named[name], Money):
            named = {**named, name: 5}
    return named


def in_kind_of_budget(named: Arguments) -> Arguments:
    """Let the numbers of a window be in the kind of its budget's amount."""
    return like(named["budget"].amount, named)


_windowed = st.builds(Budget, BUDGETED, metric=metrics, window=values(Cycle))
BY_CLASS[Budget] = made(Budget, mend=budgeted, amount=BUDGETED)
BY_CLASS[WindowedBudget] = made(
    WindowedBudget, mend=in_kind_of_budget, budget=_windowed, used=BUDGETED, held=BUDGETED
)


def in_one_unit(named: Arguments) -> Arguments:
    """Let all measures of a limit be units, or all be money of one currency."""
    return like(named["limit"], named)


_measures = numbers.quantities | _money
BY_CLASS[StandingLimit] = made(
    StandingLimit, mend=in_one_unit, limit=_measures, used=_measures, held=_measures
)


def decided(named: Arguments) -> Arguments:
    """Let a decision have the verdict that its units say, by the last of its limits."""
    requested = named["requested"]
    granted = {m: min(named["granted"].get(m, 0), units) for m, units in requested.items()}
    limits = named.get("limits") or [StandingLimit("no_terms", 0, 0, 0, stops=True)]
    named = {**named, "granted": granted, "limits": limits}
    named["verdict"] = "partly" if any(granted.values()) else "deny"
    named["decided_by"] = limits[-1]
    if granted == requested:
        named = {**but(named, "decided_by"), "verdict": "allow"}
    if named.get("cost") is None:
        named = but(named, "overage_cost")
    else:
        named["overage_cost"] = Money(5, named["cost"].currency)
    if named.get("at") is None:
        return but(named, "counted_at")
    return {**named, "counted_at": named["at"]}


BY_CLASS[Decision] = made(Decision, mend=decided)


def in_time(named: Arguments) -> Arguments:
    """Let a reservation be made in its period, and end as its outcome says."""
    period, units = named["period"], named["units"]
    named = {**named, "reserved_at": period.start, "expires_at": period.end}
    if named.get("outcome") is None:
        return but(named, "used", "ended_at")
    if named["outcome"] == "released":
        return {**but(named, "used"), "ended_at": period.end}
    return {**named, "used": dict.fromkeys(units, 7), "ended_at": period.end}


BY_CLASS[Reservation] = made(Reservation, mend=in_time)
