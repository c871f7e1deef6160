"""Forecasts by their definition, in fractions, one sum at a time: an oracle for the library's.

A period is a list of (weekday, picos), and whether it is a whole one of its cycle.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import NamedTuple, TypeAlias

Days: TypeAlias = list[tuple[int, int]]

ORDER = ["elapsed_share", "recent_days", "weekday", "past_share", "last_period"]


class Past(NamedTuple):
    """A period that is over."""

    days: Days
    whole: bool

    @property
    def total(self) -> int:
        return sum(picos for _, picos in self.days)


def stretched(days: Days, length: int) -> list[int]:
    """Cut each day into as many pieces as there are to be days, and put these together anew."""
    pieces = [Fraction(picos, length) for _, picos in days for _ in range(length)]
    own = len(days)
    sums = [sum(pieces[: own * n], Fraction()) * length / own for n in range(length + 1)]
    return [floor(sums[n + 1]) - floor(sums[n]) for n in range(length)]


def said(method: str, before: list[Past], over: Days, left: list[int]) -> list[Fraction] | None:
    """Return the units of each day that is left, by a method.

    :param left: the weekdays of these days.
    """
    enough = len(over) * 4 >= len(over) + len(left)
    used, wholes = sum(picos for _, picos in over), [past for past in before if past.whole]
    known = [day for past in before for day in past.days] + over
    if method == "elapsed_share":
        return [Fraction(used, len(over))] * len(left) if enough else None
    if method == "recent_days":
        week = [picos for _, picos in known[-7:]]
        return [Fraction(sum(week), 7)] * len(left) if len(week) == 7 else None
    if method == "weekday":
        return by_weekday(known[-28:], left)
    months = [stretched(past.days, len(over) + len(left)) for past in wholes]
    if method == "last_period":
        return [Fraction(picos) for picos in months[-1][len(over) :]] if months else None
    head = sum(sum(month[: len(over)]) for month in months)
    rest = [used * sum(month[len(over) + n] for month in months) for n in range(len(left))]
    return [Fraction(picos, head) for picos in rest] if head and enough else None


def by_weekday(known: Days, left: list[int]) -> list[Fraction] | None:
    found = {n: [picos for weekday, picos in known if weekday == n] for n in range(7)}
    if any(len(picos) < 2 for picos in found.values()):
        return None
    return [Fraction(sum(found[n]), len(found[n])) for n in left]


def trials(before: list[Past], over: int) -> list[tuple[int, int, Fraction, dict[str, int]]]:
    """Return used, total, typical and all forecasts of each whole period."""
    tried = []
    for place, past in enumerate(before):
        if past.whole:
            cut = min(over, len(past.days) - 1)
            then, left = past.days[:cut], [weekday for weekday, _ in past.days[cut:]]
            used = sum(picos for _, picos in then)
            forecasts = {}
            for method in ORDER:
                rest = said(method, before[:place], then, left)
                if rest is not None:
                    forecasts[method] = floor(used + sum(rest, Fraction()) + Fraction(1, 2))
            tried.append((used, past.total, typical(before[:place]), forecasts))
    return tried


def typical(before: list[Past]) -> Fraction:
    last = [past.total for past in before if past.whole][-3:]
    return Fraction(sum(last), len(last)) if last else Fraction()


def choice(tried: list[tuple[int, int, Fraction, dict[str, int]]], able: list[str]) -> str | None:
    """Return the method that was off least in the periods that all of them could be tried in."""
    compared = [m for m in ORDER if m in able and tried and m in tried[-1][3]]
    if not compared:
        return next((method for method in ORDER if method in able), None)
    off = {
        method: sum(
            abs(total - said[method]) for _, total, _, said in tried if set(compared) <= said.keys()
        )
        for method in compared
    }
    return sorted(compared, key=lambda method: (off[method], ORDER.index(method)))[0]


def bounds(
    tried: list[tuple[int, int, Fraction, dict[str, int]]], method: str
) -> tuple[Fraction, Fraction] | None:
    """Return the k-th residual from either end, where a tenth may be left out at each."""
    shares = sorted(
        (total - said[method]) / usual
        for _, total, usual, said in tried
        if usual and method in said
    )
    n, k = len(shares), 1
    if n < 3:
        return None
    while 1 - Fraction(2 * (k + 1), n + 1) >= Fraction(4, 5):
        k += 1
    return shares[k - 1], shares[n - k]
