"""Many processes and threads on one file: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import sleep
from typing import Final, TypeVar

import pytest

from overages import Account, calculate
from overages.adapters.sqlite import SqliteRepository
from overages.errors import RecordConflict, StorageBusy
from overages.service.overage_service import OverageService
from tests.since import SINCE

from .bills import LATER, NOW, PERIOD, PLAN, contents, events, org_name, statement
from .children import results
from .effort import times

T = TypeVar("T")

WORKERS: Final = 8
ORGS: Final = 6
ROUNDS: Final = times(2, 25)
EVENTS: Final = 5  # of an org in a round
LINES: Final = 3  # of a statement

Tally = tuple[int, int, int]
"""How many events and records a worker has added, and how often the database was busy."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "bills.db"
    with SqliteRepository(found) as repository:
        repository.put_plan(PLAN)
        for i in range(ORGS):
            repository.put_account(Account(org_name(i), plan=PLAN.slug, since=SINCE))
    return found


def work(repository: SqliteRepository, worker: int) -> Tally:
    """Report the events that all others report too, and record what they come to."""
    chance = random.Random(worker)
    service = OverageService(repository, clock=lambda: NOW)
    new_events = new_records = busy = 0

    def patiently(call: Callable[[], T]) -> T:
        nonlocal busy
        while True:
            try:
                return call()
            except (StorageBusy, RecordConflict) as error:
                busy += isinstance(error, StorageBusy)
                sleep(chance.random() / 50)

    for i in range(ROUNDS):
        for org in chance.sample(range(ORGS), ORGS - 1):
            reported = events(org_name(org), i * EVENTS, (i + 1) * EVENTS)
            new_events += patiently(partial(repository.add_events, reported))
            patiently(partial(service.recalculate, org_name(org), period=PERIOD))
        same = [statement(org_name(org), 4, LATER) for org in chance.sample(range(ORGS), ORGS - 1)]
        made = patiently(partial(repository.record_many, same, created_at=NOW))
        new_records += sum(len(recording.new) for recording in made)
    return new_events, new_records, busy


def check(path: Path, tallies: list[Tally]) -> None:
    """Check that a database holds what the workers have added, each once."""
    with SqliteRepository(path) as repository:
        orgs = [org for org in map(org_name, range(ORGS)) if repository.events(org, PERIOD)]
        known = {org: list(repository.events(org, PERIOD)) for org in orgs}
        assert sum(len(found) for found in known.values()) == sum(tally[0] for tally in tallies)
        later = [record for org in orgs for record in repository.records(org, LATER)]
        assert len(later) == sum(tally[1] for tally in tallies)
        records = 0
        for org, found in known.items():
            assert {event.id for event in found} == {f"event-{i}" for i in range(len(found))}
            used = repository.usage(org, PERIOD)
            assert used.quantities == {"runs": sum(event.quantity for event in found)}
            assert repository.summary(org, PERIOD) == calculate(PLAN, used).summary()
            assert repository.summary(org, LATER) == statement(org, 4, LATER).summary()
            assert repository.overage(org, PERIOD) == repository.summary(org, PERIOD)
            records += len(repository.records(org))
        assert repository.verify() == records
    contents(path)


def in_own_repository(path: Path, worker: int, timeout: int) -> Tally:
    while True:
        try:
            repository = SqliteRepository(path, timeout=timeout)
        except StorageBusy:
            sleep(0.001)
            continue
        with repository:
            return work(repository, worker)


@pytest.mark.parametrize("timeout", [60, 0])
def test_eight_processes_lose_nothing_and_count_nothing_twice(path: Path, timeout: int) -> None:
    works = [partial(in_own_repository, path, w, timeout) for w in range(WORKERS)]
    tallies = results(works)
    check(path, tallies)
    assert timeout == 0 or not any(tally[2] for tally in tallies)


@pytest.mark.parametrize("timeout", [60, 0])
def test_eight_threads_with_repositories_of_their_own_lose_nothing(
    path: Path, timeout: int
) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        check(path, list(pool.map(lambda w: in_own_repository(path, w, timeout), range(WORKERS))))


def test_eight_threads_with_one_repository_lose_nothing(path: Path) -> None:
    with SqliteRepository(path, timeout=0) as repository, ThreadPoolExecutor(WORKERS) as pool:
        tallies = list(pool.map(lambda w: work(repository, w), range(WORKERS)))
    assert not any(tally[2] for tally in tallies)
    check(path, tallies)


def test_processes_that_make_the_same_file_at_the_same_time_make_it_once(tmp_path: Path) -> None:
    for i in range(times(2, 100)):
        path = tmp_path / f"{i}.db"

        def made(path: Path = path) -> int:
            with SqliteRepository(path, timeout=60) as repository:
                return repository.verify()

        assert results([made] * WORKERS) == [0] * WORKERS
        contents(path)
