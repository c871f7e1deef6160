"""What is the memory repository's own: threads that share it.

What every repository does is in the contract of repositories.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from overages import Period, UsageEvent
from overages.adapters.memory import MemoryRepository

FEB = Period.month(2024, 2)
MOMENT = datetime(2024, 2, 20, tzinfo=UTC)


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Have threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("eager_threads")
def test_usage_can_be_read_while_other_threads_write() -> None:
    repository = MemoryRepository()

    def write(n: int) -> int:
        event = UsageEvent("org-1", f"metric-{n}", 1, MOMENT)
        return repository.add_events([event])

    with ThreadPoolExecutor(4) as pool:
        written = pool.map(write, range(300))
        read = pool.map(lambda _: len(repository.usage("org-1", FEB).quantities), range(300))
        assert max(read) <= sum(written) == 300
    assert len(repository.usage("org-1", FEB).quantities) == 300


def test_events_that_are_taken_back_can_be_added_again() -> None:
    repository = MemoryRepository()
    event = UsageEvent("org-1", "tokens", 1, MOMENT, "e1")

    def add_and_fail() -> None:
        with repository.transaction():
            repository.add_events([event, UsageEvent("org-1", "tokens", 1, MOMENT)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    assert repository.usage("org-1", FEB).quantities == {}
    assert repository.add_events([event]) == 1
    assert repository.add_events([event]) == 0


def test_sums_that_are_held_are_those_of_the_events() -> None:
    repository = MemoryRepository()
    events = [UsageEvent("org-1", "runs", n, MOMENT, f"evt-{n}") for n in (1, 2, 4)]
    repository.add_events(events)
    for _ in range(20):  # often enough that they are held
        assert repository.event_sums("org-1", FEB)["runs"].picos == 7 * 10**12
    repository.withdraw("org-1", "evt-2", withdrawn_at=MOMENT)
    assert repository.event_sums("org-1", FEB)["runs"].picos == 5 * 10**12
    repository.remake_sums("org-1")
    assert repository.event_sums("org-1", FEB)["runs"].picos == 5 * 10**12
    repository.add_events([UsageEvent("org-1", "runs", 8, MOMENT)])
    assert repository.event_sums("org-1", FEB)["runs"].picos == 13 * 10**12
