"""Spans: the times of a period, metric by metric, in which a metric's own terms are the same.

An org moves on 12 March from a plan of 310 runs and 3 seats to one of 620 runs and 3 seats. Its
runs have two spans, with a line each; its seats, whose terms didn't change, have one:

    runs     1 to 12 March, 12 to 31 March
    seats    1 to 31 March

A window that is longer than a period (a year) and ends within it cuts its metric as well, for the
units after that are the new window's.

    for span in spans_of("runs", agreed, usage, is_level): span.line, span.used, span.part
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Final, NamedTuple

from attrs import frozen

from overages._ground.trusted import trusted
from overages.amounts.exact import Quantity, add_up, plain_text
from overages.errors import InvalidValue
from overages.lines.part import StatementPart
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.terms.change import Counters
from overages.terms.compiled import CompiledLine
from overages.terms.plan import unknown_metric
from overages.usage.usage import Usage


@frozen(weakref_slot=False)
class AgreedPart:
    """A part of a period with its terms, and the own limits that hold in it.

    :param counters: whether counting goes on from the part before, or begins anew.
    """

    part: StatementPart
    limits: Mapping[str, Quantity | None]
    counters: Counters

    def has_terms_of(self, part: StatementPart, limits: Mapping[str, Quantity | None]) -> bool:
        """Tell whether another part has the same terms and own limits."""
        return (self.part.plan, self.part.own, self.limits) == (part.plan, part.own, limits)


new_agreed_part: Final = trusted(AgreedPart)


@frozen(weakref_slot=False)
class Span:
    """A time of a period in which a metric's own terms are the same.

    :param line: the terms, of a whole period.
    :param part: its time; None where it is all of the period.
    :param quantities: the units used in it by metric: of it, and of one that brings its allowance.
    :param own: the org's own limits by metric: that of it, if it has one.
    :param counted_over: the time that its units are counted over: its own, this very period, or
        one that all spans share whose counters go on from one to the next.
    :param on_trial: whether the org is on trial then, so that no grant pays for it.
    """

    line: CompiledLine
    period: Period
    part: Period | None
    quantities: Mapping[str, Quantity]
    own: Mapping[str, Quantity | None]
    counted_over: Period
    on_trial: bool

    def used(self) -> Quantity:
        """Units used of the metric, before they are converted."""
        return self.quantities.get(self.line.metric, 0)


_new_span: Final = trusted(Span)


class PeriodUsage:
    """The usage of a period, and of times within it, as far as these were counted.

    :param of_period: the usage of all of it.
    :param within: that of times within it.
    """

    __slots__ = ("_starts", "_times", "_within", "metrics", "of_period")

    def __init__(self, of_period: Usage, within: Mapping[Period, Usage]) -> None:
        self.of_period: Usage = of_period
        self._within = within
        self._times: Sequence[Period] = ()
        self._starts: Sequence[datetime] = ()
        self.metrics: Set[str] = of_period.quantities.keys()
        """The metrics that were used, whenever in the period."""
        if within:
            self._times = sorted(within)
            self._starts = [time.start for time in self._times]
            self.metrics = set(self.metrics).union(*[each.quantities for each in within.values()])

    def of(self, metric: str, time: Period, *, is_level: bool) -> Quantity:
        """Return the units of a metric that were used in a time.

        A flow is summed over the times that tile it. A level that is the same in each of them is
        that in all: 5 seats in each of two parts are 5 in both. Any other has to be counted over
        all of the time.

        :raises InvalidValue: if they aren't known.
        """
        if time == self.of_period.period:
            return self.of_period.quantities.get(metric, 0)
        if time in self._within:
            return self._within[time].quantities.get(metric, 0)
        if metric not in self.metrics:
            return 0
        first, last = (bisect_left(self._starts, bound) for bound in (time.start, time.end))
        tiles = [part for part in self._times[first:last] if part.end <= time.end]
        bounds = [time.start, *(part.end for part in tiles)]
        quantities = [self._within[part].quantities.get(metric, 0) for part in tiles]
        is_tiled = bounds[-1] == time.end and [part.start for part in tiles] == bounds[:-1]
        if is_tiled and is_level and len(set(quantities)) == 1:
            return quantities[0]
        if is_level or not is_tiled:
            problem = (
                f"must be that of {time} too, in which terms of {metric!r} are the same: where they"
                " change within a period, give a Usage of each part beside that of the period"
            )
            counted = [str(part) for part in (self.of_period.period, *self._times)]
            raise InvalidValue(("usage", "period"), counted, problem)
        return add_up(quantities)


class _Time(NamedTuple):
    """A time of a period while it grows, with the terms of a metric in it.

    :param line: None where no plan knows the metric.
    :param goes_on: whether counters go on from the time before.
    :param on_trial: whether the org is on trial in it.
    """

    line: CompiledLine | None
    own: Mapping[str, Quantity | None]
    period: Period
    goes_on: bool
    on_trial: bool

    def has_terms_of(self, other: _Time) -> bool:
        """Tell whether the metric's own terms are the same in another time."""
        if self.line is None or other.line is None:
            return self.line is other.line
        return (self.line.allowance, self.own, self.on_trial) == (
            other.line.allowance, other.own, other.on_trial
        )  # fmt: skip


