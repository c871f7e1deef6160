"""Every notebook runs from top to bottom, and shows what is kept of its last run."""

from pathlib import Path

import pytest

for library in ("ipykernel", "matplotlib", "nbclient", "nbformat", "pandas", "polars", "pyarrow"):
    pytest.importorskip(library)  # optional: without them, the tests here are skipped

import nbformat  # noqa: E402

from tests.notebooks import NOTEBOOKS, read, run, shown  # noqa: E402

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@each_notebook
def test_a_notebook_is_valid_and_was_run_in_order(path: Path) -> None:
    book = read(path)
    nbformat.validate(book)
    counts = [cell.execution_count for cell in book.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.filterwarnings("default")  # of what runs it, not of what it runs
@each_notebook
def test_a_notebook_shows_what_is_kept_of_it(path: Path) -> None:
    book = run(path)
    assert list(shown(book)) == list(shown(read(path))), "python -m tests.notebooks keeps the new"
    texts = [out.get("text", "") for cell in book.cells for out in cell.get("outputs", ())]
    assert [text for text in texts if "Warning:" in text] == []
