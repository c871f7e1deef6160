"""Files that aren't ours, or are from the future: refused, and not a byte of them touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import (
    ForeignDatabase,
    InvalidValue,
    SchemaTooNew,
    StorageCorrupt,
    StorageError,
)

from .bills import contents, fill


def run(path: Path, *statements: str) -> None:
    """Run statements in a database, without our repository."""
    with closing(sqlite3.connect(path)) as database:
        for sql in statements:
            database.execute(sql)
        database.commit()


def altered(folder: Path, *statements: str) -> Path:
    """Return a database of ours with bills, in which statements were run."""
    path = folder / "bills.db"
    fill(path)
    run(path, *statements)
    return path


@contextmanager
def migrated(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield the connection of a host that has our tables in its database."""
    with closing(sqlite3.connect(path)) as hosts:
        hosts.execute("BEGIN")
        migrate(hosts)
        hosts.commit()
        yield hosts


def refusal(path: Path) -> type[BaseException]:
    """Return the error with which a file is refused, to writers and to readers, untouched."""
    before = path.read_bytes(), path.stat().st_mtime_ns
    kinds = set()
    for opened in (SqliteRepository, SqliteRepository.read_only):
        with pytest.raises(StorageError) as refused:
            opened(path)
        kinds.add(refused.type)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before
        assert list(path.parent.iterdir()) == [path]
    assert len(kinds) == 1
    return kinds.pop()


def test_a_schema_from_the_future_is_refused_untouched(tmp_path: Path) -> None:
    assert refusal(altered(tmp_path, "PRAGMA user_version = 2")) is SchemaTooNew


def test_a_hosts_database_with_a_schema_from_the_future_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "host.db"
    with migrated(path) as hosts:
        hosts.execute("UPDATE org_billing_schema SET version = 2")
        hosts.commit()
        with pytest.raises(SchemaTooNew):
            SqliteRepository.join(hosts)
        hosts.execute("BEGIN")
        with pytest.raises(SchemaTooNew):
            migrate(hosts)
        assert hosts.in_transaction
    assert refusal(path) is SchemaTooNew


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE theirs (x)"],
        ["CREATE VIEW theirs AS SELECT 1"],
        ["PRAGMA application_id = 1"],
        ["PRAGMA user_version = 1"],
        ["PRAGMA application_id = 1", "PRAGMA user_version = 1", "CREATE TABLE theirs (x)"],
        ["CREATE TABLE org_billing_overages (x)"],
    ],
)
def test_a_database_of_someone_else_is_refused_untouched(
    tmp_path: Path, statements: list[str]
) -> None:
    path = tmp_path / "theirs.db"
    run(path, *statements)
    assert refusal(path) is ForeignDatabase


def test_a_file_without_a_byte_is_made_ours(tmp_path: Path) -> None:
    path = tmp_path / "bills.db"
    path.touch()
    with SqliteRepository(path) as repository:
        assert repository.verify() == 0
    SqliteRepository(tmp_path / "wanted.db").close()
    assert contents(path) == contents(tmp_path / "wanted.db")


def test_reading_alone_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        SqliteRepository.read_only(tmp_path / "bills.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(StorageError, match="is empty"):
        SqliteRepository.read_only(tmp_path / "empty.db")
    assert [found.name for found in tmp_path.iterdir()] == ["empty.db"]
    assert (tmp_path / "empty.db").read_bytes() == b""


@pytest.mark.parametrize("opened", [SqliteRepository, SqliteRepository.read_only])
def test_a_folder_is_refused(tmp_path: Path, opened: type[SqliteRepository]) -> None:
    with pytest.raises(StorageError):
        opened(tmp_path)
    with pytest.raises(StorageError):
        opened(tmp_path / "nowhere" / "bills.db")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_path_is_refused_for_records_there_would_be_lost() -> None:
    with pytest.raises(InvalidValue, match="path"):
        SqliteRepository("")


def test_a_schema_that_no_release_has_made_is_damage(tmp_path: Path) -> None:
    assert refusal(altered(tmp_path, "PRAGMA user_version = -5")) is StorageCorrupt


def test_an_error_of_sqlite_s_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    path = altered(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE org", b"CREATE\xd6TABLE org"))
    assert refusal(path) is StorageCorrupt


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM org_billing_schema",
        "DROP TABLE org_billing_schema; CREATE TABLE org_billing_schema (version)",
        "DROP TABLE org_billing_schema; CREATE TABLE org_billing_schema (version);"
        " INSERT INTO org_billing_schema VALUES ('one')",
        "DROP TABLE org_billing_schema; CREATE TABLE org_billing_schema (version);"
        " INSERT INTO org_billing_schema VALUES (NULL)",
        "DROP TABLE org_billing_schema; CREATE TABLE org_billing_schema (other)",
    ],
)
def test_a_hosts_database_that_does_not_tell_its_schema_is_damaged(
    tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "host.db"
    with migrated(path) as hosts:
        hosts.executescript(damage)
        with pytest.raises(StorageError):
            SqliteRepository.join(hosts)
    assert issubclass(refusal(path), StorageError)


def test_a_hosts_database_without_our_tables_is_refused_untouched(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "host.db")) as hosts:
        with pytest.raises(StorageError, match="migrate"):
            SqliteRepository.join(hosts)
        assert hosts.execute("SELECT * FROM sqlite_schema").fetchall() == []


def test_a_host_may_have_rows_of_any_kind(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "host.db")) as hosts:
        hosts.row_factory = lambda cursor, row: {"row": (cursor, row)}
        hosts.execute("BEGIN")
        migrate(hosts)
        assert SqliteRepository.join(hosts).verify() == 0
