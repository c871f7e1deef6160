"""Windows: allowances for a longer time than the period, counted on from one to the next."""

from datetime import timedelta

import pytest
from tests.settled import DOLLAR, FEB, JAN, YEAR, YEARLY, runs, settled, totals

from overages import (
    Allowance,
    Balance,
    Cycle,
    Graduated,
    Grant,
    Money,
    Period,
    Plan,
    Tier,
    Usage,
    Volume,
    settle,
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


def test_a_period_lies_within_one_of_the_allowances() -> None:
    with pytest.raises(InvalidValue, match=r"^usage\.period: must lie within one period"):
        settle(YEARLY, runs(5, Period(JAN.start, YEAR.period_at(JAN.start).end + timedelta(1))))
