"""cattrs and msgspec write and read values, wholly and lawfully."""

from typing import Any

import attrs
import pytest

from overages import Discount, Money
from overages.codec import from_builtins, is_value, to_builtins
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
