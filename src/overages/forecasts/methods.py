"""Methods: the ways to go on from the days of a period that are over to those that are left.

Each gives the units of each day that is left, or None where it has too little to go by:

    METHODS["weekday"](before, current)               # [Fraction(120), Fraction(80), ...]

They know the days of `current` that are over and all of the periods before it, and nothing else, so
that the same functions give the forecast of any day in the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from overages.forecasts.daily_usage import DailyUsage

Method: TypeAlias = Literal[
    "elapsed_share", "recent_days", "weekday", "past_share", "last_period", "goes_on"
]
"""The name of a way to go on from the days of a period that are over."""

Units: TypeAlias = list[Fraction] | list[int]
"""The units of each day that is left, in picos."""

UsageKind: TypeAlias = Literal["flow", "unique", "peak", "level"]
"""The fate of units as a period goes on: summed, counted once, only the largest, or held."""

RECENT_DAYS: Final = 7
"""The days that `recent_days` looks back: a week, so that each weekday is in it once."""

WEEKS: Final = 4
"""The weeks that `weekday` looks back."""

LEAST_WEEKS: Final = 2
"""The weeks without which `weekday` says nothing: one of each weekday is no pattern."""


def elapsed_share(before: Sequence[DailyUsage], current: DailyUsage) -> Units | None:
    """Each day that is left is the mean of those of the period that are over."""
    del before
    if not _is_under_way(current):
        return None
    return _even(current, Fraction(current.total, len(current.picos)))


def recent_days(before: Sequence[DailyUsage], current: DailyUsage) -> Units | None:
    """Each day that is left is the mean of the last seven days, of the period before it too."""
    latest = [units for _, units in _latest(before, current, RECENT_DAYS)]
    if len(latest) < RECENT_DAYS:
        return None
    return _even(current, Fraction(sum(latest), RECENT_DAYS))


def weekday(before: Sequence[DailyUsage], current: DailyUsage) -> Units | None:
    """Each day that is left is the mean of the same weekday in the last four weeks."""
    by_weekday: dict[int, list[int]] = {number: [] for number in range(7)}
    for day, units in _latest(before, current, 7 * WEEKS):
        by_weekday[day].append(units)
    if min(map(len, by_weekday.values())) < LEAST_WEEKS:
        return None
    means = {day: Fraction(sum(units), len(units)) for day, units in by_weekday.items()}
    return [means[day.weekday()] for day in current.dates[len(current.picos) :]]


def past_share(before: Sequence[DailyUsage], current: DailyUsage) -> Units | None:
    """The days that are over have the share of the period that they had in earlier ones.

    Those are taken together, so that a large one counts for more. It says nothing where nothing was
    used in these days of earlier periods.
    """
    if not _is_under_way(current):
        return None
    days, over, used = len(current.dates), len(current.picos), current.total
    stretched = [period.stretched(days) for period in before if period.is_whole]
    by_day = [sum(units) for units in zip(*stretched, strict=True)]
    head = sum(by_day[:over])
    return [Fraction(used * units, head) for units in by_day[over:]] if head else None


def last_period(before: Sequence[DailyUsage], current: DailyUsage) -> Units | None:
    """The days that are left are those of the last period."""
    last = next((period for period in reversed(before) if period.is_whole), None)
    return None if last is None else last.stretched(len(current.dates))[len(current.picos) :]


def goes_on(before: Sequence[DailyUsage], current: DailyUsage) -> Units | None:
    """Nothing changes any more: a level goes on as it stands."""
    del before
    return [0] * (len(current.dates) - len(current.picos))


METHODS: Final[Mapping[Method, Callable[[Sequence[DailyUsage], DailyUsage], Units | None]]] = (
    MappingProxyType(
        {
            "elapsed_share": elapsed_share,
            "recent_days": recent_days,
            "weekday": weekday,
            "past_share": past_share,
            "last_period": last_period,
            "goes_on": goes_on,
        }
    )
)
"""All methods, in the order in which the first of equally good ones is taken."""

METHODS_OF: Final[Mapping[UsageKind, tuple[Method, ...]]] = MappingProxyType(
    {
        "flow": ("elapsed_share", "recent_days", "weekday", "past_share", "last_period"),
        "unique": ("past_share", "last_period"),
        "peak": ("goes_on",),
        "level": ("goes_on",),
    }
)
"""The methods that can be right, by the kind of usage.

The users of a second week are mostly those of the first: a mean day says nothing of the days to
come. A peak or a level stays, however long the period goes on.
"""


def _is_under_way(current: DailyUsage) -> bool:
    """Tell whether a quarter of a period is over: what fewer days have is mostly chance."""
    return 4 * len(current.picos) >= len(current.dates)


def _even(current: DailyUsage, units: Fraction) -> Units:
    return [units] * (len(current.dates) - len(current.picos))


def _latest(
    before: Sequence[DailyUsage], current: DailyUsage, most: int
) -> Iterator[tuple[int, int]]:
    """Yield the weekday and the units of the latest days, from the last one back."""
    for period in (current, *reversed(before)):
        over = zip(period.dates, period.picos, strict=False)
        for day, units in reversed(list(over)):
            if not most:
                return
            most -= 1
            yield day.weekday(), units
