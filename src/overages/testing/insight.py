"""Strategies of alerts: thresholds, alerts, and those that fired.

Their fields depend on each other; any other class is drawn as its declaration says (see `fields`).
"""

from __future__ import annotations

from hypothesis import strategies as st

from overages.alerts.alert import Alert
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.threshold import Threshold
from overages.amounts.money import Money
from overages.testing import quantities as numbers
from overages.testing.fields import BY_CLASS, Arguments, currencies, made
from overages.testing.quotas import BUDGETED
from overages.testing.values import but

_rising = st.builds(
    Threshold, percent=numbers.quantities.filter(bool), of=st.sampled_from(["used", "overage"])
)
_falling = st.builds(
    Threshold,
    quantity=numbers.quantities,
    of=st.sampled_from(["used", "remaining"]),
    direction=st.just("falling"),
)
_costs = st.builds(
    Threshold, cost=st.builds(Money, st.integers(1, 5000), currencies), repeat=st.booleans()
)
BY_CLASS[Threshold] = _rising | _falling | _costs


def alerted(named: Arguments) -> Arguments:
    """Let an alert be of a threshold and its subject, or else of an occasion."""
    threshold = named.get("threshold")
    if threshold is None:
        named = but(named, "metric", "budget", "rearm")
        occasion = named["occasion"] = named.get("occasion") or "trial_expiring"
        named = named if occasion == "grant_expiring" else but(named, "grant")
        return but(named, "days_before") if occasion == "plan_changed" else named
    named = but(named, "occasion", "days_before")
    subjects = [name for name in ("metric", "grant", "budget") if named.get(name) is not None]
    named = but(named, *subjects[1:])
    if threshold.cost is None and not subjects:
        named = {**named, "metric": "tokens"}
    return {**named, "rearm": threshold.number} if named.get("rearm") is not None else named


BY_CLASS[Alert] = made(
    Alert, mend=alerted, threshold=st.none() | BY_CLASS[Threshold], days_before=st.integers(0, 366)
)


def noted(named: Arguments) -> Arguments:
    """Let an entry be of a threshold with numbers of one kind, or of an occasion's instant."""
    definition = named["definition"]
    if definition.org_id is not None:
        named = {**named, "org_id": definition.org_id}
    if named.get("acknowledged_at") is None:
        named = but(named, "acknowledged_by")
    if definition.alert.occasion is not None:
        instant = named.get("instant") or named["noted_at"]
        return {**but(named, "used", "limit"), "instant": instant}
    used = 0 if named.get("used") is None else named["used"]
    limit = named.get("limit")
    if isinstance(limit, Money) != isinstance(used, Money):
        named = but(named, "limit")
    elif isinstance(limit, Money) and isinstance(used, Money):
        named = {**named, "limit": Money(limit.minor, used.currency)}
    return {**but(named, "instant"), "used": used}


BY_CLASS[FiredAlert] = made(
    FiredAlert, mend=noted, used=st.none() | BUDGETED, limit=st.none() | BUDGETED
)
