"""Pooling: the shares of members always sum to what they owe together."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import Adjustment, Money, Overage, Usage, calculate, pool
from overages.settlements.pooled_statement import PooledStatement, PoolShare
from overages.testing.billing import pooled_statements
from overages.testing.plans import plans

from .contexts import ambient, decimal_contexts
from .effort import many
from .recipes import Recipe, recipes
from .strategies import any_price

any_pool = pooled_statements(plans=plans(prices=any_price))  # by models of a host's own, too


def shares_of(pooled: PooledStatement, line: Overage | Adjustment) -> list[PoolShare]:
    """Return each member's share of a line."""
    name = "overage" if isinstance(line, Overage) else line.line
    return [s for s in pooled.shares if (s.metric, s.line) == (line.metric, name)]


@many
@given(any_pool)
def test_shares_sum_to_the_line_and_to_the_total(pooled: PooledStatement) -> None:
    for line in pooled.statement.lines:
        shares = shares_of(pooled, line)
        assert [share.org_id for share in shares] == [usage.org_id for usage in pooled.usages]
        assert sum(share.cost.minor for share in shares) == line.cost.minor
        used = line.used if isinstance(line, Overage) else 0
        assert sum(Fraction(share.used) for share in shares) == Fraction(used)
    totals = [pooled.total_of(usage.org_id) for usage in pooled.usages]
    zero = Money(0, pooled.statement.currency)
    assert sum(totals, zero) == pooled.statement.total


@many
@given(pooled_statements())
def test_a_share_is_within_a_minor_unit_of_what_is_exact(pooled: PooledStatement) -> None:
    for line in pooled.statement.overages:
        shares = shares_of(pooled, line)
        part = Fraction(line.limit or 0) / len(shares)
        weights = [Fraction(share.used) for share in shares]
        if pooled.by == "beyond_equal_part":
            beyond = [max(Fraction(0), weight - part) for weight in weights]
            weights = beyond if line.limit is not None and any(beyond) else weights
        weights = weights if any(weights) else [Fraction(1)] * len(shares)
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share.cost.minor - line.cost.minor * weight / sum(weights)) < 1


@given(pooled_statements())
def test_a_pool_of_one_owes_what_it_would_owe_alone(pooled: PooledStatement) -> None:
    alone: Usage = pooled.usages[0]
    plan = pooled.statement.plan
    found = pool(plan, [alone], alone.org_id, by=pooled.by)
    assert found.statement == calculate(plan, alone)
    costs = [line.cost for line in found.statement.lines]
    assert [share.cost for share in found.shares] == costs


@given(pooled_statements(), st.randoms(use_true_random=False))
def test_the_order_of_members_changes_no_share_by_more_than_a_minor_unit(
    pooled: PooledStatement, random: Any
) -> None:
    members = list(pooled.usages)
    random.shuffle(members)
    again = PooledStatement(pooled.statement, members, pooled.by)
    for usage in members:
        pairs = zip(pooled.shares_of(usage.org_id), again.shares_of(usage.org_id), strict=True)
        of_metrics = [(one.cost, other.cost) for one, other in pairs if one.metric is not None]
        assert all(abs(one.minor - other.minor) <= 1 for one, other in of_metrics)


@given(recipes(any_pool), decimal_contexts())
def test_pooling_is_exact_under_any_context(recipe: Recipe[PooledStatement], context: Any) -> None:
    expected = recipe.one()
    with ambient(context):
        found = recipe.other()
        text = found.explain()
    assert found == expected
    assert found.shares == expected.shares
    assert text == expected.explain()
