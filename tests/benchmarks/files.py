"""Measure the command line, as whole processes, against a bare script, and print one table.

    python -m tests.benchmarks.files                  # some minutes
    python -m tests.benchmarks.files --scale 10       # a tenth of the events

The bare script reads with `csv`, sums integers in dictionaries, prices three flat metrics, and
writes tuples by `sqlite3`: no validation, no history, no explanation, no digests. Each is run in
turn, and the processor's time of the process is measured; the ratio is that of the medians. A first
round, in which Python compiles what it imports, as it does once where a package is installed, isn't
counted.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from overages._ground.display import text_table

START, END = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
PRICES = {"tokens": (500_000, 1, 100), "runs": (50, 100, 1), "seats": (3, 1500, 1)}
MOST = {"tokens": 200_000, "runs": 30, "seats": 2}
PLANS = """default_plan = "starter"
[plans.starter]
currency = "USD"
[plans.starter.allowances]
tokens = { included = 500_000, price = { model = "per_unit", price = "0.0001" } }
runs = { included = 50, price = { model = "per_unit", price = "1.00" } }
seats = { included = 3, price = { model = "per_unit", price = "15.00" } }
"""
WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None  # as if it weren't installed
from overages.__main__ import run
run()
"""
TABLES = """
CREATE TABLE charges (org TEXT, metric TEXT, quantity INTEGER, cost INTEGER, at TEXT,
  PRIMARY KEY (org, metric)) WITHOUT ROWID;
CREATE TABLE usage (org TEXT, metric TEXT, quantity INTEGER,
  PRIMARY KEY (org, metric)) WITHOUT ROWID;
CREATE TABLE events (org TEXT, id TEXT, metric TEXT, quantity INTEGER, at TEXT,
  PRIMARY KEY (org, id)) WITHOUT ROWID;
"""


def make(path: Path, events: int, orgs: int, *, with_ids: bool) -> None:
    """Write a file of usage of one month, the same each time."""
    draw, metrics = random.Random(7), list(MOST)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["org_id", "metric", "quantity", "timestamp", *["event_id"] * with_ids])
        for number in range(events):
            metric, org = draw.choice(metrics), f"org-{draw.randrange(orgs):06}"
            at = START + timedelta(milliseconds=draw.randrange(29 * 86_400_000))
            stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            row = [org, metric, draw.randint(0, MOST[metric]), stamp]
            writer.writerow([*row, *[f"evt-{number:09}"] * with_ids])


def bare(command: str, path: str, database: str) -> None:
    """Rate or close a file as a script of a page does."""
    used: dict[tuple[str, str], int] = {}
    events = []
    with open(path, newline="") as file:
        rows = csv.reader(file)
        place = {name: number for number, name in enumerate(next(rows))}
        org, metric, quantity, at = (
            place[n] for n in ("org_id", "metric", "quantity", "timestamp")
        )
        event, seen = place.get("event_id"), set()
        for number, row in enumerate(rows):
            key = row[org], str(number) if event is None else row[event]
            if event is not None:
                if key in seen:
                    continue
                seen.add(key)
            if not START <= datetime.fromisoformat(row[at]) < END:
                continue
            units = int(row[quantity])
            used[row[org], row[metric]] = used.get((row[org], row[metric]), 0) + units
            if command == "close":
                events.append((*key, row[metric], units, row[at]))
    lines = list(bare_lines(used))
    if command == "rate":
        csv.writer(sys.stdout).writerows(lines)
        return
    connection = sqlite3.connect(database, isolation_level=None)
    for statement in TABLES.split(";"):
        connection.execute(statement)
    connection.execute("BEGIN IMMEDIATE")
    events.sort()
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", events)
    sums = [(*key, units) for key, units in sorted(used.items())]
    connection.executemany("INSERT INTO usage VALUES (?, ?, ?)", sums)
    charges = [(*line[:2], line[3], line[4], "now") for line in lines if line[3]]
    connection.executemany("INSERT INTO charges VALUES (?, ?, ?, ?, ?)", charges)
    connection.execute("COMMIT")


def bare_lines(used: dict[tuple[str, str], int]) -> Iterator[tuple[str, str, int, int, int]]:
    for (org, metric), units in sorted(used.items()):
        included, cents, per = PRICES[metric]
        over = max(0, units - included)
        yield org, metric, units, over, (over * cents + per // 2) // per


class Desk:
    """A folder in which commands are run as processes, and measured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs = 0

    def seconds(self, *commands: Sequence[str]) -> float:
        """Return the processor's seconds of commands, run one after another on a new database."""
        self._runs += 1
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for command in commands:
            argv = [each.replace("DB", f"{self._runs}.db") for each in command]
            with (self.folder / "output").open("wb") as output:
                subprocess.run(
                    [sys.executable, *argv],
                    check=True,
                    cwd=self.folder,
                    stdout=output,
                    env=os.environ
                    | {
                        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
                        "PYTHONDONTWRITEBYTECODE": "",
                        "PYTHONPYCACHEPREFIX": str(self.folder / "compiled"),
                    },
                )
        (self.folder / f"{self._runs}.db").unlink(missing_ok=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(scale: int, rounds: int) -> Iterator[list[str]]:
    """Yield the rows of the table."""
    with tempfile.TemporaryDirectory() as name:
        desk = Desk(Path(name))
        (desk.folder / "plans.toml").write_text(PLANS)
        make(desk.folder / "ids.csv", 1_000_000 // scale, 10_000 // scale, with_ids=True)
        make(desk.folder / "plain.csv", 300_000 // scale, 100_000 // scale, with_ids=False)
        me, until = "tests.benchmarks.files", "2024-03-01"
        files = {
            each: ["--plans", "plans.toml", "--usage", each] for each in ("ids.csv", "plain.csv")
        }
        rating = ["rate", *files["ids.csv"], "--new-orgs", "--format", "csv"]
        closing = ["close", *files["plain.csv"], "--new-orgs", "--db", "DB", "--until", until]
        command, without = ["-m", "overages"], ["-c", WITHOUT_PYARROW]
        cases: list[tuple[str, list[str], list[tuple[str, list[str], float]]]] = [
            (
                "rate, events with ids",
                ["-m", me, "--bare", "rate", "ids.csv", "DB"],
                [
                    ("with pyarrow", [*command, *rating], 0.6),
                    ("without", [*without, *rating], 2.5),
                ],
            ),
            (
                "ingest and close",
                ["-m", me, "--bare", "close", "plain.csv", "DB"],
                [("the command", [*command, *closing], 4.0)],
            ),
        ]
        for what, script, commands in cases:
            turns = [script, *(argv for _, argv, _ in commands)]
            seconds = [[desk.seconds(argv) for argv in turns] for _ in range(rounds + 1)][1:]
            base, *ours = (median(column) for column in zip(*seconds, strict=True))
            yield [f"{what}: bare script", f"{base:.1f}", "1.00", ""]
            for (how, _, most), mean in zip(commands, ours, strict=True):
                yield [f"- {how}", f"{mean:.1f}", f"{mean / base:.2f}", f"{most:g}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=1, help="divide the number of events by it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bare", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.bare:
        bare(*args.bare)
        return
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    rows = [["what", "s", "ratio", "at most"], *measure(args.scale, args.rounds)]
    print(text_table(rows, "lrrr"))


if __name__ == "__main__":
    main()
