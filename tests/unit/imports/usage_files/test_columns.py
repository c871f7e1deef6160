"""The columns of a usage file, found in its header."""

from typing import Any

import pytest

from overages.errors import OveragesError
from overages.imports.usage_files.columns import find_columns
from overages.imports.usage_files.layout import UsageLayout

OWN = ["org_id", "metric", "quantity", "timestamp"]
OTHERS = 'others are passed over with extra = "ignore" under [usage]'


def faults(header: list[str], **layout: Any) -> list[str]:
    with pytest.raises(OveragesError) as caught:
        find_columns(header, UsageLayout(**layout))
    return [str(error) for error in caught.value.errors]


def test_columns_are_found_in_any_order() -> None:
    columns = find_columns(["dimension.b", *reversed(OWN), "dimension.a"], UsageLayout())
    assert (columns.org_id, columns.metric, columns.quantity, columns.timestamp) == (4, 3, 2, 1)
    assert (columns.event_id, columns.metrics) == (None, {})
    assert list(columns.dimensions.items()) == [("a", 5), ("b", 0)]


def test_columns_are_found_by_the_names_of_a_layout() -> None:
    layout = UsageLayout(
        columns={"timestamp": "Day"},
        org_id="acme",
        metrics={"in": "Tokens in", "out": "Tokens out"},
        dimensions={"model": "Model", "day": "Day"},
    )
    columns = find_columns(["Day", "Model", "Tokens out", "Tokens in", "event_id"], layout)
    assert (columns.org_id, columns.metric, columns.quantity) == (None, None, None)
    assert (columns.timestamp, columns.event_id) == (0, 4)
    assert columns.metrics == {"in": 3, "out": 2}
    assert columns.dimensions == {"day": 0, "model": 1}


def test_constants_need_no_column() -> None:
    layout = UsageLayout(org_id="acme", metric="requests", quantity=1)
    columns = find_columns(["timestamp"], layout)
    assert (columns.org_id, columns.metric, columns.quantity) == (None, None, None)


@pytest.mark.parametrize("other", [";", "\t", "|"])
def test_another_separator_is_one_message_with_the_cure(other: str) -> None:
    line = other.join(OWN)
    written = {"\t": "\\t"}.get(other, other)
    assert faults([line]) == [
        f"columns: must be separated by ',', not by {other!r}; if they are, write separator = "
        f'"{written}" under [usage], got {line!r}'
    ]
    (message,) = faults([f"{line}{other}a b", " c"])  # with a comma in one of the names
    assert "must be separated by ','" in message


def test_a_comma_is_told_where_the_layout_says_otherwise() -> None:
    assert faults([",".join(OWN)], separator=";")[0].startswith(
        "columns: must be separated by ';', not by ','; if they are, write separator = \",\""
    )


def test_names_in_capitals_or_with_spaces_are_one_message() -> None:
    header = ["ORG_ID", "Metric", " quantity ", "Time Stamp", "EventID", "dimension.region"]
    assert faults(header) == [
        "columns: must be named 'org_id', not 'ORG_ID', 'metric', not 'Metric', "
        "'quantity', not ' quantity ', 'timestamp', not 'Time Stamp', 'event_id', not 'EventID'; "
        'or write columns = { org_id = "ORG_ID", metric = "Metric", quantity = " quantity ", '
        'timestamp = "Time Stamp", event_id = "EventID" } under [usage], '
        "got ['ORG_ID', 'Metric', ' quantity ', 'Time Stamp', 'EventID', 'dimension.region']"
    ]


def test_a_misspelt_event_id_is_never_passed_over() -> None:
    (message,) = faults([*OWN, "eventid"], extra="ignore")
    assert message.startswith("columns: must be named 'event_id', not 'eventid'; or write ")


