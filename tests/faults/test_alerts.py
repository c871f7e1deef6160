"""Alerts of many processes that report the same usage, and of some that are killed: none is lost,
none fires twice, and none without the usage that it is of.
"""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from time import sleep
from typing import Final

import pytest

from overages import Account, Alert, Allowance, Money, OverageService, PerUnit, Plan, Threshold
from overages.adapters.sqlite import SqliteRepository
from overages.alerts.alert import usual_alerts
from overages.usage.event import UsageEvent

from .bills import NOW, PERIOD, contents
from .children import finish, kill, results, start
from .effort import times

EVENTS: Final = times(60, 400)
INCLUDED: Final = EVENTS // 2
ORG: Final = "acme"
ALERTS: Final = (
    *usual_alerts("runs"),
    Alert("spend", Threshold(cost=Money.of("5", "USD"), repeat=True)),
)
REPORTED: Final = [UsageEvent(ORG, "runs", 1, PERIOD.start, f"evt-{i}") for i in range(EVENTS)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.db"
    with SqliteRepository(path) as repository:
        repository.put_plan(Plan("starter", "USD", {"runs": Allowance(INCLUDED, PerUnit("1"))}))
        repository.put_account(Account(ORG, plan="starter", since=PERIOD.start))
        for alert in ALERTS:
            repository.put_alert(alert, put_at=PERIOD.start)
    return path


def report(path: Path, worker: int) -> int:
    """Report all events in an order of one's own, in batches of any size; return how many are new.

    The others report the same ones.
    """
    chance = random.Random(worker)
    events = chance.sample(REPORTED, len(REPORTED))
    new = 0
    with SqliteRepository(path, timeout=60) as repository:
        service = OverageService(repository, clock=lambda: NOW)
        while events:
            size = chance.randint(1, 9)
            new += service.record_usage(events[:size])
            del events[:size]
    return new


def report_to_nobody(path: Path, worker: int, pipe: int) -> None:
    """Report all events until one is killed."""
    del pipe
    report(path, worker)


def check(path: Path) -> None:
    """Check that each threshold that the usage has reached fired once, and no other did."""
    with SqliteRepository(path) as repository:
        used = repository.usage(ORG, PERIOD).quantities.get("runs", 0)
        fired = [
            (each.definition.alert.id, each.step, each.state)
            for each in repository.fired_alerts(ORG)
        ]
    expected = [
        (f"runs-{percent}", 1, "reached")
        for percent in (80, 90, 100)
        if 100 * used >= percent * INCLUDED
    ]
    steps = int(used - INCLUDED) // 5 if used > INCLUDED else 0
    expected += [("spend", step, "reached") for step in range(1, steps + 1)]
    assert sorted(fired) == sorted(expected)
    contents(path)


def test_two_processes_that_report_the_same_usage_fire_each_alert_once(path: Path) -> None:
    assert sum(results([partial(report, path, worker) for worker in range(2)])) == EVENTS
    check(path)


def test_a_process_that_is_killed_leaves_no_alert_without_its_usage_nor_the_reverse(
    path: Path,
) -> None:
    chance = random.Random(1)
    for worker in range(times(6, 60)):
        child, pipe = start(partial(report_to_nobody, path, worker))
        sleep(chance.random() / 5)
        kill(child)
        finish(child, pipe)
        check(path)
    report(path, 0)
    check(path)
