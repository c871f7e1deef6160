"""The form of a class whose values are written as objects: its terms, and their consequences.

DOT = ObjectForm(Dot, {"x": number_form({int}), "y": number_form({int})}, {"x"}, Dot)
DOT.write(Dot(1), "dot")                          # {"x": "1"}, as y is at its default
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cache, cached_property
from inspect import Parameter, getdoc, signature
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from overages._ground.jsontext import entries
from overages._ground.parsing import Problems
from overages._ground.value import non_defaults, parsers_of
from overages.errors import Field, InvalidValue, OveragesError, at, did_you_mean, shown
from overages.forms.form import Form, Refer, Schema, behind
from overages.forms.scalars import choice_form

_NOTHING: Final[Mapping[str, Form]] = MappingProxyType({})
_PARAMETER: Final = re.compile(r"^:param (\w+): (.+(?:\n +.+)*)", re.MULTILINE)


def passed(value: Any) -> dict[str, Any]:
    """List the arguments that make a value again: its terms that aren't at their default."""
    kind: type = type(value)
    if parsers_of(kind):
        return non_defaults(value)
    held = [(name, getattr(value, name), default) for name, default in _parameters(kind)]
    return {
        name: term for name, term, default in held if default is Parameter.empty or term != default
    }


@cache  # a statement is written more often than its class changes
def _parameters(kind: type) -> list[tuple[str, Any]]:
    return [(name, each.default) for name, each in signature(kind).parameters.items()]


@frozen(slots=False)
class ObjectForm:
    """The form of a class as an object.

    :param kind: the class.
    :param terms: the forms of the arguments that make a value, by key.
    :param required: the keys that are always there.
    :param make: makes a value of its terms, by keyword.
    :param consequences: the forms of attributes that follow from the terms; one that is None is
        left out, and one that says something else than the terms is refused.
    :param tag: the name of the class by the key that it stands under, where others could be there.
    """

    kind: type
    terms: Mapping[str, Form]
    required: Collection[str]
    make: Callable[..., Any]
    consequences: Mapping[str, Form] = _NOTHING
    tag: Mapping[str, str] = MappingProxyType({})

    @cached_property
    def forms(self) -> dict[str, Form]:
        """The forms of all that an object can have, by key, in order."""
        tag = {key: choice_form([name]) for key, name in self.tag.items()}
        return {**tag, **self.terms, **self.consequences}

    def view(self, value: Any) -> dict[str, Any]:
        """List the terms of a value that are written."""
        return passed(value)

    def write(self, value: Any, field: Field) -> dict[str, Any]:
        """Return a value as an object."""
        following = {name: getattr(value, name) for name in self.consequences}
        held = {name: term for name, term in following.items() if term is not None}
        held = {**held, **self.tag, **self.view(value)}
        return {
            name: form.write(held[name], at(field, name))
            for name, form in self.forms.items()
            if name in held
        }

    def read(self, tree: object, field: Field) -> Any:
        """Return the value that an object says."""
        return tree if isinstance(tree, self.kind) else self.fill(tree, field, {})

    def fill(self, tree: object, field: Field, held: Mapping[str, Any]) -> Any:
        """Return the value that an object says, of which some terms are known already."""
        named, problems = entries(tree, field), Problems()
        forms = {name: form for name, form in self.forms.items() if name not in held}
        self._check_keys(named, forms, field, problems)
        held = dict(held)
        for name in (name for name in forms if name in named):
            try:
                held[name] = forms[name].read(named[name], at(field, name))
            except OveragesError as error:
                problems.add(error)
        if problems:  # the terms that could be read may be unlawful as well
            for name, parse in parsers_of(self.kind).items():
                if name in held:
                    problems.attempt(parse, held[name], at(field, name))
            raise problems.error() from None
        terms = {name: held[name] for name in held if name in self.terms}
        made = behind(field, self.make, **terms)
        self._check_consequences(made, named, held, field)
        return made

    def _check_keys(
        self,
        named: Mapping[str, Any],
        forms: Mapping[str, Form],
        field: Field,
        problems: Problems,
    ) -> None:
        for key in forms:
            if key not in named and (key in self.required or key in self.tag):
                problems.add(InvalidValue(at(field, key), None, "must be given"))
        for key in named:
            if key not in forms:
                near = did_you_mean(key, forms)
                problem = f"isn't known{near}; known here are {', '.join(forms)}"
                problems.add(InvalidValue(at(field, key), named[key], problem))

    def _check_consequences(
        self, made: Any, named: Mapping[str, Any], held: Mapping[str, Any], field: Field
    ) -> None:
        problems = Problems()
        for name in self.consequences:
            follows = getattr(made, name)
            if held.get(name) != follows:
                problem = f"must be {shown(follows)}, which follows from the rest"
                problems.add(InvalidValue(at(field, name), named.get(name), problem))
        problems.raise_any()

    def schema(self, refer: Refer) -> Schema:
        """Return a reference to the JSON Schema of the class."""
        return refer(self.kind)

    def body(self, refer: Refer) -> Schema:
        """Return the JSON Schema of the class itself."""
        texts = descriptions(self.kind)
        forms = self.forms
        return {
            "type": "object",
            "properties": {
                name: described(form.schema(refer), texts.get(name)) for name, form in forms.items()
            },
            "required": [name for name in forms if name in self.required or name in self.tag],
            "additionalProperties": False,
        }


def descriptions(kind: type) -> dict[str, str]:
    """List the descriptions of parameters in the docstring of a class, by name."""
    parameters = _PARAMETER.findall(getdoc(kind) or "")
    return {name: " ".join(text.split()) for name, text in parameters}


def described(schema: Schema, text: str | None) -> Schema:
    """Return a schema with a description, if there is one."""
    return schema if text is None else {**schema, "description": text.replace("`", "")}
