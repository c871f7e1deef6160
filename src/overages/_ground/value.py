"""Values: a class of immutable objects, of which each field is declared once.

The parser of a field stands at the field, and the constructor is written as a signature, for
callers and type checkers: an argument there (``int | Decimal | str``) isn't of the type that is
kept. `value` fills its body in. Faults across fields are told in `_check`, beside those of single
fields; in several, `_check_bounds` and so on, where one needs no field of another's:

    @value
    class Discount:
        name: str = term(parse_name)
        percent: Quantity | None = term(optional(parse_percent))
        amount: Money | None = term(optional(instance_of(Money)))

        def __init__(
            self, name: str, *, percent: QuantityLike | None = None, amount: Money | None = None
        ) -> None: ...

        def _check(self, problems: Problems) -> None:
            if (self.percent is None) == (self.amount is None):
                problems.add(InvalidValue("amount", self.amount, "must be given, or a percentage"))

The constructor parses each argument into its slot, and only if one is refused looks at the others
for faults of theirs: 0.6 of the time of a list of parsers that is walked, and the same
for a reader: one error, or all of them.

A term that is None unless it is given may be worked out of the others, by its `otherwise`:

    covered: Quantity = term(optional(parse_positive), otherwise=lambda draw: draw.quantity)

A field of `derived` is worked out of the others once, in `_complete`; it isn't compared or shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from functools import cache, partial
from inspect import Parameter, Signature, signature
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast, dataclass_transform, overload

import attrs

from overages._ground.classes import final, known_to_pydantic
from overages._ground.frozen_dict import FrozenDict
from overages._ground.parsing import Parser, Problems
from overages.errors import OveragesError

T = TypeVar("T")
C = TypeVar("C", bound=type)

_PARSER: Final = "overages.parser"  # keys of a field's metadata
_OTHERWISE: Final = "overages.otherwise"


@overload
def term(
    parse: Parser[T],
    *,
    repr: bool = True,
    eq: Callable[[Any], object] | None = None,
) -> T: ...
@overload
def term(parse: Parser[T | None], *, otherwise: Callable[[Any], T]) -> T: ...
def term(
    parse: Parser[Any],
    *,
    repr: bool = True,
    eq: Callable[[Any], object] | None = None,
    otherwise: Callable[[Any], Any] | None = None,
) -> Any:
    """Declare a field of a value, and how an argument for it becomes the value that is kept.

    :param repr: False for a field that isn't shown.
    :param eq: makes the key that a field is compared and hashed by, where that isn't its value.
    :param otherwise: works out, of the value with all its other terms, the value that None stands
        for.
    """
    metadata = {_PARSER: parse, _OTHERWISE: otherwise}
    return attrs.field(metadata=metadata, repr=repr, eq=eq or True)


def derived() -> Any:
    """Declare a field that `_complete` works out of the others, by ``object.__setattr__``."""
    return attrs.field(init=False, eq=False, repr=False)


@overload
@dataclass_transform(frozen_default=True, field_specifiers=(term, derived))
def value(cls: C) -> C: ...
@overload
@dataclass_transform(frozen_default=True, field_specifiers=(term, derived))
def value(*, order: bool) -> Callable[[C], C]: ...
def value(cls: C | None = None, *, order: bool = False) -> C | Callable[[C], C]:
    """Make a class of values of one whose fields are `term`s and whose constructor is a signature.

    Its objects are frozen, slotted, compared and hashed by their terms, and shown as a call that
    makes them, without terms that are at their default.

    :param order: whether they are ordered by their terms, too.
    """
    if cls is None:
        return partial(_value, order=order)
    return _value(cls, order=order)


def _value(cls: C, *, order: bool) -> C:
    written = signature(cls)
    made: Any = attrs.frozen(cls, init=False, repr=False, order=order, weakref_slot=False)
    made.__init__ = _constructor(made, written, vars(cls)["__init__"])
    if "__repr__" not in vars(cls):
        made.__repr__ = _shown
    made.__attrs_post_init__ = _check_again
    made.__replace__ = evolve  # for `copy.replace`, which Python has from 3.13 on
    return cast(C, final(known_to_pydantic(made)))


def _check_again(self: Any) -> None:
    """Parse the terms of a value that was filled without its constructor, as msgspec does."""
    kind: type = type(self)
    self.__init__(**{name: getattr(self, name) for name in parsers_of(kind)})


def _constructor(cls: type, written: Signature, stub: Any) -> Callable[..., None]:
    """Compile the body of a constructor: each argument parsed into its slot, then the checks."""
    terms = parsers_of(cls)
    names = list(written.parameters)
    if names != list(terms):
        raise TypeError(f"{cls.__name__}: {names} are passed, but {list(terms)} are kept")
    namespace: dict[str, Any] = {"OveragesError": OveragesError, "all_faults": _all_faults}
    for name, parse in terms.items():
        namespace[f"parse_{name}"] = parse
        namespace[f"set_{name}"] = getattr(cls, name).__set__
    steps = [f"        set_{name}(self, parse_{name}({name}, {name!r}))" for name in names]
    lines = [
        f"def __init__(self, {_parameters(written)}):",
        "    try:",
        *steps,
        "    except OveragesError as error:",
        f"        raise all_faults(self, error, ({', '.join(names)},)) from None",
    ]
    for name, work_out in _worked_out(cls).items():
        namespace[f"work_out_{name}"] = work_out
        lines += [
            f"    if self.{name} is None:",
            f"        set_{name}(self, work_out_{name}(self))",
        ]
    if checks := _checks_of(cls):
        namespace["Problems"] = Problems
        lines += [
            "    problems = Problems()",
            *(f"    self.{check}(problems)" for check in checks),
            "    if problems:",
            "        raise problems.error() from None",
        ]
    if hasattr(cls, "_complete"):
        lines.append("    self._complete()")
    exec(compile("\n".join(lines), f"<constructor of {cls.__name__}>", "exec"), namespace)
    made: Any = namespace["__init__"]
    for name in ("__defaults__", "__kwdefaults__", "__annotations__", "__module__", "__qualname__"):
        setattr(made, name, getattr(stub, name))
    return made  # type: ignore[no-any-return]


def _parameters(written: Signature) -> str:
    """Write the parameters of a constructor; their defaults are set on the function itself."""
    texts = []
    for name, parameter in written.parameters.items():
        if parameter.kind is Parameter.KEYWORD_ONLY and "*" not in texts:
            texts.append("*")
        texts.append(name if parameter.default is Parameter.empty else f"{name}=None")
    return ", ".join(texts)


@cache  # a class has one set of them
def parsers_of(cls: type) -> Mapping[str, Parser[Any]]:
    """List the terms of a class, in order, with their parsers; none if it isn't one of values."""
    fields: Any = getattr(cls, "__attrs_attrs__", ())
    parsers = {f.name: f.metadata[_PARSER] for f in fields if _PARSER in f.metadata}
    return MappingProxyType(parsers)


