"""Sums of events by hour and by day: how a time is divided, and the sums of each stretch."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from overages import Period, UsageEvent
from overages.adapters.held_sums import (
    LAST,
    Unit,
    add_to,
    after,
    by_name,
    held,
    start_of,
    stretches,
)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2024, 2, day, hour, minute, tzinfo=UTC)


def counted(quantity: int, instant: datetime, metric: str = "runs") -> tuple[UsageEvent, datetime]:
    return UsageEvent("acme", metric, quantity, instant), instant


def shown(period: Period) -> Sequence[tuple[Any, ...]]:
    return [(unit, start, end) for unit, start, end in stretches(period)]


def test_whole_days_are_one_stretch() -> None:
    assert shown(Period(at(1), at(4))) == [("day", at(1), at(4))]


def test_a_time_is_whole_days_and_hours_and_the_rest_on_both_sides() -> None:
    assert shown(Period(at(1, 22, 30), at(3, 2, 15))) == [
        (None, at(1, 22, 30), at(1, 23)),
        ("hour", at(1, 23), at(2)),
        ("day", at(2), at(3)),
        ("hour", at(3), at(3, 2)),
        (None, at(3, 2), at(3, 2, 15)),
    ]


def test_a_time_without_a_whole_day_is_hours_and_the_rest() -> None:
    assert shown(Period(at(1, 9, 30), at(1, 12))) == [
        (None, at(1, 9, 30), at(1, 10)),
        ("hour", at(1, 10), at(1, 12)),
    ]


def test_a_time_without_a_whole_hour_is_told_by_its_events() -> None:
    period = Period(at(1, 9, 30), at(1, 10, 15))
    assert shown(period) == [(None, period.start, period.end)]


@pytest.mark.parametrize("unit", ["hour", "day"])
def test_nothing_comes_after_the_last_hour_and_day(unit: Unit) -> None:
    assert after(unit, start_of(unit, LAST)) is None


def test_a_time_that_begins_within_the_last_hour_is_told_by_its_events() -> None:
    period = Period(LAST.replace(second=1), LAST)
    assert shown(period) == [(None, period.start, period.end)]


def test_each_event_is_in_the_sums_of_its_hour_and_its_day() -> None:
    events = [counted(5, at(1, 9)), counted(7, at(1, 9, 30)), counted(1, at(1, 23))]
    sums = held([*events, counted(2, at(1, 9, 40), "calls")])
    assert {key[1:]: (each.events, each.picos // 10**12) for key, each in sums.items()} == {
        ("runs", "hour", at(1, 9)): (2, 12),
        ("runs", "hour", at(1, 23)): (1, 1),
        ("runs", "day", at(1)): (3, 13),
        ("calls", "hour", at(1, 9)): (1, 2),
        ("calls", "day", at(1)): (1, 2),
    }


def test_the_last_hour_there_is_has_a_sum() -> None:
    (event,) = [counted(5, LAST)]
    assert [key[2:] for key in held([event])] == [
        ("hour", start_of("hour", LAST)),
        ("day", start_of("day", LAST)),
    ]


def test_sums_of_two_times_are_those_of_both() -> None:
    first, second = [counted(5, at(1, 9))], [counted(7, at(2, 9)), counted(1, at(2, 9), "calls")]
    sums = by_name(first)
    add_to(sums, by_name(second))
    assert sums == by_name([*first, *second])
