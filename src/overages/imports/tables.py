"""Tables of a TOML file: which keys they have, and what stands there.

fields = keys_of(table, required=["price"], optional=["tiers"])
fields = read_fields(fields, {"tiers": partial(each_of, read_tier)})
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from overages._ground.parsing import Problems
from overages.errors import Field, InvalidType, InvalidValue

T = TypeVar("T")


def table_of(value: object, field: Field) -> dict[str, Any]:
    """Return a table."""
    if not isinstance(value, dict):
        raise InvalidType(field, value, "must be a table")
    return value


def keys_of(value: object, *, required: list[str], optional: list[str]) -> dict[str, Any]:
    """Return a copy of a table that has all of some keys, and none but those and some others."""
    problems = Problems()
    table = table_of(value, "")
    for key in required:
        if key not in table:
            problems.add(InvalidValue(key, None, "must be given"))
    for key in table.keys() - {*required, *optional}:
        known = ", ".join([*required, *optional])
        problems.add(InvalidValue(key, table[key], f"isn't known; known here are {known}"))
    problems.raise_any()
    return dict(table)


def each_of(read: Callable[[Any], T], value: object) -> list[T]:
    """Return what each table of a list says; the path to a fault begins with the place there."""
    if not isinstance(value, list):
        raise InvalidType("", value, "must be a list of tables")
    problems = Problems()
    found = [problems.attempt(read, table, path=(i,)) for i, table in enumerate(value)]
    problems.raise_any()
    return found


def read_fields(fields: dict[str, Any], readers: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Return fields by key, those that have a reader as it reads them, the others as they are."""
    problems = Problems()
    read = {
        key: problems.attempt(readers[key], value, path=(key,)) if key in readers else value
        for key, value in fields.items()
    }
    problems.raise_any()
    return read
