"""The form of a class whose values are written as objects: its terms, and what follows from them.

DOT = object_form(Dot, {"x": number_form({int}), "y": number_form({int})}, required={"x"})
DOT.write(Dot(1), "dot")                          # {"x": "1"}, as y is at its default
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from inspect import Parameter, getdoc, signature
from types import MappingProxyType
from typing import Any, Final

from overages._ground.jsontext import entries
from overages._ground.parsing import Problems
from overages._ground.value import non_defaults, parsers_of
from overages.errors import Field, InvalidValue, OveragesError, at, did_you_mean, shown
from overages.forms.form import Form, ObjectForm, Refer, Schema, behind
from overages.forms.scalars import choice_form

_NOTHING: Final[Mapping[str, Form]] = MappingProxyType({})
_PARAMETER: Final = re.compile(r"^:param (\w+): (.+(?:\n +.+)*)", re.MULTILINE)


def passed(value: Any) -> dict[str, Any]:
    """List what has to be passed to make a value again: its terms that aren't at their default."""
    if parsers_of(type(value)):
        return non_defaults(value)
    parameters = signature(type(value)).parameters.items()
    held = [(name, getattr(value, name), parameter.default) for name, parameter in parameters]
    return {
        name: term for name, term, default in held if default is Parameter.empty or term != default
    }


def object_form(
    kind: type,
    terms: Mapping[str, Form],
    *,
    required: Collection[str],
    consequences: Mapping[str, Form] = _NOTHING,
    view: Callable[[Any], dict[str, Any]] = passed,
    make: Callable[..., Any],
    tag: Mapping[str, str] = MappingProxyType({}),
) -> ObjectForm:
    """Return the form of a class as an object.

    :param terms: the forms of what is passed to make a value, by key.
    :param required: the keys that are always there.
    :param consequences: the forms of attributes that follow from the terms; one that is None is
        left out, and one that says something else than the terms is refused.
    :param view: lists the terms of a value that are written.
    :param make: makes a value of its terms, by keyword.
    :param tag: the name of the class by the key that it stands under, where others could be there.
    """
    tags = {key: choice_form([name]) for key, name in tag.items()}
    forms = {**tags, **terms, **consequences}
    always = {*tags, *required}

    def write(value: Any, field: Field) -> dict[str, Any]:
        held = {**tag, **view(value)}
        held |= {name: getattr(value, name) for name in consequences}
        left_out = {name for name in consequences if held[name] is None}
        return {
            name: form.write(held[name], at(field, name))
            for name, form in forms.items()
            if name in held and name not in left_out
        }

    def read(value: object, field: Field) -> Any:
        return value if isinstance(value, kind) else fill(value, field, {})

    def fill(value: object, field: Field, known: Mapping[str, Any]) -> Any:
        given, problems = entries(value, field), Problems()
        unknown = {name: form for name, form in forms.items() if name not in known}
        _check_keys(given, unknown, always, field, problems)
        held = dict(known)
        for name in (name for name in unknown if name in given):
            try:
                held[name] = forms[name].read(given[name], at(field, name))
            except OveragesError as error:
                problems.add(error)
        if problems:  # what could be read may be unlawful as well
            for name, parse in parsers_of(kind).items():
                if name in held:
                    problems.attempt(parse, held[name], at(field, name))
            raise problems.error() from None
        made = behind(field, make, **{name: held[name] for name in held if name in terms})
        for name in consequences:
            if held.get(name) != getattr(made, name):
                problem = f"must be {shown(getattr(made, name))}, which follows from the rest"
                problems.add(InvalidValue(at(field, name), given.get(name), problem))
        problems.raise_any()
        return made

    def body(refer: Refer) -> Schema:
        said = descriptions(kind)
        return {
            "type": "object",
            "properties": {
                name: described(form.schema(refer), said.get(name)) for name, form in forms.items()
            },
            "required": [name for name in forms if name in always],
            "additionalProperties": False,
        }

    return ObjectForm(write, read, lambda refer: refer(kind), body, fill)


def _check_keys(
    given: Mapping[str, Any],
    forms: Mapping[str, Form],
    required: Collection[str],
    field: Field,
    problems: Problems,
) -> None:
    for key in forms:
        if key in required and key not in given:
            problems.add(InvalidValue(at(field, key), None, "must be given"))
    for key in given:
        if key not in forms:
            near = did_you_mean(key, forms)
            problem = f"isn't known{near}; known here are {', '.join(forms)}"
            problems.add(InvalidValue(at(field, key), given[key], problem))


def descriptions(kind: type) -> dict[str, str]:
    """List what the docstring of a class says of each parameter, by name."""
    said = _PARAMETER.findall(getdoc(kind) or "")
    return {name: " ".join(text.split()) for name, text in said}


def described(schema: Schema, text: str | None) -> Schema:
    """Return a schema with a description, if there is one."""
    return schema if text is None else {**schema, "description": text.replace("`", "")}
