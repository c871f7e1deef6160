"""Law 6: every class of values keeps it, whatever the values.

"Values are immutable, hashable and lawful. `==` implies equal hash; `repr` can be read; equal
values serialise to equal bytes."
"""

from __future__ import annotations

import copy
import datetime
import inspect
import operator
import pickle
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import assume, given, strategies as st

import overages
from overages import Money, Period, Plan, Statement, Tier, TierCharge, UsageEvent
from overages._ground.value import evolve
from overages.amounts.exact import add_up
from overages.errors import OveragesError
from overages.prices.tier import Charge
from overages.statements.summary import MetricTotal
from overages.testing.fields import minor_units, periods
from tests.recorded import recorded

from .effort import few
from .recipes import Recipe, Spelled
from .strategies import (
    VALUE_RECIPES,
    Pairs,
    each_value,
    iso_currencies,
    moments,
    money_recipes,
    own_currencies,
    plan_recipes,
    record_recipes,
    statement_recipes,
    summary_recipes,
)


def test_every_public_value_is_held_to_these_laws() -> None:
    public = {getattr(overages, name) for name in overages.__all__}
    assert {kind for kind in public if attrs.has(kind)} <= VALUE_RECIPES.keys()


def said_of(value: Any) -> list[Any]:
    """Return what a value was made of, read from it again, a plan's metrics in their order."""
    read = [getattr(value, name) for name in inspect.signature(type(value)).parameters]
    in_order = isinstance(value, Plan)
    return [list(p.items()) if in_order and isinstance(p, Mapping) else p for p in read]


def parts_of(statement: Statement) -> Iterator[Any]:
    """Yield a statement and every value in it that was calculated, not constructed."""
    yield statement
    yield statement.total
    yield statement.summary()
    yield from recorded(statement)
    for line in statement.overages:
        yield line
        yield line.cost
        yield line.charge
        yield from line.tiers


# Equality


@each_value()
@few
@given(data=st.data())
def test_values_made_of_inputs_written_differently_are_equal_and_have_one_hash(
    kind: type, data: st.DataObject
) -> None:
    recipe = data.draw(VALUE_RECIPES[kind])
    one, other = recipe.one(), recipe.other()
    assert type(one) is kind
    assert one == other
    assert (one != other) is False
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


@each_value()
@few
@given(data=st.data())
def test_values_made_of_inputs_written_differently_read_the_same(
    kind: type, data: st.DataObject
) -> None:
    recipe = data.draw(VALUE_RECIPES[kind])
    one, other = repr(recipe.one()), repr(recipe.other())
    assert sorted(one) == sorted(other)  # sorted, for mappings keep the order that they came in


class StrangeWord(str):
    """A text of a class of the host's own, as a member of its `StrEnum` is."""

    __slots__ = ()

    def __str__(self) -> str:
        return "a strange word"


def in_strange_words(raw: Any) -> Any:
    """Return an argument of a recipe with all texts in it of the host's own class."""
    if isinstance(raw, str):
        return StrangeWord(raw)
    if isinstance(raw, Recipe) and raw.make is not Pairs:  # the host keeps what it is given
        return Recipe(
            raw.make,
            in_strange_words(raw.args),
            {k: in_strange_words(v) for k, v in raw.named.items()},
        )
    if isinstance(raw, Spelled):
        return Spelled(in_strange_words(raw.first), in_strange_words(raw.second))
    if isinstance(raw, dict):
        return {in_strange_words(key): in_strange_words(value) for key, value in raw.items()}
    if isinstance(raw, (list, tuple)):
        return type(raw)(map(in_strange_words, raw))
    return raw


@each_value()
@few
@given(data=st.data())
def test_texts_are_plain_whatever_class_of_text_was_given(kind: type, data: st.DataObject) -> None:
    recipe = data.draw(VALUE_RECIPES[kind])
    value = in_strange_words(recipe).one()
    assert value == recipe.one()
    assert repr(value) == repr(recipe.one())
    assert b"StrangeWord" not in pickle.dumps(value)


@pytest.mark.parametrize("one", [1, "1", "1.0", Decimal("1.00")])
def test_a_tier_of_packages_takes_a_per_of_one_however_it_is_written(one: Any) -> None:
    assert Tier(None, 5, size=10, per=one) == Tier(None, 5, size=10)


@given(moments)
def test_an_instant_reads_the_same_on_either_side_of_a_fold(moment: datetime.datetime) -> None:
    usual = UsageEvent("org-1", "tokens", 5, moment)
    folded = UsageEvent("org-1", "tokens", 5, moment.replace(fold=1))
    assert folded == usual
    assert hash(folded) == hash(usual)
    assert repr(folded) == repr(usual)


