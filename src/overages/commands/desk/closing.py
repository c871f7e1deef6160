"""Closing: the periods of orgs that have ended are closed, those that run are brought up to date.

for outcome in Closing(service, repository, now, force=False).of(orgs): ...
for outcome in Closing(service, repository, now, force=False).named(orgs, "2024-02"): ...
"""

from __future__ import annotations

import sys
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, Literal, NamedTuple, TypeAlias

from overages.commands.desk.progress import track
from overages.errors import NoTerms, OveragesError, StorageError
from overages.periods.period import Period
from overages.records.record import OverageRecord
from overages.records.recording import Recording
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.terms.account import Account
from overages.terms.timeline import Timeline

_CHUNK: Final = 512  # orgs between two looks at the progress bar; as many share a transaction
MOST_COMPARED: Final = 1_000  # orgs of which closed periods are compared with what they come to

State: TypeAlias = Literal["closed", "corrected", "running", "taken back", "waiting", "failed"]
"""The state that a period is left in: closed, corrected by force, running and brought up to date,
no period any more, closed while it comes to something else, or open as it can't be billed."""


class Outcome(NamedTuple):
    """The outcome for a period of an org.

    :param period: the period; None if the org's account can't be read.
    :param recording: its records; None if it failed.
    :param error: why it did; None if it didn't.
    :param account: that of the org; None if it can't be read.
    """

    org_id: str
    period: Period | None
    state: State
    recording: Recording | None
    error: OveragesError | None
    account: Account | None


