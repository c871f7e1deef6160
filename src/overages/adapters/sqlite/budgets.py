"""Budgets in SQLite: a row each time that one is put or dropped, of which the last stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from overages.adapters.sqlite.rows import instant_of, readable
from overages.adapters.sqlite.store import SqliteStore
from overages.codec import decode, encode
from overages.errors import InvalidValue
from overages.insight.budget import Budget
from overages.periods.period import format_instant

BUDGET_COLUMNS: Final = "budget_id, budget, put_at"


class BudgetTable(SqliteStore):
    """The table of budgets."""

    def _set_budget(
        self, org_id: str, budget_id: str, budget: Budget | None, put_at: datetime | None
    ) -> None:
        text = None if budget is None else encode(budget).decode()
        moment = None if put_at is None else format_instant(put_at)
        sql = f"INSERT INTO org_billing_budgets (org_id, {BUDGET_COLUMNS}) VALUES (?, ?, ?, ?)"
        self._cursor.execute(sql, (org_id, budget_id, text, moment))

    def _budgets_of(self, org_id: str) -> Mapping[str, tuple[Budget | None, datetime | None]]:
        sql = f"SELECT {BUDGET_COLUMNS} FROM org_billing_budgets WHERE org_id = ? ORDER BY number"
        return budgets_of(self._cursor.execute(sql, (org_id,)).fetchall())


def budgets_of(
    rows: Iterable[tuple[str, str | None, str | None]],
) -> dict[str, tuple[Budget | None, datetime | None]]:
    """Return the last entry of each budget, of rows in the order in which they came."""
    last = {name: (text, put_at) for name, text, put_at in rows}
    with readable():
        return {
            name: (
                None if text is None else _budget(name, text),
                None if put_at is None else instant_of(put_at),
            )
            for name, (text, put_at) in last.items()
        }


def _budget(budget_id: str, text: str) -> Budget:
    budget = decode(text, Budget)
    if budget.id != budget_id:
        raise InvalidValue("budget_id", budget_id, f"must be that of the budget, {budget.id!r}")
    return budget
