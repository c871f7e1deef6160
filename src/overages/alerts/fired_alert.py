"""Fired alerts: an alert that was reached, or that no longer is, by one org in one period.

fired.state, fired.severity                       # "reached", "warning"
fired.message                                     # "80 % of runs are used: 40 of 50, ..."
fired.key                                         # by which it is delivered, once
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import (
    Problems,
    choice_of,
    instance_of,
    optional,
    parse_flag,
)
from overages._ground.value import term, value
from overages.alerts.alert import AlertDefinition, AlertKind, Severity
from overages.alerts.messages import message_of
from overages.alerts.threshold import Amount, optional_amount
from overages.amounts.exact import QuantityLike, parse_ordinal, scaled, unscaled
from overages.amounts.money import Money
from overages.errors import InvalidValue
from overages.periods.period import Period, format_instant, local_reading, parse_instant

AlertState: TypeAlias = Literal["reached", "cleared", "rearmed"]
"""A threshold was reached; it no longer is; or it can be told of again."""

_OCCASIONS: Final = {
    "trial_expiring": "the trial ends at {}",
    "grant_expiring": "the grant ends at {}",
    "plan_changed": "the plan changed at {}",
}


@value
class FiredAlert:
    """An entry of an org's alerts: one was reached, or no longer is. It is kept for ever.

    :param org_id: whose it is.
    :param definition: the alert, in the version that fired.
    :param period: the org's period; of a grant, the time of the grant.
    :param state: ``"reached"``, ``"cleared"``, or ``"rearmed"``: it was cleared, and is far enough
        from its threshold to be told of again.
    :param noted_at: when it was noted, timezone-aware; kept in UTC.
    :param number: counts the entries of its `id`, from 1.
    :param step: which step of a repeated threshold, from 1.
    :param used: units, or money, that were used then; None for an occasion.
    :param limit: units, or money, that they are used of; None where there is no limit.
    :param instant: the instant of an occasion; None for a threshold.
    :param is_silent: whether nobody is to be told: it was told of before in the period.
    :param about: the name of the grant that expires, or of the plan that holds.
    :param acknowledged_at: when someone first took note of it; None if nobody did.
    :param acknowledged_by: who did.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC
    >>> from overages.alerts.alert import usual_alerts
    >>> noon, month = datetime(2024, 2, 20, 12, tzinfo=UTC), Period.month(2024, 2)
    >>> eighty = AlertDefinition(usual_alerts("runs")[0], 1, noon)
    >>> fired = FiredAlert("acme", eighty, month, "reached", noon, used=40, limit=50)
    >>> print(fired.message)
    80 % of runs are used: 40 of 50, 10 remaining (February 2024)
    """

    org_id: str = term(parse_name)
    definition: AlertDefinition = term(instance_of(AlertDefinition))
    period: Period = term(instance_of(Period))
    state: AlertState = term(choice_of(AlertState))
    noted_at: datetime = term(parse_instant)
    number: int = term(parse_ordinal)
    step: int = term(parse_ordinal)
    used: Amount | None = term(optional_amount)
    limit: Amount | None = term(optional_amount)
    instant: datetime | None = term(optional(parse_instant))
    about: str | None = term(optional_name)
    is_silent: bool = term(parse_flag)
    acknowledged_at: datetime | None = term(optional(parse_instant))
    acknowledged_by: str | None = term(optional_name)

    def __init__(
        self,
        org_id: str,
        definition: AlertDefinition,
        period: Period,
        state: AlertState,
        noted_at: datetime,
        *,
        number: int = 1,
        step: int = 1,
        used: QuantityLike | Money | None = None,
        limit: QuantityLike | Money | None = None,
        instant: datetime | None = None,
        about: str | None = None,
        is_silent: bool = False,
        acknowledged_at: datetime | None = None,
        acknowledged_by: str | None = None,
    ) -> None: ...

    def _check_org(self, problems: Problems) -> None:
        if self.definition.org_id not in (None, self.org_id):
            problem = f"must be that of the definition, {self.definition.org_id!r}"
            problems.add(InvalidValue("org_id", self.org_id, problem))

    def _check_instant(self, problems: Problems) -> None:
        is_occasion = self.definition.alert.occasion is not None
        if is_occasion != (self.instant is not None):
            problem = "must be given for an occasion, and only then"
            problems.add(InvalidValue("instant", self.instant, problem))
        if is_occasion == (self.used is not None):
            problem = "must be given for a threshold, and only then"
            problems.add(InvalidValue("used", self.used, problem))

    def _check_limit(self, problems: Problems) -> None:
        if self.limit is not None and isinstance(self.limit, Money) != isinstance(self.used, Money):
            problem = "must be units where units are used, and money where money is"
            problems.add(InvalidValue("limit", self.limit, problem))

    def _check_acknowledged(self, problems: Problems) -> None:
        if self.acknowledged_by is not None and self.acknowledged_at is None:
            problem = "must come with the instant, acknowledged_at"
            problems.add(InvalidValue("acknowledged_by", self.acknowledged_by, problem))

    @property
    def id(self) -> str:
        """The digest of org, subject, period, alert, threshold, step and version: in hex.

        It is one for all that becomes of a threshold in a period; `number` counts its entries.
        """
        return alert_id(
            self.org_id, self.definition, self.period, self.step, self.instant, self.about
        )

    @property
    def key(self) -> str:
        """The name of this one entry in its org: its id and number."""
        return f"{self.id}-{self.number}"

    @property
    def severity(self) -> Severity:
        """The weight of the alert."""
        return self.definition.alert.severity

    @property
    def kind(self) -> AlertKind:
        """The subject of it: usage within its limit, all of it used, a cost."""
        return self.definition.alert.kind

    @property
    def remaining(self) -> Amount | None:
        """The units, or the money, that are left of the limit; None where there is none.

        >>> from datetime import UTC
        >>> from overages.alerts.alert import usual_alerts
        >>> noon, month = datetime(2024, 2, 20, 12, tzinfo=UTC), Period.month(2024, 2)
        >>> full = AlertDefinition(usual_alerts("runs")[2], 1, noon)
        >>> FiredAlert("acme", full, month, "reached", noon, used=70, limit=50).remaining
        0
        """
        used, limit = self.used, self.limit
        if isinstance(used, Money) and isinstance(limit, Money):
            return max(limit - used, Money(0, limit.currency))
        if used is None or limit is None or isinstance(used, Money) or isinstance(limit, Money):
            return None
        return max(unscaled(scaled(limit) - scaled(used)), 0)

    @property
    def message(self) -> str:
        """The text that a person is told: the threshold, and how much is used and left.

        Of a threshold it ends with the period, or the window of a budget, by the days of UTC.
        """
        return self.message_in(UTC)

    def message_in(self, zone: tzinfo) -> str:
        """Return the same by the days of a timezone.

        :param zone: that of the org, or of the window of a budget.

        >>> from zoneinfo import ZoneInfo
        >>> from overages.alerts.alert import usual_alerts
        >>> paris = ZoneInfo("Europe/Paris")
        >>> noon, month = datetime(2024, 2, 20, 12, tzinfo=UTC), Period.month(2024, 2, paris)
        >>> eighty = AlertDefinition(usual_alerts("runs")[0], 1, noon)
        >>> fired = FiredAlert("acme", eighty, month, "reached", noon, used=40, limit=50)
        >>> print(fired.message_in(paris))
        80 % of runs are used: 40 of 50, 10 remaining (February 2024)
        """
        alert = self.definition.alert
        if alert.occasion is not None and self.instant is not None:
            text = _OCCASIONS[alert.occasion].format(local_reading(self.instant, zone))
            text = f"{self.about}: {text}" if self.about is not None else text
            return text if self.state == "reached" else f"{text}: {self.state}"
        assert alert.threshold is not None  # or it has an occasion
        told = message_of(
            alert, alert.threshold, self.step, self.state, self.used, self.limit, self.remaining
        )
        return told if alert.grant is not None else f"{told} ({self.period.name(zone)})"

    def __str__(self) -> str:
        return self.message


def alert_id(
    org_id: str,
    definition: AlertDefinition,
    period: Period,
    step: int,
    instant: datetime | None,
    about: str | None,
) -> str:
    """Return the id of all that becomes of one step of an alert, in an org's period.

    An occasion is told of by its instant, whichever period it lies in.
    """
    alert = definition.alert
    time = period.isoformat() if instant is None else format_instant(instant)
    threshold = "" if alert.threshold is None else alert.threshold.explain()
    scope = "all" if definition.org_id is None else "own"
    parts = [org_id, alert.subject, time, alert.id, threshold, str(step), scope]
    parts += [str(definition.alert_version), about or ""]
    return sha256("\n".join(parts).encode()).hexdigest()  # no name has a line break
