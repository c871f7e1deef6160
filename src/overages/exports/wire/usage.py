"""Usage and history in JSON: units used of each limit, and the charges of the periods before.

used(statement)["metrics"]["tokens"]              # {"used": 750000, "limit": 500000, ...}
history("org-123", [(recorded_body, True)])       # the newest first
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from overages.amounts.exact import Quantity, add_up, excess
from overages.exports.wire.keys import (
    Body,
    currency_body,
    metric_keys,
    period_body,
    wire_number,
)
from overages.exports.wire.shape import adjustment_bodies
from overages.lines.overage import Overage
from overages.periods.period import format_instant
from overages.statements.limit_now import LimitNow, limits_now
from overages.statements.statement import Statement


def used(statement: Statement, limits: Mapping[str, LimitNow] | None = None) -> Body:
    """Write the usage of each metric of a statement's plan against its limit.

    :param limits: those of `OverageService.usage_now`, which have all that is left of grants; those
        of the statement alone, at its end, without them.
    :raises InvalidValue: if two metrics would have one key.

    >>> from overages import Allowance, Period, PerUnit, Plan, Usage, calculate
    >>> plan = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
    >>> usage = Usage("org-123", Period.month(2024, 2), {"tokens": 400_000})
    >>> used(calculate(plan, usage))["metrics"]["tokens"]  # doctest: +NORMALIZE_WHITESPACE
    {'used': 400000, 'limit': 500000, 'remaining': 100000, 'percent': 80, 'amount': 0, 'cost': 0}
    """
    lines: dict[str, list[Overage]] = {}
    for line in statement.every_overage():
        lines.setdefault(line.metric, []).append(line)
    adjusting = [(line.metric, line.line, line.cost.minor) for line in statement.adjustments]
    charged = [line for line in adjusting if line[2]]
    keys = metric_keys([*lines, *(metric for metric, *_ in charged if metric is not None)])
    now = limits_now(statement) if limits is None else limits
    body: Body = {
        "orgId": statement.org_id,
        "period": period_body(statement.period),
        "currency": currency_body(statement.currency),
        "metrics": {keys[metric]: _metric(own, now[metric]) for metric, own in lines.items()},
        "totalCost": wire_number(statement.total.minor),
    }
    if charged:
        body["adjustments"] = adjustment_bodies(charged, keys)
    return body


def _metric(lines: Sequence[Overage], now: LimitNow) -> Body:
    """Write a metric, with each part of the period that has a limit of its own."""
    cost: int = sum(line.cost.minor for line in lines)
    body = {
        **_share(now.used, now.limit),
        "amount": wire_number(add_up(line.quantity for line in lines)),
        "cost": wire_number(cost),
    }
    if len(lines) == 1:
        return body
    return {
        **body,
        "parts": [
            {"start": format_instant(line.part.start), **_line(line)}
            for line in lines
            if line.part is not None
        ],
    }


def _line(line: Overage) -> Body:
    return {
        **_share(line.used, line.limit),
        "amount": wire_number(line.quantity),
        "cost": wire_number(line.cost.minor),
    }


def _share(quantity: Quantity, limit: Quantity | None) -> Body:
    """Write how much of a limit is used; whole per cent, rounded down: 100 is all of it."""
    percent = None if not limit else Fraction(quantity) * 100 // Fraction(limit)
    remaining = None if limit is None else excess(limit, quantity)
    return {
        "used": wire_number(quantity),
        "limit": None if limit is None else wire_number(limit),
        "remaining": None if remaining is None else wire_number(remaining),
        "percent": None if percent is None else wire_number(percent),
    }


def history(org_id: str, periods: Iterable[tuple[Body, bool]]) -> Body:
    """Write the records of an org's periods.

    Of metrics, it has those alone of which something is over or charged: others may be none of the
    org's plan.

    :param periods: the body of each, by `recorded`, and whether it is closed; the newest first.
    """
    return {
        "orgId": org_id,
        "periods": [{**_past_period(body), "isClosed": is_closed} for body, is_closed in periods],
    }


def _past_period(body: Body) -> Body:
    own = {key: part for key, part in body.items() if key != "orgId"}
    lines = body["overages"].items()
    own["overages"] = {key: line for key, line in lines if line["amount"] or line["cost"]}
    return own
