"""A process that is killed while it records: what it was told is there stays, and nothing half."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from overages import Recording, Statement, UsageEvent
from overages.adapters.sqlite import SqliteRepository
from overages.testing.contract.base import close

from .bills import NOW, Contents, contents, events, org_name, statement
from .children import finish, kill, start
from .effort import times
from .journals import use_journal

Step = Callable[[SqliteRepository], int]
"""Writes something, and returns how much of it was new."""

KILLS = [("delete", times(6, 1000)), ("wal", times(3, 250))]


def steps() -> list[Step]:
    """Return writes of all kinds: single statements, batches of orgs, events."""
    found: list[Step] = []
    for i in range(0, 40, 8):
        batch = [statement(org_name(j), 1 + j) for j in range(i, i + 6)]
        single = statement(org_name(i + 6), 2)
        reported = events(org_name(i), 0, 20)
        found += [
            partial(record_batch, batch),
            partial(record_batch, [single]),
            partial(report, reported),
            partial(close_together, [*batch, single]),
        ]
    return found


def record_batch(batch: list[Statement], repository: SqliteRepository) -> int:
    """Record statements, a single one by itself."""
    made: Sequence[Recording]
    if len(batch) == 1:
        made = [repository.record(batch[0], created_at=NOW)]
    else:
        made = repository.record_many(batch, created_at=NOW)
    return sum(len(recording.new) for recording in made)


def close_together(due: list[Statement], repository: SqliteRepository) -> int:
    """Close the periods of statements, read and written at once."""
    wanted = {each.org_id: [each.period] for each in due}
    before = sum(len(repository.closings(org_id)) for org_id in wanted)
    with repository.transaction_of(wanted):
        for each in due:
            close(repository, each, NOW)
    return sum(len(repository.closings(org_id)) for org_id in wanted) - before


def report(reported: list[UsageEvent], repository: SqliteRepository) -> int:
    """Keep events."""
    return repository.add_events(reported)


def write_all(path: Path, acknowledged: Callable[[], object] = lambda: None) -> int:
    """Take all steps, and return how much was new."""
    new = 0
    with SqliteRepository(path) as repository:
        for step in steps():
            new += step(repository)
            acknowledged()
    return new


def states(path: Path) -> list[Contents]:
    """Return what is in a database after none of the steps, after the first, and so on."""
    with SqliteRepository(path) as repository:
        found = [contents(path)]
        for step in steps():
            step(repository)
            found.append(contents(path))
    return found


@pytest.mark.parametrize(("journal", "kills"), KILLS, ids=["delete", "wal"])
def test_after_a_kill_all_that_was_acknowledged_is_there_and_nothing_is_half_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str, kills: int
) -> None:
    use_journal(monkeypatch, journal)
    expected = states(tmp_path / "expected.db")
    started = time.perf_counter()
    child = start(lambda pipe: acknowledging(tmp_path / "timed.db", pipe))
    assert len(finish(*child)) == len(expected) - 1
    takes = time.perf_counter() - started
    chance = random.Random(journal)
    for i in range(kills):
        path = tmp_path / f"{i}.db"
        acknowledged = killed(path, chance.uniform(0, takes))
        with SqliteRepository(path) as repository:  # which undoes what was not finished
            assert contents(path) in expected[acknowledged : acknowledged + 2]
            repository.verify()
        write_all(path)
        assert contents(path) == expected[-1]
        assert write_all(path) == 0
        assert contents(path) == expected[-1]
        path.unlink()


def acknowledging(path: Path, pipe: int) -> None:
    """Take all steps, and tell each that is done."""
    write_all(path, lambda: os.write(pipe, b"."))


def killed(path: Path, after: float) -> int:
    """Return how many steps a writer had acknowledged when it was killed."""
    child, pipe = start(lambda end: acknowledging(path, end))
    time.sleep(after)
    kill(child)
    return len(finish(child, pipe))


def test_a_killed_writer_leaves_no_lock(tmp_path: Path, journal: str) -> None:
    path = tmp_path / f"{journal}.db"
    write_all(path)

    def hold(pipe: int) -> None:
        with SqliteRepository(path) as repository, repository._writing():
            repository._cursor.execute("DELETE FROM org_billing_usage_monthly")
            os.write(pipe, b".")
            signal.pause()

    child, pipe = start(hold)
    assert os.read(pipe, 1) == b"."
    kill(child)
    finish(child, pipe)
    with SqliteRepository(path, timeout=0) as repository:
        close(repository, statement(org_name(0)), NOW)
        assert repository.verify() > 0
