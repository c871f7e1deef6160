"""Alert histories: the alerts of an org that fired before, found by alert, period and step.

history = AlertHistory(repository.fired_alerts("acme", february))
steps = history.of(definition, february)
steps.highest, steps.of(3)                        # 3, [reached]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from overages.alerts.alert import AlertDefinition
from overages.alerts.crossing import last_steps
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.threshold import Amount
from overages.periods.period import Period

Identity: TypeAlias = tuple[str | None, str, int]
"""The org, the id and the version of an alert."""


class AlertHistory:
    """The alerts of an org that fired before.

    :param fired: in the order in which they did.
    """

    def __init__(self, fired: Iterable[FiredAlert] = ()) -> None:
        self._steps: dict[tuple[Identity, Period], StepsBefore] = {}
        self.add(fired)

    def add(self, fired: Iterable[FiredAlert]) -> None:
        """Note alerts that have fired since."""
        for entry in fired:
            self._own(entry.definition, entry.period).add(entry)

    def of(self, definition: AlertDefinition, period: Period) -> StepsBefore:
        """Return all that became of an alert in a period."""
        return self._steps.get((definition.identity, period), _UNTOUCHED)

    def periods_of(self, definition: AlertDefinition) -> Iterator[Period]:
        """Yield the periods in which an alert fired."""
        return (period for identity, period in self._steps if identity == definition.identity)

    def has(self, period: Period) -> bool:
        """Tell whether any alert fired in a period."""
        return any(own == period for _, own in self._steps)

    def _own(self, definition: AlertDefinition, period: Period) -> StepsBefore:
        return self._steps.setdefault((definition.identity, period), StepsBefore())


class StepsBefore:
    """All that became of an alert in a period, by the steps of its threshold.

    A number that goes on looks at the steps on its way alone, however many it has passed before.
    """

    def __init__(self) -> None:
        self._entries: dict[int, list[FiredAlert]] = {}
        self._standing: set[int] = set()
        self._others: set[int] = set()  # those that were reached, and no longer are
        self._highest: int | None = 0  # None where it is to be looked for
        self.limit: Amount | None = None
        """The limit that the last entry was told with."""

    def add(self, entry: FiredAlert) -> None:
        """Note the next entry of a step."""
        step, self.limit = entry.step, entry.limit
        self._entries.setdefault(step, []).append(entry)
        if entry.state == "reached":
            self._others.discard(step)
            self._standing.add(step)
            if self._highest is not None:
                self._highest = max(self._highest, step)
        else:
            self._standing.discard(step)
            self._others.add(step)
            if step == self._highest:
                self._highest = None

    @property
    def highest(self) -> int:
        """The highest step that stands; 0 if none does."""
        if self._highest is None:
            self._highest = max(self._standing, default=0)
        return self._highest

    def of(self, step: int) -> Sequence[FiredAlert]:
        """Return the entries of a step, as they came."""
        return self._entries.get(step, ())

    def looked_at(self, at_zero: int, now: int) -> list[int]:
        """Return the steps that a number may reach, clear or re-arm, in the order of passing.

        :param at_zero: the steps that are reached before anything is used.
        :param now: the steps that it has reached.
        """
        highest = max(at_zero, self.highest)
        steps = {*self._others, *last_steps(min(highest, now), max(highest, now))}
        if self.highest > now:
            steps.update(step for step in self._standing if step > now)
        return sorted(steps, reverse=now < highest)


_UNTOUCHED: Final = StepsBefore()


def stands(entries: Sequence[FiredAlert]) -> bool:
    """Tell whether a step stands as reached, by its entries."""
    return bool(entries) and entries[-1].state == "reached"


def by_id(history: Iterable[FiredAlert]) -> Mapping[str, list[FiredAlert]]:
    """Return the entries of occasions by their id, as they came."""
    before: dict[str, list[FiredAlert]] = {}
    for entry in history:
        if entry.instant is not None:
            before.setdefault(entry.id, []).append(entry)
    return before
