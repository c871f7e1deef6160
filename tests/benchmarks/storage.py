"""Measure the SQLite repository against bare `sqlite3`, and print one table.

    python -m tests.benchmarks.storage

Two loops are the base. "The same rows" writes, with the same transactions and the same durability,
just what the repository writes: records with their digests, chain heads and overage counters, all
worked out before. "Bare" is the least that a bill needs: an upsert of eight columns and a counter
that is there, without digests or history. Reads are compared with the shortest query for
the same rows, its sums in SQL.
"""

import argparse
import gc
import platform
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

from tests.benchmarks.quotas import Deciding
from tests.benchmarks.workloads import METRICS

from overages import (
    Account,
    Allowance,
    Metric,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    UsageEvent,
    calculate,
)
from overages._ground.display import text_table
from overages.adapters.sqlite import SqliteRepository, records as tables
from overages.adapters.sqlite.connection import wal_is_safe
from overages.adapters.sqlite.sums import SET_SUM
from overages.records.ledger import Ledger

NOW = datetime(2025, 5, 1, tzinfo=UTC)
PERIODS = [Period.month(2025, month) for month in (1, 2, 3, 4)]
PLAN = Plan(
    "starter", "USD", {metric: Allowance(1_000_000, PerUnit("0.0001")) for metric in METRICS}
)
BARE = """
CREATE TABLE overage (org TEXT NOT NULL, period TEXT NOT NULL, metric TEXT NOT NULL,
  used INTEGER NOT NULL, lim INTEGER NOT NULL, quantity INTEGER NOT NULL,
  price INTEGER NOT NULL, cost INTEGER NOT NULL,
  PRIMARY KEY (org, period, metric)) WITHOUT ROWID;
CREATE TABLE counter (org TEXT NOT NULL, period TEXT NOT NULL, metric TEXT NOT NULL,
  used INTEGER NOT NULL, billed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org, period, metric)) WITHOUT ROWID;
"""
UPSERT = (
    "INSERT INTO overage VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
    " used = excluded.used, lim = excluded.lim, quantity = excluded.quantity,"
    " price = excluded.price, cost = excluded.cost"
)
COUNT = "UPDATE counter SET billed = ? WHERE org = ? AND period = ? AND metric = ?"

Batches = Sequence[Sequence[Statement]]


def statements_of(orgs: int, period: Period) -> Iterator[Statement]:
    """Yield statements of which every line is over."""
    rng = random.Random(4)
    for i in range(orgs):
        used = {metric: rng.randrange(1_000_001, 5_000_000) for metric in METRICS}
        yield calculate(PLAN, Usage(f"org-{i:07d}", period, used))


def batches_of(statements: Sequence[Statement], size: int) -> Batches:
    return [statements[i : i + size] for i in range(0, len(statements), size)]


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@contextmanager
def repository_in(directory: Path, statements: Sequence[Statement]) -> Iterator[SqliteRepository]:
    """Give a repository that knows the plan and has the usage of statements."""
    with SqliteRepository(directory / "overages.db") as repository:
        with repository.transaction():
            repository.put_plan(PLAN)
            for each in statements:
                used = {line.metric: line.used for line in each.overages}
                repository.put_usage(Usage(each.org_id, each.period, used))
        yield repository


def record(batches: Batches) -> float:
    """Record through the repository; return the seconds that it took."""
    with folder() as directory:
        everything = [statement for batch in batches for statement in batch]
        with repository_in(directory, everything) as repository:
            start = perf_counter()
            for batch in batches:
                repository.record_many(batch, created_at=NOW)
            return perf_counter() - start


def write_same_rows(batches: Batches) -> float:
    """Write what the repository would, worked out before; return the seconds that it took."""
    prepared = [[ledger_of(statement) for statement in batch] for batch in batches]
    rows = [
        (
            [row for ledger in ledgers for row in ledger.new],
            [(ledger.org_id, ledger.head.sequence, ledger.head.digest) for ledger in ledgers],
            [row for ledger in ledgers for row in ledger.counters],
        )
        for ledgers in prepared
    ]
    with folder() as directory:
        everything = [statement for batch in batches for statement in batch]
        with repository_in(directory, everything):
            pass
        with closing(connected(directory / "overages.db")) as connection:
            start = perf_counter()
            for records, heads, due in rows:
                connection.execute("BEGIN IMMEDIATE")
                insert(connection, tables.INSERT_RECORD, records)
                insert(connection, tables.SET_HEAD, heads, tables.OTHER_HEAD)
                insert(connection, tables.SET_OVERAGE, due, tables.OTHER_OVERAGE)
                connection.execute("COMMIT")
            return perf_counter() - start


