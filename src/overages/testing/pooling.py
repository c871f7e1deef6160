"""Recipes and strategies of allowances that several orgs share.

pool_share_recipes, pooled_recipes()
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from overages.settlements.pool_share import PoolShare
from overages.settlements.pooled_statement import PooledStatement, pool
from overages.terms.plan import Plan
from overages.testing.basics import metrics, money_recipes, orgs, period_recipes
from overages.testing.billing import plan_recipes, reordered
from overages.testing.numerals import modest_numbers, non_negative_numbers, small_wholes
from overages.testing.recipe import Recipe, Spelled
from overages.usage.usage import Usage

pool_share_recipes: st.SearchStrategy[Recipe[PoolShare]] = st.builds(
    lambda *args: Recipe(PoolShare, args), orgs, metrics, non_negative_numbers, money_recipes()
)


@st.composite
def pooled_recipes(
    draw: st.DrawFn, plans: st.SearchStrategy[Recipe[Plan]] | None = None
) -> Recipe[PooledStatement]:
    """Return what one to five orgs used together, and a limit of their own for some metrics."""
    plan = draw(plan_recipes(converting=False) if plans is None else plans)
    known = list(plan.one().allowances)
    period = draw(period_recipes())
    usages = [
        Recipe(Usage, (org_id, period, reordered(draw(_quantities(known)))))
        for org_id in draw(st.lists(orgs, min_size=1, max_size=5, unique=True))
    ]
    limits = {metric: draw(small_wholes) for metric in known if draw(st.booleans())}
    named = {
        "limits": reordered(limits),
        "by": draw(st.sampled_from(["used", "beyond_equal_part"])),
    }
    return Recipe(pool, (plan, Spelled(usages, tuple(usages)), draw(orgs)), named)


@st.composite
def _quantities(draw: st.DrawFn, known: list[str]) -> dict[str, Any]:
    used = [metric for metric in known if draw(st.integers(0, 3))]
    return {metric: draw(modest_numbers) for metric in used}


def pool_shares() -> st.SearchStrategy[PoolShare]:
    """Return what members owe of lines, of any numbers."""
    return pool_share_recipes.map(Recipe.one)


def pooled_statements() -> st.SearchStrategy[PooledStatement]:
    """Return what `pool` makes of plans and of what one to five orgs used of their metrics."""
    return pooled_recipes().map(Recipe.one)
