"""Event sums: all that a sum, a count, a maximum or a last value needs of some events.

Sums of hours are held ready; that of a month is the sum of its hours, whatever their order:

    february = merged(sums_of_hours)
    february.events, february.picos                   # how many, and their units
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from overages.amounts.exact import scaled
from overages.usage.event import UsageEvent

Reading: TypeAlias = tuple[datetime, str, int]
"""An event's instant, id and picos, by which events are in order: the later has the later instant,
of equal ones the greater id, then the more picos."""


class EventSum(NamedTuple):
    """The sum of some events of a name.

    :param events: how many they are.
    :param picos: all their units, in picos (10^-12 of a unit).
    :param largest: the largest quantity of one of them, in picos.
    :param last: the last of them.
    """

    events: int
    picos: int
    largest: int
    last: Reading

    def merged(self, other: EventSum) -> EventSum:
        """Return the sum of both."""
        return EventSum(
            self.events + other.events,
            self.picos + other.picos,
            max(self.largest, other.largest),
            max(self.last, other.last),
        )


def sum_of(event: UsageEvent) -> EventSum:
    """Return the sum of one event.

    >>> from datetime import UTC
    >>> noon = datetime(2024, 2, 3, 12, tzinfo=UTC)
    >>> three, five = (sum_of(UsageEvent("org-123", "runs", n, noon)) for n in (3, 5))
    >>> three.merged(five).picos // 10**12, five.merged(three) == three.merged(five)
    (8, True)
    """
    picos = scaled(event.quantity)
    return EventSum(1, picos, picos, (event.at, event.id or "", picos))


def sum_up(events: Sequence[UsageEvent]) -> EventSum:
    """Return the sum of some events, of which there is one at least."""
    picos = [scaled(event.quantity) for event in events]
    readings = (
        (event.at, event.id or "", units) for event, units in zip(events, picos, strict=True)
    )
    return EventSum(len(events), sum(picos), max(picos), max(readings))


def merged(sums: Iterable[EventSum]) -> EventSum | None:
    """Return the sum of sums; None if there is none."""
    total = None
    for each in sums:
        total = each if total is None else total.merged(each)
    return total
