"""Forms: how each kind of value stands in JSON, and how it is read back, strictly.

A form has a writer and a reader, which take a value and the path to it as parsers do. There is one
text for a value: a number is a string in full, without an exponent or a zero too many, and a reader
refuses any other spelling of it. `codec` puts together the forms of classes from the forms here:

    MONEY = table(Money, minor=WHOLE, currency=CURRENCY)
    MONEY.write(Money(2500, "USD"), "cost")           # {"minor": "2500", "currency": {...}}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeAlias

from attrs import frozen

from overages.errors import InvalidType, InvalidValue
from overages.exact import exact_number, number_text
from overages.jsontext import at, at_any, entries, items
from overages.names import name
from overages.parsing import Parser, Problems, flag, optional as or_none
from overages.period import Period, format_instant, parse_instant
from overages.rounding import Rounding

Number: TypeAlias = int | Decimal
"""A number as it is read: `int` if whole, else a `Decimal`."""

_LONGEST: Final = 2_002  # characters of a number: a thousand digits on each side of the point
_WHOLE: Final = r"0|-?[1-9][0-9]*"
_NUMBER: Final = r"0|-?(?:[1-9][0-9]*(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9])"
_FRACTION: Final = r"(-?[1-9][0-9]*)/([1-9][0-9]*)"

GIVEN: Final = object()  # what no value is


@frozen(weakref_slot=False)
class Form:
    """How one kind of value is written as what `json` knows, and read from it.

    :param write: returns a dict, list, str, bool or None for a value of the kind.
    :param read: returns the value that was written, and refuses what can't have been written.
    :param usual: what a field of a `table` is if it isn't written; without it, a field always is.

    >>> NUMBER.write(Decimal("0.0001"), "price")
    '0.0001'
    >>> NUMBER.read("1.0", "price")
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: price: must be a number in its plain form such as 12.5, got '1.0'
    """

    write: Callable[[Any, str], Any]
    read: Parser[Any]
    usual: Any = GIVEN


# Single values


def _as_it_is(value: object, field: str) -> object:
    del field
    return value


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InvalidType(field, value, "must be a str")
    if re.search("[\ud800-\udfff]", value):
        raise InvalidValue(field, value, "must not hold lone surrogates")
    return str.__str__(value)  # plain, also of an enum that is a str


def _write_number(number: Number | Fraction, field: str) -> str:
    del field
    return number_text(number)


def _matched(pattern: str, described: str, value: object, field: str) -> re.Match[str]:
    if not isinstance(value, str):
        raise InvalidType(field, value, f"must be {described} in a string")
    match = re.fullmatch(pattern, value) if len(value) <= _LONGEST else None
    if match is None:
        raise InvalidValue(field, value, f"must be {described}")
    return match


def _read_number(value: object, field: str) -> Number:
    text = _matched(_NUMBER, "a number in its plain form such as 12.5", value, field)[0]
    return Decimal(text) if "." in text else int(Decimal(text))


def _read_whole(value: object, field: str) -> int:
    return int(Decimal(_matched(_WHOLE, "a whole number in its plain form", value, field)[0]))


def _read_exact(value: object, field: str) -> Number | Fraction:
    if not isinstance(value, str) or "/" not in value:
        return _read_number(value, field)
    match = _matched(_FRACTION, "a number in its plain form such as 12.5 or 7/60", value, field)
    number = exact_number(int(Decimal(match[1])), int(Decimal(match[2])))
    if number_text(number) != value:
        raise InvalidValue(field, value, "must be reduced, and a decimal number where one is exact")
    return number


def _read_instant(value: object, field: str) -> datetime:
    moment = parse_instant(_text(value, field), field)
    if format_instant(moment) != value:
        problem = f"must be written as {format_instant(moment)}"
        raise InvalidValue(field, value, problem)
    return moment


def _read_period(value: object, field: str) -> Period:
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


NAME: Final = Form(_as_it_is, name)
TEXT: Final = Form(_text, _text)
FLAG: Final = Form(_as_it_is, flag)
NUMBER: Final = Form(_write_number, _read_number)
WHOLE: Final = Form(_write_number, _read_whole)
EXACT: Final = Form(_write_number, _read_exact)
INSTANT: Final = Form(lambda moment, _: format_instant(moment), _read_instant)
PERIOD: Final = Form(lambda period, _: period.isoformat(), _read_period)
ROUNDING: Final = named(Rounding.of)


# Values that hold others


def behind(field: str, make: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Return ``make(*args, **named)``; what it finds wrong has its path put behind `field`."""
    problems = Problems()
    made = problems.attempt(make, *args, path=field, **named)
    problems.raise_any()
    return made


def optional(form: Form) -> Form:
    """Return a form that writes None as null, and anything else as `form` does."""
    return Form(or_none(form.write), or_none(form.read))


