"""A repository on the host's connection: the host's transactions, rows, cursors and texts."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.owed import FEB, NOW, PLAN, owed
from tests.since import SINCE

from overages import (
    Account,
    UsageEvent,
)
from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import (
    InvalidType,
    RecordConflict,
    StorageError,
)
from overages.testing.contract.base import close


def record_with_an_invoice(host: sqlite3.Connection) -> SqliteRepository:
    """Begin a transaction of the host's, in which the host writes and then the repository."""
    repository = SqliteRepository.join(host)
    host.execute("BEGIN")
    host.execute("INSERT INTO invoices VALUES (1)")
    repository.record(owed(5), created_at=NOW)
    return repository


def committed(path: Path) -> tuple[int, int]:
    """Return how many invoices and how many records another connection sees."""
    counts = "(SELECT count(*) FROM invoices), (SELECT count(*) FROM org_billing_overages)"
    with closing(sqlite3.connect(path)) as other:
        invoices, records = other.execute(f"SELECT {counts}").fetchone()
    return invoices, records


class OwnCursor(sqlite3.Cursor):
    """A cursor that gives no row as others do."""

    def fetchone(self) -> Any:
        return list(super().fetchone())

    def fetchall(self) -> Any:
        return [list(row) for row in super().fetchall()]

    def __next__(self) -> Any:
        return list(super().__next__())


class OwnConnection(sqlite3.Connection):
    """A connection that makes such cursors."""

    def cursor(self, factory: Any = OwnCursor) -> Any:
        return super().cursor(factory)


class TestJoined:
    def test_what_was_written_is_kept_with_what_the_host_wrote(
        self, host: sqlite3.Connection, path: Path
    ) -> None:
        record_with_an_invoice(host)
        assert committed(path) == (0, 0)
        host.commit()
        assert committed(path) == (1, 1)

    def test_the_hosts_rollback_takes_all_back(self, host: sqlite3.Connection) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        repository.put_plan(PLAN)
        repository.put_account(Account("org-1", "starter", since=SINCE))
        repository.add_events([UsageEvent("org-1", "tokens", 1, NOW, "1")])
        repository.record(owed(5), created_at=NOW)
        close(repository, owed(5))
        host.rollback()
        assert list(repository.orgs()) == []
        assert repository.usage("org-1", FEB).quantities == {}
        assert (repository.records("org-1"), repository.verify()) == ((), 0)
        assert repository.closings("org-1") == ()
        host.execute("BEGIN")
        assert repository.put_plan(PLAN) == 1

    def test_a_write_that_fails_leaves_what_the_host_wrote(
        self, host: sqlite3.Connection, path: Path
    ) -> None:
        repository = record_with_an_invoice(host)
        with pytest.raises(RecordConflict):
            repository.record(owed(6), created_at=NOW, revision=1)
        host.execute("INSERT INTO invoices VALUES (2)")
        host.commit()
        assert committed(path) == (2, 1)

    def test_a_transaction_of_the_repository_is_the_hosts_to_commit(
        self, host: sqlite3.Connection, path: Path
    ) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        with repository.transaction():
            repository.record(owed(5), created_at=NOW)
        assert host.in_transaction
        assert committed(path) == (0, 0)

    def test_a_read_leaves_no_transaction_open(self, host: sqlite3.Connection) -> None:
        repository = SqliteRepository.join(host)
        repository.usage("org-1", FEB)
        repository.summary("org-1")
        repository.verify()
        assert not host.in_transaction

    def test_a_read_sees_what_the_host_has_not_committed(self, host: sqlite3.Connection) -> None:
        repository = record_with_an_invoice(host)
        assert len(repository.records("org-1")) == 1
        assert host.in_transaction

    @pytest.mark.parametrize(
        "row_factory",
        [
            sqlite3.Row,
            lambda cursor, row: {c[0]: v for c, v in zip(cursor.description, row, strict=True)},
            lambda _, row: row[0],
        ],
        ids=["Row", "dict", "scalar"],
    )
    def test_the_host_may_like_its_rows_to_be_anything(
        self, host: sqlite3.Connection, row_factory: Any
    ) -> None:
        host.row_factory = row_factory
        host.execute("BEGIN")
        migrate(host)
        repository = SqliteRepository.join(host)
        repository.record(owed(5), created_at=NOW)
        assert repository.record(owed(5), created_at=NOW).new == ()
        assert repository.verify() == 1
        assert host.row_factory is row_factory

    def test_the_host_may_have_cursors_of_its_own(self, path: Path) -> None:
        with closing(sqlite3.connect(path, factory=OwnConnection)) as host:
            host.execute("BEGIN")
            migrate(host)
            repository = SqliteRepository.join(host)
            repository.record(owed(5), created_at=NOW)
            assert repository.record(owed(5), created_at=NOW).new == ()

    @pytest.mark.parametrize("factory", [bytes, bytearray, lambda data: data.decode().upper()])
    def test_texts_that_are_no_str_are_refused_whenever_they_come(
        self, host: sqlite3.Connection, factory: Any
    ) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        repository.put_account(Account("org-1", "starter", since=SINCE))
        host.text_factory = factory
        calls: list[Callable[[], object]] = [
            lambda: migrate(host),
            lambda: SqliteRepository.join(host),
            repository.orgs,
            lambda: repository.records("org-1"),
            lambda: repository.record(owed(5), created_at=NOW),
        ]
        for call in calls:
            with pytest.raises(StorageError, match=r"^the connection's text_factory must be str"):
                call()
        host.text_factory = str
        assert list(repository.orgs()) == ["org-1"]
        assert repository.records("org-1") == ()

    def test_a_converter_of_texts_is_refused(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sqlite3.converters, "TEXT", lambda data: data.decode().upper())
        with closing(sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES)) as host:
            host.execute("BEGIN")
            migrate(host)
            with pytest.raises(StorageError, match="no converter of TEXT columns"):
                SqliteRepository.join(host)

    def test_closing_the_repository_leaves_the_hosts_connection_open(
        self, host: sqlite3.Connection
    ) -> None:
        with SqliteRepository.join(host):
            pass
        assert host.execute("SELECT count(*) FROM invoices").fetchone() == (0,)

    def test_the_host_may_keep_its_texts_as_utf_16(self) -> None:
        host = sqlite3.connect(":memory:")
        host.execute("PRAGMA encoding = 'UTF-16le'")
        host.execute("BEGIN")
        migrate(host)
        repository = SqliteRepository.join(host)
        orgs = ["é", "a", "\uffee", "𝄞", "Ā"]
        for org_id in orgs:
            repository.put_account(Account(org_id, "starter", since=SINCE))
            repository.record(owed(5, org_id), created_at=NOW)
        assert list(repository.orgs()) == sorted(orgs)
        assert repository.verify() == len(orgs)
        host.close()

    def test_what_is_no_connection_is_refused(self, path: Path) -> None:
        wrong: Any = path
        with pytest.raises(InvalidType, match=r"^connection: must be of type Connection"):
            SqliteRepository.join(wrong)
