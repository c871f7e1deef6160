"""What a failing property shrinks to can be read, and is there after few tries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, settings, strategies as st

from overages import (
    Allowance,
    Balance,
    BreakEven,
    CarryOver,
    Comparison,
    Grant,
    History,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    UsageEvent,
    Volume,
    calculate,
)
from overages.insight.break_even import BreakEvenRange
from overages.insight.comparison import PlanCost
from overages.insight.history import HistoryEntry, PeriodGrowth
from overages.terms.carry_over import CarriedUnits
from overages.testing.strategies import histories, plans, statements, values

MOST_TRIES = 500  # the longest takes about half of them
JANUARY = Period.month(2024, 1)
TRIES = settings(
    max_examples=2_000,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    deadline=None,
    database=None,
)
ONE_DOLLAR = Plan("a", "USD", {"tokens": Allowance(0, PerUnit(1))})


def shrunk(strategy: st.SearchStrategy[Any], fails: Callable[[Any], bool]) -> Any:
    """Return the simplest value that fails, having seen to it that few had to be tried."""
    tries = 0

    def failing(drawn: Any) -> bool:
        nonlocal tries
        tries += 1
        return fails(drawn)

    simplest = find(strategy, failing, settings=TRIES, random=Random(2024))
    assert tries < MOST_TRIES
    return simplest


EARLY = BreakEvenRange(0, "0.999999999999", "a")
NOTHING = Money(0, "USD")

FAILURES: dict[str, tuple[Any, Callable[[Any], bool], Any]] = {
    "a period": (values(Period), lambda _: True, JANUARY),
    "money": (values(Money), lambda money: money.minor > 1_000, Money(1_001, "USD")),
    "a refund": (values(Money), lambda money: money.minor < 0, Money(-1, "USD")),
    "usage": (
        values(Usage),
        lambda usage: sum(quantity > 1_000 for quantity in usage.quantities.values()) > 0,
        Usage("org-1", JANUARY, {"tokens": 1_001}),
    ),
    "a decimal": (
        values(Usage),
        lambda usage: any(isinstance(quantity, Decimal) for quantity in usage.quantities.values()),
        Usage("org-1", JANUARY, {"tokens": "0.1"}),
    ),
    "an event": (
        values(UsageEvent), lambda event: event.quantity < 0,
        UsageEvent("org-1", "tokens", -1, JANUARY.start),
    ),
    "a break-even": (
        values(BreakEven), lambda answer: len(answer.ranges) > 1,
        BreakEven("tokens", [EARLY, BreakEvenRange(1, 2, "a")]),
    ),
    "plans compared": (
        values(Comparison), lambda comparison: len(comparison.plans) > 1,
        Comparison(
            "org-1", [PlanCost(slug, JANUARY, NOTHING, NOTHING) for slug in ("a", "b")], "a"
        ),
    ),
    "a history": (
        values(History), lambda history: history.total.minor > 10,
        History("USD", [HistoryEntry("org-1", JANUARY, "tokens", 0, Money(11, "USD"))]),
    ),
    "a growth": (
        values(PeriodGrowth), lambda growth: growth.ratio is not None,
        PeriodGrowth(JANUARY, NOTHING, Money(1, "USD")),
    ),
    "a table": (values(Volume), lambda price: len(price.tiers) > 1, Volume([Tier(1), Tier(None)])),
    "an allowance": (
        values(Allowance), lambda allowance: allowance.carry_over is not None,
        Allowance(0, PerUnit(0), carry_over=CarryOver()),
    ),
    "a plan": (
        plans(),
        lambda plan: any((offer.included or 0) > 100 for offer in plan.allowances.values()),
        Plan("a", "USD", {"tokens": Allowance(101, PerUnit(0))}),
    ),
    "a grant": (
        values(Grant),
        lambda grant: grant.expires_at is not None,
        Grant(
            "a", 0, metric="tokens", effective_at=JANUARY.start,
            expires_at=datetime(2024, 1, 2, tzinfo=UTC),
        ),
    ),
    "a balance": (
        values(Balance),
        lambda balance: bool(balance.carried),
        Balance({"tokens": [CarriedUnits(1, JANUARY)]}),
    ),
    "a statement": (
        statements(), lambda statement: any(line.cost.minor for line in statement.overages),
        calculate(ONE_DOLLAR, Usage("org-1", JANUARY, {"tokens": 1})),
    ),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_shrinks_to_what_can_be_read(failure: str) -> None:
    strategy, fails, simplest = FAILURES[failure]
    assert shrunk(strategy, fails) == simplest


def test_a_statement_with_an_adjustment_has_few_lines_of_small_numbers() -> None:
    statement: Statement = shrunk(statements(), lambda statement: bool(statement.adjustments))
    assert (statement.plan.slug, statement.currency.code, statement.period) == ("a", "USD", JANUARY)
    assert list(statement.plan.allowances) in ([], ["tokens"])
    assert len(statement.adjustments) == 1
    assert abs(statement.total.minor) <= 100


def test_a_history_with_a_correction_is_two_records_of_one_month() -> None:
    records = shrunk(histories(), lambda records: any(r.revision > 1 for r in records))
    assert [record.revision for record in records] == [1, 2]
    assert {record.period for record in records} == {JANUARY}
    assert {record.cost.currency.code for record in records} == {"USD"}
