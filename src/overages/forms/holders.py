"""The forms of values that hold others: objects of fields, lists, mappings, one of several classes.

They are put together of the forms of what they hold:

    MONEY = table(Money, minor=WHOLE, currency=CURRENCY)
    MONEY.write(Money(2500, "USD"), "cost")           # {"minor": "2500", "currency": {...}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from overages._ground.jsontext import entries, items
from overages._ground.names import parse_name
from overages._ground.parsing import Problems, optional as or_none
from overages.errors import Field, InvalidType, InvalidValue, at
from overages.forms.form import GIVEN, Form, behind


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

    >>> from overages.forms.values import WHOLE
    >>> dot = table(complex, real=WHOLE, imag=WHOLE)
    >>> dot.read({"real": "1", "imag": "2"}, "dot")
    (1+2j)
    """

    def write(value: object, field: Field) -> dict[str, Any]:
        held = behind(field, view, value) if view else {key: getattr(value, key) for key in forms}
        return {
            key: form.write(held[key], at(field, key))
            for key, form in forms.items()
            if form.usual is GIVEN or held[key] != form.usual
        }

    def read(value: object, field: Field) -> Any:
        given = entries(value, field)
        problems = Problems()
        for key in given:
            if key not in forms:
                problem = f"isn't known; known here are {', '.join(forms)}"
                problems.add(InvalidValue(at(field, key), given[key], problem))
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

    def write(values: Iterable[Any], field: Field) -> list[Any]:
        return [form.write(value, at(field, i)) for i, value in enumerate(values)]

    def read(value: object, field: Field) -> tuple[Any, ...]:
        problems = Problems()
        found = [
            problems.attempt(form.read, item, at(field, i))
            for i, item in enumerate(items(value, field))
        ]
        problems.raise_any()
        return tuple(found)

    return Form(write, read)


def by_name(form: Form, of: str = "metric") -> Form:
    """Return the form of a mapping from names, in any order: a JSON object.

    :param of: what the names are of, for the error if one is no name.
    """

    def write(values: Mapping[str, Any], field: Field) -> dict[str, Any]:
        return {key: form.write(value, at(field, key)) for key, value in values.items()}

    def read(value: object, field: Field) -> dict[str, Any]:
        problems = Problems()
        found = {}
        for key, item in entries(value, field).items():
            if problems.attempt(parse_name, key, at(field, f"<{of}>")) is not None:
                found[key] = problems.attempt(form.read, item, at(field, key))
        problems.raise_any()
        return found

    return Form(write, read)


def in_order(form: Form) -> Form:
    """Return the form of a mapping whose order matters: a JSON array.

    :param form: how a pair of a name and what is held under it is written and read.
    """
    listed = list_of(form)

    def write(values: Mapping[str, Any], field: Field) -> Any:
        return listed.write(values.items(), field)

    def read(value: object, field: Field) -> dict[str, Any]:
        problems = Problems()
        found: dict[str, Any] = {}
        for i, (key, held) in enumerate(listed.read(value, field)):
            if key in found:
                problems.add(InvalidValue(at(field, i), key, "must be given once"))
            found[key] = held
        problems.raise_any()
        return found

    return Form(write, read)


def any_of(forms: Mapping[type, Form], described: str) -> Form:
    """Return the form of a value of one of several classes: its "type" stands beside its fields.

    :param described: what such a value is, for the error where it is something else.
    """

    def write(value: object, field: Field) -> dict[str, Any]:
        form = forms.get(type(value))
        if form is None:
            raise InvalidType(field or "value", value, f"must be {described}")
        return {"type": type(value).__name__, **form.write(value, field)}

    def read(value: object, field: Field) -> Any:
        given = entries(value, field)
        kind = kind_of(forms, given, field)
        return forms[kind].read({key: given[key] for key in given if key != "type"}, field)

    return Form(write, read)


def kind_of(kinds: Iterable[type], given: Mapping[str, Any], field: Field) -> type:
    """Return the class that the "type" of a JSON object names."""
    known = {kind.__name__: kind for kind in kinds}
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in known:
        raise InvalidValue(at(field, "type"), kind, f"must be one of {', '.join(sorted(known))}")
    return known[kind]
