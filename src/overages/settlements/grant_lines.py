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
last instant. An org on trial draws none: all that it uses is taken off anyway.

**Money** pays once for the period, at its last instant: only then is the price of any unit known,
for tiers, minimums and the rounding of the total look at all of it. Grants are drawn on by their
priority, expiry, creation and id, whether or not they name a metric. One that names none pays what
is left; one that names a metric pays at most that metric's share (`overages.lines.adjustment`
says how much that is):

    due: runs 8.00, tokens 2.00                                        due 10.00
    a grant of 5.00 with priority 0 pays 5.00                          due  5.00
    a grant of 10.00 for runs with priority 5 pays 5.00, and keeps 5.00       0.00

`settle` calls both, once all that costs nothing anyway is known:

    burndown = draw_units(line, span, pool, events, state)
    statement, burndowns = draw_money(statement, pools, balance)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from overages.amounts.exact import Quantity, excess, scaled, unscaled
from overages.amounts.money import Currency, Money, minor_picos, new_money, picos_of
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.grants.drawn_grant import PooledGrant
from overages.grants.drawn_grants import DrawnGrants, Unit, Use, rank_of
from overages.lines.adjustment import Adjustment, Due, credited
from overages.lines.limit_part import LimitPart, new_limit_part
from overages.lines.rating import LineLimit
from overages.periods.period import Period
from overages.settlements.balance import Balance
from overages.settlements.spans import Span
from overages.statements.statement import Statement
from overages.usage.event import UsageEvent

_TICK: Final = timedelta(microseconds=1)


def draw_units(
    line: LineLimit,
    span: Span,
    pool: Sequence[PooledGrant],
    events: Sequence[UsageEvent],
    state: Burndown | None,
) -> Burndown:
    """Draw the units of a line that are beyond its limit on grants.

    :param line: without any grant; it has a limit.
    :param span: its time, and its usage.
    :param pool: the grants of the metric's units, in their order.
    :param events: those that count in it.
    :param state: the state of the metric's grants before; None if none was drawn on yet.
    """
    drawn = _begun(pool, (span.line.metric, None), span.period, state)
    # On trial none is drawn; grants expire and are refilled all the same.
    drawn.run([] if span.on_trial else _uses_beyond(line, span, events))
    return drawn.burndown()


def _uses_beyond(line: LineLimit, span: Span, events: Sequence[UsageEvent]) -> list[Use]:
    """Return the instants at which units beyond the limit change, with how many are added.

    It is the running total that is converted, not each event: rounded one by one, 60 calls of a
    second each would be 60 minutes.
    """
    if not events:
        return [(span.period.end - _TICK, scaled(excess(line.used, line.limit)))]
    allowance = span.line.allowance
    used_before = line.context.used_before or 0
    units_before, start = allowance.converted(used_before), scaled(used_before)
    running, beyond = start, 0
    uses: list[Use] = []
    for at, picos in sorted(_picos_by_instant(span, events).items()):
        running += picos
        # Corrections can take back more than was used so far, but nothing of an earlier period.
        so_far = allowance.converted(unscaled(max(running, start)))
        beyond_now = scaled(excess(excess(so_far, units_before), line.limit))
        # Signed: usage that is taken back gives back the units beyond the limit that it had made.
        uses.append((at, beyond_now - beyond))
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
    rest = scaled(span.used()) - sum(sums.values())
    sums[last] = sums.get(last, 0) + rest
    return sums


def _begun(
    pool: Sequence[PooledGrant], unit: Unit, period: Period, before: Burndown | None
) -> DrawnGrants:
    """Begin to draw on grants until a period's end, from where an earlier one has left them.

    Where nothing was drawn on them yet, it begins with the first of them, so that a grant which
    recurs has been granted anew as often as if each period before had been settled.
    """
    if before is not None:
        return DrawnGrants(pool, unit, before.at, period.end, before)
    first = period.start
    for grant, _ in pool:
        first = min(first, grant.effective_at)
    return DrawnGrants(pool, unit, first, period.end, None)


def granted_parts(burndown: Burndown) -> tuple[LimitPart, ...]:
    """Return the units that grants covered as parts of a limit."""
    covered = _covered(burndown)
    return tuple([new_limit_part("granted", units, grant) for grant, units in covered])


def draw_money(
    statement: Statement, pools: Mapping[Unit, Sequence[PooledGrant]], balance: Balance
) -> tuple[Statement, tuple[Burndown, ...]]:
    """Return the statement with the prepaid money that it draws on grants, and the draws."""
    period, currency = statement.period, statement.plan.currency
    of_currency = {
        metric: pool
        for (metric, unit), pool in pools.items()
        if unit is not None and unit == currency and (metric is None or metric in statement)
    }
    if not of_currency:
        return statement, ()
    due, last = _due(statement, of_currency), period.end - _TICK
    drawn: dict[str | None, DrawnGrants] = {}
    for metric, pool in of_currency.items():
        before = balance.burndown(metric, currency)
        drawn[metric] = each = _begun(pool, (metric, currency), period, before)
        each.cross_until(last)
    lines: list[Adjustment] = []
    for grant, _ in sorted(chain(*of_currency.values()), key=rank_of):
        metric, most = grant.metric, due.of(grant.metric)
        covered = drawn[metric].draw_alone(grant.id, picos_of(most), last)
        if not covered:
            continue
        for line in credited(most, [(grant.id, _money(grant.id, covered, currency))], metric):
            lines.append(line)
            due.pay(line)
    burndowns = []
    for metric, each in sorted(drawn.items(), key=_metrics_first):
        each.leave(picos_of(due.of(metric)))
        # Crossed even where nothing was due: grants expire and are refilled all the same.
        each.cross_until(period.end)
        burndowns.append(each.burndown())
    return statement.with_credits(lines) if lines else statement, tuple(burndowns)


def _due(statement: Statement, metrics: Iterable[str | None]) -> Due:
    """Return all that there is to pay, by metric too where a grant names one."""
    by_metric: dict[str, Money] = {}
    if set(metrics) != {None}:
        totals = statement.totals_by_metric()
        by_metric = {metric: total.cost for metric, total in totals.items()}
    return Due(statement.total, by_metric, statement.plan.rounding)


def _metrics_first(item: tuple[str | None, DrawnGrants]) -> tuple[bool, str]:
    metric, _ = item
    return metric is None, metric or ""


def _money(grant_id: str, picos: int, currency: Currency) -> Money:
    minor, rest = divmod(picos, minor_picos(currency))
    if rest:  # a balance that was drawn on by finer amounts leaves such a rest
        problem = f"must have at most {currency.exponent} decimals in {currency}"
        raise InvalidValue(("balance", "burndowns", grant_id, "amount"), unscaled(picos), problem)
    return new_money(minor, currency)


def _covered(burndown: Burndown) -> list[tuple[str, Quantity]]:
    """Return each grant with the quantity it covered, in the order in which they were drawn on."""
    picos: dict[str, int] = {}
    for each in burndown.draws:
        picos[each.grant_id] = picos.get(each.grant_id, 0) + scaled(each.covered)
    return [(grant, unscaled(covered)) for grant, covered in picos.items()]
