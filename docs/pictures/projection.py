"""Draws how far off projections are, from the table on the page about them.

    python docs/pictures/projection.py                # writes docs/static/projection.svg

Each shape of usage has two charts over the days of a month: the error of each method and of the
choice, up to twice the largest error of the choice (higher lines leave the chart); and the share of
months that ended within the bounds of the choice, beside the share that these aim at. A test
compares the picture with the table of today.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs/static/projection.svg"
PAGE = ROOT / "docs/explanation/projection.md"

COLOURS = ["#8a6d00", "#1f77b4", "#2c7a2c", "#9b4fc0", "#c2571a"]  # of the methods, in order
LAST_DAY = 28
LEFT, TOP, WIDE, HIGH, LOW = 46, 66, 190, 120, 56  # of a panel, its chart, and the one below
ACROSS, DOWN, COLUMNS = 252, 276, 4
STYLE = """
text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1d2733 }
.name { font-weight: 700 } .small { font-size: 11px; fill: #44525f }
.axis { stroke: #8795a3; fill: none } .grid { stroke: #dde4ea; fill: none }
.line { fill: none; stroke-width: 1.5 } .choice { fill: none; stroke: #0b1a28; stroke-width: 3 }
.dot { fill: #0b1a28 } .aim { stroke: #b3261e; stroke-dasharray: 4 3; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #dce6f0 } .small { fill: #a9b7c4 } .grid { stroke: #2c3a47 }
  .choice { stroke: #f4f8fb } .dot { fill: #f4f8fb } .aim { stroke: #ff8a80 }
  .line { filter: brightness(1.5) }
}
"""

NOTES = [
    "above: the error, in % of all usage;",
    "lines of over twice the choice's leave",
    "below: months that ended within the",
    "bounds of the choice, in %",
    "across: days of the month over",
]

Row = list[str]


def rows() -> tuple[list[str], dict[str, list[Row]]]:
    """Return the head of the page's table, and its rows by the shape of usage."""
    text = re.search(r"<!-- table -->\n(.*?)\n<!-- end -->", PAGE.read_text("utf-8"), re.S)
    assert text is not None
    head, _, *body = [line.strip("| ").split(" | ") for line in text[1].strip().splitlines()]
    shapes: dict[str, list[Row]] = {}
    for name, *cells in body:
        shapes.setdefault(name, []).append(cells)
    return head, shapes


def error(cell: str) -> float | None:
    """Return the error in a cell; None where a method said nothing."""
    return float(cell.partition(" / ")[0]) if cell.strip() else None


def x_of(day: float) -> float:
    return LEFT + day / LAST_DAY * WIDE


def path(points: Sequence[tuple[float, float]], kind: str, style: str = "") -> str:
    """Draw a line through points."""
    d = " ".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(points))
    return f'<path class="{kind}" d="{d}"{style}/>'


def runs_of(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Break points into runs that have a value."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if len(run) > 1]


def errors(body: list[Row], place: int) -> list[str]:
    """Draw the chart of errors."""
    choice = [error(row[6]) or 0.0 for row in body]
    most = max(choice) * 2
    step = next(each for each in (2, 5, 10, 20, 50, 100) if most / each <= 4)
    parts = [
        f'<clipPath id="c{place}"><rect x="{LEFT}" width="{WIDE}" height="{HIGH}"/></clipPath>'
    ]
    for mark in range(0, int(most) + 1, step):
        y = HIGH - mark / most * HIGH
        parts.append(
            f'<path class="grid" d="M{LEFT} {y:.1f} h{WIDE}"/><text class="small" x="{LEFT - 6}"'
            f' y="{y + 4:.1f}" text-anchor="end">{mark} %</text>'
        )
    days = [float(row[0]) for row in body]
    parts.append(f'<g clip-path="url(#c{place})">')
    for method, colour in enumerate(COLOURS):
        cells = [error(row[1 + method]) for row in body]
        points = [
            (x_of(day), None if cell is None else HIGH - min(cell, 3 * most) / most * HIGH)
            for day, cell in zip(days, cells, strict=True)
        ]
        parts += [path(run, "line", f' style="stroke: {colour}"') for run in runs_of(points)]
    points = [
        (x_of(day), HIGH - cell / most * HIGH) for day, cell in zip(days, choice, strict=True)
    ]
    parts += [path(points, "choice"), "</g>"]
    return [*parts, f'<path class="axis" d="M{LEFT} 0 V{HIGH} h{WIDE}"/>']


def coverage(body: list[Row]) -> list[str]:
    """Draw the chart of coverage, of the choice."""
    top, bottom = HIGH + 22, HIGH + 22 + LOW
    parts = []
    for mark in (50, 100):
        y = bottom - mark / 100 * LOW
        parts.append(
            f'<path class="grid" d="M{LEFT} {y:.1f} h{WIDE}"/><text class="small" x="{LEFT - 6}"'
            f' y="{y + 4:.1f}" text-anchor="end">{mark} %</text>'
        )
    days = [float(row[0]) for row in body]
    aims = [
        (x_of(day), bottom - float(row[7]) / 100 * LOW) for day, row in zip(days, body, strict=True)
    ]
    held = [
        (x_of(day), bottom - float(row[6].partition(" / ")[2]) / 100 * LOW)
        for day, row in zip(days, body, strict=True)
    ]
    dots = "".join(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in held)
    marks = "".join(
        f'<text class="small" x="{x_of(day):.1f}" y="{bottom + 15}" text-anchor="middle">'
        f"{day:g}</text>"
        for day in days
    )
    axis = f'<path class="axis" d="M{LEFT} {top} V{bottom} h{WIDE}"/>'
    return [*parts, path(aims, "aim"), dots, axis, marks]


def legend(names: Sequence[str]) -> str:
    """Draw the key to the lines."""
    parts, x = [], 12.0
    for name, colour in [*zip(names, COLOURS, strict=True), ("the choice", "")]:
        stroke = f' style="stroke: {colour}; stroke-width: 3"' if colour else ""
        kind = "line" if colour else "choice"
        parts.append(
            f'<path class="{kind}"{stroke} d="M{x:g} 28 h22"/>'
            f'<text x="{x + 28:g}" y="32">{escape(name)}</text>'
        )
        x += 28 + 7 * len(name) + 24
    parts.append(
        f'<circle class="dot" cx="{x + 8:g}" cy="28" r="3"/>'
        f'<text x="{x + 18:g}" y="32">within bounds</text>'
        f'<path class="aim" d="M{x + 118:g} 28 h22"/><text x="{x + 146:g}" y="32">aimed at</text>'
    )
    return "".join(parts)


def draw() -> str:
    """Write the picture as SVG."""
    head, shapes = rows()
    parts = [legend(head[2:7])]
    for place, (name, body) in enumerate(shapes.items()):
        across, down = divmod(place, COLUMNS)[::-1]
        parts.append(f'<g transform="translate({across * ACROSS} {TOP + down * DOWN})">')
        parts.append(f'<text class="name" x="{LEFT}" y="-8">{escape(name)}</text>')
        parts += [*errors(body, place), *coverage(body), "</g>"]
    across, down = divmod(len(shapes), COLUMNS)[::-1]  # the place after the last
    for line, note in enumerate(NOTES):
        x, y = across * ACROSS + 20, TOP + down * DOWN + 20 + 22 * line
        parts.append(f'<text class="small" x="{x}" y="{y}">{escape(note)}</text>')
    width, height = COLUMNS * ACROSS, TOP + (down + 1) * DOWN - 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' aria-labelledby="title description">\n'
        '<title id="title">How far off projections are</title>\n'
        '<desc id="description">For each shape of usage, over the days of a month: the error of'
        " each method and of the choice, and the share of months within its bounds. The page has"
        " the numbers as a table.</desc>\n"
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
