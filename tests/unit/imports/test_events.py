"""Usage events from CSV."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.told import told

from overages import UsageEvent
from overages.errors import EmptyFile, InvalidValue, OveragesError
from overages.imports.events import read_events
from overages.imports.usage_files.layout import UsageLayout

HEADER = "org_id,metric,quantity,timestamp,event_id"
GOOD = "org-1,tokens,1,2024-02-01T12:00:00Z,e1"
AT = datetime(2024, 2, 1, 12, tzinfo=UTC)


def faults(row: str) -> list[str]:
    ((line, error),) = read_events([HEADER, row])
    assert line == 2
    assert isinstance(error, OveragesError)
    return [str(part) for part in error.errors]


def test_a_row_is_an_event() -> None:
    rows = [HEADER, "org-1,tokens,10.50,2024-02-01T12:00:00Z,e1"]
    assert list(read_events(rows)) == [(2, UsageEvent("org-1", "tokens", "10.5", AT, "e1"))]


def test_columns_may_be_in_any_order_and_event_ids_missing() -> None:
    rows = ["timestamp,quantity,metric,org_id", "2024-02-01 12:00:00.0000000Z,-3,tokens,org-1"]
    assert list(read_events(rows)) == [(2, UsageEvent("org-1", "tokens", -3, AT))]


def test_an_empty_event_id_is_none() -> None:
    ((_, event),) = read_events([HEADER, "org-1,tokens,1,2024-02-01T12:00:00Z,"])
    assert event == UsageEvent("org-1", "tokens", 1, AT)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ('"org_id"x,metric', "',' expected after"),
        ('"org_id,metric', "unexpected end of data"),
        ("x" * 200_000, "field larger than field limit"),
    ],
    ids=range(3),
)
def test_a_header_that_is_no_csv_is_refused(header: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        list(read_events([header]))
    assert (caught.value.field, caught.value.problem) == ("columns", "must be readable as CSV")
    assert problem in str(caught.value.value)


@pytest.mark.parametrize("lines", [[], [""], ["\r\n", "\n"]])
def test_a_file_without_a_header_is_an_error_of_its_own(lines: list[str]) -> None:
    problem = "must have a header that names them, such as org_id,metric,quantity,timestamp"
    with pytest.raises(EmptyFile, match=f"^columns: {problem},event_id, got ''$"):
        list(read_events(lines))
    layout = UsageLayout(columns={"org_id": "team"}, metrics={"t": "tokens"}, separator=";")
    with pytest.raises(EmptyFile, match=r" such as team;timestamp;event_id;tokens, got ''$"):
        list(read_events(lines, layout))


def test_a_header_alone_has_no_events() -> None:
    assert list(read_events([HEADER])) == []


def test_the_apostrophe_before_a_formula_is_no_part_of_a_text() -> None:
    rows = [f"{HEADER},dimension.x", "'=1,'-2,-3,2024-02-01T12:00:00Z,''@e,'tis;'+1"]
    ((_, event),) = read_events(rows)
    assert event == UsageEvent("=1", "-2", -3, AT, "'@e", {"x": "'tis;+1"})


def test_a_column_for_each_dimension_may_be_empty_in_a_row() -> None:
    rows = [
        f"dimension.region,{HEADER},dimension.dimension.x",
        "eu,org-1,tokens,1,2024-02-01T12:00:00Z,e1,a",
        ",org-1,tokens,1,2024-02-01T12:00:00Z,e2,",
    ]
    assert [event for _, event in read_events(rows)] == [
        UsageEvent("org-1", "tokens", 1, AT, "e1", {"region": "eu", "dimension.x": "a"}),
        UsageEvent("org-1", "tokens", 1, AT, "e2"),
    ]


def test_events_are_as_if_they_were_made_by_hand() -> None:
    rows = [f"{HEADER},dimension.z,dimension.a", f"{GOOD},1,2", f"{GOOD},,x y"]
    for _, event in read_events(rows):
        assert isinstance(event, UsageEvent)
        by_hand = UsageEvent("org-1", "tokens", 1, AT, "e1", dict(event.dimensions))
        assert (event, repr(event), hash(event)) == (by_hand, repr(by_hand), hash(by_hand))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "org-1,tokens,1e,2024-02-01T12:00:00,e",
            [
                "quantity: must be a plain decimal number such as 12.5, got '1e'",
                "timestamp: must have a timezone, such as a Z at its end; if all are of one, write "
                "timezone = \"UTC\" (or its name) under [usage], got '2024-02-01T12:00:00'",
            ],
        ),
        (",tokens,1,2024-02-01T12:00:00Z,e", ["org_id: must not be empty, got ''"]),
        ("a,b,1", ["row: must have 5 fields, has 3, got ['a', 'b', '1']"]),
        (
            "org-\udcff,tokens,1,2024-02-01T12:00:00Z,e",
            ["org_id: must not hold a lone surrogate (U+DCFF), got 'org-\\udcff'"],
        ),
        (
            "org-1,tok\0ens,1,2024-02-01T12:00:00Z,e",
            ["metric: must not hold a control character (U+0000), got 'tok\\x00ens'"],
        ),
        (
            "org-1,tokens,1,2023-02-29T12:00:00Z,e",
            [
                "timestamp: must be a real date and time (day is out of range for month), "
                "got '2023-02-29T12:00:00Z'"
            ],
        ),
        (
            f"org-1,tokens,{'9' * 27},2024-02-01T12:00:00Z,e",
            [f"quantity: must have at most 26 integer digits, got '{'9' * 27}'"],
        ),
    ],
)
def test_the_faults_of_a_row_are_told_together(row: str, expected: list[str]) -> None:
    assert faults(row) == expected


def test_a_cell_that_holds_a_line_break_is_one_cell() -> None:
    row = 'org-1,tokens,"5\n6","2024-02-01T12:00:00Z\n2024-02-01T12:00:00Z","e\ne"'
    ((line, error), (next_line, event)) = read_events([HEADER, *row.splitlines(True), "\n", GOOD])
    assert (line, next_line) == (2, 7)
    assert isinstance(error, OveragesError)
    assert [part.field for part in error.errors] == ["quantity", "timestamp", "event_id"]
    assert isinstance(event, UsageEvent)


def test_a_row_that_is_no_csv_is_an_error_and_the_next_one_is_read() -> None:
    seen = list(read_events([HEADER, GOOD, '"a"b,tokens,1,x,y', GOOD]))
    assert [line for line, _ in seen] == [2, 3, 4]
    assert str(seen[1][1]).startswith("row: must be readable as CSV, got ")
    assert all(isinstance(seen[i][1], UsageEvent) for i in (0, 2))


def test_a_quote_that_is_not_closed_is_named_by_the_line_that_it_begins_in() -> None:
    lines = [f"{line}\n" for line in (HEADER, GOOD, f'"{GOOD}', GOOD, GOOD)]
    (_, (line, error)) = read_events(lines)
    assert line == 3
    assert str(error) == (
        "row: must be readable as CSV; a quote that isn't closed takes in the lines up to 5, "
        "got 'unexpected end of data'"
    )


def test_a_quote_that_another_one_closes_is_named_as_well() -> None:
    lines = [f"{line}\n" for line in (HEADER, f'"{GOOD}', GOOD, f'"{GOOD}"', GOOD)]
    ((line, error), (next_line, event)) = read_events(lines)
    assert (line, next_line) == (2, 5)
    assert "takes in the lines up to 4" in str(error)
    assert isinstance(event, UsageEvent)


def test_rows_of_empty_cells_hold_nothing_and_count_as_lines() -> None:
    rows = ["", HEADER, "\r\n", ",,,,\r\n", f"{GOOD}\r\n", ",\r\n", GOOD]
    assert [line for line, _ in read_events(rows)] == [5, 7]


def test_rows_are_told_by_their_lines_through_batches() -> None:
    rows = [GOOD if i % 700 else "" if i % 1400 else "a,b" for i in range(2, 3_000)]
    events = read_events([HEADER, *rows])
    is_good = [(line, isinstance(event, UsageEvent)) for line, event in events]
    assert is_good == [(i, bool(i % 700)) for i in range(2, 3_000) if i % 700 or not i % 1400]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (HEADER + ",dimensions", "must be among .*, got 'dimensions'"),
        (HEADER + ",metric", "must each be named once"),
    ],
)
def test_a_header_that_names_other_columns_is_refused(header: str, problem: str) -> None:
    with pytest.raises(OveragesError) as caught:
        list(read_events([header]))
    assert re.search(problem, told(caught.value))


def test_events_are_read_as_they_are_asked_for() -> None:
    def lines() -> Iterator[str]:
        yield HEADER
        for _ in range(256):
            yield GOOD
        raise AssertionError("not asked for yet")

    events = read_events(lines())
    assert [next(events)[0] for _ in range(256)] == list(range(2, 258))


def test_the_separator_is_that_of_the_layout() -> None:
    rows = [line.replace(",", "\t") for line in (HEADER, GOOD)]
    assert list(read_events(rows, UsageLayout(separator="\t"))) == list(read_events([HEADER, GOOD]))


def test_the_examples_of_the_project_are_read() -> None:
    lines = (Path(__file__).parents[3] / "examples/usage.csv").read_text("utf-8").splitlines()
    assert all(isinstance(event, UsageEvent) for _, event in read_events(lines))
