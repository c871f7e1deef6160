"""Gathering: what a repository has of an org, put together for a calculation."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Cycle,
    Grant,
    MemoryRepository,
    Metric,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Usage,
    UsageEvent,
)
from overages.bookkeeping.period_inputs import PeriodInputs
from overages.bookkeeping.settling import Settling
from overages.errors import InvalidValue, UnknownMetric, UnknownPlan
from overages.usage.event_sum import EventSum
from overages.usage.routing import Routes

JAN, FEB, MAR = (Period.month(2024, n) for n in (1, 2, 3))
ROLLING = Plan("p", "USD", {"runs": Allowance(100, PerUnit(1), carry_over=CarryOver())})
PLAIN = Plan("p", "USD", {"runs": Allowance(100, PerUnit(1))})
PEAK = Plan("p", "USD", {"peak": Allowance(10, PerUnit(1))})
ACCOUNT = Account("org-1", "p", since=SINCE)
PACK = Grant("g", 5, metric="runs", effective_at=JAN.start)
SUMS = Routes([])
DAY = timedelta(days=1)


class Watched(MemoryRepository):
    """Notes which periods were looked at, and when a plan was asked for."""

    def __init__(self, plan: Plan, **used: int) -> None:
        super().__init__()
        self.seen: list[Period] = []
        self.asked: list[Any] = []
        self.put_plan(plan)
        for month, runs in used.items():
            self.put_usage(Usage("org-1", Period.parse(f"2024-{month[1:]}"), {"runs": runs}))

    def event_sums(self, org_id: str, period: Period, **named: Any) -> Mapping[str, EventSum]:
        self.seen.append(period)
        return super().event_sums(org_id, period, **named)

    def usage(self, org_id: str, period: Period, **named: Any) -> Usage:
        self.seen.append(period)
        return super().usage(org_id, period, **named)

    def plan(self, slug: str, **named: Any) -> Plan:
        self.asked.append(named["at"])
        return super().plan(slug, **named)


def settled(repository: Any, account: Account, routes: Routes, period: Period) -> Settlement:
    """Settle a period that is over, and those before it that it depends on."""
    return Settling(repository, account, routes, lambda _: True).settlement(period)


def limit_of(repository: MemoryRepository, period: Period, account: Account = ACCOUNT) -> Any:
    return settled(repository, account, SUMS, period).statement["runs"].limit


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


def test_an_accounts_first_period_has_none_before_it() -> None:
    repository = Watched(ROLLING, m02=50)
    assert limit_of(repository, FEB, Account("org-1", "p", since=FEB.start)) == 100
    assert repository.seen == [FEB]


def test_an_account_goes_on_from_its_start_idle_or_not() -> None:
    repository = Watched(ROLLING)
    since = Account("org-1", "p", since=datetime(2024, 1, 31, tzinfo=UTC))
    assert limit_of(repository, MAR, since) == 203  # 100 x 1/31 is 3


def test_what_was_carried_lapses_where_terms_end() -> None:
    repository = Watched(ROLLING, m01=40)
    paused = Account("org-1", "p", since=JAN.start).ended(at=FEB.start)
    resumed = paused.changed(since=MAR.start, plan="p")
    assert limit_of(repository, MAR, resumed) == 100


def test_events_count_in_any_period_that_has_their_instants() -> None:
    """The billing day moved: the 3rd is of another period now than when it was reported."""
    repository = Watched(PLAIN)
    repository.add_events([UsageEvent("org-1", "runs", 40, JAN.start + 2 * DAY)])
    first, _ = JAN.split(JAN.start + 9 * DAY)
    for account, period in ((ACCOUNT, JAN), (ACCOUNT.ended(at=first.end), first)):
        (usage,) = PeriodInputs(repository, account, SUMS).usages(period)
        assert usage == Usage("org-1", period, {"runs": 40})


def test_sums_of_a_span_that_a_period_cuts_are_an_error_that_names_it() -> None:
    repository = Watched(PLAIN)
    repository.put_usage(Usage("org-1", Period(JAN.start, FEB.end), {"runs": 40}))
    problem = r"^org-1, 2024-01-01 to 2024-02-01 UTC: usage\.quantities\.runs: must be asked"
    with pytest.raises(InvalidValue, match=problem):
        PeriodInputs(repository, ACCOUNT, SUMS).usages(JAN)


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
    paris = Account("org-1", "p", cycle=Cycle.monthly("Europe/Paris"), since=SINCE)
    quarter = Allowance(100, PerUnit(1), included_for=Cycle.calendar("quarter", "Europe/Paris"))
    repository = Watched(Plan("p", "USD", {"runs": quarter}))
    february = paris.period_at(FEB.start)
    repository.put_usage(Usage("org-1", paris.period_at(JAN.start), {"runs": 40}))
    assert limit_of(repository, february, paris) == 60
    with pytest.raises(InvalidValue, match=r"^org-1: period: must be one of the org's own, 2024-"):
        limit_of(repository, MAR, paris)


def test_usage_is_summed_where_no_metric_is_more_than_a_sum() -> None:
    repository = Watched(PLAIN, m02=50)
    assert PeriodInputs(repository, ACCOUNT, SUMS).usages(FEB)[0] == Usage(
        "org-1", FEB, {"runs": 50}
    )


def test_a_metric_that_is_worked_out_comes_beside_what_is_summed() -> None:
    repository = Watched(PLAIN, m02=50)
    noon = datetime(2024, 2, 3, 12, tzinfo=UTC)
    events = [UsageEvent("org-1", "peak", n, noon) for n in (3, 7, 5)]
    repository.add_events(events)
    inputs = PeriodInputs(repository, ACCOUNT, Routes([Metric("peak", "max")]))
    assert inputs.usages(FEB) == [Usage("org-1", FEB, {"runs": 50, "peak": 7})]
    assert inputs.usages(JAN) == [Usage("org-1", JAN, {})]


def test_a_fault_of_a_metric_names_org_and_period() -> None:
    repository = MemoryRepository()
    repository.put_plan(PEAK)
    event = UsageEvent("org-1", "visits", 1, FEB.start)
    repository.add_events([event])
    routes = Routes([Metric("visitors", "unique", event="visits", distinct="user")])
    with pytest.raises(InvalidValue, match=r"^org-1, 2024-02-01 to 2024-03-01 UTC: "):
        PeriodInputs(repository, ACCOUNT, routes).usages(FEB)[0]


def test_what_is_worked_out_draws_on_grants_at_the_periods_end() -> None:
    repository = MemoryRepository()
    repository.put_plan(PEAK)
    repository.put_grant("org-1", Grant("g", 5, metric="peak", effective_at=MAR.start))
    repository.put_grant("org-1", Grant("h", 2, metric="peak", effective_at=FEB.start))
    noon = datetime(2024, 2, 3, 12, tzinfo=UTC)
    repository.add_events([UsageEvent("org-1", "peak", 13, noon)])
    routes = Routes([Metric("peak", "max")])
    settlement = settled(repository, ACCOUNT, routes, FEB)
    assert settlement.statement["peak"].limit == 12
    assert settlement.burndowns[0].draws[0].at.day == 29


def test_quantities_that_sum_to_nothing_are_counted_all_the_same() -> None:
    """What was drawn on a grant for them can't be drawn again."""
    repository = MemoryRepository()
    repository.put_plan(Plan("p", "USD", {"calls": Allowance(0, PerUnit(1))}))
    repository.put_grant("org-1", Grant("g", 3, metric="calls", effective_at=JAN.start))
    for month in (JAN, FEB):
        events = [UsageEvent("org-1", "call", 0, month.start) for _ in range(3)]
        repository.add_events(events)
    routes = Routes([Metric("calls", "count", event="call")])
    found = [settled(repository, ACCOUNT, routes, month) for month in (JAN, FEB)]
    assert [settlement.statement.total.minor for settlement in found] == [0, 300]


