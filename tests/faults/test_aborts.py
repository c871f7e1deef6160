"""A write that is broken off at any step, by SQLite or by an exception, has written nothing."""

from __future__ import annotations

import linecache
import shutil
import sqlite3
import sys
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import StorageError, StorageFull

from .bills import NOW, PERIOD, contents, fill, is_free, org_name
from .children import result
from .effort import THOROUGH, times
from .operations import OPERATIONS, SINGLE, Operation

FIRST_STEPS = 10  # none of which is left out; in the short form, later ones are
LINES = times(29, 1)  # from one line that is interrupted to the next


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "bills.db"
    fill(found)
    return found


class Aborts:
    """Breaks off what SQLite does at its n-th step, and at all steps that follow if it is asked to.

    To be set as a connection's progress handler.
    """

    def __init__(self, at: int, for_good: bool) -> None:
        self.left = at
        self.for_good = for_good

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0 if self.for_good else self.left == -1


def following(step: int) -> int:
    """Return the step to fail at next."""
    return step + 1 if THOROUGH or step < FIRST_STEPS else step + step // 2


def written(path: Path, operation: Operation, copy: Path) -> object:
    """Return what is in a copy of a database when an operation has gone through."""
    shutil.copy(path, copy)
    with SqliteRepository(copy) as repository:
        operation(repository)
    return contents(copy)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("kind", OPERATIONS)
def test_a_write_that_is_aborted_at_any_step_has_written_nothing(
    path: Path, kind: str, for_good: bool
) -> None:
    operation = OPERATIONS[kind]
    before, after = contents(path), written(path, operation, path.with_name("after.db"))
    step = 0
    with SqliteRepository(path) as repository:
        ours = repository._database._connection
        while True:
            ours.set_progress_handler(Aborts(step, for_good), 1)
            try:
                operation(repository)
            except StorageError:
                ours.set_progress_handler(None, 0)
                assert not ours.in_transaction
                assert is_free(path)
                left = contents(path)
                if left == after:
                    break  # it came at the end of the commit, too late
                assert left == before
            else:
                break
            step = following(step)
        ours.set_progress_handler(None, 0)
        repository.verify()
    assert step > 5
    assert contents(path) == after


