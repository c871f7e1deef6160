"""The contract of repositories: several handles on one storage, one after another and at once.

A contract that calls one handle from one thread can't tell an adapter that reads in one transaction
and writes in another, and so bills twice. Here four handles do the same at the same time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from threading import Barrier, BrokenBarrierError
from time import monotonic, sleep
from typing import Final, TypeVar

import pytest

from overages.errors import RecordConflict, StorageBusy
from overages.repository import Repository
from overages.service.overage_service import OverageService
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.testing.contract.base import (
    APR,
    FEB,
    JAN,
    LATER,
    MAR,
    NOW,
    OURS,
    PLAN,
    ContractBase,
    all_reads,
    check_sums,
    event,
    fill,
    owed,
    shown,
)
from overages.testing.contract.transactions import write_all, write_all_and_fail
from overages.usage.event import UsageEvent

_Result = TypeVar("_Result")

_WORKERS: Final = 4
_PATIENCE: Final = 60  # seconds in which a busy storage has to let each of them through
_SOON: Final = 0.001  # seconds until a busy storage is asked again
_SWITCH: Final = 1e-5  # seconds of a thread's turn: the shorter, the more turns meet
_ORGS: Final = [f"org-{n}" for n in range(8)]
_DURING: Final = FEB.start.replace(day=20)


class HandleContract(ContractBase):
    """Several handles: each knows the writes of others, and writes come one after another."""

    def test_another_handle_reads_what_was_written(self, repository: Repository) -> None:
        fill(repository)
        with self._another() as other:
            assert all_reads(other) == all_reads(repository)

    def test_what_another_handle_wrote_is_there_when_it_is_closed(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with self._another() as other:
            write_all(other)
            expected = all_reads(other)
        assert all_reads(repository) == expected

    def test_another_handle_reads_nothing_of_a_transaction_that_raised(
        self, repository: Repository
    ) -> None:
        fill(repository)
        with self._another() as other:
            before = all_reads(other)
            with suppress(KeyError):
                write_all_and_fail(repository)
            assert all_reads(other) == before

    def test_another_handle_goes_on_where_the_first_one_stopped(
        self, repository: Repository
    ) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        repository.add_events([event("1")])
        with self._another() as other:
            assert other.record(owed(tokens=150), created_at=LATER).new == ()
            assert other.add_events([event("1"), event("2")]) == 1
            other.record(owed(tokens=130), created_at=LATER)
        assert shown(repository.records(OURS)) == [("tokens", 50, 50, 1), ("tokens", -20, -20, 2)]
        assert repository.record(owed(tokens=130), created_at=LATER).new == ()
        assert (repository.verify(), repository.usage(OURS, FEB).quantities["tokens"]) == (2, 10)

    def test_four_recalculations_at_once_bill_once(self, repository: Repository) -> None:
        _use(repository)
        for org_id in _ORGS:
            new = self._at_once(partial(_recalculated, org_id))
            assert sum(new) == 1
            check_sums(repository, owed(org_id, tokens=150))
        assert repository.verify() == len(_ORGS)

    def test_four_closings_at_once_close_once(self, repository: Repository) -> None:
        _use(repository)
        for org_id in _ORGS:
            assert sum(self._at_once(partial(_closed, org_id))) == 1
            check_sums(repository, owed(org_id, tokens=150))
            assert [closing.period for closing in repository.closings(org_id)] == [FEB]
        repository.verify()

    def test_of_four_results_for_one_revision_one_is_recorded(self, repository: Repository) -> None:
        for org_id in _ORGS:
            results = [owed(org_id, tokens=150 + n) for n in range(_WORKERS)]
            new = self._at_once(partial(_recorded, results, 1))
            assert sum(new) == 1
            check_sums(repository, results[new.index(1)])
        assert repository.verify() == len(_ORGS)

    def test_results_of_four_periods_at_once_are_all_recorded(self, repository: Repository) -> None:
        for org_id in _ORGS:
            results = [owed(org_id, period, tokens=150) for period in (JAN, FEB, MAR, APR)]
            assert self._at_once(partial(_recorded, results, None)) == [1] * _WORKERS
            for result in results:
                check_sums(repository, result)
            assert [record.sequence for record in repository.records(org_id)] == [1, 2, 3, 4]
        assert repository.verify() == len(_ORGS) * _WORKERS

    def test_events_that_four_report_at_once_count_once(self, repository: Repository) -> None:
        for org_id in _ORGS:
            events = [event(str(n), 1, org_id=org_id) for n in range(25)]
            new = self._at_once(partial(_reported, events))
            assert sum(new) == repository.usage(org_id, FEB).quantities["tokens"] == len(events)

    def _another(self) -> AbstractContextManager[Repository]:
        handle = self.open_again()
        if handle is None:
            pytest.skip("open_again() gives no other handle on what make() made")
        return handle

    def _at_once(self, work: Callable[[Repository, int], _Result]) -> list[_Result]:
        """Do some work by four handles at the same time; return the result of each.

        A handle that finds the storage busy asks again: it has written nothing, says the contract.
        """
        ready = Barrier(_WORKERS, timeout=_PATIENCE)

        def worker(number: int) -> _Result:
            try:
                with self._another() as handle:
                    ready.wait()
                    return _patiently(lambda: work(handle, number))
            except BaseException:
                ready.abort()  # or the others would wait for this one
                raise

        with _many_switches(), ThreadPoolExecutor(_WORKERS) as pool:
            results = [pool.submit(worker, number) for number in range(_WORKERS)]
        errors = [error for result in results if (error := result.exception()) is not None]
        for error in sorted(errors, key=lambda error: isinstance(error, BrokenBarrierError)):
            raise error  # the first that isn't the consequence of another
        return [result.result() for result in results]


def _patiently(work: Callable[[], _Result]) -> _Result:
    end = monotonic() + _PATIENCE
    while True:
        try:
            return work()
        except StorageBusy:
            if monotonic() > end:
                raise
            sleep(_SOON)


@contextmanager
def _many_switches() -> Iterator[None]:
    """Give threads short turns, so that all that can come between two steps does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _service_of(repository: Repository) -> OverageService:
    return OverageService(repository, clock=lambda: _DURING)


def _use(repository: Repository) -> None:
    """Sign orgs up for February, and let each use something in it."""
    repository.put_plan(PLAN)
    for org_id in _ORGS:
        repository.put_account(Account(org_id, "starter", since=FEB.start))
    used = [UsageEvent(org_id, "tokens", 150, _DURING, "1") for org_id in _ORGS]
    _service_of(repository).record_usage(used)


def _recalculated(org_id: str, handle: Repository, _: int) -> int:
    """Recalculate an org's February; return how many records are new."""
    recording = _service_of(handle).recalculate(org_id)
    assert recording is not None
    return len(recording.new)


def _closed(org_id: str, handle: Repository, _: int) -> int:
    """Close an org's February; return how many records are new."""
    return len(OverageService(handle, clock=lambda: NOW).close(org_id, FEB).new)


def _recorded(
    results: Sequence[Statement], revision: int | None, handle: Repository, number: int
) -> int:
    """Record one of the results; return how many records are new."""
    try:
        return len(handle.record(results[number], created_at=NOW, revision=revision).new)
    except RecordConflict:
        return 0


def _reported(events: Sequence[UsageEvent], handle: Repository, _: int) -> int:
    """Report events; return how many of them are new."""
    return handle.add_events(events)
