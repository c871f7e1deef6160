"""Events that a service keeps, and those that it refuses by name."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.in_memory import in_memory

from overages import (
    Account,
    Allowance,
    Cycle,
    Grant,
    MemoryRepository,
    Metric,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    Usage,
    UsageEvent,
    calculate,
)
from overages.errors import (
    BillingDisabled,
    EventConflict,
    InvalidType,
    InvalidValue,
    InvalidValues,
    NoTerms,
    OveragesError,
    UnknownEvent,
    UnknownMetric,
    UnknownPlan,
)
from overages.testing.contract.base import close
from overages.usage.routing import Routes

FEB, MAR, APR = (Period.month(2024, n) for n in (2, 3, 4))
NOW = datetime(2024, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)
EURO = Allowance(0, PerUnit(1))
STARTER = Plan(
    "starter",
    "EUR",
    {"runs": EURO, "peak": EURO, "users": EURO, "seats": Allowance(3, PerUnit(1), kind="level")},
)
NARROW = Plan("narrow", "EUR", {"jobs": EURO, "runs": EURO})
ACCOUNT = Account("org-1", "starter", FEB.start)
METRICS = [
    Metric("peak", "max", event="load"),
    Metric("users", "unique", event="visits", distinct="u"),
]


@pytest.fixture(params=["memory", "sqlite"])
def repository(request: pytest.FixtureRequest) -> Iterator[Repository]:
    with in_memory() as sqlite:
        made: Repository = sqlite if request.param == "sqlite" else MemoryRepository()
        made.put_plan(STARTER)
        made.put_plan(NARROW)
        made.put_account(ACCOUNT)
        yield made


def serve(repository: Repository, **options: Any) -> OverageService:
    return OverageService(repository, **{"clock": lambda: NOW, "metrics": METRICS, **options})


def event(
    id: str, quantity: int = 1, metric: str = "runs", at: datetime = NOW, **named: Any
) -> UsageEvent:
    return UsageEvent(named.pop("org_id", "org-1"), metric, quantity, at, id, named)


def used(service: OverageService, period: Period) -> dict[str, Any]:
    account = service._repository.account("org-1")
    statement = service.calculate("org-1", period, account=account)  # even if it is closed
    assert statement is not None
    return {line.metric: line.used for line in statement.overages if line.used}


REFUSED = [
    (event("x", org_id="org-9"), UnknownPlan, r"org-9: events\[1\]\.org_id: must have an"),
    (event("x", at=FEB.start - DAY), NoTerms, r"org-1: events\[1\]\.at: must be when the org has"),
    (
        event("x", metric="jobs"),
        UnknownMetric,
        r"org-1: events\[1\]\.metric: 'jobs' is not in plan",
    ),
    (
        event("x", at=NOW + 2 * DAY),
        InvalidValue,
        r"org-1: events\[1\]\.at: must be at most 1 day",
    ),
    (
        event("x", metric="seats"),
        InvalidValue,
        r"org-1: events\[1\]\.metric: must be counted as a level, .*Metric\('seats', 'max',",
    ),
    (event("x", metric="visits"), InvalidValue, r"org-1: events\[1\]\.dimensions: must have 'u'"),
    (event("a", 7), EventConflict, r"org-1: events\[1\]\.id: was reported before with another"),
]


@pytest.mark.parametrize(
    ("refused", "kind", "problem"), REFUSED, ids=[kind.__name__ for _, kind, _ in REFUSED]
)
def test_an_event_that_is_refused_is_named_and_nothing_of_its_batch_is_kept(
    repository: Repository, refused: UsageEvent, kind: type[OveragesError], problem: str
) -> None:
    service = serve(repository)
    with pytest.raises(kind, match=f"^{problem}"):
        service.record_usage([event("a"), refused, event("b")])
    assert used(service, MAR) == {}
    assert list(repository.events("org-1", MAR)) == []


@pytest.mark.parametrize(
    ("refused", "kind", "problem"), REFUSED, ids=[kind.__name__ for _, kind, _ in REFUSED]
)
def test_who_wants_to_go_on_is_told_of_refused_events_and_the_others_are_kept(
    repository: Repository, refused: UsageEvent, kind: type[OveragesError], problem: str
) -> None:
    service = serve(repository)
    told: list[OveragesError] = []
    batch = [event("a"), refused, event("b")]
    assert service.record_usage(batch, on_refused=told.append) == 2
    assert [type(error) for error in told] == [kind]
    with pytest.raises(kind, match=f"^{problem}"):
        raise told[0]
    assert used(service, MAR) == {"runs": 2}
    assert service.record_usage(batch, on_refused=told.append) == 0


def test_faults_of_every_kind_are_told_in_the_order_of_the_events(repository: Repository) -> None:
    service = serve(repository)
    told: list[OveragesError] = []
    service.record_usage([event("kept")])
    batch = [event("kept", 5), event("a"), event("j", metric="jobs"), event("a", 2), event("b")]
    with pytest.raises(InvalidValues) as caught:
        service.record_usage(batch)
    assert service.record_usage(batch, on_refused=told.append) == 2
    fields = ["events[0].id", "events[2].metric", "events[3].id"]
    assert [error.field for error in caught.value.errors] == fields
    assert [error.field for error in told] == fields


def test_more_faults_than_one_error_holds_are_told_one_by_one(repository: Repository) -> None:
    service = serve(repository)
    told: list[OveragesError] = []
    batch = [event(str(n), metric="jobs") for n in range(300)]
    assert service.record_usage([*batch, event("a")], on_refused=told.append) == 1
    assert len(told) == 300
    with pytest.raises(InvalidValues):
        service.record_usage(batch)


def test_conflicts_are_told_however_many_and_are_asked_for_in_proportion() -> None:
    class Counting(MemoryRepository):
        asked = 0

        def add_events(self, events: Iterable[UsageEvent], *how: Any) -> int:
            listed = list(events)
            self.asked += len(listed)
            return super().add_events(listed, *how)

    repository = Counting()
    repository.put_plan(STARTER)
    repository.put_account(ACCOUNT)
    service = serve(repository)
    service.record_usage([event(str(n)) for n in range(0, 3_000, 2)])
    before, told = repository.asked, list[OveragesError]()
    batch = [event(str(n), 2) for n in range(3_000)] + [event("a", 3), event("a", 4)]
    assert service.record_usage(batch, on_refused=told.append) == 1_501
    assert [error.path[1] for error in told] == [*range(0, 3_000, 2), 3_001]
    assert used(service, MAR) == {"runs": 1_500 + 3_000 + 3}
    assert repository.asked - before <= 3 * len(batch)


@pytest.mark.parametrize("kept", [0, 1, 99, 100, 101, 200])
def test_as_many_conflicts_as_one_error_holds_leave_nothing_out(kept: int) -> None:
    repository = MemoryRepository()
    repository.put_plan(STARTER)
    repository.put_account(ACCOUNT)
    service, told = serve(repository), list[OveragesError]()
    service.record_usage([event(str(n)) for n in range(kept)])
    batch = [event(str(n), 2) for n in range(200)]
    assert service.record_usage(batch, on_refused=told.append) == 200 - kept
    assert len(told) == kept


def test_a_storage_that_fails_is_no_event_that_is_refused() -> None:
    class Failing(MemoryRepository):
        def add_events(self, *_: Any) -> int:
            raise InvalidValue("disk", None, "must not be full")

    repository = Failing()
    told: list[OveragesError] = []
    repository.put_plan(STARTER)
    repository.put_account(ACCOUNT)
    with pytest.raises(InvalidValue, match="disk"):
        serve(repository).record_usage([event("a")], on_refused=told.append)
    assert told == []


def test_an_event_may_be_dated_as_far_ahead_as_the_service_allows(repository: Repository) -> None:
    service = serve(repository)
    assert service.record_usage([event("a", at=NOW + DAY)]) == 1
    with pytest.raises(InvalidValue, match="ahead of now, 2024-03-20T00:00:00Z, got 2024-03-21"):
        service.record_usage([event("b", at=NOW + DAY + timedelta(microseconds=1))])
    assert serve(repository, ahead=31 * DAY).record_usage([event("b", at=APR.start)]) == 1
    assert serve(repository, ahead=0 * DAY).record_usage([event("c")]) == 1


@pytest.mark.parametrize("wrong", [None, 1, -DAY])
def test_how_far_ahead_is_a_time_of_nothing_or_more(repository: Repository, wrong: Any) -> None:
    with pytest.raises(OveragesError, match=r"^ahead: must"):
        serve(repository, ahead=wrong)


def test_who_is_told_is_a_function(repository: Repository) -> None:
    service: Any = serve(repository)
    with pytest.raises(InvalidType, match=r"^on_refused: must be a function that takes an error"):
        service.record_usage([event("a")], on_refused=[])


def test_the_plan_is_the_one_in_force_at_the_events_instant(repository: Repository) -> None:
    repository.put_account(ACCOUNT.changed(since=MAR.start + 11 * DAY, plan="narrow"))
    service = serve(repository)
    first, last = event("a", metric="load", at=MAR.start), event("b", metric="jobs")
    assert service.record_usage([first, last, event("c", at=MAR.start), event("d")]) == 4
    for wrong in (event("e", metric="jobs", at=MAR.start), event("f", metric="load")):
        with pytest.raises(
            UnknownMetric, match=f"is not in plan '{'starter' if wrong.id == 'e' else 'narrow'}'"
        ):
            service.record_usage([wrong])


def test_every_metric_that_an_event_counts_for_is_one_of_the_plan(repository: Repository) -> None:
    """Or the bill, in which each of them is, could not be made."""
    service = serve(repository, metrics=[Metric("runs"), Metric("jobs", "count", event="runs")])
    with pytest.raises(UnknownMetric, match=r"events\[0\]\.metric: 'jobs' is not in plan"):
        service.record_usage([event("a")])


def test_a_plan_that_was_not_in_force_yet_takes_no_events(repository: Repository) -> None:
    repository.put_plan(Plan("late", "EUR", {"runs": EURO}), since=APR.start)
    repository.put_account(ACCOUNT.changed(since=FEB.start, plan="late"))
    with pytest.raises(UnknownPlan, match=r"^org-1: events\[0\]\.plan: must be in force then"):
        serve(repository).record_usage([event("a")])


# Late events


def close_period(repository: Repository, period: Period) -> None:
    """Close a period of nothing."""
    close(repository, calculate(repository.plan("starter"), Usage("org-1", period, {})))


def test_a_late_event_counts_at_the_start_of_the_first_open_period(repository: Repository) -> None:
    service = serve(repository)
    close_period(repository, FEB)
    late = [
        event("a", 5, at=FEB.start + DAY),
        event("b", 7, "load", at=FEB.end - DAY),
        event("c", 2),
    ]
    assert service.record_usage(late, late="next_period") == 3
    assert (used(service, FEB), used(service, MAR)) == ({}, {"runs": 7, "peak": 7})
    counted = dict(repository.counted_events("org-1", MAR))
    assert [counted[each] for each in late] == [MAR.start, MAR.start, NOW]
    assert service.record_usage(late) == 0
    close_period(repository, MAR)
    service.record_usage([event("d", 1, at=FEB.start), event("e", 1)], late="next_period")
    assert used(service, APR) == {"runs": 2}


def test_units_that_are_taken_back_stay_in_their_own_period(repository: Repository) -> None:
    service = serve(repository)
    service.record_usage([event("a", 5, at=FEB.start)])
    close_period(repository, FEB)
    late = [event("b", -3, at=FEB.start), event("c", 4, at=FEB.start)]
    service.record_usage(late, late="next_period")
    assert (used(service, FEB), used(service, MAR)) == ({"runs": 2}, {"runs": 4})


def test_closed_periods_are_read_once_for_late_events_of_any_number_of_them() -> None:
    class Counting(MemoryRepository):
        reads = 0

        def closed_periods(self, org_id: str) -> Mapping[Period, datetime]:
            self.reads += 1
            return super().closed_periods(org_id)

    repository = Counting()
    repository.put_plan(STARTER)
    paused = ACCOUNT.ended(at=FEB.start + 9 * DAY).changed(since=FEB.end - 9 * DAY, plan="starter")
    repository.put_account(paused)
    service = serve(repository)
    before, after = Period(FEB.start, FEB.start + 9 * DAY), Period(FEB.end - 9 * DAY, FEB.end)
    close_period(repository, before)
    service.record_usage([event("a", 1, at=FEB.start)], late="next_period")
    assert (repository.reads, used(service, after)) == (1, {"runs": 1})
    close_period(repository, after)
    late = [event("b", 2, at=FEB.start), event("c", 4, at=after.start), event("d", 8)]
    service.record_usage(late, late="next_period")
    assert (repository.reads, used(service, MAR)) == (2, {"runs": 14})
    service.record_usage([event("e", 16)], late="next_period")
    assert repository.reads == 2


def test_a_late_event_stays_in_its_own_period_unless_told(repository: Repository) -> None:
    service = serve(repository)
    close_period(repository, FEB)
    service.record_usage([event("a", 5, at=FEB.start)])
    assert (used(service, FEB), used(service, MAR)) == ({"runs": 5}, {})


def test_a_late_event_stays_where_the_next_plan_does_not_know_its_metric(
    repository: Repository,
) -> None:
    repository.put_account(ACCOUNT.changed(since=MAR.start, plan="narrow"))
    service = serve(repository)
    close_period(repository, FEB)
    late = [event("a", 5, at=FEB.start), event("b", 7, "load", at=FEB.start)]
    service.record_usage(late, late="next_period")
    assert (used(service, FEB), used(service, MAR)) == ({"peak": 7}, {"runs": 5})


def test_a_late_event_stays_where_no_period_is_open_any_more(repository: Repository) -> None:
    repository.put_account(ACCOUNT.ended(at=MAR.start))
    service = serve(repository)
    close_period(repository, FEB)
    service.record_usage([event("a", 5, at=FEB.start)], late="next_period")
    assert used(service, FEB) == {"runs": 5}


# Withdrawing


def test_an_event_of_any_metric_is_withdrawn(repository: Repository) -> None:
    service = serve(repository)
    visits = [event(f"v{u}", metric="visits", u=u) for u in "ab"]
    service.record_usage([event("a", 5), event("b", 9, "load"), event("c", 2, "load"), *visits])
    assert used(service, MAR) == {"runs": 5, "peak": 9, "users": 2}
    for event_id in ("a", "b", "va"):
        assert service.withdraw("org-1", event_id) == NOW
    assert used(service, MAR) == {"peak": 2, "users": 1}
    assert serve(repository, clock=lambda: NOW + DAY).withdraw("org-1", "a") == NOW
    assert service.record_usage([event("a", 5)]) == 0
    with pytest.raises(EventConflict):
        service.record_usage([event("a", 6)])
    with pytest.raises(UnknownEvent, match=r"^org-1: event_id: must be that of an event"):
        service.withdraw("org-1", "z")
    with pytest.raises(BillingDisabled):
        serve(repository, enabled=False).withdraw("org-1", "a")
    assert repository.verify() == 0


# Cases of lives


def test_a_new_billing_day_reads_events_by_their_instants(repository: Repository) -> None:
    """40 on 15 March at 01:00; next day the billing day moves to the 15th, from its midnight."""
    service = serve(repository)
    fifteenth = MAR.start + 14 * DAY
    first = [event("a", 10, at=MAR.start + 2 * DAY), event("b", 40, at=fifteenth + DAY / 24)]
    service.record_usage(first)
    repository.put_account(ACCOUNT.changed(since=fifteenth, cycle=Cycle(fifteenth)))
    again = [*first, event("c", 2, at=fifteenth + DAY)]
    assert service.record_usage(again) == 1
    before, after = Period(MAR.start, fifteenth), Period(fifteenth, fifteenth + 31 * DAY)
    assert used(service, before) == {"runs": 10}
    assert used(service, after) == {"runs": 42}


def test_stored_events_of_a_metrics_own_name_count_for_it(repository: Repository) -> None:
    """6 runs were reported under the name that the metric has now, and 4 under the new one."""
    serve(repository, metrics=[]).record_usage([event("a", 6)])
    service = serve(repository, metrics=[Metric("runs", event="starts")])
    service.record_usage([event("b", 4, "starts")])
    assert used(service, MAR) == {"runs": 10}


def test_events_of_a_granted_metric_draw_at_their_instants(repository: Repository) -> None:
    repository.put_grant(
        "org-1", Grant("g", 5, metric="runs", effective_at=MAR.start, expires_at=MAR.start + DAY)
    )
    service = serve(repository)
    service.record_usage([event("a", 3, at=MAR.start), event("b", 4, at=MAR.start + 2 * DAY)])
    settlement = service.settle("org-1", MAR)
    assert settlement is not None
    assert settlement.burndowns[0].drawn == 3


# Events that are there already


def ended(repository: Repository) -> None:
    """Have an event counted, another withdrawn, and then the account end before both."""
    service = serve(repository)
    service.record_usage([event("kept"), event("gone")])
    service.withdraw("org-1", "gone")
    repository.put_account(ACCOUNT.ended(at=MAR.start), noted_at=NOW)


def test_an_event_that_is_there_is_passed_over_though_its_org_has_no_terms_any_more(
    repository: Repository,
) -> None:
    ended(repository)
    assert serve(repository).record_usage([event("kept"), event("gone")]) == 0


@pytest.mark.parametrize(
    "new",
    [
        event("new"),
        UsageEvent("org-1", "runs", 1, NOW),
        event("new", at=datetime.max.replace(tzinfo=UTC)),
    ],
    ids=["another id", "no id", "the last instant"],
)
def test_an_event_that_is_not_there_needs_terms(repository: Repository, new: UsageEvent) -> None:
    ended(repository)
    with pytest.raises((NoTerms, InvalidValue)):
        serve(repository).record_usage([new])


def test_a_plain_sum_that_is_declared_is_counted_as_if_it_were_not(repository: Repository) -> None:
    for metrics in ([], [Metric("runs")]):
        service = serve(repository, metrics=metrics)
        service.record_usage([event("a"), event("b", 2)])
        assert used(service, MAR) == {"runs": 3}
    assert not Routes([Metric("runs")]).counts("runs")
