"""Pool shares: the part of each line of one statement that each member of a pool owes.

A line's cost is split in proportion to weights: the units that each member used, or those that it
used beyond an equal part of the limit. An adjustment of all lines is split in proportion to the
exact shares of the lines before it, so that no rounding of one line decides another.

Two members used 700 and 400 units; the limit is 600, and the 500 units over it cost 5.00:

    by="used"                 500 in the ratio 700 : 400, so 3.18 and 1.82
    by="beyond_equal_part"    an equal part is 300: 500 in the ratio 400 : 100, so 4.00 and 1.00

Each share is rounded down, and the minor units that are then missing go to the largest remainders,
the earlier member first where they are equal: the shares of a line sum to its cost, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Literal, TypeAlias

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import instance_of
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, parse_non_negative, scaled
from overages.amounts.money import Money, new_money
from overages.amounts.rounding import Rounding, round_together
from overages.lines.adjustment import OVERAGE, Adjustment
from overages.lines.overage import Overage
from overages.statements.statement import Statement
from overages.usage.usage import Usage

SplitBy: TypeAlias = Literal["used", "beyond_equal_part"]
"""The weights of members in a split: the units that each used, or those of them that are beyond an
equal part of the limit."""


@value
class PoolShare:
    """The part of one line of a pooled statement that one member owes.

    :param org_id: the member.
    :param metric: the line's metric; None for an adjustment of the whole statement.
    :param used: units that the member used, zero or more; zero for an adjustment.
    :param cost: its share of the line's cost.
    :param line: which line of the metric it is, ``"overage"`` or an adjustment's.

    >>> PoolShare("sales", "tokens", 900, Money(300, "USD")).cost.minor
    300
    """

    org_id: str = term(parse_name)
    metric: str | None = term(optional_name)
    used: Quantity = term(parse_non_negative)
    cost: Money = term(instance_of(Money))
    line: str = term(parse_name)

    def __init__(
        self, org_id: str, metric: str | None, used: QuantityLike, cost: Money, line: str = OVERAGE
    ) -> None: ...


def split(statement: Statement, usages: Sequence[Usage], by: SplitBy) -> list[list[PoolShare]]:
    """Split each line of a statement: its members' shares, by line, in the statement's order.

    :param usages: of each member; together, the usage that the statement is of.
    """
    owed_so_far = [Fraction() for _ in usages]  # exactly, so that no rounding decides the shares
    shares_by_line = []
    for line in statement.lines:
        weights = _weights(line, statement, usages, by, owed_so_far)
        ratios = [(line.cost.minor * weight, sum(weights)) for weight in weights]
        # The exact shares sum to whole minor units, so the rule only says how each is cut off.
        costs = round_together(ratios, Rounding.DOWN)
        shares_by_line.append(
            [_share(usage, line, minor) for usage, minor in zip(usages, costs, strict=True)]
        )
        owed_so_far = [
            owed + Fraction(*ratio) for owed, ratio in zip(owed_so_far, ratios, strict=True)
        ]
    return shares_by_line


def _share(usage: Usage, line: Overage | Adjustment, minor: int) -> PoolShare:
    cost = new_money(minor, line.cost.currency)
    if isinstance(line, Adjustment):
        return PoolShare(usage.org_id, line.metric, 0, cost, line.line)
    return PoolShare(usage.org_id, line.metric, usage.quantities.get(line.metric, 0), cost)


def _weights(
    line: Overage | Adjustment,
    statement: Statement,
    usages: Sequence[Usage],
    by: SplitBy,
    owed_so_far: Sequence[Fraction],
) -> list[int]:
    """Return the integers in proportion to which a line's cost is split; not all are zero."""
    if line.metric is None:
        common = lcm(*(owed.denominator for owed in owed_so_far))
        # A member that is owed something (a discount of its metric alone) gets none of a bill.
        weights = [max(0, int(owed * common)) for owed in owed_so_far]
    else:
        weights = _used(statement, line.metric, usages, by)
    return weights if any(weights) else [1] * len(usages)  # a fee without usage: all owe the same


def _used(statement: Statement, metric: str, usages: Sequence[Usage], by: SplitBy) -> list[int]:
    """Return the picos of a metric that each member used, or used beyond an equal part."""
    allowance, limit = statement.plan.allowances[metric], statement[metric].limit
    used = [scaled(allowance.converted(usage.quantities.get(metric, 0))) for usage in usages]
    beyond = []
    if by == "beyond_equal_part" and limit is not None:
        # Times the number of members, since an equal part of the limit need not be whole picos.
        beyond = [max(0, len(used) * picos - scaled(limit)) for picos in used]
    return beyond if any(beyond) else used
