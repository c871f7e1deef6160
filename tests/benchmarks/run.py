"""Measure the library against bare loops, and print one table.

    python -m tests.benchmarks.run

Each round runs the bare loop and what is measured in turn, so that a busy machine slows both, and
counts the time of the processor, of which others take none; what is printed is the median over the
rounds of their ratio. Results are dropped as they are made.
"""

import argparse
import gc
import platform
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from statistics import median
from time import process_time

from tests.benchmarks import quotas
from tests.benchmarks.months import (
    CYCLE,
    FIRST,
    day_shares,
    month_days,
    month_instants,
    month_loop,
    next_month_loop,
    share_loop,
)
from tests.benchmarks.reading import (
    bare_rows,
    bare_sums,
    events_of,
    lines_of_usage,
    metered,
    metered_events,
    read,
)
from tests.benchmarks.settling import (
    months,
    plain_accounts,
    plainly_settled,
    settled,
    settled_inputs,
    settled_loop,
)
from tests.benchmarks.workloads import (
    PERIOD,
    PLANS,
    flat_from_dicts,
    flat_inputs,
    flat_loop,
    flat_one_by_one,
    flat_rows,
    flat_with_lines,
    graduated_charges,
    graduated_charges_with_tiers,
    graduated_loop,
    graduated_quantities,
    record_loop,
    record_rows,
    records,
)

from overages import Period, aggregate, calculate_many
from overages._ground.display import text_table

drop = deque[object](maxlen=0).extend

Timed = dict[str, Callable[[], object]]


