"""The forms that hold no others: texts, flags, numbers, instants, names of rules.

A number is a string in full, so that no reader of JSON rounds it; an exact one that no decimal
equals is a fraction. A number that is read may be written otherwise (``"1.50"``, ``"1.5e-07"``), or
be a number already, as in TOML; `overages.codec` holds a text to the one spelling of its value.

    number_form({int, Decimal}).write(Decimal("0.0001"), "price")      # "0.0001"
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from overages._ground.parsing import parse_flag, plain_str
from overages.amounts.exact import number_from_ratio, number_text, parse_amount, plain_number
from overages.errors import Field, InvalidType, InvalidValue, did_you_mean
from overages.forms.form import Form, FormOf
from overages.periods.period import format_instant, instant_from_text, parse_instant

_LONGEST: Final = 2_002  # characters of a number: a thousand digits on each side of the point
_RATIO: Final = re.compile(r"([+-]?[0-9]+)/([0-9]*[1-9][0-9]*)")

# The one spelling of each, for schemas
_WHOLE_TEXT: Final = r"0|-?[1-9][0-9]*"
_NUMBER_TEXT: Final = r"0|-?(0\.[0-9]*[1-9]|[1-9][0-9]*(\.[0-9]*[1-9])?)"
_EXACT_TEXT: Final = rf"{_NUMBER_TEXT}|-?[1-9][0-9]*/[1-9][0-9]*"
INSTANT_TEXT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z"


def _as_it_is(value: object, field: Field) -> object:
    del field
    return value


def read_text(value: object, field: Field) -> str:
    """Return a text as a plain str, also of an enum that is one."""
    text = plain_str(value)
    if text is None:
        raise InvalidType(field, value, "must be a str")
    return text


def _write_text(value: object, field: Field) -> str:
    text = read_text(value, field)
    if re.search("[\ud800-\udfff]", text):  # of a host's own, for names are checked already
        raise InvalidValue(field, value, "must not hold lone surrogates")
    return text


def _read_instant(value: object, field: Field) -> datetime:
    if isinstance(value, str):
        return instant_from_text(value, field)
    if type(value) is date:
        raise InvalidType(field, value, f"must be an instant: write {value}T00:00:00Z")
    if type(value) is datetime and value.tzinfo is None:
        problem = f"must have a timezone: write {value.isoformat()}Z for UTC"
        raise InvalidValue(field, value, problem)
    return parse_instant(value, field)


TEXT: Final = FormOf(_write_text, read_text, lambda _: {"type": "string"})
FLAG: Final = FormOf(_as_it_is, parse_flag, lambda _: {"type": "boolean"})
INSTANT: Final = FormOf(
    lambda moment, _: format_instant(moment),
    _read_instant,
    lambda _: {"type": "string", "format": "date-time", "pattern": f"^{INSTANT_TEXT}$"},
)


def number_form(kinds: Collection[type]) -> Form:
    """Return the form of a number that is kept as one of some classes: int, Decimal, Fraction."""
    example, text = "a plain decimal number such as 12.5", _NUMBER_TEXT
    if Fraction in kinds:
        example, text = "a plain number such as 12.5 or 7/60", _EXACT_TEXT
    elif Decimal not in kinds:
        example, text = "a whole number", _WHOLE_TEXT

    def write(number: Any, field: Field) -> str:
        return number_text(number if type(number) is int else parse_amount(number, field))

    def read(value: object, field: Field) -> object:
        text = plain_str(value)
        if text is None:
            if isinstance(value, (int, Decimal, Fraction)) and not isinstance(value, bool):
                return value
            raise InvalidType(field, value, f"must be {example}, in a string")
        number = _number_of(text, field, fine=Fraction in kinds)
        if number is None or (kinds == {int} and type(number) is not int):
            raise InvalidValue(field, value, f"must be {example}")
        if type(number) in kinds:
            return number
        return Decimal(number) if Decimal in kinds and isinstance(number, int) else Fraction(number)

    return FormOf(write, read, lambda _: {"type": "string", "pattern": f"^({text})$"})


def _number_of(text: str, field: Field, *, fine: bool) -> int | Decimal | Fraction | None:
    if len(text) > _LONGEST:
        return None
    if (plain := plain_number(text)) is not None:
        if len(plain) > _LONGEST:  # of an exponent: it is told as it was written
            raise InvalidValue(field, text, "must have at most 1000 digits on a side")
        integer, _, decimals = plain.partition(".")
        decimals = decimals.rstrip("0")
        # int() of a long text can be limited by a host
        return Decimal(f"{integer}.{decimals}") if decimals else int(Decimal(integer))
    if fine and (match := _RATIO.fullmatch(text)):
        return number_from_ratio(int(Decimal(match[1])), int(Decimal(match[2])))
    return None


def rule_form(kind: type[Enum]) -> Form:
    """Return the form of a member of an enumeration: its value stands for it."""
    choices = choice_form([member.value for member in kind])
    return FormOf(
        lambda member, _: member.value,
        lambda value, field: value if isinstance(value, kind) else kind(choices.read(value, field)),
        choices.schema,
    )


def choice_form(choices: Collection[str]) -> Form:
    """Return the form of one of some texts."""

    def read(value: object, field: Field) -> str:
        text = read_text(value, field)
        if text not in choices:
            problem = f"must be one of {', '.join(choices)}{did_you_mean(text, choices)}"
            raise InvalidValue(field, value, problem)
        return text

    return FormOf(read, read, lambda _: {"enum": list(choices)})