def insert(
    connection: sqlite3.Connection,
    into: str,
    rows: Sequence[tuple[object, ...]],
    otherwise: str = "",
) -> None:
    if rows:
        values = ", ".join("?" * len(rows[0]))
        connection.executemany(f"{into} ({values}) {otherwise}", rows)


def write_bare(batches: Batches) -> float:
    """Write the least that a bill needs; return the seconds that it took."""
    rows = [
        [
            (each.org_id, "2025-01", line.metric, line.used, line.limit, line.quantity, 100_000,
             line.cost.minor)
            for each in batch
            for line in each.overages
        ]
        for batch in batches
    ]  # fmt: skip
    with folder() as directory, closing(connected(directory / "bare.db")) as connection:
        for statement in BARE.split(";"):
            connection.execute(statement)
        connection.execute("BEGIN")
        counters = [(row[0], row[1], row[2], row[3]) for batch in rows for row in batch]
        connection.executemany("INSERT INTO counter VALUES (?, ?, ?, ?, 0)", counters)
        connection.execute("COMMIT")
        start = perf_counter()
        for batch in rows:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(UPSERT, batch)
            connection.executemany(COUNT, [(row[5], row[0], row[1], row[2]) for row in batch])
            connection.execute("COMMIT")
        return perf_counter() - start


def ledger_of(statement: Statement) -> Ledger:
    ledger = Ledger(statement.org_id)
    ledger.add(statement, plan_version=1, created_at=NOW)
    return ledger


