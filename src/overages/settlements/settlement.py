"""Settlement: the statement of a period that earlier periods, grants and carry-over have a part in.

Units that are carried over raise a limit; grants of units pay for usage beyond it; grants of money
pay for the rest. Each needs the result of the one before it:

1. carry over: the limits, with the units that earlier periods left;
2. price, to learn how many units are over them;
3. draw these on grants of units, at the instants at which they were used;
4. price again, with the drawn units free, as parts of the limits;
5. draw the total on grants of money;
6. take down, for the next period, all that this one leaves: a `Balance`.

In February, 100 units are included, each further one is 1.00, 60 are carried over from January, and
a grant holds 30; 175 are used:

    1. limit 160 = 100 included + 60 carried over
    2. over 15, due 15.00
    3. drawn 15 of the grant's 30
    4. limit 175, over 0, due 0.00
    5. nothing is due, so no money is drawn
    6. nothing is carried on, since all was used; the grant has 15 left

It is priced twice, since units that are free can't be taken off a cost: of packages, tiers and
minimums, fewer units make another cost, not the old one less a part. (Without a grant of units, it
is priced once.)

Not done: drawing on grants before carried units, which would spend units that were paid for and let
free units expire; and raising limits by all that grants hold, for a grant that begins on the 10th
pays for nothing that was used on the 5th.

The balance is all that is remembered, so that stopping after any period, and going on from its
balance, gives the same as all at once:

    january = settle(plan, usage_of_january, grants=grants)
    february = settle(plan, usage_of_february, january.balance, grants=grants)
    february.statement, february.burndowns
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import evolve

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric
from overages._ground.parsing import Problems, instance_of, parse_all, tuple_of
from overages._ground.value import term, value
from overages.amounts.exact import Quantity
from overages.errors import InvalidValue
from overages.grants.burndown import Burndown
from overages.grants.grant import Grant
from overages.periods.period import Period, format_instant
from overages.settlements.balance import EMPTY_BALANCE, Balance
from overages.settlements.carry_over_result import CarryOverResult, carried_parts, carry_over
from overages.settlements.grant_lines import draw_money, draw_units, granted_parts
from overages.settlements.windows import counted_before, counted_on, windows_of
from overages.statements.calculation import (
    Limits,
    context_of,
    own_limits,
    refuse_unknown,
    statement_of,
)
from overages.statements.limits import PartContext
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
    billing_period: Period | None = None,
    timezone: str = "UTC",
    final: bool = True,
) -> Settlement:
    """Return the statement of a period that goes on from the balance of the one before.

    It is `calculate`, and beside it: units that were carried over, allowances for a longer time
    than the period, units drawn on grants once the limit is reached, and prepaid money drawn on
    grants once all else is summed. Units that no grant covers stay overage.

    :param plan: the terms of this period.
    :param usage: the units used in it.
    :param balance: that of the period before; an empty one before the first, when each grant
        begins at its own `effective_at`, with all refills since then.
    :param limits: the org's own limits by metric, in units.
    :param grants: all that the org was ever granted.
    :param events: those that the usage was counted from, as far as their metrics are granted: they
        say when units were used. Units without an event count as used at the period's end.
    :param billing_period: see `calculate`; so `timezone` and `final`.
    :raises UnknownMetric: if usage or a limit names a metric that the plan doesn't know.
    :raises InvalidValue: if the balance is another org's, or of a time that isn't before the usage.
    :raises OveragesError: as `calculate` and `burn_down` do; `InvalidValues` for several faults.

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
    parsed = parse_all(
        (instance_of(Plan), plan, "plan"),
        (instance_of(Usage), usage, "usage"),
        (instance_of(Balance), balance, "balance"),
        (tuple_of(Grant), grants, "grants"),
        (tuple_of(UsageEvent), events, "events"),
    )
    plan, usage, balance, grants, events = parsed
    problems = Problems()
    own = problems.attempt(own_limits, plan, limits)
    problems.attempt(refuse_unknown, plan, ("usage", "quantities"), usage.quantities)
    used_before = problems.attempt(_used_before, plan, usage, balance)
    context = problems.attempt(
        context_of, plan, billing_period, used_before, timezone=timezone, final=final
    )
    _check_follows(usage, balance, events, problems)
    problems.raise_any()
    return _settle(*parsed, own=own, context=context)


