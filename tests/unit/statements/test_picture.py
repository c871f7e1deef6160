"""Pictures of statements and of charges."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.pictures import number, said, shapes, texts

from overages import (
    Account,
    Allowance,
    Grant,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    calculate,
    settle,
)
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue
from overages.exports.charts import STYLES, charges_chart

FEBRUARY = Period.month(2024, 2)
PLAN = Plan(
    "starter",
    "USD",
    {
        "tokens": Allowance(500_000, PerUnit("0.0001")),
        "runs": Allowance(50, PerUnit("1.00")),
        "storage": Allowance(None, PerUnit(1)),
        "calls": Allowance(0, PerUnit(1)),
    },
)


def statement(**used: int) -> Statement:
    return calculate(PLAN, Usage("org-123", FEBRUARY, used))


def test_a_statement_draws_each_metric_against_its_limit() -> None:
    svg = statement(tokens=750_000, runs=40, storage=7).to_svg(UTC)
    assert texts(svg)[0] == "Overage of org-123, February 2024, plan starter"
    assert said(svg) == (
        "tokens: 750,000 of 500,000, 250,000 over: 25.00 USD; runs: 40 of 50;"
        " storage: 7 used, unlimited; calls: 0 of 0."
    )
    within, over, runs, storage = [number(node, "width") for node in shapes(svg, "chart-bar")[2:]]
    assert (within / over).quantize(1) == 2
    assert within + over == storage == Decimal(608)
    assert runs / 608 == Decimal("0.8")
    assert len(shapes(svg, "chart-limit")) == 3 + 1  # that of the legend


def test_a_statement_says_which_units_were_drawn_on_grants() -> None:
    account = Account("org-123", "starter", datetime(2024, 1, 1, tzinfo=UTC))
    usage = Usage("org-123", FEBRUARY, {"runs": 80})
    pack = Grant("pack", 1_000, metric="runs", effective_at=FEBRUARY.start)
    svg = settle(account, {"starter": PLAN}, FEBRUARY, [usage], grants=[pack]).statement.to_svg()
    assert "runs: 80 of 80 (30 drawn on grants);" in said(svg)


def test_a_statement_is_drawn_part_by_part() -> None:
    account = Account("org-123", "small", datetime(2024, 1, 1, tzinfo=UTC))
    account = account.changed(since=datetime(2024, 3, 12, tzinfo=UTC), plan="large")
    plans = {
        slug: Plan(slug, "USD", {"runs": Allowance(included, PerUnit(1))})
        for slug, included in [("small", 31), ("large", 310)]
    }
    march = Period.month(2024, 3)
    usages = [Usage("org-123", march, {"runs": 225})]
    usages += [
        Usage("org-123", part, {"runs": used})
        for (part, _), used in zip(account.parts(march), [15, 210], strict=True)
    ]
    svg = settle(account, plans, march, usages).statement.to_svg()
    assert said(svg) == (
        "runs, 2024-03-01 to 2024-03-12 UTC: 15 of 11, 4 over: 4.00 USD;"
        " runs, 2024-03-12 to 2024-04-01 UTC: 210 of 200, 10 over: 10.00 USD."
    )


def test_a_statement_of_a_plan_without_metrics_says_so() -> None:
    empty = calculate(Plan("empty", "USD", {}), Usage("org-123", FEBRUARY, {}))
    assert said(empty.to_svg(styled=False, width=240)) == "Nothing was used."


def test_charges_stand_beside_each_other() -> None:
    amounts = [("Jan", 1223), ("Feb", 0), ("Mar", -500)]
    svg = charges_chart("Charges", [(name, Money(minor, "USD")) for name, minor in amounts])
    assert said(svg) == "Jan: 12.23 USD; Feb: 0.00 USD; Mar: -5.00 USD."
    january, march = [
        (number(node, "y"), number(node, "height")) for node in shapes(svg, "chart-bar")
    ]
    assert january[0] + january[1] == march[0]
    assert texts(svg)[:2] == ["Charges", "charged, USD"]
    assert [number(node, "y1") for node in shapes(svg, "chart-axis")] == [march[0]]


def test_a_period_that_goes_on_is_outlined_and_named() -> None:
    charges = [("Jan", Money(1223, "USD")), ("Feb", Money(-1_234_500, "USD"))]
    svg = charges_chart("Charges", charges, unfinished=True, sign="$")
    assert said(svg) == "Jan: $12.23; Feb: -$12,345.00 so far."
    (key, february) = shapes(svg, "chart-open")
    assert key.get("width") == "12"
    assert number(february, "height") > 130
    assert len(shapes(svg, "chart-bar")) == 3
    shown = texts(svg)
    assert shown[:2] == ["Charges", "so far"]
    assert "$0" in shown
    assert "-$5,000" in shown
    assert "charged, USD" not in shown


def test_small_charges_have_the_digits_of_their_currency() -> None:
    shown = texts(charges_chart("C", [("Jan", Money(123, "USD"))], sign="$"))
    assert shown[1:5] == ["$0", "$0.50", "$1", "$1.50"]


def test_the_last_charge_keeps_its_name_where_there_is_no_room_for_all() -> None:
    for count in (11, 12):
        charges = [(f"month {n}", Money(n, "USD")) for n in range(1, count + 1)]
        names = [text for text in texts(charges_chart("C", charges)) if "month" in text]
        assert names[-1] == f"month {count}"
        assert len(names) < count


def test_charges_are_at_least_one_and_in_one_currency() -> None:
    with pytest.raises(InvalidValue, match="charges: must hold at least one"):
        charges_chart("Charges", [])
    with pytest.raises(InvalidType, match=r"charges\[1\].cost: must be of type Money"):
        charges_chart("Charges", [("Jan", Money(1, "USD")), ("Feb", 5)])  # type: ignore[list-item]
    with pytest.raises(InvalidType, match="sign: must be of type str"):
        charges_chart("Charges", [("Jan", Money(1, "USD"))], sign=5)  # type: ignore[arg-type]
    with pytest.raises(InvalidType, match="unfinished: must be True or False"):
        charges_chart("Charges", [("Jan", Money(1, "USD"))], unfinished=1)  # type: ignore[arg-type]
    with pytest.raises(CurrencyMismatch):
        charges_chart("Charges", [("Jan", Money(1, "USD")), ("Feb", Money(1, "EUR"))])


def test_the_styles_can_be_served_by_themselves() -> None:
    svg = charges_chart("Charges", [("Jan", Money(1, "USD"))], styled=False)
    assert STYLES not in svg
    assert STYLES in charges_chart("Charges", [("Jan", Money(1, "USD"))])
