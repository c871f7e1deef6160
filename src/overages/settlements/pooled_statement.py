"""Pooled statements: one allowance that several orgs share, and what each of them owes of it.

The usage of all is calculated together, and each line's cost split back without loss:

    pooled = pool(plan, [usage_of_sales, usage_of_research], "the-group")
    pooled.statement.total, pooled.total_of("sales")
    print(pooled.explain())
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from attrs import field, frozen

from overages._ground.display import text_table
from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, one_of, parse_all, tuple_of
from overages.amounts.exact import Quantity, plain_text, scaled, unscaled
from overages.amounts.money import Money, new_money
from overages.errors import Field, InvalidValue, at
from overages.settlements.pool_share import PoolShare, SplitBy, split
from overages.statements.adjustment import path_of
from overages.statements.calculation import Limits, calculate
from overages.statements.rating import units_of
from overages.statements.statement import Statement, unknown_metric
from overages.terms.plan import Plan
from overages.usage.usage import Usage

_COLUMNS: Final = ["member", "metric", "used", "share"]
_BY: Final = {
    "used": "what each used",
    "beyond_equal_part": "what each used beyond an equal part of the limit",
}


@frozen(init=False, repr=False, weakref_slot=False)
class PooledStatement:
    """The statement of what several orgs used together, and each one's share of every line.

    The shares of a line sum to its cost, so those of all members to the statement's total. Each is
    the exact share rounded down or up to the minor unit; the larger remainders are rounded up, of
    equal ones that of the earlier member. Where no member used anything, as with a fee that is due
    at zero, all members owe the same; so do they all by what they used, where none is beyond an
    equal part. An adjustment of a metric is split as its overage is, one of the whole statement in
    proportion to what each member owes without it.

    :param statement: of all usage together, under the id of the org that pays.
    :param usages: what each member used in the statement's period.
    :param by: what costs are split by: ``"used"``, or ``"beyond_equal_part"``, in proportion to
        what a member used beyond the limit divided by the number of members.
    :raises InvalidType: for a value of a wrong type.
    :raises UnknownMetric: if a member used a metric that the statement's plan doesn't know.
    :raises InvalidValue: if the usage isn't of the statement's period or doesn't sum to what its
        lines say, if there is none, or if a member is named twice.

    >>> from overages import Allowance, Period, PerUnit
    >>> plan = Plan("p", "USD", {"tokens": Allowance(0, PerUnit("0.01"))})
    >>> month = Period.month(2024, 2)
    >>> usages = [Usage(member, month, {"tokens": 5}) for member in ("a", "b", "c")]
    >>> statement = calculate(plan, Usage("group", month, {"tokens": 15}))
    >>> [share.cost.minor for share in PooledStatement(statement, usages).shares]
    [5, 5, 5]
    """

    statement: Statement
    usages: tuple[Usage, ...]
    by: SplitBy
    shares: tuple[PoolShare, ...] = field(init=False, eq=False)
    """By member, in the order of `usages`, a share of each line, in the statement's order."""

    def __init__(self, statement: Statement, usages: Iterable[Usage], by: SplitBy = "used") -> None:
        together, members, rule = parse_all(
            (instance_of(Statement), statement, "statement"),
            (_members, usages, "usages"),
            (one_of(*_BY), by, "by"),
        )
        _check_sums(together, members)
        self.__attrs_init__(together, members, rule)
        columns = split(together, members, rule)
        shares = [share for of_member in zip(*columns, strict=True) for share in of_member]
        object.__setattr__(self, "shares", tuple(shares))

    def shares_of(self, org_id: str) -> tuple[PoolShare, ...]:
        """Return a member's share of each line, in the statement's order.

        :raises InvalidValue: if the org is no member of the pool.
        """
        members = [usage.org_id for usage in self.usages]
        if org_id not in members:
            problem = f"must be a member of the pool: {', '.join(members)}"
            raise InvalidValue("org_id", org_id, problem)
        return tuple(share for share in self.shares if share.org_id == org_id)

    def total_of(self, org_id: str) -> Money:
        """Return what a member owes: the sum of its shares.

        :raises InvalidValue: if the org is no member of the pool.
        """
        minor = sum(share.cost.minor for share in self.shares_of(org_id))
        return new_money(minor, self.statement.currency)

    def explain(self) -> str:
        """Explain the statement, and who owes what of it, as a text that members can be shown."""
        rows = [_COLUMNS]
        for org_id, shares in groupby(self.shares, key=lambda share: share.org_id):
            rows += [
                [org_id, path_of((s.metric, s.line)), plain_text(s.used), str(s.cost)]
                for s in shares
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

    :param plan: the terms; what it includes is included once, for all of them.
    :param usages: what each member used, all in one period.
    :param org_id: the org that pays; it may be a member, or not.
    :param limits: limits of the pool's own by metric, as `calculate` takes them.
    :param by: what costs are split by; see `PooledStatement`.
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
    terms, members, payer = parse_all(
        (instance_of(Plan), plan, "plan"),
        (_members, usages, "usages"),
        (parse_name, org_id, "org_id"),
    )
    together = Usage(payer, members[0].period, _sums(members))
    return PooledStatement(calculate(terms, together, limits=limits), members, by)


def _members(value: object, field: Field) -> tuple[Usage, ...]:
    usages = tuple_of(Usage)(value, field)
    if not usages:
        raise InvalidValue(field, usages, "must have a member at least")
    seen = set()
    for i, usage in enumerate(usages):
        if usage.period != usages[0].period:
            problem = f"must be that of the others, {usages[0].period}"
            raise InvalidValue(at(field, i, "period"), usage.period, problem)
        if usage.org_id in seen:
            raise InvalidValue(at(field, i, "org_id"), usage.org_id, "must be given once")
        seen.add(usage.org_id)
    return usages


def _sums(usages: Sequence[Usage]) -> dict[str, Quantity]:
    sums: dict[str, int] = {}
    for usage in usages:
        for metric, used in usage.quantities.items():
            sums[metric] = sums.get(metric, 0) + scaled(used)
    return {metric: unscaled(parts) for metric, parts in sums.items()}


def _check_sums(statement: Statement, usages: Sequence[Usage]) -> None:
    if usages[0].period != statement.period:
        problem = f"must be that of the statement, {statement.period}"
        raise InvalidValue("usages[0].period", usages[0].period, problem)
    sums = _sums(usages)
    for metric in sums:
        if metric not in statement:
            raise unknown_metric(f"usages.{metric}", metric, statement.plan)
    for line in statement.overages:
        allowance = statement.plan.allowances[line.metric]
        if units_of(allowance, sums.get(line.metric, 0)) != line.used:
            problem = f"must sum to what the statement says, {line.used}"
            raise InvalidValue(f"usages.{line.metric}", sums.get(line.metric, 0), problem)
