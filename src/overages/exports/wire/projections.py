"""Projections in JSON: the units and the bill that a period should come to, and how sure that is.

projected(service.project("org-123"))["bill"]["expected"]
"""

from __future__ import annotations

from fractions import Fraction

from overages.amounts.exact import Quantity
from overages.amounts.rounding import Rounding
from overages.exports.wire.keys import (
    Body,
    currency_body,
    metric_keys,
    period_body,
    wire_number,
)
from overages.insight.projection import MetricProjection, Projection
from overages.periods.period import format_instant
from overages.statements.statement import Statement


def projected(projection: Projection) -> Body:
    """Write a projection: null where there is not enough to say, which `reason` then explains.

    :raises InvalidValue: if two metrics would have one key.
    """
    keys = metric_keys(projection.metrics)
    return {
        "orgId": projection.org_id,
        "period": period_body(projection.period),
        "at": format_instant(projection.at),
        "timezone": projection.timezone,
        "daysLeft": projection.days_left,
        "currency": currency_body(projection.bill.currency),
        "metrics": {keys[metric]: _metric(each) for metric, each in projection.metrics.items()},
        "bill": {
            "soFar": _total(projection.bill),
            "expected": _total(projection.expected_bill),
            "low": _total(projection.low_bill),
            "high": _total(projection.high_bill),
        },
    }


def _metric(each: MetricProjection) -> Body:
    within = None if each.coverage is None else each.coverage * each.bounds_tried
    return {
        "used": wire_number(each.used),
        "expected": _number(each.expected),
        "low": _number(each.low),
        "high": _number(each.high),
        "runsOut": None if each.runs_out is None else each.runs_out.isoformat(),
        "method": each.method,
        "periodsTried": each.periods_tried,
        "errorPercent": _percent(each.error),
        "boundsTried": each.bounds_tried,
        "periodsWithin": None if within is None else wire_number(within),
        "aimPercent": _percent(each.aim),
        "reason": each.reason,
    }


def _total(bill: Statement | None) -> int | str | None:
    return None if bill is None else wire_number(bill.total.minor)


def _number(quantity: Quantity | None) -> int | str | None:
    return None if quantity is None else wire_number(quantity)


def _percent(share: Fraction | None) -> int | str | None:
    """Write a share in per cent, rounded half up to the tenth of one."""
    return None if share is None else wire_number(Rounding.HALF_UP.round(share * 100, "0.1"))
