"""The tables of the reference are those that follow from the code of today."""

import importlib.util
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = load()


@pytest.mark.parametrize("page", TABLES.PAGES)
def test_a_page_is_what_the_script_writes(page: str) -> None:
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    assert text == TABLES.PAGES[page](text), "python docs/tables.py writes it anew"


def test_a_default_is_written_as_the_value_that_it_is() -> None:
    def clocked(grace: object = timedelta(), ahead: object = timedelta(days=1, hours=6)) -> None:
        """Have times as defaults."""

    written = TABLES.arguments_of(clocked)
    assert written == "grace=timedelta(), ahead=timedelta(days=1, seconds=21600)"


def test_calls_of_the_reference_are_found_and_keys_are_marked() -> None:
    pages = {page: (DOCS / "reference" / page).read_text(encoding="utf-8") for page in TABLES.PAGES}
    assert len(TABLES.CALL.findall(pages["api.md"])) > 50
    for page in ("files.md", "json.md"):
        assert pages[page].count("### ") > 10
