"""Sums of events in SQLite: of the hours and days that are crowded, whatever came with what."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

import pytest
from tests.in_memory import in_memory

from overages import MemoryRepository, Period, UsageEvent
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.sums import CROWD

THIRD: Final = datetime(2024, 2, 3, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
FEB: Final = Period.month(2024, 2)
LAST: Final = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
ALWAYS: Final = Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
EVENTS: Final = "number, org_id, event_id, metric_type, quantity, at, counts_at, dimensions"


def event(id: str, quantity: int = 1, at: datetime = THIRD, metric: str = "tokens") -> UsageEvent:
    return UsageEvent("org-1", metric, quantity, at, id)


def crowd(name: str, at: datetime = THIRD, count: int = CROWD, step: int = 0) -> list[UsageEvent]:
    """Return as many events, so many minutes apart."""
    return [event(f"{name}{n}", 1, at + n * timedelta(minutes=step)) for n in range(count)]


def stretches(in_memory: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """Return the stretches that have a sum, and how many events are in each."""
    sql = "SELECT unit, substr(start, 6, 8), events FROM org_billing_usage_sums ORDER BY 1, 2"
    return in_memory.execute(sql).fetchall()


def test_few_events_have_no_sums(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    repository.add_events(crowd("a", count=CROWD - 1))
    assert stretches(in_memory) == []
    assert repository.event_sums("org-1", FEB)["tokens"].events == CROWD - 1


def test_a_crowd_has_a_sum_of_its_hour_and_its_day(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    repository.add_events(crowd("a", count=CROWD - 1))
    repository.add_events([event("b", 9), event("c", 5, metric="runs")])
    assert stretches(in_memory) == [("day", "02-03T00", CROWD), ("hour", "02-03T00", CROWD)]
    repository.add_events([event("d", 4)])
    assert stretches(in_memory) == [("day", "02-03T00", CROWD + 1), ("hour", "02-03T00", CROWD + 1)]
    sums = repository.event_sums("org-1", FEB)["tokens"]
    assert (sums.events, sums.picos, sums.largest) == (CROWD + 1, (CROWD + 12) * 10**12, 9 * 10**12)
    assert repository.verify() == 0


def test_a_day_can_be_crowded_whose_hours_are_not(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    repository.add_events(crowd("a", step=60))
    assert stretches(in_memory) == [("day", "02-03T00", CROWD)]
    repository.add_events(crowd("b", THIRD + 2 * HOUR))
    assert stretches(in_memory) == [("day", "02-03T00", 2 * CROWD), ("hour", "02-03T02", CROWD + 1)]
    morning = Period(THIRD, THIRD + 3 * HOUR)
    assert repository.event_sums("org-1", morning)["tokens"].events == CROWD + 3


def test_a_crowd_that_is_withdrawn_has_a_sum_of_nothing(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    repository.add_events([*crowd("a"), *crowd("b", THIRD + HOUR), event("c", metric="runs")])
    repository.withdraw("org-1", "b7", withdrawn_at=THIRD)
    assert stretches(in_memory) == [
        ("day", "02-03T00", 2 * CROWD - 1),
        ("hour", "02-03T00", CROWD),
        ("hour", "02-03T01", CROWD - 1),
    ]
    ids = [f"{name}{n}" for name in "ab" for n in range(CROWD)]
    assert repository.withdraw_many("org-1", ids, withdrawn_at=THIRD) == 2 * CROWD - 1
    assert [events for *_, events in stretches(in_memory)] == [0, 0, 0]
    assert list(repository.event_sums("org-1", FEB)) == ["runs"]
    assert repository.verify() == 0
    repository.add_events([event("d", -5)])
    assert [events for *_, events in stretches(in_memory)] == [1, 1, 0]
    sums = repository.event_sums("org-1", FEB)["tokens"]
    assert sums == (1, -5 * 10**12, -5 * 10**12, (THIRD, "d", -5 * 10**12))
    assert repository.verify() == 0


def test_sums_follow_on_each_other_without_asking_between_them(
    in_memory: sqlite3.Connection,
) -> None:
    repository = SqliteRepository.join(in_memory)
    repository.add_events([*crowd("a"), *crowd("b", THIRD + 24 * HOUR), *crowd("c", LAST)])
    queries: list[str] = []
    in_memory.set_trace_callback(queries.append)
    two_days = Period(THIRD, THIRD + 48 * HOUR)
    assert (
        repository.event_sums("org-1", two_days, metrics=["tokens"])["tokens"].events == 2 * CROWD
    )
    assert not [sql for sql in queries if "FROM org_billing_usage_events" in sql]
    assert repository.event_sums("org-1", ALWAYS)["tokens"].events == 3 * CROWD


def drawn_events(seed: int) -> list[tuple[UsageEvent, datetime]]:
    """Return events of some orgs and names, crowded here and there, each with when it counts."""
    draw, counted = Random(seed), []
    for n in range(300):
        at = THIRD + draw.choice([0, 1, 24, 25, 120]) * HOUR + timedelta(seconds=draw.randrange(9))
        late = timedelta(0) if draw.random() < 0.9 else draw.randrange(50) * HOUR
        org_id, metric = draw.choice(["org-1", "org-1", "org-2"]), draw.choice(["a", "a", "b"])
        quantity, event_id = draw.randrange(-3, 9), None if n % 7 == 0 else f"e{n}"
        counted.append((UsageEvent(org_id, metric, quantity, at, event_id), at + late))
    return counted


def filled(
    repository: SqliteRepository | MemoryRepository,
    counted: Sequence[tuple[UsageEvent, datetime]],
    size: int,
) -> None:
    """Add events so many at once, and withdraw some of them."""
    instants = {id(used): at for used, at in counted}
    events = [used for used, _ in counted]
    for first in range(0, len(events), size):
        part = events[first : first + size]
        repository.add_events(part, lambda used: instants[id(used)], batch="a.csv")
    for org_id in ("org-1", "org-2"):
        ids = [each.id for each in events[::3] if each.org_id == org_id and each.id is not None]
        for first in range(0, len(ids), size):
            repository.withdraw_many(org_id, ids[first : first + size], withdrawn_at=THIRD)


@pytest.mark.parametrize("size", [1, 7, 150])
def test_the_database_does_not_depend_on_how_many_came_at_once(size: int) -> None:
    counted = drawn_events(1)
    with in_memory() as at_once, in_memory() as repository:
        filled(at_once, counted, len(counted))
        filled(repository, counted, size)
        dumps = [list(each._database._connection.iterdump()) for each in (at_once, repository)]
        assert dumps[0] == dumps[1]
        for org_id in ("org-1", "org-2"):
            repository.remake_sums(org_id)
        assert list(repository._database._connection.iterdump()) == dumps[0]
        assert any("org_billing_usage_sums" in line and "INSERT" in line for line in dumps[0])
        assert repository.verify() == 0


@pytest.mark.parametrize("seed", range(5))
def test_sums_are_those_that_a_repository_in_memory_has(seed: int) -> None:
    memory, counted, draw = MemoryRepository(), drawn_events(seed), Random(seed)
    with in_memory() as repository:
        filled(repository, counted, 40)
        filled(memory, counted, 40)
        for _ in range(60):
            start = THIRD + timedelta(seconds=draw.randrange(-9_000, 600_000, 600))
            period = Period(start, start + timedelta(seconds=draw.randrange(600, 600_000, 600)))
            for org_id, names in (("org-1", None), ("org-1", ["b"]), ("org-2", ["b", "a", "c"])):
                sums = [
                    each.event_sums(org_id, period, metrics=names) for each in (memory, repository)
                ]
                assert sums[0] == sums[1]
                events = [
                    list(each.events(org_id, period, metrics=names))
                    for each in (memory, repository)
                ]
                assert events[0] == events[1]
        assert repository.verify() == 0
