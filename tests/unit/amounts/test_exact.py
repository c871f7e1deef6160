"""Exact numbers: what is accepted, its one form, and what is refused."""

from collections.abc import Iterator
from decimal import Decimal, localcontext
from enum import IntEnum
from fractions import Fraction
from typing import Any

import pytest

from overages._ground.parsing import Parser
from overages.amounts.exact import (
    LIMIT,
    add_up,
    as_quantity,
    excess,
    number_from_ratio,
    optional_amount,
    optional_non_negative,
    optional_quantity,
    parse_amount,
    parse_non_negative,
    parse_positive,
    parse_quantity,
    parse_sum,
    plain_text,
    plus,
    scaled,
    unscaled,
)
from overages.errors import InvalidType, InvalidValue, OveragesError

NINES_26 = "99999999999999999999999999"
NINES_12 = "999999999999"
NOT_PLAIN = "must be a plain decimal number such as 12.5"
TOO_LARGE = "must have at most 26 integer digits"
TOO_FINE = "must have at most 12 decimal digits"
NOT_FINITE = "must be a finite number"
TYPES = "must be an int, a Decimal or a decimal string"


class Seats(IntEnum):
    THREE = 3
    FAR_TOO_MANY = 10**26


class Text(str):
    __slots__ = ()


@pytest.fixture
def hostile_context() -> Iterator[None]:
    """One digit, tiny exponents, and every signal raises: any use of the context shows."""
    with localcontext() as context:
        context.prec, context.Emax, context.Emin = 1, 0, 0
        for signal in context.traps:
            context.traps[signal] = True
        yield


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (0, "0"),
        (7, "7"),
        (-7, "-7"),
        (10**26 - 1, NINES_26),
        (1 - 10**26, f"-{NINES_26}"),
        (Seats.THREE, "3"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("+5", "5"),
        ("-5", "-5"),
        ("007", "7"),
        ("5.0", "5"),
        ("1.50", "Decimal('1.5')"),
        ("-1.50", "Decimal('-1.5')"),
        ("-0.5", "Decimal('-0.5')"),
        ("0.000000000001", "Decimal('1E-12')"),
        ("1.0000000000000", "1"),
        ("1.5e-07", "Decimal('1.5E-7')"),
        ("-1.5E-7", "Decimal('-1.5E-7')"),
        ("1e3", "1000"),
        ("+1.25e+03", "1250"),
        ("1.25e1", "Decimal('12.5')"),
        ("12500e-3", "Decimal('12.5')"),
        ("100e-2", "1"),
        ("1e0", "1"),
        ("1e-00000000000000000000012", "Decimal('1E-12')"),
        ("1e25", "10000000000000000000000000"),
        ("0e999999999", "0"),
        ("-0.0e-999999999", "0"),
        pytest.param(f"0.{'0' * 990}1e991", "1", id="a point moved by 991 places"),
        pytest.param(f"1{'0' * 990}e-990", "1", id="a point moved back by 990 places"),
        (f"{NINES_26}.{NINES_12}", f"Decimal('{NINES_26}.{NINES_12}')"),
        pytest.param("0" * 1000, "0", id="a thousand zeros"),
        (Text("1.5"), "Decimal('1.5')"),
        (Decimal("5.0"), "5"),
        (Decimal("-0"), "0"),
        (Decimal("-0.0"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E+25"), "10000000000000000000000000"),
        (Decimal("1.5000000000000000"), "Decimal('1.5')"),
        (Decimal("1E-12"), "Decimal('1E-12')"),
        (Decimal("-2.50"), "Decimal('-2.5')"),
        (Decimal("0E+1000000"), "0"),
        (Decimal("0E-1000000"), "0"),
        (Decimal(f"{NINES_26}.{NINES_12}"), f"Decimal('{NINES_26}.{NINES_12}')"),
    ],
)
def test_a_number_has_one_form(value: object, form: str) -> None:
    assert repr(parse_quantity(value, "used")) == form


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", " 5", "5 ", "5\n", "\t5", "5\x00", "1 000", "1_000", "1,000", "1'000"),
        *("1e", "e5", "1e+", "1e-", "1ee5", "1e--5", "1e1.5", "1 e5", "1e 5", "1_000e1", "1e1_0"),
        *("\uff11e5", "1e\uff15", "1,5e3", ".5e3", "5.e3", "nane5", "1e5e5"),
        *("0x10", "1/2", "5%", "$5", "1.2.3"),
        *(".5", "5.", ".", "+", "-", "--5", "+-5", "5-", "\u22125"),
        *("NaN", "nan", "sNaN", "Infinity", "inf", "-inf", "None", "True"),
        *("\u0663", "\uff15", "\u0967\u0968", "\u00b2", "\u00bd", "5\u06f0", "1\u066b5"),
        pytest.param("0" * 1001, id="1,001 characters"),
        pytest.param("9" * 1_000_000, id="a million characters"),
    ],
)
def test_a_string_that_is_no_plain_decimal_is_refused(value: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^used: {NOT_PLAIN}, got "):
        parse_quantity(value, "used")


@pytest.mark.parametrize(
    "value",
    [
        10**26,
        -(10**26),
        pytest.param(10**5000, id="10**5000"),  # its repr is an error of its own
        Seats.FAR_TOO_MANY,
        "1" + "0" * 26,
        "-1" + "0" * 26,
        "1" + "0" * 26 + ".5",
        "1e26",
        "-0.001e29",
        "1e999999999",
        pytest.param(f"0.{'0' * 900}1e{'9' * 90}", id="an exponent of 90 digits"),
        Decimal("1E+26"),
        Decimal("-1E+26"),
        Decimal("1E+1000000"),
        Decimal("1" + "0" * 26 + ".5"),
    ],
)
def test_over_26_integer_digits_are_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=rf"^used: {TOO_LARGE}, got "):
        parse_quantity(value, "used")


