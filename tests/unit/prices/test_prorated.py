"""Prorated prices: a share of bounds and fees for a flow, and of the charge for a level."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import Exchanged, Graduated, Package, PerUnit, Tier, Volume
from overages.prices.prorated import for_a_share_of_time, prorated

HALF = Fraction(1, 2)
TIERS = [Tier(10, price=2), Tier(11, price=3), Tier(None, price=1, flat=31, maximum=100)]


@pytest.mark.parametrize("model", [Graduated, Volume])
def test_a_flow_has_a_share_of_bounds_fees_and_maximums(model: Any) -> None:
    shared: Any = prorated(model(TIERS), Fraction(11, 31), round, 1)
    *bounded, last = shared.tiers
    # 11 of 31 of 10 and of 11 are both 4, and a tier has a unit at least.
    assert bounded == [Tier(4, price=2), Tier(5, price=3)]
    assert (last.up_to, last.flat) == (None, 11)
    assert Fraction(last.maximum) == Fraction(1100, 31)


@pytest.mark.parametrize("model", [Graduated, Volume])
def test_a_tier_of_less_than_an_increment_keeps_its_fee(model: Any) -> None:
    price = model([Tier(10, price=1, flat=310), Tier(None, price=2, flat=62)], flat_at_zero=True)
    shared: Any = prorated(price, Fraction(1, 31), round, 1)
    assert shared.tiers == (Tier(1, price=1, flat=10), Tier(None, price=2, flat=2))
    due = [shared.charge(used).exact_cost for used in (0, 1, 2)]
    assert due == ([10, 11, 15] if model is Graduated else [10, 11, 6])


def test_a_tier_is_no_wider_in_a_part_than_in_the_whole_for_its_increment() -> None:
    tiers = [Tier("0.5", price=1), Tier(3, price=2), Tier(900, price=3), Tier(None)]
    shared: Any = prorated(Graduated(tiers), Fraction(1, 31), lambda _: 0, 100)
    assert [tier.up_to for tier in shared.tiers] == [Decimal("0.5"), 3, 103, None]


def test_a_flow_in_another_currency_is_shared_out_before_it_is_exchanged() -> None:
    price = Exchanged(Graduated(TIERS), "1.10")
    assert prorated(price, HALF, round, 1) == Exchanged(
        prorated(Graduated(TIERS), HALF, round, 1), "1.10"
    )


@pytest.mark.parametrize("price", [PerUnit("0.10"), Package("1.25", 10)])
def test_units_and_packages_of_a_flow_cost_the_same_in_any_part(price: Any) -> None:
    assert prorated(price, HALF, round, 1) is price


def test_no_part_of_a_period_has_no_fees_and_the_least_tiers() -> None:
    assert prorated(Graduated(TIERS), Fraction(0), round, 1) == Graduated(
        [Tier(1, price=2), Tier(2, price=3), Tier(None, price=1, maximum=0)]
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
