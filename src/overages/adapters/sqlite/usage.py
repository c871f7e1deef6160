"""Usage in SQLite: events as they came and withdrawals of them, and the sums that hosts put."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from overages.adapters.event_texts import (
    EventRow,
    PutRow,
    WithdrawalRow,
    dimensions_text,
    exact_instant,
)
from overages.adapters.sqlite.rows import (
    event_of,
    exact_bounds,
    exact_instant_of,
    metric_of,
    picos_of,
    readable,
)
from overages.adapters.sqlite.store import SqliteStore, chunks, marks, write_columns
from overages.adapters.sqlite.sum_rows import LATEST
from overages.amounts.exact import number_text, unscaled
from overages.periods.period import Period
from overages.usage.event import CountedEvents, EventColumns, UsageEvent
from overages.usage.usage import Usage

_EVENT: Final = "event_id, metric_type, quantity, at, dimensions"
COUNTED: Final = f"{_EVENT}, counts_at, number"
_KEEP_EVENT: Final = (
    f"INSERT INTO org_billing_usage_events (number, org_id, {_EVENT}, counts_at) VALUES"
)
STANDING: Final = (  # asked of each event: a list of all withdrawals would be made for each query
    "NOT EXISTS (SELECT 1 FROM org_billing_usage_withdrawals AS withdrawals"
    " WHERE event = org_billing_usage_events.number AND withdrawals.org_id = ?)"
)
_NAMES: Final = (  # one look-up for each, however many events there are of a name
    "WITH RECURSIVE names (name) AS ("
    " SELECT min(metric_type) FROM org_billing_usage_events WHERE org_id = ? UNION ALL"
    " SELECT (SELECT min(metric_type) FROM org_billing_usage_events"
    " WHERE org_id = ? AND metric_type > name) FROM names WHERE name IS NOT NULL"
    ") SELECT name FROM names WHERE name IS NOT NULL"
)
_PAGE: Final = 100  # events that are read at once, from the last one back


class UsageTables(SqliteStore):
    """The tables of usage events, of withdrawals, and of sums that were put."""

    def _known_events(self, events: EventColumns) -> Mapping[tuple[str, str], UsageEvent]:
        stored = {}
        for chunk in chunks(events.identities(), 2):
            sql = (
                f"WITH wanted (org, id) AS (VALUES {marks(chunk, '(?, ?)')})"
                f" SELECT org, {_EVENT} FROM wanted CROSS JOIN org_billing_usage_events"
                " ON org_id = org AND event_id = id"
            )
            for org_id, *row in self._cursor.execute(sql, tuple(chain.from_iterable(chunk))):
                with readable():
                    stored[org_id, row[0]] = event_of(org_id, *row)
        return stored

    def _insert_events(self, counted: CountedEvents, batch: str | None) -> int:
        """Insert events, each with when it counts, and return the number of the first."""
        first = self._last_number() + 1
        write_columns(self._cursor, _KEEP_EVENT, _columns_of(first, counted))
        if batch is not None and counted:
            self._keep_in_batch(batch, first, first + len(counted) - 1)
        return first

    def _last_number(self) -> int:
        """Return the number of the last event; 0 if there is none."""
        sql = "SELECT coalesce(max(number), 0) FROM org_billing_usage_events"
        return int(self._cursor.execute(sql).fetchone()[0])

    def _keep_in_batch(self, batch: str, first: int, last: int) -> None:
        """Note the numbers of events that came in a batch.

        Those that follow on each other are one row, however few came at once.
        """
        grown = self._cursor.execute(
            "UPDATE org_billing_usage_batch_events SET last = ? WHERE batch = ? AND last = ?",
            (last, batch, first - 1),
        )
        if not grown.rowcount:
            sql = "INSERT INTO org_billing_usage_batch_events VALUES (?, ?, ?)"
            self._cursor.execute(sql, (batch, first, last))

    def _event_names(self, org_id: str) -> list[str]:
        """Return the names that an org has events of."""
        return [name for (name,) in self._cursor.execute(_NAMES, (org_id, org_id)).fetchall()]

    def _events_of(
        self, org_id: str, period: Period, metrics: Sequence[str] | None
    ) -> Iterable[UsageEvent]:
        start, end = exact_bounds(period)
        counted = self._counted_rows(org_id, start, end, metrics)
        with readable():
            rows = [row for row in counted if row[3] >= start]  # none counts before it happened
        sql = (
            f"SELECT {COUNTED} FROM org_billing_usage_events WHERE org_id = ?"
            f" AND counts_at <> at AND at >= ? AND at < ? AND counts_at >= ? AND {STANDING}"
        )
        late = self._cursor.execute(sql, (org_id, start, end, end, org_id))
        rows += [row for row in late if metrics is None or row[1] in metrics]
        with readable():
            rows.sort(key=_time_order)
            return [event_of(org_id, *row[:5]) for row in rows]

    def _counted_events(
        self,
        org_id: str,
        start: datetime | None,
        end: datetime | None,
        metrics: Sequence[str] | None,
    ) -> Iterable[tuple[UsageEvent, datetime]]:
        first = "" if start is None else exact_instant(start)
        last = LATEST if end is None else exact_instant(end)
        rows = self._counted_rows(org_id, first, last, metrics)
        with readable():
            return [counted_of(org_id, row) for row in rows]

    def _counted_rows(
        self, org_id: str, start: str, end: str, metrics: Sequence[str] | None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of the events that count from an instant to another, in that order."""
        rows = []
        parts = list(chunks(self._event_names(org_id) if metrics is None else metrics))
        for chunk in parts:
            sql = (
                f"SELECT {COUNTED} FROM org_billing_usage_events"
                f" WHERE org_id = ? AND metric_type IN ({marks(chunk)})"
                f" AND counts_at >= ? AND counts_at < ? AND {STANDING} ORDER BY counts_at, number"
            )
            rows += self._cursor.execute(sql, (org_id, *chunk, start, end, org_id)).fetchall()
        if len(parts) > 1:
            with readable():
                rows.sort(key=_count_order)
        return rows

    def _latest_events(
        self, org_id: str, metric: str, before: datetime
    ) -> Iterator[tuple[UsageEvent, datetime]]:
        sql = (
            f"SELECT {COUNTED} FROM org_billing_usage_events"
            " WHERE org_id = ? AND metric_type = ? AND (counts_at, number) < (?, ?)"
            f" AND {STANDING} ORDER BY counts_at DESC, number DESC LIMIT {_PAGE}"
        )
        last: tuple[str, int] = exact_instant(before), 0
        while rows := self._cursor.execute(sql, (org_id, metric, *last, org_id)).fetchall():
            for row in rows:
                with readable():
                    counted = counted_of(org_id, row)
                yield counted
            last = rows[-1][-2:]

    def _event_rows(self, org_id: str, period: Period) -> Sequence[EventRow]:
        bounds = exact_bounds(period)
        rows: list[tuple[Any, ...]] = []
        for chunk in chunks(self._event_names(org_id)):
            sql = (
                "SELECT number, coalesce(event_id, ''), metric_type, quantity, at, dimensions,"
                " counts_at FROM org_billing_usage_events"
                f" WHERE org_id = ? AND metric_type IN ({marks(chunk)})"
                " AND counts_at >= ? AND counts_at < ?"
            )
            rows += self._cursor.execute(sql, (org_id, *chunk, *bounds)).fetchall()
        rows.sort()
        return [row[1:] for row in rows]

    def _put_rows(self, org_id: str, period: Period) -> Sequence[PutRow]:
        sql = (
            "SELECT span_start, span_end, metric_type, used FROM org_billing_usage_puts"
            " WHERE org_id = ? AND span_start >= ? AND span_end <= ? ORDER BY number"
        )
        return self._cursor.execute(sql, (org_id, *exact_bounds(period))).fetchall()

    # Withdrawals

    def _withdrawal_rows(self, org_id: str, period: Period) -> Sequence[WithdrawalRow]:
        sql = (
            "SELECT event_id, withdrawn_at FROM org_billing_usage_withdrawals AS withdrawals"
            " JOIN org_billing_usage_events AS events ON events.number = event"
            " WHERE withdrawals.org_id = ? AND counts_at >= ? AND counts_at < ?"
            " ORDER BY withdrawals.number"
        )
        return self._cursor.execute(sql, (org_id, *exact_bounds(period))).fetchall()

    def _events_by_id(
        self, org_id: str, ids: Sequence[str]
    ) -> Mapping[str, tuple[UsageEvent, datetime]]:
        counted = {}
        for chunk in chunks(ids):
            sql = (
                f"SELECT {COUNTED} FROM org_billing_usage_events"
                f" WHERE org_id = ? AND event_id IN ({marks(chunk)})"
            )
            for row in self._cursor.execute(sql, (org_id, *chunk)):
                with readable():
                    counted[row[0]] = counted_of(org_id, row)
        return counted

    def _withdrawn_among(self, org_id: str, ids: Sequence[str]) -> Mapping[str, datetime]:
        withdrawn = {}
        for chunk in chunks(ids):
            sql = (
                "SELECT event_id, withdrawn_at FROM org_billing_usage_events AS events"
                " JOIN org_billing_usage_withdrawals AS withdrawals ON event = events.number"
                " WHERE events.org_id = ? AND withdrawals.org_id = ?"
                f" AND event_id IN ({marks(chunk)})"
            )
            for event_id, at in self._cursor.execute(sql, (org_id, org_id, *chunk)):
                with readable():
                    withdrawn[event_id] = exact_instant_of(at)
        return withdrawn

    def _set_withdrawn(self, org_id: str, ids: Sequence[str], at: datetime) -> None:
        sql = (
            "INSERT INTO org_billing_usage_withdrawals (org_id, event, withdrawn_at)"
            " SELECT org_id, number, ? FROM org_billing_usage_events"
            " WHERE org_id = ? AND event_id = ?"
        )
        text = exact_instant(at)
        self._cursor.executemany(sql, [(text, org_id, event_id) for event_id in ids])

    # Sums that were put

    def _put(self, usage: Usage, picos: Mapping[str, int]) -> None:
        span = exact_instant(usage.period.start), exact_instant(usage.period.end)
        self._cursor.executemany(
            "INSERT INTO org_billing_usage_puts (org_id, span_start, span_end, metric_type, used)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (usage.org_id, *span, metric, number_text(unscaled(units)))
                for metric, units in picos.items()
            ],
        )

    def _puts_of(self, org_id: str, period: Period) -> Iterable[Usage]:
        sql = (
            "SELECT span_start, span_end, metric_type, used FROM org_billing_usage_puts"
            " WHERE org_id = ? AND span_end > ? AND span_start < ? ORDER BY number"
        )
        rows = self._cursor.execute(sql, (org_id, *exact_bounds(period))).fetchall()
        with readable():
            return puts_of(org_id, rows)


