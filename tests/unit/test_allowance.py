"""Allowances: what they refuse, which of them are plain, and how they are shown."""

from typing import Any

import pytest

from overages import Allowance, CarryOver, Commitment, Conversion, Cycle, Discount, Money, PerUnit
from overages.errors import InvalidValue

PRICE = PerUnit(1)
USD_1, USD_2 = Money(100, "USD"), Money(200, "USD")


@pytest.mark.parametrize(
    "rule",
    [
        {"conversion": Conversion(divide=2)},
        {"included_per": "seats"},
        {"discounts": [Discount("launch", percent=5)]},
        {"commitment": Commitment(USD_1)},
        {"maximum": Money(0, "USD")},
        {"minimum": Money(0, "USD")},
    ],
    ids=lambda rule: next(iter(rule)),
)
def test_a_rule_of_a_period_makes_it_more_than_plain(rule: dict[str, Any]) -> None:
    assert not Allowance(5, PRICE, **rule).plain
    assert not Allowance(5, PRICE, **rule).keeps


@pytest.mark.parametrize("rule", [{"carry_over": CarryOver()}, {"included_for": Cycle.monthly()}])
def test_a_rule_of_several_periods_leaves_one_as_it_is(rule: dict[str, Any]) -> None:
    allowance = Allowance(5, PRICE, **rule)
    assert (allowance.plain, allowance.keeps) == (True, True)


@pytest.mark.parametrize("included", [5, None])
def test_what_is_for_a_cycle_of_its_own_or_unlimited_is_not_carried(included: int | None) -> None:
    cycle = None if included is None else Cycle.monthly()
    problem = "must be None where units are for a cycle of their own, or unlimited"
    with pytest.raises(InvalidValue, match=f"^carry_over: {problem}, got CarryOver"):
        Allowance(included, PRICE, carry_over=CarryOver(), included_for=cycle)


def test_a_minimum_is_not_above_the_maximum() -> None:
    with pytest.raises(InvalidValue, match=r"^minimum: must not be above the maximum, 1\.00 USD"):
        Allowance(5, PRICE, maximum=USD_1, minimum=USD_2)
    assert Allowance(5, PRICE, maximum=USD_1, minimum=USD_1).minimum == USD_1


def test_its_repr_has_what_is_unusual() -> None:
    allowance = Allowance(
        5, PRICE, proration="seconds", increment_rounding="up", maximum=USD_1, increment=10
    )
    text = (
        "Allowance(included=5, price=PerUnit(price=1, per=1), proration='seconds', increment=10, "
        "increment_rounding='up', maximum=Money(100, 'USD'))"
    )
    assert repr(allowance) == text
    assert eval(text) == allowance


def test_its_amounts_of_money_are_those_of_its_rules() -> None:
    allowance = Allowance(
        5,
        PRICE,
        discounts=[Discount("a", amount=USD_1), Discount("b", percent=5)],
        commitment=Commitment(USD_2),
        minimum=USD_1,
    )
    assert allowance.money() == (USD_1, USD_2, USD_1)
