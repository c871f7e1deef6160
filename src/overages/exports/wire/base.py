"""The base of the endpoints: who is answered, and for which period; causes are not told.

Each group of endpoints is a class on it, with a method for each request:

    class Quotas(EndpointsBase):
        def decision(self, org_id, body=b""):
            return self._answer(org_id, "DECISION_ERROR", lambda org: self._decided(org, body))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from overages.errors import BillingDisabled
from overages.exports.wire.answers import Answer, Unexpected, failure, no_org_access
from overages.exports.wire.keys import Body
from overages.exports.wire.shape import recorded
from overages.periods.period import Period, parse_instant
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.service.overage_service import OverageService


class EndpointsBase:
    """The ground of every group of endpoints; `Endpoints` has the parameters."""

    def __init__(
        self, service: OverageService, repository: Repository, clock: Callable[[], datetime]
    ) -> None:
        self._service = service
        self._repository = repository
        self._clock = clock

    def _answer(
        self, org_id: str | None, otherwise: Unexpected, respond: Callable[[str], Answer]
    ) -> Answer:
        """Answer for an org, if billing is on and there is one; an error is answered, too."""
        try:
            self._require_enabled()
            return no_org_access() if org_id is None else respond(org_id)
        except Exception as error:  # whatever it is, no caller is to see what is inside
            return failure(error, otherwise)

    def period(self, org_id: str) -> Period:
        """Return the org's present period; the calendar month, in UTC, if it has no terms now."""
        return self._own_period(org_id) or Period.month_of(self._now())

    def _own_period(self, org_id: str) -> Period | None:
        """Return the org's present period; None if it has no terms now."""
        account, now = self._repository.account(org_id), self._now()
        return None if account is None or account.at(now) is None else account.period_at(now)

    def _now(self) -> datetime:
        return parse_instant(self._clock(), "clock()")

    def _require_enabled(self) -> None:
        if not self._service.enabled:
            raise BillingDisabled("overage billing is off: nothing was calculated or written")

    def _data(self, org_id: str, period: Period, records: Iterable[OverageRecord]) -> Body:
        stored = tuple(records)
        plan = None
        if stored:
            last = stored[-1]
            plan = self._repository.plan(last.plan, version=last.plan_version)
        return recorded(org_id, period, stored, plan)
