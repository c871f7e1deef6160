"""Strategies of this project's own tests: its users' ones, and a price model of a host's.

What ends in ``_recipes`` draws a `Recipe`, whose parts are spelled in two ways each; the others
draw values, or numbers that are `Spelled`. Decimal contexts are in `contexts`.

    @given(plan_recipes())
    def test_...(recipe: Recipe[Plan]) -> None: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import strategies as st

from overages import (
    Allowance,
    Currency,
    Graduated,
    Money,
    Package,
    Percentage,
    PerUnit,
    Plan,
    PriceModel,
    Rounding,
    Statement,
    Tier,
    TierCharge,
    Usage,
    UsageEvent,
    Volume,
    calculate,
)
from overages._ground.value import evolve
from overages.prices.tier import Charge
from overages.testing import billing, fields, prices, quantities, records
from overages.testing.fields import made
from overages.testing.plans import allowances, plans
from overages.testing.registration import kinds
from overages.testing.strategies import values
from overages.testing.values import summaries

from .recipes import (
    ANY_WAYS,
    Recipe,
    Spelled,
    recipes,
    respelled,
    respelled_number,
    spelled,
    ways_from,
)

Strategy = st.SearchStrategy

# Numbers, names and times

non_negative_numbers = spelled(quantities.quantities)
positive_numbers = spelled(quantities.positive)
signed_numbers = spelled(quantities.signed)
modest_numbers = spelled(quantities.modest)
small_wholes = spelled(quantities.small)
price_numbers = spelled(quantities.amounts)
fractions = st.builds(
    Fraction, st.integers(-50, 50) | st.integers(-(10**30), 10**30), st.integers(1, 60)
)
roundings = st.sampled_from(Rounding).map(lambda rounding: Spelled(rounding, rounding.value))
moments = st.builds(
    lambda moment, minutes: moment.astimezone(timezone(timedelta(minutes=minutes))),
    fields.instants.filter(lambda moment: 1 < moment.year < 9999),
    st.integers(-23 * 60, 23 * 60),
)
iso_currencies = st.sampled_from(["USD", "JPY", "EUR", "KWD", "CLF", "DEM"]).map(Currency)
own_currencies = st.builds(Currency, st.sampled_from(["~credits", "~points"]), st.integers(0, 12))
quantity_maps = st.dictionaries(fields.metrics, non_negative_numbers, max_size=4)

# Prices


@dataclass(frozen=True)
class Pairs:
    """A price model of a host's own, without anything of ours but what it returns."""

    price: int | Decimal
    size: int = 2
    count: str = "started"

    def charge(self, quantity: Any, /) -> Charge:
        """Charge every started pair of units."""
        return Charge([TierCharge(Tier(None, self.price, size=2), quantity)] if quantity else [])


any_price: Strategy[Any] = prices.ANY_PRICE | st.builds(Pairs, quantities.amounts)


def _recipe(model: Any, pair: tuple[int, int]) -> Recipe[Any]:
    ours = not isinstance(model, Pairs)
    return respelled(model, ways_from(pair)) if ours else Recipe(Pairs, (model.price,))


def _priced(models: Strategy[Any]) -> Strategy[Recipe[Any]]:
    return st.builds(_recipe, models, ANY_WAYS)


price_recipes = _priced(any_price)
our_price_recipes = _priced(prices.ANY_PRICE)
_whole_sizes = st.integers(1, 9)


def _whole(tier: Tier, size: int) -> Tier:
    return tier if tier.size is None else evolve(tier, size=size)


_whole_tables = st.builds(
    lambda table, sizes: [_whole(*pair) for pair in zip(table, sizes, strict=False)],
    prices.tables(bounds=st.integers(1, 30)),
    st.lists(_whole_sizes, min_size=4, max_size=4),
)
whole_price_recipes = _priced(
    st.one_of(
        values(PerUnit),
        values(Percentage),
        made(Package, size=_whole_sizes),
        made(Graduated, tiers=_whole_tables),
        made(Volume, tiers=_whole_tables),
    )
)
"""Prices whose bounds and packages are whole, so that units can be counted one by one."""


def quantities_at(model: PriceModel) -> Strategy[Spelled]:
    """Return quantities, as often as not at or beside a point where the cost turns."""
    return spelled(prices.quantities_at(model))


@st.composite
def priced_quantities(draw: st.DrawFn) -> tuple[Recipe[Any], Spelled]:
    """Return a price model, and a quantity for it to price."""
    recipe = draw(our_price_recipes)
    return recipe, draw(quantities_at(recipe.one()))


# Plans, and what is done with them


