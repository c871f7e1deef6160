"""Cycles tile time: each instant lies in exactly one period, and no boundary drifts."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any, get_args
from zoneinfo import ZoneInfo

from hypothesis import assume, example, given, strategies as st

from overages import Cycle, Period
from overages.errors import InvalidValue
from overages.periods.cycle import CycleUnit
from overages.testing.fields import periods, timezones
from overages.testing.strategies import values

from .effort import many
from .recipes import Recipe, recipes

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
units = st.sampled_from(get_args(CycleUnit))
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


@given(recipes(values(Cycle)), st.integers(-20, 20))
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


@given(moments, st.sampled_from(["week", "month", "quarter", "year"]), timezones)
def test_a_calendars_periods_are_made_of_its_days(moment: datetime, unit: Any, zone: str) -> None:
    assume(moment.year > 2012)  # before, some timezones skipped a day that a week starts on
    days, longer = Cycle.calendar("day", zone), Cycle.calendar(unit, zone).period_at(moment)
    first = days.period_at(longer.start)
    assert first.start == longer.start
    assert days.period_at(longer.end - TICK).end == longer.end
    noon = (first.start + (first.end - first.start) / 2).astimezone(ZoneInfo(zone))
    assert unit != "week" or noon.weekday() == 0
    assert unit == "week" or noon.day == 1
    assert unit != "quarter" or noon.month in (1, 4, 7, 10)
    assert unit != "year" or noon.month == 1


@given(moments, timezones, st.integers(1, 31))
def test_months_start_on_their_day_or_the_last_they_have(
    moment: datetime, zone: str, day: int
) -> None:
    assume(moment.year > 2012)  # before, some timezones skipped a day of a month
    start = Cycle.monthly(zone, day=day).period_at(moment).start
    assert Cycle.calendar("day", zone).period_at(start).start == start
    month = Period.month_of(start, ZoneInfo(zone))
    rest = [*Cycle.calendar("day", zone).periods_between(month.start, month.end)]
    before = [period for period in rest if period.start < start]
    assert len(before) == min(day, len(rest)) - 1


@many
@given(cycles, moments)
def test_the_period_before_an_instant_touches_the_one_it_lies_in(
    cycle: Cycle, moment: datetime
) -> None:
    assume(12 < moment.year < 9992)  # for cycles of several years
    found = cycle.period_before(moment)
    assert found.end == cycle.period_at(moment).start
    assert cycle.period_at(found.start) == found


@many
@given(short_cycles, near_a_change, st.booleans())
def test_a_period_from_an_instant_ends_at_a_boundary_and_no_later_than_it_must(
    cycle: Cycle, start: datetime, skip: bool
) -> None:
    found = cycle.period_from(start, skip_same_day=skip)
    assert found.start == start
    assert cycle.period_at(found.end).start == found.end
    day = Cycle.calendar("day", cycle.timezone).period_at(start)
    passed = [
        period.end
        for period in cycle.periods_between(start, found.end)
        if not (skip and period.end < day.end)
    ]
    assert passed == [found.end]


@many
@given(short_cycles, near_a_change, st.integers(1, 4 * 86_400 * 10**6), st.booleans())
def test_tiling_what_two_instants_enclose_is_divided_without_gaps(
    cycle: Cycle, start: datetime, microseconds: int, skip: bool
) -> None:
    end = start + timedelta(microseconds=microseconds)
    found = [*cycle.periods_between(start, end, skip_same_day=skip)]
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(one.end == two.start for one, two in pairwise(found))
    for period in found[1:]:
        assert cycle.period_at(period.start).clipped(end=end) == period


@given(periods, st.none() | moments, st.none() | moments, moments)
def test_an_instant_is_in_a_clipped_period_if_it_is_in_all_of_it(
    period: Period, start: datetime | None, end: datetime | None, moment: datetime
) -> None:
    inside = [moment, period.start, period.end - TICK]
    inside += [at for at in (start, end) if at is not None]
    lying = [
        at
        for at in inside
        if at in period and (start is None or start <= at) and (end is None or at < end)
    ]
    try:
        clipped = period.clipped(start=start, end=end)
    except InvalidValue:
        assert lying == []
    else:
        assert [at for at in inside if at in clipped] == lying
        assert clipped.clipped(start=start, end=end) == clipped
