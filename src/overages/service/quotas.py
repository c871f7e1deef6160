"""Quotas: decisions about usage to come, and units that are held for it.

Before an org uses something:

    service.enforce("acme", {"runs": 10})             # or QuotaExceeded, with every limit
    held = service.reserve("acme", {"runs": 10}, key="req-1", expires_at=soon)
    service.commit("acme", "req-1", used={"runs": 7}) # the usage event, in the same transaction
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import parse_name
from overages._ground.parsing import parse_all
from overages.amounts.exact import Quantity, QuantityLike
from overages.bookkeeping.plans_in_force import PlansInForce, summed_level
from overages.errors import InvalidValue, QuotaExceeded, UnknownReservation
from overages.periods.period import Period, format_instant, parse_instant
from overages.quotas.decision import Decision
from overages.quotas.request import OnPassing, Request, parse_request
from overages.quotas.reservation import Reservation
from overages.quotas.stops import StopAt
from overages.readings.quota_inputs import no_terms
from overages.service.base import log
from overages.service.budgeting import Budgeting
from overages.service.usage_intake import UsageIntake
from overages.statements.limit_now import UsageNow, limits_now
from overages.usage.event import EventColumns, UsageEvent
from overages.usage.metering import Late, parse_late

_MANY: Final = 4096  # orgs of which plain terms are held: some megabytes
_NO_UNITS: Final[Mapping[str, Quantity]] = FrozenDict()


class Quotas(Budgeting):
    """The part of the service that is about usage to come."""

    def decide(
        self,
        org_id: str,
        requested: Mapping[str, QuantityLike],
        *,
        at_least: Mapping[str, QuantityLike] = _NO_UNITS,
        on_passing: OnPassing = "reject",
        stop_at: Iterable[StopAt] = (),
    ) -> Decision:
        """Return the decision on units that an org would use now, with every limit that stands.

        Nothing is kept. All that the org's bill is worked out of has a part in it: its terms as
        they hold now, units carried over, grants, budgets, and units that reservations hold.

        :param requested: units by metric, zero or more; several are all or nothing, unless fewer
            are accepted.
        :param at_least: the fewest units, by metric, that are accepted if not all may be used.
        :param on_passing: ``"reject"`` a request that would pass a limit, ``"clamp"`` it to as many
            whole units as fit, or let it ``"cross"`` a limit of which something is left.
        :param stop_at: limits that only tell otherwise, and here deny: ``"limit"`` allows no
            overage, ``"grants"`` nothing that is due beyond prepaid and included units.
        :returns: a decision that denies, where the org has no account or no terms hold now, or its
            plan doesn't know a metric.
        :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.
        :raises UnknownPlan: if the plan of its terms is not in force.

        >>> from datetime import UTC
        >>> from overages import Account, Allowance, MemoryRepository, OverageService, PerUnit, Plan
        >>> repository, now = MemoryRepository(), datetime(2024, 2, 20, tzinfo=UTC)
        >>> runs = Allowance(50, PerUnit("1.00"), hard_limit=100)
        >>> version = repository.put_plan(Plan("starter", "USD", {"runs": runs}))
        >>> repository.put_account(Account("acme", "starter", since=now.replace(day=1)))
        >>> service = OverageService(repository, clock=lambda: now)
        >>> decision = service.decide("acme", {"runs": 60})
        >>> print(decision.verdict, decision.cost, decision.limits[1].remaining)
        allow 10.00 USD 100
        """
        self._require_enabled()
        request = parse_request(requested, at_least, on_passing, stop_at)
        parse_name(org_id, "org_id")
        return self._decision(org_id, request, self._now())

    def usage_now(self, org_id: str) -> UsageNow | None:
        """Return the units that an org has used of each metric, and of how many, as it stands now.

        Writes nothing. It agrees with `decide`: the rest of a limit is all that is left, of the
        included units and of grants, but for units that reservations hold.

        :returns: None if the org has no account, or no terms hold now.
        :raises OveragesError: as `calculate` does.

        >>> from datetime import UTC
        >>> from overages import Account, Allowance, MemoryRepository, OverageService, PerUnit, Plan
        >>> repository, now = MemoryRepository(), datetime(2024, 2, 20, tzinfo=UTC)
        >>> runs = Allowance(50, PerUnit("1.00"))
        >>> version = repository.put_plan(Plan("starter", "USD", {"runs": runs}))
        >>> repository.put_account(Account("acme", "starter", since=now.replace(day=1)))
        >>> service = OverageService(repository, clock=lambda: now)
        >>> service.usage_now("acme").limits["runs"].remaining
        50
        """
        self._require_enabled()
        with self._repository.snapshot():
            account, now = self._repository.account(org_id), self._now()
            if account is None or account.at(now) is None:
                return None
            settling = self._settling(account, now)
            statement, grants, left = settling.standing_with(account.period_at(now), now)({})
            limits = limits_now(statement, now, left=left, levels=self._routes.held)
            return UsageNow(statement, limits, grants)

    def enforce(
        self,
        org_id: str,
        requested: Mapping[str, QuantityLike],
        *,
        at_least: Mapping[str, QuantityLike] = _NO_UNITS,
        on_passing: OnPassing = "reject",
        stop_at: Iterable[StopAt] = (),
    ) -> Decision:
        """Return the decision of `decide`, where units may be used; raise where none may.

        :raises QuotaExceeded: if they are denied; it has the decision. Nothing was counted.
        """
        decision = self.decide(
            org_id, requested, at_least=at_least, on_passing=on_passing, stop_at=stop_at
        )
        return _require_allowed(decision)

    def reserve(
        self,
        org_id: str,
        requested: Mapping[str, QuantityLike],
        *,
        key: str,
        expires_at: datetime,
        at_least: Mapping[str, QuantityLike] = _NO_UNITS,
        on_passing: OnPassing = "reject",
        stop_at: Iterable[StopAt] = (),
    ) -> Reservation:
        """Hold units for an org until an instant, if they may be used: no other gets them.

        Deciding and holding are one transaction, so that of two processes which ask for the last
        unit one gets it. The units count in the org's present period, whenever they are committed.
        The same request again, under the same key, gives the reservation as it stands (held,
        expired or ended): when it expires isn't a part of it, nor what is left by then.

        :param key: a name that is unique within the org, for ever, such as that of a request.
        :param expires_at: the first instant at which they are held no more, timezone-aware. Nothing
            has to run then.
        :returns: the reservation, with the units that are held: fewer than requested, where fewer
            are accepted.
        :raises QuotaExceeded: if they are denied; nothing is kept then.
        :raises ReservationConflict: if the org has a reservation of that key for another request.
        :raises InvalidValue: if it would expire at once, or a metric is a level or isn't the sum of
            the events of its name, which alone can be reported by a commit; `InvalidValues` for
            several faults.
        """
        self._require_enabled()
        request = parse_request(requested, at_least, on_passing, stop_at)
        org_id, key, expires_at = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, key, "key"),
            (parse_instant, expires_at, "expires_at"),
        )
        with self._repository.transaction():
            now = self._now()
            before = self._repository.reservation(org_id, key)
            if before is not None:
                before.require_request(request.fingerprint)
                return before
            if expires_at <= now:
                problem = f"must be later than now, {format_instant(now)}"
                raise InvalidValue("expires_at", expires_at, problem).within(org_id=org_id)
            self._require_sums(org_id, request)
            decision = _require_allowed(self._decision(org_id, request, now))
            self._require_no_levels(org_id, request, now)
            period = self._own_account(org_id).period_at(now)
            reservation = self._repository.put_reservation(
                Reservation(
                    org_id, key, decision.granted, period, now, expires_at, request.fingerprint
                )
            )
        log().info("%s: units are held", org_id, extra={"org_id": org_id})
        return reservation

    def commit(
        self,
        org_id: str,
        key: str,
        *,
        used: Mapping[str, QuantityLike] | None = None,
        late: Late = "own_period",
    ) -> Reservation:
        """Record the usage of a reservation, and hold its units no more, in one transaction.

        The usage counts at the instant that it was reserved, by events of ids that follow from the
        key; the same commit again changes nothing. More than was held is recorded all the same, for
        it was used: `Reservation.beyond` names it. So is a commit after the reservation has
        expired, when others may have got its units: `Reservation.is_late` says so.

        :param used: units by metric, of those that are held, more or fewer; None for all of them.
        :param late: where they count if their period is closed by now, as in `record_usage`.
        :raises UnknownReservation: if the org has no reservation of that key.
        :raises ReservationConflict: if it was released, or committed with other units.
        :raises InvalidValue: if it names a metric that isn't held.
        :raises OveragesError: as `record_usage` does, if the org has no terms for them any more.
        """
        self._require_enabled()
        late = parse_late(late, "late")
        with self._repository.transaction():
            now = self._now()
            committed = self._repository.commit_reservation(org_id, key, used=used, at=now)
            events = [
                UsageEvent(org_id, metric, units, committed.reserved_at, committed.event_id(metric))
                for metric, units in committed.used.items()
                if units
            ]
            # Its usage isn't ahead of a clock that was set back since: it was reserved by then.
            present = max(now, committed.reserved_at)
            intake = UsageIntake(
                self._repository,
                lambda: self._routes,
                now=present,
                ahead=self._ahead,
                alerts=self._watch(present),
            )
            intake.record(EventColumns(events), late)
        log().info("%s: held units are used", org_id, extra={"org_id": org_id})
        return committed

    def release(self, org_id: str, key: str) -> Reservation:
        """Give the units of a reservation back: nothing was used. The same again changes nothing.

        :raises UnknownReservation: if the org has no reservation of that key.
        :raises ReservationConflict: if it was committed.
        """
        self._require_enabled()
        released = self._repository.release_reservation(org_id, key, at=self._now())
        log().info("%s: held units are given back", org_id, extra={"org_id": org_id})
        return released

    def reservation(self, org_id: str, key: str) -> Reservation:
        """Return the reservation of a key, as it stands.

        :raises UnknownReservation: if the org has no reservation of that key.
        """
        self._require_enabled()
        made = self._repository.reservation(org_id, key)
        if made is None:
            problem = "must be the key of a reservation of the org's"
            raise UnknownReservation("key", key, problem).within(org_id=org_id)
        return made

    def reservations(self, org_id: str, period: Period | None = None) -> tuple[Reservation, ...]:
        """Return the reservations that an org made in a period, in order of time.

        :param period: without it, those of the org's present period; none if it has no terms now.
        """
        self._require_enabled()
        if period is None:
            account = self._repository.account(org_id)
            period = None if account is None else self._present(account)
        return () if period is None else self._repository.reservations(org_id, period)

    def _decision(self, org_id: str, request: Request, now: datetime) -> Decision:
        """Return the decision by terms that are known, if they are still those that hold."""
        plain = self._plain_terms.get(org_id)
        if plain is not None and now in plain.period:
            decision = plain.decision(self._repository, request, now)
            if decision is not None:
                return decision
            self._plain_terms.pop(org_id, None)
        with self._repository.snapshot():
            return self._decision_anew(org_id, request, now)

    def _decision_anew(self, org_id: str, request: Request, now: datetime) -> Decision:
        """Return the decision by all that is kept of an org; note its terms, if they are plain."""
        account = self._repository.account(org_id)
        if account is None or account.at(now) is None:
            return no_terms(request, account, org_id, now)
        inputs = self._quota_inputs(account, now)
        decision = inputs.decision(request)
        if inputs.plain is not None:
            if len(self._plain_terms) >= _MANY:
                self._plain_terms.clear()
            self._plain_terms[org_id] = inputs.plain
        return decision

    def _require_sums(self, org_id: str, request: Request) -> None:
        """Refuse to hold units of metrics whose usage a commit couldn't report by their name."""
        routes = self._routes
        for metric in request.units:
            if not routes.is_sum(metric):
                problem = "must be a metric that is the sum of the events of its name"
                error = InvalidValue(("requested", metric), metric, problem)
                raise error.within(org_id=org_id)

    def _require_no_levels(self, org_id: str, request: Request, now: datetime) -> None:
        """Refuse to hold units of a level, as the plan has it: no event could report them."""
        account = self._own_account(org_id)
        period = account.period_at(now)
        part, terms = next(each for each in account.parts(period) if now in each[0])
        plan = PlansInForce(self._repository).plan(period, part, terms)
        for metric in request.units:
            if plan.allowances[metric].kind == "level":
                raise summed_level(("requested", metric), metric).within(org_id=org_id)


def _require_allowed(decision: Decision) -> Decision:
    if decision.verdict == "deny":
        log().info("%s: a request is denied", decision.org_id, extra={"org_id": decision.org_id})
        raise QuotaExceeded(decision)
    return decision
