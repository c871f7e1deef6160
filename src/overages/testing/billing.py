"""Strategies of bills: usage of a plan's metrics, an org's own limits, statements.

usage = draw(usages(plan=plan))
"""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from overages._ground.value import evolve
from overages.amounts.exact import Quantity, scaled, unscaled
from overages.errors import InvalidValue
from overages.periods.period import Period
from overages.settlements.pool_share import SplitBy
from overages.settlements.pooled_statement import PooledStatement, pool
from overages.settlements.settlement import Settlement, settle
from overages.statements.calculation import calculate
from overages.statements.limit_part import TAKING, LimitPart
from overages.statements.overage import Overage
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing import fields, quantities as numbers
from overages.testing.fields import BY_CLASS, Arguments, arguments, made
from overages.testing.plans import ANY_PLAN, agreeing
from overages.testing.prices import quantities_at
from overages.testing.values import grants
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


@st.composite
def accounts(
    draw: st.DrawFn, *, plan: Plan | None = None, org_ids: Strategy[str] = fields.orgs
) -> Account:
    """Return accounts of any status, cycle and start, with limits of their own for some metrics.

    :param plan: the plan that they are on; limits are then of its metrics.
    :param org_ids: the orgs to choose from.
    """
    named = draw(_account)
    if plan is not None:
        named |= {"plan": plan.slug, "limits": limits_of(draw, plan)}
    return Account(draw(org_ids), **named)


_account = arguments(Account, org_id=None)
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
    """Return the settlement of an org's first period, with up to two grants drawn on.

    No allowance is for longer than the period, which would have to lie within that time.
    """
    plan = without(draw(ANY_PLAN), "included_for")
    usage = Usage(draw(fields.orgs), draw(fields.periods), used_of(draw, plan))
    return settle(plan, usage, limits=limits_of(draw, plan), grants=draw(_grants))


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
