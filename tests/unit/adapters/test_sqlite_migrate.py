"""Making our tables in a database of the host's."""

import sqlite3
from pathlib import Path

import pytest
from tests.owed import NOW, owed

from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import (
    SchemaTooNew,
    StorageError,
)


class TestMigrate:
    def test_migrating_again_changes_nothing(self, host: sqlite3.Connection) -> None:
        host.execute("BEGIN")
        SqliteRepository.join(host).record(owed(5), created_at=NOW)
        host.commit()
        before = list(host.iterdump())
        host.execute("BEGIN")
        migrate(host)
        host.commit()
        assert list(host.iterdump()) == before

    def test_migrating_is_part_of_the_hosts_transaction(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute("BEGIN")
        migrate(connection)
        assert connection.in_transaction
        connection.rollback()
        with pytest.raises(StorageError, match=r"has no tables of ours yet; call migrate"):
            SqliteRepository.join(connection)
        connection.close()

    def test_migrating_leaves_the_hosts_own_version_and_mark(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA user_version = 7")
        connection.execute("PRAGMA application_id = 9")
        connection.execute("BEGIN")
        migrate(connection)
        connection.commit()
        assert connection.execute("PRAGMA user_version").fetchone() == (7,)
        assert connection.execute("PRAGMA application_id").fetchone() == (9,)
        assert SqliteRepository.join(connection).verify() == 0
        connection.close()

    def test_a_newer_schema_in_a_hosts_database_is_left_alone(
        self, host: sqlite3.Connection
    ) -> None:
        host.execute("BEGIN")
        host.execute("UPDATE org_billing_schema SET version = 99")
        for refused in (migrate, SqliteRepository.join):
            with pytest.raises(SchemaTooNew, match=r"has schema 99"):
                refused(host)

    def test_every_table_is_strict(self, host: sqlite3.Connection) -> None:
        tables = host.execute("SELECT name, strict FROM pragma_table_list WHERE name LIKE 'org_b%'")
        found = dict(tables.fetchall())
        assert len(found) >= 8
        assert set(found.values()) == {1}
