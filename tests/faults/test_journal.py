"""The journal: a write-ahead log where the library keeps one safe, else the rollback journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from overages.adapters.sqlite import SqliteRepository, connection
from overages.adapters.sqlite.connection import wal_is_safe
from overages.errors import StorageBusy, StorageError
from overages.testing.contract.base import close

from .bills import NOW, contents, fill, org_name, statement
from .journals import use_journal

SAFE = [
    (3, 44, 6), (3, 44, 7), (3, 44, 99), (3, 50, 7), (3, 50, 8),
    (3, 51, 3), (3, 51, 4), (3, 52, 0), (3, 60, 1), (4, 0, 0),
]  # fmt: skip
UNSAFE = [
    (3, 7, 0), (3, 37, 0), (3, 43, 99), (3, 44, 0), (3, 44, 5), (3, 45, 0), (3, 45, 9),
    (3, 49, 9), (3, 50, 0), (3, 50, 6), (3, 51, 0), (3, 51, 2),
]  # fmt: skip


def journal_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        return str(database.execute("PRAGMA journal_mode").fetchone()[0])


@pytest.mark.parametrize("version", SAFE)
def test_a_write_ahead_log_is_safe_with_the_repair(version: tuple[int, ...]) -> None:
    assert wal_is_safe(version)


@pytest.mark.parametrize("version", UNSAFE)
def test_a_write_ahead_log_is_unsafe_without_the_repair(version: tuple[int, ...]) -> None:
    assert not wal_is_safe(version)


@pytest.mark.parametrize(
    ("version", "kind"), [(version, "wal") for version in SAFE]
    + [(version, "delete") for version in UNSAFE if version >= (3, 37)],
)  # fmt: skip
def test_a_repository_uses_the_journal_that_its_library_keeps_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], kind: str
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    path = tmp_path / "bills.db"
    with SqliteRepository(path):
        assert journal_of(path) == kind


def test_a_library_without_strict_tables_is_refused_before_a_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(StorageError, match=r"3\.37"):
        SqliteRepository(tmp_path / "bills.db")
    assert list(tmp_path.iterdir()) == []


def test_commits_wait_for_the_disk(tmp_path: Path, journal: str) -> None:
    with SqliteRepository(tmp_path / f"{journal}.db") as repository:
        ours = repository._database._connection
        assert ours.execute("PRAGMA synchronous").fetchone() == (3,)


def left_with_a_log(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database of bills that was written with a write-ahead log."""
    path = folder / "bills.db"
    use_journal(monkeypatch, "wal")
    fill(path)
    assert journal_of(path) == "wal"
    return path


def test_an_unsafe_log_that_another_program_left_is_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = left_with_a_log(tmp_path, monkeypatch)
    before = contents(path)
    use_journal(monkeypatch, "delete")
    with SqliteRepository(path) as repository:
        assert journal_of(path) == "delete"
        assert repository.verify() == 24
        close(repository, statement(org_name(0)), NOW)
    assert contents(path) != before


def test_an_unsafe_log_that_another_program_uses_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = left_with_a_log(tmp_path, monkeypatch)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM org_billing_overages").fetchone()
        use_journal(monkeypatch, "delete")
        with pytest.raises(StorageBusy):
            SqliteRepository(path, timeout=0)
        other.execute("ROLLBACK")
    with SqliteRepository(path, timeout=0) as repository:
        assert repository.verify() == 24


class KeepsItsLog(sqlite3.Connection):
    """A connection to a database whose write-ahead log can't be switched off."""

    def execute(self, sql: str, parameters: object = ()) -> sqlite3.Cursor:
        assert parameters == ()
        return super().execute("SELECT 'wal'" if "journal_mode" in sql else sql)


def test_an_unsafe_log_that_stays_without_an_error_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_journal(monkeypatch, "delete")
    with (
        closing(sqlite3.connect(":memory:", factory=KeepsItsLog)) as database,
        pytest.raises(StorageBusy),
    ):
        connection._configure(database)


def test_a_file_in_use_keeps_the_rollback_journal_which_is_as_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bills.db"
    use_journal(monkeypatch, "delete")
    fill(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        use_journal(monkeypatch, "wal")
        with SqliteRepository(path, timeout=0) as repository:
            assert journal_of(path) == "delete"
            assert repository.verify() == 24
        other.execute("ROLLBACK")
