"""Ended periods: those of all orgs that have ended and are open still, closed some orgs at a time.

    for ended in EndedPeriods(repository, books_of, fresh_of, until, require_enabled).close(orgs):
        ended.recording, ended.error

A transaction for each org would take ten times as long. So some orgs share one, as many as are done
in a moment, since other writers wait for it. Within it, the periods of each org are closed or not,
whatever becomes of another's. If the storage can't read or write all of them together, they are
closed one by one, so that the fault of one is its own.

Of most orgs, one period ends at a time, and nothing is kept of it yet. Such a fresh one needs
nothing but terms, usage and the balance before. They are closed first; `Books` close the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from overages.bookkeeping.books import Books, EndedPeriod, open_periods
from overages.bookkeeping.period_inputs import bounds_within
from overages.bookkeeping.plans_in_force import PlansInForce
from overages.bookkeeping.usage_reader import UsageReader
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
from overages.records.recording import Recording
from overages.repository import Repository
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement, settle
from overages.terms.account import Account
from overages.terms.timeline import Timeline
from overages.usage.routing import Routes

BooksOf: TypeAlias = Callable[[Account, PlansInForce | None], Books]
"""Gives the books of an account, by plans that were read in the same transaction, if any were."""

FreshOf: TypeAlias = "Callable[[PlansInForce], FreshPeriods]"
"""Gives what closes fresh periods, by plans that are read in the same transaction."""

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
    :param fresh_of: gives what closes, all together, those periods that are fresh.
    :param until: the instant that they have ended by.
    :param require_enabled: is called before each org, and ends all by an error.
    """

    def __init__(
        self,
        repository: Repository,
        books_of: BooksOf,
        fresh_of: FreshOf,
        until: datetime,
        require_enabled: Callable[[], None],
    ) -> None:
        self._repository, self._books_of, self._fresh_of = repository, books_of, fresh_of
        self._until = until
        self._off: BillingDisabled | None = None  # once the service is switched off
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
        with self._repository.transaction_of(periods):
            plans = PlansInForce(self._repository)
            self._close_fresh(due, plans, ended)
            for org_id, own in due.items():
                if not self._is_on():
                    break  # what is closed by then is kept
                closed = self._ended_of(org_id, _TOGETHER, plans, own)
                ended.setdefault(org_id, []).extend(closed)
        if self._off is not None:
            raise self._off
        return [each for org_id in orgs for each in ended.get(org_id, ())]

    def _close_fresh(
        self, due: dict[str, _Due], plans: PlansInForce, ended: dict[str, list[EndedPeriod]]
    ) -> None:
        """Close the first period of each org as far as it is fresh.

        :param due: the periods; has those that are left then.
        :param ended: takes the outcomes.
        """
        first = {
            org_id: (own.timeline, own.periods[0])
            for org_id, own in due.items()
            if not own.has_moved
        }
        for org_id, recording in self._fresh_of(plans).close(first, self._is_on).items():
            period, *others = due[org_id].periods
            ended[org_id] = [EndedPeriod(org_id, period, recording, None)]
            if others:
                due[org_id] = due[org_id]._replace(periods=others)
            else:
                del due[org_id]

    def _is_on(self) -> bool:
        """Tell whether the service is still on; once it is off, no more is done."""
        if self._off is None:
            try:
                self._require_enabled()
            except BillingDisabled as error:
                self._off = error
        return self._off is None

    def _due(self, orgs: Sequence[str], faults: dict[str, list[EndedPeriod]]) -> dict[str, _Due]:
        """Return the open periods that have ended, by org.

        :param faults: takes those of orgs of which that can't be told.
        """
        due: dict[str, _Due] = {}
        first: dict[int, _Due] = {}  # where no period is closed yet, by the timeline's identity
        with self._repository.snapshot_of(orgs):
            for org_id, account in self._repository.accounts(orgs).items():
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


class FreshPeriods:
    """Closes periods of which nothing is kept yet, in the transaction that its caller holds.

    One is left as it is if there is anything else, if terms change within it, or if it can't be
    settled, of which `Books` tell.

    :param routes: the metrics that are more than sums of their events.
    :param plans: those that are read in the transaction.
    :param now: the instant of all that is written.
    """

    def __init__(
        self, repository: Repository, routes: Routes, plans: PlansInForce, now: datetime
    ) -> None:
        self._repository, self._routes, self._plans, self._now = repository, routes, plans, now
        self._undivided: dict[tuple[int, datetime], tuple[Timeline, bool]] = {}

    def close(
        self, periods: Mapping[str, tuple[Timeline, Period]], is_on: Callable[[], bool]
    ) -> Mapping[str, Recording]:
        """Close the periods of some orgs that are fresh; return their recordings, by org.

        :param periods: a period of each org, beside the timeline that it is one of.
        :param is_on: is asked before each org, and stops all after it.
        """

        def settled(account: Account, period: Period, balance: Balance) -> Settlement | None:
            if account.timeline is not periods[account.org_id][0] or not is_on():
                return None  # the first: it was changed in between
            return self._settled(account, period, balance)

        own = {org_id: period for org_id, (_, period) in periods.items()}
        return self._repository.close_fresh(own, settled, closed_at=self._now)

    def _settled(self, account: Account, period: Period, balance: Balance) -> Settlement | None:
        try:
            if not self._is_undivided(account.timeline, period):
                return None
            reader = UsageReader(self._repository, account.org_id, self._routes)
            return settle(
                account,
                partial(self._plans.plan, period),
                period,
                reader.usage(period),
                balance,
                levels=self._routes.held,
            )
        except StorageError:
            raise
        except OveragesError:
            return None

    def _is_undivided(self, timeline: Timeline, period: Period) -> bool:
        """Tell whether the usage of a period is enough, without that of times within it."""
        key = id(timeline), period.start
        if key not in self._undivided:  # many accounts share one
            parts = [
                (part, self._plans.plan(period, part, terms))
                for part, terms in timeline.parts(period)
            ]
            self._undivided[key] = timeline, not bounds_within(period, parts)[1:-1]
        return self._undivided[key][1]
