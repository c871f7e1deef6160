"""Metering: from usage events to usage.

All at once with `meter`, or one by one. A metric is the sum of its events, unless it is declared:

    counted = Meter(metrics=[Metric("seats", "max")])    # by calendar month, UTC
    for event in events:
        counted.add(event)
    usages = counted.usages()
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

from overages._ground.parsing import (
    Problems,
    an_iterable,
    as_tuple,
    choice_of,
    instance_of,
    parse_all,
)
from overages.amounts.exact import Quantity, scaled, unscaled
from overages.errors import Field, InvalidType, InvalidValue, OveragesError
from overages.periods.period import Period, parse_instant
from overages.usage.event import EventColumns, UsageEvent
from overages.usage.event_ids import Counters, EventIds
from overages.usage.metric import Metric
from overages.usage.routing import Routes
from overages.usage.tally import Tally, tally_of
from overages.usage.usage import Usage

Late: TypeAlias = Literal["own_period", "next_period"]
"""The period in which an event counts that comes after its own was billed.

Units that are taken back, by an event of a negative quantity, stay in their own period by either:
they were used there, and another one may have no such units to take.
"""

parse_late: Final = choice_of(Late)
_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


def _parse_routes(value: object, field: Field) -> Routes:
    del field  # its errors name it
    return Routes(as_tuple(value, "metrics"))


def takes_back(event: UsageEvent) -> bool:
    """Tell whether an event takes units back, and so counts in its own period, however late."""
    return event.quantity < 0


def parse_time_span(value: object, field: Field) -> timedelta:
    """Return a `timedelta` of nothing or more."""
    span: timedelta = instance_of(timedelta)(value, field)
    if span < timedelta(0):
        raise InvalidValue(field, value, "must not be negative")
    return span


def later(instant: datetime, span: timedelta) -> datetime:
    """Return the instant that is a time later, or the last there is."""
    try:
        return instant + span
    except OverflowError:
        return _END_OF_TIME


class Meter:
    """Counts events by org, period and metric, one by one; their order doesn't matter.

    Its memory grows with orgs, periods, metrics and event ids, not with events (but for levels,
    whose every change it keeps). An event id counts once in its org: the same event again is passed
    over, other content is a conflict.

    :param period_at: gives the period that an instant lies in; calendar months (UTC) by default.
    :param metrics: those that are not just the sum of the events of their name. A metric that is
        declared of events takes the place of their sum; those that no metric takes are summed by
        name.
    :param late: where an event counts that is received at the cut-off instant or after it: in its
        ``"own_period"``, as a correction of the bill, or in the ``"next_period"``, the one
        that is open when it is received. Units that are taken back stay in their own.
    :param grace: from the end of a period to its cut-off instant; nothing by default.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for metrics that clash, or a negative grace; `InvalidValues` for several.

    >>> from datetime import timezone
    >>> meter = Meter()
    >>> at = datetime(2024, 2, 3, 12, tzinfo=timezone.utc)
    >>> meter.add(UsageEvent("org-123", "tokens", 500, at, id="evt-1"))
    True
    >>> meter.add(UsageEvent("org-123", "tokens", 500, at, id="evt-1"))
    False
    >>> [usage.quantities for usage in meter.usages()]
    [{'tokens': 500}]
    """

    def __init__(
        self,
        period_at: Callable[[datetime], Period] = Period.month_of,
        metrics: Iterable[Metric] = (),
        *,
        late: Late = "own_period",
        grace: timedelta = timedelta(0),
    ) -> None:
        routes, rule, self._grace = parse_all(
            (_parse_routes, metrics, "metrics"),
            (parse_late, late, "late"),
            (parse_time_span, grace, "grace"),
        )
        self._metrics_of = routes.of if routes.metrics else None  # asking costs a third of adding
        self._moves_late = rule == "next_period"
        self._period_at = period_at
        self._starts: list[datetime] = []  # of the periods seen, sorted
        self._ends: list[datetime] = []  # as well
        self._periods: dict[datetime, Period] = {}  # by start
        self._counters = Counters()
        self._ids = EventIds(self._counters.orgs)
        self._units: dict[datetime, dict[int, int]] = {}  # start, counter: of whole quantities
        self._picos: dict[datetime, dict[int, int]] = {}  # as well: of those with decimals
        self._tallies: dict[str, dict[datetime, dict[str, Tally]]] = {}  # org, start, metric
        self._levels: dict[str, dict[str, Tally]] = {}  # org, metric

    def add(self, event: UsageEvent, received_at: datetime | None = None) -> bool:
        """Count an event; return whether it counted, or was known already.

        :param received_at: when it was first received, if it may be late; one without is in time.
        :raises EventConflict: if its id came before in its org, with other content.
        :raises InvalidValue: if it lacks the dimension whose values a metric counts, or has the
            name of a metric that is worked out of events of another name.
        """
        if type(event) is not UsageEvent:
            raise InvalidType("event", event, "must be a UsageEvent")
        metrics = None if self._metrics_of is None else self._metrics_of(event)
        start = self._start_of_period(event.at)
        if received_at is not None:
            received_at = parse_instant(received_at, "received_at")
            start = self._start_if_received(event, start, received_at)
        try:
            number = self._counters.numbers[event.org_id, event.metric]
        except KeyError:
            number = self._counters.number(event.org_id, event.metric)
        if event.id is not None and not self._ids.is_new(
            event.org_id, event.id, number, event.quantity, event.at, event.dimensions
        ):
            return False
        if metrics:
            self._take_in(event, metrics, start)
            return True
        sums, units = self._units, event.quantity
        if type(units) is not int:
            sums, units = self._picos, scaled(units)
        own = sums.get(start)
        if own is None:
            own = sums[start] = {}
        own[number] = own.get(number, 0) + units
        return True

    def add_columns(self, columns: EventColumns) -> None:
        """Count many events, none of which was late.

        :raises OveragesError: as `add` does, for the first that can't be counted; those before it
            have counted.
        """
        if self._metrics_of is not None:
            for event in columns:
                self.add(event)
            return
        numbers, number_of, is_new = self._counters.numbers, self._counters.number, self._ids.is_new
        start = end = None
        own: dict[int, int] = {}
        of_parts: dict[int, int] = {}
        for org_id, metric, units, at, event_id, dimensions in zip(*columns.terms, strict=True):
            if start is None or end is None or not start <= at < end:
                start = self._start_of_period(at)
                end = self._periods[start].end
                own, of_parts = self._units.setdefault(start, {}), self._picos.setdefault(start, {})
            try:
                number = numbers[org_id, metric]
            except KeyError:
                number = number_of(org_id, metric)
            if event_id is not None and not is_new(org_id, event_id, number, units, at, dimensions):
                continue
            if type(units) is int:
                own[number] = own.get(number, 0) + units
            else:
                of_parts[number] = of_parts.get(number, 0) + scaled(units)

    def _take_in(self, event: UsageEvent, metrics: Iterable[Metric], start: datetime) -> None:
        of_period = self._tallies.setdefault(event.org_id, {}).setdefault(start, {})
        for metric in metrics:
            if metric.holds_level:
                _add(self._levels.setdefault(event.org_id, {}), metric, event, start)
            else:
                _add(of_period, metric, event, start)

    def usages(self, period: Period | None = None) -> list[Usage]:
        """Return the usage that was counted, sorted by org and period.

        :param period: the only period that is wanted, for all orgs that have events that count in
            it or a level that is held on into it. Without it, the periods of each org in which
            events count.
        :raises InvalidValue: if a quantity is negative; `InvalidValues` if several are.
        """
        problems = Problems()
        usages = []
        for org_id, sums in sorted(self._sums_by_org().items()):
            periods = [self._periods[start] for start in sorted(sums)]
            if period is not None:
                periods = [period] if period in periods or self._reaches(period, org_id) else []
            for counted_in in periods:
                own = sums.get(counted_in.start, {})
                usages.append(problems.attempt(self._usage, org_id, counted_in, own))
        problems.raise_any()
        return usages

    def _sums_by_org(self) -> dict[str, dict[datetime, dict[str, Quantity]]]:
        """Return the sums by org and start, of all that have events."""
        sums: dict[str, dict[datetime, dict[str, Quantity]]] = {}
        pairs = list(self._counters.numbers)
        for start in self._starts:
            units, picos = self._units.get(start, {}), self._picos.get(start, {})
            for number in sorted(units.keys() | picos.keys()):
                org_id, metric = pairs[number]
                quantity: Quantity = units.get(number, 0)
                if number in picos:
                    quantity = unscaled(scaled(quantity) + picos[number])
                sums.setdefault(org_id, {}).setdefault(start, {})[metric] = quantity
        for org_id, starts in self._tallies.items():
            for start in starts:
                sums.setdefault(org_id, {}).setdefault(start, {})
        return sums

    def _reaches(self, period: Period, org_id: str) -> bool:
        """Tell whether a level of an org is held on into a period, one of the meter's."""
        levels = self._levels.get(org_id, {}).values()
        return any(level.starts_before(period.end) for level in levels) and (
            self._periods[self._start_of_period(period.start)] == period
        )

    def _usage(self, org_id: str, period: Period, sums: Mapping[str, Quantity]) -> Usage:
        tallies = self._tallies.get(org_id, {}).get(period.start, {})
        return _usage(org_id, period, sums, {**tallies, **self._levels.get(org_id, {})})

    def _start_if_received(
        self, event: UsageEvent, start: datetime, received_at: datetime
    ) -> datetime:
        """Return the start of the period that an event counts in, given that of its own."""
        is_late = received_at - self._periods[start].end >= self._grace
        if self._moves_late and is_late and not takes_back(event):
            return self._start_of_period(received_at)
        return start

    def _start_of_period(self, instant: datetime) -> datetime:
        after = bisect_right(self._starts, instant)
        if after and instant < self._ends[after - 1]:
            return self._starts[after - 1]
        period = self._period_at(instant)
        if instant not in instance_of(Period)(period, "period_at"):
            raise InvalidValue("period_at", period, f"must give a period with {instant} in it")
        others = [self._periods[start] for start in self._starts[max(0, after - 1) : after + 1]]
        if any(other.start < period.end and period.start < other.end for other in others):
            raise InvalidValue("period_at", period, "must give periods that don't overlap")
        self._starts.insert(after, period.start)
        self._ends.insert(after, period.end)
        self._periods[period.start] = period
        return period.start


