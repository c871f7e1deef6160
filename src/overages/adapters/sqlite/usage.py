"""Usage in SQLite: events as they came, and their sums by period and metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from overages._ground.names import parse_name
from overages.adapters.sqlite.rows import (
    coarse_span,
    event_columns,
    event_of,
    period_columns,
    period_of,
    picos_of,
    readable,
)
from overages.adapters.sqlite.store import IN_PERIOD, SqliteStore, chunks, marks
from overages.adapters.storage import Counts
from overages.amounts.exact import number_text, unscaled
from overages.periods.period import Period
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

_EVENT: Final = "event_id, metric_type, quantity, at, dimensions"
_SET_USED: Final = (
    "INSERT INTO org_billing_usage_monthly (org_id, billing_period_start, billing_period_end,"
    " metric_type, used) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used"
)
_KEEP_PUT: Final = (
    "INSERT INTO org_billing_usage_puts (org_id, billing_period_start, billing_period_end,"
    " metric_type, used, last_event) VALUES (?, ?, ?, ?, ?,"
    " (SELECT coalesce(max(number), 0) FROM org_billing_usage_events))"
)


class UsageTables(SqliteStore):
    """The tables of usage events and of usage by period."""

    def _known_events(self, events: Sequence[UsageEvent]) -> Mapping[tuple[str, str], UsageEvent]:
        wanted: dict[str, set[str]] = {}
        for event in events:
            wanted.setdefault(event.org_id, set()).add(event.id or "")
        stored = {}
        for org_id, ids in wanted.items():
            for chunk in chunks(sorted(ids)):
                sql = (
                    f"SELECT {_EVENT} FROM org_billing_usage_events"
                    f" WHERE org_id = ? AND event_id IN ({marks(chunk)})"
                )
                for row in self._cursor.execute(sql, (org_id, *chunk)).fetchall():
                    with readable():
                        stored[org_id, row[0]] = event_of(org_id, *row)
        return stored

    def _keep_events(self, placed: Sequence[tuple[UsageEvent, Period]]) -> None:
        self._cursor.executemany(
            f"INSERT INTO org_billing_usage_events (org_id, {_EVENT}, billing_period_start,"
            " billing_period_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (event.org_id, *event_columns(event), *period_columns(period))
                for event, period in placed
            ],
        )

    def _events_of(self, org_id: str, period: Period) -> Iterable[UsageEvent]:
        sql = (
            f"SELECT {_EVENT} FROM org_billing_usage_events"
            " WHERE org_id = ? AND at >= ? AND at < ? ORDER BY number"
        )
        rows = self._cursor.execute(
            sql, (org_id, *coarse_span(period.start, period.end))
        ).fetchall()
        with readable():
            events = [event_of(org_id, *row) for row in rows]
        return [event for event in events if event.at in period]

    def _counted_events(
        self, org_id: str, period: Period, metrics: Sequence[str] | None, *, earlier: bool
    ) -> Iterable[tuple[UsageEvent, Period]]:
        first, last = coarse_span(period.start, period.start)
        sql = (
            f"SELECT {_EVENT}, billing_period_start, billing_period_end"
            " FROM org_billing_usage_events"
            " WHERE org_id = ? AND billing_period_start >= ? AND billing_period_start < ?"
        )
        if metrics is not None:
            sql += f" AND metric_type IN ({marks(metrics)})"
        rows = self._cursor.execute(
            f"{sql} ORDER BY number", (org_id, "" if earlier else first, last, *(metrics or ()))
        ).fetchall()
        with readable():
            placed = [(event_of(org_id, *row[:-2]), period_of(*row[-2:])) for row in rows]
        return [
            (event, own)
            for event, own in placed
            if own == period or (earlier and own.start < period.start)
        ]

    def _count(self, counts: Counts) -> None:
        rows = []
        for (org_id, period, metric), picos in counts.items():
            key = (org_id, *period_columns(period))
            sql = (
                f"SELECT used FROM org_billing_usage_monthly WHERE {IN_PERIOD} AND metric_type = ?"
            )
            row = self._cursor.execute(sql, (*key, metric)).fetchone()
            with readable():
                before = picos_of(row[0]) if row else 0
            rows.append((*key, metric, number_text(unscaled(before + picos))))
        self._cursor.executemany(_SET_USED, rows)

    def _set_usage(self, usage: Usage) -> None:
        key = (usage.org_id, *period_columns(usage.period))
        sql = f"SELECT metric_type, used FROM org_billing_usage_monthly WHERE {IN_PERIOD}"
        before = dict(self._cursor.execute(sql, key).fetchall())
        put = {metric: number_text(used) for metric, used in usage.quantities.items()}
        rows = [
            (*key, metric, used)
            for metric, used in {**dict.fromkeys(before, "0"), **put}.items()
            if used != before.get(metric, "0")
        ]
        self._cursor.executemany(_KEEP_PUT, rows)
        self._cursor.executemany(_SET_USED, rows)

    def _used(self, org_id: str, period: Period) -> Mapping[str, int]:
        sql = f"SELECT metric_type, used FROM org_billing_usage_monthly WHERE {IN_PERIOD}"
        rows = self._cursor.execute(sql, (org_id, *period_columns(period))).fetchall()
        with readable():
            return {parse_name(metric, "metric_type"): picos_of(used) for metric, used in rows}

    def _used_in(self, org_id: str) -> Iterable[Period]:
        sql = (
            "SELECT DISTINCT billing_period_start, billing_period_end"
            " FROM org_billing_usage_monthly WHERE org_id = ? AND used <> '0'"
        )
        rows = self._cursor.execute(sql, (org_id,)).fetchall()
        with readable():
            return [period_of(*row) for row in rows]
