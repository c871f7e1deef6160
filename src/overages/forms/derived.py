"""Forms that follow from classes: from the parameters of a constructor, and the types it keeps.

The signature has names, order and defaults, the annotations have types. A field at its default is
left out; one that has none is always there. So a field has its form by being declared:

    forms = Forms(JSON)
    forms.of(Discount).write(Discount("launch", percent=20), "")    # {"name": ..., "percent": "20"}
    forms.of(tuple[Discount, ...] | None)                           # of any type, put together
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache, partial
from inspect import Parameter, signature
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from overages._ground.parsing import optional as or_none
from overages.forms.form import Form, FormOf
from overages.forms.holders import any_of, by_name, either, list_of, optional
from overages.forms.hosted import HostedForm
from overages.forms.objects import ObjectForm
from overages.forms.scalars import FLAG, INSTANT, TEXT, choice_form, number_form, rule_form
from overages.prices.models import PriceModel
from overages.prices.registry import PRICE_MODELS

_NUMBERS: Final = frozenset({int, Decimal, Fraction})
_SCALARS: Final[Mapping[Any, Form]] = {str: TEXT, bool: FLAG, datetime: INSTANT}
_A_PRICE: Final = (
    "a price model of the library, or of a class that is named in Codec(price_models=[...])"
)


class Term(NamedTuple):
    """A parameter of a class: its name, the type of its kept value, and its default."""

    name: str
    hint: Any
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is Parameter.empty


@cache  # each codec asks, and annotations are code that is run to be read
def terms_of(kind: type) -> tuple[Term, ...]:
    """List the parameters of a class in order, with the types of its attributes of those names.

    :raises TypeError: if a parameter has no attribute of its name, or that has no type.
    """
    return tuple(
        Term(name, type_of(kind, name), parameter.default)
        for name, parameter in signature(kind).parameters.items()
    )


def type_of(kind: type, name: str) -> Any:
    """Return the type of an attribute or a property of a class."""
    attribute = getattr(kind, name, None)
    hints = get_type_hints(attribute.fget if isinstance(attribute, property) else kind)
    key = "return" if isinstance(attribute, property) else name
    if key not in hints:
        raise TypeError(f"no type is known of {name}")
    return hints[key]


class Spelling(NamedTuple):
    """The choices of a format that don't follow from the classes.

    :param tag: the key under which one of several classes is named.
    :param name_of: gives the name of a class there.
    :param tagged: the classes that are named so, beside price models.
    :param special: makes the forms of types, and of fields as (class, name), that aren't derived.
    :param consequences: attributes by class that are written beside the terms they follow from;
        where they are read, they must agree.
    :param number: makes the form of a number, of the classes that it can be of.
    :param absent: terms, as (class, name), that are left out where they are None, although they
        have no default.
    """

    tag: str
    name_of: Callable[[type], str]
    special: Mapping[Any, Callable[[Forms], Form]]
    tagged: Collection[type] = ()
    consequences: Mapping[type, tuple[str, ...]] = MappingProxyType({})
    number: Callable[[Collection[type]], Form] = number_form
    absent: Collection[tuple[type, str]] = ()


class Forms:
    """The forms of types in one format, each derived when it is first asked for.

    :param models: classes that a price can be of, beside the library's own.
    """

    def __init__(self, spelling: Spelling, models: Iterable[type] = ()) -> None:
        self._spelling, self._hosted = spelling, tuple(models)
        self._price_models = (*PRICE_MODELS, *self._hosted)
        self.tagged: set[type[Any]] = {*self._price_models, *spelling.tagged}
        self._objects: dict[type, ObjectForm] = {}

    def of(self, hint: Any) -> Form:
        """Return the form of a type.

        :raises TypeError: if none is known.
        """
        origin, options = get_origin(hint), get_args(hint)
        if hint in self._spelling.special:
            return self._spelling.special[hint](self)
        if origin is None:
            return self._of_class(hint)
        if origin in (Union, UnionType):
            return self._of_union(options)
        if origin is Literal:
            return choice_form(options)
        if origin is tuple and options[1:] == (...,):
            return list_of(self.of(options[0]))
        if issubclass(origin, Mapping) and options[0] is str:
            return by_name(self.of(options[1]))
        raise TypeError(f"no form is known of {hint}")

    def _of_class(self, kind: Any) -> Form:
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind in _NUMBERS:
            return self._spelling.number({kind})
        if kind is PriceModel:
            return self._price_but()
        if isinstance(kind, type) and issubclass(kind, Enum):
            return rule_form(kind)
        if hasattr(kind, "__match_args__"):
            return self.object(kind)
        raise TypeError(f"no form is known of {getattr(kind, '__name__', kind)}")

    def _of_union(self, options: Iterable[Any]) -> Form:
        if NoneType in options:
            return optional(self._of_union([each for each in options if each is not NoneType]))
        numbers = [each for each in options if each in _NUMBERS]
        others = [each for each in options if each not in _NUMBERS]
        if len(others) > 1:
            return self._any_of(others, " or ".join(f"an {each.__name__}" for each in others))
        if not numbers:
            return self.of(others[0])
        number = self._spelling.number(numbers)
        return either(number, others[0], self.of(others[0])) if others else number

    def _price_but(self, model: type | None = None) -> Form:
        return self._any_of([kind for kind in self._price_models if kind is not model], _A_PRICE)

    def _any_of(self, kinds: Iterable[type], noun: str) -> Form:
        kinds = tuple(kinds)

        @cache  # it is asked for each price of a plan
        def forms() -> Mapping[str, tuple[type, ObjectForm]]:
            return {self._spelling.name_of(kind): (kind, self.object(kind)) for kind in kinds}

        return any_of(self._spelling.tag, forms, noun)

    def object(self, kind: type) -> ObjectForm:
        """Return the form of a class as an object of its fields."""
        if kind not in self._objects:
            self._objects[kind] = self._derive(kind)
        return self._objects[kind]

    def document(self, kind: type) -> ObjectForm:
        """Return the form of a class where it stands alone: an object, whatever it is elsewhere."""
        form = self.of(kind)
        return form if isinstance(form, ObjectForm) else self.object(kind)

    def _derive(self, kind: type) -> ObjectForm:
        terms = terms_of(kind)
        following = [
            Term(name, hint := type_of(kind, name), None if _is_optional(hint) else Parameter.empty)
            for name in self._spelling.consequences.get(kind, ())
        ]
        absent = {name for each, name in self._spelling.absent if each is kind}
        required = {term.name for term in (*terms, *following) if term.is_required}
        form = HostedForm if kind in self._hosted else ObjectForm
        return form(
            kind,
            {term.name: self._of_term(kind, term) for term in terms},
            required - absent,
            partial(kind, **dict.fromkeys(absent)),
            {term.name: self._of_term(kind, term) for term in following},
            {self._spelling.tag: self._spelling.name_of(kind)} if kind in self.tagged else {},
        )

    def _of_term(self, kind: type, term: Term) -> Form:
        """Return the form of a field; where None is its default, it is left out, never null."""
        if (kind, term.name) in self._spelling.special:
            return self._spelling.special[kind, term.name](self)
        if term.hint is PriceModel:
            return self._price_but(kind)  # none holds another one of its own class
        is_null = term.default is not None and (kind, term.name) not in self._spelling.absent
        if is_null or not _is_optional(term.hint):
            return self.of(term.hint)
        form = self._of_union([each for each in get_args(term.hint) if each is not NoneType])
        return FormOf(form.write, or_none(form.read), form.schema)


def _is_optional(hint: Any) -> bool:
    return NoneType in get_args(hint)
