"""Strategies of Hypothesis for every value: lawful, of any size, and often at the edge of a rule.

    @given(plans(currencies=st.just("USD")).flatmap(lambda plan: usages(plan=plan)))
    def test_...(usage: Usage) -> None: ...

``st.from_type(Plan)`` gives the same as `plans()`, wherever the library is installed as a package;
elsewhere after `register()`. Values come out as the library makes them, and shrink to plain ones.
"""

from __future__ import annotations

from typing import Any

try:
    from hypothesis import strategies as st
except ImportError as _missing:
    raise ImportError(
        "overages.testing.strategies needs Hypothesis, which overages[test] has: "
        "pip install 'overages[test]'"
    ) from _missing

from overages.amounts.money import Currency, Money
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.statements.limit_part import LimitPart
from overages.statements.overage import Overage
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing import basics, billing
from overages.testing.adjustments import adjustments, commitments, discounts
from overages.testing.basics import Currencies, or_usual
from overages.testing.carrying import carried, carry_overs, carryings
from overages.testing.grants import burndowns, draws, grant_balances, grants
from overages.testing.pooling import pool_shares, pooled_statements
from overages.testing.prices import (
    charges,
    conversions,
    exchanged_prices,
    graduated_prices,
    package_prices,
    percentages,
    prices,
    tier_charges,
    tiers,
    transaction_fees,
    unit_prices,
    volume_prices,
)
from overages.testing.pricing import our_price_recipes
from overages.testing.recipe import Recipe, cook
from overages.testing.recipes import values_of
from overages.testing.records import (
    chain_heads,
    histories,
    metric_totals,
    recordings,
    records,
    summaries,
)
from overages.testing.registration import register
from overages.testing.settling import balances, settlements
from overages.usage.event import UsageEvent
from overages.usage.increment import Increment
from overages.usage.metric import Metric
from overages.usage.usage import Usage

__all__ = [
    "accounts", "adjustments", "allowances", "balances", "burndowns", "carried", "carry_overs",
    "carryings", "chain_heads", "charges", "commitments", "conversions", "currencies", "cycles",
    "discounts", "draws", "exchanged_prices", "graduated_prices", "grant_balances", "grants",
    "histories", "increments", "limit_parts", "metric_totals", "metrics", "money", "names",
    "overage_lines", "package_prices", "percentages", "periods", "plans", "pool_shares",
    "pooled_statements", "prices", "recordings", "records", "register", "settlements",
    "statements", "summaries", "tier_charges", "tiers", "transaction_fees",
    "unit_prices", "usage_events", "usages", "volume_prices",
]  # fmt: skip

Strategy = st.SearchStrategy


# Names, times and money


def names() -> Strategy[str]:
    """Return names of any script that a metric, an org, a plan or an event can have."""
    return basics.names


def periods() -> Strategy[Period]:
    """Return months, and other stretches of time from seconds to centuries."""
    return basics.periods


def cycles() -> Strategy[Cycle]:
    """Return cycles of any unit and anchor, in timezones whose clocks are hard to follow."""
    return values_of(Cycle)


def currencies() -> Strategy[Currency]:
    """Return currencies of ISO 4217, and units of a host's own with up to twelve decimals."""
    return values_of(Currency)


def money(currencies: Currencies | None = None) -> Strategy[Money]:
    """Return amounts of money of either sign, some of them very large."""
    return basics.money_recipes(or_usual(currencies, basics.currencies)).map(Recipe.one)


# Plans and what is done with them


def allowances(
    prices: Strategy[Any] | None = None,
    *,
    plain: bool = False,
    currencies: Currencies | None = None,
    metrics: Strategy[str] | None = None,
) -> Strategy[Allowance]:
    """Return allowances, some of them unlimited, and some with every term there is.

    :param prices: the price models; those of the library without it.
    :param plain: whether they are to have no terms but what is included and a price, so that any
        plan can have them.
    :param currencies: what their amounts of money are in.
    :param metrics: the metrics whose units may bring the included quantity; a plan that has the
        allowance needs them too.
    """
    found = billing.allowance_recipes(
        or_usual(prices, our_price_recipes),
        or_usual(currencies, basics.currencies),
        or_usual(metrics, basics.metrics),
        plain=plain,
    )
    return found.map(Recipe.one)


