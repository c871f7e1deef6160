"""Routes: which metrics an event counts for.

routes = Routes([Metric("eu", event="requests", where={"region": "eu"}),
                 Metric("others", event="requests")])
routes.of(event)                                  # (Metric('others', ...),)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Final

from overages._ground.parsing import Problems, each, instance_of
from overages.errors import InvalidValue
from overages.usage.event import UsageEvent
from overages.usage.metric import Metric

_metric: Final = instance_of(Metric)


class Routes:
    """Finds the metrics that an event counts for.

    Metrics that count the same events in the same way (by aggregation, by what is distinct, and by
    what quantities report) share them out: each event is of one of them, the one whose `where` it
    matches, or else the one without. Those that count in different ways each get every event.

    :param metrics: none of them may have the name of another, or share events with another, so
        that nothing is counted twice.
    :raises InvalidType: for what is no `Metric`.
    :raises InvalidValue: for metrics that clash; `InvalidValues` if several do.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics: Final = each(_metric)(metrics, "metrics")
        problems = Problems()
        for i, j in combinations(range(len(self.metrics)), 2):
            clash = _clash(self.metrics[i], self.metrics[j])
            if clash:
                problems.add(InvalidValue(f"metrics[{j}]", self.metrics[j], f"must not {clash}"))
        problems.raise_any()
        self._ways: dict[str, list[list[Metric]]] = {}  # by event, those that share its events
        for event in dict.fromkeys(metric.event for metric in self.metrics):
            self._ways[event] = _ways(metric for metric in self.metrics if metric.event == event)
        self._derived = {metric.name for metric in self.metrics if metric.name != metric.event}

    @property
    def worked_out(self) -> frozenset[str]:
        """The names of the events that more is counted of than their sum."""
        return frozenset(metric.event for metric in self.metrics if not metric.is_plain)

    @property
    def carried(self) -> frozenset[str]:
        """The names of the events that report a level, which goes on into later periods."""
        return frozenset(metric.event for metric in self.metrics if metric.carries)

    def of(self, event: UsageEvent) -> tuple[Metric, ...]:
        """Return the metrics that an event counts for; none if it is summed by its own name.

        :raises InvalidValue: if its name is that of a metric that is worked out of others, or if it
            lacks the dimension whose values such a metric counts.
        """
        if event.metric in self._derived:
            problem = "must not be a metric that is worked out of events of another name"
            raise InvalidValue("metric", event.metric, problem)
        found = []
        for sharing in self._ways.get(event.metric, ()):
            taker = _taker(sharing, event.dimensions)
            if taker is not None:
                found.append(taker)
                if taker.distinct is not None and taker.distinct not in event.dimensions:
                    problem = f"must have {taker.distinct!r}, which {taker.name!r} counts"
                    raise InvalidValue("dimensions", dict(event.dimensions), problem)
        return tuple(found)


def _taker(sharing: Iterable[Metric], dimensions: Mapping[str, str]) -> Metric | None:
    rest = None
    for metric in sharing:
        if not metric.where:
            rest = metric
        elif metric.matches(dimensions):
            return metric
    return rest


def _ways(metrics: Iterable[Metric]) -> list[list[Metric]]:
    ways: dict[tuple[str | None, ...], list[Metric]] = {}
    for metric in metrics:
        ways.setdefault(_way(metric), []).append(metric)
    return list(ways.values())


def _way(metric: Metric) -> tuple[str | None, ...]:
    return metric.aggregation, metric.distinct, metric.reports


def _clash(one: Metric, other: Metric) -> str:
    """Return what is wrong with having both; empty if nothing is."""
    if one.name == other.name:
        return "have the name of another metric"
    for derived, counting in ((one, other), (other, one)):
        if derived.name != derived.event and derived.name == counting.event:
            return f"count events of the name of {derived.name!r}, which is worked out of others"
    if one.event != other.event or _way(one) != _way(other) or bool(one.where) != bool(other.where):
        return ""
    shared = one.where.keys() & other.where.keys()
    if any(set(one.where[key]).isdisjoint(other.where[key]) for key in shared):
        return ""
    return f"count the same events as {one.name!r}"
