"""Exact numbers: strict parsing, bounds, and integers at a declared scale.

A quantity is an `int`, or a `Decimal` where it has decimals; the same value always has the same
form: ``Decimal("5.0")`` becomes ``5``, ``"1.50"`` becomes ``Decimal("1.5")``, ``-0`` becomes ``0``.
Inside, arithmetic is done on integers: a quantity in picos (10^-12 of a unit), or a ratio of two
integers. No `decimal` operation that reads the ambient context (``+``, ``quantize``,
``normalize``) is used anywhere in the library: only construction, comparison and ``as_tuple``,
which are exact always.

    over = unscaled(scaled(used) - scaled(limit))
    cost = number_from_ratio(numerator, denominator)       # Decimal("25"), or Fraction(1, 3)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import Final, TypeAlias

from overages._ground.parsing import is_a, optional, plain_str
from overages.errors import Field, InvalidType, InvalidValue

Quantity: TypeAlias = int | Decimal
"""An exact number of units in its one form: `int` if whole, else a `Decimal`."""

QuantityLike: TypeAlias = int | Decimal | str
"""A number as a caller may write it: `int`, `Decimal` or a decimal string: 12.5, or 1.5e-07."""

Exact: TypeAlias = Decimal | Fraction
"""An unrounded amount: a `Decimal`; a `Fraction` only where no decimal is exact (price per 3)."""

INTEGER_DIGITS: Final = 26
DECIMAL_DIGITS: Final = 12
SCALE: Final = 10**DECIMAL_DIGITS  # picos of a unit: the finest quantity is 1 of them
LIMIT: Final = 10**INTEGER_DIGITS
_EXPONENTS: Final = tuple(f"E-{DECIMAL_DIGITS - zeros}" for zeros in range(DECIMAL_DIGITS))
"""By how many zeros a number of picos ends in."""
_NUMBER: Final = r"([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?"
# A product of the finest numbers there are has some two hundred; a sum of ratios has more with each
# new denominator, and no end.
_AMOUNT_DIGITS: Final = 1_000
_LONGEST: Final = 1_000  # characters; a longer string is no number that anyone wrote
_FURTHEST: Final = 3_000  # places that an exponent moves the point: all digits are then beyond it


def parse_quantity(value: object, field: Field) -> Quantity:
    """Return `value` as an exact quantity in its one form, of any sign.

    >>> parse_quantity("750000.50", "used"), parse_quantity("1.5e-07", "price")
    (Decimal('750000.5'), Decimal('1.5E-7'))
    >>> parse_quantity(1.5, "used")
    Traceback (most recent call last):
        ...
    overages.errors.InvalidType: used: must be an int, a Decimal or a decimal string, got 1.5
    """
    if type(value) is int:
        if -LIMIT < value < LIMIT:
            return value
        raise InvalidValue(field, value, _too_large)
    if type(value) is str:
        return unscaled(_scaled_text(value, field))
    if type(value) is Decimal:
        return unscaled(_scaled_decimal(value, field))
    plain = of_base_class(value)
    if plain is value:
        raise InvalidType(field, value, "must be an int, a Decimal or a decimal string")
    return parse_quantity(plain, field)


def of_base_class(value: object) -> object:
    """Return the `int`, `Decimal` or `str` that an object of a subclass is; others as they are.

    The base class reads it. The subclass may say anything: that it is less than it is, that it
    equals any other, that 5 comes of ``int`` of it.

    >>> from http import HTTPStatus
    >>> of_base_class(HTTPStatus.OK), of_base_class(True)
    (200, True)
    """
    if is_a(value, int) and type(value) is not bool:
        return int.__int__(value)
    if is_a(value, Decimal):
        return Decimal(value)
    text = plain_str(value)
    return value if text is None else text


def parse_non_negative(value: object, field: Field) -> Quantity:
    """Return `value` as a quantity that is zero or more."""
    number = parse_quantity(value, field)
    if number < 0:
        raise InvalidValue(field, value, "must not be negative")
    return number


def parse_positive(value: object, field: Field) -> Quantity:
    """Return `value` as a quantity above zero."""
    number = parse_quantity(value, field)
    if number <= 0:
        raise InvalidValue(field, value, "must be more than zero")
    return number


def parse_ordinal(value: object, field: Field) -> int:
    """Return `value` if it counts from 1: an `int`, below 2**63 so that any database holds it."""
    if type(value) is not int:
        raise InvalidType(field, value, "must be an int")
    if not 1 <= value < 2**63:
        raise InvalidValue(field, value, "must be from 1 to 2**63 - 1")
    return value


def scaled(number: Quantity) -> int:
    """Return a quantity in picos, `SCALE` of which are a unit.

    >>> scaled(Decimal("0.5"))
    500000000000
    """
    if type(number) is int:
        return number * SCALE
    numerator, denominator = number.as_integer_ratio()
    return numerator * (SCALE // denominator)


def unscaled(picos: int) -> Quantity:
    """Return a number of picos as a quantity in its one form: the inverse of `scaled`."""
    if not picos:  # as much of what is counted
        return 0
    units, rest = divmod(picos, SCALE)
    if not rest:
        return units
    written = str(picos)
    digits = written.rstrip("0")
    return Decimal(digits + _EXPONENTS[len(written) - len(digits)])


def add_up(numbers: Iterable[Quantity]) -> Quantity:
    """Return a sum of quantities, exactly; it may be larger than a quantity."""
    units = picos = 0
    for number in numbers:
        if type(number) is int:  # as most are
            units += number
        else:
            picos += scaled(number)
    return unscaled(units * SCALE + picos) if picos else units


def plus(left: Quantity, right: Quantity) -> Quantity:
    """Return the sum of two quantities, exactly: half the time of adding up a list of them.

    >>> plus(Decimal("10.5"), Decimal("0.5"))
    11
    """
    if type(left) is int and type(right) is int:
        return left + right
    return unscaled(scaled(left) + scaled(right))


def excess(used: Quantity, limit: Quantity | None) -> Quantity:
    """Return ``max(0, used - limit)``, exactly; 0 where there is no limit.

    >>> excess(Decimal("10.5"), 10)
    Decimal('0.5')
    """
    if limit is None or used <= limit:
        return 0
    if type(used) is int and type(limit) is int:
        return used - limit
    return unscaled(scaled(used) - scaled(limit))


def parse_amount(value: object, field: Field) -> Exact:
    """Return an unrounded amount in its one form; it may be finer than a quantity.

    :raises InvalidType: if it is no `int`, `Decimal` or `Fraction`.
    :raises InvalidValue: if it is not finite, or has over a thousand digits on a side of the point.
    """
    if type(value) is Fraction:  # of a subclass, nothing but itself can read the two integers
        if max(abs(value.numerator), value.denominator) >= 10**_AMOUNT_DIGITS:
            raise InvalidValue(field, value, f"must have at most {_AMOUNT_DIGITS} digits on a side")
        value = number_from_ratio(value.numerator, value.denominator)
        if type(value) is Fraction:
            return value
    plain = of_base_class(value)
    if type(plain) is not int and type(plain) is not Decimal:
        raise InvalidType(field, value, "must be an int, a Decimal or a Fraction")
    number = Decimal(plain)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidValue(field, value, "must be a finite number")
    if exponent < -_AMOUNT_DIGITS or number.adjusted() >= _AMOUNT_DIGITS:
        raise InvalidValue(field, value, f"must have at most {_AMOUNT_DIGITS} digits on a side")
    return number_from_ratio(*number.as_integer_ratio())


def parse_ratio(value: object, field: Field) -> Fraction:
    """Parse any exact number as a ratio: as a caller writes it, or an amount not yet rounded.

    :raises InvalidType: if it is no `int`, `Decimal`, `Fraction` or decimal string.
    :raises InvalidValue: as `parse_amount`, or `parse_quantity` for an `int` or a string.

    >>> parse_ratio("0.25", "share"), parse_ratio(Decimal("1E-20"), "amount").denominator == 10**20
    (Fraction(1, 4), True)
    """
    if type(value) is Fraction:
        return value
    amount = parse_amount if is_a(value, Decimal) else parse_quantity
    return Fraction(amount(value, field))


def parse_sum(value: object, field: Field) -> Quantity:
    """Return a sum of quantities in its one form; it may be larger than any of them.

    :raises InvalidType: if it is no `int` or `Decimal`.
    :raises InvalidValue: if it is not finite, or has more decimals than a quantity.
    """
    if type(value) is int and -LIMIT < value < LIMIT:
        return value
    plain = of_base_class(value)
    if type(plain) is not int and type(plain) is not Decimal:
        raise InvalidType(field, value, "must be an int or a Decimal")
    number = parse_amount(plain, field)
    numerator, denominator = number.as_integer_ratio()
    if SCALE % denominator:
        raise InvalidValue(field, value, _too_fine)
    return unscaled(numerator * (SCALE // denominator))


def parse_non_negative_sum(value: object, field: Field) -> Quantity:
    """Return `value` as a sum of quantities that is zero or more."""
    number = parse_sum(value, field)
    if number < 0:
        raise InvalidValue(field, value, "must not be negative")
    return number


def parse_sum_like(value: object, field: Field) -> Quantity:
    """Return `value`, also a decimal string, as a sum of quantities that is zero or more.

    >>> parse_sum_like("120.50", "amount_before")
    Decimal('120.5')
    """
    text = plain_str(value)
    if text is None:
        return parse_non_negative_sum(value, field)
    plain = plain_number(text) if len(text) <= _LONGEST else None
    if plain is None:
        raise InvalidValue(field, value, _not_plain)
    return parse_non_negative_sum(Decimal(plain), field)


def parse_positive_sum(value: object, field: Field) -> Quantity:
    """Return `value` as a sum of quantities above zero."""
    number = parse_sum(value, field)
    if number <= 0:
        raise InvalidValue(field, value, "must be more than zero")
    return number


def as_quantity(number: Fraction, field: Field) -> Quantity:
    """Return a worked-out number as a quantity.

    :raises OveragesError: if no quantity is that exactly.
    """
    return parse_quantity(number_from_ratio(number.numerator, number.denominator), field)


def number_from_ratio(numerator: int, denominator: int) -> Exact:
    """Return ``numerator / denominator`` exactly: a `Decimal` if there is one, else a `Fraction`.

    A reduced fraction is a finite decimal just if its denominator has no prime factor but 2 and 5.

    >>> number_from_ratio(1, 8), number_from_ratio(1, 60)
    (Decimal('0.125'), Fraction(1, 60))
    """
    common = gcd(numerator, denominator)
    form = _decimal_form(denominator // common)
    if form is None:
        return Fraction(numerator, denominator)
    exponent, factor = form
    digits = numerator // common * factor
    if not exponent:
        return Decimal(digits)
    written = digits if -LIMIT < digits < LIMIT else Decimal(digits)  # a host may limit str(int)
    return Decimal(f"{written}{exponent}")


@lru_cache(maxsize=256)  # prices have few denominators
def _decimal_form(denominator: int) -> tuple[str, int] | None:
    """Return exponent and factor, E-3 and 8 for an 125th: ``1 / denominator == 8E-3``, if any."""
    twos, rest = _divide_out(denominator, 2)
    fives, rest = _divide_out(rest, 5)
    places = max(twos, fives)
    exponent = f"E-{places}" if places else ""
    return (exponent, 10**places // denominator) if rest == 1 else None


def plain_text(number: Quantity | Fraction) -> str:
    """Write a number in full with grouped thousands; a fraction that no decimal equals as n/d.

    >>> plain_text(Decimal("1234567.25")), plain_text(Fraction(10, 60))
    ('1,234,567.25', '1/6')
    """
    if isinstance(number, Fraction):
        return str(number)
    return f"{number:,f}" if isinstance(number, Decimal) else f"{number:,d}"


def number_text(number: Quantity | Fraction) -> str:
    """Write a number in full, as it is stored: ``250000``, ``0.0001``, or ``7/60``.

    Each number has one text, since each has one form.
    """
    if isinstance(number, int):
        try:
            return int.__repr__(number)  # of any kind of it
        except ValueError:  # for a host may limit how long it is
            return format(Decimal(number), "f")
    if isinstance(number, Decimal):
        text = str(number)  # takes 0.1 us, formatting 0.3
        return format(number, "f") if "E" in text or "e" in text else text
    return f"{Decimal(number.numerator)}/{Decimal(number.denominator)}"


def plain_number(text: str) -> str | None:
    """Return the text of a number without an exponent, digit by digit; None if it is no number.

    An exponent moves the point by some thousand places at most, which is out of all bounds.

    >>> plain_number("-1.5e-07"), plain_number("2E+3"), plain_number("12.50"), plain_number("1e")
    ('-0.00000015', '2000', '12.50', None)
    """
    match = re.fullmatch(_NUMBER, text)
    if match is None or not match[4]:
        return None if match is None else text
    integer, decimals = _moved(match[2], match[3] or "", match[4])
    return f"{match[1]}{integer or 0}.{decimals}" if decimals else f"{match[1]}{integer}"


def _moved(integer: str, decimals: str, exponent: str) -> tuple[str, str]:
    """Return the digits before the point and those behind it, as an exponent moves it."""
    size = exponent.lstrip("+-0") or "0"  # a giant one isn't converted: that takes its square
    places = min(int(size), _FURTHEST) if len(size) < 5 else _FURTHEST
    digits = integer + decimals
    point = len(integer) + (-places if exponent.startswith("-") else places)
    if point <= 0:
        return "", "0" * -point + digits
    return digits[:point].ljust(point, "0"), digits[point:]


optional_quantity: Final = optional(parse_quantity)
optional_non_negative: Final = optional(parse_non_negative)
optional_amount: Final = optional(parse_amount)

_too_large: Final = f"must have at most {INTEGER_DIGITS} integer digits"
_too_fine: Final = f"must have at most {DECIMAL_DIGITS} decimal digits"
_not_plain: Final = "must be a plain decimal number such as 12.5"


def _scaled_text(text: str, field: Field) -> int:
    match = re.fullmatch(_NUMBER, text) if len(text) <= _LONGEST else None
    if match is None:
        raise InvalidValue(field, text, _not_plain)
    sign, integer, decimals, exponent = match.groups("")
    if exponent:
        integer, decimals = _moved(integer, decimals, exponent)
    digits, decimals = integer.lstrip("0"), decimals.rstrip("0")
    if len(digits) > INTEGER_DIGITS:
        raise InvalidValue(field, text, _too_large)
    if len(decimals) > DECIMAL_DIGITS:
        raise InvalidValue(field, text, _too_fine)
    picos = int(digits + decimals.ljust(DECIMAL_DIGITS, "0"))
    return -picos if sign == "-" else picos


def _scaled_decimal(number: Decimal, field: Field) -> int:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):  # 'n', 'N' or 'F': not a number, or infinite
        raise InvalidValue(field, number, "must be a finite number")
    if not any(digits):
        return 0
    if number.adjusted() >= INTEGER_DIGITS:
        raise InvalidValue(field, number, _too_large)
    text = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(text)
    if exponent < -DECIMAL_DIGITS:
        raise InvalidValue(field, number, _too_fine)
    picos: int = int(text) * 10 ** (exponent + DECIMAL_DIGITS)
    return -picos if sign else picos


def _divide_out(number: int, prime: int) -> tuple[int, int]:
    count = 0
    while number % prime == 0:
        number //= prime
        count += 1
    return count, number
