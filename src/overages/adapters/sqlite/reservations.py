"""Reservations in SQLite: a row each, to which the outcome is added once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.jsontext import entries, parsed
from overages.adapters.event_texts import exact_instant
from overages.adapters.reservations import Held
from overages.adapters.sqlite.rows import (
    exact_bounds,
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
HELD: Final = (
    "SELECT units, count(*) AS holds FROM org_billing_reservations"
    " WHERE org_id = ? AND outcome IS NULL AND reserved_at >= ? AND reserved_at < ?"
    " AND expires_at > ? GROUP BY units"
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
            sql, parameters = f"{_OF_ORG} AND {_MADE_IN}", [org_id, *exact_bounds(period)]
        return [reservation_of(row) for row in self._cursor.execute(sql, parameters).fetchall()]

    def _holds_in(self, org_id: str, period: Period, at: datetime) -> Iterable[Held]:
        # Those that hold the same units are counted together: a busy org may have thousands.
        parameters = (org_id, *exact_bounds(period), exact_instant(at))
        rows = self._cursor.execute(HELD, parameters).fetchall()
        with readable():
            return [(units_of(text, "units"), holds) for text, holds in rows]


def _text(units: Mapping[str, Quantity]) -> str:
    return json.dumps({metric: number_text(units[metric]) for metric in sorted(units)})


@lru_cache(maxsize=1024)  # many hold one and the same
def units_of(text: str, field: str) -> FrozenDict[str, Quantity]:
    """Return stored units by metric."""
    units = entries(parsed(text), field).items()
    return FrozenDict({metric_of(metric): quantity_of(quantity) for metric, quantity in units})


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
            units_of(units, "units"),
            period_of(start, end),
            exact_instant_of(reserved_at),
            exact_instant_of(expires_at),
            fingerprint,
            outcome,
            units_of(used, "used"),
            None if ended_at is None else exact_instant_of(ended_at),
        )
