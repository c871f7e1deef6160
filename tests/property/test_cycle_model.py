"""Cycles against a slow model: the same periods, at any instant there is, in zones of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import get_args

from hypothesis import example, given, strategies as st

from overages import Cycle, Period
from overages.errors import InvalidValue
from overages.periods.cycle import CycleUnit

from . import slow_cycle
from .effort import many

TICK = timedelta(microseconds=1)
FIRST, LAST = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))
ZONES = [
    "UTC",
    "Europe/London",  # its offset was a minute and a quarter once
    "America/Sao_Paulo",  # clocks were set forward at midnight
    "America/St_Johns",  # and back just after it
    "Pacific/Apia",  # a day was skipped, and one came twice
    "Asia/Manila",  # and here, in 1844 and by Spanish dates
    "Asia/Kathmandu",  # quarters of an hour
    "Africa/Casablanca",  # summer time all the year, but for a month that moves
    "Australia/Lord_Howe",  # clocks are set by half an hour
]
CHANGES = [  # of clocks or dates in one of them
    datetime(2024, 3, 31, 1, tzinfo=UTC),
    datetime(2024, 10, 27, 1, tzinfo=UTC),
    datetime(2018, 11, 4, 3, tzinfo=UTC),
    datetime(2009, 11, 1, 2, 31, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(1892, 7, 4, 12, tzinfo=UTC),
    datetime(2024, 3, 10, 2, tzinfo=UTC),
    datetime(2024, 4, 6, 15, tzinfo=UTC),
]
LAST_DAYS = [(1, 31), (2, 29), (4, 30), (12, 31)]

days = st.integers(-(10**12), 10**12).map(lambda ticks: ticks * TICK)  # up to eleven
near_changes = st.builds(lambda at, apart: at + apart, st.sampled_from(CHANGES), days)
anywhere = st.one_of(
    near_changes, st.datetimes(timezones=st.just(UTC)), st.sampled_from([FIRST, LAST])
)
ends_of_months = st.builds(
    lambda year, begins, since: begins.replace(year=year) + since,
    st.sampled_from([4, 1600, 1896, 1996, 2000, 2024, 9996]),  # which have 29 February
    st.sampled_from([datetime(4, month, day, tzinfo=UTC) for month, day in LAST_DAYS]),
    st.just(timedelta()) | st.integers(0, 86_399_999_999).map(lambda ticks: ticks * TICK),
)
inside = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))
cycles = st.builds(
    Cycle,
    ends_of_months | near_changes | inside,
    st.just(1) | st.integers(1, 5) | st.integers(1, 1_000_000),
    st.sampled_from(get_args(CycleUnit)),
    st.sampled_from(ZONES),
)


SAMOA = Cycle(datetime(2011, 12, 1, 10, tzinfo=UTC), unit="day", timezone="Pacific/Apia")
SKIPPED = CHANGES[4]
SHOWN_AGAIN = CHANGES[1] + timedelta(minutes=30)  # 01:30 in London, for the second time


def or_none(call: Callable[[], Period]) -> Period | None:
    """Return a period, or None where none is whole."""
    try:
        return call()
    except InvalidValue:
        return None


@many
@given(cycles, anywhere)
@example(Cycle(CHANGES[0], unit="hour"), LAST)
@example(Cycle(CHANGES[0], unit="hour"), FIRST)
@example(Cycle(FIRST, unit="month"), FIRST)
@example(Cycle(datetime(1899, 12, 31, 16, tzinfo=UTC), 1, "month", "Asia/Manila"), FIRST)
@example(Cycle(datetime(2000, 1, 1, 3, tzinfo=UTC), 1, "month", "America/St_Johns"), LAST)
@example(Cycle(SHOWN_AGAIN, unit="day", timezone="Europe/London"), SHOWN_AGAIN)
@example(SAMOA, SKIPPED)
@example(SAMOA, SKIPPED - TICK)
def test_an_instants_period_is_that_of_the_model(cycle: Cycle, instant: datetime) -> None:
    expected = slow_cycle.period_at(cycle, instant)
    assert or_none(lambda: cycle.period_at(instant)) == expected
    before = slow_cycle.period_before(cycle, instant)
    assert or_none(lambda: cycle.period_before(instant)) == before


@many
@given(cycles, st.integers(-50, 50) | st.integers(-(10**6), 10**6))
@example(SAMOA, 29)
@example(Cycle(datetime(1896, 2, 29, tzinfo=UTC), unit="year"), 4)
def test_on_either_side_of_a_boundary_the_period_is_that_of_the_model(cycle: Cycle, n: int) -> None:
    period = slow_cycle.period(cycle, n)
    assert or_none(lambda: cycle.period(n)) == period
    if period is None:
        return
    for boundary in (period.start, period.end):
        for at in (boundary - TICK, boundary, boundary + TICK):
            expected = slow_cycle.period_at(cycle, at)
            assert or_none(lambda at=at: cycle.period_at(at)) == expected  # type: ignore[misc]


@many
@given(cycles, anywhere)
@example(SAMOA, SKIPPED - TICK)
@example(Cycle(datetime(1896, 2, 29, tzinfo=UTC), every=2), datetime(1900, 1, 1, tzinfo=UTC))
def test_the_periods_from_an_instant_are_those_of_the_model(
    cycle: Cycle, instant: datetime
) -> None:
    expected: list[Period] = []
    following = slow_cycle.period_at(cycle, instant)
    if following is None:
        return
    while following is not None and len(expected) < 6:
        expected.append(following)
        following = slow_cycle.period_at(cycle, following.end)
    assert [*islice(cycle.periods_from(instant), 6)] == expected
