"""Methods: each by hand, on weeks and months of few units."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from overages.forecasts.daily_usage import DailyUsage
from overages.forecasts.methods import METHODS, METHODS_OF, Method, Units

MONDAY = date(2024, 1, 1)
WEEK = (10, 20, 30, 40, 50, 0, 4)


def days(first: date, *picos: int, length: int | None = None, whole: bool = True) -> DailyUsage:
    """Return the usage of a period of as many days, or of more of which some are left."""
    dates = tuple(first + timedelta(n) for n in range(length or len(picos)))
    return DailyUsage(dates, picos, whole)


def weeks(*totals: tuple[int, ...]) -> list[DailyUsage]:
    return [days(MONDAY + timedelta(7 * n), *week) for n, week in enumerate(totals)]


def told(method: Method, before: list[DailyUsage], current: DailyUsage) -> Units | None:
    return METHODS[method](before, current)


def test_elapsed_share_is_the_mean_day_so_far() -> None:
    current = days(MONDAY, 10, 15, length=5)
    assert told("elapsed_share", [], current) == [Fraction(25, 2)] * 3


def test_elapsed_share_and_past_share_say_nothing_in_the_first_quarter() -> None:
    before = [days(MONDAY, *([1] * 31))]
    for over, speaks in ((0, False), (7, False), (8, True)):  # 8 of 31 are a quarter
        current = days(date(2024, 2, 1), *([1] * over), length=31)
        assert (told("elapsed_share", before, current) is not None) is speaks
        assert (told("past_share", before, current) is not None) is speaks


def test_recent_days_are_the_last_seven_across_the_start_of_the_period() -> None:
    before = weeks(WEEK)
    current = days(MONDAY + timedelta(7), 100, 200, length=4)
    mean = Fraction(100 + 200 + 4 + 0 + 50 + 40 + 30, 7)
    assert told("recent_days", before, current) == [mean, mean]
    assert told("recent_days", [], current) is None


def test_a_weekday_is_the_mean_of_its_like_in_the_last_four_weeks() -> None:
    before = weeks((999,) * 7, WEEK, (30, 20, 30, 40, 50, 0, 8), WEEK)
    current = days(MONDAY + timedelta(28), 50, length=3)
    # The first week is looked at but for its Monday, which is the 29th day back.
    assert told("weekday", before, current) == [
        Fraction(999 + 20 + 20 + 20, 4),
        Fraction(999 + 30 + 30 + 30, 4),
    ]


def test_a_weekday_says_nothing_of_fewer_than_two_weeks() -> None:
    current = days(MONDAY + timedelta(13), 1, length=3)
    assert told("weekday", weeks(WEEK), current) is None
    assert told("weekday", weeks(WEEK, WEEK), days(MONDAY + timedelta(14), length=2)) == [10, 20]


def test_past_share_takes_earlier_periods_together() -> None:
    """Four days had 10 of 40 and 30 of 60: 40 of 100 together, so 20 are 40 % of 50."""
    before = [days(MONDAY, 10, 10, 10, 10), days(MONDAY + timedelta(4), 30, 0, 0, 30)]
    current = days(MONDAY + timedelta(8), 20, length=4)
    assert told("past_share", before, current) == [5, 5, 20]


def test_past_share_says_nothing_where_these_days_had_nothing() -> None:
    before = [days(MONDAY, 0, 10, 10, 10)]
    assert told("past_share", before, days(MONDAY + timedelta(4), 20, length=4)) is None
    assert told("past_share", [], days(MONDAY, 20, length=4)) is None


def test_the_last_period_is_the_last_whole_one() -> None:
    before = [days(MONDAY, 1, 2, 3, 4), days(MONDAY + timedelta(4), 9, 9, whole=False)]
    assert told("last_period", before, days(MONDAY + timedelta(6), 5, length=4)) == [2, 3, 4]
    assert told("last_period", before[1:], days(MONDAY + timedelta(6), 5, length=4)) is None


def test_a_level_goes_on() -> None:
    assert told("goes_on", [], days(MONDAY, 5, length=4)) == [0, 0, 0]


def test_every_kind_of_usage_has_methods_and_every_method_a_kind() -> None:
    assert {method for methods in METHODS_OF.values() for method in methods} == set(METHODS)
