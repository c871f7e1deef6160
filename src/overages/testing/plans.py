"""Plans and their allowances: terms that can be agreed on together.

plans(currencies=st.just("USD"), plain=True)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from overages.amounts.money import Currency
from overages.terms.allowance import Allowance
from overages.terms.conversion import Conversion
from overages.terms.plan import Plan
from overages.testing import fields, quantities as numbers
from overages.testing.fields import BY_CLASS, Arguments, arguments, few, made, or_none, values
from overages.testing.prices import ANY_PRICE
from overages.testing.values import (
    amounts,
    but,
    commitments,
    discounts,
    in_order,
    priced_in,
    reduced,
)

Currencies = Strategy[Currency] | Strategy[str]
"""Currencies, or ISO 4217 codes."""


_included = or_none(numbers.quantities)
_LARGE: Final = 10**20  # with a few others it has a sum, and times a few units a product
_conversions = made(  # by which most quantities can be converted
    Conversion,
    multiply=st.sampled_from([1, 3, "0.5"]),
    divide=st.sampled_from([1, 60, 1000, "0.25"]),
    minimum=numbers.small,
)


_bounds: Final = {"maximum": amounts, "minimum": amounts}
_percentages = st.integers(100, 300) | st.sampled_from(["100.5", 10**20])
_rules = arguments(
    Allowance,
    included=None,
    price=None,
    conversion=_conversions,
    commitment=commitments,
    discounts=st.lists(discounts, max_size=3, unique_by=lambda offer: offer.name),
    hard_limit_percent=_percentages,
    **_bounds,
)
_terms = arguments(
    Plan,
    currency=None,
    allowances=None,
    base_fee=amounts,
    discounts=reduced,
    **_bounds,
)
_plain_terms = arguments(
    Plan,
    **dict.fromkeys(
        ("currency", "allowances", "base_fee", "discounts", "maximum", "minimum", "proration")
    ),
)


def agreeing(named: Arguments) -> Arguments:
    """Leave out rules of an allowance that others exclude, and keep its quantities summable."""
    named = in_order(named, "minimum", "maximum")
    if named.get("kind") == "level":
        named = but(named, "included_for", "carry_over")
    if named.get("included_for") is not None:
        named = but(named, "included_per", "carry_over")
    if named.get("kind") == "level":
        named = but(named, "included_for", "carry_over")
    named = limited(named)
    if named["included"] is None:
        return but(named, "carry_over")
    has_free_units = {offer.quantity for offer in named.get("discounts", ())} - {None}
    if has_free_units or named.get("included_per") is not None:
        return {**named, "included": min(named["included"], _LARGE)}
    return named


def limited(named: Arguments) -> Arguments:
    """Let a hard limit be one number, of a period, and not below the included quantity."""
    if named.get("included_for") is not None:
        return but(named, "hard_limit", "hard_limit_percent")
    if named.get("hard_limit") is not None or not named["included"]:
        named = but(named, "hard_limit_percent")
    if named.get("hard_limit") is not None and named["included"] is not None:
        return {**named, "hard_limit": max(named["hard_limit"], named["included"])}
    return named


def counted_by(named: Arguments, others: Sequence[str]) -> Arguments:
    """Let another metric of the plan bring the included units, or none if there is no other."""
    if named.get("included_per") is None:
        return named
    return {**named, "included_per": others[0]} if others else but(named, "included_per")


@st.composite
def _offers(draw: st.DrawFn, prices: Strategy[Any], *, plain: bool) -> Arguments:
    rules = {} if plain or not draw(st.booleans()) else draw(_rules)
    return agreeing({"included": draw(_included), "price": draw(prices), **rules})


@st.composite
def allowances(
    draw: st.DrawFn,
    prices: Strategy[Any] = ANY_PRICE,
    *,
    plain: bool = False,
    currencies: Currencies = fields.currencies,
) -> Allowance:
    """Return allowances, some of them unlimited, and some with every rule there is.

    :param prices: the price models.
    :param plain: whether they are to have no rules but an included quantity and a price, so that
        any plan can have them.
    :param currencies: the currencies of their amounts of money.
    """
    currency: Any = draw(currencies)
    return Allowance(**priced_in(draw(_offers(prices, plain=plain)), currency))


def plans(
    *,
    currencies: Currencies = fields.currencies,
    prices: Strategy[Any] = ANY_PRICE,
    metrics: Strategy[str] = fields.metrics,
    plain: bool = False,
) -> Strategy[Plan]:
    """Return plans of none to four metrics, by any rounding, some with every rule there is.

    :param currencies: their currencies.
    :param prices: the price models.
    :param metrics: the metrics to choose from.
    :param plain: whether they are to have no rules but included quantities and prices: no discount,
        minimum, carry-over or the like.
    """
    offers = st.tuples(metrics, _offers(prices, plain=plain))
    terms = _plain_terms if plain else _plain_terms | _plain_terms | _terms
    return st.builds(_agreed, few(offers, 4).map(dict), terms, currencies)


def _agreed(offers: dict[str, Arguments], terms: Arguments, currency: Currency | str) -> Plan:
    allowances = {}
    for metric, offer in offers.items():
        others = [other for other in offers if other != metric]
        allowances[metric] = Allowance(**priced_in(counted_by(offer, others), currency))
    bounded = priced_in(in_order(terms, "minimum", "maximum"), currency)
    return Plan(currency=currency, allowances=allowances, **bounded)


BY_CLASS[Allowance] = allowances()
BY_CLASS[Plan] = plans()
ANY_PLAN: Final[Strategy[Plan]] = values(Plan)
