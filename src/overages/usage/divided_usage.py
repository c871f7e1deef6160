"""Divided usage: the usage of a period, told for times within it.

Terms, and windows of allowances, may change within a period. Its usage is then told for each time
between two such instants:

    divided = DividedUsage(of_period, [march_1, march_12, april_1], placed, routes)
    divided.within(Period(march_1, march_12)), divided.within(Period(march_12, april_1))

Flows are summed once, for each of the times that tile the period. What is worked out of events (a
level, a maximum, a number of users) is worked out anew in each time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, TypeAlias

from overages.amounts.exact import scaled, unscaled
from overages.periods.period import Period
from overages.usage.event import UsageEvent
from overages.usage.metering import usage_of
from overages.usage.routing import Routes
from overages.usage.usage import Usage

Placed: TypeAlias = tuple[UsageEvent, Period]
"""An event, and the time that it counts in."""

_TICK: Final = timedelta(microseconds=1)


class DividedUsage:
    """The usage of a period, divided at instants within it.

    Events that count in the period though they lie outside of it count at its nearest end. Usage
    that is taken back is taken from the latest before it, so that no time has less than none. Units
    without an event, which a host has set, are in no time: nobody knows when they were used.

    :param of_period: the usage of all of the period.
    :param bounds: the period's start, the instants to divide it at, and its end, in order.
    :param placed: the events that count in the period; and those of before, for levels that are
        held on.
    :param routes: the metrics that are more than sums of their events.
    """

    def __init__(
        self,
        of_period: Usage,
        bounds: Sequence[datetime],
        placed: Iterable[Placed],
        routes: Routes,
    ) -> None:
        self._of_period, self._placed, self._routes = of_period, tuple(placed), routes
        self._atoms = [Period(*ends) for ends in pairwise(bounds)]  # the times that tile the period
        self._sums = self._summed()

    def _summed(self) -> dict[str, list[int]]:
        """Return the picos of each metric that is summed, for each of the times."""
        starts = [atom.start for atom in self._atoms]
        sums = {
            metric: [0] * len(starts)
            for metric in self._of_period.quantities
            if metric not in self._routes.worked_out
        }
        for event, own in self._placed:
            if own == self._of_period.period and not self._routes.of(event):
                place = max(0, bisect_right(starts, event.at) - 1)
                picos = sums.setdefault(event.metric, [0] * len(starts))
                picos[place] += scaled(event.quantity)
        for picos in sums.values():
            _take_back(picos)
        return sums

    def within(self, time: Period) -> Usage:
        """Return the usage of a time from one of the instants to another."""
        quantities = {
            metric: unscaled(
                sum(p for p, atom in zip(picos, self._atoms, strict=True) if atom.start in time)
            )
            for metric, picos in self._sums.items()
        }
        org_id, period = self._of_period.org_id, self._of_period.period
        moved: list[Placed] = []
        for event, own in self._placed:
            if self._routes.of(event):
                at = event.at
                if own == period:
                    at = min(max(at, period.start), period.end - _TICK)
                if at in time:
                    moved.append((event, time))
                elif at < time.start:
                    moved.append((event, Period(min(at, own.start), time.start)))
        worked_out = usage_of(moved, org_id, time, self._routes).quantities
        return Usage(org_id, time, {**quantities, **worked_out})


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
