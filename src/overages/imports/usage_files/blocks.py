"""Blocks of a usage file, read column by column by pyarrow: a tenth of the time of rows.

    for block in read_blocks(text, layout):           # of some megabytes
        block.plain.quantities, block.others

Nearly all rows of a real file are plain: names of printable ASCII, whole numbers or short decimals,
instants in UTC. Those of a block are checked, and turned into integers, by kernels over whole
columns; no cell is read as a float, and no type is guessed. The other rows are read as in any
file, by `overages.imports.usage_files.rows`, which accepts more, and tells faults.

Where Arrow could find other rows than `csv` does (at a quote, or a carriage return of its own),
where a row is faulty, or where nothing but a quantity of an org and a metric is expected, the file
is `NotPlain`, and to be read line by line: from its beginning, for all that there is to say.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from overages.imports.arrays import Array
from overages.imports.usage_files.columns import UsageColumns, find_columns
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.plain_cells import (
    NotPlain,
    are_instants,
    are_names,
    are_numbers,
    instants_of,
    integers_of,
    plainly,
)
from overages.imports.usage_files.plain_events import PlainEvents
from overages.imports.usage_files.rows import UsageRows
from overages.imports.usage_files.text import UsageText
from overages.usage.event import EventColumns, new_columns

_SIZE: Final = 2_097_152  # bytes that are read together; of fewer, names come again more often
_MARK: Final = b"\xef\xbb\xbf"  # of the order of bytes, which UTF-8 has none of

_NO_EVENTS: Final = new_columns((), (), (), (), (), ())


class Block(NamedTuple):
    """The events of some rows that follow each other, in two parts, each in their order.

    :param others: those that weren't written plainly.
    :param rows: how many rows there are, with those of empty cells.
    """

    plain: PlainEvents
    others: EventColumns
    rows: int

    def __len__(self) -> int:
        return self.rows


def read_blocks(text: UsageText, layout: UsageLayout) -> Iterator[Block]:
    """Yield the events of a file, block by block.

    :param text: of which nothing was read.
    :raises NotPlain: where it is reached that the file is to be read line by line.
    :raises OveragesError: if the file is damaged, or its columns are wrong.
    """
    if layout.encoding != "utf-8" or layout.timestamp != "iso" or not layout.separator.isascii():
        raise NotPlain
    pieces = _pieces(text)
    line, _, rest = next(pieces, b"").removeprefix(_MARK).partition(b"\n")
    blocks = _Blocks(_header(line, layout), layout)
    if rest:
        yield blocks.read(rest)
    yield from map(blocks.read, pieces)


def _pieces(text: UsageText) -> Iterator[bytes]:
    """Yield the bytes of a file, in pieces that end where lines do."""
    rest = b""
    while piece := text.read(_SIZE):
        lines, end, begun = piece.rpartition(b"\n")
        if end:
            yield _divided(rest + lines + end)
            rest = b""
        rest += begun
        if len(rest) > _SIZE:  # a line as long as that
            raise NotPlain
    if rest:
        yield _divided(rest)


def _divided(piece: bytes) -> bytes:
    """Return bytes if they are divided into lines and cells alike by all that read CSV."""
    if b'"' in piece or (b"\r" in piece and piece.count(b"\r") != piece.count(b"\r\n")):
        raise NotPlain
    return piece


def _header(line: bytes, layout: UsageLayout) -> Sequence[str]:
    try:
        header = next(csv.reader([line.decode()], delimiter=layout.separator), [])
    except (UnicodeDecodeError, csv.Error):
        raise NotPlain from None
    if not any(header):
        raise NotPlain
    return header


class _Blocks:
    """Reads the blocks of a file that has a header."""

    def __init__(self, header: Sequence[str], layout: UsageLayout) -> None:
        columns = find_columns(header, layout)
        self._places = _places(columns)
        self._rows = UsageRows(columns, layout)
        names = [str(place) for place in range(len(header))]
        self._reading = ReadOptions(use_threads=False, column_names=names, block_size=2 * _SIZE)
        self._parsing = ParseOptions(delimiter=layout.separator, quote_char=False)
        self._converting = ConvertOptions(column_types=dict.fromkeys(names, pa.string()))

    def read(self, piece: bytes) -> Block:
        """Return the events of the rows that bytes are."""
        if piece.startswith(_MARK):  # which Arrow passes over, as if each block were a file
            raise NotPlain
        with plainly():
            columns = self._columns(piece)
            count, others = len(columns[0]), _NO_EVENTS
            are_plain = self._are_plain(columns)
            if are_plain is not None:
                others = self._others([each.filter(pc.invert(are_plain)) for each in columns])
                columns = [each.filter(are_plain) for each in columns]
            return Block(self._events(columns), others, count)

    def _columns(self, piece: bytes) -> list[Array]:
        """Return the cells of bytes, column by column."""
        table = read_csv(pa.py_buffer(piece), self._reading, self._parsing, self._converting)
        columns = [_joined(column) for column in table.columns]
        if any((_longest(column) or 0) > csv.field_size_limit() for column in columns):
            raise NotPlain
        return columns

    def _are_plain(self, columns: Sequence[Array]) -> Array | None:
        """Return a mask of rows that are plain; None where all are."""
        org, metric, quantity, timestamp, event_id = self._places
        masks = [
            are_names(columns[org]),
            are_names(columns[metric]),
            are_numbers(columns[quantity]),
            are_instants(columns[timestamp]),
            None if event_id is None else are_names(columns[event_id]),
        ]
        of_odd = [mask for mask in masks if mask is not None]
        return reduce(pc.and_, of_odd) if of_odd else None

    def _events(self, columns: Sequence[Array]) -> PlainEvents:
        """Return the events of rows that are plain."""
        org, metric, quantity, timestamp, event_id = self._places
        return PlainEvents(
            columns[org].dictionary_encode(),
            columns[metric].dictionary_encode(),
            *integers_of(columns[quantity]),
            instants_of(columns[timestamp]),
            None if event_id is None else columns[event_id],
        )

    def _others(self, columns: Sequence[Array]) -> EventColumns:
        """Return the events of rows that aren't plain; those of empty cells have none."""
        cells = [column.to_pylist() for column in columns]
        rows = list(filter(any, zip(*cells, strict=True)))
        read = self._rows.read(range(len(rows)), rows)
        if read.errors:
            raise NotPlain
        (events,) = read.columns
        return events


def _places(columns: UsageColumns) -> tuple[int, int, int, int, int | None]:
    """Return the places of the parts of an event, of which each row says all, and no more."""
    org, metric, quantity = columns.org_id, columns.metric, columns.quantity
    if org is None or metric is None or quantity is None or columns.dimensions:
        raise NotPlain
    return org, metric, quantity, columns.timestamp, columns.event_id


def _joined(column: Array) -> Array:
    """Return the one chunk of a column."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _longest(texts: Array) -> int | None:
    longest: int | None = pc.max(pc.binary_length(texts)).as_py()
    return longest
