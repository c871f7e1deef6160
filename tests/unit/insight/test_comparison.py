"""Plans side by side over recorded usage: each cost, the cheapest, the regret, and the advice."""

from typing import Any

import pytest

from overages import (
    Allowance,
    CarryOver,
    Comparison,
    Cycle,
    Money,
    Period,
    PerUnit,
    Plan,
    Usage,
    compare,
    evolve,
)
from overages.errors import (
    CurrencyMismatch,
    InvalidValue,
    InvalidValues,
    UnknownMetric,
    UnknownPlan,
)
from overages.insight.comparison import PlanCost, Recommendation

JANUARY, FEBRUARY, MARCH = (Period.month(2024, month) for month in (1, 2, 3))
SOME, MANY = Allowance(100, PerUnit("0.10")), Allowance(1_000, PerUnit("0.05"))
STARTER = Plan("starter", "USD", {"runs": SOME}, base_fee=Money(2000, "USD"))
PRO = Plan("pro", "USD", {"runs": MANY}, base_fee=Money(6000, "USD"))
FREE = Plan("free", "USD", {"runs": Allowance(0, PerUnit("0.20"))})


def used(*runs: int, org_id: str = "acme") -> list[Usage]:
    """Return usage of the months from January on."""
    return [Usage(org_id, Period.month(2024, i), {"runs": n}) for i, n in enumerate(runs, start=1)]


COMPARISON = compare([STARTER, PRO], used(300, 800, 1_500), current="starter")


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def test_each_plan_has_its_fee_and_overage_in_each_period() -> None:
    assert [(str(c.fee), str(c.overage)) for c in COMPARISON.of("pro")] == [
        ("60.00 USD", "0.00 USD"), ("60.00 USD", "0.00 USD"), ("60.00 USD", "25.00 USD")
    ]  # fmt: skip
    assert COMPARISON.total("starter", FEBRUARY) == usd("90")
    assert COMPARISON.total("starter") == usd("290")
    assert COMPARISON.fees("pro") == usd("180")
    assert (COMPARISON.plans, COMPARISON.periods) == (
        ("starter", "pro"),
        (JANUARY, FEBRUARY, MARCH),
    )


def test_the_cheapest_plan_and_the_regret_are_those_of_a_period_or_of_all() -> None:
    assert COMPARISON.cheapest(JANUARY) == "starter"
    assert COMPARISON.cheapest() == "pro"
    assert COMPARISON.regret("pro", JANUARY) == usd("20")
    assert COMPARISON.regret("starter") == usd("85")
    assert COMPARISON.regret("pro") == usd("0")


# fmt: off
ADVICE = [
    ([STARTER, PRO], "starter", (300, 800, 1_500), "up", "pro", "85.00 USD",
     "205.00 USD over 3 periods, and starter 290.00 USD"),
    ([STARTER, PRO, FREE], "pro", (10,), "down", "free", "58.00 USD",
     "2.00 USD over 1 period, and pro 60.00 USD"),
    ([STARTER, PRO, FREE], "starter", (300,), "stay", "starter", "20.00 USD",
     "40.00 USD over 1 period, and pro 60.00 USD"),
    ([STARTER], "starter", (300,), "stay", "starter", "0.00 USD", "40.00 USD over 1 period"),
    # The fee is the same: the later one is up.
    ([FREE, evolve(FREE, slug="new", allowances=PRO.allowances)], "free", (9,), "up", "new",
     "1.80 USD", "0.00 USD over 1 period, and free 1.80 USD"),
    ([evolve(FREE, slug="new", allowances=PRO.allowances), FREE], "free", (9,), "down", "new",
     "1.80 USD", "0.00 USD over 1 period, and free 1.80 USD"),
    # Both cost the same: nothing is to be done.
    ([PRO, evolve(PRO, slug="twin")], "twin", (9,), "stay", "twin", "0.00 USD",
     "60.00 USD over 1 period, and pro 60.00 USD"),
]
# fmt: on


@pytest.mark.parametrize(("plans", "current", "runs", "move", "plan", "saving", "reason"), ADVICE)
def test_the_advice_names_the_amounts_of_both_plans(
    plans: list[Plan], current: str, runs: Any, move: str, plan: str, saving: str, reason: str
) -> None:
    advice = compare(plans, used(*runs), current=current).recommendation
    assert advice is not None
    assert (advice.move, advice.plan, str(advice.saving)) == (move, plan, saving)
    assert advice.reason == reason


def test_without_a_current_plan_there_is_no_advice() -> None:
    comparison = compare([STARTER, PRO], used(300))
    assert comparison.recommendation is None
    assert comparison.explain().splitlines()[-1].startswith("regret")


def test_a_comparison_shows_itself_with_its_advice() -> None:
    assert str(COMPARISON).endswith(
        "\n\ngo up to pro: 205.00 USD over 3 periods, and starter 290.00 USD"
    )
    assert str(compare([STARTER], used(1), current="starter").recommendation) == (
        "stay on starter: 20.00 USD over 1 period"
    )
    assert "<caption>Plans compared for acme</caption>" in COMPARISON._repr_html_()


