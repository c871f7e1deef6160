"""Endpoints: a method for each request, whichever framework brought it.

endpoints = Endpoints(service, repository, clock=lambda: datetime.now(UTC))
status, body = endpoints.overages("org-123")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from overages.errors import BillingDisabled, OveragesError
from overages.exports.wire.answers import (
    Answer,
    failure,
    invalid_request,
    no_org_access,
    no_plan,
    success,
)
from overages.exports.wire.requests import recalculate_request
from overages.exports.wire.shape import Body, recorded
from overages.periods.period import Period, parse_instant
from overages.records.ledger import period_closed
from overages.records.record import OverageRecord
from overages.repository import Repository
from overages.service.overage_service import OverageService


class Endpoints:
    """Answers requests about one org's present period.

    The host finds out which org may be seen: of whoever asks, that is the one to give, or None if
    there is none. Nothing of a request decides it here. No method raises an error.

    :param service: calculates and records, and knows whether it is switched on.
    :param repository: the service's.
    :param clock: the service's; gives the present instant, timezone-aware.

    >>> from datetime import UTC
    >>> from overages import MemoryRepository
    >>> repository, clock = MemoryRepository(), lambda: datetime(2024, 2, 20, tzinfo=UTC)
    >>> endpoints = Endpoints(OverageService(repository, clock), repository, clock)
    >>> endpoints.overages("org-123").body["data"]["totalCost"]
    0
    >>> endpoints.recalculate("org-123", b"").status, endpoints.overages(None).status
    (400, 403)
    """

    def __init__(
        self, service: OverageService, repository: Repository, clock: Callable[[], datetime]
    ) -> None:
        self._service = service
        self._repository = repository
        self._clock = clock

    def overages(self, org_id: str | None) -> Answer:
        """Answer with the records of the org's present period; with zeros if there are none.

        :param org_id: the org of who asks; None if it is a member of none.
        """
        try:
            self._require_enabled()
            if org_id is None:
                return no_org_access()
            period = self.period(org_id)
            return success(self._data(org_id, period, self._repository.records(org_id, period)))
        except Exception as error:  # whatever it is, no caller is to see what is inside
            return failure(error, "OVERAGE_ERROR")

    def recalculate(self, org_id: str | None, body: bytes | str = b"") -> Answer:
        """Calculate the org's present period, record it, and answer with its records.

        The same usage records nothing more, however often it is asked.

        :param org_id: the org of who asks; None if it is a member of none.
        :param body: that of the request, as it came: see `recalculate_request`.
        """
        try:
            self._require_enabled()
            if org_id is None:
                return no_org_access()
            try:
                force = recalculate_request(body)
            except OveragesError as error:
                return invalid_request(error)
            period = self._own_period(org_id)
            recording = None
            if period is not None:
                recording = self._service.recalculate(org_id, force=force, period=period)
            if period is None or recording is None:
                return no_plan()
            if recording.is_stale:
                raise period_closed(self._repository.closed_periods(org_id)[period])
            return success(self._data(org_id, period, recording.records))
        except Exception as error:  # whatever it is, no caller is to see what is inside
            return failure(error, "RECALCULATION_FAILED")

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
