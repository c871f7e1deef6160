"""Law 1: numbers don't depend on the host's decimal context.

"Exact until one named rounding. Quantities, prices and costs are exact. No float enters anywhere,
and no ambient `decimal` context decides a result."

Each test makes values and results under the usual context and once more under a hostile one.
"""

from __future__ import annotations

import decimal
import io
import pickle
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from overages import (
    Conversion,
    Money,
    Overage,
    OverageRecord,
    Statement,
    TransactionFee,
    UsageEvent,
    aggregate,
    charge_between,
)
from overages.amounts.exact import unscaled
from overages.amounts.rounding import allocate, parse_rounding
from overages.codec import encode
from overages.errors import OveragesError
from overages.exports import wire
from overages.exports.csv_files import write_statements
from overages.exports.json_lines import json_lines
from overages.exports.stripe.texts import description, metadata, tiers_of
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.testing.strategies import plans, values
from overages.usage.metering import Meter
from tests.recorded import recorded

from .contexts import ambient, decimal_contexts
from .effort import few, many
from .recipes import Recipe, Spelled, cook, recipes, spelled
from .strategies import (
    VALUE_RECIPES,
    Case,
    cases,
    event_lists,
    fractions,
    modest_numbers,
    money_recipes,
    non_negative_numbers,
    positive_numbers,
    priced_quantities,
    record_recipes,
    roundings,
)

all_values = pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=kind.__name__) for kind in VALUE_RECIPES]
)
contexts = decimal_contexts()


def with_usual_letters(context: decimal.Context) -> decimal.Context:
    """Return the context with the one setting put right that changes how a Decimal is written."""
    context.capitals = 1
    return context


@all_values
@few
@given(data=st.data(), context=contexts)
def test_a_value_is_the_same_wherever_it_was_made(
    kind: type, data: st.DataObject, context: decimal.Context
) -> None:
    recipe = data.draw(VALUE_RECIPES[kind])
    usual = recipe.one()
    with ambient(context):
        value = recipe.other()
        assert value == usual
        assert hash(value) == hash(usual)
        assert pickle.loads(pickle.dumps(value)) == usual
    assert value == usual
    assert hash(value) == hash(usual)
    assert sorted(repr(value)) == sorted(repr(usual))  # but for the order of metrics


@all_values
@few
@given(data=st.data(), context=contexts.map(with_usual_letters))
def test_a_value_reads_the_same_under_any_context(
    kind: type, data: st.DataObject, context: decimal.Context
) -> None:
    value = data.draw(VALUE_RECIPES[kind]).one()
    usual = repr(value), str(value), f"{value}"
    with ambient(context):
        assert (repr(value), str(value), f"{value}") == usual


def everything(statement: Statement) -> list[object]:
    """Return all that a statement says of itself."""
    lines = [
        (
            *(line.metric, line.used, line.limit, line.quantity, line.exact_cost, line.cost),
            *(line.tiers, line.unit_price, line.charge, line.explain(), line.cost.amount),
            [(tier.exact_cost, tier.uncapped_cost, tier.fraction) for tier in line.tiers],
            [(tier.unit_price, tier.explain()) for tier in line.tiers],
        )
        for line in statement.overages
    ]
    summary = statement.summary()
    texts = [str(statement), statement._repr_html_(), repr(statement), str(summary)]
    texts += [str(statement.total), f"{statement.total:>30}"]
    return [statement, hash(statement), lines, texts, recorded(statement), summary, summary.total]


@many
@given(cases(), contexts)
def test_a_statement_says_the_same_under_any_context(case: Case, context: decimal.Context) -> None:
    usual = everything(case.statement.one())
    with ambient(context):
        hostile = everything(case.statement.one())
        assert hostile == usual
    assert hostile == usual
    texts = [str(part) for part in (hostile, usual)]
    assert texts[0] == texts[1]


def sent_out(statement: Statement, line: Overage) -> list[object]:
    """Return all that goes out to other systems: of a statement, and of the line of another."""
    records, table = recorded(statement), io.StringIO()
    write_statements([statement], table)
    texts = [tiers_of(each) for each in (line, *statement.overages)]
    items = [(description(each, None), metadata(each, None)) for each in records]
    frames: list[object] = []
    if find_spec("pyarrow"):  # which needn't be there
        arrow = import_module("overages.exports.arrow")
        frames.append(arrow.statements_to_arrow([statement], amounts="text"))
        frames.append(arrow.records_to_arrow(records, amounts="text"))
    bodies = [wire.calculated(statement), wire.recorded("org-1", statement.period, records)]
    stored = [encode(statement), *map(encode, records)]
    lines = list(json_lines([statement]))
    return [texts, items, frames, bodies, stored, lines, table.getvalue()]


@few
@given(
    cases(recipes(plans())),  # no codec of ours knows a price model of a host's
    recipes(values(Overage)),
    contexts,
)
def test_what_goes_out_is_the_same_under_any_context(
    case: Case, line: Recipe[Overage], context: decimal.Context
) -> None:
    usual = sent_out(case.statement.one(), line.one())
    with ambient(context):
        assert sent_out(case.statement.one(), line.one()) == usual


