"""Pooling: who owes what of an allowance that is shared, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from overages import (
    Allowance,
    Conversion,
    Discount,
    Graduated,
    Money,
    Period,
    PerUnit,
    Plan,
    Tier,
    Usage,
    calculate,
    pool,
)
from overages.errors import InvalidValues, OveragesError, UnknownMetric
from overages.settlements.pooled_statement import PooledStatement, PoolShare

FEBRUARY, MARCH = Period.month(2024, 2), Period.month(2024, 3)
PLAN = Plan(
    "group",
    "USD",
    {"tokens": Allowance(1_000, PerUnit("0.01")), "seats": Allowance(None, PerUnit(5))},
)


def used(org_id: str, period: Period = FEBRUARY, **quantities: Any) -> Usage:
    """Return what an org used."""
    return Usage(org_id, period, quantities)


SALES_RUNS = used("sales", tokens=900, runs=2)
SALES, LAB, SHOP = used("sales", tokens=900, seats=2), used("lab", tokens=600), used("shop")


def costs(pooled: PooledStatement, metric: str = "tokens") -> list[int]:
    """Return the members' shares of a line, in minor units."""
    return [share.cost.minor for share in pooled.shares if share.metric == metric]


def test_the_usage_of_all_is_calculated_together_for_the_org_that_pays() -> None:
    pooled = pool(PLAN, [SALES, LAB, SHOP], "group")
    together = used("group", tokens=1_500, seats=2)
    assert pooled.statement == calculate(PLAN, together)
    assert pooled.usages == (SALES, LAB, SHOP)


def test_the_cost_is_split_by_what_each_member_used() -> None:
    pooled = pool(PLAN, [SALES, LAB, SHOP], "group")
    assert costs(pooled) == [300, 200, 0]
    assert pooled.shares_of("lab") == (
        PoolShare("lab", "tokens", 600, Money(200, "USD")),
        PoolShare("lab", "seats", 0, Money(0, "USD")),
    )
    assert pooled.total_of("sales") == Money(300, "USD")


def test_or_by_what_each_used_beyond_an_equal_part_of_the_limit() -> None:
    pooled = pool(PLAN, [SALES, LAB, SHOP], "group", by="beyond_equal_part")
    # 1,000 / 3 each: sales is 566 2/3 beyond it, the lab 266 2/3.
    assert costs(pooled) == [340, 160, 0]


def test_an_own_limit_of_the_pool_stands_in_place_of_the_plans() -> None:
    pooled = pool(PLAN, [SALES, LAB], "group", limits={"tokens": 1_400}, by="beyond_equal_part")
    assert costs(pooled) == [100, 0]


def test_what_is_left_over_goes_to_the_largest_remainders_and_then_to_the_earlier() -> None:
    plan = Plan("group", "USD", {"tokens": Allowance(0, PerUnit("0.01", per=3))})
    members = [used(org_id, tokens=1_000) for org_id in ("a", "b", "c")]
    pooled = pool(plan, members, "group")
    assert pooled.statement.total == Money(1_000, "USD")
    assert costs(pooled) == [334, 333, 333]
    assert costs(pool(plan, members[::-1], "group")) == [334, 333, 333]


def test_where_nobody_used_anything_a_fee_is_split_equally() -> None:
    price = Graduated([Tier(None, 0, flat=1)], flat_at_zero=True)
    plan = Plan("group", "USD", {"tokens": Allowance(10, price)})
    assert costs(pool(plan, [used("a"), used("b"), used("c")], "group")) == [34, 33, 33]


def test_where_nobody_is_beyond_an_equal_part_a_fee_is_split_by_what_was_used() -> None:
    price = Graduated([Tier(None, 0, flat=1)], flat_at_zero=True)
    plan = Plan("group", "USD", {"tokens": Allowance(100, price)})
    members = [used("a", tokens=10), used("b", tokens=30)]
    assert costs(pool(plan, members, "group", by="beyond_equal_part")) == [25, 75]
    unlimited = Plan("group", "USD", {"tokens": Allowance(None, price)})
    assert costs(pool(unlimited, members, "group", by="beyond_equal_part")) == [25, 75]


