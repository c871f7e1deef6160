"""Usage events from CSV.

The first line names the columns, in any order: ``org_id``, ``metric``, ``quantity``, ``timestamp``
and, if events have ids, ``event_id``; each dimension has a column ``dimension.<name>``, which is
empty where an event doesn't have it. A column of another name is refused: a misspelt ``event_id``
would count events twice without a word.

    for line, event in read_events(file):
        if isinstance(event, UsageEvent): ...

An apostrophe before a text that a spreadsheet would run as a formula (``'=1+1``), as exports have
it, is no part of the text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from functools import partial

from overages._ground.columns import EVENTS, dimension_of, refuse_columns, unescape_formula
from overages._ground.parsing import Parser, parse_all
from overages.amounts.exact import parse_quantity
from overages.errors import InvalidValue, OveragesError
from overages.periods.period import instant_from_text
from overages.usage.event import UsageEvent


def read_events(
    lines: Iterable[str], zone: tzinfo | None = None
) -> Iterator[tuple[int, UsageEvent | OveragesError]]:
    """Yield each row as its line number and its event, or its faults.

    :param lines: the text, line by line; of a file opened with ``newline=""``.
    :param zone: the timezone of timestamps that have none; without it they are wrong.
    :raises InvalidValue: if the first line doesn't name the columns; `InvalidValues` for all
        of several faults.

    >>> rows = ["org_id,metric,quantity,timestamp", "org-1,tokens,4808,2023-11-16T18:17:03Z"]
    >>> [(line, event.quantity) for line, event in read_events(rows)]
    [(2, 4808)]
    """
    reader = csv.reader(lines, strict=True)
    try:
        columns = _columns(next(reader, []))
    except csv.Error as error:
        raise InvalidValue("columns", str(error), "must be readable as CSV") from None
    timestamp = partial(instant_from_text, zone=zone)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, InvalidValue("row", str(error), "must be readable as CSV")
            continue
        if row:
            yield reader.line_num, _event_or_error(row, columns, timestamp)


def _columns(header: list[str]) -> dict[str, int]:
    if len(header) == 1 and (other := re.search("[;\t|]", header[0])):
        problem = f"must be separated by commas, not by {other[0]!r}"
        raise InvalidValue("columns", header[0], problem)
    refuse_columns(header, EVENTS, dimensions=True)
    return {name: header.index(name) for name in header}


def _event_or_error(
    row: list[str], columns: dict[str, int], timestamp: Parser[datetime]
) -> UsageEvent | OveragesError:
    if len(row) != len(columns):
        return InvalidValue("row", row, f"must have {len(columns)} fields, has {len(row)}")
    try:
        units, at = parse_all(
            (parse_quantity, row[columns["quantity"]], "quantity"),
            (timestamp, row[columns["timestamp"]], "timestamp"),
        )
        texts = {column: unescape_formula(row[place]) for column, place in columns.items()}
        org_id, metric, event_id = texts["org_id"], texts["metric"], texts.get("event_id")
        dimensions = {
            name: text for column, text in texts.items() if (name := dimension_of(column)) and text
        }
        return UsageEvent(org_id, metric, units, at, event_id or None, dimensions)
    except OveragesError as error:
        return error
