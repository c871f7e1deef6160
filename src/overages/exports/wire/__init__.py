"""Wire: paths, bodies, status codes and their description over HTTP, for any framework.

A host finds out who asks, and hands over the request; it gets a status and a body of JSON:

    endpoints = Endpoints(service, repository, clock=lambda: datetime.now(UTC))
    status, body = endpoints.overages("org-123")                       # GET OVERAGES_PATH
    status, body = endpoints.recalculate("org-123", b'{"force": true}')  # POST RECALCULATE_PATH
    status, body = endpoints.usage("org-123")                          # GET USAGE_PATH
"""

from overages.exports.wire.answers import Answer, failure, refusal, unauthorized
from overages.exports.wire.decisions import decided
from overages.exports.wire.description import (
    ACKNOWLEDGE_PATH,
    ALERTS_PATH,
    DECISION_PATH,
    HISTORY_PATH,
    OVERAGES_PATH,
    PROJECTION_PATH,
    RECALCULATE_PATH,
    USAGE_PATH,
    openapi,
)
from overages.exports.wire.endpoints import Endpoints
from overages.exports.wire.requests import MOST_BYTES, bearer_token, recalculate_request
from overages.exports.wire.shape import calculated, recorded
from overages.exports.wire.usage import used

__all__ = [
    "ACKNOWLEDGE_PATH",
    "ALERTS_PATH",
    "DECISION_PATH",
    "HISTORY_PATH",
    "MOST_BYTES",
    "OVERAGES_PATH",
    "PROJECTION_PATH",
    "RECALCULATE_PATH",
    "USAGE_PATH",
    "Answer",
    "Endpoints",
    "bearer_token",
    "calculated",
    "decided",
    "failure",
    "openapi",
    "recalculate_request",
    "recorded",
    "refusal",
    "unauthorized",
    "used",
]