def _settle(
    plan: Plan,
    usage: Usage,
    balance: Balance,
    grants: tuple[Grant, ...],
    events: tuple[UsageEvent, ...],
    *,
    own: Mapping[str, Quantity],
    context: PartContext,
) -> Settlement:
    """Settle a period, of checked arguments, in the steps at the top of this module."""
    # 1. The limits, with carried units.
    carry_overs = carry_over(plan, usage, balance.carried, own, context)
    parts = {metric: carried_parts(result) for metric, result in carry_overs.items()}
    covered = counted_before(plan, usage, balance.covered)
    # Units that grants covered earlier in a window were not charged, so no tier counts them.
    context = evolve(context, limit_parts=parts, covered_before=covered)
    # 2. and 3. Priced without any grant, to learn the units that grants are drawn for.
    statement = statement_of(plan, usage, own, context)
    unit_draws = draw_units(statement, usage, balance, context.used_before, grants, events)
    if unit_draws:  # 4. Priced again, with these units free.
        for burndown in unit_draws:
            metric = burndown.metric or ""  # units are always of a metric
            parts[metric] = (*parts.get(metric, ()), *granted_parts(burndown))
        statement = statement_of(plan, usage, own, evolve(context, limit_parts=parts))
    # 5. Money is due only for the cost that no unit, rule or discount has taken off.
    statement, money_draws = draw_money(statement, grants, balance)
    burndowns = (*unit_draws, *money_draws)
    after = _balance_after(plan, usage, balance, carry_overs, burndowns)
    return Settlement(statement, after, carry_overs, burndowns)


def _used_before(plan: Plan, usage: Usage, balance: Balance) -> dict[str, Quantity | None]:
    """Return the units used before in windows that are longer than the period; None for no bill."""
    counted = counted_before(plan, usage, balance.used)
    return {metric: counted.get(metric) for metric in windows_of(plan, usage)}


def _check_follows(
    usage: Usage, balance: Balance, events: Iterable[UsageEvent], problems: Problems
) -> None:
    """Refuse a balance that usage doesn't go on from, and events of another org."""
    problem = f"must be that of the usage, {usage.org_id!r}"
    for i, event in enumerate(events):
        if event.org_id != usage.org_id:
            problems.add(InvalidValue(("events", i, "org_id"), event.org_id, problem))
    for name, counts in {"used": balance.used, "covered": balance.covered}.items():
        if counts and counts[0].org_id != usage.org_id:
            path = ("balance", name, 0, "org_id")
            problems.add(InvalidValue(path, counts[0].org_id, problem))
    ends = [carried[-1].period.end for carried in balance.carried.values()]
    ends += [burndown.at for burndown in balance.burndowns]
    end = max(ends, default=usage.period.start)
    if usage.period.start < end:
        problem = f"must not start before the balance's periods end, {format_instant(end)}"
        problems.add(InvalidValue(("usage", "period"), usage.period, problem))


def _balance_after(
    plan: Plan,
    usage: Usage,
    balance: Balance,
    carry_overs: Mapping[str, CarryOverResult],
    burndowns: tuple[Burndown, ...],
) -> Balance:
    """Return all that goes on to the next period."""
    used = {line.metric: usage.quantities.get(line.metric, 0) for line in plan.compiled.balanced}
    granted = {each.metric: each.covered for each in burndowns if each.currency is None}
    covered = {metric: units for metric, units in granted.items() if metric and units}
    # Grants that nothing was due of (another plan's metric) stay as they were.
    states = {(each.metric, each.currency): each for each in balance.burndowns}
    # Closed: their draws are in this bill, and must not be in the next one too.
    states |= {(each.metric, each.currency): each.closed() for each in burndowns}
    return Balance(
        {metric: result.carried for metric, result in carry_overs.items()},
        counted_on(plan, usage, balance.used, used),
        states.values(),
        counted_on(plan, usage, balance.covered, covered),
    )
