"""Batches of events in SQLite: the numbers of the events that came in each, and its content."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from overages._ground.names import parse_name
from overages.adapters.sqlite.rows import instant_of, readable
from overages.adapters.sqlite.store import SqliteStore
from overages.adapters.sqlite.usage import COUNTED, STANDING, counted_of
from overages.periods.period import format_instant
from overages.usage.event import UsageEvent
from overages.usage.usage_batch import UsageBatch

_CONTENT: Final = "name, digest, events, noted_at"


class BatchTables(SqliteStore):
    """The tables of batches."""

    def _add_batch(self, batch: UsageBatch) -> None:
        self._cursor.execute(
            f"INSERT INTO org_billing_usage_batches ({_CONTENT}) VALUES (?, ?, ?, ?)",
            (batch.name, batch.digest, batch.events, format_instant(batch.noted_at)),
        )

    def _get_batch(self, name: str) -> UsageBatch | None:
        sql = (
            f"SELECT {_CONTENT} FROM org_billing_usage_batches WHERE name = ?"
            " ORDER BY number DESC LIMIT 1"
        )
        row = self._cursor.execute(sql, (name,)).fetchone()
        return None if row is None else _batch_of(row)

    def _all_batches(self) -> Iterable[UsageBatch]:
        sql = f"SELECT {_CONTENT} FROM org_billing_usage_batches ORDER BY number"
        rows = {row[0]: row for row in self._cursor.execute(sql)}  # the last one of each name
        return [_batch_of(row) for row in rows.values()]

    def _orgs_of_batch(self, batch: str) -> Iterable[str]:
        orgs: set[str] = set()
        sql = "SELECT DISTINCT org_id FROM org_billing_usage_events WHERE number BETWEEN ? AND ?"
        for span in self._numbers_of(batch):
            with readable():
                orgs.update(
                    parse_name(each, "org_id") for (each,) in self._cursor.execute(sql, span)
                )
        return orgs

    def _events_of_batch(self, org_id: str, batch: str) -> Iterable[tuple[UsageEvent, datetime]]:
        sql = (
            f"SELECT {COUNTED} FROM org_billing_usage_events"
            f" WHERE org_id = ? AND number BETWEEN ? AND ? AND {STANDING} ORDER BY number"
        )
        rows = [
            row
            for span in self._numbers_of(batch)
            for row in self._cursor.execute(sql, (org_id, *span, org_id)).fetchall()
        ]
        with readable():
            return [counted_of(org_id, row) for row in rows]

    def _numbers_of(self, batch: str) -> Sequence[tuple[int, int]]:
        """Return the first and the last number of each run of events of a batch."""
        sql = (
            "SELECT first, last FROM org_billing_usage_batch_events WHERE batch = ? ORDER BY first"
        )
        return self._cursor.execute(sql, (batch,)).fetchall()


def _batch_of(row: tuple[str, str, int, str]) -> UsageBatch:
    name, digest, events, noted_at = row
    with readable():
        return UsageBatch(name, digest, events, instant_of(noted_at))
