"""Plain cells: those of columns of pyarrow that are written in the usual ways, and their values.

    mask = are_numbers(texts)                         # None where all are
    numbers, decimals = integers_of(texts.filter(mask))

A plain cell is read as by the parsers of other files, which accept more ways: see
`overages.imports.usage_files.cells`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from overages._ground.names import LONGEST_NAME
from overages.imports.arrays import Array, integer, integers

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


class NotPlain(Exception):
    """The rows of a file are to be read one by one."""


@contextmanager
def plainly() -> Iterator[None]:
    """Take what a kernel can't do as a sign that a file isn't plain."""
    try:
        yield
    except pa.ArrowException:
        raise NotPlain from None


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


def are_numbers(texts: Array) -> Array | None:
    """Return a mask of whole numbers, or of whole numbers and decimals; None where all are."""
    are_digits = pc.and_(pc.ascii_is_decimal(texts), _have_bytes(texts, 1, _MOST_DIGITS))
    if _unless_all(are_digits) is None:
        return None
    return _unless_all(pc.match_substring_regex(texts, _DECIMAL))


def integers_of(numbers: Array) -> tuple[Array, int]:
    """Return numbers as integers, and the decimals of a unit that these count."""
    try:
        return numbers.cast(pa.int64()), 0
    except pa.ArrowInvalid:
        decimals = numbers.cast(_OF_DECIMALS)
        return pc.multiply(decimals, _PER_UNIT).cast(pa.int64()), _DECIMALS  # exactly, or it fails


def are_instants(texts: Array) -> Array | None:
    """Return a mask of times in UTC, to the microsecond at most; None where all are."""
    # In so many bytes that end so, Arrow finds nothing but a date and a time to the second or finer
    are_instants = pc.and_(_have_bytes(texts, *_OF_INSTANTS), pc.ends_with(texts, "Z"))
    if _unless_all(are_instants) is None:
        return None
    return pc.match_substring_regex(texts, _INSTANT)


def instants_of(texts: Array) -> Array:
    """Return plain times as microseconds since 1970.

    :raises NotPlain: if one is before the year 1.
    """
    instants = texts.cast(_TIMES).cast(pa.int64())
    if pc.any(pc.less(instants, _FIRST)).as_py():
        raise NotPlain
    return instants
