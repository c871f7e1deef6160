"""Tiers, and what a quantity costs in each."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.told import told

from overages import Tier, TierCharge
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.prices.tier import Charge

FIRST = Tier(100, "0.10")
SECOND = Tier(None, "0.05")


def test_a_tier_has_its_numbers_in_their_one_form() -> None:
    tier = Tier("100.0", "0.10", Decimal("5.00"), per="1000")
    assert repr((tier.up_to, tier.price, tier.flat, tier.per)) == "(100, Decimal('0.1'), 5, 1000)"


def test_a_tier_is_free_and_counts_single_units_unless_told() -> None:
    tier = Tier(None)
    assert (tier.price, tier.flat, tier.per, tier.size, tier.count) == (0, 0, 1, None, "started")


def test_a_tier_with_many_faults_reports_them_all() -> None:
    bad: Any = {
        "up_to": "x",
        "price": 0.1,
        "flat": None,
        "per": "",
        "size": True,
        "count": "all",
        "maximum": "",
    }
    with pytest.raises(InvalidValues) as caught:
        Tier(**bad)
    assert told(caught.value) == (
        "7 problems:\n"
        "- up_to: must be a plain decimal number such as 12.5, got 'x'\n"
        "- price: must be an int, a Decimal or a decimal string, got 0.1\n"
        "- flat: must be an int, a Decimal or a decimal string, got None\n"
        "- per: must be a plain decimal number such as 12.5, got ''\n"
        "- size: must be an int, a Decimal or a decimal string, got True\n"
        "- count: must be one of started, completed, got 'all'\n"
        "- maximum: must be a plain decimal number such as 12.5, got ''"
    )


def test_a_tier_prices_units_or_packages_but_not_both() -> None:
    problem = "must be left at 1 where the tier has a size"
    with pytest.raises(InvalidValue, match=f"^per: {problem}, got 10$"):
        Tier(None, 1, per=10, size=100)
    assert Tier(None, 1, per="1.0", size=100).per == 1


@pytest.mark.parametrize(
    ("tier", "text"),
    [
        (Tier(100, "0.05"), "Tier(up_to=100, price=Decimal('0.05'))"),
        (Tier(None, 1, 5, per=60), "Tier(up_to=None, price=1, flat=5, per=60)"),
        (
            Tier(None, 1, size=10, count="completed"),
            "Tier(up_to=None, price=1, size=10, count='completed')",
        ),
        (Tier(None, 1, maximum="5.50"), "Tier(up_to=None, price=1, maximum=Decimal('5.5'))"),
    ],
)
def test_the_repr_of_a_tier_leaves_out_what_is_usual_and_makes_it_again(
    tier: Tier, text: str
) -> None:
    assert repr(tier) == text
    assert eval(text) == tier


def test_tiers_are_equal_by_value() -> None:
    assert len({Tier(10, "1.0"), Tier("10", 1), Tier(Decimal(10), Decimal("1.00"))}) == 1
    assert Tier(10, 1) != Tier(10, 1, per=2)


@pytest.mark.parametrize(
    ("tier", "quantity", "units"),
    [
        (Tier(None, 1), Decimal("2.5"), Fraction(5, 2)),
        (Tier(None, 1, per=1000), 2500, Fraction(5, 2)),
        (Tier(None, 1, per=3), 1, Fraction(1, 3)),
        (Tier(None, 1, size=1000), 0, Fraction(0)),
        (Tier(None, 1, size=1000), 1, Fraction(1)),
        (Tier(None, 1, size=1000), 1000, Fraction(1)),
        (Tier(None, 1, size=1000), Decimal("1000.1"), Fraction(2)),
        (Tier(None, 1, size=1000, count="completed"), 999, Fraction(0)),
        (Tier(None, 1, size=1000, count="completed"), 2999, Fraction(2)),
    ],
)
def test_the_price_is_due_for_each_unit_or_package(
    tier: Tier, quantity: Any, units: Fraction
) -> None:
    assert tier.exact_units(quantity) == units


@pytest.mark.parametrize(
    ("charge", "cost"),
    [
        (TierCharge(FIRST, 0), "Decimal('0')"),
        (TierCharge(FIRST, 50), "Decimal('5')"),
        (TierCharge(Tier(None, "0.05", flat=5), 50, above=100), "Decimal('7.5')"),
        (TierCharge(Tier(None, flat=5), 0), "Decimal('5')"),
        (TierCharge(Tier(None, "1.25", size=1000), 2500), "Decimal('3.75')"),
        (TierCharge(Tier(None, 1, per=3), 10), "Fraction(10, 3)"),
        (TierCharge(Tier(None, 2, maximum=7), 3), "Decimal('6')"),
        (TierCharge(Tier(None, 2, maximum=7), 4), "Decimal('7')"),
        (TierCharge(Tier(None, 2, flat=1, maximum=7), 4), "Decimal('7')"),
        (TierCharge(Tier(None, 2, maximum=0), 4), "Decimal('0')"),
        (TierCharge(Tier(None, 2), 4, exchange_rate=Decimal("0.5")), "Decimal('4')"),
        (TierCharge(Tier(None, 2, maximum=7), 4, exchange_rate=Fraction(1, 3)), "Fraction(7, 3)"),
    ],
)
def test_a_tier_costs_units_times_price_plus_flat(charge: TierCharge, cost: str) -> None:
    assert repr(charge.exact_cost) == cost


def test_a_tier_charge_keeps_what_it_would_cost_without_a_maximum() -> None:
    charge = TierCharge(Tier(None, 2, flat=1, maximum=7), 4, exchange_rate=Decimal("0.5"))
    assert (charge.exact_cost, charge.uncapped_cost) == (Decimal("3.5"), Decimal("4.5"))
    within = TierCharge(Tier(None, 2, maximum=7), 3)
    assert (within.exact_cost, within.uncapped_cost) == (Decimal(6), Decimal(6))


@pytest.mark.parametrize(
    ("charge", "text"),
    [
        (TierCharge(SECOND, 250_000), "250,000 x 0.05"),
        (TierCharge(FIRST, 50), "up to 100: 50 x 0.1"),
        (TierCharge(Tier(200, "0.05", 5), 50, above=100), "above 100: 50 x 0.05 + 5 flat"),
        (TierCharge(Tier(None, "1.25", per=1000), "0.5"), "0.5 x 1.25 per 1,000"),
        (TierCharge(Tier(None, 2, size=1000), 2500), "3 x 2 (packages of 1,000)"),
        (
            TierCharge(Tier(None, 2, size=1000, count="completed"), 2500, "1000.5"),
            "above 1,000.5: 2 x 2 (completed packages of 1,000)",
        ),
        (TierCharge(Tier(None, 2, 5, maximum=9), 50), "50 x 2 + 5 flat, at most 9"),
        (TierCharge(Tier(None, 2), 50, exchange_rate=Fraction(1, 3)), "50 x 2, at a rate of 1/3"),
    ],
)
def test_a_tier_charge_explains_itself_in_a_line(charge: TierCharge, text: str) -> None:
    assert charge.explain() == text


def test_a_tier_charge_with_many_faults_reports_them_all() -> None:
    bad: Any = {"tier": None, "quantity": -1, "above": 0.5, "exchange_rate": 0}
    with pytest.raises(InvalidValues) as caught:
        TierCharge(**bad)
    assert told(caught.value) == (
        "4 problems:\n"
        "- tier: must be of type Tier, got None\n"
        "- quantity: must not be negative, got -1\n"
        "- above: must be an int, a Decimal or a decimal string, got 0.5\n"
        "- exchange_rate: must be more than zero, got 0"
    )


def test_a_charge_is_the_sum_of_its_tiers() -> None:
    charge = Charge(iter([TierCharge(FIRST, 100), TierCharge(SECOND, 50, above=100)]))
    assert repr(charge.exact_cost) == "Decimal('12.5')"
    assert [tier.quantity for tier in charge.tiers] == [100, 50]


def test_a_charge_without_tiers_costs_nothing() -> None:
    assert repr(Charge([]).exact_cost) == "Decimal('0')"
    assert Charge([]).ratio == (0, 1)


def test_a_charge_may_come_to_no_finite_decimal() -> None:
    charge = Charge([TierCharge(Tier(None, 1, per=3), 1), TierCharge(Tier(None, 1, per=6), 1)])
    assert repr(charge.exact_cost) == "Decimal('0.5')"
    assert repr(Charge(charge.tiers[:1]).exact_cost) == "Fraction(1, 3)"


def test_a_charge_is_made_of_tier_charges_alone() -> None:
    parts: Any = [TierCharge(FIRST, 1), FIRST]
    with pytest.raises(InvalidType, match=r"^tiers\[1\]: must be of type TierCharge, got Tier\("):
        Charge(parts)


@pytest.mark.parametrize(
    ("tiers", "price"),
    [
        ([], "None"),
        ([TierCharge(FIRST, 5)], "Decimal('0.1')"),
        ([TierCharge(Tier(None, "0.10", per=60), 5)], "Fraction(1, 600)"),
        ([TierCharge(FIRST, 5), TierCharge(Tier(None, 1, per=10), 5)], "Decimal('0.1')"),
        ([TierCharge(FIRST, 5), TierCharge(SECOND, 5)], "None"),
        ([TierCharge(Tier(None, "0.10", flat=1), 5)], "None"),
        ([TierCharge(Tier(None, "0.10", size=10), 5)], "None"),
        ([TierCharge(Tier(None, "0.10", maximum=9), 5)], "None"),
        ([TierCharge(FIRST, 5, exchange_rate=Decimal(2))], "Decimal('0.2')"),
    ],
)
def test_a_unit_price_is_what_every_unit_costs_if_they_all_cost_the_same(
    tiers: list[TierCharge], price: str
) -> None:
    assert repr(Charge(tiers).unit_price) == price


def test_charges_are_equal_by_their_tiers() -> None:
    charge, same = Charge([TierCharge(FIRST, 5)]), Charge((TierCharge(Tier("100", "0.1"), "5"),))
    assert len({charge, same}) == 1
    assert charge != Charge([TierCharge(FIRST, 6)])
    assert charge != (TierCharge(FIRST, 5),)


def test_the_repr_of_a_charge_makes_it_again() -> None:
    charge = Charge([TierCharge(Tier(100, 2), 5)])
    text = "Charge([TierCharge(tier=Tier(up_to=100, price=2), quantity=5)])"
    assert repr(charge) == text
    assert eval(text) == charge


def test_the_repr_of_a_tier_charge_has_an_exchange_rate_other_than_1() -> None:
    charge = TierCharge(Tier(None, 2), 5, exchange_rate=Decimal("0.50"))
    text = "TierCharge(tier=Tier(up_to=None, price=2), quantity=5, exchange_rate=Decimal('0.5'))"
    assert repr(charge) == text
    assert eval(text) == charge


def test_a_fee_may_be_a_ratio_and_is_a_decimal_where_it_can_be() -> None:
    tier = Tier(None, 1, Fraction(10, 3), maximum=Fraction(9, 2))
    assert (tier.flat, tier.maximum) == (Fraction(10, 3), Decimal("4.5"))
    with pytest.raises(InvalidValue, match=r"^flat: must not be negative, got -1/3$"):
        Tier(None, 1, Fraction(-1, 3))
