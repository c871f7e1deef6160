"""Sums that are held ready: of the events of each hour and of each day, of UTC's, by their name.

A time is told by the days that lie whole in it, by hours where it cuts a day, and by the events
themselves where it cuts an hour:

    held(counted)                                     # {("acme", "runs", "hour", noon): sum, ...}
    stretches(period)                                 # (None, 10:30, 11:00), ("hour", 11:00, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from overages.periods.period import Period
from overages.usage.event import UsageEvent
from overages.usage.event_sum import EventSum, sum_up

Unit: TypeAlias = Literal["hour", "day"]
"""A stretch of time that sums are held ready for."""

HeldSums: TypeAlias = Mapping[tuple[str, str, Unit, datetime], EventSum]
"""Sums of events by org, metric, unit, and the start of the hour or day."""

LAST: Final = datetime.max.replace(tzinfo=UTC)
"""The last instant there is."""

_LENGTHS: Final[Mapping[Unit, timedelta]] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


def start_of(unit: Unit, instant: datetime) -> datetime:
    """Return the start of the hour or day, of UTC's, that an instant lies in."""
    hour = instant.replace(minute=0, second=0, microsecond=0)
    return hour if unit == "hour" else hour.replace(hour=0)


def after(unit: Unit, start: datetime) -> datetime | None:
    """Return the start of the hour or day after one; None after the last there is."""
    try:
        return start + _LENGTHS[unit]
    except OverflowError:
        return None


def _bounds_of(unit: Unit, start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    """Return the bounds of the whole hours or days in a time; None if there are none."""
    first: datetime | None = start_of(unit, start)
    if first is not None and first < start:
        first = after(unit, first)
    last = start_of(unit, end)
    return None if first is None or first >= last else (first, last)


@lru_cache(maxsize=1024)  # many orgs have the same periods
def stretches(period: Period) -> tuple[tuple[Unit | None, datetime, datetime], ...]:
    """Divide a time into whole days, whole hours, and the rest of it."""
    return tuple(_stretches(period))


def _stretches(period: Period) -> Iterator[tuple[Unit | None, datetime, datetime]]:
    start, end = period.start, period.end
    hours = _bounds_of("hour", start, end)
    if hours is None:
        yield None, start, end
        return
    days = _bounds_of("day", *hours)
    bounds = [start, hours[0], *(days or ()), hours[1], end]
    units: list[Unit | None] = [None, "hour", "day", "hour", None] if days else [None, "hour", None]
    for unit, (first, last) in zip(units, pairwise(bounds), strict=True):
        if first < last:
            yield unit, first, last


def held(counted: Iterable[tuple[UsageEvent, datetime]]) -> HeldSums:
    """Sum events up by org, name, and each hour and day that they count in."""
    by_hour: dict[tuple[str, str, datetime], list[UsageEvent]] = {}
    hour = end = LAST
    for event, counts_at in counted:
        if not hour <= counts_at < end:  # most lie in the hour of the one before
            hour = start_of("hour", counts_at)
            end = after("hour", hour) or LAST
        by_hour.setdefault((event.org_id, event.metric, hour), []).append(event)
    sums: dict[tuple[str, str, Unit, datetime], EventSum] = {}
    for (org_id, metric, start), events in by_hour.items():
        of_hour = sums[org_id, metric, "hour", start] = sum_up(events)
        key: tuple[str, str, Unit, datetime] = (org_id, metric, "day", start_of("day", start))
        sums[key] = sums[key].merged(of_hour) if key in sums else of_hour
    return sums


def by_name(counted: Iterable[tuple[UsageEvent, datetime]]) -> dict[str, EventSum]:
    """Sum events up by their name."""
    events_of: dict[str, list[UsageEvent]] = {}
    for event, _ in counted:
        events_of.setdefault(event.metric, []).append(event)
    return {name: sum_up(events) for name, events in events_of.items()}


def add_to(sums: dict[str, EventSum], more: Mapping[str, EventSum]) -> None:
    """Add sums, by name, to those of another time."""
    for name, events in more.items():
        sums[name] = sums[name].merged(events) if name in sums else events
