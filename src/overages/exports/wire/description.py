"""The description of the endpoints, as OpenAPI 3.1, with every possible answer.

openapi()["paths"][OVERAGES_PATH]["get"]["responses"]
"""

from __future__ import annotations

from typing import Final

from overages.exports.wire.schemas import Schema, reference, schemas

OVERAGES_PATH: Final = "/api/v1/billing/org/overages"
RECALCULATE_PATH: Final = f"{OVERAGES_PATH}/recalculate"
USAGE_PATH: Final = "/api/v1/billing/org/usage"
HISTORY_PATH: Final = "/api/v1/billing/org/history"
PROJECTION_PATH: Final = "/api/v1/billing/org/projection"
ALERTS_PATH: Final = "/api/v1/billing/org/alerts"
DECISION_PATH: Final = "/api/v1/billing/org/decision"
ACKNOWLEDGE_PATH: Final = f"{ALERTS_PATH}/{{key}}/acknowledge"

_OFF: Final = "OVERAGE_BILLING_DISABLED: it is switched off; or BUSY: ask again."
_CALCULATION: Final = "CALCULATION_FAILED: there is no plan, or the usage is none of its metrics."
_FAULTS: Final = f"VALIDATION_ERROR: the body is wrong; or {_CALCULATION}"
_QUERY: Final = "VALIDATION_ERROR: the query is wrong."
_KEY: Final[Schema] = {
    "name": "key", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}
}  # fmt: skip


def openapi(title: str = "Overages", version: str = "1") -> Schema:
    """Return the description of all endpoints, as OpenAPI 3.1, for a host to serve or to add to.

    Each call returns an object of its own.

    >>> for path in openapi()["paths"]:
    ...     print(path)
    /api/v1/billing/org/overages
    /api/v1/billing/org/overages/recalculate
    /api/v1/billing/org/usage
    /api/v1/billing/org/history
    /api/v1/billing/org/projection
    /api/v1/billing/org/alerts
    /api/v1/billing/org/alerts/{key}/acknowledge
    /api/v1/billing/org/decision
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
                    "responses": _responses("Overages", {400: _CALCULATION, 500: "OVERAGE_ERROR"}),
                }
            },
            RECALCULATE_PATH: {
                "post": {
                    "operationId": "recalculateOverages",
                    "summary": "Calculate the org's present period, and record it",
                    "requestBody": _body("RecalculateRequest", required=False),
                    "responses": _responses(
                        "Overages",
                        {
                            400: _FAULTS,
                            409: "PERIOD_CLOSED: it changes only by force.",
                            500: "RECALCULATION_FAILED",
                        },
                    ),
                }
            },
            USAGE_PATH: {
                "get": {
                    "operationId": "getUsage",
                    "summary": "What the org has used in its present period, of how much",
                    "responses": _responses("Usage", {400: _CALCULATION, 500: "USAGE_ERROR"}),
                }
            },
            HISTORY_PATH: {
                "get": {
                    "operationId": "getHistory",
                    "summary": "What is recorded for the org's last periods, the newest first",
                    "parameters": [_count("periods", 12, 120)],
                    "responses": _responses(
                        "History",
                        {
                            400: f"{_QUERY} Or {_CALCULATION}",
                            500: "HISTORY_ERROR",
                        },
                    ),
                }
            },
            PROJECTION_PATH: {
                "get": {
                    "operationId": "getProjection",
                    "summary": "What the org's present period should come to, and how sure that is",
                    "responses": _responses(
                        "Projection", {400: _CALCULATION, 500: "PROJECTION_ERROR"}
                    ),
                }
            },
            ALERTS_PATH: {
                "get": {
                    "operationId": "getAlerts",
                    "summary": "The org's alerts that fired or were cleared, the newest first",
                    "parameters": [_count("most", 50, 500)],
                    "responses": _responses("Alerts", {400: _QUERY, 500: "ALERTS_ERROR"}),
                }
            },
            ACKNOWLEDGE_PATH: {
                "post": {
                    "operationId": "acknowledgeAlert",
                    "summary": "Note that someone has seen an alert, and those before it",
                    "parameters": [_KEY],
                    "responses": _responses(
                        "AlertSeen",
                        {404: "UNKNOWN_ALERT: the org has none of that key.", 500: "ALERTS_ERROR"},
                    ),
                }
            },
            DECISION_PATH: {
                "post": {
                    "operationId": "decide",
                    "summary": "Whether units may be used now, and every limit that stands",
                    "requestBody": _body("DecisionRequest", required=True),
                    "responses": _quota_responses(),
                }
            },
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    }


def _responses(answer: str, failures: dict[int, str]) -> Schema:
    failed = {
        401: "UNAUTHORIZED: no token, or none that is known.",
        403: "NO_ORG_ACCESS: a member of no org.",
        503: _OFF,
        **failures,
    }
    met = {"200": {"description": "The request was met.", "content": _json(answer)}}
    return met | {
        str(status): {"description": description, "content": _json("Failure")}
        for status, description in sorted(failed.items())
    }


def _quota_responses() -> Schema:
    """Describe the answers to a request that a limit may deny."""
    responses = _responses(
        "Decision",
        {
            400: _FAULTS,
            402: "QUOTA_EXCEEDED: denied, where the request says enforce.",
            500: "DECISION_ERROR",
        },
    )
    seconds = {"description": "Seconds until the limit resets.", "schema": {"type": "integer"}}
    responses["402"]["headers"] = {"Retry-After": seconds}
    return responses


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": reference(schema)}}


def _body(schema: str, *, required: bool) -> Schema:
    return {"required": required, "content": _json(schema)}


def _count(name: str, otherwise: int, most: int) -> Schema:
    """Describe a whole number in the query."""
    number = {"type": "integer", "minimum": 1, "maximum": most, "default": otherwise}
    return {"name": name, "in": "query", "required": False, "schema": number}
