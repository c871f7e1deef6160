"""Cost curves: the cost of each quantity up to one, as points and as a picture.

    points = cost_points(cost, up_to=150)             # each where the cost bends, to a 976th
    cost_chart("Cost", cost, up_to=150, currency=None, about="0.05 a unit")

It is found by asking for the cost alone, so that any price model has a curve, a host's own too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Final, TypeAlias

from overages._ground.marks import Line, Point, Rule, number_axis
from overages._ground.plots import plot
from overages._ground.svg import Svg, parse_look
from overages.amounts.exact import (
    Exact,
    Quantity,
    number_from_ratio,
    plain_text,
    scaled,
    unscaled,
)
from overages.amounts.money import Currency

Cost: TypeAlias = Callable[[Quantity], Exact]
"""The unrounded cost of a quantity, in major currency units."""

_CELLS: Final = 61  # a prime, so that the packages of a price seldom all begin where a cell does
_PARTS: Final = 16  # of a cell, at most: less than a pixel


def cost_points(cost: Cost, up_to: Quantity) -> tuple[Point, ...]:
    """Return the quantities and costs from zero to a quantity, where the curve bends or leaps.

    >>> from overages import Graduated, Tier
    >>> price = Graduated([Tier(61, "1"), Tier(None, "2")])
    >>> points = cost_points(lambda quantity: price.charge(quantity).exact_cost, up_to=122)
    >>> [(str(quantity), str(cost)) for quantity, cost in points]
    [('0', '0'), ('61', '61'), ('122', '183')]
    """
    picos, finest = scaled(up_to), _CELLS * _PARTS

    def at(part: int) -> Point:
        quantity = unscaled(picos * part // finest)
        return Fraction(quantity), Fraction(cost(quantity))

    def between(first: int, before: Point, last: int, after: Point) -> Iterator[Point]:
        """Yield the points after the first one up to the last one."""
        middle = (first + last) // 2
        if middle > first and not _are_in_line(before, at(middle), after):
            yield from between(first, before, middle, at(middle))
            yield from between(middle, at(middle), last, after)
        else:
            yield after

    points = [at(0)]
    for part in range(0, finest, _PARTS):
        points += between(part, points[-1], part + _PARTS, at(part + _PARTS))
    return _bends(points)


def axis_text(number: Fraction) -> str:
    """Write an exact number in full with grouped thousands."""
    return plain_text(number_from_ratio(number.numerator, number.denominator))


def _are_in_line(left: Point, middle: Point, right: Point) -> bool:
    rise = (middle[1] - left[1]) * (right[0] - left[0])
    return rise == (right[1] - left[1]) * (middle[0] - left[0])


def _bends(points: Sequence[Point]) -> tuple[Point, ...]:
    """Leave out each point that lies on the line of those beside it."""
    bends = list(points[:1])
    for i, point in enumerate(points[1:-1], 1):
        if not _are_in_line(bends[-1], point, points[i + 1]):
            bends.append(point)
    return (*bends, points[-1])


def cost_chart(
    title: str,
    cost: Cost,
    up_to: Quantity,
    currency: Currency | None,
    about: str,
    included: Quantity | None = None,
    *,
    width: int,
    styled: bool,
) -> Svg:
    """Draw the cost of each quantity up to one.

    :param about: the price in words.
    :param included: a quantity to mark.
    :param width: pixels.
    :param styled: whether the styles are in it.
    """
    width, styled = parse_look(width, styled)
    points = cost_points(cost, up_to)
    unit = "major units" if currency is None else currency.code
    x = number_axis("units used" if included else "units", [Fraction(up_to)], axis_text)
    y = number_axis(f"cost, {unit}", [y for _, y in points], axis_text, is_rounded=True)
    marks: list[Line | Rule] = [Line(points)]
    description = f"{axis_text(points[-1][1])} {unit} for {plain_text(up_to)} units. {about}"
    if included is not None:
        marks.insert(0, Rule(Fraction(included), f"{plain_text(included)} included"))
        description = f"Nothing up to {plain_text(included)} units; {description}"
    return plot(title, description, x, y, marks, width=width, styled=styled)
