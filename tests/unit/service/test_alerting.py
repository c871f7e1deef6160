"""Alerts through the service: with the usage that reaches them, by the clock, and as they are read.

What a number fires is tested with `overages.alerts.firing`; here, that the numbers are the bill's.
"""

import logging
import re
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.in_memory import in_memory

from overages import (
    Account,
    Alert,
    Allowance,
    Budget,
    CarryOver,
    Cycle,
    Discount,
    Graduated,
    Grant,
    MemoryRepository,
    Metric,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    Threshold,
    Tier,
    Usage,
    UsageEvent,
    Volume,
    evolve,
)
from overages.alerts.alert import usual_alerts
from overages.errors import (
    BillingDisabled,
    CurrencyMismatch,
    EventConflict,
    InvalidType,
    InvalidValue,
    InvalidValues,
    NoTerms,
    StorageError,
    UnknownAlert,
    UnknownBudget,
    UnknownEvent,
    UnknownGrant,
    UnknownMetric,
    UnknownPlan,
)

JAN, FEB, MARCH = (Period.month(2024, month) for month in (1, 2, 3))
NOW = datetime(2024, 2, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLAN = Plan(
    "starter",
    "USD",
    {"runs": Allowance(50, PerUnit("1.00")), "tokens": Allowance(0, PerUnit("0.10"))},
)
PACK = Grant("pack", 100, metric="runs", effective_at=JAN.start)
MONTHLY = Cycle.calendar("month")
EIGHTY = Alert("runs-80", Threshold(percent=80), metric="runs")
SPEND = Alert("spend", Threshold(cost=Money.of("10", "USD"), repeat=True))


def service_of(
    *alerts: Alert,
    plan: Plan = PLAN,
    now: datetime = NOW,
    since: datetime = JAN.start,
    metrics: Iterable[Metric] = (),
    **terms: Any,
) -> OverageService:
    """Return a service with an org, and alerts of all orgs."""
    repository = MemoryRepository()
    repository.put_plan(plan)
    repository.put_metrics(metrics)
    repository.put_account(Account("acme", plan.slug, since=since, **terms))
    service = OverageService(repository, clock=lambda: now)
    for alert in alerts:
        repository.put_alert(alert, put_at=JAN.start)
    return service


def repository_of(service: OverageService) -> MemoryRepository:
    repository = service._repository
    assert isinstance(repository, MemoryRepository)
    return repository


def use(
    service: OverageService,
    *quantities: int,
    metric: str = "runs",
    at: datetime = NOW,
    **named: Any,
) -> int:
    """Report events of some quantities in one batch."""
    events = [UsageEvent("acme", metric, quantity, at) for quantity in quantities]
    return service.record_usage(events, **named)


def told(service: OverageService, period: Period | None = None) -> list[tuple[str, str, Any]]:
    """Return alert, state and used units of all that fired, as it did, silent ones too."""
    fired = service.alerts("acme", period, silent=True)
    return [(each.definition.alert.id, each.state, each.used) for each in reversed(fired)]


def in_euros(service: OverageService, since: datetime) -> None:
    """Have the org's plan be the same one in euros from an instant on."""
    repository_of(service).put_plan(evolve(PLAN, slug="euros", currency="EUR"))
    account = repository_of(service).account("acme")
    assert account is not None
    repository_of(service).put_account(account.changed(since=since, plan="euros"))


def moving_up(*alerts: Alert) -> OverageService:
    """Return a service whose org moves from 10 to 100 runs: it has 5 and 48 of them."""
    runs = Allowance(10, PerUnit(1))
    service = service_of(*alerts, plan=Plan("small", "USD", {"runs": runs}))
    repository = repository_of(service)
    repository.put_plan(Plan("large", "USD", {"runs": evolve(runs, included=100)}))
    account = repository.account("acme")
    assert account is not None
    middle = datetime(2024, 2, 16, tzinfo=UTC)
    repository.put_account(account.changed(since=middle, plan="large"))
    return service


def left(service: OverageService) -> Any:
    """Return the runs that a decision says are left, of the plan and of grants."""
    limits = service.decide("acme", {"runs": 0}).limits
    return sum(limit.remaining for limit in limits if limit.metric == "runs")


class TestUsage:
    """Usage fires alerts in its own transaction."""

    def test_an_org_without_alerts_has_none(self) -> None:
        service = service_of()
        use(service, 60)
        assert service.alerts("acme") == ()
        assert service.alert_readings("acme") == ()
        assert service.check_alerts() == ()

    def test_each_alert_fires_at_the_event_that_reaches_it(self) -> None:
        service = service_of(*usual_alerts("runs"))
        assert use(service, *[1] * 60) == 60
        assert told(service) == [
            ("runs-80", "reached", 40), ("runs-90", "reached", 45), ("runs-100", "reached", 50),
        ]  # fmt: skip

    def test_one_that_is_far_off_costs_no_more_than_a_look(self, queries: list[str]) -> None:
        with in_memory() as repository:
            self.count(repository, queries)

    def count(self, repository: SqliteRepository, queries: list[str]) -> None:
        """Count the queries without alerts, and with them."""
        repository.put_plan(PLAN)
        repository.put_account(Account("acme", "starter", since=JAN.start))
        service = OverageService(repository, clock=lambda: NOW)
        repository._database._connection.set_trace_callback(queries.append)
        use(service, *[1] * 9)
        without = len(queries)
        assert [each for each in queries if "alert" in each] == [
            "SELECT EXISTS (SELECT 1 FROM org_billing_alerts)"
        ]
        for alert in usual_alerts("runs"):
            service.put_alert(alert)
        queries.clear()
        use(service, *[1] * 9)
        assert len(queries) < without + 25

    @pytest.fixture
    def queries(self) -> list[str]:
        return []

    def test_what_was_taken_back_on_the_way_is_told(self) -> None:
        service = service_of(EIGHTY)
        use(service, 30, 15, -10, 10)
        assert told(service) == [
            ("runs-80", "reached", 45), ("runs-80", "cleared", 35), ("runs-80", "reached", 45),
        ]  # fmt: skip
        assert [each.is_silent for each in service.alerts("acme", silent=True)][:2] == [True, False]
        assert [each.state for each in service.alerts("acme")] == ["cleared", "reached"]

    def test_usage_that_is_refused_fires_nothing(self) -> None:
        service = service_of(EIGHTY)
        with pytest.raises(InvalidValue):
            service.record_usage(
                [
                    UsageEvent("acme", "runs", 45, NOW),
                    UsageEvent("acme", "runs", 1, NOW + 9 * DAY),
                ]
            )
        assert told(service) == []

    def test_events_that_conflict_are_refused_by_their_places(self) -> None:
        service = service_of(EIGHTY)
        service.record_usage([UsageEvent("acme", "runs", 1, NOW, "e1")])
        refused: list[Any] = []
        events = [
            UsageEvent("acme", "runs", 30, NOW, "e0"),
            UsageEvent("acme", "runs", 2, NOW, "e1"),
            UsageEvent("acme", "runs", 10, NOW, "e2"),
        ]
        with pytest.raises(EventConflict, match=r"events\[1\].id"):
            service.record_usage(events)
        assert told(service) == []
        assert service.record_usage(events, on_refused=refused.append) == 2
        assert [error.field for error in refused] == ["events[1].id"]
        assert told(service) == [("runs-80", "reached", 41)]

    def test_the_same_events_again_fire_nothing(self) -> None:
        service = service_of(EIGHTY)
        events = [UsageEvent("acme", "runs", 15, NOW, f"e{i}") for i in range(3)]
        for expected in (3, 0, 0):
            assert service.record_usage(events) == expected
        assert told(service) == [("runs-80", "reached", 45)]

    def test_each_org_has_its_own(self) -> None:
        service = service_of(EIGHTY)
        repository = repository_of(service)
        repository.put_account(Account("else", "starter", since=JAN.start))
        events = [UsageEvent(org, "runs", 25, NOW) for org in ("acme", "else", "acme")]
        service.record_usage(events)
        assert told(service) == [("runs-80", "reached", 50)]
        assert service.alerts("else") == ()

    def test_usage_that_is_there_already_takes_nothing_from_that_of_others(self) -> None:
        service = service_of(EIGHTY)
        repository_of(service).put_account(Account("other", "starter", since=JAN.start))
        ours, theirs = (UsageEvent(org, "runs", 40, NOW, "e1") for org in ("acme", "other"))
        service.record_usage([ours])
        assert service.record_usage([ours, theirs]) == 1
        assert [len(service.alerts(org)) for org in ("acme", "other")] == [1, 1]

    def test_an_alert_of_one_org_leaves_the_others_alone(self) -> None:
        service = service_of()
        repository_of(service).put_account(Account("else", "starter", since=JAN.start))
        service.put_alert(EIGHTY, org_id="else")
        service.record_usage([UsageEvent(org, "runs", 45, NOW) for org in ("acme", "else")])
        assert service.alerts("acme") == ()
        assert [each.used for each in service.alerts("else")] == [45]

    def test_a_late_event_fires_in_its_own_period(self) -> None:
        service = service_of(EIGHTY)
        use(service, 45, at=JAN.start)
        assert told(service, JAN) == told(service) == [("runs-80", "reached", 45)]
        assert [each.period for each in service.alerts("acme")] == [JAN]

    def test_a_late_event_fires_in_the_period_that_it_counts_in(self) -> None:
        service = service_of(EIGHTY)
        service.close("acme", JAN)
        use(service, 20, 25, at=JAN.start, late="next_period")
        assert [each.period for each in service.alerts("acme")] == [FEB]

    def test_a_closed_period_stands(self) -> None:
        service = service_of(EIGHTY)
        service.close("acme", JAN)
        use(service, 45, at=JAN.start)
        assert told(service) == []

    def test_a_batch_may_be_of_several_periods(self) -> None:
        service = service_of(EIGHTY)
        events = [UsageEvent("acme", "runs", 25, at) for at in (JAN.start, NOW, NOW, JAN.start)]
        service.record_usage(events)
        assert [(each.period, each.used) for each in service.alerts("acme")] == [
            (JAN, 50), (FEB, 50),
        ]  # fmt: skip

    def test_a_new_period_starts_anew(self) -> None:
        service = service_of(EIGHTY)
        use(service, 45, at=JAN.start)
        use(service, 45)
        assert [each.period for each in service.alerts("acme")] == [FEB, JAN]

    def test_usage_that_cannot_be_priced_is_kept_all_the_same(self) -> None:
        service = service_of(EIGHTY)
        assert use(service, -5) == 1
        assert told(service) == []
        use(service, 50)
        assert told(service) == [("runs-80", "reached", 45)]

    def test_a_failure_of_the_storage_is_no_usage_that_cannot_be_priced(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service = service_of(EIGHTY)

        def fail(*_: object) -> None:
            raise StorageError("no")

        monkeypatch.setattr(repository_of(service), "grants", fail)
        with pytest.raises(StorageError):
            use(service, 45)
        assert told(service) == []

    def test_a_batch_is_noted_as_one(self) -> None:
        service = service_of(EIGHTY)
        use(service, *[10] * 7, batch="file.csv")
        events = list(repository_of(service).batch_events("acme", "file.csv"))
        assert len(events) == 7
        assert told(service) == [("runs-80", "reached", 40)]


def carried(units: int) -> Plan:
    """Return a plan whose units are carried over, as far as they aren't used."""
    allowance = Allowance(units, PerUnit("1.00"), carry_over=CarryOver())
    return Plan("carried", "USD", {"runs": allowance})


def raise_limit(service: OverageService, runs: int | None) -> None:
    """Raise the limit of February, or take it away, of which no alert hears."""
    account = repository_of(service).account("acme")
    assert account is not None
    repository_of(service).put_account(account.changed(since=FEB.start, limits={"runs": runs}))


class TestLimitsOnTheWay:
    """A batch fires what its events do one by one, though limits have moved, or do as they come."""

    def test_units_of_an_earlier_period_are_carried_over_no_more(self) -> None:
        service = service_of(
            Alert("last", Threshold(quantity=5, of="remaining"), metric="runs"), plan=carried(4)
        )
        used = [UsageEvent("acme", "runs", 4, at) for at in (NOW, JAN.start)]
        service.record_usage(used)  # 4 of 8, which are then 4
        assert told(service) == [("last", "reached", 4)]

    def test_nor_are_those_of_late_usage_alone(self) -> None:
        service = service_of(
            Alert("last", Threshold(quantity=5, of="remaining"), metric="runs"), plan=carried(4)
        )
        use(service, 2)
        use(service, *[1] * 4, at=JAN.start)
        assert told(service) == [("last", "reached", 2)]  # of 7, before it was 2 of 4

    def test_nothing_is_left_of_a_longer_allowance(self) -> None:
        year = Allowance(10, PerUnit("1.00"), included_for=Cycle(JAN.start, unit="year"))
        service = service_of(
            Alert("far", Threshold(percent=150), metric="runs"),
            plan=Plan("yearly", "USD", {"runs": year}),
        )
        use(service, 3)
        use(service, 8, 2, at=JAN.start)
        assert told(service) == [("far", "reached", 3), ("far", "cleared", 3)]  # of 2, then of 0

    def test_a_limit_was_raised_between_those_of_the_batch(self) -> None:
        service = service_of(EIGHTY, plan=carried(10), now=datetime(2024, 3, 11, tzinfo=UTC))
        use(service, 16)
        raise_limit(service, 15)
        batch = [(2, JAN.start), (5, JAN.start), (1, MARCH.start)]
        service.record_usage(UsageEvent("acme", "runs", units, at) for units, at in batch)
        assert [state for _, state, _ in told(service, FEB)] == ["reached", "cleared", "reached"]

    def test_units_that_an_earlier_refill_pays_raise_the_limit(self) -> None:
        weekly = evolve(PACK, amount=20, recurrence=Cycle.calendar("week"))
        january = [(60, 2), (50, 9), (10, 3)]
        at_once, apart = ([january], [[each] for each in january])
        fired = []
        for batches in (at_once, apart):
            service = service_of(
                Alert("far", Threshold(percent=137), metric="runs"), now=JAN.start + 9 * DAY
            )
            repository_of(service).put_grant("acme", weekly)
            for batch in batches:
                events = [
                    UsageEvent("acme", "runs", n, JAN.start + (d - 1) * DAY) for n, d in batch
                ]
                service.record_usage(events)
            fired.append(told(service))
        assert fired[0] == fired[1] == [("far", "reached", 110), ("far", "cleared", 120)]

    def test_a_limit_was_raised(self) -> None:
        service = service_of(EIGHTY)
        use(service, 40)
        raise_limit(service, 100)
        use(service, 1, 39)
        assert [state for _, state, _ in told(service)] == ["reached", "cleared", "reached"]

    def test_that_of_a_later_period_was(self) -> None:
        service = service_of(EIGHTY, plan=carried(40))
        use(service, 72)  # of 80
        raise_limit(service, 80)
        use(service, 1, 30, at=JAN.start)  # 72 of 119, and then of 89
        assert [state for _, state, _ in told(service)] == ["reached", "cleared", "reached"]

    def test_a_grant_is_drawn_on_less(self) -> None:
        service = service_of(Alert("pack", Threshold(percent=80), grant="pack"))
        repository_of(service).put_grant("acme", PACK)
        use(service, 130)
        raise_limit(service, 100)
        use(service, 1, 49)
        assert told(service) == [
            ("pack", "reached", 80), ("pack", "cleared", 31), ("pack", "reached", 80),
        ]  # fmt: skip


def test_units_that_were_reserved_fire_as_they_are_used() -> None:
    service = service_of(EIGHTY)
    service.reserve("acme", {"runs": 45}, key="r-1", expires_at=NOW + DAY)
    assert told(service) == []
    service.commit("acme", "r-1")
    assert told(service) == [("runs-80", "reached", 45)]
    service.commit("acme", "r-1")
    assert len(told(service)) == 1


class TestWithdrawals:
    """An event that is withdrawn clears the alerts that it fired."""

    @pytest.fixture
    def service(self) -> OverageService:
        service = service_of(EIGHTY)
        events = [UsageEvent("acme", "runs", 15, NOW, f"e{i}") for i in range(4)]
        service.record_usage(events)
        return service

    def test_one_clears_it(self, service: OverageService) -> None:
        assert service.withdraw("acme", "e0") == NOW
        assert told(service) == [("runs-80", "reached", 45)]
        service.withdraw("acme", "e1")
        assert told(service)[1:] == [("runs-80", "cleared", 30)]
        service.withdraw("acme", "e1")
        assert len(told(service)) == 2

    def test_several_clear_it_at_the_one_that_does(self, service: OverageService) -> None:
        assert service.withdraw_many("acme", ["e0", "e0", "e1", "e2"]) == 3
        assert told(service)[1:] == [("runs-80", "cleared", 30)]

    def test_all_faults_are_told_together_and_nothing_is_withdrawn(
        self, service: OverageService
    ) -> None:
        with pytest.raises(InvalidValues) as raised:
            service.withdraw_many("acme", ["e0", "x", "e1", "y"])
        assert [error.field for error in raised.value.errors] == ["event_ids[1]", "event_ids[3]"]
        assert len(told(service)) == 1
        with pytest.raises(UnknownEvent):
            service.withdraw("acme", "x")

    def test_it_clears_in_an_earlier_period_as_well(self) -> None:
        service = service_of(EIGHTY)
        service.record_usage([UsageEvent("acme", "runs", 45, JAN.start, "e")])
        service.withdraw("acme", "e")
        assert told(service, JAN)[1:] == [("runs-80", "cleared", 0)]

    def test_an_org_without_alerts_pays_one_query(self) -> None:
        service = service_of()
        service.record_usage([UsageEvent("acme", "runs", 45, NOW, f"e{i}") for i in range(3)])
        assert service.withdraw_many("acme", ["e0", "e1"]) == 2
        service.withdraw("acme", "e2")

    def test_bad_names_are_refused(self, service: OverageService) -> None:
        with pytest.raises(InvalidValue, match=r"^org_id: must not be empty"):
            service.withdraw("", "e0")
        with pytest.raises(InvalidType, match=r"^event_ids: must be a list of names"):
            service.withdraw_many("acme", "e0")


class TestNumbers:
    """The numbers are those of the statement."""

    def test_a_cost_is_that_of_the_bill(self) -> None:
        service = service_of(SPEND)
        use(service, *[1] * 75)
        fired = [(each.step, each.used) for each in reversed(service.alerts("acme"))]
        assert fired == [(1, Money.of("10", "USD")), (2, Money.of("20", "USD"))]
        statement = service.calculate("acme")
        assert statement is not None
        assert statement.total == Money.of("25", "USD")

    def test_a_cost_may_be_of_one_metric(self) -> None:
        alert = Alert("tokens", Threshold(cost=Money.of("10", "USD")), metric="tokens")
        service = service_of(alert)
        use(service, 500)
        assert told(service) == []
        use(service, 60, 60, metric="tokens")
        assert told(service) == [("tokens", "reached", Money.of("12", "USD"))]

    def test_a_cost_that_can_fall_is_looked_at_after_each_event(self) -> None:
        volume = Volume([Tier(10, "1"), Tier(None, "0.1")])
        plan = Plan("starter", "USD", {"runs": Allowance(0, volume)})
        alert = Alert("five", Threshold(cost=Money.of("5", "USD")))
        service = service_of(alert, plan=plan)
        use(service, *[5] * 3)
        assert told(service) == [
            ("five", "reached", Money.of("5", "USD")), ("five", "cleared", Money.of("1.5", "USD")),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "rules",
        [
            {"maximum": Money.of("8", "USD")},
            {"discounts": [Discount("d", amount=Money.of("1", "USD"))]},
        ],
    )
    def test_rules_of_the_plan_are_counted(self, rules: dict[str, Any]) -> None:
        plan = Plan("starter", "USD", {"runs": Allowance(0, PerUnit("1"))}, **rules)
        service = service_of(Alert("ten", Threshold(cost=Money.of("10", "USD"))), plan=plan)
        use(service, *[1] * 11)
        fires = "discounts" in rules
        assert [each.used for each in service.alerts("acme")] == [Money.of("10", "USD")] * fires

    def test_rules_of_the_org_are_counted(self) -> None:
        ten = Alert("ten", Threshold(cost=Money.of("10", "USD")))
        discount = Discount("d", percent=50)
        service = service_of(ten, discounts=[discount])
        use(service, *[35] * 2)
        assert told(service) == [("ten", "reached", Money.of("10", "USD"))]

    def test_a_trial_costs_nothing(self) -> None:
        service = service_of(SPEND, EIGHTY, status="trial")
        use(service, 75)
        assert told(service) == [("runs-80", "reached", 75)]

    def test_a_limit_is_the_orgs_own_with_all_that_was_carried_over(self) -> None:
        runs = Allowance(50, PerUnit(1), carry_over=CarryOver())
        plan = Plan("starter", "USD", {"runs": runs})
        service = service_of(EIGHTY, plan=plan)
        use(service, 10, at=JAN.start)
        use(service, 71, 1)  # of 90
        assert told(service) == [("runs-80", "reached", 72)]
        assert service.alerts("acme")[0].limit == 90

    def test_a_limit_that_grows_with_another_metric_can_clear_it(self) -> None:
        plan = Plan(
            "starter",
            "USD",
            {
                "seats": Allowance(9, PerUnit(1)),
                "runs": Allowance(10, PerUnit(1), included_per="seats"),
            },
        )
        service = service_of(EIGHTY, plan=plan)
        use(service, 1, metric="seats")
        service.record_usage(
            [UsageEvent("acme", "runs", 9, NOW), UsageEvent("acme", "seats", 1, NOW)]
        )
        assert told(service) == [("runs-80", "reached", 9), ("runs-80", "cleared", 9)]

    def test_units_beyond_the_limit_are_the_bills(self) -> None:
        over = Alert("over", Threshold(quantity=5, of="overage"), metric="runs")
        service = service_of(over)
        use(service, *[1] * 60)
        assert told(service) == [("over", "reached", 55)]

    def test_parts_of_a_period_add_up(self) -> None:
        over = Alert("over", Threshold(quantity=5, of="overage"), metric="runs")
        runs = Allowance(58, PerUnit(1))
        service = service_of(over, EIGHTY, plan=Plan("starter", "USD", {"runs": runs}))
        repository = repository_of(service)
        repository.put_plan(Plan("large", "USD", {"runs": evolve(runs, included=116)}))
        account = repository.account("acme")
        assert account is not None
        middle = datetime(2024, 2, 15, tzinfo=UTC)
        repository.put_account(account.changed(since=middle, plan="large"))
        use(service, 34, at=FEB.start)  # of 28
        assert told(service) == [("over", "reached", 34)]
        assert service.alerts("acme")[0].limit == 28
        use(service, 41)
        assert len(service.alerts("acme")) == 1
        use(service, 1)
        fired = service.alerts("acme")[0]
        assert (fired.definition.alert.id, fired.used, fired.limit) == ("runs-80", 76, 94)
        assert fired.remaining == 18 == left(service)  # of the 60 of the second part

    def test_units_that_a_part_left_are_gone(self) -> None:
        over = Alert("over", Threshold(quantity=1, of="overage"), metric="runs")
        service = moving_up(*usual_alerts("runs"), over)
        use(service, *[1] * 3, at=FEB.start)
        use(service, *[1] * 49)
        assert told(service) == [
            ("runs-80", "reached", 41), ("runs-90", "reached", 46), ("runs-100", "reached", 51),
            ("over", "reached", 52),
        ]  # fmt: skip
        fired = service.alerts("acme")[1]
        assert (fired.limit, fired.remaining, left(service)) == (51, 0, 0)

    @pytest.mark.parametrize(
        ("threshold", "before", "now", "earlier"),
        [
            (Threshold(percent=150), 0, 72, 200),
            (Threshold(percent=100, repeat=True), 48, 48, 200),
            (Threshold(percent=50, of="overage"), 0, 72, 4),
        ],
        ids=str,
    )
    def test_units_of_an_earlier_part_can_turn_a_share_back(
        self, threshold: Threshold, before: int, now: int, earlier: int
    ) -> None:
        service = moving_up(Alert("far", threshold, metric="runs"))
        use(service, before)
        fired = len(told(service))
        service.record_usage(
            [UsageEvent("acme", "runs", now, NOW), UsageEvent("acme", "runs", earlier, FEB.start)]
        )
        assert [state for _, state, _ in told(service)[fired:]] == ["reached", "cleared"]

    def test_all_that_is_left_of_a_pack_may_be_used(self) -> None:
        plan = Plan("packs", "USD", {"runs": Allowance(0, PerUnit(1))})
        service = service_of(*usual_alerts("runs"), plan=plan)
        pack = Grant("pack-9", 1_000, metric="runs", effective_at=FEB.start)
        repository_of(service).put_grant("acme", pack)
        use(service, 1)
        assert told(service) == []
        assert {(each.used, each.limit) for each in service.alert_readings("acme")} == {(1, 1_000)}
        assert left(service) == 999
        use(service, 799)
        fired = service.alerts("acme")[0]
        assert (fired.definition.alert.id, fired.used, fired.limit) == ("runs-80", 800, 1_000)

    @pytest.mark.parametrize(
        ("named", "limit"),
        [
            ({"expires_at": FEB.end - DAY}, 150),
            ({"expires_at": NOW - DAY}, 50),
            ({"effective_at": NOW + DAY}, 50),
            ({"recurrence": Cycle.calendar("week")}, 150),
            ({"metric": "tokens"}, 50),
            ({"amount": Money(900, "USD")}, 50),
        ],
    )
    def test_a_pack_counts_while_it_can_pay(self, named: dict[str, Any], limit: int) -> None:
        service = service_of(EIGHTY)
        terms = {"amount": 100, "metric": "runs", "effective_at": FEB.start, **named}
        pack = Grant("pack", **terms)
        repository_of(service).put_grant("acme", pack)
        use(service, 10)
        (reading,) = service.alert_readings("acme")
        assert (reading.used, reading.limit) == (10, limit)

    def test_a_level_is_that_of_the_last_part(self) -> None:
        seats = Allowance(10, PerUnit(1), kind="level")
        peak = Metric("seats", "max", reports="level")
        eighty = Alert("seats-80", Threshold(percent=80), metric="seats")
        plan = Plan("starter", "USD", {"seats": seats})
        service = service_of(eighty, plan=plan, metrics=[peak])
        repository = repository_of(service)
        repository.put_plan(Plan("large", "USD", {"seats": evolve(seats, included=20)}))
        account = repository.account("acme")
        assert account is not None
        middle = datetime(2024, 2, 15, tzinfo=UTC)
        repository.put_account(account.changed(since=middle, plan="large"))
        use(service, 8, metric="seats", at=FEB.start)
        assert told(service) == []  # 8 of 20, as they are held on
        use(service, 16, metric="seats")
        assert told(service) == [("seats-80", "reached", 16)]

    def test_a_metric_that_is_worked_out_is_looked_at_after_each_event(self) -> None:
        last = Metric("load", "last")
        plan = Plan("starter", "USD", {"load": Allowance(10, PerUnit(1), kind="level")})
        eighty = Alert("load-80", Threshold(percent=80), metric="load")
        service = service_of(eighty, plan=plan, metrics=[last])
        events = [
            UsageEvent("acme", "load", quantity, NOW + timedelta(seconds=i))
            for i, quantity in enumerate([9, 3, 8])
        ]
        service.record_usage(events)
        assert [state for _, state, _ in told(service)] == ["reached", "cleared", "reached"]

    def test_an_unknown_metric_fires_nothing_and_says_so(self) -> None:
        service = service_of(Alert("jobs", Threshold(percent=80), metric="jobs"))
        use(service, 60)
        (reading,) = service.alert_readings("acme")
        assert (reading.standing, reading.unreached) == ("undecided", "unknown")

    @pytest.mark.parametrize(
        ("limits", "reason"), [({"runs": None}, "unlimited"), ({"runs": 0}, "nothing_included")]
    )
    def test_no_limit_and_nothing_included_are_said(self, limits: Any, reason: str) -> None:
        service = service_of(EIGHTY, limits=limits)
        use(service, 60)
        assert told(service) == []
        assert [each.unreached for each in service.alert_readings("acme")] == [reason]

    def test_readings_are_of_the_present_period(self) -> None:
        service = service_of(EIGHTY)
        use(service, 45)
        (reading,) = service.alert_readings("acme")
        assert (reading.used, reading.limit, reading.standing) == (45, 50, "reached")
        assert reading.period == FEB

    def test_there_are_no_readings_where_no_terms_hold(self) -> None:
        service = service_of(EIGHTY, since=MARCH.start)
        assert service.alert_readings("acme") == ()
        assert service.check_alerts() == ()


class TestGrants:
    """Grants are one over all periods."""

    LOW = Alert("low", Threshold(percent=20, of="remaining"), grant="top-up")

    def test_units_of_a_grant_are_drawn_on(self) -> None:
        service = service_of(self.LOW)
        grant = Grant("top-up", 100, metric="runs", effective_at=JAN.start)
        repository_of(service).put_grant("acme", grant)
        use(service, 100, at=JAN.start)  # 50 of them
        assert told(service) == []
        use(service, 79)
        assert told(service) == []
        use(service, 1)
        fired = service.alerts("acme")[0]
        assert (fired.used, fired.limit, fired.remaining) == (80, 100, 20)
        assert fired.period == Period(JAN.start, datetime.max.replace(tzinfo=UTC))
        use(service, 1, at=JAN.start)
        assert len(told(service)) == 1

    def test_money_of_a_grant_is_money(self) -> None:
        service = service_of(self.LOW)
        five = Alert("five", Threshold(cost=Money.of("5", "USD"), of="remaining"), grant="top-up")
        service.put_alert(five)
        grant = Grant("top-up", Money.of("20", "USD"), effective_at=JAN.start, expires_at=MARCH.end)
        repository_of(service).put_grant("acme", grant)
        use(service, 64, 1, 1)
        fired = service.alerts("acme")
        assert [each.definition.alert.id for each in fired] == ["low", "five"]
        assert [each.remaining for each in fired] == [Money.of("4", "USD"), Money.of("5", "USD")]
        assert fired[0].period == Period(JAN.start, MARCH.end)

    @pytest.mark.parametrize("ends", [FEB.end, NOW + DAY, NOW + 9 * DAY])
    def test_one_that_ends_soon_is_no_more_used_for_that(self, ends: datetime) -> None:
        service = service_of(self.LOW)
        grant = Grant("top-up", 100, metric="runs", effective_at=JAN.start, expires_at=ends)
        repository_of(service).put_grant("acme", grant)
        use(service, 60)
        (reading,) = service.alert_readings("acme")
        assert (reading.used, reading.limit, told(service)) == (10, 100, [])
        use(service, 70)
        assert told(service) == [("low", "reached", 80)]

    def test_units_that_it_lost_were_never_used(self) -> None:
        service = service_of(self.LOW)
        grant = Grant("top-up", 100, metric="runs", effective_at=JAN.start, expires_at=NOW - DAY)
        repository_of(service).put_grant("acme", grant)
        use(service, 60, at=JAN.start)
        use(service, 60)
        (reading,) = service.alert_readings("acme")
        assert (reading.used, reading.limit, told(service)) == (10, 100, [])

    @pytest.mark.parametrize("keeps", [0, 30, None])
    def test_one_that_recurs_starts_anew_each_time(self, keeps: int | None) -> None:
        days = [JAN.end - DAY]
        repository = repository_of(service_of())
        monthly = evolve(PACK, recurrence=MONTHLY, refill_keeps=keeps)
        repository.put_grant("acme", monthly)
        service = OverageService(repository, clock=lambda: days[-1])
        service.put_alert(Alert("pack", Threshold(percent=80), grant="pack"), org_id="acme")
        use(service, 130, at=days[-1])
        days.append(NOW)
        use(service, 51)
        kept = 0 if keeps == 0 else 20
        (reading,) = service.alert_readings("acme")
        assert (reading.used, reading.limit, reading.period) == (max(0, 1 - kept), 100, FEB)
        use(service, 79 + kept)
        assert told(service) == [("pack", "reached", 80)] * 2
        assert {each.period for each in service.alerts("acme")} == {JAN, FEB}

    def test_usage_of_the_next_period_leaves_one_that_recurs_as_it_is_now(self) -> None:
        service = service_of(
            Alert("pack", Threshold(percent=80), grant="pack"), now=JAN.end - DAY / 2
        )
        repository_of(service).put_grant("acme", evolve(PACK, recurrence=MONTHLY))
        use(service, 1, at=JAN.end)
        use(service, 145, at=JAN.end - DAY)
        assert told(service) == [("pack", "reached", 95)]

    def test_one_that_was_voided_is_told_of_no_more(self) -> None:
        service = service_of(Alert("pack", Threshold(percent=80), grant="pack"))
        repository_of(service).put_grant("acme", evolve(PACK, recurrence=MONTHLY))
        repository_of(service).void_grant("acme", "pack", at=NOW - DAY)
        use(service, 51)
        assert service.alert_readings("acme") == ()

    @pytest.mark.parametrize("ends", [None, FEB.start + 20 * DAY])
    def test_money_that_recurs_is_told_of_once_by_the_bill(self, ends: datetime | None) -> None:
        days = [FEB.start]
        repository = repository_of(service_of(Alert("cr", Threshold(percent=80), grant="cr")))
        weekly = Grant(
            "cr", Money.of("10", "USD"), effective_at=JAN.start, expires_at=ends,
            recurrence=Cycle.calendar("week"),
        )  # fmt: skip
        repository.put_grant("acme", weekly)
        service = OverageService(repository, clock=lambda: days[-1])
        use(service, 59, at=FEB.start)
        for week in range(4):
            days.append(FEB.start + week * 7 * DAY)
            service.check_alerts()
        nine = Money.of("9", "USD")
        assert told(service) == ([("cr", "reached", nine)] if ends is None else [])

    def test_one_that_nothing_is_drawn_on_is_told_of_by_its_last_refill(self) -> None:
        days = [JAN.end - DAY]
        repository = repository_of(service_of(Alert("pack", Threshold(percent=80), grant="pack")))
        weekly = evolve(PACK, amount=20, recurrence=Cycle.calendar("week"))
        repository.put_grant("acme", weekly)
        service = OverageService(repository, clock=lambda: days[-1])
        use(service, 70, at=days[-1])
        raise_limit(service, None)
        for week in range(1, 4):
            days.append(FEB.start + week * 7 * DAY - DAY)
            service.check_alerts()
        assert told(service) == [("pack", "reached", 20)]

    def test_a_correction_of_a_closed_period_takes_from_a_grant(self) -> None:
        days = [JAN.end - DAY]
        repository = repository_of(service_of(self.LOW))
        repository.put_grant("acme", evolve(PACK, id="top-up"))
        service = OverageService(repository, clock=lambda: days[-1])
        use(service, 60, at=days[-1])
        days.append(NOW)
        service.close("acme", JAN)
        use(service, 85, at=JAN.end - DAY)
        service.recalculate("acme", period=JAN, force=True)
        assert told(service) == [("low", "reached", 95)]

    def test_one_that_recurs_is_told_of_while_it_lasts(self) -> None:
        service = service_of(self.LOW)
        weekly = Cycle.calendar("week")
        grant = Grant(
            "top-up", 100, metric="runs", effective_at=JAN.start, expires_at=NOW, recurrence=weekly
        )
        repository_of(service).put_grant("acme", grant)
        use(service, 60)
        assert service.alert_readings("acme") == ()

    def test_a_grant_that_is_not_there_is_unknown(self) -> None:
        service = service_of(self.LOW)
        use(service, 60)
        assert [each.unreached for each in service.alert_readings("acme")] == ["unknown"]

    def test_a_grant_that_was_never_drawn_on_is_whole(self) -> None:
        service = service_of(self.LOW)
        grant = Grant("top-up", 100, metric="runs", effective_at=MARCH.start)
        repository_of(service).put_grant("acme", grant)
        (reading,) = service.alert_readings("acme")
        assert (reading.used, reading.limit, reading.standing) == (0, 100, "not_reached")

    @pytest.mark.parametrize(
        "grant",
        [
            Grant("top-up", 100, metric="jobs", effective_at=JAN.start),
            Grant("top-up", Money.of("100", "EUR"), effective_at=JAN.start),
        ],
    )
    def test_a_grant_that_can_pay_for_nothing_is_whole(self, grant: Grant) -> None:
        service = service_of(self.LOW, EIGHTY)
        repository_of(service).put_grant("acme", grant)
        use(service, 60)
        reading = service.alert_readings("acme")[-1]
        assert (reading.limit, reading.standing) == (grant.amount, "not_reached")
        assert told(service) == [("runs-80", "reached", 60)]

    @pytest.mark.parametrize(("recurrence", "fires"), [(None, True), (MONTHLY, False)])
    def test_it_is_read_in_the_last_period_with_terms_but_where_it_recurs(
        self, recurrence: Cycle | None, fires: bool
    ) -> None:
        service = service_of(self.LOW)
        repository = repository_of(service)
        repository.put_grant("acme", evolve(PACK, id="top-up", recurrence=recurrence))
        account = repository.account("acme")
        assert account is not None
        repository.put_account(account.ended(at=FEB.start))
        use(service, 130, at=JAN.start)
        assert told(service) == ([("low", "reached", 80)] if fires else [])


class TestBudgets:
    """Budgets are told of by alerts."""

    def alert(self, budget: str = "all") -> Alert:
        return Alert("half", Threshold(percent=50), budget=budget)

    def test_a_budget_of_money_is_compared_with_the_total(self) -> None:
        service = service_of(self.alert())
        repository_of(service).put_budget("acme", Budget(Money.of("20", "USD")))
        use(service, *[1] * 70)
        fired = service.alerts("acme")[0]
        assert (fired.used, fired.limit) == (Money.of("10", "USD"), Money.of("20", "USD"))

    def test_a_budget_of_money_may_be_of_one_metric(self) -> None:
        service = service_of(self.alert("tokens-cost"))
        budget = Budget(Money.of("20", "USD"), metric="tokens")
        repository_of(service).put_budget("acme", budget)
        use(service, 500)
        assert told(service) == []
        use(service, 100, metric="tokens")
        assert told(service) == [("half", "reached", Money.of("10", "USD"))]

    def test_a_budget_of_units_is_compared_with_those_used(self) -> None:
        service = service_of(self.alert("runs-units"))
        repository_of(service).put_budget("acme", Budget(100, metric="runs"))
        use(service, 49, 1)
        assert told(service) == [("half", "reached", 50)]

    @pytest.mark.parametrize("window", [None, Cycle.calendar("day")])
    def test_a_budget_that_is_raised_is_told_of_anew(self, window: Cycle | None) -> None:
        service = service_of(self.alert("b"))
        for amount, used in ((10, 6), (100, 50)):
            budget = Budget(amount, metric="runs", id="b", window=window)
            service.put_budget("acme", budget)
            use(service, used)
        (reached, cleared, before) = service.alerts("acme")
        assert (before.used, before.limit, cleared.limit) == (6, 10, 100)
        assert (reached.used, reached.limit, reached.is_silent) == (56, 100, False)
        use(service, -20, 20)
        assert [each.is_silent for each in service.alerts("acme", silent=True)[:2]] == [True, False]

    @pytest.mark.parametrize("is_told", [True, False])
    def test_a_budget_with_another_amount_is_told_of_though_it_stands(self, is_told: bool) -> None:
        service = service_of(self.alert("b"))
        for amount in (10, 20):
            budget = Budget(amount, metric="runs", id="b")
            if is_told:
                service.put_budget("acme", budget)
            else:
                repository_of(service).put_budget("acme", budget)
            use(service, 6)
        assert [(each.used, each.limit) for each in service.alerts("acme")] == (
            [(12, 20), (6, 20), (6, 10)] if is_told else [(12, 20), (6, 10)]
        )

    @pytest.mark.parametrize("window", [None, Cycle.calendar("day")])
    def test_one_that_comes_to_be_in_another_currency_is_told_of_as_it_was(
        self, window: Cycle | None
    ) -> None:
        service = service_of(self.alert("b"))
        budget = Budget(Money.of("10", "USD"), id="b", window=window)
        repository_of(service).put_budget("acme", budget)
        use(service, 55)
        in_euros(service, since=FEB.start)
        use(service, 5)
        cleared, reached = service.alerts("acme")
        assert (cleared.state, cleared.used, cleared.limit) == (
            "cleared",
            reached.used,
            reached.limit,
        )
        assert "5.00 USD of 10.00 USD" in cleared.message

    @pytest.mark.parametrize("window", [None, Cycle.calendar("day")])
    def test_a_budget_in_another_currency_than_the_bill_is_never_reached(
        self, window: Cycle | None
    ) -> None:
        service = service_of(self.alert("b"))
        budget = Budget(Money.of("20", "EUR"), id="b", window=window)
        repository_of(service).put_budget("acme", budget)
        use(service, *[1] * 90)
        assert service.alerts("acme") == ()
        (reading,) = service.alert_readings("acme")
        assert str(reading) == "half: can't be reached (other unit), 40.00 USD of 20.00 EUR used"
        for ask in (service.budgets, lambda org_id: service.decide(org_id, {"runs": 1})):
            with pytest.raises(CurrencyMismatch, match=r"^acme, .*: budgets\.b\.amount: USD and"):
                ask("acme")

    def test_one_of_another_metric_in_another_currency_stops_no_decision(self) -> None:
        service = service_of()
        budget = Budget(Money(9, "EUR"), metric="tokens", window=Cycle.calendar("day"))
        repository_of(service).put_budget("acme", budget)
        assert service.decide("acme", {"runs": 1}).verdict == "allow"

    def test_a_window_in_which_the_currency_changes_has_the_charges_in_its_own(self) -> None:
        service = service_of(self.alert("b"), now=FEB.start + DAY)
        in_euros(service, since=FEB.start)
        budget = Budget(Money.of("20", "USD"), id="b", window=Cycle.calendar("week"))
        repository_of(service).put_budget("acme", budget)
        use(service, 20, metric="tokens", at=JAN.end - DAY)
        use(service, 60, at=FEB.start)
        (reading,) = service.alert_readings("acme")
        assert str(reading) == "half: not reached, 2.00 USD of 20.00 USD used"

    def test_a_window_is_a_period_of_its_own(self) -> None:
        service = service_of(self.alert("runs-units-day"))
        budget = Budget(10, metric="runs", window=Cycle.calendar("day"))
        repository_of(service).put_budget("acme", budget)
        use(service, 5, at=NOW - DAY)
        use(service, 4)
        use(service, 1)
        assert [each.used for each in service.alerts("acme")] == [5, 5]
        assert [each.period.start.day for each in service.alerts("acme")] == [20, 19]

    def test_a_new_alert_is_not_told_of_windows_that_are_over(self) -> None:
        service = service_of()
        budget = Budget(10, metric="runs", id="day", window=Cycle.calendar("day"))
        repository_of(service).put_budget("acme", budget)
        for at in (FEB.start, NOW - DAY):
            use(service, 8, at=at)
        service.put_alert(self.alert("day"), org_id="acme")
        assert service.alerts("acme") == ()
        use(service, 8)
        (fired,) = service.alerts("acme")
        assert fired.period == Period(NOW.replace(hour=0), NOW.replace(hour=0) + DAY)
        assert fired.message.endswith("(2024-02-20 to 2024-02-21 UTC)")

    def test_a_window_that_was_told_of_is_cleared_when_it_is_over(self) -> None:
        service = service_of(self.alert("day"))
        budget = Budget(10, metric="runs", id="day", window=Cycle.calendar("day"))
        repository_of(service).put_budget("acme", budget)
        service.record_usage([UsageEvent("acme", "runs", 8, NOW - DAY, id="evt-1")])
        service.withdraw("acme", "evt-1")
        assert [(each.state, each.period.start.day) for each in service.alerts("acme")] == [
            ("cleared", 19), ("reached", 19)
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "metric",
        [
            Metric("calls", "count", event="runs"),
            Metric("calls", "unique", event="runs", distinct="user"),
        ],
        ids=lambda each: each.aggregation,
    )
    def test_events_that_are_counted_tell_of_it_though_units_are_taken_back(
        self, metric: Metric
    ) -> None:
        plan = evolve(PLAN, allowances={"calls": Allowance(0, PerUnit("1"))})
        service = service_of(self.alert("day"), plan=plan, metrics=[metric])
        budget = Budget(4, metric="calls", id="day", window=Cycle.calendar("day"))
        repository_of(service).put_budget("acme", budget)
        for units, user in ((9, "ann"), (-1, "bob")):
            event = UsageEvent("acme", "runs", units, NOW - DAY, user, {"user": user})
            service.record_usage([event])
        assert told(service) == [("half", "reached", 2)]

    @pytest.mark.parametrize("budget", [None, Budget(5, metric="jobs", id="all")])
    def test_a_budget_that_cannot_be_compared_is_unknown(self, budget: Budget | None) -> None:
        service = service_of(self.alert())
        if budget is not None:
            repository_of(service).put_budget("acme", budget)
        use(service, 60)
        assert [each.unreached for each in service.alert_readings("acme")] == ["unknown"]


class TestDefinitions:
    """Alerts are put, put anew, and dropped."""

    def test_an_alert_of_an_org_fires_at_once_where_it_is_reached(self) -> None:
        service = service_of()
        use(service, 45)
        definition = service.put_alert(EIGHTY, org_id="acme")
        assert (definition.alert_version, definition.org_id, definition.put_at) == (1, "acme", NOW)
        assert told(service) == [("runs-80", "reached", 45)]

    def test_an_alert_of_all_orgs_fires_with_the_next_usage(self) -> None:
        service = service_of()
        use(service, 45)
        service.put_alert(EIGHTY)
        assert told(service) == []
        use(service, 1)
        assert told(service) == [("runs-80", "reached", 46)]

    def test_an_edited_threshold_is_a_new_one(self) -> None:
        service = service_of(EIGHTY)
        use(service, 45)
        assert service.put_alert(evolve(EIGHTY, threshold=Threshold(percent=70))).alert_version == 2
        use(service, 1)
        assert [each.definition.alert_version for each in service.alerts("acme")] == [2, 1]

    def test_one_that_is_dropped_fires_no_more_and_stands_no_more(self) -> None:
        service = service_of(EIGHTY, SPEND)
        use(service, 45)
        assert service.alert_summary("acme").standing["warning"] == 1
        service.drop_alert("runs-80")
        assert [each.alert.id for each in service.alert_definitions("acme")] == ["spend"]
        assert service.alert_definitions() == service.alert_definitions("acme")
        service.record_usage([UsageEvent("acme", "runs", -40, NOW)])
        assert len(told(service)) == 1
        assert service.alert_summary("acme").standing["warning"] == 0
        with pytest.raises(UnknownAlert):
            service.drop_alert("runs-81")

    def test_what_is_no_alert_is_refused(self) -> None:
        service = service_of()
        with pytest.raises(InvalidType, match=r"^alert: must be of type Alert"):
            service.put_alert("runs-80")  # type: ignore[arg-type]
        with pytest.raises(InvalidType, match=r"^silent: must be True or False"):
            service.alerts("acme", silent=1)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("alert", "error", "problem"),
        [
            (Alert("a", Threshold(percent=80), metric="rnus"), UnknownMetric,
             "alert.metric: 'rnus' must be a metric of the org's plan, runs, tokens"),
            (Alert("a", Threshold(percent=80), budget="al"), UnknownBudget,
             "alert.budget: must be one of the org's budgets, all, runs-units, got 'al'"),
            (Alert("a", Threshold(percent=80), grant="pak"), UnknownGrant,
             "alert.grant: must be one of the org's grants, pack, got 'pak'"),
            (Alert("a", occasion="grant_expiring", grant="pak"), UnknownGrant, "alert.grant: "),
            (Alert("a", Threshold(cost=Money(5, "EUR"))), CurrencyMismatch, "alert.threshold: "),
            (Alert("a", Threshold(cost=Money(5, "EUR")), metric="runs"), CurrencyMismatch,
             "alert.threshold: "),
            (Alert("a", Threshold(cost=Money(5, "EUR")), budget="all"), CurrencyMismatch,
             "alert.threshold: "),
            (Alert("a", Threshold(quantity=5), budget="all"), InvalidType,
             "alert.threshold.quantity: must be left out, for a cost or percent: budget 'all' is of"
             " money, 5.00 USD, got 5"),
            (Alert("a", Threshold(cost=Money(5, "USD")), grant="pack"), InvalidType,
             "alert.threshold.cost: must be left out, for a quantity or percent: grant 'pack' is of"
             " units, 100, got "),
        ],
    )  # fmt: skip
    def test_an_org_is_told_what_it_does_not_have(
        self, alert: Alert, error: type[Exception], problem: str
    ) -> None:
        service = service_of()
        repository = repository_of(service)
        for budget in (Budget(Money(500, "USD")), Budget(5, metric="runs")):
            repository.put_budget("acme", budget)
        pack = Grant("pack", 100, metric="runs", effective_at=FEB.start)
        repository.put_grant("acme", pack)
        with pytest.raises(error, match=re.escape(problem)):
            service.put_alert(alert, org_id="acme")
        assert service.alert_definitions("acme") == ()
        assert service.put_alert(alert).alert_version == 1  # of all orgs

    def test_an_org_is_told_that_there_is_none_of_it(self) -> None:
        service = service_of(plan=Plan("empty", "USD", {}))
        eighty = Threshold(percent=80)
        for alert in (
            Alert("a", eighty, metric="x"),
            Alert("a", eighty, budget="x"),
            Alert("a", eighty, grant="x"),
        ):
            with pytest.raises(LookupError, match="none"):
                service.put_alert(alert, org_id="acme")

    @pytest.mark.parametrize(
        "alert",
        [
            EIGHTY,
            SPEND,
            Alert("a", occasion="trial_expiring"),
            Alert("a", Threshold(percent=80), grant="pack"),
            Alert("a", Threshold(quantity=8), budget="runs-units"),
        ],
        ids=str,
    )
    def test_an_org_may_have_any_alert_of_what_it_has(self, alert: Alert) -> None:
        service = service_of()
        repository_of(service).put_budget("acme", Budget(5, metric="runs"))
        pack = Grant("pack", 100, metric="runs", effective_at=FEB.start)
        repository_of(service).put_grant("acme", pack)
        service.put_alert(alert, org_id="acme")
        assert [each.alert for each in service.alert_definitions("acme")] == [alert]

    def test_an_org_without_an_account_or_terms_has_no_alert(self) -> None:
        service = service_of()
        with pytest.raises(UnknownPlan, match="must have an account"):
            service.put_alert(EIGHTY, org_id="else")
        account = Account("later", "starter", since=MARCH.start)
        repository_of(service).put_account(account)
        with pytest.raises(NoTerms):
            service.put_alert(EIGHTY, org_id="later")


class TestReading:
    """Alerts are listed, acknowledged and summed up."""

    def test_they_are_newest_first_and_summed_up_by_severity(self) -> None:
        service = service_of(*usual_alerts("runs"))
        use(service, 47)
        assert [each.severity for each in service.alerts("acme")] == ["warning", "info"]
        summary = service.alert_summary("acme")
        assert summary.standing == summary.unseen == {"info": 1, "warning": 1, "critical": 0}

    def test_one_that_is_acknowledged_is_seen(self) -> None:
        service = service_of(EIGHTY)
        use(service, 47)
        key = service.alerts("acme")[0].key
        service.acknowledge("acme", key, by="jo")
        service.acknowledge("acme", key)
        (fired,) = service.alerts("acme")
        assert (fired.acknowledged_at, fired.acknowledged_by) == (NOW, "jo")
        assert service.alert_summary("acme").unseen["warning"] == 0
        with pytest.raises(UnknownAlert):
            service.acknowledge("acme", "x")

    def test_nothing_is_done_while_billing_is_off(self) -> None:
        service = OverageService(MemoryRepository(), clock=lambda: NOW, enabled=False)
        calls: Sequence[Any] = [
            lambda: service.put_alert(EIGHTY),
            lambda: service.drop_alert("runs-80"),
            service.alert_definitions,
            lambda: service.alerts("acme"),
            lambda: service.acknowledge("acme", "x"),
            lambda: service.alert_summary("acme"),
            lambda: service.alert_readings("acme"),
            service.check_alerts,
        ]
        for call in calls:
            with pytest.raises(BillingDisabled):
                call()


class TestClock:
    """Some alerts come with time, and are noted when the clock is asked."""

    def test_the_end_of_a_trial_is_told_of_before(self) -> None:
        ending = Alert("ends", occasion="trial_expiring", days_before=9)
        for now, count in ((NOW - timedelta(seconds=1), 0), (NOW, 1)):
            service = service_of(ending, now=now, status="trial")
            repository = repository_of(service)
            account = repository.account("acme")
            assert account is not None
            account = account.changed(since=FEB.start, limits={"runs": 60})
            account = account.changed(since=NOW + 9 * DAY, status="active")
            repository.put_account(account)
            assert len(service.check_alerts()) == count
            assert service.check_alerts() == ()
        (fired,) = service.alerts("acme")
        assert fired.kind == "trial_expiring"
        assert fired.instant == NOW + 9 * DAY
        assert fired.period == Period(JAN.start, NOW + 9 * DAY)

    def test_a_trial_that_goes_on_for_ever_has_no_end(self) -> None:
        service = service_of(Alert("ends", occasion="trial_expiring"), status="trial")
        assert service.check_alerts() == ()

    def test_a_trial_that_is_prolonged_clears_it(self) -> None:
        ending = Alert("ends", occasion="trial_expiring", days_before=9)
        service = service_of(ending, status="trial")
        repository = repository_of(service)
        account = repository.account("acme")
        assert account is not None
        account = account.changed(since=NOW + DAY, status="active")
        repository.put_account(account)
        service.check_alerts()
        account = account.cancelled(since=NOW + DAY).changed(since=MARCH.end, status="active")
        repository.put_account(account)
        (cleared,) = service.check_alerts()
        assert (cleared.state, cleared.instant) == ("cleared", NOW + DAY)

    def test_another_plan_is_told_of_once_it_holds(self) -> None:
        changed = Alert("plan", occasion="plan_changed", severity="info")
        service = service_of(changed)
        repository = repository_of(service)
        repository.put_plan(evolve(PLAN, slug="large"))
        account = repository.account("acme")
        assert account is not None
        account = account.changed(since=FEB.start, plan="large").ended(at=FEB.start + DAY)
        account = account.changed(since=FEB.start + 2 * DAY, plan="large")
        account = account.changed(since=NOW, plan="starter").changed(
            since=MARCH.start, plan="large"
        )
        repository.put_account(account)
        fired = service.check_alerts()
        assert [(each.instant, each.about) for each in fired] == [
            (FEB.start, "large"), (NOW, "starter"),
        ]  # fmt: skip
        assert {each.period for each in fired} == {
            Period(FEB.start, FEB.start + DAY), Period(FEB.start + 2 * DAY, FEB.end),
        }  # fmt: skip

    def test_the_end_of_a_grant_is_told_of_before(self) -> None:
        service = service_of(
            Alert("any", occasion="grant_expiring", days_before=7),
            Alert("one", occasion="grant_expiring", days_before=7, grant="b"),
        )
        repository = repository_of(service)
        for name, days in (("a", 7), ("b", 6), ("c", 8)):
            grant = Grant(
                name, 5, metric="runs", effective_at=FEB.start, expires_at=NOW + days * DAY
            )
            repository.put_grant("acme", grant)
        repository.put_grant("acme", Grant("d", 5, metric="runs", effective_at=FEB.start))
        fired = {(each.definition.alert.id, each.about) for each in service.check_alerts()}
        assert fired == {("any", "a"), ("any", "b"), ("one", "b")}
        repository.void_grant("acme", "b", NOW)
        cleared = service.check_alerts(["acme"])
        assert {(each.state, each.about) for each in cleared} == {("cleared", "b")}

    def test_what_other_than_usage_reached_is_told_of(self) -> None:
        service = service_of(EIGHTY)
        use(service, 30)
        repository = repository_of(service)
        repository.put_usage(Usage("acme", Period(NOW, NOW + DAY), {"runs": 15}))
        assert [each.used for each in service.check_alerts()] == [45]
        account = repository.account("acme")
        assert account is not None
        repository.put_account(account.changed(since=FEB.start, limits={"runs": 90}))
        assert [each.state for each in service.check_alerts()] == ["cleared"]

    def test_open_periods_alone_are_looked_at(self) -> None:
        service = service_of()
        use(service, 45, at=JAN.start)
        use(service, 45)
        service.close("acme", JAN)
        repository_of(service).put_alert(EIGHTY, put_at=NOW)
        assert [each.period for each in service.check_alerts()] == [FEB]

    def test_it_is_logged_in_counts(self, caplog: pytest.LogCaptureFixture) -> None:
        service = service_of(EIGHTY)
        repository_of(service).put_usage(Usage("acme", Period(NOW, NOW + DAY), {"runs": 45}))
        with caplog.at_level(logging.INFO, "overages.service"):
            service.check_alerts()
        assert caplog.messages == ["1 new alerts"]


def test_a_crash_in_between_keeps_neither_usage_nor_alerts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with in_memory() as repository:
        repository.put_plan(PLAN)
        repository.put_account(Account("acme", "starter", since=JAN.start))
        service = OverageService(repository, clock=lambda: NOW)
        service.put_alert(EIGHTY)

        def crash(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(repository, "_keep_alerts", crash)
            with pytest.raises(KeyboardInterrupt):
                use(service, 20, 25)
        assert repository.usage("acme", FEB).quantities == {}
        use(service, 20, 25)
        assert told(service) == [("runs-80", "reached", 45)]


def test_on_a_joined_connection_alerts_are_kept_or_lost_with_the_hosts_own() -> None:
    from overages.adapters.sqlite import migrate

    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("BEGIN")
    migrate(connection)
    repository = SqliteRepository.join(connection)
    repository.put_plan(PLAN)
    repository.put_account(Account("acme", "starter", since=JAN.start))
    service = OverageService(repository, clock=lambda: NOW)
    service.put_alert(EIGHTY)
    connection.execute("COMMIT")
    for end, count in (("ROLLBACK", 0), ("COMMIT", 1)):
        connection.execute("BEGIN")
        use(service, 20, 10, 15)
        connection.execute(end)
        assert len(service.alerts("acme")) == count
    connection.close()


def test_tiers_of_one_plan_are_growing() -> None:
    tiers = Graduated([Tier(10, "1"), Tier(None, "0.1")])
    plan = Plan("starter", "USD", {"runs": Allowance(0, tiers)})
    service = service_of(SPEND, plan=plan)
    use(service, *[1] * 12)
    assert told(service) == [("spend", "reached", Money.of("10", "USD"))]
