"""Marks: axes with rounded ticks, and the lines, bands and columns between them, as SVG.

    x = number_axis("units", [0, 150], text=str)
    Line([(Fraction(0), Fraction(0)), (Fraction(150), Fraction(7))]).draw(frame)

All numbers are exact up to the hundredth of a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final, Protocol, TypeAlias

from attrs import frozen

from overages._ground.svg import SERIES, Coordinate, coordinate, element, escaped, label

Point: TypeAlias = tuple[Fraction, Fraction]
"""A place between the axes, in their own units."""

Texts: TypeAlias = Callable[[Fraction], str]
"""Writes a number of an axis."""

LETTER: Final = 7
"""Pixels that a letter takes, about."""

LINE: Final = 18
"""Pixels from one line of text to the next."""


@frozen
class Axis:
    """A stretch of numbers with marks on it."""

    title: str
    low: Fraction
    high: Fraction
    ticks: tuple[tuple[Fraction, str], ...]
    keeps_last: bool = False
    """Whether the last tick is written wherever there isn't room for all; else the first is."""

    def share(self, value: Fraction) -> Fraction:
        """Return the share of the axis, of 1, that lies before a number."""
        return (value - self.low) / (self.high - self.low)


def number_axis(
    title: str, values: Iterable[Fraction | int], text: Texts, *, most: int = 5,
    is_rounded: bool = False,
) -> Axis:  # fmt: skip
    """Return an axis of numbers from zero, with ticks at 1, 2 or 5 times a power of ten.

    :param values: those that it must show.
    :param most: the number of steps between ticks at most.
    :param is_rounded: whether it goes on to the next tick.

    >>> [tick for _, tick in number_axis("cost", [0, 7], text=str, is_rounded=True).ticks]
    ['0', '2', '4', '6', '8']
    """
    shown = [Fraction(0), *map(Fraction, values)]
    low, high = min(shown), max(shown)
    if low == high:
        high = Fraction(1)
    step = rounded_step((high - low) / most)
    first, last = low // step, -(-high // step)
    if is_rounded:
        low, high = first * step, last * step
    marks = [n * step for n in range(first, last + 1)]
    ticks = tuple((mark, text(mark)) for mark in marks if low <= mark <= high)
    return Axis(title, low, high, ticks)


def rounded_step(least: Fraction) -> Fraction:
    """Return the smallest 1, 2 or 5 times a power of ten that isn't less than a positive number.

    >>> rounded_step(Fraction(13)), rounded_step(Fraction(1, 30))
    (Fraction(20, 1), Fraction(1, 20))
    """
    power = Fraction(1)
    while power > least:
        power /= 10
    while power * 10 <= least:
        power *= 10
    return next(power * by for by in (1, 2, 5, 10) if power * by >= least)


def name_axis(title: str, names: Sequence[str]) -> Axis:
    """Return an axis of names, each in the middle of a stretch of 1."""
    ticks = tuple((i + Fraction(1, 2), name) for i, name in enumerate(names))
    return Axis(title, Fraction(0), Fraction(max(len(names), 1)), ticks, keeps_last=True)


@frozen
class Frame:
    """The place of a plot between its axes, in pixels."""

    left: int
    top: int
    right: int
    bottom: int
    x: Axis
    y: Axis

    def across(self, value: Fraction) -> Fraction:
        """Return the pixel from the left at a number of the horizontal axis."""
        return self.left + self.x.share(value) * (self.right - self.left)

    def down(self, value: Fraction) -> Fraction:
        """Return the pixel from the top at a number of the vertical axis."""
        return self.bottom - self.y.share(value) * (self.bottom - self.top)

    def path(self, points: Iterable[Point]) -> str:
        """Write points as those of a polyline or polygon."""
        return " ".join(
            f"{coordinate(self.across(x))},{coordinate(self.down(y))}" for x, y in points
        )


class Mark(Protocol):
    """A shape within a plot; where it has a `name`, the legend says it."""

    @property
    def name(self) -> str:
        """The name of its series."""
        ...

    @property
    def series(self) -> int:
        """The number of its series, from 1."""
        ...

    def draw(self, frame: Frame) -> str:
        """Return it as SVG."""
        ...

    def key(self, x: int, y: int) -> str:
        """Return its sign in the legend, left of a text at a place."""
        ...


