"""Revisions: the records that one statement adds to those of its period.

Most writers of a batch look at no record: an object for each takes as long to make as its row, and
is made when it is asked for.

    revision = ledger.add(statement, plan_version=1, created_at=now)
    revision.new                                      # the records, as objects
    revision.recording().records                      # all of the period
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import overload

from overages.amounts.money import Currency, new_money
from overages.periods.period import Period
from overages.records.changes import Change
from overages.records.record import OverageRecord, new_record
from overages.records.recording import Recording, new_recording


class Revision:
    """The records that a statement adds: one for each change, or none if nothing changed.

    :param recorded: the records of the period before it.
    :param terms: the slug and the version of the plan, and the number of the revision.
    :param created_at: when it is recorded, in UTC.
    :param first: the place of its first record among all of the org.
    :param digests: those that chain its records.
    """

    __slots__ = (
        "_changes", "_created_at", "_currency", "_digests", "_first", "_new", "_org_id", "_period",
        "_recorded", "_terms",
    )  # fmt: skip

    def __init__(
        self,
        recorded: tuple[OverageRecord, ...],
        org_id: str,
        period: Period,
        currency: Currency,
        terms: tuple[str, int, int],
        created_at: datetime,
        first: int,
        changes: Sequence[Change],
        digests: Sequence[str],
    ) -> None:
        self._recorded, self._org_id, self._period = recorded, org_id, period
        self._currency, self._terms, self._created_at = currency, terms, created_at
        self._first, self._changes, self._digests = first, changes, digests
        self._new: tuple[OverageRecord, ...] | None = None

    @property
    def new(self) -> tuple[OverageRecord, ...]:
        """The records that it adds, made once."""
        if self._new is None:
            org_id, period, currency = self._org_id, self._period, self._currency
            plan, version, revision = self._terms
            self._new = tuple(
                new_record(
                    org_id, period, metric, quantity, new_money(minor, currency), exact_cost,
                    unit_price, line, plan, version, revision, sequence, self._created_at, digest,
                )
                for sequence, (change, digest) in enumerate(
                    zip(self._changes, self._digests, strict=True), self._first
                )
                for metric, line, quantity, exact_cost, minor, unit_price in [change]
            )  # fmt: skip
        return self._new

    def recording(self) -> Recording:
        """Return all records of the period with it, and its own."""
        return new_recording((*self._recorded, *self.new), self.new, False, None)


class Recordings(Sequence[Recording]):  # noqa: PLW1641  # it has no hash, as a list
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

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Recordings | list):
            return list(self) == list(other)
        return NotImplemented

    def __reduce__(self) -> tuple[type[list[Recording]], tuple[list[Recording]]]:
        return list, (list(self),)

    def __repr__(self) -> str:
        return f"Recordings({list(self)})"
