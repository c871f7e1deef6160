"""Requests: a caller's body and headers, read strictly.

recalculate_request(b'{"force": true}')           # True
bearer_token("Bearer b2c4")                       # "b2c4"
"""

from __future__ import annotations

import re
from typing import Final

from overages._ground.jsontext import MOST_BYTES, entries, parsed
from overages._ground.parsing import Problems
from overages.errors import InvalidType, InvalidValue

__all__ = ["MOST_BYTES", "bearer_token", "recalculate_request"]

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
    try:
        members = entries(parsed(body), "body")
    except InvalidValue as error:
        field = error.field.removeprefix("data") or "body"
        raise InvalidValue(field, error.value, error.problem) from None
    problems = Problems()
    for key in (key for key in members if key != "force"):
        problem = "is not known; the one key that is known is force"
        problems.add(InvalidValue((key,), members[key], problem))
    force = members.get("force", False)
    if not isinstance(force, bool):
        problems.add(InvalidType("force", force, "must be true or false"))
    problems.raise_any()
    return bool(force)


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an ``Authorization`` header; None if it has none.

    Source: RFC 6750, section 2.1.

    >>> bearer_token("Bearer b2c4"), bearer_token("Basic b2c4"), bearer_token(None)
    ('b2c4', None, None)
    """
    match = _BEARER.fullmatch(authorization or "")
    return match[1] if match else None
