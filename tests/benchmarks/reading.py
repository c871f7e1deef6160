"""The reading of a usage file, and the bare loops that it is measured against.

The bare loop of sums is what an engineer would write for one month: no validation, no periods, no
word of a duplicate that says something else, and integers alone.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from overages import Usage, UsageEvent
from overages.imports.events import read_events, read_rows
from overages.imports.usage_files.layout import UsageLayout
from overages.usage.metering import Meter

START, END = datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
METRICS = [("tokens", 200_000), ("playbook_runs", 30), ("seats", 2)]


def lines_of_usage(events: int, orgs: int) -> list[str]:
    """Lines of a usage file of three metrics, in no order of orgs or of time."""
    draw = random.Random(7)
    lines = ["event_id,org_id,metric,quantity,timestamp\n"]
    for number in range(events):
        metric, most = draw.choice(METRICS)
        at = START + timedelta(milliseconds=draw.randrange(29 * 86_400_000))
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        org, units = draw.randrange(orgs), draw.randint(0, most)
        lines.append(f"evt-{number:09d},org-{org:06d},{metric},{units},{stamp}\n")
    return lines


def bare_rows(lines: Iterable[str]) -> Iterator[list[str]]:
    return csv.reader(lines)


def bare_sums(lines: Iterable[str]) -> dict[tuple[str, str], int]:
    """Sum the units of each org and metric in February."""
    sums: dict[tuple[str, str], int] = {}
    seen = set()
    rows = csv.reader(lines)
    next(rows)
    for event_id, org, metric, units, at in rows:
        if (org, event_id) in seen:
            continue
        seen.add((org, event_id))
        if START <= datetime.fromisoformat(at) < END:
            sums[org, metric] = sums.get((org, metric), 0) + int(units)
    return sums


def read(lines: Iterable[str]) -> Iterator[object]:
    return read_events(lines)


def events_of(lines: Iterable[str]) -> list[UsageEvent]:
    return [event for _, event in read_events(lines) if isinstance(event, UsageEvent)]


def metered(lines: Iterable[str]) -> list[Usage]:
    counted = Meter()
    for rows in read_rows(lines, UsageLayout()):  # none is faulty
        for columns in rows.counted():
            counted.add_columns(columns)
    return counted.usages()


def metered_events(events: Iterable[UsageEvent]) -> list[Usage]:
    counted = Meter()
    for event in events:
        counted.add(event)
    return counted.usages()
