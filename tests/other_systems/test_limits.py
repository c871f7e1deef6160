"""How other billing systems block usage at a limit, and this library too.

Each row is a numeric fact that another system's tests assert: its id names the system (Autumn,
Meteroid). Where one says a limit otherwise, what it is here stands in the row.
"""

from datetime import timedelta
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Budget,
    Cycle,
    MemoryRepository,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Usage,
    UsageEvent,
    decide,
)

MONTH = Period.month(2024, 6)  # of 30 days


def plan(included: int | None = 0, **limits: Any) -> Plan:
    return Plan("starter", "USD", {"units": Allowance(included, PerUnit(1), **limits)})


@pytest.mark.parametrize(
    ("included", "percent_of_overage", "accepted"),
    # 120 per cent of 100 and 50 included units may be overage; here, 220 may be used in all.
    [pytest.param(150, 120, 330, id="autumn-cap-002")],
)
def test_overage_up_to_a_share_of_what_is_included(
    included: int, percent_of_overage: int, accepted: int
) -> None:
    limited = plan(included, hard_limit_percent=100 + percent_of_overage)
    nothing = Usage("acme", MONTH, {})
    decision = decide(limited, nothing, {"units": 1_000}, on_passing="clamp")
    assert decision.granted == {"units": accepted}
    assert decide(limited, nothing, {"units": accepted}).verdict == "allow"


@pytest.mark.parametrize(
    ("by_day", "by_month", "stricter"),
    # It compares them by day. Here both stand, and the one decides of which nothing is left.
    [
        pytest.param(100, 2_000, "month", id="autumn-cap-005"),
        pytest.param(100, 3_000, "day", id="autumn-cap-005 of a larger month"),
    ],
)
def test_of_limits_by_day_and_by_month_the_stricter_one_decides(
    by_day: int, by_month: int, stricter: str
) -> None:
    repository, now = MemoryRepository(), MONTH.start
    service = OverageService(repository, clock=lambda: now)
    repository.put_plan(plan(None))
    repository.put_account(Account("acme", "starter", since=MONTH.start))
    for name, most in (("day", by_day), ("month", by_month)):
        window = Cycle.calendar("day") if name == "day" else Cycle.monthly()
        service.put_budget(
            "acme", Budget(most, metric="units", id=name, on_reached="stop_usage", window=window)
        )
    accepted, decided_by = 0, set()
    while now in MONTH:
        decision = service.decide("acme", {"units": by_day})
        if decision.verdict == "allow":
            service.record_usage([UsageEvent("acme", "units", by_day, now)])
            accepted += by_day
        elif decision.decided_by is not None:
            decided_by.add(decision.decided_by.name)
        now += timedelta(days=1)
    assert accepted == min(30 * by_day, by_month)
    assert decided_by == ({"month"} if stricter == "month" else set())


@pytest.mark.parametrize(
    ("hard_limit", "used", "remaining", "is_allowed"),
    [
        # Equal to the limit is blocked already, and what remains is never negative.
        pytest.param(50, 80, 0, False, id="meteroid-limit-002"),
        pytest.param(50, 50, 0, False, id="meteroid-limit-002 at the limit"),
        pytest.param(None, 999, None, True, id="meteroid-limit-005"),
    ],
)
def test_a_hard_limit_that_is_reached(
    hard_limit: int | None, used: int, remaining: int | None, is_allowed: bool
) -> None:
    usage = Usage("acme", MONTH, {"units": used})
    decision = decide(plan(None, hard_limit=hard_limit), usage, {"units": 1})
    assert (decision.verdict == "allow") is is_allowed
    assert [limit.remaining for limit in decision.limits] == (
        [] if remaining is None else [remaining]
    )
