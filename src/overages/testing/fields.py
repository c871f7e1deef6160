"""Fields: the strategy of each parameter of a value's constructor, by its type and its name.

A strategy of a value follows from the declaration of its terms: from their types, and for numbers
from the numbers that their parsers refuse. Rules that are off unless they are named are in a third
of values.

    made(PerUnit)
    made(Discount, one_way, amount=money)       # where fields depend on each other: a last touch

A failing test shrinks to the first values of a strategy: small whole numbers, US dollars,
January 2024, short names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, reduce
from operator import or_
from types import NoneType
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from overages._ground.names import parse_name
from overages._ground.parsing import Parser
from overages._ground.value import parsers_of
from overages.amounts.exact import parse_non_negative
from overages.amounts.money import Currency
from overages.errors import OveragesError
from overages.forms.derived import terms_of
from overages.periods.period import Period
from overages.testing import quantities as numbers

T = TypeVar("T")
Arguments: TypeAlias = dict[str, Any]

# Texts


def is_name(text: str) -> bool:
    """Tell whether a text can name an org, a metric, a plan or an event."""
    try:
        parse_name(text, "name")
    except OveragesError:
        return False
    return True


_odd: Final = ["<b>&seats</b>", "'; DROP TABLE x; --", "Größe", "トークン"]
_text = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)
names: Strategy[str] = st.sampled_from(["a", "b", *_odd]) | _text.filter(is_name)
metrics: Strategy[str] = st.sampled_from(["tokens", "runs", "seats", *_odd, "a", "b", "c"])
orgs: Strategy[str] = st.sampled_from(["org-1", "org-2"]) | names
line_names: Strategy[str] = names.filter(
    lambda text: len(text.encode()) <= 200
)  # with its kind, it names a line
timezones: Strategy[str] = st.sampled_from(
    [
        *("UTC", "Europe/Paris", "America/New_York", "America/St_Johns", "Asia/Kathmandu"),
        *("Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "America/Juneau"),
    ]
)

# Time: from January 2024 on, then before it

_start: Final = datetime(2024, 1, 1, tzinfo=UTC)
_days = st.integers(0, 366).map(lambda days: _start + timedelta(days))
_seconds = st.integers(-2022 * 365 * 86_400, 7974 * 365 * 86_400).map(
    lambda seconds: _start + timedelta(seconds=seconds, microseconds=seconds % 1_000_003)
)
instants: Strategy[datetime] = _days | _seconds
FIRST_MONTH: Final = -2023 * 12
LAST_MONTH: Final = 7974 * 12 + 10


def month(number: int) -> Period:
    """Return the calendar month so many after January 2024."""
    return Period.month(2024 + number // 12, number % 12 + 1)


months: Strategy[Period] = st.integers(FIRST_MONTH, LAST_MONTH).map(month)
periods: Strategy[Period] = months | st.lists(instants, min_size=2, max_size=2, unique=True).map(
    lambda ends: Period(*sorted(ends))
)

# Money

currencies: Strategy[Currency] = st.one_of(
    st.sampled_from(["USD", "JPY", "EUR", "KWD", "CLF", "DEM"]).map(Currency),
    st.builds(Currency, st.sampled_from(["~credits", "~points"]), st.integers(0, 12)),
)
minor_units: Strategy[int] = st.integers(-500, 500) | st.integers(-(10**30), 10**30)

# Strategies of a term that has this name and is text, or keys; for any other, `names`

_dimensions = st.sampled_from(["region"]) | names
_TEXTS: Final[Mapping[str, Strategy[Any]]] = {
    "org_id": orgs,
    **dict.fromkeys(
        ["metric", "metrics", "included_per", "quantities", "limits", "drop_limits"], metrics
    ),
    **dict.fromkeys(["dimensions", "distinct"], _dimensions),
    "timezone": timezones,
    "digest": st.binary(min_size=32, max_size=32).map(bytes.hex),
}


def of_type(hint: Any, name: str, parse: Parser[Any] = parse_non_negative) -> Strategy[Any]:
    """Return the strategy of a term, by its type and its name.

    :param parse: refuses the numbers that it can't be.
    """
    options, origin = get_args(hint), get_origin(hint)
    if NoneType in options:
        return st.none() | of_type(without_none(hint), name, parse)
    if origin is Literal:
        return st.sampled_from(options)
    if origin is Mapping:
        return st.dictionaries(_TEXTS.get(name, names), of_type(options[1], name), max_size=3)
    if origin is tuple:
        return st.lists(of_type(options[0], name), max_size=3)
    kinds = options or (hint,)
    drawn = [_of_class(kind, name) for kind in kinds if kind not in (int, Decimal, Fraction)]
    if Decimal in kinds:
        drawn.insert(0, _number(parse, fine=Fraction in kinds))
    elif int in kinds:
        drawn.insert(0, whole_numbers(parse))
    return st.one_of(*drawn)


def without_none(hint: Any) -> Any:
    """Return a type that has no None among its options."""
    options = [option for option in get_args(hint) if option is not NoneType]
    return reduce(or_, options) if NoneType in get_args(hint) else hint


def _of_class(kind: Any, name: str) -> Strategy[Any]:
    if kind is str:
        return _TEXTS.get(name, names)
    if kind is datetime:
        return instants
    if kind is bool:
        return st.booleans()
    return st.sampled_from(kind) if issubclass(kind, Enum) else values(kind)


def accepts(parse: Parser[Any], number: object) -> bool:
    """Tell whether a parser takes a number."""
    try:
        parse(number, "number")
    except OveragesError:
        return False
    return True


def _number(parse: Parser[Any], *, fine: bool) -> Strategy[Any]:
    """Return numbers that a parser takes, of all signs and sizes; a fine one may be a fraction."""
    if accepts(parse, -1):
        drawn: Strategy[Any] = numbers.exact if fine else numbers.signed
        return drawn if accepts(parse, 0) else drawn.map(lambda number: number or 1)
    if accepts(parse, 0):
        return numbers.amounts if accepts(parse, 101) else numbers.per_cents
    if accepts(parse, Decimal("0.5")):
        return numbers.ratios if fine else numbers.positive
    return numbers.factors


def whole_numbers(parse: Parser[Any]) -> Strategy[int]:
    """Return the integers that a parser takes, from its least to its largest."""
    least = next(number for number in (-(10**30), 0, 1) if accepts(parse, number))
    largest = next(number for number in (10**30, 2**63 - 1, 10**6, 12) if accepts(parse, number))
    near = (-500, 500) if least < 0 else (least, least + 3)
    return st.integers(*near) | st.integers(least, largest)


def arguments(kind: Any, /, *needed: str, **chosen: Strategy[Any] | None) -> Strategy[Arguments]:
    """Return arguments of a class: all that it needs, and some of those that it can do without.

    :param needed: arguments that are always drawn, beside those that have no default.
    :param chosen: the strategies of some of them; None for one that is never drawn.
    """
    groups: tuple[dict[str, Strategy[Any]], ...] = {}, {}
    parsers = parsers_of(kind)
    for term in terms_of(kind):
        # Where None is the default, leaving the term out is enough.
        hint = without_none(term.hint) if term.default is None else term.hint
        name = term.name
        parse = parsers.get(name, parse_non_negative)
        strategy = chosen[name] if name in chosen else of_type(hint, name, parse)
        if strategy is not None:
            groups[not term.is_required and name not in needed][name] = strategy
    return _drawn(*groups)


@st.composite
def _drawn(
    draw: st.DrawFn, required: dict[str, Strategy[Any]], optional: dict[str, Strategy[Any]]
) -> Arguments:
    # One yes or no for each, in a fixed order: one that isn't needed then shrinks away by itself.
    named = {name: draw(strategy) for name, strategy in required.items()}
    more = {name: draw(strategy) for name, strategy in optional.items() if draw(_one_of_three)}
    return named | more


@st.composite
def few(draw: st.DrawFn, strategy: Strategy[T], most: int) -> list[T]:
    """Return some values, none to `most`, each of which a failing test can do without."""
    return [draw(strategy) for _ in range(draw(st.integers(0, most)))]


_one_of_three = st.sampled_from([False, False, True])


def or_none(strategy: Strategy[T]) -> Strategy[T | None]:
    """Return values, or None now and then, to which nothing shrinks."""
    return st.builds(lambda value, left_out: None if left_out else value, strategy, _one_of_three)


def made(
    kind: type[T],
    /,
    *needed: str,
    mend: Callable[[Arguments], Arguments] = dict,
    **chosen: Strategy[Any] | None,
) -> Strategy[T]:
    """Return values of a class.

    :param mend: makes arguments lawful that aren't together.
    :param needed: as for `arguments`, and so `chosen`.
    """
    return arguments(kind, *needed, **chosen).map(lambda named: kind(**mend(named)))


# Strategies of whole values, by class

BY_CLASS: Final[dict[type, Strategy[Any]]] = {Currency: currencies, Period: periods}


@cache
def _own_or_derived(kind: Any) -> Strategy[Any]:
    return BY_CLASS[kind] if kind in BY_CLASS else made(kind)


@st.composite
def values(draw: st.DrawFn, kind: type[T]) -> T:
    """Return lawful values of a class: by its own strategy, or as its signature says."""
    any_kind: Any = kind
    return cast(T, draw(_own_or_derived(any_kind)))
