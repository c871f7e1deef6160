"""Decisions: which ones there are, and how they are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Decision, Money, StandingLimit
from overages.errors import CurrencyMismatch, InvalidValue, QuotaExceeded

NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)
LIMIT = StandingLimit(
    "hard_limit", 100, 95, 0, metric="runs", stops=True, resets_at=NOON + timedelta(1)
)
ASKED = {"runs": 10}
ALLOWED = Decision("acme", "allow", ASKED, ASKED, at=NOON, counted_at=NOON - timedelta(minutes=1))
PARTLY: dict[str, Any] = {"limits": [LIMIT], "decided_by": LIMIT}


def test_a_decision_is_as_old_as_its_numbers() -> None:
    assert ALLOWED.age == timedelta(minutes=1)
    assert Decision("acme", "allow", ASKED, ASKED).age is None
    assert Decision("acme", "allow", ASKED, ASKED, at=NOON).age is None


def test_a_decision_tells_when_the_same_may_be_allowed() -> None:
    assert Decision("acme", "partly", ASKED, {"runs": 5}, **PARTLY).resets_at == LIMIT.resets_at
    assert ALLOWED.resets_at is None


@pytest.mark.parametrize(
    ("verdict", "granted", "text"),
    [
        ("partly", 5, "allowed 5 runs of 10 runs (runs: hard limit 100, used 95, 5 left)"),
        ("deny", 0, "denied 10 runs (runs: hard limit 100, used 95, 5 left)"),
    ],
)
def test_a_decision_is_told_in_a_line(verdict: Any, granted: int, text: str) -> None:
    assert Decision("acme", verdict, ASKED, {"runs": granted}, **PARTLY).explain() == text


def test_a_decision_that_allows_is_told_in_a_line() -> None:
    assert ALLOWED.explain() == "allowed 10 runs"
    assert Decision("acme", "allow", {}, {}).explain() == "allowed nothing"


def test_a_denial_by_included_units_names_the_pack_that_goes_on_from_them() -> None:
    included = StandingLimit("included", 0, 0, 0, metric="runs", stops=True)
    others = [
        StandingLimit("grants", 1_000, 50, 0, metric="runs", name="pack-9"),
        StandingLimit("grants", 700, 0, 0, metric="calls"),
        StandingLimit("grants", Money(5, "USD"), Money(0, "USD"), Money(0, "USD"), metric="runs"),
    ]
    denied = Decision(
        "acme", "deny", ASKED, {"runs": 0}, limits=[included, *others], decided_by=included
    )
    assert str(denied) == (
        "denied 10 runs (runs: included 0, used 0, 0 left;"
        " runs: grant pack-9 1,000, used 50, 950 left)"
    )


def test_a_limit_is_found_by_its_kind() -> None:
    limits = [StandingLimit("grants", n, 0, 0, metric=name) for n, name in ((1, "a"), (2, "b"))]
    decision = Decision("acme", "allow", {}, {}, limits=limits)
    assert decision.limit("grants") == limits[0]
    assert decision.limit("grants", metric="b") == limits[1]
    assert decision.limit("grants", metric="c") is decision.limit("budget") is None


def test_an_error_has_the_decision() -> None:
    denied = Decision("acme", "deny", ASKED, {"runs": 0}, at=NOON, **PARTLY)
    error = QuotaExceeded(denied)
    assert (error.decision, error.org_id, error.retry_after) == (denied, "acme", 86_400)
    assert str(error) == "acme: denied 10 runs (runs: hard limit 100, used 95, 5 left)"


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"granted": {}}, r"^granted: must name the metrics that are requested, runs, got \[\]"),
        ({"granted": {"runs": 11}}, r"granted\.runs: must not be more than requested, 10, got 11"),
        ({"granted": {"runs": 3}}, "^verdict: must be partly, by the units granted, got 'allow'"),
        ({"granted": {"runs": 0}}, "^verdict: must be deny, by the units granted, got 'allow'"),
        ({"verdict": "deny", **PARTLY}, "^verdict: must be allow, by the units granted, got 'deny"),
        (PARTLY, "^decided_by: must be given unless all is allowed, and only then"),
        (
            {"granted": {"runs": 3}, "verdict": "partly"},
            "^decided_by: must be given unless all is allowed, and only then",
        ),
        (
            {"granted": {"runs": 3}, "verdict": "partly", "decided_by": LIMIT},
            "^decided_by: must be one of the limits",
        ),
        ({"cost": Money(1, "USD")}, "^overage_cost: must be given where the cost is"),
        ({"overage_cost": Money(1, "USD")}, "^overage_cost: must be given where the cost is"),
        ({"counted_at": NOON}, "^counted_at: must not be later than the decision, got '2024-02-03"),
        ({"at": NOON, "counted_at": NOON + timedelta(1)}, "^counted_at: must not be later than"),
    ],
)
def test_what_is_no_decision_is_refused(named: dict[str, Any], problem: str) -> None:
    fitting: dict[str, Any] = {"verdict": "allow", "requested": ASKED, "granted": ASKED}
    with pytest.raises(InvalidValue, match=problem):
        Decision("acme", **{**fitting, **named})


def test_nothing_at_all_may_be_allowed_or_denied() -> None:
    nothing = {"runs": 0}
    assert Decision("acme", "deny", nothing, nothing, **PARTLY).verdict == "deny"
    assert Decision("acme", "allow", nothing, nothing).verdict == "allow"


def test_its_costs_are_in_one_currency() -> None:
    with pytest.raises(CurrencyMismatch, match=r"^overage_cost: USD and EUR can't be added"):
        Decision("acme", "allow", {}, {}, cost=Money(1, "USD"), overage_cost=Money(1, "EUR"))
    free = Decision("acme", "allow", {}, {}, cost=Money(0, "USD"), overage_cost=Money(0, "USD"))
    assert free.exact_cost == 0
