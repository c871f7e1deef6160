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
