"""Proration: shares worked out by hand, and what is refused."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Money,
    Period,
    allocate,
    part_weights,
    period_share,
    prorate,
    prorate_exactly,
    prorate_parts,
)
from overages.errors import InvalidType, InvalidValue, InvalidValues

FEBRUARY = Period.month(2024, 2)
MARCH = Period.month(2024, 3)
QUARTER = [Period.month(2023, month) for month in (1, 2, 3)]


def between(start: str, end: str) -> Period:
    """Return the period between two times in UTC."""
    return Period(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))


@pytest.mark.parametrize(
    ("rule", "share"),
    [
        ("days", Fraction(10, 29)),
        ("days_30_360", Fraction(11, 30)),
        ("seconds", Fraction(19, 58)),  # nine days and a half
        ("days_inclusive", Fraction(11, 30)),
        ("wall_clock_days", Fraction(10, 29)),
        ("full", Fraction(1)),
    ],
)
def test_each_rule_gives_the_rest_of_a_month_its_share(rule: str, share: Fraction) -> None:
    rest = between("2024-02-20T12", "2024-03-01")
    assert period_share(rest, FEBRUARY, rule) == share


def test_days_are_the_rule_unless_another_is_named() -> None:
    assert period_share(between("2024-02-20T12", "2024-03-01"), FEBRUARY) == Fraction(10, 29)


def test_a_day_of_23_hours_is_a_day_by_days_and_less_by_seconds() -> None:
    day, days = between("2024-03-30T23", "2024-03-31T22"), between("2024-03-30T23", "2024-04-01T22")
    assert period_share(day, days, "days", "Europe/Paris") == Fraction(1, 2)
    assert period_share(day, days, "wall_clock_days", "Europe/Paris") == Fraction(1, 2)
    assert period_share(day, days, "seconds", "Europe/Paris") == Fraction(23, 47)


def test_seconds_are_exact_to_the_microsecond() -> None:
    instant = between("2024-02-29T23:59:59.999999", "2024-03-01")
    assert period_share(instant, FEBRUARY, "seconds") == Fraction(1, 29 * 86_400 * 10**6)


def test_a_part_is_never_longer_than_the_whole_where_clocks_show_an_hour_twice() -> None:
    whole = between("2024-10-27T00:30", "2024-10-28T01:30")  # from 2:30 to 2:30
    part = between("2024-10-27T01:15", "2024-10-28T01:30")  # from the second 2:15 on
    assert period_share(part, whole, "wall_clock_days", "Europe/Paris") == 1


@pytest.mark.parametrize("rule", ["full", "refused"])
def test_all_of_a_period_is_all_of_it_where_nothing_is_prorated(rule: str) -> None:
    assert period_share(FEBRUARY, FEBRUARY, rule) == 1


def test_a_part_is_refused_where_proration_is() -> None:
    part = between("2024-02-01", "2024-02-29")
    with pytest.raises(InvalidValue, match=r"^part: must be all of .*, as proration is refused, "):
        period_share(part, FEBRUARY, "refused")


@pytest.mark.parametrize("rule", ["days", "seconds", "days_inclusive", "full", "refused"])
@pytest.mark.parametrize(
    ("start", "end"), [("2024-01-31", "2024-02-10"), ("2024-02-20", "2024-03-02")]
)
def test_a_part_that_is_not_inside_the_whole_is_refused(rule: str, start: str, end: str) -> None:
    problem = "part: must lie within 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z, got Period"
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        period_share(between(start, end), FEBRUARY, rule)


@pytest.mark.parametrize(
    ("rule", "start", "end"),
    [
        ("days", "2024-02-01T10", "2024-02-01T11"),
        ("days_30_360", "2024-01-30", "2024-01-31"),
    ],
)
def test_a_whole_without_a_day_to_count_is_refused(rule: str, start: str, end: str) -> None:
    whole = between(start, end)
    with pytest.raises(InvalidValue, match=f"^whole: must have a day that {rule} counts, got "):
        period_share(whole, whole, rule)
    with pytest.raises(InvalidValue, match=f"^parts: must have a day that {rule} counts, got "):
        part_weights([whole], rule)


def test_all_that_is_wrong_is_said_at_once() -> None:
    odd: Any = 5
    with pytest.raises(InvalidValues) as caught:
        period_share(odd, odd, odd, odd)
    found = [str(error).split(":")[0] for error in caught.value.errors]
    assert found == ["part", "whole", "by", "timezone"]


@pytest.mark.parametrize(
    ("quantity", "share", "increment", "rounding", "form"),
    [
        (500_000, Fraction(10, 29), 1, "half_up", "172414"),
        (500_000, Fraction(10, 29), 1, "down", "172413"),
        (500_000, Fraction(10, 29), 1_000, "up", "173000"),
        ("0.5", "0.5", "0.1", "half_up", "Decimal('0.3')"),
        ("0.5", "0.5", "0.1", "half_even", "Decimal('0.2')"),
        (-5, Fraction(1, 2), 1, "half_up", "-3"),
        (7, 0, 1, "up", "0"),
        (7, 1, 5, "half_up", "5"),  # even a whole allowance is a multiple of the increment
    ],
)
def test_a_prorated_quantity_is_a_multiple_of_the_increment(
    quantity: Any, share: Any, increment: Any, rounding: str, form: str
) -> None:
    assert repr(prorate(quantity, share, increment, rounding)) == form


@pytest.mark.parametrize(
    ("amount", "share", "form"),
    [
        (Money.of("49.99", "USD"), Fraction(10, 29), "Fraction(4999, 290)"),
        (Money(100, "JPY"), "0.5", "Decimal('50')"),
        ("49.99", Fraction(1, 2), "Decimal('24.995')"),
        (Decimal("1E-12"), Fraction(1, 2), "Decimal('5E-13')"),
        (Decimal("5E-13"), Fraction(1, 2), "Decimal('2.5E-13')"),  # what came out goes in again
        (Fraction(1, 3), Fraction(1, 2), "Fraction(1, 6)"),
        (-3, 1, "Decimal('-3')"),
    ],
)
def test_a_prorated_amount_is_exact(amount: Any, share: Any, form: str) -> None:
    assert repr(prorate_exactly(amount, share)) == form


def test_a_prorated_amount_is_rounded_however_fine_it_is() -> None:
    exact = prorate_exactly("0.000000000001", Fraction(1, 2**20))
    assert Money.of(exact, "USD", "up") == Money(1, "USD")
    with pytest.raises(
        InvalidValue, match=r"^amount: must have at most 2 decimals in USD, or name"
    ):
        Money.of(exact, "USD")


@pytest.mark.parametrize("share", [Fraction(-1, 2), Fraction(31, 30), "1.1", -1, 2])
def test_a_share_is_from_0_to_1(share: Any) -> None:
    for call in (prorate, prorate_exactly):
        with pytest.raises(InvalidValue, match=r"^share: must be from 0 to 1, got "):
            call(5, share)


def test_a_float_is_refused() -> None:
    half: Any = 0.5
    for call in (prorate, prorate_exactly):
        with pytest.raises(InvalidType, match=r"^share: must be an int, a Decimal or a decimal st"):
            call(5, half)
    with pytest.raises(InvalidType, match=r"^quantity: must be an int, a Decimal or a decimal st"):
        prorate(half, 1)
    with pytest.raises(InvalidType, match=r"^amount: must be an int, a Decimal or a decimal str"):
        prorate_exactly(half, 1)


@pytest.mark.parametrize(
    ("quantity", "rule", "increment", "forms"),
    [
        (100, "days", 1, ["35", "31", "34"]),  # 34.44, 31.11, 34.44: the earlier gets the rest
        (-100, "days", 1, ["-35", "-31", "-34"]),
        (100, "seconds", 1, ["35", "31", "34"]),
        (100, "days_30_360", 1, ["34", "33", "33"]),
        (100, "days", 50, ["50", "0", "50"]),
        ("1", "days", "0.1", ["Decimal('0.4')", "Decimal('0.3')", "Decimal('0.3')"]),
        (0, "days", 1, ["0", "0", "0"]),
    ],
)
def test_the_parts_of_a_quantity_come_to_it(
    quantity: Any, rule: str, increment: Any, forms: list[str]
) -> None:
    parts = prorate_parts(quantity, QUARTER, rule, increment=increment)
    assert [repr(part) for part in parts] == forms


def test_weights_are_days_or_microseconds() -> None:
    assert part_weights(QUARTER) == (31, 28, 31)
    assert part_weights(QUARTER, "days_30_360") == (30, 30, 30)
    assert part_weights(iter(QUARTER), "seconds") == tuple(
        days * 86_400 * 10**6 for days in (31, 28, 31)
    )
    assert allocate(90, part_weights(QUARTER)) == (31, 28, 31)
    assert Money(90, "USD").allocate(part_weights(QUARTER))[1] == Money(28, "USD")


def test_days_of_parts_are_those_of_the_timezone() -> None:
    parts = [between("2024-02-01", "2024-02-01T23"), between("2024-02-01T23", "2024-02-03T22:59")]
    assert part_weights(parts) == (0, 2)
    assert part_weights(parts, timezone="Europe/Paris") == (1, 1)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "parts: must have a period at least, got"),
        (5, "parts: must be a list, or something else to iterate over, got 5"),
        ([FEBRUARY, 5], r"parts\[1\]: must be of type Period, got 5"),
        ([MARCH, FEBRUARY], r"parts\[1\]: must start where the one before it ends, 2024-04-01T"),
        ([FEBRUARY, MARCH, MARCH], r"parts\[2\]: must start where the one before it ends, 2024-04"),
    ],
)
def test_parts_that_are_no_partition_are_refused(parts: Any, message: str) -> None:
    with pytest.raises((InvalidValue, InvalidType), match=f"^{message}"):
        prorate_parts(100, parts)


@pytest.mark.parametrize("rule", ["days_inclusive", "wall_clock_days", "full", "refused"])
def test_a_rule_by_which_parts_do_not_sum_to_the_whole_divides_nothing(rule: str) -> None:
    with pytest.raises(
        InvalidValue, match=r"^by: must be one of days, days_30_360, seconds, got '"
    ):
        prorate_parts(100, QUARTER, rule)


def test_a_quantity_that_is_no_multiple_of_the_increment_is_not_divided() -> None:
    with pytest.raises(
        InvalidValue, match=r"^quantity: must be a multiple of the increment, 30, g"
    ):
        prorate_parts(100, QUARTER, increment=30)
    with pytest.raises(InvalidValue, match=r"^increment: must be more than zero, got 0$"):
        prorate_parts(100, QUARTER, increment=0)


def test_a_part_beyond_the_calendar_is_named() -> None:
    late = between("9999-12-01", "9999-12-31T20")
    with pytest.raises(InvalidValue, match=r"^parts\[0\]: must be within the years 1 to 9999"):
        part_weights([late], timezone="Asia/Tokyo")
    with pytest.raises(InvalidValue, match=r"^whole: must be within the years 1 to 9999"):
        period_share(late, late, timezone="Asia/Tokyo")
