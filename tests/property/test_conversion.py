"""Conversions are exact, follow the definition, and never give fewer units for more use."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given, strategies as st

from overages import Conversion, PerUnit, charge_between
from overages.errors import InvalidValue
from overages.testing.strategies import values

from . import oracle
from .recipes import Recipe, Spelled, recipes
from .strategies import modest_numbers

conversion_recipes = recipes(values(Conversion))


def converted(recipe: Recipe[Conversion], used: Spelled) -> Fraction:
    """Return the units of a quantity, skipping what none is equal to."""
    try:
        units = recipe.one().convert(used.first)
    except InvalidValue:
        assume(False)
    assert recipe.other().convert(used.second) == units
    return Fraction(units)


@given(conversion_recipes, modest_numbers)
def test_law_1_units_are_what_the_definition_says(
    recipe: Recipe[Conversion], used: Spelled
) -> None:
    rule, units = recipe.one(), converted(recipe, used)
    minimum = Fraction(rule.minimum)
    exact = Fraction(used.first) * Fraction(rule.multiply) / Fraction(rule.divide)
    beyond = max(Fraction(), exact - minimum)
    if rule.increment is not None:
        step = Fraction(rule.increment)
        beyond = oracle.rounded(beyond / step, rule.rounding.value) * step
    assert units == (beyond + minimum if Fraction(used.first) else 0)


@given(conversion_recipes, modest_numbers, modest_numbers)
def test_more_use_never_converts_to_fewer_units(
    recipe: Recipe[Conversion], one: Spelled, other: Spelled
) -> None:
    less, more = sorted([one, other], key=lambda used: Fraction(used.first))
    assert converted(recipe, less) <= converted(recipe, more)


@given(conversion_recipes, st.lists(st.integers(0, 500), min_size=1, max_size=5))
def test_law_5_converted_totals_telescope(recipe: Recipe[Conversion], totals: list[int]) -> None:
    rule = recipe.one()
    assume(rule.increment is not None)
    try:
        units = [rule.convert(total) for total in [0, *totals]]
    except InvalidValue:
        assume(False)
    price = PerUnit("0.10")
    steps = [Fraction(charge_between(price, before, after)) for before, after in pairwise(units)]
    assert sum(steps, Fraction()) == charge_between(price, units[0], units[-1])
