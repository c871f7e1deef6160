"""Metrics worked out of events: by definition, in any order, each event once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages import Account, Increment, MemoryRepository, Metric, Period, Usage, UsageEvent, meter
from overages.bookkeeping.usage_reader import UsageReader
from overages.usage.divided_usage import usage_of
from overages.usage.metering import Meter
from overages.usage.routing import Routes
from tests.since import SINCE

from .strategies import positive_numbers, signed_numbers

JANUARY, FEBRUARY, MARCH = (Period.month(2024, month) for month in (1, 2, 3))
MONTHS = (JANUARY, FEBRUARY, MARCH)
REGIONS = ("eu", "us", "jp")
WAYS = [
    pytest.param(aggregation, reports, id=f"{aggregation} of {reports}s")
    for aggregation, reports in [
        *((aggregation, "amount") for aggregation in ("sum", "count", "max", "last", "unique")),
        *((aggregation, "level") for aggregation in ("max", "last", "time_weighted")),
        *((aggregation, "change") for aggregation in ("max", "last", "time_weighted")),
    ]
]
every_way = pytest.mark.parametrize(("aggregation", "reports"), WAYS)

Told = tuple[UsageEvent, datetime | None]
"""An event, and when it was received."""

hours = st.integers(0, 91 * 24 - 1)  # of January to March
quantities = st.integers(0, 30) | st.sampled_from(["0.5", "1.25", "1000000.000000000001"])


@st.composite
def told(draw: st.DrawFn, quantities: st.SearchStrategy[Any] = quantities) -> list[Told]:
    """Return events of an org, some at the same instant, each with an id or none."""
    found: list[Told] = []
    for n in range(draw(st.integers(0, 8))):
        at = JANUARY.start + timedelta(hours=draw(hours | st.sampled_from([0, 31 * 24, 700])))
        region = draw(st.sampled_from(REGIONS))
        event_id = draw(st.sampled_from([None, f"evt-{n}"]))
        event = UsageEvent("org-1", "m", draw(quantities), at, event_id, {"region": region})
        delay = draw(st.none() | st.integers(0, 50))
        found.append((event, None if delay is None else at + timedelta(days=delay)))
    return found


def metric_of(aggregation: Any, reports: Any, **options: Any) -> Metric:
    """Return a metric that counts the events."""
    distinct = "region" if aggregation == "unique" else None
    return Metric("m", aggregation, reports=reports, distinct=distinct, **options)


def counted(events: Sequence[Told], metric: Metric, **options: Any) -> list[list[Usage]]:
    """Return all usage, and that of each month."""
    found = Meter(metrics=[metric], **options)
    for event, received_at in events:
        found.add(event, received_at)
    return [found.usages(), *(found.usages(month) for month in MONTHS)]


def defined(events: Sequence[UsageEvent], aggregation: str, reports: str, period: Period) -> Any:
    """Return what events come to in a period, by the definition."""
    inside = [event for event in events if event.at in period]
    if aggregation == "sum":
        return sum((Fraction(event.quantity) for event in inside), Fraction())
    if aggregation == "count":
        return Fraction(len(inside))
    if aggregation == "unique":
        return Fraction(len({event.dimensions["region"] for event in inside}))
    if reports == "amount":
        in_order = sorted(inside, key=lambda e: (e.at, e.id or "", e.quantity))
        values = [Fraction(event.quantity) for event in in_order]
        return max(values) if aggregation == "max" else values[-1]
    length = int((period.end - period.start) / timedelta(hours=1))
    levels = [
        level_at(events, reports, period.start + timedelta(hours=hour)) for hour in range(length)
    ]
    if aggregation == "time_weighted":
        return sum(levels, Fraction()) / length
    return max(levels) if aggregation == "max" else levels[-1]


def level_at(events: Sequence[UsageEvent], reports: str, moment: datetime) -> Fraction:
    """Return the level at an instant: the sum of changes until then, or what was told last."""
    until = [event for event in events if event.at <= moment]
    if reports == "change":
        return sum((Fraction(event.quantity) for event in until), Fraction())
    newest = max(until, key=lambda e: (e.at, e.id or "", e.quantity), default=None)
    return Fraction(newest.quantity) if newest else Fraction()


@every_way
@given(told(), st.randoms(use_true_random=False), st.sampled_from(["own_period", "next_period"]))
def test_the_order_of_events_does_not_matter(
    aggregation: str, reports: str, events: list[Told], random: Random, late: str
) -> None:
    metric = metric_of(aggregation, reports)
    shuffled = list(events)
    random.shuffle(shuffled)
    expected = counted(events, metric, late=late)
    assert counted(shuffled, metric, late=late) == expected
    assert counted(events[::-1], metric, late=late) == expected


@every_way
@given(told())
def test_a_metric_is_what_the_definition_says_to_the_twelfth_decimal(
    aggregation: str, reports: str, found: list[Told]
) -> None:
    events = [event for event, _ in found]
    for usage in meter(events, metrics=[metric_of(aggregation, reports)]):
        exact = defined(events, aggregation, reports, usage.period)
        rounded = Fraction(int(exact * 10**12 + Fraction(1, 2)), 10**12)
        assert Fraction(usage.quantities["m"]) == rounded


@every_way
@given(told())
def test_a_service_s_way_from_kept_events_comes_to_the_same(
    aggregation: str, reports: str, found: list[Told]
) -> None:
    metric = metric_of(aggregation, reports)
    repository = MemoryRepository()
    repository.put_account(Account("org-1", "starter", since=SINCE))
    events = [event for event, _ in found]
    repository.add_events(events)
    reader = UsageReader(repository, "org-1", Routes([metric]))
    for usage in meter(events, metrics=[metric]):
        counted = repository.counted_events("org-1", usage.period, earlier=True)
        assert same(usage_of(counted, "org-1", usage.period, Routes([metric])), usage)
        (read,) = reader.usages([usage.period.start, usage.period.end])
        assert same(read, usage)


def same(usage: Usage, other: Usage) -> bool:
    """Tell whether two usages are the same, whether or not they name what wasn't used."""
    mine, others = (
        {name: units for name, units in each.quantities.items() if units} for each in (usage, other)
    )
    return usage.period == other.period and mine == others


