"""What other billing systems make of a cycle: its periods, and their boundaries; here too.

Each row is a fact that another system's tests or documentation assert: its id names the system
(Lago, Autumn, OpenMeter, FlexPrice, Meteroid, Kill Bill, Zuora). Three things are written our way:

- All are instants. A date without a time is the midnight that it begins with, in UTC.
- A period's end is the first instant after it, where a system shows the last second of it.
- A day of the month that periods start on is ``Cycle.monthly(day=...)``.
"""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from overages import Cycle, Period
from overages.periods.period import format_instant, instant_from_text


def at(text: str) -> datetime:
    """Return an instant: ``2024-02-01T12:30``, or a date for its midnight; all in UTC."""
    return instant_from_text(text if "T" in text else f"{text}T00:00", zone=UTC)


def span(text: str) -> Period:
    """Return the period of two such texts with a slash between."""
    start, end = text.split("/")
    return Period(at(start), at(end))


FROM_31_JANUARY = Cycle(at("2026-01-31T10:00"))


@pytest.mark.parametrize(
    ("cycle", "moment", "expected"),
    [
        pytest.param(
            # On a boundary that February's, or April's, end has moved: the new period.
            FROM_31_JANUARY,
            "2026-04-30T10:00",
            "2026-04-30T10:00/2026-05-31T10:00",
            id="autumn-period-002",
        ),
        pytest.param(  # thirty days are no month
            Cycle(at("2011-09-01"), every=30, unit="day"),
            "2011-10-03",
            "2011-10-01/2011-10-31",
            id="killbill-period-003",
        ),
        pytest.param(  # a window since something became active
            Cycle(at("2025-01-15")), "2025-06-20", "2025-06-15/2025-07-15", id="meteroid-period-009"
        ),
        pytest.param(
            Cycle(at("2025-01-31T15:00")),
            "2025-08-13T20:00",
            "2025-07-31T15:00/2025-08-31T15:00",
            id="openmeter-period-001",
        ),
    ],
)
def test_an_instant_lies_in_the_period_that_the_other_system_finds(
    cycle: Cycle, moment: str, expected: str
) -> None:
    assert cycle.period_at(at(moment)) == span(expected)


@pytest.mark.parametrize(
    ("cycle", "moment", "expected"),
    [
        pytest.param(
            Cycle(at("2021-02-01")), "2022-03-01", "2022-02-01/2022-03-01", id="lago-period-001"
        ),
        pytest.param(
            Cycle(at("2020-02-29"), unit="year"),
            "2025-02-28",
            "2024-02-29/2025-02-28",
            id="lago-period-004",
        ),
    ],
)
def test_on_its_billing_day_the_other_system_bills_the_period_that_has_ended(
    cycle: Cycle, moment: str, expected: str
) -> None:
    assert cycle.period_before(at(moment)) == span(expected)


@pytest.mark.parametrize(
    ("cycle", "start", "expected"),
    [
        pytest.param(  # midnight of 31 December in Kolkata; then of 29 February
            Cycle(at("2023-12-30T18:30"), every=2, timezone="Asia/Kolkata"),
            "2023-12-31T05:07",
            "2024-02-28T18:30",
            id="flexprice-period-002",
        ),
        pytest.param(  # from a Wednesday to a Monday
            Cycle(at("2023-01-02T09:15:30"), unit="week"),
            "2024-03-06",
            "2024-03-11T09:15:30",
            id="flexprice-period-005",
        ),
        pytest.param(  # at midnight of the day of a boundary at noon
            Cycle(at("2024-01-14T12:00")),
            "2024-04-14",
            "2024-05-14T12:00",
            id="flexprice-period-008",
        ),
    ],
)
def test_a_period_that_starts_at_any_time_ends_where_the_other_system_ends_it(
    cycle: Cycle, start: str, expected: str
) -> None:
    """To this system, a start on the day of a boundary is on the boundary."""
    found = cycle.period_from(at(start), skip_same_day=True)
    assert found == Period(at(start), at(expected))


def test_a_period_ends_with_its_subscription_as_the_other_systems_does() -> None:
    """flexprice-period-011"""
    cycle, term = Cycle(at("2024-01-15")), span("2024-01-10/2024-01-12")
    assert cycle.period_from(term.start, skip_same_day=True).clipped(end=term.end) == term
    assert [*cycle.periods_between(term.start, term.end)] == [term]


