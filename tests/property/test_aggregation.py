"""What records come to: the same in any order and in any parts, and nothing if nothing is left."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

from hypothesis import given, strategies as st

from overages import Money, OverageRecord, Summary, aggregate
from tests.recorded import recorded, stored

from .recipes import Recipe
from .strategies import Case, cases, record_recipes, summary_recipes

USD = "USD"
records_of_usd = st.lists(record_recipes(st.just(USD)).map(Recipe.one), max_size=6)


def correction_of(record: OverageRecord) -> OverageRecord:
    """Return the record that takes another one back."""
    quantity = record.quantity
    return stored(
        record.org_id,
        record.period,
        record.metric,
        quantity=quantity.copy_negate() if isinstance(quantity, Decimal) else -quantity,
        cost=-record.cost,
        exact_cost=-Fraction(record.exact_cost),
        unit_price=record.unit_price,
        line=record.line,
    )


def expected_totals(records: list[OverageRecord]) -> dict[str, tuple[Fraction, int]]:
    """Return quantity and minor units by metric, of metrics that have any."""
    sums: dict[str, tuple[Fraction, int]] = {}
    for record in records:
        if record.metric is None:
            continue
        quantity, minor = sums.get(record.metric, (Fraction(), 0))
        sums[record.metric] = quantity + Fraction(record.quantity), minor + record.cost.minor
    return {metric: total for metric, total in sums.items() if any(total)}


@given(records_of_usd)
def test_an_aggregate_is_the_exact_sum_by_metric(records: list[OverageRecord]) -> None:
    summary = aggregate(records, currency=USD)
    found = {
        metric: (Fraction(total.quantity), total.cost.minor)
        for metric, total in summary.metrics.items()
    }
    expected = expected_totals(records)
    assert found == expected
    assert summary.total == Money(sum(record.cost.minor for record in records), USD)
    assert all(summary[metric].cost.minor == minor for metric, (_, minor) in expected.items())


@given(records_of_usd, st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(records: list[OverageRecord], random: Random) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    one, other = aggregate(records, currency=USD), aggregate(shuffled, currency=USD)
    assert one == other
    assert hash(one) == hash(other)


@given(records_of_usd, st.lists(st.integers(0, 6), max_size=3))
def test_the_aggregates_of_parts_added_are_the_aggregate_of_all(
    records: list[OverageRecord], cuts: list[int]
) -> None:
    bounds = [0, *sorted(cuts), len(records)]
    merged = Summary(USD, {})
    for start, end in pairwise(bounds):
        merged = merged + aggregate(records[start:end], currency=USD)
    assert merged == aggregate(records, currency=USD)


@given(*[summary_recipes(st.just(USD))] * 3)
def test_adding_summaries_is_associative_and_commutative_and_nothing_changes_nothing(
    one: Recipe[Summary], two: Recipe[Summary], three: Recipe[Summary]
) -> None:
    a, b, c = one.one(), two.one(), three.one()
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Summary(USD, {}) == a
    assert (a + b).total == a.total + b.total


@given(cases())
def test_the_aggregate_of_a_statements_records_is_its_summary(case: Case) -> None:
    statement = case.statement.one()
    summary = aggregate(recorded(statement), currency=statement.currency)
    assert summary == statement.summary()
    assert summary.total == statement.total
    for line in statement.overages:
        costs = [each.cost for each in statement.lines if each.metric == line.metric]
        due = sum(costs, Money(0, statement.currency))
        if line.quantity or due.minor:
            total = summary[line.metric]
            assert (total.quantity, total.cost) == (line.quantity, due)


@given(records_of_usd, st.randoms(use_true_random=False))
def test_records_and_their_corrections_come_to_nothing(
    records: list[OverageRecord], random: Random
) -> None:
    both = [*records, *map(correction_of, records)]
    random.shuffle(both)
    assert aggregate(both, currency=USD) == Summary(USD, {})


@given(records_of_usd, records_of_usd)
def test_what_is_taken_back_is_as_if_it_had_never_been(
    kept: list[OverageRecord], taken_back: list[OverageRecord]
) -> None:
    records = [*taken_back, *kept, *map(correction_of, taken_back)]
    assert aggregate(records, currency=USD) == aggregate(kept, currency=USD)


@given(st.lists(cases(), min_size=1, max_size=3))
def test_no_metric_without_quantity_and_cost_is_in_a_summary(found: list[Case]) -> None:
    for case in found:
        for total in case.statement.one().summary().metrics.values():
            assert total.quantity or total.cost.minor
