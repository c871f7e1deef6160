"""Threads that share a repository, and blocks that end in each other's way."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.owed import MARCH, NOW, PLAN, owed

from overages import Budget, UsageEvent
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.connection import Database
from overages.errors import AccessDenied, RecordConflict, UnknownPlan


class TestThreads:
    def test_threads_may_share_a_repository(self, path: Path) -> None:
        events = [UsageEvent("org-1", "tokens", 1, NOW, str(n % 40)) for n in range(200)]
        with SqliteRepository(path) as repository, ThreadPoolExecutor(8) as pool:
            counts = pool.map(lambda e: repository.add_events([e]), events)
            recordings = pool.map(
                lambda n: repository.record(owed(n, f"org-{n % 3}"), created_at=NOW), range(1, 31)
            )
            assert sum(counts) == 40
            written = sum(len(recording.new) for recording in recordings)
            assert repository.usage("org-1", MARCH).quantities == {"tokens": 40}
            assert repository.verify() == written == 30

    def test_of_threads_that_record_the_same_revision_one_does(self, path: Path) -> None:
        def attempt(n: int) -> bool:
            try:
                return bool(repository.record(owed(n), created_at=NOW, revision=1).new)
            except RecordConflict:
                return False

        with SqliteRepository(path) as repository, ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(attempt, range(1, 17))) == 1
            assert repository.verify() == 1


def test_a_plan_is_decoded_once_for_many_bills(path: Path) -> None:
    with SqliteRepository(path) as repository:
        repository.put_plan(PLAN)
        assert repository.plan(PLAN.slug) == PLAN
        assert repository.plan(PLAN.slug) is repository.plan(PLAN.slug, version=1)


class Locked:
    """A connection that can't end a block, since another one holds the database."""

    def execute(self, sql: str) -> None:
        error = sqlite3.OperationalError(f"database is locked: {sql}")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error


def test_a_block_that_can_not_end_is_an_error_unless_a_host_stopped_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = Database.open(":memory:", timeout=1)
    with monkeypatch.context() as patched:
        patched.setattr(database, "_connection", Locked())
        with pytest.raises(sqlite3.OperationalError, match="locked: RELEASE"):
            database._end(writes=False, is_within=False)
    database.close()


class TestReadsWithinABlock:
    def test_a_read_that_fails_within_a_block_raises_our_error(self, path: Path) -> None:
        with SqliteRepository(path) as repository, repository.snapshot():
            connection = repository._database._connection
            connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
            with pytest.raises(AccessDenied, match="SQLite: not authorized"):
                repository.budgets("org-1")
            connection.set_authorizer(None)
            assert repository.budgets("org-1") == ()

    def test_an_error_of_ours_within_a_block_stays_as_it_is(self, path: Path) -> None:
        with (
            SqliteRepository(path) as repository,
            repository.snapshot(),
            pytest.raises(UnknownPlan, match="must be a plan that was put"),
        ):
            repository.plan("starter")

    def test_another_thread_waits_for_a_block_and_has_one_of_its_own(self, path: Path) -> None:
        with SqliteRepository(path) as repository, ThreadPoolExecutor(1) as pool:
            with repository.transaction():
                repository.put_budget("org-1", Budget(5, metric="runs"))
                read = pool.submit(repository.budgets, "org-1")
                assert not read.done()
            assert [budget.id for budget in read.result()] == ["runs-units"]
