"""Sums of events by the hour in SQLite, which are held ready.

They are added to in the transaction of the events: one read of the hours that a batch touches, and
one write of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Final, TypeAlias

from overages._ground.parsing import parse_int
from overages.adapters.event_texts import exact_instant
from overages.adapters.metered import HourSums
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
SET_HOUR: Final = (
    f"INSERT INTO org_billing_usage_hours (org_id, metric_type, hour, {SUM})"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = excluded.events,"
    " used = excluded.used, largest = excluded.largest, last_at = excluded.last_at,"
    " last_id = excluded.last_id, last_quantity = excluded.last_quantity"
)

Key: TypeAlias = tuple[str, str, str]
"""Org, name of the events, and hour."""

SumRow: TypeAlias = tuple[int, str, str, str, str, str]
"""A sum as columns."""


class HourTable(UsageTables):
    """The table of the sums of hours."""

    def _add_sums(self, sums: HourSums) -> None:
        keys = [(org_id, metric, hour_text(hour)) for org_id, metric, hour in sums]
        stored: dict[Key, EventSum] = {}
        for chunk in chunks(keys, 3):
            sql = (
                f"SELECT org_id, metric_type, hour, {SUM} FROM org_billing_usage_hours"
                f" WHERE (org_id, metric_type, hour) IN (VALUES {marks(chunk, '(?, ?, ?)')})"
            )
            rows = self._cursor.execute(sql, tuple(chain.from_iterable(chunk))).fetchall()
            with readable():
                stored.update((row[:3], sum_of_rows([row[3:]])) for row in rows)
        self._cursor.executemany(
            SET_HOUR,
            [
                (*key, *row_of_sum(events.merged(stored[key]) if key in stored else events))
                for key, events in zip(keys, sums.values(), strict=True)
            ],
        )

    def _set_sum(self, org_id: str, metric: str, hour: datetime, events: EventSum | None) -> None:
        key = org_id, metric, hour_text(hour)
        if events is not None:
            self._cursor.execute(SET_HOUR, (*key, *row_of_sum(events)))
            return
        sql = (
            "DELETE FROM org_billing_usage_hours WHERE org_id = ? AND metric_type = ? AND hour = ?"
        )
        self._cursor.execute(sql, key)

    def _drop_sums(self, org_id: str) -> None:
        self._cursor.execute("DELETE FROM org_billing_usage_hours WHERE org_id = ?", (org_id,))

    def _sums_of(
        self, org_id: str, start: datetime, end: datetime, metrics: Sequence[str] | None
    ) -> Mapping[str, EventSum]:
        names = metrics
        if names is None:
            names = self._event_names(org_id, "org_billing_usage_hours")
        rows_by_name: dict[str, list[SumRow]] = {}
        for chunk in chunks(names):
            sql = (
                f"SELECT metric_type, {SUM} FROM org_billing_usage_hours WHERE org_id = ?"
                f" AND metric_type IN ({marks(chunk)}) AND hour >= ? AND hour < ?"
            )
            bounds = hour_text(start), hour_text(end)
            for metric, *row in self._cursor.execute(sql, (org_id, *chunk, *bounds)):
                rows_by_name.setdefault(metric, []).append(tuple(row))
        with readable():
            return {metric_of(name): sum_of_rows(rows) for name, rows in rows_by_name.items()}


def hour_text(hour: datetime) -> str:
    """Write an hour in the order of time, as that of an event's instant begins."""
    return f"{exact_instant(hour)[:13]}:00:00Z"


def row_of_sum(events: EventSum) -> SumRow:
    """Write a sum as columns."""
    at, event_id, last = events.last
    used, largest, quantity = (
        number_text(unscaled(picos)) for picos in (events.picos, events.largest, last)
    )
    return events.events, used, largest, exact_instant(at), event_id, quantity


def sum_of_rows(rows: Iterable[SumRow]) -> EventSum:
    """Return the sum of one stored sum or more.

    A month has 744 of each name: what can be compared as it stands is not parsed.
    """
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
    return EventSum(parse_int(events, "events"), picos, max(largest), last_reading)
