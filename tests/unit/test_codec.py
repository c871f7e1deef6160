"""The codec: texts written by hand, and every refusal with the path to what is refused."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.recorded import stored
from tests.texts import FEBRUARY, MEBIBYTE, PLAN, PLAN_TEXT, TEXTS, faults

from overages import Currency, Money, PerUnit, Plan, PriceModel, Summary, Usage
from overages.codec import decode, encode
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.forms.derived import terms_of
from overages.forms.json import KINDS
from overages.statements.summary import MetricTotal

# Texts


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=lambda part: type(part).__name__)
def test_a_value_is_written_as_this_text_and_read_from_it(value: Any, text: str) -> None:
    assert encode(value).decode() == text
    assert decode(text, type(value)) == value
    assert decode(text.encode(), object) == value


def test_keys_may_come_in_any_order_and_with_space_between() -> None:
    text = '\n{ "version": "1", "code": "\\u0055SD",\t"type": "Currency" }\r\n'
    assert decode(text, Currency) == Currency("USD")


def test_a_price_model_can_be_expected_by_its_protocol() -> None:
    expected: type[PriceModel] = PriceModel  # type: ignore[type-abstract]
    assert decode(encode(PerUnit(1)), expected) == PerUnit(1)


@contextmanager
def shortest_ints() -> Iterator[None]:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize(
    "value",
    [
        Money(-(10**1000) + 1, "USD"),
        stored(
            "org-1",
            FEBRUARY,
            "tokens",
            quantity=1,
            cost=Money(1, "USD"),
            exact_cost=Decimal("-" + "9" * 1000 + "." + "9" * 1000),
            unit_price=Fraction(-(10**1000) + 1, 10**999 + 1),
        ),
    ],
)
def test_the_longest_numbers_are_written_and_read_whatever_the_host_has_limited(value: Any) -> None:
    with shortest_ints():
        assert decode(encode(value), object) == value


# Refusals of a text as a whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "data: must be JSON, got 'Expecting value: line 1 column 1 (char 0)'"),
        ("{", "data: must be JSON, got 'Expecting property name enclosed in double quotes: l"),
        ('{"type"', "data: must be JSON, got "),
        ('{"type": "Plan\\', "data: must be JSON, got "),
        ('{"type": "\n"}', "data: must be JSON, got 'Invalid control character at: "),
        ("{} {}", "data: must be JSON, got 'Extra data: "),
        ("\ufeff{}", "data: must be JSON, got 'Unexpected UTF-8 BOM"),
        (b'{"\xff": 1}', "data: must be UTF-8, got \"'utf-8' codec can't decode byte 0xff"),
        ("{}".encode("utf-16"), "data: must be UTF-8, got "),
        ("\ud800", "data: must be UTF-8, got "),
        ("[]", "data: must be a mapping, got []"),
        ("7", "data: must be a mapping, got 7"),
        ("NaN", "data: must be a mapping, got NaN"),
        ("1" * 5000, "data: must be a mapping, got 111"),
        ("null", "data: must be a mapping, got None"),
        ("[" * 17 + "]" * 17, "data: must be nested at most 16 deep, got '17 levels'"),
        ('{"a":' * 100_000, "data: must be nested at most 16 deep, got '17 levels'"),
        ("[" * MEBIBYTE, "data: must be nested at most 16 deep, got '17 levels'"),
        ('"[[[[[[[[[[[[[[[[[[[["', "data: must be a mapping, got '[[["),
        ('"\\"[[[[[[[[[[[[[[[[[[[["', "data: must be a mapping, got '\"[[["),
        ("[" * 16 + "]" * 16, "data: must be a mapping, got [[[["),
        ('\\"' * (MEBIBYTE // 2), "data: must be JSON, got "),
        (" " * (MEBIBYTE + 1), "data: must have at most 1048576 bytes, got 1048577"),
        (b" " * (MEBIBYTE + 1), "data: must have at most 1048576 bytes, got 1048577"),
        ("ö" * MEBIBYTE, "data: must have at most 1048576 bytes, got 2097152"),
        (bytearray(b"{}"), "data: must be bytes or a str, got bytearray(b'{}')"),
        (None, "data: must be bytes or a str, got None"),
    ],
    ids=lambda part: ascii(part)[:20],
)
def test_what_is_no_text_of_a_value_is_refused(text: Any, message: str) -> None:
    (found,) = faults(text)
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("text", "expected", "messages"),
    [
        ("{}", object, ["type: must be one of Account, ", "version: must be '1', got None"]),
        ('{"type":"Plane","version":"1"}', object, ["type: must be one of Account, "]),
        ('{"type":["Plan"],"version":"1"}', object, ["type: must be one of Account, "]),
        ('{"type":"Plan","version":"2"}', Plan, ["version: must be '1', got '2'"]),
        ('{"type":"Plan","version":1}', Plan, ["version: must be '1', got 1"]),
        ('{"type":"Plan","version":"1"}', Usage, ["type: must be Usage, got 'Plan'"]),
        ('{"type":"Plan","type":"Plan","version":"1"}', Plan, ["type: must be given once, got "]),
    ],
)
def test_type_and_version_are_held_to_what_is_known_and_expected(
    text: str, expected: type, messages: list[str]
) -> None:
    found = faults(text, expected)
    assert len(found) == len(messages)
    assert all(one.startswith(other) for one, other in zip(found, messages, strict=True))


def test_what_is_expected_must_be_a_class() -> None:
    odd: Any = "Plan"
    with pytest.raises(InvalidType, match=r"^expected: must be of type type, got 'Plan'$"):
        decode(PLAN_TEXT, odd)


def test_all_faults_of_a_text_are_found_together() -> None:
    text = PLAN_TEXT
    for old, new in [
        ('"größer"', "null"),
        ('"0.0001"', "0.0001"),
        ('"0.00009"', '"9E"'),
        ('"100"', '"0"'),
    ]:
        text = text.replace(old, new)
    with pytest.raises(InvalidValues) as caught:
        decode(text, Plan)
    assert [getattr(error, "field", "") for error in caught.value.errors] == [
        "slug",
        "allowances[0].price.tiers[0].price",
        "allowances[0].price.tiers[1].price",
        "allowances[1].price.size",
    ]


# Refusals of a value


@pytest.mark.parametrize("value", [None, 5, "Plan", Plan, object(), {"type": "Plan"}, [PLAN]])
def test_what_is_no_value_of_the_library_is_not_written(value: object) -> None:
    with pytest.raises(InvalidType, match=r"^value: must be a value of the library, got "):
        encode(value)


def test_what_would_be_too_long_to_read_is_not_written() -> None:
    usage = Usage("org-1", FEBRUARY, {f"metric-{'x' * 200}-{i}": i for i in range(6000)})
    with pytest.raises(
        InvalidValue, match=r"^value: must have at most 1048576 bytes of JSON, got "
    ):
        encode(usage)


def test_no_term_of_a_value_has_the_name_of_a_key_that_every_text_has() -> None:
    for kind in KINDS:
        assert not {"type", "version"} & {term.name for term in terms_of(kind)}, kind


def test_a_summary_is_shown_alike_once_it_is_read_back() -> None:
    cost = Money(5, "USD")
    totals = {"tokens": MetricTotal(1, cost), "runs": MetricTotal(2, cost)}
    summary = Summary("USD", totals, {"minimum": cost, "credit:top-up": cost})
    assert repr(decode(encode(summary), Summary)) == repr(summary)
