"""Strategies of Hypothesis for every value: lawful, of any size, and often at the edge of a rule.

    @given(plans(currencies=st.just("USD")).flatmap(lambda plan: usages(plan=plan)))
    def test_...(usage: Usage) -> None: ...

``st.from_type(Plan)`` gives the same as `plans()`, wherever the library is installed as a package;
elsewhere after `register()`. Values come out as the library makes them, and shrink to plain ones.
"""

from __future__ import annotations

from typing import Any, TypeVar

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError(
        "overages.testing.strategies needs Hypothesis, which overages[test] has: "
        "pip install 'overages[test]'"
    ) from error

from overages.account import Account
from overages.allowance import Allowance
from overages.chain import START, ChainHead
from overages.conversion import Conversion
from overages.cycle import Cycle
from overages.exchange import Exchanged
from overages.increment import Increment
from overages.limitpart import LimitPart
from overages.metric import Metric
from overages.money import Currency, Money
from overages.overage import Overage
from overages.period import Period
from overages.plan import Plan
from overages.pricing import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.record import MetricTotal, OverageRecord, Summary
from overages.recording import Recording
from overages.statement import Statement
from overages.testing import basics, billing, histories as made, recipes
from overages.testing.adjustments import adjustments, commitments, discounts
from overages.testing.carrying import carried, carry_overs, carryings
from overages.testing.grants import burndowns, draws, grant_balances, grants
from overages.testing.pooling import pool_shares, pooled_statements
from overages.testing.pricing import our_price_recipes
from overages.testing.recipe import Recipe, cook
from overages.testing.registration import register
from overages.testing.settling import balances, settlements
from overages.tier import Charge, Tier, TierCharge
from overages.transactions import TransactionCharge, TransactionFee
from overages.usage import Usage, UsageEvent

__all__ = [
    "accounts", "adjustments", "allowances", "balances", "burndowns", "carried", "carry_overs",
    "carryings", "chain_heads", "charges", "commitments", "conversions", "currencies", "cycles",
    "discounts", "draws", "exchanged_prices", "graduated_prices", "grant_balances", "grants",
    "histories", "increments", "limit_parts", "metric_totals", "metrics", "money", "names",
    "overage_lines", "package_prices", "percentages", "periods", "plans", "pool_shares",
    "pooled_statements", "prices", "recordings", "records", "register", "settlements",
    "statements", "summaries", "tier_charges", "tiers", "transaction_charges", "transaction_fees",
    "unit_prices", "usage_events", "usages", "volume_prices",
]  # fmt: skip

T = TypeVar("T")
Strategy = st.SearchStrategy
Currencies = st.SearchStrategy[Currency] | st.SearchStrategy[str]
"""Currencies, or ISO 4217 codes."""


def _values(kind: type[T]) -> Strategy[T]:
    return recipes.OUR_RECIPES[kind].map(Recipe.one)


def _or(given: Strategy[Any] | None, usual: Strategy[Any]) -> Strategy[Any]:
    return usual if given is None else given


# Names, times and money


def names() -> Strategy[str]:
    """Return names of any script that a metric, an org, a plan or an event can have."""
    return basics.names


def periods() -> Strategy[Period]:
    """Return months, and other stretches of time from seconds to centuries."""
    return basics.periods


def cycles() -> Strategy[Cycle]:
    """Return cycles of any unit and anchor, in timezones whose clocks are hard to follow."""
    return _values(Cycle)


def currencies() -> Strategy[Currency]:
    """Return currencies of ISO 4217, and units of a host's own with up to twelve decimals."""
    return _values(Currency)


def money(currencies: Currencies | None = None) -> Strategy[Money]:
    """Return amounts of money of either sign, some of them very large."""
    return basics.money_recipes(_or(currencies, basics.currencies)).map(Recipe.one)


# Prices


def prices() -> Strategy[PriceModel]:
    """Return price models of every class of the library."""
    return our_price_recipes.map(Recipe.one)


def unit_prices() -> Strategy[PerUnit]:
    """Return prices per unit, or per so many units."""
    return _values(PerUnit)


def package_prices() -> Strategy[Package]:
    """Return prices of packages, started or completed."""
    return _values(Package)


def percentages() -> Strategy[Percentage]:
    """Return percentages of an amount."""
    return _values(Percentage)


