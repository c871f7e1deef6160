"""Forecast: the units of one metric that a period should come to, and how sure that is.

    forecast(MetricDays("flow", used, current, before))

The days of `current` that are over are known; of today, it is known how much was used so far. The
method is the one with the least error in the periods before, on the same day of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import SCALE, number_text, unscaled
from overages.amounts.rounding import Rounding, round_ratio
from overages.forecasts.backtest import (
    LEAST_RESIDUALS,
    Backtest,
    Walked,
    backtest,
    typical_units,
    within_reach,
)
from overages.forecasts.daily_usage import DailyUsage
from overages.forecasts.methods import METHODS, METHODS_OF, Method, Units, UsageKind

_NOTHING_WALKED: Final = Walked(0, None, 0, 0)


class MetricDays(NamedTuple):
    """All that is known of a metric: the period so far, and the periods before it, day by day.

    :param kind: whether it is summed, or held, or something else.
    :param used: the units of the period as they stand, in picos.
    :param current: the days of the period that are over.
    :param before: earlier periods in order, as far as their days are known.
    :param step: the picos that units are counted in; whole units by default.
    :param is_held: whether a level is held into later parts of the period by itself.
    :param without_days: the units, in picos, that were put as sums for more than a day.
    """

    kind: UsageKind
    used: int
    current: DailyUsage
    before: tuple[DailyUsage, ...] = ()
    step: int = SCALE
    is_held: bool = False
    without_days: int = 0

    @property
    def least(self) -> int:
        """The units below which the period can't end: a level can fall, nothing else does."""
        return 0 if self.kind == "level" else self.used


class Forecast(NamedTuple):
    """The units of one metric that a period should come to, in picos.

    :param expected: None where there is not enough to say; and so on.
    :param low: the least.
    :param high: the most.
    :param aim: the share of periods that should end between them.
    :param method: the way to go on from the days that are over; None where it isn't needed.
    :param days: the units of each day that is left, beyond those that are used; not rounded.
    :param walked: the result of the same procedure in the periods before.
    :param errors: the units that each method was off there, of all units.
    :param reason: why there is not enough to say; None if all is said.
    """

    expected: int | None
    low: int | None = None
    high: int | None = None
    aim: Fraction | None = None
    method: Method | None = None
    days: tuple[Fraction, ...] = ()
    walked: Walked = _NOTHING_WALKED
    errors: Mapping[Method, Fraction] = FrozenDict()
    reason: str | None = None


def forecast(history: MetricDays) -> Forecast:
    """Return the units that a period should come to.

    >>> from datetime import date
    >>> from overages.forecasts.daily_usage import daily_usage
    >>> week = [date(2024, 1, day) for day in range(1, 8)]
    >>> before = daily_usage(week, [10, 10, 10, 10, 10, 0, 0])
    >>> current = daily_usage([day.replace(day=day.day + 7) for day in week], [12, 12])
    >>> told = forecast(MetricDays("flow", current.total, current, (before,)))
    >>> told.expected // SCALE, told.method
    (84, 'elapsed_share')
    >>> print(told.reason)
    not enough to say how far off: 1 earlier period, 0 with usage before it; 3 are needed
    """
    over = len(history.current.picos)
    if over == len(history.current.dates):
        return Forecast(history.used, history.used, history.used)
    if history.without_days and METHODS_OF[history.kind] != ("goes_on",):
        return Forecast(None, reason=_without_days(history))
    spoken = {
        name: days
        for name in METHODS_OF[history.kind]
        if (days := METHODS[name](history.before, history.current)) is not None
    }
    tested = backtest(history.before, over, METHODS_OF[history.kind])
    method = tested.choice(spoken)
    if method is None:
        return Forecast(None, reason=_too_little(history))
    return _bounded(history, method, spoken[method], tested, tested.errors(spoken))


def _bounded(
    history: MetricDays,
    method: Method,
    rest: Units,
    tested: Backtest,
    errors: Mapping[Method, Fraction],
) -> Forecast:
    """Return the forecast of a method, within the bounds of its residuals."""
    today = max(history.used - history.current.total, 0)  # a level may have fallen
    days = (max(rest[0] - today, Fraction()), *rest[1:])
    end = history.used + sum(days, Fraction())
    bounds = tested.bounds(method)
    ends = within_reach(end, bounds, typical_units(history.before), history.least)
    return Forecast(
        _stepped(end, history, Rounding.HALF_UP),
        None if ends is None else _stepped(ends[0], history, Rounding.FLOOR),
        None if ends is None else _stepped(ends[1], history, Rounding.CEILING),
        None if ends is None or bounds is None else bounds.aim,
        method,
        days,
        tested.walked(can_fall=history.kind == "level"),
        FrozenDict(errors),
        _few_residuals(history, tested, method) if ends is None else None,
    )


def _stepped(picos: Fraction, history: MetricDays, rounding: Rounding) -> int:
    """Round units to the step that they are counted in; those that are used stay."""
    steps = picos / history.step
    return max(round_ratio(*steps.as_integer_ratio(), rounding) * history.step, history.least)


def _without_days(history: MetricDays) -> str:
    units = number_text(unscaled(history.without_days))
    return (
        f"not enough to say: {units} units were put as sums for more than a day, so that nobody"
        " knows their days; put sums for each day"
    )


def _too_little(history: MetricDays) -> str:
    days = sum(len(period.picos) for period in (*history.before, history.current))
    wholes = sum(period.is_whole for period in history.before)
    return (
        f"not enough to say: {_counted(days, 'day')} known, of {_counted(wholes, 'earlier period')}"
        " and this one, and no method has enough to go by"
    )


def _few_residuals(history: MetricDays, tested: Backtest, method: Method) -> str:
    if history.without_days:
        return _without_days(history)
    residuals = sum(bool(trial.typical) and method in trial.forecasts for trial in tested.trials)
    wholes = sum(period.is_whole for period in history.before)
    return (
        f"not enough to say how far off: {_counted(wholes, 'earlier period')}, {residuals} with"
        f" usage before it; {LEAST_RESIDUALS} are needed"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
