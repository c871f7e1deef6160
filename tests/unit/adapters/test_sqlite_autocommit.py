"""A write on a host's connection that has no transaction open is refused: it could be lost.

Whichever way the connection begins transactions, and whatever is written.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from tests.owed import FEB, NOW, PLAN, owed
from tests.since import SINCE

from overages import Account, Grant, OverageService, Repository, Usage, UsageEvent, evolve
from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import NoTransaction
from overages.testing.contract.base import close

MODES: Final[dict[str, dict[str, Any]]] = {
    "legacy": {},
    "immediate": {"isolation_level": "IMMEDIATE"},
    "exclusive": {"isolation_level": "EXCLUSIVE"},
    "none": {"isolation_level": None},
}
if sys.version_info >= (3, 12):
    MODES["autocommit"] = {"autocommit": True}

WRITES: Final[dict[str, Callable[[Repository], object]]] = {
    "put_plan": lambda r: r.put_plan(evolve(PLAN, slug="scale")),
    "put_account": lambda r: r.put_account(Account("org-2", "starter", since=SINCE)),
    "add_events": lambda r: r.add_events([UsageEvent("org-1", "tokens", 1, NOW, "1")]),
    "put_usage": lambda r: r.put_usage(Usage("org-1", FEB, {"tokens": 1})),
    "record": lambda r: r.record(owed(5), created_at=NOW),
    "record_many": lambda r: r.record_many([owed(5)], created_at=NOW),
    "withdraw": lambda r: r.withdraw("org-1", "0", withdrawn_at=NOW),
    "close_period": lambda r: close(r, owed(5)),
    "put_grant": lambda r: r.put_grant("org-1", Grant("b", 5, metric="a", effective_at=NOW)),
    "void_grant": lambda r: r.void_grant("org-1", "a", NOW),
    "transaction": lambda r: r.transaction().__enter__(),
    "record_usage": lambda r: OverageService(r, clock=lambda: NOW).record_usage(
        [UsageEvent("org-1", "tokens", 1, NOW, "2")]
    ),
    "recalculate": lambda r: OverageService(r, clock=lambda: NOW).recalculate("org-1", period=FEB),
    "close": lambda r: OverageService(r, clock=lambda: NOW).close("org-1", FEB),
}


def filled(path: Path) -> None:
    """Make a host's database, in which an org has a plan, usage and a grant."""
    with closing(sqlite3.connect(path)) as host:
        host.execute("CREATE TABLE theirs (x)")
        host.execute("BEGIN")
        migrate(host)
        repository = SqliteRepository.join(host)
        repository.put_plan(PLAN)
        repository.put_account(Account("org-1", "starter", since=SINCE))
        repository.put_usage(Usage("org-1", FEB, {"tokens": 200}))
        repository.add_events([UsageEvent("org-1", "tokens", 1, NOW, "0")])
        repository.put_grant("org-1", Grant("a", 5, metric="tokens", effective_at=NOW))
        host.commit()


def records_in(path: Path) -> int:
    """Return how many records another connection sees."""
    with closing(sqlite3.connect(path)) as other:
        (count,) = other.execute("SELECT count(*) FROM org_billing_overages").fetchone()
    return int(count)


@pytest.fixture(params=MODES)
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    """Yield a connection of each mode that leaves a write without a transaction."""
    filled(tmp_path / "host.db")
    with closing(sqlite3.connect(tmp_path / "host.db", **MODES[request.param])) as connection:
        yield connection


@pytest.mark.parametrize("write", WRITES)
def test_a_write_outside_of_a_transaction_is_refused(host: sqlite3.Connection, write: str) -> None:
    repository = SqliteRepository.join(host)
    before = list(host.iterdump())
    with pytest.raises(NoTransaction, match=r"no transaction open.*atomic\(\).*BEGIN IMMEDIATE"):
        WRITES[write](repository)
    assert not host.in_transaction
    assert list(host.iterdump()) == before


@pytest.mark.parametrize("write", WRITES)
def test_the_same_write_in_a_transaction_is_kept_with_it(
    host: sqlite3.Connection, write: str, tmp_path: Path
) -> None:
    repository = SqliteRepository.join(host)
    before = list(host.iterdump())
    host.execute("BEGIN")
    WRITES[write](repository)
    host.execute("COMMIT")  # commit() does nothing where `autocommit` is true
    with closing(sqlite3.connect(tmp_path / "host.db")) as other:
        assert (list(other.iterdump()) != before) == (write != "transaction")


def test_the_tables_are_not_made_outside_of_a_transaction(tmp_path: Path) -> None:
    for mode in MODES.values():
        with closing(sqlite3.connect(tmp_path / "host.db", **mode)) as host:
            with pytest.raises(NoTransaction):
                migrate(host)
            assert host.execute("SELECT * FROM sqlite_schema").fetchall() == []


def test_reads_need_no_transaction(host: sqlite3.Connection) -> None:
    service = OverageService(SqliteRepository.join(host), clock=lambda: NOW)
    statement = service.calculate("org-1", FEB)
    assert statement is not None
    assert statement["tokens"].used == 200
    assert not host.in_transaction


def test_a_statement_of_the_hosts_that_begins_a_transaction_is_enough(tmp_path: Path) -> None:
    filled(tmp_path / "host.db")
    with closing(sqlite3.connect(tmp_path / "host.db")) as host:
        host.execute("INSERT INTO theirs VALUES (1)")
        assert SqliteRepository.join(host).record(owed(5), created_at=NOW).new
        host.commit()
    assert records_in(tmp_path / "host.db") == 1


def test_a_transaction_that_sqlite_took_back_is_not_begun_anew(tmp_path: Path) -> None:
    filled(tmp_path / "host.db")
    with closing(sqlite3.connect(tmp_path / "host.db")) as host:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        repository.record(owed(5), created_at=NOW)
        host.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            host.execute("INSERT INTO theirs VALUES (zeroblob(1000000))")
        with pytest.raises(NoTransaction):
            repository.record(owed(6), created_at=NOW)
        host.commit()
    assert records_in(tmp_path / "host.db") == 0


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has `autocommit` from 3.12 on")
def test_a_connection_that_is_always_in_a_transaction_may_write_at_once(tmp_path: Path) -> None:
    filled(tmp_path / "host.db")
    mode: dict[str, Any] = {"autocommit": False}
    with closing(sqlite3.connect(tmp_path / "host.db", **mode)) as host:
        repository = SqliteRepository.join(host)
        for revision in (1, 2):
            repository.record(owed(4 + revision), created_at=NOW)
            host.commit()
            assert records_in(tmp_path / "host.db") == revision
