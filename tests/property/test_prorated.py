"""Prorated graduated prices agree with plain ones, and with a model that walks unit by unit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import Graduated, Tier, prorated_cost
from overages.testing.numerals import UNIT, flat_fees, maxima, pers, prices, small_wholes
from overages.testing.pricing import table_recipes
from overages.testing.recipe import Recipe, Spelled, cook

from . import oracle

shares = st.fractions(0, 1, max_denominator=31)
changes = st.lists(st.tuples(st.integers(-6, 9), shares), max_size=6)


@st.composite
def by_unit(draw: st.DrawFn) -> Graduated:
    """Return a graduated price without packages, whose bounds are whole."""
    table = draw(table_recipes(bounds=st.integers(1, 12).map(lambda n: n * UNIT)))
    tiers = []
    for row in table:
        named = {"per": draw(pers), "maximum": draw(st.none() | maxima)}
        tiers.append(Recipe(Tier, (row.args[0], draw(prices), draw(flat_fees)), named).one())
    return Graduated(tiers, flat_at_zero=draw(st.booleans()))


@given(by_unit(), st.lists(small_wholes, max_size=4))
def test_units_of_the_whole_period_cost_what_they_cost_together(
    price: Graduated, parts: list[Spelled]
) -> None:
    units = [cook(part) for part in parts]
    together = sum((Fraction(number) for number in units), Fraction())
    found = prorated_cost(price, [(number, number) for number in units])
    assert Fraction(found) == oracle.price_of(price, together)


@given(by_unit(), changes)
def test_it_is_what_counting_units_one_by_one_comes_to(
    price: Graduated, walk: list[tuple[int, Fraction]]
) -> None:
    events: list[Any] = [(units, units * share) for units, share in walk]
    assert Fraction(prorated_cost(price, events)) == oracle.prorated(price, walk)


@given(by_unit(), changes, st.integers(1, 9), shares)
def test_an_event_may_be_split_into_its_units(
    price: Graduated, walk: list[tuple[int, Fraction]], units: int, share: Fraction
) -> None:
    events: list[Any] = [(each, each * part) for each, part in walk]
    at_once = prorated_cost(price, [*events, (units, units * share)])
    assert prorated_cost(price, [*events, *[(1, share)] * units]) == at_once
