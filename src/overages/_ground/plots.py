"""Plots: whole pictures, of marks between two axes and of bars that fill up, as SVG.

plot("Cost", "It rises from 0 to 7.", x, y, [Line(points)])
meters("Usage", "All is used.", [Meter("runs", "50 of 50", [(50, 1)], full=50)], [("used", 1)])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Final, TypeAlias

from attrs import frozen

from overages._ground.marks import LETTER, LINE, Axis, Columns, Frame, Mark, series_class
from overages._ground.svg import WIDTH, Coordinate, Svg, coordinate, document, element, label

_PLOT: Final = 220  # pixels from the top to the bottom of a plot
_MARGIN: Final = 16

_Key: TypeAlias = tuple[str, Callable[[int, int], str]]
"""A line of a legend: a text, and what draws the sign left of it at a place."""


def plot(
    title: str, description: str, x: Axis, y: Axis, marks: Iterable[Mark], *, width: int = WIDTH,
    styled: bool = True,
) -> Svg:  # fmt: skip
    """Draw marks between two axes.

    :param description: the picture in words, for who can't see it.
    """
    drawn = list(marks)
    heading, below = _heading(title, width)
    legend, below = _legend([(mark.name, mark.key) for mark in drawn if mark.name], width, below)
    left = max(len(text) for _, text in y.ticks) * LETTER + _MARGIN + 6
    top = below + 30
    height = top + _PLOT + (46 if x.title else 28)
    frame = Frame(left, top, width - _MARGIN, top + _PLOT, x, y)
    zero = frame.down(max(y.low, Fraction(0)))
    body = [
        heading,
        legend,
        label(y.title, _MARGIN, top - 14),
        _vertical_ticks(frame),
        _horizontal_ticks(frame),
        *(mark.draw(frame) for mark in drawn),
        element("line", class_="chart-axis", x1=left, y1=zero, x2=frame.right, y2=zero),
        label(x.title, frame.right, height - 10, "chart-end"),
    ]
    return document(width, height, title, description, "".join(body), styled=styled)


def _heading(title: str, width: int) -> tuple[str, int]:
    """Return the title in as many lines as it takes, and the pixel from the top of the last one."""
    most = (width - 2 * _MARGIN) // (LETTER + 1)
    lines = [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".lstrip()
        lines = [*lines[:-1], longer] if len(longer) <= most else [*lines, word]
    shapes = [label(line, _MARGIN, 24 + i * LINE, "chart-title") for i, line in enumerate(lines)]
    return "".join(shapes), 24 + (len(lines) - 1) * LINE


def _legend(keys: Sequence[_Key], width: int, top: int) -> tuple[str, int]:
    """Return the legend below a text, and the pixel from the top of its last line."""
    shapes, x, row = [], _MARGIN, 0
    for name, sign in keys:
        needed = 28 + len(name) * LETTER + 12
        if x > _MARGIN and x + needed > width:
            x, row = _MARGIN, row + 1
        y = top + 20 + row * LINE
        shapes += [sign(x, y), label(name, x + 28, y, "chart-note")]
        x += needed
    return "".join(shapes), top + 20 + row * LINE if keys else top


def _vertical_ticks(frame: Frame) -> str:
    shapes = []
    for at, text in frame.y.ticks:
        y = frame.down(at)
        line = element("line", class_="chart-grid", x1=frame.left, y1=y, x2=frame.right, y2=y)
        shapes += [line, label(text, frame.left - 6, y + 4, "chart-end")]
    return "".join(shapes)


def _horizontal_ticks(frame: Frame) -> str:
    """Write the texts below the plot, as many of them as there is room for."""
    ticks = frame.x.ticks
    widest = max((len(text) for _, text in ticks), default=0) * LETTER + 10
    fitting = max((frame.right - frame.left) // widest, 1)
    every = max(-(-len(ticks) // fitting), 1)
    first = (len(ticks) - 1) % every if frame.x.keeps_last else 0
    return "".join(
        label(text, *_within(frame, frame.across(at), text), "chart-middle")
        for at, text in ticks[first::every]
    )


def _within(frame: Frame, x: Fraction, text: str) -> tuple[Coordinate, int]:
    """Return the place of a text below the plot that doesn't go past its right end."""
    half = len(text) * LETTER // 2
    return min(x, Fraction(frame.right + _MARGIN - 4 - half)), frame.bottom + 18


