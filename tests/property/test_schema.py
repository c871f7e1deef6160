"""JSON Schemas: they take what is written, and what they refuse is refused when it is read."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages.errors import OveragesError
from overages.imports.plans import json_schema as plans_schema
from tests.plan_files import FILE_BLOCKS, read_blocks

from .effort import few, many
from .strategies import VALUE_RECIPES
from .test_codec import CODEC, KINDS, blank, borrow, objects, remove, rename

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@cache
def validator(kind: type | None = None) -> Any:
    schema = CODEC.json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@each_kind
@few
@given(data=st.data())
def test_a_text_is_as_the_schemas_of_its_class_and_of_all_say(
    kind: type, data: st.DataObject
) -> None:
    tree = json.loads(CODEC.encode(data.draw(VALUE_RECIPES[kind]).one()))
    validator(kind).validate(tree)
    validator().validate(tree)


def retype(found: dict[str, Any], key: str) -> None:
    found[key] = {"": [found[key]]} if isinstance(found[key], str) else str(found[key])


def misspell(found: dict[str, Any], key: str) -> None:
    found[key] = f"{found[key]}0" if isinstance(found[key], str) else 5


CHANGES = [remove, rename, blank, borrow, retype, misspell]


@many
@given(st.sampled_from(KINDS), st.data(), st.sampled_from(CHANGES))
def test_what_a_schema_refuses_is_refused(
    kind: type, data: st.DataObject, change: Callable[[dict[str, Any], str], None]
) -> None:
    tree = json.loads(CODEC.encode(data.draw(VALUE_RECIPES[kind]).one()))
    found = data.draw(st.sampled_from([each for each in objects(tree) if each]))
    change(found, data.draw(st.sampled_from(sorted(found))))
    if not validator(kind).is_valid(tree):
        with pytest.raises(OveragesError):
            CODEC.decode(json.dumps(tree), kind)


# Files of plans

PLAN_FILES = [
    (ROOT / "examples/plans.toml").read_text(encoding="utf-8"),
    "\n".join(FILE_BLOCKS),
]
WORDS = re.findall(r"[\w.-]+", " ".join(PLAN_FILES))
FILE_SCHEMA = jsonschema.Draft202012Validator(plans_schema())


def as_json(tree: Any) -> Any:
    """Return what TOML says as editors hand it to a schema."""
    if isinstance(tree, dict):
        return {key: as_json(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [as_json(item) for item in tree]
    if isinstance(tree, datetime):
        return tree.isoformat()
    return float(tree) if isinstance(tree, Decimal) else tree


@pytest.mark.parametrize("text", PLAN_FILES)
def test_a_file_of_plans_is_as_its_schema_says(text: str) -> None:
    FILE_SCHEMA.check_schema(FILE_SCHEMA.schema)
    FILE_SCHEMA.validate(as_json(tomllib.loads(text)))
    assert read_blocks(text).plans


@many
@given(st.sampled_from(PLAN_FILES), st.data())
def test_what_the_schema_of_a_file_refuses_is_refused(text: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(list(re.finditer(r"[\w.-]+", text))))
    other = data.draw(st.sampled_from([*WORDS, "", "x", "-1", "nan", '"', "[]", "{}", "true"]))
    changed = text[: word.start()] + other + text[word.end() :]
    try:
        tree = as_json(tomllib.loads(changed, parse_float=Decimal))
    except tomllib.TOMLDecodeError:
        return
    if not FILE_SCHEMA.is_valid(tree):
        with pytest.raises(OveragesError):
            read_blocks(changed)
