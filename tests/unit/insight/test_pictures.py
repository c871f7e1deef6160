"""The costs of plans side by side, and how overage grew, as pictures."""

from __future__ import annotations

from typing import Any

import pytest
from tests.pictures import points, said, shapes, texts

from overages import Allowance, Money, Period, PerUnit, Plan, Usage, calculate, overage_history
from overages._ground.value import evolve
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, UnknownMetric
from overages.exports.charts import plans_chart


def plan(slug: str, price: str, fee: str, included: int = 0) -> Plan:
    return Plan(
        slug,
        "USD",
        {"runs": Allowance(included, PerUnit(price)), "seats": Allowance(1, PerUnit(10))},
        base_fee=Money.of(fee, "USD"),
    )


SMALL, MIDDLE, LARGE = plan("small", "3", "0"), plan("middle", "2", "10"), plan("large", "1", "40")

EURO = Plan("euro", "EUR", {"runs": Allowance(0, PerUnit(1))})


def test_plans_are_drawn_with_the_quantities_at_which_another_is_the_cheapest() -> None:
    svg = plans_chart([SMALL, MIDDLE, LARGE], "runs", up_to=60)
    assert said(svg) == (
        "small is cheapest at 0; middle is cheapest from 11; large is cheapest from 31."
    )
    assert texts(svg)[:5] == ["Cost by runs", "small", "middle", "large", "cost, USD"]
    assert {"11", "31"} <= set(texts(svg))
    assert len(points(svg)) == 3


def test_a_plan_that_is_never_the_cheapest_is_marked_nowhere() -> None:
    dear = plan("dear", "2.5", "20")
    svg = plans_chart([SMALL, dear, LARGE], "runs", up_to=60)
    assert said(svg) == "small is cheapest at 0; large is cheapest from 21."


def test_one_plan_is_the_cheapest() -> None:
    svg = plans_chart([LARGE], "runs", "10", width=300, styled=False)
    assert said(svg) == "large is cheapest at 0."
    assert shapes(svg, "chart-rule") == []


def test_other_usage_and_own_limits_count_under_all_plans() -> None:
    usage = Usage("org-123", Period.month(2024, 2), {"seats": 5})
    cheap = evolve(MIDDLE, slug="cheap", allowances=dict(MIDDLE.allowances) | {
        "seats": Allowance(5, PerUnit(10))})  # fmt: skip
    alone = plans_chart([SMALL, cheap], "runs", 60)
    assert said(alone).endswith("cheap is cheapest from 11.")
    assert said(plans_chart([SMALL, cheap], "runs", 60, usage=usage)) == "cheap is cheapest at 0."
    limited = plans_chart([SMALL, MIDDLE], "runs", 60, limits={"runs": 20})
    assert said(limited).endswith("middle is cheapest from 31.")


@pytest.mark.parametrize(
    ("plans", "metric", "error"),
    [
        ([], "runs", InvalidValue),
        ([SMALL, 5], "runs", InvalidType),
        ([SMALL, MIDDLE], "tokens", UnknownMetric),
        ([SMALL, SMALL], "runs", InvalidValue),
        ([SMALL, EURO], "runs", CurrencyMismatch),
    ],
)
def test_what_can_not_be_compared_is_not_drawn(
    plans: list[Any], metric: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        plans_chart(plans, metric, 60)


def test_a_history_draws_the_cost_of_each_period() -> None:
    usages = [
        Usage(org_id, Period.month(2024, month), {"runs": used})
        for org_id, month, used in [("acme", 1, 5), ("globex", 1, 1), ("acme", 2, 7)]
    ]
    history = overage_history(calculate(SMALL, usage) for usage in usages)
    svg = history.to_svg()
    assert said(svg) == "January 2024: 18.00 USD; February 2024: 21.00 USD."
    assert len(shapes(svg, "chart-bar")) == 2
    with pytest.raises(InvalidValue, match="charges: must hold at least one"):
        overage_history([], currency="USD").to_svg()
