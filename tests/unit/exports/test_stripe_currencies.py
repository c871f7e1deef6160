"""Amounts as Stripe writes them."""

from __future__ import annotations

from typing import Any

import pytest

from overages import Currency, Money
from overages.errors import InvalidType, InvalidValue, UnknownCurrency
from overages.exports.stripe import money_of_stripe, stripe_amount


@pytest.mark.parametrize(
    ("amount", "code", "expected"),
    [
        pytest.param("10.00", "USD", 1000, id="two decimals, as most"),
        pytest.param("500", "JPY", 500, id="none, as in ISO 4217"),
        pytest.param("5", "ISK", 500, id="two where ISO 4217 has none, always 00"),
        pytest.param("5", "UGX", 500, id="two where ISO 4217 has none, always 00 (UGX)"),
        pytest.param("500.00", "MGA", 500, id="none where ISO 4217 has two"),
        pytest.param("5.12", "KWD", 5120, id="three, the last of them 0"),
        pytest.param("5.120", "TND", 5120, id="three, the last of them 0 (TND)"),
        pytest.param("10.45", "HUF", 1045, id="two: special in payouts alone"),
        pytest.param("800.45", "TWD", 80045, id="two: special in payouts alone (TWD)"),
    ],
)
def test_an_amount_has_the_decimals_of_stripe(amount: str, code: str, expected: int) -> None:
    for sign in (1, -1):
        money = Money(sign * Money.of(amount, code).minor, code)
        assert stripe_amount(money) == sign * expected
        assert money_of_stripe(sign * expected, code.lower()) == money


@pytest.mark.parametrize(
    ("money", "step"),
    [
        (Money.of("5.124", "KWD"), "0.01 KWD"),
        (Money.of("-0.001", "JOD"), "0.01 JOD"),
        (Money.of("500.50", "MGA"), "1 MGA"),
        (Money.of("0.01", "MGA"), "1 MGA"),
    ],
    ids=str,
)
def test_an_amount_that_stripe_can_not_write_is_refused_and_never_rounded(
    money: Money, step: str
) -> None:
    with pytest.raises(InvalidValue, match=f"cost: must be in steps of {step} for Stripe"):
        stripe_amount(money)


@pytest.mark.parametrize("code", ["IQD", "LYD", "CLF", "UYW", "UYI"])
def test_a_currency_of_other_decimals_that_stripe_does_not_name_is_refused(code: str) -> None:
    with pytest.raises(InvalidValue, match="must be in a currency that Stripe has"):
        stripe_amount(Money(0, code))


def test_a_unit_of_the_hosts_own_is_refused() -> None:
    with pytest.raises(InvalidValue, match="due: must be in a currency that Stripe has"):
        stripe_amount(Money(1, Currency("credits", 2)), "due")


def test_what_is_no_money_is_refused() -> None:
    wrong: Any = 5
    with pytest.raises(InvalidType, match="cost: must be of type Money"):
        stripe_amount(wrong)


@pytest.mark.parametrize(("amount", "code"), [(501, "isk"), (1, "ugx")])
def test_an_amount_of_stripes_that_is_no_whole_minor_unit_is_refused(
    amount: int, code: str
) -> None:
    with pytest.raises(InvalidValue, match="amount: must be whole minor units of"):
        money_of_stripe(amount, code)


def test_a_currency_of_stripes_that_is_unknown_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        money_of_stripe(1, "zzz")
