"""Rows of Arrow tables, whichever library they are of.

The columns are checked first, and then rows are read batch by batch:

    for number, row in read_rows(frame, EVENTS, dimensions=True): ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol, TypeAlias

try:
    import pyarrow as pa
except ImportError as _missing:
    raise ImportError(
        "overages.imports.arrow needs pyarrow, which overages[arrow] has: "
        "pip install 'overages[arrow]'",
        name="pyarrow",
    ) from _missing

from overages._ground.columns import Column, Kind, refuse_columns
from overages._ground.parsing import Problems
from overages.errors import InvalidType, InvalidValue

Row: TypeAlias = dict[str, Any]
"""Cells by column; an instant is a number of microseconds since 1970."""

_PER_MICROSECOND: Final = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}
_INDEX: Final = re.compile("__index_level_[0-9]+__")  # what pandas calls an index without a name


class ArrowTable(Protocol):
    """Anything with the Arrow PyCapsule interface: tables and frames of many libraries."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the table as a stream of Arrow's C interface."""
        ...


def read_rows(
    table: object, expected: Sequence[Column], *, dimensions: bool = False
) -> Iterator[tuple[int, Row]]:
    """Return rows with their numbers, read as they are asked for; the columns are checked now.

    :param expected: the columns of which it has all that aren't optional, in any order.
    :param dimensions: whether it may also have a column for each dimension.
    :raises InvalidType: if the table isn't one, or a column is of a type that it can't have.
    :raises InvalidValue: if a column is missing or unknown; `InvalidValues` for several faults.
    """
    stream = _stream(table)
    return enumerate(_read(stream, kinds_of(stream.schema, expected, dimensions=dimensions)))


def kinds_of(
    schema: Any, expected: Sequence[Column], *, dimensions: bool = False
) -> list[tuple[str, Kind]]:
    """Return the columns of a table with the kind of each; the arguments are those of `read_rows`.

    :raises OveragesError: as `read_rows` does.
    """
    names = [column for column in schema.names if not _INDEX.fullmatch(column)]
    refuse_columns(names, expected, dimensions=dimensions)
    kinds: dict[str, Kind] = {column.name: column.kind for column in expected}
    problems = Problems()
    for column in names:
        kind = kinds.setdefault(column, "text")
        problems.attempt(_check_type, schema.field(column).type, kind, column)
    problems.raise_any()
    return [(column, kinds[column]) for column in names]


def read_table(table: object) -> Any:
    """Return a table of any library as a `pyarrow.Table`.

    :raises InvalidType: if it isn't one.
    """
    return table if isinstance(table, pa.Table) else _stream(table).read_all()


def _stream(table: object) -> Any:
    if not hasattr(table, "__arrow_c_stream__"):
        problem = "must have the Arrow PyCapsule interface, as tables of pyarrow, pandas and Polars"
        raise InvalidType("table", table, problem)
    try:
        return pa.RecordBatchReader.from_stream(table)
    except pa.ArrowException as error:  # pandas can hold in a column what Arrow can't
        raise InvalidValue("table", table, f"must be readable as Arrow ({error})") from None


def _read(stream: Any, columns: Iterable[tuple[str, Kind]]) -> Iterator[Row]:
    for batch in stream:
        cells = {column: _cells(batch.column(column), kind) for column, kind in columns}
        names = list(cells)
        for row in zip(*cells.values(), strict=True):
            yield dict(zip(names, row, strict=True))


def _cells(array: Any, kind: Kind) -> Sequence[Any]:
    if kind != "instant" or pa.types.is_null(array.type):
        cells: Sequence[Any] = array.to_pylist()
        return cells
    factor, denominator = _PER_MICROSECOND[array.type.unit]
    ticks = array.cast(pa.int64()).to_pylist()
    return [None if tick is None else tick * factor // denominator for tick in ticks]


def _check_type(arrow_type: Any, kind: Kind, column: str) -> None:
    if pa.types.is_null(arrow_type):  # a column with nothing in it: it is for the rows to have none
        return
    accepts, problem = _ACCEPTED[kind]
    if not accepts(arrow_type):
        raise InvalidType(("columns", column), str(arrow_type), f"must hold {problem}")


def _is_text(arrow_type: Any) -> bool:
    if pa.types.is_dictionary(arrow_type):  # categories
        arrow_type = arrow_type.value_type
    types = pa.types
    return bool(
        types.is_string(arrow_type)
        or types.is_large_string(arrow_type)
        or types.is_string_view(arrow_type)
    )


def _is_whole(arrow_type: Any) -> bool:
    return bool(pa.types.is_integer(arrow_type))


def _is_number(arrow_type: Any) -> bool:
    return bool(pa.types.is_decimal(arrow_type)) or _is_whole(arrow_type) or _is_text(arrow_type)


def _is_instant(arrow_type: Any) -> bool:
    return bool(pa.types.is_timestamp(arrow_type)) and arrow_type.tz is not None


_NUMBERS: Final = (_is_number, "integers, decimals or decimal text (a float is not exact)")
_ACCEPTED: Final = {
    "text": (_is_text, "text"),
    "quantity": _NUMBERS,
    "cost": _NUMBERS,
    "amount": _NUMBERS,
    "instant": (_is_instant, "timestamps with a timezone"),
    "whole": (_is_whole, "integers"),
}
