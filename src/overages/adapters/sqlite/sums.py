"""Sums of events in SQLite, which are held ready: of each hour, and each day, that is crowded.

A stretch is crowded once `CROWD` events of a name count in it, or did until they were withdrawn.
Fewer are read as quickly one by one, and most orgs use a metric now and then: with a sum for each
hour and day, such an event would take three rows, and thrice the time to keep. So a time is told by
the days that have a sum, by the hours that have one where it cuts a day, and by the events of all
that lies between.

Sums are added to in the transaction of the events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Final, TypeAlias

from overages.adapters.event_texts import exact_instant
from overages.adapters.held_sums import Unit
from overages.adapters.sqlite.rows import metric_of, readable
from overages.adapters.sqlite.store import chunks, marks
from overages.adapters.sqlite.sum_rows import (
    KEY,
    PREFIXES,
    SUM,
    EventRow,
    Key,
    Part,
    SumRow,
    end_of,
    first_of,
    gaps,
    keys_of,
    parts_of,
    row_of_sum,
    sum_up,
)
from overages.adapters.sqlite.units import units_in
from overages.adapters.sqlite.usage import STANDING, UsageTables
from overages.amounts.exact import number_text
from overages.periods.period import Period
from overages.usage.event import CountedEvents, UsageEvent
from overages.usage.event_sum import EventSum

CROWD: Final = 8
SET_SUM: Final = (
    f"INSERT INTO org_billing_usage_sums ({KEY}, {SUM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET events = excluded.events, used = excluded.used,"
    " largest = excluded.largest, last_at = excluded.last_at, last_id = excluded.last_id,"
    " last_quantity = excluded.last_quantity"
)
_EVENT: Final = "at, coalesce(event_id, ''), quantity"
"""The columns of an `EventRow`."""

_Addends: TypeAlias = tuple[list[SumRow], list[EventRow]]
"""The sums and the events that a sum is made of."""


def _crowded_sql(width: int) -> str:
    """Return the query of the stretches that events, from a number on, lie in, and are crowded.

    :param width: the letters of an instant that tell its stretch.
    """
    start = f"substr(new.counts_at, 1, {width})"
    return (
        f"SELECT DISTINCT org_id, metric_type, {start} FROM org_billing_usage_events AS new"
        " NOT INDEXED"  # by number alone: DISTINCT would go through all events in its order
        " WHERE number >= ? AND EXISTS ("
        " SELECT 1 FROM org_billing_usage_events AS stretch WHERE stretch.org_id = new.org_id"
        f" AND stretch.metric_type = new.metric_type AND stretch.counts_at >= {start}"
        f" AND stretch.counts_at < {start} || '~' LIMIT 1 OFFSET {CROWD - 1})"
    )


_CROWDED: Final = {unit: _crowded_sql(width) for unit, width in PREFIXES.items()}


class SumTable(UsageTables):
    """The table of the sums of hours and days."""

    def _keep_events(self, counted: CountedEvents, batch: str | None) -> None:
        first = self._insert_events(counted, batch)
        crowded = self._crowded("day", first)
        if crowded:  # or no hour is
            self._add_to_sums(counted, crowded | self._crowded("hour", first))

    def _crowded(self, unit: Unit, first: int) -> set[Key]:
        """Return the crowded stretches that the events from a number on lie in."""
        rows = self._cursor.execute(_CROWDED[unit], (first,))
        return {(org_id, metric, unit, first_of(start)) for org_id, metric, start in rows}

    def _add_to_sums(
        self, counted: Iterable[tuple[UsageEvent, datetime]], crowded: set[Key]
    ) -> None:
        """Add new events to the sums of stretches; those that had none yet are summed up."""
        held = self._held(crowded)
        if held:
            new: dict[Key, list[EventRow]] = {key: [] for key in held}
            for event, counts_at in counted:
                row = exact_instant(event.at), event.id or "", number_text(event.quantity)
                for key in keys_of(event.org_id, event.metric, exact_instant(counts_at)):
                    if key in new:
                        new[key].append(row)
            with readable():
                sums = {key: sum_up([row], new[key]) for key, row in held.items()}
            self._set_sums(sums)
        self._sum_up(crowded - held.keys())

    def _held(self, keys: Iterable[Key]) -> dict[Key, SumRow]:
        """Return those of some stretches that have a sum, with it."""
        held: dict[Key, SumRow] = {}
        for chunk in chunks(list(keys), 4):
            sql = (
                f"WITH wanted (org, name, kind, first) AS (VALUES {marks(chunk, '(?, ?, ?, ?)')})"
                f" SELECT {KEY}, {SUM} FROM wanted CROSS JOIN org_billing_usage_sums"
                " ON org_id = org AND metric_type = name AND unit = kind AND start = first"
            )
            for row in self._cursor.execute(sql, tuple(chain.from_iterable(chunk))):
                held[row[:4]] = row[4:]
        return held

    def _sum_up(self, keys: Iterable[Key]) -> None:
        """Make the sums of stretches of all that is in them."""
        for key in sorted(keys, key=_hours_first):  # a day is made of its hours
            org_id, metric, unit, start = key
            with readable():
                part: Part = ("hour" if unit == "day" else None), start, end_of(unit, start)
                addends = self._addends(org_id, [metric], [part])
                self._set_sums({key: sum_up(*addends.get(metric, ([], [])))})

    def _set_sums(self, sums: Mapping[Key, EventSum | None]) -> None:
        rows = [(*key, *row_of_sum(events)) for key, events in sums.items()]
        self._cursor.executemany(SET_SUM, rows)

    def _sum_again(self, withdrawn: Sequence[tuple[UsageEvent, datetime]]) -> None:
        keys = {
            key
            for event, counts_at in withdrawn
            for key in keys_of(event.org_id, event.metric, exact_instant(counts_at))
        }
        self._sum_up(self._held(keys))

    def _remake_sums(self, org_id: str) -> None:
        self._cursor.execute("DELETE FROM org_billing_usage_sums WHERE org_id = ?", (org_id,))
        self._set_sums(self._sums_made_again("org_id = ?", (org_id,)))

    def _sums_made_again(self, among: str, orgs: Sequence[object]) -> dict[Key, EventSum | None]:
        """Sum up the events of each stretch that is crowded, of some orgs."""
        sql = (
            f"SELECT org_id, metric_type, counts_at, (org_id, number) IN"
            f" (SELECT org_id, event FROM org_billing_usage_withdrawals WHERE {among}), {_EVENT}"
            f" FROM org_billing_usage_events WHERE {among}"
        )
        sizes: Counter[Key] = Counter()
        stretched: dict[Key, list[EventRow]] = {}
        with readable():
            for row in self._cursor.execute(sql, (*orgs, *orgs)):
                org_id, metric, counts_at, is_withdrawn, *event = row
                for key in keys_of(org_id, metric, counts_at):
                    sizes[key] += 1
                    if not is_withdrawn:
                        stretched.setdefault(key, []).append(tuple(event))
            crowded = (key for key, size in sizes.items() if size >= CROWD)
            return {key: sum_up((), stretched.get(key, ())) for key in crowded}

    # Reading

    def _sums_in(
        self, org_id: str, period: Period, names: tuple[str, ...] | None
    ) -> Mapping[str, EventSum]:
        addends = self._addends(org_id, self._or_all(org_id, names), parts_of(period))
        with readable():
            sums = {metric_of(name): sum_up(*addends[name]) for name in sorted(addends)}
        return {name: events for name, events in sums.items() if events is not None}

    def _picos_in(
        self, org_id: str, period: Period, names: tuple[str, ...] | None
    ) -> Mapping[str, int]:
        return units_in(self._cursor, org_id, self._or_all(org_id, names), period)

    def _or_all(self, org_id: str, names: tuple[str, ...] | None) -> Sequence[str]:
        return self._event_names(org_id) if names is None else names

    def _addends(
        self, org_id: str, names: Collection[str], parts: Sequence[Part]
    ) -> Mapping[str, _Addends]:
        """Return the sums that lie in the parts of a time, and the events between them, by name."""
        addends: dict[str, _Addends] = {}
        held = self._held_in(org_id, list(names), parts)
        time = parts[0][1], parts[-1][2]
        for chunk in chunks([name for name in names if name not in held]):
            self._find_events(addends, org_id, chunk, *time)
        for name, sums in held.items():
            addends[name] = [row for *_, row in sums], []
            with readable():
                between = list(gaps(*time, [(unit, start) for unit, start, _ in sums]))
            for start, end in between:
                self._find_events(addends, org_id, [name], start, end)
        return addends

    def _held_in(
        self, org_id: str, names: Sequence[str], parts: Sequence[Part]
    ) -> dict[str, list[tuple[Unit, str, SumRow]]]:
        """Return the sums of the hours or days of parts of a time, in order, by name."""
        held: dict[str, list[tuple[Unit, str, SumRow]]] = {}
        for unit, *bounds in parts:
            if unit is None:
                continue
            for chunk in chunks(names):
                sql = (
                    f"SELECT metric_type, start, {SUM} FROM org_billing_usage_sums"
                    f" WHERE org_id = ? AND metric_type IN ({marks(chunk)})"
                    " AND unit = ? AND start >= ? AND start < ? ORDER BY start"
                )
                for name, start, *row in self._cursor.execute(sql, (org_id, *chunk, unit, *bounds)):
                    held.setdefault(name, []).append((unit, start, tuple(row)))
        return held

    def _find_events(
        self,
        addends: dict[str, _Addends],
        org_id: str,
        names: Sequence[str],
        start: str,
        end: str,
    ) -> None:
        """Note the events of some names that count from an instant to another."""
        sql = (
            f"SELECT metric_type, {_EVENT} FROM org_billing_usage_events"
            f" WHERE org_id = ? AND metric_type IN ({marks(names)})"
            f" AND counts_at >= ? AND counts_at < ? AND {STANDING}"
        )
        for name, *row in self._cursor.execute(sql, (org_id, *names, start, end, org_id)):
            addends.setdefault(name, ([], []))[1].append(tuple(row))


def _hours_first(key: Key) -> tuple[bool, Key]:
    return key[2] == "day", key
