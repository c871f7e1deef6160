"""Draws the rooms of the package from its imports, as the picture on the page about architecture.

    python docs/pictures/architecture.py              # writes docs/static/architecture.svg

Each room is a floor with its modules, the lowest rank at the bottom; an arc on the right goes from
a room down to each that it imports. A test compares the picture with the imports of today.
"""

from __future__ import annotations

import ast
import re
from html import escape
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/overages"
PICTURE = ROOT / "docs/static/architecture.svg"
PAGE = ROOT / "docs/explanation/architecture.md"

LEFT, WIDTH, ARCS = 12, 760, 190  # where the floors begin, how wide they are, room for the arcs
ROW, PAD, GAP, CHAR = 22, 10, 8, 7.2  # heights, and the width of a letter
STYLE = """
text { font: 12px ui-monospace, monospace; fill: #1d2733 }
.room { font-weight: 700; fill: #0b4f8a }
.floor { fill: #eef3f8; stroke: #b8c6d4 }
.module { fill: #ffffff; stroke: #c9d4df }
path { fill: none; stroke: #0b4f8a; stroke-opacity: .45 }
circle { fill: #0b4f8a }
@media (prefers-color-scheme: dark) {
  text { fill: #dce6f0 } .room { fill: #8cc4f5 } .floor { fill: #18222d; stroke: #3b4d5f }
  .module { fill: #223040; stroke: #3b4d5f } path { stroke: #8cc4f5 } circle { fill: #8cc4f5 }
}
"""


def rooms() -> list[str]:
    """List the rooms in the order of the page's table, the lowest rank first."""
    return re.findall(r"^\| \d+ \| `(\w+)/?` \|", PAGE.read_text("utf-8"), re.M)


def files_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


def modules_of(room: str) -> list[str]:
    """List the modules of a room in the order of its legend."""
    if not (PACKAGE / room).is_dir():
        return []
    legend = (PACKAGE / room / "__init__.py").read_text("utf-8")
    return re.findall(r"^- `(\w+)`: ", legend, re.M)


def imported_by(room: str) -> list[str]:
    """List the rooms that a room imports."""
    modules = {
        node.module.split(".")[1]
        for path in files_of(room)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("overages.")
        if node.module is not None
    }
    return [other for other in rooms() if other in modules - {room}]


def lines_of(modules: list[str]) -> list[list[str]]:
    """Break the modules of a room into lines that fit its floor."""
    left = [*modules]
    lines = []
    while left:
        widths = [sum(len(m) * CHAR + 22 for m in left[: i + 1]) for i in range(len(left))]
        count = max(1, len(list(takewhile(lambda width: width < WIDTH - 140, widths))))
        lines.append(left[:count])
        left = left[count:]
    return lines or [[]]


def draw() -> str:
    """Write the picture as SVG."""
    parts: list[str] = []
    middle: dict[str, float] = {}
    y = float(PAD)
    for room in reversed(rooms()):
        lines = lines_of(modules_of(room))
        height = len(lines) * ROW + PAD
        parts.append(
            f'<rect class="floor" x="{LEFT}" y="{y:g}" width="{WIDTH}" height="{height}" rx="6"/>'
            f'<text class="room" x="{LEFT + 10}" y="{y + 20:g}">{escape(room)}</text>'
        )
        for i, line in enumerate(lines):
            x = LEFT + 125.0
            for module in line:
                width = len(module) * CHAR + 14
                top = y + 6 + i * ROW
                parts.append(
                    f'<rect class="module" x="{x:g}" y="{top:g}" width="{width:g}" height="18"'
                    f' rx="4"/><text x="{x + 7:g}" y="{top + 13:g}">{escape(module)}</text>'
                )
                x += width + GAP
        middle[room] = y + height / 2
        y += height + GAP
    edge = LEFT + WIDTH
    for room in rooms():
        for other in imported_by(room):
            start, end = middle[room], middle[other]
            reach = edge + 12 + (end - start) * (ARCS - 24) / y * 1.25
            bend = f"C{reach:g} {start:g} {reach:g} {end:g} {edge} {end:g}"
            parts.append(
                f'<path d="M{edge} {start:g} {bend}">'
                f"<title>{escape(room)} imports {escape(other)}</title></path>"
                f'<circle cx="{edge}" cy="{end:g}" r="2.5"/>'
            )
    size = f"{edge + ARCS} {y:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img"'
        ' aria-labelledby="title description">\n'
        '<title id="title">The rooms of overages</title>\n'
        '<desc id="description">Each room above those that it imports, with its modules.</desc>\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
