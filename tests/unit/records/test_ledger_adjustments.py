"""Recording statements whose lines are more than overages."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.recorded import AT

from overages import (
    Allowance,
    Discount,
    Money,
    OverageRecord,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    aggregate,
    calculate,
)
from overages.errors import PeriodClosed, PeriodOverlap, RecordConflict
from overages.records.chain import link_of, verify_chain
from overages.records.ledger import Ledger
from overages.records.recording import Recording

FEBRUARY = Period.month(2024, 2)
SPRING = Period.parse("2024-02-15T00:00:00Z/2024-03-15T00:00:00Z")


def plan(percent: int = 50, minimum: int = 500, **more: Allowance) -> Plan:
    half = [Discount("launch", percent=percent)] if percent else []
    offers = {"tokens": Allowance(100, PerUnit("0.01"), discounts=half), **more}
    return Plan("starter", "USD", offers, minimum=Money(minimum, "USD"))


def statement(terms: Plan | None = None, period: Period = FEBRUARY, **used: Any) -> Statement:
    return calculate(terms or plan(), Usage("org-1", period, used))


def add(ledger: Ledger, given: Statement, **named: Any) -> Recording:
    return ledger.add(given, **{"plan_version": 1, "created_at": AT, **named}).recording()


def brief(recording: Recording) -> list[tuple[Any, ...]]:
    return [(r.metric, r.line, r.quantity, r.cost.minor, r.revision) for r in recording.new]


def check(ledger: Ledger, last: Statement) -> None:
    there: list[OverageRecord] = [r for r in ledger.records if r.period == last.period]
    assert aggregate(there, currency="USD") == last.summary()
    assert verify_chain("org-1", map(link_of, ledger.new), ledger.head) == len(ledger.new)


def test_each_line_is_recorded_and_corrected_by_itself() -> None:
    ledger = Ledger("org-1")
    assert brief(add(ledger, statement(tokens=500))) == [
        ("tokens", "overage", 400, 400, 1),
        ("tokens", "discount:launch", 0, -200, 1),
        (None, "minimum", 0, 300, 1),
    ]
    again = add(ledger, statement(tokens=500))
    assert (len(again.records), again.new) == (3, ())
    assert brief(add(ledger, statement(tokens=600))) == [
        ("tokens", "overage", 100, 100, 2),
        ("tokens", "discount:launch", 0, -50, 2),
        (None, "minimum", 0, -50, 2),
    ]
    check(ledger, statement(tokens=600))


def test_lines_that_are_no_more_are_taken_back_and_can_come_again() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=500))
    free = statement(plan(0, 0), tokens=500)
    assert brief(add(ledger, free)) == [
        ("tokens", "discount:launch", 0, 200, 2),
        (None, "minimum", 0, -300, 2),
    ]
    check(ledger, free)
    assert brief(add(ledger, statement(tokens=500))) == [
        ("tokens", "discount:launch", 0, -200, 3),
        (None, "minimum", 0, 300, 3),
    ]
    check(ledger, statement(tokens=500))


def test_a_minimum_is_recorded_where_nothing_is_over() -> None:
    ledger = Ledger("org-1")
    assert brief(add(ledger, statement())) == [(None, "minimum", 0, 500, 1)]
    assert ledger.counters == []
    check(ledger, statement())


def test_what_is_due_for_a_metric_has_its_adjustments() -> None:
    ledger = Ledger("org-1")
    runs = Allowance(0, PerUnit(1), minimum=Money(700, "USD"))
    for tokens in (500, 600):
        add(ledger, statement(plan(runs=runs), tokens=tokens, runs=2))
    period = ("org-1", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z")
    assert [row for row in ledger.counters if row[3] == "runs"] == [
        (*period, "runs", "2", "700", "USD", 2)
    ]
    assert [row for row in ledger.counters if row[3] == "tokens"] == [
        (*period, "tokens", "400", "200", "USD", 2),
        (*period, "tokens", "500", "250", "USD", 2),
    ]


def test_an_adjustment_that_is_lost_in_rounding_is_recorded_all_the_same() -> None:
    terms = Plan("p", "USD", {"a": Allowance(0, PerUnit("0.004"))}, maximum=Money(0, "USD"))
    ledger = Ledger("org-1")
    recording = add(ledger, statement(terms, a=1))
    assert brief(recording) == [("a", "overage", 1, 0, 1), (None, "maximum", 0, 0, 1)]
    assert recording.new[1].exact_cost == Decimal("-0.004")
    assert add(ledger, statement(terms, a=1)).new == ()


def test_a_revision_that_says_something_else_names_the_lines_that_differ() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=500))
    other = statement(plan(minimum=600), tokens=500)
    with pytest.raises(RecordConflict) as caught:
        add(ledger, other, revision=1)
    assert caught.value.problem.endswith(" differs in minimum.exact_cost, minimum.cost")
    with pytest.raises(RecordConflict, match=r"differs in tokens\.discount:launch\.exact_cost, "):
        add(ledger, statement(plan(25), tokens=500), revision=1)


def test_an_adjustment_is_due_once_in_periods_that_overlap() -> None:
    ledger = Ledger("org-1")
    add(ledger, statement(tokens=100))
    with pytest.raises(PeriodOverlap) as caught:
        add(ledger, statement(period=SPRING, tokens=100))
    assert (caught.value.org_id, caught.value.period) == ("org-1", SPRING)
    assert " of minimum for " in caught.value.problem
    assert brief(add(ledger, statement(plan(0, 0), SPRING, tokens=101)))


def test_lines_overlap_by_their_own_name() -> None:
    ledger = Ledger("org-1")
    runs = Allowance(0, PerUnit(1), minimum=Money(5, "USD"))
    add(ledger, statement(plan(0, 0, runs=runs)))
    assert [record.line for record in ledger.records] == ["minimum"]
    overage = Allowance(0, PerUnit(1))
    assert add(ledger, statement(plan(0, 0, runs=overage), SPRING, runs=1)).new
    with pytest.raises(PeriodOverlap, match=r"the charge of runs\.minimum for 2024-02-01 "):
        add(ledger, statement(plan(0, 0, runs=runs), SPRING))


def test_a_closed_period_s_adjustments_change_only_by_force() -> None:
    closed = {FEBRUARY: datetime(2024, 3, 2, tzinfo=UTC)}
    ledger = Ledger("org-1", closed=closed)
    with pytest.raises(PeriodClosed):
        add(ledger, statement())
    assert add(ledger, statement(), force=True).new
