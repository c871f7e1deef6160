"""cattrs and msgspec write and read values, wholly and lawfully."""

from typing import Any

import attrs
import pytest

from overages import Discount, Money, Statement
from overages.codec import decode, from_builtins, is_value, to_builtins
from overages.errors import InvalidValue
from tests.texts import TEXTS

VALUES = [value for value, _ in TEXTS]
each_value = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


@each_value
def test_cattrs_writes_and_reads_a_value_by_two_hooks(value: Any) -> None:
    cattrs = pytest.importorskip("cattrs")
    converter = cattrs.Converter()
    converter.register_unstructure_hook_func(is_value, to_builtins)
    converter.register_structure_hook_func(is_value, from_builtins)
    kind = attrs.make_class("Host", {"one": attrs.field(type=type(value))})
    tree = converter.unstructure(kind(value))
    assert tree == {"one": to_builtins(value)}
    assert converter.structure(tree, kind) == kind(value)


@each_value
def test_msgspec_writes_and_reads_what_builtins_say(value: Any) -> None:
    msgspec = pytest.importorskip("msgspec")
    for codec in (msgspec.json, msgspec.msgpack, msgspec.toml, msgspec.yaml):
        try:
            text = codec.encode({"value": to_builtins(value)})
        except (ImportError, TypeError):  # a format that isn't installed, or knows no null
            continue
        assert from_builtins(codec.decode(text)["value"], type(value)) == value


def test_what_msgspec_takes_apart_by_itself_is_checked_when_it_is_put_together() -> None:
    msgspec = pytest.importorskip("msgspec")
    value = Discount("launch", percent="12.50")
    assert msgspec.convert(msgspec.to_builtins(value), Discount) == value
    assert msgspec.convert({"minor": 5, "currency": {"code": "JPY", "exponent": 0}}, Money)
    unlawful = {"name": "launch", "percent": 500, "amount": None, "quantity": None}
    with pytest.raises(msgspec.ValidationError, match="percent: must be from 0 to 100, got 500"):
        msgspec.convert(unlawful, Discount)


def test_builtins_of_no_value_are_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^name: must not be empty"):
        from_builtins({"name": "", "percent": "5"}, Discount)


def test_msgspec_alone_writes_of_a_statement_what_it_cannot_read() -> None:
    msgspec = pytest.importorskip("msgspec")
    statement = next(value for value in VALUES if isinstance(value, Statement))
    tree = msgspec.json.decode(msgspec.json.encode(statement))
    assert "rows" in tree
    assert "lines" not in tree
    with pytest.raises(TypeError):
        msgspec.convert(tree, Statement)
    answer = msgspec.defstruct("Answer", [("statement", dict)])
    text = msgspec.json.encode(answer(to_builtins(statement)))
    read = msgspec.json.decode(text, type=answer)
    assert from_builtins(read.statement, Statement) == statement


def test_of_a_key_that_comes_twice_pydantic_hands_on_the_last_and_decode_none() -> None:
    pydantic = pytest.importorskip("pydantic")
    text = '{"amount":"1.00","amount":"2.00","currency":"USD"}'
    assert pydantic.TypeAdapter(Money).validate_json(text) == Money(200, "USD")
    with pytest.raises(InvalidValue, match=r"^amount: must be given once, got '2\.00'"):
        decode(f'{text[:-1]},"type":"Money","version":"1"}}', Money)
