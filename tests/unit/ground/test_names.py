"""Names: any text that can be stored and shown, in one normal form."""

import pytest

from overages._ground.names import optional_name, parse_name
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
    "character",
    [
        "\x00",
        "\t",
        "\n",
        "\r",
        "\x1b",
        "\x7f",
        "\x85",
        "\u2028",
        "\u2029",
        chr(0xD800),
        chr(0xDFFF),
    ],
)
def test_control_characters_and_lone_surrogates_are_refused_wherever_they_are(
    character: str,
) -> None:
    problem = "must not hold control characters or lone surrogates"
    for text in (character, f"org{character}", f"{character}\u00e9", "a" * 300 + character):
        with pytest.raises(InvalidValue, match=f"^org_id: {problem}, got "):
            parse_name(text, "org_id")


@pytest.mark.parametrize("value", [None, 5, b"org-123", ["org-123"], True])
def test_what_is_no_str_is_no_name(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^org_id: must be a str, got "):
        parse_name(value, "org_id")


def test_an_optional_name_may_be_none_but_not_empty() -> None:
    assert optional_name(None, "id") is None
    with pytest.raises(InvalidValue, match=r"^id: must not be empty, got ''$"):
        optional_name("", "id")
