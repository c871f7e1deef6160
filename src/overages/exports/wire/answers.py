"""Answers: a status and a body of JSON, for successes and for failures.

    Answer(200, {"success": True, "data": data})
    failure(error, "OVERAGE_ERROR")                   # Answer(503, {"success": False, ...})

A fault of the caller, its plan or its usage is named. Of anything else, the caller learns
nothing but that it happened; it is logged under ``overages.exports.wire``, with its traceback, and
its code, org and period as fields.
"""

from __future__ import annotations

import json
from logging import getLogger
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from overages.errors import (
    BillingDisabled,
    CurrencyMismatch,
    InvalidType,
    InvalidValue,
    OveragesError,
    PeriodClosed,
    PeriodOverlap,
    QuotaExceeded,
    RecordConflict,
    ReservationConflict,
    StorageBusy,
    UnknownAlert,
    UnknownMetric,
    UnknownPlan,
    UnknownReservation,
    shown,
)
from overages.exports.wire.decisions import decided, metrics_of
from overages.exports.wire.keys import Body, in_keys

Unexpected: TypeAlias = Literal[
    "OVERAGE_ERROR", "RECALCULATION_FAILED", "USAGE_ERROR", "HISTORY_ERROR", "ALERTS_ERROR",
    "DECISION_ERROR", "PROJECTION_ERROR",
]  # fmt: skip
"""The code of a failure through no fault of the caller's, by the request."""

_log: Final = getLogger("overages.exports.wire")
_SHOWN: Final = 80  # characters of an offending value that a message repeats
_CALCULATION: Final = (UnknownPlan, UnknownMetric, CurrencyMismatch, PeriodOverlap, InvalidValue)
_BUSY: Final = "Another writer is at work; the same request can be made again"
_EXPECTED: Final[tuple[tuple[type[OveragesError], int, str, str | None], ...]] = (
    (BillingDisabled, 503, "OVERAGE_BILLING_DISABLED", "Overage billing is not enabled"),
    (PeriodClosed, 409, "PERIOD_CLOSED", None),  # the error says it
    (UnknownAlert, 404, "UNKNOWN_ALERT", "There is no such alert"),
    (ReservationConflict, 409, "RESERVATION_CONFLICT", None),
    (UnknownReservation, 404, "UNKNOWN_RESERVATION", None),
    (RecordConflict, 503, "BUSY", _BUSY),
    (StorageBusy, 503, "BUSY", _BUSY),
)
_UNEXPECTED: Final[dict[Unexpected, str]] = {
    "OVERAGE_ERROR": "Failed to get overage summary",
    "RECALCULATION_FAILED": "Failed to recalculate overages",
    "USAGE_ERROR": "Failed to get usage",
    "HISTORY_ERROR": "Failed to get history",
    "ALERTS_ERROR": "Failed to get or acknowledge alerts",
    "DECISION_ERROR": "Failed to decide",
    "PROJECTION_ERROR": "Failed to project the bill",
}


class Answer(NamedTuple):
    """An answer: a status code, and the body before it becomes JSON."""

    status: int
    body: Body

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to it, beside its type; ``Retry-After`` where it is known when.

        Source: RFC 9110, sections 10.2.3 and 11.6.1.

        >>> unauthorized().headers, success({}).headers
        ({'WWW-Authenticate': 'Bearer'}, {})
        """
        if self.status == 401:
            return {"WWW-Authenticate": "Bearer"}
        seconds = self.body.get("error", {}).get("retryAfter")
        return {} if seconds is None else {"Retry-After": str(seconds)}


def success(data: Body) -> Answer:
    """Return the answer of a request that was met.

    >>> success({"orgId": "org-123"})
    Answer(status=200, body={'success': True, 'data': {'orgId': 'org-123'}})
    """
    return Answer(200, {"success": True, "data": data})


def refusal(status: int, code: str, message: str, **more: Any) -> Answer:
    """Return the answer of a request that wasn't met.

    >>> refusal(404, "NOT_FOUND", "Not found").body["error"]
    {'code': 'NOT_FOUND', 'message': 'Not found'}
    """
    return Answer(status, {"success": False, "error": {"code": code, "message": message, **more}})


def unauthorized() -> Answer:
    """Return the answer to who shows no token, or none that is known."""
    return refusal(401, "UNAUTHORIZED", "A bearer token is required")


def no_org_access() -> Answer:
    """Return the answer to who is known, and a member of no org."""
    return refusal(403, "NO_ORG_ACCESS", "User is not a member of any organization")


def no_plan() -> Answer:
    """Return the answer where there is no account, and so nothing to calculate by."""
    return refusal(400, "CALCULATION_FAILED", "Failed to calculate overages (no plan)")


def invalid_request(error: OveragesError, part: str = "body") -> Answer:
    """Return the answer to a body, or a query, that was refused, with each of its faults.

    >>> error = InvalidType("force", "yes", "must be true or false")
    >>> invalid_request(error).body["error"]["message"]
    'Invalid request body: force: must be true or false, got "yes"'
    """
    details = [
        {"field": part.field, "problem": part.problem, "value": _shown(part.value)}
        for part in error.errors
        if isinstance(part, (InvalidType, InvalidValue))
    ]
    faults = "; ".join(f"{d['field']}: {d['problem']}, got {d['value']}" for d in details)
    message = f"Invalid request {part}: {faults}"
    return refusal(400, "VALIDATION_ERROR", message, details=details)


def failure(error: Exception, otherwise: Unexpected) -> Answer:
    """Return the answer to a request that an error ended.

    :param otherwise: the code of an error that is nothing of the caller's, such as
        ``"OVERAGE_ERROR"`` in reading overages.

    >>> failure(BillingDisabled(), "OVERAGE_ERROR").status
    503
    >>> failure(UnknownPlan("plan", "pro", "isn't there"), "RECALCULATION_FAILED").body["error"]
    {'code': 'CALCULATION_FAILED', 'message': "plan: isn't there, got 'pro'"}
    """
    if isinstance(error, QuotaExceeded):
        told = {"decision": decided(error.decision), "retryAfter": error.retry_after}
        denied = in_keys(str(error), metrics_of(error.decision))
        return refusal(402, "QUOTA_EXCEEDED", denied, **told)
    for kind, status, code, message in _EXPECTED:
        if isinstance(error, kind):
            return refusal(status, code, message or str(error))
    if isinstance(error, OveragesError) and all(isinstance(e, _CALCULATION) for e in error.errors):
        return refusal(400, "CALCULATION_FAILED", "\n".join(map(str, error.errors)))
    _log.error("%s", _UNEXPECTED[otherwise], exc_info=error, extra=_fields(error, otherwise))
    return refusal(500, otherwise, _UNEXPECTED[otherwise])


def _fields(error: Exception, code: Unexpected) -> dict[str, str | None]:
    """Return whose bill an error was about, where it says so, for the log."""
    if not isinstance(error, OveragesError):
        return {"code": code, "org_id": None, "period": None}
    period = None if error.period is None else error.period.isoformat()
    return {"code": code, "org_id": error.org_id, "period": period}


def _shown(value: object) -> str:
    """Write a value as the JSON that it came as, in short."""
    if isinstance(value, (dict, list)):
        return "{...}" if isinstance(value, dict) else "[...]"
    text = json.dumps(value) if isinstance(value, (str, bool, NoneType)) else shown(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
