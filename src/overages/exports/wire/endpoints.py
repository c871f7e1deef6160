"""Endpoints: a method for each request, whichever framework brought it.

endpoints = Endpoints(service, repository, clock=lambda: datetime.now(UTC))
status, body = endpoints.overages("org-123")
"""

from __future__ import annotations

from collections.abc import Iterable

from overages.alerts.fired_alert import FiredAlert
from overages.errors import OveragesError, UnknownAlert
from overages.exports.wire.alerts import alert, alerts
from overages.exports.wire.answers import Answer, invalid_request, no_plan, success
from overages.exports.wire.base import EndpointsBase
from overages.exports.wire.decisions import decided, decision_request
from overages.exports.wire.keys import Body
from overages.exports.wire.projections import projected
from overages.exports.wire.requests import recalculate_request, whole_number
from overages.exports.wire.usage import history, used
from overages.periods.period import Period
from overages.records.changes import line_sums
from overages.records.ledger import period_closed
from overages.records.record import OverageRecord


class Endpoints(EndpointsBase):
    """Answers requests about one org's present period.

    The host finds out which org may be seen: of whoever asks, that is the one to give, or None if
    there is none. Nothing of a request decides it here. No method raises an error.

    :param service: calculates and records, and knows whether it is switched on.
    :param repository: the service's.
    :param clock: the service's; gives the present instant, timezone-aware.

    >>> from datetime import UTC, datetime
    >>> from overages import MemoryRepository, OverageService
    >>> repository, clock = MemoryRepository(), lambda: datetime(2024, 2, 20, tzinfo=UTC)
    >>> endpoints = Endpoints(OverageService(repository, clock), repository, clock)
    >>> endpoints.overages("org-123").body["data"]["totalCost"]
    0
    >>> endpoints.recalculate("org-123", b"").status, endpoints.overages(None).status
    (400, 403)
    """

    def overages(self, org_id: str | None) -> Answer:
        """Answer with the records of the org's present period; with zeros if there are none.

        :param org_id: the org of who asks; None if it is a member of none.
        """
        return self._answer(org_id, "OVERAGE_ERROR", self._overages)

    def _overages(self, org_id: str) -> Answer:
        period = self.period(org_id)
        return success(self._data(org_id, period, self._repository.records(org_id, period)))

    def recalculate(self, org_id: str | None, body: bytes | str = b"") -> Answer:
        """Calculate the org's present period, record it, and answer with its records.

        The same usage records nothing more, however often it is asked.

        :param org_id: the org of who asks; None if it is a member of none.
        :param body: that of the request, as it came: see `recalculate_request`.
        """
        return self._answer(
            org_id, "RECALCULATION_FAILED", lambda org: self._recalculated(org, body)
        )

    def _recalculated(self, org_id: str, body: bytes | str) -> Answer:
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

    def usage(self, org_id: str | None) -> Answer:
        """Answer with the usage of the org's present period against its limits, as it is now.

        :param org_id: the org of who asks; None if it is a member of none.
        """
        return self._answer(org_id, "USAGE_ERROR", self._used)

    def _used(self, org_id: str) -> Answer:
        now = self._service.usage_now(org_id)
        return no_plan() if now is None else success(used(now.statement, now.limits))

    def history(self, org_id: str | None, periods: str | int | None = None) -> Answer:
        """Answer with the records of the org's present period and of those before it.

        Periods that were closed with nothing to charge are among them.

        :param org_id: the org of who asks; None if it is a member of none.
        :param periods: how many, from 1 to 120, as the query of the request says it or as a
            number; None is 12.
        """
        return self._answer(org_id, "HISTORY_ERROR", lambda org: self._history(org, periods))

    def _history(self, org_id: str, periods: str | int | None) -> Answer:
        try:
            most = whole_number(periods, "periods", otherwise=12, most=120)
        except OveragesError as error:
            return invalid_request(error, "query")
        return success(history(org_id, self._recorded(org_id, most)))

    def _recorded(self, org_id: str, most: int) -> list[tuple[Body, bool]]:
        """Return the bodies of the org's last periods, the newest first, and if each is closed."""
        with self._repository.snapshot():
            closed = self._repository.closed_periods(org_id)
            always = {*closed, self.period(org_id)}
            records: dict[Period, list[OverageRecord]] = {period: [] for period in always}
            for record in self._repository.records(org_id):
                records.setdefault(record.period, []).append(record)
            own = [p for p in records if p in always or _is_something(records[p])]
            newest = sorted(own, reverse=True)[:most]
            return [
                (self._data(org_id, period, records[period]), period in closed) for period in newest
            ]

    def alerts(self, org_id: str | None, most: str | int | None = None) -> Answer:
        """Answer with the org's alerts that fired or were cleared, the newest first.

        :param org_id: the org of who asks; None if it is a member of none.
        :param most: how many, from 1 to 500, as the query of the request says it or as a number;
            None is 50.
        """
        return self._answer(org_id, "ALERTS_ERROR", lambda org: self._alerts(org, most))

    def _alerts(self, org_id: str, most: str | int | None) -> Answer:
        try:
            number = whole_number(most, "most", otherwise=50, most=500)
        except OveragesError as error:
            return invalid_request(error, "query")
        with self._repository.snapshot():
            fired = self._service.alerts(org_id)[:number]
            return success(alerts(org_id, fired, self._service.alert_summary(org_id)))

    def acknowledge(self, org_id: str | None, key: str, *, by: str | None = None) -> Answer:
        """Note that someone has seen an alert of the org, and answer with it.

        Those that were reached before it are seen with it, where they are of the same period, and
        of the same metric, grant or budget, or of the total.

        :param org_id: the org of who asks; None if it is a member of none.
        :param key: that of the alert, as the path of the request says it.
        :param by: who has seen it, for the record.
        """
        return self._answer(org_id, "ALERTS_ERROR", lambda org: self._acknowledged(org, key, by))

    def _acknowledged(self, org_id: str, key: str, by: str | None) -> Answer:
        with self._repository.transaction():
            # Whatever text it is: only a key of an alert is looked up.
            for each in self._seen(org_id, key):
                self._service.acknowledge(org_id, each.key, by=by)
            return success(alert(self._alert(org_id, key)))

    def decision(self, org_id: str | None, body: bytes | str) -> Answer:
        """Answer whether the org may use units now, with their cost and every limit that stands.

        Nothing is kept. A denial is an answer as any other, unless the body says ``enforce``: then
        it is a failure, of status 402.

        :param org_id: the org of who asks; None if it is a member of none.
        :param body: that of the request, as it came: see `decision_request`.
        """
        return self._answer(org_id, "DECISION_ERROR", lambda org: self._decided(org, body))

    def _decided(self, org_id: str, body: bytes | str) -> Answer:
        with self._repository.snapshot():
            try:
                request, is_enforced = decision_request(body, self._metrics(org_id))
            except OveragesError as error:
                return invalid_request(error)
            ask = self._service.enforce if is_enforced else self._service.decide
            decision = ask(
                org_id,
                request.units,
                at_least=request.fewest,
                on_passing=request.on_passing,
                stop_at=request.stop_at,
            )
            return success(decided(decision))

    def projection(self, org_id: str | None) -> Answer:
        """Answer with the units and the bill that the org's present period should come to.

        :param org_id: the org of who asks; None if it is a member of none.
        """
        return self._answer(org_id, "PROJECTION_ERROR", self._projected)

    def _projected(self, org_id: str) -> Answer:
        projection = self._service.project(org_id)
        return no_plan() if projection is None else success(projected(projection))

    def _metrics(self, org_id: str) -> Iterable[str]:
        """Return the metrics of the org's present plan; none where it has none."""
        account, now = self._repository.account(org_id), self._now()
        terms = None if account is None else account.at(now)
        if terms is None:
            return ()
        return self._repository.plan(terms.plan, version=terms.plan_version, at=now).allowances

    def _alert(self, org_id: str, key: str) -> FiredAlert:
        return self._seen(org_id, key)[0]

    def _seen(self, org_id: str, key: str) -> list[FiredAlert]:
        """Return an alert, and those before it that are seen with it."""
        newest_first = self._service.alerts(org_id, silent=True)
        for place, fired in enumerate(newest_first):
            if fired.key == key:
                before = newest_first[place + 1 :]
                same = [each for each in before if _about(each) == _about(fired)]
                return [fired, *(each for each in same if each.state == "reached")]
        raise UnknownAlert("key", key, "must be that of an alert of the org's")


def _about(fired: FiredAlert) -> tuple[Period, str | None, str | None, str | None]:
    """Return the period of an alert, and its metric, grant or budget."""
    alert_of = fired.definition.alert
    return fired.period, alert_of.metric, alert_of.grant, alert_of.budget


def _is_something(records: Iterable[OverageRecord]) -> bool:
    """Tell whether records come to anything: those of a time that is no period now don't."""
    return any(any(line) for line in line_sums(records).values())
