"""Gathering: what a repository has of an org, put together for a calculation."""

from datetime import UTC, datetime
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    CarryOver,
    Cycle,
    Grant,
    MemoryRepository,
    Metric,
    Period,
    PerUnit,
    Plan,
    Usage,
    UsageEvent,
)
from overages.errors import InvalidValue, UnknownMetric, UnknownPlan
from overages.period_inputs import settlement_of, used_in
from overages.usage.routing import Routes

JAN, FEB, MAR = (Period.month(2024, n) for n in (1, 2, 3))
ROLLING = Plan("p", "USD", {"runs": Allowance(100, PerUnit(1), carry_over=CarryOver())})
PLAIN = Plan("p", "USD", {"runs": Allowance(100, PerUnit(1))})
PEAK = Plan("p", "USD", {"peak": Allowance(10, PerUnit(1))})
ACCOUNT = Account("org-1", "p")
PACK = Grant("g", 5, metric="runs", effective_at=JAN.start)
SUMS = Routes([])


class Watched(MemoryRepository):
    """Notes which periods were looked at, and when a plan was asked for."""

    def __init__(self, plan: Plan, **used: int) -> None:
        super().__init__()
        self.seen: list[Period] = []
        self.asked: list[Any] = []
        self.put_plan(plan)
        for month, runs in used.items():
            self.put_usage(Usage("org-1", Period.parse(f"2024-{month[1:]}"), {"runs": runs}))

    def usage(self, org_id: str, period: Period, **named: Any) -> Usage:
        self.seen.append(period)
        return super().usage(org_id, period, **named)

    def plan(self, slug: str, **named: Any) -> Plan:
        self.asked.append(named["at"])
        return super().plan(slug, **named)


def in_february(event: UsageEvent) -> Period:
    del event
    return FEB


def limit_of(repository: MemoryRepository, period: Period, account: Account = ACCOUNT) -> Any:
    return settlement_of(repository, account, period, SUMS).statement["runs"].limit


def test_where_nothing_is_kept_no_other_period_is_looked_at() -> None:
    repository = Watched(PLAIN, m01=40, m02=50)
    assert limit_of(repository, FEB) == 100
    assert repository.seen == [FEB]
    assert repository.asked == [FEB.start]  # once, for plans take time to read


def test_with_grants_all_periods_before_are_settled() -> None:
    repository = Watched(PLAIN, m01=103, m03=105)
    repository.put_grant("org-1", PACK)
    assert limit_of(repository, MAR) == 102
    assert repository.seen == [JAN, FEB, MAR]


def test_later_periods_change_nothing() -> None:
    repository = Watched(ROLLING, m01=40, m02=50, m03=60)
    assert limit_of(repository, FEB) == 160
    assert repository.seen == [JAN, FEB]


def test_without_earlier_usage_a_period_is_the_first() -> None:
    repository = Watched(ROLLING, m02=50)
    assert limit_of(repository, FEB) == 100
    assert limit_of(repository, FEB, Account("org-1", "p", since=MAR.start)) == 100
    assert repository.seen == [FEB, FEB]


def test_an_account_goes_on_from_its_start() -> None:
    repository = Watched(ROLLING)
    since = Account("org-1", "p", since=datetime(2024, 1, 31, tzinfo=UTC))
    assert limit_of(repository, MAR, since) == 300


def test_usage_within_an_idle_period_of_the_cycle_takes_its_place() -> None:
    repository = Watched(ROLLING)
    first, _ = JAN.split(datetime(2024, 1, 10, tzinfo=UTC))
    repository.put_usage(Usage("org-1", first, {"runs": 40}))
    assert limit_of(repository, FEB) == 160


def test_idle_periods_are_those_of_the_accounts_cycle() -> None:
    weekly = Account("org-1", "p", cycle=Cycle(JAN.start, unit="week"), since=JAN.start)
    assert limit_of(Watched(ROLLING), weekly.cycle.period(3), weekly) == 400


def test_a_plan_must_be_in_force() -> None:
    repository = MemoryRepository()
    repository.put_plan(ROLLING, since=FEB.start)
    repository.put_usage(Usage("org-1", JAN, {"runs": 1}))
    assert limit_of(repository, FEB) == 100
    with pytest.raises(UnknownPlan) as caught:
        limit_of(repository, JAN)
    assert (caught.value.org_id, caught.value.period) == ("org-1", JAN)


