"""Books: the records and closings of an org, brought up to date.

Within one transaction that reads terms, usage and grants, so that no older result comes after a
newer one:

    books = Books(repository, account, settling, now)
    books.record(march, force=False)                  # as far as it has come
    books.close(february)                             # and those before it that are still open
    books.record(january, force=True)                 # a correction of a closed period
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from overages._ground.value import evolve
from overages.bookkeeping.opening import opening, opening_of
from overages.bookkeeping.settling import Settling
from overages.bookkeeping.staleness import Staleness, taken_back
from overages.errors import OveragesError
from overages.periods.period import Period
from overages.records.changes import line_sums
from overages.records.closing import Closing
from overages.records.recording import Recording, new_recording
from overages.repository import Repository
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement
from overages.statements.statement import Statement
from overages.terms.account import Account


def open_periods(account: Account, closed: Collection[Period], until: datetime) -> Iterator[Period]:
    """Yield the periods of an account that end by an instant and aren't closed, in order."""
    if until <= account.since:
        return
    for period in account.periods(account.since, until):
        if period.end > until:
            return
        if period not in closed:
            yield period


class EndedPeriod(NamedTuple):
    """The outcome for a period that had ended: it was closed, or it couldn't be.

    :param org_id: whose period it is.
    :param period: the period; None if the org's account can't be read.
    :param recording: its records; None if it couldn't be closed.
    :param error: why not; None if it was. The org's later periods stay open, too.
    """

    org_id: str
    period: Period | None
    recording: Recording | None
    error: OveragesError | None


class Books:
    """The records and closings of an org, brought up to date.

    :param account: the org, and the history of its terms.
    :param settling: works out its periods.
    :param now: the instant of all that is written.
    """

    def __init__(
        self, repository: Repository, account: Account, settling: Settling, now: datetime
    ) -> None:
        self._repository, self._account, self._settling = repository, account, settling
        self._org_id, self._now = account.org_id, now
        self._staleness = Staleness(repository, account, settling, now)

    def statement(self, period: Period) -> Statement:
        """Return the statement that a period comes to now, closed or not."""
        closing = self._repository.closing(self._org_id, period)
        if closing is None:
            return self._settling.settlement(period).statement
        return self._settling.correction(closing).statement

    def record(self, period: Period, *, force: bool) -> Recording:
        """Record a period as it comes to now; a closed one only by force."""
        closing = self._repository.closing(self._org_id, period)
        if closing is not None:
            if force:
                return self._closed(self._settling.correction(closing), force=True)
            records = self._repository.records(self._org_id, period)
            is_stale = self._staleness.of(period) is not None
            return self._with_next(Recording(records, (), is_stale=is_stale), period)
        settlement = self._settling.settlement(period)
        charges = line_sums(self._repository.records(self._org_id, period))
        if not any(map(any, charges.values())):  # or no time that overlaps it has a charge
            self.take_back()
        recording = self._repository.record(settlement.statement, created_at=self._now)
        return self._with_next(recording, period)

    def close(self, period: Period) -> Recording:
        """Close a period that has ended, and those before it that aren't closed yet."""
        self.take_back()
        for before in self.open_until(period.start):
            self._close(before)
        return self._close(period)

    def open_until(self, until: datetime) -> Iterator[Period]:
        """Return the periods that end by an instant and aren't closed, in order."""
        if until <= self._account.since:
            return iter(())
        closed = self._repository.closed_periods(self._org_id)
        return open_periods(self._account, closed, until)

    def _close(self, period: Period) -> Recording:
        if self._repository.closing(self._org_id, period) is None:
            return self._closed(self._settling.settlement(period, final=True), force=False)
        return self.record(period, force=False)

    def _closed(self, settlement: Settlement, *, force: bool) -> Recording:
        """Record the final settlement of a period; later ones have their grants in common."""
        period = settlement.statement.period
        earlier = self._repository.records(self._org_id, period)
        later = self._settling.later_balances(settlement)
        self._keep(settlement, force=force)
        for other, balance in later.items():
            closed = self._repository.settled(self._org_id, other)
            assert closed is not None  # or it would be none of the closed ones
            self._keep(evolve(closed, balance=balance), force=True)
        records = self._repository.records(self._org_id, period)
        new = new_recording(records, records[len(earlier) :], False, None)
        return self._with_next(new, period)

    def _keep(self, settlement: Settlement, *, force: bool) -> Closing:
        return self._repository.close_period(
            settlement, closed_at=self._now, grants=self._settling.grants, force=force
        )

    def open(self, balance: Balance) -> Closing:
        """Keep the balance that the org starts from, before its first period.

        Until a period is closed, nothing has started from it: another balance takes its place.
        """
        closing = opening_of(self._repository, self._account)
        if closing is not None and closing.balance == balance:
            return closing
        return self._keep(opening(self._repository, self._account, balance), force=True)

    def take_back(self) -> None:
        """Take back the charges for times that are no periods of the org's any more.

        A closed one stands, and so does what was charged before the account began.
        """
        if not self._account.has_moved:
            return
        records = {each.period: each for each in self._repository.records(self._org_id)}
        closed = self._repository.closed_periods(self._org_id)
        for period, record in sorted(records.items()):
            if period in closed or period.end <= self._account.since:
                continue
            if not self._account.has(period):
                nothing = taken_back(self._repository, record)
                self._repository.record(nothing, created_at=self._now)

    def _with_next(self, recording: Recording, period: Period) -> Recording:
        """Name the first of the recorded periods after one that no longer follows, if any."""
        following = self._account.period_after(period)
        while following is not None and self._staleness.is_recorded(following):
            if self._staleness.of(following) is not None:
                return evolve(recording, stale_next=following)
            following = self._account.period_after(following)
        return recording
