"""Proration: shares worked out by hand, and what is refused."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from overages import Money, Period, Proration
from overages.errors import InvalidValue, InvalidValues

FEBRUARY = Period.month(2024, 2)


def between(start: str, end: str) -> Period:
    """Return the period between two times in UTC."""
    return Period(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))


def share(part: Period, whole: Period, rule: str = "days", zone: str = "UTC") -> Fraction:
    """Return the share by a rule's name."""
    return Proration(rule).share(part, whole, zone)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("days", Fraction(10, 29)),
        ("days_30_360", Fraction(11, 30)),
        ("seconds", Fraction(19, 58)),  # nine days and a half
        ("days_inclusive", Fraction(11, 30)),
        ("wall_clock_days", Fraction(10, 29)),
        ("full", Fraction(1)),
    ],
)
def test_each_rule_gives_the_rest_of_a_month_its_share(rule: str, expected: Fraction) -> None:
    rest = between("2024-02-20T12", "2024-03-01")
    assert share(rest, FEBRUARY, rule) == expected


def test_a_day_of_23_hours_is_a_day_by_days_and_less_by_seconds() -> None:
    day, days = between("2024-03-30T23", "2024-03-31T22"), between("2024-03-30T23", "2024-04-01T22")
    assert share(day, days, "days", "Europe/Paris") == Fraction(1, 2)
    assert share(day, days, "wall_clock_days", "Europe/Paris") == Fraction(1, 2)
    assert share(day, days, "seconds", "Europe/Paris") == Fraction(23, 47)


def test_seconds_are_exact_to_the_microsecond() -> None:
    instant = between("2024-02-29T23:59:59.999999", "2024-03-01")
    assert share(instant, FEBRUARY, "seconds") == Fraction(1, 29 * 86_400 * 10**6)


def test_a_part_is_never_longer_than_the_whole_where_clocks_show_an_hour_twice() -> None:
    whole = between("2024-10-27T00:30", "2024-10-28T01:30")  # from 2:30 to 2:30
    part = between("2024-10-27T01:15", "2024-10-28T01:30")  # from the second 2:15 on
    assert share(part, whole, "wall_clock_days", "Europe/Paris") == 1


@pytest.mark.parametrize("rule", ["full", "refused"])
def test_all_of_a_period_is_all_of_it_where_nothing_is_prorated(rule: str) -> None:
    assert share(FEBRUARY, FEBRUARY, rule) == 1


def test_a_part_is_refused_where_proration_is() -> None:
    part = between("2024-02-01", "2024-02-29")
    with pytest.raises(InvalidValue, match=r"^part: must be all of .*, as proration is refused, "):
        share(part, FEBRUARY, "refused")


@pytest.mark.parametrize("rule", ["days", "seconds", "days_inclusive", "full", "refused"])
@pytest.mark.parametrize(
    ("start", "end"), [("2024-01-31", "2024-02-10"), ("2024-02-20", "2024-03-02")]
)
def test_a_part_that_is_not_inside_the_whole_is_refused(rule: str, start: str, end: str) -> None:
    problem = "part: must lie within 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z, got Period"
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        share(between(start, end), FEBRUARY, rule)


@pytest.mark.parametrize(
    ("rule", "start", "end"),
    [("days", "2024-02-01T10", "2024-02-01T11"), ("days_30_360", "2024-01-30", "2024-01-31")],
)
def test_a_whole_without_a_day_to_count_is_refused(rule: str, start: str, end: str) -> None:
    whole = between(start, end)
    with pytest.raises(InvalidValue, match=f"^period: must have a day that {rule} counts, got "):
        share(whole, whole, rule)


def test_all_that_is_wrong_is_said_at_once() -> None:
    odd: Any = 5
    with pytest.raises(InvalidValues) as caught:
        Proration.DAYS.share(odd, odd, odd)
    found = [str(error).split(":")[0] for error in caught.value.errors]
    assert found == ["part", "period", "timezone"]


def test_a_part_beyond_the_calendar_is_named() -> None:
    late = between("9999-12-01", "9999-12-31T20")
    with pytest.raises(InvalidValue, match=r"^period: must be within the years 1 to 9999"):
        share(late, late, "days", "Asia/Tokyo")


def test_shares_of_a_period_are_weights_that_money_is_divided_by() -> None:
    parts = FEBRUARY.split(datetime(2024, 2, 20, tzinfo=UTC))
    shares = [share(part, FEBRUARY) for part in parts]
    assert shares == [Fraction(19, 29), Fraction(10, 29)]
    assert Money(1000, "USD").allocate(shares) == (Money(655, "USD"), Money(345, "USD"))
