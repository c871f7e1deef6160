"""Threads that share a repository, and blocks that end in each other's way."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.owed import MARCH, NOW, PLAN, owed

from overages import (
    UsageEvent,
)
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.connection import Database
from overages.errors import (
    RecordConflict,
)


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