def test_a_plan_that_carries_nothing_leaves_no_units_but_its_draws_count() -> None:
    repository = Watched(ROLLING, m01=103, m02=40)
    repository.put_plan(Plan("first", "USD", PLAIN.allowances))
    repository.put_grant("org-1", PACK)
    moved = Account("org-1", "first", since=JAN.start).changed(since=FEB.start, plan="p")
    settlement = settled(repository, moved, SUMS, MAR)
    assert settlement.statement["runs"].limit == 160
    assert settlement.balance.burndowns[0].drawn == 3


# Times within a period

TWELFTH, TWENTIETH = datetime(2024, 3, 12, tzinfo=UTC), datetime(2024, 3, 20, tzinfo=UTC)
FIRST, SECOND = MAR.split(TWELFTH)
MOVED = Account("org-1", "p", since=JAN.start).changed(since=TWELFTH, limits={"runs": 31})


def of_march(day: int, quantity: int, metric: str = "runs", **named: Any) -> UsageEvent:
    at = datetime(2024, 3, day, 12, tzinfo=UTC)
    return UsageEvent("org-1", metric, quantity, at, **named)


def counted(
    events: list[UsageEvent], routes: Routes = SUMS, account: Account = MOVED, plan: Plan = PLAIN
) -> list[Usage]:
    repository = MemoryRepository()
    repository.put_plan(plan)
    repository.add_events(events)
    return PeriodInputs(repository, account, routes).usages(MAR)


