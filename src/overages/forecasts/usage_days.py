"""Usage days: the days of all metrics of a period, from the usage that is kept.

The usage of a period is told as it stood at the end of each of its days, by the rules that tell it
for the bill: of events that counted later, and sums put for spans that ended later, nothing was
known. A day has the difference to the day before:

    days = usage_days("acme", days_of(march, "Europe/Paris"), over, routes, counts)
    days.picos["tokens"], days.without               # (12, 0, 7, ...), {"runs": 100}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import scaled
from overages.errors import OveragesError
from overages.periods.period import Period
from overages.usage.divided_usage import Counts, DividedUsage
from overages.usage.event_sum import EventSum
from overages.usage.put_sums import lies_in
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

    :param days: all days of the period.
    :param over: how many of them are over.
    :param routes: the metrics that are more than sums of their events.
    :param counts: the usage of the period, by times that end where its days do.
    :raises InvalidValue: if the period cuts a span that sums were put for.
    """
    stood = list(_as_it_stood(org_id, days, over, routes, counts))
    metrics = sorted(set().union(*stood))
    picos = {}
    for metric in metrics:
        ends = [0, *(usage.get(metric, 0) for usage in stood)]
        picos[metric] = tuple(after - before for before, after in pairwise(ends))
    return UsageDays(over, FrozenDict(picos), _without_days(days, counts.put))


def _as_it_stood(
    org_id: str, days: Sequence[Period], over: int, routes: Routes, counts: Counts
) -> Iterable[Mapping[str, int]]:
    """Yield the picos of each metric in the period, as they stood at the end of each day."""
    period = Period(days[0].start, days[-1].end)
    bounds, events = (period.start, period.end), list(counts.events)
    so_far: dict[str, EventSum] = {}
    picos: dict[str, int] = {}
    for day, sums in zip(days[:over], counts.sums, strict=False):
        for name, more in sums.items():
            so_far[name] = so_far[name].merged(more) if name in so_far else more
        by_then = counts._replace(
            sums=[so_far],
            put=[usage for usage in counts.put if usage.period.end <= day.end],
            events=[counted for counted in events if counted[1] < day.end],
        )
        try:
            usage = DividedUsage(org_id, bounds, routes, by_then).within(period)
            picos = {metric: scaled(units) for metric, units in usage.quantities.items()}
        except OveragesError:  # units were taken back that came later: nothing was known that day
            pass
        yield picos


def _without_days(days: Iterable[Period], put: Iterable[Usage]) -> Mapping[str, int]:
    """Return the picos of each metric that were put for spans which no day has whole in it."""
    picos: dict[str, int] = {}
    for usage in put:
        if not any(lies_in(usage.period, day) for day in days):
            for metric, units in usage.quantities.items():
                if units:
                    picos[metric] = picos.get(metric, 0) + scaled(units)
    return FrozenDict(picos)