def plans(
    *,
    currencies: Currencies | None = None,
    prices: Strategy[Any] | None = None,
    metrics: Strategy[str] | None = None,
    plain: bool = False,
) -> Strategy[Plan]:
    """Return plans of none to four metrics, by any rounding, some with every term there is.

    :param currencies: what they charge in.
    :param prices: the price models; those of the library without it.
    :param metrics: the metrics to choose from.
    :param plain: whether they are to have no terms but what is included and prices: no discount,
        minimum, carry-over or the like.
    """
    return billing.plan_recipes(
        or_usual(currencies, basics.currencies),
        prices=or_usual(prices, our_price_recipes),
        of=or_usual(metrics, basics.metrics),
        plain=plain,
    ).map(Recipe.one)


@st.composite
def accounts(
    draw: st.DrawFn, *, plan: Plan | None = None, org_ids: Strategy[str] | None = None
) -> Account:
    """Return accounts of any status, cycle and start, with limits of their own for some metrics.

    :param plan: the plan that they are on; limits are then of its metrics.
    :param org_ids: the orgs to choose from.
    """
    any_one = draw(values_of(Account))
    limits: Any = any_one.limits
    if plan is not None:
        limited = [metric for metric in plan.allowances if draw(st.booleans())]
        limits = {
            metric: draw(billing.limits_of(plan.allowances[metric])).first for metric in limited
        }
    return Account(
        draw(or_usual(org_ids, st.just(any_one.org_id))),
        any_one.plan if plan is None else plan.slug,
        limits,
        status=any_one.status,
        cycle=any_one.cycle,
        since=any_one.since,
    )


@st.composite
def usages(
    draw: st.DrawFn,
    *,
    plan: Plan | None = None,
    org_ids: Strategy[str] | None = None,
    periods: Strategy[Period] | None = None,
) -> Usage:
    """Return what orgs used in a period.

    :param plan: the plan to calculate it by: metrics are then the plan's, and quantities often lie
        where its limits and tiers end.
    :param org_ids: the orgs to choose from.
    :param periods: the periods to choose from.
    """
    used = draw(billing.quantity_maps if plan is None else billing.quantities_of(plan))
    period = draw(or_usual(periods, basics.periods))
    return Usage(draw(or_usual(org_ids, basics.orgs)), period, cook(used))


def usage_events() -> Strategy[UsageEvent]:
    """Return events with and without an id; a negative quantity takes one back."""
    return values_of(UsageEvent)


def metrics() -> Strategy[Metric]:
    """Return metrics of every aggregation, with and without conditions and increments."""
    return values_of(Metric)


def increments() -> Strategy[Increment]:
    """Return increments, with and without units that count at once."""
    return values_of(Increment)


def statements(
    *,
    plans: Strategy[Plan] | None = None,
    org_ids: Strategy[str] | None = None,
    periods: Strategy[Period] | None = None,
) -> Strategy[Statement]:
    """Return what `calculate` makes of plans, usage of their metrics, and limits of orgs' own.

    :param plans: the plans to choose from.
    :param org_ids: the orgs to choose from.
    :param periods: the periods to choose from.
    """
    offered = None if plans is None else plans.map(lambda plan: Recipe(_same, (plan,)))
    found = billing.cases(offered, org_ids, periods)
    return found.map(lambda case: case.statement.one())


def _same(plan: Plan) -> Plan:
    return plan


def limit_parts() -> Strategy[LimitPart]:
    """Return parts of limits, of any numbers."""
    return values_of(LimitPart)


def overage_lines() -> Strategy[Overage]:
    """Return lines of statements, of any numbers."""
    return values_of(Overage)