def graduated_prices() -> Strategy[Graduated]:
    """Return graduated tables of one to four tiers."""
    return _values(Graduated)


def volume_prices() -> Strategy[Volume]:
    """Return volume tables of one to four tiers."""
    return _values(Volume)


def exchanged_prices() -> Strategy[Exchanged]:
    """Return prices in another unit than the currency, with the rate between the two."""
    return _values(Exchanged)


def tiers() -> Strategy[Tier]:
    """Return rows of price tables, by the unit or by the package."""
    return _values(Tier)


def tier_charges() -> Strategy[TierCharge]:
    """Return charges of one tier."""
    return _values(TierCharge)


def charges() -> Strategy[Charge]:
    """Return charges, as price models make them and put together by hand."""
    return _values(Charge)


def conversions() -> Strategy[Conversion]:
    """Return rules of how what is used becomes units, with and without increments."""
    return _values(Conversion)


def transaction_fees() -> Strategy[TransactionFee]:
    """Return fees on transactions, with and without allowances and bounds."""
    return _values(TransactionFee)


def transaction_charges() -> Strategy[TransactionCharge]:
    """Return what some transactions cost, the first of a period or later ones."""
    return _values(TransactionCharge)


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
        _or(prices, our_price_recipes),
        _or(currencies, basics.currencies),
        _or(metrics, basics.metrics),
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
        _or(currencies, basics.currencies),
        prices=_or(prices, our_price_recipes),
        of=_or(metrics, basics.metrics),
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
    any_one = draw(_values(Account))
    limits: Any = any_one.limits
    if plan is not None:
        limited = [metric for metric in plan.allowances if draw(st.booleans())]
        limits = {
            metric: draw(billing.limits_of(plan.allowances[metric])).first for metric in limited
        }
    return Account(
        draw(_or(org_ids, st.just(any_one.org_id))),
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
    period = draw(_or(periods, basics.periods))
    return Usage(draw(_or(org_ids, basics.orgs)), period, cook(used))


def usage_events() -> Strategy[UsageEvent]:
    """Return events with and without an id; a negative quantity takes one back."""
    return _values(UsageEvent)


def metrics() -> Strategy[Metric]:
    """Return metrics of every aggregation, with and without conditions and increments."""
    return _values(Metric)


def increments() -> Strategy[Increment]:
    """Return increments, with and without units that count at once."""
    return _values(Increment)


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
    return _values(LimitPart)


def overage_lines() -> Strategy[Overage]:
    """Return lines of statements, of any numbers."""
    return _values(Overage)


# Records


def records(
    *, previous: ChainHead = START, currencies: Currencies | None = None
) -> Strategy[OverageRecord]:
    """Return single records that could be the next one of a chain: charges, and corrections.

    The digest is the one that the record has there, and a unit price times the quantity is the
    exact cost. What no single record shows (that it corrects what was there) is in `histories`.

    :param previous: the end of the chain; the record is the first one without it.
    :param currencies: what they charge in.
    """
    return made.single_records(previous, _or(currencies, basics.currencies))


def histories(
    *, org_ids: Strategy[str] | None = None, currencies: Currencies | None = None
) -> Strategy[tuple[OverageRecord, ...]]:
    """Return all records of an org, in order, of up to three months and several results of each.

    They are what a repository would have: a chain, whose records of a period and metric sum to the
    last result. There may be none.

    :param org_ids: the orgs to choose from.
    :param currencies: what they charge in.
    """
    found = made.recorded(_or(org_ids, basics.orgs), _or(currencies, basics.currencies))
    return found.map(lambda kept: tuple(kept[0].records))


def recordings() -> Strategy[Recording]:
    """Return what recording the last of an org's statements came to."""
    return made.recorded(basics.orgs, basics.currencies).map(lambda kept: kept[1])


def chain_heads() -> Strategy[ChainHead]:
    """Return ends of chains, of any length and digest."""
    return _values(ChainHead)


def metric_totals(currencies: Currencies | None = None) -> Strategy[MetricTotal]:
    """Return totals of metrics, of either sign."""
    return recipes.metric_total_recipes(_or(currencies, basics.currencies)).map(Recipe.one)


def summaries(currencies: Currencies | None = None) -> Strategy[Summary]:
    """Return totals by metric, each summary in one currency."""
    return recipes.summary_recipes(_or(currencies, basics.currencies)).map(Recipe.one)