def unless(usual: Any, form: Form) -> Form:
    """Return a form for a field of a `table` that is left out where it has its usual value."""
    return Form(form.write, form.read, usual)


def table(
    make: Callable[..., Any],
    view: Callable[[Any], Mapping[str, Any]] | None = None,
    /,
    **forms: Form,
) -> Form:
    """Return the form of a class: a JSON object of its fields.

    None is left out but what is as usual (see `unless`), and that always is.

    :param make: makes a value of its fields, by keyword; it has the last word on them.
    :param view: gives a value's fields by key; without it, they are attributes.
    :param forms: how each field is written and read.

    >>> dot = table(complex, real=WHOLE, imag=WHOLE)
    >>> dot.read({"real": "1", "imag": "2"}, "dot")
    (1+2j)
    """

    def write(value: object, field: str) -> dict[str, Any]:
        held = behind(field, view, value) if view else {key: getattr(value, key) for key in forms}
        return {
            key: form.write(held[key], at(field, key))
            for key, form in forms.items()
            if form.usual is GIVEN or held[key] != form.usual
        }

    def read(value: object, field: str) -> Any:
        given = entries(value, field)
        problems = Problems()
        for key in given:
            if key not in forms:
                problem = f"isn't known; known here are {', '.join(forms)}"
                problems.add(InvalidValue(at_any(field, key), given[key], problem))
        fields = {}
        for key, form in forms.items():
            if key not in given and form.usual is not GIVEN:
                fields[key] = form.usual
            elif key not in given:
                problems.add(InvalidValue(at(field, key), None, "must be given"))
            else:
                fields[key] = problems.attempt(form.read, given[key], at(field, key))
                if form.usual is not GIVEN and fields[key] == form.usual:
                    problem = "must be left out where it is as usual"
                    problems.add(InvalidValue(at(field, key), given[key], problem))
        problems.raise_any()
        return behind(field, make, **fields)

    return Form(write, read)


def list_of(form: Form) -> Form:
    """Return the form of a tuple: a JSON array."""

    def write(values: Iterable[Any], field: str) -> list[Any]:
        return [form.write(value, f"{field}[{i}]") for i, value in enumerate(values)]

    def read(value: object, field: str) -> tuple[Any, ...]:
        problems = Problems()
        found = [
            problems.attempt(form.read, item, f"{field}[{i}]")
            for i, item in enumerate(items(value, field))
        ]
        problems.raise_any()
        return tuple(found)

    return Form(write, read)


def by_name(form: Form, of: str = "metric") -> Form:
    """Return the form of a mapping from names, in any order: a JSON object.

    :param of: what the names are of, for the error if one is no name.
    """

    def write(values: Mapping[str, Any], field: str) -> dict[str, Any]:
        return {key: form.write(value, at(field, key)) for key, value in values.items()}

    def read(value: object, field: str) -> dict[str, Any]:
        problems = Problems()
        found = {}
        for key, item in entries(value, field).items():
            if problems.attempt(name, key, f"{field} {of}") is not None:
                found[key] = problems.attempt(form.read, item, at(field, key))
        problems.raise_any()
        return found

    return Form(write, read)


def in_order(form: Form) -> Form:
    """Return the form of a mapping whose order matters: a JSON array.

    :param form: how a pair of a name and what is held under it is written and read.
    """
    listed = list_of(form)

    def write(values: Mapping[str, Any], field: str) -> Any:
        return listed.write(values.items(), field)

    def read(value: object, field: str) -> dict[str, Any]:
        problems = Problems()
        found: dict[str, Any] = {}
        for i, (key, held) in enumerate(listed.read(value, field)):
            if key in found:
                problems.add(InvalidValue(f"{field}[{i}]", key, "must be given once"))
            found[key] = held
        problems.raise_any()
        return found

    return Form(write, read)


def any_of(forms: Mapping[type, Form], described: str) -> Form:
    """Return the form of a value of one of several classes: its "type" stands beside its fields.

    :param described: what such a value is, for the error where it is something else.
    """

    def write(value: object, field: str) -> dict[str, Any]:
        form = forms.get(type(value))
        if form is None:
            raise InvalidType(field or "value", value, f"must be {described}")
        return {"type": type(value).__name__, **form.write(value, field)}

    def read(value: object, field: str) -> Any:
        given = entries(value, field)
        kind = kind_of(forms, given, field)
        return forms[kind].read({key: given[key] for key in given if key != "type"}, field)

    return Form(write, read)


def kind_of(kinds: Iterable[type], given: Mapping[str, Any], field: str) -> type:
    """Return the class that the "type" of a JSON object names."""
    known = {kind.__name__: kind for kind in kinds}
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in known:
        raise InvalidValue(at(field, "type"), kind, f"must be one of {', '.join(sorted(known))}")
    return known[kind]
