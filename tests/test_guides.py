"""What the guides for contributors build is built here, from their pages, and tested.

A block of code with a caption is a file: what stands under ``src/`` becomes a module of the library
for as long as the tests run, what stands under ``tests/`` is tests of it, collected here.
"""

import doctest
import linecache
import re
import sys
from pathlib import Path
from shutil import which
from subprocess import run
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "contributing"
FILE = re.compile(r"^```\{code-block\} python\n:caption: (\S+)\n\n(.*?)^```$", re.M | re.S)
PLACE = re.compile(r"^\| `([^`]+\.(?:py|md))` \|.*", re.MULTILINE)
TEST = re.compile(r"test_|Test")


def build(guide: str) -> dict[str, ModuleType]:
    """Return the modules of a guide's files, by path, each imported as if it were there."""
    built = {}
    for path, code in FILE.findall((GUIDES / guide).read_text(encoding="utf-8")):
        name = ".".join(Path(path).with_suffix("").parts).removeprefix("src.")
        module = built[path] = sys.modules[name] = ModuleType(name)
        shown = f"<{guide}: {path}>"  # in brackets: no file for coverage to look for
        linecache.cache[shown] = len(code), None, code.splitlines(keepends=True), shown
        exec(compile(code, shown, "exec"), vars(module))
    return built


def unhurried(test: Any) -> Any:
    """Return a test as it is, however slow the machine is if it is a property."""
    slowly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return slowly(test) if is_hypothesis_test(test) else test


BUILT = {guide: build(guide) for guide in ("add-a-price-model.md", "add-an-adapter.md")}
FILES = [(path, module) for files in BUILT.values() for path, module in files.items()]
MODULES = [module for path, module in FILES if path.startswith("src/")]
for path, module in FILES:
    if path.startswith("tests/"):
        globals().update({n: unhurried(t) for n, t in vars(module).items() if TEST.match(n)})


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_what_a_guide_builds_run(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("guide", BUILT)
def test_a_guide_builds_a_module_and_its_tests(guide: str) -> None:
    folders = {path.split("/")[0] for path in BUILT[guide]}
    assert folders == {"src", "tests"}
    assert not any((ROOT / path).exists() for path in BUILT[guide])


@pytest.mark.skipif(which("ruff") is None, reason="it comes with the linter, ruff")
@pytest.mark.parametrize("guide", BUILT)
def test_what_a_guide_builds_passes_the_linter(guide: str) -> None:
    ours = "lint.isort.known-first-party=['overages', 'tests']"  # the files aren't there to be seen
    for path, code in FILE.findall((GUIDES / guide).read_text(encoding="utf-8")):
        command = ["ruff", "check", "--no-cache", "--config", ours, "--stdin-filename", path, "-"]
        checked = run(command, check=False, input=code, capture_output=True, text=True, cwd=ROOT)
        assert checked.returncode == 0, checked.stdout


def test_the_places_of_a_price_model_are_where_the_others_have_theirs() -> None:
    text = (GUIDES / "add-a-price-model.md").read_text(encoding="utf-8")
    places = PLACE.findall(text)
    assert 5 < len(places) < 10
    for place in places:
        written = (ROOT / place).read_text(encoding="utf-8")
        assert re.search(r"PerUnit|per_unit", written), place


def test_what_is_stable_covers_all_that_an_adapter_is_made_of() -> None:
    stable = (ROOT / "docs/explanation/compatibility.md").read_text(encoding="utf-8")
    section = stable.split("## What an adapter is made of")[1].split("\n## ")[0]
    code = "\n".join(text for _, text in FILE.findall((GUIDES / "add-an-adapter.md").read_text()))
    own = {"overages", "overages.errors", "overages.adapters.jsonfile"}  # public, and the guide's
    imports = re.findall(r"^from (overages\S*) import (.*)$", code, re.MULTILINE)
    names = {name for module, line in imports for name in line.split(", ") if module not in own}
    assert {"BaseRepository", "Ledger", "RepositoryContract"} <= names
    assert sorted(name for name in names if f"`{name}`" not in section) == []
