"""What is the SQLite repository's own: files, the host's transactions, triggers and threads.

What every repository does is in the contract of repositories.
"""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Grant,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    UsageEvent,
    calculate,
)
from overages.adapters.sqlite import MemberView, SqliteOutbox, SqliteRepository, migrate
from overages.adapters.sqlite.connection import Database, wal_is_safe
from overages.adapters.sqlite.schema import APPLICATION_ID
from overages.errors import (
    ForeignDatabase,
    InvalidType,
    InvalidValue,
    RecordConflict,
    SchemaTooNew,
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageReadOnly,
)

FEB, MARCH = Period.month(2024, 2), Period.month(2024, 3)
NOW = datetime(2024, 3, 1, tzinfo=UTC)
PLAN = Plan("starter", "USD", {"tokens": Allowance(0, PerUnit("0.01"))})


def owed(tokens: int, org_id: str = "org-1") -> Statement:
    return calculate(PLAN, Usage(org_id, FEB, {"tokens": tokens}))


def count(path: Path, table: str) -> int:
    """Return how many rows of a table another connection sees."""
    connection = sqlite3.connect(path)
    try:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return found
    finally:
        connection.close()


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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "host.db"


@pytest.fixture(params=["DEFERRED", None], ids=["usual", "autocommit"])
def host(path: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    """Yield the connection of a host that has a table of its own, and ours."""
    connection = sqlite3.connect(path, isolation_level=request.param)
    connection.execute("CREATE TABLE invoices (number INTEGER)")
    migrate(connection)
    connection.commit()
    yield connection
    connection.close()


class TestJoined:
    def test_what_was_written_is_kept_with_what_the_host_wrote(
        self, host: sqlite3.Connection, path: Path
    ) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        host.execute("INSERT INTO invoices VALUES (1)")
        repository.record(owed(5), created_at=NOW)
        assert (count(path, "invoices"), count(path, "org_billing_overages")) == (0, 0)
        host.commit()
        assert (count(path, "invoices"), count(path, "org_billing_overages")) == (1, 1)

    def test_the_hosts_rollback_takes_all_back(self, host: sqlite3.Connection) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        repository.put_plan(PLAN)
        repository.put_account(Account("org-1", "starter"))
        repository.add_events([UsageEvent("org-1", "tokens", 1, NOW, "1")], lambda _: FEB)
        repository.record(owed(5), created_at=NOW)
        repository.mark_invoiced("org-1", FEB, at=NOW)
        host.rollback()
        assert list(repository.orgs()) == []
        assert repository.usage("org-1", FEB).quantities == {}
        assert (repository.records("org-1"), repository.verify()) == ((), 0)
        assert repository.invoiced_at("org-1", FEB) is None
        assert repository.put_plan(PLAN) == 1

    def test_a_write_that_fails_leaves_what_the_host_wrote(
        self, host: sqlite3.Connection, path: Path
    ) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        host.execute("INSERT INTO invoices VALUES (1)")
        repository.record(owed(5), created_at=NOW)
        with pytest.raises(RecordConflict):
            repository.record(owed(6), created_at=NOW, revision=1)
        host.execute("INSERT INTO invoices VALUES (2)")
        host.commit()
        assert (count(path, "invoices"), count(path, "org_billing_overages")) == (2, 1)

    def test_a_write_begins_a_transaction_where_the_host_has_not(
        self, host: sqlite3.Connection, path: Path
    ) -> None:
        SqliteRepository.join(host).record(owed(5), created_at=NOW)
        assert host.in_transaction
        assert count(path, "org_billing_overages") == 0
        host.commit()
        assert count(path, "org_billing_overages") == 1

    def test_a_transaction_of_the_repository_is_the_hosts_to_commit(
        self, host: sqlite3.Connection, path: Path
    ) -> None:
        repository = SqliteRepository.join(host)
        with repository.transaction():
            repository.record(owed(5), created_at=NOW)
        assert host.in_transaction
        assert count(path, "org_billing_overages") == 0

    def test_a_write_that_fails_leaves_no_transaction_open_that_it_began(
        self, host: sqlite3.Connection
    ) -> None:
        repository = SqliteRepository.join(host)
        repository.record(owed(5), created_at=NOW)
        host.commit()
        with pytest.raises(RecordConflict):
            repository.record(owed(6), created_at=NOW, revision=1)
        assert not host.in_transaction

    def test_a_read_leaves_no_transaction_open(self, host: sqlite3.Connection) -> None:
        repository = SqliteRepository.join(host)
        repository.usage("org-1", FEB)
        repository.summary("org-1")
        repository.verify()
        assert not host.in_transaction

    def test_a_read_sees_what_the_host_has_not_committed(self, host: sqlite3.Connection) -> None:
        repository = SqliteRepository.join(host)
        repository.record(owed(5), created_at=NOW)
        assert host.in_transaction
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
        migrate(host)
        repository = SqliteRepository.join(host)
        repository.record(owed(5), created_at=NOW)
        assert repository.record(owed(5), created_at=NOW).new == ()
        assert repository.verify() == 1
        assert host.row_factory is row_factory

    def test_the_host_may_have_cursors_of_its_own(self, path: Path) -> None:
        with closing(sqlite3.connect(path, factory=OwnConnection)) as host:
            migrate(host)
            repository = SqliteRepository.join(host)
            repository.record(owed(5), created_at=NOW)
            assert repository.record(owed(5), created_at=NOW).new == ()

    @pytest.mark.parametrize("factory", [bytes, bytearray, lambda data: data.decode().upper()])
    def test_texts_that_are_no_str_are_refused_whenever_they_come(
        self, host: sqlite3.Connection, factory: Any
    ) -> None:
        repository = SqliteRepository.join(host)
        repository.put_account(Account("org-1", "starter"))
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
        migrate(host)
        repository = SqliteRepository.join(host)
        orgs = ["é", "a", "\uffee", "𝄞", "Ā"]
        for org_id in orgs:
            repository.put_account(Account(org_id, "starter"))
            repository.record(owed(5, org_id), created_at=NOW)
        assert list(repository.orgs()) == sorted(orgs)
        assert repository.verify() == len(orgs)
        host.close()

    def test_what_is_no_connection_is_refused(self, path: Path) -> None:
        wrong: Any = path
        with pytest.raises(InvalidType, match=r"^connection: must be of type Connection"):
            SqliteRepository.join(wrong)


class TestMigrate:
    def test_migrating_again_changes_nothing(self, host: sqlite3.Connection) -> None:
        SqliteRepository.join(host).record(owed(5), created_at=NOW)
        host.commit()
        before = list(host.iterdump())
        migrate(host)
        host.commit()
        assert list(host.iterdump()) == before

    def test_migrating_is_part_of_the_hosts_transaction(self, path: Path) -> None:
        connection = sqlite3.connect(path)
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
        migrate(connection)
        connection.commit()
        assert connection.execute("PRAGMA user_version").fetchone() == (7,)
        assert connection.execute("PRAGMA application_id").fetchone() == (9,)
        assert SqliteRepository.join(connection).verify() == 0
        connection.close()

    def test_a_newer_schema_in_a_hosts_database_is_left_alone(
        self, host: sqlite3.Connection
    ) -> None:
        host.execute("UPDATE org_billing_schema SET version = 99")
        for refused in (migrate, SqliteRepository.join):
            with pytest.raises(SchemaTooNew, match=r"has schema 99"):
                refused(host)

    def test_every_table_is_strict(self, host: sqlite3.Connection) -> None:
        tables = host.execute("SELECT name, strict FROM pragma_table_list WHERE name LIKE 'org_b%'")
        found = dict(tables.fetchall())
        assert len(found) >= 8
        assert set(found.values()) == {1}


class TestFile:
    def test_what_was_written_is_there_when_the_file_is_opened_again(self, path: Path) -> None:
        with SqliteRepository(path) as repository:
            records = repository.record(owed(5), created_at=NOW).records
        with SqliteRepository(str(path)) as repository:
            assert repository.records("org-1") == records

    def test_the_file_is_marked_as_ours(self, path: Path) -> None:
        SqliteRepository(path).close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        connection.close()

    def test_a_database_of_someone_else_is_left_alone(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE theirs (number)")
        connection.commit()
        before = path.read_bytes()
        with pytest.raises(ForeignDatabase, match=r"is someone else's"):
            SqliteRepository(path)
        assert path.read_bytes() == before
        connection.close()

    def test_a_closed_repository_says_that_it_cannot(self, path: Path) -> None:
        repository = SqliteRepository(path)
        repository.close()
        repository.close()
        with pytest.raises(StorageError):
            repository.records("org-1")
        with pytest.raises(StorageError):
            repository.record(owed(5), created_at=NOW)

    def test_a_write_that_another_connection_keeps_waiting_says_so(self, path: Path) -> None:
        with SqliteRepository(path, timeout=0) as ours, SqliteRepository(path, timeout=0) as other:
            with other.transaction():
                other.record(owed(5), created_at=NOW)
                with pytest.raises(StorageBusy):
                    ours.record(owed(5, "org-2"), created_at=NOW)
            ours.record(owed(5, "org-2"), created_at=NOW)
            assert ours.verify() == 2

    def test_two_repositories_on_a_file_see_each_others_writes(self, path: Path) -> None:
        with SqliteRepository(path) as ours, SqliteRepository(path) as other:
            for n in range(1, 6):
                writer, reader = (ours, other) if n % 2 else (other, ours)
                writer.record(owed(n), created_at=NOW)
                assert reader.verify() == n


WRITES: dict[str, Callable[[SqliteRepository], object]] = {
    "put_plan": lambda r: r.put_plan(Plan("scale", "USD", {})),
    "put_account": lambda r: r.put_account(Account("org-2", "starter")),
    "add_events": lambda r: r.add_events([UsageEvent("org-1", "a", 1, NOW)], lambda _: FEB),
    "put_usage": lambda r: r.put_usage(Usage("org-1", FEB, {"tokens": 1})),
    "record": lambda r: r.record(owed(6), created_at=NOW),
    "mark_invoiced": lambda r: r.mark_invoiced("org-1", FEB, at=NOW),
}


class TestReadOnly:
    @pytest.fixture
    def repository(self, path: Path) -> Iterator[SqliteRepository]:
        with SqliteRepository(path) as writer:
            writer.put_account(Account("org-1", "starter"))
            writer.record(owed(5), created_at=NOW)
        with SqliteRepository.read_only(path) as reader:
            yield reader

    def test_everything_can_be_read(self, repository: SqliteRepository) -> None:
        assert list(repository.orgs()) == ["org-1"]
        assert (len(repository.records("org-1")), repository.verify()) == (1, 1)
        assert repository.summary("org-1", FEB) == owed(5).summary()

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
    def test_nothing_can_be_written(
        self, repository: SqliteRepository, write: Callable[[SqliteRepository], object]
    ) -> None:
        with pytest.raises(StorageReadOnly):
            write(repository)
        assert repository.verify() == 1

    def test_a_file_that_is_not_there_is_not_made(self, path: Path) -> None:
        with pytest.raises(StorageError):
            SqliteRepository.read_only(path)
        assert not path.exists()

    def test_an_empty_file_is_not_made_ready(self, path: Path) -> None:
        path.touch()
        with pytest.raises(StorageError, match=r"is empty; `overages migrate` makes it ready"):
            SqliteRepository.read_only(path)
        assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "opened",
    [
        SqliteRepository,
        SqliteRepository.read_only,
        lambda path: MemberView(path, "org-1"),
        SqliteOutbox,
    ],
    ids=["repository", "read only", "view", "outbox"],
)
class TestPaths:
    @pytest.mark.parametrize("path", ["", "a\0b", Path("a\0b")], ids=repr)
    def test_a_path_that_names_no_file_is_refused(
        self, opened: Any, path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("a").touch()  # which SQLite would open for a path that it cuts at the NUL
        with pytest.raises(InvalidValue, match=r"^path: must name a file, got "):
            opened(path)

    @pytest.mark.parametrize("path", [None, 5, b"a", "\ud800"], ids=repr)
    def test_what_is_no_path_is_refused(self, opened: Any, path: Any) -> None:
        with pytest.raises(InvalidType, match=r"^path: must be a path, as a str or a Path, got "):
            opened(path)


class TestAppendOnly:
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE org_billing_overages SET amount = '0'",
            "UPDATE OR REPLACE org_billing_overages SET revision = 9",
            "DELETE FROM org_billing_overages",
            "INSERT OR REPLACE INTO org_billing_overages SELECT * FROM org_billing_overages",
            "REPLACE INTO org_billing_overages SELECT * FROM org_billing_overages",
            "INSERT INTO org_billing_overages SELECT * FROM org_billing_overages WHERE true"
            " ON CONFLICT DO UPDATE SET amount = '0'",
        ],
    )
    def test_records_cannot_be_changed_or_removed(self, path: Path, sql: str) -> None:
        with SqliteRepository(path) as repository:
            records = repository.record(owed(5), created_at=NOW).records
            with pytest.raises(StorageError, match=r"overage records are append-only"):
                repository._database.rows(sql)
            assert repository.records("org-1") == records
            assert repository.verify() == 1

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE org_billing_grants SET grant_json = replace(grant_json, '5', '9')",
            "UPDATE org_billing_grants SET voided_at = NULL",
            "UPDATE org_billing_grants SET voided_at = '2024-04-01T00:00:00Z' WHERE grant_id = 'b'",
            "UPDATE OR REPLACE org_billing_grants SET grant_id = 'a'",
            "DELETE FROM org_billing_grants",
            "REPLACE INTO org_billing_grants SELECT * FROM org_billing_grants",
        ],
    )
    def test_grants_cannot_be_changed_or_removed(self, path: Path, sql: str) -> None:
        with SqliteRepository(path) as repository:
            for grant_id in ("a", "b"):
                grant = Grant(grant_id, 5, metric="tokens", effective_at=NOW)
                repository.put_grant("org-1", grant)
            repository.void_grant("org-1", "b", NOW)
            grants = repository.grants("org-1")
            with pytest.raises(StorageError, match="grants are append-only, and voided once"):
                repository._database.rows(sql)
            assert repository.grants("org-1") == grants

    def test_a_grant_under_another_id_than_its_own_is_damage(self, path: Path) -> None:
        with SqliteRepository(path) as repository:
            repository.put_grant("org-1", Grant("a", 5, metric="tokens", effective_at=NOW))
            repository._database.rows(
                "INSERT INTO org_billing_grants"
                " SELECT org_id, 'b', grant_json, NULL FROM org_billing_grants"
            )
            with pytest.raises(StorageCorrupt, match="grant_id: must be that of the grant, 'a', "):
                repository.grants("org-1")

    @pytest.mark.parametrize(
        ("table", "column", "problem"),
        [
            ("overages", "cost", "overage records are append-only"),
            ("chain_heads", "id", "a chain of records only grows"),
            ("usage_events", "quantity", "usage events are append-only"),
            ("grants", "grant_json", "grants are append-only, and voided once"),
            ("plans", "plan", "a version of a plan never changes"),
            ("invoiced_periods", "invoiced_at", "a period that is invoiced stays it"),
            ("outbox", "request", "what may have been sent must not be forgotten"),
        ],
    )
    def test_no_connection_can_change_or_remove_or_replace_what_is_there(
        self, host: sqlite3.Connection, table: str, column: str, problem: str
    ) -> None:
        repository = SqliteRepository.join(host)
        repository.add_events([UsageEvent("org-1", "tokens", 1, NOW, "1")], lambda _: FEB)
        repository.record(owed(5), created_at=NOW)
        repository.put_grant("org-1", Grant("a", 5, metric="tokens", effective_at=NOW))
        repository.mark_invoiced("org-1", FEB, at=NOW)
        entry = ("org-1", "stripe", "a", "{}", "2024-03-01T00:00:00Z", 1, "open", None)
        host.execute("INSERT INTO org_billing_outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entry)
        before = list(host.iterdump())
        ours = f"org_billing_{table}"
        statements = [
            f"DELETE FROM {ours}",
            f"REPLACE INTO {ours} SELECT * FROM {ours}",
            f"INSERT OR REPLACE INTO {ours} SELECT * FROM {ours}",
            f"INSERT INTO {ours} SELECT * FROM {ours} WHERE true"
            f" ON CONFLICT DO UPDATE SET {column} = '0'",
        ]
        if table != "outbox":  # of which an entry changes until it is delivered
            statements += [
                f"UPDATE {ours} SET {column} = '0'",
                f"UPDATE OR REPLACE {ours} SET {column} = '0'",
            ]
        for sql in statements:
            with pytest.raises(sqlite3.IntegrityError, match=problem):
                host.execute(sql)
        assert list(host.iterdump()) == before

    def test_an_event_is_not_replaced_by_one_of_its_number_either(
        self, host: sqlite3.Connection
    ) -> None:
        repository = SqliteRepository.join(host)
        repository.add_events([UsageEvent("org-1", "tokens", 1, NOW, "1")], lambda _: FEB)
        columns = "metric_type, quantity, at, dimensions, billing_period_start, billing_period_end"
        with pytest.raises(sqlite3.IntegrityError, match="usage events are append-only"):
            host.execute(
                f"REPLACE INTO org_billing_usage_events (number, org_id, event_id, {columns})"
                f" SELECT number, org_id, 'another', {columns} FROM org_billing_usage_events"
            )
        assert [event.id for event in repository.events("org-1", MARCH)] == ["1"]


class TestThreads:
    def test_threads_may_share_a_repository(self, path: Path) -> None:
        events = [UsageEvent("org-1", "tokens", 1, NOW, str(n % 40)) for n in range(200)]
        with SqliteRepository(path) as repository, ThreadPoolExecutor(8) as pool:
            counts = pool.map(lambda e: repository.add_events([e], lambda _: FEB), events)
            recordings = pool.map(
                lambda n: repository.record(owed(n, f"org-{n % 3}"), created_at=NOW), range(1, 31)
            )
            assert sum(counts) == 40
            written = sum(len(recording.new) for recording in recordings)
            assert repository.usage("org-1", FEB).quantities == {"tokens": 40}
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


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 37, 0), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((4, 0, 0), True),
    ],
)
def test_a_write_ahead_log_is_used_only_where_it_is_safe(
    version: tuple[int, ...], safe: bool
) -> None:
    assert wal_is_safe(version) is safe


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
