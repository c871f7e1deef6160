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
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import LONGEST_NAME
from overages.amounts.exact import DECIMAL_DIGITS, Quantity, unscaled
from overages.imports.arrays import Array, integer, integers
from overages.imports.usage_files.columns import UsageColumns, find_columns
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.rows import UsageRows
from overages.imports.usage_files.text import UsageText
from overages.usage.event import EventColumns

_SIZE: Final = 2_097_152  # bytes that are read together; of fewer, names come again more often
_MARK: Final = b"\xef\xbb\xbf"  # of the order of bytes, which UTF-8 has none of

# Printable ASCII but spaces and apostrophes, which names can have, and formulas before them
_OF_NAMES: Final = bytes(code for code in range(0x21, 0x7F) if code != ord("'"))
_NAME: Final = r"^[!-&(-~]+$"
_MOST_DIGITS: Final = 18  # of an integer in 64 bits
_DECIMALS: Final = 6
_DECIMAL: Final = r"^[+-]?[0-9]{1,12}(\.[0-9]{1,6})?$"
_OF_DECIMALS: Final = pa.decimal128(_MOST_DIGITS, _DECIMALS)
_PER_UNIT: Final = integer(10**_DECIMALS).cast(pa.decimal128(19, 0))
_INSTANT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"
_OF_INSTANTS: Final = len("2024-02-01T12:00:00Z"), len("2024-02-01T12:00:00.000000Z")
_TIMES: Final = pa.timestamp("us", "UTC")
_FIRST: Final = integer(-62_135_596_800_000_000)  # microseconds from 1970 back to the year 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NO_DIMENSIONS: Final[FrozenDict[str, str]] = FrozenDict()
_NO_EVENTS: Final = EventColumns((), (), (), (), (), ())


class NotPlain(Exception):
    """The rows of a file are to be read one by one."""


@contextmanager
def plainly() -> Iterator[None]:
    """Take what a kernel can't do as a sign that a file isn't plain."""
    try:
        yield
    except pa.ArrowException:
        raise NotPlain from None


class PlainEvents(NamedTuple):
    """Events as arrays of pyarrow, all of one length.

    :param orgs: a dictionary array of names.
    :param metrics: as well.
    :param quantities: 64-bit integers: units, or the parts of a unit that `decimals` says.
    :param decimals: that quantities have: 0, or 6 where they count millionths.
    :param times: 64-bit integers: microseconds since 1970.
    :param ids: texts; None where the file has none.
    """

    orgs: Array
    metrics: Array
    quantities: Array
    decimals: int
    times: Array
    ids: Array | None

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The first instant and the last one; None without any."""
        ends = pc.min_max(self.times).as_py()
        if ends["min"] is None:
            return None
        return instant_of(ends["min"]), instant_of(ends["max"])

    def filter(self, mask: Array) -> PlainEvents:
        """Return those of a mask."""
        return PlainEvents(
            self.orgs.filter(mask),
            self.metrics.filter(mask),
            self.quantities.filter(mask),
            self.decimals,
            self.times.filter(mask),
            None if self.ids is None else self.ids.filter(mask),
        )


def one_by_one(events: PlainEvents) -> Iterator[EventColumns]:
    """Return events as values of Python, if there are any."""
    count = len(events.times)
    if count:
        yield EventColumns(
            events.orgs.to_pylist(),
            events.metrics.to_pylist(),
            quantities_of(events.quantities.to_pylist(), events.decimals),
            [instant_of(microseconds) for microseconds in events.times.to_pylist()],
            [None] * count if events.ids is None else events.ids.to_pylist(),
            [NO_DIMENSIONS] * count,
        )


def quantities_of(numbers: Sequence[int], decimals: int) -> Sequence[Quantity]:
    """Return numbers that count so many decimals of a unit as quantities."""
    if not decimals:
        return numbers
    factor = 10 ** (DECIMAL_DIGITS - decimals)
    return [unscaled(number * factor) for number in numbers]


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


def instant_of(microseconds: int) -> datetime:
    """Return the instant of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(instant: datetime) -> int:
    """Return the microseconds from 1970 to an instant."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


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
            _are_numbers(columns[quantity]),
            _are_instants(columns[timestamp]),
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
            *_integers(columns[quantity]),
            _instants(columns[timestamp]),
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


def _unless_all(mask: Array) -> Array | None:
    return None if pc.all(mask, min_count=0).as_py() else mask


def _have_bytes(texts: Array, least: int, most: int) -> Array:
    """Return a mask of texts of some length."""
    lengths = pc.binary_length(texts)
    at_least, at_most = integers([least, most]).cast(lengths.type)
    return pc.and_(pc.greater_equal(lengths, at_least), pc.less_equal(lengths, at_most))


def are_names(texts: Array) -> Array | None:
    """Return a mask of names of printable ASCII; None where all are."""
    are_plain = _have_bytes(texts, 1, LONGEST_NAME)
    data = texts.buffers()[2]
    if data is not None and data.to_pybytes().translate(None, _OF_NAMES):  # a tenth of the time
        are_plain = pc.and_(are_plain, pc.match_substring_regex(texts, _NAME))
    return _unless_all(are_plain)


def _are_numbers(texts: Array) -> Array | None:
    """Return a mask of whole numbers, or of whole numbers and decimals; None where all are."""
    are_digits = pc.and_(pc.ascii_is_decimal(texts), _have_bytes(texts, 1, _MOST_DIGITS))
    if _unless_all(are_digits) is None:
        return None
    return _unless_all(pc.match_substring_regex(texts, _DECIMAL))


def _integers(numbers: Array) -> tuple[Array, int]:
    """Return numbers as integers, and the decimals of a unit that these count."""
    try:
        return numbers.cast(pa.int64()), 0
    except pa.ArrowInvalid:
        decimals = numbers.cast(_OF_DECIMALS)
        return pc.multiply(decimals, _PER_UNIT).cast(pa.int64()), _DECIMALS  # exactly, or it fails


def _are_instants(texts: Array) -> Array | None:
    """Return a mask of times in UTC, to the microsecond at most; None where all are."""
    # In so many bytes that end so, Arrow finds nothing but a date and a time to the second or finer
    are_instants = pc.and_(_have_bytes(texts, *_OF_INSTANTS), pc.ends_with(texts, "Z"))
    if _unless_all(are_instants) is None:
        return None
    return pc.match_substring_regex(texts, _INSTANT)


def _instants(texts: Array) -> Array:
    instants = texts.cast(_TIMES).cast(pa.int64())
    if pc.any(pc.less(instants, _FIRST)).as_py():
        raise NotPlain
    return instants
