"""Agreements with orgs, and their holds, in SQLite: the rows of eight tables by one query.

Units are asked for before each use, and most decisions follow from the same terms as the one
before. So the rows are read each time, for another process may have changed them, and are the mark
of all that they tell: as long as they are those of before, no value has to be made of them.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from overages._ground.frozen_dict import FrozenDict
from overages.adapters.event_texts import exact_instant
from overages.adapters.quotas import Agreement
from overages.adapters.reservations import units_held
from overages.adapters.sqlite.budgets import BudgetTable
from overages.adapters.sqlite.catalogue import Catalogue, decoded_plan
from overages.adapters.sqlite.grants import GrantTable
from overages.adapters.sqlite.reservations import HELD, ReservationTable, units_of
from overages.adapters.sqlite.rows import exact_bounds, period_columns, readable
from overages.adapters.sqlite.sums import SumTable
from overages.adapters.sqlite.usage import puts_of
from overages.amounts.exact import Quantity
from overages.periods.period import Period

_MARK, _PLAN, _PUT, _HELD = range(4)
_BEGUN: Final = "rtrim(since, 'Z')"  # in order of time: without a Z, decimals sort after none
_IN_FORCE: Final = (
    "SELECT version FROM org_billing_plan_starts"
    f" WHERE slug = ? AND {_BEGUN} <= rtrim(?, 'Z')"
    f" ORDER BY {_BEGUN} DESC, number DESC LIMIT 1"
)
_ROWS: Final = " UNION ALL ".join(
    (
        f"SELECT {_MARK}, 'account', place, entry, NULL, NULL FROM org_billing_accounts"
        " WHERE org_id = ?",
        f"SELECT {_MARK}, 'budget', number, budget_id, budget, NULL FROM org_billing_budgets"
        " WHERE org_id = ?",
        f"SELECT {_MARK}, 'grants', NULL, NULL, NULL, NULL"
        " WHERE EXISTS (SELECT 1 FROM org_billing_grants WHERE org_id = ?)",
        f"SELECT {_MARK}, 'metrics', NULL, NULL, NULL, NULL"
        " WHERE EXISTS (SELECT 1 FROM org_billing_metrics)",
        f"SELECT {_MARK}, 'start', number, since, version, NULL FROM org_billing_plan_starts"
        " WHERE slug = ?",
        f"SELECT {_PLAN}, version, plan, NULL, NULL, NULL FROM org_billing_plans"
        f" WHERE slug = ? AND version = coalesce(?, ({_IN_FORCE}))",
        f"SELECT {_PUT}, number, span_start, span_end, metric_type, used"
        " FROM org_billing_usage_puts"
        " WHERE org_id = ? AND span_end > ? AND span_start < ?",
        f"SELECT {_HELD}, units, holds, NULL, NULL, NULL FROM ({HELD})",
    )
)


class QuotaTables(Catalogue, SumTable, BudgetTable, GrantTable, ReservationTable):
    """The tables of terms, usage and holds."""

    def _agreement(
        self, org_id: str, slug: str, version: int | None, period: Period, at: datetime
    ) -> Agreement:
        bounds, begins = exact_bounds(period), period_columns(period)[0]
        of_plan = slug, slug, version, slug, begins  # of its starts, and of the version
        of_units = org_id, *bounds, org_id, exact_instant(at), *bounds  # put, and held
        parameters = org_id, org_id, org_id, *of_plan, *of_units
        rows: tuple[list[Any], ...] = [], [], [], []
        for row in self._cursor.execute(_ROWS, parameters).fetchall():
            rows[row[0]].append(row)
        marks, plans, puts, holds = rows
        with readable():
            number, plan = None, None
            if plans:
                _, number, text, *_ = plans[0]
                plan = decoded_plan(self._codec, text)
            put = puts_of(org_id, [row[2:] for row in sorted(puts)]) if puts else ()
            return Agreement(tuple(marks), number, plan, put, _held_of(tuple(holds)))


@lru_cache(maxsize=1024)  # most orgs hold nothing, or as much as others
def _held_of(rows: tuple[tuple[Any, ...], ...]) -> FrozenDict[str, Quantity]:
    return FrozenDict(units_held((units_of(units, "units"), holds) for _, units, holds, *_ in rows))
