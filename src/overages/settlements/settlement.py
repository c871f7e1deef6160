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

from attrs import evolve

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric
from overages._ground.parsing import instance_of, parse_all, tuple_of
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, add_up, excess
from overages.errors import InvalidValue, OveragesError
from overages.grants.burndown import Burndown
from overages.grants.grant import Grant
from overages.periods.period import Period, format_instant
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.carry_over_result import CarryOverResult
from overages.settlements.grant_lines import draw_money, draw_units, granted_parts
from overages.statements.calculation import (
    Limits,
    context_of,
    own_limits,
    refuse_unknown,
    statement_of,
)
from overages.statements.limit_part import LimitPart, sum_of_parts
from overages.statements.limits import PartContext, free_parts, terms_parts
from overages.statements.statement import Statement
from overages.terms.plan import Plan
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage


@value
class Settlement:
    """The statement of a period, and all that follows from earlier ones and for later ones.

    :param statement: the bill, with all that was carried over, drawn and credited.
    :param balance: all that goes on to the next period.
    :param carry_overs: each allowance that is carried over, by metric: its limit and its units.
    :param burndowns: the draws on grants in the period, for each metric's units and for money.
    :raises InvalidType: for a value of a wrong type; `InvalidValues` for several.
    """

    statement: Statement = term(instance_of(Statement))
    balance: Balance = term(instance_of(Balance))
    carry_overs: Mapping[str, CarryOverResult] = term(
        by_metric(instance_of(CarryOverResult), "metrics to CarryOverResults")
    )
    burndowns: tuple[Burndown, ...] = term(tuple_of(Burndown))

    def __init__(
        self,
        statement: Statement,
        balance: Balance,
        carry_overs: Mapping[str, CarryOverResult] = FrozenDict(),
        burndowns: Iterable[Burndown] = (),
    ) -> None: ...

    def __repr__(self) -> str:
        return f"<Settlement of {self.statement!r}>"


