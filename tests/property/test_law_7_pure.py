"""Law 7: the same inputs give the same result, and are left as they were.

"The core is pure and depends on nothing. No clock, randomness, environment, locale, network, file
or database: time and ids are arguments."
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, strategies as st

from overages import (
    Account,
    Graduated,
    Money,
    Period,
    Plan,
    Statement,
    Summary,
    Tier,
    Usage,
    Volume,
    aggregate,
    calculate,
    calculate_many,
)
from overages.statements.summary import MetricTotal
from overages.testing.fields import metrics
from overages.testing.prices import tables
from overages.testing.values import metric_totals
from tests.recorded import recorded
from tests.since import SINCE

from .recipes import Recipe, cook, recipes
from .strategies import Case, cases, plan_recipes, quantity_maps

FEBRUARY = Period.month(2024, 2)

Inputs = tuple[Plan, Usage, dict[str, Any] | None]


def inputs_of(case: Case) -> Inputs:
    """Return what `calculate` takes."""
    return case.plan.one(), case.usage.one(), cook(case.limits) or None


@given(cases())
def test_calculating_twice_gives_equal_statements(case: Case) -> None:
    plan, usage, limits = inputs_of(case)
    first, second = (calculate(plan, usage, limits=limits) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert (first.explain(), recorded(first)) == (second.explain(), recorded(second))


@given(cases())
def test_equal_inputs_give_equal_statements(case: Case) -> None:
    one, other = case.statement.one(), case.statement.other()
    assert one == other
    assert (one.explain(), recorded(one)) == (other.explain(), recorded(other))


@given(cases())
def test_calculating_leaves_its_inputs_as_they_were(case: Case) -> None:
    plan, usage, limits = inputs_of(case)
    fresh = inputs_of(case)
    before = repr((plan, usage, limits))
    statement = calculate(plan, usage, limits=limits)
    statement.explain(), recorded(statement), statement.summary()
    assert (plan, usage, limits) == fresh
    assert repr((plan, usage, limits)) == before


@given(st.lists(cases(), max_size=3))
def test_calculating_many_gives_what_calculating_each_gives(found: list[Case]) -> None:
    inputs = [inputs_of(case) for case in found]
    each = [calculate(plan, usage, limits=limits) for plan, usage, limits in inputs]
    assert list(calculate_many(inputs)) == each
    assert list(calculate_many(reversed(inputs))) == each[::-1]


@given(cases(), st.integers(1, 5))
def test_calculating_many_reads_one_input_at_a_time(case: Case, count: int) -> None:
    read = []

    def reading() -> Iterator[Inputs]:
        for i in range(count):
            read.append(i)
            yield inputs_of(case)

    for i, _ in enumerate(calculate_many(reading())):
        assert read == list(range(i + 1))
    assert len(read) == count


@given(cases())
def test_a_statement_is_not_changed_by_what_becomes_of_the_limits_it_was_made_with(
    case: Case,
) -> None:
    plan, usage, _ = inputs_of(case)
    limits = cook(case.limits)
    statement = calculate(plan, usage, limits=limits)
    before: list[Any] = [statement, repr(statement), statement.explain(), recorded(statement)]
    for metric in limits:
        limits[metric] = 0
    limits["another"] = 5
    assert [statement, repr(statement), statement.explain(), recorded(statement)] == before
    assert statement == case.statement.one()


@given(quantity_maps, metrics)
def test_usage_and_accounts_keep_what_they_were_given(given_map: dict[str, Any], new: str) -> None:
    for way in (cook(given_map), dict.fromkeys(given_map, 5)):
        expected = (
            Usage("org-1", FEBRUARY, dict(way)),
            Account("org-1", "starter", limits=dict(way), since=SINCE),
        )
        usage, account = (
            Usage("org-1", FEBRUARY, way),
            Account("org-1", "starter", limits=way, since=SINCE),
        )
        way[new] = 999_999
        way.pop(next(iter(way)))
        assert (usage, account) == expected
        assert repr((usage, account)) == repr(expected)


@given(plan_recipes())
def test_a_plan_keeps_the_allowances_that_it_was_given(recipe: Recipe[Plan]) -> None:
    slug, currency, allowances = cook(recipe.args)
    plan = Plan(slug, currency, allowances, **cook(dict(recipe.named)))
    allowances.clear()
    assert plan == recipe.one()
    assert repr(plan) == repr(recipe.one())


@given(st.dictionaries(metrics, recipes(metric_totals(st.just("USD"))), max_size=3))
def test_a_summary_keeps_the_totals_that_it_was_given(
    drawn: dict[str, Recipe[MetricTotal]],
) -> None:
    totals = cook(drawn)
    summary = Summary("USD", totals)
    totals["new"] = MetricTotal(5, Money(5, "USD"))
    totals.pop(next(iter(totals)))
    assert summary == Summary("USD", cook(drawn))
    assert summary + summary == summary + Summary("USD", cook(drawn))
    assert summary == Summary("USD", cook(drawn))  # adding it has left it as it was


@given(tables().map(tuple))
def test_a_price_keeps_the_table_that_it_was_given(tiers: tuple[Tier, ...]) -> None:
    for model in (Graduated, Volume):
        table = list(tiers)
        price = model(table)
        table[0] = Tier(None, 77)
        table.append(Tier(None, 99))
        assert price == model(tiers)
        assert price.charge(5) == model(tiers).charge(5)


@given(cases())
def test_a_statement_and_an_aggregate_take_any_iterable_once(case: Case) -> None:
    statement = case.statement.one()
    lines, records = iter(statement.lines), iter(recorded(statement))
    unused = iter(statement.unused)
    again = Statement(statement.org_id, statement.period, statement.plan, lines, unused)
    assert again == statement
    assert aggregate(records, currency=statement.currency) == statement.summary()