@given(told(), st.lists(st.sampled_from(REGIONS), unique=True, max_size=2))
def test_metrics_that_share_events_out_come_to_the_sum_of_all(
    found: list[Told], regions: list[str]
) -> None:
    events = [event for event, _ in found]
    parts = [Metric(f"m_{each}", event="m", where={"region": each}) for each in regions]
    for metrics in (parts, [*parts, Metric("rest", event="m")]):
        shared, whole = meter(events, metrics=metrics), meter(events)
        assert [usage.period for usage in shared] == [usage.period for usage in whole]
        for usage, total in zip(shared, whole, strict=True):
            quantities = map(Fraction, usage.quantities.values())
            assert sum(quantities, Fraction()) == Fraction(total.quantities["m"])


@given(told(), st.integers(0, 20))
def test_late_events_count_once_wherever_they_count(found: list[Told], days: int) -> None:
    grace = timedelta(days=days)
    own, moved = (counted(found, Metric("m"), late=late, grace=grace)[0] for late in LATE)
    assert total(own) == total(moved)
    assert total(moved) == sum((Fraction(event.quantity) for event, _ in found), Fraction())
    in_time = [
        (event, None)
        for event, received_at in found
        if received_at is None or received_at < Period.month_of(event.at).end + grace
    ]
    late = [received_at for event, received_at in found if (event, None) not in in_time]
    open_periods = {Period.month_of(received_at or MARCH.start) for received_at in late}
    assert {usage.period for usage in moved} == open_periods | {
        Period.month_of(event.at) for event, _ in in_time
    }


LATE: Any = ("own_period", "next_period")


def total(usages: list[Usage]) -> Fraction:
    return sum((Fraction(usage.quantities["m"]) for usage in usages), Fraction())


@given(told(), hours.filter(bool), st.sampled_from(["level", "change"]))
def test_a_mean_level_is_that_of_the_parts_of_the_time(
    found: list[Told], hour: int, reports: Any
) -> None:
    events = [(event, event.at) for event, _ in found]
    whole = Period(JANUARY.start, MARCH.end)
    cut = JANUARY.start + timedelta(hours=hour)
    metric = Metric("m", "time_weighted", reports=reports)
    first, last = Period(whole.start, cut), Period(cut, whole.end)
    area = Fraction()
    for part in (first, last):
        usage = usage_of(events, "org-1", part, Routes([metric]))
        mean = Fraction(usage.quantities.get("m", 0))
        area += mean * int((part.end - part.start) / timedelta(hours=1))
    mean = Fraction(usage_of(events, "org-1", whole, Routes([metric])).quantities.get("m", 0))
    length = int((whole.end - whole.start) / timedelta(hours=1))
    assert abs(mean - area / length) <= Fraction(2, 10**12)


@given(signed_numbers, positive_numbers, st.integers(0, 100))
def test_an_increment_counts_what_was_started_and_less_than_a_step_more(
    number: Any, step: Any, first: int
) -> None:
    increment = Increment(step.first, first=first)
    quantity, size = Fraction(number.first), Fraction(step.first)
    found = Fraction(increment.counted(number.first))
    beyond = max(abs(quantity) - first, Fraction())
    magnitude = first + size * ceil(beyond / size) if quantity else Fraction()
    assert found == (magnitude if quantity > 0 else -magnitude)
    assert Fraction(increment.counted(number.second)) == found
    assert increment.counted(found) == found


@given(told(), st.integers(1, 100), st.integers(0, 3))
def test_an_increment_for_each_event_comes_to_at_least_that_of_the_total(
    found: list[Told], step: int, steps_at_once: int
) -> None:
    events = [event for event, _ in found]
    increment = Increment(step, first=step * steps_at_once)
    for_total, for_each = (
        meter(events, metrics=[Metric("m", increment=increment, increment_scope=scope)])
        for scope in SCOPES
    )
    for whole, parts in zip(for_total, for_each, strict=True):
        inside = [event for event in events if event.at in whole.period]
        assert parts.quantities["m"] == sum(increment.counted(e.quantity) for e in inside)
        assert parts.quantities["m"] >= whole.quantities["m"]


SCOPES: Any = ("total", "event")
