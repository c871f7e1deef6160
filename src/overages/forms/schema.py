"""JSON Schemas (draft 2020-12) of texts: of one class, or of any of several.

schema_of(forms, [Plan], version="1")                 # {"$schema": ..., "$defs": {...}, ...}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import getdoc
from typing import Final

from overages.forms.derived import Forms
from overages.forms.form import Schema
from overages.forms.holders import with_key

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class Definitions:
    """The schemas of classes that others refer to, by name."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self.by_name: dict[str, Schema] = {}

    def refer(self, kind: type) -> Schema:
        """Return a reference to the schema of a class, and define it."""
        name = kind.__name__
        if name not in self.by_name:
            self.by_name[name] = {}  # for one that holds itself
            self.by_name[name] = self.body(kind)
        return {"$ref": f"#/$defs/{name}"}

    def body(self, kind: type) -> Schema:
        """Return the schema of a class itself, with its description."""
        text = (getdoc(kind) or "").partition("\n\n")[0].replace("`", "")
        return {"description": " ".join(text.split())} | self._forms.document(kind).body(self.refer)


def schema_of(forms: Forms, kinds: Iterable[type], version: str) -> Schema:
    """Return the schema of the text of one class, or of any of several."""

    def body(definitions: Definitions) -> Schema:
        texts = []
        for kind in kinds:
            text = with_key("type", {"const": kind.__name__}, definitions.body(kind))
            text = with_key("version", {"const": version}, text)
            texts.append({"title": kind.__name__} | text)
        return texts[0] if len(texts) == 1 else {"oneOf": texts}

    return document(forms, body)


def document(forms: Forms, body: Callable[[Definitions], Schema]) -> Schema:
    """Return a schema that stands alone, with all that it refers to."""
    definitions = Definitions(forms)
    return {"$schema": DIALECT, **body(definitions), "$defs": definitions.by_name}
