"""Names that hosts give: org ids, metrics, plan slugs, event ids.

A name is any text, and is never interpreted: ``"'; DROP TABLE x"`` is just an odd org id. Refused
are texts that two systems, or two people, could take for each other, or that can't be
stored or shown: empty, over 255 bytes of UTF-8, not in Unicode's normal form C, with outer or
doubled spaces (which files, forms and HTML drop), or with a character that has no look of its own:

- control and format characters: zero-width ones, marks of direction, byte order marks, tags, and
  the joiners of emojis and of some scripts, without which the text looks the same or much the same;
- characters that Unicode ignores by default (variation selectors, fillers), and the blank of
  Braille;
- spaces and line breaks other than the plain space;
- code points that are private, or unassigned as far as this Python knows: their look is
  anyone's choice, and their normal form may still change. So an older Python can refuse a name that
  a newer one takes, never the other way round;
- the replacement character: the characters lost in decoding may have been two different names.

Letters that look alike (Latin and Cyrillic) and compatibility forms (``m³``) pass: to refuse them
would take tables that Python doesn't have, or metrics that are well named.

    org_id = parse_name(org_id, "org_id")
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Final, TypeVar

from overages._ground.frozen_dict import FrozenDict
from overages._ground.parsing import Parser, Problems, each, optional, plain_str
from overages.errors import Field, InvalidType, InvalidValue, OveragesError, at, shown

T = TypeVar("T")

LONGEST_NAME: Final = 255  # bytes of UTF-8
_LOOKS: Final = {  # of characters that can't be told apart, by Unicode's category
    "Cc": "a control character",
    "Cf": "a format character",
    "Cn": "an unassigned code point",
    "Co": "a private-use character",
    "Cs": "a lone surrogate",
    "Zl": "a line break",
    "Zp": "a line break",
    "Zs": "a space that is not the plain one",
}
_BLANK: Final = (  # in other categories: Default_Ignorable_Code_Point, U+2800, U+FFFC and U+FFFD
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc\ufffd"
    "\U000e0100-\U000e01ef]"
)


def parse_name(value: object, field: Field) -> str:
    """Return `value`, as a plain `str`, if it can serve as a name.

    :raises InvalidType: if it is no `str`.
    :raises InvalidValue: if it is empty, too long, not normalised, or could be taken for another.

    >>> parse_name("org-123", "org_id")
    'org-123'
    """
    if (
        type(value) is str
        and value.isascii()
        and value.isprintable()
        and " " not in value
        and 0 < len(value) <= LONGEST_NAME
    ):
        return value
    text = plain_str(value)
    if text is None:
        raise InvalidType(field, value, "must be a str")
    if not text:
        raise InvalidValue(field, value, "must not be empty")
    unclear = _unclear_character(text)
    if unclear is not None:
        raise InvalidValue(field, value, f"must not hold {unclear}")
    if text.startswith(" ") or text.endswith(" ") or "  " in text:
        raise InvalidValue(field, value, "must not have a space at an end, or two in a row")
    if len(text.encode()) > LONGEST_NAME:
        raise InvalidValue(field, value, f"must have at most {LONGEST_NAME} bytes")
    _require_normal_form(text, field)
    return text


def _unclear_character(text: str) -> str | None:
    """Describe the first character that could be taken for another or for none, if there is one."""
    if text.isprintable() and not re.search(_BLANK, text):  # a plain space is printable
        return None
    from unicodedata import category  # needed for errors, and for names beyond ASCII, alone

    character = next(c for c in text if not c.isprintable() or re.match(_BLANK, c))
    look = _LOOKS.get(category(character), "a character that can not be seen")
    return f"{look} (U+{ord(character):04X})"


def _require_normal_form(value: str, field: Field) -> None:
    from unicodedata import is_normalized

    if not is_normalized("NFC", value):
        raise InvalidValue(field, value, "must be in Unicode normal form C (NFC)")


optional_name: Final = optional(parse_name)
_parse_each: Final = each(parse_name)


def parse_names(value: object, field: Field) -> tuple[str, ...]:
    """Return a list of names as a tuple; a text is one name, and no list of its letters.

    >>> parse_names(["org-1", "org-2"], "orgs")
    ('org-1', 'org-2')
    """
    if isinstance(value, str):
        raise InvalidType(field, value, "must be a list of names, not one")
    if isinstance(value, (list, tuple, set, frozenset)):
        names = tuple(value)
        if {*map(type, names)} <= {str} and are_names(names):  # a tenth of the time of each alone
            return names
    return _parse_each(value, field)


def are_names(texts: tuple[str, ...]) -> bool:
    """Tell whether plain texts can all serve as names; a few that came before are known."""
    return _are_few_names(texts) if len(texts) <= _FEW else _are_all_names(texts)


def _are_all_names(texts: tuple[str, ...]) -> bool:
    joined = "".join(texts)
    if joined.isascii() and joined.isprintable() and " " not in joined:
        return all(texts) and max(map(len, texts), default=1) <= LONGEST_NAME
    try:
        return all(parse_name(text, "name") for text in texts)
    except OveragesError:
        return False


# Hosts have few sets of metrics. But ids of events are names as well, and come by the thousand.
_FEW: Final = 64
_are_few_names: Final = lru_cache(maxsize=256)(_are_all_names)


def by_metric(parse: Parser[T], described: str) -> Parser[FrozenDict[str, T]]:
    """Return a parser of mappings from metrics to values for `parse`; it makes a frozen copy.

    :param described: the values of the mapping, for the error if it is none.
    """
    return by_name(parse, described, of="metric")


def _step(key: object) -> str:
    return key if isinstance(key, str) else shown(key)


def by_name(parse: Parser[T], described: str, of: str) -> Parser[FrozenDict[str, T]]:
    """Return a parser of mappings from names to values for `parse`; it makes a frozen copy.

    :param described: the values of the mapping, for the error if it is none.
    :param of: the kind of the names, for the error if one is no name.
    """

    def parse_mapping(value: object, field: Field) -> FrozenDict[str, T]:
        if type(value) is FrozenDict and not value:
            return value
        if not isinstance(value, Mapping):
            raise InvalidType(field, value, f"must be a mapping of {described}")
        items = list(value.items())  # once: a host's mapping may say others the next time
        names = tuple([name for name, _ in items])
        if {*map(type, names)} <= {str} and are_names(names):
            with suppress(OveragesError):  # which is told beside all others
                return FrozenDict({name: parse(held, ()) for name, held in items})
        problems = Problems()
        parsed = {}
        for name, held in items:
            # A price list has 20,000 paths, and all of them are of use to nobody.
            try:
                key = parse_name(name, f"<{of}>")
            except OveragesError as error:
                problems.add(error, at(field))
                key = ""
            try:
                parsed[key] = parse(held, ())
            except OveragesError as error:
                problems.add(error, at(field, _step(name)))
        problems.raise_any()
        return FrozenDict(parsed)

    return parse_mapping
