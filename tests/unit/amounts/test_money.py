"""Currencies, and money in whole minor units."""

import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import Currency, Money
from overages.amounts.money import parse_currency
from overages.errors import (
    CurrencyMismatch,
    InvalidType,
    InvalidValue,
    InvalidValues,
    UnknownCurrency,
)

USD_5 = Money(500, "USD")
ORDER: list[Callable[[Any, Any], bool]] = [operator.lt, operator.le, operator.gt, operator.ge]
SUMS: list[Callable[[Any, Any], Any]] = [operator.add, operator.sub]


@pytest.mark.parametrize(
    ("code", "exponent"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("DEM", 2)]
)
def test_iso_4217_decides_the_exponent_of_its_codes(code: str, exponent: int) -> None:
    assert Currency(code).exponent == exponent


@pytest.mark.parametrize("code", ["US", "XYZ", "XAU", "credits"])
def test_a_code_that_iso_4217_has_no_exponent_for_is_unknown(code: str) -> None:
    problem = "must be an ISO 4217 code such as USD, or a Currency with an exponent"
    with pytest.raises(UnknownCurrency, match=f"^code: {problem}, got '{code}'$"):
        Currency(code)
    with pytest.raises(UnknownCurrency, match=f"^unit: {problem}, got '{code}'$"):
        parse_currency(code, "unit")


@pytest.mark.parametrize("code", ["usd", "Usd", " USD"])
def test_a_code_in_other_letters_is_unknown_and_the_right_one_is_named(code: str) -> None:
    hint = r"with an exponent \(did you mean 'USD'\?\), got "
    with pytest.raises(UnknownCurrency, match=hint):
        Money(5, code)


def test_a_code_and_an_exponent_that_are_both_refused_are_told_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        Currency("", 13)
    assert [error.field for error in caught.value.errors] == ["code", "exponent"]


@pytest.mark.parametrize("exponent", [0, 2, 12])
def test_a_host_may_have_a_unit_of_its_own(exponent: int) -> None:
    credit = Currency("credits", exponent)
    assert (credit.code, credit.exponent) == ("credits", exponent)


def test_the_exponent_of_iso_4217_may_be_repeated_but_not_changed() -> None:
    assert Currency("KWD", 3) == Currency("KWD")
    with pytest.raises(InvalidValue, match=r"^exponent: must be 3 for KWD \(ISO 4217\), got 2$"):
        Currency("KWD", 2)


@pytest.mark.parametrize("exponent", [-1, 13])
def test_an_exponent_is_from_0_to_12(exponent: int) -> None:
    with pytest.raises(InvalidValue, match=f"^exponent: must be from 0 to 12, got {exponent}$"):
        Currency("credits", exponent)


@pytest.mark.parametrize("exponent", [True, 2.0, "2", Decimal(2)])
def test_an_exponent_is_an_int(exponent: Any) -> None:
    with pytest.raises(InvalidType, match=r"^exponent: must be an int, got "):
        Currency("credits", exponent)