def settle(
    plan: Plan,
    usage: Usage,
    balance: Balance = EMPTY_BALANCE,
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
    :raises InvalidValue: if the balance is another org's, or of a time that isn't before the usage.
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
    _check_follows(used, before, counted)
    own = own_limits(terms, limits)
    refuse_unknown(terms, "usage.quantities", used.quantities)
    context = context_of(
        terms, whole, _earlier(terms, used, before), timezone=timezone, final=final
    )
    carry_overs = _carry_overs(terms, used, before, own, context)
    parts = {metric: _carried_parts(result) for metric, result in carry_overs.items()}
    covered = _counts(terms, used, before.covered)
    context = evolve(context, limit_parts=parts, covered_before=covered)
    statement = statement_of(terms, used, own, context)
    units = draw_units(statement, used, before, context.used_before, given, counted)
    if units:
        granted = {burndown.metric or "": granted_parts(burndown) for burndown in units}
        parts |= {metric: (*parts.get(metric, ()), *more) for metric, more in granted.items()}
        statement = statement_of(terms, used, own, evolve(context, limit_parts=parts))
    statement, money = draw_money(statement, given, before)
    burndowns = (*units, *money)
    after = _balance_after(terms, used, before, carry_overs, burndowns)
    return Settlement(statement, after, carry_overs, burndowns)


def _check_follows(usage: Usage, balance: Balance, events: Iterable[UsageEvent]) -> None:
    """Refuse a balance that usage doesn't go on from, and events of another org."""
    for i, event in enumerate(events):
        if event.org_id != usage.org_id:
            problem = f"must be that of the usage, {usage.org_id!r}"
            raise InvalidValue(("events", i, "org_id"), event.org_id, problem)
    for key, counts in {"used": balance.used, "covered": balance.covered}.items():
        if counts and counts[0].org_id != usage.org_id:
            problem = f"must be that of the usage, {usage.org_id!r}"
            raise InvalidValue(("balance", key, 0, "org_id"), counts[0].org_id, problem)
    ends = [layers[-1].period.end for layers in balance.carried.values()]
    end = max([*ends, *(found.at for found in balance.burndowns)], default=usage.period.start)
    if usage.period.start < end:
        problem = f"must not start before the balance's periods end, {format_instant(end)}"
        raise InvalidValue("usage.period", usage.period, problem)


def _earlier(plan: Plan, usage: Usage, balance: Balance) -> dict[str, Quantity | None]:
    """Return what was used before of allowances for a longer time than the period."""
    counted = _counts(plan, usage, balance.used)
    return {metric: counted.get(metric) for metric in _longer(plan, usage)}


def _longer(plan: Plan, usage: Usage) -> dict[str, Period]:
    """Return what allowances for a longer time than the usage's are for, by metric."""
    windows = {}
    for line in plan.compiled.balanced:
        cycle = line.allowance.included_for
        if cycle is not None:
            windows[line.metric] = window = cycle.period_at(usage.period.start)
            if usage.period.end > window.end:
                problem = f"must lie within one period of the allowance's, {window}"
                raise InvalidValue(("usage", "period"), usage.period, problem)
    return windows


def _counts(plan: Plan, usage: Usage, counted: Iterable[Usage]) -> dict[str, Quantity]:
    """Return what was counted before of allowances for a longer time, by metric."""
    by_period = {each.period: each.quantities for each in counted}
    return {
        metric: by_period[when][metric]
        for metric, when in _longer(plan, usage).items()
        if metric in by_period.get(when, ())
    }


def _carry_overs(
    plan: Plan,
    usage: Usage,
    balance: Balance,
    own: Mapping[str, Quantity],
    context: PartContext,
) -> dict[str, CarryOverResult]:
    """Return what becomes of each allowance that is carried over."""
    results = {}
    for line in plan.compiled.balanced:
        metric, allowance = line.metric, line.allowance
        rule = allowance.carry_over
        if rule is None:
            continue
        try:
            share = context.share_of(usage.period, allowance)
            parts = terms_parts(line, usage.quantities, own, context, share) or ()
            used = allowance.converted(usage.quantities.get(metric, 0))
        except OveragesError as error:
            raise error.within(metric) from None
        included = sum_of_parts(parts)
        brought = balance.carried.get(metric, ())
        # Free units are used last, so that they neither are carried over nor owed.
        limit = CarryOverResult(rule, brought, included, 0, usage.period).limit
        free = sum_of_parts(free_parts(allowance))
        counted = used if used <= limit else max(limit, excess(used, free))
        results[metric] = CarryOverResult(rule, brought, included, counted, usage.period)
    return results


def _carried_parts(carrying: CarryOverResult) -> tuple[LimitPart, ...]:
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


def _balance_after(
    plan: Plan,
    usage: Usage,
    balance: Balance,
    carry_overs: Mapping[str, CarryOverResult],
    burndowns: tuple[Burndown, ...],
) -> Balance:
    # None used counts, too: then what is due without any unit was billed.
    used = {line.metric: usage.quantities.get(line.metric, 0) for line in plan.compiled.balanced}
    granted = {each.metric: each.covered for each in burndowns if each.currency is None}
    covered = {metric: units for metric, units in granted.items() if metric and units}
    states = {(each.metric, each.currency): each for each in balance.burndowns}
    states |= {(each.metric, each.currency): each.closed() for each in burndowns}
    return Balance(
        {metric: found.carried for metric, found in carry_overs.items()},
        _added(plan, usage, balance.used, used),
        states.values(),
        _added(plan, usage, balance.covered, covered),
    )


def _added(
    plan: Plan, usage: Usage, counted: Iterable[Usage], units: Mapping[str, Quantity]
) -> list[Usage]:
    """Return what is counted of allowances for a longer time, with some units more."""
    before = _counts(plan, usage, counted)
    found: dict[Period, dict[str, Quantity]] = {}
    for metric, when in _longer(plan, usage).items():
        if metric in before or metric in units:
            together = add_up([before.get(metric, 0), units.get(metric, 0)])
            found.setdefault(when, {})[metric] = together
    return [Usage(usage.org_id, when, quantities) for when, quantities in found.items()]
