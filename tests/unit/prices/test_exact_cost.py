"""Exact costs: added ones, and what a host's own price model does wrong."""

from fractions import Fraction
from typing import Any

import pytest

from overages import Allowance, Graduated, Package, Period, PerUnit, Plan, Tier, Usage, calculate
from overages.errors import FaultyPriceModel, InvalidValue
from overages.prices.exact_cost import added_cost, added_unit_price, checked_charge

TIERS = Graduated([Tier(100, "1.00"), Tier(None, "0.50", flat=3)], flat_at_zero=True)


class Model:
    """A host's own price model that does what it is told."""

    def __init__(self, does: Any) -> None:
        self.does = does

    def charge(self, _: Any, /) -> Any:
        if isinstance(self.does, Exception):
            raise self.does
        return self.does


@pytest.mark.parametrize(
    ("before", "quantity", "cost"),
    [
        (None, 60, 60),
        (90, 60, 38),  # 10 x 1.00 + 50 x 0.50 + 3
        (150, 10, 5),
        (0, 0, 0),
    ],
)
def test_an_added_cost_is_the_difference_of_two_running_ones(
    before: int | None, quantity: int, cost: int
) -> None:
    assert Fraction(*added_cost(TIERS, before, quantity)) == cost


@pytest.mark.parametrize(
    ("price", "before", "quantity", "each"),
    [
        (PerUnit(2), None, 5, "2"),
        (PerUnit(2), 3, 0, "2"),  # that of the next unit
        (TIERS, 20, 30, "1"),
        (TIERS, 90, 30, "None"),
        (Package(2, 10), None, 5, "None"),
        (Graduated([Tier(None, 1, flat=2)], flat_at_zero=True), None, 0, "None"),
    ],
)
def test_units_have_a_price_each_if_they_all_cost_the_same(
    price: Any, before: int | None, quantity: int, each: str
) -> None:
    assert str(added_unit_price(price, before, quantity)) == each


@pytest.mark.parametrize("answer", [None, 5, "5.00", (0, 1)])
def test_a_model_that_gives_no_charge_is_faulty(answer: Any) -> None:
    with pytest.raises(FaultyPriceModel, match=r"^price\.charge\(\): must return a Charge, got "):
        checked_charge(Model(answer), 5)


def test_a_model_that_fails_is_faulty_and_its_error_is_the_cause() -> None:
    error = ZeroDivisionError("division by zero")
    plan = Plan("own", "USD", {"calls": Allowance(0, Model(error))})
    with pytest.raises(
        FaultyPriceModel, match=r"(^|: )calls\.price\.charge\(\): must return a Ch"
    ) as caught:
        calculate(plan, Usage("org-1", Period.month(2024, 2), {"calls": 5}))
    assert caught.value.value is caught.value.__cause__ is error


def test_a_model_may_refuse_a_quantity() -> None:
    refused = InvalidValue("quantity", 5, "must be even")
    with pytest.raises(InvalidValue, match=r"^quantity: must be even, got 5$") as caught:
        checked_charge(Model(refused), 5)
    assert caught.value is refused
