"""Requests: a caller's body and headers, read strictly.

recalculate_request(b'{"force": true}')           # True
bearer_token("Bearer b2c4")                       # "b2c4"
"""

from __future__ import annotations

import re
from typing import Any, Final

from overages._ground.jsontext import MOST_BYTES, entries, parsed
from overages._ground.parsing import Problems
from overages.errors import InvalidType, InvalidValue

__all__ = ["MOST_BYTES", "bearer_token", "json_body", "recalculate_request", "whole_number"]

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*) *", re.IGNORECASE)


def recalculate_request(body: bytes | str) -> bool:
    """Tell whether a recalculation is to be forced.

    :param body: a JSON object that may have ``force``, or nothing at all. There is no need to read
        more than `MOST_BYTES` of it, and one byte: a longer one is refused.
    :raises InvalidType: if it is no object, or `force` is neither true nor false.
    :raises InvalidValue: if it is not JSON, or has another key, or one twice; `InvalidValues` for
        several faults.

    >>> recalculate_request(b""), recalculate_request('{"force": true}')
    (False, True)
    >>> recalculate_request('{"force": 1}')
    Traceback (most recent call last):
        ...
    overages.errors.InvalidType: force: must be true or false, got 1
    """
    if not body:
        return False
    members = json_body(body)
    problems = Problems()
    for key in (key for key in members if key != "force"):
        problem = "is not known; the one key that is known is force"
        problems.add(InvalidValue((key,), members[key], problem))
    force = members.get("force", False)
    if not isinstance(force, bool):
        problems.add(InvalidType("force", force, "must be true or false"))
    problems.raise_any()
    return bool(force)


def json_body(body: bytes | str) -> dict[str, Any]:
    """Return the members of a body that is a JSON object.

    :raises InvalidType: if it is no object.
    :raises InvalidValue: if it is not JSON, or has a key twice.

    >>> json_body('{"force": true}')
    {'force': True}
    """
    try:
        return entries(parsed(body), "body")
    except InvalidValue as error:
        field = error.field.removeprefix("data") or "body"
        raise InvalidValue(field, error.value, error.problem) from None


def whole_number(told: object, field: str, *, otherwise: int, most: int) -> int:
    """Return the number that a query names, from 1 to a largest one.

    :param told: the text in the query, or what the framework has made of it: an int; None where the
        query doesn't name it.
    :param otherwise: the number then.
    :raises InvalidValue: if it is no such number.

    >>> [whole_number(told, "periods", otherwise=12, most=120) for told in ("3", 3, None)]
    [3, 3, 12]
    """
    if told is None:
        return otherwise
    number = told if type(told) is int else 0
    if isinstance(told, str) and re.fullmatch(r"0*[1-9][0-9]{0,8}", told, re.ASCII):
        number = int(told)
    if not 1 <= number <= most:
        raise InvalidValue(field, told, f"must be a whole number from 1 to {most}")
    return number


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization`` header; None if it has none.

    Source: RFC 6750, section 2.1.

    >>> bearer_token("Bearer b2c4"), bearer_token("Basic b2c4"), bearer_token(None)
    ('b2c4', None, None)
    """
    match = _BEARER.fullmatch(authorization or "")
    return match[1] if match else None
