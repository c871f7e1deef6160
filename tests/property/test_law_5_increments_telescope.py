"""Law 5: charging usage in any number of steps comes to the same as charging it at once.

"Steps come to the whole. [...] `charge_between` over any steps sums to the charge at once."
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given, strategies as st

from overages import charge_between

from . import oracle
from .recipes import Recipe, Spelled
from .strategies import price_recipes, quantities_at


@st.composite
def walks(draw: st.DrawFn) -> tuple[Recipe[Any], list[Spelled]]:
    """Return a price model and quantities, up and down, that are charged one after the other."""
    recipe = draw(price_recipes)
    return recipe, draw(st.lists(quantities_at(recipe.one()), min_size=1, max_size=6))


@given(walks())
def test_steps_from_zero_come_to_the_cost_of_all_beyond_that_of_nothing(
    walk: tuple[Recipe[Any], list[Spelled]],
) -> None:
    model, stops = walk[0].one(), [0, *(stop.first for stop in walk[1])]
    steps = [Fraction(charge_between(model, a, b)) for a, b in pairwise(stops)]
    at_once = Fraction(model.charge(stops[-1]).exact_cost) - Fraction(model.charge(0).exact_cost)
    assert sum(steps, Fraction()) == at_once
    assert Fraction(charge_between(model, 0, stops[-1])) == at_once


@given(walks())
def test_a_step_costs_what_the_oracle_says(walk: tuple[Recipe[Any], list[Spelled]]) -> None:
    model = walk[0].one()
    before, after = walk[1][0], walk[1][-1]
    expected = oracle.price_of(model, after.first) - oracle.price_of(model, before.first)
    assert Fraction(charge_between(model, before.first, after.first)) == expected
    assert Fraction(charge_between(model, before.second, after.second)) == expected


@given(walks())
def test_a_step_back_gives_back_what_the_step_there_cost(
    walk: tuple[Recipe[Any], list[Spelled]],
) -> None:
    model = walk[0].one()
    before, after = walk[1][0].first, walk[1][-1].first
    there, back = charge_between(model, before, after), charge_between(model, after, before)
    assert Fraction(there) == -Fraction(back)
    assert charge_between(model, before, before) == 0


@given(walks())
def test_a_first_step_from_nothing_charged_at_all_costs_what_the_quantity_costs(
    walk: tuple[Recipe[Any], list[Spelled]],
) -> None:
    model = walk[0].one()
    first, last = walk[1][0].first, walk[1][-1].first
    from_nothing = Fraction(charge_between(model, None, first))
    assert from_nothing == oracle.price_of(model, first)
    later = Fraction(charge_between(model, first, last))
    assert from_nothing + later == oracle.price_of(model, last)


@given(price_recipes, st.integers(0, 40), st.integers(0, 40))
def test_unit_by_unit_comes_to_the_same_as_at_once(
    recipe: Recipe[Any], first: int, count: int
) -> None:
    model = recipe.one()
    steps = [Fraction(charge_between(model, n, n + 1)) for n in range(first, first + count)]
    assert sum(steps, Fraction()) == charge_between(model, first, first + count)
