"""How other billing systems prorate, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (FlexPrice, Kill Bill, Lago, Meteroid, OpenMeter, Polar, Silver). They name the rules in many
ways; what each is here stands in the row. Where a system counts a period without its last second,
the period ends a second earlier here; where it counts the instant that a period ends at, a
microsecond later.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from overages import (
    Allowance,
    Currency,
    Metric,
    Money,
    Period,
    PerUnit,
    Plan,
    Proration,
    Usage,
    UsageEvent,
    calculate,
    meter,
)
from overages.amounts.rounding import RoundingLike
from overages.periods.proration import ProrationLike, length

NINE_PLACES, EIGHT_PLACES = (Currency(f"credits-{n}", exponent=n) for n in (9, 8))


def between(start: str, end: str) -> Period:
    """Return the period between two times in UTC."""
    return Period(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))


def charge(
    amount: str,
    part: Period,
    whole: Period,
    by: ProrationLike,
    rounding: RoundingLike = "half_up",
    currency: str | Currency = "USD",
) -> Money:
    """Return what a minimum comes to that is due for part of a period, rounded once."""
    fee = Money.of(amount, currency)
    plan = Plan("p", currency, {}, minimum=fee, proration=by, rounding=rounding)
    return calculate(plan, Usage("org", part, {}), billing_period=whole).total


@pytest.mark.parametrize(
    ("amount", "part", "whole", "by", "rounding", "expected"),
    [
        pytest.param(
            "20.00", between("2026-04-01", "2026-04-30T23:59:59"),
            between("2026-04-01", "2026-04-30T23:59:59"), "seconds", "half_up", "20.00",
            id="flexprice-proration-005",
        ),
        # 20 days of 31.
        pytest.param(
            "249.95", between("2012-05-12", "2012-06-01"), Period.month(2012, 5), "days", "half_up",
            "161.26", id="killbill-proration-003",
        ),
        # 352 days of 366: a year with a 29 February.
        pytest.param(
            "5999.95", between("2015-03-15", "2016-03-01"), between("2015-03-01", "2016-03-01"),
            "days", "half_up", "5770.44", id="killbill-proration-006",
        ),
        # 22 days of 30.
        pytest.param(
            "19.95", between("2023-05-23", "2023-06-15"), between("2023-05-15", "2023-06-15"),
            "days_30_360", "half_up", "14.63", id="killbill-proration-009",
        ),
        # 5 days of 7.
        pytest.param(
            "1.00", between("2024-02-07", "2024-02-11"), between("2024-02-05", "2024-02-11"),
            "days_inclusive", "half_up", "0.71", id="lago-proration-004",
        ),
        pytest.param(
            "100.00", between("2026-01-01", "2026-01-11"), Period.month(2026, 1), "seconds",
            "half_up", "32.26", id="openmeter-proration-002",
        ),
        # The credit and the debit of a change; 22 days of 29.
        pytest.param(
            "100.00", between("2024-02-25", "2024-03-18"), between("2024-02-18", "2024-03-18"),
            "seconds", "half_even", "75.86", id="polar-proration-001-credit",
        ),
        pytest.param(
            "300.00", between("2024-02-25", "2024-03-18"), between("2024-02-18", "2024-03-18"),
            "seconds", "half_even", "227.59", id="polar-proration-001-debit",
        ),
        # The credit; the debit is the whole price of a cycle that starts anew.
        pytest.param(
            "1000.00", between("2025-08-13", "2026-06-01"), between("2025-06-01", "2026-06-01"),
            "seconds", "half_even", "800.00", id="polar-proration-004-credit",
        ),
        pytest.param(
            "100.00", between("2025-08-13", "2026-08-13"), between("2025-08-13", "2026-08-13"),
            "seconds", "half_even", "100.00", id="polar-proration-004-debit",
        ),
        # Five seats more at 15.00 for 20 days of 30.
        pytest.param(
            "75.00", between("2025-06-11", "2025-07-01"), Period.month(2025, 6), "days", "down",
            "50.00", id="polar-proration-007",
        ),
        # 343 days of 365.
        pytest.param(
            "200.00", between("2023-01-23", "2023-12-31"), between("2023-01-01", "2023-12-31"),
            "days_inclusive", "half_even", "187.95", id="silver-proration-003",
        ),
    ],
)  # fmt: skip
def test_part_of_a_period_costs_what_it_costs_in_the_other_system(
    amount: str,
    part: Period,
    whole: Period,
    by: ProrationLike,
    rounding: RoundingLike,
    expected: str,
) -> None:
    assert charge(amount, part, whole, by, rounding) == Money.of(expected, "USD")


@pytest.mark.parametrize(
    ("part", "whole", "by", "expected"),
    [
        pytest.param(
            between("2012-05-12", "2012-06-01"), Period.month(2012, 5), "days", Fraction(20, 31),
            id="killbill-proration-003",
        ),
        pytest.param(
            between("2015-03-15", "2016-03-01"), between("2015-03-01", "2016-03-01"), "days",
            Fraction(352, 366), id="killbill-proration-006",
        ),
        pytest.param(
            between("2023-05-23", "2023-06-15"), between("2023-05-15", "2023-06-15"), "days_30_360",
            Fraction(22, 30), id="killbill-proration-009",
        ),
        pytest.param(
            between("2025-04-15", "2026-04-01"), between("2025-04-01", "2026-04-01"), "days",
            Fraction(351, 365), id="meteroid-proration-008",
        ),
    ],
)  # fmt: skip
def test_a_share_is_the_other_systems_and_stays_exact(
    part: Period, whole: Period, by: ProrationLike, expected: Fraction
) -> None:
    assert Proration(by).share(part, whole) == expected


@pytest.mark.parametrize(
    ("part", "whole", "by", "currency", "expected"),
    [
        # Measured against the month that ends with it, not against February.
        pytest.param(
            between("2011-02-01", "2011-02-13"), between("2011-01-13", "2011-02-13"), "days",
            NINE_PLACES, "0.387096774", id="killbill-cycles-001",
        ),
        # Thirty seconds that are left don't come to nothing.
        pytest.param(
            between("2025-01-31T23:59:30", "2025-02-01"), Period.month(2025, 1), "seconds",
            EIGHT_PLACES, "0.0000112", id="flexprice-proration-011",
        ),
    ],
)  # fmt: skip
def test_a_unit_is_prorated_to_as_many_places_as_in_the_other_system(
    part: Period, whole: Period, by: ProrationLike, currency: Currency, expected: str
) -> None:
    assert charge("1", part, whole, by, currency=currency) == Money.of(expected, currency)
    increment = Decimal(f"1E-{currency.exponent}")
    allowance = Allowance(1, PerUnit(1), proration=by, increment=increment)
    plan = Plan("p", "USD", {"units": allowance})
    line = calculate(plan, Usage("org", part, {}), billing_period=whole)["units"]
    assert line.limit == Decimal(expected)


def test_a_change_credits_the_share_of_the_old_amount_and_charges_that_of_the_new() -> None:
    """flexprice-proration-002: 17 days of 31; each of the two is rounded on its own."""
    part, whole = (between(start, "2024-03-31") for start in ("2024-03-15", "2024-03-01"))
    back, due = (charge(amount, part, whole, "days_inclusive") for amount in ("50.00", "100.00"))
    assert (-back, due) == (Money.of("-27.42", "USD"), Money.of("54.84", "USD"))
    assert due - back == Money.of("27.42", "USD")


def test_a_credit_is_no_more_than_what_was_billed() -> None:
    """flexprice-proration-008: 13.33 of 20.00, of which 5.00 were billed."""
    whole, part = between("2026-04-01", "2026-04-30T23:59:59"), "2026-04-11"
    credit = charge("20.00", between(part, "2026-04-30T23:59:59"), whole, "seconds")
    assert -min(credit, Money.of("5.00", "USD")) == Money.of("-5.00", "USD")


def test_a_price_of_a_year_is_prorated_over_a_nominal_year() -> None:
    """meteroid-proration-005: 30 days of 365, whatever year it is."""
    part = between("2025-01-01", "2025-01-31")
    year = Period(part.start, part.start + timedelta(days=365))
    assert charge("3650.00", part, year, "days") == Money.of("300.00", "USD")


def test_units_that_came_late_count_for_the_days_they_were_there() -> None:
    """lago-proration-001: 5 units all month, twice 12 for 6 days of 31, rounded up at 5 places."""
    units = Metric("units", "time_weighted", reports="change", increment="0.00001")
    events = [
        UsageEvent("org", "units", quantity, datetime(2024, 1, day, tzinfo=UTC), id=f"{n}")
        for n, (quantity, day) in enumerate([(5, 1), (12, 26), (12, 26)])
    ]
    (usage,) = meter(events, metrics=[units])
    assert usage.quantities["units"] == Decimal("9.64517")


def test_what_is_longer_than_the_period_costs_no_more_than_it() -> None:
    """openmeter-proration-005: two months of service in a period of one."""
    service, period = between("2026-01-01", "2026-03-01"), Period.month(2026, 1)
    part = period.clipped(start=service.start, end=service.end)
    assert charge("100.00", part, period, "seconds") == Money.of("100.00", "USD")


def test_started_days_on_local_clocks_are_those_of_the_other_system() -> None:
    """lago-day_count-002: 31 days in Paris, whose clocks were set back on one of them."""
    start, last = datetime(2023, 9, 30, 23, 10, tzinfo=UTC), datetime(2023, 10, 31, 22, 59, 59)
    period = Period(start, last.replace(tzinfo=UTC) + timedelta(microseconds=1))
    paris = ZoneInfo("Europe/Paris")
    assert length(period, Proration.WALL_CLOCK_DAYS, paris, "period") == 31