def _add(tallies: dict[str, Tally], metric: Metric, event: UsageEvent, start: datetime) -> None:
    """Count an event for a metric in the period that starts at an instant."""
    tally = tallies.get(metric.name)
    if tally is None:
        tally = tallies[metric.name] = tally_of(metric)
    tally.add(event, max(event.at, start))


def _usage(
    org_id: str, period: Period, sums: Mapping[str, Quantity], tallies: Mapping[str, Tally]
) -> Usage:
    """Make the usage of sums and of tallies, by metric."""
    quantities = dict(sums)
    try:
        for metric, tally in tallies.items():
            if tally.starts_before(period.end):
                quantities[metric] = tally.quantity(period)
        return Usage(org_id, period, quantities)
    except OveragesError as error:
        raise error.within(org_id=org_id, period=period) from None


def meter(
    events: Iterable[UsageEvent],
    period_at: Callable[[datetime], Period] = Period.month_of,
    metrics: Iterable[Metric] = (),
) -> list[Usage]:
    """Return the usage that events come to, by org and period; their order doesn't matter.

    :param events: read once, one by one; see `Meter` for repeated event ids.
    :param period_at: gives the period that an instant lies in; calendar months (UTC) by default.
    :param metrics: those that are not just the sum of the events of their name; see `Meter`.
    :returns: a `Usage` for each org and period that has events, sorted by both.
    :raises EventConflict: if an event id comes twice in an org, with different content.
    :raises InvalidValue: if a quantity is negative; `InvalidValues` if several are.
    """
    counted = Meter(period_at, metrics)
    for event in an_iterable(events, "events"):
        counted.add(event)
    return counted.usages()
