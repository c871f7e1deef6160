"""Templates: texts of JSON that differ in a few places, written once and filled in.

A million closings have the text of the same few lines, but for their numbers:

    template = template_of({"used": SLOTS[0], "metric": "tokens"}, 1)
    template % "750000"                               # {"metric":"tokens","used":"750000"}
"""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any, Final

from overages._ground.jsontext import written

LONGEST: Final = 10**9
"""Bytes of a text whose parts were checked."""

SLOTS: Final = tuple(f"<\N{WHITE SQUARE}{place}>" for place in range(8))
"""The texts that stand, in a tree, for others that are filled in."""

quoted: Final = encode_basestring
"""Write a text as it stands in JSON, with its quotes."""


def template_of(tree: Mapping[str, Any], slots: int) -> str | None:
    """Return the canonical text of a tree as a format for the texts of its first slots.

    They are filled in, in the order in which they stand in the text, with `%`; each without its
    quotes, which the template has.

    :returns: None where something else in the tree looks like a slot.
    """
    text = written(tree, LONGEST).decode().replace("%", "%%")
    for slot in SLOTS:
        if text.count(slot) != (slot in SLOTS[:slots]):
            return None
        text = text.replace(slot, "%s")
    return text
