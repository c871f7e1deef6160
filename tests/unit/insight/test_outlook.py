"""The outlook: units to come, in whole steps, in each time that has a part of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from overages import Period, Usage
from overages.amounts.exact import SCALE
from overages.insight.outlook import DayAhead, Outlook, UnitsAhead

FEB = Period.month(2024, 2)
NOW = datetime(2024, 2, 27, 12, tzinfo=UTC)
MIDNIGHT = datetime(2024, 2, 28, tzinfo=UTC)
TIMES = [Period(NOW, MIDNIGHT)] + [
    Period(MIDNIGHT + timedelta(n), MIDNIGHT + timedelta(n + 1)) for n in range(2)
]


def ahead(total: int, more: int, *picos: int, **named: Any) -> UnitsAhead:
    days = tuple(DayAhead(time, Fraction(each)) for time, each in zip(TIMES, picos, strict=True))
    return UnitsAhead(total * SCALE, more * SCALE, days, SCALE, **named)


def quantities(units: UnitsAhead, time: Period, used: int) -> dict[str, Any]:
    usage = Usage("acme", time, {"runs": used} if used else {})
    return dict(Outlook(NOW, {"runs": units}).applied([usage])[0].quantities)


def test_days_are_rounded_so_that_they_come_to_the_whole() -> None:
    units = ahead(10, 10, 1, 1, 1)
    assert units.by_day() == [3 * SCALE, 3 * SCALE, 4 * SCALE]
    assert ahead(7, 7, 0, 1, 2).by_day() == [0, 2 * SCALE, 5 * SCALE]


def test_units_that_no_day_is_expected_to_have_are_spread_evenly() -> None:
    assert ahead(9, 9, 0, 0, 0).by_day() == [3 * SCALE] * 3


def test_a_level_may_fall() -> None:
    assert sum(ahead(1, -2, 0, 0, 0).by_day()) == -2 * SCALE


def test_a_time_has_the_units_of_its_days() -> None:
    units = ahead(110, 10, 2, 4, 4)
    assert quantities(units, FEB, 100) == {"runs": 110}
    assert quantities(units, Period(FEB.start, MIDNIGHT), 100) == {"runs": 102}
    assert quantities(units, Period(MIDNIGHT, FEB.end), 0) == {"runs": 8}
    noon = MIDNIGHT + timedelta(hours=12)
    assert quantities(units, Period(noon, FEB.end), 0) == {"runs": 6}
    assert quantities(units, Period(FEB.start, NOW), 100) == {"runs": 100}
    assert quantities(units, Period(FEB.start, NOW), 0) == {}


def test_units_that_are_no_whole_steps_stay_so_as_a_whole() -> None:
    units = ahead(10, 10, 1, 1, 1)._replace(more=10 * SCALE + 1)
    assert sum(units.by_day()) == 10 * SCALE + 1


def test_a_peak_is_that_of_each_time_that_isnt_over() -> None:
    units = ahead(12, 2, 0, 0, 0, is_flow=False)
    assert quantities(units, FEB, 10) == {"runs": 12}
    assert quantities(units, Period(MIDNIGHT, FEB.end), 0) == {"runs": 12}
    assert quantities(units, Period(FEB.start, NOW), 10) == {"runs": 10}


def test_a_level_that_is_held_is_moved_in_each_time_that_isnt_over() -> None:
    units = ahead(8, -2, 0, 0, 0, is_flow=False, is_held=True)
    assert quantities(units, FEB, 10) == {"runs": 8}
    assert quantities(units, Period(MIDNIGHT, FEB.end), 11) == {"runs": 9}
    assert quantities(units, Period(MIDNIGHT, FEB.end), 1) == {"runs": 0}
    assert quantities(units, Period(FEB.start, NOW), 10) == {"runs": 10}


def test_metrics_without_an_outlook_stay() -> None:
    usage = Usage("acme", FEB, {"runs": 5, "jobs": 7})
    (applied,) = Outlook(NOW, {"runs": ahead(8, 3, 1, 1, 1)}).applied([usage])
    assert applied == Usage("acme", FEB, {"runs": 8, "jobs": 7})


def test_events_say_when_units_should_be_used() -> None:
    outlook = Outlook(
        NOW, {"runs": ahead(5, 5, 1, 0, 4), "seats": ahead(9, 4, 1, 1, 2, is_flow=False)}
    )
    events = outlook.events("acme", ["jobs", "runs", "seats"])
    assert [(each.org_id, each.metric, each.quantity, each.at) for each in events] == [
        ("acme", "runs", 1, NOW),
        ("acme", "runs", 4, TIMES[2].start),
    ]
