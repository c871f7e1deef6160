"""Six shapes of usage, made up day by day, and a real trace that is stretched over a year.

Every number comes of a fixed generator of integers (SplitMix64), so that each run has the same. All
shapes have a level of 500 to 1,500 units a day, another one for each org, and each day differs from
its shape by up to 30 % either way. They assume no more than their lines below say; in none of them
does one day depend on the day before.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

from overages.forecasts.daily_usage import DailyUsage

START = date(2022, 1, 1)
MONTHS = 36
_BITS = (1 << 64) - 1


class Draws:
    """A fixed sequence of integers: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def upto(self, low: int, high: int) -> int:
        """Return an integer from low to high."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _BITS
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _BITS
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _BITS
        return low + (mixed ^ (mixed >> 31)) % (high - low + 1)


def flat(level: int, number: int, day: date, left: int, draws: Draws) -> int:
    """Each day is alike."""
    del number, day, left
    return level * draws.upto(70, 130) // 100


def weekly(level: int, number: int, day: date, left: int, draws: Draws) -> int:
    """Saturdays and Sundays have a quarter."""
    usual = flat(level, number, day, left, draws)
    return usual if day.weekday() < 5 else usual // 4


def growing(level: int, number: int, day: date, left: int, draws: Draws) -> int:
    """Each day has 0.3 % more than the one before: some 9 % a month."""
    return flat(level, number, day, left, draws) * int(1003**number) // int(1000**number)


def month_end(level: int, number: int, day: date, left: int, draws: Draws) -> int:
    """The last four days of a month have twelve times as much as the others."""
    usual = flat(level, number, day, left, draws)
    return usual * 6 if left < 4 else usual // 2


def bursts(level: int, number: int, day: date, left: int, draws: Draws) -> int:
    """A quarter of the level each day, and one day in fifteen three to eight times the level."""
    usual = flat(level, number, day, left, draws) // 4
    return usual + (level * draws.upto(3, 8) if draws.upto(1, 15) == 1 else 0)


def intermittent(level: int, number: int, day: date, left: int, draws: Draws) -> int:
    """Nothing on nine days of ten, and on the tenth half to ten times the level."""
    del number, day, left
    return level * draws.upto(1, 20) // 2 if draws.upto(1, 10) == 1 else 0


SHAPES: dict[str, Callable[[int, int, date, int, Draws], int]] = {
    "flat": flat,
    "weekly": weekly,
    "growing": growing,
    "month-end heavy": month_end,
    "bursts": bursts,
    "intermittent": intermittent,
}


def months(start: date, count: int) -> Iterator[tuple[date, ...]]:
    """Yield the days of months, one month after another."""
    day = start
    for _ in range(count):
        dates, month = [], day.month
        while day.month == month:
            dates.append(day)
            day += timedelta(days=1)
        yield tuple(dates)


def usage_of(shape: str, org: int) -> list[DailyUsage]:
    """Return three years of an org's usage of a shape, month by month."""
    draws, made = Draws(7919 * org + len(shape)), []
    level = draws.upto(500, 1_500)
    for dates in months(START, MONTHS):
        units = [
            SHAPES[shape](level, (day - START).days, day, len(dates) - day.day, draws)
            for day in dates
        ]
        made.append(DailyUsage(dates, tuple(each * 10**12 for each in units)))
    return made


TRACE_METRICS = ("ContextTokens", "GeneratedTokens")
_SECONDS_A_DAY = 10  # of the trace: its 57 minutes become eleven months


def trace_usage(rows: Iterable[str], orgs: int = 5) -> list[list[DailyUsage]]:
    """Return the usage of a trace of requests, by metric and org, in days of ten seconds.

    Requests are dealt over the orgs in turn, as `examples/llm_trace.py` does. Weekdays and month
    ends mean nothing in it; the sizes of its requests, and how they cluster, are real.
    """
    units: dict[tuple[str, int, int], int] = {}
    first, last = None, 0
    for number, row in enumerate(csv.DictReader(rows)):
        at = datetime.fromisoformat(row["TIMESTAMP"][:26])
        first = first or at
        last = int((at - first).total_seconds()) // _SECONDS_A_DAY
        for metric in TRACE_METRICS:
            key = metric, number % orgs, last
            units[key] = units.get(key, 0) + int(row[metric])
    count = sum(1 for dates in months(START, 12) if (dates[-1] - START).days < last)
    return [
        [
            DailyUsage(
                dates,
                tuple(units.get((metric, org, (day - START).days), 0) * 10**12 for day in dates),
            )
            for dates in months(START, count)
        ]
        for metric in TRACE_METRICS
        for org in range(orgs)
    ]
