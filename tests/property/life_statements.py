"""What a statement says, and what it should say by a model: in one form, to be compared."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from overages import Statement

from .life_bills import Bill
from .life_draws import period_of


def told(statement: Statement) -> list[Any]:
    """Return a statement's lines that say something, its adjustments, and the total."""
    rules = [
        (rule.metric, rule.line, rule.cost.minor, Fraction(rule.exact_cost))
        for rule in statement.adjustments
    ]
    return [statement.period, *lines_of(statement), *rules, statement.total.minor]


def lines_of(statement: Statement) -> list[Any]:
    period = statement.period
    return [
        (line.metric, line.part or period, Fraction(line.used),
         None if line.limit is None else Fraction(line.limit), Fraction(line.quantity),
         Fraction(line.exact_cost), line.cost.minor)
        for line in statement.every_overage() if line.used or line.cost.minor
    ]  # fmt: skip


def expected(bill: Bill) -> list[Any]:
    """Return the same of what a period should come to."""
    lines = [
        (line.metric, period_of(line.span.start, line.span.end), line.used, line.limit, line.over,
         line.added, line.cost)
        for line in bill.lines if line.used or line.cost
    ]  # fmt: skip
    return [period_of(bill.start, bill.end), *lines, *bill.steps, bill.total]
