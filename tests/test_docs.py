"""Every example runs: docstrings, README and docs; and every link inside the project leads."""

import doctest
import importlib
import inspect
import json
import pkgutil
import re
import shlex
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from shutil import copytree

import pytest

import overages
from overages import errors
from overages.__main__ import main
from overages.adapters.sqlite import migrate
from overages.codec import decode

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", DOCS / "llms.txt", *DOCS.rglob("*.md")])
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(overages.__path__, "overages.")
    if not info.name.endswith("__main__")
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"^ *(?:>>> )?(?:import|from) (pandas|polars|pyarrow)\b", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [body for name, body in found if name == language]


def skip_without_imports_of(source: str) -> None:
    """Skip a test of code that imports a library which needn't be there, and isn't."""
    for library in IMPORT.findall(source):
        pytest.importorskip(library)


@pytest.mark.parametrize("name", ["overages", *MODULES])
def test_examples_in_docstrings_run(name: str) -> None:
    found = find_spec(name)
    assert found
    assert found.origin
    skip_without_imports_of(Path(found.origin).read_text(encoding="utf-8"))
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_python_examples_in_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page's examples share their names, from top to bottom, and a folder for their files."""
    monkeypatch.chdir(tmp_path)
    source = "\n".join(blocks(page, "python"))
    skip_without_imports_of(source)
    test = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner()
    runner.run(test)
    assert runner.failures == 0
    assert source.count(">>> ") == len(test.examples)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_in_a_page_print_what_it_says(
    page: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A console block holds commands behind ``$``, each followed by all that it prints.

    A page's commands share a folder, which has the examples in it.
    """
    copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for block in blocks(page, "console"):
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            program, *arguments = shlex.split(command)
            assert program == "overages"
            main(arguments)
            printed = capsys.readouterr()
            assert printed.err + printed.out == expected


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_guide_and_explanation_is_reached_from_the_index() -> None:
    linked = set(LINK.findall((DOCS / "index.md").read_text(encoding="utf-8")))
    pages = [page for folder in ("how-to", "explanation") for page in (DOCS / folder).glob("*.md")]
    assert [page.name for page in pages if page.relative_to(DOCS).as_posix() not in linked] == []


def test_the_reference_names_every_public_name() -> None:
    reference = "\n".join(
        p.read_text(encoding="utf-8") for p in (ROOT / "docs/reference").glob("*")
    )
    assert [name for name in overages.__all__ if f"`{name}" not in reference] == []


def test_the_reference_has_every_argument_with_its_default() -> None:
    table = (DOCS / "reference/api.md").read_text(encoding="utf-8")
    calls = re.findall(r"^\| `(\w+)\((.*?)\)` \|(?: `([\w.]+)` \|)?", table, re.MULTILINE)
    said = [
        (resolve_name(f"{module or 'overages'}:{name}"), arguments)
        for name, arguments, module in calls
        if "..." not in arguments and (module or name in overages.__all__)
    ]
    assert len(said) > 50
    wrong = {thing: arguments for thing, arguments in said if arguments != arguments_of(thing)}
    assert wrong == {}


def arguments_of(thing: Callable[..., object]) -> str:
    """Return the arguments of something public, as the reference writes them."""
    shown = []
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        default = parameter.default
        name = parameter.name
        shown.append(name if default is parameter.empty else f"{name}={default_of(default)}")
    return ", ".join(shown)


def default_of(value: object) -> str:
    """Return a default as the reference writes it: a rule by its name."""
    if isinstance(value, (Enum, str)):
        return json.dumps(value.value if isinstance(value, Enum) else value)
    if isinstance(value, (overages.Balance, timedelta)):
        return f"{type(value).__name__}()"
    return "{}" if isinstance(value, Mapping) else getattr(value, "__qualname__", repr(value))


def test_the_reference_names_every_error() -> None:
    reference = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    public = [
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, errors.OveragesError)
        if not name.startswith("_") and thing is not errors.OveragesError
    ]
    assert [name for name in public if f"| `{name}` |" not in reference] == []


def test_the_reference_names_every_column_of_every_table_in_order() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    tables = [row[0] for row in connection.execute("SELECT name FROM pragma_table_list()")]
    columns = {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for table in tables
        if table.startswith("org_billing")
    }
    connection.close()
    text = (DOCS / "reference/sqlite.md").read_text(encoding="utf-8")
    documented = {}
    for table, section in re.findall(r"^## `(\w+)`(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL):
        cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        documented[table] = re.findall(r"`(\w+)`", " ".join(cells))
    for table, cell in re.findall(r"^\| `(org_billing_\w+)` \| ([^|]+) \|", text, re.MULTILINE):
        documented[table] = re.findall(r"`(\w+)`", cell)
    assert documented == columns


def test_the_reference_has_each_type_of_json_once_with_all_of_its_keys() -> None:
    text = (DOCS / "reference/json.md").read_text(encoding="utf-8")
    table, terms = re.findall(r"^\| .* keys.*\n\|---.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows, more = list(json_rows(table)), dict(json_rows(terms))
    more["Allowance"] |= more["Plan"]
    documented = {name: keys | more.get(name, set()) for name, keys in rows}
    assert len(rows) == len(documented)
    kinds = refusal(type="Unknown").removeprefix("must be one of ").split(", ")
    known = {kind: refusal(type=kind, no_such_key=None) for kind in kinds}
    assert documented == {
        kind: set(said.split(" are ")[1].split(", ")) for kind, said in known.items()
    }


def json_rows(table: str) -> Iterator[tuple[str, set[str]]]:
    """Yield types with their keys; what is in parentheses says of what form a key is."""
    for names, cell in re.findall(r"^\| ([^|]+) \| (.*) \|$", table, re.MULTILINE):
        keys = set(re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", cell)))
        for name in re.findall(r"\w+", names):
            yield name, keys


def refusal(**given: object) -> str:
    """Return the first problem that the codec finds with a text."""
    with pytest.raises(errors.OveragesError) as raised:
        decode(json.dumps({"version": "1", **given}), object)
    return str(getattr(raised.value.errors[0], "problem", ""))


def test_the_readme_has_commands_that_make_their_own_environment_and_the_index_the_first() -> None:
    commands = [line for body in blocks(ROOT / "README.md", "sh") for line in body.splitlines()]
    install, close, test = commands
    assert install == "python3 -m venv .venv && .venv/bin/pip install -q ."
    assert blocks(DOCS / "index.md", "sh") == [f"{install}\n"]
    assert close.startswith(f"{install} && ")
    assert close.endswith(" && .venv/bin/overages show --db overages.db")
    assert test.startswith("python3 -m venv .venv && ")
    assert test.endswith(" && .venv/bin/python -m pytest")
