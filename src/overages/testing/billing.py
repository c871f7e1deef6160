"""Strategies of bills: usage of a plan's metrics, an org's own limits, statements.

usage = draw(usages(plan=plan))
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from overages._ground.value import evolve
from overages.amounts.exact import Quantity, scaled, unscaled
from overages.amounts.money import Currency
from overages.errors import InvalidValue
from overages.lines.limit_part import TAKING, LimitPart
from overages.lines.overage import Overage
from overages.lines.part import StatementPart
from overages.periods.period import Period
from overages.settlements.pooled_statement import PooledStatement, SplitBy, pool
from overages.settlements.settlement import Settlement, settle
from overages.statements.calculation import calculate
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.change import TermsChange
from overages.terms.plan import Plan
from overages.terms.terms import OwnTerms
from overages.terms.timeline import standing
from overages.testing import fields, quantities as numbers
from overages.testing.fields import BY_CLASS, Arguments, arguments, made, or_none
from overages.testing.plans import ANY_PLAN, agreeing
from overages.testing.prices import quantities_at
from overages.testing.values import grants, own_bounds, priced_in, reduced
from overages.usage.usage import Usage


def convertible(allowance: Allowance, quantity: Quantity) -> Quantity:
    """Return a quantity if it can be converted to units that are priced, else none of it."""
    try:
        allowance.converted(quantity)
    except InvalidValue:
        return 0
    return quantity


def used_of(draw: st.DrawFn, plan: Plan) -> dict[str, Quantity]:
    """Draw quantities of most of a plan's metrics, as often as not where a price turns."""
    counted = {allowance.included_per for allowance in plan.allowances.values()}
    return {
        metric: convertible(
            allowance,
            draw(
                numbers.small
                if metric in counted
                else quantities_at(allowance.price, allowance.included)
            ),
        )
        for metric, allowance in plan.allowances.items()
        if draw(_three_of_four)
    }


_one_of_three = st.integers(0, 2).map(lambda n: n == 2)
_three_of_four = st.integers(0, 3).map(lambda n: n < 3)


def limits_of(draw: st.DrawFn, plan: Plan) -> dict[str, Quantity]:
    """Draw limits of an org's own for some of a plan's metrics."""
    return {
        metric: agreeing({"included": draw(numbers.quantities), "discounts": allowance.discounts})[
            "included"
        ]
        for metric, allowance in plan.allowances.items()
        if draw(_one_of_three)
    }


def _own_limits(draw: st.DrawFn, plan: Plan) -> dict[str, Quantity | None]:
    """Draw own limits for some of a plan's metrics, a few of them unlimited."""
    return {metric: draw(or_none(st.just(n))) for metric, n in limits_of(draw, plan).items()}


@st.composite
def accounts(
    draw: st.DrawFn, *, plan: Plan | None = None, org_ids: Strategy[str] = fields.orgs
) -> Account:
    """Return accounts of any status, cycle and start, with limits and rules of their own.

    Up to three entries follow, of every kind: terms that change, end, resume or are taken back.

    :param plan: the plan that they are on, always in the version in force; limits are then of its
        metrics, and amounts in its currency.
    :param org_ids: the orgs to choose from.
    """
    named = draw(_account)
    if plan is not None:
        named |= {"plan": plan.slug, "limits": _own_limits(draw, plan), "plan_version": None}
    currency = draw(fields.currencies) if plan is None else plan.currency
    changes: list[TermsChange] = []
    for _ in range(draw(st.integers(0, 3))):
        changes.append(_next_entry(draw, named["since"], changes, plan, currency))
    return Account(draw(org_ids), **priced_in(named, currency), changes=changes)


