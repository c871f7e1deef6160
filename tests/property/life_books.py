"""What is kept of an account's life, in an independent model: records, closings, draws.

It keeps raw entries: what was told of the org, of each closed period what it left (`Kept`) and drew
on grants, and of each recorded one the last result, line by line. All else is worked out of them
when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from fractions import Fraction

from overages import Grant, Plan

from .life_bills import Bill, Settling
from .life_draws import at
from .life_model import ZERO, Event, Fill, Kept, Life

Days = tuple[int, int]
"""The first day of a period, and the one after its last."""
Sums = dict[tuple[str | None, str], tuple[Fraction, Fraction, int]]
"""Units over, exact cost and minor units by metric and line, where any of them is not zero."""
HORIZON = 400
"""Days to come whose periods are known: more than a closed one or a grace spans."""


@dataclass
class Closed:
    """What a closed period knew of grants when it was first closed, left, and drew."""

    known: list[Grant]
    kept: Kept
    drawn: dict[Fill, Fraction]


@dataclass
class Books:
    """An org, and all that is kept of it."""

    life: Life
    now: int
    versions: dict[str, list[tuple[int, Plan]]]
    """The versions of each plan, as they were put, with the day from which each is in force."""
    grants: dict[str, Grant] = field(default_factory=dict)
    recorded: dict[Days, Sums] = field(default_factory=dict)
    closed: dict[Days, Closed] = field(default_factory=dict)

    # Periods

    def periods(self) -> list[Days]:
        """Return the periods that begin by the present day, and some of those to come."""
        return self.life.periods(self.now + HORIZON)

    def ended(self) -> list[Days]:
        return [period for period in self.periods() if period[1] <= self.now]

    def open_until(self, day: int) -> list[Days]:
        return [each for each in self.periods() if each[1] <= day and each not in self.closed]

    def period_on(self, day: int) -> Days | None:
        return next((each for each in self.periods() if each[0] <= day < each[1]), None)

    def pauses(self) -> Iterator[Days]:
        """Yield the days from which and to which no terms hold, the last of them without end."""
        starts = [*(start for start, _ in self.periods()), self.now + 2 * HORIZON]
        ends = [self.life.since, *(end for _, end in self.periods())]
        yield from ((end, start) for end, start in zip(ends, starts, strict=True) if end < start)

    # Usage

    def counts_on(self, event: Event) -> int:
        """Return the day on which an event counts that isn't to change a closed period."""
        period = self.period_on(event.day)
        if period not in self.closed:
            return event.day
        later = [each for each in self.periods() if each >= period and each not in self.closed]
        return later[0][0] if later else event.day

    # Statements

    def bill(self, period: Days) -> Bill:
        """Return what a period comes to now: a closed one, if it were corrected."""
        return self._settled(period)[0]

    def _settled(self, period: Days) -> tuple[Bill, Kept]:
        closed = self.closed.get(period)
        kept, end = self._left_before(period)
        if closed is None:
            for before in self.periods():
                if end <= before[0] < period[0]:
                    self._lapse(kept, end, before[0])
                    self._settle(before, kept, list(self.grants.values()), ended=True)
                    end = before[1]
        self._lapse(kept, end, period[0])
        known = list(self.grants.values()) if closed is None else closed.known
        ended = closed is not None or period[1] <= self.now
        return self._settle(period, kept, known, ended=ended), kept

    def _settle(self, period: Days, kept: Kept, grants: list[Grant], *, ended: bool) -> Bill:
        start, end = period
        life = replace(self.life, plans=self._in_force(start))
        return Settling(life, start, end, kept, grants, ended).bill()

    def _left_before(self, period: Days) -> tuple[Kept, int]:
        """Return what the last closed period before one has left, and that one's end.

        What is drawn on grants is one sum over all other closed periods, the later ones too.
        """
        last = max((each for each in self.closed if each[1] <= period[0]), default=None)
        kept = Kept() if last is None else deepcopy(self.closed[last].kept)
        kept.drawn = {}
        for other, closed in self.closed.items():
            if other != period:
                for fill, units in closed.drawn.items():
                    kept.drawn[fill] = kept.drawn.get(fill, ZERO) + units
        return kept, self.life.since if last is None else last[1]

    def _lapse(self, kept: Kept, end: int, start: int) -> None:
        """Drop the units that were carried over if terms have ended since."""
        if any(self.life.terms_on(day) is None for day in range(end, start)):
            kept.carried = {}

    def _in_force(self, day: int) -> dict[str, Plan]:
        """Return the version of each plan that is in force on a day."""
        plans = {}
        for slug, versions in self.versions.items():
            last = max(since for since, _ in versions if since <= day)
            plans[slug] = [plan for since, plan in versions if since == last][-1]
        return plans

    # What is kept

    def record(self, period: Days) -> None:
        """Keep what an open period comes to; where it had nothing, take back what is gone."""
        if not self.recorded.get(period):
            self.take_back()
        self._record(period, self.bill(period))

    def close(self, period: Days) -> None:
        """Close a period, and all before it that are open still."""
        self.take_back()
        for each in [*self.open_until(period[0]), period]:
            if each not in self.closed:
                bill, kept = self._settled(each)
                self._record(each, bill)
                self.closed[each] = Closed(list(self.grants.values()), kept, bill.drawn)

    def correct(self, period: Days) -> None:
        """Keep what a closed period comes to now; others keep their draws on grants."""
        bill, kept = self._settled(period)
        self._record(period, bill)
        self.closed[period] = Closed(self.closed[period].known, kept, bill.drawn)

    def take_back(self) -> None:
        """Take back what was charged for times that are no periods any more."""
        own = self.periods()
        self.recorded |= {other: {} for other in self.recorded if other not in own}

    def _record(self, period: Days, bill: Bill) -> None:
        if sums_of(bill) or period in self.recorded:
            self.recorded[period] = sums_of(bill)

    def stale(self) -> list[tuple[Days, bool, int]]:
        """Return the recorded periods that come to something else, if they are closed, by what."""
        found, own = [], self.periods()
        for period in sorted({*self.recorded, *self.closed}):
            now = sums_of(self.bill(period)) if period in own else {}
            before = self.recorded.get(period, {})
            if now != before or not self._is_followed(period):
                change = sum_of(now) - sum_of(before)
                found.append((period, period in self.closed, change))
        return found

    def _is_followed(self, period: Days) -> bool:
        """Tell whether a closed period leaves now what it left when it was closed."""
        if period not in self.closed:
            return True
        now, then = self._settled(period)[1], self.closed[period].kept
        return _going_on(now, period[1]) == _going_on(then, period[1])

    def used_without_terms(self) -> list[int]:
        """Return the first days of the times without terms in which something was used."""
        metrics = {event.metric for event in self.life.events}
        return [
            start
            for start, end in self.pauses()
            if any(
                sum(e.units for e in self.life.events if e.metric == each and start <= e.day < end)
                for each in metrics
            )
        ]

    def drawn(self) -> Mapping[Fill, Fraction]:
        """Return all that closed periods have drawn, by what was granted."""
        drawn: dict[Fill, Fraction] = {}
        for closed in self.closed.values():
            for fill, units in closed.drawn.items():
                drawn[fill] = drawn.get(fill, ZERO) + units
        return drawn


def sums_of(bill: Bill) -> Sums:
    """Return what is recorded of a bill."""
    sums: Sums = {}
    for line in bill.lines:
        is_whole = (line.span.start, line.span.end) == (bill.start, bill.end)
        part = "" if is_whole else f":{at(line.span.start):%Y-%m-%dT%H:%M:%SZ}"
        sums[line.metric, f"overage{part}"] = line.over, line.added, line.cost
    for step in bill.steps:
        sums[step.metric, step.line] = ZERO, step.exact, step.cost
    return {key: due for key, due in sums.items() if any(due)}


def sum_of(sums: Sums) -> int:
    return sum(cost for _, _, cost in sums.values())


def _going_on(kept: Kept, end: int) -> tuple[object, ...]:
    """Return what goes on from the end of a period, but for grants."""
    carried = {metric: layers for metric, layers in kept.carried.items() if layers}
    counts = [
        {key: units for key, units in each.items() if units and key[1][1] > end}
        for each in (kept.used, kept.covered)
    ]
    return carried, *counts
