"""Two workers at one org at once, in every order in which their calls can come.

Each has a handle of its own on one SQLite file, and waits for no lock but tries again; or they are
threads that share a repository in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, cast

import pytest

from overages import (
    Account,
    Allowance,
    MemoryRepository,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    SqliteRepository,
    Statement,
    UsageEvent,
)

from .turns import Order, Stepwise, every_order

ACME: Final = "acme"
JAN, FEB = Period.month(2024, 1), Period.month(2024, 2)
CHEAP: Final = Plan("cheap", "USD", {"runs": Allowance(0, PerUnit("0.10"))})
NOW: Final = datetime(2024, 2, 3, tzinfo=UTC)

Work = Callable[[OverageService], object]


def event(runs: int, name: str) -> UsageEvent:
    return UsageEvent(ACME, "runs", runs, datetime(2024, 1, 31, 9, tzinfo=UTC), name)


def fill(repository: Repository) -> None:
    """Let an org use 100 and 900 units at 0.10."""
    repository.put_plan(CHEAP)
    repository.put_account(Account(ACME, "cheap", since=JAN.start))
    repository.add_events([event(100, "right"), event(900, "too-many")])


class Storage(Protocol):
    """Is filled anew for each order, and gives a handle to each worker."""

    shared: Repository

    def fill(self) -> None: ...
    def handles(self, order: Order) -> list[Stepwise]: ...


class InMemory:
    def fill(self) -> None:
        self.shared = MemoryRepository()
        fill(self.shared)

    def handles(self, order: Order) -> list[Stepwise]:
        return [Stepwise(self.shared, order, self.shared._lock) for _ in range(2)]


class InAFile:
    """A file that stays open: it takes long to make one, and to open it."""

    def __init__(self, path: Path, opened: ExitStack) -> None:
        made = [opened.enter_context(SqliteRepository(path, timeout=0)) for _ in range(3)]
        for repository in made:
            repository._database._connection.execute("PRAGMA synchronous = OFF")
        self.shared, *self.of_workers = made
        fill(self.shared)
        self.filled = opened.enter_context(closing(sqlite3.connect(":memory:")))
        self.shared._database._connection.backup(self.filled)

    def fill(self) -> None:
        self.filled.backup(self.shared._database._connection)

    def handles(self, order: Order) -> list[Stepwise]:
        return [Stepwise(each, order) for each in self.of_workers]


@pytest.fixture(params=[InMemory, InAFile])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    with ExitStack() as opened:
        made = InMemory() if request.param is InMemory else InAFile(tmp_path / "two.db", opened)
        yield cast(Storage, made)


def service_of(repository: object) -> OverageService:
    return OverageService(cast(Repository, repository), clock=lambda: NOW)


def outcomes(storage: Storage, a: list[Work], b: list[Work]) -> Iterator[Repository]:
    """Let two workers do their work in every order; yield what each of these leaves."""
    for order in every_order():
        storage.fill()
        one, other = map(service_of, storage.handles(order))
        works = {"A": [(work, one) for work in a], "B": [(work, other) for work in b]}
        order.run(works)
        storage.shared.verify()
        yield storage.shared


def recorded(repository: Repository) -> int:
    return sum(record.cost.minor for record in repository.records(ACME, JAN))


def recalculate(service: OverageService) -> None:
    service.recalculate(ACME, period=JAN)


def take_back(service: OverageService) -> None:
    service.record_usage([event(-900, "back")])


def withdraw(service: OverageService) -> None:
    service.withdraw(ACME, "too-many")


@pytest.mark.parametrize("less", [take_back, withdraw])
def test_usage_that_is_taken_back_is_billed_by_no_older_result(
    storage: Storage, less: Work
) -> None:
    found = [recorded(each) for each in outcomes(storage, [less, recalculate], [recalculate])]
    assert set(found) == {1_000}
    assert len(found) > 20


def test_a_late_event_ends_in_no_closed_period_uncounted(storage: Storage) -> None:
    def report(service: OverageService) -> None:
        service.record_usage([event(50, "late")], late="next_period")

    def close(service: OverageService) -> None:
        service.close(ACME, JAN)

    found = set()
    for repository in outcomes(storage, [report], [close]):
        service = service_of(repository)
        february = service.calculate(ACME, FEB)
        assert february is not None
        assert service.stale(ACME) == ()
        assert list(repository.closed_periods(ACME)) == [JAN]
        found.add((recorded(repository), february.total.minor))
    assert found == {(10_500, 0), (10_000, 500)}


def test_what_is_calculated_before_and_recorded_later_can_be_an_older_result(
    storage: Storage,
) -> None:
    """So the orders do find the fault that the service has not, and a repository by itself has."""

    calculated: list[Statement | None] = []

    def calculate(service: OverageService) -> None:
        calculated.append(service.calculate(ACME, JAN))

    def record(service: OverageService) -> None:
        statement = calculated[-1]
        assert statement is not None
        service._repository.record(statement, created_at=NOW)

    found = set()
    for repository in outcomes(storage, [calculate, record], [take_back, recalculate]):
        found.add(recorded(repository))
        if found == {1_000, 10_000}:
            return
    pytest.fail("no order shows it")
