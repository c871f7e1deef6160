"""Flat lines: those of metrics with an included quantity and a price, and nothing else.

In a whole period they depend on nothing before and on no other line, so they are rated and rounded
in one pass, for a statement that has no others (`calculate`) as for one that has (`settle`):

    rows, unused_rows, total, seen = flat_lines(plan, plan.compiled.lines, quantities, own_limits)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from overages.amounts.exact import Quantity, excess
from overages.amounts.rounding import round_ratio
from overages.errors import OveragesError
from overages.lines.overage import LineNumbers
from overages.prices.exact_cost import added_cost
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan

FlatLines: TypeAlias = tuple[list[LineNumbers], tuple[LineNumbers, ...], int, int]
"""The lines that say something, those that only have a limit which isn't the plan's, the total in
minor units, and how many of the metrics were named in the usage."""

NO_LINES: Final[FlatLines] = ([], (), 0, 0)


def flat_lines(
    plan: Plan,
    lines: Iterable[CompiledLine],
    quantities: Mapping[str, Quantity],
    own: Mapping[str, Quantity | None] | None,
) -> FlatLines:
    """Return the lines of metrics in a whole period, in the order given.

    This is the one measured loop, and the reason for all that is unusual here: lines are plain
    tuples, a line that is linear is priced by one division, `type` is asked before anything else.

    :param own: the org's own limits; None where it has none.
    """
    over: Quantity
    rows: list[LineNumbers] = []
    unused_rows: tuple[LineNumbers, ...] = ()
    total = seen = 0
    for line in lines:
        used = quantities.get(line.metric)
        if used is None:
            used = 0
        else:
            seen += 1
        included, factor = line.included, line.factor
        limit = included if own is None else own.get(line.metric, included)
        if factor is not None and type(used) is int and type(limit) is int:
            over = used - limit if used > limit else 0
            # over x price, to minor units and rounded, by one division: see `floor_form`.
            cost = minor = (over * factor + line.bias) // line.divisor
        else:
            over, cost, minor = _priced_over(plan, line, used, limit)
        if used or cost:  # a fee without units can be less than a minor unit
            rows.append((line, used, limit, over, minor, None, (), None))
            total += minor
        # Nothing used and nothing due, but a limit that the plan alone doesn't tell.
        elif limit != included:
            unused_rows += ((line, 0, limit, 0, 0, None, (), None),)
    return rows, unused_rows, total, seen


def _priced_over(
    plan: Plan, line: CompiledLine, used: Quantity, limit: Quantity | None
) -> tuple[Quantity, int, int]:
    """Return the units over a limit, the numerator of their exact cost, and the rounded cost."""
    over = excess(used, limit)
    try:
        cost, denominator = added_cost(line.allowance.price, None, over)
    except OveragesError as error:
        raise error.within(line.metric) from error.__cause__
    return over, cost, round_ratio(cost * 10**plan.currency.exponent, denominator, plan.rounding)
