"""Laws 1, 2, 4 and 5, of plans that say more than a quantity and a price."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import Money, Overage, Statement, Usage, aggregate, calculate
from overages.records.chain import link_of, verify_chain
from overages.records.ledger import Ledger
from tests.accounts import calculate_after
from tests.recorded import AT

from . import oracle_terms as oracle
from .contexts import ambient, decimal_contexts
from .effort import many
from .sums import result_of, sums_of
from .terms import FEBRUARY, Bill, bills, plans, quantities


def in_minor(statement: Statement, exact: Any) -> Fraction:
    return Fraction(exact) * Fraction(10) ** statement.currency.exponent


def as_fractions(rows: list[Any]) -> list[list[Fraction | None]]:
    """Return rows of numbers as fractions, of whatever type they are."""
    return [[None if cell is None else Fraction(cell) for cell in row] for row in rows]


# Law 1


@many
@given(bills())
def test_law_1_every_line_is_what_the_definitions_say(bill: Bill) -> None:
    statement = bill.statement
    lines, steps = oracle.statement_of(bill.plan, bill.usage, bill.known)
    scale = 10**statement.currency.exponent
    found = [
        (line.used, line.limit, line.quantity, line.before, line.exact_cost, line.cost.minor)
        for line in statement.every_overage()
    ]
    expected = [(*line[:4], line.exact / scale, line.cost) for line in lines]
    assert as_fractions(found) == as_fractions(expected)
    adjusted = {step[0] for step in steps}
    said = [
        metric
        for metric, line in zip(bill.plan.allowances, lines, strict=True)
        if line.used or line.exact or line.cost or metric in adjusted
    ]
    assert [line.metric for line in statement.overages] == said
    assert [
        (
            line.metric,
            line.line,
            line.before.minor,
            line.cost.minor,
            in_minor(statement, line.exact_cost),
        )
        for line in statement.adjustments
    ] == steps


@given(bills(), decimal_contexts())
def test_law_1_no_decimal_context_decides(bill: Bill, context: Any) -> None:
    expected = bill.statement
    with ambient(context):
        assert bill.statement == expected
        assert bill.statement.explain() == expected.explain()


# Law 2


@many
@given(bills())
def test_law_2_the_total_is_the_sum_of_the_lines(bill: Bill) -> None:
    statement = bill.statement
    lines = sum((line.cost for line in statement.lines), Money(0, statement.currency))
    assert statement.total == statement.summary().total == lines


@many
@given(bills())
def test_law_2_each_adjustment_says_what_the_lines_before_it_come_to(bill: Bill) -> None:
    statement = bill.statement
    due = {line.metric: line.cost.minor for line in statement.overages}
    seen_all = False
    for line in statement.adjustments:
        if line.metric is None:
            seen_all = True
            before = sum(due.values())
            due["all"] = due.get("all", 0) + line.cost.minor
        else:
            assert not seen_all
            before = due[line.metric]
            due[line.metric] += line.cost.minor
        assert line.before.minor == before
        assert line.after.minor == before + line.cost.minor
        assert line.cost.minor or line.exact_cost
    assert statement.total.minor == sum(due.values())


@many
@given(bills())
def test_law_2_a_line_is_explained_by_its_limit_and_its_tiers(bill: Bill) -> None:
    for line in bill.statement.overages:
        tiers = sum((Fraction(tier.exact_cost) for tier in line.tiers), Fraction())
        assert Fraction(line.exact_cost) == tiers - Fraction(line.charged_before)
        if line.limit_parts:
            parts = sum((Fraction(part.quantity) for part in line.limit_parts), Fraction())
            assert parts == line.limit
        if line.unit_price is not None:
            each = Fraction(line.quantity) * Fraction(line.unit_price)
            assert each == Fraction(line.exact_cost)


@given(bills())
def test_law_2_a_statement_made_of_its_lines_is_the_same(bill: Bill) -> None:
    statement = bill.statement
    lines = statement.lines, statement.unused
    again = Statement(
        statement.org_id,
        statement.period,
        statement.plan,
        *lines,
        billing_period=statement.billing_period,
    )
    assert (again, hash(again), again.total) == (statement, hash(statement), statement.total)
    made = [
        Overage(
            line.metric, line.used, line.limit, line.price, line.cost, line.before, line.limit_parts
        )
        for line in statement.overages
    ]
    assert tuple(made) == statement.overages


@given(bills())
def test_law_5_a_bill_with_none_before_it_is_that_of_the_whole_period(bill: Bill) -> None:
    usual = calculate(bill.plan, bill.usage, limits=bill.known.limits)
    assert usual == calculate_after(bill.plan, bill.usage, {}, limits=bill.known.limits)


# Law 4


@st.composite
def histories(draw: st.DrawFn) -> list[Statement]:
    """Return results of a month, of one plan or of another."""
    terms = draw(st.lists(plans("USD"), min_size=1, max_size=2))
    return [
        calculate_after(
            draw(st.sampled_from(terms)),
            Usage("org-1", FEBRUARY, draw(quantities)),
            draw(st.just({}) | quantities),
            ended=draw(st.booleans()),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]


@many
@given(histories())
def test_law_4_records_sum_to_the_last_result_line_by_line(statements: list[Statement]) -> None:
    ledger = Ledger("org-1")
    for statement in statements:
        ledger.add(statement, plan_version=1, created_at=AT)
        assert sums_of(ledger.records) == result_of(statement)
        assert aggregate(ledger.records, currency="USD") == statement.summary()
        before = list(ledger.records), list(ledger.counters), ledger.head
        assert ledger.add(statement, plan_version=2, created_at=AT).new == ()
        assert (ledger.records, ledger.counters, ledger.head) == before
    due = {row[3]: (Fraction(row[4]), int(row[5])) for row in ledger.counters}
    totals = statements[-1].totals_by_metric()
    last = {m: (Fraction(t.quantity), t.cost.minor) for m, t in totals.items()}
    assert due == {metric: last.get(metric, (0, 0)) for metric in due}
    assert verify_chain("org-1", map(link_of, ledger.new), ledger.head) == len(ledger.new)


@many
@given(histories())
def test_law_4_a_unit_price_explains_the_exact_cost(statements: list[Statement]) -> None:
    ledger = Ledger("org-1")
    for statement in statements:
        ledger.add(statement, plan_version=1, created_at=AT)
    for record in ledger.records:
        if record.unit_price is not None:
            each = Fraction(record.quantity) * Fraction(record.unit_price)
            assert each == Fraction(record.exact_cost)
