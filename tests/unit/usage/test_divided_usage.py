"""The usage of a period, told for times within it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from overages import Metric, Period, Usage, UsageEvent
from overages.usage.divided_usage import DividedUsage
from overages.usage.routing import Routes

FEB, MAR = (Period.month(2024, n) for n in (2, 3))
TWELFTH, TWENTIETH = (datetime(2024, 3, n, tzinfo=UTC) for n in (12, 20))
BOUNDS = [MAR.start, TWELFTH, TWENTIETH, MAR.end]
TIMES = MAR.split(TWELFTH, TWENTIETH)
SUMS = Routes([])
HALF = Decimal("0.5")


def of_march(day: int, quantity: Any, metric: str = "runs", **named: Any) -> UsageEvent:
    at = datetime(2024, 3, day, 12, tzinfo=UTC)
    return UsageEvent("org-1", metric, quantity, at, **named)


def divided(
    events: list[UsageEvent], used: dict[str, Any], routes: Routes = SUMS
) -> list[dict[str, Any]]:
    """Return the usage of each time between two instants, of events that count in March."""
    usage = DividedUsage(Usage("org-1", MAR, used), BOUNDS, [(one, MAR) for one in events], routes)
    return [dict(usage.within(time).quantities) for time in TIMES]


def test_a_time_of_several_has_the_sum_of_them() -> None:
    events = [(of_march(day, day), MAR) for day in (3, 11, 12, 25)]
    usage = DividedUsage(Usage("org-1", MAR, {"runs": 51}), BOUNDS, events, SUMS)
    first, last = Period(MAR.start, TWENTIETH), Period(TWELFTH, MAR.end)
    assert usage.within(first) == Usage("org-1", first, {"runs": 26})
    assert usage.within(last) == Usage("org-1", last, {"runs": 37})
    assert [usage.within(time).quantities["runs"] for time in TIMES] == [14, 12, 25]


def test_late_events_count_at_the_nearest_end() -> None:
    before, after = (UsageEvent("org-1", "runs", n, at) for n, at in ((3, FEB.start), (4, MAR.end)))
    assert divided([before, after], {"runs": 7}) == [{"runs": 3}, {"runs": 0}, {"runs": 4}]


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ([10, 0, -4], [6, 0, 0]),
        ([10, 2, -4], [8, 0, 0]),
        ([-4, 1, 10], [0, 0, 7]),
        ([10, HALF, 1], [10, HALF, 1]),
    ],
)
def test_units_that_are_taken_back_are_taken_from_another_time(
    quantities: list[Any], expected: list[Any]
) -> None:
    events = [of_march(day, units) for day, units in zip((3, 15, 25), quantities, strict=True)]
    times = divided(events, {"runs": sum(quantities)})
    assert [time["runs"] for time in times] == expected


def test_units_without_an_event_are_in_no_time() -> None:
    assert divided([], {"runs": 50}) == [{"runs": 0}, {"runs": 0}, {"runs": 0}]
    assert divided([of_march(3, 20)], {"runs": 50}) == [{"runs": 20}, {"runs": 0}, {"runs": 0}]


def test_events_of_another_period_are_no_part_of_a_sum() -> None:
    event = UsageEvent("org-1", "runs", 9, FEB.start)
    usage = DividedUsage(Usage("org-1", MAR, {"runs": 0}), BOUNDS, [(event, FEB)], SUMS)
    assert usage.within(TIMES[0]).quantities == {"runs": 0}


def test_a_metric_that_is_worked_out_is_worked_out_in_each_time() -> None:
    level = Metric("users", "last", reports="level")
    routes = Routes([Metric("peak", "max"), Metric("seats", "last"), level])
    events = [(of_march(3, 5, "peak"), MAR), (of_march(15, 3, "peak"), MAR)]
    told = UsageEvent("org-1", "users", 4, datetime(2024, 2, 5, tzinfo=UTC))
    late = UsageEvent("org-1", "seats", 6, MAR.end)  # counts at March's last instant
    of_period = Usage("org-1", MAR, {"peak": 5, "seats": 6, "users": 4})
    usage = DividedUsage(of_period, BOUNDS, [*events, (told, FEB), (late, MAR)], routes)
    assert [dict(usage.within(time).quantities) for time in TIMES] == [
        {"peak": 5, "users": 4},
        {"peak": 3, "users": 4},
        {"seats": 6, "users": 4},
    ]
