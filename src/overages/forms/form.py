"""A form: how one kind of value stands in a text, and how it is read back and described.

It has a writer and a reader, which take a value and the path to it as parsers do, and gives the
JSON Schema of its texts:

    FormOf(lambda one, _: one.value, lambda text, field: Color(text), lambda _: {"enum": ["red"]})
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Protocol, TypeAlias

from attrs import frozen

from overages._ground.parsing import Parser, Problems
from overages.errors import Field, OveragesError, at

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema, draft 2020-12."""

Refer: TypeAlias = Callable[[type], Schema]
"""Gives the reference to the schema of a class where another one holds it."""


class Form(Protocol):
    """One kind of value in texts: written as types that `json` knows, read, and described."""

    def write(self, value: Any, field: Field, /) -> Any:
        """Return a dict, list, str, bool or None for a value of the kind."""
        ...

    def read(self, tree: object, field: Field, /) -> Any:
        """Return the value again; one of the kind passes as it is."""
        ...

    def schema(self, refer: Refer, /) -> Schema:
        """Return the JSON Schema of the trees that `write` makes."""
        ...


@frozen(weakref_slot=False)
class FormOf:
    """A form that is put together of three functions.

    >>> yes = FormOf(lambda value, _: "yes", lambda value, _: True, lambda _: {"const": "yes"})
    >>> yes.write(True, "agreed"), yes.read("yes", "agreed")
    ('yes', True)
    """

    write: Callable[[Any, Field], Any]
    read: Parser[Any]
    schema: Callable[[Refer], Schema]


def behind(field: Field, make: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Return ``make(*args, **named)``; the path of each of its faults is put behind `field`."""
    problems = Problems()
    made = problems.attempt(make, *args, path=at(field), **named)
    problems.raise_any()
    return made


def of_itself(field: Field, make: Callable[..., Any], *args: Any) -> Any:
    """Return ``make(*args)``; a fault of an argument is one of `field`."""
    try:
        return make(*args)
    except OveragesError as error:
        problems = Problems()
        for part in error.errors:
            renamed = copy(part)
            renamed.path = at(field)
            problems.add(renamed)
        raise problems.error() from None
