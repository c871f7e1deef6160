"""Windows: allowances for a longer time than the period, counted on from one to the next."""

from datetime import UTC, datetime

import pytest
from tests.accounts import account_with, settle
from tests.settled import DOLLAR, FEB, JAN, YEAR, YEARLY, runs, settled, totals

import overages
from overages import (
    Allowance,
    Balance,
    Cycle,
    Graduated,
    Grant,
    Money,
    Period,
    Plan,
    Statement,
    Tier,
    Usage,
    Volume,
)
from overages.errors import InvalidValue

QUARTER = Cycle.calendar("quarter")


def test_the_example_of_the_module_comes_to_what_it_says() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(100, DOLLAR, included_for=QUARTER)})
    april = Period.month(2024, 4)
    first, second = QUARTER.period_at(JAN.start), QUARTER.period_at(april.start)
    january, february, march = settled(plan, 40, 70, 0)
    later = settle(plan, runs(5, april), march.balance)
    assert january.balance.used == (Usage("org-1", first, {"runs": 40}),)
    assert february.balance.used == (Usage("org-1", first, {"runs": 110}),)
    assert february.statement["runs"].quantity == 10
    assert later.balance.used == (Usage("org-1", second, {"runs": 5}),)


def test_a_year_begins_anew() -> None:
    first = settle(YEARLY, runs(60, Period.month(2023, 12)))
    second = settle(YEARLY, runs(60, JAN), first.balance)
    assert second.statement["runs"].limit == 100
    assert second.balance.used == (Usage("org-1", YEAR.period_at(JAN.start), {"runs": 60}),)


def test_allowances_for_several_times_are_kept_apart() -> None:
    quarter = Cycle.calendar("quarter")
    offers = {"runs": YEARLY.allowances["runs"], "jobs": Allowance(5, DOLLAR, included_for=quarter)}
    plan, balance = Plan("p", "USD", offers), Balance()
    for n, limits in enumerate([(100, 5), (60, 3), (20, 1), (0, 5)], 1):
        found = settle(plan, Usage("o", Period.month(2024, n), {"runs": 40, "jobs": 2}), balance)
        balance = found.balance
        assert tuple(line.limit for line in found.statement.overages) == limits
    assert [used.quantities for used in balance.used] == [{"runs": 160}, {"jobs": 2}]


def test_tiers_go_on_through_the_year() -> None:
    price = Graduated([Tier(10, 2), Tier(None, 1)])
    plan = Plan("p", "USD", {"runs": Allowance(0, price, included_for=YEAR)})
    assert totals(settled(plan, 6, 6, 6)) == [1200, 1000, 600]
    plan = Plan(
        "p", "USD", {"runs": Allowance(0, Volume([Tier(10, 2), Tier(None, 1)]), included_for=YEAR)}
    )
    paid = Grant("paid", Money(100, "USD"), effective_at=FEB.start)
    found = settled(plan, 10, 1, grants=[paid])
    assert totals(found) == [2000, -900]  # nothing is credited against what is given back


def test_what_unlimited_use_came_to_counts_once_there_is_a_limit() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(None, DOLLAR, included_for=YEAR)})
    (first,) = settled(plan, 150)
    assert settle(YEARLY, runs(5, FEB), first.balance).statement.total.minor == 500


def test_a_window_that_ends_within_a_period_needs_the_usage_of_each_side() -> None:
    """A year ends within the bill from 15 December: the 50 units of January are the new year's."""
    december, january = datetime(2024, 12, 15, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    bill = Period(december, datetime(2025, 1, 15, tzinfo=UTC))
    year = YEAR.period_at(december)
    before, after = bill.split(january)
    plan = Plan("p", "USD", {"runs": Allowance(1_000, DOLLAR, included_for=YEAR)})
    balance = Balance(used=[Usage("org-1", year, {"runs": 980})])
    with pytest.raises(InvalidValue, match=r"^runs\.usage\.period: must be that of 2024-12-15T00"):
        settle(plan, runs(100, bill), balance)
    usages = [runs(100, bill), runs(50, before), runs(50, after)]
    account = account_with("org-1", "p", bill)
    found = overages.settle(account, {"p": plan}, bill, usages, balance)
    lines = [
        (line.part, line.used, line.limit, line.cost.minor) for line in found.statement.of("runs")
    ]
    assert lines == [(before, 50, 20, 3_000), (after, 50, 1_000, 0)]
    assert found.statement.total == Money(3_000, "USD")
    assert found.balance.used == (runs(50, YEAR.period_at(january)),)
    with pytest.raises(InvalidValue, match=r"^metric: must have one line, and has one in each of"):
        found.statement["runs"]
    statement = found.statement
    assert Statement("org-1", bill, plan, statement.lines, statement.unused) == statement


def test_counts_of_a_window_outlast_a_plan_without_it() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(5, DOLLAR)})
    (first,) = settled(YEARLY, 60)
    second = settle(plan, runs(5, FEB), first.balance)
    assert second.balance.used == first.balance.used
    third = settle(YEARLY, runs(50, Period.month(2024, 3)), second.balance)
    assert third.statement["runs"].limit == 40
