"""Tallies: the running count of a metric's events, whatever order they come in.

    tally = tally_of(metric)
    for event in events:
        tally.add(event, since=event.at)
    tally.quantity(period)                            # the metric's usage of the period

Most are of one period, and a sum, a count, a maximum and a last value need no single events: they
take in an `EventSum` as well. The tally of a level is of all time: its quantity before a period is
the one that the period starts with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from overages.amounts.exact import SCALE, Quantity, scaled, unscaled
from overages.periods.period import Period
from overages.usage.event import UsageEvent
from overages.usage.event_sum import EventSum, Reading, sum_of
from overages.usage.metric import Metric

_TICK: Final = timedelta(microseconds=1)


def tally_of(metric: Metric) -> Tally:
    """Return an empty tally of a metric.

    >>> from datetime import UTC
    >>> tally, noon = tally_of(Metric("peak", "max")), datetime(2024, 2, 3, 12, tzinfo=UTC)
    >>> for quantity in (1, 3, 2):
    ...     tally.add(UsageEvent("org-123", "peak", quantity, noon), since=noon)
    >>> tally.quantity(Period.month(2024, 2))
    3
    """
    if metric.reports == "level":
        return _Levels(metric)
    if metric.reports == "change":
        return _Changes(metric)
    return _AMOUNTS[metric.aggregation](metric)


class Tally(ABC):
    """Takes events in, and tells the usage that they come to; it keeps no event.

    :param metric: says how.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    @abstractmethod
    def add(self, event: UsageEvent, since: datetime) -> None:
        """Take an event in.

        :param since: the first instant that it counts at: its own, or the start of the period that
            a late one counts in.
        """

    def add_sum(self, events: EventSum, since: datetime) -> None:
        """Take the sum of some events in, if the metric's `is_summed`; or of changes of a level."""
        raise NotImplementedError

    @abstractmethod
    def quantity(self, period: Period) -> Quantity:
        """Return the metric's usage of a period."""

    def starts_before(self, instant: datetime) -> bool:
        """Tell whether it can tell of the time before an instant."""
        del instant
        return True


class _Sum(Tally):
    """Picos; of the units of each event, where those are rounded one by one."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._picos = 0
        self._by_event = metric.increment_scope == "event"

    def add(self, event: UsageEvent, since: datetime) -> None:
        del since
        quantity = event.quantity
        self._picos += scaled(self._metric.converted(quantity) if self._by_event else quantity)

    def add_sum(self, events: EventSum, since: datetime) -> None:
        del since
        self._picos += events.picos

    def quantity(self, period: Period) -> Quantity:
        del period
        if self._by_event:
            return unscaled(self._picos)
        return self._metric.converted(Fraction(self._picos, SCALE))


class _Count(Tally):
    """The number of events."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._count = 0

    def add(self, event: UsageEvent, since: datetime) -> None:
        del event, since
        self._count += 1

    def add_sum(self, events: EventSum, since: datetime) -> None:
        del since
        self._count += events.events

    def quantity(self, period: Period) -> Quantity:
        del period
        return self._metric.converted(self._count)


class _Unique(Tally):
    """The values of a dimension."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._values: set[str] = set()

    def add(self, event: UsageEvent, since: datetime) -> None:
        del since
        self._values.add(event.dimensions[self._metric.distinct or ""])

    def quantity(self, period: Period) -> Quantity:
        del period
        return self._metric.converted(len(self._values))


class _Max(Tally):
    """The largest quantity."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._picos: int | None = None

    def add(self, event: UsageEvent, since: datetime) -> None:
        self.add_sum(sum_of(event), since)

    def add_sum(self, events: EventSum, since: datetime) -> None:
        del since
        largest = events.largest
        self._picos = largest if self._picos is None else max(self._picos, largest)

    def quantity(self, period: Period) -> Quantity:
        del period
        return self._metric.converted(Fraction(self._picos or 0, SCALE))


class _Last(Tally):
    """The quantity of the last event."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._last: Reading | None = None

    def add(self, event: UsageEvent, since: datetime) -> None:
        self.add_sum(sum_of(event), since)

    def add_sum(self, events: EventSum, since: datetime) -> None:
        del since
        self._last = events.last if self._last is None else max(self._last, events.last)

    def quantity(self, period: Period) -> Quantity:
        del period
        return self._metric.converted(Fraction(self._last[-1] if self._last else 0, SCALE))


class _Level(Tally):
    """A level through all time, in picos; it starts at zero."""

    @abstractmethod
    def _steps(self) -> Iterator[tuple[datetime, int]]:
        """Yield each instant that the level changes at, in order, and its quantity from then on."""

    def starts_before(self, instant: datetime) -> bool:
        return any(since < instant for since, _ in self._steps())

    def quantity(self, period: Period) -> Quantity:
        held = [(period.start, 0)]  # from when, and how much
        for since, picos in self._steps():
            if since <= period.start:
                held = [(period.start, picos)]
            elif since < period.end:
                held.append((since, picos))
        match self._metric.aggregation:
            case "max":
                level = Fraction(max(picos for _, picos in held))
            case "last":
                level = Fraction(held[-1][1])
            case _:
                level = _mean(held, period)
        return self._metric.converted(level / SCALE)


def _mean(held: list[tuple[datetime, int]], period: Period) -> Fraction:
    ends = [since for since, _ in held[1:]] + [period.end]
    area = sum(
        picos * ((end - since) // _TICK) for (since, picos), end in zip(held, ends, strict=True)
    )
    return Fraction(area, (period.end - period.start) // _TICK)


class _Changes(_Level):
    """A level that each event changes; those of one instant change it at once."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._changes: dict[datetime, int] = {}

    def add(self, event: UsageEvent, since: datetime) -> None:
        self._changes[since] = self._changes.get(since, 0) + scaled(event.quantity)

    def add_sum(self, events: EventSum, since: datetime) -> None:
        self._changes[since] = self._changes.get(since, 0) + events.picos

    def _steps(self) -> Iterator[tuple[datetime, int]]:
        picos = 0
        for since, change in sorted(self._changes.items()):
            picos += change
            yield since, picos


class _Levels(_Level):
    """A level that each event tells; of those of one instant, the last one counts."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._readings: dict[datetime, Reading] = {}

    def add(self, event: UsageEvent, since: datetime) -> None:
        reading = sum_of(event).last
        self._readings[since] = max(self._readings.get(since, reading), reading)

    def _steps(self) -> Iterator[tuple[datetime, int]]:
        newest = None
        for since, reading in sorted(self._readings.items()):
            if newest is None or newest < reading:  # a late one may be long outdated
                newest = reading
                yield since, reading[-1]


_AMOUNTS: Final[dict[str, type[Tally]]] = {
    "sum": _Sum,
    "count": _Count,
    "unique": _Unique,
    "max": _Max,
    "last": _Last,
}
