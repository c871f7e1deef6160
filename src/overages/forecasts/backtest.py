"""Backtest: how far off each method would have been in earlier periods, on the same day of them.

It walks forward: a forecast for a period knows the days of it that were over, and the periods
before it, and nothing that came later.

    tested = backtest(before, days_over=12, methods=METHODS_OF["flow"])
    tested.choice(("elapsed_share", "weekday"))       # the one with the least error so far
    tested.walked()                                   # the result of the choice itself
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Final, NamedTuple

from overages.forecasts.daily_usage import DailyUsage
from overages.forecasts.methods import METHODS, Method

LEAST_RESIDUALS: Final = 3
"""The past periods without which no bounds are told: of fewer, they hold for less than a half."""

LEAST_TRIALS: Final = 2
"""The past periods without which no error is told: of one alone, it may be none by chance."""

USUAL_PERIODS: Final = 3
"""The whole periods that say how much is usual: enough to even out one, and to follow growth."""

_HALF: Final = Fraction(1, 2)  # that whole picos are rounded to, half up
_TENTHS: Final = 10  # a tenth of the residuals, at most, is left out at either end


class Bounds(NamedTuple):
    """The residuals between which the next one is to lie, and how often it should.

    A residual is by how much a period came to more than was said of it, as a share of the usual.

    Of n residuals in order, which are equally likely to fall anywhere among n + 1, the next one is
    between the k-th from below and the k-th from above with probability ``1 - 2k / (n + 1)``. It is
    the largest k for which that is 80 % or more, and 1 where n is less than 9.

    :param low: the k-th smallest residual.
    :param high: the k-th largest.
    :param aim: that probability.
    """

    low: Fraction
    high: Fraction
    aim: Fraction


def bounds_of(residuals: Iterable[Fraction]) -> Bounds | None:
    """Return the bounds of the next residual; None where there are fewer than three.

    >>> low, high, aim = bounds_of([Fraction(n) for n in (4, -2, 7, 0)])
    >>> print(low, high, aim)
    -2 7 3/5
    """
    ordered = sorted(residuals)
    count = len(ordered)
    if count < LEAST_RESIDUALS:
        return None
    k = max(1, (count + 1) // _TENTHS)
    return Bounds(ordered[k - 1], ordered[-k], 1 - Fraction(2 * k, count + 1))


class Trial(NamedTuple):
    """A past period, as it would have been forecast on the same day.

    :param used: the units of the days that were over, in picos.
    :param total: the units that it came to.
    :param typical: those that periods came to before it; see `typical_units`.
    :param forecasts: the units that each method would have said, of those that could say it.
    """

    used: int
    total: int
    typical: Fraction
    forecasts: Mapping[Method, int]

    def off(self, method: Method) -> int:
        """Return the units by which the period came to more than a method said."""
        return self.total - self.forecasts[method]


class Walked(NamedTuple):
    """The result of choosing a method, and its bounds, in each of some earlier periods.

    :param periods: the past periods in which there was a choice.
    :param error: the units that it was off, of all units of these periods; None where none was
        used, or of fewer than two periods.
    :param bounded: the periods of them for which there were bounds.
    :param covered: those that ended within them.
    """

    periods: int
    error: Fraction | None
    bounded: int
    covered: int


class Backtest(NamedTuple):
    """Past periods, in order, each as it would have been forecast on the same day of it.

    :param trials: one for each whole period.
    """

    trials: tuple[Trial, ...]

    def errors(self, methods: Collection[Method]) -> dict[Method, Fraction]:
        """Return the units that each method was off, of all units used, for the same periods.

        These are the periods for which each of the methods had something to go by, of those that
        had so in the last period.

        :returns: none where there is no such period; in the order of preference.
        """
        if not self.trials:
            return {}
        latest = self.trials[-1].forecasts
        compared = [method for method in METHODS if method in methods and method in latest]
        common = [
            trial for trial in self.trials if all(method in trial.forecasts for method in compared)
        ]
        total = sum(trial.total for trial in common)
        return {
            method: Fraction(sum(abs(trial.off(method)) for trial in common), total or 1)
            for method in compared
        }

    def choice(self, methods: Collection[Method]) -> Method | None:
        """Return the method with the least error; the first of equal ones.

        :param methods: those that have something to go by now.
        :returns: the first one of them where no period tells which is best; None if there is none.
        """
        errors = self.errors(methods)
        if errors:
            return min(errors, key=lambda method: errors[method])
        return next((method for method in METHODS if method in methods), None)

    def bounds(self, method: Method) -> Bounds | None:
        """Return the bounds of a method's next residual; None where there are too few.

        A residual is a share of the usual units: where usage grows, it is off by more each month.
        """
        return bounds_of(
            trial.off(method) / trial.typical
            for trial in self.trials
            if trial.typical and method in trial.forecasts
        )

    def walked(self, *, can_fall: bool = False) -> Walked:
        """Return the result of the choice, made anew before each of the past periods.

        :param can_fall: whether a period can come to less than is used of it so far.
        """
        periods = total = off = bounded = covered = 0
        for place, trial in enumerate(self.trials):
            earlier = Backtest(self.trials[:place])
            method = earlier.choice(trial.forecasts)
            if method is None:
                continue
            forecast = Fraction(trial.forecasts[method])
            periods, total = periods + 1, total + trial.total
            off += abs(trial.off(method))
            ends = within_reach(
                forecast, earlier.bounds(method), trial.typical, 0 if can_fall else trial.used
            )
            if ends is not None:
                bounded, covered = bounded + 1, covered + (ends[0] <= trial.total <= ends[1])
        error = Fraction(off, total) if total and periods >= LEAST_TRIALS else None
        return Walked(periods, error, bounded, covered)


def within_reach(
    forecast: Fraction, bounds: Bounds | None, typical: Fraction, least: int
) -> tuple[Fraction, Fraction] | None:
    """Return the least and the most units that bounds make of a forecast, which lies between.

    :param typical: the units that a period usually comes to; nothing can be said without any.
    :param least: the units below which the period can't end.
    """
    if bounds is None or not typical:
        return None
    low = max(min(forecast + bounds.low * typical, forecast), Fraction(least))
    return low, max(forecast + bounds.high * typical, forecast)


def typical_units(before: Sequence[DailyUsage]) -> Fraction:
    """Return the mean of the last three whole periods, in picos; zero where there is none."""
    totals = [period.total for period in before if period.is_whole][-USUAL_PERIODS:]
    return Fraction(sum(totals), len(totals) or 1)


def backtest(before: Sequence[DailyUsage], days_over: int, methods: Iterable[Method]) -> Backtest:
    """Return the past periods as each method would have forecast them on the same day.

    Of a period that has no such day, it is the one before its last.

    :param before: past periods in order; those that aren't whole are only known, and not tried.
    :param days_over: the number of days of a period that were over.
    :param methods: those that are tried.
    """
    names, trials = tuple(methods), []
    for place, period in enumerate(before):
        if not period.is_whole:
            continue
        earlier, then = before[:place], period.until(min(days_over, len(period.dates) - 1))
        forecasts = {}
        for name in names:
            rest = METHODS[name](earlier, then)
            if rest is not None:
                forecasts[name] = then.total + floor(sum(rest, _HALF))
        trials.append(Trial(then.total, period.total, typical_units(earlier), forecasts))
    return Backtest(tuple(trials))