@many
@given(priced_quantities(), non_negative_numbers, contexts)
def test_a_price_is_the_same_under_any_context(
    pair: tuple[Recipe[Any], Spelled], before: Spelled, context: decimal.Context
) -> None:
    recipe, quantity = pair
    model = recipe.one()
    usual = model.charge(quantity.first), charge_between(model, before.first, quantity.first)
    with ambient(context):
        for made in (model, recipe.one()):
            charge = made.charge(quantity.second)
            hostile = charge, charge_between(made, before.second, quantity.second)
            assert hostile == usual
            assert (charge.exact_cost, charge.unit_price) == (
                usual[0].exact_cost,
                usual[0].unit_price,
            )
    assert repr(hostile) == repr(usual)


@given(money_recipes(), st.lists(non_negative_numbers, min_size=1, max_size=4), contexts)
def test_money_is_the_same_under_any_context(
    recipe: Recipe[Money], weights: list[Spelled], context: decimal.Context
) -> None:
    money = recipe.one()
    shares = [weight.first for weight in weights]
    assume(any(Fraction(share) for share in shares))
    usual = money.amount, str(money), money + money, -money, money.allocate(shares)
    with ambient(context):
        hostile = money.amount, str(money), money + money, -money, money.allocate(shares)
        assert hostile == usual
        assert allocate(money.minor, shares) == tuple(share.minor for share in usual[-1])
    assert hostile[0].as_tuple() == usual[0].as_tuple()


@given(fractions, positive_numbers, roundings, contexts)
def test_rounding_is_the_same_under_any_context(
    value: Fraction, increment: Spelled, rounding: Spelled, context: decimal.Context
) -> None:
    rule = parse_rounding(rounding.first, "rounding")
    usual = rule.round(value, increment.first)
    money = Money.of(value, "USD", rounding.first)
    with ambient(context):
        assert rule.round(value, increment.second) == usual
        assert Money.of(value, "USD", rounding.first) == money


@given(st.lists(record_recipes(st.just("USD")), max_size=4), contexts)
def test_a_summary_is_the_same_under_any_context(
    recipes: list[Recipe[OverageRecord]], context: decimal.Context
) -> None:
    usual = aggregate([recipe.one() for recipe in recipes], currency="USD")
    with ambient(context):
        summary = aggregate([recipe.other() for recipe in recipes], currency="USD")
        assert summary == usual
        assert summary + summary == usual + usual
    assert repr(summary) == repr(usual)


fine_numbers = spelled(st.integers(1, 10**14).map(unscaled))


@given(event_lists(quantities=fine_numbers), contexts, st.integers(0, 12))
def test_metering_is_the_same_under_any_context_even_if_it_changes_between(
    events: list[UsageEvent], context: decimal.Context, half: int
) -> None:
    usual, meter = Meter(), Meter()
    counted = [usual.add(event) for event in events]
    found = [meter.add(event) for event in events[:half]]
    with ambient(context):
        found += [meter.add(event) for event in events[half:]]
        assert not any(meter.add(event) for event in events if event.id is not None)
        hostile = meter.usages()
    assert found == counted
    assert hostile == usual.usages()


BAD_NUMBERS = [
    "",
    "1,5",
    "1e",
    "NaN",
    " 1",
    "9" * 27,
    "0." + "1" * 13,
    Decimal("NaN"),
    Decimal("sNaN"),
]
BAD_NUMBERS += [
    Decimal("Infinity"),
    Decimal("1E+26"),
    Decimal("1E-13"),
    Decimal("-1"),
    None,
    1.5,
    True,
]


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=repr)
@few
@given(context=contexts.map(with_usual_letters))
def test_what_is_refused_is_refused_with_the_same_words(
    number: Any, context: decimal.Context
) -> None:
    def refusal() -> tuple[type, str]:
        with pytest.raises(OveragesError) as caught:
            plan_from_monthly_fields(
                "starter",
                included_tokens_monthly=1,
                included_playbook_runs_monthly=1,
                included_seats=1,
                overage_token_price_milli_cents=number,
                overage_playbook_run_price_cents=number,
            )
        return caught.type, str(caught.value)

    usual = refusal()
    with ambient(context):
        assert refusal() == usual


@given(cases(), contexts)
def test_the_ambient_context_is_left_as_it_was(case: Case, context: decimal.Context) -> None:
    statement = case.statement
    with ambient(context) as active:
        before = repr(active)
        everything(statement.one())
        assert repr(active) == before


@given(recipes(values(TransactionFee)), st.lists(modest_numbers, max_size=6), contexts)
def test_fees_on_transactions_are_the_same_under_any_context(
    recipe: Recipe[TransactionFee], amounts: list[Any], context: decimal.Context
) -> None:
    expected = recipe.one().charge_each(cook(amounts))
    with ambient(context):
        assert recipe.one().charge_each(cook(amounts)) == expected


@given(recipes(values(Conversion)), non_negative_numbers, contexts)
def test_units_are_the_same_under_any_context(
    recipe: Recipe[Conversion], used: Spelled, context: decimal.Context
) -> None:
    def units() -> object:
        try:
            return recipe.one().convert(used.first)
        except OveragesError as error:
            return str(error)

    usual = units()
    with ambient(with_usual_letters(context)):
        assert units() == usual
