"""Prices and rules in words."""

from typing import Any

import pytest

from overages import Exchanged, Graduated, Money, Package, Percentage, PerUnit, Tier, Volume
from overages.prices.tier import Charge
from overages.terms.wording import price_terms, rule_terms


class Free:
    """A host's own price model."""

    def charge(self, quantity: object, /) -> Charge:
        del quantity
        return Charge([])

    def __repr__(self) -> str:
        return "Free()"


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
    assert price_terms(price) == expected


def test_rules_are_listed_by_name() -> None:
    assert rule_terms({}) == ""
    rules = {"included_per": "seats", "minimum": Money(100, "USD"), "increment": 10}
    assert rule_terms(rules) == "included per: seats, minimum: 1.00 USD, increment: 10"
