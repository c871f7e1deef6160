"""Usage as repositories keep it: events, their sums, and the sums that hosts put.

The sum of the events of a name is held ready for each hour and for each day (of UTC's); these sums
can be thrown away and made again of the events, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from overages._ground.names import optional_name, parse_name, parse_names
from overages._ground.parsing import (
    Problems,
    arguments,
    function_that,
    instance_of,
    optional,
    parse_all,
    parse_flag,
)
from overages.adapters.catalogue import Catalogue
from overages.adapters.held_sums import by_name
from overages.amounts.exact import scaled, unscaled
from overages.errors import InvalidValue, OveragesError, Path, UnknownEvent
from overages.periods.period import Period, format_instant, parse_instant
from overages.usage.event import CountedEvents, EventColumns, UsageEvent, parse_events
from overages.usage.event_ids import new_places
from overages.usage.event_sum import EventSum, sum_of
from overages.usage.put_sums import put_within, require_apart
from overages.usage.usage import Usage

_period: Final = instance_of(Period)


class MeteredUsage(Catalogue):
    """Keeps the contract of `overages.repository.Repository` for usage."""

    # Events

    def add_events(
        self,
        events: Iterable[UsageEvent],
        counts_at: Callable[[UsageEvent], datetime] | None = None,
        batch: str | None = None,
    ) -> int:
        """Keep events, each at the instant that it counts at; return the number of new ones."""
        usage, counts_at, batch = parse_all(
            (parse_events, events, "events"),
            (_optional_function, counts_at, "counts_at"),
            (optional_name, batch, "batch"),
        )
        instants = usage.times if counts_at is None else _instants(usage, counts_at)
        counted = CountedEvents(usage, instants)
        named = usage
        if None in usage.ids:
            named = usage.where([event_id is not None for event_id in usage.ids])
        with self._writing():
            new = new_places(usage, self._known_events(named))
            self._keep_events(counted.among(new) if len(new) < len(usage) else counted, batch)
        return len(new)

    def withdraw(self, org_id: str, event_id: str, *, withdrawn_at: datetime) -> datetime:
        """Take an event back, which can't be undone; return when it was first withdrawn."""
        org_id, event_id, withdrawn_at = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, event_id, "event_id"),
            (parse_instant, withdrawn_at, "withdrawn_at"),
        )
        with self._writing():
            before = self._withdraw(org_id, (event_id,), withdrawn_at, lambda _: ("event_id",))
        return before.get(event_id, withdrawn_at)

    def withdraw_many(
        self, org_id: str, event_ids: Iterable[str], *, withdrawn_at: datetime
    ) -> int:
        """Take events back at once; return how many of them weren't withdrawn before."""
        org_id, ids, withdrawn_at = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_names, event_ids, "event_ids"),
            (parse_instant, withdrawn_at, "withdrawn_at"),
        )
        with self._writing():
            before = self._withdraw(org_id, ids, withdrawn_at, lambda place: ("event_ids", place))
        return len(set(ids)) - len(before)

    def _withdraw(
        self, org_id: str, ids: Sequence[str], at: datetime, path: Callable[[int], Path]
    ) -> Mapping[str, datetime]:
        """Take events back; return those that were so before, with when that was.

        :param path: leads to an id by its place, for errors.
        """
        counted = self._events_by_id(org_id, ids)
        problems = Problems()
        for place, event_id in enumerate(ids):
            if event_id not in counted:
                problem = "must be that of an event of the org's"
                unknown = UnknownEvent(path(place), event_id, problem)
                problems.add(unknown.within(org_id=org_id))
        problems.raise_any()
        before = self._withdrawn_among(org_id, ids)
        new = [event_id for event_id in dict.fromkeys(ids) if event_id not in before]
        if new:
            self._set_withdrawn(org_id, new, at)
            self._sum_again([counted[event_id] for event_id in new])
        return before

    def events(
        self, org_id: str, period: Period, *, metrics: Iterable[str] | None = None
    ) -> Iterator[UsageEvent]:
        """Yield an org's events with an instant in a period, by instant, then as they came."""
        org_id, period, names = _asked(org_id, period, metrics)
        with self._reading():
            return iter(list(self._events_of(org_id, period, names)))

    def counted_events(
        self,
        org_id: str,
        period: Period,
        *,
        metrics: Iterable[str] | None = None,
        earlier: bool = False,
    ) -> Iterator[tuple[UsageEvent, datetime]]:
        """Yield the events that count in a period, each with the instant that it counts at."""
        org_id, period, names = _asked(org_id, period, metrics)
        start = None if parse_flag(earlier, "earlier") else period.start
        with self._reading():
            return iter(list(self._counted_events(org_id, start, period.end, names)))

    def event_before(
        self,
        org_id: str,
        instant: datetime,
        metric: str,
        matching: Callable[[UsageEvent], bool] | None = None,
    ) -> tuple[UsageEvent, datetime] | None:
        """Return the last event of a name that counts before an instant, and when it counts."""
        org_id, instant, metric, matching = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_instant, instant, "instant"),
            (parse_name, metric, "metric"),
            (_optional_function, matching, "matching"),
        )
        last = None
        with self._reading():
            for event, counts_at in self._latest_events(org_id, metric, instant):
                if last is not None and counts_at < last[0].at:
                    break  # an event never counts before it happened, so none is later than that
                if matching is not None and not matching(event):
                    continue
                if last is None or sum_of(event).last > sum_of(last[0]).last:
                    last = event, counts_at
        return last

    def event_sums(
        self, org_id: str, period: Period, *, metrics: Iterable[str] | None = None
    ) -> Mapping[str, EventSum]:
        """Return the sum of the events that count in a period, by their name."""
        org_id, period, names = _asked(org_id, period, metrics)
        with self._reading():
            return self._sums_in(org_id, period, names)

    def remake_sums(self, org_id: str) -> None:
        """Throw away the sums that are held ready, and make them again of the events."""
        parse_name(org_id, "org_id")
        with self._writing():
            self._remake_sums(org_id)

    # Sums that are held ready: a storage that is too small for them leaves these as they are

    def _sums_in(
        self, org_id: str, period: Period, names: tuple[str, ...] | None
    ) -> Mapping[str, EventSum]:
        """Return the sum of the events of each name that count in a period, by name."""
        sums = by_name(self._counted_events(org_id, period.start, period.end, names))
        return dict(sorted(sums.items()))

    def _picos_in(
        self, org_id: str, period: Period, names: tuple[str, ...] | None
    ) -> Mapping[str, int]:
        """Return the units of the events of each name that count in a period, in picos."""
        sums = self._sums_in(org_id, period, names)
        return {name: events.picos for name, events in sums.items()}

    def _sum_again(self, withdrawn: Sequence[tuple[UsageEvent, datetime]]) -> None:
        """Make the sums again that some events of an org, which are withdrawn now, were in."""

    def _remake_sums(self, org_id: str) -> None:
        """Throw all sums of an org away, and make them again of its events."""

    # Sums that hosts put, and usage

    def put_usage(self, usage: Usage) -> None:
        """Set the sums of an org for a span of time, for hosts that do their own counting."""
        instance_of(Usage)(usage, "usage")
        with self._writing():
            put = list(self._puts_of(usage.org_id, usage.period))
            require_apart(usage, put)
            before = [dict(each.quantities) for each in put if each.period == usage.period]
            now = {**{metric: 0 for old in before for metric in old}, **usage.quantities}
            changed = {
                metric: scaled(quantity)
                for metric, quantity in now.items()
                if quantity != (before[0].get(metric, 0) if before else 0)
            }
            if changed:
                self._put(usage, changed)

    def put_sums(self, org_id: str, period: Period) -> tuple[Usage, ...]:
        """Return the sums that were put for spans that overlap a period, by span."""
        org_id, period, _ = _asked(org_id, period, None)
        with self._reading():
            return tuple(sorted(self._puts_of(org_id, period), key=lambda usage: usage.period))

    def usage(self, org_id: str, period: Period, *, metrics: Iterable[str] | None = None) -> Usage:
        """Return the usage of an org in a period: of its events, and of sums that were put."""
        org_id, period, names = _asked(org_id, period, metrics)
        with self._reading():
            of_events = self._picos_in(org_id, period, names)
            put = self._puts_of(org_id, period)
        return usage_of(org_id, period, names, of_events, put)


