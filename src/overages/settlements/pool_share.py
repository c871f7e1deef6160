"""Pool shares: what each member of a pool owes of the lines of one statement.

for shares in split(statement, usages, by="used"):
    sum(share.cost.minor for share in shares)     # that of the line, always
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Literal, TypeAlias

from attrs import frozen

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import instance_of, parse_all
from overages.amounts.exact import Quantity, QuantityLike, parse_non_negative, scaled
from overages.amounts.money import Money, new_money
from overages.amounts.rounding import Rounding, round_together
from overages.statements.adjustment import OVERAGE, Adjustment
from overages.statements.overage import Overage
from overages.statements.rating import units_of
from overages.statements.statement import Statement
from overages.usage.usage import Usage

SplitBy: TypeAlias = Literal["used", "beyond_equal_part"]
"""In proportion to what the cost of a line is split: all that a member used, or what it used beyond
an equal part of the limit."""


@frozen(init=False, weakref_slot=False)
class PoolShare:
    """What one member owes of one line of a pooled statement.

    :param org_id: the member.
    :param metric: the line's metric; None for an adjustment of the whole statement.
    :param used: units that the member used, zero or more; zero for an adjustment.
    :param cost: its share of the line's cost.
    :param line: which line of the metric it is, ``"overage"`` or an adjustment's.

    >>> PoolShare("sales", "tokens", 900, Money(300, "USD")).cost.minor
    300
    """

    org_id: str
    metric: str | None
    used: Quantity
    cost: Money
    line: str

    def __init__(
        self, org_id: str, metric: str | None, used: QuantityLike, cost: Money, line: str = OVERAGE
    ) -> None:
        values = parse_all(
            (parse_name, org_id, "org_id"),
            (optional_name, metric, "metric"),
            (parse_non_negative, used, "used"),
            (instance_of(Money), cost, "cost"),
            (parse_name, line, "line"),
        )
        self.__attrs_init__(*values)


def split(statement: Statement, usages: Sequence[Usage], by: SplitBy) -> list[list[PoolShare]]:
    """Return for each line, in the statement's order, what each member owes of it.

    :param usages: what each member used; together, what the statement says.
    """
    owed = [Fraction() for _ in usages]  # exactly, so that no rounding decides what follows
    columns = []
    for line in statement.lines:
        weights = _weights(line, statement, usages, by, owed)
        ratios = [(line.cost.minor * weight, sum(weights)) for weight in weights]
        # Of whole minor units: the sum needs no rounding.
        costs = round_together(ratios, Rounding.DOWN)
        columns.append(
            [_share(usage, line, minor) for usage, minor in zip(usages, costs, strict=True)]
        )
        owed = [before + Fraction(*ratio) for before, ratio in zip(owed, ratios, strict=True)]
    return columns


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
    owed: Sequence[Fraction],
) -> list[int]:
    """Return what a line's cost is split in proportion to, in integers; not all of it is zero."""
    if line.metric is None:
        common = lcm(*(share.denominator for share in owed))
        found = [max(0, int(share * common)) for share in owed]
    else:
        found = _used(statement, line.metric, usages, by)
    return found if any(found) else [1] * len(usages)


def _used(statement: Statement, metric: str, usages: Sequence[Usage], by: SplitBy) -> list[int]:
    allowance, limit = statement.plan.allowances[metric], statement[metric].limit
    used = [scaled(units_of(allowance, each.quantities.get(metric, 0))) for each in usages]
    beyond = []
    if by == "beyond_equal_part" and limit is not None:
        whole = scaled(limit)
        beyond = [max(0, len(used) * parts - whole) for parts in used]  # times the members
    return beyond if any(beyond) else used
