"""A room imports only rooms of a lower rank, and a module only modules before it in its room.

The rooms and their order are in `ROOMS`; the order of modules within one is that of its legend, the
docstring of its ``__init__``. Edges import any room, and never each other, but for those between.
"""

import ast
import re
import runpy
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import overages

PACKAGE = Path(overages.__file__).parent
ROOT = Path(__file__).parents[1]
EXPLANATION = ROOT / "docs/explanation/architecture.md"

ROOMS = [
    "errors", "_ground", "amounts", "periods", "prices", "usage", "grants", "terms", "lines",
    "statements", "settlements", "records", "forecasts", "insight", "alerts", "quotas",
]  # fmt: skip
DOORS = [
    "forms", "codec", "outbox", "repository", "bookkeeping", "readings", "service", "__init__",
]  # fmt: skip
RANKED = [*ROOMS, *DOORS]
EDGES = {"adapters", "imports", "exports", "columnar", "testing", "commands", "__main__"}
FACE = {"__init__": {"adapters"}}  # whose names are loaded when they are asked for
BETWEEN = {"columnar", "commands", "__main__"}  # the edges that may use the others
THIRD_PARTIES = {"attrs"}
IMPURE = {"os", "random", "time", "locale", "socket", "sqlite3", "subprocess", "tempfile", "uuid"}
STANDARD = {
    "abc", "bisect", "collections", "contextlib", "copy", "datetime", "decimal", "difflib", "enum",
    "fractions",
    "functools", "hashlib", "html", "importlib", "inspect", "itertools", "json", "logging", "math",
    "operator", "re", "types", "typing", "unicodedata", "zoneinfo",
}  # fmt: skip


def room_of(path: Path) -> str:
    """Return the room (a folder, or a module of the top) that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def files(room: str) -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if room_of(path) == room)


class Code(NamedTuple):
    """What is anywhere in the code of a file: dotted names that it imports, and others."""

    imported: set[str]
    attributes: set[str]
    names: set[str]
    floats: set[float]


@cache
def code(path: Path) -> Code:
    found = Code(set(), set(), set(), set())
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names=aliases):
                found.imported.update(alias.name for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                assert not level, f"{path} has a relative import"
                found.imported.add(module or "")
                if module == "overages":
                    found.imported.update(f"overages.{alias.name}" for alias in aliases)
            case ast.Attribute(attr=name):
                found.attributes.add(name)
            case ast.Name(id=name):
                found.names.add(name)
            case ast.Constant(value=float(number)):
                found.floats.add(number)
    return found


def imported(room: str) -> set[str]:
    """Return the dotted names that a room imports."""
    return {name for path in files(room) for name in code(path).imported}


def own(room: str) -> set[str]:
    """Return the rooms that a room imports."""
    names = imported(room)
    return {name.split(".")[1] for name in names if name.startswith("overages.")} - {room}


def legend(room: str) -> list[str]:
    """Return the modules of a room in the order of its legend."""
    docstring = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")))
    return re.findall(r"^- `(\w+)`: ", docstring or "", re.M)


PACKAGES = [
    room for room in [*ROOMS, "bookkeeping", "readings", "service"] if (PACKAGE / room).is_dir()
]


def test_every_room_has_one_rank() -> None:
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert sorted(rooms) == sorted([*RANKED, *EDGES])


@pytest.mark.parametrize("room", RANKED)
def test_a_room_imports_only_lower_ranks(room: str) -> None:
    found = own(room) - FACE.get(room, set())
    lower = RANKED[: RANKED.index(room)]
    assert sorted(found - set(lower)) == []


@pytest.mark.parametrize("edge", sorted(EDGES - BETWEEN))
def test_an_edge_imports_no_other_edge(edge: str) -> None:
    assert own(edge) & EDGES == set()


@pytest.mark.parametrize("room", PACKAGES)
def test_a_room_is_a_legend_and_the_modules_that_it_names(room: str) -> None:
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8"))
    assert len(tree.body) == 1, "a docstring, and nothing else"
    modules = {path.stem for path in files(room)} - {"__init__"}
    assert sorted(legend(room)) == sorted(modules)
    assert len(modules) <= 12


@pytest.mark.parametrize(
    "edge",
    [
        "adapters", "imports", "imports/plan_files", "imports/usage_files", "columnar", "commands",
        "commands/desk",
    ],
)  # fmt: skip
def test_the_legend_of_an_edge_names_its_modules(edge: str) -> None:
    modules = {path.stem for path in (PACKAGE / edge).iterdir()}
    assert sorted(legend(edge)) == sorted(module for module in modules if module[0] != "_")


@pytest.mark.parametrize("room", PACKAGES)
def test_a_module_imports_only_those_before_it_in_the_legend(room: str) -> None:
    order = legend(room)
    upwards = [
        (module, name)
        for module in order
        for name in code(PACKAGE / room / f"{module}.py").imported
        if name.startswith(f"overages.{room}.")
        and order.index(name.split(".")[2]) >= order.index(module)
    ]
    assert upwards == []


def test_the_picture_shows_the_imports_of_today() -> None:
    script = ROOT / "docs/pictures/architecture.py"
    drawn = runpy.run_path(str(script))["draw"]()
    picture = (ROOT / "docs/static/architecture.svg").read_text("utf-8")
    assert picture == drawn, "python docs/pictures/architecture.py draws it anew"


def test_the_explanation_shows_each_room_at_its_rank() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", EXPLANATION.read_text("utf-8"), re.M)
    shown = [name for _, cell in rows for name in re.findall(r"`(\w+)/?`", cell)]
    assert [int(number) for number, _ in rows] == list(range(len(rows)))
    assert shown == RANKED[:-1]


@pytest.mark.parametrize("room", RANKED)
def test_the_core_imports_nothing_but_the_standard_library_and_attrs(room: str) -> None:
    roots = {name.split(".")[0] for name in imported(room)} - {"overages", "__future__"}
    assert roots & IMPURE == set()
    assert roots - THIRD_PARTIES <= STANDARD


@pytest.mark.parametrize("room", RANKED)
def test_the_core_reads_no_clock_and_no_float(room: str) -> None:
    calls = {"now", "utcnow", "today", "quantize", "normalize", "getcontext"}
    for path in files(room):
        found = code(path)
        assert found.attributes & calls == set(), path
        assert "float" not in found.names, path
        assert found.floats == set(), path


def test_sql_has_no_numbered_parameters() -> None:
    """Python 3.12 warns of them in a sequence."""
    numbered = [
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\?\d", path.read_text("utf-8"))
    ]
    assert numbered == []
