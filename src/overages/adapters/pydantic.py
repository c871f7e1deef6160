"""Values in models of pydantic, and so in FastAPI: read, written and described as in JSON.

Every value has the hooks that pydantic asks for, and nothing has to be registered:

    class Offer(BaseModel):
        plan: Plan
        valid_until: datetime

    Offer.model_validate_json(body)                   # a ValidationError has the path to each fault

In Python such a field holds the value; in JSON it is the tree that `overages.codec.to_builtins`
makes of it.
"""

from __future__ import annotations

import re
from copy import copy
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from overages.codec import FORMS
from overages.errors import OveragesError
from overages.forms.form import Schema
from overages.forms.objects import ObjectForm


def schema_of(kind: type) -> core_schema.CoreSchema:
    """Return the schema by which pydantic reads, writes and describes values of a class."""
    form = FORMS.of(kind)

    def read(tree: object) -> Any:
        try:
            return form.read(tree, ())
        except OveragesError as error:
            faults = [_fault(part, tree) for part in error.errors]
            raise ValidationError.from_exception_data(kind.__name__, faults) from None

    def describe(_: object, handler: GetJsonSchemaHandler) -> Schema:
        def refer(held: type) -> Schema:
            inner = schema_of(held)
            # Of a bare schema, the handler forgets who describes it.
            return handler(core_schema.json_or_python_schema(inner, inner))

        return form.body(refer) if isinstance(form, ObjectForm) else form.schema(refer)

    return core_schema.no_info_plain_validator_function(
        read,
        ref=f"overages.{kind.__name__}",
        serialization=core_schema.plain_serializer_function_ser_schema(
            lambda value: form.write(value, ""), when_used="json"
        ),
        metadata={"pydantic_js_functions": [describe]},
    )


def _fault(error: OveragesError, tree: object) -> InitErrorDetails:
    alone = copy(error)
    alone.path = ()  # which pydantic tells by itself
    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
    return InitErrorDetails(
        type=PydanticCustomError(name, "{problem}", {"problem": str(alone)}),
        loc=error.path,
        input=getattr(error, "value", tree),
    )
