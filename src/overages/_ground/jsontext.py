"""JSON text, strictly: one canonical text for one meaning, and nothing that could be misread.

Texts of unknown origin are read here: their size and depth are bounded before anything is made of
them, a number without quotes is kept digit by digit (it is refused further on), and a key that
comes twice is noticed.

    data = written({"type": "Currency", "code": "USD"})
    parsed(data)                                      # the same; or an OveragesError
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from overages.errors import Field, InvalidType, InvalidValue, at

MOST_BYTES: Final = 2**20
DEEPEST: Final = 16
_TOKENS: Final = re.compile(
    r'[\[{]|[\]}]|"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL
)  # each char once


class BareNumber:
    """A number that stands in JSON without quotes, digit by digit as it was written."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class DoubledKey(dict[str, Any]):
    """A JSON object in which a `key` comes more than once."""

    __slots__ = ("key",)
    key: str


def written(tree: object, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the canonical text: UTF-8, keys sorted by code point, no space between.

    :param most_bytes: the longest text; for what is stored by ourselves, more than for strangers'.
    :raises InvalidValue: if it is longer.

    >>> written({"version": "1", "code": "USD"})
    b'{"code":"USD","version":"1"}'
    """
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    data = text.encode()
    if len(data) > most_bytes:
        raise InvalidValue("value", len(data), f"must have at most {most_bytes} bytes of JSON")
    return data


def parsed(data: object, most_bytes: int = MOST_BYTES) -> object:
    """Read a JSON text: dicts, lists, strings, True, False, None, `BareNumber`s.

    :param most_bytes: the longest text.
    :raises InvalidType: if it is no text at all.
    :raises InvalidValue: if it is not UTF-8 or not JSON, or too long or nested too deep.

    >>> parsed('{"minor": 2500, "exponent": "2"}')
    {'minor': 2500, 'exponent': '2'}
    """
    text = _decoded(data, most_bytes)
    _check_depth(text)
    try:
        return json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=BareNumber,
            parse_float=BareNumber,
            parse_constant=BareNumber,
        )
    except ValueError as error:
        raise InvalidValue("data", str(error), "must be JSON") from None


def _decoded(data: object, most_bytes: int) -> str:
    if not isinstance(data, (bytes, str)):
        raise InvalidType("data", data, "must be bytes or a str")
    too_long = f"must have at most {most_bytes} bytes"
    if len(data) > most_bytes:
        raise InvalidValue("data", len(data), too_long)
    try:
        octets = data.encode() if isinstance(data, str) else data
        text = octets.decode()
    except UnicodeError as error:
        raise InvalidValue("data", str(error), "must be UTF-8") from None
    if len(octets) > most_bytes:
        raise InvalidValue("data", len(octets), too_long)
    return text


def _check_depth(text: str) -> None:
    """Refuse deep nesting before `json` recurses into it, however much stack a host allows."""
    depth = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth > DEEPEST:
            raise InvalidValue("data", f"{depth} levels", f"must be nested at most {DEEPEST} deep")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    doubled = DoubledKey(members)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            doubled.key = key
        seen.add(key)
    return doubled


def entries(value: object, field: Field) -> dict[str, Any]:
    """Return a JSON object if each of its keys is there once."""
    if not isinstance(value, dict):
        raise InvalidType(field, value, "must be a mapping")
    if isinstance(value, DoubledKey):
        raise InvalidValue(at(field, value.key), value[value.key], "must be given once")
    return value


def items(value: object, field: Field) -> list[Any]:
    """Return a JSON array."""
    if not isinstance(value, list):
        raise InvalidType(field, value, "must be a list")
    return value
