"""Cycles tile time: each instant lies in exactly one period, and no boundary drifts."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given, strategies as st

from overages import Cycle, Period
from overages.testing.recipe import Recipe

from .effort import many
from .strategies import cycle_recipes, timezones, units

TICK = timedelta(microseconds=1)

_changes = [  # of clocks and of dates, in some of the timezones
    datetime(1867, 10, 19, tzinfo=UTC),  # Juneau had a day twice
    datetime(1969, 10, 1, tzinfo=UTC),  # Kwajalein had 23 hours twice
    datetime(1993, 8, 21, tzinfo=UTC),  # Kwajalein skipped a day
    datetime(2011, 12, 30, tzinfo=UTC),  # Apia skipped a day
    datetime(2009, 11, 1, tzinfo=UTC),  # St. John's went back over midnight
    datetime(2024, 3, 31, tzinfo=UTC),
    datetime(2024, 10, 27, tzinfo=UTC),
]
_seconds = st.integers(-4 * 86_400, 4 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
near_a_change = st.builds(lambda at, apart: at + apart, st.sampled_from(_changes), _seconds)
anywhere = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
moments = st.one_of(near_a_change, near_a_change, anywhere)
cycles = st.builds(Cycle, moments, st.just(1) | st.integers(1, 3), units, timezones)
short_cycles = st.builds(
    Cycle, moments, st.just(1), st.sampled_from(["hour", "day", "week", "month"]), timezones
)


@many
@given(short_cycles, near_a_change)
@example(Cycle(datetime(2011, 1, 1, 10, tzinfo=UTC), 1, "day", "Pacific/Apia"), _changes[3])
@example(Cycle(datetime(1993, 1, 1, 12, tzinfo=UTC), 1, "day", "Pacific/Kwajalein"), _changes[2])
def test_tiling_consecutive_periods_touch(cycle: Cycle, moment: datetime) -> None:
    found = list(islice(cycle.periods_from(moment), 8))
    assert all(one.end == two.start for one, two in pairwise(found))
    assert moment in found[0]


@many
@given(cycles, st.integers(-500, 500))
def test_tiling_periods_with_consecutive_numbers_touch_or_are_one(cycle: Cycle, n: int) -> None:
    assume(1600 < cycle.anchor.year < 8400)  # 500 periods of three years are 1,500
    one, two = cycle.period(n), cycle.period(n + 1)
    assert one.end == two.start or (one == two and cycle.unit == "day")


@many
@given(cycles, moments)
def test_tiling_each_instant_is_in_exactly_one_period(cycle: Cycle, moment: datetime) -> None:
    assume(8 < moment.year < 9992)  # for cycles of several years
    found = cycle.period_at(moment)
    assert found.start <= moment < found.end
    for inside in (found.start, found.start + (found.end - found.start) // 2, found.end - TICK):
        assert cycle.period_at(inside) == found
    assert cycle.period_at(found.start - TICK).end == found.start
    assert cycle.period_at(found.end).start == found.end


@given(moments, units, timezones, anywhere)
@example(datetime(9998, 12, 31, tzinfo=UTC), "year", "Pacific/Apia", datetime(2, 1, 1, tzinfo=UTC))
@example(datetime(2, 1, 1, tzinfo=UTC), "year", "Pacific/Apia", datetime(9998, 12, 31, tzinfo=UTC))
def test_tiling_every_instant_of_the_years_2_to_9998_has_its_period(
    anchor: datetime, unit: str, zone: str, moment: datetime
) -> None:
    cycle = Cycle(anchor, 1, unit, zone)  # type: ignore[arg-type]
    assert moment in cycle.period_at(moment)


@given(cycle_recipes, st.integers(-20, 20))
def test_the_period_of_a_number_is_the_one_that_its_start_lies_in(
    recipe: Recipe[Cycle], n: int
) -> None:
    cycle = recipe.one()
    assume(900 < cycle.anchor.year < 9100)  # 21 periods of forty years are 840
    assert cycle.period_at(cycle.period(n).start) == cycle.period(n)
    assert cycle.period(0).start == cycle.anchor


@given(moments, timezones)
def test_calendar_months_are_those_that_periods_know(moment: datetime, zone: str) -> None:
    assert Cycle.monthly(zone).period_at(moment) == Period.month_of(moment, ZoneInfo(zone))


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.integers(1, 31))
def test_no_drift_over_200_years_of_months(wall: datetime, day: int) -> None:
    assume(day <= monthrange(wall.year, wall.month)[1])
    anchor = wall.replace(day=day, tzinfo=UTC)
    cycle = Cycle(anchor)
    for n in range(2_401):
        start = cycle.period(n).start
        months = anchor.year * 12 + anchor.month - 1 + n
        assert (start.year, start.month - 1) == divmod(months, 12)
        assert start.day == min(day, monthrange(start.year, start.month)[1])
        assert start.timetz() == anchor.timetz()


@given(st.datetimes(datetime(1980, 1, 1), datetime(2024, 1, 1)), st.integers(0, 2_400))
def test_no_drift_in_a_timezone_the_time_of_day_stays(wall: datetime, n: int) -> None:
    paris = ZoneInfo("Europe/Paris")
    anchor = wall.replace(hour=12, tzinfo=paris)  # no clock there was ever changed at noon
    cycle = Cycle(anchor, timezone="Europe/Paris")
    assert cycle.period(n).start.astimezone(paris).time() == anchor.time()
