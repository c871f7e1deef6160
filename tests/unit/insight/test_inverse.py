"""The units that an amount of money buys, by every price."""

from dataclasses import dataclass
from typing import Any

import pytest

from overages import (
    Allowance,
    Commitment,
    Conversion,
    Discount,
    Exchanged,
    Graduated,
    Money,
    Package,
    Percentage,
    PerUnit,
    Tier,
    TransactionFee,
    Volume,
    quantities_within,
    quantity_within,
)
from overages.amounts.exact import Quantity
from overages.errors import CurrencyMismatch, FaultyPriceModel, InvalidType, InvalidValue
from overages.insight.inverse import QuantityRange
from overages.prices.tier import Charge, TierCharge


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


@dataclass(frozen=True)
class Doubling:
    """A host's own price: 1.00 at first, and twice as much at each power of two."""

    def charge(self, quantity: Quantity, /) -> Charge:
        price = 2 ** (int(quantity).bit_length() - 1) if quantity >= 1 else 0
        return Charge([TierCharge(Tier(None, flat=min(price, 10**20)), 1)] if price else [])


# fmt: off
CASES: list[tuple[Any, str, int | None]] = [
    (PerUnit("0.03"), "200", 6_666),
    (PerUnit("80", per=1_000), "200", 2_500),
    (PerUnit("0.004"), "0.00", 1),                   # 0.004 is 0.00; 0.008 is 0.01
    (PerUnit("7"), "6.99", 0),
    (PerUnit(0), "0", None),
    (Package("1.50", size=100), "4.50", 300),
    (Package("1.50", size=100, count="completed"), "4.50", 399),
    (Graduated([Tier(1_000, "0.10"), Tier(None, "0.05")]), "200", 3_000),
    (Graduated([Tier(1_000, "0.10"), Tier(None, "0.05", flat="5")]), "104", 1_000),
    (Graduated([Tier(1_000, "0.10"), Tier(None, "0.05", maximum="30")]), "129.99", 1_599),
    (Graduated([Tier(1_000, "0.10"), Tier(None, "0.05", maximum="30")]), "130", None),
    (Graduated([Tier(10, size=3, price="1"), Tier(None, "2")]), "7.99", 11),
    (Volume([Tier(100, "2.00"), Tier(None, "1.00")]), "150", 150),
    (Volume([Tier(100, "1.00"), Tier(None, "2.00")]), "150", 100),
    (Percentage("1.3"), "13", 1_000),
    (Exchanged(PerUnit(3), rate="0.01"), "200", 6_666),
    (Exchanged(Doubling(), rate="0.5"), "8", 31),
    (Doubling(), "4.99", 7),
    (TransactionFee("1.3", fixed=2), "15", 1_000),
    (TransactionFee("1.3", free_events=1), "0", None),
    (Allowance(500, PerUnit("0.03")), "200", 7_166),
    (Allowance(None, PerUnit("0.03")), "0", None),
    (Allowance(10, PerUnit(1), maximum=usd("5")), "5", None),
    (Allowance(10, PerUnit(1), minimum=usd("5")), "6", 16),
    (Allowance(10, PerUnit(1), discounts=[Discount("launch", percent=50)]), "6", 22),
    (Allowance(10, PerUnit(1), discounts=[Discount("launch", quantity=7)]), "6", 23),
    (Allowance(10, PerUnit(1), discounts=[Discount("launch", amount=usd("4"))]), "6", 20),
    (Allowance(0, PerUnit(1), commitment=Commitment(usd("5"), overage_factor=3)), "11", 7),
    (Allowance(2, PerUnit(1), conversion=Conversion(divide=1_000, increment=1)), "6", 8_000),
    (Allowance(2, PerUnit(1), conversion=Conversion(increment=6, minimum=60)), "64", 66),
    (Allowance(0, Graduated([Tier(3, "1"), Tier(None, "2")]), conversion=Conversion(minimum=5)),
     "9", 6),
    (Allowance(0, PerUnit(1), conversion=Conversion(multiply=10**12)), "10000000000000", 10),
]
# fmt: on


