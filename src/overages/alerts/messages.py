"""Messages: sentences that tell a person of a threshold, with the numbers used and left.

message_of(alert, 1, "reached", 46, 50, 4)        # "90 % of runs are used: 46 of 50, 4 remaining"
"""

from __future__ import annotations

from typing import Final

from overages.alerts.alert import Alert
from overages.alerts.threshold import Amount, Threshold, number_of
from overages.amounts.exact import number_from_ratio, plain_text
from overages.amounts.money import Money

_STATES: Final = {"reached": "", "cleared": "no longer: ", "rearmed": "to be told of again: "}


def message_of(
    alert: Alert,
    threshold: Threshold,
    step: int,
    state: str,
    used: Amount | None,
    limit: Amount | None,
    remaining: Amount | None,
) -> str:
    """Return a sentence: the threshold that was reached, and the numbers as they are.

    >>> alert = Alert("runs-90", Threshold(percent=90), metric="runs")
    >>> message_of(alert, Threshold(percent=90), 1, "reached", 46, 50, 4)
    '90 % of runs are used: 46 of 50, 4 remaining'
    >>> spend = Threshold(cost=Money.of("25", "USD"))
    >>> message_of(Alert("spend", spend), spend, 1, "reached", Money.of("27.20", "USD"), None, None)
    'cost reached 25.00 USD: now 27.20 USD'
    """
    told = _STATES[state] + _threshold_text(alert, threshold, step)
    if limit is None:
        return f"{told}: now {amount_text(used)}"
    numbers = f"{amount_text(used)} of {amount_text(limit)}"
    if threshold.of == "overage":
        over = threshold.compared(used or 0, limit)
        units = plain_text(number_from_ratio(over.numerator, over.denominator))
        return f"{told}: now {units}, {numbers} used"
    return f"{told}: {numbers}, {amount_text(remaining)} remaining"


def amount_text(amount: Amount | None) -> str:
    """Write units or money as a person would; nothing for none."""
    if amount is None:
        return ""
    return str(amount) if isinstance(amount, Money) else plain_text(amount)


def _threshold_text(alert: Alert, threshold: Threshold, step: int) -> str:
    """Write that a step is reached: ``90 % of runs are used``."""
    number = threshold.number_text(step)
    is_one = alert.metric is None  # a grant or a budget
    kind = "grant" if alert.grant is not None else "budget"
    subject = f"{kind} {alert.subject}" if is_one else alert.subject
    if threshold.of == "remaining":
        remain = "remains" if is_one else "remain"
        if not number_of(threshold.number):
            return f"none of {subject} {remain}"
        end = "less" if threshold.direction == "falling" else "more"
        return f"{number} or {end} of {subject} {remain}"
    passed = "reached" if threshold.direction == "rising" else "fell to"
    if threshold.of == "overage":
        return f"overage of {subject} {passed} {number}"
    if alert.grant is None and alert.budget is None and threshold.cost is not None:
        return f"cost {passed} {number}" if is_one else f"cost of {subject} {passed} {number}"
    if threshold.percent is not None and passed == "reached":
        return f"{number} of {subject} {'is' if is_one else 'are'} used"
    return f"use of {subject} {passed} {number}"
