"""Changes: what a statement differs in from what was recorded of it."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.recorded import recorded, stored

from overages import (
    Allowance,
    Graduated,
    Money,
    OverageRecord,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    calculate,
)
from overages.errors import CurrencyMismatch
from overages.lines.adjustment import path_of
from overages.records.changes import changed_fields, changes_of, line_sums

FEBRUARY = Period.month(2024, 2)
PRICE = PerUnit("0.01")


def plan(maximum: int | None = 300, price: Any = PRICE, minimum: int = 500) -> Plan:
    """Return a plan with a maximum of a metric, and a minimum of all."""
    cap = None if maximum is None else Money(maximum, "USD")
    offer = Allowance(100, price, maximum=cap)
    return Plan("p", "USD", {"tokens": offer}, minimum=Money(minimum, "USD"))


def statement(terms: Plan | None = None, **used: Any) -> Statement:
    return calculate(terms or plan(), Usage("org-1", FEBRUARY, used))


def changed(now: Statement, *before: OverageRecord) -> list[Any]:
    return list(changes_of(now, list(before)))


def test_a_first_result_is_all_change() -> None:
    assert changed(statement(tokens=500)) == [
        ("tokens", "overage", 400, 4, 400, Decimal("0.01")),
        ("tokens", "maximum", 0, -1, -100, None),
        (None, "minimum", 0, 2, 200, None),
    ]


def test_the_example_of_the_module_comes_to_what_it_says() -> None:
    runs = Allowance(0, PerUnit(1))
    before = calculate(Plan("p", "USD", {"runs": runs}), Usage("org-1", FEBRUARY, {"runs": 25}))
    least = Plan("p", "USD", {"runs": runs}, minimum=Money(1500, "USD"))
    now = calculate(least, Usage("org-1", FEBRUARY, {"runs": 10}))
    assert changed(now, *recorded(before)) == [
        ("runs", "overage", -15, -15, -1500, 1),
        (None, "minimum", 0, 5, 500, None),
    ]


def test_what_is_recorded_already_is_no_change() -> None:
    first = statement(tokens=500)
    assert changed(first, *recorded(first)) == []


def test_each_line_is_corrected_by_itself() -> None:
    assert changed(statement(tokens=600), *recorded(statement(tokens=500))) == [
        ("tokens", "overage", 100, 1, 100, Decimal("0.01")),
        ("tokens", "maximum", 0, -1, -100, None),
    ]


def test_lines_that_are_no_more_are_taken_back() -> None:
    now = statement(plan(None, minimum=0), tokens=500)
    assert changed(now, *recorded(statement(tokens=500))) == [
        ("tokens", "maximum", 0, 1, 100, None),
        (None, "minimum", 0, -2, -200, None),
    ]


def test_what_was_taken_back_before_is_no_change() -> None:
    records = recorded(statement(tokens=500))
    back = [
        stored("org-1", FEBRUARY, r.metric, quantity=-r.quantity, cost=-r.cost,
               exact_cost=-Fraction(r.exact_cost), line=r.line)
        for r in records
    ]  # fmt: skip
    assert changed(statement(plan(minimum=0)), *records, *back) == []


def test_a_correction_has_a_unit_price_only_where_it_explains_the_cost() -> None:
    dearer = plan(None, PerUnit("0.02"), 0)
    tiered = plan(None, Graduated([Tier(100, "0.01"), Tier(None, "0.02")]), 0)
    first = recorded(statement(plan(None, minimum=0), tokens=150))
    assert changed(statement(dearer, tokens=160), *first) == [
        ("tokens", "overage", 10, Decimal("0.7"), 70, None)
    ]
    assert changed(statement(tiered, tokens=250), *first) == [
        ("tokens", "overage", 100, Decimal("1.5"), 150, None)
    ]


def test_records_in_another_currency_are_refused() -> None:
    euros = stored("org-1", FEBRUARY, "tokens", quantity=1, cost=Money(1, "EUR"), exact_cost=0)
    with pytest.raises(CurrencyMismatch, match=r"^currency: EUR and USD can't be added"):
        changes_of(statement(), [euros])


def test_records_are_summed_by_line() -> None:
    def record(quantity: Any, exact: Any, **named: Any) -> OverageRecord:
        amounts = {"quantity": quantity, "cost": Money(5, "USD"), "exact_cost": exact}
        return stored("org-1", FEBRUARY, named.pop("metric", "gb"), **amounts, **named)

    thirds = [record("0.5", Fraction(1, 3)), record(1, Fraction(2, 3))]
    lines = [record(0, 1, line="minimum"), record(0, -2, line="minimum", metric=None)]
    assert line_sums([*thirds, *lines]) == {
        ("gb", "overage"): (15 * 10**11, Fraction(1), 10),
        ("gb", "minimum"): (0, Fraction(1), 5),
        (None, "minimum"): (0, Fraction(-2), 5),
    }


@pytest.mark.parametrize(
    ("key", "path"),
    [
        (("tokens", "overage"), "tokens"),
        (("tokens", "discount:launch"), "tokens.discount:launch"),
        ((None, "minimum"), "minimum"),
    ],
)
def test_a_line_has_a_path(key: tuple[str | None, str], path: str) -> None:
    assert path_of(key) == path


def test_what_differs_is_named_by_line_and_field() -> None:
    now, before = statement(tokens=600), recorded(statement(tokens=500))
    assert changed_fields(changes_of(now, list(before))) == (
        "tokens.quantity, tokens.exact_cost, tokens.cost, "
        "tokens.maximum.exact_cost, tokens.maximum.cost"
    )
