"""Words: amounts, prices, days and changes, as a customer reads them."""

import re
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction

from overages import Adjustment, Currency, Money, OverageRecord, Period
from overages.alerts.fired_alert import FiredAlert
from overages.alerts.threshold import Threshold
from overages.amounts.exact import Quantity, plain_text, scaled, unscaled
from overages.lines.adjustment import OVERAGE
from overages.terms.change import TermsChange

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "ILS": "₪"}
UNITS = {"api", "cpu", "gb", "gpu", "kb", "mb", "sms", "tb"}
STATUS = {
    "trial": "Your trial began",
    "active": "Your account is active",
    "past_due": "A payment is overdue",
    "canceled": "Your account is canceled",
}
KINDS = {
    "trial": "Free while you are on trial",
    "discount": "Discount",
    "commitment": "Up to what you have committed to",
    "maximum": "Above the most that it can cost",
    "minimum": "Up to your plan's minimum",
    "own_discount": "Your own discount",
    "own_maximum": "Above the most that you have agreed to",
    "own_minimum": "Up to the minimum that you have agreed to",
    "credit": "Paid with credit",
}


def money(amount: Money) -> str:
    """Write an amount with its currency's sign; with its code where there is no sign for it."""
    minus = "−" if amount.minor < 0 else ""
    number, currency = f"{abs(amount.amount):,f}", amount.currency
    sign = sign_of(currency)
    return f"{minus}{sign}{number}" if sign else f"{minus}{number} {currency.code}"


def sign_of(currency: Currency) -> str:
    """Return the sign of a currency; an empty text for one that isn't in the table."""
    return SIGNS.get(currency.code, "")


def formula(text: str, currency: Currency) -> str:
    """Write a formula of the library's with a times sign, and prices with their currency's sign."""
    sign = sign_of(currency)
    text = re.sub(r" x (?=[\d.])", f" × {sign}", text)
    return re.sub(r"(\+ |at most )(?=[\d.])", rf"\g<1>{sign}", text)


def name_of(metric: str) -> str:
    """Write the name of a metric as the beginning of a line: ``Playbook runs``."""
    text = plainly(metric)
    return text[:1].upper() + text[1:]


def plainly(metric: str) -> str:
    """Write the name of a metric within a line: ``storage GB``."""
    words = metric.replace("_", " ").split(" ")
    return " ".join(word.upper() if word in UNITS else word for word in words)


def units(quantity: Quantity, metric: str) -> str:
    """Write a quantity with its unit: ``250,000 tokens``."""
    return f"{plain_text(quantity)} {plainly(metric)}"


def exact(number: Quantity | Fraction) -> str:
    """Write an exact number with the minus that amounts have."""
    return plain_text(number).replace("-", "−")


def time_left(period: Period, now: datetime, zone: tzinfo) -> str:
    """Say how many days of a period are left after today: ``9 days left``."""
    last = (period.end - timedelta.resolution).astimezone(zone).date()
    days = (last - now.astimezone(zone).date()).days
    if days < 1:
        return "ends today" if now < period.end else "over"
    return "1 day left" if days == 1 else f"{days} days left"


def day(instant: datetime, zone: tzinfo) -> str:
    """Write the day of an instant: ``29 February 2024``."""
    local = instant.astimezone(zone)
    return f"{local.day} {local:%B %Y}"


def day_of_year(of: date) -> str:
    """Write a day without its year: ``14 February``."""
    return f"{of.day} {of:%B}"


def short_month(period: Period, zone: tzinfo) -> str:
    """Write the month in which a period starts, for a narrow column: ``Feb``."""
    return f"{period.start.astimezone(zone):%b}"


def adjustment(line: Adjustment) -> str:
    """Say why a line that is no overage is there."""
    text = KINDS[line.kind]
    if line.name is not None:
        text += f": {line.name.replace('-', ' ').replace('_', ' ')}"
    return text if line.metric is None else f"{text} ({plainly(line.metric)})"


def correction(record: OverageRecord) -> str:
    """Say what a correction changed, in units and money."""
    metric = "the total" if record.metric is None else plainly(record.metric)
    more = "more" if record.cost.minor >= 0 else "less"
    amount = money(Money(abs(record.cost.minor), record.cost.currency))
    if record.line.partition(":")[0] == OVERAGE and record.quantity:
        counted = "more" if record.quantity > 0 else "fewer"
        quantity = record.quantity if record.quantity > 0 else -record.quantity
        changed = f"{plain_text(quantity)} {metric} {counted}"
    else:
        changed = f"{metric}: {record.line.replace(':', ' ').replace('_', ' ')}"
    return f"{changed}, {amount} {more}" if record.cost.minor else changed


def changed_terms(change: TermsChange, plan: str) -> str:
    """Say what an entry of an account's history changed.

    :param plan: the plan before it.
    """
    if change.kind == "end":
        return "Your plan ended"
    if change.kind == "cancel":
        return "A change was taken back"
    said = []
    if change.plan is not None:
        said.append(f"Your plan changed from {plan} to {change.plan}")
    for metric, limit in change.limits.items():
        to = "unlimited" if limit is None else plain_text(limit)
        said.append(f"{name_of(metric)} included for you: {to}")
    said += [f"{name_of(metric)}: what your plan includes again" for metric in change.drop_limits]
    said += [f"Discount {discount.name}" for discount in change.discounts]
    if change.status is not None:
        said.append(STATUS[change.status])
    if change.cycle is not None:
        said.append("Another billing day")
    return "; ".join(said) or "Your terms changed"


def alert(fired: FiredAlert, zone: tzinfo) -> str:
    """Say what was passed: ``Your runs passed 80 % of what is included on 9 May: 41 of 50``."""
    definition, used, limit = fired.definition.alert, fired.used, fired.limit
    on = f"on {day_of_year(fired.noted_at.astimezone(zone).date())}"
    threshold = definition.threshold
    if threshold is not None and not definition.grant and not definition.budget:
        percent, metric = threshold.percent, definition.metric
        if threshold.cost is not None and isinstance(used, Money):
            of = "" if metric is None else f" for {plainly(metric)}"
            most = Money(threshold.cost.minor * fired.step, threshold.cost.currency)
            return f"Your charges{of} {_passed(used > most)} {money(most)} {on}: {money(used)}"
        units = [n for n in (used, limit) if n is not None and not isinstance(n, Money)]
        if percent is not None and metric is not None and len(units) == 2:
            share = _share(threshold, unscaled(scaled(percent) * fired.step), *units)
            return f"Your {plainly(metric)} {share} {on}: {amount(used)} of {amount(limit)}"
    return f"{fired.message[:1].upper()}{fired.message[1:]} ({on})"


def _passed(is_beyond: bool) -> str:
    return "passed" if is_beyond else "reached"


def _share(threshold: Threshold, percent: Quantity, used: Quantity, limit: Quantity) -> str:
    """Say which share of what is included was used, or is left."""
    share = f"{plain_text(percent)} %"
    if threshold.of == "remaining":
        return f"were down to {share} left"
    if threshold.of == "overage":
        return f"went {share} over what is included"
    is_beyond = Fraction(used) * 100 > Fraction(percent) * Fraction(limit)
    return f"{_passed(is_beyond)} {share} of what is included"


def amount(number: Quantity | Money | None) -> str:
    """Write units, or money."""
    if number is None:
        return "no limit"
    return money(number) if isinstance(number, Money) else plain_text(number)
