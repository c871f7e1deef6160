"""What records come to, and what a statement says: the same numbers, if they are its records."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from overages import OverageRecord, Statement

Sums = dict[tuple[str | None, str], tuple[Fraction, Fraction, int]]


def sums_of(records: Iterable[OverageRecord]) -> Sums:
    """Return quantity, exact cost and cost by metric and line, where there is any."""
    sums: Sums = {}
    for record in records:
        key = record.metric, record.line
        quantity, exact, minor = sums.get(key, (Fraction(), Fraction(), 0))
        sums[key] = (
            quantity + Fraction(record.quantity),
            exact + Fraction(record.exact_cost),
            minor + record.cost.minor,
        )
    return {key: found for key, found in sums.items() if any(found)}


def result_of(statement: Statement) -> Sums:
    """Return the same of a statement's lines."""
    lines: Sums = {
        (line.metric, "overage"): (
            Fraction(line.quantity),
            Fraction(line.exact_cost),
            line.cost.minor,
        )
        for line in statement.overages
    }
    for line in statement.adjustments:
        lines[line.metric, line.line] = Fraction(), Fraction(line.exact_cost), line.cost.minor
    return {key: found for key, found in lines.items() if any(found)}
