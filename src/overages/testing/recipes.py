"""Recipes of charges and records, and the table of every value's recipe.

OUR_RECIPES[Plan]
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from overages.amounts.money import Currency, Money
from overages.grants.burndown import Burndown
from overages.grants.grant import Grant
from overages.grants.state import Draw, GrantState
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.prices.tier import Charge, Tier, TierCharge
from overages.prices.transactions import TransactionFee
from overages.records.chain import ChainHead
from overages.records.ledger import Recording
from overages.records.record import OverageRecord
from overages.settlements.balance import Balance
from overages.settlements.carry_over_result import CarryOverResult
from overages.settlements.pool_share import PoolShare
from overages.settlements.pooled_statement import PooledStatement
from overages.settlements.settlement import Settlement
from overages.statements.adjustment import OVERAGE, Adjustment
from overages.statements.limit_part import LimitPart
from overages.statements.overage import Overage
from overages.statements.statement import Statement
from overages.statements.summary import MetricTotal, Summary
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarriedUnits, CarryOver
from overages.terms.commitment import Commitment
from overages.terms.conversion import Conversion
from overages.terms.discount import Discount
from overages.terms.plan import Plan
from overages.testing.adjustments import adjustment_recipes, commitment_recipes, discount_recipes
from overages.testing.basics import (
    currencies,
    cycle_recipes,
    digests,
    instants,
    iso_currencies,
    metrics,
    money_recipes,
    names,
    ordinals,
    orgs,
    own_currencies,
    period_recipes,
)
from overages.testing.billing import (
    account_recipes,
    allowance_recipes,
    limit_part_recipes,
    overage_recipes,
    plan_recipes,
    reordered,
    statement_recipes,
    usage_recipes,
)
from overages.testing.carrying import carried_recipes, carry_over_recipes, carrying_recipes
from overages.testing.grants import balance_recipes, burndown_recipes, draw_recipes, grant_recipes
from overages.testing.metering import event_recipes, increment_recipes, metric_recipes
from overages.testing.numerals import (
    exact_amounts,
    non_negative_numbers,
    positive_numbers,
    signed_numbers,
    signed_parts,
    spelled,
)
from overages.testing.pooling import pool_share_recipes, pooled_recipes
from overages.testing.pricing import (
    exchanged_recipes,
    graduated_recipes,
    package_recipes,
    per_unit_recipes,
    percentage_recipes,
    priced_quantities,
    tier_recipes,
    volume_recipes,
)
from overages.testing.recipe import Recipe, Spelled
from overages.testing.rules import (
    conversion_recipes,
    transaction_fee_recipes,
)
from overages.testing.settling import settled_balance_recipes, settlement_recipes
from overages.usage.event import UsageEvent
from overages.usage.increment import Increment
from overages.usage.metric import Metric
from overages.usage.usage import Usage

tier_charge_recipes: st.SearchStrategy[Recipe[TierCharge]] = st.builds(
    lambda *args: Recipe(TierCharge, args),
    st.one_of(tier_recipes(), positive_numbers.flatmap(tier_recipes)),
    non_negative_numbers,
    non_negative_numbers,
    st.one_of(st.just(1), exact_amounts.filter(lambda amount: amount.first > 0)),
)
charge_recipes: st.SearchStrategy[Recipe[Charge]] = st.one_of(
    st.lists(tier_charge_recipes, max_size=3).map(
        lambda parts: Recipe(Charge, (Spelled(parts, tuple(parts)),))
    ),
    priced_quantities().map(lambda pair: Recipe(_charged, pair)),
)


def _charged(model: PriceModel, quantity: Any) -> Charge:
    return model.charge(quantity)


def record_recipes(
    unit: st.SearchStrategy[Any] = currencies,
) -> st.SearchStrategy[Recipe[OverageRecord]]:
    """Return charges and corrections of some orgs, periods and metrics, of any numbers."""
    return st.builds(
        lambda org, period, key, named: Recipe(
            OverageRecord, (org, period, key[0]), {**named, "line": key[1]}
        ),
        orgs,
        period_recipes(),
        st.one_of(
            st.tuples(metrics, st.just(OVERAGE)),
            st.tuples(st.none() | metrics, st.sampled_from(["minimum", "discount:launch"])),
        ),
        st.fixed_dictionaries(
            {
                "quantity": signed_numbers,
                "cost": money_recipes(unit),
                "exact_cost": exact_amounts,
                "unit_price": st.none() | exact_amounts,
                "plan": names,
                "plan_version": ordinals,
                "revision": ordinals,
                "sequence": ordinals,
                "created_at": instants,
                "digest": digests,
            }
        ),
    )


head_recipes: st.SearchStrategy[Recipe[ChainHead]] = st.builds(
    lambda sequence, digest: Recipe(ChainHead, (sequence, digest)), ordinals, digests
)
recording_recipes: st.SearchStrategy[Recipe[Recording]] = st.lists(
    record_recipes(), max_size=3
).flatmap(
    lambda found: st.integers(0, len(found)).map(
        lambda before: Recipe(Recording, (tuple(found), tuple(found[before:])))
    )
)


def metric_total_recipes(
    unit: st.SearchStrategy[Any] = currencies,
) -> st.SearchStrategy[Recipe[MetricTotal]]:
    """Return totals of metrics, which take no strings."""
    numbers = spelled(signed_parts, st.sampled_from([(1, 2), (2, 1), (1, 7)]))
    return st.builds(
        lambda quantity, cost: Recipe(MetricTotal, (quantity, cost)), numbers, money_recipes(unit)
    )


@st.composite
def summary_recipes(draw: st.DrawFn, unit: st.SearchStrategy[Any] = currencies) -> Recipe[Summary]:
    """Return totals by metric, of one currency."""
    currency = draw(unit)
    totals = metric_total_recipes(st.just(currency))
    found = draw(st.dictionaries(metrics, totals, max_size=4))
    costs = st.dictionaries(names, money_recipes(st.just(currency)), max_size=2)
    return Recipe(Summary, (currency, reordered(found), reordered(draw(costs))))


T = TypeVar("T")

OUR_RECIPES: Final[dict[type, st.SearchStrategy[Recipe[Any]]]] = {
    Account: account_recipes,
    Adjustment: adjustment_recipes(),
    Allowance: allowance_recipes(),
    CarriedUnits: carried_recipes,
    CarryOver: carry_over_recipes,
    CarryOverResult: carrying_recipes(),
    Balance: settled_balance_recipes(),
    Burndown: burndown_recipes(),
    ChainHead: head_recipes,
    Charge: charge_recipes,
    Commitment: commitment_recipes(),
    Currency: st.one_of(own_currencies, iso_currencies.map(lambda unit: unit.second)),
    Cycle: cycle_recipes,
    Discount: discount_recipes(),
    Conversion: conversion_recipes,
    Exchanged: exchanged_recipes,
    Graduated: graduated_recipes,
    LimitPart: limit_part_recipes,
    Draw: draw_recipes(),
    Grant: grant_recipes(),
    GrantState: balance_recipes(),
    Increment: increment_recipes,
    Metric: metric_recipes(),
    MetricTotal: metric_total_recipes(),
    Money: money_recipes(),
    Overage: overage_recipes(),
    OverageRecord: record_recipes(),
    Package: package_recipes,
    PerUnit: per_unit_recipes,
    Percentage: percentage_recipes,
    Period: period_recipes(),
    Plan: plan_recipes(),
    PoolShare: pool_share_recipes,
    PooledStatement: pooled_recipes(),
    Recording: recording_recipes,
    Settlement: settlement_recipes(),
    Statement: statement_recipes,
    Summary: summary_recipes(),
    Tier: st.one_of(tier_recipes(), positive_numbers.flatmap(tier_recipes)),
    TierCharge: tier_charge_recipes,
    TransactionFee: transaction_fee_recipes,
    Usage: usage_recipes,
    UsageEvent: event_recipes,
    Volume: volume_recipes,
}
"""How each value is made; a new value needs a line here, and all laws of values then hold it."""


def values_of(kind: type[T]) -> st.SearchStrategy[T]:
    """Return the values of a class."""
    return OUR_RECIPES[kind].map(Recipe.one)
