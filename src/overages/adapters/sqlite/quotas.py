"""Agreements with orgs, their holds and their usage in SQLite: the rows of ten tables by one query.

Units are asked for before each use, and most decisions follow from the same terms as the one
before. So the rows are read each time, for another process may have changed them, and are the mark
of all that they tell: as long as they are those of before, no value has to be made of them.

The events that have no sum are read by the sums that were there before. Whether these still are,
the same query tells; where it says no, it is asked anew in a transaction.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages.adapters.event_texts import exact_instant
from overages.adapters.quotas import Agreement
from overages.adapters.reservations import units_held
from overages.adapters.sqlite.budgets import BudgetTable
from overages.adapters.sqlite.catalogue import Catalogue, decoded_plan
from overages.adapters.sqlite.grants import GrantTable
from overages.adapters.sqlite.reservations import HELD, ReservationTable, units_of
from overages.adapters.sqlite.rows import exact_bounds, period_columns, readable
from overages.adapters.sqlite.store import chunks
from overages.adapters.sqlite.sums import SumTable
from overages.adapters.sqlite.units import (
    UNITS,
    Query,
    Sums,
    event_queries,
    gaps_of,
    picos_by_name,
    sum_queries,
    sums_of,
    union_of,
)
from overages.adapters.sqlite.usage import puts_of
from overages.amounts.exact import Quantity
from overages.errors import StorageCorrupt
from overages.quotas.quota_facts import QuotaQuestion

_MARK, _PLAN, _PUT, _HELD = range(UNITS + 1, UNITS + 5)
_BEGUN: Final = "rtrim(since, 'Z')"  # in order of time: without a Z, decimals sort after none
_IN_FORCE: Final = (
    "SELECT version FROM org_billing_plan_starts"
    f" WHERE slug = ? AND {_BEGUN} <= rtrim(?, 'Z')"
    f" ORDER BY {_BEGUN} DESC, number DESC LIMIT 1"
)
_AGREEMENT: Final = " UNION ALL ".join(
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
_MANY: Final = 4096  # questions of which the queries are held: 1 to 40 MB, by names and gaps
_MOST: Final = 900  # parameters of one query

_Rows: TypeAlias = tuple[list[Any], ...]  # by kind


class _QueryBySums(NamedTuple):
    """A query of all that is asked for, and the sums between which it reads the events.

    As in each query of an agreement, the instant that units are held at follows its parameters.
    """

    query: Query
    sums: Sums


class QuotaTables(Catalogue, SumTable, BudgetTable, GrantTable, ReservationTable):
    """The tables of terms, usage and holds."""

    def _agreement_and_units(
        self, asked: QuotaQuestion, at: datetime, mark: Hashable
    ) -> tuple[Agreement, Mapping[str, int]] | None:
        before = self._queries.get(asked)
        if before is not None:
            (sql, parameters), sums = before
            with suppress(StorageCorrupt):  # of which the queries of its parts tell the column
                rows = _by_kind(self._database.rows(sql, (*parameters, exact_instant(at))))
                if sums_of(rows[UNITS]) == sums:
                    return self._answer(asked, rows, mark)
            self._queries.pop(asked, None)  # one by the sums of now may be too long to be noted
        if asked.metrics is None:
            return super()._agreement_and_units(asked, at, mark)
        with self._reading():
            rows = _by_kind(self._rows_anew(asked, asked.metrics, at))
        return self._answer(asked, rows, mark)

    def _rows_anew(
        self, asked: QuotaQuestion, names: Sequence[str], at: datetime
    ) -> list[tuple[Any, ...]]:
        """Return all rows, by the sums that there are; note the one query that tells as much."""
        org_id, period = asked.org_id, asked.period
        of_sums = [query for some in chunks(names) for query in sum_queries(org_id, some, period)]
        rows = self._all_rows(of_sums)
        with readable():
            sums = sums_of(rows)
            of_events = list(event_queries(org_id, gaps_of(names, period, sums)))
        agreement, parameters = _agreement_query(asked)
        queries = [*of_sums, *of_events, (agreement, parameters)]
        if sum(len(own) for _, own in queries) <= _MOST:
            self._note_query(asked, _QueryBySums(union_of(queries), sums))
        now = exact_instant(at)
        return rows + self._all_rows([*of_events, (agreement, (*parameters, now))])

    def _all_rows(self, queries: Iterable[Query]) -> list[tuple[Any, ...]]:
        return [row for query in queries for row in self._cursor.execute(*query).fetchall()]

    @cached_property
    def _queries(self) -> dict[QuotaQuestion, _QueryBySums]:
        return {}

    def _note_query(self, asked: QuotaQuestion, query: _QueryBySums) -> None:
        if len(self._queries) >= _MANY:
            self._queries.clear()
        self._queries[asked] = query

    def _agreement(self, asked: QuotaQuestion, at: datetime) -> Agreement:
        sql, parameters = _agreement_query(asked)
        rows = _by_kind(self._cursor.execute(sql, (*parameters, exact_instant(at))))
        with readable():
            return self._agreed(asked.org_id, rows)

    def _answer(
        self, asked: QuotaQuestion, rows: _Rows, mark: Hashable
    ) -> tuple[Agreement, Mapping[str, int]] | None:
        if mark is not None and mark != tuple(rows[_MARK]):
            return None
        with readable():
            return self._agreed(asked.org_id, rows), picos_by_name(rows[UNITS])

    def _agreed(self, org_id: str, rows: _Rows) -> Agreement:
        """Return the agreement that rows tell."""
        _, marks, plans, puts, holds = rows
        number, plan = None, None
        if plans:
            _, number, text, *_ = plans[0]
            plan = decoded_plan(self._codec, text)
        put = puts_of(org_id, [row[2:] for row in sorted(puts)]) if puts else ()
        return Agreement(tuple(marks), number, plan, put, _held_of(tuple(holds)))


def _agreement_query(asked: QuotaQuestion) -> Query:
    """Return the query of an agreement; the instant that units are held at follows."""
    org_id, slug = asked.org_id, asked.slug
    bounds, begins = exact_bounds(asked.period), period_columns(asked.period)[0]
    of_plan = slug, slug, asked.version, slug, begins  # of its starts, and of the version
    of_units = org_id, *bounds, org_id, *bounds  # put, and held
    return _AGREEMENT, (org_id, org_id, org_id, *of_plan, *of_units)


def _by_kind(rows: Iterable[tuple[Any, ...]]) -> _Rows:
    kinds: _Rows = [], [], [], [], []
    for row in rows:
        kinds[row[0]].append(row)
    return kinds


@lru_cache(maxsize=1024)  # most orgs hold nothing, or as much as others
def _held_of(rows: tuple[tuple[Any, ...], ...]) -> FrozenDict[str, Quantity]:
    return FrozenDict(units_held((units_of(units, "units"), holds) for _, units, holds, *_ in rows))
