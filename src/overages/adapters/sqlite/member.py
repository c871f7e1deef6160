"""One org's records, grants, budgets, alerts and reservations, for a member of it: read-only.

Nothing of any other org can be seen.

The database is opened read-only, and SQLite itself asks an authorizer about every table and column
that a statement would touch. It lets through views of the org's own rows and no more, so that even
a query that a member wrote can't reach further. A query is bounded in time, as one that reads
without end would stop every write under the rollback journal, and in rows and bytes, which the host
holds in memory.

    with MemberView("overages.db", "org-123") as view:
        view.summary(period)
        view.query("SELECT metric_type, amount FROM org_billing_overages WHERE revision = 1")
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Final

from overages._ground.names import parse_name
from overages._ground.parsing import instance_of, int_up_to, optional, parse_all
from overages.adapters.budgets import standing_budgets
from overages.adapters.sqlite.alerts import ALERT_COLUMNS, fired_of
from overages.adapters.sqlite.budgets import BUDGET_COLUMNS, budgets_of
from overages.adapters.sqlite.grants import GRANT_COLUMNS, grants_of
from overages.adapters.sqlite.guest import Bounds, GuestDatabase
from overages.adapters.sqlite.records import COLUMNS_OF_RECORD
from overages.adapters.sqlite.reservations import RESERVATION_COLUMNS, reservation_of
from overages.adapters.sqlite.rows import period_columns, readable, record_of
from overages.alerts.fired_alert import FiredAlert
from overages.grants.grant import Grant
from overages.insight.budget import Budget
from overages.periods.period import Period
from overages.quotas.reservation import Reservation
from overages.records.aggregation import aggregate
from overages.records.record import OverageRecord, by_sequence
from overages.statements.summary import Summary

_RECORDS: Final = "org_billing_overages"
_GRANTS: Final = "org_billing_grants"
_BUDGETS: Final = "org_billing_budgets"
_RESERVATIONS: Final = "org_billing_reservations"
_ALERTS: Final = "org_billing_fired_alerts"
_SEEN: Final = "org_billing_alert_acknowledgements"
_SHOWN: Final = (_RECORDS, _GRANTS, _BUDGETS, _ALERTS, _SEEN, _RESERVATIONS)


class MemberView:
    """Shows the records, grants, budgets, alerts and reservations of one org, whoever asks.

    :param path: the database, a file that is there: one of ours, or the host's with our tables.
    :param org_id: whose rows are shown.
    :param timeout: seconds to wait for another connection's write, before `StorageBusy`.
    :param time_limit: seconds that a query may take, from 1 to 60, before `QueryTooSlow`. A write
        may have to wait that long for a query: keep it below the timeout of who writes.
    :param row_limit: rows that a query may have, from 1 to 1,000,000, before `QueryTooLarge`.
    :param byte_limit: bytes of memory that its values may take, from 1 to 2**30, likewise.
    :raises StorageError: if there is no such file, or it is no database of ours.

    >>> from tempfile import TemporaryDirectory
    >>> from overages.adapters.sqlite import SqliteRepository
    >>> with TemporaryDirectory() as folder:
    ...     SqliteRepository(f"{folder}/overages.db").close()
    ...     with MemberView(f"{folder}/overages.db", "org-123") as view:
    ...         view.records()
    ()
    """

    def __init__(
        self,
        path: str | PathLike[str],
        org_id: str,
        *,
        timeout: int = 5,
        time_limit: int = 2,
        row_limit: int = 10_000,
        byte_limit: int = 2**24,
    ) -> None:
        from secrets import token_hex  # needed here alone

        org_id, *bounds = parse_all(
            (parse_name, org_id, "org_id"),
            (int_up_to(60), time_limit, "time_limit"),
            (int_up_to(1_000_000), row_limit, "row_limit"),
            (int_up_to(2**30), byte_limit, "byte_limit"),
        )
        self._bounds = Bounds(*bounds)
        self._database = GuestDatabase.open_read_only(path, timeout=timeout)
        quoted = org_id.replace("'", "''")
        inner = {}
        for view in _SHOWN:
            # A name that no query can claim for a table of its own.
            name_of_ours = inner[view] = f"{view}_{token_hex(16)}"
            self._database.rows(
                f"CREATE TEMP VIEW {name_of_ours} AS"
                f" SELECT * FROM main.{view} WHERE org_id = '{quoted}'"
            )
            self._database.rows(f"CREATE TEMP VIEW {view} AS SELECT * FROM {name_of_ours}")
        self._database.restrict(_authorizer(inner))

    def records(self, period: Period | None = None) -> tuple[OverageRecord, ...]:
        """Return the org's records, of one period or of all, in the order of recording."""
        parse_all((optional(instance_of(Period)), period, "period"))
        sql = f"SELECT {COLUMNS_OF_RECORD} FROM {_RECORDS}"
        if period is None:
            rows = self._all(sql)
        else:
            of_period = "billing_period_start = ? AND billing_period_end = ?"
            rows = self._all(f"{sql} WHERE {of_period}", period_columns(period))
        with readable():
            return tuple(sorted((record_of(row[:-1], row[-1]) for row in rows), key=by_sequence))

    def summary(self, period: Period | None = None) -> Summary | None:
        """Sum the org's records; None if there is none."""
        records = self.records(period)
        return aggregate(records) if records else None

    def grants(self) -> tuple[Grant, ...]:
        """Return all grants that the org ever had, in the order in which they are drawn on."""
        grants = grants_of(self._all(f"SELECT {GRANT_COLUMNS} FROM {_GRANTS}"))
        return tuple(sorted(grants, key=lambda grant: grant.rank))

    def budgets(self) -> tuple[Budget, ...]:
        """Return the budgets of the org that count now, by id."""
        entries = budgets_of(self._all(f"SELECT {BUDGET_COLUMNS} FROM {_BUDGETS} ORDER BY number"))
        return standing_budgets(budget for budget, _ in entries.values())

    def alerts(self) -> tuple[FiredAlert, ...]:
        """Return the alerts of the org that fired or were cleared, newest first."""
        rows = self._all(f"SELECT org_id, {ALERT_COLUMNS} FROM {_ALERTS} ORDER BY number DESC")
        return tuple(fired for org_id, *row in rows for fired in fired_of(org_id, [tuple(row)]))

    def reservations(self) -> tuple[Reservation, ...]:
        """Return all reservations that the org ever made, in order of time."""
        rows = self._all(f"SELECT {RESERVATION_COLUMNS} FROM {_RESERVATIONS}")
        return tuple(sorted(map(reservation_of, rows), key=Reservation.rank))

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the tables that a member may see, as if all were the org's.

        These are ``org_billing_overages``, ``org_billing_grants``, ``org_billing_budgets``,
        ``org_billing_fired_alerts``, ``org_billing_alert_acknowledgements`` and
        ``org_billing_reservations``.

        :param parameters: texts, numbers, bytes and Nones for the question marks of the query.
        :raises AccessDenied: if the query would read or do anything else.
        :raises QueryTooSlow: if it took longer than the view's time limit.
        :raises QueryTooLarge: if it has more rows, or more bytes, than the view's limits.
        :raises InvalidType: for a parameter of another type.
        :raises InvalidValue: for a text that is no UTF-8, or an int of more than 64 bits.
        """
        return self._database.query(sql, parameters, self._bounds)

    def _all(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Return all rows of a query of our own, however many the org has."""
        with self._database.time_limit(self._bounds.seconds):
            return self._database.rows(sql, parameters)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def __enter__(self) -> MemberView:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _authorizer(inner: Mapping[str, str]) -> Any:
    """Make the authorizer that SQLite asks before it compiles a statement.

    :param inner: by table, the view that alone may read it.
    """

    views = {*inner, *inner.values()}

    def authorize(
        action: int, first: str | None, _: str | None, database: str | None, source: str | None
    ) -> int:
        if action == sqlite3.SQLITE_READ:
            allowed = (
                (database == "temp" and first in views)
                or (database == "main" and source is not None and inner.get(str(first)) == source)
            )  # fmt: skip
        else:
            allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION)
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    return authorize
