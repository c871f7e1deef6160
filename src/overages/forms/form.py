"""A form: how one kind of value stands in a text, and how it is read back and described.

It has a writer and a reader, which take a value and the path to it as parsers do, and gives the
JSON Schema of what it writes:

    Form(lambda one, _: one.value, lambda value, field: Color(value), lambda _: {"enum": ["red"]})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, TypeAlias

from attrs import frozen

from overages._ground.parsing import Parser, Problems
from overages.errors import Field, OveragesError, at

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema, draft 2020-12."""

Refer: TypeAlias = Callable[[type], Schema]
"""Gives what stands for the schema of a class where another one holds it."""


@frozen(weakref_slot=False)
class Form:
    """How one kind of value is written as what `json` knows, read from it, and described.

    :param write: makes a dict, list, str, bool or None of a value of the kind.
    :param read: makes the value again; it lets a value of the kind pass.
    :param schema: gives the JSON Schema of what `write` makes.

    >>> yes = Form(lambda value, _: "yes", lambda value, _: True, lambda _: {"const": "yes"})
    >>> yes.write(True, "agreed"), yes.read("yes", "agreed")
    ('yes', True)
    """

    write: Callable[[Any, Field], Any]
    read: Parser[Any]
    schema: Callable[[Refer], Schema]


@frozen(weakref_slot=False)
class ObjectForm(Form):
    """The form of a class whose values are written as objects of their fields.

    :param body: gives the JSON Schema of such an object, where `schema` only refers to it.
    :param fill: reads an object without some terms that are known, which it is told by name.
    """

    body: Callable[[Refer], Schema]
    fill: Callable[[object, Field, Mapping[str, Any]], Any]


def behind(field: Field, make: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Return ``make(*args, **named)``; what it finds wrong has its path put behind `field`."""
    problems = Problems()
    made = problems.attempt(make, *args, path=at(field), **named)
    problems.raise_any()
    return made


def of_itself(field: Field, make: Callable[..., Any], *args: Any) -> Any:
    """Return ``make(*args)``; what it finds wrong with an argument is wrong with `field`."""
    try:
        return make(*args)
    except OveragesError as error:
        problems = Problems()
        for part in error.errors:
            renamed = copy(part)
            renamed.path = at(field)
            problems.add(renamed)
        raise problems.error() from None