def connected(path: Path) -> sqlite3.Connection:
    """Open a database as the repository does."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = EXTRA")
    journal = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "DELETE"
    connection.execute(f"PRAGMA journal_mode = {journal}")
    return connection


def writing(orgs: int, size: int, rounds: int, targets: Sequence[str]) -> list[list[str]]:
    """Return rows of the table for recording in batches of some statements."""
    batches = batches_of(list(statements_of(orgs, PERIODS[0])), size)
    calls: dict[str, Callable[[Batches], float]] = {
        "sqlite3, the same rows": write_same_rows,
        "sqlite3, bare": write_bare,
        "- record_many": record,
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            gc.collect()
            times[name].append(call(batches))
    count = orgs * len(METRICS)
    same, bare, ours = times.values()
    ratios = [
        f"{median(a / b for a, b in zip(ours, base, strict=True)):.2f}" for base in (same, bare)
    ]
    what = f"recording, {size * len(METRICS):,} records a transaction"
    cells = [[name, f"{median(taken) / count * 1e6:.1f}"] for name, taken in times.items()]
    return [
        [what, "", "", ""],
        [*cells[0], "1.00", ""],
        [*cells[1], "", ""],
        [*cells[2], ratios[0], targets[0]],
        ["  the same, to bare", "", ratios[1], targets[1]],
    ]


def reading(orgs: int, lookups: int) -> list[list[str]]:
    """Return rows of the table for the summary of one org among many, and for verifying all."""
    with folder() as directory, SqliteRepository(directory / "overages.db") as repository:
        repository.put_plan(PLAN)
        for period in PERIODS:
            for batch in batches_of(list(statements_of(orgs, period)), 2_000):
                repository.record_many(batch, created_at=NOW)
        count = orgs * len(METRICS) * len(PERIODS)
        query = (
            "SELECT metric_type, COUNT(*), SUM(amount), SUM(cost) FROM org_billing_overages"
            " WHERE org_id = ? GROUP BY metric_type"
        )
        rng = random.Random(5)
        wanted = [f"org-{rng.randrange(orgs):07d}" for _ in range(lookups)]
        raw: list[float] = []
        ours: list[float] = []
        with closing(connected(directory / "overages.db")) as connection:
            calls: list[tuple[list[float], Callable[[str], object]]] = [
                (raw, lambda org_id: connection.execute(query, (org_id,)).fetchall()),
                (ours, repository.summary),
            ]
            for org_id in wanted:
                for times, call in calls:
                    start = perf_counter()
                    call(org_id)
                    times.append(perf_counter() - start)
                calls.reverse()  # whoever comes first finds the pages cold
        start = perf_counter()
        verified = repository.verify()
        taken = perf_counter() - start
        if verified != count:
            raise RuntimeError(f"{verified} of {count} records")
    rows = [[f"one org of {orgs:,}, among {count:,} records", "", "", ""]]
    for name, share, target in (("p50", 0.50, "2"), ("p99", 0.99, "3")):
        bare, mine = (sorted(times)[int(len(times) * share)] for times in (raw, ours))
        rows.append([f"sqlite3, sums in SQL, {name}", f"{bare * 1e6:.1f}", "1.00", ""])
        rows.append([f"- summary, {name}", f"{mine * 1e6:.1f}", f"{mine / bare:.2f}", target])
    rows.append(
        [f"verify, {count / taken:,.0f} records a second", f"{taken / count * 1e6:.1f}", "", ""]
    )
    return rows


# Usage

USED_IN: Final = PERIODS[0]
SERVED = Plan(
    "served", "USD", {name: Allowance(0, PerUnit(1)) for name in ("tokens", "peak", "users")}
)
SERVICE_METRICS = (Metric("peak", "max"), Metric("users", "unique", distinct="user"))


def events_of(metric: str, count: int, orgs: int = 1) -> list[UsageEvent]:
    """Return events of a month, as they come: in order of time, of some orgs in turns."""
    step = (USED_IN.end - USED_IN.start) / count
    return [
        UsageEvent(
            f"org-{i % orgs}", metric, i % 97, USED_IN.start + i * step, f"{metric}-{i}",
            {"user": f"user-{i % 50}"},
        )
        for i in range(count)
    ]  # fmt: skip


@contextmanager
def service_in(directory: Path, orgs: int = 1) -> Iterator[OverageService]:
    with SqliteRepository(directory / "overages.db") as repository:
        repository.put_plan(SERVED)
        for i in range(orgs):
            repository.put_account(Account(f"org-{i}", "served", USED_IN.start))
        yield OverageService(repository, clock=lambda: NOW, metrics=SERVICE_METRICS)


def report(batches: Sequence[Sequence[UsageEvent]], orgs: int) -> tuple[float, list[list[Any]]]:
    """Report usage in batches; return the seconds that it took, and the rows that were written."""
    written: list[list[Any]] = []
    with folder() as directory, service_in(directory, orgs) as service:
        start = perf_counter()
        for batch in batches:
            service.record_usage(batch)
        taken = perf_counter() - start
        with closing(connected(directory / "overages.db")) as connection:
            for table in ("events", "sums"):
                sql = f"SELECT * FROM org_billing_usage_{table}"
                written.append(connection.execute(sql).fetchall())
    return taken, written


def report_bare(batches: Sequence[Sequence[UsageEvent]], written: list[list[Any]]) -> float:
    """Write the same rows in as many transactions, each sum once for a batch."""
    events, held = written
    sums = {row[:4]: row for row in held}
    prepared, first = [], 0
    for batch in batches:
        rows = events[first : first + len(batch)]
        first += len(batch)
        starts = {(row[1], row[3], row[6][:13]) for row in rows}
        touched = {(*key, "hour", f"{hour}:00:00.000000Z") for *key, hour in starts}
        touched |= {(*key, "day", f"{hour[:10]}T00:00:00.000000Z") for *key, hour in starts}
        prepared.append((rows, [sums[key] for key in touched if key in sums]))
    with folder() as directory:
        with service_in(directory):
            pass
        with closing(connected(directory / "overages.db")) as connection:
            start = perf_counter()
            for rows, touched_sums in prepared:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(KEEP_ROW, rows)
                connection.executemany(SET_SUM, touched_sums)
                connection.execute("COMMIT")
            return perf_counter() - start


KEEP_ROW: Final = "INSERT INTO org_billing_usage_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def reporting(count: int, size: int, orgs: int, rounds: int) -> list[list[str]]:
    """Return rows of the table for usage that is reported in batches."""
    events = events_of("tokens", count, orgs)
    batches = [events[i : i + size] for i in range(0, count, size)]
    ours, bare = [], []
    for _ in range(rounds):
        gc.collect()
        taken, written = report(batches, orgs)
        ours.append(taken)
        bare.append(report_bare(batches, written))
    ratio = median(a / b for a, b in zip(ours, bare, strict=True))
    return [
        [f"reporting usage, {size:,} events a transaction", "", "", ""],
        ["sqlite3, the same rows", f"{median(bare) / count * 1e6:.1f}", "1.00", ""],
        ["- record_usage", f"{median(ours) / count * 1e6:.1f}", f"{ratio:.2f}", "2.2"],
    ]


def stating(counts: Sequence[int], rounds: int) -> list[list[str]]:
    """Return rows of the table for a statement of a month of few and of many events."""
    rows = [["a statement of a sum and a maximum", "", "", ""]]
    base = 0.0
    for count in counts:
        with folder() as directory, service_in(directory) as service:
            for metric in ("tokens", "peak"):
                service.record_usage(events_of(metric, count))
            times = timed(lambda: service.calculate("org-0", USED_IN), rounds)
        base = base or times
        rows.append(
            [f"- {count:,} events of each", f"{times * 1e6:.0f}", f"{times / base:.2f}", ""]
        )
    return rows


def counting(count: int, rounds: int) -> list[list[str]]:
    """Return rows of the table for unique users, which are counted one by one."""
    sql = (
        "SELECT event_id, metric_type, quantity, at, dimensions, counts_at, number"
        " FROM org_billing_usage_events WHERE org_id = 'org-0' AND metric_type = 'users'"
        " AND counts_at >= '2025-01-01' AND counts_at < '2025-02-01'"
    )
    with folder() as directory, service_in(directory) as service:
        service.record_usage(events_of("users", count))
        with closing(connected(directory / "overages.db")) as connection:
            bare = timed(lambda: connection.execute(sql).fetchall(), rounds)
        ours = timed(lambda: service.calculate("org-0", USED_IN), rounds)
    return [
        [f"a statement of unique users, {count:,} events", "", "", ""],
        ["sqlite3, their rows", f"{bare * 1e6:.0f}", "1.00", ""],
        ["- calculate", f"{ours * 1e6:.0f}", f"{ours / bare:.2f}", "3"],
    ]


def deciding(events: int, rounds: int, most: str) -> list[list[str]]:
    """Return rows of the table for a decision of an org that has used something all month."""
    with folder() as directory:
        host = Deciding(directory / "quotas.db", events)
        bare, same, ours = processor_times([host.bare, host.same, host.decide], rounds)
        host.repository.close()
    return [
        [f"a request for three metrics, after {events:,} events", "", "", ""],
        ["sqlite3, a query for each table", f"{bare * 1e6:.0f}", "1.00", ""],
        ["sqlite3, the query of decide", f"{same * 1e6:.0f}", f"{same / bare:.2f}", ""],
        ["- decide", f"{ours * 1e6:.0f}", f"{ours / bare:.2f}", most],
    ]


def processor_times(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the least seconds of the processor that each call takes, run in turn by the hundred.

    Nothing is written, so that no disk has a part in it.
    """
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, taken in zip(calls, times, strict=True):
            start = process_time()
            for _ in range(100):
                call()
            taken.append((process_time() - start) / 100)
    return [min(taken) for taken in times]


def timed(call: Callable[[], object], rounds: int) -> float:
    """Return the median of the seconds that a call takes."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only show that all of it runs")
    quick = parser.parse_args().quick
    rows = [
        ["what", "us", "ratio", "at most"],
        *writing(300 if quick else 20_000, 333, 1 if quick else 5, ["2.5", ""]),
        *writing(30 if quick else 1_000, 1, 1 if quick else 5, ["1.5", "1.5"]),
        *reading(100 if quick else 250_000, 100 if quick else 20_000),
        *reporting(2_000 if quick else 100_000, 1_000, 1, 1 if quick else 5),
        *reporting(2_000 if quick else 100_000, 1_000, 100, 1 if quick else 5),
        *stating([10, 1_000] if quick else [10, 1_000, 100_000], 3 if quick else 11),
        *counting(1_000 if quick else 100_000, 1 if quick else 5),
        *deciding(10, 1 if quick else 31, "2"),
        *deciding(300 if quick else 3_000, 1 if quick else 31, "1.5"),
    ]
    if quick:  # so few rows tell nothing of many
        print("all of it runs")
        return
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    print(text_table(rows, "lrrr"))


if __name__ == "__main__":
    main()
