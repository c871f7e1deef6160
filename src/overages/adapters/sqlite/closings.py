"""Closings in SQLite: a row each, as it is chained, with balance, grants and settlement as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from overages._ground.jsontext import items, parsed
from overages.adapters.sqlite.rows import (
    LONGEST,
    coarse_span,
    instant_of,
    period_columns,
    period_of,
    readable,
)
from overages.adapters.sqlite.store import IN_PERIOD, SqliteStore
from overages.codec import Codec
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.records.chain import Link
from overages.records.closing import CLOSING_COLUMNS, Closing
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement

_CHAINED: Final = ", ".join((*CLOSING_COLUMNS, "id"))
_LINKS: Final = f"SELECT {_CHAINED} FROM org_billing_closings"
KEEP_CLOSING: Final = f"INSERT INTO org_billing_closings ({_CHAINED}) VALUES"
_COLUMNS: Final = ", ".join(each for each in CLOSING_COLUMNS if each != "settlement")
CLOSINGS: Final = f"SELECT {_COLUMNS}, id FROM org_billing_closings"
_SETTLEMENT: Final = f"SELECT settlement FROM org_billing_closings WHERE {IN_PERIOD} AND number = ?"


class ClosingTable(SqliteStore):
    """The table of closings."""

    def _seal(self, org_id: str, period: Period, upto: str | None = None) -> str:
        with readable():
            return super()._seal(org_id, period, upto)

    def _closing(self, org_id: str, period: Period) -> Closing | None:
        sql = f"{CLOSINGS} WHERE {IN_PERIOD} ORDER BY number DESC LIMIT 1"
        row = self._cursor.execute(sql, (org_id, *period_columns(period))).fetchone()
        return None if row is None else self._closing_of(row)

    def _closing_before(self, org_id: str, instant: datetime) -> Closing | None:
        # Stored instants don't sort as text within a second: those of the last one are looked at.
        until = coarse_span(instant, instant)[1]
        sql = "SELECT max(billing_period_start) FROM org_billing_closings WHERE org_id = ? AND "
        limit, latest = "billing_period_start <= ?", None
        while latest is None:
            (last,) = self._cursor.execute(sql + limit, (org_id, until)).fetchone()
            if last is None:
                return None
            rows = self._cursor.execute(
                f"{CLOSINGS} WHERE org_id = ? AND billing_period_start BETWEEN ? AND ?"
                " ORDER BY number",
                (org_id, last[:19], f"{last[:19]}~"),
            ).fetchall()
            closings = {closing.period: closing for closing in map(self._closing_of, rows)}
            latest = max((p for p in closings if p.end <= instant), default=None)
            limit, until = "billing_period_start < ?", last[:19]
        return closings[latest]

    def _closings_since(self, org_id: str, since: datetime | None) -> Sequence[Closing]:
        first = "" if since is None else coarse_span(since, since)[0]
        sql = f"{CLOSINGS} WHERE org_id = ? AND billing_period_start >= ? ORDER BY number"
        rows = self._cursor.execute(sql, (org_id, first)).fetchall()
        closings = {closing.period: closing for closing in map(self._closing_of, rows)}
        return [each for each in closings.values() if since is None or each.period.start >= since]

    def _closed(self, org_id: str) -> Mapping[Period, datetime]:
        return self._closed_among("WHERE org_id = ?", (org_id,)).get(org_id, {})

    def _closed_among(self, among: str, orgs: Sequence[str]) -> dict[str, dict[Period, datetime]]:
        """Return when each closed period of some orgs first was."""
        by_org: dict[str, dict[Period, datetime]] = {}
        columns = "org_id, billing_period_start, billing_period_end, closed_at"
        sql = f"SELECT {columns} FROM org_billing_closings {among} AND number = 1"
        for org_id, start, end, closed_at in self._cursor.execute(sql, orgs).fetchall():
            with readable():
                by_org.setdefault(org_id, {})[period_of(start, end)] = instant_of(closed_at)
        return by_org

    def _settlement_text(self, org_id: str, closing: Closing) -> str:
        key = (org_id, *period_columns(closing.period), closing.number)
        (text,) = self._cursor.execute(_SETTLEMENT, key).fetchone()
        return str(text)

    def _settled(self, org_id: str, closing: Closing) -> Settlement:
        with readable():
            return super()._settled(org_id, closing)

    def _closing_links(self, among: str, orgs: Sequence[object]) -> Iterator[tuple[str, Link]]:
        """Yield the closings of some orgs as links of their chains."""
        for *columns, digest in self._cursor.execute(f"{_LINKS} WHERE {among}", orgs):
            yield columns[0], Link(columns[-1], tuple(columns), digest)

    def _closing_of(self, row: tuple[Any, ...]) -> Closing:
        with readable():
            return closing_of(row, self._codec)


def closing_of(row: tuple[Any, ...], codec: Codec) -> Closing:
    """Return the closing that a row keeps."""
    org_id, start, end, number, balance, grants, seal, closed_at, sequence, digest = row
    return Closing(
        org_id,
        period_of(start, end),
        number,
        _balance_of(balance, codec),
        _grants_of(grants, codec),
        seal,
        instant_of(closed_at),
        sequence,
        digest,
    )


@lru_cache(maxsize=256)  # most orgs carry nothing on
def _balance_of(text: str, codec: Codec) -> Balance:
    return codec.decode(text, Balance, most_bytes=LONGEST)


@lru_cache(maxsize=256)  # most have none
def _grants_of(text: str, codec: Codec) -> list[Grant]:
    trees = items(parsed(text, LONGEST), "grants")
    return [codec.from_builtins(tree, Grant) for tree in trees]
