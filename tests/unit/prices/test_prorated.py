"""Prorated prices: a share of bounds and fees for a flow, and of the charge for a level."""

from fractions import Fraction
from typing import Any

import pytest

from overages import Exchanged, Graduated, Package, PerUnit, Tier, Volume
from overages.prices.prorated import for_a_share_of_time, prorated

HALF = Fraction(1, 2)
TIERS = [Tier(10, price=2), Tier(11, price=3), Tier(None, price=1, flat=31, maximum=100)]


@pytest.mark.parametrize("model", [Graduated, Volume])
def test_a_flow_has_a_share_of_bounds_fees_and_maximums(model: Any) -> None:
    expected = [Tier(4, price=2), Tier(None, price=1, flat=11, maximum="35.483870967742")]
    shared: Any = prorated(
        model(TIERS), Fraction(11, 31), round
    )  # 11 of 31 of 10 and of 11 are both 4
    assert shared.tiers[0] == expected[0]
    assert (shared.tiers[1].up_to, shared.tiers[1].flat) == (None, 11)
    assert Fraction(shared.tiers[1].maximum) == Fraction(1100, 31)
    assert len(shared.tiers) == 2


def test_a_flow_in_another_currency_is_shared_out_before_it_is_exchanged() -> None:
    price = Exchanged(Graduated(TIERS), "1.10")
    assert prorated(price, HALF, round) == Exchanged(
        prorated(Graduated(TIERS), HALF, round), "1.10"
    )


@pytest.mark.parametrize("price", [PerUnit("0.10"), Package("1.25", 10)])
def test_units_and_packages_of_a_flow_cost_the_same_in_any_part(price: Any) -> None:
    assert prorated(price, HALF, round) is price


def test_no_part_of_a_period_has_no_tier_but_the_last() -> None:
    assert prorated(Graduated(TIERS), Fraction(0), round) == Graduated(
        [Tier(None, price=1, maximum=0)]
    )


@pytest.mark.parametrize(
    "price",
    [PerUnit(15), Graduated(TIERS), Volume(TIERS), Package(4, 2), Exchanged(PerUnit(15), 2)],
)
@pytest.mark.parametrize("share", [HALF, Fraction(11, 31), Fraction(0)])
def test_a_level_has_a_share_of_its_charge(price: Any, share: Fraction) -> None:
    for held in (0, 3, 12, 500):
        shared = for_a_share_of_time(price, share).charge(held)
        assert Fraction(shared.exact_cost) == Fraction(price.charge(held).exact_cost) * share
