"""Ended periods of many orgs: closed together, and alone where they can't be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.in_memory import in_memory

from overages import (
    Account,
    Allowance,
    MemoryRepository,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    Usage,
    UsageEvent,
    calculate,
)
from overages.amounts.exact import Quantity
from overages.errors import (
    BillingDisabled,
    InvalidType,
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
)
from overages.prices.tier import Charge

JAN, FEB = Period.month(2024, 1), Period.month(2024, 2)
PLAN = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
NOW = datetime(2024, 3, 1, tzinfo=UTC)
ORGS = ("a", "b", "c")


@pytest.fixture
def repository() -> Iterator[SqliteRepository]:
    with in_memory() as repository:
        repository.put_plan(PLAN)
        for org_id in ORGS:
            repository.put_account(Account(org_id, "starter", JAN.start))
            repository.add_events([UsageEvent(org_id, "runs", 60, FEB.start)])
        yield repository


def serve(repository: Any, **named: Any) -> OverageService:
    return OverageService(repository, clock=lambda: NOW, **named)


def execute(repository: SqliteRepository, sql: str) -> list[Any]:
    return repository._database._connection.execute(sql).fetchall()


def test_orgs_share_a_transaction(repository: SqliteRepository) -> None:
    statements: list[str] = []
    repository._database._connection.set_trace_callback(statements.append)
    ended = serve(repository).close_ended()
    assert [(each.org_id, each.period, each.error) for each in ended] == [
        (org_id, period, None) for org_id in ORGS for period in (JAN, FEB)
    ]
    assert statements.count("COMMIT") == 1


def test_an_account_that_begins_later_has_nothing_to_close(repository: SqliteRepository) -> None:
    repository.put_account(Account("later", "starter", datetime(2024, 6, 1, tzinfo=UTC)))
    assert {each.org_id for each in serve(repository).close_ended()} == set(ORGS)


def test_nothing_that_has_ended_takes_no_transaction(repository: SqliteRepository) -> None:
    serve(repository).close_ended()
    statements: list[str] = []
    repository._database._connection.set_trace_callback(statements.append)
    assert serve(repository).close_ended() == []
    assert not any("BEGIN" in each for each in statements)


def test_the_fault_of_the_storage_with_one_org_stops_no_other(
    repository: SqliteRepository,
) -> None:
    execute(
        repository,
        "CREATE TRIGGER stranger BEFORE INSERT ON org_billing_closings"
        " WHEN NEW.org_id = 'b' AND NEW.billing_period_start LIKE '2024-02%'"
        " BEGIN SELECT RAISE (ABORT, 'not here'); END",
    )
    ended = serve(repository).close_ended()
    assert [(each.org_id, each.period) for each in ended if each.error] == [("b", FEB)]
    assert isinstance(ended[3].error, StorageError)
    closed = {org_id: list(repository.closed_periods(org_id)) for org_id in ORGS}
    assert closed == {"a": [JAN, FEB], "b": [JAN], "c": [JAN, FEB]}
    assert repository.records("b") == ()
    assert repository.verify() == 7


def test_an_account_that_cant_be_read_stops_no_other_org(repository: SqliteRepository) -> None:
    execute(repository, "INSERT INTO org_billing_accounts VALUES ('b2', 0, '{', NULL, NULL, NULL)")
    repository.record(calculate(PLAN, Usage("old", FEB, {"runs": 60})), created_at=NOW)
    ended = serve(repository).close_ended()
    assert [each.org_id for each in ended] == ["a", "a", "b", "b", "b2", "c", "c"]
    assert isinstance(ended[4].error, StorageCorrupt)
    assert ended[4].period is None


def test_usage_that_cant_be_read_stops_no_other_org(repository: SqliteRepository) -> None:
    OverageService(repository, clock=lambda: FEB.start).close_ended()
    execute(
        repository,
        "INSERT INTO org_billing_usage_events (org_id, metric_type, quantity, at, counts_at,"
        " dimensions) VALUES ('b', 'runs', 'x', 'x', '2024-02-03T00:00:00.000000Z', '{}')",
    )
    ended = serve(repository).close_ended()
    assert [(each.org_id, each.period) for each in ended if each.error] == [("b", FEB)]
    assert [len(repository.closed_periods(org_id)) for org_id in ORGS] == [2, 1, 2]


def test_a_storage_that_is_full_ends_the_closing() -> None:
    class Full(MemoryRepository):
        def _append(self, *_: object) -> None:
            raise StorageFull("no space is left")

    repository = Full()
    repository.put_plan(PLAN)
    repository.put_account(Account("a", "starter", FEB.start))
    with pytest.raises(StorageFull):
        serve(repository).close_ended()


def test_a_plan_that_cant_be_written_stops_no_other_org() -> None:
    class Odd:
        def charge(self, quantity: Quantity) -> Charge:
            return PerUnit("1.00").charge(quantity)

    repository = MemoryRepository()
    repository.put_plan(PLAN)
    repository.put_plan(Plan("odd", "USD", {"runs": Allowance(0, Odd())}))
    for org_id, plan in zip(ORGS, ("starter", "odd", "starter"), strict=True):
        repository.put_account(Account(org_id, plan, FEB.start))
        repository.add_events([UsageEvent(org_id, "runs", 60, FEB.start)])
    ended = serve(repository).close_ended()
    assert [(each.org_id, type(each.error)) for each in ended] == [
        ("a", type(None)),
        ("b", InvalidType),
        ("c", type(None)),
    ]


def test_a_period_within_which_terms_change_has_both_terms(repository: SqliteRepository) -> None:
    OverageService(repository, clock=lambda: FEB.start).close_ended()
    account = repository.account("b")
    assert account is not None
    repository.put_account(account.changed(since=NOW.replace(month=2, day=15), limits={"runs": 0}))
    (recording,) = [
        each.recording
        for each in serve(repository).close_ended()
        if (each.org_id, each.period) == ("b", FEB)
    ]
    assert recording is not None
    statement = serve(repository).calculate("b", FEB)
    assert statement is not None
    assert len(statement.of("runs")) == 2
    assert statement.total == sum(record.cost for record in recording.records)


def test_a_service_that_is_switched_off_meanwhile_stops_where_orgs_are_closed_alone(
    repository: SqliteRepository,
) -> None:
    execute(repository, "INSERT INTO org_billing_accounts VALUES ('b2', 0, '{', NULL, NULL, NULL)")
    switches = iter([True, True, False])
    with pytest.raises(BillingDisabled):
        serve(repository, enabled=lambda: next(switches)).close_ended()
    assert [len(repository.closed_periods(org_id)) for org_id in ORGS] == [2, 0, 0]


def test_a_storage_that_is_busy_ends_the_closing_of_those_that_are_alone(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise StorageCorrupt("not together")

    def busy(*_: object, **__: object) -> Any:
        raise StorageBusy("is locked")

    monkeypatch.setattr(repository, "transaction_of", fail)
    monkeypatch.setattr(repository, "close_period", busy)
    with pytest.raises(StorageBusy):
        serve(repository).close_ended()


def test_charges_for_times_that_are_no_periods_are_taken_back_though_none_is_due(
    repository: SqliteRepository,
) -> None:
    service = serve(repository)
    service.recalculate("b", period=FEB)
    account = repository.account("b")
    assert account is not None
    repository.put_account(account.ended(at=JAN.start))
    ended = service.close_ended()
    assert {each.org_id for each in ended} == {"a", "c"}
    summary = repository.summary("b", FEB)
    assert summary is not None
    assert str(summary.total) == "0.00 USD"


def test_an_account_that_is_changed_in_between_is_left_to_the_next_run(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = repository.transaction_of
    changed = [Account("b", "starter", JAN.start).ended(at=datetime(2024, 1, 20, tzinfo=UTC))]

    def changing(periods: Any) -> Any:
        while changed:
            repository.put_account(changed.pop())
        return together(periods)

    monkeypatch.setattr(repository, "transaction_of", changing)
    service = serve(repository)
    assert {each.org_id for each in service.close_ended()} == {"a", "c"}
    assert [each.org_id for each in service.close_ended()] == ["b"]
