"""The service over every adapter: it counts by the metrics that the repository keeps."""

from __future__ import annotations

from typing import Final

import pytest

from overages import Account, Allowance, Metric, OverageService, PerUnit, Plan, Repository
from overages.errors import InvalidValue, UnknownMetric
from overages.testing.contract.base import FEB, MAR, NOW, OURS, event

EURO: Final = Allowance(0, PerUnit(1))
PEAK: Final = Metric("peak", "max", event="load")
PLAN: Final = Plan(
    "starter", "EUR", {"peak": EURO, "load": EURO, "seats": Allowance(0, EURO.price, kind="level")}
)


@pytest.fixture
def service(repository: Repository) -> OverageService:
    repository.put_plan(PLAN)
    repository.put_account(Account(OURS, "starter", since=FEB.start))
    return OverageService(repository, clock=lambda: NOW)


def used(service: OverageService) -> dict[str, object]:
    """Return the units of February, where there are some."""
    statement = service.calculate(OURS, FEB)
    assert statement is not None
    return {line.metric: line.used for line in statement.overages if line.used}


def test_metrics_are_read_in_each_call(repository: Repository, service: OverageService) -> None:
    service.record_usage([event("1", 9, "load"), event("2", 7, "load")])
    assert used(service) == {"load": 16}
    repository.put_metric(PEAK)
    assert used(service) == {"peak": 9}
    repository.put_metric(Metric("peak", "last", event="load"))
    assert used(service) == {"peak": 7}
    repository.put_metric(Metric("peak"))
    assert used(service) == {"load": 16}


def test_metrics_are_made_out_anew_only_where_they_changed(
    repository: Repository, service: OverageService
) -> None:
    repository.put_metric(PEAK)
    routes = service._routes
    assert service._routes is routes
    repository.put_metric(Metric("peak", "last", event="load"))
    assert service._routes is not routes


def test_metrics_that_are_given_count_alone(repository: Repository) -> None:
    repository.put_plan(PLAN)
    repository.put_account(Account(OURS, "starter", since=FEB.start))
    repository.put_metric(PEAK)
    service = OverageService(repository, clock=lambda: NOW, metrics=())
    service.record_usage([event("1", 9, "load"), event("2", 7, "load")])
    assert used(service) == {"load": 16}


def test_a_closed_period_stands_whatever_its_metrics_become(
    repository: Repository, service: OverageService
) -> None:
    service.record_usage([event("1", 9, "load"), event("2", 7, "load")])
    service.close(OURS, FEB)
    repository.put_metric(PEAK)
    assert used(service) == {"load": 16}
    (stale,) = service.stale(OURS)
    assert (stale.period, stale.is_closed, str(stale.change)) == (FEB, True, "-7.00 EUR")
    service.recalculate(OURS, period=FEB, force=True)
    assert used(service) == {"peak": 9}
    assert service.stale(OURS) == ()


def test_events_are_refused_by_the_metrics_that_are_kept(
    repository: Repository, service: OverageService
) -> None:
    with pytest.raises(InvalidValue, match=r"repository\.put_metric\(Metric\('seats', 'max', rep"):
        service.record_usage([event("1", 5, "seats")])
    repository.put_metric(Metric("seats", "max", reports="level"))
    assert service.record_usage([event("1", 5, "seats")]) == 1
    repository.put_metric(Metric("users", "count", event="load"))
    with pytest.raises(UnknownMetric, match="'users' is not in plan"):
        service.record_usage([event("2", 5, "load")])


def test_events_are_kept_with_their_batch(repository: Repository, service: OverageService) -> None:
    events = [event("1", 9, "load"), event("2", 7, "load", at=MAR.start)]
    assert service.record_usage(events, batch="feb.csv") == 2
    assert list(repository.batch_events(OURS, "feb.csv")) == [(each, each.at) for each in events]
    with pytest.raises(InvalidValue, match=r"^batch: must not be empty"):
        service.record_usage(events, batch="")


def test_a_batch_is_replaced_in_one_transaction(
    repository: Repository, service: OverageService
) -> None:
    first = [event(f"a.csv#{n}", n, "load") for n in range(1, 4)]
    other = event("a.csv#4", 9, "load")
    service.record_usage(first, batch="a.csv")
    with repository.transaction():
        ids = {used.id for used in (*first[1:], other)}
        stored = {used.id for used, _ in repository.batch_events(OURS, "a.csv")}
        assert service.withdraw_many(OURS, [each for each in stored - ids if each]) == 1
        assert service.record_usage([*first[1:], other], batch="a.csv") == 1
    assert used(service) == {"load": 14}
    assert repository.withdrawn_ids(OURS, ["a.csv#1", "a.csv#2"]) == {"a.csv#1"}
