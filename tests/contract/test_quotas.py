"""Decisions, reservations and budgets by the service, over every adapter."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Budget,
    CarryOver,
    Conversion,
    Cycle,
    Decision,
    Discount,
    Grant,
    Metric,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    Reservation,
    StandingLimit,
    Usage,
    UsageEvent,
)
from overages.errors import (
    BillingDisabled,
    CurrencyMismatch,
    InvalidValue,
    NoTerms,
    QuotaExceeded,
    ReservationConflict,
    UnknownBudget,
    UnknownMetric,
    UnknownPlan,
    UnknownReservation,
)
from overages.statements.limit_now import LimitNow
from overages.testing.contract.base import FEB, MAR, OURS, THEIRS, nothing_written

HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
DURING = datetime(2024, 2, 20, 12, tzinfo=UTC)
RUNS = Allowance(50, PerUnit("1.00"), hard_limit=100)
CALLS = Allowance(0, PerUnit("0.10"))
PLAN = Plan("starter", "USD", {"runs": RUNS, "calls": CALLS})
FIVE, TEN = Money(500, "USD"), Money(1_000, "USD")
Standing = list[tuple[Any, ...]]


class Host:
    """A host with a plan, an account from February on, and a clock that it sets."""

    def __init__(self, repository: Repository, plan: Plan = PLAN, **terms: Any) -> None:
        self.repository, self.now = repository, DURING
        self.service = OverageService(repository, clock=lambda: self.now)
        repository.put_plan(plan)
        repository.put_account(Account(OURS, plan.slug, **{"since": FEB.start, **terms}))

    def use(self, **used: Any) -> None:
        """Report units now."""
        events = [UsageEvent(OURS, metric, units, self.now) for metric, units in used.items()]
        self.service.record_usage(events)

    def decide(self, **requested: Any) -> Decision:
        return self.service.decide(OURS, requested)

    def reserve(self, key: str = "r-1", **requested: Any) -> Reservation:
        return self.service.reserve(OURS, requested, key=key, expires_at=self.now + HOUR)

    def total(self) -> Money:
        statement = self.service.calculate(OURS)
        assert statement is not None
        return statement.total

    def require_cost(self, requested: Mapping[str, Any]) -> None:
        """Check that the bill then says what a decision says that a request would cost."""
        decision, before = self.service.decide(OURS, requested), self.total()
        assert decision.verdict == "allow"
        self.use(**requested)
        assert decision.cost == self.total() - before


def standing(decision: Decision) -> Standing:
    return [(each.kind, each.metric, each.used, each.remaining) for each in decision.limits]


def limits_of(host: Host, metric: str) -> LimitNow:
    now = host.service.usage_now(OURS)
    assert now is not None
    return now.limits[metric]


def stop_of(host: Host, metric: str) -> StandingLimit:
    """Return the limit of included units, as it stops requests that are to cost nothing."""
    limit = host.service.decide(OURS, {metric: 0}, stop_at=["limit"]).limit("included")
    assert limit is not None
    return limit


def test_a_decision_is_of_the_present_period_and_keeps_nothing(repository: Repository) -> None:
    host = Host(repository)
    host.use(runs=45)
    with nothing_written(repository):
        decision = host.decide(runs=10)
    assert (decision.verdict, decision.cost) == ("allow", FIVE)
    assert standing(decision) == [("included", "runs", 45, 5), ("hard_limit", "runs", 45, 55)]
    assert {(each.period, each.resets_at) for each in decision.limits} == {(FEB, FEB.end)}
    assert (decision.at, decision.age) == (DURING, timedelta())
    host.now = MAR.start
    assert standing(host.decide(runs=10))[0] == ("included", "runs", 0, 50)


def test_sums_that_a_host_put_are_used_up_too(repository: Repository) -> None:
    host = Host(repository)
    repository.put_usage(Usage(OURS, FEB, {"runs": "95.5"}))
    host.use(runs=3)
    assert host.decide(runs=1).limits[1].remaining == Decimal("1.5")
    assert host.decide(runs=2).verdict == "deny"


def test_a_denied_request_raises_with_every_limit_and_counts_nothing(
    repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(repository)
    host.use(runs=95)
    caplog.set_level(logging.INFO, "overages.service")
    with nothing_written(repository), pytest.raises(QuotaExceeded) as caught:
        host.service.enforce(OURS, {"runs": 10})
    assert str(caught.value) == "org-1: denied 10 runs (runs: hard limit 100, used 95, 5 left)"
    assert caught.value.decision == host.decide(runs=10)
    assert caught.value.retry_after == (FEB.end - DURING).total_seconds()
    assert [each.message for each in caplog.records] == ["org-1: a request is denied"]
    assert host.service.enforce(OURS, {"runs": 10}, at_least={"runs": 1}).granted == {"runs": 5}


def test_without_terms_nothing_may_be_used(repository: Repository) -> None:
    host = Host(repository, since=DURING + HOUR)
    for org_id, resets_at in ((OURS, DURING + HOUR), (THEIRS, None)):
        decision = host.service.decide(org_id, {"runs": 1})
        (limit,) = decision.limits
        assert (decision.verdict, limit.kind, limit.resets_at) == ("deny", "no_terms", resets_at)
        assert (decision.granted, decision.cost) == ({"runs": 0}, None)
    account = repository.account(OURS)
    assert account is not None
    ends = account.ended(at=MAR.start)
    repository.put_account(ends.changed(since=MAR.start + HOUR, plan="starter"))
    host.now = MAR.start
    assert host.decide(runs=1).resets_at == MAR.start + HOUR
    with pytest.raises(QuotaExceeded):
        host.reserve(runs=1)


def test_a_metric_that_the_plan_does_not_know_is_denied(repository: Repository) -> None:
    host = Host(repository)
    account = repository.account(OURS)
    assert account is not None
    for changed in (
        account,
        account.changed(since=FEB.start, discounts=[Discount("d", percent=5)]),
    ):
        repository.put_account(changed)
        decision = host.decide(seats=1, runs=1)
        assert decision.decided_by is not None
        assert (decision.verdict, decision.decided_by.kind) == ("deny", "unknown_metric")


def test_a_cost_is_that_of_terms_that_differ_within_a_period(repository: Repository) -> None:
    larger = Plan("larger", "USD", {"runs": Allowance(100, PerUnit(2), hard_limit=200)})
    host = Host(repository)
    repository.put_plan(larger)
    account = repository.account(OURS)
    assert account is not None
    host.now = FEB.start + HOUR
    host.use(runs=60)
    halfway = Period(FEB.start, FEB.start + (FEB.end - FEB.start) / 2)
    repository.put_account(account.changed(since=halfway.end, plan="larger"))
    host.now = DURING
    assert standing(host.decide(runs=1)) == [
        ("included", "runs", 0, 52),
        ("hard_limit", "runs", 0, 103),
    ]
    host.require_cost({"runs": 60})
    assert host.decide(runs=44).verdict == "deny"


def test_counters_that_go_on_count_towards_the_hard_limit(repository: Repository) -> None:
    larger = Plan("larger", "USD", {"runs": Allowance(100, PerUnit(2), hard_limit=200)})
    host = Host(repository)
    repository.put_plan(larger)
    account = repository.account(OURS)
    assert account is not None
    host.now = FEB.start + HOUR
    host.use(runs=60)
    changed = account.changed(since=FEB.start + 2 * HOUR, plan="larger", counters="continue")
    repository.put_account(changed)
    host.now = DURING
    decision = host.decide(runs=1)
    assert standing(decision) == [("included", "runs", 0, 40), ("hard_limit", "runs", 60, 140)]
    host.require_cost({"runs": 60})
    assert host.decide(runs=81).verdict == "deny"
    assert host.decide(runs=80).verdict == "allow"


def test_a_hard_limit_is_of_all_that_counters_go_on_through(repository: Repository) -> None:
    host = Host(repository)
    larger = Plan("larger", "USD", {"runs": Allowance(100, PerUnit(2), hard_limit=200)})
    repository.put_plan(larger)
    account = repository.account(OURS)
    assert account is not None
    later = account.changed(since=DURING + HOUR, plan="larger", counters="continue")
    repository.put_account(later)
    decision = host.decide(runs=1)
    assert standing(decision) == [("included", "runs", 0, 50), ("hard_limit", "runs", 0, 100)]
    assert {each.resets_at for each in decision.limits} == {FEB.end}


def test_an_org_without_grants_has_none_to_stop_at(repository: Repository) -> None:
    host = Host(repository)
    host.use(calls=5)
    decision = host.service.decide(OURS, {"calls": 1}, stop_at=["grants"])
    assert standing(decision)[-1] == ("grants", None, Money(0, "USD"), Money(0, "USD"))
    assert decision.verdict == "deny"


def test_a_short_period_has_its_share_of_a_hard_limit(repository: Repository) -> None:
    host = Host(repository, since=FEB.start + (FEB.end - FEB.start) / 2)
    assert standing(host.decide(runs=1)) == [
        ("included", "runs", 0, 26), ("hard_limit", "runs", 0, 52),
    ]  # fmt: skip  # 15 of 29 days
    host.require_cost({"runs": 52})


def test_a_level_has_a_hard_limit_whole(repository: Repository) -> None:
    seats = Allowance(3, PerUnit(10), kind="level", hard_limit=5)
    others = Allowance(3, PerUnit(10), hard_limit=5)
    host = Host(
        repository, Plan("p", "USD", {"seats": seats, "rooms": others}),
        since=FEB.start + (FEB.end - FEB.start) / 2,
    )  # fmt: skip
    for metric in ("seats", "rooms"):
        repository.put_metric(Metric(metric, "max", reports="level"))
    host.use(seats=4)
    assert standing(host.decide(seats=1, rooms=0)) == [
        ("included", "seats", 4, 0), ("hard_limit", "seats", 4, 1),
        ("included", "rooms", 0, 3), ("hard_limit", "rooms", 0, 5),
    ]  # fmt: skip
    assert host.decide(seats=2).verdict == "deny"


def test_per_cent_are_of_the_included_units_or_of_the_own_limit_alone(
    repository: Repository,
) -> None:
    carried = Allowance(50, PerUnit(1), hard_limit_percent=150, carry_over=CarryOver())
    host = Host(repository, Plan("p", "USD", {"runs": carried}))
    host.now = MAR.start + HOUR
    decision = host.decide(runs=1)
    assert standing(decision) == [("included", "runs", 0, 100), ("hard_limit", "runs", 0, 75)]
    account = repository.account(OURS)
    assert account is not None
    repository.put_account(account.changed(since=MAR.start, limits={"runs": 60}))
    decision = host.decide(runs=91)
    assert standing(decision) == [("own_limit", "runs", 0, 110), ("hard_limit", "runs", 0, 90)]
    assert decision.verdict == "deny"
    repository.put_account(account.changed(since=MAR.start, limits={"runs": 60}).changed(
        since=MAR.start, limits={"runs": None}
    ))  # fmt: skip
    assert standing(host.decide(runs=999)) == []


def test_an_allowance_of_a_year_is_there_again_with_the_year(repository: Repository) -> None:
    yearly = Allowance(100, PerUnit(1), included_for=Cycle.calendar("year"))
    host = Host(repository, Plan("p", "USD", {"runs": yearly}))
    host.use(runs=80)
    host.now = MAR.start + HOUR
    decision = host.decide(runs=30)
    year = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert (decision.cost, decision.limits[0].period) == (TEN, year)
    assert decision.limits[0].resets_at == year.end
    host.require_cost({"runs": 30})


def test_rules_of_a_plan_and_of_an_org_are_in_the_cost(repository: Repository) -> None:
    discounted = Allowance(
        10, PerUnit(1), discounts=[Discount("d", percent=50)], maximum=TEN,
        conversion=Conversion(divide=2, increment=1),
    )  # fmt: skip
    host = Host(repository, Plan("p", "USD", {"runs": discounted, "calls": CALLS}))
    for requested in ({"runs": 23}, {"runs": 4, "calls": 3}, {"runs": 90}):
        host.require_cost(requested)
    account = repository.account(OURS)
    assert account is not None
    repository.put_account(account.changed(since=FEB.start, maximum=Money(1_050, "USD")))
    host.require_cost({"calls": 50})


def test_grants_of_units_are_told_and_pay_for_what_is_asked(repository: Repository) -> None:
    host = Host(repository)
    repository.put_grant(OURS, Grant("g", 20, metric="calls", effective_at=FEB.start))
    host.use(calls=5)
    decision = host.decide(calls=10, runs=60)
    assert [each for each in standing(decision) if each[0] == "grants"] == [
        ("grants", "calls", 5, 15)
    ]
    assert [each.period for each in decision.limits if each.kind == "grants"] == [None]
    host.require_cost({"calls": 10, "runs": 60})
    host.require_cost({"calls": 10})
    assert host.total() == TEN + Money(50, "USD")


def test_a_pack_that_begins_after_overage_is_left_whole(repository: Repository) -> None:
    host = Host(repository)
    host.now = FEB.start + HOUR
    host.use(runs=60)
    repository.put_grant(OURS, Grant("pack", 20, metric="runs", effective_at=DURING))
    assert [each.remaining for each in (limits_of(host, "runs"), stop_of(host, "runs"))] == [0, 0]
    host.now = DURING
    now, limit = limits_of(host, "runs"), stop_of(host, "runs")
    assert now == (60, 80, 10)  # those that are charged count in the limit: no pack pays for them
    assert (limit.used, limit.limit, limit.remaining) == (60, 80, 20)
    host.reserve(runs=5)
    assert (stop_of(host, "runs").held, stop_of(host, "runs").remaining) == (5, 15)
    decide = host.service.decide
    assert decide(OURS, {"runs": 16}, stop_at=["limit"]).verdict == "deny"
    assert decide(OURS, {"runs": 16}, stop_at=["limit"], on_passing="cross").verdict == "allow"
    host.require_cost({"runs": 15})
    assert host.total() == TEN
    host.service.commit(OURS, "r-1")
    assert (host.total(), limits_of(host, "runs")) == (TEN, (80, 70, 10))
    assert stop_of(host, "runs").remaining == 0


def test_prepaid_money_can_be_all_that_may_be_spent(repository: Repository) -> None:
    host = Host(repository)
    repository.put_grant(OURS, Grant("top-up", TEN, effective_at=FEB.start))
    repository.put_grant(OURS, Grant("runs", FIVE, metric="runs", effective_at=FEB.start))
    host.use(calls=30)
    decide = host.service.decide
    decision = decide(OURS, {"calls": 71}, stop_at=["grants"])
    assert (decision.verdict, decision.decided_by) == ("deny", decision.limits[-1])
    assert standing(decision)[-1] == ("grants", None, Money(300, "USD"), Money(700, "USD"))
    clamped = decide(OURS, {"calls": 71}, stop_at=["grants"], on_passing="clamp")
    assert (clamped.granted, clamped.cost) == ({"calls": 70}, Money(0, "USD"))
    assert clamped.overage_cost == Money(700, "USD")
    assert decide(OURS, {"calls": 71}, stop_at=["grants"], on_passing="cross").verdict == "allow"
    of_runs = standing(decide(OURS, {"runs": 0}))
    assert ("grants", "runs", Money(0, "USD"), FIVE) in of_runs
    host.require_cost({"calls": 71})


def test_holds_draw_on_grants_as_their_usage_would(repository: Repository) -> None:
    host = Host(repository)
    repository.put_grant(OURS, Grant("top-up", TEN, effective_at=FEB.start))
    repository.put_grant(OURS, Grant("g", 20, metric="calls", effective_at=FEB.start))
    host.reserve(calls=60)
    limits = [each for each in host.decide(calls=1).limits if each.kind == "grants"]
    assert [(each.used, each.held, each.remaining) for each in limits] == [
        (0, 20, 0), (Money(0, "USD"), Money(400, "USD"), Money(600, "USD")),
    ]  # fmt: skip


def test_a_metric_that_is_worked_out_is_decided_and_not_reserved(repository: Repository) -> None:
    host = Host(repository, Plan("p", "USD", {"peak": Allowance(5, PerUnit(1), hard_limit=9)}))
    repository.put_metric(Metric("peak", "max", event="load"))
    host.use(load=4)
    assert standing(host.decide(peak=1)) == [
        ("included", "peak", 4, 1),
        ("hard_limit", "peak", 4, 5),
    ]
    assert host.decide(peak=6).verdict == "deny"
    problem = r"^org-1: requested\.peak: must be a metric that is the sum of the events of its name"
    with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
        host.reserve(peak=1)


# Reservations


def test_units_that_are_held_are_nobody_elses_until_they_expire(repository: Repository) -> None:
    host = Host(repository)
    held = host.reserve(runs=60)
    assert (held.units, held.period, held.reserved_at) == ({"runs": 60}, FEB, DURING)
    assert [each.held for each in host.decide(runs=1).limits] == [60, 60]
    with pytest.raises(QuotaExceeded, match="hard limit 100, used 0, held 60"):
        host.reserve("r-2", runs=41)
    assert host.service.reserve(
        OURS, {"runs": 41}, key="r-3", expires_at=DURING + HOUR, on_passing="clamp"
    ).units == {"runs": 40}
    host.now += HOUR - TICK
    assert host.decide(runs=1).verdict == "deny"
    host.now += TICK
    assert host.decide(runs=100).verdict == "allow"
    assert [each.state_at(host.now) for each in host.service.reservations(OURS)] == ["expired"] * 2


def test_a_commit_reports_the_usage_and_frees_the_rest(repository: Repository) -> None:
    host = Host(repository)
    host.reserve(runs=60, calls=5)
    host.now += HOUR / 2
    committed = host.service.commit(OURS, "r-1", used={"runs": 55})
    assert (committed.used, committed.beyond, committed.is_late) == (
        {"runs": 55, "calls": 0},
        {},
        False,
    )
    assert standing(host.decide(runs=1))[1] == ("hard_limit", "runs", 55, 45)
    (event,) = repository.events(OURS, FEB)
    assert (event.at, event.quantity, event.id) == (DURING, 55, committed.event_id("runs"))
    with nothing_written(repository):
        assert host.service.commit(OURS, "r-1", used={"runs": 55}) == committed
        assert host.service.reservation(OURS, "r-1") == committed
        with pytest.raises(ReservationConflict):
            host.service.commit(OURS, "r-1", used={"runs": 54})
        with pytest.raises(ReservationConflict):
            host.service.release(OURS, "r-1")


def test_what_was_used_beyond_the_units_that_were_held_is_recorded_and_named(
    repository: Repository,
) -> None:
    host = Host(repository)
    host.reserve(runs=100)
    assert host.service.commit(OURS, "r-1", used={"runs": 120}).beyond == {"runs": 20}
    assert host.total() == Money(7_000, "USD")
    assert host.decide(runs=1).verdict == "deny"


def test_a_late_commit_is_recorded_in_the_period_that_was_fixed(repository: Repository) -> None:
    host = Host(repository)
    host.reserve(runs=60)
    host.now = MAR.start + HOUR
    committed = host.service.commit(OURS, "r-1")
    assert (committed.is_late, committed.period) == (True, FEB)
    assert repository.usage(OURS, FEB).quantities == {"runs": 60}
    assert repository.usage(OURS, MAR).quantities == {}
    assert host.service.reservations(OURS, FEB) == (committed,)
    assert host.service.reservations(OURS) == ()


def test_usage_of_a_period_that_is_closed_counts_as_late_usage_does(repository: Repository) -> None:
    host = Host(repository)
    for key in ("r-1", "r-2"):
        host.reserve(key, calls=10)
    host.now = MAR.start + HOUR
    host.service.close(OURS, FEB)
    host.service.commit(OURS, "r-1", late="next_period")
    assert repository.usage(OURS, MAR).quantities == {"calls": 10}
    host.service.commit(OURS, "r-2")
    assert [each.period for each in host.service.stale(OURS)] == [FEB]


def test_what_is_released_is_free_again(repository: Repository) -> None:
    host = Host(repository)
    host.reserve(runs=100)
    released = host.service.release(OURS, "r-1")
    assert released.state_at(host.now) == "released"
    assert host.service.release(OURS, "r-1") == released
    assert host.decide(runs=100).verdict == "allow"
    with pytest.raises(ReservationConflict):
        host.service.commit(OURS, "r-1")


def test_the_same_request_has_the_same_answer_whatever_is_left(repository: Repository) -> None:
    host = Host(repository)
    first = host.reserve(runs=100)
    host.now += HOUR * 2
    with nothing_written(repository):
        assert host.reserve(runs="100.0") == first
        with pytest.raises(ReservationConflict, match="must be of the request that it came with"):
            host.reserve(runs=99)


def test_a_denied_request_keeps_nothing_and_may_come_again(repository: Repository) -> None:
    host = Host(repository)
    host.use(runs=95)
    with nothing_written(repository), pytest.raises(QuotaExceeded):
        host.reserve(runs=10)
    host.now = MAR.start
    assert host.reserve(runs=10).period == MAR


def test_a_commit_that_fails_leaves_its_units_held(repository: Repository) -> None:
    host = Host(repository)
    host.reserve(runs=10)
    account = repository.account(OURS)
    assert account is not None
    repository.put_account(account.ended(at=DURING - HOUR))
    with nothing_written(repository), pytest.raises(NoTerms):
        host.service.commit(OURS, "r-1")
    assert host.service.reservation(OURS, "r-1").outcome is None


def test_units_of_a_metric_that_the_plan_knows_no_more_hold_nothing(repository: Repository) -> None:
    host = Host(repository)
    host.reserve(calls=10)
    account = repository.account(OURS)
    assert account is not None
    repository.put_plan(Plan("runs", "USD", {"runs": RUNS}))
    repository.put_account(account.changed(since=DURING + HOUR / 2, plan="runs"))
    host.now += HOUR / 2
    assert host.decide(runs=1).verdict == "allow"


@pytest.mark.parametrize("key", ["r-2", "R-1", "%"])
def test_a_reservation_that_is_not_there_is_named(repository: Repository, key: str) -> None:
    host = Host(repository)
    host.reserve(runs=1)
    problem = "^org-1: key: must be the key of a reservation of the org's, got "
    for call in (host.service.commit, host.service.release, host.service.reservation):
        with pytest.raises(UnknownReservation, match=problem):
            call(OURS, key)
    assert host.service.reservations("org-3") == ()


def test_what_is_no_reservation_is_refused(repository: Repository) -> None:
    host = Host(repository)
    with nothing_written(repository):
        problem = r"^org-1: expires_at: must be later than now, 2024-02-20T12:00:00Z"
        with pytest.raises(InvalidValue, match=problem):
            host.service.reserve(OURS, {"runs": 1}, key="k", expires_at=DURING)
        with pytest.raises(InvalidValue, match=r"^key: must not be empty"):
            host.reserve("", runs=1)


# Budgets


def test_a_budget_acts_at_once_and_says_how_it_stands(repository: Repository) -> None:
    host = Host(repository)
    host.use(calls=60)
    standing = host.service.put_budget(OURS, Budget(FIVE, on_reached="stop_usage"))
    assert (standing.used, standing.remaining) == (Money(600, "USD"), Money(0, "USD"))
    assert host.decide(calls=1).verdict == "deny"
    assert host.decide(runs=50).verdict == "allow"
    raised = host.service.put_budget(OURS, Budget(TEN, on_reached="stop_usage"))
    assert raised.remaining == Money(400, "USD")
    assert host.decide(calls=40).verdict == "allow"
    host.reserve(calls=40)
    assert [(each.name, each.held) for each in host.service.budgets(OURS)] == [
        ("all", Money(400, "USD"))
    ]
    for _ in range(2):
        host.service.drop_budget(OURS, "all")
        assert host.service.budgets(OURS) == ()
    assert host.decide(calls=900).verdict == "allow"


def test_a_budget_of_a_day_counts_the_units_and_holds_of_that_day(repository: Repository) -> None:
    daily = Budget(10, metric="calls", on_reached="stop_usage", window=Cycle.calendar("day"))
    host = Host(repository)
    host.use(calls=9)
    host.now += timedelta(hours=12)
    host.use(calls=4)
    standing = host.service.put_budget(OURS, daily)
    today = Period(datetime(2024, 2, 21, tzinfo=UTC), datetime(2024, 2, 22, tzinfo=UTC))
    assert (standing.used, standing.remaining) == (4, 6)
    assert (standing.period, standing.resets_at) == (today, today.end)
    host.reserve(calls=3)
    assert host.decide(calls=4).verdict == "deny"
    assert host.decide(calls=3).verdict == "allow"


def test_budgets_of_the_period_and_of_metrics_stand_by_id(repository: Repository) -> None:
    host = Host(repository)
    host.use(calls=10, runs=55)
    for budget in (
        Budget(TEN),
        Budget(TEN, metric="calls"),
        Budget(60, metric="runs", id="a", on_reached="stop_usage"),
    ):
        host.service.put_budget(OURS, budget)
    used = [(each.name, each.used, each.remaining) for each in host.service.budgets(OURS)]
    assert used == [
        ("a", 55, 5), ("all", Money(600, "USD"), Money(400, "USD")),
        ("calls-cost", Money(100, "USD"), Money(900, "USD")),
    ]  # fmt: skip
    assert host.decide(runs=6).verdict == "deny"
    assert host.decide(runs=5, calls=1).verdict == "allow"


def test_a_budget_that_stops_charging_is_the_maximum_of_the_terms(repository: Repository) -> None:
    host = Host(repository)
    host.use(calls=60)
    standing = host.service.put_budget(OURS, Budget(FIVE, on_reached="stop_charging"))
    assert (standing.used, standing.remaining) == (FIVE, Money(0, "USD"))
    assert host.decide(calls=900).verdict == "allow"
    assert (host.decide(calls=900).cost, host.total()) == (Money(0, "USD"), FIVE)
    lower = Budget(Money(300, "USD"), id="lower", on_reached="stop_charging")
    host.service.put_budget(OURS, lower)
    assert host.total() == Money(300, "USD")
    with nothing_written(repository):
        host.service.put_budget(OURS, lower)
    host.service.drop_budget(OURS, "lower")
    assert host.total() == FIVE
    host.service.put_budget(OURS, Budget(FIVE))
    assert host.total() == Money(600, "USD")
    account = repository.account(OURS)
    assert account is not None
    assert {change.since for change in account.changes} == {FEB.start}
    reasons = {note.reason for note in repository.account_notes(OURS)}
    assert reasons == {None, "a budget that stops charging"}


def test_a_maximum_of_the_orgs_own_is_left_to_its_terms(repository: Repository) -> None:
    host = Host(repository, maximum=TEN)
    problem = r"^org-1: budget\.on_reached: must leave charging to the terms of the org, which say"
    with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
        host.service.put_budget(OURS, Budget(FIVE, on_reached="stop_charging"))
    host.service.put_budget(OURS, Budget(FIVE))


def test_a_budget_that_can_not_be_compared_is_refused(repository: Repository) -> None:
    host = Host(repository)
    with nothing_written(repository):
        with pytest.raises(CurrencyMismatch, match="USD and EUR can't be added or compared"):
            host.service.put_budget(OURS, Budget(Money(5, "EUR")))
        with pytest.raises(UnknownMetric, match="'seats' must be a metric of the org's plan"):
            host.service.put_budget(OURS, Budget(5, metric="seats"))
        with pytest.raises(UnknownPlan, match="must have an account"):
            host.service.put_budget(THEIRS, Budget(TEN))
        with pytest.raises(UnknownBudget, match="must be a budget of the org: there is none"):
            host.service.drop_budget(OURS, "all")


def test_budgets_wait_for_terms(repository: Repository) -> None:
    host = Host(repository)
    host.service.put_budget(OURS, Budget(FIVE, on_reached="stop_charging"))
    account = repository.account(OURS)
    assert account is not None
    repository.put_account(account.ended(at=DURING))
    assert host.service.budgets(OURS) == host.service.budgets(THEIRS) == ()
    with pytest.raises(NoTerms):
        host.service.put_budget(OURS, Budget(TEN))
    host.service.drop_budget(OURS, "all")
    assert repository.budgets(OURS) == ()


def test_nothing_is_decided_or_held_while_billing_is_off(repository: Repository) -> None:
    service = OverageService(repository, clock=lambda: DURING, enabled=False)
    for call in (
        lambda: service.decide(OURS, {"runs": 1}),
        lambda: service.enforce(OURS, {"runs": 1}),
        lambda: service.reserve(OURS, {"runs": 1}, key="k", expires_at=MAR.start),
        lambda: service.commit(OURS, "k"),
        lambda: service.release(OURS, "k"),
        lambda: service.reservation(OURS, "k"),
        lambda: service.reservations(OURS),
        lambda: service.put_budget(OURS, Budget(TEN)),
        lambda: service.drop_budget(OURS, "all"),
        lambda: service.budgets(OURS),
    ):
        with pytest.raises(BillingDisabled):
            call()