def spans_of(
    metric: str,
    agreed: Sequence[AgreedPart],
    usage: PeriodUsage,
    is_level: Callable[[str], bool],
) -> list[Span]:
    """Return the spans of a metric in a period, in order of time.

    :param agreed: the parts of the period, which tile it.
    :param is_level: tells whether a metric is held over time.
    :raises UnknownMetric: if it was used in a part whose plan doesn't know it.
    :raises InvalidValue: if its usage in a span isn't known.
    """
    if len(agreed) == 1:
        part, limits = agreed[0].part, agreed[0].limits
        terms, time = part.plan.compiled.by_metric[metric], part.period
        if terms.allowance.included_for is None:  # nothing cuts it, as is so of most
            quantities, trial = usage.of_period.quantities, part.own.trial
            return [_new_span(terms, time, None, quantities, limits, time, trial)]
    level, spans = is_level(metric), []
    for times in _counted_together(_times(metric, agreed, usage)):
        over = times[0].period
        if len(times) > 1:
            over = Period(over.start, times[-1].period.end)
        for line, own, time, _, on_trial in times:
            if line is None:
                continue
            bringing = line.allowance.included_per
            for period in _by_window(line, time):
                quantities = {metric: usage.of(metric, period, is_level=level)}
                if bringing is not None:
                    quantities[bringing] = _used_so_far(usage, bringing, over, period, is_level)
                own_time = None if period == usage.of_period.period else period
                counted_over = period if over == time else over
                spans.append(
                    _new_span(line, period, own_time, quantities, own, counted_over, on_trial)
                )
    if not level:
        of_all = usage.of_period.quantities.get(metric, 0)
        of_parts = add_up(span.used() for span in spans)
        if of_all != of_parts:
            problem = (
                f"must be the sum of the usage of its parts, {plain_text(of_parts)}: its terms"
                " change within the period, and units that were set without events have no instant"
            )
            raise InvalidValue(("usage", "quantities", metric), of_all, problem)
    return spans


def _used_so_far(
    usage: PeriodUsage, metric: str, over: Period, time: Period, is_level: Callable[[str], bool]
) -> Quantity:
    """Return the units of a metric that bring others to a time which is counted over a longer one.

    A level brings what it is in each part; the units of a flow bring theirs once, for all parts.
    """
    if is_level(metric):
        return usage.of(metric, time, is_level=True)
    return usage.of(metric, Period(over.start, time.end), is_level=False)


def _times(metric: str, agreed: Sequence[AgreedPart], usage: PeriodUsage) -> list[_Time]:
    """Return the times in which the terms of a metric are the same, or are none."""
    times: list[_Time] = []
    for each in agreed:
        part, limits = each.part, each.limits
        line = part.plan.compiled.by_metric.get(metric)
        if line is None and usage.of(metric, part.period, is_level=False):
            path = ("usage", "quantities", metric)
            raise unknown_metric(path, metric, part.plan).within(period=part.period)
        own = {metric: limits[metric]} if metric in limits else {}
        # Counters of a period's first part have nothing to go on from.
        goes_on = each.counters == "continue" and bool(times)
        time = _Time(line, own, part.period, goes_on, part.own.trial)
        if times and times[-1].has_terms_of(time):
            joined = Period(times[-1].period.start, part.period.end)
            times[-1] = times[-1]._replace(line=line, period=joined)
        else:
            times.append(time)
    return times


def _counted_together(times: Sequence[_Time]) -> list[list[_Time]]:
    """Return the times in groups whose units are counted over the whole of each."""
    groups: list[list[_Time]] = []
    for time in times:
        if time.goes_on:
            groups[-1].append(time)
        else:
            groups.append([time])
    return groups


def _by_window(line: CompiledLine, time: Period) -> list[Period]:
    """Return a time, cut where the cycle that an allowance is for has a boundary in it."""
    cycle = line.allowance.included_for
    if cycle is None:
        return [time]
    return list(time.split(*_ends_within(cycle, time)))


def _ends_within(cycle: Cycle, time: Period) -> Iterator[datetime]:
    end = cycle.period_at(time.start).end
    while end < time.end:
        yield end
        end = cycle.period_at(end).end