def test_explaining_shows_the_statement_and_then_the_shares() -> None:
    pooled = pool(PLAN, [SALES, LAB], "group")
    text = pooled.explain()
    assert text.startswith(pooled.statement.explain())
    assert text[len(pooled.statement.explain()) :].splitlines() == [
        "",
        "",
        "Each line's cost is split by what each used, losing nothing:",
        "",
        "member  metric  used     share",
        "sales   tokens   900  3.00 USD",
        "sales   seats      2  0.00 USD",
        "sales   total         3.00 USD",
        "lab     tokens   600  2.00 USD",
        "lab     seats      0  0.00 USD",
        "lab     total         2.00 USD",
        "total                 5.00 USD",
    ]
    by_part = pool(PLAN, [SALES, LAB], "group", by="beyond_equal_part")
    assert "split by what each used beyond an equal part of the limit, losing" in by_part.explain()


@pytest.mark.parametrize(("by", "costs"), [("used", [318, 182]), ("beyond_equal_part", [400, 100])])
def test_the_example_of_the_module_comes_to_what_it_says(by: Any, costs: list[int]) -> None:
    plan = Plan("group", "USD", {"tokens": Allowance(600, PerUnit("0.01"))})
    pooled = pool(plan, [used("a", tokens=700), used("b", tokens=400)], "group", by=by)
    assert [share.cost.minor for share in pooled.shares] == costs


def test_a_repr_says_how_many_share() -> None:
    statement = "<Statement of 'group', 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z, plan 'group'"
    expected = f"<PooledStatement of 2 members: {statement}: 5.00 USD>>"
    assert repr(pool(PLAN, [SALES, LAB], "group")) == expected


def test_a_plan_without_metrics_has_nothing_to_share() -> None:
    pooled = pool(Plan("free", "USD", {}), [used("a")], "group")
    assert (pooled.shares, pooled.total_of("a")) == ((), Money(0, "USD"))
    assert pooled.explain().endswith("total                 0.00 USD")


STATEMENT = calculate(PLAN, used("group", tokens=1_500))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pool(PLAN, [], "g"), "usages: must have a member at least, got ()"),
        (lambda: pool(PLAN, ["a"], "g"), "usages[0]: must be of type Usage, got 'a'"),  # type: ignore[list-item]
        (lambda: pool("p", [LAB], "g"), "plan: must be of type Plan, got 'p'"),  # type: ignore[arg-type]
        (lambda: pool(PLAN, [LAB, LAB], "g"), "usages[1].org_id: must be given once, got 'lab'"),
        (
            lambda: pool(PLAN, [LAB, used("shop", MARCH)], "g"),
            "usages[1].period: must be that of the first one, 2024-02-01T00:00:00Z/2024-03-01T00",
        ),
        (lambda: pool(PLAN, [LAB], ""), "org_id: must not be empty"),
        (lambda: pool(PLAN, [LAB], "g", by="size"), "by: must be one of used, beyond_equal_part"),  # type: ignore[arg-type]
        (
            lambda: PooledStatement(STATEMENT, [used("a", tokens=900)]),
            "usages.tokens: must sum to the statement's, 1500, got 900",
        ),
        (
            lambda: PooledStatement(STATEMENT, [used("a", seats=0)]),
            "usages.tokens: must sum to the statement's, 1500, got 0",
        ),
        (
            lambda: PooledStatement(STATEMENT, [used("a", tokens=1_500, runs=1)]),
            "usages.runs: 'runs' is not in plan 'group', whose metrics are: tokens, seats",
        ),
        (
            lambda: PooledStatement(STATEMENT, [used("a", MARCH, tokens=1_500)]),
            "usages[0].period: must be that of the statement, 2024-02-01T00:00:00Z/2024-03-01T",
        ),
        (
            lambda: pool(PLAN, [LAB, SHOP], "g").total_of("mill"),
            "org_id: must be a member of the pool: lab, shop, got 'mill'",
        ),
        (
            lambda: pool(PLAN, [LAB, SHOP], "g").total_of("shops"),
            "org_id: must be a member of the pool: lab, shop (did you mean 'shop'?), got 'shops'",
        ),
    ],
)
def test_what_is_not_lawful_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        call()
    assert str(caught.value).startswith(message)


