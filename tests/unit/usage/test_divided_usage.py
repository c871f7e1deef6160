"""The usage of a period, and of times within it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from overages import Metric, Period, Usage, UsageEvent
from overages.errors import InvalidValue
from overages.usage.divided_usage import Counts, DividedUsage
from overages.usage.event_sum import EventSum, merged, sum_of
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


def summed(events: Iterable[UsageEvent]) -> dict[str, EventSum]:
    """Return the sum of the events of each name."""
    by_name: dict[str, list[EventSum]] = {}
    for event in events:
        by_name.setdefault(event.metric, []).append(sum_of(event))
    return {name: sum_ for name, sums in by_name.items() if (sum_ := merged(sums)) is not None}


def divided(
    events: list[UsageEvent], routes: Routes = SUMS, put: Iterable[Usage] = (), **counts: Any
) -> DividedUsage:
    """Return the usage of March, of events that count at their own instants."""
    sums = [summed(event for event in events if event.at in time) for time in TIMES]
    one_by_one = [(event, event.at) for event in events if event.metric in routes.one_by_one]
    kept = Counts(sums, tuple(put), one_by_one, **counts)
    return DividedUsage("org-1", BOUNDS, routes, kept)


def in_times(usage: DividedUsage) -> list[dict[str, Any]]:
    return [dict(usage.within(time).quantities) for time in TIMES]


def test_a_time_of_several_has_the_sum_of_them() -> None:
    usage = divided([of_march(day, day) for day in (3, 11, 12, 25)])
    first, last = Period(MAR.start, TWENTIETH), Period(TWELFTH, MAR.end)
    assert usage.within(first) == Usage("org-1", first, {"runs": 26})
    assert usage.within(last) == Usage("org-1", last, {"runs": 37})
    assert usage.within(MAR) == Usage("org-1", MAR, {"runs": 51})
    assert in_times(usage) == [{"runs": 14}, {"runs": 12}, {"runs": 25}]


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
    assert [time.get("runs", 0) for time in in_times(divided(events))] == expected


def test_more_that_is_taken_back_than_there_was_is_an_error() -> None:
    usage = divided([of_march(3, 5), of_march(25, -6)])
    with pytest.raises(InvalidValue, match=r"^org-1, 2024-03-01 .*: quantities\.runs: must not be"):
        usage.within(MAR)


def test_units_that_were_put_count_in_times_that_have_their_whole_span() -> None:
    put = [Usage("org-1", MAR, {"runs": 50}), Usage("org-1", TIMES[1], {"jobs": 7, "runs": 0})]
    usage = divided([of_march(3, 20), of_march(15, -3, "jobs")], put=put)
    assert in_times(usage) == [{"runs": 20}, {"jobs": 4}, {}]
    rest = Period(TWELFTH, MAR.end)
    assert usage.within(rest).quantities == {"jobs": 4}
    assert usage.within(MAR).quantities == {"runs": 70, "jobs": 4}
    across = Period(MAR.start, TWENTIETH)
    more = divided([of_march(3, 20)], put=[Usage("org-1", across, {"runs": 1})])
    assert more.within(across).quantities == {"runs": 21}


def test_a_period_cuts_no_span_that_units_were_put_for() -> None:
    put = [Usage("org-1", Period(FEB.start, MAR.end), {"runs": 5})]
    with pytest.raises(InvalidValue, match=r"^org-1: usage\.quantities\.runs: must be asked for"):
        divided([], put=put)


def test_a_metric_that_is_worked_out_is_worked_out_in_each_time() -> None:
    level = Metric("users", "last", reports="level")
    routes = Routes([Metric("peak", "max"), Metric("seats", "last"), level])
    events = [of_march(3, 5, "peak"), of_march(15, 3, "peak"), of_march(31, 6, "seats")]
    told = UsageEvent("org-1", "users", 4, datetime(2024, 2, 5, tzinfo=UTC))
    usage = divided(events, routes, held={level: (told, told.at)})
    assert in_times(usage) == [
        {"peak": 5, "users": 4},
        {"peak": 3, "users": 4},
        {"seats": 6, "users": 4},
    ]
    assert usage.within(MAR).quantities == {"peak": 5, "seats": 6, "users": 4}


def test_changes_before_the_period_are_taken_as_one() -> None:
    seats = Metric("seats", "time_weighted", reports="change")
    before = summed([UsageEvent("org-1", "seats", n, FEB.start) for n in (3, 4)])
    usage = divided([of_march(12, -7, "seats")], Routes([seats]), changes=before)
    assert in_times(usage)[0] == {"seats": 7}
    assert in_times(usage)[2] == {}


def test_events_that_no_metric_takes_are_summed_by_their_name() -> None:
    routes = Routes([Metric("eu", event="calls", where={"region": "eu"})])
    eu = of_march(3, 5, "calls", dimensions={"region": "eu"})
    usage = divided([eu, of_march(4, 2, "calls"), of_march(25, -1, "calls")], routes)
    assert in_times(usage) == [{"eu": 5, "calls": 1}, {}, {}]


def test_a_name_is_counted_in_sums_and_one_by_one_at_once() -> None:
    users = Metric("users", "unique", event="calls", distinct="user")
    routes = Routes([Metric("calls"), users, Metric("largest", "max", event="calls")])
    events = [of_march(day, day, "calls", dimensions={"user": "a"}) for day in (3, 4, 25)]
    assert in_times(divided(events, routes)) == [
        {"calls": 7, "users": 1, "largest": 4},
        {},
        {"calls": 25, "users": 1, "largest": 25},
    ]


@pytest.mark.parametrize(
    "metric",
    [
        Metric("runs", "max"),
        Metric("runs", "count"),
        Metric("r", "last", event="runs"),
        Metric("runs", event="r", increment=5, increment_scope="event"),
        Metric("runs", event="r", aggregation="unique", distinct="user"),
        Metric("eu", event="runs", where={"region": "eu"}),
    ],
    ids=lambda metric: f"{metric.name} {metric.aggregation}",
)
def test_units_are_put_of_sums_alone(metric: Metric) -> None:
    problem = r"^usage\.quantities\.runs: must be counted of events, not put as a sum: .* got 50$"
    with pytest.raises(InvalidValue, match=problem):
        divided([], Routes([metric]), put=[Usage("org-1", MAR, {"runs": 50})])
    assert (
        in_times(divided([], Routes([metric]), put=[Usage("org-1", MAR, {"runs": 0})])) == [{}] * 3
    )


def test_units_are_put_of_a_sum_by_its_own_name_or_that_of_its_events() -> None:
    routes = Routes([Metric("minutes", event="seconds", factor="0.5", increment=10)])
    put = [Usage("org-1", TIMES[0], {"minutes": 4, "seconds": 15})]
    usage = divided([of_march(3, 2, "seconds"), of_march(3, 1, "minutes")], routes, put=put)
    assert in_times(usage) == [{"minutes": 20}, {}, {}]
    across = [Usage("org-1", MAR, {"seconds": 30})]
    usage = divided([of_march(3, 2, "seconds")], routes, put=across)
    assert in_times(usage) == [{"minutes": 10}, {}, {}]
    assert usage.within(MAR).quantities == {"minutes": 20}
