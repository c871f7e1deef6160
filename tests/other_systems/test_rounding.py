"""How other billing systems round and split money, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (Autumn, CGRateS, FlexPrice, Lago, OpenMeter, Polar, Stripe). CGRateS calls ceiling, floor
and half up "up", "down" and "middle"; what others call half away from zero is our ``"half_up"``.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import pytest

from overages import (
    Allowance,
    Currency,
    Money,
    Percentage,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Rounding,
    Statement,
    Usage,
    calculate,
)
from overages.amounts.rounding import RoundingLike


def statement_of(
    price: PriceModel,
    used: Sequence[int | str],
    currency: str = "USD",
    rounding_scope: Literal["line", "total"] = "line",
) -> Statement:
    """Return the statement of a plan that prices some metrics alike and includes nothing."""
    quantities = {f"metric-{i}": quantity for i, quantity in enumerate(used)}
    allowances = {metric: Allowance(0, price) for metric in quantities}
    plan = Plan("plan", currency, allowances, rounding="half_up", rounding_scope=rounding_scope)
    return calculate(plan, Usage("org-123", Period.month(2024, 2), quantities))


@pytest.mark.parametrize(
    ("value", "increment", "rounding", "expected"),
    [
        pytest.param("90", 60, "ceiling", "120", id="cgrates-increment-002"),
        pytest.param("12.49", "0.1", "floor", "12.4", id="cgrates-rounding-003"),
        pytest.param("14.37", 10, "half_up", "10", id="cgrates-rounding-006"),
        pytest.param("10.275", "0.01", "half_up", "10.28", id="flexprice-rounding-001"),
        pytest.param("-10.124", "0.01", "half_up", "-10.12", id="flexprice-rounding-004"),
        pytest.param("1234.56", 1, "half_up", "1235", id="lago-rounding-001"),
        pytest.param("1.225", "0.01", "half_up", "1.23", id="openmeter-rounding-002"),
        pytest.param("1.221", "0.01", "up", "1.23", id="openmeter-rounding-005"),
        pytest.param("232.5", 1, "half_up", "233", id="polar-rounding-001"),
    ],
)
def test_a_number_is_rounded_as_the_other_system_rounds_it(
    value: str, increment: int | str, rounding: str, expected: str
) -> None:
    assert Rounding(rounding).round(value, increment) == Decimal(expected)


@pytest.mark.parametrize(
    ("amount", "currency", "rounding", "expected"),
    [
        pytest.param("1000.5", "JPY", "half_up", 1_001, id="autumn-rounding-002"),
        pytest.param("10.275", "USD", "half_up", 1_028, id="flexprice-rounding-001"),
        pytest.param("-10.124", "USD", "half_up", -1_012, id="flexprice-rounding-004"),
        # A price of 1,234.56 cents, carried by the event itself.
        pytest.param("12.3456", "USD", "half_up", 1_235, id="lago-rounding-001"),
        pytest.param("1.225", "USD", "half_up", 123, id="openmeter-rounding-002"),
        pytest.param("1.221", "USD", "up", 123, id="openmeter-rounding-005"),
        # Not rounded: yen have no smaller unit.
        pytest.param("500", "JPY", None, 500, id="stripe-currency-002"),
    ],
)
def test_an_amount_is_as_many_minor_units_as_in_the_other_system(
    amount: str, currency: str, rounding: RoundingLike | None, expected: int
) -> None:
    assert Money.of(amount, currency, rounding).minor == expected


def test_yen_have_no_decimals_as_in_stripe() -> None:
    """The exponent of stripe-currency-002."""
    assert Currency("JPY").exponent == 0


@pytest.mark.parametrize(
    ("price", "used", "expected"),
    [
        # The product is rounded, never the rate.
        pytest.param(PerUnit("0.003333"), 1_000, "3.33", id="flexprice-rounding-010"),
        pytest.param(Percentage("33.33"), "2.00", "0.67", id="polar-allocation-003"),
        pytest.param(PerUnit("1.00"), "1.994", "1.99", id="polar-per_unit-001"),
        # 10**-12 cents a unit, finer than a price can be here: 0.01 for 10**12 units.
        pytest.param(PerUnit("0.01", per=10**12), 10**12, "0.01", id="polar-per_unit-004"),
    ],
)
def test_an_exact_cost_is_rounded_once_as_the_other_system_charges_it(
    price: PriceModel, used: int | str, expected: str
) -> None:
    assert statement_of(price, [used]).total == Money.of(expected, "USD")


@pytest.mark.parametrize(
    ("price", "currency", "used", "lines", "total"),
    [
        pytest.param(
            PerUnit(1), "JPY", ["100.4", "200.5", "300.6"], ["100", "201", "301"], "602",
            id="flexprice-rounding-007",
        ),
        pytest.param(
            Percentage("33.33"), "USD", ["1.00", "1.00"], ["0.33", "0.33"], "0.66",
            id="polar-allocation-003",
        ),
    ],
)  # fmt: skip
def test_lines_that_are_rounded_one_by_one_come_to_the_other_systems_total(
    price: PriceModel, currency: str, used: list[str], lines: list[str], total: str
) -> None:
    statement = statement_of(price, used, currency)
    assert [line.cost for line in statement.lines] == [Money.of(cost, currency) for cost in lines]
    assert statement.total == Money.of(total, currency)


def test_a_total_that_is_rounded_once_comes_to_the_other_systems_total() -> None:
    """polar-allocation-003: a cent more than its lines come to when each is rounded, as above."""
    statement = statement_of(Percentage("33.33"), ["1.00", "1.00"], rounding_scope="total")
    assert statement.total == Money.of("0.67", "USD")


@pytest.mark.parametrize(
    ("amount", "currency", "weights", "expected"),
    [
        pytest.param(
            "0.05", Currency("USD"), ["1", "1", "1"], ["0.02", "0.02", "0.01"],
            id="openmeter-allocation-001",
        ),
        pytest.param(
            "0.0005", Currency("credits", exponent=4), ["1", "1"], ["0.0003", "0.0002"],
            id="openmeter-allocation-004",
        ),
        pytest.param(
            "5.00", Currency("USD"), ["10.00", "5.00"], ["3.33", "1.67"],
            id="openmeter-allocation-007",
        ),
    ],
)  # fmt: skip
def test_money_is_split_by_largest_remainder_and_ties_go_to_the_first(
    amount: str, currency: Currency, weights: list[str], expected: list[str]
) -> None:
    shares = Money.of(amount, currency).allocate(weights)
    assert [share.amount for share in shares] == [Decimal(share) for share in expected]
