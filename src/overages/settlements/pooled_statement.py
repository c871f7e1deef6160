"""Pooled statements: one allowance that several orgs share, and the part that each of them owes.

The usage of all is calculated together, and each line's cost split back without loss:

    pooled = pool(plan, [usage_of_sales, usage_of_research], "the-group")
    pooled.statement.total, pooled.total_of("sales")
    print(pooled.explain())

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

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from math import lcm
from typing import Final, Literal, TypeAlias

from overages._ground.display import text_table
from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import Problems, choice_of, instance_of, parse_all, tuple_of
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    parse_non_negative,
    plain_text,
    scaled,
    unscaled,
)
from overages.amounts.money import Money, new_money
from overages.amounts.rounding import Rounding, round_together
from overages.errors import Field, InvalidValue, at, did_you_mean
from overages.lines.adjustment import OVERAGE, Adjustment, path_of
from overages.lines.overage import Overage
from overages.statements.calculation import calculate
from overages.statements.statement import Statement
from overages.terms.plan import Plan, unknown_metric
from overages.terms.terms import Limits
from overages.usage.usage import Usage

SplitBy: TypeAlias = Literal["used", "beyond_equal_part"]
"""The weights of members in a split: the units that each used, or those of them that are beyond an
equal part of the limit."""
_COLUMNS: Final = ["member", "metric", "used", "share"]
_BY: Final[Mapping[SplitBy, str]] = {
    "used": "what each used",
    "beyond_equal_part": "what each used beyond an equal part of the limit",
}
_parse_by: Final = choice_of(SplitBy)


def _parse_members(value: object, field: Field) -> tuple[Usage, ...]:
    """Parse usages of one period, at least one, each of another org."""
    usages, problems = tuple_of(Usage)(value, field), Problems()
    if not usages:
        raise InvalidValue(field, usages, "must have a member at least")
    members = set()
    for i, usage in enumerate(usages):
        if usage.period != usages[0].period:
            problem = f"must be that of the first one, {usages[0].period}"
            problems.add(InvalidValue(at(field, i, "period"), usage.period, problem))
        if usage.org_id in members:
            problems.add(InvalidValue(at(field, i, "org_id"), usage.org_id, "must be given once"))
        members.add(usage.org_id)
    problems.raise_any()
    return usages


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


@value
class PooledStatement:
    """The statement of the usage of several orgs together, and each one's share of every line.

    The shares of a line sum to its cost, so those of all members to the statement's total. Each is
    the exact share rounded down or up to the minor unit; the larger remainders are rounded up, of
    equal ones that of the earlier member. Where no member used anything, as with a fee that is due
    at zero, all members owe the same; where none is beyond an equal part, each owes by its use.
    An adjustment of a metric is split as its overage is, one of the whole statement in proportion
    to the shares of the lines before it.

    :param statement: of all usage together, under the id of the org that pays.
    :param usages: of each member in the statement's period.
    :param by: how costs are split: in proportion to the units that each member ``"used"``, or
        ``"beyond_equal_part"``, to those beyond the limit divided by the number of members.
    :raises InvalidType: for a value of a wrong type.
    :raises UnknownMetric: if a member used a metric that the statement's plan doesn't know.
    :raises InvalidValue: if the usage isn't of the statement's period or doesn't sum to that of
        its lines, if there is none, or if a member is named twice.

    >>> from overages import Allowance, Period, PerUnit
    >>> plan = Plan("p", "USD", {"tokens": Allowance(0, PerUnit("0.01"))})
    >>> month = Period.month(2024, 2)
    >>> usages = [Usage(member, month, {"tokens": 5}) for member in ("a", "b", "c")]
    >>> statement = calculate(plan, Usage("group", month, {"tokens": 15}))
    >>> [share.cost.minor for share in PooledStatement(statement, usages).shares]
    [5, 5, 5]
    """

    statement: Statement = term(instance_of(Statement))
    usages: tuple[Usage, ...] = term(_parse_members)
    by: SplitBy = term(_parse_by)
    shares: tuple[PoolShare, ...] = derived()
    """By member, in the order of `usages`, a share of each line, in the statement's order."""

    def __init__(
        self, statement: Statement, usages: Iterable[Usage], by: SplitBy = "used"
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        # A statement of other usage would be split all the same, and charge members for units that
        # none of them used.
        statement, sums = self.statement, _sums(self.usages)
        if self.usages[0].period != statement.period:
            problem = f"must be that of the statement, {statement.period}"
            first = self.usages[0].period
            problems.add(InvalidValue(("usages", 0, "period"), first, problem))
        for metric in sums:
            if metric not in statement:
                problems.add(unknown_metric(("usages", metric), metric, statement.plan))
                continue
            units = statement.plan.allowances[metric].converted(sums[metric])
            if units != statement[metric].used:
                problem = f"must sum to the statement's, {statement[metric].used}"
                problems.add(InvalidValue(("usages", metric), sums[metric], problem))
        for line in statement.overages:
            if line.used and line.metric not in sums:
                problem = f"must sum to the statement's, {line.used}"
                problems.add(InvalidValue(("usages", line.metric), 0, problem))

    def _complete(self) -> None:
        # Split line by line, so that each line adds up; kept by member, as it is asked for.
        shares_by_line = _split(self.statement, self.usages, self.by)
        by_member = [
            share for of_member in zip(*shares_by_line, strict=True) for share in of_member
        ]
        object.__setattr__(self, "shares", tuple(by_member))

    def shares_of(self, org_id: str) -> tuple[PoolShare, ...]:
        """Return a member's share of each line, in the statement's order.

        :raises InvalidValue: if the org is no member of the pool.
        """
        members = [usage.org_id for usage in self.usages]
        if org_id not in members:
            hint = did_you_mean(org_id, members)
            problem = f"must be a member of the pool: {', '.join(members)}{hint}"
            raise InvalidValue("org_id", org_id, problem)
        return tuple(share for share in self.shares if share.org_id == org_id)

    def total_of(self, org_id: str) -> Money:
        """Return the sum of a member's shares.

        :raises InvalidValue: if the org is no member of the pool.
        """
        minor = sum(share.cost.minor for share in self.shares_of(org_id))
        return new_money(minor, self.statement.currency)

    def explain(self) -> str:
        """Explain the statement and its shares, as a text that members can be shown."""
        rows = [_COLUMNS]
        for org_id, shares in groupby(self.shares, key=lambda share: share.org_id):
            rows += [
                [org_id, path_of((each.metric, each.line)), plain_text(each.used), str(each.cost)]
                for each in shares
            ]
            rows.append([org_id, "total", "", str(self.total_of(org_id))])
        rows.append(["total", "", "", str(self.statement.total)])
        title = f"Each line's cost is split by {_BY[self.by]}, losing nothing:"
        return f"{self.statement.explain()}\n\n{title}\n\n{text_table(rows, 'llrr')}"

    def __repr__(self) -> str:
        return f"<PooledStatement of {len(self.usages)} members: {self.statement!r}>"


def pool(
    plan: Plan,
    usages: Iterable[Usage],
    org_id: str,
    *,
    limits: Limits | None = None,
    by: SplitBy = "used",
) -> PooledStatement:
    """Return the statement of orgs that share the allowances of one plan, and each one's share.

    :param plan: the terms; units that it includes are included once, for all of them.
    :param usages: of each member, all in one period.
    :param org_id: the org that pays; it may be a member, or not.
    :param limits: limits of the pool's own by metric, as `calculate` takes them.
    :param by: how costs are split; see `PooledStatement`.
    :raises UnknownMetric: if usage or a limit names a metric that the plan doesn't know.
    :raises InvalidValue: if there is no usage, or of several periods, or twice of a member.

    >>> from overages import Allowance, Period, PerUnit
    >>> plan = Plan("group", "USD", {"tokens": Allowance(1_000, PerUnit("0.01"))})
    >>> month = Period.month(2024, 2)
    >>> usages = [Usage("sales", month, {"tokens": 900}), Usage("lab", month, {"tokens": 600})]
    >>> pooled = pool(plan, usages, "group")
    >>> print(pooled.statement.total, pooled.total_of("sales"), pooled.total_of("lab"), sep=", ")
    5.00 USD, 3.00 USD, 2.00 USD
    """
    plan, members, org_id, by = parse_all(
        (instance_of(Plan), plan, "plan"),
        (_parse_members, usages, "usages"),
        (parse_name, org_id, "org_id"),
        (_parse_by, by, "by"),
    )
    together = Usage(org_id, members[0].period, _sums(members))
    return PooledStatement(calculate(plan, together, limits=limits), members, by)


def _sums(usages: Sequence[Usage]) -> dict[str, Quantity]:
    """Add up the usage of all members, by metric."""
    sums: dict[str, int] = {}
    for usage in usages:
        for metric, used in usage.quantities.items():
            sums[metric] = sums.get(metric, 0) + scaled(used)
    return {metric: unscaled(picos) for metric, picos in sums.items()}


def _split(statement: Statement, usages: Sequence[Usage], by: SplitBy) -> list[list[PoolShare]]:
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
