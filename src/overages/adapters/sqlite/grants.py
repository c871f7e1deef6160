"""Grants in SQLite: a row each, to which the instant that it was voided at can be added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from overages.adapters.sqlite.rows import currency_of, instant_of, readable
from overages.adapters.sqlite.store import SqliteStore
from overages.amounts.exact import Quantity, number_text
from overages.amounts.money import Money
from overages.codec import decode, encode
from overages.grants.grant import Grant
from overages.periods.cycle import Cycle
from overages.periods.period import format_instant

COLUMNS_OF_GRANT: Final = (
    "grant_id, metric_type, amount, currency, currency_exponent, priority, effective_at,"
    " expires_at, voided_at, recurrence, rollover_max, rollover_min, refill_keeps, step, created_at"
)
_MARKS: Final = ", ".join("?" * 16)  # the org, and these


class GrantTable(SqliteStore):
    """The table of grants."""

    def _add_grant(self, org_id: str, grant: Grant) -> None:
        self._cursor.execute(
            f"INSERT INTO org_billing_grants (org_id, {COLUMNS_OF_GRANT}) VALUES ({_MARKS})",
            (org_id, *_row_of(grant)),
        )

    def _set_voided(self, org_id: str, grant_id: str, moment: datetime) -> None:
        sql = "UPDATE org_billing_grants SET voided_at = ? WHERE org_id = ? AND grant_id = ?"
        self._cursor.execute(sql, (format_instant(moment), org_id, grant_id))

    def _get_grant(self, org_id: str, grant_id: str) -> Grant | None:
        sql = f"SELECT {COLUMNS_OF_GRANT} FROM org_billing_grants WHERE org_id = ? AND grant_id = ?"
        row = self._cursor.execute(sql, (org_id, grant_id)).fetchone()
        return None if row is None else grants_of([row])[0]

    def _grants_of(self, org_id: str) -> Iterable[Grant]:
        sql = f"SELECT {COLUMNS_OF_GRANT} FROM org_billing_grants WHERE org_id = ?"
        return grants_of(self._cursor.execute(sql, (org_id,)).fetchall())


def grants_of(rows: Iterable[Sequence[Any]]) -> list[Grant]:
    """Return the grants that rows keep."""
    with readable():
        return [_grant_of(*row) for row in rows]


def _row_of(grant: Grant) -> tuple[str | int | None, ...]:
    amount, recurrence = grant.amount, grant.recurrence
    return (
        grant.id,
        grant.metric,
        str(amount.minor) if isinstance(amount, Money) else number_text(amount),
        None if grant.currency is None else grant.currency.code,
        None if grant.currency is None else grant.currency.exponent,
        grant.priority,
        format_instant(grant.effective_at),
        _instant_text(grant.expires_at),
        _instant_text(grant.voided_at),
        None if recurrence is None else encode(recurrence).decode(),
        _number_text(grant.rollover_max),
        number_text(grant.rollover_min),
        _number_text(grant.refill_keeps),
        _number_text(grant.step),
        _instant_text(grant.created_at),
    )


def _grant_of(
    grant_id: str,
    metric: str | None,
    amount: str,
    currency: str | None,
    exponent: int,
    priority: int,
    effective_at: str,
    expires_at: str | None,
    voided_at: str | None,
    recurrence: str | None,
    rollover_max: str | None,
    rollover_min: str,
    refill_keeps: str | None,
    step: str | None,
    created_at: str | None,
) -> Grant:
    return Grant(
        grant_id,
        amount if currency is None else Money(int(amount), currency_of(currency, exponent)),
        metric=metric,
        priority=priority,
        effective_at=instant_of(effective_at),
        expires_at=_optional_instant(expires_at),
        voided_at=_optional_instant(voided_at),
        recurrence=None if recurrence is None else decode(recurrence, Cycle),
        rollover_max=rollover_max,
        rollover_min=rollover_min,
        refill_keeps=refill_keeps,
        step=step,
        created_at=_optional_instant(created_at),
    )


def _instant_text(moment: datetime | None) -> str | None:
    return None if moment is None else format_instant(moment)


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else instant_of(text)


def _number_text(number: Quantity | None) -> str | None:
    return None if number is None else number_text(number)
