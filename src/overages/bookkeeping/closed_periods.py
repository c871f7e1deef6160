"""Closed periods: the closings of an org, asked for one by one, or read at once.

closed = ClosedPeriods(repository, "org-123")
closed.before(march), closed.after(march)         # Closing(...), (Closing(...), ...)
closed.read()                                     # for who looks at all, and changes none
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime

from overages.periods.period import Period
from overages.records.closing import Closing
from overages.repository import Repository
from overages.settlements.settlement import Settlement


class ClosedPeriods:
    """Reads the closings of an org, and the settlements that its periods were closed with."""

    def __init__(self, repository: Repository, org_id: str) -> None:
        self._repository, self._org_id = repository, org_id
        self._all: tuple[Closing, ...] | None = None
        self._settled: dict[Period, Settlement | None] = {}

    def read(self) -> Mapping[Period, Closing]:
        """Read all closings; from then on, none that is new is seen."""
        self._all = self._repository.closings(self._org_id)
        return {closing.period: closing for closing in self._all}

    def last(self) -> Closing | None:
        """Return the last closing of all, once they are read."""
        return self._all[-1] if self._all else None

    def before(self, period: Period) -> Closing | None:
        """Return the closing of the last closed period that ends before another begins."""
        if self._all is None:
            return self._repository.closing_before(self._org_id, period.start)
        place = bisect_right(self._all, period.start, key=_end)
        return self._all[place - 1] if place else None

    def after(self, period: Period) -> Sequence[Closing]:
        """Return the closings of periods after another, in order of time."""
        if self._all is None:
            return self._repository.closings(self._org_id, period.end)
        return self._all[bisect_left(self._all, period.end, key=_start) :]

    def settlement(self, period: Period) -> Settlement | None:
        """Return the settlement that a period was closed with; None if it is open."""
        if self._all is None:
            return self._repository.settled(self._org_id, period)
        if period not in self._settled:
            self._settled[period] = self._repository.settled(self._org_id, period)
        return self._settled[period]


def _start(closing: Closing) -> datetime:
    return closing.period.start


def _end(closing: Closing) -> datetime:
    return closing.period.end
