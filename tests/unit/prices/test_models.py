"""Price models: their charges by hand, and what may be one."""

import pickle
from typing import Any

import pytest
from tests.told import told

from overages import (
    Exchanged,
    Graduated,
    Package,
    Percentage,
    PerUnit,
    PriceModel,
    Tier,
    TierCharge,
    Volume,
)
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.prices.models import TieredPrice, explain_price, parse_price_model
from overages.prices.tier import Charge

TIERS = [Tier(10, price=2), Tier(None, price=1, flat=5)]


class Free:
    """A host's own price model."""

    def charge(self, quantity: object, /) -> Charge:
        del quantity
        return Charge([])

    def __repr__(self) -> str:
        return "Free()"


@pytest.mark.parametrize(
    ("price", "quantity", "cost"),
    [
        (PerUnit("0.0001"), 250_000, "25"),
        (PerUnit("0.0001"), 1, "0.0001"),
        (PerUnit("1.25", per=1_000_000), 10, "0.0000125"),
        (PerUnit(1, per="0.5"), 10, "20"),
        (PerUnit(1, per=60), 90, "1.5"),
        (PerUnit(1, per=3), 10, "10/3"),
        (PerUnit(0), 10**26 - 1, "0"),
        (PerUnit("0.10"), "2.5", "0.25"),
        (Package("1.25", 1_000_000), 10, "1.25"),
        (Package("1.25", 1_000_000), 1_000_001, "2.5"),
        (Package("1.25", 1_000_000), 0, "0"),
        (Package("1.25", 1_000_000, count="completed"), 999_999, "0"),
        (Package("1.25", 1_000_000, count="completed"), 2_000_000, "2.5"),
        (Percentage("1.3"), 100, "1.3"),
        (Percentage("1.3"), "19.99", "0.25987"),
        (Percentage(150), 2, "3"),
        (Graduated(TIERS), 10, "20"),
        (Graduated(TIERS), 12, "27"),
        (Volume(TIERS), 10, "20"),
        (Volume(TIERS), 12, "17"),
    ],
)
def test_a_model_prices_a_quantity(price: TieredPrice, quantity: Any, cost: str) -> None:
    text = format(price.charge(quantity).exact_cost, "f") if "/" not in cost else None
    assert (text or str(price.charge(quantity).exact_cost)) == cost


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (PerUnit("0.10", per="60.0"), "PerUnit(price=Decimal('0.1'), per=60)"),
        (Package("2.00", 10), "Package(price=2, size=10)"),
        (Percentage("1.30"), "Percentage(percent=Decimal('1.3'))"),
        (Graduated([Tier(None, 1)]), "Graduated(tiers=(Tier(up_to=None, price=1),))"),
        (
            Volume([Tier(None, 1)], flat_at_zero=True),
            "Volume(tiers=(Tier(up_to=None, price=1),), flat_at_zero=True)",
        ),
    ],
)
def test_the_repr_of_a_model_shows_what_makes_it(price: TieredPrice, text: str) -> None:
    assert repr(price) == text


@pytest.mark.parametrize(
    ("price", "same", "other"),
    [
        (PerUnit("0.1"), PerUnit("0.10", per=1), PerUnit("0.1", per=2)),
        (Package(1, 10), Package("1.0", "10.0"), Package(1, 10, count="completed")),
        (Percentage(1), Percentage("1.0"), Percentage("1.1")),
        (Graduated(TIERS), Graduated(iter(TIERS)), Graduated(TIERS, flat_at_zero=True)),
        (Graduated(TIERS), Graduated(tuple(TIERS)), Volume(TIERS)),
        (Volume(TIERS), Volume(tuple(TIERS)), Volume(TIERS, flat_at_zero=True)),
    ],
)
def test_models_are_equal_by_kind_and_value(
    price: TieredPrice, same: TieredPrice, other: TieredPrice
) -> None:
    assert (price, hash(price)) == (same, hash(same))
    assert price != other