def opened_with(handler: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every connection that is opened from now on ask a progress handler."""
    connect = sqlite3.connect

    def connect_with(*args: Any, **options: Any) -> sqlite3.Connection:
        found: sqlite3.Connection = connect(*args, **options)
        found.set_progress_handler(handler, 1)
        return found

    monkeypatch.setattr(sqlite3, "connect", connect_with)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_a_file_whose_making_is_aborted_at_any_step_is_empty_or_whole_and_made_later(
    tmp_path: Path, journal: str, for_good: bool
) -> None:
    SqliteRepository(tmp_path / "wanted.db").close()
    wanted = contents(tmp_path / "wanted.db")
    step = 0
    while True:
        path = tmp_path / f"{journal}-{step}.db"
        with pytest.MonkeyPatch.context() as patch:
            opened_with(Aborts(step, for_good), patch)
            try:
                SqliteRepository(path).close()
            except StorageError:
                is_made = False
            else:
                is_made = True
        assert contents(path) in (({}, wanted) if not is_made else (wanted,))
        SqliteRepository(path).close()
        assert contents(path) == wanted
        if is_made and step > 100:
            break
        step = following(step)
    assert step > 100


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
def test_an_abort_in_a_hosts_transaction_leaves_the_hosts_writes_or_nothing(
    tmp_path: Path, for_good: bool
) -> None:
    hosts = sqlite3.connect(tmp_path / "host.db", isolation_level=None)
    hosts.execute("CREATE TABLE theirs (x)")
    hosts.execute("BEGIN")
    migrate(hosts)
    hosts.commit()
    repository = SqliteRepository.join(hosts)
    step = 0
    while True:
        hosts.execute("BEGIN")
        hosts.execute("INSERT INTO theirs VALUES (1)")
        hosts.set_progress_handler(Aborts(step, for_good), 1)
        try:
            repository.record(SINGLE, created_at=NOW)
        except StorageError:
            hosts.set_progress_handler(None, 0)
            assert repository.records(org_name(0)) == ()
            assert hosts.execute("SELECT COUNT(*) FROM org_billing_plans").fetchone() == (0,)
            theirs = hosts.execute("SELECT COUNT(*) FROM theirs").fetchone()
            assert theirs == (hosts.in_transaction,)
            hosts.rollback()
        else:
            break
        step += 1
    hosts.set_progress_handler(None, 0)
    hosts.commit()
    assert repository.verify() == 3
    assert step > 100
    repository.close()
    assert hosts.execute("SELECT 1").fetchone() == (1,)  # theirs to close
    hosts.close()


LARGE_ROW = (
    "INSERT INTO org_billing_usage_monthly (org_id, billing_period_start, billing_period_end,"
    " metric_type, overage, overage_cost, currency, currency_exponent)"
    " VALUES ('x', 'x', 'x', 'x', hex(zeroblob(1000000)), '0', 'USD', 2)"
)


def go_on_after_a_full_disk(repository: SqliteRepository) -> None:
    """Write in a transaction that SQLite has taken back, as if nothing had happened."""
    with repository.transaction():
        OPERATIONS["put_account"](repository)
        repository._database._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StorageFull):
            repository._database.rows(LARGE_ROW)  # of a table without a trigger
        with pytest.raises(StorageError):
            OPERATIONS["put_plan"](repository)


def test_after_sqlite_took_a_transaction_back_no_part_of_it_is_written_alone(path: Path) -> None:
    before = contents(path)
    with SqliteRepository(path) as repository:
        ours = repository._database._connection
        with pytest.raises(StorageError):
            go_on_after_a_full_disk(repository)
        ours.execute("PRAGMA max_page_count = 10000")
        assert contents(path) == before
        with repository.transaction():
            OPERATIONS["put_account"](repository)
            OPERATIONS["put_plan"](repository)
    assert contents(path) != before


@cache
def is_with(module: str, line: int) -> bool:
    return linecache.getline(module, line).strip().startswith("with ")


def raising_at(line: int, error: type[BaseException], work: Callable[[], object]) -> bool:
    """Do work, raising an error at the n-th line that runs of the library; tell whether it came.

    An error is raised as an interrupt would raise it, but for the lines of `with` statements:
    leaving a block, Python pays no heed to interrupts, and a tracer would.
    """
    left = line

    def in_library(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        del argument
        if "/overages/" not in frame.f_code.co_filename:
            return None
        if event == "line" and not is_with(frame.f_code.co_filename, frame.f_lineno):
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise error
        return in_library

    sys.settrace(in_library)
    try:
        work()
    except error:
        return True
    finally:
        sys.settrace(None)
    return False


def interrupted(path: Path, operation: Operation, error: type[BaseException]) -> int:
    """Interrupt a write at one line after the other until it gets through; return how many."""
    before = contents(path)
    for line in count(step=LINES):
        with SqliteRepository(path) as repository:
            came = raising_at(line, error, partial(operation, repository))
            assert not repository._database._connection.in_transaction
            assert is_free(path)
            if not came or contents(path) != before:  # it came after the commit
                repository.verify()
                return line
    raise AssertionError("unreachable")


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("kind", ["record", "add_events", "put_plan", "close_period"])
def test_an_interrupt_at_any_line_leaves_nothing_open_or_half_written(
    path: Path, kind: str, error: type[BaseException]
) -> None:
    after = written(path, OPERATIONS[kind], path.with_name("after.db"))
    lines = result(lambda: interrupted(path, OPERATIONS[kind], error))
    assert lines > 10
    assert contents(path) == after


def interrupted_reads(path: Path) -> int:
    """Interrupt a read at one line after the other; return how many there are."""
    with SqliteRepository(path) as repository:
        for line in count(step=LINES):
            came = raising_at(
                line, KeyboardInterrupt, lambda: repository.records(org_name(0), PERIOD)
            )
            assert not repository._database._connection.in_transaction
            assert is_free(path)
            if not came:
                return line
    raise AssertionError("unreachable")


def test_an_interrupt_at_any_line_of_a_read_leaves_no_lock(path: Path) -> None:
    assert result(lambda: interrupted_reads(path)) > 10
