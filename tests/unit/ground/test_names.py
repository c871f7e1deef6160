"""Names: any text that can be stored and shown, in one normal form."""

import re
import sys

import pytest

from overages._ground.names import are_names, optional_name, parse_name, parse_names
from overages.errors import InvalidType, InvalidValue


class Slug(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "text",
    [
        "org-123",
        "a",
        "two words",
        "'; DROP TABLE x",
        "<script>",
        "a" * 255,
        "\u00e9" * 127 + "a",  # 255 bytes
        "\u6771\u4eac",
        "\U0001f680",
    ],
)
def test_any_text_that_can_be_shown_is_a_name(text: str) -> None:
    assert parse_name(text, "org_id") == text


@pytest.mark.parametrize("text", ["org-123", "caf\u00e9"])
def test_a_subclass_of_str_becomes_a_plain_str(text: str) -> None:
    assert type(parse_name(Slug(text), "org_id")) is str


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must not be empty"),
        ("a" * 256, "must have at most 255 bytes"),
        ("\u00e9" * 128, "must have at most 255 bytes"),  # 256 bytes
        ("\U0001f680" * 64, "must have at most 255 bytes"),  # 256 bytes
        ("e\u0301", r"must be in Unicode normal form C \(NFC\)"),  # e, combining acute
        ("\u212b", r"must be in Unicode normal form C \(NFC\)"),  # the angstrom sign
    ],
)
def test_a_text_that_can_not_serve_as_a_name_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"^org_id: {problem}, got "):
        parse_name(text, "org_id")


@pytest.mark.parametrize(
    ("character", "look"),
    [
        ("\x00", "a control character (U+0000)"),
        ("\t", "a control character (U+0009)"),
        ("\n", "a control character (U+000A)"),
        ("\r", "a control character (U+000D)"),
        ("\x1b", "a control character (U+001B)"),
        ("\x7f", "a control character (U+007F)"),
        ("\x85", "a control character (U+0085)"),
        ("\u2028", "a line break (U+2028)"),
        ("\u2029", "a line break (U+2029)"),
        (chr(0xD800), "a lone surrogate (U+D800)"),
        (chr(0xDFFF), "a lone surrogate (U+DFFF)"),
        ("\u00ad", "a format character (U+00AD)"),  # soft hyphen
        ("\u200b", "a format character (U+200B)"),  # zero-width space
        ("\u200d", "a format character (U+200D)"),  # zero-width joiner
        ("\u200f", "a format character (U+200F)"),  # right-to-left mark
        ("\u202e", "a format character (U+202E)"),  # right-to-left override
        ("\u2069", "a format character (U+2069)"),  # end of an isolate
        ("\ufeff", "a format character (U+FEFF)"),  # byte order mark
        ("\U000e0041", "a format character (U+E0041)"),  # tag A
        ("\u00a0", "a space that is not the plain one (U+00A0)"),  # no-break space
        ("\u2003", "a space that is not the plain one (U+2003)"),  # em space
        ("\u3000", "a space that is not the plain one (U+3000)"),  # ideographic space
        ("\ue000", "a private-use character (U+E000)"),
        ("\U0010fffd", "a private-use character (U+10FFFD)"),
        ("\uffff", "an unassigned code point (U+FFFF)"),
        ("\u2065", "an unassigned code point (U+2065)"),
        ("\ufe0f", "a character that can not be seen (U+FE0F)"),  # variation selector 16
        ("\U000e0100", "a character that can not be seen (U+E0100)"),  # variation selector 17
        ("\u034f", "a character that can not be seen (U+034F)"),  # combining grapheme joiner
        ("\u180b", "a character that can not be seen (U+180B)"),  # Mongolian variation selector
        ("\u115f", "a character that can not be seen (U+115F)"),  # Hangul filler
        ("\u3164", "a character that can not be seen (U+3164)"),
        ("\uffa0", "a character that can not be seen (U+FFA0)"),
        ("\u17b4", "a character that can not be seen (U+17B4)"),  # Khmer inherent vowel
        ("\u2800", "a character that can not be seen (U+2800)"),  # blank of Braille
        ("\ufffd", "a character that can not be seen (U+FFFD)"),  # replaces what was lost
    ],
    ids=ascii,
)
def test_what_has_no_look_of_its_own_is_refused_wherever_it_is(character: str, look: str) -> None:
    problem = re.escape(f"must not hold {look}")
    for text in (character, f"org{character}", f"{character}\u00e9", "a" * 300 + character):
        with pytest.raises(InvalidValue, match=f"^org_id: {problem}, got "):
            parse_name(text, "org_id")


@pytest.mark.parametrize("text", [" ", " org-1", "org-1 ", "two  words", " caf\u00e9"])
def test_spaces_that_files_and_pages_drop_are_refused(text: str) -> None:
    problem = "must not have a space at an end, or two in a row"
    with pytest.raises(InvalidValue, match=f"^org_id: {problem}, got '{text}'$"):
        parse_name(text, "org_id")


def test_of_several_faults_of_a_text_the_first_character_is_named() -> None:
    with pytest.raises(InvalidValue, match=r"must not hold a character that .* \(U\+FE0F\)"):
        parse_name("\u2764\ufe0f\u200d", "org_id")


@pytest.mark.parametrize("text", ["\u00b5s", "m\u00b3", "\uff21", "\u0430bc", "\u2764", "\u0e33"])
def test_letters_and_forms_that_look_alike_are_names(text: str) -> None:
    assert parse_name(text, "metric") == text


@pytest.mark.parametrize("value", [None, 5, b"org-123", ["org-123"], True])
def test_what_is_no_str_is_no_name(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^org_id: must be a str, got "):
        parse_name(value, "org_id")


def test_an_optional_name_may_be_none_but_not_empty() -> None:
    assert optional_name(None, "id") is None
    with pytest.raises(InvalidValue, match=r"^id: must not be empty, got ''$"):
        optional_name("", "id")


@pytest.mark.parametrize("count", [1, 64, 65, 1_000])
def test_names_are_read_alike_however_many_there_are(count: int) -> None:
    names = [f"evt-{count}-{number}" for number in range(count)]
    assert parse_names(names, "ids") == parse_names(iter(names), "ids") == tuple(names)
    with pytest.raises(InvalidValue, match=rf"^ids\[{count}\]: must not be empty"):
        parse_names([*names, ""], "ids")


def test_ids_that_come_by_the_thousand_are_not_remembered() -> None:
    texts = tuple(f"evt-{number}" for number in range(65))
    before = sys.getrefcount(texts)
    assert are_names(texts)
    assert sys.getrefcount(texts) == before
