"""Terms in words: what a price model and other rules say, for who reads a plan.

price_terms(Graduated([Tier(10, price=2), Tier(None, price=1)]))
# ["graduated:", "up to 10: 2", "above 10: 1"]
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from overages.amounts.exact import number_from_ratio, plain_text
from overages.amounts.money import Money
from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.prices.tier import Tier


def price_terms(price: PriceModel) -> list[str]:
    """Return what a price model charges in major units, in a line, or several for a table.

    A model of a host's own is shown as its `repr`.

    >>> price_terms(Package("40.00", size=100)), price_terms(PerUnit(80, per=1_000_000))
    (['40 (packages of 100)'], ['80 per 1,000,000'])
    """
    match price:
        case PerUnit():
            return [Tier(None, price.price, per=price.per).explain()]
        case Package():
            return [Tier(None, price.price, size=price.size, count=price.count).explain()]
        case Percentage():
            return [f"{plain_text(price.percent)} %"]
        case Graduated() | Volume():
            return [f"{type(price).__name__.lower()}{_at_zero(price)}:", *_table(price)]
        case Exchanged():
            rate = Fraction(price.rate) / Fraction(price.per)
            exact = number_from_ratio(rate.numerator, rate.denominator)
            return [*price_terms(price.price), f"at a rate of {plain_text(exact)}"]
        case _:
            return [repr(price)]


def rule_terms(rules: Mapping[str, object]) -> str:
    """Return rules by name as text.

    >>> rule_terms({"base_fee": Money(4900, "USD"), "increment": 10})
    'base fee: 49.00 USD, increment: 10'
    """
    return ", ".join(
        f"{name.replace('_', ' ')}: {rule if isinstance(rule, (str, Money)) else repr(rule)}"
        for name, rule in rules.items()
    )


def _at_zero(price: Graduated | Volume) -> str:
    return ", first flat fee due at zero" if price.flat_at_zero else ""


def _table(price: Graduated | Volume) -> list[str]:
    lines = []
    above = ""
    for tier in price.tiers:
        bound = above if tier.up_to is None else f"up to {plain_text(tier.up_to)}: "
        lines.append(f"{bound}{tier.explain()}")
        above = "" if tier.up_to is None else f"above {plain_text(tier.up_to)}: "
    return lines
