"""The tests of several handles wait for a busy storage, but not for ever, and say what failed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count

import pytest

from overages import MemoryRepository, Repository
from overages.errors import StorageBusy, StorageError
from overages.testing.contract import RepositoryContract
from overages.testing.contract.handles import _patiently


def busy_for(times: int) -> Callable[[], int]:
    """Return a call that meets another writer so many times, and then says how often it came."""
    calls = count()

    def call() -> int:
        number = next(calls)
        if number < times:
            raise StorageBusy("another connection writes")
        return number

    return call


def test_a_busy_storage_is_asked_again() -> None:
    assert _patiently(busy_for(3)) == 3


def test_a_storage_that_stays_busy_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Iterator[int] = count(0, 50)
    monkeypatch.setattr("overages.testing.contract.handles.monotonic", lambda: next(clock))
    with pytest.raises(StorageBusy):
        _patiently(busy_for(3))


def test_the_error_of_one_handle_is_told_and_the_others_do_not_wait_for_it() -> None:
    class OneHandle(RepositoryContract):
        handles = count()

        def open_again(self) -> AbstractContextManager[Repository]:
            if next(self.handles):
                raise StorageError("there is a handle already")
            return nullcontext(MemoryRepository())

    with pytest.raises(StorageError, match="there is a handle already"):
        OneHandle().test_events_that_four_report_at_once_count_once(MemoryRepository())
