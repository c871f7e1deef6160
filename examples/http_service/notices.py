"""What to take note of: alerts, those that nobody has seen first, and budgets."""

from collections.abc import Sequence
from fractions import Fraction
from html import escape

from examples.http_service.layout import bar, section
from examples.http_service.view import View
from examples.http_service.words import alert as alert_words, amount as amount_words, day, name_of
from overages import Money
from overages.alerts.fired_alert import FiredAlert
from overages.amounts.exact import Quantity
from overages.insight.budget import Budget

SIGNS = {"info": "i", "warning": "!", "critical": "!!"}
REACHED = {
    "tell": "Nothing stops when it is passed.",
    "stop_charging": "You are charged no more than that.",
    "stop_usage": "When it is reached, nothing more can be used.",
}
REACHED_MONEY = {**REACHED, "stop_usage": "When it is reached, nothing that costs can be used."}


def alerts(view: View) -> str:
    """Return the newest alert of each subject that stands; those that were seen, out of the way."""
    told: set[str] = set()
    subjects: dict[str, list[FiredAlert]] = {}
    for fired in view.alerts:
        if fired.state == "reached" and fired.id not in told:
            subjects.setdefault(fired.definition.alert.subject, []).append(fired)
        told.add(fired.id)
    groups = list(subjects.values())
    unseen = [group for group in groups if group[0].acknowledged_at is None]
    items = "".join(_alert(view, group) for group in unseen)
    shown = f"<ul>{items}</ul>" if items else ""
    return section("alerts", "Alerts", shown + _seen(view, groups), "alerts")


def _alert(view: View, group: Sequence[FiredAlert]) -> str:
    """Return the first of several alerts; the one who has seen it has seen those before it."""
    text = escape(alert_words(group[0], view.zone))
    keys = "".join(f'<input type="hidden" name="key" value="{escape(each.key)}">' for each in group)
    return f"""<li class="{group[0].severity}">{_sign(group[0])}
<span>{text}</span>
<form method="post" action="/alerts">{keys}
<button class="plain" aria-label="Seen: {text}">Seen</button></form></li>
"""


def _seen(view: View, groups: Sequence[Sequence[FiredAlert]]) -> str:
    """Return the newest alerts that someone has seen, and who."""
    items = []
    for first, *_ in groups:
        if first.acknowledged_at is not None:
            by = "" if first.acknowledged_by is None else f" by {first.acknowledged_by}"
            note = escape(f"Seen{by}, {day(first.acknowledged_at, view.zone)}")
            text = escape(alert_words(first, view.zone))
            items.append(
                f'<li>{_sign(first)}<span>{text} <span class="note">{note}</span></span></li>'
            )
    if not items:
        return ""
    return f"<details><summary>{len(items)} seen</summary><ul>{''.join(items)}</ul></details>"


def _sign(fired: FiredAlert) -> str:
    return f'<span class="sign" aria-hidden="true">{SIGNS[fired.severity]}</span>'


def budgets(view: View) -> str:
    """Return each budget, how much of it is used and should be, and what happens at its end."""
    return section("budgets", "Budgets", "".join(_budget(view, each) for each in view.budgets))


def _budget(view: View, budget: Budget) -> str:
    name = name_of(budget.metric) if budget.metric else "All charges"
    if budget.window is not None:
        every, unit = budget.window.every, budget.window.unit
        name += f", each {unit}" if every == 1 else f", every {every} {unit}s"
    standing = view.standing[budget.id]
    text = f"{amount_words(standing.used)} of {amount_words(budget.amount)}"
    used, most = _number(standing.used), _number(budget.amount)
    expected = _expected(view, budget)
    ahead = Fraction(0) if expected is None else max(_number(expected) - used, Fraction(0))
    parts = [("within", min(used, most)), ("over", max(used - most, Fraction(0))), ("ahead", ahead)]
    shown = bar(parts, max(used + ahead, most) or Fraction(1), most)
    reached = REACHED_MONEY if budget.is_money else REACHED
    note = " ".join(filter(None, [_outlook(budget, used, expected), reached[budget.on_reached]]))
    return f"""<div class="metric"><h3>{escape(name)}</h3>
<p class="of">{escape(text)}</p>{shown}
<p class="note">{escape(note)}</p></div>
"""


def _outlook(budget: Budget, used: Fraction, expected: Quantity | Money | None) -> str:
    """Say whether a budget is reached or passed, or should be by the end of the period."""
    most = _number(budget.amount)
    if used > most:
        return "It is passed."
    if used == most:
        return "It is reached."
    if expected is None or _number(expected) < most:
        return ""
    if budget.on_reached != "tell":
        return "Expected to be reached by the end."
    word = "passed" if _number(expected) > most else "reached"
    return f"Expected to be {word}: about {amount_words(expected)} by the end."


def _expected(view: View, budget: Budget) -> Quantity | Money | None:
    """Return what should be used of a budget by the end of the period; None if that isn't known."""
    projection, metric = view.projection, budget.metric
    if projection is None or budget.window is not None or view.now >= view.statement.period.end:
        return None
    bill = projection.expected_bill
    if not budget.is_money:
        told = projection.metrics.get(metric or "")
        return None if told is None else told.expected
    if bill is None or metric is None:
        return None if bill is None else bill.total
    total = bill.totals_by_metric().get(metric)
    return None if total is None else total.cost


def _number(measure: Quantity | Money) -> Fraction:
    return Fraction(measure.amount if isinstance(measure, Money) else measure)
