"""Usage days: the days of each kind of metric, of sums that were put, and of late events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import MemoryRepository, Metric, Period, Usage, UsageEvent
from overages.bookkeeping.usage_reader import UsageReader
from overages.errors import InvalidValue
from overages.forecasts.daily_usage import days_of
from overages.forecasts.usage_days import UsageDays, usage_days
from overages.usage.routing import Routes

START = datetime(2024, 2, 1, tzinfo=UTC)
TERM = Period(START, START + timedelta(days=4))
DAYS = days_of(TERM, "UTC")


def event(name: str, quantity: Any, day: float, **dimensions: str) -> UsageEvent:
    at = START + timedelta(days=day)
    return UsageEvent("acme", name, quantity, at, dimensions=dimensions)


def read(
    *events: UsageEvent,
    metrics: tuple[Metric, ...] = (),
    put: tuple[Usage, ...] = (),
    over: int = 4,
) -> UsageDays:
    repository, routes = MemoryRepository(), Routes(metrics)
    repository.add_events(events)
    for usage in put:
        repository.put_usage(usage)
    bounds = [START, *(day.end for day in DAYS[:over])]
    counts = UsageReader(repository, "acme", routes).counts([*bounds, *([TERM.end] * (over < 4))])
    return usage_days("acme", DAYS, over, routes, counts)


def units(days: UsageDays, metric: str) -> list[float]:
    return [picos / 10**12 for picos in days.of(metric)]


def test_a_sum_has_the_units_of_each_day() -> None:
    days = read(event("runs", 5, 0), event("runs", "0.5", 2.9), event("runs", 7, 3), over=3)
    assert units(days, "runs") == [5, 0, 0.5]
    assert days.of("jobs") == (0, 0, 0)
    assert days.without == {}


def test_a_day_may_take_more_back_than_it_used() -> None:
    assert units(read(event("runs", -5, 0), event("runs", 8, 2)), "runs") == [-5, 0, 8, 0]


def test_a_sum_that_is_converted_has_the_difference_of_what_is_counted() -> None:
    """Started tens of 4, 8 and 12 units are 10, 10 and 20."""
    tens = Metric("tens", event="runs", increment=10)
    days = read(*(event("runs", 4, day) for day in (0, 1, 2)), metrics=(tens,))
    assert units(days, "tens") == [10, 0, 10, 0]


def test_unique_values_count_on_the_day_that_they_first_come() -> None:
    users = Metric("users", "unique", event="runs", distinct="user")
    events = [event("runs", 1, day, user=user) for day, user in [(0, "a"), (1, "a"), (1.5, "b")]]
    days = read(*events, metrics=(users, Metric("runs")))
    assert units(days, "users") == [1, 1, 0, 0]
    assert units(days, "runs") == [1, 2, 0, 0]


def test_a_peak_rises_and_the_last_value_follows() -> None:
    metrics = (Metric("peak", "max", event="m"), Metric("last", "last", event="m"))
    days = read(event("m", 5, 0), event("m", 3, 1), event("m", 9, 3), metrics=metrics)
    assert units(days, "peak") == [5, 0, 0, 4]
    assert units(days, "last") == [5, -2, 0, 6]


def test_a_level_is_told_as_if_it_went_on() -> None:
    """The mean of 4 days is 8 at first; 12 from the third day on makes it 10."""
    seats = Metric("seats", "time_weighted")
    days = read(event("seats", 8, -30), event("seats", 12, 2), metrics=(seats,))
    assert units(days, "seats") == [8, 0, 2, 0]


def test_a_level_that_is_changed_starts_with_the_changes_before() -> None:
    seats = Metric("seats", "max", event="moves", reports="change")
    days = read(event("moves", 3, -30), event("moves", 2, 1.5), metrics=(seats,))
    assert units(days, "seats") == [3, 2, 0, 0]


def test_events_that_no_metric_takes_are_summed_by_their_name() -> None:
    metrics = (Metric("eu", event="runs", where={"region": "eu"}),)
    events = [event("runs", 5, 0, region="eu"), event("runs", 7, 1, region="us")]
    days = read(*events, metrics=metrics)
    assert (units(days, "eu"), units(days, "runs")) == ([5, 0, 0, 0], [0, 7, 0, 0])


def test_levels_that_share_their_events_know_those_before_the_period() -> None:
    metrics = tuple(
        Metric(region, "max", event="moves", reports="change", where={"region": region})
        for region in ("eu", "us")
    )
    events = [
        event("moves", 3, -30, region="eu"),
        event("moves", 4, -3, region="apac"),  # no metric takes it, and it isn't in the period
        event("moves", 2, 1, region="us"),
    ]
    days = read(*events, metrics=metrics)
    assert (units(days, "eu"), units(days, "us")) == ([3, 0, 0, 0], [0, 2, 0, 0])
    assert days.of("moves") == (0, 0, 0, 0)


def test_sums_put_for_a_day_are_of_that_day() -> None:
    tens = Metric("tens", event="jobs", increment=10)
    put = (Usage("acme", DAYS[1], {"runs": 7, "jobs": 4}), Usage("acme", DAYS[3], {"runs": 2}))
    days = read(event("runs", 1, 1), put=put, metrics=(tens,))
    assert units(days, "runs") == [0, 8, 0, 2]
    assert units(days, "tens") == [0, 10, 0, 0]
    assert days.without == {}


def test_sums_put_for_more_than_a_day_have_no_days() -> None:
    put = (Usage("acme", TERM, {"runs": 70, "jobs": 0}),)
    days = read(event("runs", 1, 1), put=put, over=2)
    assert units(days, "runs") == [0, 1]
    assert days.without == {"runs": 70 * 10**12}


def test_a_period_that_cuts_put_sums_is_refused() -> None:
    longer = Period(START, TERM.end + timedelta(days=1))
    with pytest.raises(InvalidValue, match="must be asked for in times that have all of"):
        read(put=(Usage("acme", longer, {"runs": 70}),))
