"""Blocks of the SQLite repository that hold what is kept of some orgs."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from tests.in_memory import in_memory
from tests.owed import FEB, MARCH, NOW, owed

from overages import Account, Metric, Period, Repository, SqliteRepository, Usage, UsageEvent
from overages.adapters.sqlite import held, held_usage, migrate
from overages.amounts.exact import SCALE
from overages.errors import StorageCorrupt
from overages.settlements.settlement import Settlement
from overages.testing.contract.base import close

JANUARY, APRIL = Period.month(2024, 1), Period.month(2024, 4)


@pytest.fixture
def repository() -> Iterator[SqliteRepository]:
    with in_memory() as repository:
        repository.put_account(Account("org-1", "starter", JANUARY.start))
        repository.put_account(Account("org-2", "starter", JANUARY.start))
        yield repository


def count(repository: SqliteRepository, calls: list[str]) -> None:
    """Note each statement that the database is told."""
    repository._database._connection.set_trace_callback(calls.append)


def test_what_is_held_is_read_once_and_written_at_the_end(repository: SqliteRepository) -> None:
    statements: list[str] = []
    with repository.transaction_of({"org-1": [FEB], "org-2": [FEB]}):
        count(repository, statements)
        for org_id in ("org-1", "org-2"):
            account = repository.account(org_id)
            assert account is not None
            assert account.org_id == org_id
            assert repository.closing(org_id, FEB) is None
            assert repository.closing_before(org_id, FEB.start) is None
            assert repository.closings(org_id) == ()
            assert repository.records(org_id, FEB) == ()
            assert (repository.head(org_id), repository.grants(org_id)) == (None, ())
            assert repository.usage(org_id, FEB).quantities == {}
        assert statements == []


@pytest.mark.parametrize("periods", [[FEB], [FEB, MARCH]])
@pytest.mark.parametrize("closed", [[], ["org-1"]], ids=["new orgs", "an older one"])
def test_usage_of_other_periods_is_not_that_of_one_that_is_held(
    repository: SqliteRepository, closed: list[str], periods: list[Period]
) -> None:
    tick = timedelta(microseconds=1)
    instants = [FEB.start - tick, FEB.start, MARCH.start - tick, MARCH.start, APRIL.start]
    repository.add_events(
        UsageEvent(org_id, metric, 10**number, at, f"{metric}-{number}")
        for org_id in ("org-1", "org-2")
        for metric in ("runs", "tokens")
        for number, at in enumerate(instants)
    )
    for org_id in closed:
        close(repository, owed(10, org_id=org_id, period=JANUARY), NOW)
    own = dict.fromkeys(["org-1", "org-2"], periods)
    statements: list[str] = []
    count(repository, statements)
    with repository.transaction_of(own):
        goes_by_name = any("metric_type = name" in each for each in statements)
        assert goes_by_name == (len(periods) > 1 or bool(closed))  # or years are looked through
        statements.clear()
        for org_id in own:
            assert repository.usage(org_id, FEB).quantities == {"runs": 110, "tokens": 110}
            if MARCH in periods:
                assert repository.usage(org_id, MARCH).quantities == {"runs": 1000, "tokens": 1000}
        assert statements == []


def test_a_closing_that_isnt_the_last_one_is_asked_for(repository: SqliteRepository) -> None:
    for period in (JANUARY, FEB):
        close(repository, owed(10, period=period), NOW)
    with repository.transaction_of({"org-1": [MARCH]}):
        last = repository.closing("org-1", FEB)
        assert last is not None
        assert repository.closing_before("org-1", MARCH.start) == last
        first = repository.closing("org-1", JANUARY)
        assert first is not None
        assert repository.closing_before("org-1", FEB.start) == first
        assert repository.closings("org-1") == (first, last)
        assert repository.closings("org-1", MARCH.start) == ()
        assert [len(repository.records("org-1", each)) for each in (JANUARY, FEB)] == [1, 1]


def test_an_earlier_period_that_is_closed_later_is_not_the_last(
    repository: SqliteRepository,
) -> None:
    with repository.transaction_of({"org-1": [JANUARY, FEB]}):
        later = close(repository, owed(10), NOW)
        close(repository, owed(10, period=JANUARY), NOW)
        corrected = close(repository, owed(12), NOW, force=True)
        assert repository.closing_before("org-1", MARCH.start) == corrected
        assert corrected.number == later.number + 1
    assert repository.closing_before("org-1", MARCH.start) == corrected
    assert repository.verify() == 6


def test_a_statement_of_an_earlier_time_than_is_held_is_recorded(
    repository: SqliteRepository,
) -> None:
    repository.record(owed(10), created_at=NOW)
    with repository.transaction_of({"org-1": [FEB]}):
        repository.record(owed(7, period=JANUARY), created_at=NOW)
        assert len(repository.records("org-1", FEB)) == 1
        (correction,) = repository.record(owed(12), created_at=NOW).new
        assert correction.revision == 2
        assert len(repository.records("org-1")) == 3
    assert repository.verify() == 3


def test_a_fresh_period_before_those_that_are_held_is_closed(repository: SqliteRepository) -> None:
    with repository.transaction_of({"org-1": [FEB]}):
        recordings = repository.close_fresh(
            {"org-1": JANUARY},
            lambda _, period, balance: Settlement(owed(10, period=period), balance),
            closed_at=NOW,
        )
        assert recordings["org-1"].new == repository.records("org-1", JANUARY)
    assert repository.verify() == 2


def test_what_a_snapshot_told_is_read_again_once_something_was_written(tmp_path: Path) -> None:
    file = tmp_path / "kept.db"
    account = Account("org-1", "starter", JANUARY.start)
    moved = account.changed(since=MARCH.start, plan="pro")
    with SqliteRepository(file) as repository, SqliteRepository(file) as other:
        repository.put_account(account)
        statements: list[str] = []
        count(repository, statements)
        for known in (account, moved):
            with repository.snapshot_of(["org-1"]):
                assert repository.account("org-1") == account
            if known == moved:
                other.put_account(moved)
            statements.clear()
            with repository.transaction_of({"org-1": [FEB]}):
                assert repository.account("org-1") == known
            is_read = any("FROM org_billing_accounts" in each for each in statements)
            assert is_read == (known == moved)
        with repository.snapshot_of(["org-1"]):
            assert repository.account("org-1") == moved
        close(repository, owed(10), NOW)
        with repository.transaction_of({"org-1": [FEB, MARCH]}):
            assert repository.closed_periods("org-1") == {FEB: NOW}


def test_of_orgs_that_were_seen_those_that_a_block_is_about_are_read(
    repository: SqliteRepository,
) -> None:
    for org_id in ("org-1", "org-2"):
        close(repository, owed(10, org_id=org_id), NOW)
    with repository.snapshot_of(["org-1", "org-2"]):
        pass
    statements: list[str] = []
    count(repository, statements)
    with repository.transaction_of({"org-1": [MARCH]}):
        assert repository.closing_before("org-1", MARCH.start) is not None
    assert any("'org-1'" in each for each in statements)
    assert not any("'org-2'" in each for each in statements)


def snapshot_of_another(repository: SqliteRepository) -> AbstractContextManager[object]:
    return repository.snapshot_of(["org-2"])


def test_what_a_snapshot_of_many_orgs_told_is_not_held(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_MOST", 1)
    for orgs in (["org-1"], ["org-1", "org-2"]):
        with repository.snapshot_of(orgs):
            pass
        assert list(repository._seen[1]) == ["org-1"]


def see_and_fail(
    repository: SqliteRepository, block: AbstractContextManager[object], account: Account
) -> None:
    with block:
        repository.put_account(account)
        with repository.snapshot_of([account.org_id]):
            assert repository.account(account.org_id) == account
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "block", [SqliteRepository.transaction, SqliteRepository.snapshot, snapshot_of_another]
)
def test_what_a_snapshot_told_of_a_block_that_failed_is_forgotten_with_it(
    repository: SqliteRepository,
    block: Callable[[SqliteRepository], AbstractContextManager[object]],
) -> None:
    with pytest.raises(ZeroDivisionError):
        see_and_fail(repository, block(repository), Account("org-3", "starter", JANUARY.start))
    with repository.transaction_of({"org-3": [FEB]}):
        assert repository.account("org-3") is None


def test_sums_of_the_new_records_are_seen(repository: SqliteRepository) -> None:
    with repository.transaction_of({"org-1": [FEB], "org-3": [FEB]}):
        statement = owed(10)
        repository.record(statement, created_at=NOW)
        repository.record(owed(4, org_id="org-3"), created_at=NOW)
        assert repository.summary("org-1", FEB) == statement.summary()
        repository.record(owed(3, org_id="org-3"), created_at=NOW)
        assert list(repository.orgs()) == ["org-1", "org-2", "org-3"]


def test_an_org_that_isnt_held_is_written_beside_those_that_are(
    repository: SqliteRepository,
) -> None:
    with repository.transaction_of({"org-1": [FEB], "org-2": []}):
        orgs = ("org-1", "org-2", "org-3")
        repository.record_many([owed(10, org_id=org_id) for org_id in orgs], created_at=NOW)
        for org_id in orgs:
            close(repository, owed(10, org_id=org_id), NOW)
    assert [len(repository.closings(org_id)) for org_id in orgs] == [1, 1, 1]
    assert repository.verify() == 6


def test_another_thread_waits_for_the_block(repository: SqliteRepository) -> None:
    seen: list[object] = []
    thread = Thread(target=lambda: seen.append(repository.closing("org-1", FEB)))
    with repository.transaction_of({"org-1": [FEB]}):
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        closed = close(repository, owed(10), NOW)
    thread.join()
    assert seen == [closed]


def test_a_seal_is_worked_out_alone_where_there_are_many_events(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_usage, "_MOST_EVENTS", 3)
    for org_id in ("org-1", "org-2"):
        repository.add_events([UsageEvent(org_id, "tokens", 1, FEB.start) for _ in range(2)])
    repository.put_usage(Usage("org-1", FEB, {"runs": 3}))
    with repository.transaction_of({"org-1": [FEB], "org-2": [FEB]}):
        assert repository._hold is not None
        assert repository._hold.orgs["org-1"].usage(FEB).picos() == {"tokens": 2 * SCALE}
        with pytest.raises(KeyError):
            repository._hold.orgs["org-2"].usage(FEB).picos()
        seals = [
            close(repository, owed(9, org_id=org), NOW).usage_seal for org in ("org-1", "org-2")
        ]
    assert [seal[:6] for seal in seals] == ["2-1-0-", "2-0-0-"]
    assert repository.verify() == 4


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("accounts", "('org-3', 0, '{', NULL, NULL, NULL)"),
        ("closings", "('org-3', 'a', 'b', 1, '', '', '', '', '', 1, '')"),
        ("chain_heads", "('org-3', 1, 'short')"),
        ("grants", "('org-3', 'g', '{', NULL)"),
    ],
)  # fmt: skip
def test_an_org_that_cant_be_read_is_not_held(
    repository: SqliteRepository, table: str, values: str
) -> None:
    insert(repository, table, values)
    with repository.transaction_of({"org-1": [FEB], "org-3": [FEB]}):
        assert repository._hold is not None
        assert list(repository._hold.orgs) == ["org-1"]
        close(repository, owed(10), NOW)
        with pytest.raises(StorageCorrupt):
            read_all(repository, "org-3")
    assert repository.closing("org-1", FEB) is not None


def insert(repository: SqliteRepository, table: str, values: str) -> None:
    """Put a row into a table, whatever it says."""
    sql = f"INSERT INTO org_billing_{table} VALUES {values}"
    repository._database._connection.execute(sql)


@pytest.mark.parametrize(
    ("table", "values", "read"),
    [
        (
            "usage_events",
            "(1, 'org-3', NULL, 'tokens', 'x', 'x', '2024-02-03T00:00:00.000000Z', '{}')",
            lambda repository: repository.event_sums("org-3", FEB),
        ),
        (
            "usage_puts",
            "(1, 'org-3', '2024-02-03', '2024-02-04', 'tokens', '1')",
            lambda repository: repository.put_sums("org-3", FEB),
        ),
    ],
)
def test_usage_that_cant_be_read_is_told_as_it_is_asked_for(
    repository: SqliteRepository, table: str, values: str, read: Callable[[Repository], object]
) -> None:
    insert(repository, table, values)
    with repository.transaction_of({"org-1": [FEB], "org-3": [FEB]}):
        assert repository.usage("org-1", FEB).quantities == {}
        with pytest.raises(StorageCorrupt):
            repository.usage("org-3", FEB)
        with pytest.raises(StorageCorrupt):
            read(repository)


def test_a_fresh_period_is_not_closed_with_usage_that_cant_be_sealed(
    repository: SqliteRepository,
) -> None:
    at = "2024-02-03T00:00:00.000000Z"
    row = f"(1, 'org-1', NULL, 'tokens', CAST(x'ff' AS TEXT), '{at}', '{at}', '{{}}')"
    insert(repository, "usage_events", row)
    with pytest.raises(StorageCorrupt):
        repository.close_fresh(
            {"org-1": FEB, "org-2": FEB},
            lambda account, _, balance: Settlement(owed(10, org_id=account.org_id), balance),
            closed_at=NOW,
        )
    assert repository.closed_periods("org-2") == {}


def read_all(repository: SqliteRepository, org_id: str) -> None:
    """Read of each table what is kept of an org."""
    repository.account(org_id)
    repository.closed_periods(org_id)
    repository.head(org_id)
    repository.grants(org_id)
    repository.usage(org_id, FEB)


def test_an_account_in_the_row_of_another_org_is_read_as_it_says(
    repository: SqliteRepository,
) -> None:
    text = '{"org_id":"other","plan":"a","since":"2024-01-01T00:00:00Z","type":"Account",'
    values = f"""('org-3', 0, '{text}"version":"1"}}', NULL, NULL, NULL)"""
    insert(repository, "accounts", values)
    account = repository.account("org-3")
    assert account is not None
    assert account.org_id == "other"


def test_an_account_that_names_its_org_where_a_limit_is_due_is_refused(
    repository: SqliteRepository,
) -> None:
    text = (
        '{"limits":{"org_id":"org-3"},"org_id":"x","plan":"a",'
        '"since":"2024-01-01T00:00:00Z","type":"Account","version":"1"}'
    )
    values = f"('org-3', 0, '{text}', NULL, NULL, NULL)"
    insert(repository, "accounts", values)
    with pytest.raises(StorageCorrupt):
        repository.account("org-3")


def test_portions_grow_while_they_are_fast_and_shrink_where_they_are_slow(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths, now = [], 0.0
    monkeypatch.setattr(held, "monotonic", lambda: now)
    took = iter([0.0, 0.04, 0.8, 0.15, 0.15])
    for some in repository.portions([f"org-{number}" for number in range(145)]):
        lengths.append(len(some))
        with repository.transaction_of({org_id: [FEB] for org_id in some}):
            now += next(took)
    assert lengths == [16, 32, 64, 32, 1]


def test_a_joined_repository_holds_within_the_hosts_transaction() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        migrate(connection)
        repository = SqliteRepository.join(connection)
        with repository.transaction_of({"org-1": [FEB]}):
            close(repository, owed(10), NOW)
        assert repository.verify() == 2
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == []


def put_and_fail(repository: SqliteRepository) -> None:
    with repository.transaction():
        repository.put_metrics([Metric("calls", "max")])
        assert len(repository.metrics()) == 2
        raise ZeroDivisionError


def test_a_metric_that_is_put_within_a_block_is_read_and_taken_back_with_it(
    repository: SqliteRepository,
) -> None:
    tokens = Metric("tok", "max")
    with repository.transaction_of({"org-1": [FEB]}):
        repository.put_metrics([tokens])  # before any was asked for
        assert repository.metrics() == (tokens,)
        with pytest.raises(ZeroDivisionError):
            put_and_fail(repository)
        assert repository.metrics() == (tokens,)
