"""Days: of a period in a timezone, and the units of a metric on each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from overages import Period
from overages.errors import InvalidType, InvalidValue
from overages.forecasts.daily_usage import DailyUsage, daily_usage, dates_of, days_of

FIRST, SECOND, THIRD = (date(2024, 2, day) for day in (1, 2, 3))


def test_a_month_has_a_day_from_each_midnight_in_the_timezone() -> None:
    march = Period.month(2024, 3, ZoneInfo("Europe/Paris"))
    days = days_of(march, "Europe/Paris")
    assert len(days) == 31
    assert (days[0].start, days[-1].end) == (march.start, march.end)
    hours = [(day.end - day.start).total_seconds() / 3600 for day in days]
    assert [n for n, each in enumerate(hours, 1) if each != 24] == [31]  # clocks went forward
    assert hours[30] == 23
    assert dates_of(days, "Europe/Paris") == tuple(date(2024, 3, n) for n in range(1, 32))


def test_a_period_that_begins_within_a_day_has_the_rest_of_it() -> None:
    noon = datetime(2024, 2, 1, 12, tzinfo=UTC)
    days = days_of(Period(noon, datetime(2024, 2, 3, 6, tzinfo=UTC)), "UTC")
    assert [str(day)[:33] for day in days] == [
        "2024-02-01T12:00:00Z/2024-02-02T0",
        "2024-02-02T00:00:00Z/2024-02-03T0",
        "2024-02-03T00:00:00Z/2024-02-03T0",
    ]
    assert dates_of(days, "UTC") == (FIRST, SECOND, THIRD)


def test_units_are_kept_in_picos_for_the_days_that_are_over() -> None:
    usage = daily_usage([FIRST, SECOND, THIRD], [5, -2])
    assert usage == DailyUsage((FIRST, SECOND, THIRD), (5 * 10**12, -2 * 10**12))
    assert usage.total == 3 * 10**12
    assert usage.until(1).picos == (5 * 10**12,)
    assert not daily_usage([FIRST], [], is_whole=False).is_whole


@pytest.mark.parametrize(
    ("dates", "quantities", "error", "told"),
    [
        ([datetime(2024, 2, 1, tzinfo=UTC)], [1], InvalidType, r"^dates\[0\]: must be a date"),
        ([SECOND, FIRST], [], InvalidValue, r"^dates\[1\]: must be after the one before it"),
        ([FIRST], [1.5], InvalidType, r"^quantities\[0\]: must be an int or a Decimal, got 1.5"),
        ([FIRST], [1, 2], InvalidValue, "^quantities: must be of at most as many days as .* 1,"),
        ([], [], InvalidValue, "^quantities: "),
    ],
)
def test_days_and_units_that_cant_be_are_refused(
    dates: Any, quantities: Any, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        daily_usage(dates, quantities)


def test_a_months_end_stays_its_end_in_a_longer_or_a_shorter_month() -> None:
    """31 days in 28: 0.9 of the last day's units go on the last one's 31/28 of a day."""
    dates = tuple(date(2024, 1, day) for day in range(1, 32))
    usage = DailyUsage(dates, (0,) * 30 + (3100,))
    assert usage.stretched(31) == [0] * 30 + [3100]
    assert usage.stretched(28) == [0] * 27 + [2800]
    assert usage.stretched(62)[-2:] == [3100, 3100]
    flat = DailyUsage(dates, (7,) * 31)
    assert flat.stretched(28) == [7] * 28
