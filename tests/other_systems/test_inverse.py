"""How many units other billing systems let a most amount of money buy, and this library too.

Each row is a numeric fact that another system's tests assert: its id names the system (CGRateS).
Amounts are in major currency units; those that it states in no currency are taken for US dollars.
"""

import pytest

from overages import Money, PerUnit, PriceModel, quantity_within


@pytest.mark.parametrize(
    ("price", "maximum", "quantity"),
    [
        # A call of 1,800 seconds that is cut off where its cost comes to the maximum.
        pytest.param(PerUnit("1"), "10", 10, id="cgrates-maximum-002"),
    ],
)
def test_the_most_money_buys_as_many_units(price: PriceModel, maximum: str, quantity: int) -> None:
    assert quantity_within(price, Money.of(maximum, "USD")) == quantity
