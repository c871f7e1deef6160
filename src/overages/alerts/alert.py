"""Alerts: a threshold of a metric, a cost, a grant or a budget that someone is told of.

    Alert("runs-80", metric="runs", threshold=Threshold(percent=80))
    Alert("spend", threshold=Threshold(cost=Money.of("100", "USD"), repeat=True))
    Alert("credits-low", grant="top-up", threshold=Threshold(percent=20, of="remaining"))
    Alert("trial-ends", occasion="trial_expiring", days_before=3)

Definitions are kept by version: one that is edited is a new one, which fires by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import (
    Problems,
    check_alternatives,
    choice_of,
    instance_of,
    optional,
    parse_int,
)
from overages._ground.value import term, value
from overages.alerts.threshold import Amount, Threshold, number_of, parse_used
from overages.amounts.exact import QuantityLike, parse_ordinal
from overages.amounts.money import Money
from overages.errors import Field, InvalidType, InvalidValue
from overages.periods.period import parse_instant

Severity: TypeAlias = Literal["info", "warning", "critical"]
"""The weight of an alert, the least first."""

Occasion: TypeAlias = Literal["trial_expiring", "grant_expiring", "plan_changed"]
"""Something that comes with time, and not with usage."""

AlertKind: TypeAlias = Literal[
    "soft_warning",
    "hard_warning",
    "overage_incurred",
    "grant_drawn",
    "budget_used",
    "trial_expiring",
    "grant_expiring",
    "plan_changed",
]
"""The subject of an alert: usage that nears or has reached its limit, a cost, and so on."""

_SUBJECTS: Final = ("metric", "grant", "budget")
_PERCENTS: Final[tuple[tuple[int, Severity], ...]] = (
    (80, "info"),
    (90, "warning"),
    (100, "critical"),
)
_MOST_DAYS: Final = 366


def _parse_days(value: object, field: Field) -> int:
    days = parse_int(value, field)
    if not 0 <= days <= _MOST_DAYS:
        raise InvalidValue(field, value, f"must be from 0 to {_MOST_DAYS}")
    return days


def _parse_rearm(value: object, field: Field) -> Amount:
    amount = parse_used(value, field)
    if number_of(amount) < 0:
        raise InvalidValue(field, value, "must not be negative")
    return amount


@value
class Alert:
    """The definition of an alert: its threshold or its occasion, and how much it matters.

    A threshold with neither a metric, a grant nor a budget is of the cost of all lines together:
    the statement's total.

    :param id: its name, among those of all orgs or of one.
    :param threshold: the number that is to be passed; None where there is an occasion.
    :param metric: the metric whose usage, or with a threshold of `cost` whose cost, is compared.
    :param grant: the id of the grant that is compared: units, or money, that are drawn on it.
    :param budget: the id of the budget that is compared.
    :param occasion: ``"trial_expiring"``, ``"grant_expiring"`` (that of `grant`, or any) or
        ``"plan_changed"``; the instants follow from the account's terms and its grants.
    :param days_before: how many days before a trial or a grant ends it is told of, up to 366.
    :param severity: ``"info"``, ``"warning"`` or ``"critical"``.
    :param rearm: re-arms the threshold: in its own unit, a number that usage has to fall below (for
        one that falls: rise above) after it was cleared, before reaching it again is told of again.
        None: it is told of once in a period, and after that noted in silence.
    :raises InvalidValue: if both or none of threshold and occasion are given, if several of
        metric, grant and budget are, or for another value that is not allowed; `InvalidValues` for
        several faults.

    >>> Alert("runs-80", metric="runs", threshold=Threshold(percent=80)).kind
    'soft_warning'
    """

    id: str = term(parse_name)
    threshold: Threshold | None = term(optional(instance_of(Threshold)))
    metric: str | None = term(optional_name)
    grant: str | None = term(optional_name)
    budget: str | None = term(optional_name)
    occasion: Occasion | None = term(optional(choice_of(Occasion)))
    days_before: int = term(_parse_days)
    severity: Severity = term(choice_of(Severity))
    rearm: Amount | None = term(optional(_parse_rearm))

    def __init__(
        self,
        id: str,
        threshold: Threshold | None = None,
        *,
        metric: str | None = None,
        grant: str | None = None,
        budget: str | None = None,
        occasion: Occasion | None = None,
        days_before: int = 0,
        severity: Severity = "warning",
        rearm: QuantityLike | Money | None = None,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        check_alternatives(self, ("threshold", "occasion"), problems)

    def _check_subject(self, problems: Problems) -> None:
        subjects = [name for name in _SUBJECTS if getattr(self, name) is not None]
        for name in subjects[1:]:
            problem = f"must be left out, as {subjects[0]} is given"
            problems.add(InvalidValue(name, getattr(self, name), problem))
        if self.threshold is None or self.grant or self.budget:
            return
        if self.threshold.cost is None:
            if self.metric is None:
                problem = "must be given, or a grant or a budget, for a threshold that is no cost"
                problems.add(InvalidValue("metric", None, problem))
        elif self.threshold.of != "used":
            problem = "must be 'used' for a cost, which has no limit"
            problems.add(InvalidValue(("threshold", "of"), self.threshold.of, problem))

    def _check_occasion(self, problems: Problems) -> None:
        if self.occasion is None:
            if self.days_before:
                problem = "must be 0 for a threshold, which is reached by usage"
                problems.add(InvalidValue("days_before", self.days_before, problem))
            return
        for name in ("metric", "budget", "rearm"):
            if getattr(self, name) is not None:
                problem = f"must be left out, as occasion is {self.occasion!r}"
                problems.add(InvalidValue(name, getattr(self, name), problem))
        if self.grant is not None and self.occasion != "grant_expiring":
            problem = f"must be left out, as occasion is {self.occasion!r}"
            problems.add(InvalidValue("grant", self.grant, problem))
        if self.days_before and self.occasion == "plan_changed":
            problem = "must be 0 for a change of plan, which is told of once it holds"
            problems.add(InvalidValue("days_before", self.days_before, problem))

    def _check_rearm(self, problems: Problems) -> None:
        threshold, rearm = self.threshold, self.rearm
        if threshold is None or rearm is None:
            return
        number = threshold.number
        if isinstance(rearm, Money) != isinstance(number, Money):
            problems.add(InvalidType("rearm", rearm, "must be in the unit of the threshold"))
        elif isinstance(rearm, Money) and isinstance(number, Money):
            problems.attempt(threshold.check_amount, rearm, "rearm")
        is_rising = threshold.direction == "rising"
        off = number_of(number) - number_of(rearm)
        if off < 0 if is_rising else off > 0:
            side = "above" if is_rising else "below"
            problem = f"must not be {side} the threshold, {number}"
            problems.add(InvalidValue("rearm", rearm, problem))

    @property
    def kind(self) -> AlertKind:
        """The subject of it.

        A ``"soft_warning"`` is about usage within the limit, a ``"hard_warning"`` about all of it
        being used, ``"overage_incurred"`` about units beyond it or a cost.
        """
        threshold = self.threshold
        if threshold is None:
            return self.occasion or "plan_changed"
        if self.grant is not None:
            return "grant_drawn"
        if self.budget is not None:
            return "budget_used"
        if threshold.cost is not None or threshold.of == "overage":
            return "overage_incurred"
        number = number_of(threshold.number)
        if threshold.of == "remaining":
            return "soft_warning" if number else "hard_warning"
        is_all = threshold.percent is not None and number >= 100
        return "hard_warning" if is_all else "soft_warning"

    @property
    def ahead(self) -> timedelta:
        """The time before an occasion from which on it is told of."""
        return timedelta(days=self.days_before)

    @property
    def subject(self) -> str:
        """The name of the metric, grant or budget that it is about; else of all lines."""
        return self.metric or self.grant or self.budget or "total"


def usual_alerts(metric: str) -> tuple[Alert, ...]:
    """Return the alerts that most hosts want of a metric: at 80, 90 and 100 per cent.

    >>> [(alert.id, alert.severity) for alert in usual_alerts("runs")]
    [('runs-80', 'info'), ('runs-90', 'warning'), ('runs-100', 'critical')]
    """
    name = parse_name(metric, "metric")
    return tuple(
        Alert(f"{name}-{percent}", Threshold(percent=percent), metric=name, severity=severity)
        for percent, severity in _PERCENTS
    )


@value
class AlertDefinition:
    """An alert as it is kept: of all orgs or of one, in one of its versions.

    :param alert: the alert.
    :param alert_version: counted from 1: each edit is a new one, as is one that is put again after
        it was dropped.
    :param org_id: whose it is; None for all orgs.
    :param put_at: when this version was put, timezone-aware; kept in UTC.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> from datetime import UTC
    >>> AlertDefinition(usual_alerts("runs")[0], 1, datetime(2024, 2, 1, tzinfo=UTC)).org_id is None
    True
    """

    alert: Alert = term(instance_of(Alert))
    alert_version: int = term(parse_ordinal)
    put_at: datetime = term(parse_instant)
    org_id: str | None = term(optional_name)

    def __init__(
        self, alert: Alert, alert_version: int, put_at: datetime, *, org_id: str | None = None
    ) -> None: ...

    @property
    def identity(self) -> tuple[str | None, str, int]:
        """The org that it is of, the id of its alert, and its version."""
        return self.org_id, self.alert.id, self.alert_version
