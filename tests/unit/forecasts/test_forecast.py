"""Forecasts: the units of a metric that a period should come to, by hand."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from overages.amounts.exact import SCALE
from overages.forecasts.backtest import Walked
from overages.forecasts.daily_usage import DailyUsage
from overages.forecasts.forecast import MetricDays, forecast

MONDAY = date(2024, 1, 1)


def week(number: int, *units: int, whole: bool = True) -> DailyUsage:
    """Return the usage of a week of which as many days are over as there are units."""
    first = MONDAY + timedelta(7 * number)
    dates = tuple(first + timedelta(n) for n in range(7))
    return DailyUsage(dates, tuple(each * SCALE for each in units), whole)


def days(kind: Any, current: DailyUsage, *before: DailyUsage, **named: Any) -> MetricDays:
    used = named.pop("used", None)
    return MetricDays(
        kind, current.total if used is None else used * SCALE, current, before, **named
    )


FLAT = [week(number, *([10] * 7)) for number in range(4)]


def test_a_period_that_is_over_is_as_it_is() -> None:
    told = forecast(days("flow", week(0, 1, 2, 3, 4, 5, 6, 7), used=29))
    assert (told.expected, told.low, told.high, told.method) == (29 * SCALE,) * 3 + (None,)
    assert told.reason is None


def test_the_days_that_are_left_are_added() -> None:
    told = forecast(days("flow", week(4, 10, 10), *FLAT))
    assert (told.expected, told.low, told.high) == (70 * SCALE,) * 3
    assert told.aim == Fraction(1, 2)
    assert [*told.days] == [10 * SCALE] * 5
    assert told.method == "elapsed_share"
    assert told.walked == Walked(4, Fraction(0), 0, 0)
    assert told.errors == dict.fromkeys(told.errors, 0)
    assert told.reason is None


@pytest.mark.parametrize(
    ("used", "today", "expected"),
    [(20, 10, 70), (24, 6, 70), (45, 0, 85)],  # of which today has 0, 4 and 25 so far
)
def test_today_has_what_is_expected_of_it_or_more(used: int, today: int, expected: int) -> None:
    told = forecast(days("flow", week(4, 10, 10), *FLAT, used=used))
    assert told.days[0] == today * SCALE
    assert told.expected == expected * SCALE


def test_units_are_counted_in_steps() -> None:
    """70 units are 5 steps of 15; a mean day of 10.5 makes 73.5."""
    fifteens = forecast(days("flow", week(4, 10, 10), *FLAT, step=15 * SCALE))
    assert fifteens.expected == 75 * SCALE
    halves = forecast(days("flow", week(0, 12, 9), step=SCALE // 2))
    assert halves.expected == 73 * SCALE + SCALE // 2
    assert forecast(days("flow", week(0, 12, 9))).expected == 74 * SCALE


def test_low_and_high_are_rounded_outwards() -> None:
    before = [week(n, 10, 10, *([10 + n % 3] * 5)) for n in range(6)]
    told = forecast(days("flow", week(6, 10, 10), *before))
    assert None not in (told.low, told.expected, told.high)
    assert all(end is not None and end % SCALE == 0 for end in (told.low, told.high))
    assert told.low < told.expected < told.high  # type: ignore[operator]
    assert (told.walked.periods, told.walked.bounded) == (6, 2)


def test_too_few_days_say_nothing() -> None:
    told = forecast(days("flow", week(0, 9)))
    assert (told.expected, told.low, told.high, told.method) == (None,) * 4
    assert told.reason == (
        "not enough to say: 1 day known, of 0 earlier periods and this one, and no method has"
        " enough to go by"
    )


def test_too_few_periods_say_nothing_of_how_far_off_it_is() -> None:
    told = forecast(days("flow", week(4, 10, 10), *FLAT[:2]))
    assert (told.expected, told.low, told.high, told.aim) == (70 * SCALE, None, None, None)
    assert told.reason == (
        "not enough to say how far off: 2 earlier periods, 1 with usage before it; 3 are needed"
    )


def test_one_earlier_period_says_no_error() -> None:
    told = forecast(days("flow", week(4, 10, 10), FLAT[0]))
    assert (told.walked.periods, told.walked.error) == (1, None)
    assert told.reason == (
        "not enough to say how far off: 1 earlier period, 0 with usage before it; 3 are needed"
    )
    assert forecast(days("flow", week(4, 10, 10), *FLAT[:2])).walked.error == 0


def test_periods_without_usage_say_nothing_of_how_far_off_it_is() -> None:
    told = forecast(days("flow", week(9, 10, 10), *[week(n, *([0] * 7)) for n in range(5)]))
    assert told.expected == 70 * SCALE
    assert told.low is None
    assert told.reason is not None
    assert told.reason.endswith(": 5 earlier periods, 0 with usage before it; 3 are needed")


def test_sums_without_days_say_nothing_of_a_flow() -> None:
    told = forecast(days("flow", week(4, 10, 10), *FLAT, used=90, without_days=70 * SCALE))
    assert told.expected is None
    assert told.reason == (
        "not enough to say: 70 units were put as sums for more than a day, so that nobody knows"
        " their days; put sums for each day"
    )


def test_a_level_goes_on_whatever_is_known_of_its_days() -> None:
    told = forecast(days("level", week(4, 0, 0), used=90, without_days=90 * SCALE))
    assert (told.expected, told.low, told.method) == (90 * SCALE, None, "goes_on")
    assert told.reason is not None
    assert told.reason.startswith("not enough to say: 90 units were put as sums")


def test_a_level_that_has_fallen_today_goes_on_as_it_is_now() -> None:
    before = [week(n, 50, 0, 0, 0, 0, 0, -5 * (n % 2)) for n in range(4)]
    told = forecast(days("level", week(4, 50, 0), *before, used=40))
    assert told.expected == 40 * SCALE
    assert told.low is not None
    assert told.low < 40 * SCALE == told.high  # it fell in half of the weeks before


def test_a_peak_never_falls() -> None:
    before = [week(n, 50, 0, 0, 0, 0, 0, 10 * (n % 2)) for n in range(4)]
    told = forecast(days("peak", week(4, 50, 0), *before))
    assert (told.expected, told.low) == (50 * SCALE, 50 * SCALE)
    assert told.high is not None
    assert told.high > 50 * SCALE


def test_unique_values_are_told_by_earlier_periods() -> None:
    """Of 20 users of a week, 16 came in its first two days; 8 now make 10."""
    before = [week(n, 10, 6, 2, 1, 1, 0, 0) for n in range(4)]
    told = forecast(days("unique", week(4, 5, 3), *before))
    assert told.expected is not None
    assert told.method in ("past_share", "last_period")
    assert told.errors.keys() == {"past_share", "last_period"}
    assert forecast(days("unique", week(0, 5, 3))).expected is None
