"""Parsing: from a caller's argument to the narrowed type, all faults reported together.

A parser takes a value and its field (a name, or the path to it), and returns the value in its one
form or raises an `OveragesError` that names the field. A value class has one at each of its fields
(`overages._ground.value`); a function that takes several arguments runs one for each:

    values = parse_all((parse_name, org_id, "org_id"), (instance_of(Period), period, "period"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from itertools import islice
from typing import Any, TypeAlias, TypeGuard, TypeVar, cast, get_args

from overages.errors import (
    MOST_ERRORS,
    Field,
    InvalidType,
    InvalidValue,
    InvalidValues,
    OveragesError,
    Path,
    at,
    did_you_mean,
)

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

Parser: TypeAlias = Callable[[object, Field], T]


def optional(parse: Parser[T]) -> Parser[T | None]:
    """Return a parser that lets None pass and gives anything else to `parse`."""

    def parse_unless_none(value: object, field: Field) -> T | None:
        return None if value is None else parse(value, field)

    return parse_unless_none


def is_a(value: object, kind: type[T]) -> TypeGuard[T]:
    """Tell whether a value is of a class by its type, for an object can name any class its own."""
    return issubclass(type(value), kind)


@cache
def instance_of(kind: type[T]) -> Parser[T]:
    """Return a parser that accepts objects of a class as they are."""

    def parse(value: object, field: Field) -> T:
        if type(value) is kind or is_a(value, kind):
            return value
        raise InvalidType(field, value, f"must be of type {kind.__name__}")

    return parse


def plain_str(value: object) -> str | None:
    """Return a text as a plain `str`, also one of an enum; None for anything that is no text.

    It is read by `str` itself, for a class of a host's own may say anything of its objects.
    """
    return str.__str__(value) if is_a(value, str) else None


def choice_of(literal: Any) -> Parser[Any]:
    """Return a parser that accepts the strings that a `Literal` names, with a hint at a near miss.

    >>> from typing import Literal
    >>> choice_of(Literal["line", "total"])("lines", "by")
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: by: must be one of line, total (did you mean 'line'?), got 'lines'
    """
    choices: tuple[str, ...] = get_args(literal)

    def parse(value: object, field: Field) -> str:
        word = plain_str(value)
        if word in choices:
            return word
        problem = f"must be one of {', '.join(choices)}{did_you_mean(word, choices)}"
        raise InvalidValue(field, value, problem)

    return parse


def member_of(kind: type[E]) -> Parser[E]:
    """Return a parser that accepts the members of an enumeration, or their values."""
    values = [member.value for member in kind]

    def parse(value: object, field: Field) -> E:
        try:
            return kind(value)
        except ValueError:
            problem = f"must be one of {', '.join(values)}{did_you_mean(value, values)}"
            raise InvalidValue(field, value, problem) from None

    return parse


def an_iterable(value: object, field: Field) -> Iterable[Any]:
    """Return `value` if it can be iterated over; a text is one thing, not a list of letters."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, bytearray)):
        return value
    raise InvalidType(field, value, "must be a list, or something else to iterate over")


def as_tuple(value: object, field: Field) -> tuple[Any, ...]:
    """Return the items of an iterable as a tuple."""
    return tuple(an_iterable(value, field))


def tuple_of(kind: type[T]) -> Parser[tuple[T, ...]]:
    """Return a parser of iterables of one class, read once."""
    parse_each = each(instance_of(kind))  # type: ignore[arg-type]  # a class is hashable
    only = {kind}

    def parse(value: object, field: Field) -> tuple[T, ...]:
        if type(value) is tuple and not value:
            return ()
        is_listed = type(value) is tuple or type(value) is list
        if is_listed and set(map(type, value)) <= only:  # type: ignore[call-overload]
            return tuple(value)  # type: ignore[arg-type]  # a tenth of the time, for three
        return parse_each(value, field)

    return parse


def each(parse: Parser[T]) -> Parser[tuple[T, ...]]:
    """Return a parser of iterables, read once, that gives each item to `parse`."""

    def parse_each(value: object, field: Field) -> tuple[T, ...]:
        if type(value) is tuple and not value:
            return ()
        path = at(field)
        items = enumerate(as_tuple(value, field))
        return tuple(parse_all(*((parse, item, (*path, i)) for i, item in items)))

    return parse_each


def unpacked(value: object, field: Field, *names: str) -> tuple[Any, ...]:
    """Return the items of a value that holds one for each name, and nothing else."""
    items = tuple(islice(value, len(names) + 1)) if isinstance(value, Iterable) else ()
    if len(items) != len(names):
        raise InvalidValue(field, value, f"must hold ({', '.join(names)}) alone")
    return items


def function_that(does: str) -> Parser[Callable[..., Any]]:
    """Return a parser that accepts anything that can be called.

    :param does: for the error, the task of the function: it takes, or gives, something.

    >>> function_that("gives the present instant")(12, "clock")
    Traceback (most recent call last):
        ...
    overages.errors.InvalidType: clock: must be a function that gives the present instant, got 12
    """

    def parse(value: object, field: Field) -> Callable[..., Any]:
        if not callable(value):
            raise InvalidType(field, value, f"must be a function that {does}")
        return value

    return parse


