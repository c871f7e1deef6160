"""Recordable lines: those of a statement that are over or cost something, as recording keeps them.

A record has the exact cost of its line, so a line of less than a minor unit is one too:

    for metric, line, quantity, ratio, minor, unit_price in statement.recordable_lines():
        ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from overages.amounts.exact import Exact, Quantity
from overages.lines.adjustment import Adjustment, overage_line
from overages.lines.overage import LineNumbers
from overages.prices.tier import Ratio

RecordableLine: TypeAlias = tuple[str | None, str, Quantity, Ratio, int, Exact | None]
"""A line as recording keeps it.

Metric, None for all of them; ``"overage"``, with the start of its part if it has one, or an
adjustment's line; quantity; exact cost in major currency units, as numerator and denominator, not
reduced; rounded cost in minor units; unit price. (A plain tuple, as `LineNumbers` is.)
"""


def recordable_lines(
    rows: Iterable[LineNumbers], adjustments: Iterable[Adjustment]
) -> Iterator[RecordableLine]:
    """Yield the lines that are over or cost something, exactly, and all adjustments."""
    for line, _, _, over, minor, before, _, part in rows:
        if not over and not minor and line.factor is not None:
            continue  # where each unit costs the same, none cost nothing
        ratio = line.added_cost(before, over)
        numerator, _ = ratio
        if over or minor or numerator:  # a fee at zero can be less than a minor unit
            each = line.added_unit_price(before, over)
            yield line.metric, overage_line(part), over, ratio, minor, each
    for adjustment in adjustments:
        ratio = adjustment.exact_cost.as_integer_ratio()
        yield adjustment.metric, adjustment.line, 0, ratio, adjustment.cost.minor, None
