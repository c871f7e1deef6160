"""Charges of windows: the money that usage in a day, or a week, adds to an org's bill."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Budget,
    CarryOver,
    Cycle,
    Grant,
    MemoryRepository,
    Metric,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Usage,
    UsageEvent,
    Volume,
)
from overages.bookkeeping.period_inputs import PeriodInputs
from overages.errors import CurrencyMismatch, InvalidValue, StorageError
from overages.prices.tier import Tier

JAN, FEB, MAR = (Period.month(2024, n) for n in (1, 2, 3))
DAY = timedelta(days=1)
DAILY = Budget(Money.of("10.00", "USD"), on_reached="stop_usage", window=Cycle.calendar("day"))
WEEKLY = Budget(Money.of("90.00", "USD"), on_reached="stop_usage", window=Cycle.calendar("week"))
PLAN = Plan(
    "p", "USD", {"runs": Allowance(10, PerUnit("1.00")), "jobs": Allowance(0, PerUnit("2.00"))}
)


class Host:
    """A service with an org, and a clock."""

    def __init__(self, plan: Plan = PLAN, *, metrics: Any = (), **terms: Any) -> None:
        self.repository, self.now = MemoryRepository(), FEB.start + timedelta(days=19, hours=12)
        self.service = OverageService(self.repository, clock=lambda: self.now, metrics=metrics)
        self.repository.put_plan(plan)
        self.repository.put_account(Account("acme", "p", since=JAN.start, **terms))

    def use(self, at: datetime | None = None, **units: int) -> None:
        self.service.record_usage(
            [UsageEvent("acme", metric, n, at or self.now) for metric, n in units.items()]
        )

    def charged(self, budget: Budget = DAILY) -> str:
        """Return the money that is used of a budget of a window."""
        self.repository.put_budget("acme", budget)
        return str(next(b.used for b in self.service.budgets("acme") if b.name == budget.id))


def days(count: int) -> datetime:
    """Return an instant some days after February began."""
    return FEB.start + count * DAY


def test_units_cost_what_they_did_when_they_were_used() -> None:
    host = Host()
    host.use(days(2), runs=8)
    host.use(runs=5)
    assert host.charged() == "3.00 USD"
    host.now = days(2)
    assert host.charged() == "0.00 USD"


def test_a_budget_of_one_metric_has_the_charges_of_that() -> None:
    host = Host()
    host.use(runs=15, jobs=4)
    assert host.charged(Budget(DAILY.amount, metric="jobs", window=DAILY.window)) == "8.00 USD"
    assert host.charged(Budget(DAILY.amount, metric="runs", window=DAILY.window)) == "5.00 USD"
    assert host.charged() == "13.00 USD"


@pytest.mark.parametrize("closed", [False, True])
def test_a_week_over_the_end_of_a_month_has_the_rise_of_both_bills(*, closed: bool) -> None:
    host = Host()
    host.use(JAN.end - 4 * DAY, runs=6)  # before the week, which begins on 29 January
    host.use(JAN.end - DAY, runs=9)
    host.use(days(1), runs=11)
    if closed:
        host.service.close_ended()
        host.use(JAN.end - DAY, jobs=1)  # late
    host.now = days(2)
    assert host.charged(WEEKLY) == ("8.00 USD" if closed else "6.00 USD")
    host.now = days(5)
    assert host.charged(WEEKLY) == "0.00 USD"


def test_usage_that_is_dated_ahead_counts_in_its_own_window() -> None:
    host = Host()
    host.use(runs=5)
    host.use(host.now + timedelta(hours=13), runs=11)
    assert host.charged() == "0.00 USD"
    clamped = host.service.decide("acme", {"runs": 90}, on_passing="clamp")
    assert clamped.granted == {"runs": 15}  # five are still included today, as tomorrow comes later
    host.now += timedelta(hours=13)
    assert host.charged() == "6.00 USD"


def test_units_that_are_held_count_in_the_window_in_which_they_were_reserved() -> None:
    host = Host()
    host.use(runs=9)
    host.repository.put_budget("acme", WEEKLY)
    host.service.reserve("acme", {"runs": 3}, key="a", expires_at=host.now + 9 * DAY)
    host.now += DAY
    host.service.reserve("acme", {"runs": 4}, key="b", expires_at=host.now + 9 * DAY)
    host.repository.put_budget("acme", DAILY)
    daily, weekly = host.service.budgets("acme")
    assert (str(daily.used), str(daily.held)) == ("0.00 USD", "4.00 USD")
    assert (str(weekly.used), str(weekly.held)) == ("0.00 USD", "6.00 USD")
    host.use(host.now + timedelta(hours=20), runs=50)  # on the next day
    daily = host.service.budgets("acme")[0]
    assert (str(daily.used), str(daily.held)) == ("0.00 USD", "4.00 USD")
    assert host.service.decide("acme", {"runs": 7}).verdict == "deny"
    assert host.service.decide("acme", {"runs": 6}).verdict == "allow"


def test_where_the_bill_falls_nothing_is_charged() -> None:
    host = Host(Plan("p", "USD", {"runs": Allowance(0, Volume([Tier(10, 2), Tier(None, 1)]))}))
    host.use(days(2), runs=9)
    host.use(runs=2)
    assert host.charged() == "0.00 USD"  # 18.00 before, 11.00 now
    assert host.service.decide("acme", {"runs": 11}).verdict == "deny"
    assert host.service.decide("acme", {"runs": 10}).verdict == "allow"


def test_a_correction_leaves_no_window_with_less_than_nothing() -> None:
    host = Host()
    host.use(days(2), jobs=-4)
    host.use(jobs=7)
    assert host.charged() == "6.00 USD"  # the bill is of three, and was of none before


def test_a_minimum_at_the_end_is_no_charge_of_any_window() -> None:
    host = Host(minimum=Money.of("50.00", "USD"))
    host.use(JAN.end - 2 * DAY, jobs=3)
    host.use(days(1), jobs=1)
    host.now = days(2)
    assert host.charged(WEEKLY) == "8.00 USD"


def test_units_that_are_carried_over_and_granted_cost_nothing() -> None:
    runs = Allowance(10, PerUnit("1.00"), carry_over=CarryOver())
    host = Host(Plan("p", "USD", {"runs": runs}))
    host.repository.put_grant("acme", Grant("g", 5, metric="runs", effective_at=days(10)))
    host.repository.put_grant("acme", Grant("m", Money(300, "USD"), effective_at=days(10)))
    host.use(JAN.start, runs=6)
    host.use(days(2), runs=13)
    host.use(runs=14)
    assert host.charged() == "5.00 USD"  # 14 and 5 are free, 3 are paid for


def test_a_change_of_plan_within_the_period_is_as_it_is_billed() -> None:
    host = Host()
    dear = {"runs": Allowance(10, PerUnit("1.00")), "jobs": Allowance(0, PerUnit("3.00"))}
    host.repository.put_plan(Plan("dear", "USD", dear))
    account = host.repository.account("acme")
    assert account is not None
    host.repository.put_account(account.changed(since=days(10), plan="dear"))
    host.use(days(9), jobs=1)
    host.use(days(10), jobs=1)
    host.use(jobs=1)
    host.now = days(9)
    assert host.charged() == "2.00 USD"
    host.now = days(10)
    assert host.charged() == "3.00 USD"
    assert host.charged(Budget(DAILY.amount, window=Cycle.calendar("month"))) == "8.00 USD"


def test_a_level_is_charged_to_the_window_in_which_it_rises() -> None:
    seats = Metric("seats", "max", reports="level")
    host = Host(Plan("p", "USD", {"seats": Allowance(1, PerUnit("4.00"))}), metrics=[seats])
    host.use(JAN.start + DAY, seats=3)
    host.use(days(3), seats=4)
    host.use(seats=2)
    assert host.charged() == "0.00 USD"
    host.now = days(3)
    assert host.charged() == "4.00 USD"
    host.now = days(1)
    assert host.charged() == "0.00 USD"
    host.now = days(0)
    assert host.charged() == "8.00 USD"  # which are held as February begins


def test_counts_of_single_values_are_those_by_then() -> None:
    users = Metric("users", "unique", event="calls", distinct="user")
    host = Host(Plan("p", "USD", {"users": Allowance(1, PerUnit("4.00"))}), metrics=[users])
    for at, user in ((days(2), "ann"), (days(3), "bob"), (days(3), "ann"), (host.now, "bob")):
        host.service.record_usage([UsageEvent("acme", "calls", 1, at, dimensions={"user": user})])
    assert host.charged() == "0.00 USD"
    host.now = days(3)
    assert host.charged() == "4.00 USD"


def test_a_sum_that_a_window_cuts_is_refused_by_name() -> None:
    host = Host()
    host.repository.put_usage(Usage("acme", FEB, {"jobs": 3}))
    host.use(runs=12)
    with pytest.raises(
        InvalidValue, match=r"budgets\.all-day\.window: must not cut sums: jobs was"
    ):
        host.charged()
    of_runs = Budget(DAILY.amount, metric="runs", window=DAILY.window)
    host.service.drop_budget("acme", DAILY.id)
    assert host.charged(of_runs) == "2.00 USD"


def test_a_sum_that_was_put_for_a_window_counts_in_it() -> None:
    host = Host()
    host.repository.put_usage(Usage("acme", Period(days(19), days(20)), {"jobs": 3}))
    host.repository.put_usage(Usage("acme", Period(days(20), days(21)), {"jobs": 9}))
    assert host.charged() == "6.00 USD"
    assert host.service.decide("acme", {"jobs": 2}).verdict == "allow"
    assert host.service.decide("acme", {"jobs": 3}).verdict == "deny"


@pytest.mark.parametrize(
    ("named", "grant"),
    [
        ({"carry_over": CarryOver()}, None),
        ({"included_for": Cycle.calendar("year")}, None),
        ({}, Grant("m", Money.of("100", "USD"), effective_at=JAN.start)),
        ({}, None),
    ],
)
def test_units_that_make_the_next_period_dearer_are_charged_to_the_window(
    named: Any, grant: Grant | None
) -> None:
    host = Host(Plan("p", "USD", {"runs": Allowance(100, PerUnit("1.00"), **named)}))
    if grant is not None:
        host.repository.put_grant("acme", grant)
    host.now = JAN.end - DAY / 2
    host.use(host.now + DAY, runs=150)
    host.repository.put_budget("acme", WEEKLY)
    used = host.service.budgets("acme")[0].used
    decision = host.service.decide("acme", {"runs": 250}, on_passing="clamp")
    host.use(runs=int(decision.granted["runs"]))
    assert host.service.budgets("acme")[0].used <= max(used, WEEKLY.amount)  # type: ignore[operator]
    assert decision.granted["runs"] > 0
    host.use(runs=1)
    if decision.verdict == "partly":
        assert host.service.budgets("acme")[0].used > max(used, WEEKLY.amount)  # type: ignore[operator]


def test_a_level_that_rises_is_charged_to_the_next_period_as_well() -> None:
    seats = Metric("seats", "max", reports="level")
    host = Host(Plan("p", "USD", {"seats": Allowance(0, PerUnit("10.00"))}), metrics=[seats])
    host.now = JAN.end - DAY / 2
    host.repository.put_budget(
        "acme", Budget(Money.of("19.99", "USD"), window=WEEKLY.window, on_reached="stop_usage")
    )
    assert host.service.decide("acme", {"seats": 1}).verdict == "allow"  # February hasn't begun
    host.use(host.now + DAY, seats=0)
    assert host.service.decide("acme", {"seats": 1}).verdict == "deny"


def test_an_earlier_period_that_has_no_bill_adds_nothing() -> None:
    host = Host()
    host.use(JAN.end - DAY, jobs=-3)
    host.use(days(1), jobs=2)
    host.now = days(2)
    assert host.charged(WEEKLY) == "4.00 USD"
    assert host.service.decide("acme", {"jobs": 1}).verdict == "allow"


def test_an_earlier_period_of_two_currencies_adds_nothing() -> None:
    host = Host()
    host.repository.put_plan(Plan("q", "EUR", {"jobs": Allowance(0, PerUnit(3))}))
    account = host.repository.account("acme")
    assert account is not None
    account = account.changed(since=JAN.start + 9 * DAY, plan="q").changed(
        since=FEB.start, plan="p"
    )
    host.repository.put_account(account)
    host.use(JAN.end - DAY, jobs=5)
    host.use(days(1), jobs=2)
    host.now = days(2)
    assert host.charged(WEEKLY) == "4.00 USD"


def test_a_next_period_of_two_currencies_adds_nothing() -> None:
    host = Host()
    host.repository.put_plan(Plan("q", "EUR", {"jobs": Allowance(0, PerUnit(3))}))
    account = host.repository.account("acme")
    assert account is not None
    host.repository.put_account(account.changed(since=days(14), plan="q"))
    host.now = JAN.end - DAY / 2
    host.use(host.now + DAY, jobs=5)
    assert host.charged(WEEKLY) == "0.00 USD"
    assert host.service.decide("acme", {"jobs": 46}, on_passing="clamp").granted == {"jobs": 45}


def test_an_earlier_period_without_a_bill_takes_nothing_off_either() -> None:
    host = Host()
    host.use(JAN.start, jobs=250)
    host.use(days(1), jobs=15)
    unknown = UsageEvent("acme", "films", 1, JAN.end - DAY, "unknown")
    host.now = days(2)
    assert host.charged(WEEKLY) == "30.00 USD"
    host.repository.add_events([unknown])
    assert host.charged(WEEKLY) == "30.00 USD"
    assert host.service.decide("acme", {"jobs": 30}).verdict == "allow"
    assert host.service.decide("acme", {"jobs": 31}).verdict == "deny"


def test_a_next_period_that_units_make_unsettled_is_as_it_is_without_them() -> None:
    seats = Metric("seats", "max", reports="change")
    plan = Plan("p", "USD", {"jobs": PLAN.allowances["jobs"], "seats": Allowance(0, PerUnit(2))})
    host = Host(plan, metrics=[seats])
    host.repository.put_plan(Plan("q", "USD", {"jobs": PLAN.allowances["jobs"]}))
    account = host.repository.account("acme")
    assert account is not None
    host.repository.put_account(account.changed(since=FEB.start, plan="q"))
    host.now = JAN.end - timedelta(hours=1)
    host.use(FEB.start, jobs=40)
    assert host.charged(WEEKLY) == "80.00 USD"
    assert host.service.decide("acme", {"seats": 5}).verdict == "allow"
    assert host.service.decide("acme", {"seats": 6}).verdict == "deny"


def test_a_present_period_that_cannot_be_settled_is_told() -> None:
    host = Host()
    host.repository.put_plan(Plan("q", "EUR", {"jobs": Allowance(0, PerUnit(3))}))
    account = host.repository.account("acme")
    assert account is not None
    host.repository.put_account(account.changed(since=days(25), plan="q"))
    host.use(jobs=5)
    with pytest.raises(CurrencyMismatch, match="2024-02-01 to 2024-03-01"):
        host.charged(WEEKLY)


@pytest.mark.parametrize(("month", "good"), [(JAN, 0), (FEB, 0), (FEB, 1)])
def test_a_database_that_fails_is_no_period_without_a_bill(
    month: Period, good: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host()
    host.now = JAN.end - DAY / 2 if month == FEB else days(2)
    host.use(host.now, jobs=1)
    host.use(host.now + DAY if month == FEB else JAN.end - DAY, jobs=1)
    host.repository.put_budget("acme", WEEKLY)
    read = PeriodInputs.read

    def fail(self: PeriodInputs, period: Period, **named: Any) -> Any:
        nonlocal good
        if period == month:
            good -= 1
            if good < 0:
                raise StorageError("the disk is full")
        return read(self, period, **named)

    monkeypatch.setattr(PeriodInputs, "read", fail)
    with pytest.raises(StorageError, match="the disk is full"):
        host.service.decide("acme", {"jobs": 1})


def test_a_budget_of_one_metric_is_decided_though_another_is_below_zero() -> None:
    host = Host()
    host.repository.put_budget("acme", Budget(DAILY.amount, metric="runs", window=DAILY.window))
    host.use(jobs=-3)
    assert host.service.decide("acme", {"runs": 1}).verdict == "allow"


def test_units_that_were_held_after_the_window_by_a_clock_ahead_are_in_none_of_it() -> None:
    host = Host()
    host.now = days(2) + timedelta(seconds=10)
    host.use(days(1), runs=10)
    host.service.reserve("acme", {"runs": 5}, key="a", expires_at=host.now + DAY)
    host.now = days(2) - timedelta(seconds=10)
    host.repository.put_budget("acme", DAILY)
    (standing,) = host.service.budgets("acme")
    assert (str(standing.held), str(standing.remaining)) == ("0.00 USD", "10.00 USD")
    assert host.service.decide("acme", {"runs": 10}).verdict == "allow"
    assert host.service.decide("acme", {"runs": 11}).verdict == "deny"


def test_charges_in_another_currency_are_not_compared() -> None:
    host = Host()
    host.repository.put_plan(Plan("q", "EUR", {"jobs": Allowance(0, PerUnit(3))}))
    account = host.repository.account("acme")
    assert account is not None
    host.repository.put_account(account.changed(since=FEB.start, plan="q"))
    host.use(JAN.end - DAY, jobs=5)
    host.use(days(1), jobs=2)
    host.now = days(2)
    assert host.charged(Budget(Money(900, "EUR"), window=WEEKLY.window)) == "6.00 EUR"


def test_times_without_terms_or_a_plan_add_nothing() -> None:
    host = Host()
    host.repository.put_plan(Plan("q", "USD", {"jobs": Allowance(0, PerUnit(3))}), since=MAR.start)
    account = host.repository.account("acme")
    assert account is not None
    paused = account.ended(at=days(20)).changed(since=days(27), plan="q")  # in force from March on
    host.repository.put_account(paused.changed(since=MAR.start, plan="q"))
    host.use(days(19), jobs=1)
    host.now = MAR.start + DAY
    host.use(MAR.start, jobs=1)
    fortnightly = Budget(DAILY.amount, window=Cycle(days(18), every=2, unit="week"))
    assert host.charged(fortnightly) == "5.00 USD"
