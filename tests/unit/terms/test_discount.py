"""Discounts: a percentage, an amount or free units."""

from decimal import Decimal
from typing import Any

import pytest

from overages import Allowance, Discount, Money, Period, PerUnit, Plan, Usage, calculate
from overages._ground.value import evolve
from overages.errors import InvalidType, InvalidValue, InvalidValues


def test_numbers_have_one_form() -> None:
    assert Discount("launch", percent="12.50") == Discount("launch", percent=Decimal("12.5"))
    assert Discount("welcome", quantity="5.0").quantity == 5


@pytest.mark.parametrize("percent", [0, 100])
def test_a_percentage_is_from_0_to_100(percent: int) -> None:
    assert Discount("launch", percent=percent).percent == percent
    with pytest.raises(InvalidValue, match=r"^percent: must be from 0 to 100"):
        Discount("launch", percent="100.01")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({}, "percent: must be given, or amount or quantity, got None"),
        ({"percent": 5, "quantity": 3}, "quantity: must be left out, as percent is given, got 3"),
        (
            {"percent": 0, "amount": Money(0, "USD")},
            "amount: must be left out, as percent is given, got Money(0, 'USD')",
        ),
    ],
)
def test_it_is_exactly_one_of_three(given: Any, fault: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Discount("launch", **given)
    assert str(caught.value) == fault


def test_all_faults_are_reported() -> None:
    with pytest.raises(InvalidValues) as caught:
        Discount("", percent=-1, amount=Money(-1, "USD"), quantity=-1)
    assert [str(error) for error in caught.value.errors] == [
        "name: must not be empty, got ''",
        "percent: must not be negative, got -1",
        "amount: must not be negative, got Money(-1, 'USD')",
        "quantity: must not be negative, got -1",
    ]


def test_a_way_that_is_refused_was_given_all_the_same() -> None:
    with pytest.raises(InvalidValues) as caught:
        Discount("a", percent=101, quantity=4)
    assert [str(error) for error in caught.value.errors] == [
        "percent: must be from 0 to 100, got 101",
        "quantity: must be left out, as percent is given, got 4",
    ]
    with pytest.raises(InvalidValue, match=r"^percent: must be from 0 to 100, got 101$"):
        Discount("a", percent=101)


def test_an_amount_is_money() -> None:
    with pytest.raises(InvalidType, match=r"^amount: must be of type Money, got 5"):
        Discount("voucher", amount=5)  # type: ignore[arg-type]


def test_a_name_is_short_enough_for_a_line_of_a_statement() -> None:
    assert Discount("x" * 242, percent=1)
    with pytest.raises(InvalidValue, match=r"^name: must have at most 255 bytes"):
        Discount("x" * 243, percent=1)


def test_it_can_be_changed() -> None:
    changed = evolve(Discount("launch", percent=10), percent=None, quantity=5)
    assert changed == Discount("launch", quantity=5)


@pytest.mark.parametrize(
    ("quantity", "expected"), [(35, 15), (20, 0), (5, 0), (Decimal("20.5"), Decimal("0.5"))]
)
def test_free_units_are_taken_off_and_never_more_than_there_are(
    quantity: Any, expected: Any
) -> None:
    discounts = [
        Discount("welcome", quantity=15),
        Discount("launch", percent=50),
        Discount("friend", quantity=5),
    ]
    plan = Plan("p", "USD", {"a": Allowance(0, PerUnit(1), discounts=discounts)})
    usage = Usage("org-1", Period.month(2024, 2), {"a": quantity})
    assert calculate(plan, usage)["a"].quantity == expected
