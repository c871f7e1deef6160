"""Units of events in SQLite: how many of each name count in a time, of as few rows as will do.

Who bills looks at the sums and at the events between them, for they tell counts, maximums and last
values too. A decision asks for units alone, and asks before each use. So the numbers of a name
come as one row, and the times between them, which are the same for most names and
orgs, are worked out once.

    units_in(cursor, "org-123", ["runs", "tokens"], february)      # {"runs": 12_000_000_000_000}
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from overages.adapters.held_sums import Unit
from overages.adapters.sqlite.rows import metric_of, picos_of, readable
from overages.adapters.sqlite.store import chunks, marks
from overages.adapters.sqlite.sum_rows import gaps, parts_of
from overages.adapters.sqlite.usage import STANDING
from overages.amounts.exact import SCALE
from overages.periods.period import Period

_AND: Final = ","  # is in no instant and no number
_Starts: TypeAlias = tuple[tuple[Unit, str], ...]
"""The hours and days of which there are sums, in order: each unit, with the starts as one text."""

_Times: TypeAlias = tuple[tuple[str, str], ...]
"""Times from an instant to another, in order."""


def units_in(
    cursor: sqlite3.Cursor, org_id: str, names: Sequence[str], period: Period
) -> dict[str, int]:
    """Return the units of the events of some names that count in a period, in picos by name.

    :raises StorageCorrupt: if a row can't be read.
    """
    picos: dict[str, int] = {}
    parts = parts_of(period)
    first, last = parts[0][1], parts[-1][2]
    with readable():
        for some in chunks(names):
            held: dict[str, _Starts] = {}
            for unit, start, end in parts:
                if unit is not None:
                    sums = cursor.execute(_sums_sql(len(some)), (org_id, *some, unit, start, end))
                    for name, starts, *used in sums.fetchall():
                        held[name] = (*held.get(name, ()), (unit, starts))
                        picos[name] = picos.get(name, 0) + _sum_of(*used)
            for between, alike in _by_gaps(first, last, held, some).items():
                sql = _events_sql(len(alike))
                for start, end in between:
                    events = cursor.execute(sql, (org_id, *alike, start, end, org_id))
                    for name, *used in events.fetchall():
                        picos[name] = picos.get(name, 0) + _sum_of(*used)
        return {metric_of(name): units for name, units in picos.items()}


@lru_cache(maxsize=64)
def _sums_sql(names: int) -> str:
    return (
        f"SELECT metric_type, group_concat(start, '{_AND}'), count(*), group_concat(used, '{_AND}')"
        f" FROM org_billing_usage_sums WHERE org_id = ? AND metric_type IN ({marks(range(names))})"
        " AND unit = ? AND start >= ? AND start < ? GROUP BY metric_type"
    )


@lru_cache(maxsize=64)
def _events_sql(names: int) -> str:
    return (
        f"SELECT metric_type, count(*), group_concat(quantity, '{_AND}')"
        " FROM org_billing_usage_events"
        f" WHERE org_id = ? AND metric_type IN ({marks(range(names))})"
        f" AND counts_at >= ? AND counts_at < ? AND {STANDING} GROUP BY metric_type"
    )


def _sum_of(count: int, joined: str) -> int:
    """Return the picos of so many numbers, joined to a text.

    SQL's own sum of any that have decimals would be a float.
    """
    numbers = joined.split(_AND)
    if len(numbers) != count:
        raise ValueError(f"{joined!r} are not {count} numbers")
    return sum(map(picos_of, numbers)) if "." in joined else sum(map(int, numbers)) * SCALE


def _by_gaps(
    first: str, last: str, held: Mapping[str, _Starts], names: Iterable[str]
) -> dict[_Times, list[str]]:
    """Return names by the times in which their events have no sum."""
    by_gaps: dict[_Times, list[str]] = {}
    for name in names:
        by_gaps.setdefault(_gaps(first, last, held.get(name, ())), []).append(name)
    return by_gaps


@lru_cache(maxsize=1024)  # most orgs that use a metric each day have the same days
def _gaps(first: str, last: str, held: _Starts) -> _Times:
    return tuple(gaps(first, last, _each(held)))


def _each(held: _Starts) -> Iterator[tuple[Unit, str]]:
    return ((unit, start) for unit, starts in held for start in sorted(starts.split(_AND)))
