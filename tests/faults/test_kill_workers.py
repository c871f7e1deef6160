"""Eight processes that use, change, close and correct, and are killed: nothing is lost or half."""

from __future__ import annotations

import random
from pathlib import Path
from time import sleep
from typing import Final

from . import workers
from .children import finish, kill, start
from .effort import times

WORKERS: Final = 8
KILLS: Final = times(2 * WORKERS, 500)  # with each kind of journal
LONGEST: Final = 0.08  # seconds between two kills


def test_workers_that_are_killed_leave_all_that_they_were_told_and_nothing_half(
    tmp_path: Path, journal: str
) -> None:
    chance = random.Random(journal)
    for number in range(-(-KILLS // (2 * WORKERS))):
        path = tmp_path / f"{number}.db"
        workers.make(path)
        told = workers.Told()
        for _ in range(2):  # they meet what those before them left half done
            for written in killed(path, number, chance):
                told.note(written)
            workers.check(path, told)
        workers.finish_up(path)
        workers.check(path, told)
        path.unlink()


def killed(path: Path, number: int, chance: random.Random) -> list[bytes]:
    """Let workers work, kill one after the other, and return what each was told is done."""
    names = [f"{number}.{chance.random()}.{i}" for i in range(WORKERS)]
    children = [
        start(lambda pipe, name=name: workers.Worker(path, name, pipe).work())  # type: ignore[misc]
        for name in names
    ]
    sleep(chance.uniform(0.1, 0.5))
    for child, _ in chance.sample(children, WORKERS):
        sleep(chance.uniform(0, LONGEST))
        kill(child)
    return [finish(*child) for child in children]
