"""A module imports only modules of a lower rank; edges import any rank, and never each other."""

import ast
import re
from pathlib import Path

import pytest

import overages

PACKAGE = Path(overages.__file__).parent
EXPLANATION = Path(__file__).parents[1] / "docs/explanation/architecture.md"

RANKS = [
    {"_currencies", "display", "errors", "trusted"},
    {"jsontext", "parsing"},
    {"columns", "exact", "names", "period"},
    {
        "limitpart",
        "limits",
        "outbox",
        "rounding",
        "smoothing",
        "tier",
        "timezones",
        "transactions",
        "usage",
    },
    {"carryover", "conversion", "cycle", "daycount", "increment", "ladder", "money"},
    {
        "account",
        "adjustment",
        "burndown",
        "carrying",
        "discount",
        "grants",
        "metric",
        "pricing",
        "proration",
    },
    {
        "balance",
        "commitment",
        "exchange",
        "grantpool",
        "overage",
        "prorated",
        "record",
        "routing",
        "tally",
    },
    {"adjusting", "aggregation", "allowance", "chain", "drawing", "metering", "wording"},
    {"plan"},
    {"statement"},
    {"changes", "rating"},
    {"calculation", "covering", "recording", "sharing"},
    {"forms", "pooling", "repository", "segments", "settlement"},
    {"codec", "gathering"},
    {"service"},
    {"__init__"},
]
EDGES = {"adapters", "imports", "exports", "testing", "commands", "__main__"}
FACE = {"__init__": {"adapters"}}  # whose names are loaded when they are asked for
COMMAND_LINE = {"commands", "__main__"}  # the edge that may use the others
THIRD_PARTIES = {"attrs": None, "dateutil": {"period"}}  # and which modules may import them
IMPURE = {"os", "random", "time", "locale", "socket", "sqlite3", "subprocess", "tempfile", "uuid"}


def units() -> list[str]:
    return sorted({part(path) for path in PACKAGE.rglob("*.py")})


def part(path: Path) -> str:
    """Return the module, or the folder, that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def nodes(unit: str) -> list[ast.AST]:
    """Return all of the code of a module, or of the files of a folder."""
    paths = [path for path in PACKAGE.rglob("*.py") if part(path) == unit]
    return [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def imported(unit: str) -> set[str]:
    """Return the dotted names that a module or folder imports, anywhere in its code."""
    names = set()
    for node in nodes(unit):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{unit} has a relative import"
            names.add(node.module or "")
            if node.module == "overages":
                names |= {f"overages.{alias.name}" for alias in node.names}
    return names


def own(unit: str) -> set[str]:
    return {name.split(".")[1] for name in imported(unit) if name.startswith("overages.")} - {unit}


def rank(unit: str) -> int:
    return next(i for i, modules in enumerate(RANKS) if unit in modules)


def test_every_module_has_one_rank() -> None:
    assert units() == sorted(EDGES.union(*RANKS))
    assert sum(map(len, RANKS)) == len(set().union(*RANKS))


def test_the_explanation_shows_each_module_at_its_rank() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", EXPLANATION.read_text("utf-8"), re.M)
    shown = [set(re.findall(r"`(\w+)/?`", modules)) for _, modules in rows]
    assert [int(number) for number, _ in rows] == list(range(len(RANKS) - 1))
    assert [*shown, {"__init__"}] == RANKS


def test_the_explanation_says_in_words_what_each_module_is_for() -> None:
    words, _, _ = EXPLANATION.read_text("utf-8").partition("| rank |")
    named = set(re.findall(r"`(\w+)/?`", words))
    assert EDGES.union(*RANKS) - {"__init__"} - named == set()


@pytest.mark.parametrize("unit", sorted(set().union(*RANKS)))
def test_a_module_imports_only_lower_ranks(unit: str) -> None:
    found = own(unit) - FACE.get(unit, set())
    assert [name for name in found if name in EDGES or rank(name) >= rank(unit)] == []


@pytest.mark.parametrize("edge", sorted(EDGES - COMMAND_LINE))
def test_an_edge_imports_no_other_edge(edge: str) -> None:
    assert own(edge) & EDGES == set()


@pytest.mark.parametrize("unit", sorted(set().union(*RANKS)))
def test_the_core_imports_nothing_but_the_standard_library_attrs_and_dateutil(unit: str) -> None:
    roots = {name.split(".")[0] for name in imported(unit)} - {"overages", "__future__"}
    assert roots & IMPURE == set()
    for root in roots & THIRD_PARTIES.keys():
        assert unit in (THIRD_PARTIES[root] or {unit})
    assert roots - THIRD_PARTIES.keys() <= set(STANDARD)


STANDARD = {
    "abc", "bisect", "collections", "contextlib", "datetime", "decimal", "enum", "fractions",
    "functools", "hashlib", "html", "importlib", "itertools", "json", "logging", "math", "re",
    "types", "typing", "unicodedata", "zoneinfo",
}  # fmt: skip


@pytest.mark.parametrize("unit", sorted(set().union(*RANKS)))
def test_the_core_reads_no_clock_and_no_float(unit: str) -> None:
    found = nodes(unit)
    calls = {node.attr for node in found if isinstance(node, ast.Attribute)}
    assert calls & {"now", "utcnow", "today", "quantize", "normalize", "getcontext"} == set()
    names = {node.id for node in found if isinstance(node, ast.Name)}
    assert "float" not in names
    assert not [
        node for node in found if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
