"""Names that hosts give: org ids, metrics, plan slugs, event ids.

A name is any text, and is never interpreted: ``"'; DROP TABLE x"`` is just an odd org id. What is
refused are texts that two systems could take for each other or that can't be stored or shown:
empty, over 255 bytes of UTF-8, with control characters or lone surrogates, or not in Unicode's
normal form C.

    org_id = parse_name(org_id, "org_id")
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from overages._ground.frozen_dict import FrozenDict
from overages._ground.parsing import Parser, Problems, optional
from overages.errors import Field, InvalidType, InvalidValue, at, shown

T = TypeVar("T")

LONGEST_NAME: Final = 255  # bytes of UTF-8
_UNSHOWABLE: Final = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"


def parse_name(value: object, field: Field) -> str:
    """Return `value` if it can serve as a name.

    :raises InvalidType: if it is no `str`.
    :raises InvalidValue: if it is empty, too long, not showable or not normalised.

    >>> parse_name("org-123", "org_id")
    'org-123'
    """
    if (
        type(value) is str
        and value.isascii()
        and value.isprintable()
        and 0 < len(value) <= LONGEST_NAME
    ):
        return value
    if not isinstance(value, str):
        raise InvalidType(field, value, "must be a str")
    if not value:
        raise InvalidValue(field, value, "must not be empty")
    if re.search(_UNSHOWABLE, value):
        raise InvalidValue(field, value, "must not hold control characters or lone surrogates")
    if len(value.encode()) > LONGEST_NAME:
        raise InvalidValue(field, value, f"must have at most {LONGEST_NAME} bytes")
    _require_normal_form(value, field)
    return str.__str__(value)  # plain, also of an enum that is a str


def _require_normal_form(value: str, field: Field) -> None:
    from unicodedata import is_normalized  # needed for names beyond ASCII alone

    if not is_normalized("NFC", value):
        raise InvalidValue(field, value, "must be in Unicode normal form C (NFC)")


optional_name: Final = optional(parse_name)


def by_metric(parse: Parser[T], described: str) -> Parser[FrozenDict[str, T]]:
    """Return a parser of mappings from metrics to what `parse` accepts; it makes a frozen copy.

    :param described: what the mapping holds, for the error if it is none.
    """
    return by_name(parse, described, of="metric")


def _step(key: object) -> str:
    return key if isinstance(key, str) else shown(key)


def by_name(parse: Parser[T], described: str, of: str) -> Parser[FrozenDict[str, T]]:
    """Return a parser of mappings from names to what `parse` accepts; it makes a frozen copy.

    :param described: what the mapping holds, for the error if it is none.
    :param of: what the names are of, for the error if one is no name.
    """

    def parse_mapping(value: object, field: Field) -> FrozenDict[str, T]:
        if not isinstance(value, Mapping):
            raise InvalidType(field, value, f"must be a mapping of {described}")
        problems = Problems()
        parsed = {}
        for given, held in value.items():
            key = problems.attempt(parse_name, given, at(field, f"<{of}>"))
            parsed[key] = problems.attempt(parse, held, at(field, _step(given)))
        problems.raise_any()
        return FrozenDict(parsed)

    return parse_mapping
