"""Adjustments: lines of a statement that are no overages."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.told import told

from overages import Adjustment, Money
from overages.amounts.exact import Exact
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, InvalidValues
from overages.lines.adjustment import path_of, shown_line

USD_75, USD_25 = Money(7500, "USD"), Money(2500, "USD")
odd: Any = 5
refund: Any = "refund"


def test_it_says_what_it_changes() -> None:
    line = Adjustment("minimum", USD_75, USD_25, 25, metric="tokens")
    assert line.after == Money(10000, "USD")
    assert (line.metric, line.name, line.line) == ("tokens", None, "minimum")
    assert line.explain() == "minimum: 75.00 USD -> 100.00 USD"


def test_one_of_several_has_a_name() -> None:
    line = Adjustment("credit", USD_75, -USD_25, -25, name="g1")
    assert line.line == "credit:g1"
    assert line.explain() == "credit g1: 75.00 USD -> 50.00 USD"


def test_its_exact_cost_has_one_form() -> None:
    costs: list[Exact] = [Fraction(-1, 4), Decimal("-0.250")]
    found = {Adjustment("discount", USD_75, -USD_25, cost) for cost in costs}
    assert [line.exact_cost for line in found] == [Decimal("-0.25")]


@pytest.mark.parametrize("kind", ["discount", "maximum", "own_maximum", "credit"])
def test_what_reduces_adds_nothing(kind: Any) -> None:
    exact = 25 if kind == "credit" else 0
    with pytest.raises(InvalidValue) as caught:
        Adjustment(kind, USD_75, USD_25, exact)
    assert f"cost: must be zero or less for a {kind.replace('_', ' ')}" in told(caught.value)


@pytest.mark.parametrize("kind", ["commitment", "minimum", "own_minimum"])
def test_what_adds_reduces_nothing(kind: Any) -> None:
    spoken = kind.replace("_", " ")
    with pytest.raises(InvalidValue, match=f"^cost: must be zero or more for a {spoken}"):
        Adjustment(kind, USD_75, -USD_25, 0)


def test_the_exact_cost_has_the_sign_of_the_cost() -> None:
    with pytest.raises(InvalidValue, match=r"^exact_cost: must be zero or more for a minimum"):
        Adjustment("minimum", USD_75, USD_25, -25)
    with pytest.raises(InvalidValue, match=r"^exact_cost: must be zero or less for a maximum"):
        Adjustment("maximum", USD_75, Money(0, "USD"), Decimal("0.001"))


@pytest.mark.parametrize("kind", ["discount", "maximum", "credit"])
def test_nothing_takes_more_than_there_is(kind: Any) -> None:
    assert Adjustment(kind, USD_25, -USD_25, -25).after == Money(0, "USD")
    with pytest.raises(InvalidValue, match=r"^cost: must not take more than 25\.00 USD, got"):
        Adjustment(kind, USD_25, -USD_75, -75)


def test_of_what_gives_back_only_something_exact_may_be_taken() -> None:
    gives_back = Money(-100, "USD")
    assert Adjustment("maximum", gives_back, Money(0, "USD"), Decimal("-0.001")).after == gives_back


def test_what_is_drawn_on_a_grant_is_money() -> None:
    with pytest.raises(InvalidValue, match=r"^exact_cost: must be the cost, -25\.00: what is"):
        Adjustment("credit", USD_75, -USD_25, Decimal("-24.999"))


def test_it_is_in_one_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        Adjustment("minimum", USD_75, Money(1, "EUR"), 1)


def test_all_faults_are_reported() -> None:
    with pytest.raises(InvalidValues) as caught:
        Adjustment(refund, odd, odd, 1.5, "", "")  # type: ignore[arg-type]
    assert [str(error).partition(":")[0] for error in caught.value.errors] == [
        "kind", "before", "cost", "exact_cost", "metric", "name",
    ]  # fmt: skip


def test_a_line_too_long_to_store_is_refused() -> None:
    assert Adjustment("credit", USD_75, -USD_25, -25, name="x" * 248)
    with pytest.raises(InvalidValue, match=r"^name: must have at most 255 bytes"):
        Adjustment("credit", USD_75, -USD_25, -25, name="x" * 249)


def test_an_exact_cost_is_no_string() -> None:
    with pytest.raises(InvalidType, match=r"^exact_cost: must be an int, a Decimal or a Fraction"):
        Adjustment("minimum", USD_75, USD_25, "25")  # type: ignore[arg-type]


def test_a_rule_of_the_orgs_own_is_said_in_words() -> None:
    line = Adjustment("own_discount", USD_75, -USD_25, -25, name="partner")
    assert line.line == "own_discount:partner"
    assert line.explain() == "own discount partner: 75.00 USD -> 50.00 USD"


@pytest.mark.parametrize("cost", [-7500, -2500, 2500])
def test_a_trial_may_take_and_give_any_amount(cost: int) -> None:
    before = Money(2500, "USD")
    line = Adjustment("trial", before, Money(cost, "USD"), Fraction(cost, 100), "runs")
    assert line.after.minor == 2500 + cost


def test_a_line_is_named_for_people() -> None:
    assert shown_line((None, "minimum")) == path_of((None, "minimum"))
    assert shown_line(("runs", "overage")) == path_of(("runs", "overage"))
    assert shown_line(("runs", "overage:2024-03-12T00:00:00Z")) == "runs from 2024-03-12"
