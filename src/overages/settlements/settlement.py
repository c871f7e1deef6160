"""Settlement: the statement of a period that earlier periods, grants and carry-over have a part in.

Units that are carried over raise a limit; grants of units pay for usage beyond it; grants of money
pay for the rest. Each needs the result of the one before it:

1. carry over: the limits, with the units that earlier periods left;
2. the units that are over them;
3. draw these on grants of units, at the instants at which they were used;
4. price, with the drawn units free, as parts of the limits;
5. draw the total on grants of money;
6. take down, for the next period, all that this one leaves: a `Balance`.

In February, 100 units are included, each further one is 1.00, 60 are carried over from January, and
a grant holds 30; 175 are used:

    1. limit 160 = 100 included + 60 carried over
    2. over 15
    3. drawn 15 of the grant's 30
    4. limit 175, over 0, due 0.00
    5. nothing is due, so no money is drawn
    6. nothing is carried on, since all was used; the grant has 15 left

It is priced after the draws, since units that are free can't be taken off a cost: of packages,
tiers and minimums, fewer units make another cost, not the old one less a part.

Not done: drawing on grants before carried units, which would spend units that were paid for and let
free units expire; and raising limits by all that grants hold, for a grant that begins on the 10th
pays for nothing that was used on the 5th.

The balance is all that is remembered, so that stopping after any period, and going on from its
balance, gives the same as all at once:

    january = settle(account, plans, jan, used_in_jan, grants=grants)
    february = settle(account, plans, feb, used_in_feb, january.balance, grants=grants)
    february.statement, february.burndowns
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, NamedTuple, TypeGuard

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_metric, by_name, parse_name
from overages._ground.parsing import arguments, each, instance_of, parse_flag, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, parse_non_negative_sum
from overages.errors import OveragesError
from overages.grants.burndown import Burndown
from overages.grants.drawn_grant import GrantNotes
from overages.grants.drawn_grants import Pools, pools_of
from overages.grants.draws import parse_grants
from overages.grants.grant import Grant, Unit
from overages.lines.part import StatementPart, is_known
from overages.periods.period import Period
from overages.settlements.balance import EMPTY_BALANCE, Balance, new_balance
from overages.settlements.carry_over_result import CarryOverResult
from overages.settlements.grant_lines import draw_money
from overages.settlements.inputs import (
    Plans,
    agreed_inputs,
    is_empty,
    parse_names,
    parse_plans,
    parse_usages,
    time_shares,
)
from overages.settlements.settled_metrics import SettledMetrics
from overages.statements.calculation import calculate
from overages.statements.rated_statement import rated_lines, statement_of
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.plan import Plan
from overages.terms.terms import NO_OWN_TERMS
from overages.usage.event import UsageEvent
from overages.usage.usage import Usage


@value
class Settlement:
    """The statement of a period, and all that follows from earlier ones and for later ones.

    :param statement: the bill, with all that was carried over, drawn and credited.
    :param balance: all that goes on to the next period.
    :param carry_overs: each allowance that is carried over, by metric: its limit and its units.
    :param burndowns: the draws on grants in the period, for each metric's units and for money.
    :param idle_grants: the ids, sorted, of grants that could pay for nothing in the period: their
        metric is in no plan of it, or their money is in another currency.
    :raises InvalidType: for a value of a wrong type; `InvalidValues` for several.
    """

    statement: Statement = term(instance_of(Statement))
    balance: Balance = term(instance_of(Balance))
    carry_overs: Mapping[str, CarryOverResult] = term(
        by_metric(instance_of(CarryOverResult), "metrics to CarryOverResults")
    )
    burndowns: tuple[Burndown, ...] = term(tuple_of(Burndown))
    idle_grants: tuple[str, ...] = term(each(parse_name))

    def __init__(
        self,
        statement: Statement,
        balance: Balance,
        carry_overs: Mapping[str, CarryOverResult] = FrozenDict(),
        burndowns: Iterable[Burndown] = (),
        idle_grants: Iterable[str] = (),
    ) -> None: ...

    def __repr__(self) -> str:
        return f"<Settlement of {self.statement!r}>"


_new_settlement: Final = trusted(Settlement)
_NO_LEVELS: Final = frozenset[str]()
_NONE_CARRIED: Final = FrozenDict[str, CarryOverResult]()
_SETS: Final = (tuple, frozenset, list, set)


def settle(
    account: Account,
    plans: Plans,
    period: Period,
    usage: Usage | Iterable[Usage],
    balance: Balance = EMPTY_BALANCE,
    *,
    grants: Iterable[Grant] = (),
    events: Iterable[UsageEvent] = (),
    ended: bool = True,
    levels: Iterable[str] = (),
    reserved: Mapping[str, Quantity] = FrozenDict(),
) -> Settlement:
    """Return the statement of an account's period, from the balance that the one before it left.

    It is `calculate` for each part of the period, and beside it: units that were carried over,
    allowances for a longer time than the period, units drawn on grants once the limit is reached,
    and prepaid money drawn on grants once all else is summed. Units that no grant covers stay
    overage. A metric whose own terms change within the period has a line for each part. Discounts
    and bounds of the org's own come after its plan's; what is used on trial is taken off again.

    :param account: the org, and the history of its terms.
    :param plans: the plans of its terms, by slug; or a function that gives the plan of a part of
        the period and its terms, where versions of a plan differ.
    :param period: one of the account's.
    :param usage: the units used in the period; where a metric's own terms change in it, also those
        used in each part of it (`Account.parts`).
    :param balance: that of the period before; an empty one before the first, when each grant
        begins at its own `effective_at`, with all refills since then.
    :param grants: all that the org was ever granted.
    :param events: those that the usage was counted from, as far as their metrics are granted: they
        say when units were used. Units without an event count as used at the period's end.
    :param ended: whether the period is over; until then, no true-up to a minimum or a commitment
        is due.
    :param levels: metrics that are levels where their allowance doesn't say: a part of a period has
        a share of their charge.
    :param reserved: units (or major units of money) by grant, that later periods which are closed
        have drawn on it: a period that is settled anew can't draw them, too.
    :raises UnknownPlan: if a plan is missing.
    :raises UnknownMetric: if usage or a limit names a metric that the plan doesn't know.
    :raises NoTerms: if no terms hold in the period.
    :raises CurrencyMismatch: if an amount of the org's own isn't in its plan's currency.
    :raises InvalidValue: if the period isn't one of the account's, if usage or balance are another
        org's, if the balance is of a time that isn't before the period, or a plan of another slug.
    :raises OveragesError: as `calculate` and `burn_down` do; `InvalidValues` for several faults.

    >>> from datetime import UTC, datetime
    >>> from overages import Allowance, CarryOver, PerUnit
    >>> tokens = Allowance(500, PerUnit("0.10"), carry_over=CarryOver())
    >>> plans, months = {"rolling": Plan("rolling", "USD", {"tokens": tokens})}, [400, 550, 700]
    >>> account = Account("org-123", "rolling", since=datetime(2024, 1, 1, tzinfo=UTC))
    >>> balance = Balance()
    >>> for number, used in enumerate(months, start=1):
    ...     period = Period.month(2024, number)
    ...     settlement = settle(
    ...         account, plans, period, Usage("org-123", period, {"tokens": used}), balance)
    ...     balance = settlement.balance
    ...     print(settlement.statement["tokens"].limit, settlement.statement.total)
    500 0.00 USD
    600 0.00 USD
    550 15.00 USD
    """
    if ended is True and is_empty(grants) and is_empty(events) and type(levels) in _SETS:
        plain = _plainly(account, plans, period, usage, balance, levels)
        if plain is not None:
            return plain
    return settle_inputs(
        inputs_of(account, plans, period, usage, balance, grants, events, ended, levels, reserved)
    )


def _plainly(
    account: Account,
    plans: Plans,
    period: Period,
    usage: object,
    balance: Balance,
    levels: Iterable[str],
) -> Settlement | None:
    """Return the settlement of a period that has no step: a flat plan alone, all the time.

    Most accounts have nothing else most of the time, and it takes a fiftieth. None for any other,
    and for arguments that are not in order.
    """
    if (
        type(account) is not Account
        or type(period) is not Period
        or type(usage) is not Usage
        or type(balance) is not Balance
        or (usage.period is not period and usage.period != period)
        or usage.org_id != account.org_id
        or balance.carried
        or balance.used
        or balance.covered
        or balance.burndowns
        or not (type(plans) is dict or callable(plans) or isinstance(plans, Mapping))
    ):
        return None
    try:
        agreed = account.agreed_in(period)
        held = frozenset(parse_names(levels, "levels")) if levels else _NO_LEVELS
    except OveragesError:
        return None
    if agreed.cycle_period is not None or len(agreed.parts) != 1:
        return None
    ((time, terms, _),) = agreed.parts
    if terms.own is not NO_OWN_TERMS:
        return None
    plan = plans(time, terms) if callable(plans) else plans.get(terms.plan)
    if not _is_plain(plan, terms.plan, held):
        return None
    statement = calculate(plan, usage, limits=terms.limits or None)
    return _new_settlement(statement, balance, _NONE_CARRIED, (), ())


def _is_plain(plan: object, slug: str, levels: Set[str]) -> TypeGuard[Plan]:
    """Tell whether a plan is that of a slug, with no rule, and has no level as another kind."""
    if type(plan) is not Plan or plan.slug != slug:
        return False
    compiled = plan.compiled
    if not compiled.is_flat or compiled.balanced:
        return False
    lines = compiled.by_metric
    return not (levels and any(m in lines and not lines[m].is_level(levels) for m in levels))


class SettlementInputs(NamedTuple):
    """The arguments of `settle`, checked one by one."""

    account: Account
    plans: Plans
    period: Period
    usages: tuple[Usage, ...]
    balance: Balance
    grants: tuple[Grant, ...]
    events: tuple[UsageEvent, ...]
    has_ended: bool
    levels: tuple[str, ...]
    reserved: Mapping[str, Quantity]


def inputs_of(*values: object) -> SettlementInputs:
    """Return the inputs of a settlement, in the order in which `settle` names them.

    :raises OveragesError: as `settle` does, for one that is wrong by itself.
    """
    return SettlementInputs(*_parse_arguments(*values))


def settle_inputs(inputs: SettlementInputs, notes: GrantNotes | None = None) -> Settlement:
    """Settle a period: metric by metric, and then all together.

    :param notes: takes down how grants are at instants within the period.
    """
    account, plans, period, usages, before, grants, events, has_ended, levels, reserved = inputs
    terms, agreed, usage = agreed_inputs(account, plans, period, usages, before, events)
    shares, balance = time_shares(terms, period, len(agreed)), before.from_which(account, period)
    parts = [each.part for each in agreed]
    pools, idle = _payable(pools_of(grants, reserved, notes), parts)
    settled = SettledMetrics(agreed, usage, balance, shares)
    settled.add(pools, events, frozenset(levels))
    org_id = usage.of_period.org_id
    rated = rated_lines(parts, shares, settled.lines, has_ended=has_ended, flat=settled.flat_lines)
    # Money is due only for the rest that no unit, rule or discount has taken off.
    credited, money_draws = draw_money(rated, parts[-1].plan, shares.period, pools, balance)
    statement = statement_of(org_id, parts, shares, rated, credited)
    states = [*settled.states, *[each.closed() for each in money_draws]]
    if balance.burndowns:
        # Grants that nothing was due of (another plan's metric) stay as they were.
        drawn_on = {each.unit for each in states}
        states += [each for each in balance.burndowns if each.unit not in drawn_on]
    used, covered = _usages(org_id, settled.used), _usages(org_id, settled.covered)
    after = new_balance(settled.carried, used, states, covered)
    burndowns = (*settled.burndowns, *money_draws)
    return _new_settlement(statement, after, FrozenDict(settled.carry_overs), burndowns, idle)


def _usages(org_id: str, counts: Mapping[Period, Mapping[str, Quantity]]) -> tuple[Usage, ...]:
    """Return units by window and metric as usages, in the order of their windows."""
    if not counts:
        return ()
    return tuple(Usage(org_id, window, counts[window]) for window in sorted(counts))


def _payable(pools: Pools, parts: Sequence[StatementPart]) -> tuple[Pools, tuple[str, ...]]:
    """Return the grants that can pay for something in a period, and the ids of the others, sorted.

    Those are for no metric of its plans, or in other money than theirs.
    """
    of_plan = None, parts[-1].plan.currency
    idle: set[Unit] = set()
    for unit in pools:
        metric, currency = unit
        if currency not in of_plan or not (metric is None or is_known(metric, parts)):
            idle.add(unit)
    if not idle:
        return pools, ()
    payable = {unit: pool for unit, pool in pools.items() if unit not in idle}
    return payable, tuple(sorted(grant.id for unit in idle for grant, *_ in pools[unit]))


_parse_arguments: Final = arguments(
    account=instance_of(Account),
    plans=parse_plans,
    period=instance_of(Period),
    usage=parse_usages,
    balance=instance_of(Balance),
    grants=parse_grants,
    events=tuple_of(UsageEvent),
    ended=parse_flag,
    levels=parse_names,
    reserved=by_name(parse_non_negative_sum, "grants to quantities", of="grant"),
)
