"""The forms of single values: names, numbers, instants, periods.

A number is a string in full, without an exponent or a zero too many:

    NUMBER.write(Decimal("0.0001"), "price")          # "0.0001"
    NUMBER.read("1.0", "price")                       # InvalidValue: it is written "1"
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

from overages._ground.names import parse_name
from overages._ground.parsing import Parser, Problems, parse_flag
from overages.amounts.exact import number_from_ratio, number_text
from overages.amounts.rounding import parse_rounding
from overages.errors import Field, InvalidType, InvalidValue, at
from overages.forms.form import Form, behind
from overages.periods.period import Period, format_instant, instant_from_text

Number: TypeAlias = int | Decimal
"""A number as it is read: `int` if whole, else a `Decimal`."""

_LONGEST: Final = 2_002  # characters of a number: a thousand digits on each side of the point
_WHOLE: Final = r"0|-?[1-9][0-9]*"
_NUMBER: Final = r"0|-?(?:[1-9][0-9]*(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9])"
_FRACTION: Final = r"(-?[1-9][0-9]*)/([1-9][0-9]*)"


def _as_it_is(value: object, field: Field) -> object:
    del field
    return value


def _text(value: object, field: Field) -> str:
    if not isinstance(value, str):
        raise InvalidType(field, value, "must be a str")
    if re.search("[\ud800-\udfff]", value):
        raise InvalidValue(field, value, "must not hold lone surrogates")
    return str.__str__(value)  # plain, also of an enum that is a str


def _write_number(number: Number | Fraction, field: Field) -> str:
    del field
    return number_text(number)


def _matched(pattern: str, described: str, value: object, field: Field) -> re.Match[str]:
    if not isinstance(value, str):
        raise InvalidType(field, value, f"must be {described} in a string")
    match = re.fullmatch(pattern, value) if len(value) <= _LONGEST else None
    if match is None:
        raise InvalidValue(field, value, f"must be {described}")
    return match


def _read_number(value: object, field: Field) -> Number:
    text = _matched(_NUMBER, "a number in its plain form such as 12.5", value, field)[0]
    return Decimal(text) if "." in text else int(Decimal(text))


def _read_whole(value: object, field: Field) -> int:
    return int(Decimal(_matched(_WHOLE, "a whole number in its plain form", value, field)[0]))


def _read_exact(value: object, field: Field) -> Number | Fraction:
    if not isinstance(value, str) or "/" not in value:
        return _read_number(value, field)
    match = _matched(_FRACTION, "a number in its plain form such as 12.5 or 7/60", value, field)
    number = number_from_ratio(int(Decimal(match[1])), int(Decimal(match[2])))
    if number_text(number) != value:
        raise InvalidValue(field, value, "must be reduced, and a decimal number where one is exact")
    return number


def _read_instant(value: object, field: Field) -> datetime:
    moment = instant_from_text(_text(value, field), field)
    if format_instant(moment) != value:
        problem = f"must be written as {format_instant(moment)}"
        raise InvalidValue(field, value, problem)
    return moment


def _read_period(value: object, field: Field) -> Period:
    start, slash, end = _text(value, field).partition("/")
    if not slash:
        raise InvalidValue(field, value, "must be a start and an end with a slash between")
    problems = Problems()
    ends = [
        problems.attempt(_read_instant, text, at(field, which))
        for which, text in [("start", start), ("end", end)]
    ]
    problems.raise_any()
    period: Period = behind(field, Period, *ends)
    return period


def named(parse: Parser[Any]) -> Form:
    """Return the form of a member of an enumeration, given its parser: its value stands for it."""
    return Form(lambda one, _: one.value, lambda value, field: parse(_text(value, field), field))


NAME: Final = Form(_as_it_is, parse_name)
TEXT: Final = Form(_text, _text)
FLAG: Final = Form(_as_it_is, parse_flag)
NUMBER: Final = Form(_write_number, _read_number)
WHOLE: Final = Form(_write_number, _read_whole)
EXACT: Final = Form(_write_number, _read_exact)
INSTANT: Final = Form(lambda moment, _: format_instant(moment), _read_instant)
PERIOD: Final = Form(lambda period, _: period.isoformat(), _read_period)
ROUNDING: Final = named(parse_rounding)
