"""Alerting: the part of the service that says who is told of which threshold, and when.

    service.put_alert(Alert("runs-80", Threshold(percent=80), metric="runs"))
    service.alerts("acme")                            # those that fired, newest first
    service.check_alerts()                            # those that come with time, by the clock

Alerts fire with the usage that reaches them, in the transaction of `record_usage`: no crash, retry
or second process loses one, or has one twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from overages._ground.names import optional_name, parse_name, parse_names
from overages._ground.parsing import instance_of, optional, parse_all, parse_flag
from overages.alerts.alert import Alert, AlertDefinition
from overages.alerts.alert_summary import AlertSummary, summary_of
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.firing import Reading
from overages.errors import OveragesError, StorageError
from overages.periods.period import Period
from overages.service.alert_subjects import AlertSubjects
from overages.service.base import ServiceBase, log

_optional_period: Final = optional(instance_of(Period))
_optional_names: Final = optional(parse_names)


class Alerting(ServiceBase):
    """The alerts of orgs; `OverageService` has it."""

    def put_alert(self, alert: Alert, *, org_id: str | None = None) -> AlertDefinition:
        """Have an alert fire from now on, of all orgs or of one, in place of any of its id before.

        An alert that says something else than the one before is a new one, and fires by itself.
        One of an org fires at once where its threshold is reached already; one of all orgs with the
        next usage of each, or with `check_alerts`.

        :param org_id: whose it is alone, in place of that of all orgs; None for all orgs.
        :returns: the alert with its version.
        :raises UnknownPlan: for an org without an account.
        :raises NoTerms: if no terms of that org hold now.
        :raises UnknownMetric: for a metric that its plan of the present period doesn't know;
            `UnknownBudget` or `UnknownGrant` for a budget or a grant that it doesn't have.
        :raises CurrencyMismatch: for a cost in another currency than the plan, the budget or the
            grant; `InvalidType` for money where those are units, or the other way round. An
            alert of all orgs is kept whatever it names, for any of them may have that.

        >>> from datetime import UTC, datetime
        >>> from overages import Account, Allowance, MemoryRepository, OverageService, PerUnit, Plan
        >>> from overages import Threshold, UsageEvent
        >>> repository, now = MemoryRepository(), datetime(2024, 2, 20, tzinfo=UTC)
        >>> _ = repository.put_plan(Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1"))}))
        >>> repository.put_account(Account("org-123", "starter", since=now.replace(day=1)))
        >>> service = OverageService(repository, clock=lambda: now)
        >>> service.put_alert(Alert("runs-80", Threshold(percent=80), metric="runs")).alert_version
        1
        >>> service.record_usage([UsageEvent("org-123", "runs", 42, now, id="evt-1")])
        1
        >>> [fired.message for fired in service.alerts("org-123")]
        ['80 % of runs are used: 42 of 50, 8 remaining (February 2024)']
        """
        self._require_enabled()
        parse_all((instance_of(Alert), alert, "alert"), (optional_name, org_id, "org_id"))
        with self._repository.transaction():
            if org_id is not None:
                self._subjects(org_id).require(alert)
            definition = self._repository.put_alert(alert, put_at=self._now(), org_id=org_id)
            if org_id is not None:
                self._watch().note_open(org_id)
        return definition

    def drop_alert(self, alert_id: str, *, org_id: str | None = None) -> None:
        """Have an alert of all orgs, or of one, fire no more; those that fired stay.

        :raises UnknownAlert: if there never was an alert of that id.
        """
        self._require_enabled()
        self._repository.drop_alert(alert_id, org_id=org_id)

    def alert_definitions(self, org_id: str | None = None) -> tuple[AlertDefinition, ...]:
        """Return the alerts that count for an org now, by id; without one, those of all orgs."""
        self._require_enabled()
        return self._repository.alert_definitions(org_id)

    def alerts(
        self, org_id: str, period: Period | None = None, *, silent: bool = False
    ) -> tuple[FiredAlert, ...]:
        """Return the alerts of an org that fired or were cleared, newest first.

        :param period: the one that they are about; all without it.
        :param silent: whether those come too that nobody is told of: a threshold that is reached
            again, or is re-armed.
        """
        self._require_enabled()
        parse_flag(silent, "silent")
        fired = self._repository.fired_alerts(org_id, period)
        return tuple(each for each in reversed(fired) if silent or not each.is_silent)

    def acknowledge(self, org_id: str, key: str, *, by: str | None = None) -> None:
        """Note that someone has seen an alert that fired; once is enough.

        :param key: that of the `FiredAlert`.
        :param by: who.
        :raises UnknownAlert: if the org has no such alert.
        """
        self._require_enabled()
        now = self._now()
        self._repository.acknowledge_alert(org_id, key, acknowledged_at=now, acknowledged_by=by)

    def alert_summary(self, org_id: str) -> AlertSummary:
        """Return how many alerts of an org stand now, by severity, and how many are unseen.

        An alert that was dropped, or put anew with other content, stands no more.
        """
        self._require_enabled()
        with self._repository.snapshot():
            count = {each.identity for each in self._repository.alert_definitions(org_id)}
            fired = self._repository.fired_alerts(org_id)
        own = [each for each in fired if each.definition.identity in count]
        return summary_of(own, self._now())

    def alert_readings(self, org_id: str) -> tuple[Reading, ...]:
        """Return the numbers that the alerts of an org are compared with, in the present period.

        It says as well which alerts can't be reached, and why: `Reading.unreached`. Where the
        period can't be settled, as a metric comes to less than none, it is "unsettled".
        """
        self._require_enabled()
        parse_name(org_id, "org_id")
        with self._repository.snapshot():
            return tuple(self._watch().standing(org_id))

    def check_alerts(self, orgs: Iterable[str] | None = None) -> tuple[FiredAlert, ...]:
        """Bring the alerts of orgs up to date by the clock; return those that are new.

        These are alerts of trials and grants that end and of plans that changed, and any that other
        than usage reached: a grant that expired, another limit, an alert of all orgs that is new.
        The same again changes nothing, so a job may call it at any time. Each org is a transaction
        of its own.

        :param orgs: the only ones that are looked at; all without it.
        """
        self._require_enabled()
        names = _optional_names(orgs, "orgs")
        watch, fired = self._watch(), list[FiredAlert]()
        for org_id in self._repository.orgs() if names is None else names:
            try:
                with self._repository.transaction():
                    fired += watch.note_all(org_id)
            except StorageError:
                raise
            except OveragesError as error:
                extra = {"org_id": org_id}
                log().warning("%s: not checked: %s", org_id, type(error).__name__, extra=extra)
        log().info("%d new alerts", len(fired), extra={"new_alerts": len(fired)})
        return tuple(fired)

    def _subjects(self, org_id: str) -> AlertSubjects:
        return AlertSubjects(self._repository, self._own_account(org_id), self._now())
