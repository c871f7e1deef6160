"""The page about projections has the figures and the picture of today."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from tests.benchmarks.projecting import DAYS, HEAD, months_of, row
from tests.benchmarks.shapes import SHAPES, trace_usage

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/explanation/projection.md").read_text("utf-8")
TABLE = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]


def test_the_table_has_each_shape_on_each_day_and_the_trace() -> None:
    assert HEAD in TABLE
    named = [(cells[0], cells[1]) for cells in TABLE if len(cells) == len(HEAD)][1:]
    shapes = [*SHAPES, "Azure trace"]
    assert named == [(shape, str(day)) for shape in shapes for day in DAYS]


@pytest.mark.parametrize(("shape", "day"), [("weekly", 15), ("intermittent", 0)])
def test_a_row_is_what_the_benchmark_prints(shape: str, day: int) -> None:
    assert row(shape, day, months_of(shape)) in TABLE


def test_the_picture_shows_the_table_of_today() -> None:
    drawn = runpy.run_path(str(ROOT / "docs/pictures/projection.py"))["draw"]()
    picture = (ROOT / "docs/static/projection.svg").read_text("utf-8")
    assert picture == drawn, "python docs/pictures/projection.py draws it anew"
    assert len(re.findall('class="choice"', drawn)) == len(SHAPES) + 2  # the trace, and the key


def test_a_trace_is_dealt_over_orgs_in_days_of_ten_seconds() -> None:
    """Two requests of a second are of one day and two orgs; one after five minutes ends January."""
    rows = [
        "TIMESTAMP,ContextTokens,GeneratedTokens",
        "2023-11-16 18:17:03.9799600,4808,10",
        "2023-11-16 18:17:04.0319600,3180,8",
        "2023-11-16 18:22:14.0000000,100,7",
    ]
    of_orgs = trace_usage(rows, orgs=2)
    assert [[usage.picos[0] // 10**12 for usage in months] for months in of_orgs] == [
        [4808], [3180], [10], [8],
    ]  # fmt: skip
    assert len(of_orgs[0][0].dates) == 31
