"""Recipes and strategies of settlements, and of what goes from one period to the next.

settled_balance_recipes(), settlement_recipes()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement
from overages.testing.basics import metrics, orgs, period_recipes
from overages.testing.billing import quantity_maps, reordered, statement_recipes
from overages.testing.carrying import carrying_recipes
from overages.testing.grants import burndown_recipes
from overages.testing.recipe import Recipe, Spelled
from overages.usage.usage import Usage


@st.composite
def settled_balance_recipes(draw: st.DrawFn) -> Recipe[Balance]:
    """Return what some periods of an org left, in any order."""
    layers = carrying_recipes().map(lambda recipe: recipe.args[1])
    carried = draw(st.dictionaries(metrics, layers, max_size=2))
    org_id = draw(orgs)
    used, covered = draw(_counts(org_id)), draw(_counts(org_id))
    return Recipe(Balance, (reordered(carried), used, draw(_burndowns()), covered))


@st.composite
def _counts(draw: st.DrawFn, org_id: str) -> Spelled:
    """Return an org's usage of some periods, each once."""
    found = draw(st.lists(st.tuples(period_recipes(), quantity_maps), max_size=3))
    usages = {
        period.one(): Recipe(Usage, (org_id, period, reordered(quantities)))
        for period, quantities in found
    }
    return _in_any_order([*usages.values()])


@st.composite
def settlement_recipes(draw: st.DrawFn) -> Recipe[Settlement]:
    """Return what settling came to, of any numbers."""
    carryings = draw(st.dictionaries(metrics, carrying_recipes(), max_size=2))
    burndowns = draw(st.lists(burndown_recipes(), max_size=2))
    return Recipe(
        Settlement,
        (
            draw(statement_recipes),
            draw(settled_balance_recipes()),
            reordered(carryings),
            Spelled(burndowns, tuple(burndowns)),
        ),
    )


@st.composite
def _burndowns(draw: st.DrawFn) -> Spelled:
    """Return how grants of several units stand, each unit once."""
    found = {}
    for recipe in draw(st.lists(burndown_recipes(), max_size=3)):
        burndown = recipe.one()
        found[burndown.metric, burndown.currency] = recipe
    return _in_any_order([*found.values()])


def _in_any_order(recipes: Sequence[Recipe[Any]]) -> Spelled:
    return Spelled(recipes, recipes[::-1])


def balances() -> st.SearchStrategy[Balance]:
    """Return what some periods of an org left: units, usage of longer periods, and grants."""
    return settled_balance_recipes().map(Recipe.one)


def settlements() -> st.SearchStrategy[Settlement]:
    """Return what settling periods came to, of any numbers."""
    return settlement_recipes().map(Recipe.one)
