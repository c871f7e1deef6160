"""Reservations in SQLite: a row each, to which the outcome is added once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from overages._ground.jsontext import entries, parsed
from overages.adapters.event_texts import exact_instant
from overages.adapters.sqlite.rows import (
    exact_instant_of,
    metric_of,
    period_columns,
    period_of,
    quantity_of,
    readable,
)
from overages.adapters.sqlite.store import SqliteStore
from overages.amounts.exact import Quantity, number_text
from overages.periods.period import Period
from overages.quotas.reservation import Reservation

RESERVATION_COLUMNS: Final = (
    "org_id, key, units, billing_period_start, billing_period_end, reserved_at, expires_at,"
    " fingerprint, outcome, used, ended_at"
)
_OF_ORG: Final = f"SELECT {RESERVATION_COLUMNS} FROM org_billing_reservations WHERE org_id = ?"
_MADE_IN: Final = "reserved_at >= ? AND reserved_at < ?"
_HELD: Final = (
    "SELECT units, count(*) FROM org_billing_reservations"
    f" WHERE org_id = ? AND outcome IS NULL AND expires_at > ? AND {_MADE_IN} GROUP BY units"
)


class ReservationTable(SqliteStore):
    """The table of reservations."""

    def _add_reservation(self, reservation: Reservation) -> None:
        ended_at = reservation.ended_at
        self._cursor.execute(
            f"INSERT INTO org_billing_reservations ({RESERVATION_COLUMNS})"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                reservation.org_id,
                reservation.key,
                _text(reservation.units),
                *period_columns(reservation.period),
                exact_instant(reservation.reserved_at),
                exact_instant(reservation.expires_at),
                reservation.fingerprint,
                reservation.outcome,
                _text(reservation.used),
                None if ended_at is None else exact_instant(ended_at),
            ),
        )

    def _end_reservation(self, reservation: Reservation) -> None:
        assert reservation.ended_at is not None
        self._cursor.execute(
            "UPDATE org_billing_reservations SET outcome = ?, used = ?, ended_at = ?"
            " WHERE org_id = ? AND key = ?",
            (
                reservation.outcome,
                _text(reservation.used),
                exact_instant(reservation.ended_at),
                reservation.org_id,
                reservation.key,
            ),
        )

    def _get_reservation(self, org_id: str, key: str) -> Reservation | None:
        row = self._cursor.execute(f"{_OF_ORG} AND key = ?", (org_id, key)).fetchone()
        return None if row is None else reservation_of(row)

    def _reservations_of(self, org_id: str, period: Period | None) -> Iterable[Reservation]:
        sql, parameters = _OF_ORG, [org_id]
        if period is not None:
            sql, parameters = f"{_OF_ORG} AND {_MADE_IN}", [org_id, *_bounds(period)]
        return [reservation_of(row) for row in self._cursor.execute(sql, parameters).fetchall()]

    def _holds_in(
        self, org_id: str, period: Period, at: datetime
    ) -> Iterable[tuple[Mapping[str, Quantity], int]]:
        # Those that hold the same units are counted together: a busy org may have thousands.
        parameters = (org_id, exact_instant(at), *_bounds(period))
        rows = self._cursor.execute(_HELD, parameters).fetchall()
        with readable():
            return [(_units_of(text, "units"), holds) for text, holds in rows]


def _bounds(period: Period) -> tuple[str, str]:
    return exact_instant(period.start), exact_instant(period.end)


def _text(units: Mapping[str, Quantity]) -> str:
    return json.dumps({metric: number_text(units[metric]) for metric in sorted(units)})


def _units_of(text: str, field: str) -> dict[str, Quantity]:
    """Return stored units by metric."""
    units = entries(parsed(text), field)
    return {metric_of(metric): quantity_of(quantity) for metric, quantity in units.items()}


def reservation_of(row: tuple[Any, ...]) -> Reservation:
    """Return the reservation that a row keeps."""
    (
        org_id, key, units, start, end, reserved_at, expires_at, fingerprint, outcome, used,
        ended_at,
    ) = row  # fmt: skip
    with readable():
        return Reservation(
            org_id,
            key,
            _units_of(units, "units"),
            period_of(start, end),
            exact_instant_of(reserved_at),
            exact_instant_of(expires_at),
            fingerprint,
            outcome,
            _units_of(used, "used"),
            None if ended_at is None else exact_instant_of(ended_at),
        )
