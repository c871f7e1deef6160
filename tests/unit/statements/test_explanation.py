"""How a statement is explained: title, table and footnote."""

from decimal import Decimal

import pytest
from tests.settled import DOLLAR, MAR, PLAIN, ROLLING, day

from overages import Adjustment, Money, Overage, Plan
from overages._ground.value import evolve
from overages.lines.part import StatementPart
from overages.statements.explanation import explained, footnote, title


def test_a_title_names_the_plans_in_their_order() -> None:
    first, second = MAR.split(day(12))
    parts = [StatementPart(first, ROLLING), StatementPart(second, PLAIN)]
    assert title("org-1", MAR, parts[:1]) == f"Overage of org-1, {MAR.describe()}, plan rolling"
    assert title("org-1", MAR, parts).endswith(", plan rolling, then plain")


def test_a_table_has_lines_then_adjustments_then_the_total() -> None:
    line = Overage("runs", 12, 10, DOLLAR, Money(200, "USD"))
    off = Adjustment(
        "discount", Money(200, "USD"), Money(-50, "USD"), Decimal("-0.5"), "runs", "launch"
    )
    minimum = Adjustment("minimum", Money(150, "USD"), Money(850, "USD"), Decimal("8.5"))
    rows = explained([line], [off, minimum], Money(1_000, "USD"))
    assert rows[1:] == [
        ["runs", "12", "10", "2", "2 x 1", "2", "2.00 USD"],
        ["runs", "", "", "", off.explain(), "-0.5", "-0.50 USD"],
        ["all", "", "", "", minimum.explain(), "8.5", "8.50 USD"],
        ["total", "", "", "", "", "", "10.00 USD"],
    ]


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        ("line", "Each line is rounded once, half even; the total is the sum of the lines."),
        (
            "total",
            "The exact total is rounded once, half even, and the lines are made to add up to it.",
        ),
    ],
)
def test_a_footnote_says_how_a_plan_rounds(scope: str, text: str) -> None:
    named: dict[str, str] = {"rounding": "half_even", "rounding_scope": scope}
    plan = Plan("p", "USD", {}, **named)  # type: ignore[arg-type]
    assert footnote([StatementPart(MAR, plan)]) == text


def test_a_footnote_says_how_each_part_is_rounded() -> None:
    up, down = Plan("a", "USD", {}, rounding="up"), Plan("b", "USD", {}, rounding="down")
    times = MAR.split(day(12), day(20))
    parts = [StatementPart(time, p) for time, p in zip(times, (up, down, down), strict=True)]
    assert footnote(parts).startswith("Each line is rounded once, up, then down; the total")
    parts[-1] = StatementPart(times[-1], evolve(down, rounding_scope="total"))
    assert footnote(parts).startswith("The exact total is rounded once, down, and the lines")