class Closing:
    """Closes and updates the periods of orgs.

    :param now: the instant by which a period has ended or runs.
    :param force: whether closed periods that come to something else are corrected.
    """

    def __init__(
        self, service: OverageService, repository: Repository, now: datetime, *, force: bool
    ) -> None:
        self._service, self._repository = service, repository
        self._now, self._force = now, force
        self._current: dict[int, tuple[Timeline, Period | None]] = {}  # by identity

    def of(self, orgs: Sequence[str]) -> Iterator[Outcome]:
        """Close all periods of some orgs that have ended, and bring those that run up to date."""
        chunks = [orgs[first : first + _CHUNK] for first in range(0, len(orgs), _CHUNK)]
        for chunk in track(chunks, "closing", len(orgs), sys.stderr, noun="orgs"):
            with self._repository.snapshot_of(chunk):  # what it read is not read again
                accounts = self._repository.accounts(chunk)
                recorded = self._recorded(accounts.values())
            for ended in self._service.close_ended(orgs=chunk):
                org_id, period, recording, error = ended
                state: State = "closed" if error is None else "failed"
                yield Outcome(org_id, period, state, recording, error, accounts.get(org_id))
            are_compared = len(orgs) <= MOST_COMPARED
            for org_id in chunk:
                account = accounts.get(org_id)
                if account is not None:
                    yield from self._others(account, recorded, are_compared=are_compared)

    def _others(
        self, account: Account, recorded: Mapping[str, int], *, are_compared: bool
    ) -> Iterator[Outcome]:
        """Yield the outcomes for the times of an org that haven't just been closed."""
        if self._force:
            yield from self._corrected(account)
        running = self._running(account)
        if running is not None:
            yield self._attempt(account, running, "running", self._update)
        if account.org_id in recorded:
            yield from self._taken_back(account, recorded[account.org_id])
            yield from self._without_terms(account)
        if are_compared and not self._force:
            yield from self._waiting(account)

    def _recorded(self, accounts: Iterable[Account]) -> dict[str, int]:
        """Count the records of each org whose periods have moved, as some may be none any more."""
        return {
            account.org_id: len(self._repository.records(account.org_id))
            for account in accounts
            if account.has_moved
        }

    def _taken_back(self, account: Account, recorded: int) -> Iterator[Outcome]:
        """Yield the times that are no periods any more, and whose charges were taken back.

        :param recorded: what `_recorded` told before.
        """
        org_id = account.org_id
        new = self._repository.records(org_id)[recorded:]
        for period, own in groupby(sorted(new, key=_period), key=_period):
            if not account.has(period):
                records = list(own)
                recording = Recording(records, records)
                yield Outcome(org_id, period, "taken back", recording, None, account)

    def _without_terms(self, account: Account) -> Iterator[Outcome]:
        """Yield the times that are no periods any more, and in which something was used."""
        for stale in self._service.stale(account.org_id):
            if isinstance(stale.error, NoTerms) and not stale.is_closed:
                yield Outcome(account.org_id, stale.period, "failed", None, stale.error, account)

    def _waiting(self, account: Account) -> Iterator[Outcome]:
        """Yield the closed periods that come to something else, and aren't corrected."""
        if not self._repository.closed_periods(account.org_id):
            return
        for stale in self._service.stale(account.org_id):
            if stale.is_closed:
                yield Outcome(account.org_id, stale.period, "waiting", None, None, account)

    def _corrected(self, account: Account) -> Iterator[Outcome]:
        """Correct closed periods that are stale, and those that no longer follow from them."""
        stale = [each.period for each in self._service.stale(account.org_id) if each.is_closed]
        while stale:
            outcome = self._attempt(account, stale.pop(0), "corrected", self._correct)
            yield outcome
            following = None if outcome.recording is None else outcome.recording.stale_next
            if following is not None and following not in stale:
                insort(stale, following)

    def _running(self, account: Account) -> Period | None:
        """Return the period that runs, and in which something can have been used."""
        timeline = account.timeline
        if id(timeline) not in self._current:  # many accounts share one
            current = None if account.at(self._now) is None else account.period_at(self._now)
            if current is not None and current.start == self._now:
                current = None
            self._current[id(timeline)] = timeline, current
        return self._current[id(timeline)][1]

    def named(self, periods: Sequence[tuple[str, Period]]) -> Iterator[Outcome]:
        """Close periods of orgs; one that runs is brought up to date."""
        each_one = [[each] for each in periods]
        for ((org_id, period),) in track(
            each_one, "closing", len(periods), sys.stderr, noun="periods"
        ):
            account = self._repository.account(org_id)
            assert account is not None  # for it is a period of the account's
            recorded = self._recorded([account])
            yield from self._named(account, period)
            if recorded:
                yield from self._taken_back(account, recorded[org_id])

    def _named(self, account: Account, period: Period) -> Iterator[Outcome]:
        """Close a period, and those before it that are still open: later ones start from them."""
        if period.end > self._now:
            yield self._attempt(account, period, "running", self._update)
            return
        for before in self._open_before(account, period):
            outcome = self._attempt(account, before, "closed", self._service.close)
            yield outcome
            if outcome.error is not None:
                return
        closed = self._attempt(account, period, "closed", self._service.close)
        if closed.recording is None or not closed.recording.is_stale:
            yield closed
        elif self._force:
            yield self._attempt(account, period, "corrected", self._correct)
        else:
            yield closed._replace(state="waiting")

    def _open_before(self, account: Account, period: Period) -> list[Period]:
        closed = self._repository.closed_periods(account.org_id)
        if account.since >= period.start:
            return []
        before = account.periods(account.since, period.start)
        return [each for each in before if each not in closed and each.end <= period.start]

    def _update(self, org_id: str, period: Period) -> Recording | None:
        return self._service.recalculate(org_id, period=period)

    def _correct(self, org_id: str, period: Period) -> Recording | None:
        return self._service.recalculate(org_id, period=period, force=True)

    def _attempt(
        self,
        account: Account,
        period: Period,
        state: State,
        record: Callable[[str, Period], Recording | None],
    ) -> Outcome:
        org_id = account.org_id
        try:
            return Outcome(org_id, period, state, record(org_id, period), None, account)
        except StorageError:
            raise
        except OveragesError as error:
            return Outcome(org_id, period, "failed", None, error, account)


def _period(record: OverageRecord) -> Period:
    return record.period
