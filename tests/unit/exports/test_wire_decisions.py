"""A decision over HTTP: which units, at which cost, by which limits; and the answer to a denial."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Allowance, Budget, Decision, Money, Period, PerUnit, Plan, Usage, decide
from overages.errors import QuotaExceeded, ReservationConflict, UnknownReservation
from overages.exports.wire import failure
from overages.exports.wire.decisions import decided

FEBRUARY = Period.month(2024, 2)
NOON = datetime(2024, 2, 28, 12, tzinfo=UTC)
PLAN = Plan("starter", "USD", {"api_runs": Allowance(50, PerUnit("1.00"), hard_limit=100)})

DOLLARS = {"code": "USD", "exponent": 2}


def asked(units: int, at: datetime | None = NOON, **named: Any) -> Decision:
    usage = Usage("acme", FEBRUARY, {"api_runs": 45})
    return decide(PLAN, usage, {"api_runs": units}, at=at, counted_at=at, **named)


def test_a_decision_is_written_with_its_cost_and_limits() -> None:
    body = decided(asked(10, budgets=[Budget(Money(900, "USD"))]))
    limits = body.pop("limits")
    assert body == {
        "orgId": "acme",
        "verdict": "allow",
        "message": "allowed 10 apiRuns",
        "requested": {"apiRuns": 10},
        "granted": {"apiRuns": 10},
        "currency": DOLLARS,
        "cost": 500,
        "exactCost": "5",
        "overageCost": 500,
        "exactOverageCost": "5",
        "decidedBy": None,
        "at": "2024-02-28T12:00:00Z",
        "countedAt": "2024-02-28T12:00:00Z",
    }
    assert [(each["kind"], each["remaining"], each["currency"]) for each in limits] == [
        ("included", 5, None), ("hard_limit", 55, None), ("budget", 900, DOLLARS),
    ]  # fmt: skip
    assert limits[2] == {
        "kind": "budget", "metric": None, "name": "all", "limit": 900, "used": 0, "held": 0,
        "remaining": 900, "currency": DOLLARS,
        "period": {"start": "2024-02-01T00:00:00Z", "end": "2024-03-01T00:00:00Z"},
        "resetsAt": "2024-03-01T00:00:00Z", "stops": False,
    }  # fmt: skip


def test_a_decision_without_a_price_or_an_instant_has_null_for_them() -> None:
    usage = Usage("acme", FEBRUARY, {})
    body = decided(decide(PLAN, usage, {"unknown": 1}))
    unknown = ("currency", "cost", "exactCost", "overageCost", "exactOverageCost", "at")
    assert [body[key] for key in (*unknown, "countedAt")] == [None] * 7
    by = body["decidedBy"]
    assert (by["kind"], by["period"], by["resetsAt"]) == ("unknown_metric", None, None)


def test_a_denied_request_is_answered_with_402_and_when_to_come_again() -> None:
    answer = failure(QuotaExceeded(asked(60)), "OVERAGE_ERROR")
    error = answer.body["error"]
    assert (answer.status, error["code"]) == (402, "QUOTA_EXCEEDED")
    assert error["message"] == "acme: denied 60 apiRuns (apiRuns: hard limit 100, used 45, 55 left)"
    assert error["decision"]["verdict"] == "deny"
    assert answer.headers == {"Retry-After": str(36 * 3600)}


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (FEBRUARY.end - timedelta(microseconds=1), 1),
        (FEBRUARY.end - timedelta(seconds=1), 1),
        (FEBRUARY.end + timedelta(hours=1), 0),
        (None, None),
    ],
)
def test_seconds_until_a_limit_resets_are_rounded_up(
    at: datetime | None, seconds: int | None
) -> None:
    error = QuotaExceeded(asked(60, at))
    assert error.retry_after == seconds
    headers = failure(error, "OVERAGE_ERROR").headers
    assert headers == ({} if seconds is None else {"Retry-After": str(seconds)})


def test_a_limit_that_never_resets_has_no_time_to_come_again() -> None:
    denied = decide(PLAN, Usage("acme", FEBRUARY, {}), {"unknown": 1}, at=NOON)
    assert QuotaExceeded(denied).retry_after is None


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ReservationConflict("key", "k", "must be free"), 409, "RESERVATION_CONFLICT"),
        (UnknownReservation("key", "k", "must be there"), 404, "UNKNOWN_RESERVATION"),
    ],
)
def test_a_reservation_that_can_not_end_so_is_named(
    error: Exception, status: int, code: str
) -> None:
    answer = failure(error, "OVERAGE_ERROR")
    assert (answer.status, answer.body["error"]["code"], answer.headers) == (status, code, {})
