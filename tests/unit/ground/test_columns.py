"""Columns: which tables are read, and how texts stand in the cells of spreadsheets."""

import csv
import io
import re

import pytest
from hypothesis import given, strategies as st

from overages._ground.columns import EVENTS, escape_formula, refuse_columns, unescape_formula
from overages.errors import InvalidValue

FORMULAS = [
    ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(1)", "'@SUM(1)"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\uff1d1", "'\uff1d1"),  # full-width
    ("'=1", "''=1"),  # what is written for =1 is another text
    ("acme;=1;x;'-1", "acme;'=1;x;''-1"),
]


@pytest.mark.parametrize(("text", "cell"), FORMULAS)
def test_an_apostrophe_stands_before_what_a_spreadsheet_would_run(text: str, cell: str) -> None:
    assert escape_formula(text) == cell
    assert unescape_formula(cell) == text


@pytest.mark.parametrize("text", ["a=1", "'; DROP TABLE x", "'tis", "", "1-2", "a;b", "a '=1"])
def test_other_texts_stand_as_they_are(text: str) -> None:
    assert escape_formula(text) == unescape_formula(text) == text


@given(st.text("'=+-@;\t a1", max_size=12))
def test_any_text_comes_back_and_begins_no_formula(text: str) -> None:
    cell = escape_formula(text)
    assert unescape_formula(cell) == text
    for begun in re.split(";", cell):
        assert begun[:1] not in set("=+-@\t\r")
    row = io.StringIO()
    csv.writer(row).writerow([cell, "x"])
    assert next(csv.reader(io.StringIO(row.getvalue()))) == [cell, "x"]


def test_a_column_is_named_once() -> None:
    with pytest.raises(InvalidValue, match="must each be named once"):
        refuse_columns(["org_id", "metric", "quantity", "timestamp", "metric"], EVENTS)
