"""Sums of many events by org, metric and time, exactly, where pyarrow has their columns.

    waiting = WaitingEvents()
    for block in read_blocks(text, layout):
        waiting.add(block.plain)
    for columns in waiting.take_repeated(ids): meter.add_columns(columns)
    for columns in waiting.take_sums(starts_of): meter.add_columns(columns)

Events are sorted by what they are summed by, and the running total is taken at the end of each
group. The kernels that add up tell an overflow; what doesn't fit in 64 bits is added up in Python.
(To group by a table's own method takes as long, and to import that as long as to read a million
rows.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from overages.imports.arrays import Array, integer, integers, texts
from overages.imports.usage_files.plain_cells import plainly
from overages.imports.usage_files.plain_events import (
    NO_DIMENSIONS,
    PlainEvents,
    instant_of,
    microseconds_of,
    one_by_one,
    quantities_of,
)
from overages.usage.event import EventColumns, new_columns

_PARTS: Final = 8  # of the orgs, whose ids are looked through one after another; a power of two

StartsOf: TypeAlias = Callable[[Sequence[str]], Iterable[datetime]]
"""Gives the instants, in order, at which terms or periods of some orgs change."""


class WaitingEvents:
    """Events that wait to be summed: all that have an id, until it is known which come again."""

    def __init__(self) -> None:
        self._events: list[PlainEvents] = []
        self.without_id: int = 0
        """The events that wait for no other, and could be summed."""

    def add(self, events: PlainEvents) -> None:
        """Add events, one or more."""
        self._events.append(events)
        self.without_id += 0 if events.ids is not None else len(events.times)

    def take_repeated(self, others: Sequence[str]) -> Iterator[EventColumns]:
        """Return the events whose id another one has, too, and let them wait no more.

        :param others: the ids of events that never waited.
        """
        with plainly():
            repeated = _repeated([each for each in self._events if each.ids is not None])
            repeated = pa.concat_arrays([repeated, texts(others)])
        left = []
        for events in self._events:
            rest = events
            if events.ids is not None and repeated:
                are_repeated = pc.is_in(events.ids, value_set=repeated)
                rest = events.filter(pc.invert(are_repeated))
                yield from one_by_one(events.filter(are_repeated))
            left.append(rest._replace(ids=None))  # to have the room for sums
        self._events = left

    def take_sums(self, starts_of: StartsOf) -> Iterator[EventColumns]:
        """Return, of all events, one that they come to for each org, metric and stretch of time.

        :param starts_of: says, of the events' orgs, when another stretch begins.
        """
        waiting, self._events, self.without_id = self._events, [], 0
        for decimals in {each.decimals for each in waiting}:
            events = [e for e in waiting if e.decimals == decimals and len(e.times)]
            if events:
                with plainly():
                    yield _sums(events, starts_of)


def give_memory_back() -> None:
    """Give the system the memory that pyarrow has no more use for, and would keep."""
    pa.default_memory_pool().release_unused()


def _sums(events: Sequence[PlainEvents], starts_of: StartsOf) -> EventColumns:
    """Return the sums of events whose quantities have the same decimals."""
    orgs, of_orgs = _numbered([each.orgs for each in events])
    metrics, of_metrics = _numbered([each.metrics for each in events])
    first = min(instant_of(pc.min(each.times).as_py()) for each in events)
    stretches = [first, *(start for start in starts_of(orgs) if start > first)]
    of_times = [_places(each.times, stretches) for each in events]
    keys = pa.concat_arrays(
        [
            _paired(_paired(org, metric, len(metrics)), time, len(stretches))
            for org, metric, time in zip(of_orgs, of_metrics, of_times, strict=True)
        ]
    )
    keys, totals = _totals(keys, pa.concat_arrays([each.quantities for each in events]))
    pairs, places = zip(*[divmod(key, len(stretches)) for key in keys], strict=True)
    return new_columns(
        [orgs[pair // len(metrics)] for pair in pairs],
        [metrics[pair % len(metrics)] for pair in pairs],
        quantities_of(totals, events[0].decimals),
        [stretches[place] for place in places],
        [None] * len(keys),
        [NO_DIMENSIONS] * len(keys),
    )


def _numbered(columns: Sequence[Array]) -> tuple[Sequence[str], Sequence[Array]]:
    """Return all names, and for each column the places of its names among them."""
    chunks = pa.chunked_array(columns).unify_dictionaries().chunks
    return chunks[0].dictionary.to_pylist(), [chunk.indices for chunk in chunks]


def _places(times: Array, stretches: Sequence[datetime]) -> Array:
    """Return the places of the stretches that times are in; the first one has no start."""
    places = pc.subtract(times, times)
    for start in stretches[1:]:
        are_later = pc.greater_equal(times, integer(microseconds_of(start)))
        places = pc.add(places, are_later.cast(pa.int64()))
    return places


def _paired(numbers: Array, others: Array, count: int) -> Array:
    """Return pairs of numbers as one, of which the others are below a count."""
    return pc.add(pc.multiply_checked(numbers.cast(pa.int64()), integer(count)), others)


def _repeated(events: Sequence[PlainEvents]) -> Array:
    """Return the ids that come more than once in an org."""
    ids = [each.ids for each in events]
    if _rise(ids):
        return texts([])
    chunks = pa.chunked_array(ids)
    _, of_orgs = _numbered([each.orgs for each in events])
    parts = pc.bit_wise_and(pa.chunked_array(of_orgs).cast(pa.int64()), integer(_PARTS - 1))
    # As long as all at once, in an eighth of the room
    repeated = [_of_several(chunks.filter(pc.equal(parts, integer(n)))) for n in range(_PARTS)]
    return pa.concat_arrays(repeated)


def _of_several(values: Array) -> Array:
    """Return the texts that come more than once."""
    if len(pc.unique(values)) == len(values):  # a third of the time of counting
        return texts([])
    counts = pc.value_counts(values)
    return counts.field("values").filter(pc.greater(counts.field("counts"), integer(1)))


def _rise(chunks: Sequence[Array]) -> bool:
    """Tell whether each text is larger than the one before it, as many systems' ids are.

    Then all are different, which takes a hundredth of the time to tell.
    """
    return all(
        pc.all(pc.less(chunk.slice(0, len(chunk) - 1), chunk.slice(1)), min_count=0).as_py()
        for chunk in chunks
    ) and all(before[-1].as_py() < after[0].as_py() for before, after in pairwise(chunks))


def _totals(keys: Array, values: Array) -> tuple[Sequence[int], Sequence[int]]:
    """Return keys, and for each the sum of its values."""
    order = pc.sort_indices(keys)
    ordered, last = keys.take(order), len(keys) - 1
    changes = pc.not_equal(ordered.slice(0, last), ordered.slice(1))
    ends = pa.concat_arrays([pc.indices_nonzero(changes), integers([last]).cast(pa.uint64())])
    try:
        running = pc.cumulative_sum_checked(values.take(order)).take(ends)
        before = pa.concat_arrays([integers([0]), running.slice(0, len(running) - 1)])
        totals = pc.subtract_checked(running, before)
    except pa.ArrowInvalid:  # of an overflow
        return _exact_totals(keys, values)
    return ordered.take(ends).to_pylist(), totals.to_pylist()


def _exact_totals(keys: Array, values: Array) -> tuple[Sequence[int], Sequence[int]]:
    """Return the same of values whose sum is too large for a kernel."""
    totals: dict[int, int] = {}
    for key, value in zip(keys.to_pylist(), values.to_pylist(), strict=True):
        totals[key] = totals.get(key, 0) + value
    return list(totals), list(totals.values())
