"""The instants of usage files."""

from datetime import UTC, datetime
from typing import Any

import pytest

from overages.imports.usage_files.cells import Cells, Faults
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.times import instant_parser, instant_ways

NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)
ODD = ""  # a cell that no way reads, by which all others are read one by one


def read(cells: list[str], layout: UsageLayout) -> tuple[list[Any], list[str]]:
    """Return the instants of cells, and the faults: of all at once as of each alone."""
    parse, ways = instant_parser(layout), instant_ways(layout)
    results = []
    for batch in (cells, [*cells, ODD]):
        faults: Faults = {}
        instants = Cells(["at"], 0, parse, ways).read_cells(batch, faults)[: len(cells)]
        faults.pop(len(cells), None)
        told = [str(error) for errors in faults.values() for error in errors]
        results.append((list(instants), told))
    assert results[0] == results[1]
    return results[0]


def instant(cell: str, **layout: Any) -> datetime:
    ((moment,), faults) = read([cell], UsageLayout(**layout))
    assert faults == []
    assert isinstance(moment, datetime)
    assert moment.tzinfo is UTC
    assert moment.fold == 0
    return moment


def fault(cell: str, **layout: Any) -> str:
    ((moment,), (message,)) = read([cell], UsageLayout(**layout))
    assert moment is None
    return message


@pytest.mark.parametrize(
    "cell",
    [
        "2024-02-01T12:00:00Z", "2024-02-01 12:00:00.0000009Z", "2024-02-01T13:00:00+01:00",
        "2024-02-01T12:00Z", "2024-02-01T12:00:00,000Z",
    ],
)  # fmt: skip
def test_an_iso_time_with_a_zone_needs_no_other(cell: str) -> None:
    for zone in (None, "UTC", "Europe/Paris"):
        assert instant(cell, timezone=zone) == NOON


@pytest.mark.parametrize(
    ("cell", "zone", "expected"),
    [
        ("2024-02-01T13:00:00", "Europe/Paris", NOON),
        ("2024-02-01 12:00:00.000", "UTC", NOON),
        ("2024-02-01", "UTC", datetime(2024, 2, 1, tzinfo=UTC)),
        ("2024-02-01", "Europe/Paris", datetime(2024, 1, 31, 23, tzinfo=UTC)),
        # Where clocks are set back, the earlier one
        ("2024-10-27T02:30:00", "Europe/Paris", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
    ],
)
def test_times_without_a_zone_and_dates_are_of_the_layouts(
    cell: str, zone: str, expected: datetime
) -> None:
    assert instant(cell, timezone=zone) == expected


@pytest.mark.parametrize("cell", ["2024-02-01T13:00:00", "2024-02-01"])
def test_times_without_a_zone_and_dates_are_errors_without_one(cell: str) -> None:
    assert fault(cell) == (
        "at: must have a timezone, such as a Z at its end; if all are of one, write timezone = "
        f'"UTC" (or its name) under [usage], got {cell!r}'
    )


def test_an_instant_before_all_time_is_refused() -> None:
    message = fault("0001-01-01T00:00:00", timezone="Asia/Tokyo")
    assert message.startswith("at: must be within the years 1 to 9999 in UTC, got ")


@pytest.mark.parametrize("cell", ["20240201T120000Z", "2024-W05-4T12:00:00Z", "", "noon"])
def test_other_forms_of_iso_8601_are_refused(cell: str) -> None:
    problem = "must be an ISO 8601 time such as 2024-02-01T12:30:00Z"
    assert fault(cell, timezone="UTC") == f"at: {problem}, got {cell!r}"


def test_a_day_that_is_not_is_refused() -> None:
    assert fault("2023-02-29", timezone="UTC").startswith("at: must be a real date and time (")
    assert fault("2023-02-29T00:00:00Z").startswith("at: must be a real date and time (")


def test_a_number_is_told_from_a_time() -> None:
    assert fault("1706788800").endswith(
        '; if it is a number since 1970, write timestamp = "epoch_seconds" (or '
        "\"epoch_milliseconds\") under [usage], got '1706788800'"
    )


@pytest.mark.parametrize(
    ("cell", "unit", "expected"),
    [
        ("1706788800", "epoch_seconds", NOON),
        ("1706788800.0000009", "epoch_seconds", NOON),
        ("1706788800.25", "epoch_seconds", NOON.replace(microsecond=250_000)),
        ("-1", "epoch_seconds", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1706788800000", "epoch_milliseconds", NOON),
        ("1706788800000.5", "epoch_milliseconds", NOON.replace(microsecond=500)),
    ],
)
def test_epochs_are_read_exactly(cell: str, unit: str, expected: datetime) -> None:
    assert instant(cell, timestamp=unit) == expected


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_an_epoch_is_a_number(unit: str) -> None:
    for cell in ("2024-02-01T12:00:00Z", "", "1_706_788_800"):
        problem = f"must be a number of {unit} since 1970, as the layout says"
        assert fault(cell, timestamp=f"epoch_{unit}") == f"at: {problem}, got {cell!r}"


def test_one_unit_in_place_of_the_other_is_seen() -> None:
    assert fault("1706788800000", timestamp="epoch_seconds") == (
        "at: must be seconds since 1970; if they are milliseconds, write timestamp = "
        "\"epoch_milliseconds\" under [usage], got '1706788800000'"
    )
    assert fault("1706788800", timestamp="epoch_milliseconds") == (
        "at: must be milliseconds since 1970; if they are seconds, write timestamp = "
        "\"epoch_seconds\" under [usage], got '1706788800'"
    )


def test_an_epoch_beyond_all_time_is_refused() -> None:
    message = "at: must be within the years 1 to 9999 in UTC, got "
    assert fault(f"-{10**12}", timestamp="epoch_seconds").startswith(message)
    assert fault(f"{10**18}", timestamp="epoch_milliseconds").startswith(message)


def test_an_epoch_is_of_no_timezone_and_of_all() -> None:
    cells = ["1706788800", "1706788801"]
    ((first, second), faults) = read(cells, UsageLayout(timestamp="epoch_seconds"))
    assert (first, second, faults) == (NOON, NOON.replace(second=1), [])
