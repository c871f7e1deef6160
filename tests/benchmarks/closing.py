"""Measure closing the month of many orgs in SQLite, and print one table.

    python -m tests.benchmarks.closing

Each org has three flat metrics and an event of each. In the first workload hardly any is over its
limit, in the second one all are. The base writes the same rows (closings, ends of chains, records
and counters), worked out before, in one transaction: what no closing can do without. It is compared
by the processor's time, as a disk is waited for alike.
"""

import argparse
import gc
import platform
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from tests.benchmarks.storage import connected, folder

from overages import Account, Allowance, OverageService, Period, PerUnit, Plan, UsageEvent
from overages._ground.display import text_table
from overages.adapters.sqlite import SqliteRepository

MONTH: Final = Period.month(2025, 1)
NOW: Final = datetime(2025, 2, 2, tzinfo=UTC)
PLAN: Final = Plan(
    "starter",
    "USD",
    {
        "tokens": Allowance(500_000, PerUnit("0.0001")),
        "runs": Allowance(50, PerUnit(1)),
        "seats": Allowance(3, PerUnit(15)),
    },
)
WITHIN: Final = {"tokens": 140_000, "runs": 20, "seats": 2}
OVER: Final = {"tokens": 750_000, "runs": 75, "seats": 5}
TABLES: Final = ("overages", "chain_heads", "usage_monthly", "closings")


def make(path: Path, orgs: int, over: int) -> None:
    """Make a database of orgs, of which one in so many is over its limits."""
    step = (MONTH.end - MONTH.start) / orgs
    events = [
        UsageEvent(f"org-{i:06d}", metric, units, MONTH.start + i * step)
        for i in range(orgs)
        for metric, units in (OVER if i % over == 0 else WITHIN).items()
    ]
    with SqliteRepository(path) as repository:
        repository.put_plan(PLAN)
        with repository.transaction():
            for i in range(orgs):
                repository.put_account(Account(f"org-{i:06d}", PLAN.slug, MONTH.start))
        repository.add_events(events)


def close_all(path: Path) -> tuple[float, dict[str, list[Any]]]:
    """Close the month of all orgs; return the seconds of CPU, and the rows that were written."""
    with SqliteRepository(path) as repository:
        service = OverageService(repository, clock=lambda: NOW)
        gc.collect()
        start = process_time()
        ended = service.close_ended()
        taken = process_time() - start
    if any(each.error for each in ended):
        raise RuntimeError("a period couldn't be closed")
    with closing(connected(path)) as connection:
        return taken, {
            name: connection.execute(f"SELECT * FROM org_billing_{name}").fetchall()
            for name in TABLES
        }


def write_same_rows(path: Path, rows: dict[str, list[Any]]) -> float:
    """Write what a closing of all orgs wrote; return the seconds of CPU."""
    with closing(connected(path)) as connection:
        gc.collect()
        start = process_time()
        connection.execute("BEGIN IMMEDIATE")
        for name, written in rows.items():
            if written:
                marks = ", ".join("?" * len(written[0]))
                connection.executemany(f"INSERT INTO org_billing_{name} VALUES ({marks})", written)
        connection.execute("COMMIT")
        return process_time() - start


def verify_all(path: Path) -> float:
    """Return the seconds of CPU that it takes to verify all orgs."""
    with SqliteRepository(path) as repository:
        start = process_time()
        repository.verify()
        return process_time() - start


def closing_of(name: str, orgs: int, over: int, rounds: int, target: str) -> list[list[str]]:
    """Return rows of the table for the closing of some orgs."""
    with folder() as directory:
        made, path = directory / "made.db", directory / "overages.db"
        make(made, orgs, over)
        fresh: Callable[[], object] = lambda: path.write_bytes(made.read_bytes())  # noqa: E731
        ours, same, verified = [], [], []
        for _ in range(rounds):
            fresh()
            taken, rows = close_all(path)
            verified.append(verify_all(path))
            ours.append(taken)
            fresh()
            same.append(write_same_rows(path, rows))
    ratio = median(a / b for a, b in zip(ours, same, strict=True))
    cells = [f"{median(each) / orgs * 1e6:.0f}" for each in (same, ours, verified)]
    return [
        [name, "", "", ""],
        ["sqlite3, the same rows", cells[0], "1.00", ""],
        ["- close_ended", cells[1], f"{ratio:.1f}", target],
        ["- verify", cells[2], "", ""],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only show that all of it runs")
    quick = parser.parse_args().quick
    orgs, rounds = (200, 1) if quick else (20_000, 5)
    rows = [
        ["an org", "us", "ratio", "at most"],
        *closing_of("closing a month, hardly any overage", orgs, 10_000, rounds, "15"),
        *closing_of("closing a month, all lines are over", orgs, 1, rounds, "10"),
    ]
    if quick:  # so few rows tell nothing of many
        print("all of it runs")
        return
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    print(f"{orgs:,} orgs, {rounds} rounds")
    print(text_table(rows, "lrrr"))


if __name__ == "__main__":
    main()