@pytest.mark.parametrize(
    ("code", "error"), [("", InvalidValue), ("US\n", InvalidValue), (840, InvalidType)]
)
def test_a_code_is_a_name(code: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^code: must "):
        Currency(code)


def test_a_currency_is_made_of_itself_or_its_code() -> None:
    euro = Currency("EUR")
    assert parse_currency(euro, "currency") is euro
    assert parse_currency("EUR", "currency") == euro


@pytest.mark.parametrize("value", [None, 978, b"EUR"])
def test_a_currency_is_made_of_nothing_else(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^unit: must be a Currency or a code such as 'USD', "):
        parse_currency(value, "unit")


def test_a_currency_prints_its_code() -> None:
    assert str(Currency("credits", 2)) == "credits"


@pytest.mark.parametrize("minor", [True, 5.0, "5", Decimal(5), None])
def test_minor_units_are_an_int(minor: Any) -> None:
    with pytest.raises(InvalidType, match=r"^minor: must be an int, got "):
        Money(minor, "USD")


@pytest.mark.parametrize(("currency", "error"), [("usd", UnknownCurrency), (None, InvalidType)])
def test_money_has_a_known_currency(currency: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^currency: must be "):
        Money(5, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("50.00", "USD", 5000),
        ("50", "USD", 5000),
        (50, "USD", 5000),
        (Decimal("-0.05"), "USD", -5),
        (Fraction(1, 4), "USD", 25),
        ("0.001", "KWD", 1),
        ("1234", "JPY", 1234),
    ],
)
def test_money_of_an_amount_in_major_units(amount: Any, currency: str, minor: int) -> None:
    assert Money.of(amount, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "decimals"),
    [("0.005", "USD", 2), (Fraction(1, 3), "USD", 2), ("0.5", "JPY", 0), ("0.0001", "KWD", 3)],
)
def test_an_amount_finer_than_the_minor_unit_is_refused(
    amount: Any, currency: str, decimals: int
) -> None:
    problem = f"must have at most {decimals} decimals in {currency}, or name a rounding"
    with pytest.raises(InvalidValue, match=f"^amount: {problem}, got "):
        Money.of(amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "rounding", "minor"),
    [
        ("0.005", "USD", "half_up", 1),
        ("0.005", "USD", "half_even", 0),
        ("-0.005", "USD", "half_up", -1),
        ("-0.005", "USD", "ceiling", 0),
        (Fraction(1, 3), "USD", "up", 34),
        ("0.5", "JPY", "half_down", 0),
        ("50.00", "USD", "up", 5000),
    ],
)
def test_an_amount_is_rounded_as_told(
    amount: Any, currency: str, rounding: Any, minor: int
) -> None:
    assert Money.of(amount, currency, rounding) == Money(minor, currency)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((0.5, "USD"), r"^amount: must be an int, a Decimal or a decimal string, got 0\.5$"),
        (("1e", "USD"), r"^amount: must be a plain decimal number such as 12\.5, got '1e'$"),
        (("1", "USD", "nearest"), r"^rounding: must be one of half_up, "),
    ],
)
def test_money_of_refuses_bad_arguments(args: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=message):
        Money.of(*args)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (5000, "USD", "50.00 USD"),
        (0, "USD", "0.00 USD"),
        (-5, "USD", "-0.05 USD"),
        (123_456_789, "USD", "1,234,567.89 USD"),
        (1_234_567, "JPY", "1,234,567 JPY"),
        (1, "KWD", "0.001 KWD"),
        (10**30, "USD", "10,000,000,000,000,000,000,000,000,000.00 USD"),
    ],
)
def test_money_prints_major_units_with_the_decimals_of_its_currency(
    minor: int, currency: str, text: str
) -> None:
    assert str(Money(minor, currency)) == text


def test_the_amount_is_in_major_units_with_the_decimals_of_the_currency() -> None:
    assert [str(Money(5000, code).amount) for code in ("USD", "JPY", "KWD")] == [
        "50.00",
        "5000",
        "5.000",
    ]


def test_the_repr_of_money_makes_it_again() -> None:
    assert repr(Money(-5000, "USD")) == "Money(-5000, 'USD')"
    assert eval(repr(Money(-5000, "USD"))) == Money(-5000, "USD")
    credit = Money(5, Currency("credits", 3))
    assert repr(credit) == "Money(5, Currency(code='credits', exponent=3))"
    assert eval(repr(credit)) == credit


def test_money_adds_subtracts_and_changes_sign() -> None:
    assert Money(5000, "USD") + Money(50, "USD") == Money(5050, "USD")
    assert Money(50, "USD") - Money(5000, "USD") == Money(-4950, "USD")
    assert -Money(50, "USD") == Money(-50, "USD")