@pytest.mark.parametrize(
    "value",
    [
        "0.0000000000001",
        "-1.0000000000001",
        "1e-13",
        "-1.5e-12",
        "1e-999999999",
        Decimal("1E-13"),
        Decimal("1.0000000000001"),
        Decimal("1E-1000000"),
    ],
)
def test_over_12_decimal_digits_are_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=rf"^used: {TOO_FINE}, got "):
        parse_quantity(value, "used")


@pytest.mark.parametrize("text", ["NaN", "-NaN", "NaN123", "sNaN", "Infinity", "-Infinity"])
def test_a_decimal_that_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^used: {NOT_FINITE}, got {text}$"):
        parse_quantity(Decimal(text), "used")


@pytest.mark.parametrize(
    "value",
    [1.5, 1.0, float("nan"), float("inf"), True, False, None, b"5", Fraction(1, 2), [5], 1j, int],
)
def test_what_is_no_exact_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidType, match=rf"^used: {TYPES}, got "):
        parse_quantity(value, "used")


@pytest.mark.parametrize(
    ("value", "number"), [("0", 0), (5, 5), ("-0", 0), ("0.5", Decimal("0.5"))]
)
def test_zero_and_more_are_not_negative(value: object, number: object) -> None:
    assert parse_non_negative(value, "used") == number


@pytest.mark.parametrize("value", [-1, "-0.000000000001", Decimal("-1E+25")])
def test_less_than_zero_is_negative(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^used: must not be negative, got "):
        parse_non_negative(value, "used")


def test_the_least_positive_number_is_a_trillionth() -> None:
    assert parse_positive("0.000000000001", "per") == Decimal("0.000000000001")


@pytest.mark.parametrize("value", [0, "0.0", Decimal("-0"), -1])
def test_zero_and_less_are_not_positive(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^per: must be more than zero, got "):
        parse_positive(value, "per")


@pytest.mark.parametrize("parse", [optional_quantity, optional_non_negative, optional_amount])
def test_optional_numbers_may_be_none(parse: Any) -> None:
    assert parse(None, "limit") is None
    assert parse(5, "limit") == 5


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (0, 0),
        (3, 3_000_000_000_000),
        (-3, -3_000_000_000_000),
        (Decimal("0.5"), 500_000_000_000),
        (Decimal("-1.25"), -1_250_000_000_000),
        (Decimal("1E-12"), 1),
        (10**26 - 1, 99_999_999_999_999_999_999_999_999_000_000_000_000),
    ],
)
def test_scaled_counts_trillionths_and_unscaled_takes_it_back(number: Any, parts: int) -> None:
    assert scaled(number) == parts
    assert repr(unscaled(parts)) == repr(number)


@pytest.mark.parametrize(
    ("used", "limit", "over"),
    [
        (75, 50, 25),
        (50, 50, 0),
        (49, 50, 0),
        (75, None, 0),
        (Decimal("10.5"), 10, Decimal("0.5")),
        (Decimal("10.5"), Decimal("0.5"), 10),
        (1, Decimal("1E-12"), Decimal("0.999999999999")),
    ],
)
def test_excess_is_what_lies_beyond_the_limit(used: Any, limit: Any, over: Any) -> None:
    assert repr(excess(used, limit)) == repr(over)


