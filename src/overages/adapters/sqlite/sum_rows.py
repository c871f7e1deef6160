"""Sums of events as rows: a crowded hour or day as columns, and the reckoning of several.

row = row_of_sum(events)                          # (3, "12.5", "9", "2024-02-03T...", "evt-1", "2")
sum_up([row, row], events)                        # of both, and of events that have no sum
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from overages._ground.parsing import int_up_to
from overages.adapters.event_texts import exact_instant
from overages.adapters.held_sums import Unit, after, stretches
from overages.adapters.sqlite.rows import exact_instant_of, picos_of
from overages.amounts.exact import number_text, unscaled
from overages.periods.period import Period
from overages.usage.event_sum import EventSum

SUM: Final = "events, used, largest, last_at, last_id, last_quantity"
KEY: Final = "org_id, metric_type, unit, start"

Key: TypeAlias = tuple[str, str, Unit, str]
"""Org, name of the events, unit and its start."""

SumRow: TypeAlias = tuple[int, str, str, str, str, str]
"""A sum as the columns of `SUM`."""

EventRow: TypeAlias = tuple[str, str, str]
"""An event's instant, its id or nothing, and its quantity."""

Part: TypeAlias = tuple[Unit | None, str, str]
"""A time from an instant to another: of hours or days that may have sums, or none that has."""

PREFIXES: Final[dict[Unit, int]] = {"hour": len("2024-02-03T12"), "day": len("2024-02-03")}
"""The letters of an instant that tell its hour, or its day."""

LATEST: Final = "~"
"""Sorts after every instant."""

_BEGINNING: Final = "2024-02-03T00:00:00.000000Z"
"""The end of an instant with which an hour, or a day, begins."""

_NOTHING: Final[SumRow] = 0, "0", "0", "", "", "0"
"""The sum of a crowd of which all are withdrawn."""

_count: Final = int_up_to(2**48)  # or one more would be no integer of SQLite's


def first_of(prefix: str) -> str:
    """Return the first instant of the hour or day that some letters tell."""
    return prefix + _BEGINNING[len(prefix) :]


def keys_of(org_id: str, metric: str, counts_at: str) -> Iterator[Key]:
    """Yield the hour and the day that an event counts in."""
    for unit, width in PREFIXES.items():
        yield org_id, metric, unit, first_of(counts_at[:width])


@lru_cache(maxsize=1024)  # many orgs have the same periods
def parts_of(period: Period) -> tuple[Part, ...]:
    """Divide a time into whole days, whole hours, and the rest of it."""
    return tuple(
        (unit, exact_instant(start), exact_instant(end)) for unit, start, end in stretches(period)
    )


@lru_cache(maxsize=4096)
def end_of(unit: Unit, start: str) -> str:
    """Return the instant with which an hour or day ends that starts at one."""
    end = after(unit, exact_instant_of(start))
    return LATEST if end is None else exact_instant(end)


def gaps(start: str, end: str, held: Iterable[tuple[Unit, str]]) -> Iterator[tuple[str, str]]:
    """Yield the times between hours and days, which are in order, from an instant to another."""
    for unit, first in held:
        if start < first:
            yield start, first
        start = end_of(unit, first)
    if start < end:
        yield start, end


def row_of_sum(events: EventSum | None) -> SumRow:
    """Write a sum as columns."""
    if events is None:
        return _NOTHING
    at, event_id, last = events.last
    used, largest, quantity = (
        number_text(unscaled(picos)) for picos in (events.picos, events.largest, last)
    )
    return events.events, used, largest, exact_instant(at), event_id, quantity


def sum_up(sums: Sequence[SumRow], events: Sequence[EventRow] = ()) -> EventSum | None:
    """Return the sum of stored sums and events; None if there is nothing in them."""
    if not sums and len(events) == 1:  # as most orgs have of a name
        return _sum_of_one(events[0])
    count = picos = 0
    largest: list[int] = []
    readings: list[tuple[str, str, int]] = []
    for events_in_it, used, most, last_at, last_id, quantity in sums:
        if events_in_it:
            count += events_in_it
            picos += picos_of(used)
            largest.append(picos_of(most))
            readings.append((last_at, last_id, picos_of(quantity)))
    if events:
        instants, ids, quantities = zip(*events, strict=True)
        units = list(map(picos_of, quantities))
        count += len(units)
        picos += sum(units)
        largest.append(max(units))
        readings.append(max(zip(instants, ids, units, strict=True)))
    if not readings:
        return None
    at, event_id, last_picos = max(readings)
    reading = exact_instant_of(at), event_id, last_picos
    return EventSum(_count(count, "events"), picos, max(largest), reading)


def _sum_of_one(event: EventRow) -> EventSum:
    at, event_id, quantity = event
    picos = picos_of(quantity)
    return EventSum(1, picos, picos, (exact_instant_of(at), event_id, picos))
