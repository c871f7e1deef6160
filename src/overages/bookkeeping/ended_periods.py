"""Ended periods: those of all orgs that have ended and are open still, closed some orgs at a time.

    for ended in EndedPeriods(repository, books_of, until, require_enabled).close(orgs):
        ended.recording, ended.error

A transaction for each org would take ten times as long. So some orgs share one, as many as are done
in a moment, since other writers wait for it. Within it, the periods of each org are closed or not,
whatever becomes of another's. If the storage can't read or write all of them
together, they are closed one by one, so that the fault of one is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from overages.bookkeeping.books import Books, EndedPeriod, open_periods
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.errors import (
    BillingDisabled,
    NoTransaction,
    OveragesError,
    StorageBusy,
    StorageError,
    StorageFull,
    StorageReadOnly,
)
from overages.periods.period import Period
from overages.records.ledger import Recording
from overages.repository import Repository
from overages.terms.account import Account
from overages.terms.timeline import Timeline

BooksOf: TypeAlias = Callable[[Account, PlansInForce | None], Books]
"""Gives the books of an account, by plans that were read in the same transaction, if any were."""

Stops: TypeAlias = tuple[type[OveragesError], ...]
"""The errors that are nothing of an org's."""

_OF_ALL: Final[Stops] = (NoTransaction, StorageBusy, StorageFull, StorageReadOnly)
_TOGETHER: Final[Stops] = (StorageError,)  # of which nobody knows whose they are


class _Due(NamedTuple):
    """The open periods of an account that have ended."""

    timeline: Timeline
    periods: Sequence[Period]
    has_moved: bool = False


class EndedPeriods:
    """Closes the periods of orgs that have ended.

    :param books_of: gives the books of an account.
    :param until: the instant that they have ended by.
    :param require_enabled: is called before each org, and ends all by an error.
    """

    def __init__(
        self,
        repository: Repository,
        books_of: BooksOf,
        until: datetime,
        require_enabled: Callable[[], None],
    ) -> None:
        self._repository, self._books_of, self._until = repository, books_of, until
        self._require_enabled = require_enabled

    def close(self, orgs: Iterable[str]) -> Iterator[EndedPeriod]:
        """Close the ended periods of some orgs; yield the outcome of each, once it is kept."""
        for some in self._repository.portions(orgs):
            try:
                yield from self._together(some)
            except _OF_ALL:
                raise
            except StorageError:  # of one of them: each alone shows which
                for org_id in some:
                    self._require_enabled()
                    yield from self._ended_of(org_id, _OF_ALL)

    def _together(self, orgs: Sequence[str]) -> list[EndedPeriod]:
        """Close the ended periods of some orgs in one transaction."""
        ended: dict[str, list[EndedPeriod]] = {}
        due = self._due(orgs, ended)
        if not due:
            return [each for of_org in ended.values() for each in of_org]
        periods = {org_id: own.periods for org_id, own in due.items()}
        off: BillingDisabled | None = None
        with self._repository.transaction_of(periods):
            plans = PlansInForce(self._repository)
            for org_id, own in due.items():
                off = self._off()
                if off is not None:
                    break  # what is closed by then is kept
                ended[org_id] = list(self._ended_of(org_id, _TOGETHER, plans, own))
        if off is not None:
            raise off
        return [each for org_id in orgs for each in ended.get(org_id, ())]

    def _off(self) -> BillingDisabled | None:
        """Return the error for a service that is switched off; None while it is on."""
        try:
            self._require_enabled()
        except BillingDisabled as error:
            return error
        return None

    def _due(self, orgs: Sequence[str], faults: dict[str, list[EndedPeriod]]) -> dict[str, _Due]:
        """Return the open periods that have ended, by org.

        :param faults: takes those of orgs of which that can't be told.
        """
        due: dict[str, _Due] = {}
        first: dict[int, _Due] = {}  # where no period is closed yet, by the timeline's identity
        with self._repository.snapshot_of(orgs):
            for org_id in orgs:
                account = self._repository.account(org_id)
                if account is None:
                    continue
                closed, timeline = self._repository.closed_periods(org_id), account.timeline
                own = None if closed else first.get(id(timeline))
                if own is None:
                    try:
                        periods = tuple(open_periods(account, closed, self._until))
                    except OveragesError as error:
                        faults[org_id] = [EndedPeriod(org_id, None, None, error)]
                        continue
                    own = _Due(timeline, periods, account.has_moved)
                    if not closed:
                        first[id(timeline)] = own
                if own.periods or own.has_moved:
                    due[org_id] = own
        return due

    def _ended_of(
        self,
        org_id: str,
        stops: Stops,
        plans: PlansInForce | None = None,
        own: _Due | None = None,
    ) -> Iterator[EndedPeriod]:
        """Close the ended periods of an org; one that can't be closed stops those after it.

        :param stops: errors that aren't the org's.
        :param plans: those that were read in the same transaction; each has its own without them.
        :param own: those that have to be closed, as it was just before.
        """
        period: Period | None = None
        try:
            is_known = own is not None and not own.has_moved
            periods = own.periods if own is not None and is_known else self._open(org_id, plans)
            timeline = None if own is None else own.timeline
            for period in periods:
                recording = self._recording(org_id, period, plans, timeline)
                if recording is None:
                    return  # it was changed in between: the next run sees to it
                yield EndedPeriod(org_id, period, recording, None)
        except stops:
            raise
        except OveragesError as error:
            yield EndedPeriod(org_id, period, None, error)

    def _recording(
        self,
        org_id: str,
        period: Period,
        plans: PlansInForce | None,
        timeline: Timeline | None,
    ) -> Recording | None:
        """Close a period; None if it is none of the org's any more.

        :param timeline: that of the account which it is a period of.
        """
        with self._repository.transaction():
            account = self._repository.account(org_id)
            assert account is not None  # for an account is never taken away
            if account.timeline is not timeline and not account.has(period):
                return None
            return self._books_of(account, plans).close(period)

    def _open(self, org_id: str, plans: PlansInForce | None) -> Sequence[Period]:
        """Return the open periods of an org that have ended.

        Charges for times that are none of its periods any more are taken back.
        """
        account = self._repository.account(org_id)
        if account is not None and account.has_moved:
            with self._repository.transaction():
                account = self._repository.account(org_id)
                assert account is not None  # for an account is never taken away
                self._books_of(account, plans).take_back()
        if account is None:
            return ()
        return list(self._books_of(account, plans).open_until(self._until))