def test_an_earlier_periods_unknown_metric_is_not_priced_silently_at_zero() -> None:
    repository = Watched(ROLLING)
    repository.put_usage(Usage("org-1", JAN, {"jobs": 1}))
    with pytest.raises(UnknownMetric, match="jobs") as caught:
        limit_of(repository, FEB)
    assert (caught.value.org_id, caught.value.period) == ("org-1", JAN)


def test_days_and_parts_are_those_of_the_accounts_timezone() -> None:
    paris = Account("org-1", "p", cycle=Cycle.monthly("Europe/Paris"))
    quarter = Allowance(100, PerUnit(1), included_for=Cycle.calendar("quarter", "Europe/Paris"))
    repository = Watched(Plan("p", "USD", {"runs": quarter}))
    february = paris.period_at(FEB.start)
    repository.put_usage(Usage("org-1", paris.period_at(JAN.start), {"runs": 40}))
    assert limit_of(repository, february, paris) == 60
    with pytest.raises(InvalidValue, match=r"^org-1, 2024-03-.*: usage\.period: must lie within"):
        limit_of(repository, MAR, paris)


def test_usage_is_summed_where_no_metric_is_more_than_a_sum() -> None:
    repository = Watched(PLAIN, m02=50)
    assert used_in(repository, ACCOUNT, FEB, SUMS) == Usage("org-1", FEB, {"runs": 50})


def test_a_metric_that_is_worked_out_comes_beside_what_is_summed() -> None:
    repository = Watched(PLAIN, m02=50)
    noon = datetime(2024, 2, 3, 12, tzinfo=UTC)
    events = [UsageEvent("org-1", "peak", n, noon) for n in (3, 7, 5)]
    repository.add_events(events, lambda event: Period.month_of(event.at))
    found = used_in(repository, ACCOUNT, FEB, Routes([Metric("peak", "max")]))
    assert found == Usage("org-1", FEB, {"runs": 50, "peak": 7})
    assert used_in(repository, ACCOUNT, JAN, Routes([Metric("peak", "max")])).quantities == {}


def test_a_fault_of_a_metric_names_org_and_period() -> None:
    repository = MemoryRepository()
    repository.put_plan(PEAK)
    event = UsageEvent("org-1", "visits", 1, FEB.start)
    repository.add_events([event], in_february)
    routes = Routes([Metric("visitors", "unique", event="visits", distinct="user")])
    with pytest.raises(InvalidValue, match=r"^org-1, 2024-02-01 to 2024-03-01 UTC: "):
        used_in(repository, ACCOUNT, FEB, routes)


def test_what_is_worked_out_draws_on_grants_at_the_periods_end() -> None:
    repository = MemoryRepository()
    repository.put_plan(PEAK)
    repository.put_grant("org-1", Grant("g", 5, metric="peak", effective_at=MAR.start))
    repository.put_grant("org-1", Grant("h", 2, metric="peak", effective_at=FEB.start))
    noon = datetime(2024, 2, 3, 12, tzinfo=UTC)
    repository.add_events([UsageEvent("org-1", "peak", 13, noon)], in_february)
    settlement = settlement_of(repository, ACCOUNT, FEB, Routes([Metric("peak", "max")]))
    assert settlement.statement["peak"].limit == 12
    assert settlement.burndowns[0].draws[0].at.day == 29


def test_quantities_that_sum_to_nothing_are_counted_all_the_same() -> None:
    """What was drawn on a grant for them can't be drawn again."""
    repository = MemoryRepository()
    repository.put_plan(Plan("p", "USD", {"calls": Allowance(0, PerUnit(1))}))
    repository.put_grant("org-1", Grant("g", 3, metric="calls", effective_at=JAN.start))
    for month in (JAN, FEB):
        events = [UsageEvent("org-1", "call", 0, month.start) for _ in range(3)]
        repository.add_events(events, lambda _, month=month: month)  # type: ignore[misc]
    assert repository.usage_periods("org-1") == ()
    routes = Routes([Metric("calls", "count", event="call")])
    found = [settlement_of(repository, ACCOUNT, month, routes) for month in (JAN, FEB)]
    assert [settlement.statement.total.minor for settlement in found] == [0, 300]


def test_units_of_another_plan_are_not_carried_over_but_its_draws_count() -> None:
    repository = Watched(ROLLING, m01=103, m02=40)
    repository.put_usage(Usage("org-1", JAN, {"runs": 103, "of_another_plan": 7}))
    repository.put_grant("org-1", PACK)
    moved = Account("org-1", "p", since=FEB.start)
    settlement = settlement_of(repository, moved, MAR, Routes([]))
    assert settlement.statement["runs"].limit == 160
    assert settlement.balance.burndowns[0].drawn == 3
