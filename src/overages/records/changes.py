"""Changes: what the lines of a statement differ in from what was recorded of them.

changes = changes_of(statement, records)
for (metric, line), quantity, exact_cost, minor, unit_price in changes: ...
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, TypeAlias

from overages.amounts.exact import SCALE, Exact, Quantity, number_from_ratio, scaled, unscaled
from overages.errors import CurrencyMismatch
from overages.records.record import OverageRecord
from overages.statements.adjustment import Key, path_of
from overages.statements.statement import Statement

"""A metric, or None for all, and a line of it."""

Change: TypeAlias = tuple[Key, Quantity, Exact, int, Exact | None]
"""The difference between what was recorded of a line and what is due now.

Its key; units, exact cost, minor units and unit price of the difference. (A plain tuple, as a named
one takes ten times as long to make.)
"""

Sums: TypeAlias = tuple[int, Fraction, int]
"""Quantity in parts, exact cost in major units, and cost in minor units."""

_NOTHING: Final[Sums] = (0, Fraction(), 0)


def changes_of(statement: Statement, there: list[OverageRecord]) -> list[Change]:
    """Return what a statement's result differs in from the sum of the period's records."""
    for record in there:
        if record.cost.currency != statement.currency:
            raise CurrencyMismatch(record.cost.currency.code, statement.currency.code)
    recorded = sums_of(there)
    changes: list[Change] = []
    for metric, line, quantity, ratio, minor, unit_price in statement.charged():
        key = metric, line
        before = recorded.pop(key, None)
        if before is None:
            changes.append((key, quantity, number_from_ratio(*ratio), minor, unit_price))
        elif before != (now := (scaled(quantity), Fraction(*ratio), minor)):
            changes.append(_correction(key, before, now, unit_price))
    for key, before in recorded.items():  # what is not over any more, or not in the plan
        if before != _NOTHING:
            changes.append(_correction(key, before, _NOTHING, None))
    return changes


def _correction(key: Key, before: Sums, now: Sums, price: Exact | None) -> Change:
    exact = now[1] - before[1]
    parts = now[0] - before[0]
    explained = price is not None and exact == Fraction(parts, SCALE) * Fraction(price)
    return (
        key,
        unscaled(parts),
        number_from_ratio(exact.numerator, exact.denominator),
        now[2] - before[2],
        price if explained else None,  # the price of each unit, unless prices have changed
    )


def sums_of(records: Iterable[OverageRecord]) -> dict[Key, Sums]:
    """Return what records come to by line."""
    sums: dict[Key, Sums] = {}
    for record in records:
        key = record.metric, record.line
        parts, exact, minor = sums.get(key, _NOTHING)
        sums[key] = (
            parts + scaled(record.quantity),
            exact + Fraction(record.exact_cost),
            minor + record.cost.minor,
        )
    return sums


def differing(changes: Iterable[Change]) -> str:
    """Name the fields in which a result differs from another."""
    return ", ".join(
        f"{path_of(key)}.{name}"
        for key, *differences in changes
        for name, difference in zip(("quantity", "exact_cost", "cost"), differences, strict=False)
        if difference
    )
