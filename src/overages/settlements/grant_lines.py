"""Grant lines: what grants cover of a period, in units beyond the limits and in money.

`settle` calls it, once all that costs nothing anyway is known:

    burndowns = draw_units(statement, usage, balance, earlier, grants, events)
    statement, burndowns = draw_money(statement, grants, balance)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from overages.amounts.exact import Quantity, excess, scaled, unscaled
from overages.amounts.money import Currency, Money
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.grants.draws import burn_down, draw
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.settlements.balance import Balance
from overages.statements.adjusting import creditable, credited
from overages.statements.adjustment import Adjustment
from overages.statements.limit_part import LimitPart
from overages.statements.statement import Statement
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage

_TICK: Final = timedelta(microseconds=1)


def draw_units(
    statement: Statement,
    usage: Usage,
    balance: Balance,
    earlier: Mapping[str, Quantity | None],
    grants: tuple[Grant, ...],
    events: tuple[UsageEvent, ...],
) -> tuple[Burndown, ...]:
    """Return what units beyond the limits draw on grants, for each metric that has some."""
    found = []
    for metric in sorted({g.metric for g in grants if g.metric and g.currency is None}):
        if metric in statement and statement[metric].limit is not None:
            series = _usage_beyond(statement, usage, events, earlier.get(metric) or 0, metric)
            start = _standing(grants, balance, metric, None, usage.period)
            found.append(burn_down(grants, series, start=start, end=usage.period.end))
    return tuple(found)


def _usage_beyond(
    statement: Statement,
    usage: Usage,
    events: Iterable[UsageEvent],
    earlier: Quantity,
    metric: str,
) -> list[tuple[datetime, Quantity]]:
    """Return when units beyond the limit were used, negative where some were given back."""
    line, allowance = statement[metric], statement.plan.allowances[metric]
    first, last = usage.period.start, usage.period.end - _TICK
    # A late event counts in a period that its instant isn't in.
    reported = [(min(max(e.at, first), last), e.quantity) for e in events if e.metric == metric]
    sums: dict[datetime, int] = {}
    for at, quantity in reported:
        sums[at] = sums.get(at, 0) + scaled(quantity)
    rest = scaled(usage.quantities.get(metric, 0)) - sum(sums.values())
    sums[last] = sums.get(last, 0) + rest
    before, there = allowance.converted(earlier), scaled(earlier)
    over, series = 0, []
    for at, parts in sorted(sums.items()):
        there += parts
        units = excess(allowance.converted(unscaled(max(there, scaled(earlier)))), before)
        now = scaled(excess(units, line.limit))
        series.append((at, unscaled(now - over)))
        over = now
    return series


def _standing(
    grants: tuple[Grant, ...],
    balance: Balance,
    metric: str | None,
    unit: Currency | None,
    period: Period,
) -> Burndown:
    """Return how grants stood last: untouched, from the first of them on, if none was drawn yet.

    What recurs has then been granted anew as often as if each period before had been settled.
    """
    ours = [g.effective_at for g in grants if (g.metric, g.currency) == (metric, unit)]
    return balance.burndown(metric, unit) or Burndown(min(*ours, period.start), metric, unit)


def granted_parts(burndown: Burndown) -> tuple[LimitPart, ...]:
    """Return the units that grants covered as parts of a limit."""
    return tuple(LimitPart("granted", units, grant) for grant, units in _covered(burndown))


def draw_money(
    statement: Statement, grants: tuple[Grant, ...], balance: Balance
) -> tuple[Statement, tuple[Burndown, ...]]:
    """Return the statement with the prepaid money that it draws on grants."""
    unit, zero = statement.currency, Money(0, statement.currency)
    drawn: list[Adjustment] = []
    burndowns = []
    left, totals = statement.total, statement.totals_by_metric()
    metrics = {grant.metric for grant in grants if grant.currency == unit}
    for metric in sorted(metrics, key=lambda name: (name is None, name or "")):  # all metrics last
        if metric is not None and metric not in statement:
            continue
        total = None if metric is None else zero
        if metric in totals:
            total = totals[metric].cost
        due = creditable(total, left)
        start = _standing(grants, balance, metric, unit, statement.period)
        burndown = draw(grants, due, statement.period, metric=metric, start=start)
        burndowns.append(burndown)
        lines = credited(due, [(g, _money(g, units, unit)) for g, units in _covered(burndown)])
        drawn += [evolve(line, metric=metric) for line in lines]
        left += sum((line.cost for line in lines), zero)
    return statement.with_credits(drawn) if drawn else statement, tuple(burndowns)


def _money(grant: str, units: Quantity, unit: Currency) -> Money:
    try:
        return Money.of(units, unit)
    except InvalidValue as error:  # what steps or refills finer than a minor unit have left
        raise error.within("grants", grant) from None


def _covered(burndown: Burndown) -> list[tuple[str, Quantity]]:
    """Return how much each grant covered, in the order in which they were drawn on."""
    covered: dict[str, int] = {}
    for each in burndown.draws:
        covered[each.grant_id] = covered.get(each.grant_id, 0) + scaled(each.covered)
    return [(grant, unscaled(parts)) for grant, parts in covered.items()]
