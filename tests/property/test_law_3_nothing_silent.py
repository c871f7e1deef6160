"""Law 3: usage that can't be priced is an error, which names it.

"Nothing is priced silently at zero. Usage of a metric that the plan doesn't know, a tier table with
a hole, a currency clash, a period that isn't the org's: an error that names it. A grant that can
pay for nothing is listed, and blocks no bill."
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from overages import (
    Account,
    Adjustment,
    Allowance,
    Currency,
    Graduated,
    Money,
    Overage,
    OverageRecord,
    Package,
    Period,
    PerUnit,
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
from overages.amounts.money import parse_currency
from overages.errors import (
    CurrencyMismatch,
    InvalidType,
    InvalidValues,
    OveragesError,
    Path,
    UnknownMetric,
)
from overages.statements.summary import MetricTotal
from overages.testing.fields import currencies, metrics

from . import oracle
from .effort import many
from .recipes import MOST_PARTS, Recipe, cook, written
from .strategies import Case, cases, quantity_maps, record_recipes, summary_recipes

FEBRUARY = Period.month(2024, 2)


def refused(make: Callable[..., object], *args: Any, **named: Any) -> OveragesError:
    """Return the error that a call raises."""
    with pytest.raises(OveragesError) as caught:
        make(*args, **named)
    return caught.value


def fields_of(error: OveragesError) -> list[str]:
    """Return the path to each fault, sorted; an error that has none names no fault."""
    return sorted(fault.field for fault in error.errors)


def paths_of(error: OveragesError) -> list[Path]:
    """List the way to each fault, sorted; a metric in it may be one that can't be shown."""
    return sorted(fault.path for fault in error.errors)


# Unknown metrics


unknown = st.dictionaries(metrics, st.just(0) | st.integers(0, 10), min_size=1, max_size=3)


@given(cases(), unknown)
def test_usage_of_metrics_that_the_plan_does_not_know_is_refused_and_each_is_named(
    case: Case, extra: dict[str, int]
) -> None:
    plan, usage = case.plan.one(), case.usage.one()
    strange = extra.keys() - plan.allowances.keys()
    assume(strange)
    more = Usage(usage.org_id, usage.period, {**extra, **usage.quantities})
    error = refused(calculate, plan, more, limits=cook(case.limits))
    assert paths_of(error) == sorted(("usage", "quantities", metric) for metric in strange)
    assert all(isinstance(fault, UnknownMetric) for fault in error.errors)
    assert all(repr(fault.path[-1]) in str(fault) for fault in error.errors)


@given(cases(), st.dictionaries(metrics, st.none() | st.integers(0, 10), min_size=1, max_size=3))
def test_limits_of_metrics_that_the_plan_does_not_know_are_refused_and_each_is_named(
    case: Case, extra: dict[str, int | None]
) -> None:
    plan, usage = case.plan.one(), case.usage.one()
    strange = extra.keys() - plan.allowances.keys()
    assume(strange)
    for limits in (extra, {**cook(case.limits), **extra}):
        error = refused(calculate, plan, usage, limits=limits)
        assert paths_of(error) == sorted(("limits", metric) for metric in strange)
        assert all(isinstance(fault, UnknownMetric) for fault in error.errors)


@given(cases(), metrics)
def test_a_line_of_a_metric_that_the_plan_does_not_know_is_refused(case: Case, metric: str) -> None:
    statement = case.statement.one()
    assume(metric not in statement.plan.allowances)
    with pytest.raises(UnknownMetric):
        statement[metric]
    with pytest.raises(UnknownMetric):
        statement.summary()[metric]


@given(cases(), unknown)
def test_a_batch_refuses_what_is_unknown_when_it_comes_to_it(
    case: Case, extra: dict[str, int]
) -> None:
    plan, usage = case.plan.one(), case.usage.one()
    assume(extra.keys() - plan.allowances.keys())
    strange = Usage(usage.org_id, usage.period, extra)
    batch = calculate_many([(plan, usage, None), (plan, strange, None)])
    assert next(batch) == calculate(plan, usage)
    error = refused(next, batch)
    assert all(isinstance(fault, UnknownMetric) for fault in error.errors)


# Tables with faults


Row = dict[str, Any]


@st.composite
def broken_tables(draw: st.DrawFn) -> list[Row | None]:
    """Return a lawful table of prices that was then broken, in one way or in more."""
    bounds = sorted(draw(st.lists(st.integers(1, 9), max_size=4, unique=True)))
    table: list[Row | None] = [{"price": 1, "up_to": bound} for bound in [*bounds, None]]
    for _ in range(draw(st.integers(1, 4))):
        _break(draw, table)
    assume(oracle.table_faults(table))
    return table