def parse_flag(value: object, field: Field) -> bool:
    """Return `value` if it is True or False."""
    if type(value) is not bool:
        raise InvalidType(field, value, "must be True or False")
    return value


def parse_int(value: object, field: Field) -> int:
    """Return `value` as a plain int if it is an int; True and False are none."""
    if type(value) is int:
        return value
    if type(value) is bool or not is_a(value, int):
        raise InvalidType(field, value, "must be an int")
    return int.__int__(value)  # whatever a subclass makes of `int`


def int_up_to(most: int) -> Parser[int]:
    """Return a parser that accepts the ints from 1 to `most`."""

    def parse(value: object, field: Field) -> int:
        count = parse_int(value, field)
        if not 0 < count <= most:
            raise InvalidValue(field, value, f"must be from 1 to {most:,}")
        return count

    return parse


def parse_all(*steps: tuple[Parser[Any], object, Field]) -> list[Any]:
    """Run parsers, each on a value of its own; raise all the faults that they find, together.

    :param steps: (parser, value, field), where a parser takes the value and the field's name.

    >>> from overages.amounts.exact import parse_non_negative
    >>> parse_all((parse_non_negative, "5.0", "used"), (parse_non_negative, 3, "limit"))
    [5, 3]
    """
    parsed = []
    try:
        for parse, value, field in steps:
            parsed.append(parse(value, field))
    except OveragesError as error:  # the rare case: go on, to find the others
        problems = Problems()
        problems.add(error)
        for parse, value, field in steps[len(parsed) + 1 :]:
            problems.attempt(parse, value, field)
        raise problems.error() from None
    return parsed


def arguments(**parsers: Parser[Any]) -> Callable[..., tuple[Any, ...]]:
    """Compile a function that parses arguments by position, each by its own parser.

    It does as `parse_all`, in a third of the time: for a function that is called by the million.

    >>> from overages.amounts.exact import parse_non_negative
    >>> parse_them = arguments(used=parse_non_negative, is_final=parse_flag)
    >>> parse_them("5.0", True)
    (5, True)
    >>> parse_them("five", True)
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: used: must be a plain decimal number such as 12.5, got 'five'
    """

    def all_faults(error: OveragesError, reached: Mapping[str, object]) -> OveragesError:
        problems = Problems()
        problems.add(error)
        _, *others = [name for name in parsers if f"parsed_{name}" not in reached]
        for name in others:
            problems.attempt(parsers[name], reached[name], name)
        return problems.error()

    lines = [
        f"def parse_arguments({', '.join(parsers)}):",
        "    try:",
        *(f"        parsed_{name} = parse_{name}({name}, {name!r})" for name in parsers),
        "    except OveragesError as error:",
        "        raise all_faults(error, locals()) from None",
        f"    return {', '.join(f'parsed_{name}' for name in parsers)}",
    ]
    namespace: dict[str, Any] = {f"parse_{name}": parse for name, parse in parsers.items()}
    namespace |= {"OveragesError": OveragesError, "all_faults": all_faults}
    exec("\n".join(lines), namespace)
    parse_arguments: Callable[..., tuple[Any, ...]] = namespace["parse_arguments"]
    return parse_arguments


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

    __slots__ = ("_errors",)

    def __init__(self) -> None:
        self._errors: list[OveragesError] = []

    def __bool__(self) -> bool:
        return bool(self._errors)

    def add(self, error: OveragesError, path: Path = ()) -> None:
        """Keep an error (each part of it, if it gathers several), of the value at `path`.

        :raises InvalidValues: as soon as there are `MOST_ERRORS`: more would tell nothing new.
        """
        self._errors += (error.within(*path) if path else error).errors
        if len(self._errors) >= MOST_ERRORS:
            del self._errors[MOST_ERRORS:]
            raise self.error() from None

    def attempt(self, make: Callable[..., T], *args: Any, path: Path = (), **named: Any) -> T:
        """Return ``make(*args, **named)``; if that raises an `OveragesError`, keep the error.

        A stand-in (None) is returned then: don't use it before `raise_any`.
        """
        try:
            return make(*args, **named)
        except OveragesError as error:
            self.add(error, path)
            return cast("T", None)

    def error(self) -> OveragesError:
        """Make one error of all that were kept: the one as it is, or several as `InvalidValues`.

        Its traceback begins anew where it is raised: the parsers below are of no use to a reader.
        """
        if len(self._errors) == 1:
            return self._errors[0].with_traceback(None)
        return InvalidValues([error.with_traceback(None) for error in self._errors])

    def raise_any(self) -> None:
        """Raise the errors that were kept, if there are any."""
        if self._errors:
            error = self.error()
            raise error from error.__cause__  # that of a host's own code, if it is one's


def check_alternatives(instance: object, names: Sequence[str], problems: Problems) -> None:
    """Refuse a value that has none of some terms, or more than one of them.

    A term that was refused by itself, and so isn't kept, was given all the same.
    """
    first, *others = [name for name in names if getattr(instance, name, name) is not None] or [""]
    if not first:
        problem = f"must be given, or {' or '.join(names[1:])}"
        problems.add(InvalidValue(names[0], None, problem))
    for name in filter(partial(hasattr, instance), others):
        problem = f"must be left out, as {first} is given"
        problems.add(InvalidValue(name, getattr(instance, name), problem))