@each_value(Statement)
@few
@given(data=st.data())
def test_values_are_equal_just_if_all_that_they_were_made_of_is_equal(
    kind: type, data: st.DataObject
) -> None:
    one: Recipe[Any] = data.draw(VALUE_RECIPES[kind])
    two: Recipe[Any] = data.draw(VALUE_RECIPES[kind])
    assume(one.make == two.make and len(one.args) == len(two.args))
    left = one.one()
    for mixed in [one, *one.each_mixed_with(two)]:
        try:
            right = mixed.other()
        except OveragesError:  # not every mixture is lawful
            continue
        assert (left == right) == (said_of(left) == said_of(right))
        assert operator.ne(left, right) == (said_of(left) != said_of(right))
        assert left != right or hash(left) == hash(right)


@given(st.integers(1, 1000), st.integers(2, 1000))
def test_charges_that_cost_the_same_by_different_tiers_are_different(
    price: int, units: int
) -> None:
    at_once = Charge([TierCharge(Tier(None, price), units)])
    dearer = Charge([TierCharge(Tier(None, price * units), 1)])
    in_two = Charge([TierCharge(Tier(1, price), 1), TierCharge(Tier(None, price), units - 1, 1)])
    assert at_once.exact_cost == dearer.exact_cost == in_two.exact_cost
    assert len({at_once, dearer, in_two}) == 3


@given(plan_recipes())
def test_a_plan_with_its_metrics_in_another_order_is_another_plan(recipe: Recipe[Plan]) -> None:
    slug, currency, allowances = recipe.args
    backwards = dict(reversed(allowances.items()))
    other = Recipe(Plan, (slug, currency, backwards), recipe.named).one()
    assert (other == recipe.one()) == (len(allowances) < 2)


@given(plan_recipes(scopes=["line"]), st.sampled_from(overages.Rounding), st.integers(1, 9))
def test_a_plan_on_other_terms_is_another_plan(
    recipe: Recipe[Plan], rounding: overages.Rounding, fee: int
) -> None:
    plan = recipe.one()
    more = Money(fee, plan.currency) + (plan.base_fee or Money(0, plan.currency))
    changes: list[dict[str, Any]] = [
        {"rounding": rounding},
        {"rounding_scope": "total"},
        {"base_fee": more},
    ]
    for changed in changes:
        assert (evolve(plan, **changed) == plan) == (changed == {"rounding": plan.rounding})
    assert evolve(plan) == plan


@given(statement_recipes, periods, st.integers(1, 5))
def test_a_statement_is_another_one_if_any_part_of_it_is(
    recipe: Recipe[Statement], period: Period, more: int
) -> None:
    statement = recipe.one()
    assume(period != statement.period)
    said = dict(zip(inspect.signature(Statement).parameters, said_of(statement), strict=True))
    renamed = evolve(statement.plan, slug=f"{statement.plan.slug}!")
    for change in {"org_id": f"{statement.org_id}!"}, {"period": period}, {"plan": renamed}:
        assert Statement(**(said | change)) != statement
    for i, line in enumerate(statement.overages):
        if line.limit is not None:  # more used and more included is another line that costs as much
            units = add_up([line.used, more]), add_up([line.limit, more])
            lines = list(statement.lines)
            with suppress(OveragesError):  # units that are too many, or some of them free
                lines[i] = evolve(line, used=units[0], limit=units[1], limit_parts=())
                assert Statement(**(said | {"lines": lines})) != statement


@given(statement_recipes)
def test_what_is_calculated_is_no_other_than_what_is_constructed(recipe: Recipe[Statement]) -> None:
    for part in parts_of(recipe.one()):
        if not isinstance(part, overages.Summary):
            named = zip(inspect.signature(type(part)).parameters, said_of(part), strict=True)
            constructed = type(part)(**dict(named))
            assert type(constructed) is type(part)
            assert constructed == part
            assert hash(constructed) == hash(part)
            assert repr(constructed) == repr(part)


# Copies


def copies_of(value: Any) -> Iterator[Any]:
    """Yield copies of a value by every road there is."""
    yield copy.copy(value)
    yield copy.deepcopy(value)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.loads(pickle.dumps(value, protocol))


def assert_is_copied_faithfully(value: Any) -> None:
    """Assert that copies equal the value and do what it does."""
    for again in copies_of(value):
        assert type(again) is type(value)
        assert again == value
        assert hash(again) == hash(value)
        assert repr(again) == repr(value)
        assert said_of(again) == said_of(value)


@each_value()
@few
@given(data=st.data())
def test_copies_and_pickles_of_a_value_are_equal_to_it(kind: type, data: st.DataObject) -> None:
    assert_is_copied_faithfully(data.draw(VALUE_RECIPES[kind]).one())


