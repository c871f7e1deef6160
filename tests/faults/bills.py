"""What the tests record, and how they look at a database without the repository's help."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from overages import (
    Alert,
    Allowance,
    Budget,
    Cycle,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Reservation,
    Statement,
    Threshold,
    Usage,
    UsageEvent,
    calculate,
)
from overages._ground.value import evolve
from overages.adapters.sqlite import SqliteRepository, connection as opening
from overages.alerts.alert import AlertDefinition
from overages.alerts.fired_alert import AlertState, FiredAlert

PERIOD: Final = Period.month(2024, 2)
LATER: Final = Period.month(2024, 3)
NOW: Final = datetime(2024, 3, 1, tzinfo=UTC)
PLAN: Final = Plan(
    slug="starter",
    currency="USD",
    allowances={
        "runs": Allowance(included=5, price=PerUnit("1.00")),
        "seats": Allowance(included=3, price=PerUnit("0.333")),
        "tokens": Allowance(included=1_000, price=PerUnit("0.0001", per=7)),
    },
)
GRANT: Final = Grant(
    "kept",
    Money.of("50.00", "USD"),
    metric="tokens",
    effective_at=PERIOD.start,
    recurrence=Cycle(PERIOD.start),
)
RESERVED: Final = Reservation(
    "org-000", "kept", {"runs": 2}, PERIOD, PERIOD.start, PERIOD.end, fingerprint="request"
)
REPORTED: Final = UsageEvent("org-000", "jobs", 5, PERIOD.start, "reported")
DEARER: Final = Plan(
    slug="starter",
    currency="USD",
    allowances={"runs": Allowance(included=5, price=PerUnit("2.00"))},
)

ALERT: Final = Alert("runs-80", Threshold(percent=80), metric="runs")

Contents = dict[str, list[tuple[object, ...]]]
"""All rows of a database by table."""


def usage(org_id: str, level: int = 1, period: Period = PERIOD) -> Usage:
    """Return usage that is over in all metrics, the more so the higher its level."""
    quantities = {"runs": 5 + level, "seats": 7 * level, "tokens": 1_000 + 333 * level}
    return Usage(org_id, period, quantities)


def statement(org_id: str, level: int = 1, period: Period = PERIOD) -> Statement:
    """Return what that usage comes to."""
    return calculate(PLAN, usage(org_id, level, period))


def statements(orgs: int, level: int = 1) -> list[Statement]:
    """Return a statement for each of some orgs."""
    return [statement(org_name(i), level) for i in range(orgs)]


def org_name(number: int) -> str:
    """Return the id of an org."""
    return f"org-{number:03}"


def fired(org_id: str, number: int = 1) -> FiredAlert:
    """Return an alert of an org that was reached, or cleared after that."""
    definition = AlertDefinition(ALERT, 1, NOW)
    state: AlertState = "cleared" if number == 2 else "reached"
    return FiredAlert(org_id, definition, PERIOD, state, NOW, number=number, used=5, limit=5)


def events(org_id: str, first: int, last: int) -> list[UsageEvent]:
    """Return events with ids of a range."""
    return [
        UsageEvent(org_id, "runs", 1 + i % 3, PERIOD.start + timedelta(minutes=i), f"event-{i}")
        for i in range(first, last)
    ]


def fill(path: Path, orgs: int = 4) -> None:
    """Make a database with two results for each of some orgs."""
    path.write_bytes(_filled(orgs, opening.wal_is_safe(sqlite3.sqlite_version_info)))


@cache
def _filled(orgs: int, is_wal: bool) -> bytes:
    """Return the file of such a database, which is the same for all tests with one journal."""
    del is_wal  # which is how the repository opens it
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bills.db"
        with SqliteRepository(path) as repository:
            repository.put_plan(PLAN)
            repository.record_many(statements(orgs), created_at=NOW)
            repository.record_many(statements(orgs, level=3), created_at=NOW)
            repository.put_grant(org_name(0), GRANT)
            repository.put_budget(org_name(0), Budget(Money(400, "USD")))
            repository.put_alert(ALERT, put_at=NOW)
            repository.add_alerts([fired(org_name(0))])
            repository.acknowledge_alert(org_name(0), fired(org_name(0)).key, acknowledged_at=NOW)
            repository.put_reservation(RESERVED)
            repository.put_reservation(evolve(RESERVED, key="kept too"))
            repository.add_events([REPORTED])
        return path.read_bytes()


def contents(path: Path) -> Contents:
    """Return all rows of a database, and check that SQLite finds it sound."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in sorted(names)
        }


def is_free(path: Path) -> bool:
    """Tell whether a database can be written to at once: nobody holds a lock."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("CREATE TABLE probe (x)")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True
