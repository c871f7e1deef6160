"""Tallies: what the events of a metric come to."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from overages import Metric, Period, UsageEvent
from overages.usage.tally import tally_of

APRIL = Period.month(2023, 4)
MAY = Period.month(2023, 5)
DAY = timedelta(days=1)

Told = tuple[int, Any]
"""Days from the start of April, and a quantity."""


def quantity(metric: Metric, *told: Told, period: Period = APRIL) -> str:
    """Return what events come to in every order, which has to be the same."""
    events = [UsageEvent("org-1", "m", number, APRIL.start + DAY * days) for days, number in told]
    found = set()
    for order in permutations(events):
        tally = tally_of(metric)
        for event in order:
            tally.add(event, since=event.at)
        found.add(str(tally.quantity(period)))
    (text,) = found
    return text


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("sum", "7"), ("count", "4"), ("max", "5"), ("last", "-1"), ("time_weighted", "2.1")],
)
def test_events_come_to_what_the_aggregation_says(aggregation: Any, expected: str) -> None:
    told = (0, 1), (3, 5), (7, 2), (28, -1)  # 3 x 1 + 4 x 5 + 21 x 2 - 2 x 1 = 63, of 30 days
    assert quantity(Metric("m", aggregation), *told) == expected


@pytest.mark.parametrize("aggregation", ["sum", "count", "max", "last"])
def test_nothing_comes_to_nothing(aggregation: Any) -> None:
    assert tally_of(Metric("m", aggregation)).quantity(APRIL) == 0


def test_the_largest_may_be_below_zero() -> None:
    assert quantity(Metric("m", "max"), (0, -3), (1, -2)) == "-2"


def test_values_of_a_dimension_are_counted_once_each() -> None:
    tally = tally_of(Metric("m", "unique", distinct="user"))
    assert tally.quantity(APRIL) == 0
    for user in ("a", "b", "a"):
        event = UsageEvent("org-1", "m", 5, APRIL.start, dimensions={"user": user})
        tally.add(event, since=event.at)
    assert tally.quantity(APRIL) == 2


@pytest.mark.parametrize(
    ("ids", "expected"),
    [(["b", "a"], "1"), (["a", "b"], "2"), ([None, "a"], "2"), ([None] * 2, "2")],
)
@pytest.mark.parametrize("reports", ["amount", "level"])
def test_of_events_at_one_instant_the_greater_id_is_the_last_and_then_the_larger(
    ids: list[Any], expected: str, reports: Any
) -> None:
    events = [UsageEvent("org-1", "m", n, APRIL.start, each) for n, each in enumerate(ids, 1)]
    for order in permutations(events):
        tally = tally_of(Metric("m", "last", reports=reports))
        for event in order:
            tally.add(event, since=event.at)
        assert str(tally.quantity(APRIL)) == expected


@pytest.mark.parametrize(("scope", "expected"), [("total", "60"), ("event", "180")])
def test_an_increment_is_applied_to_the_total_or_to_each_event(scope: Any, expected: str) -> None:
    metric = Metric("m", increment=60, increment_scope=scope)
    assert quantity(metric, (0, 10), (1, 20), (2, 30)) == expected


def test_what_takes_an_event_back_takes_back_what_it_counted_for() -> None:
    metric = Metric("m", increment=60, increment_scope="event")
    assert quantity(metric, (0, 10), (0, 90), (1, -10)) == "120"


def test_a_factor_is_applied_to_each_event_before_it_is_rounded() -> None:
    metric = Metric("m", factor="0.001", increment=1, increment_scope="event")
    assert quantity(metric, (0, 1_500), (1, 1_500)) == "4"


@pytest.mark.parametrize(
    ("aggregation", "april", "may"),
    [("max", "9", "4"), ("last", "4", "4"), ("time_weighted", "5.333333333333", "4")],
)
def test_changes_make_a_level_that_is_carried(aggregation: Any, april: str, may: str) -> None:
    told = (-10, 5), (-5, -2), (10, 6), (20, -5)  # 3 for 10 days, 9 for 10, 4 for 10
    metric = Metric("m", aggregation, reports="change")
    assert quantity(metric, *told) == april
    assert quantity(metric, *told, period=MAY) == may


@pytest.mark.parametrize(
    ("aggregation", "april", "may"),
    [("max", "8", "2"), ("last", "2", "2"), ("time_weighted", "5", "2")],
)
def test_levels_hold_until_the_next_one(aggregation: Any, april: str, may: str) -> None:
    told = (-10, 99), (-5, 5), (10, 8), (20, 2)  # 5 for 10 days, 8 for 10, 2 for 10
    metric = Metric("m", aggregation, reports="level")
    assert quantity(metric, *told) == april
    assert quantity(metric, *told, period=MAY) == may


def test_a_level_of_before_is_not_held_where_another_starts_the_period() -> None:
    assert quantity(Metric("m", "max", reports="level"), (-1, 9), (0, 4)) == "4"


def test_a_level_is_zero_before_it_is_first_told() -> None:
    assert quantity(Metric("m", "time_weighted"), (15, 4)) == "2"


def test_changes_at_one_instant_are_one() -> None:
    metric = Metric("m", "max", reports="change")
    assert quantity(metric, (0, 4), (5, 3), (5, -3)) == "4"


def test_what_comes_after_a_period_is_nothing_to_it() -> None:
    level = tally_of(Metric("m", "time_weighted"))
    level.add(UsageEvent("org-1", "m", 4, MAY.start), since=MAY.start)
    assert level.quantity(APRIL) == 0
    assert not level.starts_before(MAY.start)
    assert level.starts_before(MAY.end)
    assert tally_of(Metric("m")).starts_before(MAY.start)


@pytest.mark.parametrize(("newest", "expected"), [(-2, "7"), (-4, "5")])
def test_a_late_level_counts_unless_a_newer_one_was_told(newest: int, expected: str) -> None:
    level = tally_of(Metric("m", "time_weighted"))
    known = UsageEvent("org-1", "m", 7, APRIL.start + DAY * newest)
    level.add(known, since=known.at)
    level.add(UsageEvent("org-1", "m", 5, APRIL.start - DAY * 3), since=APRIL.start)
    assert str(level.quantity(APRIL)) == expected
