"""Reservations: units that are held for an org until an instant, then used or given back.

All that becomes of one follows from its facts and the instant that is asked about; nothing has to
run for it to expire:

    reservation.state_at(now)                         # "held", "expired", "committed", "released"
    reservation.committed({"runs": 7}, now)           # what was used of it, more or fewer
    reservation.released(now)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, optional
from overages._ground.value import evolve, term, value
from overages.amounts.exact import Quantity, QuantityLike, excess, parse_non_negative
from overages.errors import InvalidValue, OveragesError, ReservationConflict
from overages.periods.period import Period, format_instant, parse_instant

Outcome: TypeAlias = Literal["committed", "released"]
"""The end of a reservation: its units were used, or given back."""

ReservationState: TypeAlias = Literal["held", "expired", "committed", "released"]
"""The state of a reservation at an instant."""

_parse_units: Final = by_metric(parse_non_negative, "metrics to quantities")
_NO_UNITS: Final[Mapping[str, Quantity]] = FrozenDict()


@value
class Reservation:
    """Units that are held for an org, from one instant to another, under a key of its own.

    :param org_id: whose they are.
    :param key: a name that is unique within its org, for ever: that of a request, say.
    :param units: those that are held, by metric.
    :param period: the org's period that they count in, whenever they are committed.
    :param reserved_at: since when, timezone-aware; their usage counts at that instant.
    :param expires_at: the first instant at which they are held no more.
    :param fingerprint: a text that tells the request from others under the same key.
    :param outcome: how it ended; None as long as it didn't.
    :param used: where it is committed, the units that were used, by metric; each is one of `units`.
    :param ended_at: when it was committed or released.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several faults.

    >>> from datetime import UTC
    >>> noon, one = datetime(2024, 2, 3, 12, tzinfo=UTC), datetime(2024, 2, 3, 13, tzinfo=UTC)
    >>> held = Reservation("acme", "req-1", {"runs": 10}, Period.month(2024, 2), noon, one, "-")
    >>> held.state_at(noon), held.state_at(one), held.committed({"runs": 12}, noon).beyond
    ('held', 'expired', {'runs': 2})
    """

    org_id: str = term(parse_name)
    key: str = term(parse_name)
    units: Mapping[str, Quantity] = term(_parse_units)
    period: Period = term(instance_of(Period))
    reserved_at: datetime = term(parse_instant)
    expires_at: datetime = term(parse_instant)
    fingerprint: str = term(parse_name)
    outcome: Outcome | None = term(optional(choice_of(Outcome)))
    used: Mapping[str, Quantity] = term(_parse_units)
    ended_at: datetime | None = term(optional(parse_instant))

    def __init__(
        self,
        org_id: str,
        key: str,
        units: Mapping[str, QuantityLike],
        period: Period,
        reserved_at: datetime,
        expires_at: datetime,
        fingerprint: str,
        outcome: Outcome | None = None,
        used: Mapping[str, QuantityLike] = _NO_UNITS,
        ended_at: datetime | None = None,
    ) -> None: ...

    def _check_reserved_at(self, problems: Problems) -> None:
        if self.reserved_at not in self.period:
            problem = f"must be in the period, {self.period}"
            problems.add(InvalidValue("reserved_at", self.reserved_at, problem))

    def _check_expires_at(self, problems: Problems) -> None:
        if self.expires_at <= self.reserved_at:
            problem = f"must be later than {format_instant(self.reserved_at)}"
            problems.add(InvalidValue("expires_at", self.expires_at, problem))

    def _check_outcome(self, problems: Problems) -> None:
        if (self.ended_at is None) != (self.outcome is None):
            problem = "must be given where there is an outcome, and only there"
            problems.add(InvalidValue("ended_at", self.ended_at, problem))

    def _check_used(self, problems: Problems) -> None:
        named: set[str] = set() if self.outcome != "committed" else {*self.units}
        if self.used.keys() != named:
            problem = "must name each metric that is held if it is committed, and none otherwise"
            problems.add(InvalidValue("used", dict(self.used), problem))

    def rank(self) -> tuple[datetime, str]:
        """Return the instant that it was made at and its key, by which they are in order."""
        return self.reserved_at, self.key

    def state_at(self, instant: datetime) -> ReservationState:
        """Return its state: one that didn't end is held until it expires."""
        if self.outcome is not None:
            return self.outcome
        return "held" if self.holds_at(instant) else "expired"

    def holds_at(self, instant: datetime) -> bool:
        """Tell whether its units are held at an instant."""
        return self.outcome is None and parse_instant(instant, "instant") < self.expires_at

    @property
    def is_late(self) -> bool:
        """Whether it was committed after it had expired: others may have got its units."""
        at = self.ended_at
        return self.outcome == "committed" and at is not None and at >= self.expires_at

    @property
    def beyond(self) -> Mapping[str, Quantity]:
        """The units by metric that were used beyond those that were held."""
        over = {metric: excess(used, self.units[metric]) for metric, used in self.used.items()}
        return {metric: units for metric, units in over.items() if units}

    def committed(self, used: Mapping[str, QuantityLike] | None, at: datetime) -> Reservation:
        """Return it with its units used; the same again is as it was.

        :param used: units by metric, of those that are held, more or fewer; None for all of them.
            Nothing was used of a metric that isn't named.
        :param at: when.
        :raises InvalidValue: if it names a metric that isn't held.
        :raises ReservationConflict: if it was released, or committed with other units.
        """
        units = self._used(used)
        if self.outcome is None:
            return self._ended("committed", units, at)
        if self.outcome == "committed" and self.used == units:
            return self
        raise self._conflict(f"must be free to be committed, and was {self.outcome}")

    def _used(self, used: Mapping[str, QuantityLike] | None) -> Mapping[str, Quantity]:
        if used is None:
            return self.units
        parsed = _parse_units(used, "used")
        for metric in parsed:
            if metric not in self.units:
                problem = f"must be a metric that is held: {', '.join(self.units)}"
                raise InvalidValue(("used", metric), metric, problem).within(org_id=self.org_id)
        return {metric: parsed.get(metric, 0) for metric in self.units}

    def released(self, at: datetime) -> Reservation:
        """Return it with its units given back; the same again is as it was.

        :raises ReservationConflict: if it was committed.
        """
        if self.outcome is None:
            return self._ended("released", _NO_UNITS, at)
        if self.outcome == "released":
            return self
        raise self._conflict("must be free to be released, and was committed")

    def _ended(self, outcome: Outcome, used: Mapping[str, Quantity], at: datetime) -> Reservation:
        ended_at = max(parse_instant(at, "at"), self.reserved_at)  # clocks of processes differ
        return evolve(self, outcome=outcome, used=used, ended_at=ended_at)

    def require_request(self, fingerprint: str) -> None:
        """Refuse another request under its key.

        :param fingerprint: of that.
        :raises ReservationConflict: if it is another one.
        """
        if fingerprint != self.fingerprint:
            raise self._conflict("must be of the request that it came with before")

    def _conflict(self, problem: str) -> OveragesError:
        return ReservationConflict("key", self.key, problem).within(org_id=self.org_id)

    def event_id(self, metric: str) -> str:
        """Return the id of the event that its usage of a metric is reported by."""
        return event_id_of(self.key, metric)


def event_id_of(key: str, metric: str) -> str:
    """Return the id of an event by the key of its reservation, and its metric.

    >>> event_id_of("req-1", "runs")[:28]
    'reservation-80d631cdf0d94676'
    """
    text = f"{len(key)}:{key}{metric}"  # or two pairs of them could be one text
    return f"reservation-{sha256(text.encode()).hexdigest()[:40]}"
