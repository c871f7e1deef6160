"""Recipes and strategies of allowances that are carried over.

carry_over_recipes, carried_recipes, carrying_recipes
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from overages.amounts.exact import LIMIT
from overages.periods.period import Period
from overages.settlements.carry_over_result import CarryOverResult
from overages.terms.carry_over import CarriedUnits, CarryOver
from overages.testing.basics import period_recipes, roundings
from overages.testing.numerals import (
    UNIT,
    exact_amounts,
    modest_numbers,
    non_negative_numbers,
    positive_numbers,
    positive_parts,
    small_wholes,
    spelled,
)
from overages.testing.recipe import Recipe, Spelled

_shares = st.one_of(
    spelled(st.sampled_from([0, 10**11, 5 * 10**11, 10**12, 2 * 10**12])),
    exact_amounts.filter(lambda share: 0 <= share.first < LIMIT),
)
_numbers_of_periods = st.none() | st.integers(1, 4) | st.integers(1, 1_000_000)

carry_over_recipes: st.SearchStrategy[Recipe[CarryOver]] = st.builds(
    lambda args, named: Recipe(CarryOver, args, named),
    st.tuples(
        st.none() | non_negative_numbers | small_wholes,
        st.none() | _shares,
        _numbers_of_periods,
        st.sampled_from(["oldest_first", "included_first"]),
        st.sampled_from(["charged", "carried"]),
    ),
    st.fixed_dictionaries({"increment": positive_numbers, "rounding": roundings}),
)

_few = spelled(st.integers(1, 40).map(lambda n: n * UNIT))
_unused = st.tuples(positive_numbers | _few, _numbers_of_periods)
_owed = st.tuples(spelled(positive_parts.map(lambda parts: -parts)), st.none())


def _layer(period: Any, said: tuple[Spelled, int | None]) -> Recipe[CarriedUnits]:
    quantity, left = said
    return Recipe(CarriedUnits, (quantity, period, left))


carried_recipes: st.SearchStrategy[Recipe[CarriedUnits]] = st.builds(
    _layer, period_recipes(), _unused | _owed
)


@st.composite
def carrying_recipes(draw: st.DrawFn) -> Recipe[CarryOverResult]:
    """Return what allowances came to, where none to four periods before have left something."""
    first = draw(st.integers(12, 9998 * 12 - 9))
    found = sorted(draw(st.lists(st.integers(0, 6), max_size=4, unique=True)))
    layers = [draw(st.builds(_layer, st.just(_month(first + n)), _unused | _owed)) for n in found]
    return Recipe(
        CarryOverResult,
        (
            draw(carry_over_recipes),
            Spelled(layers, tuple(layers)),
            draw(modest_numbers | non_negative_numbers),
            draw(modest_numbers | non_negative_numbers),
            _month(first + draw(st.integers(7, 8))),
        ),
    )


def _month(number: int) -> Recipe[Period]:
    return Recipe(Period.month, (number // 12, number % 12 + 1))


def carry_overs() -> st.SearchStrategy[CarryOver]:
    """Return rules of carry-over, with any cap, expiry and order."""
    return carry_over_recipes.map(Recipe.one)


def carried() -> st.SearchStrategy[CarriedUnits]:
    """Return what single periods leave to later ones: unused units, and units used beforehand."""
    return carried_recipes.map(Recipe.one)


def carryings() -> st.SearchStrategy[CarryOverResult]:
    """Return what allowances came to in a period, with what up to four earlier ones left."""
    return carrying_recipes().map(Recipe.one)
