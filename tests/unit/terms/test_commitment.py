"""Commitments: what is due when less, or more, is spent than was agreed to."""

from fractions import Fraction
from typing import Any

import pytest

from overages import Commitment, Graduated, Money, Tier
from overages._ground.value import evolve
from overages.errors import FaultyPriceModel, InvalidValue, InvalidValues

STEPS = Graduated([Tier(5, price="2"), Tier(None, price="1")])
USD_60 = Money(6000, "USD")


def test_an_amount_is_worth_itself_and_a_quantity_its_price() -> None:
    assert Commitment(USD_60).worth() == Commitment(USD_60).worth(STEPS) == 60
    assert Commitment(quantity=8).worth(STEPS) == 13


def test_a_quantity_needs_a_price() -> None:
    with pytest.raises(InvalidValue, match=r"^price: must be given for a commitment to a quantity"):
        Commitment(quantity=8).worth()


def test_a_price_model_of_a_hosts_gives_a_charge() -> None:
    class Free:
        def charge(self, quantity: Any, /) -> Any:
            return quantity * 0

    with pytest.raises(FaultyPriceModel, match=r"^price.charge\(\): must return a Charge, got 0"):
        Commitment(quantity=8).worth(Free())


@pytest.mark.parametrize(("spend", "shortfall"), [(40, 20), (60, 0), (70, 0)])
def test_the_rest_is_due(spend: int, shortfall: int) -> None:
    commitment = Commitment(USD_60)
    assert commitment.shortfall(Fraction(spend), Fraction(60)) == shortfall
    assert commitment.premium(Fraction(spend), Fraction(60)) == 0
    without = evolve(commitment, true_up=False)
    assert without.shortfall(Fraction(spend), Fraction(60)) == 0


@pytest.mark.parametrize(("spend", "premium"), [(40, 0), (60, 0), (70, 5)])
def test_what_lies_beyond_costs_more(spend: int, premium: int) -> None:
    commitment = Commitment(USD_60, overage_factor="1.5")
    assert commitment.premium(Fraction(spend), Fraction(60)) == premium


@pytest.mark.parametrize(
    ("agreed", "fault"),
    [
        ({}, "amount: must be given, or quantity, got None"),
        (
            {"amount": USD_60, "quantity": 0},
            "quantity: must be left out, as amount is given, got 0",
        ),
    ],
)
def test_it_is_to_an_amount_or_to_a_quantity(agreed: Any, fault: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Commitment(**agreed)
    assert str(caught.value) == fault


def test_all_faults_are_reported() -> None:
    with pytest.raises(InvalidValues) as caught:
        Commitment(-USD_60, quantity=-1, overage_factor="0.5", true_up=1)  # type: ignore[arg-type]
    assert [str(error) for error in caught.value.errors] == [
        "amount: must not be negative, got Money(-6000, 'USD')",
        "quantity: must not be negative, got -1",
        "overage_factor: must be 1 or more, got '0.5'",
        "true_up: must be True or False, got 1",
    ]
