"""The reservations of repositories: append-only facts, of which each ends once.

class BaseRepository(Reservations): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, optional, parse_all
from overages.adapters.storage import Storage
from overages.amounts.exact import Quantity, QuantityLike, scaled, unscaled
from overages.errors import UnknownReservation
from overages.periods.period import Period, parse_instant
from overages.quotas.reservation import Reservation

Held: TypeAlias = tuple[Mapping[str, Quantity], int]
"""Units by metric, and by how many reservations they are held."""

_period: Final = instance_of(Period)
_optional_period: Final = optional(_period)


class Reservations(Storage):
    """Keeps the part of the contract that is about reservations."""

    def put_reservation(self, reservation: Reservation) -> Reservation:
        """Keep a reservation; return the one that is kept under its key."""
        instance_of(Reservation)(reservation, "reservation")
        with self._writing():
            before = self._get_reservation(reservation.org_id, reservation.key)
            if before is not None:
                before.require_request(reservation.fingerprint)
                return before
            self._add_reservation(reservation)
        return reservation

    def commit_reservation(
        self,
        org_id: str,
        key: str,
        *,
        used: Mapping[str, QuantityLike] | None = None,
        at: datetime,
    ) -> Reservation:
        """Have the units of a reservation be used, and return it so."""
        return self._end(org_id, key, at, lambda before, now: before.committed(used, now))

    def release_reservation(self, org_id: str, key: str, *, at: datetime) -> Reservation:
        """Have the units of a reservation be given back, and return it so."""
        return self._end(org_id, key, at, Reservation.released)

    def _end(
        self,
        org_id: str,
        key: str,
        at: datetime,
        end: Callable[[Reservation, datetime], Reservation],
    ) -> Reservation:
        org_id, key, at = parse_all(
            (parse_name, org_id, "org_id"), (parse_name, key, "key"), (parse_instant, at, "at")
        )
        with self._writing():
            before = self._get_reservation(org_id, key)
            if before is None:
                problem = "must be the key of a reservation of the org's"
                raise UnknownReservation("key", key, problem).within(org_id=org_id)
            after = end(before, at)
            if before.outcome is None:
                self._end_reservation(after)
        return after

    def reservation(self, org_id: str, key: str) -> Reservation | None:
        """Return the reservation of a key; None if there is none."""
        parse_all((parse_name, org_id, "org_id"), (parse_name, key, "key"))
        with self._reading():
            return self._get_reservation(org_id, key)

    def reservations(self, org_id: str, period: Period | None = None) -> tuple[Reservation, ...]:
        """Return the reservations that an org made in a period, or all, in order of time."""
        parse_all((parse_name, org_id, "org_id"), (_optional_period, period, "period"))
        with self._reading():
            made = list(self._reservations_of(org_id, period))
        return tuple(sorted(made, key=Reservation.rank))

    def held_units(self, org_id: str, period: Period, at: datetime) -> Mapping[str, Quantity]:
        """Return the units by metric that reservations made in a period hold at an instant."""
        org_id, period, at = parse_all(
            (parse_name, org_id, "org_id"), (_period, period, "period"), (parse_instant, at, "at")
        )
        with self._reading():
            return units_held(self._holds_in(org_id, period, at))

    def _holds_in(self, org_id: str, period: Period, at: datetime) -> Iterable[Held]:
        """Return the units that are held at an instant, and by how many, made in a period."""
        made = self._reservations_of(org_id, period)
        return [(each.units, 1) for each in made if each.holds_at(at)]


def units_held(held: Iterable[Held]) -> dict[str, Quantity]:
    """Return the units by metric that are held in all."""
    picos: dict[str, int] = {}
    for units, holds in held:
        for metric, quantity in units.items():
            picos[metric] = picos.get(metric, 0) + scaled(quantity) * holds
    return {metric: unscaled(total) for metric, total in sorted(picos.items()) if total}
