"""Routes: which metrics an event counts for.

    routes = Routes([Metric("eu", event="requests", where={"region": "eu"}),
                     Metric("others", event="requests")])
    routes.of(event)                                  # (Metric(name='others', event='requests'),)

A price list of 10,000 models has as many metrics of one event, each with a `where` of its own. So
no event is compared with each of them, and no metric with each other one: a metric is looked up by
the dimension that tells it best from the others. Of metrics ``{"model": "m7", "direction": "in"}``
that is the model, which two of them share, where 5,000 share the direction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Final, TypeAlias

from overages._ground.parsing import Problems, each, instance_of
from overages.errors import InvalidValue
from overages.usage.event import UsageEvent
from overages.usage.metric import Metric

_metric: Final = instance_of(Metric)

Numbered: TypeAlias = tuple[int, Metric]
"""A metric, and its place among those that were declared."""

_COUNTS: Final = frozenset({"count", "unique"})
"""The aggregations that one more event adds to, even if it takes units back."""

_FLOWS: Final = frozenset({"sum", "count"})
"""The aggregations whose results in two times add up."""


class Routes:
    """Finds the metrics that an event counts for.

    Metrics that count the same events in the same way (by aggregation, by the distinct dimension,
    and by the meaning of quantities) share them out: each event is of one of them, the one whose
    `where` it matches, or else the one without. Those that count in different ways each get every
    event.

    :param metrics: none of them may have the name of another, or share events with another, so
        that nothing is counted twice.
    :raises InvalidType: for an object that is no `Metric`.
    :raises InvalidValue: for metrics that clash; `InvalidValues` if several do.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics: Final[tuple[Metric, ...]] = each(_metric)(metrics, "metrics")
        _refuse_clashes(self.metrics, _groups(self.metrics).values())
        # A plain sum alone is what it would be without a word: there is one way to add it up.
        events = Counter(event for metric in self.metrics for event in metric.events)
        counting = [m for m in self.metrics if not (m.is_default and events[m.name] == 1)]
        groups = _groups(counting)
        self._sharing: dict[str, list[_Sharing]] = {}  # by event
        for group in groups.values():
            sharing = _Sharing([metric for _, metric in group])
            self._sharing.setdefault(group[0][1].event, []).append(sharing)
        self._derived = {metric.name: metric for metric in counting if metric.name != metric.event}
        self._takers = {event: self._sole_takers(event) for event in self._events(counting)}
        """The metric that takes all events of a name, for each way that they are counted; None
        where several share them out, or one takes but some."""
        self._always = {
            event: tuple(metric for metric in takers if metric is not None)
            for event, takers in self._takers.items()
            if None not in takers
        }
        """The metrics that every event of a name counts for, where no dimension tells them."""
        self.worked_out: Final = self._events(m for m in self.metrics if not m.is_default)
        """The names of the events that more is counted of than their sum."""
        self.counted: Final = self._events(m for m in self.metrics if m.aggregation in _COUNTS)
        """The names of the events that are counted, whatever their quantities."""
        self.one_by_one: Final = frozenset(
            event
            for event, takers in self._takers.items()
            if not all(metric is not None and metric.is_summed for metric in takers)
        )
        """The names of the events that are looked at one by one: their sums don't tell enough."""
        self.held: Final = frozenset(
            metric.name for metric in self.metrics if metric.aggregation not in _FLOWS
        )
        """The metrics that are levels as they are counted: 5 users in each of two parts are 5."""
        self.told: Final = tuple(each for each in self.metrics if each.reports == "level")
        """The levels that each event tells."""
        changed = [each for each in self.metrics if each.reports == "change"]
        self.shared_changes: Final = frozenset(
            each.event for each in changed if not self.takes_all(each, each.event)
        )
        """The names of the events that change one of several levels each."""
        self.changes: Final = self._events(changed) - self.shared_changes
        """The names of the other events that change levels: their sum does as well."""

    @staticmethod
    def _events(metrics: Iterable[Metric]) -> frozenset[str]:
        return frozenset(name for metric in metrics for name in metric.events)

    def _sole_takers(self, event: str) -> tuple[Metric | None, ...]:
        if event in self._derived:
            return (self._derived[event],)
        return tuple(sharing.sole for sharing in self._sharing[event])

    def counts(self, event: str) -> bool:
        """Tell whether any metric counts events of a name; those of others are summed by it."""
        return event in self._takers

    def takes_all(self, metric: Metric, event: str) -> bool:
        """Tell whether a metric takes each event of a name, so that none has to be looked at."""
        return any(taker is metric for taker in self._takers[event])

    def summed(self, event: str) -> tuple[Metric, ...]:
        """Return the metrics that are worked out of the sum of all events of a name."""
        takers = self._takers.get(event, ())
        return tuple(metric for metric in takers if metric is not None and metric.is_summed)

    def changed(self, event: str) -> tuple[Metric, ...]:
        """Return the levels that the sum of all events of a name changes."""
        takers = self._takers[event]
        return tuple(m for m in takers if m is not None and m.reports == "change")

    def is_sum(self, metric: str) -> bool:
        """Tell whether a metric is the sum of all events of its name, others beside it or not."""
        takers = self._takers.get(metric)
        if takers is None:
            return metric not in self._derived
        return any(taker is not None and taker.is_default for taker in takers) and not any(
            taker is None for taker in takers
        )

    def of(self, event: UsageEvent) -> tuple[Metric, ...]:
        """Return the metrics that an event counts for; none if it is summed by its own name.

        One of the name of a metric that is worked out of other events counts for that metric.

        :raises InvalidValue: if it lacks the dimension whose values such a metric counts.
        """
        takers = self._always.get(event.metric)
        if takers is None:
            sharings = self._sharing.get(event.metric, ())
            candidates = [each.taker(event.dimensions) for each in sharings]
            takers = tuple(metric for metric in candidates if metric is not None)
        for taker in takers:
            if taker.distinct is not None and taker.distinct not in event.dimensions:
                problem = f"must have {taker.distinct!r}, which {taker.name!r} counts"
                raise InvalidValue("dimensions", dict(event.dimensions), problem)
        return takers