def _break(draw: st.DrawFn, table: list[Row | None]) -> None:
    index = draw(st.integers(0, max(0, len(table) - 1)))
    row = table[index] if table else None
    if row is None or draw(st.integers(0, 9)) == 0:
        table[index : index + 1] = draw(st.sampled_from([[], [None]]))
        return
    bounds = [other["up_to"] for other in table if other is not None]
    row["up_to"] = draw(st.none() | st.just(1) | st.sampled_from(bounds))


def tier_of(row: Row | None) -> Any:
    """Return the tier of a row, or a stranger."""
    return "no tier" if row is None else Tier(**row)


@many
@given(broken_tables(), st.sampled_from([Graduated, Volume]))
def test_a_table_with_faults_is_refused_and_each_is_named(
    table: list[Row | None], model: Callable[..., object]
) -> None:
    error = refused(model, [tier_of(row) for row in table])
    assert set(fields_of(error)) == oracle.table_faults(table)
    assert isinstance(error, InvalidValues) == (len(error.errors) > 1)
    for field in fields_of(error):
        assert field in str(error)


@pytest.mark.parametrize("model", [Graduated, Volume])
@given(
    bounds=st.lists(st.integers(1, MOST_PARTS), min_size=2, max_size=4, unique=True).map(sorted),
    place=st.integers(0, 3),
    too_low=st.sampled_from([0, 0, 1]),
)
def test_a_bound_that_does_not_rise_is_refused(
    model: Callable[..., object], bounds: list[int], place: int, too_low: int
) -> None:
    at = 1 + place % (len(bounds) - 1)
    bounds[at] = max(1, bounds[at - 1] - too_low)
    error = refused(model, [*(Tier(written(bound, 5), 1) for bound in bounds), Tier(None, 1)])
    assert fields_of(error) == [f"tiers[{at}].up_to"]


@pytest.mark.parametrize("model", [Graduated, Volume])
def test_a_table_that_ends_is_refused(model: Callable[..., object]) -> None:
    error = refused(model, [Tier(10, 1), Tier(20, 2)])
    assert fields_of(error) == ["tiers[1].up_to"]
    assert "what lies beyond has no price" in str(error)


# Numbers that are not allowed


@given(
    st.dictionaries(metrics, st.integers(1, MOST_PARTS), min_size=1, max_size=4),
    quantity_maps,
    st.integers(0, 5),
)
def test_negative_quantities_are_refused_and_each_is_named(
    negative: dict[str, int], good: dict[str, Any], way: int
) -> None:
    bad = {metric: written(-parts, way) for metric, parts in negative.items()}
    mixed = {**cook(good), **bad}
    by_usage = refused(Usage, "org-1", FEBRUARY, mixed)
    assert paths_of(by_usage) == sorted(("quantities", metric) for metric in bad)
    by_account = refused(Account, "org-1", "starter", FEBRUARY.start, mixed)
    assert paths_of(by_account) == sorted(("limits", metric) for metric in bad)


@given(cases(), st.integers(1, MOST_PARTS), st.integers(0, 5))
def test_negative_limits_are_refused_and_each_is_named(case: Case, parts: int, way: int) -> None:
    plan, usage = case.plan.one(), case.usage.one()
    assume(plan.allowances)
    for bad in (list(plan.allowances), list(plan.allowances)[:1]):
        limits = {metric: written(-parts, way) for metric in bad}
        error = refused(calculate, plan, usage, limits=limits)
        assert paths_of(error) == sorted(("limits", metric) for metric in bad)


@given(st.integers(1, MOST_PARTS), st.integers(0, 5))
def test_negative_prices_and_sizes_are_refused_together(parts: int, way: int) -> None:
    bad = written(-parts, way)
    assert fields_of(refused(PerUnit, bad, bad)) == ["per", "price"]
    assert fields_of(refused(Package, bad, bad)) == ["price", "size"]
    assert fields_of(refused(Tier, bad, bad, bad, per=bad)) == ["flat", "per", "price", "up_to"]
    assert fields_of(refused(Tier, None, size=bad, maximum=bad)) == ["maximum", "size"]
    assert fields_of(refused(Allowance, bad, PerUnit(1))) == ["included"]


# Price models of a host's own


@dataclass(frozen=True)
class Answers:
    """A host's price model that answers whatever it was given."""

    answer: Any

    def charge(self, quantity: Any, /) -> Any:
        """Return the answer."""
        del quantity
        return self.answer


def statement_by(answer: Any) -> Statement:
    """Calculate with a price model that gives an answer."""
    plan = Plan("own", "USD", {"tokens": Allowance(0, Answers(answer))})
    return calculate(plan, Usage("org-1", FEBRUARY, {"tokens": 5}))


@given(st.sampled_from([None, 0, 5, Money(5, "USD"), (0, 1), "5"]))
def test_a_price_model_that_returns_no_charge_is_refused(answer: object) -> None:
    assert fields_of(refused(statement_by, answer)) == ["tokens.price.charge()"]


@pytest.mark.parametrize("stranger", [None, PerUnit, 5, "0.10", object()])
def test_what_is_no_price_model_is_refused(stranger: Any) -> None:
    assert isinstance(refused(Allowance, 5, stranger), InvalidType)