@pytest.mark.parametrize(
    "price",
    [PerUnit(1, per=3), Package(1, 10), Percentage(1), Graduated(TIERS), Volume(TIERS)],
    ids=lambda price: type(price).__name__,
)
def test_a_model_that_was_pickled_prices_the_same(price: TieredPrice) -> None:
    twin = pickle.loads(pickle.dumps(price))
    assert twin == price
    assert twin.charge("12.5") == price.charge("12.5")


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (PerUnit, ["0,10"], r"^price: must be a plain decimal number such as 12\.5, got '0,10'$"),
        (PerUnit, [0.1], r"^price: must be an int, a Decimal or a decimal string, got 0\.1$"),
        (PerUnit, [-1], "^price: must not be negative, got -1$"),
        (PerUnit, [1, 0], "^per: must be more than zero, got 0$"),
        (Package, [-1, 10], "^price: must not be negative, got -1$"),
        (Package, [1, 0], "^size: must be more than zero, got 0$"),
        (Percentage, [-1], "^percent: must not be negative, got -1$"),
        (Percentage, ["5%"], "^percent: must be a plain decimal number"),
        (Graduated, [[]], r"^tiers: must hold at least one tier, got \(\)$"),
        (Volume, [[Tier(10)]], r"^tiers\[0\]\.up_to: must be None, or what lies beyond"),
    ],
)
def test_a_model_refuses_bad_arguments(kind: Any, arguments: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=message):
        kind(*arguments)


def test_a_package_with_many_faults_reports_them_all() -> None:
    rule: Any = "all"
    with pytest.raises(InvalidValues) as caught:
        Package(-1, 0, count=rule)
    assert told(caught.value) == (
        "3 problems:\n"
        "- price: must not be negative, got -1\n"
        "- size: must be more than zero, got 0\n"
        "- count: must be one of started, completed, got 'all'"
    )


@pytest.mark.parametrize("kind", [Graduated, Volume])
def test_flat_at_zero_is_true_or_false(kind: Any) -> None:
    with pytest.raises(InvalidType, match=r"^flat_at_zero: must be True or False, got 1$"):
        kind(TIERS, flat_at_zero=1)


@pytest.mark.parametrize("kind", [Graduated, Volume])
def test_a_flat_fee_at_zero_is_due_where_it_is_said(kind: Any) -> None:
    tier = Tier(None, 1, flat=5)
    assert kind([tier]).charge(0) == Charge([])
    assert kind([tier], flat_at_zero=True).charge(0) == Charge([TierCharge(tier, 0)])


@pytest.mark.parametrize(
    ("price", "slope"),
    [
        (PerUnit("0.10", per=60), "1/600"),
        (Percentage("1.3"), "13/1000"),
        (Graduated([Tier(None, 2)]), "2"),
        (Graduated(TIERS), "None"),
        (Package(1, 10), "None"),
    ],
)
def test_a_model_has_a_slope_if_every_unit_costs_the_same(price: TieredPrice, slope: str) -> None:
    assert str(price.slope) == slope


@pytest.mark.parametrize("value", [PerUnit(1), Graduated(TIERS), Free()])
def test_a_price_model_is_any_object_that_charges(value: PriceModel) -> None:
    assert parse_price_model(value, "price") is value


@pytest.mark.parametrize("value", [PerUnit, Free, "0.10", 1, None, Tier(None, 1)])
def test_what_can_not_charge_is_no_price_model(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^price: must be a price model such as PerUnit\('1'\)"):
        parse_price_model(value, "price")


# In words


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (PerUnit("0.0001"), ["0.0001"]),
        (PerUnit(80, per=1_000_000), ["80 per 1,000,000"]),
        (Package("1.25", 1000), ["1.25 (packages of 1,000)"]),
        (Package(2, 10, count="completed"), ["2 (completed packages of 10)"]),
        (Percentage("1.3"), ["1.3 %"]),
        (Graduated([Tier(None, price=1)]), ["graduated:", "1"]),
        (
            Volume([Tier(10, flat=5), Tier(20, price=1, maximum=9), Tier(None)], flat_at_zero=True),
            [
                "volume, first flat fee due at zero:",
                "up to 10: 0 + 5 flat",
                "up to 20: 1, at most 9",
                "above 20: 0",
            ],
        ),
        (Exchanged(PerUnit(2), rate="0.5"), ["2", "at a rate of 0.5"]),
        (Exchanged(PerUnit(2), rate=1, per=3), ["2", "at a rate of 1/3"]),
        (Free(), ["Free()"]),
    ],
    ids=repr,
)
def test_a_price_says_what_it_charges(price: Any, expected: list[str]) -> None:
    assert explain_price(price).splitlines() == expected
