"""What an org owes by a plan of one metric."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from overages import Allowance, Period, PerUnit, Plan, Statement, Usage, calculate

FEB: Final = Period.month(2024, 2)
MARCH: Final = Period.month(2024, 3)
NOW: Final = datetime(2024, 3, 1, tzinfo=UTC)
PLAN: Final = Plan("starter", "USD", {"tokens": Allowance(0, PerUnit("0.01"))})


def owed(tokens: int, org_id: str = "org-1", period: Period = FEB) -> Statement:
    """Return what an org owes for some tokens."""
    return calculate(PLAN, Usage(org_id, period, {"tokens": tokens}))