@pytest.mark.parametrize(
    ("numerator", "denominator", "form"),
    [
        (25, 1, "Decimal('25')"),
        (-25, 1, "Decimal('-25')"),
        (50, 2, "Decimal('25')"),
        (1, 8, "Decimal('0.125')"),
        (-1, 8, "Decimal('-0.125')"),
        (3, 15, "Decimal('0.2')"),
        (7, 250, "Decimal('0.028')"),
        (0, 60, "Decimal('0')"),
        (1, 60, "Fraction(1, 60)"),
        (-20, 60, "Fraction(-1, 3)"),
        (1, 10**13, "Decimal('1E-13')"),
    ],
)
def test_a_ratio_is_a_decimal_where_one_is_exact(
    numerator: int, denominator: int, form: str
) -> None:
    assert repr(number_from_ratio(numerator, denominator)) == form


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (25, "Decimal('25')"),
        (Decimal("25.00"), "Decimal('25')"),
        (Decimal("-0"), "Decimal('0')"),
        (Decimal("0E-200"), "Decimal('0')"),
        (Decimal("0E+200"), "Decimal('0')"),
        (Decimal("1E-1000"), "Decimal('1E-1000')"),
        (Decimal("9E+999"), "Decimal('9" + "0" * 999 + "')"),
        (Fraction(1, 4), "Decimal('0.25')"),
        (Fraction(1, 3), "Fraction(1, 3)"),
    ],
)
def test_an_amount_has_one_form_and_may_be_finer_than_a_quantity(value: object, form: str) -> None:
    assert repr(parse_amount(value, "exact_cost")) == form


@pytest.mark.parametrize("value", [1.5, True, "1.5", None])
def test_an_amount_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^x: must be an int, a Decimal or a Fraction, got "):
        parse_amount(value, "x")


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_an_amount_that_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"^x: must be a finite number, got "):
        parse_amount(Decimal(text), "x")


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1E+1000000"),
        Decimal("1E-1000000"),
        Decimal("1E-1001"),
        Decimal("1E+1000"),
        pytest.param(10**5000, id="10**5000"),
        pytest.param(Fraction(1, 2**1001), id="1/2**1001"),  # a decimal number of 1001 decimals
    ],
)
def test_an_amount_of_over_a_thousand_digits_on_a_side_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"^x: must have at most 1000 digits on a side, got "):
        parse_amount(value, "x")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-1234, "-1,234"),
        (1_234_567, "1,234,567"),
        (Decimal("1234567.25"), "1,234,567.25"),
        (Decimal("1E-12"), "0.000000000001"),
        (Decimal("1E+3"), "1,000"),
        (Fraction(10, 60), "1/6"),
        (Fraction(-5000, 3), "-5000/3"),
    ],
)
def test_numbers_are_written_in_full(number: Any, text: str) -> None:
    assert plain_text(number) == text


@pytest.mark.usefixtures("hostile_context")
def test_no_decimal_context_changes_a_number() -> None:
    long = Decimal(f"{NINES_26}.{NINES_12}")
    assert repr(parse_quantity(f"{NINES_26}.{NINES_12}", "used")) == repr(long)
    assert repr(parse_quantity(long, "used")) == repr(long)
    assert repr(excess(long, Decimal("0.999999999999"))) == NINES_26
    assert repr(number_from_ratio(123456, 1000)) == "Decimal('123.456')"
    assert repr(parse_amount(Decimal("123.4560"), "x")) == "Decimal('123.456')"
    assert plain_text(long) == f"99,999,999,999,999,999,999,999,999.{NINES_12}"


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (parse_quantity, 10**26),
        (parse_quantity, "1" * 27),
        (parse_quantity, "0.1234567890123"),
        (parse_quantity, Decimal("1E+26")),
        (parse_quantity, Decimal("1E-13")),
        (parse_quantity, Decimal("NaN")),
        (parse_quantity, "1e"),
        (parse_quantity, 1.5),
        (parse_amount, Decimal("NaN")),
        (parse_amount, Decimal("1E+1000")),
        (parse_sum, Decimal("1E-13")),
        (parse_sum, 1.5),
    ],
)
def test_an_error_carries_the_field_and_the_offending_value(
    parse: Parser[object], value: object
) -> None:
    with pytest.raises(OveragesError) as caught:
        parse(value, "x")
    (error,) = caught.value.errors
    assert isinstance(error, (InvalidValue, InvalidType))
    assert error.field == "x"
    assert error.value is value


def test_two_quantities_are_added_exactly() -> None:
    assert repr(plus(3, 4)) == "7"
    assert repr(plus(Decimal("0.5"), Decimal("-10.5"))) == "-10"


def test_a_sum_of_quantities_is_exact_and_may_be_larger_than_one() -> None:
    assert add_up([]) == 0
    assert add_up([Decimal("0.5"), -1, Decimal("0.000000000001")]) == Decimal("-0.499999999999")
    assert add_up([LIMIT - 1, LIMIT - 1]) == 2 * LIMIT - 2


def test_a_worked_out_number_is_a_quantity_only_if_it_is_one_exactly() -> None:
    assert as_quantity(Fraction(3, 2), "limit") == Decimal("1.5")
    for number in (Fraction(1, 3), Fraction(1, 10**13), Fraction(LIMIT)):
        with pytest.raises(OveragesError, match=r"^limit: "):
            as_quantity(number, "limit")
