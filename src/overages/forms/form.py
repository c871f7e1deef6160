"""A form: how one kind of value stands in JSON, and how it is read back, strictly.

It has a writer and a reader, which take a value and the path to it as parsers do. There is one text
for a value, and a reader refuses any other spelling of it:

    Form(lambda one, _: one.value, lambda value, field: Color(value))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import frozen

from overages._ground.parsing import Parser, Problems
from overages.errors import Field, at

GIVEN: Final = object()  # what no value is


@frozen(weakref_slot=False)
class Form:
    """How one kind of value is written as what `json` knows, and read from it.

    :param write: returns a dict, list, str, bool or None for a value of the kind.
    :param read: returns the value that was written, and refuses what can't have been written.
    :param usual: what a field of a `table` is if it isn't written; without it, a field always is.

    >>> yes = Form(lambda value, field: "yes", lambda value, field: True)
    >>> yes.write(True, "agreed"), yes.read("yes", "agreed")
    ('yes', True)
    """

    write: Callable[[Any, Field], Any]
    read: Parser[Any]
    usual: Any = GIVEN


def behind(field: Field, make: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Return ``make(*args, **named)``; what it finds wrong has its path put behind `field`."""
    problems = Problems()
    made = problems.attempt(make, *args, path=at(field), **named)
    problems.raise_any()
    return made
