"""Ends: the usage that a period may end with, expected, low or high, and when limits are passed.

ends = Ends(metrics, forecasts, times_ahead)
ends.outlook(now, "high")                         # the units to come, of all metrics
ends.runs_out("tokens", days, statement)          # the day on which its limit is passed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from itertools import accumulate
from typing import Literal, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import scaled
from overages.forecasts.forecast import Forecast, MetricDays
from overages.forecasts.methods import METHODS_OF
from overages.insight.outlook import DayAhead, Outlook, UnitsAhead
from overages.lines.overage import Overage
from overages.periods.period import Period
from overages.statements.statement import Statement

End: TypeAlias = Literal["expected", "low", "high"]
"""One of the usages that a period may end with."""


class Ends:
    """The usage that a period may end with, by metric: expected, low and high.

    :param metrics: all that is known of each.
    :param told: the forecast of each.
    :param ahead: the days that are left, without the part of today that is over.
    """

    def __init__(
        self,
        metrics: Mapping[str, MetricDays],
        told: Mapping[str, Forecast],
        ahead: Sequence[Period],
    ) -> None:
        self._metrics, self._told, self._ahead = metrics, told, ahead

    def outlook(self, now: datetime, end: End) -> Outlook | None:
        """Return the units to come; None where there is not enough to say of a metric."""
        units = {metric: self._units(metric, end) for metric in self._told}
        named = {metric: each for metric, each in units.items() if each is not None}
        return Outlook(now, FrozenDict(named)) if len(named) == len(units) else None

    def _units(self, metric: str, end: End) -> UnitsAhead | None:
        history, told = self._metrics[metric], self._told[metric]
        total: int | None = getattr(told, end)
        if total is None:
            return None
        days = zip(self._ahead, told.days, strict=True)
        return UnitsAhead(
            total,
            total - history.used,
            tuple(DayAhead(*day) for day in days) if self._ahead else (),
            history.step,
            is_flow=history.kind == "flow",
            is_held=history.is_held,
        )

    def runs_out(
        self, metric: str, days: Sequence[Period], statement: Statement | None
    ) -> date | None:
        """Return the day on which a metric's usage should pass its limit."""
        history, units = self._metrics[metric], self._units(metric, "expected")
        if statement is None or units is None or METHODS_OF[history.kind] == ("goes_on",):
            return None
        picos = [*history.current.picos, *units.by_day()]
        over = len(history.current.picos)
        if over < len(picos):  # today has some already
            picos[over] += history.used - history.current.total
        for line in statement.of(metric):
            time = line.part or statement.period
            sums = accumulate(
                units if day.start in time else 0 for day, units in zip(days, picos, strict=True)
            )
            day = _first_beyond(line, list(sums))
            if day is not None:
                return history.current.dates[day]
        return None


def _first_beyond(line: Overage, sums: Sequence[int]) -> int | None:
    """Return the place of the first day on which a limit is passed; None if it isn't.

    :param sums: the units of the line's time up to the end of each day. Where units are converted,
        their limit is passed at its share of them.
    """
    if not line.quantity or line.limit is None:
        return None
    limit = scaled(line.limit) * Fraction(sums[-1], scaled(line.used))
    return next((place for place, units in enumerate(sums) if units > limit), None)