def test_rows_have_a_plan_and_period_each() -> None:
    rows = COMPARISON.rows()
    assert len(rows) == 6
    assert {name: str(cell) for name, cell in rows[5].items()} == {
        "org_id": "acme", "period_start": "2024-03-01 00:00:00+00:00",
        "period_end": "2024-04-01 00:00:00+00:00", "plan": "pro", "fee": "60.00",
        "overage": "25.00", "total": "85.00", "regret": "0.00", "currency": "USD",
    }  # fmt: skip


def test_usage_is_put_in_order_of_time() -> None:
    assert compare([PRO], used(1, 2, 3)[::-1]).periods == (JANUARY, FEBRUARY, MARCH)


def test_changed_prices_and_limits_are_tried_over_the_same_usage() -> None:
    cheaper = evolve(STARTER, slug="cheaper", allowances={"runs": Allowance(100, PerUnit("0.05"))})
    comparison = compare([STARTER, cheaper], used(300), limits={"runs": 200})
    assert [str(comparison.total(slug)) for slug in comparison.plans] == ["30.00 USD", "25.00 USD"]


def test_units_that_are_carried_over_count_in_the_periods_that_follow() -> None:
    runs = Allowance(100, PerUnit(1), carry_over=CarryOver())
    comparison = compare([Plan("rolling", "USD", {"runs": runs})], used(40, 150, 120))
    assert [str(c.overage) for c in comparison.costs] == ["0.00 USD", "0.00 USD", "10.00 USD"]
    comparison = compare(
        [Plan("rolling", "USD", {"runs": runs})], used(40, 150, 120), limits={"runs": 90}
    )
    assert [str(c.overage) for c in comparison.costs] == ["0.00 USD", "10.00 USD", "30.00 USD"]


def test_an_allowance_for_a_year_is_drawn_by_the_cycle_of_the_org() -> None:
    year = Cycle(JANUARY.start, unit="year")
    plan = Plan("yearly", "USD", {"runs": Allowance(100, PerUnit(1), included_for=year)})
    quarters = Cycle(JANUARY.start, unit="quarter")
    usages = [Usage("acme", quarters.period(n), {"runs": 60}) for n in (0, 1)]
    comparison = compare([plan], usages, cycle=quarters)
    assert [str(c.overage) for c in comparison.costs] == ["0.00 USD", "20.00 USD"]
    with pytest.raises(InvalidValue, match=r"period: must be one of the org's own"):
        compare([plan], usages)


def test_what_cannot_be_compared_is_refused_by_name() -> None:
    with pytest.raises(UnknownPlan, match=r"^current: must be among starter, pro .*'starter'\?\)"):
        compare([STARTER, PRO], used(1), current="startr")
    with pytest.raises(UnknownMetric, match="'seats' is not in plan 'starter'"):
        compare([STARTER], [Usage("acme", JANUARY, {"seats": 1})])
    with pytest.raises(UnknownMetric, match="'seats' is not in plan 'starter'"):
        compare([STARTER], used(1), limits={"seats": 1})
    euro = Plan("pro", "EUR", PRO.allowances)
    with pytest.raises(InvalidValues) as caught:
        compare([PRO, euro], [*used(1, 2), *used(1, org_id="other")])
    assert [error.field for error in caught.value.errors] == [
        "plans[1].slug", "plans[1].currency", "usages[2].org_id", "usages.period"
    ]  # fmt: skip
    with pytest.raises(InvalidValues) as caught:
        compare([], [])
    assert [error.field for error in caught.value.errors] == ["plans", "usages"]
    with pytest.raises(UnknownPlan, match=r"^plan: must be among starter, pro"):
        COMPARISON.total("free")
    with pytest.raises(InvalidValue, match=r"^period: must be one that was compared"):
        COMPARISON.total("pro", Period.month(2025, 1))


def cost(plan: str, period: Period, currency: str = "USD") -> PlanCost:
    return PlanCost(plan, period, Money(100, currency), Money(5, currency))


FAULTS: list[tuple[list[PlanCost], str]] = [
    ([], "costs"),
    ([cost("a", JANUARY), cost("b", JANUARY), cost("a", FEBRUARY)], "costs"),
    ([cost("a", JANUARY), cost("a", FEBRUARY), cost("b", FEBRUARY)], "costs"),
    ([cost("a", FEBRUARY), cost("a", JANUARY)], "costs.period"),
    ([cost("a", JANUARY), cost("a", JANUARY)], "costs.period"),
    ([cost("a", JANUARY), cost("b", JANUARY, "EUR")], "costs[1].fee"),
]


@pytest.mark.parametrize(("costs", "field"), FAULTS)
def test_costs_are_of_the_same_periods_in_one_currency(costs: list[PlanCost], field: str) -> None:
    with pytest.raises((InvalidValue, CurrencyMismatch)) as caught:
        Comparison("acme", costs)
    assert caught.value.field == field


def test_amounts_that_belong_together_are_in_one_currency() -> None:
    with pytest.raises(CurrencyMismatch, match=r"^overage: USD and EUR"):
        PlanCost("a", JANUARY, Money(1, "USD"), Money(1, "EUR"))
    with pytest.raises(CurrencyMismatch, match=r"^other_cost: USD and EUR"):
        Recommendation("up", "a", Money(1, "USD"), 1, "b", Money(1, "EUR"))
    with pytest.raises(InvalidValue, match=r"^other_cost: must be given together"):
        Recommendation("up", "a", Money(1, "USD"), 1, "b")
