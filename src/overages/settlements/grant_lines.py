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
that metric's lines, by name; then grants for any metric pay for the rest. A discount of the plan is
every metric's in proportion, so that money for one of them never pays for another:

    lines of tokens 30.00, of runs 25.00, a discount of all -15.00     due 40.00
    a grant of 35.00 for tokens pays 21.82 (40.00 x 30/55)             due 18.18
    a grant of 50.00 for anything pays 18.18, and keeps 31.82          due  0.00

`settle` calls both, once all that costs nothing anyway is known:

    burndown = draw_units(line, span, pool, events, state)
    statement, burndowns = draw_money(statement, pools, balance)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from overages.amounts.exact import SCALE, Quantity, excess, scaled, unscaled
from overages.amounts.money import Currency, Money, new_money, picos_of
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown, new_burndown
from overages.grants.drawn_grants import Unit, Use, draw_on
from overages.grants.grant import Grant
from overages.periods.period import Period
from overages.settlements.balance import Balance
from overages.settlements.spans import Span
from overages.statements.adjusting import creditable, credited
from overages.statements.adjustment import Adjustment
from overages.statements.limit_part import LimitPart, new_limit_part
from overages.statements.rating import LineLimit
from overages.statements.statement import Statement
from overages.usage.event import UsageEvent

_TICK: Final = timedelta(microseconds=1)


def draw_units(
    line: LineLimit,
    span: Span,
    pool: Sequence[Grant],
    events: Iterable[UsageEvent],
    state: Burndown | None,
) -> Burndown:
    """Draw the units of a line that are beyond its limit on grants.

    :param line: without any grant; it has a limit.
    :param span: its time, and its usage.
    :param pool: the grants of the metric's units, in their order.
    :param events: those that count in it.
    :param state: the state of the metric's grants before; None if none was drawn on yet.
    """
    before = state or _untouched(pool, span.line.metric, None, span.period)
    return draw_on(pool, _uses_beyond(line, span, events), before, span.period.end)


def _uses_beyond(line: LineLimit, span: Span, events: Iterable[UsageEvent]) -> list[Use]:
    """Return the instants at which units beyond the limit change, with how many are added.

    It is the running total that is converted, not each event: rounded one by one, 60 calls of a
    second each would be 60 minutes.
    """
    allowance = span.line.allowance
    used_before = line.context.used_before or 0
    units_before, start = allowance.converted(used_before), scaled(used_before)
    running, beyond, uses = start, 0, []
    for at, picos in sorted(_picos_by_instant(span, events).items()):
        running += picos
        # Corrections can take back more than was used so far, but nothing of an earlier period.
        so_far = allowance.converted(unscaled(max(running, start)))
        beyond_now = scaled(excess(excess(so_far, units_before), line.limit))
        # Signed: usage that is taken back gives back the units beyond the limit that it had made.
        uses.append(Use(at, beyond_now - beyond))
        beyond = beyond_now
    return uses


def _picos_by_instant(span: Span, events: Iterable[UsageEvent]) -> dict[datetime, int]:
    """Return the usage of a span in picos by instant, that without an event at the last one."""
    first, last = span.period.start, span.period.end - _TICK
    sums: dict[datetime, int] = {}
    for event in events:
        # A late event counts in a period that its instant isn't in.
        at = min(max(event.at, first), last)
        sums[at] = sums.get(at, 0) + scaled(event.quantity)
    rest = scaled(span.used) - sum(sums.values())
    sums[last] = sums.get(last, 0) + rest
    return sums


def _untouched(
    pool: Iterable[Grant], metric: str | None, currency: Currency | None, period: Period
) -> Burndown:
    """Return the state of grants that nothing was drawn on yet.

    It is that from the first of them on, so that a grant which recurs has been granted anew as
    often as if each period before had been settled.
    """
    first = min([period.start, *(grant.effective_at for grant in pool)])
    return new_burndown(first, metric, currency, (), 0, 0, 0, ())


def granted_parts(burndown: Burndown) -> tuple[LimitPart, ...]:
    """Return the units that grants covered as parts of a limit."""
    return tuple(new_limit_part("granted", units, grant) for grant, units in _covered(burndown))


def draw_money(
    statement: Statement, pools: Mapping[Unit, Sequence[Grant]], balance: Balance
) -> tuple[Statement, tuple[Burndown, ...]]:
    """Return the statement with the prepaid money that it draws on grants, and the draws."""
    currency = statement.currency
    metrics = [metric for metric, unit in pools if unit == currency]
    if not metrics:
        return statement, ()
    period, zero = statement.period, new_money(0, currency)
    lines: list[Adjustment] = []
    burndowns = []
    left, totals = statement.total, {} if metrics == [None] else statement.totals_by_metric()
    of_metrics = new_money(sum(total.cost.minor for total in totals.values()), currency)
    # Money for one metric first: it can pay for nothing else, the other can pay for the rest.
    for metric in sorted(metrics, key=lambda name: (name is None, name or "")):
        if metric is not None and metric not in statement:
            continue
        metric_total = None if metric is None else zero
        if metric in totals:
            metric_total = totals[metric].cost
        due = creditable(metric_total, of_metrics, statement.total, left, statement.plan.rounding)
        pool = pools[metric, currency]
        before = balance.burndown(metric, currency) or _untouched(pool, metric, currency, period)
        # Drawn even where nothing is due: grants expire and are refilled all the same.
        use = Use(period.end - _TICK, picos_of(due))
        burndown = draw_on(pool, [use], before, period.end)
        burndowns.append(burndown)
        payments = [(grant, _money(grant, units, currency)) for grant, units in _covered(burndown)]
        paid = credited(due, payments, metric)
        lines += paid
        # The next grants pay only the rest, or one bill would be paid twice.
        left = new_money(left.minor + sum(line.cost.minor for line in paid), currency)
    return statement.with_credits(lines) if lines else statement, tuple(burndowns)


def _money(grant_id: str, units: Quantity, currency: Currency) -> Money:
    minor, rest = divmod(scaled(units) * 10**currency.exponent, SCALE)
    if rest:  # a balance that was drawn on by finer amounts leaves such a rest
        problem = f"must have at most {currency.exponent} decimals in {currency}"
        raise InvalidValue(("balance", "burndowns", grant_id, "amount"), units, problem)
    return new_money(minor, currency)


def _covered(burndown: Burndown) -> list[tuple[str, Quantity]]:
    """Return each grant with the quantity it covered, in the order in which they were drawn on."""
    picos: dict[str, int] = {}
    for each in burndown.draws:
        picos[each.grant_id] = picos.get(each.grant_id, 0) + scaled(each.covered)
    return [(grant, unscaled(covered)) for grant, covered in picos.items()]
