"""Draws the rooms of the package from its imports, as the picture on the page about architecture.

    python docs/pictures/architecture.py              # writes docs/static/architecture.svg

Each room is a floor with its modules, the lowest rank at the bottom, and the edges of the library
on top of all. An arrow on the right goes from a room down to one that it imports, unless a room
between them imports that one already. A test compares the picture with the imports of today.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from html import escape
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/overages"
PICTURE = ROOT / "docs/static/architecture.svg"
PAGE = ROOT / "docs/explanation/architecture.md"

EDGES = ["exports", "imports", "adapters", "testing", "commands"]  # the highest last

LEFT, WIDTH, LANE = 12, 760, 16  # where the floors begin, how wide they are, and a lane of arrows
ROW, PAD, GAP, CHAR = 22, 10, 8, 7.2  # heights, and the width of a letter
STYLE = """
text { font: 12px ui-monospace, monospace; fill: #1d2733 }
.room { font-weight: 700; fill: #0b4f8a }
.floor { fill: #eef3f8; stroke: #b8c6d4 }
.module { fill: #ffffff; stroke: #c9d4df }
.edge { fill: #f7f2e8; stroke: #d4c8b0 }
path { fill: none; stroke: #0b4f8a; stroke-opacity: .7 }
.head { fill: #0b4f8a; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #dce6f0 } .room { fill: #8cc4f5 } .floor { fill: #18222d; stroke: #3b4d5f }
  .edge { fill: #2a2618; stroke: #5f553b } .module { fill: #223040; stroke: #3b4d5f }
  path { stroke: #8cc4f5 } .head { fill: #8cc4f5 }
}
"""


def rooms() -> list[str]:
    """List the rooms in the order of the page's table, the lowest rank first."""
    return re.findall(r"^\| \d+ \| `(\w+)/?` \|", PAGE.read_text("utf-8"), re.M)


def files_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


def modules_of(room: str) -> list[str]:
    """List the modules of a room in the order of its legend; those of an edge have no order."""
    if not (PACKAGE / room).is_dir():
        return []
    if room in EDGES:
        names = {path.stem if path.is_file() else path.name for path in (PACKAGE / room).iterdir()}
        return sorted(name for name in names if not name.startswith("__"))
    legend = (PACKAGE / room / "__init__.py").read_text("utf-8")
    return re.findall(r"^- `(\w+)`: ", legend, re.M)


@cache
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


@cache
def all_below(room: str) -> set[str]:
    """Return the rooms that a room imports, and those that these import in turn."""
    imported = imported_by(room)
    return {*imported, *(other for each in imported for other in all_below(each))}


def nearest(room: str) -> list[str]:
    """List the rooms that a room imports and no other that it imports does, the highest first."""
    imported = imported_by(room)
    return [
        other
        for other in reversed(imported)
        if not any(other in all_below(each) for each in imported)
    ]


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


def floor(room: str, y: float) -> tuple[str, float]:
    """Draw a room with its modules; return the height that it takes, too."""
    lines = lines_of(modules_of(room))
    height = len(lines) * ROW + PAD
    kind = "edge" if room in EDGES else "floor"
    parts = [
        f'<rect class="{kind}" x="{LEFT}" y="{y:g}" width="{WIDTH}" height="{height}" rx="6"/>'
        f'<text class="room" x="{LEFT + 10}" y="{y + 20:g}">{escape(room)}</text>'
    ]
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
    return "\n".join(parts), height


def ports(floors: dict[str, tuple[float, float]]) -> list[tuple[str, str, float, float]]:
    """Give each arrow a place to leave its room at and one to arrive at, none twice."""
    arrows = [(room, other) for room in floors for other in nearest(room)]
    place = {}
    for room, (top, height) in floors.items():
        # Those that arrive come before those that leave, the nearest of each in the middle.
        arriving = [arrow for arrow in arrows if arrow[1] == room]
        leaving = [arrow for arrow in arrows if arrow[0] == room]
        for i, arrow in enumerate([*arriving, *leaving], start=1):
            place[arrow, room] = top + height * i / (len(arriving) + len(leaving) + 1)
    return [(a, b, place[(a, b), a], place[(a, b), b]) for a, b in arrows]


def arrows(floors: dict[str, tuple[float, float]]) -> tuple[list[str], int]:
    """Draw the arrows, the shortest in the nearest lane that is free; count the lanes."""
    edge = LEFT + WIDTH
    parts = []
    lanes: list[list[tuple[float, float]]] = []
    for room, other, start, end in sorted(ports(floors), key=lambda arrow: arrow[3] - arrow[2]):
        free = (i for i, lane in enumerate(lanes) if all(b < start or end < a for a, b in lane))
        index = next(free, len(lanes))
        lanes[index : index + 1] = [[*(lanes[index] if index < len(lanes) else ()), (start, end)]]
        x = edge + (index + 1) * LANE
        parts.append(
            f'<path d="M{edge} {start:g} H{x} V{end:g} H{edge + 6}">'
            f"<title>{escape(room)} imports {escape(other)}</title></path>"
            f'<path class="head" d="M{edge} {end:g} l7 -3.5 v7 z"/>'
        )
    return parts, len(lanes)


def draw() -> str:
    """Write the picture as SVG."""
    parts: list[str] = []
    floors: dict[str, tuple[float, float]] = {}
    y = float(PAD)
    for room in reversed([*rooms(), *EDGES]):
        part, height = floor(room, y)
        parts.append(part)
        floors[room] = y, height
        y += height + GAP
    drawn, lanes = arrows(floors)
    size = f"{LEFT + WIDTH + (lanes + 1) * LANE} {y:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img"'
        ' aria-labelledby="title description">\n'
        '<title id="title">The rooms of overages</title>\n'
        '<desc id="description">Each room above those that it imports, with its modules.</desc>\n'
        f"<style>{STYLE}</style>\n" + "\n".join([*parts, *drawn]) + "\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
