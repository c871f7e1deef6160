"""Limits now: the units of a metric that are used, and all that may be used without overage.

Alerts, the usage on the wire, charts and messages have their numbers from here, so that they say
the same, and `remaining` is what `decide` says is left of the included units and of grants:

    now = limit_now(statement, "runs", at, left=standing(..., at=at).left)
    now.used, now.limit, now.remaining                # 40, 50, 10
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import Quantity, add_up, excess
from overages.grants.burndown import Burndown
from overages.statements.statement import Statement


class LimitNow(NamedTuple):
    """The units of a metric in a period: used, and of how many.

    :param used: in all parts of the period; of a level, in the present one alone.
    :param limit: those used in other parts, and the limit of the present part with all that is left
        of grants: what was left of a part that is over is gone. As grants pay for nothing that is
        charged already, such units are in it where something is left of them. None where usage is
        unlimited.
    :param over: units that are charged, of all these parts.
    """

    used: Quantity
    limit: Quantity | None
    over: Quantity

    @property
    def remaining(self) -> Quantity | None:
        """The units that may still be used without overage; None where usage is unlimited."""
        return None if self.limit is None else excess(self.limit, self.used)


class UsageNow(NamedTuple):
    """A period as it stands.

    :param statement: as it would be billed.
    :param limits: of each metric of its plans.
    :param grants: the states of the org's grants, for each metric's units and for money.
    """

    statement: Statement
    limits: Mapping[str, LimitNow]
    grants: Sequence[Burndown] = ()


def limit_now(
    statement: Statement,
    metric: str,
    at: datetime | None = None,
    *,
    left: Mapping[str, Quantity] = FrozenDict(),
    levels: Set[str] = frozenset(),
) -> LimitNow:
    """Return the units of a metric that are used in a period, and of how many.

    :param at: the present instant, timezone-aware; the end of the period without it.
    :param left: the units by metric that grants can still pay for; `standing` of settlements has
        them.
    :param levels: metrics that are levels where their allowance doesn't say.
    :raises UnknownMetric: if no plan of the period knows the metric.

    >>> from overages import Allowance, Period, PerUnit, Plan, Usage, calculate
    >>> plan = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
    >>> now = limit_now(calculate(plan, Usage("acme", Period.month(2024, 2), {"runs": 40})), "runs")
    >>> now.used, now.limit, now.remaining
    (40, 50, 10)
    """
    lines = statement.of(metric)
    present = next((line for line in lines if at and line.part and at in line.part), lines[-1])
    counted = (present,) if _is_level(statement, metric, levels) else lines
    limit = present.limit
    if limit is not None:
        elsewhere = [line.used for line in counted if line is not present]
        granted = left.get(metric, 0)
        if granted:  # which pay for nothing that is charged already
            limit = max(limit, present.used)
        limit = add_up([limit, *elsewhere, granted])
    over = add_up(line.quantity for line in counted)
    return LimitNow(add_up(line.used for line in counted), limit, over)


def limits_now(
    statement: Statement,
    at: datetime | None = None,
    *,
    left: Mapping[str, Quantity] = FrozenDict(),
    levels: Set[str] = frozenset(),
) -> Mapping[str, LimitNow]:
    """Return the same of each metric of a statement's plans, in their order."""
    metrics = dict.fromkeys(line.metric for line in statement.every_overage())
    told = {
        metric: limit_now(statement, metric, at, left=left, levels=levels) for metric in metrics
    }
    return FrozenDict(told)


def _is_level(statement: Statement, metric: str, levels: Set[str]) -> bool:
    plans = (part.plan.compiled.by_metric for part in reversed(statement.parts))
    return next(lines[metric] for lines in plans if metric in lines).is_level(levels)
