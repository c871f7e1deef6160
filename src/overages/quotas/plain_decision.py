"""Plain decisions: of flat plans, where all units that are asked for may be used.

Most requests are such. Their limits and costs follow from a few integers, in a small part of the
time that two statements take; any other is left to those (`overages.quotas.deciding`), which come
to the same.

    plain_decision(plan, usage, {"runs": 10}, own_limits, held, at, counted_at)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from overages.amounts.exact import LIMIT, Quantity, number_from_ratio
from overages.amounts.money import new_money
from overages.quotas.decision import NOTHING, Decision, new_decision
from overages.quotas.standing_limit import StandingLimit, hard_limit_of, new_limit, remaining_of
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan
from overages.usage.usage import Usage


def plain_decision(
    plan: Plan,
    usage: Usage,
    requested: Mapping[str, Quantity],
    own: Mapping[str, Quantity | None],
    held: Mapping[str, Quantity],
    at: datetime | None,
    counted_at: datetime | None,
) -> Decision | None:
    """Return the decision that allows all units; None where it may be another, or isn't plain.

    All arguments were checked, but for usage and holds of metrics that the plan doesn't know.
    """
    lines, quantities, period = plan.compiled.by_metric, usage.quantities, usage.period
    if not is_plain(plan) or not (
        quantities.keys() <= lines.keys() and held.keys() <= lines.keys()
    ):
        return None
    limits: list[StandingLimit] = []
    minor, exact, divisor = 0, 0, 1  # the exact cost is exact / divisor
    for metric, units in requested.items():
        line = lines.get(metric)
        used, reserved = quantities.get(metric, 0), held.get(metric, 0)
        if line is None or not (type(used) is type(reserved) is type(units) is int):
            return None
        after, limit = used + units, own.get(metric, line.included)
        if after + reserved >= LIMIT:
            return None
        if limit is not None:
            kind = "own_limit" if metric in own else "included"
            left = remaining_of(limit, used, reserved)
            limits.append(
                new_limit(
                    kind, limit, used, reserved, metric, None, period, period.end, False, left
                )
            )
            if after > limit:
                if line.factor is None or type(limit) is not int:
                    return None
                before = used - limit if used > limit else 0
                minor += _minor(line, after - limit) - _minor(line, before)
                added = (after - limit - before) * line.factor
                exact = exact * line.cost_divisor + added * divisor
                divisor *= line.cost_divisor
        hard = hard_limit_of(line.allowance, limit)
        if hard is not None:
            if units and after + reserved > hard:
                return None
            left = remaining_of(hard, used, reserved)
            limits.append(
                new_limit(
                    "hard_limit", hard, used, reserved, metric, None, period, period.end, True, left
                )
            )
    cost = new_money(minor, plan.currency)
    exact_cost = number_from_ratio(exact, divisor) if exact else NOTHING
    return new_decision(
        usage.org_id, "allow", requested, requested, cost, exact_cost, cost, exact_cost,
        tuple(limits), None, at, counted_at,
    )  # fmt: skip


def is_plain(plan: Plan) -> bool:
    """Tell whether included quantities, prices by unit and hard limits may be all that counts."""
    return plan.compiled.is_flat and plan.rounding_scope == "line"


def _minor(line: CompiledLine, over: int) -> int:
    """Return the rounded cost of units over the limit, as a line has it."""
    assert line.factor is not None
    return (over * line.factor + line.bias) // line.divisor
