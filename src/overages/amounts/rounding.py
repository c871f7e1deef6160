"""Rounding: the only place in the library where a number loses digits.

A statement's line is rounded once, by the `Rounding` that its plan names. Where it is the total
that gets rounded, `round_together` spreads it over the lines, so that lines always add up.

    minor = round_ratio(numerator, denominator, plan.rounding)
    shares = allocate(100, [1, 1, 1])                 # (34, 33, 33)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from fractions import Fraction
from math import lcm
from typing import Final, Literal, TypeAlias

from overages._ground.parsing import as_tuple, each, member_of, parse_int
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    parse_positive,
    parse_quantity,
    parse_ratio,
    scaled,
    unscaled,
)
from overages.errors import Field, InvalidValue


class Rounding(Enum):
    """A rule for the part of a number that is finer than the unit it is rounded to.

    `HALF_UP` and `HALF_DOWN` send an exact half away from zero and towards zero, `HALF_EVEN` to the
    even neighbour; `UP` always goes away from zero, `DOWN` towards it, `CEILING` towards plus and
    `FLOOR` towards minus infinity. (The names and meanings are those of `decimal`.)

    >>> Rounding("half_even")
    <Rounding.HALF_EVEN: 'half_even'>
    """

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_DOWN = "half_down"
    UP = "up"
    DOWN = "down"
    CEILING = "ceiling"
    FLOOR = "floor"

    def round(self, value: QuantityLike | Fraction, increment: QuantityLike = 1) -> Quantity:
        """Round an exact number to a multiple of an increment.

        :param value: any exact number; a `Fraction` serves where a division has no finite decimal.
        :param increment: the result is a multiple of it; above zero: ``"0.01"``, ``1``, ``60``.
        :returns: the multiple, exactly: an `int` if it is whole, else a `Decimal`.
        :raises InvalidType: for a float.
        :raises InvalidValue: for an increment of zero or less.

        >>> Rounding.HALF_UP.round("10.275", "0.01"), Rounding.UP.round(90, 60)
        (Decimal('10.28'), 120)
        """
        number = value if type(value) is Fraction else Fraction(parse_quantity(value, "value"))
        step = parse_positive(increment, "increment")
        ratio = number / Fraction(step)
        return unscaled(round_ratio(ratio.numerator, ratio.denominator, self) * scaled(step))


RoundingLike: TypeAlias = (
    Rounding | Literal["half_up", "half_even", "half_down", "up", "down", "ceiling", "floor"]
)
"""A rule of rounding as a caller may write it: itself, or its name."""

parse_rounding: Final = member_of(Rounding)


def round_ratio(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Round ``numerator / denominator`` to a whole number; the denominator is above zero.

    >>> [round_ratio(n, 2, Rounding.HALF_EVEN) for n in (1, 3, -1, -3)]
    [0, 2, 0, -2]
    """
    if numerator < 0:
        return -round_ratio(-numerator, denominator, _MIRRORED.get(rounding, rounding))
    form = floor_form(denominator, rounding)
    if form is not None:
        factor, bias, divisor = form
        return (numerator * factor + bias) // divisor
    half_up, rest = divmod(2 * numerator + denominator, 2 * denominator)
    return half_up - (half_up & 1) if rest == 0 else half_up  # HALF_EVEN: a half to the even one


_MIRRORED: Final = {Rounding.CEILING: Rounding.FLOOR, Rounding.FLOOR: Rounding.CEILING}


def floor_form(denominator: int, rounding: Rounding) -> tuple[int, int, int] | None:
    """Return (factor, bias, divisor) that round any ``n / denominator``, n >= 0, by one division.

    The result is ``(n * factor + bias) // divisor``. Half even has no such form: None.

    >>> floor_form(100, Rounding.HALF_UP)
    (2, 100, 200)
    """
    match rounding:
        case Rounding.HALF_UP:
            return 2, denominator, 2 * denominator
        case Rounding.HALF_DOWN:
            return 2, denominator - 1, 2 * denominator
        case Rounding.UP | Rounding.CEILING:
            return 1, denominator - 1, denominator
        case Rounding.DOWN | Rounding.FLOOR:
            return 1, 0, denominator
        case _:
            return None


def allocate(total: int, weights: Iterable[QuantityLike | Fraction]) -> tuple[int, ...]:
    """Split a whole number in proportion to weights, losing nothing (largest remainder method).

    Each share is first rounded towards zero; the units left over go one by one to the shares with
    the largest remainders, of equal ones to the earlier.

    :param total: the number to split, for instance minor units; may be negative.
    :param weights: zero or more each; not all zero, unless `total` is zero.
    :returns: as many shares as weights; their sum is `total`.
    :raises InvalidValue: for a negative weight, or if no weight is above zero.

    Source: the Hamilton method of apportionment.

    >>> allocate(100, [1, 1, 1])
    (34, 33, 33)
    """
    units = parse_int(total, "total")
    written = as_tuple(weights, "weights")
    parsed = each(_parse_weight)(written, "weights")
    weight_of_all = sum(parsed, Fraction())
    if not weight_of_all:
        if units:
            raise InvalidValue("weights", written, "must not all be zero")
        return (0,) * len(parsed)
    # Of -100 each has minus its share of 100: a credit is split just as its charge was.
    sign = -1 if units < 0 else 1
    shares = _apportion([abs(units) * w / weight_of_all for w in parsed], abs(units))
    return tuple(sign * share for share in shares)


def _parse_weight(value: object, field: Field) -> Fraction:
    weight = parse_ratio(value, field)
    if weight < 0:
        raise InvalidValue(field, value, "must not be negative")
    return weight


def round_together(ratios: Sequence[tuple[int, int]], rounding: Rounding) -> tuple[int, ...]:
    """Round the sum of some ratios, none negative, once, and spread it over them.

    Each keeps its floor or gets one more, by largest remainder; an integer is left as it is.

    >>> round_together([(1, 2), (1, 2), (2, 1)], Rounding.HALF_UP)
    (1, 0, 2)
    """
    # Added exactly, and rounded once: half a cent and half a cent are a cent, in every mode.
    denominator = lcm(*(d for _, d in ratios))
    total = sum(n * (denominator // d) for n, d in ratios)
    shares = [Fraction(n, d) for n, d in ratios]
    return _apportion(shares, round_ratio(total, denominator, rounding))


def _apportion(shares: Sequence[Fraction], total: int) -> tuple[int, ...]:
    """Round each share up or down so that they come to `total`, which is their own sum, rounded."""
    floors = [share.numerator // share.denominator for share in shares]
    # One at most for each share that has a remainder, since the total is their rounded sum.
    missing = total - sum(floors)
    # The largest remainder first, and of equal ones the earlier, so that it is the same every time.
    by_remainder = sorted(range(len(shares)), key=lambda i: (floors[i] - shares[i], i))
    for i in by_remainder[:missing]:
        floors[i] += 1
    return tuple(floors)
