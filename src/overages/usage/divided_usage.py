"""Divided usage: the usage of a period, and of times within it.

Terms, and windows of allowances, may change within a period. Its usage is then told for each time
between two such instants:

    divided = DividedUsage("org-123", [march_1, march_12, april_1], routes, counts)
    divided.within(Period(march_1, march_12)), divided.within(Period(march_12, april_1))

The usage of a time is that of the events that count in it, and of the sums that were put for spans
which lie whole in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from overages.amounts.exact import Quantity, scaled, unscaled
from overages.errors import InvalidValue, OveragesError
from overages.periods.period import Period
from overages.usage.event import UsageEvent
from overages.usage.event_sum import EventSum, sum_of
from overages.usage.metric import Metric
from overages.usage.put_sums import lies_in, put_within
from overages.usage.routing import Routes
from overages.usage.tally import Tally, tally_of
from overages.usage.usage import Usage

Counted: TypeAlias = tuple[UsageEvent, datetime]
"""An event, and the instant that it counts at."""


class Counts(NamedTuple):
    """The usage of a period as it is kept.

    :param sums: the sum of the events of each name, in each of the times that tile the period.
    :param put: the sums that a host put for spans which overlap it.
    :param events: the events of names that are looked at one by one; those before the period too,
        for levels that are in neither of the others.
    :param held: for a level that events tell: the event that told it last before the period.
    :param changes: for levels that events change: the sum of all before the period, by event.
    """

    sums: Sequence[Mapping[str, EventSum]]
    put: Sequence[Usage] = ()
    events: Iterable[Counted] = ()
    held: Mapping[Metric, Counted] = {}
    changes: Mapping[str, EventSum] = {}


class DividedUsage:
    """The usage of a period, divided at instants within it.

    Units of a sum that are taken back are taken from the latest time before that has some, so that
    no time has less than none. Units that were put for a span are in no time shorter than it.

    :param bounds: the period's start, the instants to divide it at, and its end, in order.
    :param routes: the metrics that are more than sums of their events.
    :raises InvalidValue: if the period cuts a span that sums were put for, or such a sum is of a
        metric that is worked out by other than a sum.
    """

    def __init__(
        self, org_id: str, bounds: Sequence[datetime], routes: Routes, counts: Counts
    ) -> None:
        self._org_id, self._routes = org_id, routes
        self._period = Period(bounds[0], bounds[-1])
        self._atoms = [Period(*ends) for ends in pairwise(bounds)]  # the times that tile the period
        self._counts = counts
        self._picos: dict[str, list[int]] = {}  # of names that no metric counts, in each time
        self._taken: dict[str, tuple[Metric, list[Counted]]] = {}  # one by one, by metric
        self._across = [  # spans that are longer than one of these times
            usage
            for usage in counts.put
            if not any(lies_in(usage.period, atom) for atom in self._atoms)
        ]
        for name, picos in put_within(counts.put, self._period).items():
            self._require_sum(name, picos)
        self._sum_up()
        self._look_at_events()
        for times in self._picos.values():
            _take_back(times)

    def _require_sum(self, name: str, picos: int) -> None:
        """Refuse units that were put under a name of which no sum is what is billed."""
        metrics = self._routes.summed(name)
        one_by_one = name in self._routes.one_by_one
        if one_by_one or any(metric.aggregation != "sum" for metric in metrics):
            problem = (
                "must be counted of events, not put as a sum: a metric of the service makes"
                " something else of the events of this name"
            )
            raise InvalidValue(("usage", "quantities", name), unscaled(picos), problem)

    def _sum_up(self) -> None:
        """Add up the names that no metric counts, in each of the times."""
        for place, (sums, atom) in enumerate(zip(self._counts.sums, self._atoms, strict=True)):
            put = put_within(self._counts.put, atom, is_cut=True)
            for name in {**sums, **put}:
                if not self._routes.counts(name):
                    events = sums[name].picos if name in sums else 0
                    self._add_picos(name, place, events + put.get(name, 0))

    def _look_at_events(self) -> None:
        """Note the metrics of single events; those of none (by their dimensions) are added up."""
        starts = [atom.start for atom in self._atoms]
        summed = {
            name: frozenset(metric.name for metric in self._routes.summed(name))
            for name in self._routes.one_by_one
        }
        takers_of = self._routes.of
        for counted in self._counts.events:
            event, counts_at = counted
            takers = takers_of(event)
            in_sums = summed[event.metric]  # those have it already
            for metric in takers:
                if metric.name not in in_sums:
                    taken = self._taken.get(metric.name)
                    if taken is None:
                        taken = self._taken[metric.name] = metric, []
                    taken[1].append(counted)
            if not takers and self._period.start <= counts_at < self._period.end:
                place = bisect_right(starts, counts_at) - 1
                self._add_picos(event.metric, place, scaled(event.quantity))

    def _add_picos(self, name: str, place: int, picos: int) -> None:
        self._picos.setdefault(name, [0] * len(self._atoms))[place] += picos

    def within(self, time: Period, *, so_far: bool = False) -> Usage:
        """Return the usage of a time from one of the instants to another.

        :param so_far: whether more is to come in it, so that a quantity may be negative until then,
            and is none.
        :raises InvalidValue: if a quantity is negative; `InvalidValues` if several are.
        """
        quantities = {name: unscaled(picos) for name, picos in self._summed(time).items()}
        try:
            for name, tally in self._tallies(time).items():
                quantities[name] = tally.quantity(time)
            used = {
                name: quantity
                for name, quantity in sorted(quantities.items())
                if quantity and (quantity > 0 or not so_far)
            }
            return Usage(self._org_id, time, used)
        except OveragesError as error:
            raise error.within(org_id=self._org_id, period=time) from None

    def units(self, name: str, time: Period) -> Quantity:
        """Return the units of one metric in a time from one of the instants to another.

        None are used where more were taken back in it than were used.
        """
        tally = self._tallies(time).get(name)
        if tally is None:
            return unscaled(max(0, self._summed(time).get(name, 0)))
        return max(0, tally.quantity(time))

    def _summed(self, time: Period) -> dict[str, int]:
        """Return the picos in a time of each name that no metric counts."""
        places = self._places(time)
        picos = {name: sum(times[place] for place in places) for name, times in self._picos.items()}
        for name, units in put_within(self._across, time, is_cut=True).items():
            if not self._routes.counts(name):
                picos[name] = picos.get(name, 0) + units
        return picos

    def _places(self, time: Period) -> list[int]:
        return [place for place, atom in enumerate(self._atoms) if atom.start in time]

    def _tallies(self, time: Period) -> dict[str, Tally]:
        """Return the tally of each metric in a time, by name."""
        tallies = Tallies()
        for place in self._places(time):
            for name, events in self._counts.sums[place].items():
                for metric in self._routes.summed(name):
                    tallies.of(metric).add_sum(events, time.start)
        for name, picos in put_within(self._counts.put, time, is_cut=True).items():
            for metric in self._routes.summed(name):
                units = EventSum(0, picos, 0, (time.start, "", 0))
                tallies.of(metric).add_sum(units, time.start)
        for metric, (event, counts_at) in self._counts.held.items():
            tallies.of(metric).add(event, counts_at)
        for name, changes in self._counts.changes.items():
            for metric in self._routes.changed(name):
                tallies.of(metric).add_sum(changes, self._period.start)
        for metric, taken in self._taken.values():
            counted = [each for each in taken if each[1] < time.end]
            if not metric.holds_level:
                counted = [each for each in counted if each[1] >= time.start]
            if counted:
                add = tallies.of(metric).add
                for event, counts_at in counted:
                    add(event, counts_at)
        return tallies.by_name


def usage_of(counted: Iterable[Counted], org_id: str, period: Period, routes: Routes) -> Usage:
    """Return the usage of an org in a period, worked out of events.

    :param counted: events, each once, with the instant that it counts at; those before the period
        too, for levels that are held on.
    :raises InvalidValue: if a quantity is negative; `InvalidValues` if several are.
    """
    sums: dict[str, EventSum] = {}
    events: list[Counted] = []
    for event, counts_at in counted:
        if event.metric in routes.one_by_one:
            events.append((event, counts_at))
        elif period.start <= counts_at < period.end:
            before = sums.get(event.metric)
            sums[event.metric] = sum_of(event) if before is None else before.merged(sum_of(event))
    bounds = period.start, period.end
    return DividedUsage(org_id, bounds, routes, Counts([sums], events=events)).within(period)


class Tallies:
    """Tallies of metrics, which are made as they are asked for."""

    def __init__(self) -> None:
        self.by_name: dict[str, Tally] = {}

    def of(self, metric: Metric) -> Tally:
        """Return the tally of a metric."""
        tally = self.by_name.get(metric.name)
        if tally is None:
            tally = self.by_name[metric.name] = tally_of(metric)
        return tally


def _take_back(picos: list[int]) -> None:
    """Take units below zero from the times before, the latest first, and then from those after."""
    for i in range(len(picos) - 1, 0, -1):
        if picos[i] < 0:
            picos[i - 1] += picos[i]
            picos[i] = 0
    for i in range(len(picos) - 1):
        if picos[i] < 0:
            picos[i + 1] += picos[i]
            picos[i] = 0
