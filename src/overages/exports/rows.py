"""Rows: the lines of statements, records, events and usage, in the order of their columns.

The formats of tables (CSV, Arrow) write them; `overages._ground.columns` names their columns:

    for row in line_rows(statement): ...              # as `LINES`
    record_row(record)                                # as `RECORDS`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from overages._ground.columns import DIMENSION, EVENTS, Column
from overages.amounts.exact import number_from_ratio
from overages.amounts.money import new_money
from overages.lines.adjustment import overage_line
from overages.records.record import OverageRecord
from overages.statements.statement import Statement
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

Row: TypeAlias = tuple[Any, ...]
"""The cells of a row; None where there is nothing to say."""


def line_rows(statement: Statement) -> Iterator[Row]:
    """Yield a row for each line of a statement: the overages, then the adjustments.

    An adjustment has no quantities, and no metric where it is about all of them.
    """
    period, currency = statement.period, statement.currency
    head = (statement.org_id, period.start, period.end, statement.plan.slug)
    code = currency.code
    for line, used, limit, over, minor, before, _, part in statement.rows:
        cost = number_from_ratio(*line.added_cost(before, over))
        prices = line.added_unit_price(before, over), cost, new_money(minor, currency).amount
        yield (*head, line.metric, overage_line(part), used, limit, over, *prices, code)
    for other in statement.adjustments:
        prices = None, other.exact_cost, other.cost.amount
        yield (*head, other.metric, other.line, None, None, None, *prices, code)


def record_row(record: OverageRecord) -> Row:
    """Return the row of a record, with all that it takes to make it again."""
    period, cost, currency = record.period, record.cost, record.cost.currency
    return (
        record.org_id,
        period.start,
        period.end,
        record.metric,
        record.line,
        record.quantity,
        record.unit_price,
        record.exact_cost,
        cost.amount,
        currency.code,
        currency.exponent,
        record.plan,
        record.plan_version,
        record.revision,
        record.sequence,
        record.created_at,
        record.digest,
    )


def usage_rows(usage: Usage) -> Iterator[Row]:
    """Yield a row for each quantity of a usage; of nothing at all, one without a metric."""
    head = usage.org_id, usage.period.start, usage.period.end
    for metric, quantity in usage.quantities.items() or [(None, None)]:
        yield (*head, metric, quantity)


def event_columns(dimensions: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of events that have some dimensions."""
    own = (Column(f"{DIMENSION}{name}", "text", nullable=True) for name in dimensions)
    return (*EVENTS, *own)


def event_row(event: UsageEvent, dimensions: Sequence[str]) -> Row:
    """Return the row of an event, with the dimensions that there is a column for."""
    own = (event.dimensions.get(name) for name in dimensions)
    return (event.org_id, event.metric, event.quantity, event.at, event.id, *own)
