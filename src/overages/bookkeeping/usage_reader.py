"""The usage reader: the usage of an org in a period and in times within it, as it is kept.

    reader = UsageReader(repository, "org-123", routes)
    reader.usages([march.start, march_12, march.end])

It looks at no more than it has to: a sum, a count, a maximum or a last value is told by the sums
that are held ready; of a level, the event that told it last before the period is looked up. Events
are read, once, where a metric needs each of them.

Units that reservations hold are usage that may come. A commit counts at the instant of its
reservation, so a hold counts in the period and the part of it that it was made in, by the terms of
then:

    holds = Holds(repository, "org-123", now)
    holds.units(march), holds.events(march, ["runs"])

Either may look at no more than was used, or held, before an instant of the period.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, combinations, pairwise
from typing import Final

from overages.amounts.exact import Quantity
from overages.errors import OveragesError
from overages.periods.period import Period
from overages.repository import Repository
from overages.usage.divided_usage import Counted, Counts, DividedUsage
from overages.usage.event import UsageEvent
from overages.usage.event_sum import EventSum, sum_of
from overages.usage.metric import Metric
from overages.usage.routing import Routes
from overages.usage.usage import Usage

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


class UsageReader:
    """Reads the usage of an org.

    :param routes: the metrics that are more than sums of their events.
    :param until: all that counts from this instant on is left out, so that a level is held on as it
        was by then, and nothing is used where more was taken back. A sum that was put for a span
        counts from its start on. None for the usage of all times.
    """

    def __init__(
        self,
        repository: Repository,
        org_id: str,
        routes: Routes,
        until: datetime | None = None,
    ) -> None:
        self._repository, self._org_id, self._routes = repository, org_id, routes
        self._until = until

    def usages(self, bounds: Sequence[datetime]) -> list[Usage]:
        """Return the usage of a period, and then of each time between two instants in it.

        :param bounds: the period's start, the instants within it, and its end, in order.
        :raises InvalidValue: if a quantity is negative, or the period cuts a span that sums were
            put for, or sums were put of a metric that is worked out by other than a sum.
        """
        period = Period(bounds[0], bounds[-1])
        if len(bounds) == 2:
            return [self.usage(period)]
        return self._divided(period, bounds)

    def usage(self, period: Period) -> Usage:
        """Return the usage of a period; it raises the errors of `usages`."""
        if not self._routes.metrics and self._until is None:  # a sum is all that there is
            return self._repository.usage(self._org_id, period)
        return self._divided(period, (period.start, period.end))[0]

    def _divided(self, period: Period, bounds: Sequence[datetime]) -> list[Usage]:
        try:
            divided = DividedUsage(self._org_id, bounds, self._routes, self.counts(bounds))
            times = [Period(*ends) for ends in combinations(bounds, 2)]
            times.sort(key=lambda time: time != period)  # the longest comes first
            return [divided.within(time, so_far=self._until is not None) for time in times]
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=period) from None

    def units(self, metric: str, time: Period) -> Quantity:
        """Return the units of one metric in a time, whatever the others come to.

        Where more is taken back in it than was used in it, that is none.

        :raises InvalidValue: if the time cuts a span that a sum of the metric was put for.
        """
        bounds = [time.start, time.end]
        if self._routes.metrics:
            counts = self.counts(bounds)
        else:
            counts = Counts([self._sums(time, [metric])], self._put(time))
        put = [
            Usage(each.org_id, each.period, {metric: each.quantities[metric]})
            for each in counts.put
            if metric in each.quantities
        ]
        counts = counts._replace(put=put)
        try:
            return DividedUsage(self._org_id, bounds, self._routes, counts).units(metric, time)
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=time) from None

    def events(self, period: Period, metrics: Iterable[str]) -> list[UsageEvent]:
        """Return the events of a period of which metrics are the sum, each with its own units."""
        names = sorted(name for name in metrics if self._routes.is_sum(name))
        if not names:
            return []
        seen, read = _before(period, self._until), self._repository.counted_events
        counted = () if seen is None else read(self._org_id, seen, metrics=names)
        return [event for event, _ in counted]

    def counts(self, bounds: Sequence[datetime]) -> Counts:
        """Return the usage of a period as it is kept, by the times between some instants."""
        times = [Period(*ends) for ends in pairwise(bounds)]
        period = Period(bounds[0], bounds[-1])
        sums = [self._sums(time) for time in times]
        seen = _before(period, self._until)
        return Counts(
            sums,
            self._put(period),
            () if seen is None else self._events(seen, set().union(*sums)),
            self._held(period.start),
            self._changes(period.start),
        )

    def _sums(self, time: Period, metrics: Iterable[str] | None = None) -> Mapping[str, EventSum]:
        seen, read = _before(time, self._until), self._repository.event_sums
        return {} if seen is None else read(self._org_id, seen, metrics=metrics)

    def _put(self, time: Period) -> Sequence[Usage]:
        seen = _before(time, self._until)
        return () if seen is None else self._repository.put_sums(self._org_id, seen)

    def _events(self, period: Period, names: set[str]) -> Iterable[Counted]:
        """Return the events of some names that are looked at one by one."""
        shared = self._routes.shared_changes
        within = sorted((self._routes.one_by_one & names) - shared)
        read = self._repository.counted_events
        return chain(
            read(self._org_id, period, metrics=within) if within else (),
            read(self._org_id, period, metrics=sorted(shared), earlier=True) if shared else (),
        )

    def _held(self, start: datetime) -> Mapping[Metric, Counted]:
        """Return the event that told each level last before an instant."""
        held = {}
        for metric in self._routes.told:
            told = filter(None, (self._last(metric, name, start) for name in metric.events))
            last = max(told, key=lambda counted: sum_of(counted[0]).last, default=None)
            if last is not None:
                held[metric] = last
        return held

    def _last(self, metric: Metric, event: str, start: datetime) -> Counted | None:
        takes_all = self._routes.takes_all(metric, event)
        return self._repository.event_before(
            self._org_id,
            start,
            event,
            matching=None if takes_all else lambda each: metric in self._routes.of(each),
        )

    def _changes(self, start: datetime) -> Mapping[str, EventSum]:
        """Return the sum of all changes of levels before an instant, by the name of the events."""
        changes = sorted(self._routes.changes)
        if not changes or start == _EARLIEST:
            return {}
        before = Period(_EARLIEST, start)
        return self._repository.event_sums(self._org_id, before, metrics=changes)


class Holds:
    """The units that reservations of an org hold.

    :param at: the instant; one that expired by then, or has ended, holds nothing.
    :param until: those that were made from this instant on are left out; None for all.
    """

    def __init__(
        self, repository: Repository, org_id: str, at: datetime, until: datetime | None = None
    ) -> None:
        self._repository, self._org_id, self._at = repository, org_id, at
        self._until = until

    def before(self, until: datetime) -> Holds:
        """Return those that were made before an instant."""
        return Holds(self._repository, self._org_id, self._at, until)

    def units(self, time: Period) -> Mapping[str, Quantity]:
        """Return the units by metric of the reservations that were made in a time."""
        seen = _before(time, self._until)
        return {} if seen is None else self._repository.held_units(self._org_id, seen, self._at)

    def events(self, time: Period, metrics: Collection[str]) -> list[UsageEvent]:
        """Return the usage of metrics that reservations made in a time would be committed with."""
        seen = _before(time, self._until)
        return [
            UsageEvent(self._org_id, metric, units, made.reserved_at, made.event_id(metric))
            for made in (() if seen is None else self._repository.reservations(self._org_id, seen))
            if made.holds_at(self._at)
            for metric, units in made.units.items()
            if metric in metrics
        ]


def _before(time: Period, until: datetime | None) -> Period | None:
    """Return the part of a time that comes before an instant; None if there is none."""
    if until is None or time.end <= until:
        return time
    return Period(time.start, until) if time.start < until else None
