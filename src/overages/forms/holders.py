"""The forms that hold others: lists, mappings, choices of classes, values that may be missing.

by_name(list_of(TEXT)).write({"region": ("eu", "us")}, "where")   # {"region": ["eu", "us"]}
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from overages._ground.jsontext import entries, items
from overages._ground.names import parse_name
from overages._ground.parsing import Problems, optional as or_none
from overages.errors import Field, InvalidType, InvalidValue, at, did_you_mean
from overages.forms.form import Form, FormOf, Refer, Schema
from overages.forms.objects import ObjectForm


def optional(form: Form) -> Form:
    """Return a form that writes None as null, and anything else as `form` does."""

    def schema(refer: Refer) -> Schema:
        return {"anyOf": [form.schema(refer), {"type": "null"}]}

    return FormOf(or_none(form.write), or_none(form.read), schema)


def list_of(form: Form) -> Form:
    """Return the form of a tuple: an array."""

    def write(values: Iterable[Any], field: Field) -> list[Any]:
        return [form.write(value, at(field, i)) for i, value in enumerate(values)]

    def read(value: object, field: Field) -> tuple[Any, ...]:
        problems = Problems()
        listed = value if isinstance(value, tuple) else items(value, field)
        read_items = [
            problems.attempt(form.read, item, at(field, i)) for i, item in enumerate(listed)
        ]
        problems.raise_any()
        return tuple(read_items)

    return FormOf(write, read, lambda refer: {"type": "array", "items": form.schema(refer)})


def by_name(form: Form) -> Form:
    """Return the form of a mapping from names, in any order: an object."""

    def write(values: Mapping[str, Any], field: Field) -> dict[str, Any]:
        return {key: form.write(value, at(field, key)) for key, value in values.items()}

    def read(value: object, field: Field) -> dict[str, Any]:
        problems = Problems()
        held = {}
        for key, item in entries(value, field).items():
            if problems.attempt(parse_name, key, at(field, "<name>")) is not None:
                held[key] = problems.attempt(form.read, item, at(field, key))
        problems.raise_any()
        return held

    def schema(refer: Refer) -> Schema:
        return {"type": "object", "additionalProperties": form.schema(refer)}

    return FormOf(write, read, schema)


def listed_by(key: str, form: ObjectForm) -> Form:
    """Return the form of a mapping whose order counts: an array of objects, each with its name.

    :param key: of the name, beside the keys of the object.
    """

    def write(values: Mapping[str, Any], field: Field) -> list[Any]:
        return [
            {key: name, **form.write(value, at(field, i))}
            for i, (name, value) in enumerate(values.items())
        ]

    def read_item(item: object, field: Field) -> tuple[str, Any]:
        named, problems = entries(item, field), Problems()
        name = problems.attempt(parse_name, named.get(key), at(field, key))
        value = problems.attempt(form.read, without(named, key), field)
        problems.raise_any()
        return name, value

    def read(value: object, field: Field) -> dict[str, Any]:
        held: dict[str, Any] = {}
        problems = Problems()
        for i, (name, item) in enumerate(listed.read(value, field)):
            if name in held:
                problems.add(InvalidValue(at(field, i, key), name, "must be there once"))
            held[name] = item
        problems.raise_any()
        return held

    def schema(refer: Refer) -> Schema:
        return {"type": "array", "items": with_key(key, {"type": "string"}, form.body(refer))}

    listed = list_of(FormOf(write, read_item, form.schema))
    return FormOf(write, read, schema)


def named_by(key: str, form: ObjectForm, word: str | None = None) -> Form:
    """Return the form of a mapping whose values know their names: an object of objects without it.

    :param key: of the name in a value's own form.
    :param word: the word for None, where a value may be that.
    """

    def read_item(item: object, field: Field) -> Any:
        if word is not None and isinstance(item, str):
            if item == word:
                return None
            hint = did_you_mean(item, [word])
            raise InvalidValue(field, item, f'must be a table, or "{word}"{hint}')
        return form.fill(item, field, {key: field[-1]})

    def schema(refer: Refer) -> Schema:
        body = form.body(refer)
        properties = without(body["properties"], key)
        required = [name for name in body["required"] if name != key]
        item = body | {"properties": properties, "required": required}
        if word is not None:
            item = {"anyOf": [{"const": word}, item]}
        return {"type": "object", "additionalProperties": item}

    named = by_name(FormOf(form.write, read_item, form.schema))
    return FormOf(named.write, named.read, schema)


def either(scalar: Form, kind: type, form: Form) -> Form:
    """Return the form of a number or a text, or else of a value of a class, which is an object."""

    def write(value: object, field: Field) -> Any:
        return (form if isinstance(value, kind) else scalar).write(value, field)

    def read(value: object, field: Field) -> Any:
        return (form if isinstance(value, (kind, dict)) else scalar).read(value, field)

    def schema(refer: Refer) -> Schema:
        return {"anyOf": [scalar.schema(refer), form.schema(refer)]}

    return FormOf(write, read, schema)


def any_of(key: str, forms: Callable[[], Mapping[str, tuple[type, ObjectForm]]], noun: str) -> Form:
    """Return the form of a value of one of several classes, whose objects name their class.

    :param key: of the name.
    :param forms: gives the classes and their forms by name; it is asked late, as one of them may
        hold such a value itself.
    :param noun: names such a value, for the error if something else is written.
    """

    def write(value: object, field: Field) -> Any:
        for kind, form in forms().values():
            if type(value) is kind:
                return form.write(value, field)
        raise InvalidType(field or "value", value, f"must be {noun}")

    def read(value: object, field: Field) -> Any:
        if isinstance(value, tuple(kind for kind, _ in forms().values())):
            return value
        _, form = forms()[name_in(entries(value, field), key, forms(), field)]
        return form.read(value, field)

    def schema(refer: Refer) -> Schema:
        return {"oneOf": [refer(kind) for kind, _ in forms().values()]}

    return FormOf(write, read, schema)


def name_in(named: Mapping[str, Any], key: str, names: Collection[str], field: Field) -> str:
    """Return the name of a class that an object has under a key."""
    name = named.get(key)
    if not isinstance(name, str) or name not in names:
        problem = f"must be one of {', '.join(sorted(names))}{did_you_mean(name, names)}"
        raise InvalidValue(at(field, key), name, problem)
    return name


def without(named: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return an object without one of its keys."""
    return {name: item for name, item in named.items() if name != key}


def with_key(key: str, form: Schema, body: Schema) -> Schema:
    """Return the schema of an object with one key more, which is always there."""
    properties, required = (
        {key: form, **body["properties"]},
        {key: None, **dict.fromkeys(body["required"])},
    )
    return body | {"properties": properties, "required": list(required)}
