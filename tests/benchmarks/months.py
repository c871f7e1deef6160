"""Months from the 31st and days of a month, and for each the bare loop that it is measured against.

A bare loop does the same calendar on integers and makes tuples of them, with no time of day.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from math import gcd

from tests.benchmarks.workloads import PERIOD

from overages import Cycle, Period, Proration

LONGEST = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FIRST = datetime(2000, 1, 31, tzinfo=UTC)
CYCLE = Cycle(FIRST)

Day = tuple[int, int, int]
Hour = tuple[int, int, int, int]


def month_start(number: int) -> Day:
    """Return the 31st of a month, or its last day, in a number of months since the year 0."""
    year, month = divmod(number, 12)
    last = LONGEST[month]
    if month == 1 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        last = 29
    return year, month + 1, last


def next_month_loop(count: int) -> Iterator[tuple[Day, Day]]:
    """Yield the first day of each month and of the next one."""
    start = month_start(24_000)
    for number in range(24_001, 24_001 + count):
        end = month_start(number)
        yield start, end
        start = end


def month_instants(count: int) -> list[Hour]:
    """Days and hours of fifty years."""
    rng = random.Random(4)
    return [
        (rng.randrange(2000, 2050), rng.randint(1, 12), rng.randint(1, 28), rng.randrange(24))
        for _ in range(count)
    ]


def month_loop(instants: Iterable[Hour]) -> Iterator[tuple[Day, Day]]:
    """Yield the first day of the month that an instant lies in, and of the next one."""
    for year, month, day, _ in instants:
        number = 12 * year + month - 1
        start = month_start(number)
        if (year, month, day) < start:
            yield month_start(number - 1), start
        else:
            yield start, month_start(number + 1)


def month_days(count: int) -> list[tuple[int, int]]:
    """First day and end of the rest of a month."""
    rng = random.Random(5)
    return [(rng.randrange(31), 31) for _ in range(count)]


def share_loop(parts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield numerator and denominator of the share of 31 days."""
    for first, last in parts:
        days = last - first
        common = gcd(days, 31)
        yield days // common, 31 // common


def day_shares(parts: Iterable[Period]) -> Iterator[Fraction]:
    share = Proration.DAYS.share
    for part in parts:
        yield share(part, PERIOD)
