"""Law 6: values are compared, ordered and added lawfully, and leave strangers to the stranger.

"Values are immutable, hashable and lawful. `==` implies equal hash; `repr` can be read; equal
values serialise to equal bytes."
"""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

import overages
from overages import Money, Period, Statement
from overages.prices.tier import Charge
from overages.testing.fields import minor_units, periods

from .effort import few
from .recipes import Recipe
from .strategies import (
    VALUE_RECIPES,
    each_value,
    moments,
    money_recipes,
    own_currencies,
    statement_recipes,
    summary_recipes,
)


class Stranger:
    """Something that knows what to do with our values, though they don't know it."""

    def __radd__(self, other: object) -> str:
        return "added"

    def __rsub__(self, other: object) -> str:
        return "subtracted"

    def __lt__(self, other: object) -> bool:
        return True

    __le__ = __gt__ = __ge__ = __lt__

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


COMPARISONS: list[Callable[[Any, Any], Any]] = [operator.lt, operator.le, operator.gt, operator.ge]
strangers = st.sampled_from([None, 0, 5, "5", Decimal(5), (5, "USD"), object(), Stranger()])


@each_value()
@few
@given(data=st.data(), stranger=strangers)
def test_equality_leaves_it_to_a_stranger(
    kind: type, data: st.DataObject, stranger: object
) -> None:
    value = data.draw(VALUE_RECIPES[kind]).one()
    assert value.__eq__(stranger) is NotImplemented
    assert value.__ne__(stranger) is NotImplemented
    assert (value == stranger) == isinstance(stranger, Stranger)


@pytest.mark.parametrize("compare", COMPARISONS)
@few
@given(money=money_recipes(), period=periods, stranger=strangers)
def test_comparisons_leave_it_to_a_stranger(
    compare: Callable[[Any, Any], Any], money: Recipe[Money], period: Period, stranger: object
) -> None:
    for value in (money.one(), period):
        if isinstance(stranger, Stranger):
            assert compare(value, stranger)
        else:
            with pytest.raises(TypeError, match="not supported between instances"):
                compare(value, stranger)


@given(money_recipes(), summary_recipes(), strangers)
def test_sums_leave_it_to_a_stranger(
    money: Recipe[Money], summary: Recipe[Any], stranger: Any
) -> None:
    if isinstance(stranger, Stranger):
        sums: list[Any] = [value + stranger for value in (money.one(), summary.one())]
        assert sums == ["added", "added"]
        assert operator.sub(money.one(), stranger) == "subtracted"
        return
    for value in (money.one(), summary.one()):
        with pytest.raises(TypeError, match="unsupported operand"):
            value + stranger
        with pytest.raises(TypeError, match="unsupported operand"):
            value - stranger


@pytest.mark.parametrize("kind", [kind for kind in VALUE_RECIPES if kind not in (Money, Period)])
@few
@given(data=st.data())
def test_what_has_no_order_is_not_ordered(kind: type, data: st.DataObject) -> None:
    value = data.draw(VALUE_RECIPES[kind]).one()
    for compare in COMPARISONS:
        with pytest.raises(TypeError):
            compare(value, value)


# Order


def assert_is_ordered_as(values: list[Any], keys: list[Any]) -> None:
    """Assert that values compare in every way as their keys do, and sort as they do."""
    for a, key_a in zip(values, keys, strict=True):
        for b, key_b in zip(values, keys, strict=True):
            for compare in [*COMPARISONS, operator.eq, operator.ne]:
                assert compare(a, b) == compare(key_a, key_b)
    by_key = sorted(range(len(keys)), key=lambda i: keys[i])
    assert sorted(values) == [values[i] for i in by_key]


@given(st.lists(minor_units | st.integers(-2, 2), max_size=5), own_currencies)
def test_money_of_one_currency_is_in_the_order_of_its_minor_units(
    minors: list[int], currency: overages.Currency
) -> None:
    unit = currency
    assert_is_ordered_as([Money(minor, unit) for minor in minors], minors)


@given(st.lists(st.tuples(moments, moments), max_size=4), st.lists(periods, max_size=2))
def test_periods_are_in_the_order_of_their_starts_and_then_of_their_ends(
    pairs: list[tuple[datetime.datetime, datetime.datetime]], more: list[Period]
) -> None:
    found = [Period(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]
    found += [Period(period.start, max(period.end, end)) for period in more for _, end in pairs]
    found += more
    assert_is_ordered_as(found, [(period.start, period.end) for period in found])


@given(st.lists(minor_units, min_size=3, max_size=3), own_currencies)
def test_sums_of_money_are_those_of_whole_numbers(
    minors: list[int], currency: overages.Currency
) -> None:
    unit = currency
    a, b, c = (Money(minor, unit) for minor in minors)
    assert (a + b).minor == a.minor + b.minor
    assert (a - b).minor == a.minor - b.minor
    assert (-a).minor == -a.minor
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a - b == a + -b


@given(periods, moments)
def test_a_period_has_its_start_and_not_its_end(period: Period, moment: datetime.datetime) -> None:
    assert period.start in period
    assert period.end not in period
    assert (moment in period) == (period.start <= moment < period.end)


@given(statement_recipes)
def test_a_charge_is_equal_to_one_made_of_its_tiers(recipe: Recipe[Statement]) -> None:
    for line in recipe.one().overages:
        again = Charge(line.tiers)
        assert (again, hash(again)) == (line.charge, hash(line.charge))
        assert (again.exact_cost, again.unit_price) == (
            line.charge.exact_cost,
            line.charge.unit_price,
        )
