"""Usage days: the days of all metrics of a period, from the usage that is kept.

The usage of a period is told as it stood at the end of each of its days: of events that counted
later, and of sums put for spans that ended later, nothing was known. A day has the difference to
the day before, so that the days sum to the usage of the bill:

    days = usage_days("acme", days_of(march, "Europe/Paris"), over, routes, counts)
    days.of("tokens"), days.without                   # (12, 0, 7, ...), {"runs": 100}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import scaled
from overages.periods.period import Period
from overages.usage.divided_usage import Counted, Counts, DividedUsage, Tallies
from overages.usage.event_sum import EventSum
from overages.usage.put_sums import lies_in, put_within
from overages.usage.routing import Routes
from overages.usage.usage import Usage


class UsageDays(NamedTuple):
    """The days of all metrics of a period that are over.

    :param over: how many these are.
    :param picos: the change that each day made to a metric, in picos; a metric that isn't named had
        none.
    :param without: the picos of each metric that were put as sums for more than a day, so that no
        day has them.
    """

    over: int
    picos: Mapping[str, tuple[int, ...]]
    without: Mapping[str, int]

    def of(self, metric: str) -> tuple[int, ...]:
        """Return the change that each day made to a metric, in picos."""
        return self.picos.get(metric, (0,) * self.over)


def usage_days(
    org_id: str, days: Sequence[Period], over: int, routes: Routes, counts: Counts
) -> UsageDays:
    """Return the days of a period that are over.

    It takes each event in once, however many days there are.

    :param days: all days of the period.
    :param over: how many of them are over.
    :param routes: the metrics that are more than sums of their events.
    :param counts: the usage of the period, by times that end where its days do.
    :raises InvalidValue: if the period cuts a span that sums were put for, or such a sum is of a
        metric that is worked out by other than a sum.
    """
    period = Period(days[0].start, days[-1].end)
    DividedUsage(
        org_id, (period.start, period.end), routes, counts._replace(sums=[{}], events=())
    )  # refuses sums that were put for other times, or other metrics
    stood = list(_as_it_stood(period, days[:over], routes, counts))
    picos = {}
    for metric in sorted(set().union(*stood)):
        ends = [0, *(usage.get(metric, 0) for usage in stood)]
        picos[metric] = tuple(after - before for before, after in pairwise(ends))
    return UsageDays(over, FrozenDict(picos), _without_days(days, counts.put))


def _as_it_stood(
    period: Period, days: Sequence[Period], routes: Routes, counts: Counts
) -> Iterator[Mapping[str, int]]:
    """Yield the picos of each metric in the period, as they stood at the end of each day."""
    running = _RunningUsage(period, routes, counts)
    events = sorted(counts.events, key=lambda counted: counted[1])
    ended = sorted(counts.put, key=lambda usage: usage.period.end)
    taken = put = 0
    for day, sums in zip(days, counts.sums, strict=False):
        running.add_sums(sums)
        while put < len(ended) and ended[put].period.end <= day.end:
            running.add_put(ended[put])
            put += 1
        while taken < len(events) and events[taken][1] < day.end:
            running.add_event(events[taken])
            taken += 1
        yield running.picos()


class _RunningUsage:
    """The usage of a period as it comes in, by the same tallies as that of all of it.

    :param counts: the levels that the period starts with.
    """

    def __init__(self, period: Period, routes: Routes, counts: Counts) -> None:
        self._period, self._routes = period, routes
        self._sums: dict[str, int] = {}  # of names that no metric counts
        self._tallies = Tallies()
        for metric, (event, counts_at) in counts.held.items():
            self._tallies.of(metric).add(event, counts_at)
        for name, changes in counts.changes.items():
            for metric in routes.changed(name):
                self._tallies.of(metric).add_sum(changes, period.start)

    def add_sums(self, sums: Mapping[str, EventSum]) -> None:
        """Take the sums of some events in."""
        for name, events in sums.items():
            for metric in self._routes.summed(name):
                self._tallies.of(metric).add_sum(events, self._period.start)
            if not self._routes.counts(name):
                self._add(name, events.picos)

    def add_put(self, usage: Usage) -> None:
        """Take the sums in that a host has put for a span."""
        for name, picos in put_within([usage], self._period, is_cut=True).items():
            for metric in self._routes.summed(name):
                units = EventSum(0, picos, 0, (self._period.start, "", 0))
                self._tallies.of(metric).add_sum(units, self._period.start)
            if not self._routes.counts(name):
                self._add(name, picos)

    def add_event(self, counted: Counted) -> None:
        """Take an event in that is looked at by itself."""
        event, counts_at = counted
        takers = self._routes.of(event)
        summed = self._routes.summed(event.metric)
        for metric in takers:
            if metric not in summed and (metric.holds_level or counts_at >= self._period.start):
                self._tallies.of(metric).add(event, counts_at)
        if not takers and counts_at >= self._period.start:
            self._add(event.metric, scaled(event.quantity))

    def _add(self, name: str, picos: int) -> None:
        self._sums[name] = self._sums.get(name, 0) + picos

    def picos(self) -> dict[str, int]:
        """Return the usage of the period as it stands, in picos."""
        tallies = self._tallies.by_name.items()
        counted = {name: scaled(tally.quantity(self._period)) for name, tally in tallies}
        return {**self._sums, **counted}


def _without_days(days: Iterable[Period], put: Iterable[Usage]) -> Mapping[str, int]:
    """Return the picos of each metric that were put for spans which no day has whole in it."""
    picos: dict[str, int] = {}
    for usage in put:
        if not any(lies_in(usage.period, day) for day in days):
            for metric, units in usage.quantities.items():
                picos[metric] = picos.get(metric, 0) + scaled(units)
    return FrozenDict({metric: units for metric, units in picos.items() if units})
