"""Recipes of prices, and quantities near the points where prices turn.

recipe = draw(our_price_recipes)
quantity = draw(quantities_at(recipe.one()))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.prices.tier import Tier
from overages.testing.numerals import (
    ANY_WAY,
    MOST_PARTS,
    UNIT,
    Numeral,
    counts,
    flat_fees,
    in_parts,
    maxima,
    non_negative_numbers,
    pers,
    positive_numbers,
    positive_parts,
    prices,
    respelled,
    sizes,
)
from overages.testing.recipe import Recipe, Spelled

# Hypothesis checks a strategy before it first draws from it, which takes longer than to draw: what
# is drawn often is made once, not within the function that draws.
_flags = st.booleans()
_beside = st.sampled_from([-UNIT, -1, 0, 0, 1, UNIT, UNIT // 2])


def _draw_tier(draw: st.DrawFn, up_to: Any = None) -> Recipe[Tier]:
    """Return a lawful tier with a given bound."""
    named: dict[str, Any] = {}
    if draw(_flags):
        named = {"per": draw(pers)}
    elif draw(_flags):
        named = {"size": draw(sizes), "count": draw(counts)}
    if not draw(st.integers(0, 3)):
        named["maximum"] = draw(maxima)
    return Recipe(Tier, (up_to, draw(prices), draw(flat_fees)), named)


tier_recipes: Callable[..., st.SearchStrategy[Recipe[Tier]]] = st.composite(_draw_tier)


@st.composite
def table_recipes(
    draw: st.DrawFn, bounds: st.SearchStrategy[int] = positive_parts
) -> list[Recipe[Tier]]:
    """Return a lawful table of one to four tiers: bounds rise, the last tier has none."""
    rising = sorted(draw(st.lists(bounds, max_size=3, unique=True)))
    ups: list[Any] = [respelled(bound, draw(ANY_WAY)) for bound in rising]
    return [_draw_tier(draw, up_to) for up_to in [*ups, None]]


def tiered(
    make: Callable[..., Any], tables: st.SearchStrategy[list[Recipe[Tier]]] | None = None
) -> st.SearchStrategy[Recipe[Any]]:
    """Return prices of a class that takes a table of tiers."""
    return st.builds(
        lambda table, at_zero: Recipe(
            make, (Spelled(table, tuple(table)),), {"flat_at_zero": at_zero}
        ),
        table_recipes() if tables is None else tables,
        st.booleans(),
    )


per_unit_recipes: st.SearchStrategy[Recipe[PerUnit]] = st.builds(
    lambda price, per: Recipe(PerUnit, (price, per)), prices, pers
)
package_recipes: st.SearchStrategy[Recipe[Package]] = st.builds(
    lambda price, size, count: Recipe(Package, (price, size), {"count": count}),
    prices,
    sizes,
    counts,
)
percentage_recipes: st.SearchStrategy[Recipe[Percentage]] = st.builds(
    lambda percent: Recipe(Percentage, (percent,)), prices
)
graduated_recipes: st.SearchStrategy[Recipe[Any]] = tiered(Graduated)
volume_recipes: st.SearchStrategy[Recipe[Any]] = tiered(Volume)
_in_currency: st.SearchStrategy[Recipe[Any]] = st.one_of(
    per_unit_recipes, package_recipes, percentage_recipes, graduated_recipes, volume_recipes
)


@st.composite
def _exchanged(draw: st.DrawFn) -> Recipe[Exchanged]:  # composed, for a repr that isn't all of it
    return Recipe(Exchanged, (draw(_in_currency), draw(positive_numbers), draw(pers)))


exchanged_recipes: st.SearchStrategy[Recipe[Exchanged]] = _exchanged()
our_price_recipes: st.SearchStrategy[Recipe[Any]] = st.one_of(_in_currency, exchanged_recipes)


def turning_points(model: PriceModel) -> list[int]:
    """Return the parts at which the cost of a price model turns.

    They are bounds, ends of packages, and where a tier comes to its maximum.
    """
    if isinstance(model, Exchanged):
        return turning_points(model.price)
    tiers: Sequence[Any] = getattr(model, "tiers", ())
    bounds = [0, *(in_parts(tier.up_to) for tier in tiers if tier.up_to is not None)]
    sizes_in_use = [in_parts(each.size) for each in (model, *tiers) if getattr(each, "size", None)]
    caps = [
        above + units
        for tier, above in zip(tiers, bounds, strict=False)
        for units in _units_to_maximum(tier)
    ]
    return bounds + caps + [n * size for size in sizes_in_use for n in (1, 3)]


def _units_to_maximum(tier: Tier) -> list[int]:
    """Return how many parts cost a tier's maximum, if any do."""
    if tier.maximum is None or not tier.price:
        return []
    each = Fraction(tier.per if tier.size is None else tier.size) / Fraction(tier.price)
    return [max(0, int((Fraction(tier.maximum) - Fraction(tier.flat)) * each * UNIT))]


@st.composite
def quantities_at(draw: st.DrawFn, model: PriceModel, included: Numeral | None = 0) -> Spelled:
    """Return a quantity, as often as not at or beside a point where the cost turns."""
    if draw(_flags):
        return draw(non_negative_numbers)
    at = draw(st.sampled_from(turning_points(model))) + in_parts(included or 0)
    parts = min(MOST_PARTS, max(0, at + draw(_beside)))
    return respelled(parts, draw(ANY_WAY))


@st.composite
def priced_quantities(
    draw: st.DrawFn, models: st.SearchStrategy[Recipe[Any]] = our_price_recipes
) -> tuple[Recipe[Any], Spelled]:
    """Return a price model, and a quantity for it to price."""
    recipe = draw(models)
    return recipe, draw(quantities_at(recipe.one()))
