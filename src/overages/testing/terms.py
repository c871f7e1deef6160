"""Recipes of the terms that plans and allowances may have beside quantities and prices.

named = draw(allowance_terms("USD", st.just("seats")))
Recipe(Allowance, (included, price), named)
"""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st

from overages.periods.proration import Proration
from overages.terms.conversion import Conversion
from overages.testing.adjustments import amount_recipes, commitment_recipes, discount_recipes
from overages.testing.basics import cycle_recipes, roundings
from overages.testing.carrying import carry_over_recipes
from overages.testing.numerals import (
    modest_numbers,
    positive_numbers,
    sizes,
    small_wholes,
)
from overages.testing.recipe import Recipe, Spelled

Terms: TypeAlias = dict[str, Any]
"""Keywords of a plan or an allowance: recipes, spellings, or values as they are."""

_prorations = st.sampled_from(Proration).map(lambda rule: Spelled(rule, rule.value))

# Coarse ones, so that most quantities can be converted; `conversion_recipes` gives all others.
_conversions = st.builds(
    lambda *args: Recipe(Conversion, args),
    st.sampled_from([1, 3, "0.5"]),
    st.sampled_from([1, 60, 1000, "0.25"]),
    st.none() | sizes,
    small_wholes,
    roundings,
)


@st.composite
def bounding_terms(draw: st.DrawFn, unit: Any, *, of_plan: bool = False) -> Terms:
    """Return discounts, a maximum, a minimum and a proration.

    :param unit: the currency of all amounts.
    :param of_plan: whether they are a plan's, which has no units that could be free.
    """
    currency = st.just(unit)
    offers = discount_recipes(currency, st.nothing() if of_plan else modest_numbers)
    found = draw(st.lists(offers, max_size=3, unique_by=lambda recipe: recipe.args[0]))
    amounts = [draw(amount_recipes(currency)) for _ in range(2)]
    least, most = sorted(amounts, key=lambda amount: amount.args[0])
    return {
        "discounts": Spelled(found, tuple(found)),
        "maximum": draw(st.sampled_from([None, most])),
        "minimum": draw(st.sampled_from([None, least])),
        "proration": draw(_prorations),
    }


@st.composite
def allowance_terms(
    draw: st.DrawFn,
    unit: Any,
    others: st.SearchStrategy[Any],
    *,
    converting: bool = True,
    unlimited: bool = False,
) -> Terms:
    """Return some of the terms of an allowance.

    :param unit: the currency of all amounts.
    :param others: the metrics whose units may bring the included quantity.
    :param converting: whether what is used may be converted.
    :param unlimited: whether nothing can be carried over, for nothing is left.
    """
    ways: dict[str, st.SearchStrategy[Any]] = {
        "conversion": _conversions if converting else st.none(),
        "included_per": others,
        "commitment": commitment_recipes(st.just(unit)),
        "increment": positive_numbers,
        "increment_rounding": roundings,
    }
    terms = {key: draw(way) for key, way in ways.items() if not draw(st.integers(0, 2))}
    if draw(st.booleans()):
        terms |= draw(bounding_terms(unit))
    keeping = draw(st.sampled_from([None, "included_for", "carry_over"]))
    if keeping == "included_for":
        terms["included_for"] = draw(cycle_recipes)
        terms.pop("included_per", None)
    elif keeping is not None and not unlimited:
        terms["carry_over"] = draw(carry_over_recipes)
    return terms
