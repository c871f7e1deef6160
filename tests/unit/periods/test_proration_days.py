"""Day counts, by calendars that anyone can look at."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from overages import Period, Proration
from overages.errors import InvalidValue
from overages.periods.proration import length, parse_proration
from overages.periods.timezones import zone_of

RULES = [Proration.DAYS, Proration.DAYS_30_360, Proration.DAYS_INCLUSIVE, Proration.WALL_CLOCK_DAYS]


def between(start: str, end: str) -> Period:
    """Return the period between two times in UTC."""
    return Period(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))


def day_count(period: Period, rule: Proration = Proration.DAYS, zone: str = "UTC") -> int:
    """Return how many days of a timezone's calendar a rule counts in a period."""
    return length(period, rule, zone_of(zone), "period")


@pytest.mark.parametrize(
    ("start", "end", "days", "thirty", "inclusive", "wall"),
    [
        ("2023-02-01", "2023-03-01", 28, 30, 29, 28),
        ("2024-02-01", "2024-03-01", 29, 30, 30, 29),
        ("2024-01-01", "2024-02-01", 31, 30, 32, 31),
        ("2023-01-01", "2024-01-01", 365, 360, 366, 365),
        ("2024-01-01", "2025-01-01", 366, 360, 367, 366),
        ("2023-02-28", "2023-03-01", 1, 3, 2, 1),  # three days of 30 are left
        ("2024-01-30", "2024-01-31", 1, 0, 2, 1),  # the 31st is the 30th again
        ("2024-01-31", "2024-02-01", 1, 1, 2, 1),
        ("2024-01-31", "2024-03-31", 60, 60, 61, 60),
        ("2023-05-23", "2023-06-15", 23, 22, 24, 23),
        ("2024-01-05T10", "2024-01-05T11", 0, 0, 1, 1),  # no day ends in it
        ("2024-01-05T10", "2024-01-06T09", 1, 1, 2, 1),
        ("2024-01-05T10", "2024-01-06T10", 1, 1, 2, 1),
        ("2024-01-05T10", "2024-01-06T10:00:00.000001", 1, 1, 2, 2),
        ("2024-01-05T23:59:59.999999", "2024-01-06", 1, 1, 2, 1),
    ],
)
def test_each_rule_counts_days_by_the_table(
    start: str, end: str, days: int, thirty: int, inclusive: int, wall: int
) -> None:
    period = between(start, end)
    counts = [day_count(period, rule) for rule in RULES]
    assert counts == [days, thirty, inclusive, wall]


@pytest.mark.parametrize(
    ("start", "end", "zone", "days", "inclusive", "wall"),
    [
        # Paris: 31 March 2024 has 23 hours, 27 October 25.
        ("2024-03-30T23", "2024-03-31T22", "Europe/Paris", 1, 2, 1),
        ("2024-10-26T22", "2024-10-27T23", "Europe/Paris", 1, 2, 1),
        ("2024-10-26T22", "2024-10-27T23", "UTC", 1, 2, 2),
        # From 2:30 to 2:15, when clocks show the hour again: three quarters of an hour later.
        ("2024-10-27T00:30", "2024-10-27T01:15", "Europe/Paris", 0, 1, 1),
        # Midnight in Paris is in the old day of UTC.
        ("2024-01-31T23", "2024-02-29T23", "Europe/Paris", 29, 30, 29),
        # St. John's: at 0:01 on 1 November 2009 clocks went back to 23:01; the day stays over.
        ("2009-11-01T02:30", "2009-11-01T02:31", "America/St_Johns", 0, 1, 1),
        ("2009-11-01T02:29", "2009-11-01T02:45", "America/St_Johns", 1, 2, 1),
        ("2009-11-01T02:45", "2009-11-01T03:45", "America/St_Johns", 0, 1, 1),
        # Samoa skipped 30 December 2011; its date counts.
        ("2011-12-30T09", "2011-12-30T11", "Pacific/Apia", 2, 3, 2),
    ],
)
def test_days_are_those_of_the_timezone(
    start: str, end: str, zone: str, days: int, inclusive: int, wall: int
) -> None:
    period = between(start, end)
    counts = [day_count(period, rule, zone) for rule in RULES if rule is not Proration.DAYS_30_360]
    assert counts == [days, inclusive, wall]


def test_a_period_in_another_timezone_is_the_same_period() -> None:
    paris = Period.month(2024, 2, ZoneInfo("Europe/Paris"))
    assert day_count(paris, zone="Europe/Paris") == 29
    east = timezone(timedelta(hours=9))
    again = Period(paris.start.astimezone(east), paris.end.astimezone(east))
    assert day_count(again, zone="Europe/Paris") == 29


@pytest.mark.parametrize("value", [Proration.DAYS_30_360, "days_30_360"])
def test_a_rule_is_made_of_itself_or_its_name(value: Any) -> None:
    assert parse_proration(value, "by") is Proration.DAYS_30_360


@pytest.mark.parametrize("value", ["DAYS", "", None, 1, ["days"]])
def test_an_unknown_rule_is_refused(value: object) -> None:
    names = "days, days_30_360, seconds, days_inclusive, wall_clock_days, full, refused"
    with pytest.raises(InvalidValue, match=f"^by: must be one of {names}(, got | .did you mean)"):
        parse_proration(value, "by")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("start", "end", "zone"),
    [
        ("0001-01-01", "0001-02-01", "America/New_York"),  # which is in the year 0 there
        ("9999-12-01", "9999-12-31T20", "Asia/Tokyo"),
    ],
)
def test_days_beyond_the_calendar_are_refused(
    rule: Proration, start: str, end: str, zone: str
) -> None:
    with pytest.raises(InvalidValue, match=r"^period: must be within the years 1 to 9999 in the"):
        day_count(between(start, end), rule, zone)


def test_the_last_days_of_all_are_counted_in_utc() -> None:
    december = between("9999-12-01", "9999-12-31T20")
    assert [day_count(december, rule, "UTC") for rule in RULES] == [30, 29, 31, 31]
    part = between("9999-12-31", "9999-12-31T20")
    assert Proration.DAYS_INCLUSIVE.share(part, december) == Fraction(1, 31)