def plan_recipes(
    currencies: Strategy[Any] = fields.currencies,
    scopes: Sequence[str] = ("line", "total"),
    *,
    plain: bool = False,
) -> Strategy[Recipe[Plan]]:
    """Return plans of none to four metrics, in any currency and by any rounding.

    :param plain: whether they are to have no rules but what is included, and prices.
    """
    offered = plans(currencies=currencies, prices=any_price, plain=plain)
    scoped = st.builds(
        lambda plan, scope: evolve(plan, rounding_scope=scope), offered, st.sampled_from(scopes)
    )
    return recipes(scoped)


@dataclass(frozen=True)
class Case:
    """Something to calculate."""

    plan: Recipe[Plan]
    usage: Recipe[Usage]
    limits: dict[str, Any]  # by metric, each spelled

    @property
    def statement(self) -> Recipe[Statement]:
        """The recipe of the statement."""
        backwards = dict(reversed(self.limits.items()))
        return Recipe(
            calculate, (self.plan, self.usage), {"limits": Spelled(self.limits, backwards)}
        )


_any_plan = plan_recipes()


@st.composite
def cases(draw: st.DrawFn, plans: Strategy[Recipe[Plan]] = _any_plan) -> Case:
    """Return plans, usage of some of their metrics, and limits of an org's own for some."""
    recipe = draw(plans)
    plan = recipe.one()
    own, ways = draw(billing.accounts(plan=plan)).limits, ways_from(draw(ANY_WAYS))
    limits = {
        metric: None if limit is None else respelled_number(limit, next(ways))
        for metric, limit in own.items()
    }
    return Case(recipe, draw(recipes(billing.usages(plan=plan))), limits)


statement_recipes = cases().map(lambda case: case.statement)


def record_recipes(currencies: Strategy[Any] = fields.currencies) -> Strategy[Recipe[Any]]:
    """Return records of any numbers, of some orgs, periods and metrics."""
    return recipes(records.records(currencies))


def summary_recipes(currencies: Strategy[Any] = fields.currencies) -> Strategy[Recipe[Any]]:
    """Return totals by metric, and adjustments, of one currency."""
    return recipes(summaries(currencies))


def money_recipes(currencies: Strategy[Any] = fields.currencies) -> Strategy[Recipe[Money]]:
    """Return amounts of money of any sign."""
    return recipes(st.builds(Money, fields.minor_units, currencies))


VALUE_RECIPES: Final[dict[type, Strategy[Recipe[Any]]]] = {
    **{kind: recipes(values(kind)) for kind in kinds() if kind is not PriceModel},
    Allowance: recipes(allowances(any_price)),
    Plan: plan_recipes(),
    Statement: statement_recipes,
}
"""How each public value is made; all laws of values hold a new one without more ado."""


def each_value(*without: type) -> pytest.MarkDecorator:
    """Run a test for each kind of value, except some of them."""
    those = [pytest.param(kind, id=kind.__name__) for kind in VALUE_RECIPES if kind not in without]
    return pytest.mark.parametrize("kind", those)


# Events


@st.composite
def event_lists(
    draw: st.DrawFn,
    org_ids: Sequence[str] = ("org-1", "org-2"),
    ids: Sequence[str | None] = (None, None, "evt-1", "evt-2", "evt-3"),
    quantities: Strategy[Spelled] = signed_numbers,
) -> list[UsageEvent]:
    """Return events in any order, without conflicts; what has an id may come more than once."""
    content = st.tuples(st.sampled_from(["tokens", "runs"]), quantities, _near_a_month_end)
    events: list[UsageEvent] = []
    for org_id in org_ids:
        noted = {event_id: draw(content) for event_id in ids if event_id is not None}
        for event_id in draw(st.lists(st.sampled_from(ids), max_size=6)):
            said = draw(content) if event_id is None else noted[event_id]
            event = Recipe(UsageEvent, (org_id, *said, event_id))
            events.append(event.other() if draw(st.booleans()) else event.one())
    return list(draw(st.permutations(events)))


_month_ends = [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3)]
_near_a_month_end = st.builds(
    lambda end, seconds, micro, minutes: Spelled(
        end + timedelta(seconds=seconds, microseconds=micro),
        (end + timedelta(seconds=seconds, microseconds=micro)).astimezone(
            timezone(timedelta(minutes=minutes))
        ),
    ),
    st.sampled_from(_month_ends),
    st.sampled_from([-86_400, -1, 0, 0, 1, 86_400]),
    st.sampled_from([-1, 0, 0, 1]),
    st.integers(-23 * 60, 23 * 60),
)
