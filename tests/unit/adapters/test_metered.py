"""Usage of a storage that holds no sums ready: each question adds its events up."""

from datetime import UTC, datetime
from typing import Final

from overages import MemoryRepository, Period, UsageEvent
from overages.adapters.metered import MeteredUsage

NOON: Final = datetime(2024, 2, 3, 12, tzinfo=UTC)
FEB: Final = Period.month(2024, 2)


class WithoutSums(MemoryRepository):
    """A repository in memory that has left the sums to the base."""

    _sums_in = MeteredUsage._sums_in
    _sum_again = MeteredUsage._sum_again
    _remake_sums = MeteredUsage._remake_sums


def test_sums_are_those_of_a_storage_that_holds_them() -> None:
    events = [UsageEvent("org-1", name, 5, NOON, f"{name}-{n}") for name in "ba" for n in range(3)]
    repositories = WithoutSums(), MemoryRepository()
    for repository in repositories:
        repository.add_events(events)
        repository.withdraw("org-1", "a-1", withdrawn_at=NOON)
        repository.remake_sums("org-1")
    for names in (None, ["a"], ["x"]):
        sums = [each.event_sums("org-1", FEB, metrics=names) for each in repositories]
        assert list(sums[0].items()) == list(sums[1].items())
