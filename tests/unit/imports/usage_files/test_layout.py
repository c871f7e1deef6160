"""The layout of usage files, as a value and as the table of a TOML file."""

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from overages.errors import OveragesError
from overages.imports.plan_files.toml import forms_in
from overages.imports.usage_files.layout import UsageLayout

GUIDE = (Path(__file__).parents[4] / "docs/how-to/read-your-export.md").read_text("utf-8")
FORM = forms_in(None).object(UsageLayout)


def test_a_layout_is_read_from_a_table_of_toml() -> None:
    text = """
    columns = { org_id = "Team", timestamp = "Day" }
    metrics = { tokens_in = "in", tokens_out = "out" }
    dimensions = { model = "Model" }
    extra = "ignore"
    timezone = "Europe/Paris"
    separator = "\\t"
    encoding = "latin1"
    """
    layout = UsageLayout(
        columns={"org_id": "Team", "timestamp": "Day"},
        metrics={"tokens_in": "in", "tokens_out": "out"},
        dimensions={"model": "Model"},
        extra="ignore",
        timezone="Europe/Paris",
        separator="\t",
        encoding="iso-8859-1",
    )
    assert FORM.read(tomllib.loads(text, parse_float=Decimal), "usage") == layout
    assert FORM.read(FORM.write(layout, "usage"), "usage") == layout


@pytest.mark.parametrize("table", re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.M | re.S))
def test_a_layout_of_the_guide_is_one(table: str) -> None:
    assert FORM.read(tomllib.loads(table)["usage"], "usage") != UsageLayout()


@pytest.mark.parametrize("cell", re.findall(r"^\| [^|]+ \| (`[a-z_]+ = .*) \|$", GUIDE, re.M))
def test_each_way_of_the_guide_is_one(cell: str) -> None:
    lines = re.findall("`([^`]+)`", cell)
    key = lines[0].partition(" =")[0]
    for line in lines:
        table = tomllib.loads(line if " = " in line else f"{key} = {line}")
        assert FORM.read(table, "usage") != UsageLayout()


def test_an_empty_table_is_the_own_layout() -> None:
    assert FORM.read({}, "usage") == UsageLayout()
    assert repr(UsageLayout()) == "UsageLayout()"


def test_a_key_that_is_not_known_is_refused_with_a_hint() -> None:
    with pytest.raises(OveragesError, match=r"^usage\.seperator: isn't known .*'separator'"):
        FORM.read({"seperator": ";"}, "usage")


def test_columns_have_our_names_unless_they_are_said() -> None:
    layout = UsageLayout(columns={"org_id": "team"})
    assert [layout.column_of(name) for name in ("org_id", "metric")] == ["team", "metric"]


def test_a_constant_is_read_as_the_terms_of_an_event_are() -> None:
    layout = UsageLayout(org_id="acme", metric="requests", quantity="1.0")
    assert (layout.org_id, layout.metric, layout.quantity) == ("acme", "requests", 1)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (
            {"metrics": {"a": "x"}, "metric": "b", "quantity": 3},
            [
                "metric: must be left out, as metrics has a column for each metric, got 'b'",
                "quantity: must be left out, as metrics has a column for each metric, got 3",
            ],
        ),
        (
            {"metrics": {"a": "x"}, "columns": {"metric": "m", "quantity": "q"}},
            [
                "columns.metric: must be left out, as metrics has a column for each metric, "
                "got 'm'",
                "columns.quantity: must be left out, as metrics has a column for each metric, "
                "got 'q'",
            ],
        ),
        (
            {"columns": {"org_id": "o", "metric": "m", "quantity": "q"}, "org_id": "acme",
             "metric": "b", "quantity": 1},
            [
                "org_id: must be left out, as columns has one that says it, got 'acme'",
                "metric: must be left out, as columns has one that says it, got 'b'",
                "quantity: must be left out, as columns has one that says it, got 1",
            ],
        ),
        (
            {"columns": {"org_id": "x", "timestamp": "y"}, "metrics": {"a": "x", "b": "z"}},
            [
                "columns.org_id: must be named once, got 'x'",
                "metrics.a: must be named once, got 'x'",
            ],
        ),
        (
            {"timestamp": "epoch_seconds", "timezone": "UTC"},
            ["timezone: must be left out, as epoch_seconds are of no timezone, got 'UTC'"],
        ),
        (
            {"columns": {"org": "x", "event_id": ""}},
            ["columns.event_id: must not be empty, got ''"],
        ),
        (
            {"columns": {"org": "x"}},
            [
                "columns.org: must be one of org_id, metric, quantity, timestamp, event_id "
                "(did you mean 'org_id'?), got 'org'"
            ],
        ),
        ({"metrics": {"": "x"}}, ["metrics.<metric>: must not be empty, got ''"]),
        ({"metrics": {"a": 5}}, ["metrics.a: must be a str, the name of a column, got 5"]),
        (
            {"dimensions": {f"d{i}": f"c{i}" for i in range(101)}},
            ["dimensions: must be at most 100, got 101"],
        ),
        ({"quantity": 0}, ["quantity: must be more than zero, got 0"]),
        (
            {"extra": "keep", "timestamp": "unix"},
            [
                "extra: must be one of refuse, ignore, got 'keep'",
                "timestamp: must be one of iso, epoch_seconds, epoch_milliseconds, got 'unix'",
            ],
        ),
        ({"separator": 5}, ["separator: must be a str of one character, got 5"]),
        *(
            ({"separator": text},
             [f'separator: must be one character, such as ";" or "\\t", got {text!r}'])
            for text in ("", ";;", '"', "\n")
        ),
        ({"encoding": 5}, ["encoding: must be a str, the name of an encoding, got 5"]),
        *(
            ({"encoding": text},
             ['encoding: must be an encoding, such as "utf-8", "utf-16", "latin-1" or "cp1252", '
              f"got {text!r}"])
            for text in ("utf-9", "hex", "undefined", "a\0b")
        ),
    ],
)  # fmt: skip
def test_all_faults_of_a_layout_are_told(terms: Any, expected: list[str]) -> None:
    with pytest.raises(OveragesError) as caught:
        UsageLayout(**terms)
    assert [str(error) for error in caught.value.errors] == expected
