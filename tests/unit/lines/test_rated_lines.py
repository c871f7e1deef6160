"""Rated lines: the rules on top of a price, of a metric and of all; and what is refused."""

from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Allowance,
    Commitment,
    Discount,
    Money,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    calculate,
)
from overages.errors import (
    FaultyPriceModel,
    InvalidType,
    InvalidValue,
    InvalidValues,
    UnknownMetric,
)

FEBRUARY = Period.month(2024, 2)
USD_1, USD_5 = Money(100, "USD"), Money(500, "USD")
PRICE = PerUnit("0.01")


def bill(
    allowance: Allowance,
    used: Any = 0,
    *,
    others: dict[str, Any] | None = None,
    plan: dict[str, Any] | None = None,
    **named: Any,
) -> Statement:
    """Return the statement of a plan of one metric, ``a``."""
    terms = Plan("p", "USD", {"a": allowance}, **(plan or {}))
    return calculate(terms, Usage("org-1", FEBRUARY, {"a": used, **(others or {})}), **named)


def adjusted(statement: Statement) -> list[tuple[str | None, str, int]]:
    return [(line.metric, line.line, line.cost.minor) for line in statement.adjustments]


def test_rules_apply_to_a_metric_and_then_to_all() -> None:
    offers = {
        "a": Allowance(0, PerUnit(1), discounts=[Discount("half", percent=50)], maximum=USD_5),
        "b": Allowance(0, PerUnit(1), commitment=Commitment(USD_5), minimum=Money(600, "USD")),
    }
    terms: dict[str, Any] = {
        "discounts": [Discount("off", amount=USD_1)],
        "maximum": Money(900, "USD"),
        "minimum": Money(800, "USD"),
    }
    usage = Usage("org-1", FEBRUARY, {"a": 20, "b": 2})
    statement = calculate(Plan("p", "USD", offers, **terms), usage)
    assert [line.explain() for line in statement.adjustments] == [
        "discount half: 20.00 USD -> 10.00 USD",
        "maximum: 10.00 USD -> 5.00 USD",
        "commitment: 2.00 USD -> 5.00 USD",
        "minimum: 5.00 USD -> 6.00 USD",
        "discount off: 11.00 USD -> 10.00 USD",
        "maximum: 10.00 USD -> 9.00 USD",
    ]
    assert statement.total == Money(900, "USD")


def test_true_ups_wait_for_the_last_bill() -> None:
    allowance = Allowance(0, PRICE, minimum=USD_5, commitment=Commitment(USD_1))
    assert adjusted(bill(allowance, ended=False, plan={"minimum": USD_5})) == []
    assert adjusted(bill(allowance, plan={"minimum": Money(600, "USD")})) == [
        ("a", "commitment", 100),
        ("a", "minimum", 400),
        (None, "minimum", 100),
    ]


def test_lines_are_rounded_together_before_rules_apply() -> None:
    offers = {metric: Allowance(0, PerUnit("0.005")) for metric in ("a", "b")}
    plan = Plan("p", "USD", offers, rounding_scope="total", minimum=USD_1)
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"a": 1, "b": 1}))
    assert [line.cost.minor for line in statement.lines] == [1, 0, 99]
    assert Fraction(statement.adjustments[0].exact_cost) == Fraction(99, 100)


# What is refused


@pytest.mark.parametrize(
    ("named", "error", "message"),
    [
        (
            {"billing_period": "2024-02"},
            InvalidType,
            r"(^|: )billing_period: must be of type Period, got '2024-02'$",
        ),
        (
            {"timezone": "Mars"},
            InvalidValue,
            r"(^|: )timezone: must be the IANA name of a timezone",
        ),
        ({"ended": "no"}, InvalidType, r"(^|: )ended: must be True or False, got 'no'$"),
        (
            {"ended": 0, "billing_period": FEBRUARY},
            InvalidType,
            r"(^|: )ended: must be True or False, got 0$",
        ),
        ({"ended": 1, "timezone": 5}, InvalidValues, r"(^|: )2 problems: timezone, ended$"),
        (
            {"billing_period": Period.month(2024, 3)},
            InvalidValue,
            r"(^|: )a\.part: must lie within 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z, got ",
        ),
    ],
)
def test_what_is_known_of_the_period_is_checked(
    named: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        bill(Allowance(1, PRICE), **named)


@pytest.mark.parametrize("named", [{"plan": 5}, {"usage": 5}])
def test_plan_and_usage_are_checked(named: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"plan": Plan("p", "USD", {}), "usage": Usage("o", FEBRUARY, {})}
    (field,) = named
    with pytest.raises(InvalidType, match=f"{field}: must be of type {field.title()}, got 5$"):
        calculate(**{**usual, **named}, ended=False)


def test_unknown_usage_is_refused_whatever_the_plan_says() -> None:
    with pytest.raises(
        UnknownMetric, match=r"(^|: )usage\.quantities\.gpu: 'gpu' is not in plan 'p'"
    ):
        bill(Allowance(1, PRICE, minimum=USD_1), others={"gpu": 1})


class Odd:
    """A host's own price model, which may do anything."""

    def __init__(self, gives: Any) -> None:
        self.gives = gives

    def charge(self, quantity: Any, /) -> Any:
        del quantity
        return self.gives


def test_what_a_price_model_gives_is_checked() -> None:
    with pytest.raises(
        FaultyPriceModel, match=r"(^|: )a\.price\.charge\(\): must return a Charge, got 5$"
    ):
        bill(Allowance(0, Odd(5), minimum=USD_1), 1)
