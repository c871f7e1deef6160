"""Grants at an instant: as they are before anything that happens to them later."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Cycle,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Usage,
    UsageEvent,
)
from overages._ground.value import evolve
from overages.errors import InvalidType
from overages.settlements.settlement import grants_at, settle

JAN, FEB = Period.month(2024, 1), Period.month(2024, 2)
DAY = timedelta(days=1)
PLAN = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
ACCOUNT = Account("acme", "starter", since=JAN.start)
PACK = Grant("pack", 100, metric="runs", effective_at=JAN.start)
CREDIT = Grant("credit", Money.of("20", "USD"), effective_at=JAN.start)
MONTHLY = Cycle.calendar("month")


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


def left(at: datetime, *grants: Grant, account: Account = ACCOUNT, **used: int) -> dict[str, Any]:
    """Return what is left of grants at an instant, by units that were used on days (``d5=60``)."""
    events = [UsageEvent("acme", "runs", units, day(int(name[1:]))) for name, units in used.items()]
    times = [JAN, *(part for part, _ in account.parts(JAN) if part != JAN)]
    usages = [
        Usage("acme", time, {"runs": sum(e.quantity for e in events if e.at in time)})
        for time in times
    ]
    told = grants_at(account, {"starter": PLAN}, JAN, usages, at=at, grants=grants, events=events)
    return {state.grant_id: state.left for burndown in told for state in burndown.grants}


@pytest.mark.parametrize(
    ("at", "units"), [(day(2), 90), (day(19), 90), (day(20), 0), (day(31), 0), (FEB.end, 0)]
)
def test_one_has_its_units_until_it_ends(at: datetime, units: int) -> None:
    assert left(at, evolve(PACK, expires_at=day(20)), d5=60) == {"pack": units}


def test_one_that_ends_with_the_period_has_them_in_all_of_it() -> None:
    assert left(FEB.end, evolve(PACK, expires_at=JAN.end), d5=60) == {"pack": 90}


@pytest.mark.parametrize(("on", "units"), [(7, 80), (8, 60), (14, 60), (31, 100)])
def test_one_that_recurs_has_those_of_its_time(on: int, units: int) -> None:
    weekly = evolve(PACK, recurrence=Cycle.calendar("week"))  # on Mondays, as the 1st is
    assert left(day(on), weekly, d5=70, d9=40) == {"pack": units}


def test_one_that_recurs_with_the_period_has_those_of_the_period() -> None:
    monthly = evolve(PACK, recurrence=MONTHLY)
    assert left(day(31), monthly, d5=70) == {"pack": 80}
    after = settle(
        ACCOUNT, {"starter": PLAN}, JAN, Usage("acme", JAN, {"runs": 70}), grants=[monthly]
    )
    assert after.balance.burndowns[0].remaining == {"pack": 100}


def test_one_that_begins_later_is_not_there_yet() -> None:
    later = evolve(PACK, effective_at=day(10))
    assert left(day(9), later, d5=60) == {}
    assert left(day(10), later, d5=60) == {"pack": 100}
    assert left(day(9), later, evolve(CREDIT, effective_at=day(20)), d12=60) == {"credit": 20}


def test_usage_that_is_dated_ahead_is_drawn_while_the_grant_lasts() -> None:
    pack = evolve(PACK, expires_at=day(20))
    assert left(day(9), pack, d5=60, d12=5, d25=7) == {"pack": 85}


@pytest.mark.parametrize(
    "grant",
    [CREDIT, evolve(CREDIT, recurrence=MONTHLY), evolve(CREDIT, expires_at=JAN.end)],
)
def test_of_money_that_is_left_which_the_bill_leaves(grant: Grant) -> None:
    assert left(day(9), grant, d5=65) == {"credit": 5}


@pytest.mark.parametrize(("ended", "money"), [(False, 20), (True, 8)])
def test_a_minimum_is_paid_where_it_is_due(ended: bool, money: int) -> None:
    plan = Plan(
        "starter", "USD", {"runs": Allowance(50, PerUnit(1))}, minimum=Money.of("12", "USD")
    )
    used = Usage("acme", JAN, {"runs": 50})
    (left,) = grants_at(
        ACCOUNT, {"starter": plan}, JAN, used, at=day(9), grants=[CREDIT], ended=ended
    )
    assert left.remaining == {"credit": money}


def test_money_that_ends_before_the_bill_pays_nothing() -> None:
    assert left(day(9), evolve(CREDIT, expires_at=day(20)), d5=65) == {"credit": 0}


def test_it_goes_over_parts_of_a_period() -> None:
    account = ACCOUNT.changed(since=day(16), limits={"runs": 10})  # they are 24, and then 5
    pack = evolve(PACK, expires_at=day(26))
    assert left(day(20), pack, account=account, d5=60, d17=15) == {"pack": 54}


def test_what_is_no_instant_is_refused() -> None:
    wrong: Any = 5
    with pytest.raises(InvalidType, match=r"^at: "):
        left(wrong, PACK)