@given(statement_recipes)
def test_copies_and_pickles_of_what_is_calculated_are_equal_to_it(
    recipe: Recipe[Statement],
) -> None:
    for part in parts_of(recipe.one()):
        assert_is_copied_faithfully(part)


@given(plan_recipes(), st.integers(0, 100))
def test_a_copied_price_charges_what_the_original_charges(
    recipe: Recipe[Plan], quantity: int
) -> None:
    for allowance in recipe.one().allowances.values():
        for again in copies_of(allowance):
            assert again.price.charge(quantity) == allowance.price.charge(quantity)


# Immutability


class Stranger:
    """An object that writes into what an operator hands to it."""

    def __init__(self) -> None:
        self.refused: list[TypeError] = []

    def _write(self, handed: Any) -> bool:
        try:
            handed["tokens"] = 0
        except TypeError as error:
            self.refused.append(error)
        return True

    __eq__ = __ror__ = _write
    __hash__ = None  # type: ignore[assignment]


def assert_refuses_to_change(value: Any) -> None:
    """Assert that nothing of a value can be set, added or deleted."""
    before = repr(value)
    for name in [*(field.name for field in attrs.fields(type(value))), "something_new"]:
        with pytest.raises(AttributeError):
            setattr(value, name, 0)
        with pytest.raises(AttributeError):
            delattr(value, name)
    assert not hasattr(value, "__dict__")
    assert repr(value) == before


@each_value()
@few
@given(data=st.data())
def test_a_value_refuses_to_change(kind: type, data: st.DataObject) -> None:
    assert_refuses_to_change(data.draw(VALUE_RECIPES[kind]).one())


@given(statement_recipes)
def test_what_is_calculated_refuses_to_change(recipe: Recipe[Statement]) -> None:
    for part in parts_of(recipe.one()):
        assert_refuses_to_change(part)


@each_value()
@few
@given(data=st.data())
def test_what_a_value_holds_can_be_hashed_or_only_be_read(kind: type, data: st.DataObject) -> None:
    value = data.draw(VALUE_RECIPES[kind]).one()
    for name in inspect.signature(kind).parameters:
        part = getattr(value, name)
        if isinstance(part, Mapping):
            with pytest.raises(TypeError):
                part["tokens"] = 0  # type: ignore[index]
            stranger = Stranger()
            assert part == stranger
            assert part | stranger
            assert [type(each) for each in stranger.refused] == [TypeError] * 2
        else:
            hash(part)


# Reading


@each_value()
@few
@given(data=st.data())
def test_a_repr_names_what_it_shows_and_has_no_address(kind: type, data: st.DataObject) -> None:
    value = data.draw(VALUE_RECIPES[kind]).one()
    text = repr(value)
    assert text.startswith((f"{kind.__name__}(", f"{kind.__name__}.", f"<{kind.__name__} "))
    assert "object at 0x" not in text
    assert "\n" not in text


NAMESPACE = {
    **{name: getattr(overages, name) for name in overages.__all__},
    **{kind.__name__: kind for kind in VALUE_RECIPES},
    "Decimal": Decimal,
    "Fraction": Fraction,
    "datetime": datetime,
    "Pairs": Pairs,
}


def assert_repr_makes_the_value_again(value: Any) -> None:
    """Assert that the repr, which reads as a call, is one that makes an equal value."""
    text = repr(value)
    if not text.startswith("<"):
        assert eval(text, dict(NAMESPACE)) == value


KINDS_WITH_MONEY: dict[type, st.SearchStrategy[Recipe[Any]]] = {
    MetricTotal: st.builds(
        lambda quantity, cost: Recipe(MetricTotal, (quantity, cost)),
        st.integers(),
        money_recipes(iso_currencies),
    ),
    Money: money_recipes(iso_currencies),
    overages.OverageRecord: record_recipes(iso_currencies),
    Plan: plan_recipes(iso_currencies),
    overages.Summary: summary_recipes(iso_currencies),
}


@each_value()
@few
@given(data=st.data())
def test_a_repr_that_is_a_call_makes_the_value_again(kind: type, data: st.DataObject) -> None:
    recipes: st.SearchStrategy[Recipe[Any]] = KINDS_WITH_MONEY.get(kind, VALUE_RECIPES[kind])
    assert_repr_makes_the_value_again(data.draw(recipes).one())


@given(minor_units, own_currencies)
def test_the_repr_of_money_in_a_currency_of_the_hosts_own_makes_it_again(
    minor: int, currency: overages.Currency
) -> None:
    assert_repr_makes_the_value_again(Money(minor, currency))
