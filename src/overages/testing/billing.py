"""Recipes of plans, and of what is done with them: usage, accounts, statements.

case = draw(cases(plan_recipes(st.just("USD"))))
case.statement.one()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from overages.amounts.exact import (
    Exact,
    excess,
    number_from_ratio,
    optional_non_negative,
    parse_non_negative,
)
from overages.amounts.money import Money
from overages.errors import InvalidValue
from overages.periods.cycle import Cycle
from overages.prices.exact_cost import added_cost
from overages.prices.models import PriceModel
from overages.statements.calculation import calculate
from overages.statements.limit_part import LimitPart
from overages.statements.overage import Overage
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
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
    modest_numbers,
    non_negative_numbers,
    signed_numbers,
    small_wholes,
)
from overages.testing.pricing import our_price_recipes, quantities_at
from overages.testing.recipe import Recipe, Spelled, cook
from overages.testing.terms import Terms, allowance_terms, bounding_terms
from overages.usage.usage import Usage

Prices = st.SearchStrategy[Any]
"""Price models, or recipes of them."""


_limits = st.none() | non_negative_numbers | small_wholes


@st.composite
def allowance_recipes(
    draw: st.DrawFn,
    prices: Prices = our_price_recipes,
    unit: st.SearchStrategy[Any] = currencies,
    others: st.SearchStrategy[Any] = metrics,
    *,
    plain: bool = False,
    converting: bool = True,
) -> Recipe[Allowance]:
    """Return allowances, some of them unlimited, and some with every term there is.

    :param unit: the currency of their amounts.
    :param others: the metrics whose units may bring the included quantity.
    :param plain: whether they are to have no terms but what is included and a price.
    :param converting: whether what is used may be converted.
    """
    unlimited = not draw(st.integers(0, 3))
    terms: Terms = {}
    if not plain and draw(st.booleans()):
        more = allowance_terms(draw(unit), others, converting=converting, unlimited=unlimited)
        terms = draw(more)
    if unlimited:
        included: Any = None
    elif "included_per" in terms:
        included = draw(small_wholes)
    else:
        included = draw(_limits_beside(_free(terms)))
    return Recipe(Allowance, (included, draw(prices)), terms)


@st.composite
def plan_recipes(
    draw: st.DrawFn,
    unit: st.SearchStrategy[Any] = currencies,
    scopes: Sequence[str] = ("line", "total"),
    prices: Prices = our_price_recipes,
    of: st.SearchStrategy[str] = metrics,
    *,
    plain: bool = False,
    converting: bool = True,
) -> Recipe[Plan]:
    """Return plans of none to four metrics, in any currency and by any rounding.

    :param plain: whether they are to have no terms but what is included, and prices.
    :param converting: whether what is used may be converted.
    """
    found = draw(st.lists(of, max_size=4, unique=True))
    currency = draw(unit)
    named = {
        "rounding": draw(roundings),
        "rounding_scope": draw(st.sampled_from(scopes)),
        "base_fee": draw(st.none() | money_recipes(st.just(currency))),
    }
    if not plain and not draw(st.integers(0, 2)):
        named |= draw(bounding_terms(currency, of_plan=True))
    allowances = {}
    for metric in found:
        rest = [other for other in found if other != metric]
        others = st.sampled_from(rest) if rest else st.none()
        each = allowance_recipes(
            prices, st.just(currency), others, plain=plain, converting=converting
        )
        allowances[metric] = draw(each)
    return Recipe(Plan, (draw(names), currency, allowances), named)


def _free(terms: Terms) -> bool:
    """Say whether some units are free by a discount."""
    return "discounts" in terms and any(
        "quantity" in discount.named for discount in terms["discounts"].first
    )


def _limits_beside(free: object) -> st.SearchStrategy[Spelled]:
    """Return limits; with free units beside them, their sum is still a quantity."""
    return small_wholes | (modest_numbers if free else non_negative_numbers)


def limits_of(allowance: Allowance) -> st.SearchStrategy[Spelled]:
    """Return limits that an org may have of its own in place of what an allowance includes."""
    return _limits_beside([each for each in allowance.discounts if each.quantity is not None])


@st.composite
def quantities_of(draw: st.DrawFn, plan: Plan) -> dict[str, Spelled]:
    """Return quantities of most of a plan's metrics, as often as not where a price turns."""
    used = [metric for metric in plan.allowances if draw(st.integers(0, 3))]
    counted = {allowance.included_per for allowance in plan.allowances.values()}
    found = {}
    for metric in used:
        allowance = plan.allowances[metric]
        quantity = draw(
            small_wholes
            if metric in counted
            else quantities_at(allowance.price, allowance.included)
        )
        found[metric] = quantity if _has_units(allowance, quantity) else Spelled(0, "0")
    return found


def _has_units(allowance: Allowance, quantity: Spelled) -> bool:
    try:
        allowance.converted(cook(quantity))
    except InvalidValue:
        return False
    return True


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
    limits = {metric: draw(st.none() | limits_of(plan.allowances[metric])) for metric in limited}
    period = draw(period_recipes() if periods is None else periods)
    org_id = draw(orgs if org_ids is None else org_ids)
    return Case(recipe, Recipe(Usage, (org_id, period, reordered(quantities))), limits)


statement_recipes: st.SearchStrategy[Recipe[Statement]] = cases().map(lambda case: case.statement)

quantity_maps: st.SearchStrategy[dict[str, Spelled]] = st.dictionaries(
    metrics, non_negative_numbers, max_size=4
)
usage_recipes: st.SearchStrategy[Recipe[Usage]] = st.builds(
    lambda org, period, quantities: Recipe(Usage, (org, period, reordered(quantities))),
    orgs,
    period_recipes(),
    quantity_maps,
)
account_recipes: st.SearchStrategy[Recipe[Account]] = st.builds(
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


limit_part_recipes: st.SearchStrategy[Recipe[LimitPart]] = st.builds(
    lambda *args: Recipe(LimitPart, args),
    st.sampled_from(["included", "own", "free", "carried", "granted", "borrowed", "used", "owed"]),
    signed_numbers,
    st.none() | names,
)


@st.composite
def overage_recipes(draw: st.DrawFn, prices: Prices = our_price_recipes) -> Recipe[Overage]:
    """Return lines of any numbers that a plan could lead to."""
    goes_on = draw(st.booleans())
    numbers = modest_numbers if goes_on else non_negative_numbers
    limit, used = draw(numbers if goes_on else st.none() | numbers), draw(numbers)
    price, currency = draw(prices), draw(currencies)
    named: dict[str, Any] = {}
    if goes_on:
        part = Recipe(LimitPart, ("included", limit))
        named = {"before": draw(numbers), "limit_parts": Spelled([part], (part,))}
    quantities = [cook(number) for number in (used, limit, named.get("before"))]
    cost = Recipe(Money.of, (_cost(cook(price), *quantities), currency, draw(roundings)))
    return Recipe(Overage, (draw(metrics), used, limit, price, cost), named)


def _cost(price: PriceModel, used: Any, limit: Any, before: Any) -> Exact:
    """Return what is beyond a limit costs, exactly, after units that were charged before."""
    over = excess(parse_non_negative(used, "used"), optional_non_negative(limit, "limit"))
    earlier = optional_non_negative(before, "before")
    return number_from_ratio(*added_cost(price, earlier, over))