def interleave(calls: Timed, rounds: int) -> dict[str, list[float]]:
    """Run calls in turn, some rounds; return the seconds of each, round by round.

    A call that returns a float has measured itself, in another process.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            gc.collect()
            start = process_time()
            result = call()
            taken = process_time() - start
            times[name].append(result if isinstance(result, float) else taken)
    return times


def rows_of(calls: Timed, items: int, rounds: int, targets: dict[str, str]) -> list[list[str]]:
    """Return a row of the table for each call; the first one is the base of the ratios."""
    times = interleave(calls, rounds)
    base = next(iter(times.values()))
    return [
        [
            name,
            f"{median(taken) / items * 1e6:.2f}",
            f"{median(t / b for t, b in zip(taken, base, strict=True)):.2f}",
            targets.get(name, ""),
        ]
        for name, taken in times.items()
    ]


def flat(count: int, rounds: int) -> list[list[str]]:
    rows = flat_rows(count)
    inputs = flat_inputs(rows)
    metrics = list(PLANS[0].allowances)
    raw = [
        (org, PLANS[number], dict(zip(metrics, used, strict=True)), limits)
        for org, number, used, limits in rows
    ]
    calls: Timed = {
        "three flat metrics an org: bare loop": lambda: drop(flat_loop(rows)),
        "- calculate_many": lambda: drop(calculate_many(inputs)),
        "- calculate, one by one": lambda: drop(flat_one_by_one(inputs)),
        "- calculate_many, from raw dicts": lambda: drop(flat_from_dicts(raw)),
        "- calculate_many, and every line as an object": lambda: drop(flat_with_lines(inputs)),
    }
    targets = dict(zip(list(calls)[1:], ["4.5", "7", "8", "8"], strict=False))
    return rows_of(calls, count, rounds, targets)


def settling(count: int, rounds: int) -> list[list[str]]:
    """Measure `settle`: of plain months to `calculate`, and of months with steps to a bare loop."""
    count = min(count, 10_000)
    inputs = flat_inputs(flat_rows(count))
    accounts, rows = plain_accounts(inputs), months(count)
    balances = settled_inputs(rows)
    plain: Timed = {
        "three flat metrics an org: calculate": lambda: drop(flat_one_by_one(inputs)),
        "- settle": lambda: drop(plainly_settled(accounts)),
    }
    stepped: Timed = {
        "carry-over and two grants: bare loop": lambda: drop(settled_loop(rows)),
        "- settle, from a balance": lambda: drop(settled(balances)),
    }
    return [
        *rows_of(plain, count, rounds, {"- settle": "3"}),
        *rows_of(stepped, count, rounds, {"- settle, from a balance": "110"}),
    ]


def graduated(count: int, rounds: int) -> list[list[str]]:
    quantities = graduated_quantities(count)
    calls: Timed = {
        "four graduated tiers with breakdown: bare loop": lambda: drop(graduated_loop(quantities)),
        "- Graduated.charge": lambda: drop(graduated_charges(quantities)),
        "- Graduated.charge, and every tier as an object": lambda: drop(
            graduated_charges_with_tiers(quantities)
        ),
    }
    return rows_of(calls, count, rounds, {"- Graduated.charge": "1.6"})


def aggregation(count: int, rounds: int) -> list[list[str]]:
    rows = record_rows(count)
    kept = records(rows)
    calls: Timed = {
        "records by metric: bare loop": lambda: record_loop(rows),
        "- aggregate": lambda: aggregate(kept),
    }
    return rows_of(calls, count, rounds, {"- aggregate": "1.6"})


def deciding(count: int, rounds: int) -> list[list[str]]:
    """Measure decisions on three metrics, of orgs of which half are beyond some limit."""
    orgs = quotas.rows(min(count, 50_000))
    asked = quotas.inputs(orgs)
    calls: Timed = {
        "a request for three metrics: bare loop": lambda: drop(quotas.loop(orgs)),
        "- decide": lambda: drop(quotas.decided(asked)),
    }
    return rows_of(calls, len(orgs), rounds, {"- decide": "12"})


def time(count: int, rounds: int) -> list[list[str]]:
    """Measure months from the 31st, of which there are 95,000, and parts of one month in days."""
    count = min(count, 90_000)
    instants, month = month_instants(count), month_days(count)
    moments = [datetime(y, m, day, hour, tzinfo=UTC) for y, m, day, hour in instants]
    parts = [Period(PERIOD.start + timedelta(first), PERIOD.end) for first, _ in month]
    following: Timed = {
        "the next month of a cycle: bare loop": lambda: drop(next_month_loop(count)),
        "- Cycle.periods_from": lambda: drop(islice(CYCLE.periods_from(FIRST), count)),
    }
    holding: Timed = {
        "the month of an instant: bare loop": lambda: drop(month_loop(instants)),
        "- Cycle.period_at": lambda: drop(map(CYCLE.period_at, moments)),
    }
    sharing: Timed = {
        "the share of a month: bare loop": lambda: drop(share_loop(month)),
        "- Proration.DAYS.share": lambda: drop(day_shares(parts)),
    }
    return [
        *rows_of(following, count, rounds, {"- Cycle.periods_from": "10"}),
        *rows_of(holding, count, rounds, {"- Cycle.period_at": "4.2"}),
        *rows_of(sharing, count, rounds, {"- Proration.DAYS.share": "13"}),
    ]


def reading(count: int, rounds: int) -> list[list[str]]:
    """Measure the reading of a usage file whose events have ids, and their sums."""
    count = min(2 * count, 200_000)
    lines = lines_of_usage(count, max(1, count // 20))
    events = events_of(lines)
    rows: Timed = {
        "rows of a usage file: csv.reader": lambda: drop(bare_rows(lines)),
        "- read_events": lambda: drop(read(lines)),
    }
    sums: Timed = {
        "the same to sums, each id once: bare loop": lambda: bare_sums(lines),
        "- read_rows and Meter": lambda: metered(lines),
        "- Meter, of events": lambda: metered_events(events),
    }
    targets = {"- read_rows and Meter": "2", "- Meter, of events": "1.4"}
    return [
        *rows_of(rows, count, rounds, {"- read_events": "6"}),
        *rows_of(sums, count, rounds, targets),
    ]


def importing(rounds: int) -> list[list[str]]:
    """Measure imports, each in a fresh process."""

    def fresh(statement: str) -> float:
        clock = "__import__('time').process_time()"
        code = f"start = {clock}\n{statement}\nprint({clock} - start)"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return float(run.stdout)

    calls: Timed = {
        "import attrs, datetime, decimal": lambda: fresh("import attrs, datetime, decimal"),
        "- import overages": lambda: fresh("import overages"),
        "- from overages import *": lambda: fresh("from overages import *"),
    }
    return rows_of(calls, 1, rounds, {"- import overages": "1.3"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="on little data, in a few rounds")
    quick = parser.parse_args().quick
    count, rounds = (5_000, 5) if quick else (100_000, 15)
    rows = [
        ["what", "us", "ratio", "at most"],
        *flat(count, rounds),
        *settling(count, rounds),
        *graduated(count, rounds),
        *aggregation(3 * count, rounds),
        *deciding(count, rounds),
        *time(count, rounds),
        *reading(count, rounds),
        *importing(5 if quick else 21),
    ]
    print(f"Python {platform.python_version()}, {count:,} orgs, {rounds} rounds")
    print(text_table(rows, "lrrr"))
    sys.exit(too_slow(rows[1:]))


def too_slow(rows: list[list[str]]) -> str | None:
    """Return a complaint if a ratio is over twice its target, where no busy machine takes it."""
    slow = [name for name, _, ratio, most in rows if most and float(ratio) > 2 * float(most)]
    return f"more than twice what it should be: {', '.join(slow)}" if slow else None


if __name__ == "__main__":
    main()
