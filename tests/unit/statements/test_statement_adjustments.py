"""Statements with adjustments: lines that are no overages."""

import pickle
from decimal import Decimal

from tests.accounts import calculate_after
from tests.recorded import recorded

from overages import (
    Allowance,
    Discount,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Summary,
    Usage,
    calculate,
)
from overages.statements.summary import MetricTotal

FEBRUARY = Period.month(2024, 2)
STARTER = Plan("starter", "USD", {"tokens": Allowance(500_000, PerUnit("0.0001"))})
STATEMENT = calculate(STARTER, Usage("org-123", FEBRUARY, {"tokens": 750_000}))
DISCOUNTED = Plan(
    "cloud",
    "USD",
    {
        "gb": Allowance(
            10,
            PerUnit("0.333"),
            discounts=[Discount("free", quantity=5), Discount("half", percent=50)],
        ),
        "runs": Allowance(0, PerUnit(1), maximum=Money(500, "USD")),
    },
    minimum=Money(1200, "USD"),
)
ADJUSTED = calculate(DISCOUNTED, Usage("org-1", FEBRUARY, {"gb": 40, "runs": 7}))


def test_adjustments_are_lines_behind_the_overages() -> None:
    assert ADJUSTED.lines == (*ADJUSTED.overages, *ADJUSTED.adjustments)
    assert [(line.metric, line.line, line.cost.minor) for line in ADJUSTED.adjustments] == [
        ("gb", "discount:half", -416),
        ("runs", "maximum", -200),
        (None, "minimum", 283),
    ]
    assert ADJUSTED.total == Money(1200, "USD")


def test_a_statement_with_adjustments_can_be_made_of_its_lines() -> None:
    made = Statement("org-1", FEBRUARY, DISCOUNTED, iter(ADJUSTED.lines))
    assert (made, hash(made), made.total) == (ADJUSTED, hash(ADJUSTED), ADJUSTED.total)
    assert pickle.loads(pickle.dumps(made)) == made


def test_what_a_metric_comes_to_has_its_adjustments() -> None:
    totals = {"gb": MetricTotal(25, Money(417, "USD")), "runs": MetricTotal(7, Money(500, "USD"))}
    assert ADJUSTED.totals_by_metric() == totals
    assert ADJUSTED.summary() == Summary("USD", totals, {"minimum": Money(283, "USD")})


def test_each_adjustment_leaves_a_record() -> None:
    found = [(r.metric, r.line, r.quantity, r.cost.minor, r.unit_price) for r in recorded(ADJUSTED)]
    assert found == [
        ("gb", "overage", 25, 833, Decimal("0.333")),
        ("runs", "overage", 7, 700, 1),
        ("gb", "discount:half", 0, -416, None),
        ("runs", "maximum", 0, -200, None),
        (None, "minimum", 0, 283, None),
    ]


def test_a_line_on_top_of_earlier_ones_leaves_a_record_of_what_it_adds() -> None:
    plan = Plan("p", "USD", {"a": Allowance(10, PerUnit("0.1")), "b": Allowance(0, PerUnit(1))})
    used = Usage("org-1", FEBRUARY, {"a": 5, "b": 2})
    statement = calculate_after(plan, used, {"a": 20})
    assert [(r.metric, r.quantity, r.exact_cost, r.unit_price) for r in recorded(statement)] == [
        ("a", 5, Decimal("0.5"), Decimal("0.1")),
        ("b", 2, 2, 1),
    ]


ADJUSTED_TEXT = """\
Overage of org-1, 2024-02-01 to 2024-03-01 UTC, plan cloud

metric       used  limit  over  price                                  exact       cost
gb             40     15    25  25 x 0.333                             8.325   8.33 USD
  included            10
  free free            5
runs            7      0     7  7 x 1                                      7   7.00 USD
gb                              discount half: 8.33 USD -> 4.17 USD  -4.1625  -4.16 USD
runs                            maximum: 7.00 USD -> 5.00 USD             -2  -2.00 USD
all                             minimum: 9.17 USD -> 12.00 USD        2.8375   2.83 USD
total                                                                         12.00 USD

Each line is rounded once, half up; the total is the sum of the lines."""


def test_a_statement_explains_its_adjustments() -> None:
    assert ADJUSTED.explain() == ADJUSTED_TEXT
