"""A database that another connection holds, and one that may only be read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from time import sleep

import pytest

from overages.adapters.sqlite import MemberView, SqliteRepository
from overages.errors import QueryTooSlow, RecordsAltered, StorageBusy, StorageError, StorageReadOnly
from overages.testing.contract.base import close

from .bills import NOW, PERIOD, contents, fill, is_free, org_name, statement
from .children import results
from .journals import JOURNALS, use_journal
from .operations import OPERATIONS

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def path(tmp_path: Path, journal: str) -> Path:
    found = tmp_path / f"{journal}.db"
    fill(found)
    return found


@contextmanager
def held(path: Path, lock: str) -> Iterator[None]:
    """Hold a lock on a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {lock}")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("kind", OPERATIONS)
def test_a_write_to_a_locked_database_is_refused_at_once_and_goes_through_later(
    path: Path, kind: str
) -> None:
    before = contents(path)
    with SqliteRepository(path, timeout=0) as repository:
        with held(path, "IMMEDIATE"):
            with pytest.raises(StorageBusy):
                OPERATIONS[kind](repository)
            assert not repository._database._connection.in_transaction
        assert contents(path) == before
        OPERATIONS[kind](repository)
    assert contents(path) != before


def test_a_write_goes_through_while_a_member_asks_what_has_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_journal(monkeypatch, "delete")  # with a write-ahead log, it needn't wait
    fill(path := tmp_path / "bills.db")
    tables = ", ".join(f"org_billing_overages AS o{i}" for i in range(20))
    with (
        ThreadPoolExecutor() as pool,
        MemberView(path, org_name(0), time_limit=1) as view,
        SqliteRepository(path, timeout=60) as repository,
    ):
        answer = pool.submit(view.query, f"SELECT count(*) FROM {tables}")
        while is_free(path) and not answer.done():
            sleep(0.01)
        OPERATIONS["put_account"](repository)
        with pytest.raises(QueryTooSlow):
            answer.result()


def test_reads_go_on_while_another_connection_writes(path: Path) -> None:
    with SqliteRepository(path, timeout=0) as repository, held(path, "IMMEDIATE"):
        assert len(repository.records(org_name(0))) == 6
        assert repository.summary(org_name(0)) is not None
        assert repository.overage(org_name(0), PERIOD) is not None
        assert repository.verify() == 24


def test_a_locked_database_can_be_opened(path: Path) -> None:
    with held(path, "IMMEDIATE"), SqliteRepository(path, timeout=0) as repository:
        assert repository.verify() == 24


def test_a_database_held_by_another_is_busy_to_reads_or_shows_the_truth(
    path: Path,
) -> None:
    with SqliteRepository(path, timeout=0) as repository:
        with held(path, "EXCLUSIVE"):
            if path.name.startswith("delete"):
                with pytest.raises(StorageBusy):
                    repository.records(org_name(0))
            else:
                assert len(repository.records(org_name(0))) == 6
        assert len(repository.records(org_name(0))) == 6


def waited(path: Path, kind: str) -> float:
    """Return how many seconds a write waits for a lock that is never given back."""
    with pytest.MonkeyPatch.context() as patch:
        use_journal(patch, kind)
        fill(path)
        with SqliteRepository(path, timeout=1) as repository, held(path, "IMMEDIATE"):
            started = os.times().elapsed
            with pytest.raises(StorageBusy):
                close(repository, statement(org_name(0)), NOW)
            return os.times().elapsed - started


def test_a_write_waits_for_a_lock_as_long_as_it_was_told(tmp_path: Path) -> None:
    for seconds in results([partial(waited, tmp_path / kind, kind) for kind in JOURNALS]):
        assert seconds > 0.9


def test_no_read_leaves_a_lock_behind(path: Path) -> None:
    with SqliteRepository(path) as repository:
        for read in (
            lambda: repository.plan("starter"),
            lambda: repository.account(org_name(0)),
            lambda: list(repository.orgs()),
            lambda: list(repository.events(org_name(0), PERIOD)),
            lambda: repository.usage(org_name(0), PERIOD),
            lambda: repository.records(org_name(0)),
            lambda: repository.summary(org_name(0)),
            lambda: repository.overage(org_name(0), PERIOD),
            lambda: repository.closing(org_name(0), PERIOD),
            lambda: repository.head(org_name(0)),
            repository.verify,
        ):
            read()
            assert is_free(path)


def test_an_error_that_is_kept_keeps_no_lock_and_no_file_open(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER org_billing_overages_no_delete")
        connection.execute("DELETE FROM org_billing_overages WHERE org_id = 'org-000'")
        connection.commit()
    repository = SqliteRepository(path)
    with pytest.raises(RecordsAltered) as kept:
        repository.verify()
    assert is_free(path)
    repository.close()
    assert str(kept.value)
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_closed_repository_says_so_in_our_words(path: Path) -> None:
    repository = SqliteRepository(path)
    repository.close()
    repository.close()
    for use in (repository.orgs, repository.verify, lambda: repository.records(org_name(0))):
        with pytest.raises(StorageError, match="closed"):
            use()


@pytest.mark.parametrize("kind", OPERATIONS)
def test_a_repository_that_may_only_read_refuses_every_write(path: Path, kind: str) -> None:
    before = contents(path)
    with SqliteRepository.read_only(path) as repository:
        with pytest.raises(StorageReadOnly):
            OPERATIONS[kind](repository)
        assert not repository._database._connection.in_transaction
        assert len(repository.records(org_name(0))) == 6
        assert repository.verify() == 24
    assert contents(path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_file_that_may_only_be_read_refuses_every_write(path: Path) -> None:
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        with SqliteRepository(path) as repository:
            assert repository.verify() == 24
            with pytest.raises(StorageReadOnly):
                close(repository, statement(org_name(0)), NOW)
    finally:
        path.parent.chmod(0o755)