class _Sharing:
    """Metrics that share the events of a name out, as they count them in the same way."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.sole = None if len(metrics) > 1 or metrics[0].where else metrics[0]
        """The metric that takes all of the events, if one does."""
        self._rest = next((metric for metric in metrics if not metric.where), None)
        self._by_dimension: dict[str, dict[str, list[Metric]]] = {}
        named = Counter(chain.from_iterable(map(_demands, metrics)))
        for metric in metrics:
            if metric.where:
                telling = min(
                    metric.where, key=lambda key: sum(named[key, v] for v in metric.where[key])
                )
                by_value = self._by_dimension.setdefault(telling, {})
                for value in metric.where[telling]:
                    by_value.setdefault(value, []).append(metric)

    def taker(self, dimensions: Mapping[str, str]) -> Metric | None:
        """Return the one of them that an event with these dimensions is of."""
        for key, by_value in self._by_dimension.items():
            for metric in by_value.get(dimensions.get(key, ""), ()):
                if metric.matches(dimensions):
                    return metric
        return self._rest


def _groups(metrics: Iterable[Metric]) -> dict[tuple[str | None, ...], list[Numbered]]:
    """Return the metrics that share events out, by event and way of counting."""
    groups: dict[tuple[str | None, ...], list[Numbered]] = {}
    for numbered in enumerate(metrics):
        _, metric = numbered
        way = metric.event, metric.aggregation, metric.distinct, metric.reports
        groups.setdefault(way, []).append(numbered)
    return groups


def _demands(metric: Metric) -> Iterator[tuple[str, str]]:
    """Yield the dimensions and values of a metric's `where`."""
    return ((key, value) for key, values in metric.where.items() for value in values)


def _refuse_clashes(metrics: Sequence[Metric], groups: Iterable[Sequence[Numbered]]) -> None:
    """Refuse each metric that clashes with one before it, by the first clash that it has."""
    clashes: dict[int, str] = {}
    pairs = chain.from_iterable(map(_with_events_in_common, groups))
    for place, problem in chain(
        _of_a_known_name(metrics),
        _of_derived_events(metrics),
        ((place, f"count the same events as {other.name!r}") for place, other in pairs),
    ):
        clashes.setdefault(place, problem)
    problems = Problems()
    for place, problem in sorted(clashes.items()):
        problems.add(InvalidValue(("metrics", place), metrics[place], f"must not {problem}"))
    problems.raise_any()


def _of_a_known_name(metrics: Iterable[Metric]) -> Iterator[tuple[int, str]]:
    names = set()
    for place, metric in enumerate(metrics):
        if metric.name in names:
            yield place, "have the name of another metric"
        names.add(metric.name)


def _of_derived_events(metrics: Sequence[Metric]) -> Iterator[tuple[int, str]]:
    """Yield metrics of which one counts events of the name of the other, which is derived."""
    counting: dict[str, int] = {}  # the first metric of each event
    for place, metric in enumerate(metrics):
        counting.setdefault(metric.event, place)
    for place, metric in enumerate(metrics):
        if metric.name != metric.event and metric.name in counting:
            problem = f"count events of the name of {metric.name!r}, which is worked out of others"
            yield max(place, counting[metric.name]), problem


def _with_events_in_common(group: Sequence[Numbered]) -> Iterator[tuple[int, Metric]]:
    """Yield metrics that take events of one before them in their group, with that one.

    Two that have a `where` each have no event in common if some dimension of both has no value in
    common. So, whatever dimension of a metric is looked at, the others that it may clash with are
    those with a value in common there, and those without that dimension: they are looked through
    for the dimension where they are fewest.
    """
    rest = [numbered for numbered in group if not numbered[1].where]
    yield from ((place, rest[0][1]) for place, _ in rest[1:])
    by_demand: defaultdict[tuple[str, str], list[Numbered]] = defaultdict(list)
    selective = [numbered for numbered in group if numbered[1].where]
    for numbered in selective:
        for demand in _demands(numbered[1]):
            by_demand[demand].append(numbered)
    dimensions = Counter(key for _, metric in selective for key in metric.where)

    @cache
    def without(key: str) -> list[Numbered]:
        return [numbered for numbered in selective if key not in numbered[1].where]

    def looked_through(metric: Metric, key: str) -> int:
        in_common = sum(len(by_demand[key, value]) for value in metric.where[key])
        return in_common + len(selective) - dimensions[key]

    for place, metric in selective:
        key = min(metric.where, key=lambda key: looked_through(metric, key))
        candidates = chain(without(key), *(by_demand[key, value] for value in metric.where[key]))
        for before, other in candidates:
            if before < place and _overlap(metric, other):
                yield place, other
                break


def _overlap(metric: Metric, other: Metric) -> bool:
    """Tell whether an event can match the `where` of both."""
    in_both = metric.where.keys() & other.where.keys()
    return not any(set(metric.where[key]).isdisjoint(other.where[key]) for key in in_both)
