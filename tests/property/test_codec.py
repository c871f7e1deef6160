"""The codec: every value comes back from its text, and no other text gives a value."""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages.codec import Codec
from overages.errors import OveragesError

from .contexts import ambient, decimal_contexts
from .effort import few, many
from .recipes import Recipe
from .strategies import VALUE_RECIPES, Pairs

CODEC = Codec(price_models=[Pairs])
KINDS = list(VALUE_RECIPES)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
any_recipe = st.sampled_from(KINDS).flatmap(lambda kind: VALUE_RECIPES[kind])


def canonical(tree: object) -> bytes:
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


@each_kind
@few
@given(data=st.data())
def test_equal_values_give_equal_bytes_and_come_back(kind: type, data: st.DataObject) -> None:
    recipe = data.draw(VALUE_RECIPES[kind])
    one, other = recipe.one(), recipe.other()
    text = CODEC.encode(one)
    assert CODEC.encode(other) == text == canonical(json.loads(text))
    again: Any = CODEC.decode(text, kind)
    assert type(again) is kind
    assert again == one
    assert CODEC.encode(again) == text


@each_kind
@few
@given(data=st.data(), context=decimal_contexts())
def test_no_ambient_context_changes_a_text_or_what_is_read(
    kind: type, data: st.DataObject, context: decimal.Context
) -> None:
    recipe = data.draw(VALUE_RECIPES[kind])
    value = recipe.one()
    text = CODEC.encode(value)
    with ambient(context):
        assert CODEC.encode(recipe.other()) == text
        again: Any = CODEC.decode(text, kind)
    assert again == value


@given(any_recipe, st.integers(1, 4))
def test_keys_in_another_order_and_with_space_between_are_the_same(
    recipe: Recipe[Any], indent: int
) -> None:
    text = CODEC.encode(recipe.one())
    backwards = json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    for ascii_alone in (True, False):
        spaced = json.dumps(backwards, ensure_ascii=ascii_alone, indent=indent)
        assert CODEC.decode(spaced, object) == recipe.one()


def objects(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a tree."""
    if isinstance(tree, dict):
        yield tree
    for part in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(part, (dict, list)):
            yield from objects(part)


def assert_is_refused_or_says_what_it_gives(text: bytes) -> None:
    """Assert that a text is refused as it should be, or that its value is written as it says."""
    try:
        value = CODEC.decode(text, object)
    except OveragesError:
        return
    assert CODEC.encode(value) == canonical(json.loads(text))


@many
@given(any_recipe, st.data())
def test_a_text_with_another_byte_is_refused_or_says_what_it_gives(
    recipe: Recipe[Any], data: st.DataObject
) -> None:
    text = bytearray(CODEC.encode(recipe.one()))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.sampled_from(b'0159.-+/eE"[]{}:,ntf \\Z\xc3\x00') | st.integers(0, 255))
    assert_is_refused_or_says_what_it_gives(bytes(text))


@many
@given(any_recipe, st.data())
def test_a_text_without_a_byte_or_with_one_more_is_refused_or_says_what_it_gives(
    recipe: Recipe[Any], data: st.DataObject
) -> None:
    text = CODEC.encode(recipe.one())
    at = data.draw(st.integers(0, len(text) - 1))
    more = data.draw(st.sampled_from([b"", *(bytes([n]) for n in b'01.-+/e"[]{},')]))
    assert_is_refused_or_says_what_it_gives(text[:at] + more + text[at + (not more) :])


def remove(found: dict[str, Any], key: str) -> None:
    del found[key]


def rename(found: dict[str, Any], key: str) -> None:
    found[f"{key}_"] = found.pop(key)


def blank(found: dict[str, Any], key: str) -> None:
    found[key] = None


def borrow(found: dict[str, Any], key: str) -> None:
    found[key] = found[max(found)]


@many
@given(any_recipe, st.data(), st.sampled_from([remove, rename, blank, borrow]))
def test_a_text_with_another_key_is_refused_or_says_what_it_gives(
    recipe: Recipe[Any], data: st.DataObject, change: Callable[[dict[str, Any], str], None]
) -> None:
    tree = json.loads(CODEC.encode(recipe.one()))
    found = data.draw(st.sampled_from([each for each in objects(tree) if each]))
    change(found, data.draw(st.sampled_from(sorted(found))))
    assert_is_refused_or_says_what_it_gives(canonical(tree))


@given(any_recipe, st.data())
def test_a_text_with_a_key_twice_is_refused(recipe: Recipe[Any], data: st.DataObject) -> None:
    text = CODEC.encode(recipe.one()).decode()
    tree = json.loads(text)
    marked = data.draw(st.sampled_from([each for each in objects(tree) if each]))
    key = data.draw(st.sampled_from(sorted(marked)))
    marked["\x00"] = marked[key]
    doubled = canonical(tree).replace(b'"\\u0000"', json.dumps(key).encode())
    with pytest.raises(OveragesError):
        CODEC.decode(doubled, object)


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_what_is_no_text_of_a_value_is_refused(data: bytes | str) -> None:
    with pytest.raises(OveragesError):
        CODEC.decode(data, object)
