"""Outlook: the units that are expected of each metric in the rest of a period, day by day.

It makes the usage that a bill is worked out of at the end, of the usage that there is now:

    outlook.applied(usages)                           # of the period, and of times within it
    outlook.events("acme", ["tokens"])                # when units are used that grants pay for
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from overages.amounts.exact import scaled, unscaled
from overages.amounts.rounding import Rounding, round_ratio
from overages.periods.period import Period
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

_TICK: Final = timedelta(microseconds=1)


class DayAhead(NamedTuple):
    """The units that are expected in a day of a period, or in the rest of today.

    :param time: the day, without the part of it that is over.
    :param picos: its units, in picos.
    """

    time: Period
    picos: Fraction

    def until(self, instant: datetime) -> Fraction:
        """Return the units up to an instant, as if they came evenly."""
        over = min(max(instant, self.time.start), self.time.end) - self.time.start
        return self.picos * Fraction(over // _TICK, (self.time.end - self.time.start) // _TICK)


class UnitsAhead(NamedTuple):
    """The units of one metric that a period is to come to, beyond those that it has.

    :param total: the units that it is to come to, in picos.
    :param more: the units that are missing to that, in picos; below zero where a level falls.
    :param days: the days that are left, over which they are spread.
    :param step: the picos that they are counted in.
    :param is_flow: whether they add up; of any other metric, the total is that of each time which
        isn't over.
    :param is_held: whether a level is held into the times to come by itself.
    """

    total: int
    more: int
    days: tuple[DayAhead, ...]
    step: int
    is_flow: bool = True
    is_held: bool = False

    def within(self, time: Period, used: int, now: datetime) -> int:
        """Return the units of a time, given those that it has now."""
        if self.is_flow:
            return used + self.until(time.end) - self.until(time.start)
        if time.end <= now:
            return used
        return max(used + self.more, 0) if self.is_held else self.total

    def until(self, instant: datetime) -> int:
        """Return the units that are to come up to an instant, in whole steps."""
        spread = self._spread()
        over = sum((day.until(instant) for day in spread), Fraction())
        return self._whole_steps(over, sum((day.picos for day in spread), Fraction()))

    def by_day(self) -> list[int]:
        """Return the units of each day that is left, in whole steps.

        Steps are rounded as sums, so that the days come to the whole.
        """
        ends = [Fraction(), *accumulate(day.picos for day in self._spread())]
        sums = [self._whole_steps(end, ends[-1]) for end in ends]
        return [after - before for before, after in pairwise(sums)]

    def _spread(self) -> Sequence[DayAhead]:
        """Return the days with their part of the whole: each the same, if nothing is expected."""
        if any(day.picos for day in self.days):
            return self.days
        return [day._replace(picos=Fraction(1)) for day in self.days]

    def _whole_steps(self, over: Fraction, spread: Fraction) -> int:
        """Return the part of the units that a part of the days has, never more than all."""
        if over == spread:
            return self.more
        steps = self.more * over / (spread * self.step)
        return round_ratio(*steps.as_integer_ratio(), Rounding.DOWN) * self.step


class Outlook(NamedTuple):
    """The units that are expected in the rest of a period.

    :param since: the instant from which they are.
    :param ahead: by metric; of others, nothing more is expected.
    """

    since: datetime
    ahead: Mapping[str, UnitsAhead]

    def applied(self, usages: Iterable[Usage]) -> list[Usage]:
        """Return usage with the units that are expected in its time.

        >>> from datetime import UTC
        >>> period, now = Period.month(2024, 2), datetime(2024, 2, 20, tzinfo=UTC)
        >>> more = UnitsAhead(30, 10, (DayAhead(period.clipped(start=now), Fraction(10)),), 1)
        >>> usage = Usage("acme", period, {"tokens": "0.00000000002"})
        >>> Outlook(now, {"tokens": more}).applied([usage])[0].quantities["tokens"]
        Decimal('3E-11')
        """
        return [self._applied(usage) for usage in usages]

    def _applied(self, usage: Usage) -> Usage:
        quantities = dict(usage.quantities)
        for metric, units in self.ahead.items():
            used = scaled(quantities.get(metric, 0))
            picos = units.within(usage.period, used, self.since)
            if picos or metric in quantities:
                quantities[metric] = unscaled(picos)
        return Usage(usage.org_id, usage.period, quantities)

    def events(self, org_id: str, metrics: Iterable[str]) -> list[UsageEvent]:
        """Return an event for each day that is left, of metrics that add up.

        Grants pay for units by when they are used.

        :param metrics: those that are wanted.
        """
        return [
            UsageEvent(org_id, metric, unscaled(picos), day.time.start)
            for metric in metrics
            if metric in self.ahead and self.ahead[metric].is_flow
            for day, picos in zip(self.ahead[metric].days, self.ahead[metric].by_day(), strict=True)
            if picos
        ]
