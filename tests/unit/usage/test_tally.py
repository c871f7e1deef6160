"""Tallies take events in, and sums of events where these tell as much."""

from datetime import UTC, datetime, timedelta

import pytest

from overages import Metric, Period, UsageEvent
from overages.usage.event_sum import merged, sum_of
from overages.usage.tally import tally_of

HOUR = timedelta(hours=1)
NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
FEB = Period.month(2024, 2)
EVENTS = [UsageEvent("org-1", "m", quantity, NOON, f"{quantity}") for quantity in (3, 9, "0.5", 5)]


@pytest.mark.parametrize("aggregation", ["sum", "count", "max", "last"])
def test_a_sum_of_events_tells_as_much_as_each_of_them(aggregation: str) -> None:
    metric = Metric("m", aggregation, factor=2)  # type: ignore[arg-type]
    by_events, by_sum = tally_of(metric), tally_of(metric)
    total = merged(map(sum_of, EVENTS))
    assert metric.is_summed
    assert total is not None
    for event in EVENTS:
        by_events.add(event, NOON)
    by_sum.add_sum(total, NOON)
    assert by_sum.quantity(FEB) == by_events.quantity(FEB) != 0


@pytest.mark.parametrize(
    "metric", [Metric("m", "unique", distinct="user"), Metric("m", "last", reports="level")]
)
def test_what_no_sum_tells_takes_none(metric: Metric) -> None:
    assert not metric.is_summed
    with pytest.raises(NotImplementedError):
        tally_of(metric).add_sum(sum_of(EVENTS[0]), NOON)


def test_a_reading_that_counts_late_replaces_no_newer_one() -> None:
    metric = Metric("m", "last", reports="level")
    tally = tally_of(metric)
    for quantity, at, counts_at in ((9, NOON, NOON), (4, NOON - HOUR, NOON + HOUR)):
        tally.add(UsageEvent("org-1", "m", quantity, at, f"{quantity}"), counts_at)
    assert tally.quantity(FEB) == 9


def test_there_is_no_sum_of_nothing() -> None:
    assert merged([]) is None