def puts_of(org_id: str, rows: Iterable[PutRow]) -> list[Usage]:
    """Return the sums that are in force of rows, in the order in which they were put."""
    put: dict[tuple[str, str], dict[str, int]] = {}
    for start, end, metric, used in rows:
        put.setdefault((start, end), {})[metric_of(metric)] = picos_of(used)
    return [
        Usage(
            org_id,
            Period(exact_instant_of(start), exact_instant_of(end)),
            {metric: unscaled(picos) for metric, picos in units.items() if picos},
        )
        for (start, end), units in put.items()
    ]


def _columns_of(first: int, counted: CountedEvents) -> Sequence[Sequence[Any]]:
    """Write events, numbered from the first one on, and the instants that they count at."""
    events, instants = counted.events, counted.instants
    times = [*map(exact_instant, events.times)]
    return (
        range(first, first + len(events)),
        events.orgs,
        events.ids,
        events.metrics,
        [*map(number_text, events.quantities)],
        times,
        [*map(dimensions_text, events.dimensions)],
        times if instants is events.times else [*map(exact_instant, instants)],
    )


def _time_order(row: tuple[Any, ...]) -> tuple[str, int]:
    """Return the instant of a row's event, and its number."""
    return row[3], row[6]


def counted_of(org_id: str, row: tuple[Any, ...]) -> tuple[UsageEvent, datetime]:
    """Return the event of a row, and the instant that it counts at, which mostly is its own."""
    event_id, metric, quantity, at, dimensions, counts_at, _ = row
    event = event_of(org_id, event_id, metric, quantity, at, dimensions)
    return event, event.at if counts_at == at else exact_instant_of(counts_at)


def _count_order(row: tuple[Any, ...]) -> tuple[str, int]:
    """Return the instant that a row's event counts at, and its number."""
    return row[5], row[6]
