"""The present period: what is due and for what, what is used of how much, and credit left."""

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from html import escape

from examples.http_service.layout import bar, legend, section
from examples.http_service.view import View
from examples.http_service.words import (
    adjustment,
    day,
    day_of_year,
    formula,
    money,
    name_of,
    time_left,
    units,
)
from overages import Money, Overage, Statement
from overages.amounts.exact import plain_text
from overages.prices.curve import axis_text

MOST = 5  # times what is included: a bar that goes on beyond it has a scale of its own


def due(view: View) -> str:
    """Return what is due so far, line by line, under the name of the period."""
    statement = view.statement
    items = [*_charges(view)]
    listed = "".join(
        f"<li><span>{escape(text)}</span> <span>{escape(money(cost))}</span></li>"
        for text, cost in items
    )
    plan = f"your plan “{statement.plan.slug}”"
    what = f"All that you have used is included in {plan}"
    if any(line.cost.minor for line in statement.overages):
        what = f"so far, beyond what is included in {plan}"
    elif items:
        what = f"so far, under {plan}"
    what += _after_credit(statement)
    fee = statement.plan.base_fee
    if fee is not None and fee.minor:
        what += f", without its fee of {money(fee)}"
    left = time_left(statement.period, view.now, view.zone)
    lines = f'<ul class="lines">{listed}</ul>' if listed else ""
    return f"""<section class="due" aria-labelledby="due">
<h2 id="due">{escape(statement.period.name(view.zone))}<span class="left">, {left}</span></h2>
<p class="amount">{escape(money(statement.total))} <span class="note">{escape(what)}</span></p>
{_outlook(view)}{lines}</section>
"""


def _after_credit(statement: Statement) -> str:
    """Say how much of the charges credit has paid."""
    paid = -sum(line.cost.minor for line in statement.adjustments if line.kind == "credit")
    return f", after {money(Money(paid, statement.currency))} of credit" if paid else ""


def _charges(view: View) -> Iterator[tuple[str, Money]]:
    """Yield what each line is for, and its amount."""
    for line in view.statement.overages:
        if line.cost.minor:
            formulas = line.breakdown()
            how = f"{plain_text(line.quantity)} over, by tier"
            if len(formulas) == 1:
                how = formula(formulas[0][0], view.statement.currency)
            yield f"{name_of(line.metric)}: {how}", line.cost
    for other in view.statement.adjustments:
        yield adjustment(other), other.cost


def _outlook(view: View) -> str:
    """Return what the period should come to, where that can be said."""
    projection = view.projection
    if projection is None or projection.expected_bill is None:
        return ""
    if view.now >= view.statement.period.end:
        return ""
    text = f"About {money(projection.expected_bill.total)} by the end"
    if projection.low_bill is not None and projection.high_bill is not None:
        ends = sorted([projection.low_bill.total, projection.high_bill.total])
        if ends[0] != ends[1]:
            text += f" ({money(ends[0])} to {money(ends[1])})"
    text += _after_credit(projection.expected_bill)
    return f'<p class="outlook">{escape(text)}</p>'


def used(view: View) -> str:
    """Return a bar for each metric: what is used of what is included."""
    lines = list(view.statement.every_overage())
    most = _scale(view, lines)
    bars = "".join(_metric(view, line, most) for line in lines)
    return section("used", "Used so far", bars + legend(_names(view, lines, most)), "used")


def _scale(view: View, lines: Sequence[Overage]) -> Fraction:
    """Return how many times what is included a bar stands for, so that the marks are in line."""
    shares = (
        (Fraction(line.used) + _ahead(view, line)) / limit
        for line in lines
        if (limit := _limit(view, line))
    )
    return max((share for share in shares if share <= MOST), default=Fraction(1))


def _full(view: View, line: Overage, most: Fraction) -> Fraction:
    """Return the units that the whole length of a bar stands for."""
    reach = Fraction(line.used) + _ahead(view, line)
    return max(reach, (_limit(view, line) or Fraction(0)) * most) or Fraction(1)


def _names(view: View, lines: Sequence[Overage], most: Fraction) -> Iterator[tuple[str, str]]:
    """Yield the legend of what the bars show."""
    if any(line.used for line in lines):
        yield "within", "used"
    if any(line.quantity for line in lines):
        yield "over", "over"
    limits = ((line, _limit(view, line)) for line in lines)
    if any(limit is not None and limit < _full(view, line, most) for line, limit in limits):
        yield "limit", "included"
    if any(_ahead(view, line) for line in lines):
        yield "ahead", "expected by the end"


def _limit(view: View, line: Overage) -> Fraction | None:
    """Return what is included of a metric, with what is left of grants of it.

    Of a part of the period that is over, grants have nothing left.
    """
    if line.limit is None:
        return None
    return Fraction(line.limit) + _granted(view, line)


