"""Usage events from CSV.

The first line names the columns, in any order: ``org_id``, ``metric``, ``quantity``, ``timestamp``
and, if events have ids, ``event_id``; each dimension has a column ``dimension.<name>``, which is
empty where an event doesn't have it. Files that are laid out otherwise are read by a `UsageLayout`.

    for line, event in read_events(lines, UsageLayout(timezone="UTC")):
        if isinstance(event, UsageEvent): ...

An apostrophe before a text that a spreadsheet would run as a formula (``'=1+1``), as exports have
it, is no part of the text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from overages.errors import InvalidValue
from overages.imports.usage_files.cells import Row
from overages.imports.usage_files.columns import find_columns
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.rows import EventOrError, ReadRows, UsageRows

_BATCH: Final = 256  # rows that are read together; of more, fewer stay in the cache
_OWN: Final = UsageLayout()


def read_events(
    lines: Iterable[str], layout: UsageLayout = _OWN
) -> Iterator[tuple[int, EventOrError]]:
    """Yield each event with the number of the line that its row begins at, or its row's faults.

    A row of empty cells says nothing, and is passed over.

    :param lines: the text, line by line, such as of `overages.imports.usage_files.text.open_usage`.
    :param layout: the columns that say the terms of an event, and how they are written; by default,
        the library's own.
    :raises EmptyFile: if there is no line that names the columns.
    :raises InvalidValue: if that line doesn't name those that are needed; `InvalidValues` for all
        of several faults.

    >>> rows = ["org_id,metric,quantity,timestamp", "org-1,tokens,4808,2023-11-16T18:17:03Z"]
    >>> [(line, event.quantity) for line, event in read_events(rows)]
    [(2, 4808)]
    """
    for rows in read_rows(lines, layout):
        yield from rows.events()


def read_rows(lines: Iterable[str], layout: UsageLayout) -> Iterator[ReadRows]:
    """Yield the rows in batches, for who needs no object of each event; see `read_events`."""
    reader = csv.reader(lines, delimiter=layout.separator, strict=True)
    try:
        header = next(filter(any, reader), [])
    except csv.Error as error:
        raise InvalidValue("columns", str(error), "must be readable as CSV") from None
    usage = UsageRows(find_columns(header, layout), layout)
    numbers: list[int] = []
    rows: list[Row] = []
    line = reader.line_num + 1
    while True:
        try:
            for row in reader:
                if any(row):
                    rows.append(row)
                    numbers.append(line)
                    if len(rows) == _BATCH:
                        yield usage.read(numbers, rows)
                        numbers, rows = [], []
                line = reader.line_num + 1
        except csv.Error as error:
            # A row of empty cells stands for the one that can't be read
            numbers.append(line)
            rows.append([""] * len(header))
            read = usage.read(numbers, rows)
            unreadable = _unreadable(error, line, reader.line_num)
            yield read._replace(errors={**read.errors, len(rows) - 1: unreadable})
            numbers, rows = [], []
            line = reader.line_num + 1
        else:
            break
    if rows:
        yield usage.read(numbers, rows)


def _unreadable(error: csv.Error, first: int, last: int) -> InvalidValue:
    problem = "must be readable as CSV"
    if last > first:
        problem += f"; a quote that isn't closed takes in the lines up to {last}"
    return InvalidValue("row", str(error), problem)