@cache
def _worked_out(cls: type) -> Mapping[str, Callable[[Any], Any]]:
    """List the terms that are worked out of the others unless they are given."""
    fields: Any = attrs.fields(cls)
    ways = {field.name: field.metadata.get(_OTHERWISE) for field in fields}
    return MappingProxyType({name: way for name, way in ways.items() if way is not None})


@cache
def _checks_of(cls: type) -> tuple[str, ...]:
    """List the checks across the fields of a class, as they are written."""
    names = dict.fromkeys(name for kind in reversed(cls.__mro__) for name in vars(kind))
    return tuple(name for name in names if name == "_check" or name.startswith("_check_"))


def _all_faults(made: Any, error: OveragesError, arguments: tuple[object, ...]) -> OveragesError:
    """Gather the faults of a constructor's arguments, given the first that was found.

    Arguments before it were accepted and are in their slots, so they aren't read again (an iterator
    would be empty by now). Faults across fields are told as far as the accepted ones show them.
    """
    problems = Problems()
    problems.add(error)
    kind: type = type(made)
    terms = zip(parsers_of(kind).items(), arguments, strict=True)
    accepted = takewhile(lambda each: hasattr(made, each[0][0]), terms)
    deque(accepted, maxlen=0)  # and with them the one that was refused
    for (name, parse), argument in terms:
        try:
            object.__setattr__(made, name, parse(argument, name))
        except OveragesError as another:
            problems.add(another)
    for name, work_out in _worked_out(kind).items():
        with suppress(AttributeError):  # when it comes to a field that was refused, as below
            if getattr(made, name) is None:
                object.__setattr__(made, name, work_out(made))
    for check in _checks_of(kind):
        with suppress(AttributeError):  # each alone: another may need no field that was refused
            getattr(made, check)(problems)
    return problems.error()


def non_defaults(instance: Any) -> dict[str, Any]:
    """List the terms of a value that have to be passed to make it: those not at their default."""
    kind: type = type(instance)
    following = {name: work_out(instance) for name, work_out in _worked_out(kind).items()}
    defaults = {**_defaults(kind), **following}
    return {
        name: getattr(instance, name)
        for name in parsers_of(kind)
        if name not in defaults or getattr(instance, name) != defaults[name]
    }


@cache
def _defaults(cls: type) -> Mapping[str, Any]:
    """List the terms that have a default, as it is kept."""
    terms = parsers_of(cls)
    defaults = {
        name: terms[name](parameter.default, name)
        for name, parameter in signature(cls).parameters.items()
        if parameter.default is not Parameter.empty
    }
    return MappingProxyType(defaults)


def _shown(self: Any) -> str:
    hidden = {field.name for field in attrs.fields(type(self)) if not field.repr}
    ordered = {field.name for field in attrs.fields(type(self)) if field.eq_key is not None}
    shown = [
        f"{name}={_plainly(term, is_ordered=name in ordered)!r}"
        for name, term in non_defaults(self).items()
        if name not in hidden
    ]
    return f"{type(self).__name__}({', '.join(shown)})"


def _plainly(term: object, *, is_ordered: bool) -> object:
    """A member of an enumeration stands for its value, by which it can be passed as well.

    A mapping whose order is no part of the value is sorted: equal values are shown alike.
    """
    if isinstance(term, FrozenDict) and not is_ordered:
        return {name: term[name] for name in sorted(term)}
    return term.value if isinstance(term, Enum) else term


def evolve(instance: T, /, **changes: Any) -> T:
    """Make another value of one, with some of its terms changed; all of it is checked again.

    :param changes: terms by name, as the constructor takes them, and refuses them.

    >>> from overages import PerUnit
    >>> evolve(PerUnit("0.10", per=1_000), price="0.20")
    PerUnit(price=Decimal('0.2'), per=1000)
    """
    made: T = attrs.evolve(instance, **changes)  # type: ignore[misc]  # to mypy, no attrs class
    return made
