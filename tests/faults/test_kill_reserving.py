"""Eight processes that reserve one unit at a time, and are killed: exactly the limit is granted."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Final, TypeVar

import pytest

from overages import Account, Allowance, OverageService, Period, PerUnit, Plan
from overages.adapters.sqlite import SqliteRepository
from overages.errors import QuotaExceeded, StorageBusy

from .children import finish, kill, start
from .effort import times

T = TypeVar("T")

ORG: Final = "acme"
FEBRUARY: Final = Period.month(2024, 2)
NOW: Final = datetime(2024, 2, 20, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
WORKERS: Final = 8
LIMIT: Final = times(120, 10_000)
KILLS: Final = times(8, 400)
LONGEST: Final = 0.04  # seconds between two kills
PLAN: Final = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"), hard_limit=LIMIT)})


@pytest.mark.usefixtures("no_waiting")  # for the disk: who is killed loses no write to it
def test_of_workers_that_are_killed_exactly_the_limit_is_held_or_used(tmp_path: Path) -> None:
    path, chance = tmp_path / "quota.db", random.Random(14)
    with SqliteRepository(path) as repository:
        repository.put_plan(PLAN)
        repository.put_account(Account(ORG, "starter", since=FEBRUARY.start))
    told = _work(path, "before", NOW, chance, kills=KILLS)
    _check(path, NOW, told)
    with SqliteRepository(path) as repository:
        assert repository.held_units(ORG, FEBRUARY, NOW), "some were left behind"
        assert repository.held_units(ORG, FEBRUARY, NOW + HOUR) == {}
    told += _work(path, "after", NOW + HOUR, chance, kills=0)  # all that was left behind expired
    _check(path, NOW + HOUR, told)


def _work(path: Path, name: str, now: datetime, chance: random.Random, kills: int) -> list[str]:
    """Let workers take all that is left, kill some of them, and return all that they were told."""
    ran, running = [], [_start(path, f"{name}-{i}", now) for i in range(WORKERS)]
    for number in range(kills):
        sleep(chance.uniform(0, LONGEST))
        killed = running.pop(chance.randrange(WORKERS))
        kill(killed[0])
        ran.append(killed)
        running.append(_start(path, f"{name}-{WORKERS + number}", now))
    written = b"".join(finish(*child) for child in (*ran, *running)).decode()
    # A worker that is killed as it writes leaves half a line.
    return [line for line in written.splitlines() if line.count(" ") == 2]


def _start(path: Path, name: str, now: datetime) -> tuple[int, int]:
    return start(lambda pipe: _reserve_until_denied(path, name, now, pipe))


def _reserve_until_denied(path: Path, name: str, now: datetime, pipe: int) -> None:
    """Reserve one unit after another, and use most of them, until there is none left."""
    chance, number = random.Random(name), 0
    with SqliteRepository(path, timeout=0) as repository:  # which asks again as `_patiently` does
        service = OverageService(repository, clock=lambda: now)
        while True:
            key, number = f"{name}-{number}", number + 1
            try:
                _patiently(
                    lambda: service.reserve(ORG, {"runs": 1}, key=key, expires_at=now + HOUR)  # noqa: B023
                )
            except QuotaExceeded:
                return
            os.write(pipe, f"held {key} .\n".encode())
            what = chance.random()
            if what < 0.8:
                _patiently(lambda: service.commit(ORG, key))  # noqa: B023
                os.write(pipe, f"committed {key} .\n".encode())
            elif what < 0.9:
                _patiently(lambda: service.release(ORG, key))  # noqa: B023
                os.write(pipe, f"released {key} .\n".encode())


def _patiently(call: Callable[[], T]) -> T:
    while True:
        try:
            return call()
        except StorageBusy:
            sleep(0.001)


def _check(path: Path, now: datetime, told: list[str]) -> None:
    """Check that the limit is granted, none of it twice, and all that workers were told is so."""
    with SqliteRepository(path) as repository:
        reservations = {each.key: each for each in repository.reservations(ORG)}
        states = Counter(each.state_at(now) for each in reservations.values())
        used = repository.usage(ORG, FEBRUARY).quantities["runs"]
        held = repository.held_units(ORG, FEBRUARY, now).get("runs", 0)
        events = Counter(each.id for each in repository.events(ORG, FEBRUARY))
        service = OverageService(repository, clock=lambda: now)
        assert service.decide(ORG, {"runs": 1}).verdict == "deny"
        assert repository.verify() == 0
    assert (used, held) == (states["committed"], states["held"])
    assert used + held == LIMIT
    committed = {each.event_id("runs") for each in reservations.values() if each.used}
    assert events.keys() == committed
    assert set(events.values()) == {1}
    for line in told:
        what, key, _ = line.split(" ")
        assert key in reservations
        if what != "held":
            assert reservations[key].outcome == what
