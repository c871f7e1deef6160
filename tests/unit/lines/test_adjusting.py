"""Adjusting: the order of the rules, and what each does to rounded and exact sums."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import Adjustment, Commitment, Discount, Money, PerUnit, Rounding
from overages.errors import CurrencyMismatch, InvalidValue
from overages.lines.adjusting import adjustments_of
from overages.lines.adjustment import credit
from overages.lines.rule import PartRules

EUR_5 = Money(500, "EUR")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def adjusted(minor: int, exact: object = None, **rules: Any) -> list[tuple[str, int, Any]]:
    """Return line, minor units and exact cost of each adjustment of a subtotal."""
    cost = Fraction(minor, 100) if exact is None else Fraction(str(exact))
    others: dict[str, Any] = {
        "rounding": Rounding.HALF_UP, "metric": None, "share": Fraction(1), "has_ended": True,
    }  # fmt: skip
    others = {name: rules.pop(name, usual) for name, usual in others.items()}
    found = adjustments_of(usd(minor), cost, rules=PartRules(**rules), **others)
    return [(line.line, line.cost.minor, Fraction(line.exact_cost)) for line in found]


def test_all_rules_are_applied_in_one_order() -> None:
    found = adjustments_of(
        usd(20000),
        Fraction(200),
        rounding=Rounding.HALF_UP,
        metric="tokens",
        rules=PartRules(
            discounts=(
                Discount("voucher", amount=usd(1000)),
                Discount("launch", percent=10),
                Discount("free", quantity=5),
                Discount("friend", percent=50),
            ),
            commitment=Commitment(usd(5000), overage_factor=2),
            maximum=usd(10000),
            minimum=usd(12000),
        ),
    )
    assert [line.explain() for line in found] == [
        "discount launch: 200.00 USD -> 180.00 USD",
        "discount friend: 180.00 USD -> 90.00 USD",
        "discount voucher: 90.00 USD -> 80.00 USD",
        "commitment: 80.00 USD -> 110.00 USD",
        "maximum: 110.00 USD -> 100.00 USD",
        "minimum: 100.00 USD -> 120.00 USD",
    ]
    assert {line.metric for line in found} == {"tokens"}


def test_a_line_is_rounded_once_and_keeps_its_exact_cost() -> None:
    launch = Discount("launch", percent="33.333")
    assert adjusted(1000, "9.999", discounts=(launch,)) == [
        ("discount:launch", -333, -Fraction("3.33296667"))
    ]


@pytest.mark.parametrize(("minor", "exact"), [(0, "0.012"), (3, "0.018"), (3, "0.03")])
def test_all_of_the_price_off_is_all_of_either_sum(minor: int, exact: str) -> None:
    everything = Discount("all", percent=100)
    expected = [("discount:all", -minor, -Fraction(exact))]
    assert adjusted(minor, exact, discounts=(everything,)) == expected


def test_a_percentage_takes_no_more_than_the_rounded_lines_come_to() -> None:
    most = Discount("most", percent=99)
    assert adjusted(0, "0.012", discounts=(most,)) == [("discount:most", 0, -Fraction("0.01188"))]


def test_a_fixed_amount_takes_no_more_than_is_left() -> None:
    vouchers = (Discount("a", amount=usd(800)), Discount("b", amount=usd(500)))
    assert adjusted(1000, discounts=vouchers) == [
        ("discount:a", -800, Fraction(-8)),
        ("discount:b", -200, Fraction(-2)),
    ]


@pytest.mark.parametrize("discount", [Discount("10", percent=10), Discount("1", amount=usd(100))])
@pytest.mark.parametrize(("minor", "exact"), [(-100, 1), (100, -1)])
def test_nothing_is_taken_off_where_less_than_nothing_is_due(
    discount: Discount, minor: int, exact: int
) -> None:
    assert adjusted(minor, exact, discounts=[discount]) == []


def test_what_changes_nothing_is_left_out() -> None:
    nothing = (Discount("a", amount=usd(0)), Discount("b", percent=0), Discount("c", quantity=9))
    rules = {"maximum": usd(1000), "minimum": usd(1000), "commitment": Commitment(usd(1000))}
    assert adjusted(1000, discounts=nothing, **rules) == []


def test_a_difference_finer_than_a_minor_unit_is_kept() -> None:
    assert adjusted(1000, "10.004", maximum=usd(1000)) == [("maximum", 0, -Fraction("0.004"))]
    assert adjusted(999, "10", minimum=usd(1000)) == [("minimum", 1, 0)]


def test_a_minimum_is_of_the_share_of_the_period_that_is_billed() -> None:
    expected = [("minimum", 3448, Fraction(1000, 29))]
    assert adjusted(0, minimum=usd(10000), share=Fraction(10, 29)) == expected


def test_a_true_up_is_due_on_the_last_bill() -> None:
    rules = {"minimum": usd(20000), "commitment": Commitment(usd(10000))}
    assert adjusted(2500, has_ended=False, **rules) == []
    assert adjusted(2500, **rules) == [("commitment", 7500, 75), ("minimum", 10000, 100)]


def test_spend_beyond_a_commitment_costs_more_on_any_bill() -> None:
    commitment = Commitment(usd(6000), overage_factor="1.5")
    expected = [("commitment", 2000, 20)]
    assert adjusted(10000, commitment=commitment, has_ended=False) == expected
    assert adjusted(10000, commitment=commitment) == expected


def test_a_commitment_to_a_quantity_is_worth_its_price_and_its_share() -> None:
    rules = {"commitment": Commitment(quantity=10), "price": PerUnit("2")}
    assert adjusted(500, share=Fraction(1, 2), **rules) == [("commitment", 500, 5)]


def test_a_commitment_may_have_no_true_up() -> None:
    assert adjusted(500, commitment=Commitment(usd(1000), true_up=False)) == []


@pytest.mark.parametrize(
    "rules",
    [
        {"discounts": (Discount("a", amount=EUR_5),)},
        {"commitment": Commitment(EUR_5)},
        {"maximum": EUR_5},
        {"minimum": EUR_5},
    ],
)
def test_rules_are_in_the_currency_of_the_lines(rules: Any) -> None:
    with pytest.raises(CurrencyMismatch):
        adjusted(1000, **rules)


def test_a_credit_is_the_line_of_what_was_drawn_for_all_or_for_a_metric() -> None:
    of_all = Adjustment("credit", usd(700), usd(-450), Decimal("-4.5"), name="g1")
    of_tokens = Adjustment("credit", usd(250), usd(-250), Decimal("-2.5"), "tokens", "g2")
    assert credit(usd(700), 450, "g1") == of_all
    assert credit(usd(250), 250, "g2", "tokens") == of_tokens


@pytest.mark.parametrize(
    ("metric", "path"), [("tokens", "tokens.minimum.exact_cost"), (None, "minimum.exact_cost")]
)
def test_an_exact_cost_of_too_many_digits_names_its_metric_and_its_rule(
    metric: str | None, path: str
) -> None:
    exact = Fraction(1, 3**3000)
    with pytest.raises(InvalidValue, match=f"^{path}: must have at most 1000 digits on a side"):
        adjusted(0, metric=metric, minimum=usd(1), share=exact)
