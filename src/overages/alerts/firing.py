"""Firing: the alerts that a number reaches or clears, by all that became of them before.

    fire("acme", reading, AlertHistory(before), noted_at)   # the FiredAlerts that are new

It is a pure function of the numbers in their order: it depends neither on who asks, nor how often.
A threshold that has an entry stands as that entry says; one that has none stands as at zero, so
that the first number of a period is compared with that, and an edited threshold starts anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from overages._ground.value import evolve
from overages.alerts.alert import AlertDefinition
from overages.alerts.alert_history import AlertHistory, by_id, stands
from overages.alerts.fired_alert import AlertState, FiredAlert, alert_id
from overages.alerts.messages import amount_text
from overages.alerts.threshold import Amount, Threshold, Undecided, number_of
from overages.amounts.money import Currency, Money
from overages.errors import CurrencyMismatch, InvalidType
from overages.periods.period import Period

Unreached: TypeAlias = Undecided | Literal["other_unit", "unknown", "unsettled"]
"""Why an alert can't be reached: no limit, none included, another unit or currency than the
number's, no such metric, grant or budget, or a number that can't be worked out as usage is now."""

_LAST_STEP: Final = 2**63 - 1  # any database holds it

Standing: TypeAlias = Literal["reached", "not_reached", "undecided"]
"""Whether a threshold is reached now, or can't be."""


class Reading(NamedTuple):
    """The numbers that an alert is compared with, in a period.

    :param definition: the alert.
    :param period: the org's; of a grant, the time of the grant.
    :param used: units, or money, that are used; None where there is no such metric or grant.
    :param limit: units, or money, that they are used of; None where there is no limit.
    :param is_settled: whether the numbers could be worked out; if not, the alert stays as it is.
    :param clears_alone: whether it can only clear alerts that stand, by the limit that they were
        told with: nothing new is told.
    """

    definition: AlertDefinition
    period: Period
    used: Amount | None
    limit: Amount | None
    is_settled: bool = True
    clears_alone: bool = False

    def explain(self) -> str:
        """Say in a line how it stands.

        >>> from datetime import UTC
        >>> from overages.alerts.alert import usual_alerts
        >>> eighty = AlertDefinition(usual_alerts("runs")[0], 1, datetime(2024, 2, 20, tzinfo=UTC))
        >>> print(Reading(eighty, Period.month(2024, 2), 41, 50))
        runs-80: reached, 41 of 50 used
        >>> print(Reading(eighty, Period.month(2024, 2), 41, None))
        runs-80: can't be reached (unlimited), 41 used
        """
        standing = self.standing.replace("_", " ")
        if self.unreached is not None:
            standing = f"can't be reached ({self.unreached.replace('_', ' ')})"
        told = f"{self.definition.alert.id}: {standing}"
        if self.used is None:
            return told
        limit = "" if self.limit is None else f" of {amount_text(self.limit)}"
        return f"{told}, {amount_text(self.used)}{limit} used"

    def __str__(self) -> str:
        return self.explain()

    @property
    def threshold(self) -> Threshold:
        """The threshold of the alert."""
        return cast(Threshold, self.definition.alert.threshold)

    @property
    def unreached(self) -> Unreached | None:
        """Why the alert can't be reached; None where it can."""
        if not self.is_settled:
            return "unsettled"
        if self.used is None:
            return "unknown"
        if self.limit is not None and _unit_of(self.limit) != _unit_of(self.used):
            return "other_unit"  # a budget in another currency than the bill, say
        try:
            self.threshold.check_amount(self.used, "used")
        except (CurrencyMismatch, InvalidType):
            return "other_unit"
        return self.threshold.undecided(self.limit)

    @property
    def standing(self) -> Standing:
        """Whether it is reached now."""
        if self.unreached is not None:
            return "undecided"
        return "reached" if self.steps else "not_reached"

    @property
    def steps(self) -> int:
        """The steps that are reached now, up to 2**63 - 1; none where none can be."""
        if self.used is None or self.unreached is not None:
            return 0
        return min(self.threshold.steps(self.used, self.limit), _LAST_STEP)

    @property
    def steps_at_zero(self) -> int:
        """The steps that are reached before anything is used."""
        threshold = self.threshold
        if threshold.direction == "rising" and threshold.of != "remaining":
            return 0  # its number is more than zero
        if self.used is None or self.unreached is not None:
            return 0
        zero = Money(0, self.used.currency) if isinstance(self.used, Money) else 0
        return threshold.steps(zero, self.limit)

    def is_rearmed(self, step: int) -> bool:
        """Tell whether the number is so far from a step that it can be told of again."""
        rearm, threshold = self.definition.alert.rearm, self.threshold
        if rearm is None or self.used is None or self.unreached is not None:
            return False
        number = threshold.compared(self.used, self.limit)
        per_cent = threshold.percent is not None
        scale = number_of(self.limit) / 100 if per_cent else Fraction(1)
        band = (number_of(threshold.number) - number_of(rearm)) * scale
        bound = Fraction(threshold.level(self.limit, step)) - band
        return number < bound if threshold.direction == "rising" else number > bound


def _unit_of(amount: Amount) -> Currency | None:
    return amount.currency if isinstance(amount, Money) else None