def test_the_first_period_begins_with_its_subscription_as_the_other_systems_does() -> None:
    """meteroid-period-003"""
    cycle, first = Cycle.monthly(day=10), span("2024-01-01/2024-01-10")
    assert cycle.period_at(at("2024-01-05")).clipped(start=first.start) == first
    assert cycle.period_from(first.start) == first


@pytest.mark.parametrize(
    ("cycle", "start", "end", "expected"),
    [
        pytest.param(  # at midnight in New York, an hour earlier in UTC from 10 March on
            Cycle(at("2024-02-01T05:00"), timezone="America/New_York"),
            "2024-02-01T05:00",
            "2024-04-01T04:00",
            ["2024-02-01T05:00/2024-03-01T05:00", "2024-03-01T05:00/2024-04-01T04:00"],
            id="flexprice-period-014",
        ),
        pytest.param(
            Cycle(at("2025-01-31T15:00")),
            "2025-07-10T15:00",
            "2025-09-30T15:00",
            [
                "2025-07-10T15:00/2025-07-31T15:00",
                "2025-07-31T15:00/2025-08-31T15:00",
                "2025-08-31T15:00/2025-09-30T15:00",
            ],
            id="openmeter-period-004",
        ),
    ],
)
def test_a_subscription_is_divided_as_the_other_system_divides_it(
    cycle: Cycle, start: str, end: str, expected: list[str]
) -> None:
    assert [*cycle.periods_between(at(start), at(end))] == [span(text) for text in expected]


def test_the_periods_that_touch_a_range_begin_where_the_other_systems_buckets_do() -> None:
    """flexprice-period-020"""
    periods = Cycle(at("2026-01-31")).periods_from(at("2026-01-31"))
    starts = [period.start for period in islice(periods, 5)]
    days = ("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30")
    assert [start for start in starts if start < at("2026-05-01")] == [at(day) for day in days]


def test_a_new_billing_day_counts_from_the_end_of_the_period_as_in_the_other_system() -> None:
    """zuora-period-001: the 20th is changed to the 25th in the period that ends on 20 January."""
    term, old, new = span("2025-01-01/2025-04-01"), Cycle.monthly(day=20), Cycle.monthly(day=25)
    kept = old.period_at(at("2025-01-10")).end
    periods = [*old.periods_between(term.start, kept), *new.periods_between(kept, term.end)]
    ends = ("2025-01-20", "2025-01-25", "2025-02-25", "2025-03-25", "2025-04-01")
    assert [period.end for period in periods] == [at(day) for day in ends]


def test_a_window_that_ends_now_begins_where_the_other_systems_does() -> None:
    """meteroid-period-006"""
    assert Cycle(at("2025-06-15")).period(-1) == span("2025-05-15/2025-06-15")


def test_an_instants_day_is_the_one_of_its_timezone_as_in_the_other_system() -> None:
    """killbill-period-006"""
    moment, tokyo = at("2012-07-16T21:17:03"), ZoneInfo("Asia/Tokyo")
    today = Cycle.calendar("day", "Asia/Tokyo").period_at(moment)
    assert today.start.astimezone(tokyo).date().isoformat() == "2012-07-17"
    later = Cycle(moment, timezone="Asia/Tokyo").period(1)  # a month later, on the same day
    assert later.start.astimezone(tokyo).day == 17


@pytest.mark.parametrize(
    ("moment", "timezone", "months", "days", "elapsed", "expected"),
    [
        pytest.param(
            # A day of 23 hours is one of the five.
            "2026-03-05T05:00",
            "America/New_York",
            0,
            5,
            timedelta(0),
            "2026-03-10T04:00:00Z",
            id="flexprice-period-017",
        ),
        pytest.param(  # a year and two months, then ten days, then 5:30:45 hours
            "2024-01-15T10:30",
            "UTC",
            14,
            10,
            timedelta(hours=5, minutes=30, seconds=45),
            "2025-03-25T16:00:45Z",
            id="openmeter-period-007",
        ),
    ],
)
def test_months_and_days_later_is_when_the_other_system_says(
    moment: str, timezone: str, months: int, days: int, elapsed: timedelta, expected: str
) -> None:
    """The n-th period from an instant starts n months, or days, later by the calendar."""
    later = Cycle(at(moment), timezone=timezone).period(months).start
    later = Cycle(later, unit="day", timezone=timezone).period(days).start + elapsed
    assert format_instant(later) == expected
