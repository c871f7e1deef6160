"""Overage as it was recorded: by org, metric and period, how it grows, and who pays most."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Allowance,
    History,
    MemoryRepository,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    calculate,
    overage_history,
)
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue
from overages.insight.history import HistoryEntry, OrgCost, PeriodGrowth

PLAN = Plan(
    "starter",
    "USD",
    {"runs": Allowance(50, PerUnit("1.00")), "seats": Allowance(3, PerUnit(15))},
    minimum=Money(1000, "USD"),
)
JANUARY, FEBRUARY, MARCH = (Period.month(2024, month) for month in (1, 2, 3))


def statement(org_id: str, period: Period, runs: int, seats: int = 0) -> Statement:
    return calculate(PLAN, Usage(org_id, period, {"runs": runs, "seats": seats}))


STATEMENTS = [
    statement("acme", JANUARY, 70),
    statement("acme", FEBRUARY, 80, seats=5),
    statement("acme", MARCH, 54),
    statement("zeta", FEBRUARY, 150),
]
HISTORY = overage_history(STATEMENTS)


def dollars(amount: int) -> Money:
    return Money(amount * 100, "USD")


def test_a_history_is_in_order_of_time_org_and_metric() -> None:
    found = [(e.period, e.org_id, e.metric, e.quantity, e.cost) for e in HISTORY.entries]
    assert found == [
        (JANUARY, "acme", "runs", 20, dollars(20)),
        (FEBRUARY, "acme", "runs", 30, dollars(30)),
        (FEBRUARY, "acme", "seats", 2, dollars(30)),
        (FEBRUARY, "zeta", "runs", 100, dollars(100)),
        (MARCH, "acme", "runs", 4, dollars(4)),
        (MARCH, "acme", None, 0, dollars(6)),
    ]
    assert HISTORY.total == dollars(190)
    assert (HISTORY.orgs, HISTORY.metrics) == (("acme", "zeta"), ("runs", "seats"))
    assert HISTORY.periods == (JANUARY, FEBRUARY, MARCH)


def test_records_and_their_corrections_have_the_history_of_the_statement() -> None:
    repository = MemoryRepository()
    repository.put_plan(PLAN)
    now = datetime(2024, 4, 1, tzinfo=UTC)
    repository.record(statement("acme", JANUARY, 90), created_at=now)
    repository.record_many(STATEMENTS, created_at=now)
    records = [record for org in ("acme", "zeta") for record in repository.records(org)]
    assert len(records) > 6
    assert overage_history(records[::-1]) == HISTORY


def test_a_part_of_a_history_is_one_of_an_org_or_of_a_metric() -> None:
    assert HISTORY.of(org_id="zeta").total == dollars(100)
    assert HISTORY.of(metric="seats").total == dollars(30)
    assert HISTORY.of(org_id="acme", metric="runs").periods == (JANUARY, FEBRUARY, MARCH)
    assert HISTORY.of(org_id="zeta", metric="seats").entries == ()
    assert HISTORY.of() == HISTORY


def test_growth_is_that_against_the_period_before_exactly() -> None:
    growth = HISTORY.of(org_id="acme").growth()
    assert [(g.cost, g.before, g.ratio) for g in growth] == [
        (dollars(20), None, None),
        (dollars(60), dollars(20), 3),
        (dollars(10), dollars(60), Fraction(1, 6)),
    ]
    assert [str(each) for each in growth] == [
        "January 2024: 20.00 USD",
        "February 2024: 60.00 USD, 200 % more",
        "March 2024: 10.00 USD, 83.3 % less",
    ]


def test_after_a_gap_or_after_nothing_there_is_no_ratio() -> None:
    entries = [
        HistoryEntry("acme", JANUARY, "runs", 1, Money(-5, "USD")),
        HistoryEntry("acme", FEBRUARY, "runs", 1, Money(5, "USD")),
        HistoryEntry("acme", Period.month(2024, 4), "runs", 1, Money(7, "USD")),
    ]
    growth = History("USD", entries).growth()
    assert [(each.before and each.before.minor, each.ratio) for each in growth] == [
        (None, None), (-5, None), (None, None)
    ]  # fmt: skip
    assert PeriodGrowth(MARCH, Money(5, "USD"), Money(5, "USD")).ratio == Decimal(1)


def test_the_orgs_that_cost_most_come_first() -> None:
    assert HISTORY.top_orgs() == (OrgCost("zeta", dollars(100)), OrgCost("acme", dollars(90)))
    assert HISTORY.of(metric="runs").top_orgs(1) == (OrgCost("zeta", dollars(100)),)
    with pytest.raises(InvalidValue, match=r"^count: must be from 1 to"):
        HISTORY.top_orgs(0)


def test_orgs_that_cost_the_same_come_by_name() -> None:
    two = overage_history([statement("b", JANUARY, 60), statement("a", JANUARY, 60)])
    assert [each.org_id for each in two.top_orgs()] == ["a", "b"]


def test_rows_have_an_entry_each() -> None:
    rows = HISTORY.rows()
    assert len(rows) == 6
    assert rows[-1] == {
        "org_id": "acme", "period_start": MARCH.start, "period_end": MARCH.end, "metric": None,
        "quantity": 0, "cost": Decimal("6.00"), "currency": "USD",
    }  # fmt: skip


def test_a_history_shows_itself() -> None:
    assert str(HISTORY).splitlines()[-2:] == [
        "March 2024     acme  all        0    6.00 USD",
        "total                              190.00 USD",
    ]
    assert "<caption>Overage</caption>" in HISTORY._repr_html_()


def test_entries_without_units_and_cost_are_left_out() -> None:
    entry = HistoryEntry("acme", JANUARY, "runs", 0, Money(0, "USD"))
    assert History("USD", [entry]) == overage_history([], currency="USD")


def test_what_has_no_history_is_refused_by_name() -> None:
    with pytest.raises(InvalidValue, match=r"^sources: must hold at least one, or a currency"):
        overage_history([])
    stranger: Any = PLAN
    with pytest.raises(InvalidType, match=r"^sources\[1\]: must be an OverageRecord or a "):
        overage_history([STATEMENTS[0], stranger])
    euro = calculate(Plan("e", "EUR", PLAN.allowances), Usage("acme", JANUARY, {"runs": 60}))
    with pytest.raises(CurrencyMismatch, match=r"^sources\[1\]: USD and EUR"):
        overage_history([STATEMENTS[0], euro])
    entry = HISTORY.entries[0]
    with pytest.raises(InvalidValue, match=r"^entries\[1\]\.metric: must be once"):
        History("USD", [entry, entry])
    with pytest.raises(CurrencyMismatch, match=r"^entries\[0\]\.cost: EUR and USD"):
        History("EUR", [entry])
    with pytest.raises(CurrencyMismatch, match=r"^before: USD and EUR"):
        PeriodGrowth(JANUARY, Money(1, "USD"), Money(1, "EUR"))
