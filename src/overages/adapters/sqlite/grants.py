"""Grants in SQLite: a row each, to which the instant that it was voided at can be added."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeAlias

from overages._ground.value import evolve
from overages.adapters.sqlite.rows import instant_of, readable
from overages.adapters.sqlite.store import SqliteStore
from overages.codec import decode, encode
from overages.errors import InvalidValue
from overages.grants.grant import Grant
from overages.periods.period import format_instant

GRANT_COLUMNS: Final = "grant_id, grant_json, voided_at"

GrantRow: TypeAlias = tuple[str, str, str | None]
"""A grant's id, the grant without the instant that it was voided at, and that instant."""


class GrantTable(SqliteStore):
    """The table of grants."""

    def _add_grant(self, org_id: str, grant: Grant) -> None:
        text = encode(evolve(grant, voided_at=None)).decode()
        voided_at = None if grant.voided_at is None else format_instant(grant.voided_at)
        self._cursor.execute(
            f"INSERT INTO org_billing_grants (org_id, {GRANT_COLUMNS}) VALUES (?, ?, ?, ?)",
            (org_id, grant.id, text, voided_at),
        )

    def _set_voided(self, org_id: str, grant_id: str, moment: datetime) -> None:
        sql = "UPDATE org_billing_grants SET voided_at = ? WHERE org_id = ? AND grant_id = ?"
        self._cursor.execute(sql, (format_instant(moment), org_id, grant_id))

    def _get_grant(self, org_id: str, grant_id: str) -> Grant | None:
        sql = f"SELECT {GRANT_COLUMNS} FROM org_billing_grants WHERE org_id = ? AND grant_id = ?"
        grants = grants_of(self._cursor.execute(sql, (org_id, grant_id)).fetchall())
        return grants[0] if grants else None

    def _grants_of(self, org_id: str) -> Iterable[Grant]:
        sql = f"SELECT {GRANT_COLUMNS} FROM org_billing_grants WHERE org_id = ?"
        return grants_of(self._cursor.execute(sql, (org_id,)).fetchall())


def grants_of(rows: Iterable[GrantRow]) -> list[Grant]:
    """Return the grants that rows keep."""
    with readable():
        return [_grant_of(*row) for row in rows]


def _grant_of(grant_id: str, text: str, voided_at: str | None) -> Grant:
    grant = decode(text, Grant)
    if grant.id != grant_id:
        raise InvalidValue("grant_id", grant_id, f"must be that of the grant, {grant.id!r}")
    return grant if voided_at is None else evolve(grant, voided_at=instant_of(voided_at))
