"""Usage files: cells are read alike, whatever the others of their column look like."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages import UsageEvent
from overages.imports.events import read_events
from overages.imports.usage_files.layout import UsageLayout

HEADER = ["org_id", "metric", "quantity", "timestamp", "event_id", "dimension.region"]
# A row of which no cell is written in the way that most are, so that all others are read one by one
ODD = ["an org", "a'b", "0.5", "2024-02-01T12:00+01:00", "ä", ""]

ODD_TEXTS = [
    "", " ", "a b", "a  b", " a", "'=1", "''=1", "it's", "é", "e\u0301", "a\nb", "a\r\n", "\n",
    "x" * 255, "x" * 256, "\x7f", "\0", "a;'@b", "\ud800", "\u200b", '"', "-1", "+1",
]  # fmt: skip
ODD_NUMBERS = [
    "+5", "-0", "007", "1_000", "٣", "1e3", "1,5", ".5", "5.", " 5", "5\n", "5\n6", "", "²", "-",
    "9" * 26, "9" * 27, "0" * 30 + "5",
]  # fmt: skip
ODD_TIMES = [
    "2024-02-30T00:00:00Z", "2024-02-01T24:00:00Z", "2024-02-01T12:00:00.1234567Z",
    "2024-02-01T12:00:60Z", "2024-W05-4", "20240201T000000Z", "0001-01-01 00:00:00",
    "2024-02-01T12:00:00,5Z", "2024-02-01T12:00:00+00:00", "2024-02-01T12:00:00z", "",
    "9999-12-31T23:59:59.999999Z", "1706788800.5", "٢٠٢٤-02-01T12:00:00Z", "2024-02-01",
    "9999-12-31 23:59:59", "2024-11-03 01:30:00", "2024-02-01T12:00:00.Z", "99999999999",
    "100000000000", "99999999999999", "999999999999999", "012345678901234", "-1",
]  # fmt: skip
names = st.text("abc-/.", min_size=1, max_size=5) | st.text(max_size=3) | st.sampled_from(ODD_TEXTS)
quantities = (
    st.integers(-(10**27), 10**27).map(str)
    | st.decimals(allow_nan=False, places=3).map(str)
    | st.sampled_from(ODD_NUMBERS)
)
times = (
    st.datetimes().map(lambda at: f"{at.isoformat()}Z")
    | st.datetimes().map(str)
    | st.dates().map(str)
    | st.integers(-(10**14), 10**14).map(str)
    | st.sampled_from(ODD_TIMES)
)
LAYOUTS = [
    UsageLayout(),
    UsageLayout(timezone="UTC"),
    UsageLayout(timezone="America/New_York"),
    UsageLayout(timestamp="epoch_seconds"),
    UsageLayout(timestamp="epoch_milliseconds"),
]
PLAIN = {
    "iso": "2024-02-01T12:00:00Z",
    "local": "2024-02-01 12:00:00.5",
    "epoch_seconds": "1706788800",
    "epoch_milliseconds": "1706788800000",
}


@st.composite
def files(draw: st.DrawFn) -> tuple[list[list[str]], UsageLayout]:
    """Return rows that are plain but for a cell or two, and their layout."""
    layout = draw(st.sampled_from(LAYOUTS))
    time = PLAIN["local" if layout.timezone and draw(st.booleans()) else layout.timestamp]
    written = []
    for _ in range(draw(st.integers(1, 5))):
        row = ["org-1", "tokens", "5", time, "evt-1", "eu"]
        for place in draw(st.lists(st.integers(0, 5), max_size=2)):
            row[place] = draw(times if place == 3 else quantities if place == 2 else names)
        written.append(row)
    return written, layout


def outcomes(written: list[list[str]], layout: UsageLayout, header: list[str]) -> list[Any]:
    """Return the events of rows and, of faulty ones, their classes and messages."""
    lines = StringIO(newline="")
    csv.writer(lines).writerows([header, *written])
    lines.seek(0)
    return [
        event
        if isinstance(event, UsageEvent)
        else [(type(part), str(part)) for part in event.errors]
        for _, event in read_events(lines, layout)
    ]


@pytest.mark.parametrize("layout", LAYOUTS, ids=repr)
def test_an_odd_cell_is_read_alike_alone_and_beside_others(layout: UsageLayout) -> None:
    plain = ["org-1", "tokens", "5", PLAIN[layout.timestamp], "evt-1", "eu"]
    for place in range(6):
        for cell in ODD_TIMES if place == 3 else ODD_NUMBERS if place == 2 else ODD_TEXTS:
            row = [*plain[:place], cell, *plain[place + 1 :]]
            alone = outcomes([row], layout, HEADER)
            assert alone == outcomes([row, ODD], layout, HEADER)[:-1], cell
            assert alone == outcomes([row, plain], layout, HEADER)[:-1], cell


@given(files())
def test_rows_are_read_alike_together_alone_and_beside_an_odd_one(
    file: tuple[list[list[str]], UsageLayout],
) -> None:
    written, layout = file
    together = outcomes(written, layout, HEADER)
    alone = [each for row in written for each in outcomes([row], layout, HEADER)]
    beside = outcomes([*written, ODD], layout, HEADER)
    assert together == alone == beside[:-1]


@given(files())
def test_an_event_of_a_file_is_one_that_the_constructor_makes(
    file: tuple[list[list[str]], UsageLayout],
) -> None:
    written, layout = file
    for event in outcomes(written, layout, HEADER):
        if isinstance(event, UsageEvent):
            terms = event.org_id, event.metric, event.quantity, event.at, event.id
            again = UsageEvent(*terms, dict(event.dimensions))
            assert event == again
            assert hash(event) == hash(again)
            assert repr(event) == repr(again)


@given(files())
def test_a_wide_file_has_the_events_that_a_narrow_one_has_of_its_metrics(
    file: tuple[list[list[str]], UsageLayout],
) -> None:
    """A column of each metric, or a row of each: the same events, but for their ids."""
    written, layout = file
    wide = UsageLayout(
        metrics={"in": "in", "out": "out"}, timestamp=layout.timestamp, timezone=layout.timezone
    )
    header = ["org_id", "timestamp", "in", "out"]
    for org_id, _, used, at, _, _ in written:
        if not used:
            continue
        narrow = outcomes([[org_id, "in", used, at]], layout, HEADER[:4])
        assert outcomes([[org_id, at, used, ""]], wide, header) == [
            event if isinstance(event, UsageEvent)
            else [(kind, text.replace("quantity:", "in:")) for kind, text in event]
            for event in narrow
        ]  # fmt: skip
