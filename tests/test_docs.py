"""Every example runs: docstrings, README and docs; and every link inside the project leads."""

import doctest
import importlib
import linecache
import pkgutil
import re
import shlex
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree

import pytest

import overages
from overages import errors
from overages.adapters.sqlite import migrate
from overages.commands.desk.completion import commands_of
from overages.commands.desk.outcome import STATUSES
from overages.commands.parser import command_parser, main

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", DOCS / "llms.txt", *DOCS.rglob("*.md")])
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(overages.__path__, "overages.")
    if not info.name.endswith("__main__")
)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(
    r"^ *(?:>>> )?(?:import|from) (pandas|polars|pyarrow|pydantic|fastapi|cattrs|msgspec"
    r"|django|sqlalchemy|alembic|celery)\b",
    re.MULTILINE,
)
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


@pytest.fixture
def unchanged_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let doctest not look, for each docstring anew, whether any file that was read has changed."""
    monkeypatch.setattr(linecache, "checkcache", lambda *_: None)


@pytest.mark.usefixtures("unchanged_files")
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
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
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


def test_the_reference_names_every_error_once() -> None:
    reference = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    public = [
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, errors.OveragesError)
        if not name.startswith("_") and thing is not errors.OveragesError
    ]
    assert sorted(re.findall(r"^\| `([A-Z]\w+)` \|", reference, re.MULTILINE)) == sorted(public)


def test_the_reference_names_every_command_with_its_options_and_every_exit_status() -> None:
    page = (DOCS / "reference/command-line.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (.*?)$(.*?)(?=^###? |\Z)", page, re.MULTILINE | re.DOTALL))
    commands = commands_of(command_parser())
    assert [name for name in sections if name.startswith("overages ")] == [
        f"overages {name}" for name in commands
    ]
    for name, command in commands.items():
        documented = re.findall(r"^\| `(--[\w-]+)", sections[f"overages {name}"], re.MULTILINE)
        options = [option for option in command._option_string_actions if option.startswith("--")]
        assert documented == [option for option in options if option != "--help"]
    for option in command_parser()._option_string_actions:
        assert option == "-h" or f"overages {option}" in page
    statuses = re.findall(r"^ +(\d+) +(.*)$", STATUSES, re.MULTILINE)
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", sections["Exit statuses"], re.MULTILINE)
    assert rows == statuses
    assert len(rows) == 7


def test_the_reference_names_every_column_of_every_table_in_order() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("BEGIN")
    migrate(connection)
    tables = [row[0] for row in connection.execute("SELECT name FROM pragma_table_list()")]
    columns = {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for table in tables
        if table.startswith("org_billing")
    }
    connection.close()
    text = (DOCS / "reference/sqlite.md").read_text(encoding="utf-8")
    documented = []
    for table, section in re.findall(r"^## `(\w+)`(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL):
        cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        documented.append((table, re.findall(r"`(\w+)`", " ".join(cells))))
    for table, cell in re.findall(r"^\| `(org_billing_\w+)` \| ([^|]+) \|", text, re.MULTILINE):
        documented.append((table, re.findall(r"`(\w+)`", cell)))
    assert sorted(documented) == sorted(columns.items())  # each once


def test_the_sidebar_has_the_guides_as_the_index_groups_them() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:run|know|say) [^|]*) \| (.*) \|$", index, re.MULTILINE)
    grouped = {name: re.findall(r"\((how-to/[^)]+)\.md\)", row) for name, row in rows}
    trees = re.findall(r"^:caption: How to (.*)\n:hidden:\n\n([^`]*)```", index, re.MULTILINE)
    assert {name: pages.split() for name, pages in trees} == grouped
    pages = [f"how-to/{page.stem}" for page in (DOCS / "how-to").glob("*.md")]
    assert sorted(page for group in grouped.values() for page in group) == sorted(pages)


def test_readme_and_index_begin_with_commands_that_make_an_environment() -> None:
    commands = [line for body in blocks(ROOT / "README.md", "sh") for line in body.splitlines()]
    install, close, test = commands
    assert install == "python3 -m venv .venv && .venv/bin/pip install -q ."
    assert blocks(DOCS / "index.md", "sh") == [f"{install}\n"]
    assert close.startswith(f"{install} && ")
    assert close.endswith(" && .venv/bin/overages show --db overages.db")
    assert test.startswith("python3 -m venv .venv && ")
    assert test.endswith(" && .venv/bin/python -m pytest -n auto")
