"""Making our tables, in a file or in a database of the host's, and taking them back."""

import pickle
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.owed import NOW, PLAN, owed

from overages import Metric
from overages.adapters.sqlite import SqliteRepository, migrate, migrate_back, migrations
from overages.errors import (
    ForeignDatabase,
    NoTransaction,
    SchemaInUse,
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


class TestMigrateBack:
    def test_tables_without_rows_are_taken_back(self, host: sqlite3.Connection) -> None:
        host.execute("BEGIN")
        assert migrate_back(host) == 0
        assert host.in_transaction
        host.commit()
        assert host.execute("SELECT name FROM sqlite_schema").fetchall() == [("invoices",)]

    def test_they_can_be_made_again(self, host: sqlite3.Connection) -> None:
        before = list(host.iterdump())
        host.execute("BEGIN")
        migrate_back(host)
        migrate(host)
        host.commit()
        assert list(host.iterdump()) == before

    def test_rows_are_not_lost(self, host: sqlite3.Connection) -> None:
        host.execute("BEGIN")
        repository = SqliteRepository.join(host)
        repository.put_plan(PLAN)
        repository.put_metric(Metric("peak", "max"))
        before = list(host.iterdump())
        problem = (
            r"^schema 1 can't be taken back: what is recorded in org_billing_plans,"
            r" org_billing_plan_starts, org_billing_metrics would be lost$"
        )
        with pytest.raises(SchemaInUse, match=problem) as caught:
            migrate_back(host)
        assert "org_billing_metrics" in caught.value.tables
        assert pickle.loads(pickle.dumps(caught.value)).tables == caught.value.tables
        assert list(host.iterdump()) == before

    def test_every_table_of_a_step_goes_with_it(self) -> None:
        made = set()
        for step in range(1, migrations.LATEST + 1):
            text = "".join(migrations.statements(step))
            made = set(re.findall(r"^CREATE TABLE (\w+)", text, re.MULTILINE))
            assert set(migrations.dropped_tables(step)) == made
        assert made

    def test_without_a_transaction_nothing_is_taken_back(self, host: sqlite3.Connection) -> None:
        with pytest.raises(NoTransaction):
            migrate_back(host)

    def test_a_database_without_our_tables_has_no_step_to_take_back(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("BEGIN")
            with pytest.raises(StorageError, match="there is no step to take back"):
                migrate_back(connection)


class TestMigrationOfAFile:
    def test_a_file_is_taken_back_and_made_again(self, path: Path) -> None:
        SqliteRepository(path).close()
        assert SqliteRepository.migrate_back(path) == 0
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == []
            for key in ("application_id", "user_version"):
                assert connection.execute(f"PRAGMA {key}").fetchone() == (0,)
        with pytest.raises(StorageError, match="there is no step to take back"):
            SqliteRepository.migrate_back(path)
        with SqliteRepository(path) as repository:
            assert repository.verify() == 0

    def test_a_file_with_rows_is_left_as_it_is(self, path: Path) -> None:
        with SqliteRepository(path) as repository:
            repository.put_plan(PLAN)
        with pytest.raises(SchemaInUse, match="recorded in org_billing_plans, org_billing_plan_s"):
            SqliteRepository.migrate_back(path)
        with SqliteRepository(path) as repository:
            assert repository.plan(PLAN.slug) == PLAN

    def test_a_file_of_the_hosts_keeps_its_own_tables_and_marks(
        self, path: Path, host: sqlite3.Connection
    ) -> None:
        host.execute("PRAGMA user_version = 7")
        host.commit()
        assert SqliteRepository.migrate_back(path) == 0
        assert host.execute("PRAGMA user_version").fetchone() == (7,)
        assert host.execute("SELECT name FROM sqlite_schema").fetchall() == [("invoices",)]

    def test_a_file_that_is_not_there_is_not_made(self, path: Path) -> None:
        with pytest.raises(StorageError, match="there is no such file"):
            SqliteRepository.migrate_back(path)
        assert SqliteRepository.migration_sql(path).startswith("BEGIN IMMEDIATE;\n-- Numbers are")
        assert SqliteRepository.migration_sql(path, back=True) == ""
        assert not path.exists()

    def test_its_sql_makes_the_tables_that_opening_it_does(self, path: Path) -> None:
        text = SqliteRepository.migration_sql(path)
        SqliteRepository(path).close()
        assert SqliteRepository.migration_sql(path) == ""
        with closing(sqlite3.connect(path)) as ours, closing(sqlite3.connect(":memory:")) as other:
            other.executescript(text)
            assert list(other.iterdump()) == list(ours.iterdump())
            for key in ("application_id", "user_version"):
                marks = [each.execute(f"PRAGMA {key}").fetchone() for each in (ours, other)]
                assert marks[0] == marks[1] != (0,)

    def test_its_sql_takes_the_tables_back(self, path: Path) -> None:
        SqliteRepository(path).close()
        text = SqliteRepository.migration_sql(path, back=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript(text)
            assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == []
        assert SqliteRepository.migration_sql(path) == SqliteRepository.migration_sql(f"{path}.new")

    def test_a_file_of_the_hosts_has_sql_without_marks_of_ours(
        self, path: Path, host: sqlite3.Connection
    ) -> None:
        text = SqliteRepository.migration_sql(path, back=True)
        assert "PRAGMA" not in text
        assert text.endswith("DROP TABLE org_billing_schema;\nCOMMIT;\n")
        host.execute("DELETE FROM org_billing_schema")
        host.execute("INSERT INTO org_billing_schema VALUES (0)")
        host.commit()
        text = SqliteRepository.migration_sql(path)
        assert text.endswith("INSERT INTO org_billing_schema VALUES (1);\nCOMMIT;\n")

    def test_a_file_of_someone_elses_has_no_sql(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE theirs (number INTEGER)")
        for refused in (SqliteRepository.migration_sql, SqliteRepository.migrate_back):
            with pytest.raises(ForeignDatabase):
                refused(path)