def _next_entry(
    draw: st.DrawFn,
    since: datetime,
    changes: list[TermsChange],
    plan: Plan | None,
    currency: Currency,
) -> TermsChange:
    """Draw an entry that is lawful after others of an account."""
    cancelable = [change.since for change in standing(changes)]
    kinds = ["change", "end", *(["cancel"] if cancelable else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "cancel":
        return TermsChange(draw(st.sampled_from(cancelable)), kind="cancel")
    instant = since + draw(_later)
    if kind == "end":
        return TermsChange(instant, kind="end")
    named = draw(_change)
    if plan is not None:
        named |= {"limits": _own_limits(draw, plan), "plan_version": None}
        named["drop_limits"] = [metric for metric in plan.allowances if draw(_one_of_three)]
    if plan is not None and "plan" in named:
        named["plan"] = plan.slug
    taken = {
        "drop_limits": named.get("limits", {}),
        "drop_discounts": {discount.name for discount in named.get("discounts", ())},
        "drop_bounds": {name for name in own_bounds if named.get(name) is not None},
    }
    for dropped, own in taken.items():
        named[dropped] = [each for each in named.get(dropped, ()) if each not in own]
    if not any(term not in (None, [], {}) for name, term in named.items() if name != "counters"):
        named["plan"] = draw(fields.names) if plan is None else plan.slug
    return TermsChange(instant, **priced_in(named, currency))


@st.composite
def _entries(draw: st.DrawFn) -> TermsChange:
    """Return entries of any kind."""
    since = draw(fields.instants)
    before = [TermsChange(since, kind="end")]
    return _next_entry(draw, since, before, None, draw(fields.currencies))


_own: dict[str, Strategy[Any]] = {"discounts": reduced, **own_bounds}
_account = arguments(Account, org_id=None, changes=None, **_own)
_change = arguments(TermsChange, since=None, kind=None, **_own)
_later = st.one_of(
    st.integers(0, 100).map(timedelta), st.integers(0, 100 * 86_400).map(lambda s: timedelta(0, s))
)
_quantities = st.dictionaries(fields.metrics, numbers.quantities, max_size=4)


@st.composite
def usages(
    draw: st.DrawFn,
    *,
    plan: Plan | None = None,
    org_ids: Strategy[str] = fields.orgs,
    periods: Strategy[Period] = fields.periods,
) -> Usage:
    """Return usage of orgs in a period.

    :param plan: the plan to calculate it by: metrics are then the plan's, and quantities often lie
        where its limits and tiers end.
    :param org_ids: the orgs to choose from.
    :param periods: the periods to choose from.
    """
    used = draw(_quantities) if plan is None else used_of(draw, plan)
    return Usage(draw(org_ids), draw(periods), used)


@st.composite
def statements(
    draw: st.DrawFn,
    *,
    plans: Strategy[Plan] = ANY_PLAN,
    org_ids: Strategy[str] = fields.orgs,
    periods: Strategy[Period] = fields.periods,
) -> Statement:
    """Return statements by `calculate`, of plans, usage of their metrics, and own limits.

    :param plans: the plans to choose from.
    :param org_ids: the orgs to choose from.
    :param periods: the periods to choose from.
    """
    plan = draw(plans)
    usage = Usage(draw(org_ids), draw(periods), used_of(draw, plan))
    return calculate(plan, usage, limits=limits_of(draw, plan))


def signed_by_kind(named: Arguments) -> Arguments:
    """Let units that lower a limit be negative, and no others."""
    units = abs(scaled(named["quantity"]))
    return {**named, "quantity": unscaled(-units if named["kind"] in TAKING else units)}


def without(plan: Plan, rule: str) -> Plan:
    """Return a plan of which no allowance has a rule."""
    off: dict[str, Any] = {rule: None}
    allowances = {metric: evolve(allowance, **off) for metric, allowance in plan.allowances.items()}
    return evolve(plan, allowances=allowances)


@st.composite
def settlements(draw: st.DrawFn) -> Settlement:
    """Return the settlement of a whole first period of an org, with up to two grants drawn on.

    Its terms are the same all the time, and no allowance is for another one, or the usage of each
    time within the period would have to be known.
    """
    plan = without(draw(ANY_PLAN), "included_for")
    account = draw(accounts(plan=plan))
    period = account.cycle.period_at(account.since)
    account = evolve(account, since=period.start, changes=())
    usage = Usage(account.org_id, period, used_of(draw, plan))
    return settle(account, {plan.slug: plan}, period, usage, grants=draw(_grants))


_grants = st.lists(
    grants(metric=fields.metrics, recurrence=None), max_size=2, unique_by=lambda grant: grant.id
)


@st.composite
def pooled_statements(draw: st.DrawFn, *, plans: Strategy[Plan] = ANY_PLAN) -> PooledStatement:
    """Return statements by `pool`, of plans and the usage of one to five orgs.

    :param plans: the plans to choose from; usage isn't converted here.
    """
    plan, period = without(draw(plans), "conversion"), draw(fields.periods)
    of = st.fixed_dictionaries({}, optional=dict.fromkeys(plan.allowances, numbers.small))
    usages = [Usage(org_id, period, draw(of)) for org_id in draw(_members)]
    by = draw(st.sampled_from(get_args(SplitBy)))
    return pool(plan, usages, draw(fields.orgs), limits=limits_of(draw, plan), by=by)


_members = st.lists(fields.orgs, min_size=1, max_size=5, unique=True)

BY_CLASS[Account] = accounts()
BY_CLASS[TermsChange] = _entries()
BY_CLASS[StatementPart] = st.builds(
    lambda period, plan, own: StatementPart(
        period, plan, OwnTerms(**priced_in(own, plan.currency))
    ),
    fields.periods,
    ANY_PLAN,
    arguments(OwnTerms, **_own),
)
BY_CLASS[Usage] = usages()
BY_CLASS[Statement] = statements()
BY_CLASS[Settlement] = settlements()
BY_CLASS[PooledStatement] = pooled_statements()
BY_CLASS[LimitPart] = made(LimitPart, mend=signed_by_kind)
BY_CLASS[Overage] = (
    settlements()
    .map(lambda settlement: settlement.statement.overages)
    .filter(len)
    .flatmap(st.sampled_from)
)
