"""Alerts in JSON: those of an org that fired or were cleared, and how many stand.

alerts("org-123", service.alerts("org-123"), service.alert_summary("org-123"))
"""

from __future__ import annotations

from collections.abc import Iterable

from overages.alerts.alert_summary import AlertSummary
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.threshold import Amount
from overages.amounts.money import Money
from overages.exports.wire.keys import (
    Body,
    currency_body,
    in_keys,
    metric_key,
    period_body,
    wire_number,
)
from overages.periods.period import format_instant


def alerts(org_id: str, fired: Iterable[FiredAlert], summary: AlertSummary) -> Body:
    """Write the alerts of an org, in the order given, and how many stand by severity."""
    return {
        "orgId": org_id,
        "standing": dict(summary.standing),
        "unseen": dict(summary.unseen),
        "alerts": [alert(each) for each in fired],
    }


def alert(fired: FiredAlert) -> Body:
    """Write one alert that fired: money is in minor units of `currency`, units have none."""
    definition, instant = fired.definition.alert, fired.acknowledged_at
    metric = definition.metric
    money = next((each for each in (fired.used, fired.limit) if isinstance(each, Money)), None)
    return {
        "key": fired.key,
        "alert": definition.id,
        "kind": fired.kind,
        "severity": fired.severity,
        "state": fired.state,
        "message": fired.message if metric is None else in_keys(fired.message, [metric]),
        "metric": None if metric is None else metric_key(metric),
        "grant": definition.grant,
        "budget": definition.budget,
        "period": period_body(fired.period),
        "notedAt": format_instant(fired.noted_at),
        "used": _amount(fired.used),
        "limit": _amount(fired.limit),
        "remaining": _amount(fired.remaining),
        "currency": None if money is None else currency_body(money.currency),
        "acknowledgedAt": None if instant is None else format_instant(instant),
        "acknowledgedBy": fired.acknowledged_by,
    }


def _amount(amount: Amount | None) -> int | str | None:
    if amount is None:
        return None
    return wire_number(amount.minor if isinstance(amount, Money) else amount)