def test_a_misspelt_column_of_a_layout_is_named() -> None:
    (message,) = faults(["team", *OWN[1:3], "AT"], columns={"org_id": "Team", "timestamp": "at"})
    assert "must be named 'Team', not 'team', 'at', not 'AT'; or write columns" in message
    (message,) = faults([*OWN, "MODEL"], dimensions={"model": "Model"})
    assert message.startswith("columns: must be named 'Model', not 'MODEL', got [")


def test_a_missing_column_is_told_with_the_nearest_one() -> None:
    header = ["org", *OWN[1:]]
    assert faults(header) == [
        "columns: must have org_id (did you mean 'org'?); if so, write columns = "
        f'{{ org_id = "org" }} under [usage], got {header}'
    ]
    assert faults(OWN[:3]) == [
        "columns: must have timestamp; other names are said under [usage], "
        "got ['org_id', 'metric', 'quantity']"
    ]


def test_a_missing_column_of_a_layout_is_told() -> None:
    layout: Any = {"metrics": {"in": "tokens_in"}, "dimensions": {"model": "model"}}
    (message,) = faults(["org_id", "timestamp", "token_in"], **layout)
    assert message.startswith(
        "columns: must have tokens_in (did you mean 'token_in'?), model; other names are said "
    )
    (message,) = faults(OWN, columns={"event_id": "id"})
    assert message.startswith("columns: must have id; other names are said under [usage], got ")


def test_a_header_of_which_nothing_is_known_is_one_message() -> None:
    (message,) = faults(["a", "b", "c"])
    assert message.startswith("columns: must have org_id, metric, quantity, timestamp; other ")


def test_unknown_columns_are_refused_together() -> None:
    named = "org_id, metric, quantity, timestamp, event_id, dimension.<name>"
    assert faults([*OWN, "note"]) == [f"columns: must be among {named}; {OTHERS}, got 'note'"]
    assert faults([*OWN, "", "even_id"]) == [
        f"columns: must be among {named} (did you mean 'event_id'?); {OTHERS}, got ['', 'even_id']"
    ]
    assert faults([*OWN, "dimension."])[0].endswith("got 'dimension.'")


def test_unknown_columns_are_passed_over_where_the_layout_says_so() -> None:
    columns = find_columns(["note", "note", *OWN, ""], UsageLayout(extra="ignore"))
    assert columns.org_id == 2


def test_a_column_of_what_is_said_for_all_rows_is_unknown() -> None:
    (message,) = faults(OWN, metric="tokens")
    assert message.startswith("columns: must be among org_id, quantity, timestamp, event_id, dim")
    assert message.endswith("got 'metric'")


def test_a_column_that_is_read_is_there_once() -> None:
    assert faults([*OWN, "metric", "dimension.a", "dimension.a"]) == [
        "columns: must each be named once, got 'metric'",
        "columns: must each be named once, got 'dimension.a'",
    ]


def test_a_dimension_has_one_column_and_a_good_name() -> None:
    assert faults([*OWN, "dimension.model", "Model"], dimensions={"model": "Model"}) == [
        "columns: must be the only column of dimension model, got 'dimension.model'"
    ]
    assert faults([*OWN, "dimension.a  b"]) == [
        "columns: must not have a space at an end, or two in a row, got 'a  b'"
    ]
    columns = find_columns([*OWN, "dimension.m"], UsageLayout(dimensions={"m": "dimension.m"}))
    assert columns.dimensions == {"m": 4}


def test_a_dimension_column_that_says_the_org_is_no_dimension() -> None:
    layout = UsageLayout(columns={"org_id": "dimension.team"})
    assert not find_columns(["dimension.team", *OWN[1:]], layout).dimensions


def test_a_hundred_dimensions_are_enough() -> None:
    header = [*OWN, *(f"dimension.d{i}" for i in range(101))]
    assert faults(header) == ["columns: must have at most 100 dimensions, got 101"]


def test_a_header_with_nul_is_of_another_encoding() -> None:
    (message,) = faults(["o\0r\0g\0", "x"])
    assert message.startswith("columns: must hold no NUL; if the file is in UTF-16, write encoding")
