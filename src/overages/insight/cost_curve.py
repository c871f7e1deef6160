"""Cost curves: the charge of one metric as its quantity grows.

The problem: from which quantity on does a plan cost more than 200.00, or more than another plan? A
quantity has 38 digits, so it isn't found by trying them all. A charge is asked for where it must
be, of the functions that bill it, and the answer for all quantities between two follows:

    curve.at(250_000).minor                           # 2500, of a price of 0.0001
    for first, last, fits in ranges(curve.ends, curve.most, decide): ...

A curve counts the steps that a quantity comes in, and is cut into pieces in which its exact cost
never falls: the tiers of a price, each up to its maximum. Within a piece

- the charge of any quantity between two is between the charges of these;
- exact costs lie on a straight line, or, of packages, less than a package's price beside one; a
  charge is off them by less than a minor unit;
- charges go on as before after a period, as long as a package or as ten units of 0.001 are, which
  come to a cent;
- minimums, maximums and amounts off change a charge by less and less as it grows: if they change
  those of two quantities by the same, they do so for all between.

Percentages off, a premium on a commitment, and rules of a metric whose lines are rounded together
round more than once. Such a curve has a `slack`: the charge is less than that off its exact total,
which never falls within a piece either. And all charges between two of which each line is the same
are that, too, as each line rises or falls with the exact cost while those before it stay.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import ceil, floor, isqrt
from typing import Final, NamedTuple, TypeVar

from attrs import field, frozen

from overages.amounts.exact import Quantity, unscaled
from overages.amounts.rounding import Rounding, round_ratio

T = TypeVar("T")

_MANY: Final = 4  # times as large: then the middle of two numbers is one of their sizes


class Point(NamedTuple):
    """The charge of one quantity.

    :param minor: the charge in minor units.
    :param exact: the exact cost that is rounded to it, before rules, in minor units.
    :param total: the exact total after rules, in minor units.
    :param rounded: all amounts that were rounded by themselves, each of which only rises or only
        falls while those before it stay; empty where they might do both.
    """

    minor: int
    exact: Fraction
    total: Fraction
    rounded: tuple[object, ...] = ()


class Piece(NamedTuple):
    """Steps over which the exact cost never falls, up to a last one.

    :param spread: the exact cost is less than that off a straight line, in minor units; None where
        that isn't known, of a price model of a host's own.
    :param period: the number of steps after which the exact cost has risen as far as after as many
        steps before; None where it isn't known.
    """

    last: int
    spread: Fraction | None = None
    period: int | None = None


class Chord(NamedTuple):
    """The straight line between two charges of a piece, by its height at each in minor units.

    :param error: all charges between are less than that off it; on it, where it is zero.
    """

    first: Fraction
    last: Fraction
    error: Fraction


@frozen(eq=False, weakref_slot=False)
class CostCurve:
    """The charge of a quantity, by the number of steps that it is.

    :param charge: gives the point of a quantity.
    :param pieces: all steps that can be counted, from zero up.
    :param step: the step that quantities come in, in picos.
    :param rounding: how the exact cost becomes whole minor units.
    :param slack: the charge is less than that off the exact total, in minor units; None where it is
        the exact cost, rounded once and then changed by amounts.
    :param terms: all that decides the exact cost: curves of equal terms have the same.
    """

    charge: Callable[[Quantity], Point]
    pieces: tuple[Piece, ...]
    step: int
    rounding: Rounding
    terms: object
    slack: int | None = None
    _points: dict[int, Point] = field(init=False, factory=dict)

    @property
    def ends(self) -> list[int]:
        """The last step of each piece."""
        return [piece.last for piece in self.pieces]

    @property
    def most(self) -> int:
        """The largest number of steps that can be counted."""
        return self.pieces[-1].last

    def piece_of(self, steps: int) -> Piece:
        """Return the piece that a number of steps is in."""
        return self.pieces[bisect_left(self.ends, steps)]

    def quantity(self, steps: int) -> Quantity:
        """Return a number of steps in units."""
        return unscaled(steps * self.step)

    def at(self, steps: int) -> Point:
        """Return the point of a number of steps."""
        point = self._points.get(steps)
        if point is None:
            point = self._points[steps] = self.charge(self.quantity(steps))
        return point

    def bounds(self, first: int, last: int) -> tuple[int, int]:
        """Return minor units that no step of a piece, from a first to a last, is below or above."""
        low, high = self.at(first), self.at(last)
        if self.slack is None or first == last or low.exact == high.exact:
            return low.minor, high.minor
        if low.rounded and low.rounded == high.rounded:
            return low.minor, low.minor
        return ceil(low.total - self.slack), floor(high.total + self.slack)

    def shift(self, first: int, last: int) -> int | None:
        """Return the minor units that rules add to the rounded cost of each step of a piece.

        None where that isn't the same for all of them, or more is rounded than the exact cost.
        """
        if self.slack is not None:
            return None
        low, high = self._added(first), self._added(last)
        return low if low == high else None

    def _added(self, steps: int) -> int:
        point = self.at(steps)
        return point.minor - round_ratio(
            point.exact.numerator, point.exact.denominator, self.rounding
        )

    @property
    def unrounded(self) -> int:
        """The minor units on top of which an exact cost is rounded as it is alone.

        One; by halves to even two, as an odd number of them turns a half the other way.
        """
        return 2 if self.rounding is Rounding.HALF_EVEN else 1

    def period(self, first: int, last: int) -> int | None:
        """Return the steps after which the charges of a piece go on as before; None if not known.

        They then rise by whole minor units.
        """
        period = self.piece_of(last).period
        if period is None or last - first < period or self.shift(first, last) is None:
            return None
        return period * (self.rise(first, first + period) / self.unrounded).denominator

    def rise(self, first: int, last: int) -> Fraction:
        """Return the exact cost that is added from one step to another."""
        return self.at(last).exact - self.at(first).exact

    def chord(self, first: int, last: int) -> Chord | None:
        """Return the line between the charges of two steps of a piece; None where none is known."""
        shift, spread = self.shift(first, last), self.piece_of(last).spread
        if shift is None or spread is None:
            return None
        low, high = self.at(first), self.at(last)
        rise = self.rise(first, last) / (last - first)
        if not spread and rise % self.unrounded == 0:
            return Chord(Fraction(low.minor), Fraction(high.minor), Fraction())
        return Chord(low.exact + shift, high.exact + shift, spread + 1)


def last_step(fits: Callable[[int], bool], most: int) -> int:
    """Return the last step, from zero to `most`, that fits, where those above one don't.

    >>> last_step(lambda steps: steps <= 1_000_000, 10**38)
    1000000
    """
    low, high = 0, most
    while low < high:
        middle = _between(low + 1, high)
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def ranges(
    ends: Iterable[int], last: int, decide: Callable[[int, int], T | None], first: int = 0
) -> Iterator[tuple[int, int, T]]:
    """Yield the ranges of steps with the same answer, in order.

    :param ends: the last steps of pieces, and others where the answer is known to change.
    :param last: the last step that is looked at.
    :param decide: gives the answer for all steps of a piece from a first to a last, or None where
        it isn't the same or not known; for a single step, it always is.
    :param first: the first step that is looked at.

    >>> [*ranges([9], 20, lambda first, last: first > 4 if (first > 4) == (last > 4) else None)]
    [(0, 4, False), (5, 20, True)]
    """
    cuts = sorted({end for end in ends if first <= end < last} | {last})
    starts = [first, *(end + 1 for end in cuts[:-1])]
    waiting = [*zip(starts, cuts, strict=True)][::-1]
    begun: tuple[int, int, T] | None = None
    while waiting:
        low, high = waiting.pop()
        answer = decide(low, high)
        if answer is None:
            middle = _between(low, high)
            waiting += [(middle + 1, high), (low, middle)]
        elif begun is not None and begun[2] == answer:
            begun = begun[0], high, answer
        else:
            if begun is not None:
                yield begun
            begun = low, high, answer
    assert begun is not None  # there is a first step
    yield begun


def _between(low: int, high: int) -> int:
    """Return a number in the middle: by size, where one is many times the other."""
    if high > _MANY * (low + 1):
        return isqrt((low + 1) * high)
    return (low + high) // 2