def test_all_faults_of_a_pool_are_reported_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        pool(PLAN, [LAB, used("lab", MARCH)], "", by="size")  # type: ignore[arg-type]
    fields = [error.field for error in caught.value.errors]
    assert fields == ["usages[1].period", "usages[1].org_id", "org_id", "by"]
    with pytest.raises(InvalidValues) as caught:
        PooledStatement(STATEMENT, [used("a", MARCH, tokens=1, runs=1)])
    fields = [error.field for error in caught.value.errors]
    assert fields == ["usages[0].period", "usages.tokens", "usages.runs"]


def test_a_metric_that_the_plan_does_not_know_is_an_error() -> None:
    with pytest.raises(UnknownMetric, match=r"usage.quantities.runs"):
        pool(PLAN, [used("a", runs=1)], "group")


def test_a_minimum_of_a_plan_without_allowances_is_owed_in_equal_parts() -> None:
    plan = Plan("p", "USD", {}, minimum=Money(5, "USD"))
    month = Period.month(2024, 2)
    pooled = pool(plan, [Usage("a", month, {}), Usage("b", month, {})], "group")
    assert [share.cost.minor for share in pooled.shares] == [3, 2]


# What is more than an overage


ADJUSTED = Plan(
    "group",
    "USD",
    {
        "tokens": Allowance(1_000, PerUnit("0.01"), discounts=[Discount("half", percent=50)]),
        "runs": Allowance(0, PerUnit(1)),
    },
    minimum=Money(1_000, "USD"),
)


def test_an_adjustment_of_a_metric_is_split_as_its_overage_is() -> None:
    pooled = pool(ADJUSTED, [SALES_RUNS, LAB, SHOP], "group")
    halves = [s.cost.minor for s in pooled.shares if s.line == "discount:half"]
    assert (costs(pooled, "runs"), halves) == ([200, 0, 0], [-150, -100, 0])


def test_an_adjustment_of_all_is_split_by_what_each_owes_without_it() -> None:
    pooled = pool(ADJUSTED, [SALES_RUNS, LAB, SHOP], "group")
    assert [s for s in pooled.shares if s.metric is None] == [
        PoolShare("sales", None, 0, Money(428, "USD"), "minimum"),  # 350 of 450
        PoolShare("lab", None, 0, Money(122, "USD"), "minimum"),  # 100 of 450
        PoolShare("shop", None, 0, Money(0, "USD"), "minimum"),
    ]
    assert [pooled.total_of(org_id).minor for org_id in ("sales", "lab", "shop")] == [778, 222, 0]


def test_where_nobody_owes_anything_a_minimum_is_split_equally() -> None:
    pooled = pool(ADJUSTED, [used("a"), used("b"), used("c")], "group")
    assert [pooled.total_of(org_id).minor for org_id in ("a", "b", "c")] == [334, 333, 333]


def test_explaining_names_the_line_that_is_shared() -> None:
    text = pool(ADJUSTED, [SALES_RUNS, LAB], "group").explain()
    assert "sales   tokens.discount:half     0  -1.50 USD\n" in text
    assert "sales   minimum                  0   4.28 USD\n" in text


@pytest.mark.parametrize(
    ("by", "shares"), [("used", [147, 953]), ("beyond_equal_part", [0, 1_100])]
)
def test_what_is_converted_is_shared_by_what_it_is_converted_to(by: Any, shares: list[int]) -> None:
    started = Conversion(divide=1_000, increment=1)
    plan = Plan("group", "USD", {"tokens": Allowance(4, PerUnit(1), conversion=started)})
    members = [used("a", tokens=2_000), used("b", tokens=12_500)]
    pooled = pool(plan, members, "group", by=by)
    assert (pooled.statement["tokens"].used, pooled.statement.total.minor) == (15, 1_100)
    assert costs(pooled) == shares
    assert [share.used for share in pooled.shares] == [2_000, 12_500]
    refused = "^usages.tokens: must sum to the statement's, 15, got 2000$"
    with pytest.raises(OveragesError, match=refused):
        PooledStatement(pooled.statement, members[:1])