def series_class(number: int) -> str:
    """Return the class of the styles of a series."""
    return f"chart-{(number - 1) % SERIES + 1}"


@frozen
class Line:
    """A line through points."""

    points: Sequence[Point]
    series: int = 1
    name: str = ""

    def draw(self, frame: Frame) -> str:
        """Return it as SVG."""
        points = frame.path(self.points)
        return element("polyline", class_=f"chart-line {series_class(self.series)}", points=points)

    def key(self, x: int, y: int) -> str:
        """Return its sign in the legend."""
        class_ = f"chart-line {series_class(self.series)}"
        return element("line", class_=class_, x1=x, y1=y - 4, x2=x + 22, y2=y - 4)


def steps(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points of a line that stays at each until the next.

    >>> steps([(0, 1), (2, 5)])
    ((0, 1), (2, 1), (2, 5))
    """
    turned = [turn for (_, y), after in pairwise(points) for turn in ((after[0], y), after)]
    return (*points[:1], *turned)


@frozen
class Band:
    """The room between two lines: for each place across, a low and a high number."""

    edges: Sequence[tuple[Fraction, Fraction, Fraction]]
    series: int = 1
    name: str = ""

    def draw(self, frame: Frame) -> str:
        """Return it as SVG."""
        below = [(x, low) for x, low, _ in self.edges]
        above = [(x, high) for x, _, high in reversed(self.edges)]
        points = frame.path([*below, *above])
        return element("polygon", class_=f"chart-band {series_class(self.series)}", points=points)

    def key(self, x: int, y: int) -> str:
        """Return its sign in the legend."""
        class_ = f"chart-band {series_class(self.series)}"
        return element("rect", class_=class_, x=x, y=y - 10, width=22, height=12)


@frozen
class Columns:
    """Columns of one series at places across, each from one number up to another."""

    heights: Sequence[tuple[Fraction, Fraction, Fraction, str]]
    """Place, the lower and the upper number, and the text that a pointer is shown."""
    series: int = 1
    name: str = ""
    is_open: bool = False
    """Whether they are outlined: their amounts aren't final."""

    @property
    def _class(self) -> str:
        return f"chart-bar {series_class(self.series)}{' chart-open' if self.is_open else ''}"

    def draw(self, frame: Frame) -> str:
        """Return them as SVG."""
        width = (frame.across(Fraction(1)) - frame.across(Fraction(0))) * Fraction(7, 10)
        width = min(width, Fraction(56))
        return "".join(
            element(
                "rect",
                element("title", escaped(text)),
                class_=self._class,
                x=frame.across(x) - width / 2,
                y=frame.down(high),
                width=width,
                height=frame.down(low) - frame.down(high),
            )
            for x, low, high, text in self.heights
            if high != low
        )

    def key(self, x: int, y: int) -> str:
        """Return its sign in the legend."""
        return element("rect", class_=self._class, x=x, y=y - 10, width=12, height=12)


@frozen
class Rule:
    """A place across that is marked from top to bottom, with a text."""

    at: Fraction
    text: str
    row: int = 0
    """Lines of text that its own is set lower, where another stands beside it."""
    series: int = 1
    name: str = ""

    def draw(self, frame: Frame) -> str:
        """Return it as SVG."""
        x, y = frame.across(self.at), frame.top + 12 + self.row * LINE
        line = element("line", class_="chart-rule", x1=x, y1=frame.top, x2=x, y2=frame.bottom)
        return line + _beside(frame, self.text, x, y)

    key = Line.key


@frozen
class Dot:
    """A point with a text beside it."""

    x: Fraction
    y: Fraction
    text: str
    series: int = 1
    name: str = ""

    def draw(self, frame: Frame) -> str:
        """Return it as SVG."""
        x, y = frame.across(self.x), frame.down(self.y)
        dot = element("circle", class_=f"chart-dot {series_class(self.series)}", cx=x, cy=y, r=5)
        above = max(y - 10, Fraction(frame.top + 12))
        return dot + _beside(frame, self.text, x, above)

    key = Line.key


def _beside(frame: Frame, text: str, x: Fraction, y: Coordinate) -> str:
    """Write a text right of a place, or left of it where there is no room."""
    if x + 6 + len(text) * LETTER > frame.right:
        return label(text, x - 6, y, "chart-note chart-end")
    return label(text, x + 6, y, "chart-note")
