"""Law 10: usage is what lies in the time asked for.

"A period selects events by their instants; it doesn't own them. Any period, any part of one, any
cycle gives the sum of what lies in it. What is held ready (counters, roll-ups) can be thrown away
and made again with the same result."
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings, strategies as st

from overages import MemoryRepository, Metric, Period, Repository, SqliteRepository, UsageEvent
from overages.amounts.exact import scaled
from overages.bookkeeping.usage_reader import UsageReader
from overages.usage.divided_usage import usage_of
from overages.usage.event_sum import EventSum
from overages.usage.routing import Routes
from tests.in_memory import in_memory

from .effort import THOROUGH

NOW = Period.month(2024, 4).start
START = Period.month(2024, 2).start
QUARTERS = timedelta(minutes=15)
METRICS = [
    Metric("peak", "max"),
    Metric("largest_eu", "max", event="runs", where={"region": "eu"}),
    Metric("regions", "unique", event="jobs", distinct="region"),
    Metric("seats", "last", reports="level"),
    Metric("mean", "time_weighted", reports="change", event="moves"),
    Metric("eu_disk", "max", reports="change", event="disk", where={"region": "eu"}),
    Metric("us_disk", "max", reports="change", event="disk", where={"region": "us"}),
    Metric("minutes", event="seconds", increment=60),
]
NAMES = ["runs", "peak", "jobs", "seats", "moves", "disk", "seconds", "minutes", "plain"]

Told: TypeAlias = tuple[UsageEvent, datetime]

instants = st.integers(0, 4 * 24 * 3).map(lambda n: START + n * QUARTERS)
quantities: st.SearchStrategy[int | str] = st.sampled_from([0, 1, 7, 130, "0.5", "0.000000000001"])
regions = st.sampled_from([{"region": "eu"}, {"region": "us"}])


@st.composite
def told(draw: st.DrawFn) -> list[Told]:
    """Draw events, most of which count when they happened, and some later."""
    events = []
    for n in range(draw(st.integers(0, 25))):
        at = draw(instants)
        event = UsageEvent(
            "org-1", draw(st.sampled_from(NAMES)), draw(quantities), at, f"e{n}", draw(regions)
        )
        events.append((event, draw(st.sampled_from([at, at, at, max(at, draw(instants))]))))
    return events


def kept(repository: Repository, events: Iterable[Told], size: int) -> None:
    """Keep events in batches."""
    batch = list(events)
    counted = dict(batch)
    for start in range(0, len(batch), size):
        some = [event for event, _ in batch[start : start + size]]
        repository.add_events(some, counted.__getitem__)


def sums_of(events: Iterable[Told], period: Period) -> dict[str, EventSum]:
    """Sum events up by their definition."""
    by_name: dict[str, list[UsageEvent]] = {}
    for event, counts_at in events:
        if counts_at in period:
            by_name.setdefault(event.metric, []).append(event)
    return {
        name: EventSum(
            len(each),
            sum(scaled(event.quantity) for event in each),
            max(scaled(event.quantity) for event in each),
            max((event.at, event.id or "", scaled(event.quantity)) for event in each),
        )
        for name, each in sorted(by_name.items())
    }


@pytest.mark.parametrize("make", [MemoryRepository, in_memory])
@settings(max_examples=400 if THOROUGH else 40, deadline=None)
@given(
    events=told(),
    size=st.integers(1, 9),
    ends=st.lists(instants, min_size=2, max_size=3, unique=True),
    gone=st.sets(st.integers(0, 25), max_size=6),
)
def test_any_time_has_the_sum_of_what_lies_in_it(
    make: Any, events: list[Told], size: int, ends: list[datetime], gone: set[int]
) -> None:
    repository = make()
    kept(repository, events, size)
    for n in gone & set(range(len(events))):
        repository.withdraw("org-1", f"e{n}", withdrawn_at=NOW)
    left = [told for n, told in enumerate(events) if n not in gone]
    bounds = sorted(ends)
    routes = Routes(METRICS)
    for _ in range(2):
        period = Period(bounds[0], bounds[-1])
        assert repository.event_sums("org-1", period) == sums_of(left, period)
        usages = UsageReader(repository, "org-1", routes).usages(bounds)
        assert usages == [usage_of(left, "org-1", usage.period, routes) for usage in usages]
        assert repository.verify() == 0
        repository.remake_sums("org-1")  # and all is as it was
    if isinstance(repository, SqliteRepository):
        repository.close()
