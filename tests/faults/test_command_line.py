"""Commands that are killed, interrupted, or find the disk full at any moment: the same bill."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from overages.adapters.sqlite import SqliteRepository
from overages.commands.parser import main

from .children import finish, result, results, start
from .effort import THOROUGH, times

ORGS = 12
STEP = times(49_152, 4096)
PLANS = """
[plans.p]
currency = "USD"
allowances.tokens = { included = 5, price = { model = "per_unit", price = 1 }, carry_over = {} }
"""
ACCOUNT = '[accounts.org-{:02}]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
HEADER = "org_id,metric,quantity,timestamp\n"
COMMANDS = [
    ["apply", "--plans", "plans.toml"],
    ["ingest", "first.csv"],
    ["close", "--until", "2024-02-01"],
    ["ingest", "second.csv"],
    ["close", "--until", "2024-03-01"],
]
RECORDED = ["org_id", "period", "line", "quantity", "cost", "revision", "digest"]


class Bill(NamedTuple):
    """All that was recorded, and what can be read of how it came about."""

    records: list[tuple[object, ...]]
    closed: dict[str, int]
    used: dict[str, list[object]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with plans and two months of usage: the second has equal rows, and takes back."""
    return files_in(tmp_path / "files")


def files_in(path: Path) -> Path:
    path.mkdir()
    (path / "plans.toml").write_text(PLANS + "".join(map(ACCOUNT.format, range(ORGS))))
    for month, name in enumerate(("first.csv", "second.csv"), 1):
        rows = [
            f"org-{n:02},tokens,{1 + n % 3},2024-{month:02}-{day:02}T00:00:00Z\n"
            for day in (3, 9, 9, 21)
            for n in range(ORGS)
        ]
        (path / name).write_text(HEADER + "".join(rows))
    return path


def month(folder: Path, told: Callable[[], object] = lambda: None) -> list[int]:
    """Run all commands, up to the first one that fails; return their exit statuses."""
    os.chdir(folder)
    statuses = []
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: SIM117
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            for command in COMMANDS:
                statuses.append(main([*command, "--db", "b.db"]))
                if statuses[-1]:
                    break
                told()
    return statuses


def bill(folder: Path) -> Bill:
    """Return what the database says; it must be sound."""
    with SqliteRepository(folder / "b.db") as repository:
        repository.verify()
        orgs = list(repository.orgs())
        return Bill(
            [
                tuple(str(getattr(record, name)) for name in RECORDED)
                for org_id in orgs
                for record in repository.records(org_id)
            ],
            {org_id: len(repository.closed_periods(org_id)) for org_id in orgs},
            {
                org_id: [
                    (event.id, counts_at)
                    for name in ("first.csv", "second.csv")
                    for event, counts_at in repository.batch_events(org_id, name)
                ]
                for org_id in orgs
            },
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bill:
    """The bill of commands that nothing disturbs."""
    folder = files_in(tmp_path_factory.mktemp("undisturbed") / "files")
    assert result(partial(month, folder)) == [0] * len(COMMANDS)
    found = bill(folder)
    assert set(found.closed.values()) == {2}
    assert len(found.records) > ORGS
    assert sum(map(len, found.used.values())) == 8 * ORGS
    return found


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.usefixtures("no_waiting")
def test_commands_that_are_ended_at_any_moment_are_just_run_again(
    folder: Path, whole: Bill, ended_by: signal.Signals
) -> None:
    started = time.perf_counter()
    assert result(partial(month, folder)) == [0] * len(COMMANDS)
    takes = (time.perf_counter() - started) / len(COMMANDS)
    (folder / "b.db").unlink()
    chance = random.Random(ended_by)
    found = set[int]()
    for number in range(times(6, 300)):
        awaited = number % len(COMMANDS)
        done = ended(folder, ended_by, awaited, after=chance.uniform(0, takes) if number else 0)
        assert done >= awaited
        found.add(done)
        assert result(partial(month, folder)) == [0] * len(COMMANDS)
        assert bill(folder) == whole
        for left in folder.glob("b.db*"):
            left.unlink()
    assert len(found) > 1  # or they were ended too early or too late


def ended(folder: Path, ended_by: signal.Signals, awaited: int, after: float) -> int:
    """Return how many commands were done when a process was ended.

    :param awaited: commands that it has done before the time goes by after which it is ended.
    """

    def work(pipe: int) -> None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        month(folder, lambda: os.write(pipe, b"."))

    child, pipe = start(work)
    done = sum(len(os.read(pipe, 1)) for _ in range(awaited))
    time.sleep(after)
    os.kill(child, ended_by)
    return done + len(finish(child, pipe))


@pytest.mark.usefixtures("no_waiting")
def test_commands_that_find_the_disk_full_are_just_run_again(folder: Path, whole: Bill) -> None:
    failed = 0
    for limit in range(0, 10_000_000, STEP):
        statuses = result(partial(within, limit, folder))
        assert statuses[-1] in (0, 1)
        assert result(partial(month, folder)) == [0] * len(COMMANDS)
        assert bill(folder) == whole
        (folder / "b.db").unlink()
        if statuses == [0] * len(COMMANDS):
            break
        failed += 1
    assert failed > (20 if THOROUGH else 3)


def within(limit: int, folder: Path) -> list[int]:
    """Run the commands while no file can grow beyond a limit."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, usual[1]))
    return month(folder)


@pytest.mark.parametrize("turn", range(times(1, 20)))
@pytest.mark.usefixtures("no_waiting")
def test_commands_that_run_at_the_same_time_count_and_bill_once(
    folder: Path, whole: Bill, turn: int
) -> None:
    processes = 2 + turn % 3
    statuses = results([partial(month, folder)] * processes)
    assert statuses == [[0] * len(COMMANDS)] * processes
    assert bill(folder) == whole
