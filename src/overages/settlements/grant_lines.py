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
    lines, burndowns = draw_money(rated, plan, period, pools, balance)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from overages.amounts.exact import excess, scaled, unscaled
from overages.amounts.money import Currency, Money, minor_picos, new_money
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.grants.drawn_grant import PooledGrant
from overages.grants.drawn_grants import DrawnGrants, Pools, Use, rank_of
from overages.grants.grant import Unit
from overages.lines.adjustment import Adjustment, Due, credit
from overages.lines.limit_part import LimitPart, new_limit_part
from overages.lines.rated_lines import RatedLines
from overages.lines.rating import LineLimit
from overages.periods.period import Period
from overages.settlements.balance import Balance
from overages.statements.spans import Span
from overages.statements.summary import totals_by_metric
from overages.terms.plan import Plan
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
    drawn = begun(pool, (span.line.metric, None), span.period, state)
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


def begun(
    pool: Sequence[PooledGrant], unit: Unit, period: Period, before: Burndown | None
) -> DrawnGrants:
    """Begin to draw on grants until a period's end, from where an earlier one has left them.

    Where nothing was drawn on them yet, it begins with the first of them, so that a grant which
    recurs has been granted anew as often as if each period before had been settled.
    """
    if before is not None:
        return DrawnGrants(pool, unit, before.at, period.end, before)
    first = period.start
    for pooled in pool:
        first = min(first, pooled.grant.effective_at)
    return DrawnGrants(pool, unit, first, period.end, None)


def granted_parts(burndown: Burndown) -> tuple[LimitPart, ...]:
    """Return the units that grants covered as parts of a limit, as they were drawn on in turn."""
    picos: dict[str, int] = {}
    for each in burndown.draws:
        picos[each.grant_id] = picos.get(each.grant_id, 0) + scaled(each.covered)
    return tuple(
        [new_limit_part("granted", unscaled(covered), grant) for grant, covered in picos.items()]
    )


def draw_money(
    rated: RatedLines,
    plan: Plan,
    period: Period,
    pools: Pools,
    balance: Balance,
) -> tuple[Sequence[Adjustment], Sequence[Burndown]]:
    """Return the lines of the prepaid money that a period draws on grants, and the draws.

    :param rated: its lines without them.
    :param plan: the last one of the period.
    :param pools: the grants that can pay for something in it, by their unit.
    """
    currency, last = plan.currency, period.end - _TICK
    drawn: dict[str | None, DrawnGrants] = {}
    grants: list[PooledGrant] = []
    for unit, pool in pools.items():
        metric, of = unit
        if of is not None:
            drawn[metric] = each = begun(pool, unit, period, balance.burndown(metric, currency))
            each.cross_until(last)
            grants += pool
    if not drawn:
        return (), ()
    due = _due(rated, plan, drawn)
    if len(drawn) > 1:  # each pool is in order
        grants.sort(key=rank_of)
    lines: list[Adjustment] = []
    minor_unit = minor_picos(currency)
    for grant, *_ in grants:
        metric = grant.metric
        most = due.minor_of(metric)
        covered = drawn[metric].draw_alone(grant.id, most * minor_unit, last)
        if covered:
            paid = _minor(grant.id, covered, currency)
            lines.append(credit(new_money(most, currency), paid, grant.id, metric))
            due.pay(metric, paid)
    if len(drawn) > 1:
        drawn = dict(sorted(drawn.items(), key=_metrics_first))
    burndowns: list[Burndown] = []
    for metric, each in drawn.items():
        each.leave(due.minor_of(metric) * minor_unit)
        # Crossed even where nothing was due: grants expire and are refilled all the same.
        each.cross_until(period.end)
        burndowns.append(each.burndown())
    return lines, burndowns


def _due(rated: RatedLines, plan: Plan, metrics: Iterable[str | None]) -> Due:
    """Return all that there is to pay, by metric too where a grant names one."""
    rows, _, adjustments, minor = rated
    by_metric: dict[str, Money] = {}
    if any(metrics):
        totals = totals_by_metric(rows, adjustments, plan.currency)
        by_metric = {metric: total.cost for metric, total in totals.items()}
    return Due(new_money(minor, plan.currency), by_metric, plan.rounding)


def _metrics_first(item: tuple[str | None, DrawnGrants]) -> tuple[bool, str]:
    metric, _ = item
    return metric is None, metric or ""


def _minor(grant_id: str, picos: int, currency: Currency) -> int:
    minor, rest = divmod(picos, minor_picos(currency))
    if rest:  # a balance that was drawn on by finer amounts leaves such a rest
        problem = f"must have at most {currency.exponent} decimals in {currency}"
        raise InvalidValue(("balance", "burndowns", grant_id, "amount"), unscaled(picos), problem)
    return minor