def test_money_is_summed_from_the_zero_that_sum_begins_with() -> None:
    costs = [Money(1, "USD"), Money(2, "USD"), Money(-4, "USD")]
    assert sum(costs) == sum(costs, Money(0, "USD")) == Money(-1, "USD")
    assert sum([]) == 0  # of no currency
    with pytest.raises(CurrencyMismatch):
        sum([Money(1, "USD"), Money(1, "EUR")])


@pytest.mark.parametrize("number", [1, -1, 0.0, False, Decimal(0), "0", None])
def test_no_other_number_is_added_to_money(number: Any) -> None:
    with pytest.raises(TypeError, match="Money"):
        number + USD_5
    with pytest.raises(TypeError, match="Money"):
        USD_5 + number


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("", "1,234.50 USD"),
        (">14", "  1,234.50 USD"),
        ("<14", "1,234.50 USD  "),
        ("*^16", "**1,234.50 USD**"),
        ("14", "1,234.50 USD  "),
        (">3", "1,234.50 USD"),
        ("\N{NO-BREAK SPACE}>13", "\N{NO-BREAK SPACE}1,234.50 USD"),
    ],
)
def test_money_is_formatted_as_its_text_aligned(spec: str, text: str) -> None:
    assert format(Money(123_450, "USD"), spec) == text


@pytest.mark.parametrize(
    "spec",
    [".2f", ",", ",.2f", ".3", "s", "d", "014", "0>14", "->14", ",>14", ".>14", "=14", "> 14"],
)
def test_a_format_that_could_change_an_amount_is_refused_and_says_what_to_do(spec: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        format(Money(123_450, "USD"), spec)
    assert str(caught.value) == (
        "format: must align the text, such as '>12'; a number is f'{money.amount:,f}', "
        f"got {spec!r}"
    )


@pytest.mark.parametrize(
    ("minor", "compared"),
    [
        (499, [False, False, True, True]),
        (500, [False, True, False, True]),
        (501, [True, True, False, False]),
    ],
)
def test_money_is_ordered_by_amount(minor: int, compared: list[bool]) -> None:
    assert [compare(USD_5, Money(minor, "USD")) for compare in ORDER] == compared


@pytest.mark.parametrize("operation", ORDER + SUMS)
def test_two_currencies_do_not_meet(operation: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(CurrencyMismatch, match=r"^USD and EUR can't be added or comp"):
        operation(USD_5, Money(500, "EUR"))


def test_units_of_one_code_and_two_exponents_are_two_currencies() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, Currency("credits", 2)) + Money(1, Currency("credits", 3))


@pytest.mark.parametrize("operation", ORDER + SUMS)
@pytest.mark.parametrize("stranger", [500, Decimal(5), "5.00", None])
def test_money_and_a_stranger_do_not_mix(
    operation: Callable[[Any, Any], Any], stranger: Any
) -> None:
    with pytest.raises(TypeError, match="Money"):
        operation(USD_5, stranger)
    with pytest.raises(TypeError, match="Money"):
        operation(stranger, USD_5)


def test_money_can_not_be_multiplied() -> None:
    with pytest.raises(TypeError):
        operator.mul(USD_5, 2)


def test_money_is_equal_by_amount_and_currency_alone() -> None:
    assert len({Money(500, "USD"), Money.of("5.00", "USD"), Money(500, Currency("USD"))}) == 1
    assert Money(0, "USD") != Money(0, "EUR")
    assert Money(5, "USD") != Money(6, "USD")
    assert Money(5, "USD") != object()


def test_shares_of_money_add_up() -> None:
    assert Money(-100, "USD").allocate([1, "1", 1]) == (
        Money(-34, "USD"),
        Money(-33, "USD"),
        Money(-33, "USD"),
    )


def test_an_exact_cost_is_rounded_however_many_decimals_it_has() -> None:
    assert Money.of(Decimal("0.0049999999999999999999"), "USD", "half_up") == Money(0, "USD")
    assert Money.of(Decimal("0.0050000000000000000001"), "USD", "half_down") == Money(1, "USD")
