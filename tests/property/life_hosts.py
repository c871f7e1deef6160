"""Two hosts that do the same, in memory and in SQLite, and the usage that they were told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple, TypeVar

from overages import MemoryRepository, Metric, OverageService, Repository
from overages.errors import OveragesError
from tests.in_memory import in_memory

from .life_draws import at
from .life_model import Event, day_of
from .life_plans import LEVELS

T = TypeVar("T")


class Host(NamedTuple):
    """A service and its repository."""

    service: OverageService
    repository: Repository


class Hosts:
    """Two hosts with one clock."""

    def __init__(self, today: int) -> None:
        self.now = at(today)
        self.sqlite = in_memory()
        metrics = [Metric(level, "max", reports="level") for level in sorted(LEVELS)]
        self.hosts = [
            Host(OverageService(each, clock=lambda: self.now, metrics=metrics), each)
            for each in (MemoryRepository(), self.sqlite)
        ]

    def both(self, call: Callable[[Host], T]) -> T:
        """Return what a call gives, or raise what it raises: for both hosts the same."""
        first, second = (_outcome(call, host) for host in self.hosts)
        assert _told(first) == _told(second)
        if isinstance(first, OveragesError):
            raise first
        return first

    def close(self) -> None:
        self.sqlite.close()


def _outcome(call: Callable[[Host], T], host: Host) -> T | OveragesError:
    try:
        return call(host)
    except OveragesError as error:
        return error


def _told(outcome: object) -> object:
    """Return an outcome in a form in which equal errors are equal."""
    if isinstance(outcome, OveragesError):
        return type(outcome), str(outcome)
    if isinstance(outcome, (tuple, list)):
        return [_told(each) for each in outcome]
    return outcome


class Reported(NamedTuple):
    """An event as it was reported, and when it counts."""

    metric: str
    units: Fraction
    happened_at: datetime
    counts_at: datetime

    @property
    def event(self) -> Event:
        """The same by days, as the model of a life has it."""
        return Event(day_of(self.counts_at), self.metric, self.units)


class UsageBook:
    """All events of an org that count, by id."""

    def __init__(self) -> None:
        self.events: dict[str, Reported] = {}
        self.ids = 0

    def new_id(self) -> str:
        self.ids += 1
        return f"e{self.ids}"

    def by_day(self) -> list[Event]:
        return [reported.event for reported in self.events.values()]

    def sums(self, start: datetime, end: datetime) -> dict[str, Fraction]:
        """Return the sum of what counts from an instant to another, by metric."""
        sums: dict[str, Fraction] = {}
        for metric, units, _, counts_at in self.events.values():
            if start <= counts_at < end:
                sums[metric] = sums.get(metric, Fraction()) + units
        return {metric: units for metric, units in sums.items() if units}

    def taken_back(self) -> set[datetime]:
        """Return the instants at which units were taken back: what was used then has to stay."""
        return {each.happened_at for each in self.events.values() if each.units < 0}
