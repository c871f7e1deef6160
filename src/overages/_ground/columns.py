"""Columns: the columns of tables of usage and of results, in every format.

The edges that read and write tables (CSV, Arrow) take their columns from here, so that a table that
one writes another can read:

    COLUMNS = names_of(LINES)                         # "org_id", "period_start", ...
    refuse_columns(header, EVENTS)                    # all that is missing, unknown or there twice
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from attrs import frozen

from overages._ground.parsing import Problems
from overages.errors import InvalidValue, did_you_mean

Kind: TypeAlias = Literal["text", "quantity", "cost", "amount", "instant", "whole"]
"""The kind of a column; a cost is rounded, an amount (a unit price, an exact cost) is not."""

_FORMULA: Final = "'*[-=+@\t\r\n\uff0b\uff0d\uff1d\uff20]"  # the last four are full-width signs

DIMENSION: Final = "dimension."
"""The beginning of the name of a dimension's column, before the dimension's own."""


@frozen(weakref_slot=False)
class Column:
    """One column of a table.

    :param nullable: whether a row can have nothing there.
    :param optional: whether a table can do without the column.
    """

    name: str
    kind: Kind
    nullable: bool = False
    optional: bool = False


_PERIOD: Final = (Column("period_start", "instant"), Column("period_end", "instant"))
_LINE: Final = (
    Column("unit_price", "amount", nullable=True),
    Column("exact_cost", "amount"),
    Column("cost", "cost"),
    Column("currency", "text"),
)

EVENTS: Final = (
    Column("org_id", "text"),
    Column("metric", "text"),
    Column("quantity", "quantity"),
    Column("timestamp", "instant"),
    Column("event_id", "text", nullable=True, optional=True),
)
"""A usage event in each row; and a column for each dimension (see `DIMENSION`)."""

USAGE: Final = (
    Column("org_id", "text"),
    *_PERIOD,
    Column("metric", "text", nullable=True),
    Column("quantity", "quantity", nullable=True),
)
"""The quantity of a metric that an org used in a period; without both, it used nothing."""

LINES: Final = (
    Column("org_id", "text"),
    *_PERIOD,
    Column("plan", "text"),
    Column("metric", "text", nullable=True),
    Column("line", "text"),
    Column("used", "quantity", nullable=True),
    Column("limit", "quantity", nullable=True),
    Column("over", "quantity", nullable=True),
    *_LINE,
)
"""A line of a statement in each row."""

RECORDS: Final = (
    Column("org_id", "text"),
    *_PERIOD,
    Column("metric", "text", nullable=True),
    Column("line", "text"),
    Column("quantity", "quantity"),
    *_LINE,
    Column("currency_exponent", "whole"),
    Column("plan", "text"),
    Column("plan_version", "whole"),
    Column("revision", "whole"),
    Column("sequence", "whole"),
    Column("created_at", "instant"),
    Column("digest", "text"),
)
"""A record in each row, with all that it takes to make the record again."""


def names_of(columns: Iterable[Column]) -> tuple[str, ...]:
    """Return the columns' names, in order."""
    return tuple(column.name for column in columns)


def refuse_columns(
    header: Sequence[str], expected: Sequence[Column], *, dimensions: bool = False
) -> None:
    """Refuse a table whose columns are not those that are expected, in any order.

    :param dimensions: whether it may also have a column for each dimension.
    :raises InvalidValue: if a column is missing, unknown or there twice; `InvalidValues` for
        several faults.

    >>> refuse_columns(["org_id", "metric", "quantity", "timestamp", "eventid"], EVENTS)
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: columns: must be among org_id, metric, quantity, timestamp, \
event_id (did you mean 'event_id'?), got 'eventid'
    """
    problems = Problems()
    names = names_of(expected)
    for column in expected:
        if not column.optional and column.name not in header:
            problems.add(InvalidValue("columns", header, f"must have {column.name}"))
    for name in header:
        if name not in names and not (dimensions and dimension_of(name)):
            named = ", ".join((*names, f"{DIMENSION}<name>") if dimensions else names)
            hint = did_you_mean(name, [each for each in names if each not in header])
            problems.add(InvalidValue("columns", name, f"must be among {named}{hint}"))
    if len(set(header)) != len(header):
        problems.add(InvalidValue("columns", header, "must each be named once"))
    problems.raise_any()


def dimension_of(column: str) -> str:
    """Return the name of the dimension that a column of this name holds; empty if it is no such.

    >>> dimension_of("dimension.region"), dimension_of("metric")
    ('region', '')
    """
    return column.removeprefix(DIMENSION) if column.startswith(DIMENSION) else ""


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    Where the list separator is a semicolon, as in most of Europe, a cell begins after each of them.

    >>> escape_formula("=1+1"), escape_formula("acme;@SUM(1)"), escape_formula("a-1")
    ("'=1+1", "acme;'@SUM(1)", 'a-1')
    """
    return re.sub(f"(^|;)(?={_FORMULA})", r"\1'", text)


def unescape_formula(cell: str) -> str:
    """Take off the apostrophes that `escape_formula` put there, and no others.

    >>> unescape_formula("'=1+1"), unescape_formula("'; DROP TABLE x")
    ('=1+1', "'; DROP TABLE x")
    """
    if "'" not in cell:  # a file of a million rows has few that have one
        return cell
    return re.sub(f"(^|;)'(?={_FORMULA})", r"\1", cell)