def _granted(view: View, line: Overage) -> Fraction:
    """Return the units that may be used beyond a line's limit, as grants have them left."""
    now = view.usage.limits.get(line.metric)
    is_over = line.part is not None and view.now not in line.part
    if is_over or now is None or now.limit is None or line.limit is None:
        return Fraction(0)
    if line.quantity:  # it is charged already, and grants pay for units to come alone
        return Fraction(now.remaining or 0)
    elsewhere = Fraction(now.used) - Fraction(line.used)
    return Fraction(now.limit) - elsewhere - Fraction(line.limit)


def _ahead(view: View, line: Overage) -> Fraction:
    """Return the units that are still expected of a metric, where it has one line."""
    projection, metric = view.projection, line.metric
    if projection is None or line.part is not None or metric not in projection.metrics:
        return Fraction(0)
    expected = projection.metrics[metric].expected
    return (
        Fraction(0)
        if expected is None
        else max(Fraction(expected) - Fraction(line.used), Fraction(0))
    )


def _metric(view: View, line: Overage, most: Fraction) -> str:
    used, over = Fraction(line.used), Fraction(line.quantity)
    ahead, limit = _ahead(view, line), _limit(view, line)
    parts = [("within", used - over), ("over", over), ("ahead", ahead)]
    text = f"{plain_text(line.used)}, unlimited"
    if limit is not None:
        text = f"{plain_text(line.used)} of {axis_text(limit)}"
    full = _full(view, line, most)
    notes = "; ".join(_notes(view, line))
    return f"""<div class="metric"><h3>{escape(name_of(line.metric))}</h3>
<p class="of">{escape(text)}</p>{bar(parts, full, limit)}
<p class="note">{escape(notes)}</p></div>
"""


def _notes(view: View, line: Overage) -> Iterator[str]:
    if line.part is not None:
        yield f"from {day(line.part.start, view.zone)}"
    yield from _standing(view, line)
    yield from _coming(view, line)
    for part in line.limit_parts:
        if part.kind not in ("included", "own"):
            yield f"{plain_text(part.quantity)} {part.explain()}"


def _standing(view: View, line: Overage) -> Iterator[str]:
    """Yield how much is over, or left."""
    limit, used = _limit(view, line), Fraction(line.used)
    if limit is None:
        yield "all of it is included"
    elif line.quantity:
        yield f"{plain_text(line.quantity)} over{_since(view, line)}"
    elif not limit:
        yield "none included"
    elif used == limit:
        yield "all that is included, none over"
    elif line.part is not None and line.part.end <= view.now:
        yield f"{axis_text(limit - used)} were not used"
    else:
        yield f"{axis_text(limit - used)} left"
        yield f"{used * 100 // limit} % used"
    granted = _granted(view, line)
    if granted:
        yield f"{axis_text(granted)} {'granted are left' if line.quantity else 'of them granted'}"


def _since(view: View, line: Overage) -> str:
    day, today = _runs_out(view, line), view.now.astimezone(view.zone).date()
    return "" if day is None or today < day else f" since {day_of_year(day)}"


def _runs_out(view: View, line: Overage) -> date | None:
    """Return the day on which what is included is used up, where a metric has one line."""
    told = None if view.projection is None else view.projection.metrics.get(line.metric)
    return None if told is None or line.part is not None else told.runs_out


def _coming(view: View, line: Overage) -> Iterator[str]:
    """Yield the day on which nothing should be left, and the units that are expected."""
    day = _runs_out(view, line)
    if day is not None and not line.quantity:
        yield f"runs out on {day_of_year(day)}"
    if ahead := _ahead(view, line):
        yield f"about {axis_text(Fraction(line.used) + ahead)} by the end"


def credit(view: View) -> str:
    """Return how much of each grant is used and left, and until when."""
    items = []
    for burndown in view.usage.grants:
        for state in burndown.grants:
            numbers = state.drawn, state.granted, state.left
            drawn, granted, left = (units(n, burndown.metric or "") for n in numbers)
            drawn = plain_text(state.drawn)
            if burndown.currency is not None:
                drawn, granted, left = (money(Money.of(n, burndown.currency)) for n in numbers)
            ends = view.ends.get(state.grant_id)
            until = "" if ends is None else f", until {day(ends, view.zone)}"
            full = Fraction(state.granted) or Fraction(1)
            items.append(
                f"""<div class="metric"><h3>{escape(name_of(state.grant_id.replace("-", "_")))}</h3>
<p class="of">{escape(drawn)} of {escape(granted)}</p>
{bar([("within", Fraction(state.drawn))], full, None)}
<p class="note">{escape(left)} left{until}</p></div>
"""
            )
    return section("credit", "Credit used", "".join(items))


def as_of(view: View) -> str:
    """Return the moment that the page is about."""
    local = view.now.astimezone(view.zone)
    return f'<p class="note asof">As of {day(view.now, view.zone)}, {local:%H:%M %Z}</p>'
