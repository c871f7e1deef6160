"""Grant lines: the units and the money that grants take off a statement.

**Units** pay for usage beyond the limit at the instants of that usage, for within a period a grant
can begin, be refilled or expire. At each instant, the running total less the limit is beyond; it is
drawn as it grows, and given back as it falls. With a limit of 100, and a grant of 30:

    day                         5    10    12    20
    used                       60    50   -20    40
    running total              60   110    90   130
    beyond the limit            0    10     0    30
    drawn on the grant          0   +10   -10   +30

Units without an event (a host's own sums, metrics that are worked out) are drawn at the period's
last instant.

**Money** pays once for the period, at its last instant: only then is the price of any unit known,
for tiers, minimums and the rounding of the total look at all of it. Grants for one metric pay for
that metric's lines, by name; then grants for any metric pay for the rest. No payment exceeds the
statement's total, which a discount of the plan can have made less than the lines of a metric:

    lines of tokens 30.00, of runs 25.00, a discount of all -15.00     due 40.00
    a grant of 35.00 for tokens pays 30.00                             due 10.00
    a grant of 50.00 for anything pays 10.00, and keeps 40.00          due  0.00

`settle` calls both, once all that costs nothing anyway is known:

    burndowns = draw_units(statement, usage, balance, context.used_before, grants, events)
    statement, burndowns = draw_money(statement, grants, balance)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from overages._ground.value import evolve
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
    used_before: Mapping[str, Quantity | None],
    grants: tuple[Grant, ...],
    events: tuple[UsageEvent, ...],
) -> tuple[Burndown, ...]:
    """Draw the units beyond the limits on grants: a burndown for each metric that has some.

    :param statement: without any grant.
    :param used_before: units used before in windows longer than the period, by metric.
    """
    burndowns = []
    # Sorted: a set has another order in each process, and equal inputs give equal balances.
    for metric in sorted({g.metric for g in grants if g.metric and g.currency is None}):
        # Where usage is unlimited, nothing is ever beyond; another plan's metric has no line.
        if metric in statement and statement[metric].limit is not None:
            steps = _steps_beyond(statement, usage, events, used_before.get(metric) or 0, metric)
            start = _state_before(grants, balance, metric, None, usage.period)
            burndowns.append(burn_down(grants, steps, start=start, end=usage.period.end))
    return tuple(burndowns)


def _steps_beyond(
    statement: Statement,
    usage: Usage,
    events: Iterable[UsageEvent],
    used_before: Quantity,
    metric: str,
) -> list[tuple[datetime, Quantity]]:
    """Return the instants at which units beyond the limit change, with how many are added.

    It is the running total that is converted, not each event: rounded one by one, 60 calls of a
    second each would be 60 minutes.
    """
    line, allowance = statement[metric], statement.plan.allowances[metric]
    units_before, start = allowance.converted(used_before), scaled(used_before)
    running, beyond, steps = start, 0, []
    for at, picos in sorted(_picos_by_instant(usage, events, metric).items()):
        running += picos
        # Corrections can take back more than was used so far, but nothing of an earlier period.
        so_far = allowance.converted(unscaled(max(running, start)))
        beyond_now = scaled(excess(excess(so_far, units_before), line.limit))
        # Signed: usage that is taken back gives back the units beyond the limit that it had made.
        steps.append((at, unscaled(beyond_now - beyond)))
        beyond = beyond_now
    return steps


def _picos_by_instant(
    usage: Usage, events: Iterable[UsageEvent], metric: str
) -> dict[datetime, int]:
    """Return the usage of a metric in picos by instant, that without an event at the last one."""
    first, last = usage.period.start, usage.period.end - _TICK
    sums: dict[datetime, int] = {}
    for event in events:
        if event.metric == metric:
            # A late event counts in a period that its instant isn't in.
            at = min(max(event.at, first), last)
            sums[at] = sums.get(at, 0) + scaled(event.quantity)
    rest = scaled(usage.quantities.get(metric, 0)) - sum(sums.values())
    # The rest has no instant, so no grant that begins within the period is denied to it.
    sums[last] = sums.get(last, 0) + rest
    return sums


def _state_before(
    grants: tuple[Grant, ...],
    balance: Balance,
    metric: str | None,
    currency: Currency | None,
    period: Period,
) -> Burndown:
    """Return the state of grants before a period: untouched, if none was drawn on yet.

    It is that from the first of them on, so that a grant which recurs has been granted anew as
    often as if each period before had been settled.
    """
    starts = [g.effective_at for g in grants if (g.metric, g.currency) == (metric, currency)]
    untouched = Burndown(min(*starts, period.start), metric, currency)
    return balance.burndown(metric, currency) or untouched


def granted_parts(burndown: Burndown) -> tuple[LimitPart, ...]:
    """Return the units that grants covered as parts of a limit."""
    return tuple(LimitPart("granted", units, grant) for grant, units in _covered(burndown))


def draw_money(
    statement: Statement, grants: tuple[Grant, ...], balance: Balance
) -> tuple[Statement, tuple[Burndown, ...]]:
    """Return the statement with the prepaid money that it draws on grants, and the draws."""
    currency, zero = statement.currency, Money(0, statement.currency)
    lines: list[Adjustment] = []
    burndowns = []
    left, totals = statement.total, statement.totals_by_metric()
    metrics = {grant.metric for grant in grants if grant.currency == currency}
    # Money for one metric first: it can pay for nothing else, the other can pay for the rest.
    for metric in sorted(metrics, key=lambda name: (name is None, name or "")):
        if metric is not None and metric not in statement:
            continue
        if metric is None:
            due = creditable(None, left)
        else:  # an unused metric is in no total, and owes nothing
            due = creditable(totals[metric].cost if metric in totals else zero, left)
        # Drawn even where nothing is due: grants expire and are refilled all the same.
        start = _state_before(grants, balance, metric, currency, statement.period)
        burndown = draw(grants, due, statement.period, metric=metric, start=start)
        burndowns.append(burndown)
        payments = [(grant, _money(grant, units, currency)) for grant, units in _covered(burndown)]
        paid = credited(due, payments)
        lines += [evolve(line, metric=metric) for line in paid]
        # The next grants pay only the rest, or one bill would be paid twice.
        left += sum((line.cost for line in paid), zero)
    return statement.with_credits(lines) if lines else statement, tuple(burndowns)


def _money(grant_id: str, units: Quantity, currency: Currency) -> Money:
    try:
        return Money.of(units, currency)
    except InvalidValue as error:  # a balance that was drawn on by finer amounts leaves such a rest
        raise error.within("balance", "burndowns", grant_id) from None


def _covered(burndown: Burndown) -> list[tuple[str, Quantity]]:
    """Return each grant with the quantity it covered, in the order in which they were drawn on."""
    picos: dict[str, int] = {}
    for each in burndown.draws:
        picos[each.grant_id] = picos.get(each.grant_id, 0) + scaled(each.covered)
    return [(grant, unscaled(covered)) for grant, covered in picos.items()]
