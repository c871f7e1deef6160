"""Daily usage: the units of one metric, day by day of a period in the org's timezone.

    days = days_of(period, "Europe/Paris")            # 29 of February 2024, each from midnight
    DailyUsage([day.date() ...], [120, 80, 95])       # three days are over

A day counts as one day, whether its clocks show 23, 24 or 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import accumulate, pairwise
from typing import NamedTuple

from overages.amounts.exact import Quantity, parse_sum, scaled
from overages.errors import InvalidType, InvalidValue
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.periods.timezones import zone_of


class DailyUsage(NamedTuple):
    """The units of a metric on each day of a period that is over; make it by `daily_usage`.

    :param dates: all days of the period, in order.
    :param picos: the units of those that are over, from the first one on, in picos (10^-12). Of a
        metric that is no sum, such as unique users, the change that the day made to it.
    :param is_whole: whether the period is a whole one of its cycle, so that others are like it.
    """

    dates: tuple[date, ...]
    picos: tuple[int, ...]
    is_whole: bool = True

    @property
    def total(self) -> int:
        """The units of all days that are over, in picos."""
        return sum(self.picos)

    def until(self, days: int) -> DailyUsage:
        """Return it as it stood when some of its days were over."""
        return self._replace(picos=self.picos[:days])

    def stretched(self, days: int) -> list[int]:
        """Return the units of each day, if the period had as many days and the same daily mean.

        Day 1 of 28 has the units of day 1 of 31, and some of day 2, so that a month's end stays its
        end. Sums up to a day are rounded down to a pico.

        >>> DailyUsage((date(2024, 2, 1), date(2024, 2, 2)), (10, 40)).stretched(3)
        [10, 25, 40]
        """
        own = len(self.dates)
        if days == own:
            return list(self.picos)
        sums, picos = [0, *accumulate(self.picos)], (*self.picos, 0)
        ends = []
        for end in range(days + 1):
            day, part = divmod(own * end, days)
            ends.append((sums[day] * days + picos[day] * part) // own)
        return [after - before for before, after in pairwise(ends)]


def daily_usage(
    dates: Iterable[date], quantities: Iterable[Quantity], is_whole: bool = True
) -> DailyUsage:
    """Return the usage of a period by its days.

    :param dates: all days of the period, in order.
    :param quantities: the units of those that are over, from the first one on.
    :param is_whole: whether the period is a whole one of its cycle.
    :raises InvalidType: for a date or a quantity of a wrong type.
    :raises InvalidValue: if there are more quantities than days, or days that aren't in order.

    >>> daily_usage([date(2024, 2, 1), date(2024, 2, 2)], [120]).total // 10**12
    120
    """
    days = tuple(dates)
    for place, day in enumerate(days):
        if type(day) is not date:
            raise InvalidType(("dates", place), day, "must be a date")
        if place and day <= days[place - 1]:
            raise InvalidValue(("dates", place), day, "must be after the one before it")
    units = tuple(
        scaled(parse_sum(each, ("quantities", place))) for place, each in enumerate(quantities)
    )
    if not days or len(units) > len(days):
        problem = f"must be of at most as many days as the period has, {len(days)}, and of one"
        raise InvalidValue("quantities", len(units), problem)
    return DailyUsage(days, units, is_whole)


def days_of(period: Period, timezone: str) -> tuple[Period, ...]:
    """Return the days of a period, from midnight to midnight in a timezone, cut at its ends.

    :raises InvalidValue: if there is no such timezone.

    >>> len(days_of(Period.month(2024, 2), "UTC"))
    29
    """
    days = Cycle.calendar("day", timezone)
    return tuple(days.periods_between(period.start, period.end))


def dates_of(days: Iterable[Period], timezone: str) -> tuple[date, ...]:
    """Return the date of each day as the calendar in a timezone has it."""
    zone = zone_of(timezone)
    return tuple(day.start.astimezone(zone).date() for day in days)