def fire(
    org_id: str, reading: Reading, history: AlertHistory, noted_at: datetime
) -> tuple[FiredAlert, ...]:
    """Return the alerts that a number fires or clears; none where it couldn't be worked out.

    :param history: the org's alerts that fired before; those of other alerts and periods among them
        are passed over.
    :param noted_at: when.

    >>> from datetime import UTC
    >>> from overages.alerts.alert import usual_alerts
    >>> noon, month = datetime(2024, 2, 20, 12, tzinfo=UTC), Period.month(2024, 2)
    >>> eighty = AlertDefinition(usual_alerts("runs")[0], 1, noon)
    >>> history = AlertHistory()
    >>> (reached,) = fire("acme", Reading(eighty, month, 41, 50), history, noon)
    >>> history.add([reached])
    >>> reached.state, fire("acme", Reading(eighty, month, 45, 50), history, noon)
    ('reached', ())
    >>> fire("acme", Reading(eighty, month, 39, 50), history, noon)[0].state
    'cleared'
    """
    if not reading.is_settled:
        return ()
    before = history.of(reading.definition, reading.period)
    if reading.clears_alone:
        reading = reading._replace(limit=before.limit)
    at_zero, now = reading.steps_at_zero, reading.steps
    steps = before.looked_at(at_zero, now)
    standing = before.highest
    if 0 < standing <= now and _has_other_amount(before.of(standing), reading):
        steps = sorted({*steps, standing})
    fired: list[FiredAlert] = []
    for step in steps:
        own = list(before.of(step))
        stood = stands(own) if own else step <= at_zero
        used, limit = reading.used, reading.limit
        if used is None or reading.unreached == "other_unit":
            used, limit = own[-1].used, own[-1].limit  # as it was last: of a budget dropped, say
        is_far, is_anew = reading.is_rearmed(step), _has_other_amount(own, reading)
        for state, is_silent in _next_states(
            own, stood=stood, stands=step <= now, is_far=is_far, is_anew=is_anew
        ):
            if state == "reached" and not is_silent and reading.clears_alone:
                continue
            entry = FiredAlert(
                org_id, reading.definition, reading.period, state, noted_at, step=step,
                number=len(own) + 1, used=used, limit=limit, is_silent=is_silent,
            )  # fmt: skip
            own = [*own, entry]
            fired.append(entry)
    return tuple(fired)


def fire_all(
    org_id: str, readings: Iterable[Reading], history: AlertHistory, noted_at: datetime
) -> tuple[FiredAlert, ...]:
    """Return the alerts that some numbers fire or clear, each of one subject as they are passed.

    :param history: the org's alerts that fired before.
    :param noted_at: when.
    """
    places: dict[object, int] = {}  # of subjects, as they come first
    fired = []
    for reading in readings:
        alert, threshold = reading.definition.alert, reading.threshold
        subject = (reading.period, alert.metric, alert.grant, alert.budget, threshold.cost is None)
        subject_place = places.setdefault(subject, len(places))
        for entry in fire(org_id, reading, history, noted_at):
            place = threshold.place(reading.limit, entry.step)
            is_up = (entry.state == "reached") == threshold.grows
            fired.append((subject_place, place if is_up else -place, entry))
    fired.sort(key=lambda each: each[:2])
    return tuple(entry for _, _, entry in fired)


class Occurrence(NamedTuple):
    """An instant that an alert is about: a trial or a grant ends then, or a plan holds from then.

    :param definition: the alert.
    :param period: the org's period that it lies in.
    :param instant: the instant.
    :param about: the name of the grant, or of the plan; None for a trial.
    """

    definition: AlertDefinition
    period: Period
    instant: datetime
    about: str | None

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is to be told of: it is near enough, and the alert was put before it."""
        definition = self.definition
        return self.instant - now <= definition.alert.ahead and self.instant > definition.put_at


def fire_occasions(
    org_id: str,
    occurrences: Sequence[Occurrence],
    history: Iterable[FiredAlert],
    now: datetime,
) -> tuple[FiredAlert, ...]:
    """Return the alerts that have come with time, and those of instants that no longer will.

    :param occurrences: all instants of the org that its alerts are about, past and to come.
    :param history: the org's alerts that fired before, in that order.
    :param now: the present instant.
    """
    before = by_id(history)
    fired, ids = [], set()
    for each in occurrences:
        definition, period, instant, about = each
        key = alert_id(org_id, definition, period, 1, instant, about)
        ids.add(key)
        own = before.get(key, [])
        if each.is_due(now) and not stands(own):
            period = own[-1].period if own else period  # that of its first entry, for good
            entry = FiredAlert(
                org_id, definition, period, "reached", now,
                number=len(own) + 1, instant=instant, about=about,
            )  # fmt: skip
            fired.append(entry)
    for key, own in before.items():
        last = own[-1]
        if key not in ids and stands(own) and last.instant is not None and last.instant > now:
            cleared = evolve(last, state="cleared", number=len(own) + 1, noted_at=now)
            fired.append(evolve(cleared, acknowledged_at=None, acknowledged_by=None))
    return tuple(fired)


def _has_other_amount(entries: Sequence[FiredAlert], reading: Reading) -> bool:
    """Tell whether a budget has another amount than as its alert was told of.

    Other limits move by themselves: of these, `Alert.rearm` decides.
    """
    if reading.definition.alert.budget is None:
        return False
    reached = [entry.limit for entry in entries if entry.state == "reached"]
    return bool(reached) and reached[-1] != reading.limit


def _next_states(
    entries: Sequence[FiredAlert], *, stood: bool, stands: bool, is_far: bool, is_anew: bool
) -> Iterator[tuple[AlertState, bool]]:
    """Yield the states that follow on some entries, each with whether nobody is told of it.

    :param is_far: whether the number is so far off that the threshold is re-armed.
    :param is_anew: whether it is another threshold than it was.
    """
    is_armed, was_silent = True, True
    for entry in entries:
        if entry.state != "cleared":
            is_armed = entry.state == "rearmed"
        if entry.state == "reached":
            was_silent = entry.is_silent
    if stands and (not stood or is_anew):
        yield "reached", not (is_armed or is_anew)
    if stands:
        return
    if stood:
        yield "cleared", was_silent
    if is_far and not is_armed:
        yield "rearmed", True
