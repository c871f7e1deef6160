"""Revisions: the records that one statement adds to those of its period.

Most writers of a batch look at no record: an object for each takes as long to make as its row, and
is made when it is asked for.

    revision = ledger.add(statement, plan_version=1, created_at=now)
    revision.rows                                     # these are to be kept
    revision.recording().new                          # the same, as objects
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias, overload

from overages.amounts.money import Currency, new_money
from overages.periods.period import Period
from overages.records.chain import StoredRow
from overages.records.changes import Change
from overages.records.record import OverageRecord, new_record
from overages.records.recording import Recording, new_recording

CounterRow: TypeAlias = tuple[str, str, str, str, str, str, str, int]
"""The overage of a metric in a period, as it is kept beside the usage.

Org, the period's start and end, metric, units and minor units, and the currency with its exponent.
"""


class Revision:
    """The records that a statement adds: one for each change, or none if nothing changed.

    :param recorded: the records of the period before it.
    :param created_at: when it is recorded, in UTC.
    :param rows: of the changes, as they are stored.
    :param counters: the overage that the metrics of the changes come to now.
    """

    __slots__ = (
        "_changes", "_created_at", "_currency", "_new", "_period", "_recorded", "counters", "rows"
    )  # fmt: skip

    def __init__(
        self,
        recorded: tuple[OverageRecord, ...],
        period: Period,
        currency: Currency,
        created_at: datetime,
        changes: Sequence[Change],
        rows: Sequence[StoredRow],
        counters: Sequence[CounterRow],
    ) -> None:
        self._recorded, self._period, self._currency = recorded, period, currency
        self._created_at, self._changes = created_at, changes
        self.rows: Sequence[StoredRow] = rows
        self.counters: Sequence[CounterRow] = counters
        self._new: tuple[OverageRecord, ...] | None = None

    @property
    def new(self) -> tuple[OverageRecord, ...]:
        """The records that it adds."""
        if self._new is None:
            self._new = tuple(map(self._record_of, self.rows, self._changes))
        return self._new

    def recording(self) -> Recording:
        """Return all records of the period with it, and its own."""
        return new_recording((*self._recorded, *self.new), self.new, False, None)

    def _record_of(self, row: StoredRow, change: Change) -> OverageRecord:
        """Make a record of a row and, since that has its numbers as text, of the change."""
        (metric, line), quantity, exact_cost, minor, unit_price = change
        org_id, _, _, _, _, revision, _, _, _, _, _, _, plan, version, sequence, _, digest = row
        cost = new_money(minor, self._currency)
        return new_record(
            org_id, self._period, metric, quantity, cost, exact_cost, unit_price, line,
            plan, version, revision, sequence, self._created_at, digest,
        )  # fmt: skip


class Recordings(Sequence[Recording]):
    """The recordings of a batch, in the order of its statements, each made when it is asked for."""

    __slots__ = ("_revisions",)

    def __init__(self, revisions: Sequence[Revision]) -> None:
        self._revisions = revisions

    def __len__(self) -> int:
        return len(self._revisions)

    @overload
    def __getitem__(self, place: int) -> Recording: ...

    @overload
    def __getitem__(self, place: slice) -> Recordings: ...

    def __getitem__(self, place: int | slice) -> Recording | Recordings:
        if isinstance(place, slice):
            return Recordings(self._revisions[place])
        return self._revisions[place].recording()

    def __repr__(self) -> str:
        return f"Recordings({list(self)})"
