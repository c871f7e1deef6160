"""A slow model of a cycle: each boundary by `dateutil` from the anchor, and a search among them.

It shares nothing with the library but the definition: a boundary is the anchor's reading on local
clocks, some units later, and an instant lies between the last boundary not after it and the next.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from overages import Cycle, Period

UNITS: dict[str, dict[str, int]] = {
    "day": {"days": 1},
    "week": {"weeks": 1},
    "month": {"months": 1},
    "quarter": {"months": 3},
    "year": {"years": 1},
}
MOST = 10**8  # more hours than there are from the year 1 to 9999

Place = tuple[int, datetime]  # of a boundary: before all years (-1), within them (0), after (1)


def boundary(cycle: Cycle, n: int) -> Place:
    """Return the boundary that period n starts at."""
    try:
        if n == 0:
            return (0, cycle.anchor)
        if cycle.unit == "hour":
            return (0, cycle.anchor + timedelta(hours=n * cycle.every))
        zone = ZoneInfo(cycle.timezone)
        local = cycle.anchor.astimezone(zone).replace(tzinfo=None, fold=0)
        ((name, units),) = UNITS[cycle.unit].items()
        step: Any = {name: n * cycle.every * units}
        return (0, (local + relativedelta(**step)).replace(tzinfo=zone).astimezone(UTC))
    except (OverflowError, ValueError):
        return (-1 if n < 0 else 1, datetime.min.replace(tzinfo=UTC))


def period(cycle: Cycle, n: int) -> Period | None:
    """Return period n, up to the next boundary that is later than its start."""
    within, start = boundary(cycle, n)
    if within:
        return None
    while (following := boundary(cycle, n + 1)) == (0, start):
        n += 1
    return None if following[0] else Period(start, following[1])


def number_at(cycle: Cycle, instant: datetime) -> int:
    """Return the number of the last boundary that is not after an instant."""
    numbers = range(-MOST, MOST)
    places = bisect_right(numbers, (0, instant), key=lambda n: boundary(cycle, n))
    return numbers[places - 1]


def period_at(cycle: Cycle, instant: datetime) -> Period | None:
    """Return the period that an instant lies in."""
    return period(cycle, number_at(cycle, instant))


def period_before(cycle: Cycle, instant: datetime) -> Period | None:
    """Return the last period that has ended by an instant."""
    within, start = boundary(cycle, number_at(cycle, instant))
    if within or start == datetime.min.replace(tzinfo=UTC):
        return None
    return period_at(cycle, start - timedelta(microseconds=1))
