"""Many orgs as they are kept in SQLite, read by one query for each table.

    held_orgs(cursor, codec, {"org-1": [february], "org-2": [february]})   # HeldOrg by org

An org of which something can't be read is left out: who asks for it alone gets the error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from overages.adapters.held import HeldOrg, HeldPeriods
from overages.adapters.sqlite.bulk import BulkQueries, Row
from overages.adapters.sqlite.catalogue import decoded_account
from overages.adapters.sqlite.closings import CLOSINGS, closing_of
from overages.adapters.sqlite.grants import GRANT_COLUMNS, grants_of
from overages.adapters.sqlite.held_usage import usage_of_periods
from overages.adapters.sqlite.records import COLUMNS_OF_RECORD
from overages.adapters.sqlite.rows import (
    coarse_span,
    instant_of,
    period_columns,
    period_of,
    record_of,
)
from overages.codec import Codec
from overages.periods.period import Period
from overages.records.chain import ChainHead
from overages.records.closing import Closing
from overages.records.record import OverageRecord, by_sequence

_Closed: TypeAlias = Mapping[str, Mapping[Period, datetime]]

_ACCOUNTS: Final = "SELECT org_id, entry FROM org_billing_accounts"
_CLOSED: Final = (
    "SELECT org_id, billing_period_start, billing_period_end, closed_at FROM org_billing_closings"
)
_HEADS: Final = "SELECT org_id, sequence, id FROM org_billing_chain_heads"
_GRANTS: Final = f"SELECT org_id, {GRANT_COLUMNS} FROM org_billing_grants"
_PERIOD: Final = "org_id, billing_period_start, billing_period_end"
_LAST: Final = f" {CLOSINGS} JOIN wanted USING ({_PERIOD}) ORDER BY org_id, number"
_RECORDS: Final = (
    f" SELECT {COLUMNS_OF_RECORD} FROM wanted JOIN org_billing_overages USING (org_id)"
    " WHERE billing_period_end >= since ORDER BY org_id"
)


def held_orgs(
    cursor: sqlite3.Cursor,
    codec: Codec,
    periods: Mapping[str, Sequence[Period]],
    seen: Mapping[str, HeldOrg],
) -> dict[str, HeldOrg]:
    """Return orgs as they are kept, with periods of theirs, by org.

    :param seen: orgs that were read before, since when nothing was written.
    """
    queries = BulkQueries(cursor, list(periods))
    orgs = seen if periods.keys() <= seen.keys() else _orgs(queries, codec, periods)
    wanted = {org_id: sorted(own) for org_id, own in periods.items() if own}
    if not wanted:
        return {org_id: orgs[org_id] for org_id in periods if org_id in orgs}
    closed = {org_id: orgs[org_id].closed for org_id in wanted if org_id in orgs}
    about = _about(queries, codec, wanted, closed)
    return {
        org_id: HeldOrg(orgs[org_id].account, orgs[org_id].closed, about.get(org_id))
        for org_id in periods
        if org_id in orgs and org_id not in queries.faulty
    }


def _orgs(queries: BulkQueries, codec: Codec, orgs: Iterable[str]) -> dict[str, HeldOrg]:
    """Return the part of orgs that is about no period."""
    accounts = queries.made(
        queries.among(_ACCOUNTS, order="place"),
        lambda org_id, rows: decoded_account(codec, org_id, tuple([entry for _, entry in rows])),
    )
    closed: _Closed = queries.made(
        queries.among(_CLOSED, where="number = 1"),
        lambda _, rows: {period_of(start, end): instant_of(at) for _, start, end, at in rows},
    )
    return {
        org_id: HeldOrg(accounts.get(org_id), closed.get(org_id, {}), None)
        for org_id in orgs
        if org_id not in queries.faulty
    }


def _about(
    queries: BulkQueries, codec: Codec, periods: Mapping[str, Sequence[Period]], closed: _Closed
) -> dict[str, HeldPeriods]:
    """Return the part about periods of orgs, by org."""
    last = _last(queries, codec, closed)
    heads = queries.made(queries.among(_HEADS), lambda _, rows: ChainHead(*rows[0][1:]))
    grants = queries.made(queries.among(_GRANTS), lambda _, rows: grants_of([r[1:] for r in rows]))
    recorded = {org_id: own for org_id, own in periods.items() if org_id in heads}
    records = _records(queries, recorded)
    are_new = not heads and all(len(own) == 1 for own in periods.values())
    usage = usage_of_periods(queries, periods, are_new=are_new)
    return {
        org_id: HeldPeriods(
            own[0].start,
            last.get(org_id),
            heads.get(org_id),
            grants.get(org_id, ()),
            records.get(org_id, ()),
            usage[org_id],
        )
        for org_id, own in periods.items()
    }


def _last(queries: BulkQueries, codec: Codec, closed: _Closed) -> dict[str, Closing]:
    """Return the last closing of the latest closed period of each org."""
    wanted = [(org_id, *period_columns(max(own))) for org_id, own in closed.items() if own]
    rows = queries.joined(wanted, _PERIOD, _LAST)
    return queries.made(rows, lambda _, own: closing_of(own[-1], codec))


def _records(
    queries: BulkQueries, periods: Mapping[str, Sequence[Period]]
) -> dict[str, list[OverageRecord]]:
    """Return the records of each org of times that end later than its first period starts."""
    since = [
        (org_id, coarse_span(own[0].start, own[0].start)[0]) for org_id, own in periods.items()
    ]
    rows = queries.joined(since, "org_id, since", _RECORDS)
    return queries.made(rows, lambda _, own: _records_of(own))


def _records_of(rows: Sequence[Row]) -> list[OverageRecord]:
    return sorted([record_of(row[:-1], row[-1]) for row in rows], key=by_sequence)
