"""Recipes and strategies of grants, and of what was drawn on them.

grants(), burndowns()
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from overages.amounts.exact import INTEGER_DIGITS, scaled
from overages.amounts.money import Money
from overages.grants.burndown import Burndown
from overages.grants.grant import Grant
from overages.grants.state import Draw, GrantState
from overages.testing.basics import (
    currencies,
    cycle_recipes,
    elsewhere,
    instants,
    metrics,
    moments,
    names,
    offsets,
)
from overages.testing.numerals import (
    UNIT,
    non_negative_numbers,
    positive_numbers,
    small_wholes,
    written,
)
from overages.testing.recipe import Recipe, Spelled

_numbers = non_negative_numbers | small_wholes
_money = st.builds(
    lambda minor, unit: Recipe(Money, (minor, unit)),
    st.integers(0, 10**INTEGER_DIGITS - 1) | st.integers(0, 5000),
    currencies,
)
_parts = st.integers(0, 40).map(lambda n: n * UNIT) | st.integers(0, 10**40)
_ways = st.sampled_from([(1, 2), (2, 1), (1, 7)])  # which are no strings: sums take none


@st.composite
def grant_recipes(draw: st.DrawFn) -> Recipe[Grant]:
    """Return grants of units and of money, for some time or for ever."""
    first, last = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    amount, metric = draw(st.tuples(_numbers, metrics) | st.tuples(_money, st.none() | metrics))
    named = {
        "metric": metric,
        "priority": draw(st.integers(0, 3) | st.integers(0, 2**63 - 1)),
        "effective_at": elsewhere(first, draw(offsets)),
        "expires_at": draw(st.none() | st.just(elsewhere(last, draw(offsets)))),
        "voided_at": draw(st.none() | instants),
        "recurrence": draw(st.none() | cycle_recipes),
        "rollover_max": draw(st.none() | _numbers),
        "refill_keeps": draw(st.none() | _numbers),
        "step": draw(st.none() | positive_numbers),
        "created_at": draw(st.none() | instants),
    }
    least = named["rollover_max"] or draw(_numbers)  # at most the maximum, if there is one
    return Recipe(Grant, (draw(names), amount), {**named, "rollover_min": least})


@st.composite
def draw_recipes(draw: st.DrawFn, ids: st.SearchStrategy[str] = names) -> Recipe[Draw]:
    """Return draws that cover what was drawn, or less."""
    covered, more = draw(_parts) or 1, draw(st.just(0) | _parts)
    one, other = draw(_ways)
    numbers = [Spelled(written(p, one), written(p, other)) for p in (covered + more, covered)]
    return Recipe(Draw, (draw(ids), draw(instants), *numbers))


@st.composite
def balance_recipes(
    draw: st.DrawFn, ids: st.SearchStrategy[str] = names, drawn: int | None = None
) -> Recipe[GrantState]:
    """Return what became of grants.

    :param drawn: parts of units that were drawn at least.
    """
    gone = [draw(_parts) + (drawn or 0), draw(_parts), draw(_parts)]
    one, other = draw(_ways)
    parts = [sum(gone) + draw(_parts), *gone]
    numbers = [Spelled(written(p, one), written(p, other)) for p in parts]
    return Recipe(GrantState, (draw(ids), *numbers), {"filled_at": draw(instants)})


@st.composite
def burndown_recipes(draw: st.DrawFn) -> Recipe[Burndown]:
    """Return how grants of one unit stand, with draws on some of them."""
    ids = draw(st.lists(names, max_size=3, unique=True))
    found = draw(st.lists(draw_recipes(st.sampled_from(ids)), max_size=4)) if ids else []
    found.sort(key=lambda recipe: recipe.one().at)
    accounts = []
    for one in ids:
        drawn = sum(scaled(d.quantity) for d in map(Recipe.one, found) if d.grant_id == one)
        accounts.append(draw(balance_recipes(st.just(one), drawn)))
    at = max([draw(moments), *(recipe.one().at for recipe in found)])
    metric, unit = draw(st.tuples(st.none() | metrics, currencies) | st.tuples(metrics, st.none()))
    way, another = draw(_ways)
    totals = [Spelled(written(p, way), written(p, another)) for p in draw(st.tuples(*[_parts] * 3))]
    accounts_given = Spelled(accounts, accounts[::-1])
    args: tuple[Any, ...] = (elsewhere(at, draw(offsets)), metric, unit, accounts_given, *totals)
    return Recipe(Burndown, (*args, found))


def grants() -> st.SearchStrategy[Grant]:
    """Return grants of units or of money, effective for a time or for ever, some of them voided."""
    return grant_recipes().map(Recipe.one)


def draws() -> st.SearchStrategy[Draw]:
    """Return draws on grants, some of them in steps."""
    return draw_recipes().map(Recipe.one)


def grant_balances() -> st.SearchStrategy[GrantState]:
    """Return what became of grants: drawn, expired, voided, and left."""
    return balance_recipes().map(Recipe.one)


def burndowns() -> st.SearchStrategy[Burndown]:
    """Return how up to three grants of one unit stand, with draws on some of them."""
    return burndown_recipes().map(Recipe.one)
