"""The description of the endpoints, as OpenAPI 3.1, with every possible answer.

openapi()["paths"][OVERAGES_PATH]["get"]["responses"]
"""

from __future__ import annotations

from typing import Any, Final

OVERAGES_PATH: Final = "/api/v1/billing/org/overages"
RECALCULATE_PATH: Final = f"{OVERAGES_PATH}/recalculate"

_Schema = dict[str, Any]

_EXACT: Final = "A number if it is whole and at most 2**53 - 1; else a string, in full."
_OFF: Final = "OVERAGE_BILLING_DISABLED: it is switched off; or BUSY: ask again."
_CALCULATION: Final = "CALCULATION_FAILED: there is no plan, or the usage is none of its metrics."
_FAULTS: Final = f"VALIDATION_ERROR: the body is wrong; or {_CALCULATION}"


def openapi(title: str = "Overages", version: str = "1") -> _Schema:
    """Return the description of both endpoints, as OpenAPI 3.1, for a host to serve or to add to.

    Each call returns an object of its own.

    >>> sorted(openapi()["paths"])
    ['/api/v1/billing/org/overages', '/api/v1/billing/org/overages/recalculate']
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "security": [{"bearer": []}],
        "paths": {
            OVERAGES_PATH: {
                "get": {
                    "operationId": "getOverages",
                    "summary": "What is recorded for the org's present period",
                    "responses": _responses({400: _CALCULATION, 500: "OVERAGE_ERROR"}),
                }
            },
            RECALCULATE_PATH: {
                "post": {
                    "operationId": "recalculateOverages",
                    "summary": "Calculate the org's present period, and record it",
                    "requestBody": {"required": False, "content": _json("RecalculateRequest")},
                    "responses": _responses(
                        {
                            400: _FAULTS,
                            409: "PERIOD_CLOSED: it changes only by force.",
                            500: "RECALCULATION_FAILED",
                        }
                    ),
                }
            },
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _responses(failures: dict[int, str]) -> _Schema:
    failed = {
        401: "UNAUTHORIZED: no token, or none that is known.",
        403: "NO_ORG_ACCESS: a member of no org.",
        503: _OFF,
        **failures,
    }
    met = {"200": {"description": "The org's overages.", "content": _json("Overages")}}
    return met | {
        str(status): {"description": description, "content": _json("Failure")}
        for status, description in sorted(failed.items())
    }


def _json(schema: str) -> _Schema:
    return {"application/json": {"schema": _ref(schema)}}


def _ref(schema: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{schema}"}


def _object(properties: _Schema, optional: tuple[str, ...] = ()) -> _Schema:
    """Return the schema of an object that has these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in optional],
        "additionalProperties": False,
    }


def _schemas() -> _Schema:
    text, instant = {"type": "string"}, {"type": "string", "format": "date-time"}
    exact = _ref("Exact")
    every = {key: _ref("Overage") for key in ("tokens", "playbookRuns", "seats")}
    detail = _object({"field": text, "problem": text, "value": text})
    data = {
        "orgId": text,
        "period": _object({"start": instant, "end": instant}),
        "overages": _object(every) | {"additionalProperties": _ref("Overage")},
        "totalCost": exact,
        "adjustments": {"type": "array", "minItems": 1, "items": _ref("Adjustment")},
        "currency": _object({"code": text, "exponent": {"type": "integer", "minimum": 0}}),
    }
    error = {"code": text, "message": text, "details": {"type": "array", "items": detail}}
    return {
        "RecalculateRequest": _object({"force": {"type": "boolean"}}, optional=("force",)),
        "Overages": _object(
            {"success": {"const": True}, "data": _object(data, ("adjustments", "currency"))}
        ),
        "Overage": _object(
            {
                "amount": {"description": "Units over the limit.", **exact},
                "unitPrice": {
                    "description": "Cents a unit, of a token thousandths of cents; null where"
                    " units differ in price.",
                    "anyOf": [exact, {"type": "null"}],
                },
                "cost": {"description": "Cents.", **exact},
            }
        ),
        "Adjustment": _object(
            {"metric": {"type": ["string", "null"]}, "line": text, "cost": exact}
        ),
        "Exact": {
            "description": _EXACT,
            "anyOf": [
                {"type": "integer", "minimum": 1 - 2**53, "maximum": 2**53 - 1},
                {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+|/[0-9]+)?$"},
            ],
        },
        "Failure": _object({"success": {"const": False}, "error": _object(error, ("details",))}),
    }
