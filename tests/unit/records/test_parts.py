"""Recording a period of several parts: a record for each line, and one charge for a metric."""

from datetime import UTC, datetime

import pytest
from tests.recorded import AT

from overages import (
    Account,
    Allowance,
    Cycle,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    aggregate,
    settle,
)
from overages.errors import PeriodOverlap
from overages.records.ledger import Ledger

MARCH = Period.month(2024, 3)
MIDDLE = datetime(2024, 3, 12, tzinfo=UTC)
PLANS = {
    slug: Plan(slug, "USD", {"runs": Allowance(included, PerUnit(price))})
    for slug, included, price in (("starter", 310, 1), ("pro", 620, "0.50"))
}
STARTER = Account("org-1", "starter", Period.month(2024, 1).start)
UPGRADED = STARTER.changed(since=MIDDLE, plan="pro")


def march(account: Account) -> Statement:
    """Return March with 400 runs used before the 12th and 1,000 after."""
    first, last = MARCH.split(MIDDLE)
    usages = [
        Usage("org-1", period, {"runs": runs})
        for period, runs in ((MARCH, 1_400), (first, 400), (last, 1_000))
    ]
    return settle(account, PLANS, MARCH, usages).statement


def recorded(ledger: Ledger, statement: Statement) -> list[tuple[str, str]]:
    recording = ledger.add(statement, plan_version=1, created_at=AT).recording()
    return [(record.line, str(record.cost)) for record in recording.new]


def test_each_part_has_a_record_and_together_they_are_the_statement() -> None:
    ledger, statement = Ledger("org-1"), march(UPGRADED)
    assert recorded(ledger, statement) == [
        ("overage:2024-03-01T00:00:00Z", "290.00 USD"),
        ("overage:2024-03-12T00:00:00Z", "300.00 USD"),
    ]
    assert recorded(ledger, statement) == []
    assert aggregate(ledger.records) == statement.summary()


def test_a_change_that_is_told_later_takes_back_the_line_of_the_whole_period() -> None:
    ledger = Ledger("org-1")
    assert recorded(ledger, march(STARTER)) == [("overage", "1,090.00 USD")]
    assert recorded(ledger, march(UPGRADED)) == [
        ("overage:2024-03-01T00:00:00Z", "290.00 USD"),
        ("overage:2024-03-12T00:00:00Z", "300.00 USD"),
        ("overage", "-1,090.00 USD"),
    ]
    assert aggregate(ledger.records) == march(UPGRADED).summary()


def test_a_part_is_not_charged_where_a_period_that_overlaps_is() -> None:
    ledger = Ledger("org-1")
    recorded(ledger, march(UPGRADED))
    cycle = Cycle.monthly(day=20)
    moved = Account("org-1", "starter", datetime(2024, 2, 20, tzinfo=UTC), cycle=cycle)
    period = moved.period_at(MIDDLE)
    late = settle(moved, PLANS, period, Usage("org-1", period, {"runs": 999})).statement
    with pytest.raises(PeriodOverlap, match="must not overlap the charge of runs for 2024-03-01"):
        recorded(ledger, late)
