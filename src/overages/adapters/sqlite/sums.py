"""Sums of events by hour and day in SQLite, which are held ready.

They are added to in the transaction of the events: one read of all that a batch touches, and one
write of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Final, TypeAlias

from overages._ground.parsing import int_up_to
from overages.adapters.event_texts import exact_instant
from overages.adapters.held_sums import HeldSums, Unit
from overages.adapters.sqlite.rows import (
    exact_instant_of,
    metric_of,
    picos_of,
    readable,
)
from overages.adapters.sqlite.store import chunks, marks
from overages.adapters.sqlite.usage import UsageTables
from overages.amounts.exact import number_text, unscaled
from overages.usage.event_sum import EventSum

SUM: Final = "events, used, largest, last_at, last_id, last_quantity"
KEY: Final = "org_id, metric_type, unit, start"
SET_SUM: Final = (
    f"INSERT INTO org_billing_usage_sums ({KEY}, {SUM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET events = excluded.events, used = excluded.used,"
    " largest = excluded.largest, last_at = excluded.last_at, last_id = excluded.last_id,"
    " last_quantity = excluded.last_quantity"
)

_count: Final = int_up_to(2**48)  # or one more would be no integer of SQLite's

Key: TypeAlias = tuple[str, str, str, str]
"""Org, name of the events, unit and its start."""

SumRow: TypeAlias = tuple[int, str, str, str, str, str]
"""A sum as columns."""


class SumTable(UsageTables):
    """The table of the sums of hours and days."""

    def _add_sums(self, sums: HeldSums) -> None:
        keys = [(*key[:3], exact_instant(key[3])) for key in sums]
        stored: dict[Key, EventSum] = {}
        for chunk in chunks(keys, 4):
            sql = (
                f"SELECT {KEY}, {SUM} FROM org_billing_usage_sums"
                f" WHERE ({KEY}) IN (VALUES {marks(chunk, '(?, ?, ?, ?)')})"
            )
            rows = self._cursor.execute(sql, tuple(chain.from_iterable(chunk))).fetchall()
            with readable():
                stored.update((row[:4], sum_of_rows([row[4:]])) for row in rows)
        self._cursor.executemany(
            SET_SUM,
            [
                (*key, *row_of_sum(events.merged(stored[key]) if key in stored else events))
                for key, events in zip(keys, sums.values(), strict=True)
            ],
        )

    def _set_sum(self, key: tuple[str, str, Unit, datetime], events: EventSum | None) -> None:
        columns = (*key[:3], exact_instant(key[3]))
        if events is not None:
            self._cursor.execute(SET_SUM, (*columns, *row_of_sum(events)))
            return
        at_key = "org_id = ? AND metric_type = ? AND unit = ? AND start = ?"
        self._cursor.execute(f"DELETE FROM org_billing_usage_sums WHERE {at_key}", columns)

    def _drop_sums(self, org_id: str) -> None:
        self._cursor.execute("DELETE FROM org_billing_usage_sums WHERE org_id = ?", (org_id,))

    def _sums_of(
        self, org_id: str, unit: Unit, start: datetime, end: datetime, names: Sequence[str] | None
    ) -> Mapping[str, EventSum]:
        if names is None:
            names = self._event_names(org_id, "org_billing_usage_sums")
        bounds = exact_instant(start), exact_instant(end)
        rows_by_name: dict[str, list[SumRow]] = {}
        for chunk in chunks(names):
            sql = (
                f"SELECT metric_type, {SUM} FROM org_billing_usage_sums WHERE org_id = ?"
                f" AND metric_type IN ({marks(chunk)}) AND unit = ? AND start >= ? AND start < ?"
            )
            for metric, *row in self._cursor.execute(sql, (org_id, *chunk, unit, *bounds)):
                rows_by_name.setdefault(metric, []).append(tuple(row))
        with readable():
            return {metric_of(name): sum_of_rows(rows) for name, rows in rows_by_name.items()}


def row_of_sum(events: EventSum) -> SumRow:
    """Write a sum as columns."""
    at, event_id, last = events.last
    used = number_text(unscaled(events.picos))
    if events.picos == events.largest == last:  # as of one event, which many hours have
        return events.events, used, used, exact_instant(at), event_id, used
    largest, quantity = number_text(unscaled(events.largest)), number_text(unscaled(last))
    return events.events, used, largest, exact_instant(at), event_id, quantity


def sum_of_rows(rows: Iterable[SumRow]) -> EventSum:
    """Return the sum of one stored sum or more; what can be compared as it stands isn't parsed."""
    events = picos = 0
    largest: list[int] = []
    last = ("", "", 0)
    for count, used, most, at, event_id, quantity in rows:
        events += count
        picos += picos_of(used)
        largest.append(picos_of(most))
        if (at, event_id) >= last[:2]:
            last = max(last, (at, event_id, picos_of(quantity)))
    last_reading = exact_instant_of(last[0]), *last[1:]
    return EventSum(_count(events, "events"), picos, max(largest), last_reading)
