"""Law 1: each line is rounded once, as near as its rounding promises.

"Each line is rounded to the currency's minor unit once, by the rule that the plan names; the exact
cost stays beside the rounded one."
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from overages import (
    Allowance,
    Currency,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Rounding,
    Usage,
    calculate,
)
from overages.amounts.rounding import parse_rounding
from overages.errors import InvalidValue

from . import oracle
from .effort import few, many
from .recipes import Spelled
from .strategies import (
    Case,
    cases,
    fractions,
    plan_recipes,
    positive_numbers,
    roundings,
    signed_numbers,
)

FEBRUARY = Period.month(2024, 2)


BOUNDS: dict[str, tuple[Fraction, Fraction]] = {  # of (rounded - exact), both inclusive
    "half_up": (Fraction(-1, 2), Fraction(1, 2)),
    "half_even": (Fraction(-1, 2), Fraction(1, 2)),
    "half_down": (Fraction(-1, 2), Fraction(1, 2)),
    "up": (Fraction(0), Fraction(1)),
    "ceiling": (Fraction(0), Fraction(1)),
    "down": (Fraction(-1), Fraction(0)),
    "floor": (Fraction(-1), Fraction(0)),
}


@many
@given(cases(plan_recipes(scopes=["line"])))
def test_a_line_is_as_near_its_exact_cost_as_the_rounding_promises(case: Case) -> None:
    statement = case.statement.one()
    least, most = BOUNDS[statement.plan.rounding.value]
    for line in statement.overages:
        exact = Fraction(line.exact_cost) * 10**statement.currency.exponent
        assert least <= line.cost.minor - exact <= most
        assert abs(line.cost.minor - exact) < 1


@given(cases(plan_recipes(scopes=["total"])))
def test_a_total_is_as_near_its_exact_total_as_the_rounding_promises(case: Case) -> None:
    statement = case.statement.one()
    least, most = BOUNDS[statement.plan.rounding.value]
    exact = sum((Fraction(line.exact_cost) for line in statement.overages), Fraction())
    charged = sum(line.cost.minor for line in statement.overages)
    assert least <= charged - exact * 10**statement.currency.exponent <= most


@many
@given(fractions, positive_numbers, roundings)
def test_a_rule_rounds_to_the_multiple_that_the_oracle_gives(
    value: Fraction, increment: Spelled, rounding: Spelled
) -> None:
    step = Fraction(increment.first)
    expected = oracle.rounded(value / step, rounding.first.value) * step
    for way in ("first", "second"):
        rule = parse_rounding(getattr(rounding, way), "rounding")
        found = rule.round(value, getattr(increment, way))
        assert Fraction(found) == expected


halves = st.integers(-40, 40).map(lambda n: Fraction(n, 4))


@given(halves | fractions, st.sampled_from(Rounding))
def test_the_roundings_mean_what_those_of_decimal_mean(value: Fraction, rounding: Rounding) -> None:
    assume(not 10**20 % value.denominator)
    wide = decimal.Context(prec=200)
    number = wide.divide(Decimal(value.numerator), Decimal(value.denominator))
    expected = number.to_integral_value(rounding=f"ROUND_{rounding.name}", context=wide)
    assert rounding.round(value) == int(expected)
    assert oracle.rounded(value, rounding.value) == int(expected)


each_rounding = pytest.mark.parametrize("rounding", list(Rounding))


@each_rounding
@few
@given(whole=st.integers(-9, 9) | st.integers(-(10**25), 10**25), places=st.integers(0, 11))
def test_an_exact_half_goes_where_its_rounding_sends_it(
    rounding: Rounding, whole: int, places: int
) -> None:
    half = Fraction(2 * whole + 1, 2)
    expected = oracle.rounded(half, rounding.value)
    assert rounding.round(half) == expected
    currency = Currency("credits", places)
    assert Money.of(half / 10**places, currency, rounding).minor == expected


@each_rounding
@pytest.mark.parametrize("scope", ["line", "total"])
@pytest.mark.parametrize("model", [PerUnit, lambda price: Package(price, 1)])
def test_a_line_and_a_total_of_an_exact_half_go_where_their_rounding_sends_them(
    rounding: Rounding, scope: Any, model: Callable[[str], Any]
) -> None:
    allowances = {"tokens": Allowance(0, model("0.005")), "runs": Allowance(0, model("0"))}
    plan = Plan("half", "USD", allowances, rounding=rounding, rounding_scope=scope)
    for quantity in range(12):
        statement = calculate(plan, Usage("org-1", FEBRUARY, {"tokens": quantity}))
        assert statement.total.minor == oracle.rounded(Fraction(quantity, 2), rounding.value)


@given(fractions, roundings, st.integers(0, 12))
def test_money_of_an_amount_is_rounded_once(
    amount: Fraction, rounding: Spelled, exponent: int
) -> None:
    currency = Currency("credits", exponent)
    expected = oracle.rounded(amount * 10**exponent, rounding.first.value)
    assert Money.of(amount, currency, rounding.second) == Money(expected, currency)


@given(signed_numbers, st.integers(0, 12))
def test_money_of_an_amount_is_exact_or_refused(amount: Spelled, exponent: int) -> None:
    currency = Currency("credits", exponent)
    minor = Fraction(amount.first) * 10**exponent
    if minor.denominator == 1:
        money = Money.of(amount.second, currency)
        assert money == Money(int(minor), currency)
        assert money.amount == Fraction(amount.first)
    else:
        with pytest.raises(InvalidValue, match="amount: must have at most"):
            Money.of(amount.second, currency)
