"""Units of events in SQLite: how many of each name count in a time, of as few rows as will do.

Who bills looks at the sums and at the events between them, for they tell counts, maximums and last
values too. A decision asks for units alone, and asks before each use. So the numbers of a name
come as one row, and the times between sums, which are the same for most names and orgs, are worked
out once.

    units_in(cursor, "org-123", ["runs", "tokens"], february)      # {"runs": 12_000_000_000_000}

Which events are to be read depends on the sums that there are. Who knows those from a read before
asks for both at once, and sees by the rows whether they are still the same:

    queries = [*sum_queries(org_id, names, period), *event_queries(org_id, gaps_of(..., sums))]
    picos_by_name(rows) if sums_of(rows) == sums else ...
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from sys import intern
from typing import Final, TypeAlias

from overages.adapters.held_sums import Unit
from overages.adapters.sqlite.rows import metric_of, picos_of, readable
from overages.adapters.sqlite.store import chunks, marks
from overages.adapters.sqlite.sum_rows import LATEST, gaps, parts_of
from overages.adapters.sqlite.usage import STANDING
from overages.amounts.exact import SCALE
from overages.periods.period import Period

UNITS: Final = 0
"""The first column of a row of units, which tells it from others that are read with it."""

_AND: Final = ","  # is in no instant and no number
_SUMS: Final = (
    f"SELECT {UNITS}, metric_type, unit, group_concat(start, '{_AND}'),"
    f" count(*), group_concat(used, '{_AND}') FROM org_billing_usage_sums"
    " WHERE org_id = ? AND metric_type IN ({names}) AND unit = ? AND start >= ? AND start < ?"
    " GROUP BY metric_type"
)
_EVENTS: Final = (
    f"SELECT {UNITS}, name, NULL, NULL, count(*), group_concat(quantity, '{_AND}')"
    " FROM (SELECT column1 AS name, column2 AS since, column3 AS until FROM (VALUES {gaps}))"
    " CROSS JOIN org_billing_usage_events"
    " ON org_id = ? AND metric_type = name AND counts_at >= since AND counts_at < until"
    f" AND {STANDING} GROUP BY name"
)
_ALIKE: Final = 8  # gaps of which statements have a multiple, unless they have fewer

UnitRow: TypeAlias = tuple[int, str, Unit | None, str | None, int, str]
"""`UNITS`, a name, the unit of its sums with their starts as one text, or neither for events; and
the numbers of either, which are counted and joined to a text."""

Sums: TypeAlias = tuple[tuple[str, Unit, str], ...]
"""The hours and days of which there are sums: a name, the unit, and the starts as one text."""

Gap: TypeAlias = tuple[str, str, str]
"""A time in which events of a name have no sum: the name, its first instant, and its end."""

Query: TypeAlias = tuple[str, tuple[object, ...]]
"""Some SQL with its parameters, of which the rows are as wide as those of units."""

_NO_GAP: Final[Gap] = "", LATEST, LATEST


def union_of(queries: Sequence[Query]) -> Query:
    """Return one query of the rows of some, in no order."""
    texts, parameters = zip(*queries, strict=True)
    sql = intern(" UNION ALL ".join(texts))  # one text for many orgs
    return sql, tuple(chain.from_iterable(parameters))


def units_in(
    cursor: sqlite3.Cursor, org_id: str, names: Sequence[str], period: Period
) -> dict[str, int]:
    """Return the units of the events of some names that count in a period, in picos by name.

    :raises StorageCorrupt: if a row can't be read.
    """
    picos: dict[str, int] = {}
    for some in chunks(names):
        rows: list[UnitRow] = []
        for query in sum_queries(org_id, some, period):
            rows += cursor.execute(*query).fetchall()
        with readable():
            between = gaps_of(some, period, sums_of(rows))
        for query in event_queries(org_id, between):
            rows += cursor.execute(*query).fetchall()
        with readable():
            for name, units in picos_by_name(rows).items():
                picos[metric_of(name)] = units
    return picos


def sum_queries(org_id: str, names: Sequence[str], period: Period) -> Iterator[Query]:
    """Yield the queries of the sums of a few names: of hours, and of days, in a period."""
    for unit, start, end in parts_of(period):
        if unit is not None:
            yield _sums_sql(len(names)), (org_id, *names, unit, start, end)


def event_queries(org_id: str, between: Sequence[Gap]) -> Iterator[Query]:
    """Yield the queries of the events that have no sum."""
    for some in chunks(between, 3):
        # Gaps in which nothing is, so that orgs with about as many share the compiled statement.
        alike = [*some, *[_NO_GAP] * (-len(some) % _ALIKE)] if len(some) > _ALIKE else some
        yield _events_sql(len(alike)), (*chain.from_iterable(alike), org_id, org_id)


@lru_cache(maxsize=64)
def _sums_sql(names: int) -> str:
    return _SUMS.format(names=marks(range(names)))


@lru_cache(maxsize=64)
def _events_sql(gaps: int) -> str:
    return _EVENTS.format(gaps=marks(range(gaps), "(?, ?, ?)"))


def sums_of(rows: Iterable[UnitRow]) -> Sums:
    """Return the hours and days of which some rows have sums."""
    return tuple((name, unit, starts) for _, name, unit, starts, _, _ in rows if unit and starts)


def gaps_of(names: Iterable[str], period: Period, sums: Sums) -> tuple[Gap, ...]:
    """Return the times of a period in which the events of some names have no sum."""
    parts = parts_of(period)
    first, last = parts[0][1], parts[-1][2]
    held: dict[str, list[tuple[Unit, str]]] = {name: [] for name in names}
    for name, unit, starts in sums:
        held[name].append((unit, starts))
    return tuple(
        (name, since, until)
        for name, own in held.items()
        for since, until in _gaps(first, last, tuple(own))
    )


@lru_cache(maxsize=1024)  # most orgs that use a metric each day have the same days
def _gaps(first: str, last: str, held: tuple[tuple[Unit, str], ...]) -> tuple[tuple[str, str], ...]:
    by_time = sorted((start, unit) for unit, starts in held for start in starts.split(_AND))
    return tuple(gaps(first, last, ((unit, start) for start, unit in by_time)))


def picos_by_name(rows: Iterable[UnitRow]) -> dict[str, int]:
    """Return the units of some rows, in picos by name."""
    picos: dict[str, int] = {}
    for _, name, _, _, count, joined in rows:
        picos[name] = picos.get(name, 0) + _sum_of(count, joined)
    return picos


def _sum_of(count: int, joined: str) -> int:
    """Return the picos of so many numbers, joined to a text.

    SQL's own sum of any that have decimals would be a float.
    """
    numbers = joined.split(_AND)
    if len(numbers) != count:
        raise ValueError(f"{joined!r} are not {count} numbers")
    return sum(map(picos_of, numbers)) if "." in joined else sum(map(int, numbers)) * SCALE
