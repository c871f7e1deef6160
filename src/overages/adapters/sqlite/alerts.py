"""Alerts in SQLite: a row for each entry of a definition, for each that fired, and each that was
seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from overages.adapters.sqlite.rows import instant_of, period_columns, readable
from overages.adapters.sqlite.store import SqliteStore
from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.fired_alert import FiredAlert
from overages.codec import decode, encode
from overages.errors import InvalidValue
from overages.periods.period import Period, format_instant

ALERT_COLUMNS: Final = "alert_key, fired"


class AlertTables(SqliteStore):
    """The tables of alerts."""

    def _add_alert(
        self, org_id: str | None, alert_id: str, definition: AlertDefinition | None
    ) -> None:
        columns: tuple[object, ...] = (None, None, None)
        if definition is not None:
            text = encode(definition.alert).decode()
            columns = definition.alert_version, text, format_instant(definition.put_at)
        sql = (
            "INSERT INTO org_billing_alerts (org_id, alert_id, version, alert, put_at)"
            " VALUES (?, ?, ?, ?, ?)"
        )
        self._cursor.execute(sql, (org_id, alert_id, *columns))

    def _alerts_put(self, org_id: str | None) -> Sequence[tuple[str, AlertDefinition | None]]:
        sql = (
            "SELECT alert_id, version, alert, put_at FROM org_billing_alerts WHERE org_id IS ?"
            " ORDER BY number"
        )
        rows = self._cursor.execute(sql, (org_id,)).fetchall()
        with readable():
            return [
                (name, None if text is None else _definition(org_id, name, version, text, put_at))
                for name, version, text, put_at in rows
            ]

    def has_alerts(self) -> bool:
        """Tell whether any alert was ever defined, of all orgs or of one."""
        sql = "SELECT EXISTS (SELECT 1 FROM org_billing_alerts)"
        return bool(self._database.rows(sql)[0][0])

    def _keep_alerts(self, fired: Sequence[FiredAlert]) -> None:
        self._cursor.executemany(
            "INSERT INTO org_billing_fired_alerts (org_id, billing_period_start,"
            f" billing_period_end, {ALERT_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
            [
                (each.org_id, *period_columns(each.period), each.key, encode(each).decode())
                for each in fired
            ],
        )

    def _times_fired(self, org_id: str, alert_id: str) -> int:
        sql = (
            "SELECT count(*) FROM org_billing_fired_alerts"
            " WHERE org_id = ? AND alert_key > ? AND alert_key < ?"  # all keys of the id
        )
        bounds = f"{alert_id}-", f"{alert_id}."
        (entries,) = self._cursor.execute(sql, (org_id, *bounds)).fetchone()
        return int(entries)

    def _alerts_of(self, org_id: str, period: Period | None) -> Iterable[FiredAlert]:
        sql = f"SELECT {ALERT_COLUMNS} FROM org_billing_fired_alerts WHERE org_id = ?"
        parameters: tuple[str, ...] = (org_id,)
        if period is not None:
            sql += " AND billing_period_start = ? AND billing_period_end = ?"
            parameters = (org_id, *period_columns(period))
        return fired_of(org_id, self._cursor.execute(f"{sql} ORDER BY number", parameters))

    def _acknowledge(self, org_id: str, key: str, moment: datetime, by: str | None) -> None:
        sql = "INSERT INTO org_billing_alert_acknowledgements VALUES (?, ?, ?, ?)"
        self._cursor.execute(sql, (org_id, key, format_instant(moment), by))

    def _acknowledgements_of(self, org_id: str) -> Mapping[str, tuple[datetime, str | None]]:
        sql = (
            "SELECT alert_key, acknowledged_at, acknowledged_by"
            " FROM org_billing_alert_acknowledgements WHERE org_id = ?"
        )
        rows = self._cursor.execute(sql, (org_id,)).fetchall()
        with readable():
            return {key: (instant_of(moment), by) for key, moment, by in rows}


@lru_cache(maxsize=1024)  # each batch of usage asks for them, and most orgs have the same
def _definition(
    org_id: str | None, alert_id: str, version: int, text: str, put_at: str
) -> AlertDefinition:
    alert = decode(text, Alert)
    if alert.id != alert_id:
        raise InvalidValue("alert_id", alert_id, f"must be that of the alert, {alert.id!r}")
    return AlertDefinition(alert, version, instant_of(put_at), org_id=org_id)


def fired_of(org_id: str, rows: Iterable[tuple[str, str]]) -> list[FiredAlert]:
    """Return the alerts that fired, of their rows."""
    with readable():
        return [_fired(org_id, *row) for row in rows]


@lru_cache(maxsize=1024)
def _fired(org_id: str, key: str, text: str) -> FiredAlert:
    fired = decode(text, FiredAlert)
    if (fired.org_id, fired.key) != (org_id, key):
        problem = f"must be that of the alert, {fired.key!r} of {fired.org_id!r}"
        raise InvalidValue("alert_key", key, problem)
    return fired
