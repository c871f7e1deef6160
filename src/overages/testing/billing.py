"""Recipes of plans, and of what is done with them: usage, accounts, statements.

case = draw(cases(plan_recipes(st.just("USD"))))
case.statement.one()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from overages.account import Account
from overages.allowance import Allowance
from overages.calculation import calculate
from overages.cycle import Cycle
from overages.limitpart import LimitPart
from overages.overage import Overage
from overages.plan import Plan
from overages.statement import Statement
from overages.testing.basics import (
    currencies,
    cycle_recipes,
    instants,
    metrics,
    money_recipes,
    names,
    orgs,
    period_recipes,
    roundings,
)
from overages.testing.numerals import (
    non_negative_numbers,
    signed_numbers,
    small_wholes,
)
from overages.testing.pricing import our_price_recipes, quantities_at
from overages.testing.recipe import Recipe, Spelled
from overages.usage import Usage

Prices = st.SearchStrategy[Any]
"""Price models, or recipes of them."""


_included = st.one_of(non_negative_numbers, small_wholes, st.none())
_limits = st.none() | non_negative_numbers | small_wholes


@st.composite
def allowance_recipes(draw: st.DrawFn, prices: Prices = our_price_recipes) -> Recipe[Allowance]:
    """Return allowances, some of them unlimited."""
    return Recipe(Allowance, (draw(_included), draw(prices)))


@st.composite
def plan_recipes(
    draw: st.DrawFn,
    unit: st.SearchStrategy[Any] = currencies,
    scopes: Sequence[str] = ("line", "total"),
    prices: Prices = our_price_recipes,
    of: st.SearchStrategy[str] = metrics,
) -> Recipe[Plan]:
    """Return plans of none to four metrics, in any currency and by any rounding."""
    found = draw(st.lists(of, max_size=4, unique=True))
    currency = draw(unit)
    named = {
        "rounding": draw(roundings),
        "rounding_scope": draw(st.sampled_from(scopes)),
        "base_fee": draw(st.none() | money_recipes(st.just(currency))),
    }
    priced = allowance_recipes(prices)
    allowances = {metric: draw(priced) for metric in found}
    return Recipe(Plan, (draw(names), currency, allowances), named)


@st.composite
def quantities_of(draw: st.DrawFn, plan: Plan) -> dict[str, Spelled]:
    """Return quantities of most of a plan's metrics, as often as not where a price turns."""
    used = [metric for metric in plan.allowances if draw(st.integers(0, 3))]
    return {
        metric: draw(quantities_at(plan.allowances[metric].price, plan.allowances[metric].included))
        for metric in used
    }


def reordered(mapping: dict[str, Any]) -> Spelled:
    """Return a mapping in its order and in the opposite one."""
    return Spelled(mapping, dict(reversed(mapping.items())))


@dataclass(frozen=True)
class Case:
    """Something to calculate."""

    plan: Recipe[Plan]
    usage: Recipe[Usage]
    limits: dict[str, Any]  # by metric, each spelled; or None

    @property
    def statement(self) -> Recipe[Statement]:
        """The recipe of the statement."""
        return Recipe(calculate, (self.plan, self.usage), {"limits": reordered(self.limits)})


@st.composite
def cases(
    draw: st.DrawFn,
    plans: st.SearchStrategy[Recipe[Plan]] | None = None,
    org_ids: st.SearchStrategy[str] | None = None,
    periods: st.SearchStrategy[Any] | None = None,
) -> Case:
    """Return a plan, usage of some of its metrics, and limits of an org's own for some."""
    recipe = draw(plan_recipes() if plans is None else plans)
    plan = recipe.one()
    quantities = draw(quantities_of(plan))
    limited = [metric for metric in plan.allowances if not draw(st.integers(0, 2))]
    limits = {metric: draw(_limits) for metric in limited}
    period = draw(period_recipes() if periods is None else periods)
    org_id = draw(orgs if org_ids is None else org_ids)
    return Case(recipe, Recipe(Usage, (org_id, period, reordered(quantities))), limits)


statement_recipes = cases().map(lambda case: case.statement)

quantity_maps = st.dictionaries(metrics, non_negative_numbers, max_size=4)
usage_recipes = st.builds(
    lambda org, period, quantities: Recipe(Usage, (org, period, reordered(quantities))),
    orgs,
    period_recipes(),
    quantity_maps,
)
account_recipes = st.builds(
    lambda org, plan, limits, status, cycle, since: Recipe(
        Account,
        (org, plan, reordered(limits)),
        {"status": status, "cycle": cycle, "since": since},
    ),
    orgs,
    names,
    quantity_maps,
    st.sampled_from(["trial", "active", "past_due", "canceled"]),
    st.one_of(st.sampled_from([None, Spelled(None, Recipe(Cycle.monthly))]), cycle_recipes),
    st.none() | instants,
)


limit_part_recipes = st.builds(
    lambda *args: Recipe(LimitPart, args),
    st.sampled_from(["included", "own", "free", "carried", "granted", "borrowed", "used", "owed"]),
    signed_numbers,
    st.none() | names,
)


@st.composite
def overage_recipes(draw: st.DrawFn, prices: Prices = our_price_recipes) -> Recipe[Overage]:
    """Return lines of any numbers, which no plan has to have led to."""
    limit = draw(st.none() | non_negative_numbers)
    numbers = draw(metrics), draw(non_negative_numbers), limit, draw(prices), draw(money_recipes())
    if limit is None or draw(st.booleans()):
        return Recipe(Overage, numbers)
    part = Recipe(LimitPart, ("included", limit))
    return Recipe(
        Overage,
        numbers,
        {"before": draw(non_negative_numbers), "limit_parts": Spelled([part], (part,))},
    )
