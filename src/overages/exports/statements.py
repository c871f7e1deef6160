"""Statements as JSON and as CSV: exact, in a fixed order, numbers as plain decimal text.

for line in json_lines(statements): print(line)
write_csv(statements, sys.stdout)
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO

from overages._ground.columns import LINES, Column, escape_formula, names_of
from overages.amounts.exact import Exact, number_text
from overages.codec import document
from overages.lines.adjustment import Adjustment
from overages.lines.overage import Overage
from overages.periods.period import format_instant
from overages.statements.statement import Statement

COLUMNS: Final = names_of(LINES)


def json_lines(statements: Iterable[Statement]) -> Iterator[str]:
    """Yield a JSON array of statements, a line for each, as `overages.codec` has them."""
    line = "["
    for statement in statements:
        if line != "[":
            yield f"{line},"
        line = ("[" if line == "[" else " ") + json.dumps(document(statement), ensure_ascii=False)
    yield f"{line}]"


def write_csv(statements: Iterable[Statement], file: TextIO) -> None:
    """Write a row for each line of each statement, under a row of `COLUMNS`.

    A cell is empty where there is nothing to say: the quantities of an adjustment, and its metric
    where it is about all of them. A name that a spreadsheet would run as a formula has an
    apostrophe before it, which `overages.imports.events.read_events` takes off again.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for statement in statements:
        fields = _heading(statement)
        rows = [fields | {"line": line.line} | _line(line) for line in statement.overages]
        rows += [fields | _adjustment(other) for other in statement.adjustments]
        writer.writerows([_cell(column, row.get(column.name)) for column in LINES] for row in rows)


def _cell(column: Column, text: str | None) -> str | None:
    return text if text is None or column.kind != "text" else escape_formula(text)


def _heading(statement: Statement) -> dict[str, Any]:
    return {
        "org_id": statement.org_id,
        "period_start": format_instant(statement.period.start),
        "period_end": format_instant(statement.period.end),
        "plan": statement.plan.slug,
        "currency": statement.currency.code,
    }


def _line(line: Overage) -> dict[str, Any]:
    return {
        "metric": line.metric,
        "used": _text(line.used),
        "limit": _text(line.limit),
        "over": _text(line.quantity),
        "unit_price": _text(line.unit_price),
        "exact_cost": _text(line.exact_cost),
        "cost": _text(line.cost.amount),
    }


def _adjustment(line: Adjustment) -> dict[str, Any]:
    return {
        "metric": line.metric,
        "line": line.line,
        "before": _text(line.before.amount),
        "exact_cost": _text(line.exact_cost),
        "cost": _text(line.cost.amount),
    }


def _text(number: Exact | int | None) -> str | None:
    return None if number is None else number_text(number)
