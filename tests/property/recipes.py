"""Recipes: how a value is made, so that a test can make it again, otherwise, or elsewhere.

A test that made its values before it enters a hostile decimal context would miss what goes wrong
when they are made. A `Recipe` makes them as often as a test likes; where a part of it is
`Spelled`, ``one()`` and ``other()`` give equal values from inputs that are written differently.
Recipes are worked out of values that the strategies for users draw:

    recipe = draw(recipes(plans()))
    recipe.one() == recipe.other()
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from inspect import Parameter, signature
from itertools import count
from typing import Any, Final, Generic, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from overages import Balance, Currency, Increment, Metric, Plan
from overages.errors import OveragesError
from overages.grants.burndown import Burndown

T = TypeVar("T")
Numeral: TypeAlias = int | Decimal | str
Ways: TypeAlias = Iterator[tuple[int, int]]
"""In which two ways the next number is written."""

UNIT: Final = 10**12  # a number's parts: 10**-12 units each
MOST_PARTS: Final = 10**38 - 1


@dataclass(frozen=True)
class Spelled:
    """One input, written in two ways."""

    first: Any
    second: Any


@dataclass(frozen=True)
class Recipe(Generic[T]):
    """A call that makes a value; its arguments may be recipes and spellings in their turn."""

    make: Callable[..., T]
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    def one(self) -> T:
        """Make the value from the first spelling of everything."""
        return self._made(second=False)

    def other(self) -> T:
        """Make the value from the second spelling of everything."""
        return self._made(second=True)

    def each_mixed_with(self, other: Recipe[T]) -> list[Recipe[T]]:
        """Return this recipe once for each argument, with that one from the other recipe."""
        mixed = [
            Recipe(self.make, (*self.args[:i], argument, *self.args[i + 1 :]), self.named)
            for i, argument in enumerate(other.args)
        ]
        return mixed + [
            Recipe(self.make, self.args, {**self.named, key: argument})
            for key, argument in other.named.items()
        ]

    def _made(self, *, second: bool) -> T:
        args = [cook(argument, second=second) for argument in self.args]
        named = {key: cook(argument, second=second) for key, argument in self.named.items()}
        return self.make(*args, **named)

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.named.items())]
        return f"{self.make.__qualname__}({', '.join(shown)})"


def cook(raw: Any, *, second: bool = False) -> Any:
    """Return an argument with all recipes in it made and all spellings decided."""
    if isinstance(raw, Recipe):
        return raw.other() if second else raw.one()
    if isinstance(raw, Spelled):
        return cook(raw.second if second else raw.first, second=second)
    if isinstance(raw, dict):
        return {key: cook(value, second=second) for key, value in raw.items()}
    if isinstance(raw, (list, tuple)):
        return type(raw)(cook(item, second=second) for item in raw)
    return raw


# Numbers


def written(parts: int, way: int) -> Numeral:  # noqa: PLR0911  # a return for each way
    """Write ``parts / UNIT`` in one of many ways that all mean the same."""
    sign = "-" if parts < 0 or (parts == 0 and way % 2) else ""
    zeros = "0" * (way // 7 % 4)
    whole, rest = divmod(abs(parts), UNIT)
    decimals = f"{rest:012d}".rstrip("0")
    plain = f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
    match way % 7:
        case 0 if not decimals:
            return -whole if sign else whole
        case 1:
            return Decimal(f"{sign}{abs(parts)}{zeros}E-{12 + len(zeros)}")
        case 2:
            digits = str(abs(parts)).rstrip("0") or "0"
            return Decimal(f"{sign}{digits}E{len(str(abs(parts))) - len(digits) - 12}")
        case 3:
            return plain
        case 4:
            return f"{sign or '+'}{zeros}{whole}.{decimals}0{zeros}"
        case 5:
            digits = f"{abs(parts)}0"
            return f"{sign}{digits[0]}.{digits[1:]}{'eE'[len(zeros) % 2]}{len(digits) - 14:+03d}"
        case _:
            return Decimal(plain)


def in_parts(number: Numeral | Fraction) -> int:
    """Return a number in parts."""
    return int(Fraction(number) * UNIT)


def respelled_number(number: Numeral, ways: tuple[int, int]) -> Spelled:
    """Return a number, written in two ways."""
    return Spelled(*(written(in_parts(number), way) for way in ways))


def _no_texts(number: Numeral, ways: tuple[int, int]) -> Spelled:
    """Return the same for an argument that takes no strings."""
    return respelled_number(number, (1 + ways[0] // 7 % 2, (1, 2, 8, 13)[ways[1] % 4]))


def _amount(number: Decimal | Fraction | int) -> Spelled:
    """Return an exact amount as a fraction, and as a decimal with more zeros than it needs."""
    if isinstance(number, Fraction):
        return Spelled(number, number)
    _, digits, exponent = Decimal(number).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    sign = "-" if number < 0 else ""
    return Spelled(Fraction(number), Decimal(f"{sign}{text}00E{exponent - 2}"))


# Values

_EAST: Final = [timezone(timedelta(minutes=m)) for m in (0, 330, -23 * 60, 60, 14 * 60 + 1)]
_IN_ANY_ORDER: Final = {
    *((Balance, name) for name in ("used", "burndowns", "covered")),
    (Burndown, "accounts"),
}


def respelled(value: T, ways: Ways) -> Recipe[T]:
    """Return how a value of ours is made, with each argument spelled in two ways."""
    kind = type(value)
    args, named = [], {}
    for name, parameter in signature(kind).parameters.items():
        argument = _argument(kind, name, getattr(value, name), ways)
        if _is_what_it_is_without(value, parameter):
            argument = Spelled(None, argument)
        if parameter.kind is Parameter.KEYWORD_ONLY or parameter.default is not Parameter.empty:
            named[name] = argument
        else:
            args.append(argument)
    return Recipe(kind, tuple(args), named)


def _is_what_it_is_without(value: object, parameter: Parameter) -> bool:
    """Say whether an argument is what None stands for."""
    if parameter.default is not None or getattr(value, parameter.name) is None:
        return False
    named = {name: getattr(value, name) for name in signature(type(value)).parameters}
    try:
        return bool(type(value)(**{**named, parameter.name: None}) == value)
    except OveragesError:
        return False


@cache
def _types_taken(kind: Any) -> dict[str, Any]:
    """Return by name what types the constructor of a class takes."""
    return get_type_hints(kind.__init__, vars(sys.modules[kind.__module__]))


def _argument(kind: type, name: str, value: Any, ways: Ways) -> Any:
    hint = _types_taken(kind)[name]
    if (kind, name) == (Metric, "where"):
        return _reordered({k: Spelled(v, (*reversed(v), v[0])) for k, v in value.items()})
    if isinstance(value, tuple):
        items = [spelled_as(get_args(hint)[0], item, ways) for item in value]
        if get_origin(hint) is tuple:
            return tuple(items)
        backwards = (kind, name) in _IN_ANY_ORDER
        return Spelled(items, tuple(items[::-1] if backwards else items))
    if isinstance(value, Mapping):
        by_key = {k: spelled_as(get_args(hint)[1], each, ways) for k, each in value.items()}
        return by_key if kind is Plan else _reordered(by_key)
    return spelled_as(hint, value, ways)


def _reordered(mapping: dict[str, Any]) -> Spelled:
    return Spelled(mapping, dict(reversed(mapping.items())))


def _elsewhere(instant: datetime, zone: timezone) -> datetime:
    """Read the same instant on another clock, if one can show it: in year 1 or 9999, none may."""
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def spelled_as(hint: Any, value: Any, ways: Ways) -> Any:
    """Return what an argument of a type can be given as, spelled in two ways."""
    options = get_args(hint)
    if isinstance(value, (int, Decimal, Fraction)) and Decimal in options:
        return _number(options, value, ways)
    match value:
        case Enum():
            return Spelled(value, value.value)
        case datetime():
            return Spelled(value, _elsewhere(value, _EAST[next(ways)[0] % len(_EAST)]))
        case Currency() if str in options:
            return Spelled(value.shortest, Recipe(Currency, (value.code, value.exponent)))
        case Increment() if value == Increment(value.step) and Decimal in options:
            return Spelled(respelled_number(value.step, next(ways)), respelled(value, ways))
        case _:
            return respelled(value, ways) if attrs.has(type(value)) else value


def _number(options: tuple[Any, ...], value: Any, ways: Ways) -> Spelled:
    if str in options and not isinstance(value, Fraction):
        return respelled_number(value, next(ways))
    return _amount(value) if Fraction in options else _no_texts(value, next(ways))


ANY_WAYS: Final = st.tuples(st.integers(0, 27), st.integers(0, 27))


def ways_from(pair: tuple[int, int]) -> Ways:
    """Yield in which two ways one number after the other is written."""
    first, second = pair
    return (((first + 7 * n) % 24, (second + 11 * n) % 24) for n in count())


def recipes(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[Recipe[T]]:
    """Return recipes of the values that a strategy draws."""
    return st.builds(lambda value, pair: respelled(value, ways_from(pair)), strategy, ANY_WAYS)


def spelled(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Spelled]:
    """Return the numbers that a strategy draws, each written in two ways."""
    return st.builds(respelled_number, numbers, ANY_WAYS)
