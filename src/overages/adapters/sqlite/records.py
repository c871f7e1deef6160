"""Records in SQLite, with the ends of their chains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from overages._ground.names import parse_name
from overages._ground.parsing import instance_of
from overages.adapters.sqlite.closings import KEEP_CLOSING, ClosingTable
from overages.adapters.sqlite.rows import (
    coarse_span,
    period_columns,
    readable,
    record_of,
    summary_of,
)
from overages.adapters.sqlite.store import IN_PERIOD, chunks, marks, write_rows
from overages.lines.adjustment import OVERAGE
from overages.periods.period import Period
from overages.records.chain import CHAIN_START, COLUMNS, ChainHead, Link, StoredRow, link_of
from overages.records.ledger import CounterRow, Ledger
from overages.records.record import OverageRecord, by_sequence
from overages.statements.statement import Statement
from overages.statements.summary import Summary

COLUMNS_OF_RECORD: Final = ", ".join((*COLUMNS, "id"))
_HEADS: Final = "SELECT org_id, sequence, id FROM org_billing_chain_heads"
_RECORDS: Final = f"SELECT {COLUMNS_OF_RECORD} FROM org_billing_overages"
INSERT_RECORD: Final = f"INSERT INTO org_billing_overages ({COLUMNS_OF_RECORD}) VALUES"
SET_HEAD: Final = "INSERT INTO org_billing_chain_heads (org_id, sequence, id) VALUES"
OTHER_HEAD: Final = "ON CONFLICT DO UPDATE SET sequence = excluded.sequence, id = excluded.id"
SET_OVERAGE: Final = (
    "INSERT INTO org_billing_usage_monthly (org_id, billing_period_start, billing_period_end,"
    " metric_type, overage, overage_cost, currency, currency_exponent) VALUES"
)
OTHER_OVERAGE: Final = (
    "ON CONFLICT DO UPDATE SET overage = excluded.overage, overage_cost = excluded.overage_cost,"
    " currency = excluded.currency, currency_exponent = excluded.currency_exponent"
)


class RecordTables(ClosingTable):
    """The tables of records and chain heads."""

    def _ledgers(self, statements: Sequence[Statement]) -> Mapping[str, Ledger]:
        orgs = sorted({statement.org_id for statement in statements})
        if not orgs:
            return {}
        first = min(statement.period.start for statement in statements)
        last = max(statement.period.end for statement in statements)
        ledgers = {}
        for chunk in chunks(orgs):
            among = f"WHERE org_id IN ({marks(chunk)})"
            sql = f"{_HEADS} {among}"
            with readable():
                heads = {row[0]: ChainHead(*row[1:]) for row in self._cursor.execute(sql, chunk)}
            since, until = coarse_span(first, last)
            closed = self._closed_among(
                f"{among} AND billing_period_start < ? AND billing_period_end >= ?",
                (*chunk, until, since),
            )
            sql = f"{_RECORDS} {among} AND billing_period_start < ? AND billing_period_end >= ?"
            rows = self._cursor.execute(sql, (*chunk, until, since)).fetchall()
            by_org: dict[str, list[OverageRecord]] = {}
            with readable():
                for row in rows:
                    by_org.setdefault(row[0], []).append(record_of(row[:-1], row[-1]))
                for records in by_org.values():
                    records.sort(key=by_sequence)
            for org_id in chunk:
                ledgers[org_id] = Ledger(
                    org_id,
                    records=by_org.get(org_id, ()),
                    head=heads.get(org_id),
                    closed=closed.get(org_id, {}),
                )
        return ledgers

    def _append(self, ledgers: Iterable[Ledger]) -> None:
        changed = [ledger for ledger in ledgers if ledger.new or ledger.closings]
        self._write_records(
            [row for ledger in changed for row in ledger.new],
            [(each.org_id, each.head.sequence, each.head.digest) for each in changed],
            [row for ledger in changed for row in ledger.counters],
            [link for ledger in changed for link, _ in ledger.closings],
        )

    def _write_records(
        self,
        records: Sequence[StoredRow],
        heads: Sequence[tuple[str, int, str]],
        counters: Sequence[CounterRow],
        closings: Sequence[Link],
    ) -> None:
        """Write the rows of some recordings and closings."""
        cursor = self._cursor
        write_rows(cursor, INSERT_RECORD, records)
        write_rows(cursor, SET_HEAD, heads, OTHER_HEAD)
        write_rows(cursor, SET_OVERAGE, counters, OTHER_OVERAGE)
        write_rows(cursor, KEEP_CLOSING, [(*link.columns, link.digest) for link in closings])

    def _records_of(self, org_id: str, period: Period | None) -> Iterable[OverageRecord]:
        if period is None:
            rows = self._cursor.execute(f"{_RECORDS} WHERE org_id = ?", (org_id,)).fetchall()
        else:
            key = (org_id, *period_columns(period))
            rows = self._cursor.execute(f"{_RECORDS} WHERE {IN_PERIOD}", key).fetchall()
        with readable():
            return [record_of(row[:-1], row[-1]) for row in rows]

    def summary(self, org_id: str, period: Period | None = None) -> Summary | None:
        """Sum an org's records of a period, as `aggregate` does; None if there is no record."""
        parse_name(org_id, "org_id")
        sql = (
            "SELECT metric_type, line, amount, cost, currency, currency_exponent"
            " FROM org_billing_overages WHERE "
        )
        return self._summed(sql, org_id, period)

    def overage(self, org_id: str, period: Period) -> Summary | None:
        """Return the overage that is kept beside an org's usage of a period, by metric."""
        parse_name(org_id, "org_id")
        instance_of(Period)(period, "period")
        sql = (
            f"SELECT metric_type, '{OVERAGE}', overage, overage_cost, currency, currency_exponent"
            " FROM org_billing_usage_monthly WHERE "
        )
        return self._summed(sql, org_id, period)

    def _summed(self, sql: str, org_id: str, period: Period | None) -> Summary | None:
        """Sum rows of metric, line, quantity, cost and currency (SQL would sum to a float)."""
        if period is None:
            rows = self._database.rows(f"{sql}org_id = ?", (org_id,))
        else:
            key = (org_id, *period_columns(instance_of(Period)(period, "period")))
            rows = self._database.rows(f"{sql}{IN_PERIOD}", key)
        return summary_of(rows) if rows else None

    def _head(self, org_id: str) -> ChainHead | None:
        sql = "SELECT sequence, id FROM org_billing_chain_heads WHERE org_id = ?"
        row = self._cursor.execute(sql, (org_id,)).fetchone()
        with readable():
            return None if row is None else ChainHead(*row)

    def _chains(self, org_id: str | None) -> Iterator[tuple[str, list[Link], ChainHead]]:
        """Yield each org with its links and its head, either of which may have been lost."""
        fetch = self._cursor.execute
        for among, orgs in self._spans(org_id):
            heads = fetch(f"{_HEADS} WHERE {among}", orgs).fetchall()
            records = ((row[0], link_of(row)) for row in fetch(f"{_RECORDS} WHERE {among}", orgs))
            yield from _paired(heads, chain(records, self._closing_links(among, orgs)))


def _paired(
    heads: Iterable[tuple[str, int, str]], linked: Iterable[tuple[str, Link]]
) -> Iterator[tuple[str, list[Link], ChainHead]]:
    """Yield the orgs of heads and links, each with both, sorted."""
    with readable():
        ends = {org_id: ChainHead(sequence, digest) for org_id, sequence, digest in heads}
        links: dict[str, list[Link]] = {org_id: [] for org_id in ends}
        for org_id, link in linked:
            links.setdefault(org_id, []).append(link)
        for org_id in sorted(links):
            yield org_id, links[org_id], ends.get(org_id, CHAIN_START)
