"""Files are read alike by blocks and by rows, and rated alike: message for message (law 13)."""

from __future__ import annotations

import gzip
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import example, given, strategies as st

from overages import UsageEvent
from overages.commands.desk import sums
from overages.commands.parser import main
from overages.errors import OveragesError
from overages.imports.events import read_events
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.text import open_usage

from .test_sums_of_files import GRANT, PLANS
from .test_usage_files import ODD_NUMBERS, ODD_TEXTS, ODD_TIMES

pytest.importorskip("pyarrow")

from overages.imports.usage_files import blocks
from overages.imports.usage_files.blocks import read_blocks
from overages.imports.usage_files.plain_cells import NotPlain
from overages.imports.usage_files.plain_events import one_by_one

HEADER = ["org_id", "metric", "quantity", "timestamp", "event_id"]
PLAIN = [
    ["acme", "new", "newer", "moving", "ended"],
    ["tokens", "runs"],
    ["5", "12", "0", "1000000", "007"],
    ["2024-02-01T12:00:00Z", "2024-02-20 00:00:00Z", "2024-01-31T23:59:59.999Z"],
    [f"evt-{number}" for number in range(40)],
]
# Cells that can be read, though most are not written as plain ones are
LAWFUL = [
    ["an org", "é", "'=1", "a;'@b", "x" * 255],
    ["tokens", "seats", "toads"],
    ["0.5", "-3", "+7", "1e2", "0.000001", "-0.25", "123456789012.123456", "1234567890123.5",
     "0.0000001", "9" * 18, "9" * 19, "9223372036854775807", "9" * 26, "5.50"],
    ["2024-02-10T00:00:00.123456Z", "2024-02-10T01:00:00+01:00", "2023-12-31T23:59:59Z",
     "2024-02-12T00:00:00Z", "2024-02-10T00:00:00.1234567Z", "2024-03-01T00:00:00.5Z"],
    ["an id", "é", "'=1", "", "x" * 255, "evt-3"],
]  # fmt: skip
ODD = [
    ODD_TEXTS,
    ODD_TEXTS,
    [*ODD_NUMBERS, "0x1F", "1.1234567", "inf", "nan"],
    [*ODD_TIMES, "0000-02-10T00:00:00Z", "2024-02-10T00:00Z", "2024-02-10T00:00:00+0Z"],
    ODD_TEXTS,
]
ODD_LINES = ["", "", "", ",,,,", ",,,,", ",,,", "\r", "acme,tokens\r5", "\ufeff", "   "]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return the bytes of a file of rows that are plain but for a cell or two."""
    count = draw(st.integers(0, 12))
    rows = [[draw(st.sampled_from(each)) for each in PLAIN] for _ in range(count)]
    if draw(st.booleans()):  # ids that rise
        for number, row in enumerate(rows):
            row[4] = f"{number:03}"
    for row in draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else ():
        place = draw(st.integers(0, 4))
        row[place] = draw(st.sampled_from(draw(st.sampled_from([*[LAWFUL] * 4, ODD]))[place]))
    width = draw(st.sampled_from([5, 5, 5, 4]))
    lines = [",".join(row[:width]) for row in rows]
    if draw(st.sampled_from([False, False, True])):
        lines.insert(draw(st.integers(0, count)), draw(st.sampled_from(ODD_LINES)))
    if draw(st.sampled_from([False] * 9 + [True])):
        lines = [f'"{line}"'.replace(",", '","') for line in lines]
    header = draw(st.sampled_from([HEADER[:width]] * 9 + [[], ["org_id"]]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    text = end.join([",".join(header), *lines]) + draw(st.sampled_from([end, ""]))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    data = (mark + text).encode(errors="surrogatepass")
    return gzip.compress(data) if draw(st.booleans()) else data


def by_rows(data: bytes) -> list[UsageEvent] | None:
    """Return the events of a file, sorted; None if something is wrong with it."""
    try:
        with open_usage(BytesIO(data)) as text:
            events = [event for _, event in read_events(text)]
    except OveragesError:
        return None
    good = [event for event in events if isinstance(event, UsageEvent)]
    return sorted(good, key=repr) if len(good) == len(events) else None


def by_blocks(data: bytes) -> list[UsageEvent] | None:
    """Return the same as read by blocks; None if it has to be read by rows."""
    try:
        with open_usage(BytesIO(data)) as text:
            read = list(read_blocks(text, UsageLayout()))
    except (OveragesError, NotPlain):
        return None
    columns = [each for block in read for each in (*one_by_one(block.plain), block.others)]
    return sorted([event for each in columns for event in each], key=repr)


def rated(folder: Path, large: int) -> tuple[int, str, str]:
    """Rate a file, by blocks where it is at least so large."""
    out, err = StringIO(), StringIO()
    asked = ["rate", "--plans", str(folder / "plans.toml"), "--usage", str(folder / "usage.csv")]
    with redirect_stdout(out), redirect_stderr(err), patch.object(sums, "LARGE", large):
        status = main([*asked, "--new-orgs", "--format", "csv"])
    return status, out.getvalue(), err.getvalue()


@given(files(), st.sampled_from([40, 200, 4_194_304]))
@example(b"org_id,metric,quantity,timestamp\nacme,tokens,5,2024-02-01T12:00:00Z", 40)
def test_a_file_has_the_same_events_by_blocks_as_by_rows(data: bytes, size: int) -> None:
    with patch.object(blocks, "_SIZE", size):
        events = by_blocks(data)
    assert events is None or events == by_rows(data)


@given(files(), st.sampled_from([40, 200, 4_194_304]), st.sampled_from(["", "", GRANT]))
def test_a_file_is_rated_alike_by_blocks_and_by_rows(data: bytes, size: int, more: str) -> None:
    with TemporaryDirectory() as name, patch.object(blocks, "_SIZE", size):
        folder = Path(name)
        (folder / "plans.toml").write_text(PLANS + more)
        (folder / "usage.csv").write_bytes(data)
        assert rated(folder, large=0) == rated(folder, large=10**12)
