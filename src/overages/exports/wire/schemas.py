"""Schemas of the bodies, in JSON Schema, as OpenAPI 3.1 has them.

schemas()["Usage"]["properties"]["data"]
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, get_args

from overages.alerts.alert import AlertKind, Severity
from overages.alerts.fired_alert import AlertState
from overages.quotas.decision import Verdict
from overages.quotas.request import OnPassing
from overages.quotas.standing_limit import LimitKind
from overages.quotas.stops import StopAt

Schema: TypeAlias = dict[str, Any]
"""A schema, or a part of a description."""

_EXACT: Final = "A number if it is whole and at most 2**53 - 1; else a string, in full."
_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}


def reference(schema: str) -> Schema:
    """Refer to a schema by its name.

    >>> reference("Usage")
    {'$ref': '#/components/schemas/Usage'}
    """
    return {"$ref": f"#/components/schemas/{schema}"}


_NUMBER: Final = reference("Exact")
_NUMBER_OR_NONE: Final[Schema] = {"anyOf": [_NUMBER, {"type": "null"}]}


def schemas() -> Schema:
    """Return all schemas by name; each call returns an object of its own."""
    return {
        **_basic(),
        **_lines(),
        "RecalculateRequest": _object({"force": _FLAG}, optional=("force",)),
        "Overages": _met(_overages(), "adjustments", "currency"),
        "Usage": _met(_usage(), "adjustments"),
        "History": _met({"orgId": _TEXT, "periods": _list(reference("PastPeriod"))}),
        "PastPeriod": _past_period(),
        "Alerts": _met(
            {
                "orgId": _TEXT,
                "standing": reference("Severities"),
                "unseen": reference("Severities"),
                "alerts": _list(reference("Alert")),
            }
        ),
        "AlertSeen": _object({"success": {"const": True}, "data": reference("Alert")}),
        "Alert": _object(_alert()),
        "Projection": _met(_projection()),
        "ProjectedMetric": _object(_projected()),
        "DecisionRequest": _decision_request(),
        "Decision": _met(_decision()),
        "Decided": _object(_decision()),
        "StandingLimit": _object(_standing_limit()),
        "Severities": _object({name: {"type": "integer"} for name in get_args(Severity)}),
    }


def _object(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object that has these properties and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in optional],
        "additionalProperties": False,
    }


def _met(data: Schema, *optional: str) -> Schema:
    """Return the schema of an answer to a request that was met."""
    return _object({"success": {"const": True}, "data": _object(data, optional)})


def _list(items: Schema, **bounds: int) -> Schema:
    return {"type": "array", "items": items, **bounds}


def _by_metric(schema: str) -> Schema:
    """Return the schema of an object with a member for each metric."""
    return {"type": "object", "additionalProperties": reference(schema)}


def _basic() -> Schema:
    detail = _object({"field": _TEXT, "problem": _TEXT, "value": _TEXT})
    error: Schema = {
        "code": _TEXT,
        "message": _TEXT,
        "details": _list(detail),
        "decision": reference("Decided"),
        "retryAfter": {"type": ["integer", "null"], "description": "Seconds."},
    }
    sometimes = ("details", "decision", "retryAfter")
    return {
        "Exact": {
            "description": _EXACT,
            "anyOf": [
                {"type": "integer", "minimum": 1 - 2**53, "maximum": 2**53 - 1},
                {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+|/[0-9]+)?$"},
            ],
        },
        "Period": _object({"start": _INSTANT, "end": _INSTANT}),
        "Currency": _object({"code": _TEXT, "exponent": {"type": "integer", "minimum": 0}}),
        "Failure": _object({"success": {"const": False}, "error": _object(error, sometimes)}),
    }


def _overages() -> Schema:
    every = {key: reference("Overage") for key in ("tokens", "playbookRuns", "seats")}
    return {
        "orgId": _TEXT,
        "period": reference("Period"),
        "overages": _object(every) | {"additionalProperties": reference("Overage")},
        "totalCost": _NUMBER,
        "adjustments": _list(reference("Adjustment"), minItems=1),
        "currency": reference("Currency"),
    }


def _past_period() -> Schema:
    own = {key: schema for key, schema in _overages().items() if key != "orgId"}
    own["overages"] = _by_metric("Overage")
    return _object({**own, "isClosed": _FLAG}, ("adjustments", "currency"))


def _usage() -> Schema:
    return {
        "orgId": _TEXT,
        "period": reference("Period"),
        "currency": reference("Currency"),
        "metrics": _by_metric("UsedMetric"),
        "totalCost": _NUMBER,
        "adjustments": _list(reference("Adjustment"), minItems=1),
    }


def _used() -> Schema:
    return {
        "used": {"description": "Units used.", **_NUMBER},
        "limit": {"description": "Units that cost nothing; null: unlimited.", **_NUMBER_OR_NONE},
        "remaining": {"description": "Units left of the limit.", **_NUMBER_OR_NONE},
        "percent": {
            "description": "Whole per cent of the limit that are used, rounded down; null without a"
            " limit, or where it is zero.",
            **_NUMBER_OR_NONE,
        },
        "amount": {"description": "Units over the limit.", **_NUMBER},
        "cost": {"description": "Minor units, such as cents.", **_NUMBER},
    }


def _lines() -> Schema:
    part = {"start": _INSTANT, "amount": _NUMBER, "cost": _NUMBER}
    return {
        "Overage": _object(
            {
                "amount": {"description": "Units over the limit.", **_NUMBER},
                "unitPrice": {
                    "description": "Cents a unit, of a token thousandths of cents; null where"
                    " units differ in price.",
                    **_NUMBER_OR_NONE,
                },
                "cost": {"description": "Cents.", **_NUMBER},
                "parts": _list(_object(part), minItems=1),
            },
            ("parts",),
        ),
        "Adjustment": _object(
            {"metric": {"type": ["string", "null"]}, "line": _TEXT, "cost": _NUMBER}
        ),
        "UsedMetric": _object(
            {**_used(), "parts": _list(reference("UsedPart"), minItems=1)}, ("parts",)
        ),
        "UsedPart": _object({"start": _INSTANT, **_used()}),
    }


_TEXT_OR_NONE: Final[Schema] = {"type": ["string", "null"]}
_INSTANT_OR_NONE: Final[Schema] = {"anyOf": [_INSTANT, {"type": "null"}]}
_CURRENCY_OR_NONE: Final[Schema] = {
    "description": "That of amounts in minor units; null where they are units.",
    "anyOf": [reference("Currency"), {"type": "null"}],
}


def _alert() -> Schema:
    return {
        "key": _TEXT,
        "alert": _TEXT,
        "kind": {"enum": list(get_args(AlertKind))},
        "severity": {"enum": list(get_args(Severity))},
        "state": {"enum": list(get_args(AlertState))},
        "message": _TEXT,
        **dict.fromkeys(("metric", "grant", "budget"), _TEXT_OR_NONE),
        "period": reference("Period"),
        "notedAt": _INSTANT,
        **dict.fromkeys(("used", "limit", "remaining"), _NUMBER_OR_NONE),
        "currency": _CURRENCY_OR_NONE,
        "acknowledgedAt": _INSTANT_OR_NONE,
        "acknowledgedBy": _TEXT_OR_NONE,
    }


def _quantities() -> Schema:
    return {"type": "object", "additionalProperties": _NUMBER}


def _decision_request() -> Schema:
    units: Schema = {
        "type": "object",
        "description": "Units by metric, zero or more: numbers, or decimals as strings.",
        "additionalProperties": {"type": ["number", "string"], "minimum": 0},
    }
    properties: Schema = {
        "requested": units,
        "atLeast": units,
        "onPassing": {"enum": list(get_args(OnPassing)), "default": "reject"},
        "stopAt": _list({"enum": list(get_args(StopAt))}),
        "enforce": {**_FLAG, "default": False},
    }
    return _object(properties, ("atLeast", "onPassing", "stopAt", "enforce"))


def _decision() -> Schema:
    return {
        "orgId": _TEXT,
        "verdict": {"enum": list(get_args(Verdict))},
        "message": _TEXT,
        "requested": _quantities(),
        "granted": _quantities(),
        "cost": {"description": "Minor units; null where no price is known.", **_NUMBER_OR_NONE},
        "overageCost": _NUMBER_OR_NONE,
        "exactCost": {"description": "Major units, unrounded.", **_TEXT_OR_NONE},
        "exactOverageCost": _TEXT_OR_NONE,
        "currency": _CURRENCY_OR_NONE,
        "limits": _list(reference("StandingLimit")),
        "decidedBy": {"anyOf": [reference("StandingLimit"), {"type": "null"}]},
        "at": _INSTANT_OR_NONE,
        "countedAt": _INSTANT_OR_NONE,
    }


def _standing_limit() -> Schema:
    return {
        "kind": {"enum": list(get_args(LimitKind))},
        "metric": _TEXT_OR_NONE,
        "name": _TEXT_OR_NONE,
        **dict.fromkeys(("limit", "used", "held", "remaining"), _NUMBER),
        "currency": _CURRENCY_OR_NONE,
        "period": {"anyOf": [reference("Period"), {"type": "null"}]},
        "resetsAt": _INSTANT_OR_NONE,
        "stops": {"description": "Whether more is denied, or only told.", **_FLAG},
    }


def _projection() -> Schema:
    bill = {"soFar": _NUMBER, **dict.fromkeys(("expected", "low", "high"), _NUMBER_OR_NONE)}
    return {
        "orgId": _TEXT,
        "period": reference("Period"),
        "at": _INSTANT,
        "timezone": _TEXT,
        "daysLeft": {"type": "integer", "minimum": 0},
        "currency": reference("Currency"),
        "metrics": _by_metric("ProjectedMetric"),
        "bill": {"description": "Minor units; null: not enough to say.", **_object(bill)},
    }


def _projected() -> Schema:
    return {
        "used": _NUMBER,
        **dict.fromkeys(("expected", "low", "high"), _NUMBER_OR_NONE),
        "runsOut": {"type": ["string", "null"], "format": "date"},
        "method": _TEXT_OR_NONE,
        "periodsTried": {"type": "integer"},
        "errorPercent": _NUMBER_OR_NONE,
        "boundsTried": {"type": "integer"},
        "periodsWithin": _NUMBER_OR_NONE,
        "aimPercent": _NUMBER_OR_NONE,
        "reason": _TEXT_OR_NONE,
    }
