"""CSV: statements, records and events, exact, numbers as plain decimal text.

    write_statements(statements, sys.stdout)
    write_records(repository.records("org-123"), sys.stdout)
    write_events(events, sys.stdout, dimensions=["region"])

A cell is empty where there is nothing to say. A name that a spreadsheet would run as a formula has
an apostrophe before it, which `overages.imports.events.read_events` takes off again.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TextIO

from overages._ground.columns import LINES, RECORDS, Column, escape_formula, names_of
from overages.amounts.exact import number_text
from overages.exports.rows import Row, event_columns, event_row, line_rows, record_row
from overages.periods.period import format_instant
from overages.records.record import OverageRecord
from overages.statements.statement import Statement
from overages.usage.event import UsageEvent

_BATCH: Final = 1024  # rows


def write_statements(statements: Iterable[Statement], file: TextIO) -> None:
    """Write a row for each line of each statement, under a row with the names of the columns."""
    _write(LINES, (row for statement in statements for row in line_rows(statement)), file)


def write_records(records: Iterable[OverageRecord], file: TextIO) -> None:
    """Write a row for each record, with all that it takes to make it again."""
    _write(RECORDS, map(record_row, records), file)


def write_events(
    events: Iterable[UsageEvent], file: TextIO, dimensions: Sequence[str] = ()
) -> None:
    """Write a row for each event, as `overages.imports.events.read_events` reads them.

    :param dimensions: those that have a column; others of an event aren't written.
    """
    rows = (event_row(event, dimensions) for event in events)
    _write(event_columns(dimensions), rows, file)


def _write(columns: Sequence[Column], rows: Iterable[Row], file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(escape_formula(name) for name in names_of(columns))
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        # Column by column: half the time of row by row
        cells = [_texts(*each) for each in zip(columns, zip(*batch, strict=True), strict=True)]
        writer.writerows(zip(*cells, strict=True))


def _texts(column: Column, cells: Sequence[Any]) -> Iterable[str | None]:
    text = _TEXT_OF.get(column.kind, number_text)
    if column.nullable:
        return [None if cell is None else text(cell) for cell in cells]
    return map(text, cells)


# The names of plans and metrics, and the instants of periods, come again and again.
_TEXT_OF: Final[dict[str, Callable[[Any], str]]] = {
    "text": lru_cache(maxsize=1024)(escape_formula),
    "instant": lru_cache(maxsize=1024)(format_instant),
    "whole": str,
}