def test_flows_are_summed_in_each_time_between_changes() -> None:
    whole, *times = counted([of_march(3, 40), of_march(11, 5), of_march(12, 7)])
    assert whole == Usage("org-1", MAR, {"runs": 52})
    assert times == [Usage("org-1", FIRST, {"runs": 45}), Usage("org-1", SECOND, {"runs": 7})]


def test_levels_and_worked_out_metrics_are_counted_in_each_time() -> None:
    plan = Plan(
        "p", "USD", {**PLAIN.allowances, **PEAK.allowances, "seats": PEAK.allowances["peak"]}
    )
    routes = Routes([Metric("peak", "max"), Metric("seats", "last")])
    events = [of_march(3, 5, "peak"), of_march(15, 3, "peak"), of_march(3, 4, "seats")]
    events += [of_march(31, 6, "seats"), of_march(12, 9)]
    events += [of_march(25, 1, "peak")]
    whole, first, second = counted(events, routes, plan=plan)
    assert whole.quantities == {"runs": 9, "peak": 5, "seats": 6}
    assert first.quantities == {"peak": 5, "seats": 4}
    assert second.quantities == {"runs": 9, "peak": 3, "seats": 6}


def test_a_level_of_an_earlier_period_is_held_in_each_time() -> None:
    repository = MemoryRepository()
    repository.put_plan(Plan("p", "USD", {**PLAIN.allowances, "seats": PEAK.allowances["peak"]}))
    told = UsageEvent("org-1", "seats", 5, datetime(2024, 1, 5, tzinfo=UTC))
    repository.add_events([told])
    routes = Routes([Metric("seats", "last", reports="level")])
    usages = PeriodInputs(repository, MOVED, routes).usages(MAR)
    assert [usage.quantities["seats"] for usage in usages] == [5, 5, 5]


def test_a_window_that_ends_within_a_part_divides_its_usage() -> None:
    weekly = Cycle(datetime(2024, 3, 4, tzinfo=UTC), unit="week")
    plan = Plan("p", "USD", {"runs": Allowance(10, PerUnit(1), included_for=weekly)})
    usages = counted([of_march(3, 1), of_march(5, 2), of_march(30, 3)], account=ACCOUNT, plan=plan)
    weeks = MAR.split(*(datetime(2024, 3, day, tzinfo=UTC) for day in (4, 11, 18, 25)))
    of = {usage.period: usage.quantities.get("runs", 0) for usage in usages}
    assert [of[week] for week in weeks] == [1, 2, 0, 0, 3]


def test_a_moved_billing_day_divides_usage_by_its_instants() -> None:
    """What was counted in March is of two periods, and a level that was told in January is held."""
    account = Account("org-1", "p", since=JAN.start)
    account = account.changed(since=TWELFTH, cycle=Cycle(TWELFTH))
    seats = Metric("seats", "last", reports="level")
    repository = MemoryRepository()
    repository.put_plan(Plan("p", "USD", {**PLAIN.allowances, "seats": PEAK.allowances["peak"]}))
    told = UsageEvent("org-1", "seats", 5, datetime(2024, 1, 5, tzinfo=UTC))
    repository.add_events([told])
    repository.add_events([of_march(3, 40), of_march(20, 7)])
    inputs = PeriodInputs(repository, account, Routes([seats]))
    second = account.period_at(TWENTIETH)
    assert inputs.usages(FIRST) == [Usage("org-1", FIRST, {"runs": 40, "seats": 5})]
    assert inputs.usages(second) == [Usage("org-1", second, {"runs": 7, "seats": 5})]
    late = UsageEvent("org-1", "runs", 2, FEB.start)
    repository.add_events([late], lambda _: second.start)
    inputs = PeriodInputs(repository, account, Routes([seats]))
    assert inputs.usages(second)[0].quantities["runs"] == 9


def test_a_version_that_terms_stay_on_is_read_once() -> None:
    repository = MemoryRepository()
    repository.put_plan(PLAIN)
    repository.put_plan(Plan("p", "USD", {"runs": Allowance(7, PerUnit(1))}), since=FEB.start)
    pinned = Account("org-1", "p", since=JAN.start, plan_version=1)
    assert limit_of(repository, MAR, pinned) == 100
    assert limit_of(repository, MAR) == 7


