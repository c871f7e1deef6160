"""Alerts through the service, whatever fails and in whatever order usage comes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.in_memory import in_memory

from overages import (
    Account,
    Alert,
    Allowance,
    Budget,
    CarryOver,
    Conversion,
    Cycle,
    Graduated,
    Grant,
    MemoryRepository,
    Metric,
    Money,
    OverageService,
    Package,
    Period,
    PerUnit,
    Plan,
    Threshold,
    Tier,
    Usage,
    UsageEvent,
    evolve,
)
from overages.bookkeeping.settling import Settling
from overages.errors import InvalidValue, StorageError, UnknownPlan

JAN, FEB, MARCH = (Period.month(2024, month) for month in (1, 2, 3))
NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ALLOWANCES = {"runs": Allowance(50, PerUnit("1.00")), "tokens": Allowance(0, PerUnit("0.10"))}
EIGHTY = Alert("runs-80", Threshold(percent=80), metric="runs")
on_each = pytest.mark.parametrize("make", ["memory", "sqlite"], indirect=True)
DAILY = Cycle.calendar("day")
IN_A_DAY = Alert("day-80", Threshold(percent=80), budget="day")


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[], Any]]:
    """Yield what makes repositories of a kind, which are closed in the end."""
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryRepository
        else:
            yield lambda: stack.enter_context(in_memory())


def service_on(
    repository: Any, *alerts: Alert, now: datetime = NOW, since: datetime = JAN.start, **plan: Any
) -> OverageService:
    """Return a service on a repository, with an org of a plan of some allowances."""
    repository.put_plan(Plan("starter", "USD", plan or ALLOWANCES))
    repository.put_account(Account("acme", "starter", since=since))
    service = OverageService(repository, clock=lambda: now)
    for alert in alerts:
        repository.put_alert(alert, put_at=min(since, now))
    return service


def use(service: OverageService, *quantities: int, metric: str = "runs", at: datetime = NOW) -> int:
    """Report events of some quantities in one batch."""
    return service.record_usage([UsageEvent("acme", metric, each, at) for each in quantities])


def told(service: OverageService) -> list[tuple[str, str, Any]]:
    """Return alert, state and used units of all that fired, as it did, silent ones too."""
    fired = service.alerts("acme", silent=True)
    return [(each.definition.alert.id, each.state, each.used) for each in reversed(fired)]


@on_each
class TestNumbersThatFail:
    """A number that can't be worked out leaves its own alert as it is, and no other."""

    def test_units_of_another_metric_that_are_taken_back_in_a_window(self, make: Any) -> None:
        service = service_on(make(), EIGHTY, IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        use(service, 10, metric="tokens", at=FEB.start)
        use(service, -2, metric="tokens")
        use(service, 45)
        assert sorted(told(service)) == [("day-80", "reached", 45), ("runs-80", "reached", 45)]

    def test_units_of_its_own_that_are_taken_back_are_none(self, make: Any) -> None:
        service = service_on(make(), EIGHTY, IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        use(service, 45, at=FEB.start)
        use(service, -3)
        assert ("runs-80", "reached", 45) in told(service)
        reading = service.alert_readings("acme")[-1]
        assert (reading.used, reading.standing) == (0, "not_reached")

    def test_a_period_that_cannot_be_settled_leaves_windows_alone_and_is_logged(
        self, make: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        service = service_on(make(), EIGHTY, IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        use(service, -2, metric="tokens")
        caplog.clear()
        use(service, 9, 36)
        assert told(service) == [("day-80", "reached", 9)]
        assert "acme: alert runs-80 stays as it is: InvalidValue" in caplog.messages
        readings = {each.definition.alert.id: each for each in service.alert_readings("acme")}
        assert readings["runs-80"].unreached == "unsettled"
        assert readings["runs-80"].standing == "undecided"
        use(service, 2, metric="tokens")
        assert told(service)[1:] == [("runs-80", "reached", 45)]

    def test_one_that_fired_is_not_cleared_by_a_number_that_is_not_known(self, make: Any) -> None:
        service = service_on(make(), EIGHTY)
        use(service, 45)
        use(service, -2, metric="tokens")
        use(service, 1)
        assert told(service) == [("runs-80", "reached", 45)]

    def test_a_sum_that_a_window_cuts_leaves_its_own_alert_alone(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, EIGHTY, IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        repository.put_usage(Usage("acme", FEB, {"tokens": 5}))
        use(service, 9)
        assert told(service) == [("day-80", "reached", 9)]
        repository.put_usage(Usage("acme", FEB, {"runs": 40}))
        service.record_usage([UsageEvent("acme", "tokens", 1, NOW, "e")])
        assert told(service)[1:] == [("runs-80", "reached", 49)]
        assert service.alert_readings("acme")[-1].unreached == "unsettled"
        service.withdraw("acme", "e")
        assert len(told(service)) == 2

    def test_steps_beyond_all_count_are_those_that_can_be_told(self, make: Any) -> None:
        each = Alert("each", Threshold(quantity=1, repeat=True), metric="runs")
        service = service_on(make(), each, runs=Allowance(None, PerUnit(0)))
        assert use(service, 10**19) == 1
        fired = service.alerts("acme")
        assert (len(fired), fired[0].step, fired[0].used) == (100, 2**63 - 1, 10**19)


@on_each
class TestWindows:
    """Windows of budgets are looked at as periods are."""

    def windowed(self, make: Any, *alerts: Alert, **plan: Any) -> OverageService:
        service = service_on(make(), *alerts, **plan)
        service._repository.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        return service

    def test_a_withdrawal_clears_them(self, make: Any) -> None:
        service = self.windowed(make, IN_A_DAY)
        for day in (1, 0):
            service.record_usage([UsageEvent("acme", "runs", 9, NOW - day * DAY, f"e{day}")])
        service.withdraw("acme", "e1")
        service.withdraw("acme", "e0")
        fired = [(each.state, each.period.start.day) for each in reversed(service.alerts("acme"))]
        assert fired == [("reached", 19), ("reached", 20), ("cleared", 19), ("cleared", 20)]

    def test_a_withdrawal_of_what_was_taken_back_fires_them(self, make: Any) -> None:
        service = self.windowed(make, IN_A_DAY)
        events = [
            UsageEvent("acme", "runs", quantity, NOW - 9 * DAY, f"e{quantity}")
            for quantity in (-5, 9)
        ]
        service.record_usage([UsageEvent("acme", "runs", 9, FEB.start), *events])
        assert len(told(service)) == 1
        assert service.withdraw_many("acme", ["e-5"]) == 1
        assert [each.period.start.day for each in service.alerts("acme")] == [11, 1]

    def test_an_alert_of_an_org_fires_at_once_in_the_present_one(self, make: Any) -> None:
        service = self.windowed(make)
        use(service, 9, at=NOW - DAY)
        use(service, 9)
        service.put_alert(IN_A_DAY, org_id="acme")
        assert [each.period.start.day for each in service.alerts("acme")] == [20]
        assert service.check_alerts() == ()

    def test_the_clock_looks_at_the_present_one_and_the_one_before(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, IN_A_DAY)
        repository.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        for day in (18, 19, 20):
            start = datetime(2024, 2, day, tzinfo=UTC)
            repository.put_usage(Usage("acme", Period(start, start + DAY), {"runs": 9}))
        fired = service.check_alerts()
        assert [each.period.start.day for each in fired] == [19, 20]
        assert service.check_alerts() == ()

    def test_a_budget_fires_at_once_in_the_present_one(self, make: Any) -> None:
        service = service_on(make(), IN_A_DAY, Alert("all", Threshold(percent=80), budget="all"))
        use(service, 9, at=NOW - DAY)
        use(service, 9)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        assert [each.period.start.day for each in service.alerts("acme")] == [20]
        service.put_budget("acme", Budget(18, metric="runs", id="all"))
        assert told(service)[1:] == [("all", "reached", 18)]

    def test_a_withdrawal_clears_a_budget_of_the_period(self, make: Any) -> None:
        service = service_on(make(), Alert("all", Threshold(percent=80), budget="all"))
        service.put_budget("acme", Budget(10, metric="runs", id="all"))
        service.record_usage([UsageEvent("acme", "runs", 9, NOW, "e")])
        service.withdraw("acme", "e")
        assert told(service) == [("all", "reached", 9), ("all", "cleared", 0)]

    def test_one_of_several_grants_is_looked_at_alone(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, Alert("b", Threshold(percent=50), grant="b"))
        for name, days in (("a", 1), ("b", 2), ("c", 3)):
            ends = FEB.end + days * DAY
            grant = Grant(name, 10, metric="runs", effective_at=JAN.start, expires_at=ends)
            repository.put_grant("acme", grant)
        use(service, 65)
        assert told(service) == [("b", "reached", 5)]

    def test_a_budget_that_is_dropped_clears_them(self, make: Any) -> None:
        service = service_on(make(), Alert("all", Threshold(percent=80), budget="all"))
        service.put_budget("acme", Budget(10, metric="runs", id="all"))
        use(service, 9)
        service.drop_budget("acme", "all")
        assert told(service) == [("all", "reached", 9), ("all", "cleared", 9)]
        assert use(service, 1) == 1
        assert len(told(service)) == 2

    def test_one_that_is_dropped_clears_its_day(self, make: Any) -> None:
        service = self.windowed(make, IN_A_DAY)
        use(service, 9)
        service.drop_budget("acme", "day")
        assert [each.unreached for each in service.alert_readings("acme")] == ["unknown"]
        assert told(service) == [("day-80", "reached", 9), ("day-80", "cleared", 9)]
        assert service.alert_summary("acme").standing["warning"] == 0
        service.check_alerts()
        assert len(told(service)) == 2

    @pytest.mark.parametrize("window", [None, Cycle.calendar("week")], ids=["period", "week"])
    def test_one_that_has_another_window_clears_its_day(
        self, make: Any, window: Cycle | None
    ) -> None:
        service = self.windowed(make, IN_A_DAY)
        use(service, 9)
        for amount in (100, 10):
            service.put_budget("acme", Budget(amount, metric="runs", id="day", window=window))
        assert told(service) == [
            ("day-80", state, 9) for state in ("reached", "cleared", "reached")
        ]
        first, cleared, last = reversed(service.alerts("acme"))
        assert first.period == cleared.period != last.period

    def test_one_that_is_over_stays_as_it_was_told(self, make: Any) -> None:
        service = self.windowed(make, IN_A_DAY)
        use(service, 9)
        later = OverageService(service._repository, clock=lambda: NOW + DAY)
        later.drop_budget("acme", "day")
        assert told(later) == [("day-80", "reached", 9)]

    def test_one_that_has_a_window_now_clears_its_period(self, make: Any) -> None:
        service = service_on(make(), IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day"))
        use(service, 9)
        service.put_budget("acme", Budget(100, metric="runs", id="day", window=DAILY))
        assert told(service) == [("day-80", "reached", 9), ("day-80", "cleared", 9)]
        service.put_budget("acme", Budget(100, metric="runs", id="day"))
        assert len(told(service)) == 2

    def test_units_are_converted_as_they_are_billed(self, make: Any) -> None:
        runs = Allowance(50, PerUnit(1), conversion=Conversion(divide=1000))
        service = self.windowed(make, IN_A_DAY, runs=runs)
        use(service, 7999)
        assert told(service) == []
        assert service.alert_readings("acme")[0].used == Decimal("7.999")
        use(service, 1)
        assert told(service) == [("day-80", "reached", 8)]

    def test_a_metric_that_the_plan_of_a_window_lacks_is_unknown(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        repository.put_plan(Plan("other", "USD", {"tokens": Allowance(0, PerUnit(1))}))
        account = repository.account("acme")
        repository.put_account(account.changed(since=FEB.start, plan="other"))
        assert [each.unreached for each in service.alert_readings("acme")] == ["unknown"]

    def test_a_window_in_which_the_terms_ended_is_looked_at(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        account = repository.account("acme")
        repository.put_account(account.ended(at=NOW - timedelta(hours=1)))
        use(service, 9, at=NOW - timedelta(hours=2))
        assert told(service) == [("day-80", "reached", 9)]
        repository.put_account(account.ended(at=NOW - timedelta(hours=1)).ended(at=NOW - DAY))
        service.check_alerts()
        assert told(service)[1:] == [("day-80", "cleared", 9)]

    def test_a_metric_of_the_service_is_counted_in_them(self, make: Any) -> None:
        repository = make()
        repository.put_metrics([Metric("runs", "count")])
        service = service_on(repository, IN_A_DAY)
        service.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        use(service, *[5] * 8)
        assert told(service) == [("day-80", "reached", 8)]

    def test_a_level_is_held_on_in_later_ones(self, make: Any) -> None:
        repository = make()
        repository.put_metrics([Metric("runs", "max", reports="level")])
        runs = Allowance(50, PerUnit(1), kind="level")
        service = service_on(repository, IN_A_DAY, runs=runs)
        repository.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        use(service, 9, at=NOW - 4 * DAY)
        assert [each.period.start.day for each in service.alerts("acme")] == [20, 19, 18, 17, 16]
        use(service, 8, at=NOW - 4 * DAY + timedelta(hours=1))
        assert len(told(service)) == 5


@on_each
class TestCharges:
    """Windows of budgets of money: usage in one changes those after it in its period."""

    TIERS = Allowance(0, Graduated([Tier(10, "1.00"), Tier(None, "0.10")]))

    def charging(self, make: Any, **plan: Any) -> OverageService:
        service = service_on(make(), IN_A_DAY, **plan or {"runs": self.TIERS})
        budget = Budget(Money.of("10", "USD"), id="day", window=DAILY)
        service._repository.put_budget("acme", budget)
        return service

    def told_by_day(self, service: OverageService) -> list[tuple[int, str, str]]:
        return [
            (each.period.start.day, each.state, str(each.used))
            for each in reversed(service.alerts("acme"))
        ]

    def test_included_units_reach_none(self, make: Any) -> None:
        service = self.charging(make, **ALLOWANCES)
        use(service, 50, at=NOW - DAY)
        use(service, 7)
        assert told(service) == []
        use(service, 2)
        assert self.told_by_day(service) == [(20, "reached", "9.00 USD")]

    def test_late_usage_changes_later_ones(self, make: Any) -> None:
        service = self.charging(make)
        use(service, 5, at=NOW - 9 * DAY)
        use(service, 9)
        assert told(service) == []
        use(service, -5, at=NOW - 9 * DAY)
        use(service, 11, at=NOW - 5 * DAY)
        assert self.told_by_day(service) == [
            (20, "reached", "9.00 USD"), (15, "reached", "10.10 USD"), (20, "cleared", "0.90 USD")
        ]  # fmt: skip

    @pytest.mark.parametrize("is_batch", [False, True])
    def test_a_batch_over_days_is_as_its_events_one_by_one(
        self, make: Any, *, is_batch: bool
    ) -> None:
        service = self.charging(make)
        events = [
            UsageEvent("acme", "runs", quantity, NOW - days * DAY, f"e{i}")
            for i, (quantity, days) in enumerate([(8, 0), (1, 0), (1, 3), (9, 3), (0, 1)])
        ]
        for part in [events] if is_batch else [[each] for each in events]:
            service.record_usage(part)
        assert self.told_by_day(service) == [
            (20, "reached", "8.00 USD"), (17, "reached", "10.00 USD"), (20, "cleared", "0.90 USD")
        ]  # fmt: skip

    def test_units_that_are_carried_over_change_the_next_period(self, make: Any) -> None:
        service = self.charging(make, runs=Allowance(10, PerUnit(1), carry_over=CarryOver()))
        use(service, 19)
        assert told(service) == []  # ten were carried over from January
        use(service, 9, at=JAN.start)
        assert self.told_by_day(service) == [(20, "reached", "8.00 USD")]

    def test_a_withdrawal_changes_later_ones(self, make: Any) -> None:
        service = self.charging(make)
        service.record_usage([UsageEvent("acme", "runs", 11, NOW - 9 * DAY, "e")])
        use(service, 9)
        service.withdraw("acme", "e")
        assert self.told_by_day(service) == [
            (11, "reached", "10.10 USD"), (11, "cleared", "0.00 USD"), (20, "reached", "9.00 USD")
        ]  # fmt: skip

    def test_a_level_is_charged_to_the_day_on_which_it_rises(self, make: Any) -> None:
        repository = make()
        repository.put_metrics([Metric("runs", "max", reports="level")])
        service = service_on(repository, IN_A_DAY, runs=Allowance(0, PerUnit(1), kind="level"))
        repository.put_budget("acme", Budget(Money.of("10", "USD"), id="day", window=DAILY))
        use(service, 9, at=JAN.start + 4 * DAY)  # and to 1 February, which is over
        assert self.told_by_day(service) == [(5, "reached", "9.00 USD")]

    def test_a_sum_that_a_window_cuts_is_not_settled(self, make: Any) -> None:
        service = self.charging(make)
        service.record_usage([UsageEvent("acme", "runs", 9, NOW, "e")])
        service._repository.put_usage(Usage("acme", FEB, {"runs": 5}))
        assert [each.unreached for each in service.alert_readings("acme")] == ["unsettled"]
        service.withdraw("acme", "e")
        assert self.told_by_day(service) == [(20, "reached", "9.00 USD")]

    def test_a_window_without_terms_has_no_charges(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, IN_A_DAY)
        repository.put_budget("acme", Budget(Money.of("10", "USD"), id="day", window=DAILY))
        repository.put_account(repository.account("acme").ended(at=NOW - 3 * DAY))
        service.check_alerts()
        assert told(service) == []
        use(service, 40, at=NOW - 4 * DAY)  # 28 are included in that part of the month
        assert self.told_by_day(service) == [(16, "reached", "12.00 USD")]

    def test_late_usage_fires_nothing_in_other_windows_that_are_over(self, make: Any) -> None:
        service = service_on(make(), runs=Allowance(0, PerUnit(1)))
        for day in range(1, 15):
            use(service, 12, at=NOW - day * DAY)
        budget = Budget(Money.of("10", "USD"), id="day", window=DAILY)
        service.put_budget("acme", budget)
        service.put_alert(IN_A_DAY, org_id="acme")
        use(service, 1, at=NOW - 15 * DAY)
        assert told(service) == []

    def test_another_amount_leaves_windows_alone_that_are_over(self, make: Any) -> None:
        service = self.charging(make, runs=Allowance(0, PerUnit(1)))
        use(service, 9, at=NOW - 5 * DAY)
        use(service, 9)
        service.put_budget("acme", Budget(Money.of("20", "USD"), id="day", window=DAILY))
        service.check_alerts()
        assert self.told_by_day(service) == [
            (15, "reached", "9.00 USD"), (20, "reached", "9.00 USD"), (20, "cleared", "9.00 USD")
        ]  # fmt: skip

    @pytest.mark.parametrize("is_money", [False, True])
    def test_a_withdrawal_clears_one_of_a_closed_period(self, make: Any, *, is_money: bool) -> None:
        service = self.charging(make, runs=Allowance(0, PerUnit(1)))
        if not is_money:
            service._repository.put_budget(
                "acme", Budget(10, metric="runs", id="day", window=DAILY)
            )
        service.close_ended()
        service.record_usage([UsageEvent("acme", "runs", 9, JAN.start, "late")])
        service.withdraw("acme", "late")
        fired = [(each.state, each.period.start) for each in reversed(service.alerts("acme"))]
        assert fired == [("reached", JAN.start), ("cleared", JAN.start)]

    def test_one_of_a_period_to_come_is_cleared_with_nothing(self, make: Any) -> None:
        repository = make()
        now = JAN.end - timedelta(hours=2)
        service = service_on(repository, IN_A_DAY, now=now, runs=self.TIERS)
        service.put_budget("acme", Budget(Money.of("10", "USD"), id="day", window=DAILY))
        service.record_usage([UsageEvent("acme", "runs", 9, FEB.start, "ahead")])
        service.withdraw("acme", "ahead")
        assert self.told_by_day(service) == [(1, "reached", "9.00 USD"), (1, "cleared", "0.00 USD")]

    def test_a_batch_over_days_that_reaches_nothing_is_kept_at_once(
        self, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service = self.charging(make, runs=Allowance(9, PerUnit("0.25")))
        use(service, 1)
        kept: list[int] = []
        add = service._repository.add_events

        def adding(events: Any, *named: Any) -> Any:
            kept.append(len(events))
            return add(events, *named)

        monkeypatch.setattr(service._repository, "add_events", adding)
        events = [UsageEvent("acme", "runs", 7, NOW - n % 16 * DAY, f"e{n}") for n in range(60)]
        service.record_usage(events)  # 105.00 in all, and less than 8.00 each day
        assert (told(service), kept) == ([], [60])

    def test_a_cent_that_comes_and_goes_by_rounding_is_told(self, make: Any) -> None:
        repository = make()
        all_of_it = Alert("day-100", Threshold(percent=100), budget="day")
        service = service_on(repository, all_of_it, runs=Allowance(0, PerUnit("0.006")))
        repository.put_budget("acme", Budget(Money.of("0.02", "USD"), id="day", window=DAILY))
        use(service, 3, at=NOW - DAY)  # 1.8 cents
        use(service, 2)  # 3.0 cents in all, and so one today
        use(service, 1, 1, at=NOW - DAY)  # 4 cents by 2 yesterday, then 4 by 3
        assert self.told_by_day(service) == [
            (19, "reached", "0.02 USD"), (20, "reached", "0.02 USD"), (20, "cleared", "0.01 USD")
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("kept", "batch", "window"),
        [
            (  # what is taken back today is worth more, the more of yesterday's is charged
                [("runs", 8, DAY), ("runs", -8, 0 * DAY)],
                [("tokens", 100, 0 * DAY), ("runs", 8, DAY)], DAILY,
            ),
            (  # and that of January, in a week that February has begun in
                [("runs", 8, 40 * DAY), ("runs", -8, 21 * DAY)],
                [("runs", 18, 18 * DAY), ("runs", 8, 40 * DAY)], Cycle.calendar("week"),
            ),
        ],
    )  # fmt: skip
    def test_units_that_were_taken_back_make_earlier_ones_count_less(
        self, make: Any, kept: Any, batch: Any, window: Any
    ) -> None:
        for is_batch in (True, False):
            now = NOW if window == DAILY else NOW - 18 * DAY
            repository = make()
            plan: dict[str, Any] = {**ALLOWANCES, "runs": Allowance(8, PerUnit(1))}
            service = service_on(repository, IN_A_DAY, now=now, **plan)
            for metric, units, ago in kept:
                use(service, units, metric=metric, at=NOW - ago)
            service.put_budget("acme", Budget(Money.of("12", "USD"), id="day", window=window))
            events = [
                UsageEvent("acme", metric, units, NOW - ago, f"e{units}-{metric}")
                for metric, units, ago in batch
            ]
            for part in [events] if is_batch else [[each] for each in events]:
                service.record_usage(part)
            told_of = [f"{state} {used}" for _, state, used in self.told_by_day(service)]
            assert told_of == ["reached 10.00 USD", "cleared 2.00 USD"]

    def test_usage_that_is_sent_again_fires_nothing_more(self, make: Any) -> None:
        service = self.charging(make, runs=Allowance(30, PerUnit(1)))
        first, second = (
            UsageEvent("acme", "runs", 30, NOW - days * DAY, f"e{days}") for days in (5, 10)
        )
        for events in ([first], [second], [first], [first, second]):
            service.record_usage(events)
        assert told(service) == []  # the 15th is over, and was when the 10th took its units

    @pytest.mark.parametrize(
        ("allowances", "scope", "limit", "events", "outcome"),
        [
            (  # the first units of a year are dear, and January's come late
                {"runs": Allowance(0, Graduated([Tier(10, "1.00"), Tier(None, "0.10")]),
                                   included_for=Cycle.calendar("year"))},
                "line", "10.50",
                [("runs", 20, NOW), ("runs", 5, JAN.start), ("runs", 5, JAN.start)],
                ["reached 11.00 USD", "cleared 6.50 USD", "reached 10.00 USD"],
            ),
            (  # a cent of runs goes to tokens, and comes back
                {"runs": Allowance(0, PerUnit("0.006")), "tokens": Allowance(0, PerUnit("0.004"))},
                "total", "0.01", [("runs", 1, NOW), *[("tokens", 1, NOW)] * 3],
                ["reached 0.01 USD", "cleared 0.00 USD"],
            ),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("window", [None, DAILY])
    def test_a_batch_is_as_its_events_where_earlier_ones_make_later_ones_cheaper(
        self,
        make: Any,
        window: Any,
        allowances: Any,
        scope: Any,
        limit: str,
        events: Any,
        outcome: Any,
    ) -> None:
        for first in (0, 1, 2):  # the size of a batch that comes first
            repository = make()
            service = service_on(repository, IN_A_DAY)
            plan = Plan("starter", "USD", allowances, rounding_scope=scope)
            repository.put_plan(plan, since=JAN.start)
            budget = Budget(Money.of(limit, "USD"), id="day", metric="runs", window=window)
            repository.put_budget("acme", budget)
            made = [
                UsageEvent("acme", metric, units, at, f"e{i}")
                for i, (metric, units, at) in enumerate(events)
            ]
            for part in (made[:first], made[first:]):
                service.record_usage(part)
            told_of = [f"{state} {used}" for _, state, used in self.told_by_day(service)]
            assert told_of == outcome

    def test_a_window_whose_charges_could_have_risen_and_fallen(self, make: Any) -> None:
        for size in (1, 2, 9):
            service = self.charging(make, runs=Allowance(0, Package("8.00", size=10)))
            use(service, 5, at=NOW - DAY)
            use(service, 9)  # they need a second package; and none, once yesterday has needed two
            events = [
                UsageEvent("acme", "runs", n, NOW - DAY, f"e{size}-{i}")
                for i, n in enumerate([1, 3, 1, 1, 4])
            ]
            for start in range(0, len(events), size):
                service.record_usage(events[start : start + size])
            assert self.told_by_day(service) == [
                (19, "reached", "8.00 USD"), (20, "reached", "8.00 USD"),
                (20, "cleared", "0.00 USD"),
            ]  # fmt: skip


@on_each
@pytest.mark.parametrize("is_money", [False, True], ids=["units", "money"])
class TestWindowsThatAreOver:
    """They have the budget that they had, and usage that falls tells nothing new of them."""

    HALF = Alert("half", Threshold(percent=50), budget="day")

    def service(self, make: Any, *alerts: Alert) -> OverageService:
        return service_on(make(), *alerts, runs=Allowance(0, PerUnit(1)))

    def budget(self, amount: int, *, is_money: bool) -> Budget:
        return Budget(
            Money.of(amount, "USD") if is_money else amount, id="day", metric="runs", window=DAILY
        )

    def told(self, service: OverageService) -> list[tuple[int, str, str]]:
        return [
            (
                each.period.start.day,
                each.state,
                f"{each.used} of {each.limit}".replace(".00 USD", ""),
            )
            for each in reversed(service.alerts("acme"))
        ]

    def change(self, service: OverageService, *days: datetime) -> None:
        """Let usage of some days rise and fall, by each call that can change it."""
        for number, day in enumerate(days):
            more, less = (UsageEvent("acme", "runs", n, day, f"m{number}{n}") for n in (3, -1))
            service.record_usage([more])
            service.record_usage([less])
            service.withdraw("acme", f"m{number}3")
            service.withdraw("acme", f"m{number}-1")
            with service.one_change() as changing:
                use(changing, 2, at=day)
                use(changing, -1, at=day)
            service.check_alerts()

    def test_a_budget_that_is_put_after_them_tells_nothing(
        self, make: Any, *, is_money: bool
    ) -> None:
        service = self.service(make, self.HALF)
        days = NOW - 9 * DAY, NOW - DAY
        for day in days:
            use(service, 29, at=day)
        service.put_budget("acme", self.budget(10, is_money=is_money))
        self.change(service, *days)
        assert self.told(service) == []

    def test_nor_does_an_alert(self, make: Any, *, is_money: bool) -> None:
        service = self.service(make)
        service._repository.put_budget("acme", self.budget(10, is_money=is_money))
        days = NOW - 9 * DAY, NOW - DAY
        for day in days:
            use(service, 29, at=day)
        service.put_alert(self.HALF)
        self.change(service, *days)
        assert self.told(service) == []

    def test_one_that_acts_otherwise_is_the_same_budget(self, make: Any, *, is_money: bool) -> None:
        service = self.service(make, self.HALF)
        service._repository.put_budget("acme", self.budget(10, is_money=is_money))
        stops = evolve(self.budget(10, is_money=is_money), on_reached="stop_usage")
        service.put_budget("acme", stops)
        use(service, 9, at=NOW - DAY)
        assert self.told(service) == [(19, "reached", "9 of 10")]

    def test_another_amount_is_none_of_theirs(self, make: Any, *, is_money: bool) -> None:
        service = self.service(make, self.HALF)
        early = OverageService(service._repository, clock=lambda: NOW - DAY)
        early.put_budget("acme", self.budget(5, is_money=is_money))
        for units in (12, 4):
            early.record_usage([UsageEvent("acme", "runs", units, NOW - DAY, f"e{units}")])
        service.put_budget("acme", self.budget(20, is_money=is_money))
        self.change(service, NOW - DAY)
        service.withdraw("acme", "e4")
        assert self.told(service) == [(19, "reached", "12 of 5")]
        service.withdraw("acme", "e12")
        assert self.told(service)[1:] == [(19, "cleared", "1 of 5")]

    def test_usage_that_falls_tells_nothing_new(self, make: Any, *, is_money: bool) -> None:
        service = self.service(make, self.HALF)
        repository, day = service._repository, NOW - 9 * DAY
        repository.put_budget("acme", self.budget(10, is_money=is_money))
        own = [UsageEvent("acme", "runs", n, day, f"e{n}") for n in (29, 2, -3)]
        repository.add_events(own)  # nothing is told of it
        service.withdraw("acme", "e2")
        use(service, -1, at=day)
        with service.one_change() as changing:
            changing.withdraw("acme", "e29")
            use(changing, 20, at=day)
        assert self.told(service) == []
        service.withdraw("acme", "e-3")  # by which it rises
        assert self.told(service) == [(11, "reached", "19 of 10")]

    def test_one_change_in_which_it_rises_tells_of_it(self, make: Any, *, is_money: bool) -> None:
        service = self.service(make, self.HALF)
        service._repository.put_budget("acme", self.budget(10, is_money=is_money))
        with service.one_change() as changing:
            use(changing, 9, at=NOW - 9 * DAY)
            use(changing, 1)
        assert self.told(service) == [(11, "reached", "9 of 10")]


@on_each
class TestOrder:
    """What fires doesn't depend on the order in which usage comes."""

    RUNS = Allowance(100, PerUnit(1))
    CASES = (
        ({"runs": evolve(RUNS, carry_over=CarryOver(expires_after=1))}, None, 100, 90),
        ({"runs": evolve(RUNS, included_for=Cycle.calendar("year"))}, None, 70, 29),
        ({"runs": RUNS}, Grant("pack", 100, metric="runs", effective_at=JAN.start), 200, 110),
    )

    @pytest.mark.parametrize(("plan", "grant", "early", "late"), CASES)
    @pytest.mark.parametrize("is_batch", [False, True])
    def test_over_open_periods(
        self, make: Any, plan: Any, grant: Grant | None, early: int, late: int, is_batch: bool
    ) -> None:
        outcomes = []
        spend = Alert("spend", Threshold(cost=Money.of("5", "USD"), repeat=True))
        low = Alert("low", Threshold(percent=50), grant="pack")
        for is_reversed in (False, True):
            repository = make()
            service = service_on(repository, EIGHTY, spend, low, **plan)
            if grant is not None:
                repository.put_grant("acme", grant)
            events = [
                UsageEvent("acme", "runs", early, JAN.end - DAY),
                UsageEvent("acme", "runs", late, FEB.start),
            ]
            events = events[::-1] if is_reversed else events
            for batch in [events] if is_batch else [[event] for event in events]:
                service.record_usage(batch)
            fired = {
                (each.definition.alert.id, each.step, each.state, each.period)
                for each in service.alerts("acme")
            }
            outcomes.append(fired)
            assert service.check_alerts() == ()
        assert outcomes[0] == outcomes[1]
        assert any(period == FEB for *_, period in outcomes[0])

    def test_a_level_is_held_on_in_later_periods(self, make: Any) -> None:
        repository = make()
        repository.put_metrics([Metric("runs", "max", reports="level")])
        runs = Allowance(10, PerUnit(1), kind="level")
        service = service_on(repository, EIGHTY, runs=runs)
        use(service, 9, at=JAN.start)
        assert [each.period for each in service.alerts("acme")] == [FEB, JAN]

    def test_later_periods_that_stand_alone_are_not_looked_at(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, EIGHTY)
        repository.put_usage(Usage("acme", Period(NOW, NOW + DAY), {"runs": 45}))
        use(service, 1, at=JAN.start)
        assert told(service) == []

    def test_a_period_to_come_that_has_usage_already_is_looked_at(self, make: Any) -> None:
        runs = evolve(self.RUNS, carry_over=CarryOver(expires_after=1))
        now = FEB.end - timedelta(hours=1)
        service = service_on(make(), EIGHTY, now=now, since=FEB.start, runs=runs)
        use(service, 90, at=FEB.end)
        assert told(service) == []
        use(service, 100, at=now)
        assert [each.period for each in service.alerts("acme")] == [MARCH, FEB]

    def test_a_later_period_without_a_plan_in_force_is_left_alone(
        self, make: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service = service_on(make(), EIGHTY)

        def unknown(*_: object) -> None:
            raise UnknownPlan("plan", "starter", "must be in force")

        monkeypatch.setattr(Settling, "depends_on_earlier", unknown)
        use(service, 45, at=JAN.start)
        assert [each.period for each in service.alerts("acme")] == [JAN]


@on_each
class TestEndOfTime:
    """Clocks and terms may be as late as there are years."""

    LAST = datetime.max.replace(tzinfo=UTC)

    def test_an_alert_is_put_at_the_last_instant(self, make: Any) -> None:
        now = self.LAST
        service = service_on(make(), IN_A_DAY, now=now, since=datetime(9999, 11, 1, tzinfo=UTC))
        repository: Any = service._repository
        repository.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        repository.put_alert(EIGHTY, put_at=now)
        use(service, 45, at=datetime(9999, 11, 2, tzinfo=UTC))
        assert sorted(told(service)) == [("day-80", "reached", 45), ("runs-80", "reached", 45)]
        assert service.check_alerts() == ()
        service.withdraw_many("acme", [])

    def test_an_account_that_begins_then_has_no_period(self, make: Any) -> None:
        service = service_on(make(), EIGHTY, IN_A_DAY, now=self.LAST, since=self.LAST)
        repository: Any = service._repository
        repository.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        assert service.check_alerts() == ()
        assert service.alert_readings("acme") == ()
        late = service_on(
            make(), EIGHTY, now=self.LAST - DAY, since=datetime(9999, 12, 30, tzinfo=UTC)
        )
        assert late.check_alerts() == ()

    def test_the_first_window_has_none_before_it(self, make: Any) -> None:
        start = datetime(1, 1, 1, 12, tzinfo=UTC)
        service = service_on(make(), IN_A_DAY, now=start, since=start)
        repository: Any = service._repository
        repository.put_budget("acme", Budget(10, metric="runs", id="day", window=DAILY))
        assert service.check_alerts() == ()

    def test_a_change_of_plan_to_come_then_is_no_fault_of_other_orgs(self, make: Any) -> None:
        repository = make()
        service = service_on(repository, EIGHTY, Alert("plan", occasion="plan_changed"))
        far = datetime(9999, 12, 20, tzinfo=UTC)
        account = Account("aaa", "starter", since=datetime(9999, 9, 1, tzinfo=UTC))
        repository.put_account(account.changed(since=far, plan="large"))
        repository.put_usage(Usage("acme", Period(NOW, NOW + DAY), {"runs": 45}))
        assert [each.org_id for each in service.check_alerts()] == ["acme"]
        late = OverageService(repository, clock=lambda: far)
        assert [each.period.start for each in late.check_alerts(["aaa"])] == [far]

    def test_one_org_that_fails_is_logged_and_the_others_are_checked(
        self, make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        repository = make()
        service = service_on(repository, EIGHTY)
        repository.put_account(Account("aaa", "starter", since=JAN.start))
        repository.put_usage(Usage("acme", Period(NOW, NOW + DAY), {"runs": 45}))
        grants = repository.grants

        def fail(org_id: str) -> Any:
            if org_id == "aaa":
                raise failure
            return grants(org_id)

        failure: Exception = InvalidValue("grants", None, "no")
        monkeypatch.setattr(repository, "grants", fail)
        assert [each.org_id for each in service.check_alerts()] == ["acme"]
        assert "aaa: not checked: InvalidValue" in caplog.messages
        failure = StorageError("no")
        with pytest.raises(StorageError):
            service.check_alerts()


@on_each
class TestVersions:
    """An alert that is put anew fires anew."""

    def test_one_that_is_edited_and_back_again(self, make: Any) -> None:
        service = service_on(make())
        use(service, 45)
        seventy = evolve(EIGHTY, threshold=Threshold(percent=70))
        for alert in (EIGHTY, seventy, EIGHTY, EIGHTY):
            service.put_alert(alert, org_id="acme")
        assert [each.definition.alert_version for each in service.alerts("acme")] == [3, 2, 1]

    def test_one_that_is_dropped_and_put_again(self, make: Any) -> None:
        service = service_on(make())
        use(service, 45)
        service.put_alert(EIGHTY, org_id="acme")
        service.drop_alert("runs-80", org_id="acme")
        service.put_alert(EIGHTY, org_id="acme")
        assert [each.definition.alert_version for each in service.alerts("acme")] == [2, 1]


@on_each
def test_steps_that_fire_with_each_event_are_read_once(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make()
    each = Alert("each", Threshold(quantity=1, repeat=True), metric="runs")
    service = service_on(repository, each)
    use(service, 1)
    read: list[int] = []
    alerts_of = repository._alerts_of

    def count(*args: Any) -> Any:
        found = list(alerts_of(*args))
        read.append(len(found))
        return found

    monkeypatch.setattr(repository, "_alerts_of", count)
    use(service, *[1] * 30)
    assert read == [1]
    monkeypatch.undo()
    assert [fired.step for fired in service.alerts("acme")] == list(range(31, 0, -1))
