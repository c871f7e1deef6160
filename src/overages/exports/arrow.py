"""Statements, records and usage as Arrow tables: exact, with decimal columns of declared types.

Pandas, Polars, DuckDB and Parquet take them as they are; a million lines go through as batches:

    frame = polars.from_arrow(records_to_arrow(repository.records("org-123", period)))
    with statement_batches(calculate_many(inputs)) as batches:
        for batch in batches: ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any, Final, Literal, TypeAlias

from overages.errors import Field
from overages.periods.period import Period

try:
    import pyarrow as pa
except ImportError as _missing:
    raise ImportError(
        "overages.exports.arrow needs pyarrow, which overages[arrow] has: "
        "pip install 'overages[arrow]'",
        name="pyarrow",
    ) from _missing

from overages._ground.columns import LINES, RECORDS, USAGE, Column, Kind
from overages._ground.parsing import Parser, choice_of
from overages.amounts.exact import DECIMAL_DIGITS, INTEGER_DIGITS, number_text
from overages.errors import InvalidValue
from overages.exports.rows import Row, event_columns, event_row, line_rows, record_row, usage_rows
from overages.records.record import OverageRecord
from overages.statements.statement import Statement
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

Amounts: TypeAlias = Literal["decimal", "text"]
"""The type that amounts of money are written as."""

PRECISION: Final = 38  # digits of decimal128; Polars has no wider decimal, nor has Spark
AMOUNT_DECIMALS: Final = 2 * DECIMAL_DIGITS  # of a quantity times a price

_QUANTITY: Final = pa.decimal128(INTEGER_DIGITS + DECIMAL_DIGITS, DECIMAL_DIGITS)
_AMOUNT: Final = pa.decimal128(PRECISION, AMOUNT_DECIMALS)
_TYPES: Final[dict[Kind, pa.DataType]] = {
    "text": pa.string(),
    "quantity": _QUANTITY,
    "cost": _QUANTITY,
    "amount": _AMOUNT,
    "instant": pa.timestamp("us", "UTC"),
    "whole": pa.int64(),
}
_BATCH: Final = 16_384  # rows

_amounts: Final = choice_of(Amounts)


def statements_to_arrow(statements: Iterable[Statement], *, amounts: Amounts = "decimal") -> Any:
    """Return a `pyarrow.Table` with a row for each line of each statement, overage or adjustment.

    Columns and types are those of `overages._ground.columns.LINES`, whatever the statements are; an
    adjustment has no quantities, and no metric where it is about all of them.

    :param amounts: ``"decimal"`` has unit prices and exact costs as decimals of 14 integer and 24
        decimal digits, and costs of 26 and 12, and refuses a number that these can't hold exactly,
        such as a sixtieth; ``"text"`` has all three as plain decimal text, ``"7/60"`` where no
        decimal is exact.
    :raises InvalidValue: for an amount that a decimal column can't hold; it names line and column.

    >>> from overages import Allowance, Period, PerUnit, Plan, calculate
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> statement = calculate(plan, Usage("org-123", Period.month(2024, 2), {"tokens": 750_000}))
    >>> table = statements_to_arrow([statement])
    >>> table.schema.field("over").type, table["over"][0].as_py() == 250_000
    (Decimal128Type(decimal128(38, 12)), True)
    >>> statements_to_arrow([statement], amounts="text")["cost"][0].as_py()
    '25.00'
    """
    return statement_batches(statements, amounts=amounts).read_all()


def statement_batches(statements: Iterable[Statement], *, amounts: Amounts = "decimal") -> Any:
    """Return the same as a `pyarrow.RecordBatchReader`, which reads as it is read.

    A fault of a statement is raised when its batch is reached.
    """
    lines = (row for statement in statements for row in line_rows(statement))
    return _batches(LINES, lines, amounts)


def records_to_arrow(records: Iterable[OverageRecord], *, amounts: Amounts = "decimal") -> Any:
    """Return a `pyarrow.Table` with a row for each record.

    Its columns are `overages._ground.columns.RECORDS`.

    `overages.imports.arrow.records_from_arrow` makes the same records of it again.

    :param amounts: as for `statements_to_arrow`.
    :raises InvalidValue: for an amount that a decimal column can't hold; it names line and column.
    """
    return record_batches(records, amounts=amounts).read_all()


def record_batches(records: Iterable[OverageRecord], *, amounts: Amounts = "decimal") -> Any:
    """Return the same as a `pyarrow.RecordBatchReader`, which reads as it is read."""
    return _batches(RECORDS, map(record_row, records), amounts)


def usages_to_arrow(usages: Iterable[Usage]) -> Any:
    """Return a `pyarrow.Table` with a row for each quantity.

    Its columns are `overages._ground.columns.USAGE`.

    Usage of nothing at all is a row without metric and quantity.
    `overages.imports.arrow.usages_from_arrow` makes the same usage of it again.
    """
    return usage_batches(usages).read_all()


def usage_batches(usages: Iterable[Usage]) -> Any:
    """Return the same as a `pyarrow.RecordBatchReader`, which reads as it is read."""
    return _batches(USAGE, (row for usage in usages for row in usage_rows(usage)), "decimal")


def event_batches(events: Iterable[UsageEvent], dimensions: Sequence[str] = ()) -> Any:
    """Return a `pyarrow.RecordBatchReader` with a row for each event.

    `overages.imports.arrow.events_from_arrow` makes the same events of it again.

    :param dimensions: those that have a column; others of an event aren't in it.
    """
    rows = (event_row(event, dimensions) for event in events)
    return _batches(event_columns(dimensions), rows, "decimal")


def _batches(columns: Sequence[Column], rows: Iterable[Row], amounts: Amounts) -> Any:
    """Return a reader that takes rows as it is read, some thousands at a time."""
    as_text = _amounts(amounts, "amounts") == "text"
    schema = schema_of(columns, as_text=as_text)
    writers = [_writer(column.kind, as_text=as_text) for column in columns]

    def read() -> Iterator[pa.RecordBatch]:
        left = iter(rows)
        while batch := list(islice(left, _BATCH)):
            arrays = [
                pa.array(_written(column.name, cells, writer, batch), kind)
                for column, cells, writer, kind in zip(
                    columns, zip(*batch, strict=True), writers, schema.types, strict=True
                )
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, read())


def schema_of(columns: Iterable[Column], *, as_text: bool = False) -> Any:
    """Return the `pyarrow.Schema` of columns.

    :param as_text: whether amounts and costs are plain decimal text.
    """
    texts = ("amount", "cost") if as_text else ()
    return pa.schema(
        pa.field(
            column.name,
            pa.string() if column.kind in texts else _TYPES[column.kind],
            column.nullable,
        )
        for column in columns
    )


def _written(
    column: str, cells: Sequence[Any], write: Parser[Any] | None, rows: Sequence[Row]
) -> Sequence[Any]:
    if write is None:
        return cells
    written = []
    for cell, row in zip(cells, rows, strict=True):
        try:
            written.append(None if cell is None else write(cell, column))
        except InvalidValue as error:
            raise error.within(org_id=row[0], period=Period(row[1], row[2])) from None
    return written


def _writer(kind: Kind, *, as_text: bool) -> Parser[Any] | None:
    if kind in ("amount", "cost") and as_text:
        return _as_text
    return _DECIMALS.get(kind)


def _as_text(number: Any, field: Field) -> str:
    del field
    return number_text(number)


def _decimals(decimals: int) -> Parser[Decimal]:
    """Make a parser of numbers to decimals of so many places, where that is possible exactly."""
    integers = PRECISION - decimals

    def parse(number: Any, field: Field) -> Decimal:
        if isinstance(number, Fraction):
            raise InvalidValue(field, number, f"must be a decimal number; {_AS_TEXT}")
        written = Decimal(number)
        exponent = written.as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > decimals or written.adjusted() >= integers:
            problem = f"must have at most {integers} integer and {decimals} decimal digits"
            raise InvalidValue(field, number, f"{problem}; {_AS_TEXT}")
        return written

    return parse


_AS_TEXT: Final = "amounts='text' holds any"
_DECIMALS: Final[dict[Kind, Parser[Any]]] = {
    "cost": _decimals(DECIMAL_DIGITS),
    "amount": _decimals(AMOUNT_DECIMALS),
}
