"""Recipes and strategies of what changes a price, and of the lines that it becomes.

discount = draw(discounts(st.just("USD")))
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from overages.amounts.money import Money
from overages.statements.adjustment import Adjustment
from overages.terms.commitment import Commitment
from overages.terms.discount import Discount
from overages.testing.basics import currencies as any_currency, metrics, minor_units, names
from overages.testing.numerals import UNIT, exact_amounts_of, non_negative_numbers, spelled
from overages.testing.recipe import Recipe, Spelled

percents: st.SearchStrategy[Spelled] = spelled(
    st.one_of(st.integers(0, 100).map(lambda n: n * UNIT), st.integers(0, 100 * UNIT))
)
factors: st.SearchStrategy[Spelled] = spelled(
    st.one_of(st.integers(10, 40).map(lambda n: n * UNIT // 10), st.integers(UNIT, 9 * UNIT))
)


def amount_recipes(
    unit: st.SearchStrategy[Any] = any_currency,
) -> st.SearchStrategy[Recipe[Money]]:
    """Return amounts of money, zero or more."""
    return st.builds(lambda minor, of: Recipe(Money, (abs(minor), of)), minor_units, unit)


def discount_recipes(
    unit: st.SearchStrategy[Any] = any_currency,
    free: st.SearchStrategy[Spelled] = non_negative_numbers,
) -> st.SearchStrategy[Recipe[Discount]]:
    """Return percentages, amounts and free units.

    :param free: how many units; none of the discounts are of units where there is nothing to draw.
    """
    ways = st.one_of(
        st.fixed_dictionaries({"percent": percents}),
        st.fixed_dictionaries({"amount": amount_recipes(unit)}),
        st.fixed_dictionaries({"quantity": free}),
    )
    return st.builds(lambda name, way: Recipe(Discount, (name,), way), _line_names, ways)


def commitment_recipes(
    unit: st.SearchStrategy[Any] = any_currency,
) -> st.SearchStrategy[Recipe[Commitment]]:
    """Return commitments to an amount or to a quantity."""
    rules = {"overage_factor": factors, "true_up": st.booleans()}
    ways = st.one_of(
        st.fixed_dictionaries({"amount": amount_recipes(unit), **rules}),
        st.fixed_dictionaries({"quantity": non_negative_numbers, **rules}),
    )
    return ways.map(lambda way: Recipe(Commitment, (), way))


@st.composite
def adjustment_recipes(
    draw: st.DrawFn, unit: st.SearchStrategy[Any] = any_currency
) -> Recipe[Adjustment]:
    """Return lines of every kind, of any numbers that one of its kind can have."""
    kind = draw(st.sampled_from(["discount", "commitment", "maximum", "minimum", "credit"]))
    sign = 1 if kind in ("commitment", "minimum") else -1
    currency, before = draw(unit), abs(draw(minor_units))
    minor = abs(draw(minor_units)) if sign == 1 else -draw(st.integers(0, before))
    cost = Recipe(Money, (minor, currency))
    exact = draw(exact_amounts_of(sign))
    if kind == "credit":  # what is drawn is money
        exact = Spelled(cost.one().amount, Fraction(cost.one().amount))
    numbers = Recipe(Money, (before, currency)), cost, exact
    named = {"metric": draw(st.none() | metrics), "name": draw(st.none() | _line_names)}
    return Recipe(Adjustment, (kind, *numbers), named)


def discounts(currencies: st.SearchStrategy[Any] = any_currency) -> st.SearchStrategy[Discount]:
    """Return percentages, amounts and free units.

    :param currencies: what amounts are in.
    """
    return discount_recipes(currencies).map(Recipe.one)


def commitments(
    currencies: st.SearchStrategy[Any] = any_currency,
) -> st.SearchStrategy[Commitment]:
    """Return commitments to an amount or to a quantity, with and without a true-up.

    :param currencies: what amounts are in.
    """
    return commitment_recipes(currencies).map(Recipe.one)


def adjustments(
    currencies: st.SearchStrategy[Any] = any_currency,
) -> st.SearchStrategy[Adjustment]:
    """Return lines of every kind that are no overages.

    :param currencies: what they are in.
    """
    return adjustment_recipes(currencies).map(Recipe.one)


_line_names = names.filter(lambda name: len(name.encode()) <= 200)  # a line's has its kind too
