"""Changes: the difference between a statement and the records of its period, line by line.

    change = the line's result now - the sum of its records

in units, exact cost and cost alike, and a line of which all three are zero has not changed. All
three are compared, for each can change alone: the exact cost where rounding hides it, the cost
where only the rounding rule is another one, the units where they are free.

Recorded were 25 runs for 25.00; due now are 10 runs for 10.00 and a minimum that adds 5.00:

    runs, overage    -15 units, -15.00
    minimum            0 units,   5.00
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple, TypeAlias

from overages.amounts.exact import (
    SCALE,
    Exact,
    Quantity,
    number_from_ratio,
    parse_amount,
    scaled,
    unscaled,
)
from overages.errors import CurrencyMismatch
from overages.lines.adjustment import Key, line_path, path_of
from overages.prices.tier import Ratio
from overages.records.record import OverageRecord
from overages.statements.statement import Statement

Change: TypeAlias = tuple[str | None, str, Quantity, Exact, int, Exact | None]
"""The difference between the records of a line and its result now.

Metric, line, units, exact cost in major units, cost in minor units, unit price. (A plain tuple: one
is made for each record, and a named one takes 360 ns to make instead of 80.)
"""


class LineSum(NamedTuple):
    """Some records of a line together: units in picos, exact cost in major units, minor units."""

    picos: int
    exact_cost: Fraction
    minor: int


_FEW: Final = 1 << 1_000  # a ratio of smaller integers has no more digits than an amount may have
_NO_SUM: Final = LineSum(0, Fraction(), 0)


def changes_of(statement: Statement, recorded: Sequence[OverageRecord]) -> list[Change]:
    """Return the lines in which a statement differs from its period's records.

    :raises CurrencyMismatch: if a record is in another currency.
    :raises InvalidValue: if an exact cost has more digits than a record keeps.
    """
    for record in recorded:
        if record.cost.currency != statement.currency:
            was, now = record.cost.currency.code, statement.currency.code
            raise CurrencyMismatch(was, now, "currency")
    recorded_sums = line_sums(recorded)
    changes: list[Change] = []
    for metric, line, quantity, ratio, minor, unit_price in statement.recordable_lines():
        key = metric, line
        before = recorded_sums.pop(key, None)
        if before is None:
            exact_cost = _exact_cost(key, ratio)
            changes.append((metric, line, quantity, exact_cost, minor, unit_price))
        elif before != (due := LineSum(scaled(quantity), Fraction(*ratio), minor)):
            changes.append(_correction(key, before, due, unit_price))
    for key, before in recorded_sums.items():  # not over any more, or not in the plan
        if before != _NO_SUM:
            changes.append(_correction(key, before, _NO_SUM, None))
    return changes


def _correction(key: Key, before: LineSum, due: LineSum, price: Exact | None) -> Change:
    picos = due.picos - before.picos
    exact = due.exact_cost - before.exact_cost
    # Units before were charged at prices of their own: only where today's price explains the whole
    # difference is it that of each unit.
    explained = price is not None and exact == Fraction(picos, SCALE) * Fraction(price)
    return (
        *key,
        unscaled(picos),
        _exact_cost(key, exact.as_integer_ratio()),
        due.minor - before.minor,
        price if explained else None,
    )


def _exact_cost(key: Key, ratio: Ratio) -> Exact:
    """Return the exact cost of a change, one that can be read again wherever it is kept.

    A line adds up the ratios of its tiers, and a correction those of two results: with a
    denominator for each, the sum has as many digits as all of them together.
    """
    numerator, denominator = ratio
    exact = number_from_ratio(numerator, denominator)
    if -_FEW < numerator < _FEW and denominator < _FEW:
        return exact
    return parse_amount(exact, (*line_path(key), "exact_cost"))


def line_sums(records: Iterable[OverageRecord]) -> dict[Key, LineSum]:
    """Add up records line by line."""
    sums: dict[Key, LineSum] = {}
    for record in records:
        key = record.metric, record.line
        so_far = sums.get(key, _NO_SUM)
        sums[key] = LineSum(
            so_far.picos + scaled(record.quantity),
            so_far.exact_cost + Fraction(record.exact_cost),
            so_far.minor + record.cost.minor,
        )
    return sums


def changed_fields(changes: Iterable[Change]) -> str:
    """Name the fields that differ, with their lines: ``tokens.quantity, tokens.cost``."""
    return ", ".join(
        f"{path_of((metric, line))}.{name}"
        for metric, line, quantity, exact_cost, minor, _ in changes
        for name, difference in (
            ("quantity", quantity),
            ("exact_cost", exact_cost),
            ("cost", minor),
        )
        if difference
    )
