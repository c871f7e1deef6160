"""The service over every adapter: metrics worked out of events, and events that come late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from overages import (
    Account,
    Allowance,
    Metric,
    OverageService,
    PerUnit,
    Plan,
    Repository,
    Usage,
    calculate,
)
from overages.errors import InvalidValue, InvalidValues
from overages.testing.contract.base import (
    APR,
    FEB,
    JAN,
    MAR,
    OURS,
    close,
    event,
    nothing_written,
)
from tests.since import SINCE

DAY: Final = timedelta(days=1)
EURO: Final = Allowance(0, PerUnit(1))
METRICS: Final = (
    Metric("eu", event="requests", where={"region": "eu"}),
    Metric("elsewhere", event="requests"),
    Metric("users", "unique", event="requests", distinct="user"),
    Metric("seats", "time_weighted", reports="change"),
    Metric("peak", "max", event="load"),
    Metric("tokens"),
)
NAMES: Final = ("eu", "elsewhere", "users", "seats", "peak", "tokens", "load", "requests")
PRICES: Final = Plan("starter", "EUR", dict.fromkeys(NAMES, EURO))


def serving(repository: Repository, **options: Any) -> OverageService:
    """Return a service of metrics of every kind, in the middle of March."""
    repository.put_plan(PRICES)
    repository.put_account(Account(OURS, "starter", since=SINCE))
    options = {"clock": lambda: MAR.start + 14 * DAY, "metrics": METRICS, **options}
    return OverageService(repository, **options)


def used(service: OverageService, period: Any = FEB) -> dict[str, Any]:
    """Return what a statement says was used, where it is something."""
    account = service._repository.account(OURS)
    statement = service.calculate(OURS, period, account=account)  # even if it is closed
    assert statement is not None
    return {line.metric: line.used for line in statement.overages if line.used}


def test_metrics_are_worked_out_of_events(repository: Repository) -> None:
    service = serving(repository)
    service.record_usage(
        [
            event("1", 5, "requests", region="eu", user="a"),
            event("2", 3, "requests", region="us", user="b"),
            event("3", 2, "requests", user="a"),
            event("4", 9, "load"),
            event("5", 7, "load"),
            event("6", 100),
        ]
    )
    assert used(service) == {"eu": 5, "elsewhere": 5, "users": 2, "peak": 9, "tokens": 100}


def test_a_level_is_carried_from_earlier_periods(repository: Repository) -> None:
    service = serving(repository)
    middle = FEB.start + (FEB.end - FEB.start) / 2
    service.record_usage(
        [
            event("1", 10, "seats", at=JAN.start),
            event("2", 5, "load", at=JAN.start),
            event("3", -4, "seats", at=middle),
        ]
    )
    assert used(service, JAN) == {"seats": 10, "peak": 5}
    assert used(service, FEB) == {"seats": 8}
    assert used(service, MAR) == {"seats": 6}


def test_sums_that_were_put_count_beside_events(repository: Repository) -> None:
    service = serving(repository, metrics=[Metric("load"), Metric("tokens")])
    service.record_usage([event("1", 9, "load")])
    repository.put_usage(Usage(OURS, FEB, {"load": 90, "tokens": 7}))
    assert used(service) == {"load": 99, "tokens": 7}


def test_sums_of_what_is_no_sum_are_an_error_that_names_it(repository: Repository) -> None:
    service = serving(repository)
    for name in ("load", "peak", "requests", "users", "seats"):
        repository.put_usage(Usage(OURS, FEB, {name: 99, "tokens": 7}))
        problem = rf"^org-1, 2024-02-.*: usage\.quantities\.{name}: must be counted of events"
        with pytest.raises(InvalidValue, match=problem):
            service.calculate(OURS, FEB)
    repository.put_usage(Usage(OURS, FEB, {"tokens": 7}))
    assert used(service) == {"tokens": 7}


def test_sums_can_be_put_of_a_metric_that_is_a_sum_of_other_events(repository: Repository) -> None:
    service = serving(repository, metrics=[Metric("tokens", event="load", factor=2)])
    service.record_usage([event("1", 9, "load")])
    repository.put_usage(Usage(OURS, FEB, {"load": 1, "tokens": 3}))
    assert used(service) == {"tokens": 26}


def test_what_can_not_have_been_used_is_named(repository: Repository) -> None:
    service = serving(repository)
    service.record_usage([event("1", -9, "seats")])
    problem = r"^org-1, 2024-02-01 to 2024-03-01 UTC: quantities\.seats: must not be negative"
    with pytest.raises(InvalidValue, match=problem):
        service.calculate(OURS, FEB)


def test_events_that_no_metric_can_count_are_refused_together(repository: Repository) -> None:
    service = serving(repository)
    events = [event("1"), event("2", metric="jobs"), event("3", metric="requests", region="eu")]
    with nothing_written(repository), pytest.raises(InvalidValues) as caught:
        service.record_usage(events)
    assert [error.field for error in caught.value.errors] == [
        "events[1].metric",
        "events[2].dimensions",
    ]


def test_a_late_event_corrects_its_own_period(repository: Repository) -> None:
    service = serving(repository)
    service.record_usage([event("1", 100)])
    service.recalculate(OURS, period=FEB)
    service.close(OURS, FEB)
    service.record_usage([event("2", 20)])
    assert (used(service, FEB), used(service, MAR)) == ({"tokens": 120}, {})
    recording = service.recalculate(OURS, period=FEB)
    assert recording is not None
    assert recording.is_stale
    recording = service.recalculate(OURS, period=FEB, force=True)
    assert recording is not None
    assert [record.quantity for record in recording.new] == [20]


def test_a_late_event_counts_in_the_next_period_if_told(repository: Repository) -> None:
    service = serving(repository)
    service.record_usage([event("1", 100)], late="next_period")
    service.recalculate(OURS, period=FEB)
    service.close(OURS, FEB)
    late = [
        event("2", 20),
        event("3", 7, "requests", region="eu", user="a"),
        event("4", 8, "load"),
        event("5", 3, "seats"),
        event("6", 5, at=JAN.start),
    ]
    assert service.record_usage([event("1", 100), *late], late="next_period") == 5
    assert used(service, JAN) == {}  # it was closed with February
    assert used(service, FEB) == {"tokens": 100}
    assert used(service, MAR) == {
        "tokens": 25, "eu": 7, "users": 1, "peak": 8, "seats": 3,
    }  # fmt: skip
    with nothing_written(repository):
        service.recalculate(OURS, period=FEB)


def test_a_late_event_counts_in_the_first_period_that_is_not_closed(
    repository: Repository,
) -> None:
    service = serving(repository)
    for period in (FEB, MAR):
        close(repository, calculate(PRICES, Usage(OURS, period, {})))
    service.record_usage([event("1"), event("2", 6, at=MAR.start)], late="next_period")
    assert [used(service, period) for period in (FEB, MAR, APR)] == [{}, {}, {"tokens": 11}]


def test_the_rule_of_late_events_is_named(repository: Repository) -> None:
    service: Any = serving(repository)
    with nothing_written(repository), pytest.raises(InvalidValue, match=r"^late: must be one"):
        service.record_usage([event("1")], late="never")


def test_a_level_leaves_out_what_was_placed_in_later_periods(repository: Repository) -> None:
    service = serving(repository)
    repository.add_events([event("1", 4, "seats")])
    repository.add_events([event("2", 2, "seats")], lambda _: APR.start)
    assert [used(service, period) for period in (FEB, MAR, APR)] == [
        {"seats": 4}, {"seats": 4}, {"seats": 6},
    ]  # fmt: skip
