"""Settled periods for tests: an org's months, one after another, and how to read them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from overages import (
    Allowance,
    Balance,
    CarryOver,
    Cycle,
    Grant,
    Period,
    PerUnit,
    Plan,
    Settlement,
    Usage,
    UsageEvent,
    settle,
)

JAN, FEB, MAR = (Period.month(2024, n) for n in (1, 2, 3))
YEAR = Cycle.calendar("year")
DOLLAR = PerUnit(1)
PLAIN = Plan("plain", "USD", {"runs": Allowance(10, DOLLAR)})
YEARLY = Plan("yearly", "USD", {"runs": Allowance(100, DOLLAR, included_for=YEAR)})
ROLLING = Plan("rolling", "USD", {"runs": Allowance(100, DOLLAR, carry_over=CarryOver())})
PACK = Grant("pack", 30, metric="runs", effective_at=JAN.start)


def runs(used: Any, period: Period = JAN, org_id: str = "org-1") -> Usage:
    return Usage(org_id, period, {"runs": used})


def ran(quantity: int, day: int, period: Period = JAN, **named: Any) -> UsageEvent:
    at = period.start + timedelta(days=day - 1)
    return UsageEvent("org-1", "runs", quantity, at, **named)


def settled(plan: Plan, *used: Any, **named: Any) -> list[Settlement]:
    """Settle so many months, one after another."""
    found: list[Settlement] = []
    for n, quantity in enumerate(used, 1):
        left = found[-1].balance if found else Balance()
        found.append(settle(plan, runs(quantity, Period.month(2024, n)), left, **named))
    return found


def parts(settlement: Settlement, metric: str = "runs") -> list[tuple[str, Any]]:
    return [(p.explain(), p.quantity) for p in settlement.statement[metric].limit_parts]


def totals(found: list[Settlement]) -> list[int]:
    return [settlement.statement.total.minor for settlement in found]
