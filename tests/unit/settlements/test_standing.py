"""A period as it stands: its grants, as they are before anything that happens to them later."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Conversion,
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
from overages.settlements.settlement import settle
from overages.settlements.standing import Standing, standing

JAN, FEB = Period.month(2024, 1), Period.month(2024, 2)
DAY = timedelta(days=1)
PLAN = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
ACCOUNT = Account("acme", "starter", since=JAN.start)
PACK = Grant("pack", 100, metric="runs", effective_at=JAN.start)
CREDIT = Grant("credit", Money.of("20", "USD"), effective_at=JAN.start)
MONTHLY = Cycle.calendar("month")


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


def told_on(
    at: datetime, *grants: Grant, account: Account = ACCOUNT, put: int = 0, **used: int
) -> Standing:
    """Return how January stands at an instant.

    :param put: units without an event.
    :param used: those of events on days (``d5=60``).
    """
    events = [UsageEvent("acme", "runs", units, day(int(name[1:]))) for name, units in used.items()]
    times = [JAN, *(part for part, _ in account.parts(JAN) if part != JAN)]
    usages = [
        Usage("acme", time, {"runs": put + sum(e.quantity for e in events if e.at in time)})
        for time in times
    ]
    return standing(
        account, {"starter": PLAN}, JAN, usages,
        at=at, grants=grants, events=events, timed=["runs"],
    )  # fmt: skip


def left(at: datetime, *grants: Grant, **used: Any) -> dict[str, Any]:
    """Return the units left of each grant."""
    states = [state for each in told_on(at, *grants, **used).grants for state in each.grants]
    return {state.grant_id: state.left for state in states}


@pytest.mark.parametrize(
    ("at", "units"), [(day(5), 90), (day(19), 90), (day(20), 0), (day(31), 0), (FEB.end, 0)]
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
    assert left(day(9), later, evolve(CREDIT, effective_at=day(20)), d5=65) == {"credit": 5}


ENDING, WEEKLY = (
    evolve(PACK, expires_at=day(20)), evolve(PACK, recurrence=Cycle.calendar("week")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("grant", "there", "usable"),
    [
        (ENDING, 90, 0),  # more would push the units ahead beyond its end
        (evolve(PACK, expires_at=day(10)), 90, 0),
        (PACK, 88, 88),
        (WEEKLY, 90, 90),
        (evolve(WEEKLY, amount=12), 2, 2),
        (evolve(PACK, effective_at=day(15)), None, 0),
    ],
)
def test_where_usage_is_dated_ahead_units_are_usable_that_are_left_until_then(
    grant: Grant, there: int | None, usable: int
) -> None:
    told = told_on(day(9), grant, d8=60, d25=2)
    assert told.left == {"runs": usable}
    assert [each.left for each in told.grants] == [there or 0]


def test_refills_in_between_are_used_as_well() -> None:
    daily = evolve(PACK, amount=10, recurrence=Cycle.calendar("day"))
    told = told_on(day(5), daily, d3=45, d6=15)
    assert (told.grants[0].left, told.left) == (10, {"runs": 0})


@pytest.mark.parametrize(("grant", "usable"), [(PACK, 88), (ENDING, 0), (WEEKLY, 88)])
def test_units_without_an_event_are_drawn_at_the_end(grant: Grant, usable: int) -> None:
    assert told_on(day(9), grant, put=62).left == {"runs": usable}


IN_TENS = evolve(PACK, step=10)


@pytest.mark.parametrize(
    ("amount", "put", "usable"),
    [
        (20, 7, 10),
        (33, 15, 10),  # 15 are drawn as 20: of the 13 left, 11 would be drawn as 20 as well
        (33, 11, 13),  # 13 are drawn as 20, and leave 13
        ("33.5", 15, 10),
        ("12.5", 0, Decimal("12.5")),  # the last step isn't whole
        (20, 20, 0),
    ],
)
def test_in_steps_they_are_usable_that_leave_enough_for_units_without_an_event(
    amount: Any, put: int, usable: Any
) -> None:
    assert told_on(day(9), evolve(IN_TENS, amount=amount), d5=50, put=put).left == {"runs": usable}


@pytest.mark.parametrize(("ahead", "usable"), [(8, 0), (6, 6)])
def test_in_steps_they_are_usable_that_leave_enough_for_usage_that_is_dated_ahead(
    ahead: int, usable: int
) -> None:
    other = Grant("other", 4, metric="runs", priority=1, effective_at=JAN.start)
    told = told_on(day(9), evolve(IN_TENS, amount=12), other, d8=50, d25=ahead)
    assert told.grants[0].remaining == {"pack": 2, "other": 4}
    assert told.left == {"runs": usable}


@pytest.mark.parametrize(
    ("grant", "used", "usable"),
    [
        (evolve(IN_TENS, amount=20), 65, 8),  # 15 of 20 are drawn whole, and then 8 of them back
        (evolve(PACK, effective_at=day(7)), 60, 0),  # what would be owed no more, stays owed
        (PACK, 60, 96),
    ],
)
def test_units_that_are_used_as_others_are_taken_back_count_with_them(
    grant: Grant, used: int, usable: int
) -> None:
    taken_back = -8 if grant.step else -6
    assert told_on(day(9), grant, d5=used, d9=taken_back).left == {"runs": usable}


@pytest.mark.parametrize("at", [day(9), JAN.start - DAY])
@pytest.mark.parametrize(
    "runs", [Allowance(50, PerUnit(1), conversion=Conversion(multiply=2)), None]
)
def test_all_are_usable_of_which_nobody_can_say_it(at: datetime, runs: Allowance | None) -> None:
    plan = Plan("starter", "USD", {} if runs is None else {"runs": runs})
    pack = evolve(IN_TENS, effective_at=JAN.start - 2 * DAY)
    used = Usage("acme", JAN, {} if runs is None else {"runs": 30})
    told = standing(ACCOUNT, {"starter": plan}, JAN, used, at=at, grants=[pack], timed=["runs"])
    assert told.left == {"runs": 90 if runs is not None else 100}


def test_all_are_usable_that_no_usage_can_come_to() -> None:
    most = 10**26 - 1
    assert told_on(day(9), evolve(IN_TENS, amount=most), put=20).left == {"runs": most}
    unlimited = ACCOUNT.changed(since=JAN.start, limits={"runs": None})
    assert told_on(day(9), IN_TENS, account=unlimited, put=20).left == {"runs": 100}


def test_a_metric_that_is_worked_out_is_used_at_the_end() -> None:
    pack = evolve(PACK, expires_at=day(20))
    used = Usage("acme", JAN, {})
    told = standing(ACCOUNT, {"starter": PLAN}, JAN, used, at=day(9), grants=[pack])
    assert (told.grants[0].remaining, told.left) == ({"pack": 0}, {"runs": 0})


@pytest.mark.parametrize(
    ("named", "usable", "shown"),
    [
        ({"effective_at": day(20)}, {9: 0, 16: 100}, {9: 100, 16: 100}),  # not there by the 16th
        ({"expires_at": day(20)}, {9: 0, 16: 0}, {9: 0, 16: 0}),  # nor for what is used after it
        ({"recurrence": Cycle.calendar("day")}, {9: 86, 16: 100}, {9: 100, 16: 100}),
        ({"metric": "jobs"}, {9: 100}, {9: 100}),
    ],
    ids=["begins", "ends", "recurs", "of no plan"],
)
def test_before_other_terms_a_metric_that_is_worked_out_is_used_by_their_end(
    named: dict[str, Any], usable: dict[int, int], shown: dict[int, int]
) -> None:
    account = ACCOUNT.changed(since=day(16), limits={"runs": 200})
    pack = evolve(PACK, **named)
    units = {part: {"runs": 38} for part, _ in account.parts(JAN)[:1]}  # of 24 that are included
    usages = [Usage("acme", JAN, {"runs": 38}), *(Usage("acme", t, u) for t, u in units.items())]
    usages += [Usage("acme", part, {}) for part, _ in account.parts(JAN)[1:]]
    for on, left_then in usable.items():
        told = standing(account, {"starter": PLAN}, JAN, usages, at=day(on), grants=[pack])
        assert told.left == {pack.metric: left_then}
        assert told.grants[0].remaining.get("pack") == shown[on]


@pytest.mark.parametrize(
    ("grant", "units"),
    [(evolve(PACK, expires_at=day(8)), 0), (evolve(PACK, recurrence=MONTHLY), 100)],
)
def test_one_that_nothing_can_be_drawn_on_ends_and_is_refilled_all_the_same(
    grant: Grant, units: int
) -> None:
    used = Usage("acme", JAN, {"runs": 70})
    january = settle(ACCOUNT, {"starter": PLAN}, JAN, used, grants=[PACK])
    assert january.balance.burndowns[0].remaining == {"pack": 80}
    unlimited = ACCOUNT.changed(since=FEB.start, limits={"runs": None})
    in_february = evolve(grant, expires_at=grant.expires_at and FEB.start + 7 * DAY)
    before = settle(ACCOUNT, {"starter": PLAN}, JAN, used, grants=[in_february]).balance
    told = standing(
        unlimited, {"starter": PLAN}, FEB, Usage("acme", FEB, {"runs": 5}), before,
        at=FEB.start + 9 * DAY, grants=[in_february], timed=["runs"],
    )  # fmt: skip
    assert told.grants[0].remaining == {"pack": units}


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
    told = standing(ACCOUNT, {"starter": plan}, JAN, used, at=day(9), grants=[CREDIT], ended=ended)
    assert told.grants[0].remaining == {"credit": money}


def test_money_that_ends_before_the_bill_pays_nothing() -> None:
    assert left(day(9), evolve(CREDIT, expires_at=day(20)), d5=65) == {"credit": 0}


def test_it_goes_over_parts_of_a_period() -> None:
    account = ACCOUNT.changed(since=day(16), limits={"runs": 10})  # they are 24, and then 5
    pack = evolve(PACK, expires_at=day(26))
    assert left(day(20), pack, account=account, d5=60, d17=15) == {"pack": 54}


def test_later_parts_draw_on_it_as_it_is_by_then() -> None:
    account = ACCOUNT.changed(since=datetime(2024, 1, 20, 6, tzinfo=UTC), limits={"runs": 0})
    weekly = Cycle(day(6), unit="week")
    pack = Grant("pack", 20, metric="runs", effective_at=day(6), recurrence=weekly)
    assert left(day(19), pack, account=account, d21=17) == {"pack": 20}  # of those of the 13th


def test_what_is_no_instant_is_refused() -> None:
    wrong: Any = 5
    with pytest.raises(InvalidType, match=r"^at: "):
        left(wrong, PACK)
