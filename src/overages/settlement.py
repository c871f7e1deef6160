"""Settlement: a period's statement, with what earlier periods left and what it leaves itself.

A `Balance` is all that goes from one period to the next: units carried over, what was used of an
allowance for a longer time, what was drawn on grants. One period after another:

    january = settle(plan, usage_of_january, grants=grants)
    february = settle(plan, usage_of_february, january.balance, grants=grants)
    february.statement, february.burndowns

Nothing else is remembered, so that stopping after any period and going on from its balance gives
what all at once would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve, field, frozen

from overages.adjusting import credited
from overages.adjustment import Adjustment
from overages.balance import NOTHING, Balance
from overages.burndown import Burndown
from overages.calculation import (
    Limits,
    circumstances_of,
    own_limits,
    refuse_unknown,
    statement_of,
)
from overages.carrying import Carrying, carry
from overages.drawing import burn_down, draw
from overages.errors import InvalidValue
from overages.exact import Quantity, excess, scaled, unscaled
from overages.grants import Grant
from overages.limitpart import LimitPart
from overages.money import Money
from overages.overage import sum_of_parts
from overages.parsing import instance_of, parse_all, tuple_of
from overages.period import Period
from overages.plan import Plan
from overages.rating import Circumstances, base_parts, free_parts, share_of, units_of, usage_beyond
from overages.statement import Statement
from overages.usage import Usage, UsageEvent


@frozen(weakref_slot=False)
class Settlement:
    """What settling a period came to.

    :param statement: what is owed, with all that was carried over, drawn and credited.
    :param balance: what goes on to the next period.
    :param carryings: what became of each allowance that is carried over, by metric.
    :param burndowns: what was drawn on grants in the period, for each metric and for money.
    """

    statement: Statement
    balance: Balance
    carryings: Mapping[str, Carrying] = field(hash=False)
    burndowns: tuple[Burndown, ...]


def settle(
    plan: Plan,
    usage: Usage,
    balance: Balance = NOTHING,
    *,
    limits: Limits | None = None,
    grants: Iterable[Grant] = (),
    events: Iterable[UsageEvent] = (),
    whole: Period | None = None,
    timezone: str = "UTC",
    final: bool = True,
) -> Settlement:
    """Return the statement of a period, worked out from what earlier ones left.

    It is `calculate`, and beside it: units that were carried over, allowances for a longer time
    than the period, units drawn on grants once the limit is reached, and prepaid money drawn on
    grants once all else is summed. What no grant covers stays overage.

    :param plan: the terms of this period.
    :param usage: what was used in it.
    :param balance: what the period before left; none before the first.
    :param limits: the org's own limits by metric, in units.
    :param grants: all that the org was ever granted.
    :param events: those that the usage was counted from, as far as their metrics are granted: they
        say when units were used. What they don't account for counts as used at the period's end.
    :param whole: see `calculate`; so `timezone` and `final`.
    :raises OveragesError: as `calculate` and `burn_down` do.

    >>> from overages import Allowance, CarryOver, PerUnit
    >>> tokens = Allowance(500, PerUnit("0.10"), carry_over=CarryOver())
    >>> plan, months = Plan("rolling", "USD", {"tokens": tokens}), [400, 550, 700]
    >>> balance = Balance()
    >>> for number, used in enumerate(months, start=1):
    ...     usage = Usage("org-123", Period.month(2024, number), {"tokens": used})
    ...     settlement = settle(plan, usage, balance)
    ...     balance = settlement.balance
    ...     print(settlement.statement["tokens"].limit, settlement.statement.total)
    500 0.00 USD
    600 0.00 USD
    550 15.00 USD
    """
    terms, used, before, given, counted = parse_all(
        (instance_of(Plan), plan, "plan"),
        (instance_of(Usage), usage, "usage"),
        (instance_of(Balance), balance, "balance"),
        (tuple_of(Grant), grants, "grants"),
        (tuple_of(UsageEvent), events, "events"),
    )
    own = own_limits(terms, limits)
    refuse_unknown(terms, "usage.quantities", used.quantities)
    known = circumstances_of(
        terms, whole, _earlier(terms, used, before), timezone=timezone, final=final
    )
    carryings = _carryings(terms, used, before, own, known)
    carried = {metric: _carried_parts(found) for metric, found in carryings.items()}
    known = evolve(known, parts=carried)
    statement = statement_of(terms, used, own, known)
    units = _units_drawn(statement, used, before, known, given, counted)
    if units:
        granted = {each.metric: _granted_parts(each) for each in units}
        parts = {
            metric: (*carried.get(metric, ()), *granted.get(metric, ()))
            for metric in terms.allowances
        }
        statement = statement_of(terms, used, own, evolve(known, parts=parts))
    statement, money = _credited(statement, given, before)
    burndowns = (*units, *money)
    after = _balance_after(terms, used, before, carryings, burndowns)
    return Settlement(statement, after, carryings, burndowns)


def _earlier(plan: Plan, usage: Usage, balance: Balance) -> dict[str, Quantity]:
    """Return what was used before of allowances for a longer time than the period."""
    earlier = {}
    for metric, allowance in plan.allowances.items():
        if allowance.included_for is not None:
            when = allowance.included_for.period_at(usage.period.start)
            if usage.period.end > when.end:
                problem = f"must lie within one period of the allowance's, {when}"
                raise InvalidValue(f"usage.period ({metric})", usage.period, problem)
            counts = [
                used.quantities.get(metric, 0) for used in balance.used if used.period == when
            ]
            earlier[metric] = counts[0] if counts else 0
    return earlier


def _carryings(
    plan: Plan,
    usage: Usage,
    balance: Balance,
    own: Mapping[str, Quantity],
    known: Circumstances,
) -> dict[str, Carrying]:
    """Return what becomes of each allowance that is carried over."""
    found = {}
    for metric, allowance in plan.allowances.items():
        rule = allowance.carry_over
        if rule is None:
            continue
        share = share_of(usage, allowance, known)
        base = base_parts(metric, allowance, usage, own, share) or ()
        included = sum_of_parts(base)
        used = units_of(allowance, usage.quantities.get(metric, 0))
        brought = balance.carried.get(metric, ())
        # Free units are used last, so that they neither are carried over nor owed.
        limit = carry(rule, brought, included, 0, usage.period).limit
        free = sum_of_parts(free_parts(allowance))
        counted = used if used <= limit else max(limit, excess(used, free))
        found[metric] = carry(rule, brought, included, counted, usage.period)
    return found


def _carried_parts(carrying: Carrying) -> tuple[LimitPart, ...]:
    """Return what was carried over as parts of a limit."""
    parts = [
        LimitPart("carried", layer.quantity, _day(layer.period))
        for layer in carrying.brought
        if layer.quantity > 0
    ]
    parts += [LimitPart("owed", layer.quantity, _day(layer.period)) for layer in carrying.repaid]
    if borrowed := excess(carrying.free, carrying.limit):
        parts.append(LimitPart("borrowed", borrowed))
    return tuple(parts)


def _day(period: Period) -> str:
    return period.describe().split(" ")[0]


def _units_drawn(
    statement: Statement,
    usage: Usage,
    balance: Balance,
    known: Circumstances,
    grants: tuple[Grant, ...],
    events: tuple[UsageEvent, ...],
) -> tuple[Burndown, ...]:
    """Return what units beyond the limits draw on grants, for each metric that has some."""
    found = []
    for metric in sorted({g.metric for g in grants if g.metric and g.currency is None}):
        if metric in statement and statement[metric].limit is not None:
            series = usage_beyond(statement, usage, events, known.earlier.get(metric, 0), metric)
            start = balance.burndown(metric, None) or usage.period.start
            end = usage.period.end
            found.append(burn_down(grants, series, metric=metric, start=start, end=end))
    return tuple(found)


def _granted_parts(burndown: Burndown) -> tuple[LimitPart, ...]:
    return tuple(LimitPart("granted", units, grant) for grant, units in _covered(burndown))


def _credited(
    statement: Statement, grants: tuple[Grant, ...], balance: Balance
) -> tuple[Statement, tuple[Burndown, ...]]:
    """Return the statement with the prepaid money that it draws on grants."""
    unit, zero = statement.currency, Money(0, statement.currency)
    found: list[Adjustment] = []
    burndowns = []
    left = statement.total
    ours = {grant.metric for grant in grants if grant.currency == unit}
    for metric in sorted(ours, key=lambda name: (name is None, name or "")):  # the general one last
        if metric is None:
            due = left
        elif metric in statement:
            due = min(Money(statement.due()[metric][1], unit), left)
        else:
            continue
        due = max(due, zero)
        start = balance.burndown(metric, unit)
        burndown = draw(grants, due, statement.period, metric=metric, start=start)
        burndowns.append(burndown)
        lines = credited(due, [(g, Money.of(units, unit)) for g, units in _covered(burndown)])
        found += [evolve(line, metric=metric) for line in lines]
        left += sum((line.cost for line in lines), zero)
    if found:
        everything = [*statement.lines, *found]
        statement = Statement(statement.org_id, statement.period, statement.plan, everything)
    return statement, tuple(burndowns)


def _covered(burndown: Burndown) -> list[tuple[str, Quantity]]:
    """Return how much each grant covered, in the order in which they were drawn on."""
    covered: dict[str, int] = {}
    for each in burndown.draws:
        covered[each.grant_id] = covered.get(each.grant_id, 0) + scaled(each.covered)
    return [(grant, unscaled(parts)) for grant, parts in covered.items()]


def _balance_after(
    plan: Plan,
    usage: Usage,
    balance: Balance,
    carryings: Mapping[str, Carrying],
    burndowns: Iterable[Burndown],
) -> Balance:
    counted: dict[Period, dict[str, Quantity]] = {}
    earlier = _earlier(plan, usage, balance)
    for metric, allowance in plan.allowances.items():
        if allowance.included_for is not None:
            when = allowance.included_for.period_at(usage.period.start)
            used = scaled(earlier[metric]) + scaled(usage.quantities.get(metric, 0))
            counted.setdefault(when, {})[metric] = unscaled(used)
    states = {(each.metric, each.currency): each for each in balance.burndowns}
    states |= {(each.metric, each.currency): each.closed() for each in burndowns}
    return Balance(
        {metric: found.carried for metric, found in carryings.items()},
        [Usage(usage.org_id, when, used) for when, used in counted.items()],
        states.values(),
    )
