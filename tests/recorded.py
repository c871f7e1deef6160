"""Records for tests: those of a statement, and single ones whose storage doesn't matter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from overages import OverageRecord, Statement
from overages.records.ledger import Ledger

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)


def recorded(statement: Statement) -> tuple[OverageRecord, ...]:
    """Return the records of a statement that is its org's first one."""
    ledger = Ledger(statement.org_id)
    return ledger.add(statement, plan_version=1, created_at=AT).recording().records


def stored(*args: Any, **named: Any) -> OverageRecord:
    """Return a record of these fields; what says where it is stored is made up."""
    made_up: dict[str, Any] = {"plan": "starter", "created_at": AT, "digest": "0" * 64}
    return OverageRecord(*args, **{**made_up, **named})