@frozen
class Meter:
    """A bar that fills up: a name, a text, and the amounts that fill it."""

    name: str
    text: str
    amounts: Sequence[tuple[Fraction, int]]
    """The length of each, beside the one before it, and the number of its series."""
    full: Fraction
    """The amount that the bar's whole length stands for."""
    limit: Fraction | None = None
    """Where the bar is marked."""
    ends: tuple[Fraction, Fraction] | None = None
    """The amounts between which it may end."""


def meters(
    title: str, description: str, bars: Sequence[Meter], names: Sequence[tuple[str, int]], *,
    width: int = WIDTH, styled: bool = True,
) -> Svg:  # fmt: skip
    """Draw bars below each other, each by a scale of its own.

    :param names: the legend: a name and its series.
    """
    heading, below = _heading(title, width)
    legend, below = _legend([*_keys(bars, names)], width, below)
    top = below + 30
    body = [heading, legend]
    for bar in bars:
        # Where name and text have no room beside each other, the text has a line of its own.
        wraps = (len(bar.name) + len(bar.text) + 2) * LETTER > width - 2 * _MARGIN
        second = top + LINE if wraps else top
        place = (
            (_MARGIN, second, "chart-note")
            if wraps
            else (width - _MARGIN, second, "chart-note chart-end")
        )
        body += [
            label(bar.name, _MARGIN, top, "chart-name"),
            label(bar.text, *place),
            *_filled(bar, second + 8, width),
        ]
        top = second + 46
    return document(width, top - 12, title, description, "".join(body), styled=styled)


def _keys(bars: Sequence[Meter], names: Iterable[tuple[str, int]]) -> Iterator[_Key]:
    """Yield the legend of bars: the series, and the signs that a bar among them has."""
    for name, series in names:
        yield name, Columns((), series).key
    if any(bar.limit is not None for bar in bars):
        yield "limit", lambda x, y: _limit_sign(Fraction(x + 11), y - 10)
    if any(bar.ends is not None for bar in bars):
        yield "low to high", lambda x, y: _ends_sign(Fraction(x), Fraction(x + 22), y - 10)


def _limit_sign(at: Fraction, y: int) -> str:
    return element("line", class_="chart-limit", x1=at, y1=y - 3, x2=at, y2=y + 15)


def _ends_sign(low: Fraction, high: Fraction, y: int) -> str:
    points = " ".join(
        f"{coordinate(x)},{y + down}"
        for x, down in ((low, 2), (low, 10), (low, 6), (high, 6), (high, 2), (high, 10))
    )
    return element("polyline", class_="chart-ends", points=points)


def _filled(bar: Meter, y: int, width: int) -> Iterator[str]:
    scale = (width - 2 * _MARGIN) / (bar.full or Fraction(1))
    yield element(
        "rect", class_="chart-track", x=_MARGIN, y=y, width=width - 2 * _MARGIN, height=12, rx=3
    )
    x = Fraction(_MARGIN)
    for amount, series in bar.amounts:
        if amount:
            class_ = f"chart-bar {series_class(series)}"
            yield element("rect", class_=class_, x=x, y=y, width=amount * scale, height=12)
        x += amount * scale
    if bar.ends is not None:
        low, high = (_MARGIN + end * scale for end in bar.ends)
        yield _ends_sign(low, high, y)
    if bar.limit is not None:
        yield _limit_sign(_MARGIN + bar.limit * scale, y)
