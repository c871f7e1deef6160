"""The blocks of usage files: plain rows as columns, others as events, or no blocks at all."""

import csv
import gzip
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from unittest.mock import patch

import pytest

from overages import UsageEvent
from overages.amounts.exact import Quantity
from overages.errors import InvalidValue
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.text import open_usage

pytest.importorskip("pyarrow")

from overages.imports.usage_files import blocks
from overages.imports.usage_files.blocks import Block, read_blocks
from overages.imports.usage_files.plain_cells import NotPlain
from overages.imports.usage_files.plain_events import one_by_one

HEADER = "org_id,metric,quantity,timestamp,event_id\n"
ROW = "acme,tokens,5,2024-02-01T12:00:00Z,1\n"
NOON = datetime(2024, 2, 1, 12, tzinfo=UTC)


def read(text: str | bytes, layout: UsageLayout | None = None) -> list[Block]:
    content = text.encode() if isinstance(text, str) else text
    with open_usage(BytesIO(content)) as opened:
        return list(read_blocks(opened, layout or UsageLayout()))


def quantities(text: str) -> tuple[list[Quantity], list[Quantity]]:
    """Return the quantities of plain rows, and those of others."""
    found = read(text)
    plain = [units for each in found for one in one_by_one(each.plain) for units in one.quantities]
    return plain, [units for each in found for units in each.others.quantities]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_plain_rows_are_columns(mark: bytes, end: bytes) -> None:
    (block,) = read(gzip.compress(mark + (HEADER + ROW).encode().replace(b"\n", end)))
    (columns,) = one_by_one(block.plain)
    assert list(columns) == [UsageEvent("acme", "tokens", 5, NOON, "1")]
    assert (len(block), block.plain.span, block.others.orgs) == (1, (NOON, NOON), ())


def test_rows_can_be_without_ids_and_have_columns_that_nothing_names() -> None:
    text = "note,timestamp,org_id,quantity,metric\nx y,2024-02-01 12:00:00.5Z,acme,7,runs"
    (block,) = read(text, UsageLayout(extra="ignore"))
    assert block.plain.ids is None
    (columns,) = one_by_one(block.plain)
    assert columns.ids == [None]
    assert columns.times == [NOON.replace(microsecond=500_000)]


def test_decimals_are_counted_in_millionths() -> None:
    assert quantities(HEADER + ROW + ROW.replace(",5,", ",-0.000001,")) == (
        [5, Decimal("-0.000001")],
        [],
    )


def test_rows_that_are_not_plain_are_read_one_by_one() -> None:
    finer = ROW.replace(",5,", ",0.0000001,")
    larger = ROW.replace(",5,", f",{'9' * 26},")
    spaced = ROW.replace("acme", "an org").replace(",5,", ",6,")
    unnamed = ROW.replace(",1\n", ",\n").replace(",5,", ",7,")
    local = ROW.replace("00Z", "00+01:00").replace(",5,", ",8,")
    blank = ",,,,\n\n"
    plain, others = quantities(HEADER + finer + ROW + larger + spaced + unnamed + local + blank)
    assert plain == [5]
    assert others == [Decimal("1E-7"), int("9" * 26), 6, 7, 8]


def test_a_file_is_read_in_blocks_that_end_with_lines() -> None:
    with patch.object(blocks, "_SIZE", 60):
        found = read(HEADER + ROW * 9 + ROW.removesuffix("\n"))
    assert sum(len(block) for block in found) == 10
    assert len(found) > 3


def test_a_file_without_rows_has_no_blocks() -> None:
    assert read(HEADER) == []


@pytest.mark.parametrize(
    "rows",
    [
        '"acme",tokens,5,2024-02-01T12:00:00Z,1\n',
        "acme,tokens,5,2024-02-01T12:00:00Z,1\r" + ROW,
        "acme,tokens\n",  # too few cells
        "acme,tokens,five,2024-02-01T12:00:00Z,1\n",
        "acme,tokens,5,2024-02-30T12:00:00Z,1\n",
        "acme,tokens,5,0000-02-01T12:00:00Z,1\n",
        ROW + "\ufeff" + ROW,
    ],
)  # fmt: skip
def test_files_with_other_rows_are_not_plain(rows: str) -> None:
    with patch.object(blocks, "_SIZE", len(ROW)), pytest.raises(NotPlain):
        read(HEADER + rows)


@pytest.mark.parametrize(
    "text",
    ["", "\n" + HEADER, "org_id,metric,timestamp\n", b"\xff\n", HEADER.encode() + b"\xff,,,,\n"],
)
def test_files_with_other_headers_or_bytes_are_not_plain(text: str | bytes) -> None:
    layout = UsageLayout(quantity=1) if text == "org_id,metric,timestamp\n" else UsageLayout()
    with pytest.raises(NotPlain):
        read(text, layout)


@pytest.mark.parametrize(
    "layout",
    [
        UsageLayout(encoding="latin-1"),
        UsageLayout(timestamp="epoch_seconds"),
        UsageLayout(separator="§"),
        UsageLayout(dimensions={"region": "event_id"}),
    ],
)
def test_files_of_other_layouts_are_not_plain(layout: UsageLayout) -> None:
    with pytest.raises(NotPlain):
        read(HEADER + ROW, layout)


def test_a_cell_that_csv_does_not_read_is_not_plain() -> None:
    long = ROW.replace("\n", f",{'x' * 60}\n")
    layout, before = UsageLayout(extra="ignore"), csv.field_size_limit(50)
    try:
        with pytest.raises(NotPlain):
            read(HEADER.replace("\n", ",note\n") + long, layout)
    finally:
        csv.field_size_limit(before)


def test_a_line_longer_than_a_block_is_not_plain() -> None:
    with patch.object(blocks, "_SIZE", 30), pytest.raises(NotPlain):
        read(HEADER + ROW.replace("acme", "x" * 1000))


def test_columns_that_are_wrong_are_told() -> None:
    with pytest.raises(InvalidValue, match="columns: must have metric"):
        read("org_id,quantity,timestamp\n")
