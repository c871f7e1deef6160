"""Each life in `tests/life` is as its tables say, and a table that says otherwise is found out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.life import faults_in

LIVES = sorted((Path(__file__).parent / "life").glob("*.md"))
of_each_life = pytest.mark.parametrize("life", LIVES, ids=lambda life: life.stem)


@of_each_life
def test_a_life_is_as_its_tables_say(life: Path) -> None:
    assert faults_in(life.read_text(encoding="utf-8"), life.name) == []


def rows_changed(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text with all numbers of one row of what is due changed, and the row's line."""
    lines, columns = text.splitlines(keepends=True), 0
    for i, line in enumerate(lines):
        cells = line.split("|")
        if line.startswith("| period"):
            columns = len(cells)
        elif not line.startswith("|"):
            columns = 0
        elif columns and not line.startswith("|-"):
            cells[4:8] = [" 7 ", " 7 ", " 7 ", " 7.77 "]
            yield i + 1, "".join([*lines[:i], "|".join(cells), *lines[i + 1 :]])


@of_each_life
def test_a_wrong_cell_is_told_with_its_place_as_expected_and_as_it_is(life: Path) -> None:
    for line, changed in rows_changed(life.read_text(encoding="utf-8")):
        faults = faults_in(changed, life.name)
        for column, number in {"used": "7", "limit": "7", "over": "7", "due": "7.77"}.items():
            told = f"{life.name}:{line}: {column}: expected {number}, got "
            assert [fault for fault in faults if fault.startswith(told)]


@pytest.mark.parametrize(
    ("was", "then", "told"),
    [
        ("| 2024-02 | runs   |                          |", "| 2024-02 | walks  |  |",
         "life.md:32: metric: expected walks, got runs or total"),
        ("| 2024-02 | runs   |                          |", "| 2023-02 | runs   |  |",
         "life.md:32: period: expected 2023-02, got 2024-02 or 2024-03"),
        ("`(310 - 100) x 1.00`: 10.00 more", "`(310 - 100) x 2.00`",
         "life.md:42: why: expected `(310 - 100) x 2.00`, got 420.00"),
    ],
)  # fmt: skip
def test_a_line_a_period_and_a_sum_that_are_wrong_are_told(was: str, then: str, told: str) -> None:
    text = (LIVES[0]).read_text(encoding="utf-8")
    assert text.count(was) >= 1
    assert told in faults_in(text.replace(was, then, 1), "life.md")


def test_a_line_that_a_table_leaves_out_is_told() -> None:
    text = LIVES[0].read_text(encoding="utf-8")
    row = "|         | runs   |      | 25   | 0     | 25   | 25.00 |     |\n"
    assert text.count(row) == 1
    assert faults_in(text.replace(row, ""), "life.md")[0].endswith("got a line more: runs 25.00")


def test_the_documentation_shows_every_life() -> None:
    page = (LIVES[0].parents[2] / "docs/explanation/lives.md").read_text(encoding="utf-8")
    assert [life.name for life in LIVES if f"tests/life/{life.name}" not in page] == []
