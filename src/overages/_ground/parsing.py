"""Parsing: from what a caller gave to the narrowed type, all faults reported together.

A parser takes a value and the name of its field, and returns the value in its one form or raises
an `OveragesError` that names the field. Constructors run one for each argument:

    values = parse_all((name, org_id, "org_id"), (instance_of(Period), period, "period"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias, TypeVar, cast

from overages.errors import InvalidType, InvalidValue, InvalidValues, OveragesError

T = TypeVar("T")

Parser: TypeAlias = Callable[[object, str], T]


def optional(parse: Parser[T]) -> Parser[T | None]:
    """Return a parser that lets None pass and gives anything else to `parse`."""

    def parse_unless_none(value: object, field: str) -> T | None:
        return None if value is None else parse(value, field)

    return parse_unless_none


@lru_cache
def instance_of(kind: type[T]) -> Parser[T]:
    """Return a parser that accepts objects of a class as they are."""

    def parse(value: object, field: str) -> T:
        if isinstance(value, kind):
            return value
        raise InvalidType(field, value, f"must be of type {kind.__name__}")

    return parse


def one_of(*choices: str) -> Parser[str]:
    """Return a parser that accepts some strings and no other."""

    def parse(value: object, field: str) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise InvalidValue(field, value, f"must be one of {', '.join(choices)}")

    return parse


def an_iterable(value: object, field: str) -> Iterable[Any]:
    """Return `value` if it can be iterated over; a text is one thing, not a list of letters."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray)):
        return value
    raise InvalidType(field, value, "must be a list, or something else to iterate over")


def as_tuple(value: object, field: str) -> tuple[Any, ...]:
    """Return what can be iterated over as a tuple."""
    return tuple(an_iterable(value, field))


def tuple_of(kind: type[T]) -> Parser[tuple[T, ...]]:
    """Return a parser of iterables of one class, read once."""

    def parse(value: object, field: str) -> tuple[T, ...]:
        found = as_tuple(value, field)
        for i, item in enumerate(found):
            if not isinstance(item, kind):
                raise InvalidType(f"{field}[{i}]", item, f"must be of type {kind.__name__}")
        return found

    return parse


def each(parse: Parser[T]) -> Parser[tuple[T, ...]]:
    """Return a parser of iterables, read once, that gives each item to `parse`."""

    def parse_each(value: object, field: str) -> tuple[T, ...]:
        return tuple(parse(item, f"{field}[{i}]") for i, item in enumerate(as_tuple(value, field)))

    return parse_each


def unpacked(value: object, field: str, *names: str) -> tuple[Any, ...]:
    """Return the items of what holds one for each name, and nothing else."""
    items = tuple(islice(value, len(names) + 1)) if isinstance(value, Iterable) else ()
    if len(items) != len(names):
        raise InvalidValue(field, value, f"must hold ({', '.join(names)}) alone")
    return items


def flag(value: object, field: str) -> bool:
    """Return `value` if it is True or False."""
    if type(value) is not bool:
        raise InvalidType(field, value, "must be True or False")
    return value


def an_int(value: object, field: str) -> int:
    """Return `value` as a plain int if it is an int; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidType(field, value, "must be an int")
    return int(value)


def int_up_to(most: int) -> Parser[int]:
    """Return a parser that accepts the ints from 1 to `most`."""

    def parse(value: object, field: str) -> int:
        count = an_int(value, field)
        if not 0 < count <= most:
            raise InvalidValue(field, value, f"must be from 1 to {most:,}")
        return count

    return parse


def parse_all(*steps: tuple[Parser[Any], object, str]) -> list[Any]:
    """Return what each parser makes of its value; raise all that they find wrong, together.

    :param steps: (parser, value, field), where a parser takes the value and the field's name.

    >>> from overages.amounts.exact import non_negative
    >>> parse_all((non_negative, "5.0", "used"), (non_negative, 3, "limit"))
    [5, 3]
    """
    try:
        return [parse(value, field) for parse, value, field in steps]
    except OveragesError:  # the rare case: once more, to find the others
        problems = Problems()
        for parse, value, field in steps:
            problems.attempt(parse, value, field)
        problems.raise_any()
        raise


class Problems:
    """Gathers errors, so that an input with three faults reports three.

    >>> problems = Problems()
    >>> problems.add(InvalidValue("included", -1, "must not be negative"))
    >>> problems.attempt(int, "7")
    7
    >>> problems.raise_any()
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: included: must not be negative, got -1
    """

    def __init__(self) -> None:
        self._found: list[OveragesError] = []

    def add(self, error: OveragesError, path: str = "") -> None:
        """Keep an error (each part of it, if it gathers several), put behind `path` if given."""
        self._found.extend((error.within(path) if path else error).errors)

    def attempt(self, make: Callable[..., T], *args: Any, path: str = "", **named: Any) -> T:
        """Return ``make(*args, **named)``; if that raises an `OveragesError`, keep the error.

        What is returned then is a stand-in (None): don't use it before `raise_any`.
        """
        try:
            return make(*args, **named)
        except OveragesError as error:
            self.add(error, path)
            return cast("T", None)

    def raise_any(self) -> None:
        """Raise what was kept, if anything: one error as it is, several as `InvalidValues`."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise InvalidValues(tuple(self._found))
