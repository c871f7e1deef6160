"""A budget that stops charging holds or is refused, over every adapter."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Budget,
    Cycle,
    Metric,
    Money,
    OverageService,
    PerUnit,
    Plan,
    Repository,
    Usage,
    UsageEvent,
)
from overages.errors import CurrencyMismatch, InvalidValue, UnknownMetric
from overages.testing.contract.base import FEB, JAN, MAR, OURS, nothing_written

DAY = timedelta(days=1)
DURING = FEB.start + 19 * DAY
FREE = Allowance(0, PerUnit(1))
PLAN, EURO = Plan("p", "USD", {"runs": FREE}), Plan("euro", "EUR", {"runs": FREE})
OWN = "^org-1: budget.on_reached: must leave charging to the terms of the org, which say of the"
NONE_DUE = Money(0, "USD")


def dollars(units: int) -> Money:
    return Money.of(units, "USD")


def cap(units: int, **named: Any) -> Budget:
    return Budget(dollars(units), on_reached="stop_charging", **named)


class Org:
    """An org that uses 100 runs in each of three months, and has them billed."""

    def __init__(self, repository: Repository, account: Account | None = None) -> None:
        self.repository, self.now = repository, DURING
        self.service = OverageService(repository, clock=lambda: self.now)
        repository.put_plan(PLAN)
        repository.put_plan(EURO)
        repository.put_account(account or Account(OURS, "p", since=JAN.start))
        for month in (JAN, FEB):
            self.use(month.start + DAY)

    def use(self, at: Any) -> None:
        self.service.record_usage([UsageEvent(OURS, "runs", 100, at)])

    def put(self, units: int, **named: Any) -> Any:
        return self.service.put_budget(OURS, cap(units, **named))

    def drop(self, budget_id: str = "all") -> None:
        self.service.drop_budget(OURS, budget_id)

    @property
    def account(self) -> Account:
        account = self.repository.account(OURS)
        assert account is not None
        return account

    def change(self, **named: Any) -> None:
        self.repository.put_account(self.account.changed(**named))

    def bill(self, period: Any = None) -> Money:
        statement = self.service.calculate(OURS, period)
        assert statement is not None
        return statement.total


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (
            Account(OURS, "p", since=JAN.start).changed(since=MAR.start, maximum=dollars(500)),
            "500.00 USD, from 2024-03-01T00:00:00Z",
        ),
        (
            Account(OURS, "p", since=JAN.start, maximum=dollars(500)).changed(
                since=FEB.start + 9 * DAY, drop_bounds=["maximum"]
            ),
            "500.00 USD, from 2024-01-01T00:00:00Z",
        ),
        (
            Account(OURS, "p", since=JAN.start).changed(since=MAR.start, drop_bounds=["maximum"]),
            "none, from 2024-03-01T00:00:00Z",
        ),
        (Account(OURS, "p", since=JAN.start, maximum=dollars(50)), "50.00 USD, from 2024-01-01"),
    ],
    ids=["stated later", "dropped later", "none later", "the same"],
)
def test_it_is_refused_where_entries_of_the_host_say_the_maximum(
    repository: Repository, account: Account, said: str
) -> None:
    org = Org(repository, account)
    problem = f"{OWN} maximum themselves: {re.escape(said)}"
    with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
        org.put(50)


def test_it_is_refused_again_while_the_host_says_another_and_dropped_all_the_same(
    repository: Repository,
) -> None:
    org = Org(repository)
    org.put(50)
    org.change(since=MAR.start, maximum=dollars(500))
    with nothing_written(repository), pytest.raises(InvalidValue, match=OWN):
        org.put(50)
    org.drop()
    assert org.bill() == dollars(100)
    assert org.account.at(MAR.start).maximum == dollars(500)  # type: ignore[union-attr]


def test_it_is_put_again_where_the_host_has_dropped_it(repository: Repository) -> None:
    org = Org(repository)
    org.put(50)
    org.change(since=JAN.start, drop_bounds=["maximum"])
    org.change(since=FEB.start, drop_bounds=["maximum"])
    assert org.bill() == dollars(100)
    for _ in range(2):
        assert org.put(50).remaining == NONE_DUE
        assert org.bill() == dollars(50)
    org.drop()
    assert [org.bill(month) for month in (JAN, FEB)] == [dollars(100)] * 2


def test_a_maximum_that_the_host_has_put_in_its_place_is_not_dropped_with_it(
    repository: Repository,
) -> None:
    org = Org(repository)
    org.put(50)
    org.change(since=FEB.start, maximum=dollars(50))
    org.drop()
    assert org.bill() == dollars(50)
    with nothing_written(repository), pytest.raises(InvalidValue, match=OWN):
        org.put(40)
    org.service.put_budget(OURS, Budget(dollars(40)))


def test_entries_that_are_taken_back_say_nothing(repository: Repository) -> None:
    org = Org(repository)
    org.change(since=MAR.start, maximum=dollars(500))
    repository.put_account(org.account.cancelled(since=MAR.start))
    org.put(50)
    repository.put_account(org.account.cancelled(since=FEB.start))
    assert org.bill() == dollars(100)
    org.put(50)
    assert org.bill() == dollars(50)


def test_it_holds_over_changes_of_plan_and_returns(repository: Repository) -> None:
    org = Org(repository)
    repository.put_plan(Plan("q", "USD", {"runs": Allowance(0, PerUnit(2))}))
    org.put(50)
    org.change(since=FEB.start + DAY * 9, plan="q")
    org.use(DURING)
    assert org.bill() == dollars(50)
    org.drop()
    assert org.bill() == dollars(300)


def test_one_that_is_dropped_while_no_terms_hold_is_not_there_when_they_are_resumed(
    repository: Repository,
) -> None:
    org = Org(repository)
    org.put(50)
    org.put(20, id="lower")
    repository.put_account(org.account.ended(at=DURING))
    org.now += DAY
    org.drop("lower")
    org.drop()
    with nothing_written(repository):
        org.drop()
    org.now = MAR.start + DAY
    org.change(since=MAR.start, plan="p")
    org.use(org.now)
    assert org.bill() == dollars(100)
    assert org.put(30).remaining == NONE_DUE
    assert org.bill() == dollars(30)


def test_one_that_is_left_while_no_terms_hold_is_there_when_they_are_resumed(
    repository: Repository,
) -> None:
    org = Org(repository)
    org.put(50)
    org.put(20, id="lower")
    repository.put_account(org.account.ended(at=DURING).changed(since=MAR.start, plan="p"))
    org.now += DAY
    org.drop("lower")
    org.now = MAR.start + DAY
    org.use(org.now)
    assert org.bill() == dollars(50)


def test_a_clock_that_was_set_back_changes_the_entries_that_came_later(
    repository: Repository,
) -> None:
    org = Org(repository)
    org.put(50)
    org.now = JAN.start + DAY
    org.put(40)
    assert [org.bill(month) for month in (JAN, FEB)] == [dollars(40)] * 2
    org.drop()
    assert [org.bill(month) for month in (JAN, FEB)] == [dollars(100)] * 2
    org.now = JAN.start - DAY
    org.drop()


def test_no_bill_is_kept_from_being_made_by_one_in_another_currency(
    repository: Repository,
) -> None:
    org = Org(repository)
    org.put(50)
    org.change(since=MAR.start, plan="euro")
    org.change(since=MAR.end, plan="p")
    org.now = MAR.end + 40 * DAY
    for at in (MAR.start + DAY, MAR.end + DAY, org.now):
        org.use(at)
    with pytest.raises(CurrencyMismatch):
        org.bill(MAR)
    org.drop()
    months = list(org.account.periods(FEB.start, org.now))
    assert [str(org.bill(month)) for month in months] == [
        "50.00 USD", "100.00 EUR", "50.00 USD", "100.00 USD",
    ]  # fmt: skip


def test_one_that_a_later_plan_could_not_have_is_refused(repository: Repository) -> None:
    org = Org(repository)
    org.change(since=MAR.start, plan="euro")
    with nothing_written(repository), pytest.raises(CurrencyMismatch) as caught:
        org.put(50)
    assert caught.value.path == ("budget", "amount")
    org.change(since=MAR.start, plan="unheard of")
    org.put(50)
    assert org.bill() == dollars(50)


def test_one_below_the_minimum_of_the_orgs_own_is_refused(repository: Repository) -> None:
    org = Org(repository)
    org.change(since=MAR.start, minimum=dollars(80))
    problem = (
        r"^org-1: budget\.amount: must not be below the minimum of the org's own, 80\.00 USD from"
        " 2024-03-01T00:00:00Z on: change that, or set the budget higher"
    )
    with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
        org.put(79)
    org.put(80)


def test_it_stands_at_its_share_of_a_short_period(repository: Repository) -> None:
    org = Org(repository)
    repository.put_plan(Plan("q", "USD", {"runs": Allowance(0, PerUnit(2))}))
    org.change(since=FEB.start + 10 * DAY, plan="q")
    standing = org.put(50)
    assert (standing.limit, standing.used, standing.remaining) == (
        dollars(50), dollars(50), NONE_DUE,
    )  # fmt: skip
    org.change(since=FEB.start + 14 * DAY, cycle=Cycle(FEB.start + 14 * DAY))
    org.now = FEB.start + 5 * DAY
    (standing,) = org.service.budgets(OURS)
    assert standing.limit == standing.used == org.bill() == Money(2_414, "USD")  # 14 of 29 days


# Budgets that only tell, or stop usage


def test_a_window_in_which_more_was_taken_back_than_used_has_nothing_used(
    repository: Repository,
) -> None:
    org = Org(repository)
    repository.put_plan(Plan("p", "USD", {"runs": FREE, "calls": FREE}), since=FEB.start)
    daily = Cycle.calendar("day")
    org.service.put_budget(
        OURS, Budget(5, metric="runs", id="day", on_reached="stop_usage", window=daily)
    )
    org.service.put_budget(OURS, Budget(5, metric="calls", window=daily))
    for metric, units in [("runs", -4), ("calls", 3)]:
        org.service.record_usage([UsageEvent(OURS, metric, units, DURING)])
    used = [(each.name, each.used, each.remaining) for each in org.service.budgets(OURS)]
    assert used == [("calls-units-day", 3, 2), ("day", 0, 5)]
    assert org.service.decide(OURS, {"runs": 5}).verdict == "allow"
    assert org.service.decide(OURS, {"runs": 6}).verdict == "deny"


def test_a_window_has_the_units_of_its_metric_alone(repository: Repository) -> None:
    org = Org(repository)
    repository.put_metric(Metric("calls", "count"))
    repository.put_plan(Plan("p", "USD", {"runs": FREE, "calls": FREE}), since=FEB.start)
    daily = Cycle.calendar("day")
    org.service.put_budget(OURS, Budget(5, metric="calls", window=daily))
    org.service.put_budget(OURS, Budget(5, metric="runs", window=daily))
    for metric, units in [("runs", -4), ("calls", 9), ("calls", 9)]:
        org.service.record_usage([UsageEvent(OURS, metric, units, DURING)])
    assert [(each.name, each.used) for each in org.service.budgets(OURS)] == [
        ("calls-units-day", 2), ("runs-units-day", 0),
    ]  # fmt: skip


def test_a_window_that_cuts_a_span_of_sums_is_refused_by_name(repository: Repository) -> None:
    org = Org(repository)
    org.service.put_budget(OURS, Budget(5, metric="runs", window=Cycle.calendar("day")))
    repository.put_usage(Usage(OURS, FEB, {"runs": 7}))
    with pytest.raises(
        InvalidValue, match=r"^org-1, 2024-02-20 to 2024-02-21 UTC: usage"
    ) as caught:
        org.service.decide(OURS, {"runs": 1})
    assert caught.value.org_id == OURS


def test_a_budget_of_a_metric_that_the_plan_knows_no_more_is_in_no_others_way(
    repository: Repository,
) -> None:
    org = Org(repository)
    repository.put_plan(Plan("calls", "USD", {"calls": FREE}))
    for budget in (
        Budget(500, metric="runs"),
        Budget(dollars(500), metric="runs", id="runs-cost"),
        Budget(5, metric="runs", id="runs-day", window=Cycle.calendar("day")),
    ):
        org.service.put_budget(OURS, budget)
    org.change(since=FEB.start + 9 * DAY, plan="calls")
    org.service.put_budget(OURS, Budget(7, metric="calls", on_reached="stop_usage"))
    used = {each.name: each.used for each in org.service.budgets(OURS)}
    assert used == {"calls-units": 0, "runs-units": 100, "runs-cost": dollars(100), "runs-day": 0}
    with pytest.raises(UnknownMetric):
        org.service.put_budget(OURS, Budget(9, metric="runs"))
    org.now = MAR.start + DAY
    used = {each.name: each.used for each in org.service.budgets(OURS)}
    assert used == {"calls-units": 0, "runs-units": 0, "runs-cost": NONE_DUE, "runs-day": 0}