def usage_of(
    org_id: str,
    period: Period,
    names: Collection[str] | None,
    of_events: Mapping[str, int],
    put: Iterable[Usage],
) -> Usage:
    """Return the usage of an org in a period, of some metrics or of all.

    :param of_events: the units of events, in picos by name.
    :param put: the sums that were put for spans that overlap the period.
    """
    try:
        picos = dict(of_events)
        for name, units in put_within(put, period).items():
            if names is None or name in names:
                picos[name] = picos.get(name, 0) + units
        used = {name: unscaled(units) for name, units in sorted(picos.items()) if units}
        return Usage(org_id, period, used)
    except OveragesError as error:
        raise error.within(org_id=org_id, period=period) from None


def _instants(
    events: EventColumns, counts_at: Callable[[UsageEvent], datetime]
) -> Sequence[datetime]:
    """Return the instants that events count at, which a function gives for each."""
    instants, problems = [], Problems()
    for place, event in enumerate(events):
        path = ("events", place, "counts_at()")
        instant = problems.attempt(parse_instant, counts_at(event), path)
        if instant is not None and instant < event.at:
            problem = f"must not be before it happened, {format_instant(event.at)}"
            problems.add(InvalidValue(path, instant, problem))
        instants.append(instant)
    problems.raise_any()
    return instants


_optional_names: Final = optional(parse_names)
_parse_asked: Final = arguments(org_id=parse_name, period=_period, metrics=_optional_names)
_optional_function: Final = optional(function_that("takes an event"))


def _asked(
    org_id: str, period: Period, metrics: Iterable[str] | None
) -> tuple[str, Period, tuple[str, ...] | None]:
    """Check the arguments of a read."""
    org_id, period, names = _parse_asked(org_id, period, metrics)
    return org_id, period, None if names is None else tuple(dict.fromkeys(names))
