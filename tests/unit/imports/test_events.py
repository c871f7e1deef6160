"""Usage events from CSV."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.told import told

from overages import UsageEvent
from overages.errors import InvalidValue, OveragesError
from overages.imports.events import read_events

HEADER = "org_id,metric,quantity,timestamp,event_id"
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


def test_a_timestamp_without_a_zone_is_in_the_one_that_is_given() -> None:
    rows = [HEADER, "org-1,tokens,1,2024-02-01T13:00:00,e1"]
    ((_, event),) = read_events(rows, ZoneInfo("Europe/Paris"))
    assert event == UsageEvent("org-1", "tokens", 1, AT, "e1")


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


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "org-1,tokens,1e3,2024-02-01T12:00:00,e",
            [
                "quantity: must be a plain decimal number such as 12.5, got '1e3'",
                "timestamp: must have a timezone, such as a Z at its end, "
                "got '2024-02-01T12:00:00'",
            ],
        ),
        (",tokens,1,2024-02-01T12:00:00Z,e", ["org_id: must not be empty, got ''"]),
        ("a,b,1", ["row: must have 5 fields, has 3, got ['a', 'b', '1']"]),
        (
            "org-\udcff,tokens,1,2024-02-01T12:00:00Z,e",
            ["org_id: must not hold a lone surrogate (U+DCFF), got 'org-\\udcff'"],
        ),
    ],
)
def test_what_is_wrong_with_a_row_is_said(row: str, expected: list[str]) -> None:
    assert faults(row) == expected


def test_a_row_that_is_no_csv_is_an_error_and_the_next_one_is_read() -> None:
    good = "org-1,tokens,1,2024-02-01T12:00:00Z,e1"
    found = list(read_events([HEADER, '"a"b,tokens,1,x,y', good]))
    assert [line for line, _ in found] == [2, 3]
    assert str(found[0][1]).startswith("row: must be readable as CSV")
    assert isinstance(found[1][1], UsageEvent)


def test_blank_lines_hold_nothing_and_count_as_lines() -> None:
    good = "org-1,tokens,1,2024-02-01T12:00:00Z,e1"
    assert [line for line, _ in read_events([HEADER, "", good])] == [3]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("", "must have org_id"),
        (
            HEADER.replace("event_id", "eventid"),
            "must be among .*event_id, dimension.<name> .did you mean 'event_id'.., got 'eventid'",
        ),
        (HEADER + ",dimensions", "must be among .*, got 'dimensions'"),
        (HEADER + ",dimension.", "must be among .*, got 'dimension.'"),
        (
            HEADER.replace("org_id", "org"),
            r"must be among .* \(did you mean 'org_id'\?\), got 'org'",
        ),
        (HEADER.replace(",", ";"), "must be separated by commas, not by ';', got 'org_id;metric"),
        (HEADER + ",metric", "must each be named once"),
    ],
)
def test_a_header_that_names_other_columns_is_refused(header: str, problem: str) -> None:
    with pytest.raises(OveragesError) as caught:
        list(read_events([header] if header else []))
    assert re.search(problem, told(caught.value))