@pytest.mark.parametrize(("price", "money", "quantity"), CASES)
def test_money_buys_so_many_units(price: Any, money: str, quantity: int | None) -> None:
    assert quantity_within(price, usd(money)) == quantity


@pytest.mark.parametrize(
    ("rounding", "quantity"),
    [("half_up", 4), ("half_down", 5), ("half_even", 5), ("up", 0), ("down", 9), ("ceiling", 0)],
)
def test_the_rounding_of_the_charge_counts(rounding: Any, quantity: int) -> None:
    assert quantity_within(PerUnit("0.001"), usd("0"), rounding=rounding) == quantity


@pytest.mark.parametrize(("step", "quantity"), [(1, "66"), ("0.01", "66.66"), (10, "60")])
def test_a_quantity_is_a_multiple_of_the_step(step: Any, quantity: str) -> None:
    answer = quantity_within(PerUnit("3"), usd("200"), step=step)
    assert str(answer) == quantity


def test_a_currency_without_decimals_is_counted_in_its_own_unit() -> None:
    assert quantity_within(PerUnit("3"), Money(200, "JPY")) == 66


def test_a_volume_price_has_several_ranges() -> None:
    price = Volume([Tier(100, "2"), Tier(200, "1"), Tier(None, "0.1", flat="20")])
    ranges = quantities_within(price, usd("150"))
    assert ranges == (QuantityRange(0, 75), QuantityRange(101, 150), QuantityRange(201, 1_300))
    assert [str(each) for each in ranges] == ["0 to 75", "101 to 150", "201 to 1,300"]


def test_money_may_buy_all_but_a_few() -> None:
    price = Volume([Tier(100, "2"), Tier(None, 0)])
    ranges = quantities_within(price, usd("2"))
    assert ranges == (QuantityRange(0, 1), QuantityRange(101, None))
    assert quantity_within(price, usd("2")) is None


def test_a_fee_at_quantity_zero_that_is_too_much_is_said() -> None:
    price = Graduated([Tier(None, "1", flat="5")], flat_at_zero=True)
    assert quantities_within(price, usd("4.99")) == ()
    with pytest.raises(InvalidValue, match=r"^money: must be as much as some quantity costs, got "):
        quantity_within(price, usd("4.99"))
    assert quantity_within(price, usd("5")) == 0


@dataclass(frozen=True)
class Wrong:
    def charge(self, quantity: Quantity, /) -> Any:
        return quantity


def test_what_has_no_inverse_is_refused_by_name() -> None:
    price: Any = PerUnit(1)
    with pytest.raises(InvalidType, match=r"^price: must be a price model such as"):
        quantity_within(price.price, usd("1"))
    with pytest.raises(InvalidValue, match=r"^money: must not be negative"):
        quantity_within(price, usd("-1"))
    with pytest.raises(InvalidValue, match=r"^step: must be more than zero"):
        quantity_within(price, usd("1"), step=0)
    with pytest.raises(InvalidValue, match=r"^price\.included_per: must be None"):
        quantity_within(Allowance(100, price, included_per="seats"), usd("1"))
    with pytest.raises(CurrencyMismatch, match=r"^allowances\.units\.minimum: USD and EUR"):
        quantity_within(Allowance(100, price, minimum=Money(5, "EUR")), usd("1"))
    with pytest.raises(FaultyPriceModel):
        quantity_within(Wrong(), usd("1"))


def test_a_range_ends_where_it_begins_or_later() -> None:
    assert str(QuantityRange(7, 7)) == "7"
    assert str(QuantityRange("1000.5", None)) == "1,000.5 and more"
    with pytest.raises(InvalidValue, match=r"^last: must be at least the first, 7, got 6$"):
        QuantityRange(7, 6)