def test_a_plan_that_is_new_within_a_period_holds_from_its_part_on() -> None:
    repository = MemoryRepository()
    repository.put_plan(PLAIN, since=JAN.start)
    repository.put_plan(Plan("new", "USD", {"runs": Allowance(310, PerUnit(1))}), since=TWELFTH)
    account = Account("org-1", "p", since=JAN.start).changed(since=TWELFTH, plan="new")
    settlement = settled(repository, account, SUMS, MAR)
    assert [line.limit for line in settlement.statement.of("runs")] == [35, 200]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (Metric("used", "max", event="peak"), [5, 5]),
        (Metric("used", "sum", event="peak"), [2, 3]),
    ],
    ids=["a level", "a flow"],
)
def test_a_metric_is_a_flow_or_a_level_as_it_is_counted(metric: Metric, expected: Any) -> None:
    first, second = (Plan(f"p{n}", "USD", {"used": Allowance(5, PerUnit(n))}) for n in (1, 2))
    repository = MemoryRepository()
    for plan in (first, second):
        repository.put_plan(plan)
    repository.add_events([of_march(3, 6, "peak"), of_march(15, 6, "peak")])
    account = Account("org-1", "p1", since=JAN.start).changed(since=TWELFTH, plan="p2")
    lines = settled(repository, account, Routes([metric]), MAR).statement.of("used")
    assert [line.limit for line in lines] == expected


SEATS = Allowance(3, PerUnit(15), kind="level")
CHEAPER = Allowance(3, PerUnit(12), kind="level")
PER_SEAT = Allowance(10, PerUnit(1), included_per="seats")


def of_two_plans(
    first: dict[str, Allowance], second: dict[str, Allowance], *metrics: Metric
) -> PeriodInputs:
    """Return the inputs of an org with 7 seats that changes its plan on 12 March."""
    repository = MemoryRepository()
    for slug, allowances in (("p1", first), ("p2", second)):
        repository.put_plan(Plan(slug, "USD", allowances))
    repository.add_events([of_march(2, 7, "seats")])
    account = Account("org-1", "p1", since=JAN.start).changed(since=TWELFTH, plan="p2")
    return PeriodInputs(repository, account, Routes(metrics))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"seats": SEATS}, {"seats": CHEAPER}),
        ({"seats": SEATS}, {"runs": SEATS}),
        ({"seats": SEATS, "runs": PER_SEAT}, {"seats": SEATS}),
    ],
    ids=["price", "unknown", "brings units"],
)
def test_a_level_that_is_summed_is_refused_where_a_part_needs_it(
    first: dict[str, Allowance], second: dict[str, Allowance]
) -> None:
    for metrics in ([], [Metric("seats", "sum")]):
        with pytest.raises(
            InvalidValue,
            match=r" metrics: must be counted as a level, .*Metric\('seats', .* got 'seats'$",
        ) as error:
            of_two_plans(first, second, *metrics).usages(MAR)
        assert (error.value.org_id, error.value.period) == ("org-1", MAR)


def test_a_level_that_is_counted_as_one_or_not_cut_needs_no_more() -> None:
    seats = Metric("seats", "last", reports="level")
    cut = of_two_plans({"seats": SEATS}, {"seats": CHEAPER}, seats).settlement(
        MAR, Balance(), ended=True
    )
    assert [line.used for line in cut.statement.of("seats")] == [7, 7]
    whole = of_two_plans({"seats": SEATS}, {"seats": SEATS, "runs": Allowance(5, PerUnit(1))})
    assert whole.settlement(MAR, Balance(), ended=True).statement["seats"].used == 7


def test_sums_that_were_put_for_a_part_or_of_a_metric_that_is_not_cut_are_priced() -> None:
    runs, calls = Allowance(100, PerUnit(1)), Allowance(10, PerUnit(1))
    plans = [
        Plan("p", "USD", {"runs": runs, "calls": calls}),
        Plan("q", "USD", {"runs": Allowance(50, PerUnit(1)), "calls": calls}),
    ]
    repository = MemoryRepository()
    for plan in plans:
        repository.put_plan(plan)
    middle = FEB.start + 14 * DAY
    repository.put_account(Account("org-1", "p", since=FEB.start).changed(since=middle, plan="q"))
    repository.put_usage(Usage("org-1", Period(FEB.start, FEB.start + DAY), {"runs": 5}))
    repository.put_usage(Usage("org-1", FEB, {"calls": 12}))
    account = repository.account("org-1")
    assert account is not None
    settling = Settling(repository, account, SUMS, lambda _: True)
    statement = settling.settlement(FEB).statement
    assert f"{statement.total.amount:f}" == "2.00"