# Currencies that clash


@st.composite
def two_currencies(draw: st.DrawFn) -> tuple[Currency, Currency]:
    """Return two currencies that differ, if only in the exponent."""
    pair = st.builds(
        lambda a, b: (parse_currency(cook(a), "a"), parse_currency(cook(b), "b")),
        currencies,
        currencies,
    )
    return draw(pair.filter(lambda found: found[0] != found[1]))


def named(error: OveragesError, currencies: tuple[Currency, Currency]) -> bool:
    """Say whether an error is that of two currencies, and names both."""
    assert isinstance(error, CurrencyMismatch)
    return {error.left, error.right} == {currency.code for currency in currencies}


@given(two_currencies(), st.integers(), st.integers())
def test_money_of_two_currencies_is_not_added_or_compared(
    pair: tuple[Currency, Currency], left: int, right: int
) -> None:
    one, two = Money(left, pair[0]), Money(right, pair[1])
    for operate in (
        lambda: one + two,
        lambda: one - two,
        lambda: one < two,
        lambda: one <= two,
        lambda: one > two,
        lambda: one >= two,
    ):
        assert named(refused(operate), pair)
    assert one != two


@given(two_currencies(), st.data())
def test_records_of_two_currencies_are_not_summed(
    pair: tuple[Currency, Currency], data: st.DataObject
) -> None:
    def some(currency: Currency) -> list[OverageRecord]:
        found = data.draw(st.lists(record_recipes(st.just(currency)), min_size=1, max_size=2))
        return [recipe.one() for recipe in found]

    one, two = some(pair[0]), some(pair[1])
    assert named(refused(aggregate, [*one, *two]), pair)
    assert named(refused(aggregate, one, currency=pair[1]), pair)
    assert aggregate(one, currency=pair[0]) == aggregate(one)


@given(two_currencies(), st.data())
def test_summaries_of_two_currencies_are_not_added(
    pair: tuple[Currency, Currency], data: st.DataObject
) -> None:
    one: Recipe[Summary] = data.draw(summary_recipes(st.just(pair[0])))
    two: Recipe[Summary] = data.draw(summary_recipes(st.just(pair[1])))
    assert named(refused(lambda: one.one() + two.one()), pair)


@given(two_currencies(), st.integers())
def test_no_value_holds_money_of_a_currency_that_is_not_its_own(
    pair: tuple[Currency, Currency], minor: int
) -> None:
    own, foreign = pair[0], Money(minor, pair[1])
    price = PerUnit(1)
    plan = Plan("starter", own, {"tokens": Allowance(0, price)})
    line = Overage(
        "tokens", 5, 0, price, Money(5 * 10**foreign.currency.exponent, foreign.currency)
    )
    for make in (
        lambda: Plan("starter", own, {}, base_fee=foreign),
        lambda: Statement("org-1", FEBRUARY, plan, [line]),
        lambda: Summary(own, {"tokens": MetricTotal(0, foreign)}),
    ):
        assert named(refused(make), pair)


def test_a_summary_of_nothing_must_be_told_its_currency() -> None:
    assert fields_of(refused(aggregate, [])) == ["records"]
    assert aggregate([], currency="USD") == Summary("USD", {})


# Statements made by hand


@given(cases())
def test_a_statement_with_a_line_twice_or_in_another_place_is_refused(case: Case) -> None:
    statement = case.statement.one()
    lines = statement.overages
    assume(lines)
    of = statement.org_id, statement.period, statement.plan
    twice = refused(Statement, *of, [*lines, lines[-1], *statement.adjustments])
    assert paths_of(twice) == [("lines", lines[-1].metric, "part")]
    if lines[1:]:
        moved = refused(Statement, *of, [*lines[1:], lines[0], *statement.adjustments])
        assert fields_of(moved) == ["lines"]


@given(cases())
def test_a_statement_with_an_adjustment_twice_or_before_an_overage_is_refused(case: Case) -> None:
    statement = case.statement.one()
    assume(statement.adjustments)
    twice: list[Overage | Adjustment] = [*statement.lines, statement.adjustments[0]]
    early: list[Overage | Adjustment] = [statement.adjustments[0], *statement.overages]
    for wrong, place in [(twice, len(twice) - 1), (early, 1)][: 1 + bool(statement.overages)]:
        error = refused(Statement, statement.org_id, statement.period, statement.plan, wrong)
        assert fields_of(error) == [f"lines[{place}]"]


def test_a_line_at_another_price_than_the_plans_is_refused() -> None:
    plan = Plan("starter", "USD", {"tokens": Allowance(0, PerUnit(2))})
    line = Overage("tokens", 5, 0, PerUnit(1), Money(500, "USD"))
    error = refused(Statement, "org-1", FEBRUARY, plan, [line])
    assert fields_of(error) == ["lines.tokens.price"]
