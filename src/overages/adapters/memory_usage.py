"""Usage in memory: events in the order in which they count, and their sums by hour and day.

Each org's are kept by event name, in lists sorted by time, so that a read looks at no other time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from overages.adapters.base import BaseRepository
from overages.adapters.event_texts import EventRow, PutRow, WithdrawalRow, event_row, exact_instant
from overages.adapters.held_sums import (
    LAST,
    HeldSums,
    Unit,
    add_to,
    after,
    by_name,
    held,
    start_of,
    stretches,
)
from overages.adapters.journal import Journal
from overages.amounts.exact import Quantity, number_text, unscaled
from overages.periods.period import Period
from overages.usage.event import CountedEvents, EventColumns, UsageEvent
from overages.usage.event_sum import EventSum, merged
from overages.usage.put_sums import lies_in, overlap
from overages.usage.usage import Usage
from overages.usage.usage_batch import UsageBatch

V = TypeVar("V")

_SELDOM: Final = 8  # times that an org is asked for sums before they are held

_Row: TypeAlias = tuple[datetime, int, UsageEvent]
"""The instant that an event counts at, its number among all, and the event."""


class MemoryUsage(BaseRepository):
    """Holds the usage of orgs; each change is noted in the journal."""

    _journal: Journal

    def __init__(self) -> None:
        self._numbered = 0
        self._rows: dict[str, dict[str, list[_Row]]] = {}  # org, event name
        self._ids: dict[tuple[str, str], tuple[UsageEvent, datetime]] = {}
        self._withdrawals: dict[tuple[str, str], datetime] = {}
        self._gone: dict[str, list[_Row]] = {}  # as they were withdrawn
        self._batches: dict[str, UsageBatch] = {}
        self._rows_of_batches: dict[tuple[str, str], list[_Row]] = {}  # batch, org
        self._asked: Counter[str] = Counter()  # how often each org was asked for sums
        self._summed: dict[str, bool] = {}  # the orgs whose sums are held
        self._sums: dict[tuple[str, str, Unit], dict[datetime, EventSum | None]] = {}
        self._stretches: dict[Unit, dict[str, dict[str, list[datetime]]]]  # org, event name
        self._stretches = {"hour": {}, "day": {}}  # the starts of those that have a sum
        self._spans: dict[str, dict[Period, Mapping[str, int]]] = {}
        self._put_in_turn: dict[str, list[tuple[Period, str, Quantity]]] = {}

    # Events

    def _known_events(self, events: EventColumns) -> Mapping[tuple[str, str], UsageEvent]:
        keys = {*events.identities()} & self._ids.keys()
        return {key: self._ids[key][0] for key in keys}

    def _keep_events(self, counted: CountedEvents, batch: str | None) -> None:
        self._add_sums(held([each for each in counted if each[0].org_id in self._summed]))
        new: dict[tuple[str, str], list[_Row]] = {}
        ids = {}
        for event, counts_at in counted:
            self._numbered += 1
            row = counts_at, self._numbered, event
            new.setdefault((event.org_id, event.metric), []).append(row)
            if event.id is not None:
                ids[event.org_id, event.id] = event, counts_at
        self._journal.add(self._ids, ids)
        for (org_id, metric), rows in new.items():
            self._add_sorted(self._rows, org_id, metric, sorted(rows))
            if batch is not None:
                self._journal.extend(
                    self._journal.listed(self._rows_of_batches, (batch, org_id)), rows
                )

    def _add_sorted(
        self, by_org: dict[str, dict[str, list[V]]], org_id: str, metric: str, new: list[V]
    ) -> None:
        """Add sorted items to a sorted list; most come in order, and go to its end."""
        if org_id not in by_org:
            self._journal.set(by_org, org_id, {})
        items: list[Any] = by_org[org_id].get(metric, [])
        if items and items[-1] < new[0]:
            self._journal.extend(items, new)
        else:
            self._journal.set(by_org[org_id], metric, sorted([*items, *new]))

    def _between(
        self,
        org_id: str,
        start: datetime | None,
        end: datetime | None,
        metrics: Sequence[str] | None,
    ) -> Iterator[_Row]:
        """Yield the rows that count from an instant to another, name by name."""
        of_org = self._rows.get(org_id, {})
        for metric in of_org if metrics is None else metrics:
            rows = of_org.get(metric, [])
            first = 0 if start is None else bisect_left(rows, (start,))
            last = len(rows) if end is None else bisect_left(rows, (end,))
            yield from rows[first:last]

    def _events_of(
        self, org_id: str, period: Period, metrics: Sequence[str] | None
    ) -> Iterable[UsageEvent]:
        events = [  # none counts before it happened
            (event.at, number, event)
            for _, number, event in self._between(org_id, period.start, None, metrics)
            if period.start <= event.at < period.end
        ]
        return [event for _, _, event in sorted(events)]

    def _counted_events(
        self,
        org_id: str,
        start: datetime | None,
        end: datetime | None,
        metrics: Sequence[str] | None,
    ) -> Iterable[tuple[UsageEvent, datetime]]:
        rows = sorted(self._between(org_id, start, end, metrics))
        return [(event, counts_at) for counts_at, _, event in rows]

    def _latest_events(
        self, org_id: str, metric: str, before: datetime
    ) -> Iterator[tuple[UsageEvent, datetime]]:
        rows = self._rows.get(org_id, {}).get(metric, [])
        for place in range(bisect_left(rows, (before,)) - 1, -1, -1):
            counts_at, _, event = rows[place]
            yield event, counts_at

    def _events_by_id(
        self, org_id: str, ids: Sequence[str]
    ) -> Mapping[str, tuple[UsageEvent, datetime]]:
        keys = ((org_id, event_id) for event_id in ids)
        return {key[1]: self._ids[key] for key in keys if key in self._ids}

    def _set_withdrawn(self, org_id: str, ids: Sequence[str], at: datetime) -> None:
        of_org = self._rows[org_id]
        withdrawn, gone = set(ids), dict[str | None, _Row]()
        for event_id in ids:
            self._journal.set(self._withdrawals, (org_id, event_id), at)
        for metric in {self._ids[org_id, event_id][0].metric for event_id in ids}:
            rows = of_org[metric]
            gone.update((row[-1].id, row) for row in rows if row[-1].id in withdrawn)
            left = [row for row in rows if row[-1].id not in withdrawn]
            self._journal.set(of_org, metric, left)
        in_turn = [gone[event_id] for event_id in ids]
        self._journal.extend(self._journal.listed(self._gone, org_id), in_turn)

    def _withdrawn_among(self, org_id: str, ids: Sequence[str]) -> Mapping[str, datetime]:
        keys = ((org_id, event_id) for event_id in ids)
        return {key[1]: self._withdrawals[key] for key in keys if key in self._withdrawals}

    # Batches

    def _add_batch(self, batch: UsageBatch) -> None:
        self._journal.set(self._batches, batch.name, batch)

    def _get_batch(self, name: str) -> UsageBatch | None:
        return self._batches.get(name)

    def _all_batches(self) -> Iterable[UsageBatch]:
        return self._batches.values()

    def _orgs_of_batch(self, batch: str) -> Iterable[str]:
        return [org_id for name, org_id in self._rows_of_batches if name == batch]

    def _events_of_batch(self, org_id: str, batch: str) -> Iterable[tuple[UsageEvent, datetime]]:
        rows = self._rows_of_batches.get((batch, org_id), ())
        return [
            (event, counts_at)
            for counts_at, _, event in sorted(rows, key=lambda row: row[1])
            if (org_id, event.id) not in self._withdrawals
        ]

    # Seals

    def _event_rows(self, org_id: str, period: Period) -> Sequence[EventRow]:
        gone = [row for row in self._gone.get(org_id, ()) if row[0] in period]
        rows = [*self._between(org_id, period.start, period.end, None), *gone]
        rows.sort(key=lambda row: row[1])
        return [event_row(event, counts_at) for counts_at, _, event in rows]

    def _put_rows(self, org_id: str, period: Period) -> Sequence[PutRow]:
        return [
            (exact_instant(span.start), exact_instant(span.end), metric, number_text(units))
            for span, metric, units in self._put_in_turn.get(org_id, ())
            if lies_in(span, period)
        ]

    def _withdrawal_rows(self, org_id: str, period: Period) -> Sequence[WithdrawalRow]:
        gone = [event.id or "" for at, _, event in self._gone.get(org_id, ()) if at in period]
        return [(each, exact_instant(self._withdrawals[org_id, each])) for each in gone]

    # Sums: those of an org are held once it was asked often; to bill it once, its events will do

    def _sums_in(
        self, org_id: str, period: Period, names: tuple[str, ...] | None
    ) -> Mapping[str, EventSum]:
        """Sum up whole days and hours by their sums, and the rest by its events."""
        if org_id not in self._summed:
            self._asked[org_id] += 1
            if self._asked[org_id] <= _SELDOM:
                return super()._sums_in(org_id, period, names)
            self._remake_sums(org_id)
        sums: dict[str, EventSum] = {}
        for unit, start, end in stretches(period):
            if unit is None:
                add_to(sums, by_name(self._counted_events(org_id, start, end, names)))
            else:
                add_to(sums, self._sums_of(org_id, unit, start, end, names))
        return dict(sorted(sums.items()))

    def _sum_again(self, withdrawn: Sequence[tuple[UsageEvent, datetime]]) -> None:
        org_id = withdrawn[0][0].org_id
        if org_id not in self._summed:
            return
        hours = {(event.metric, start_of("hour", at)) for event, at in withdrawn}
        for metric, start in hours:
            left = self._counted_events(org_id, start, after("hour", start), [metric])
            self._set_sum((org_id, metric, "hour", start), by_name(left).get(metric))
        for metric, start in {(metric, start_of("day", hour)) for metric, hour in hours}:
            of_hours = self._sums_of(org_id, "hour", start, after("day", start) or LAST, [metric])
            self._set_sum((org_id, metric, "day", start), of_hours.get(metric))

    def _remake_sums(self, org_id: str) -> None:
        self._journal.set(self._summed, org_id, True)
        for unit, of_all in self._stretches.items():
            for metric in of_all.get(org_id, {}):
                self._journal.set(self._sums, (org_id, metric, unit), {})
            self._journal.set(of_all, org_id, {})
        self._add_sums(held(self._counted_events(org_id, None, None, None)))

    def _add_sums(self, sums: HeldSums) -> None:
        for key, events in sums.items():
            org_id, metric, unit, start = key
            before = self._sums.get((org_id, metric, unit), {}).get(start)
            self._set_sum(key, events if before is None else before.merged(events))

    def _set_sum(self, key: tuple[str, str, Unit, datetime], events: EventSum | None) -> None:
        org_id, metric, unit, start = key
        place = org_id, metric, unit
        if place not in self._sums:
            self._journal.set(self._sums, place, {})
        sums = self._sums[place]
        if start not in sums:
            self._add_sorted(self._stretches[unit], org_id, metric, [start])
        self._journal.set(sums, start, events)

    def _sums_of(
        self, org_id: str, unit: Unit, start: datetime, end: datetime, names: Sequence[str] | None
    ) -> Mapping[str, EventSum]:
        sums = {}
        of_org = self._stretches[unit].get(org_id, {})
        for metric in of_org if names is None else names:
            starts = of_org.get(metric, [])
            within = starts[bisect_left(starts, start) : bisect_left(starts, end)]
            in_turn = (self._sums[org_id, metric, unit][each] for each in within)
            total = merged(events for events in in_turn if events is not None)
            if total is not None:
                sums[metric] = total
        return sums

    # Sums that were put

    def _put(self, usage: Usage, picos: Mapping[str, int]) -> None:
        spans = self._spans.get(usage.org_id, {})
        put = {**spans.get(usage.period, {}), **picos}
        self._journal.set(self._spans, usage.org_id, {**spans, usage.period: put})
        new = [(usage.period, metric, unscaled(units)) for metric, units in picos.items()]
        in_turn = [*self._put_in_turn.get(usage.org_id, ()), *new]
        self._journal.set(self._put_in_turn, usage.org_id, in_turn)

    def _puts_of(self, org_id: str, period: Period) -> Iterable[Usage]:
        return [
            Usage(org_id, span, {metric: unscaled(units) for metric, units in put.items() if units})
            for span, put in self._spans.get(org_id, {}).items()
            if overlap(span, period)
        ]
