"""Timelines: which terms hold at each instant of an account's life, and its periods.

The problem: an org begins on 10 January with calendar months, moves its billing day to the 15th
from 15 March on, pauses from 20 May to 1 June. Its periods have no gap where terms hold, and none
where they don't:

    10 January to 1 February, 1 February to 1 March, 1 to 15 March,
    15 March to 15 April, 15 April to 15 May, 15 to 20 May,
    1 to 15 June, 15 June to 15 July ...

Entries are put in the order of their instants, those of one instant in the order in which they were
noted, and each is laid over the terms that the ones before it made. What results is a list of
stretches, each with the same terms. A run of stretches that follow each other and have one cycle
shares that cycle's periods, cut at its ends:

    timeline = timeline_of(since, first, changes)
    timeline.at(instant), timeline.run_at(instant)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Final, NamedTuple

from attrs import frozen

from overages._ground.frozen_dict import FrozenDict
from overages._ground.trusted import trusted
from overages._ground.value import evolve
from overages.amounts.money import Money
from overages.errors import OveragesError
from overages.periods.cycle import Cycle
from overages.periods.period import Period, format_instant
from overages.terms.change import Bound, Counters, TermsChange
from overages.terms.discount import Discount
from overages.terms.terms import Terms, new_terms, own_terms

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
"""The end of a time that has no end yet."""


class Stretch(NamedTuple):
    """A time in which the same terms hold.

    :param terms: None where none do.
    :param counters: whether counting goes on from the stretch before, or begins anew.
    """

    start: datetime
    end: datetime
    terms: Terms | None
    counters: Counters = "restart"


@frozen(weakref_slot=False)
class Run:
    """A time, of one or more stretches, whose periods are those of one cycle, cut at its ends."""

    start: datetime
    end: datetime
    cycle: Cycle

    def cut(self, cycle_period: Period) -> Period:
        """Return the part of a cycle's period that lies in the run."""
        if self.start <= cycle_period.start and cycle_period.end <= self.end:
            return cycle_period
        return Period(max(cycle_period.start, self.start), min(cycle_period.end, self.end))


@frozen(weakref_slot=False)
class AgreedTerms:
    """The terms of a period.

    :param cycle_period: the cycle's whole period that it is a part of; None where it is whole.
    :param parts: its parts, each with its terms, and with whether counters go on from the one
        before it.
    """

    cycle_period: Period | None
    parts: tuple[tuple[Period, Terms, Counters], ...]


new_agreed: Final = trusted(AgreedTerms)


@frozen(weakref_slot=False)
class Timeline:
    """The stretches and runs of an account's life, each in order of time.

    Beside them are their starts, in which `bisect` finds one in a third of the time that a key
    takes.
    """

    stretches: tuple[Stretch, ...]
    runs: tuple[Run, ...]
    starts: tuple[datetime, ...]
    run_starts: tuple[datetime, ...]

    def at(self, instant: datetime) -> Terms | None:
        """Return the terms at an instant, in UTC; None if none hold."""
        i = bisect_right(self.starts, instant) - 1
        return self.stretches[i].terms if i >= 0 else None

    def run_at(self, instant: datetime) -> Run | None:
        """Return the run that an instant, in UTC, lies in; None if no terms hold then."""
        i = bisect_right(self.run_starts, instant) - 1
        return self.runs[i] if i >= 0 and instant < self.runs[i].end else None

    def agreed(self, period: Period) -> tuple[tuple[Period, Terms, Counters], ...]:
        """Return the parts of a period in which terms hold, in order, each with its terms.

        Beside them is whether counters go on from the part before, or begin anew.
        """
        if not self.stretches:  # of an account that begins at the last instant that there is
            return ()
        i = max(0, bisect_right(self.starts, period.start) - 1)
        since, until, held, _ = self.stretches[i]
        if since <= period.start and period.end <= until:
            return () if held is None else ((period, held, "restart"),)
        return tuple(
            (period.clipped(start=start, end=end), terms, counters)
            for start, end, terms, counters in self.stretches[
                i : bisect_left(self.starts, period.end)
            ]
            if terms is not None and period.start < end
        )

    def parts(self, period: Period) -> tuple[tuple[Period, Terms], ...]:
        """Return the parts of a period in which terms hold, in order, each with its terms."""
        return tuple((time, terms) for time, terms, _ in self.agreed(period))

    def times(self) -> list[Period]:
        """Return the times in which terms hold, whichever they are."""
        times: list[Period] = []
        for run in self.runs:
            if times and times[-1].end == run.start:
                times[-1] = Period(times[-1].start, run.end)
            else:
                times.append(Period(run.start, run.end))
        return times

    def pauses(self) -> list[Period]:
        """Return the times, since the first terms began, in which no terms hold."""
        times = self.times()
        ends = [*self.starts[:1], *(time.end for time in times)]
        starts = [*(time.start for time in times), FOREVER]
        return [Period(end, start) for end, start in zip(ends, starts, strict=False) if end < start]

    def written(self) -> str:
        """Write the times in which terms hold, for an error: ``from 2024-01-10T00:00:00Z on``."""
        return "; ".join(map(_written, self.times())) or "never"

    def period_after(self, start: datetime) -> Period | None:
        """Return the first period that some time from an instant on lies in; None if none does."""
        runs = self.runs_from(start)
        if not runs:
            return None
        first = runs[0]
        return first.cut(first.cycle.period_of_many(max(start, first.start)))

    def periods(self, start: datetime, end: datetime = FOREVER) -> Iterator[Period]:
        """Yield, in order, the periods that some time from an instant to another lies in."""
        for run in self.runs_from(start):
            if run.start >= end:
                return
            for cycle_period in run.cycle.periods_from(max(start, run.start)):
                if cycle_period.start >= min(end, run.end):
                    break
                yield run.cut(cycle_period)

    def pauses_between(self, start: datetime, end: datetime) -> bool:
        """Tell whether there is a time, from one instant to another, in which no terms hold."""
        if start >= end:
            return False
        runs = self.runs[max(0, bisect_right(self.run_starts, start) - 1) :]
        reached = start
        for run in runs:
            if run.start > reached:
                return True
            reached = run.end
            if end <= reached:
                return False
        return True

    def slugs(self) -> tuple[str, ...]:
        """Return the slugs of all plans that hold at some time, in order."""
        terms = [stretch.terms for stretch in self.stretches]
        return tuple(dict.fromkeys(each.plan for each in terms if each is not None))

    def runs_from(self, instant: datetime) -> tuple[Run, ...]:
        """Return the runs that end after an instant."""
        return self.runs[bisect_right(self.runs, instant, key=_end) :]


def timeline_of(since: datetime, first: Terms, changes: Iterable[TermsChange]) -> Timeline:
    """Lay the entries of an account over its first terms.

    :param since: when its first terms begin.
    :param changes: all later entries, as they were noted.
    """
    stretches = _stretches(since, first, standing(changes))
    runs = _runs(stretches)
    return Timeline(
        tuple(stretches),
        tuple(runs),
        tuple(stretch.start for stretch in stretches),
        tuple(run.start for run in runs),
    )


def standing(changes: Iterable[TermsChange]) -> list[TermsChange]:
    """Return the entries that no later entry takes back, as they were noted."""
    lasting: dict[datetime, list[tuple[int, TermsChange]]] = {}
    for i, change in enumerate(changes):
        if change.kind == "cancel":
            lasting.pop(change.since, None)
        else:
            lasting.setdefault(change.since, []).append((i, change))
    return [change for _, change in sorted(chain(*lasting.values()), key=_place)]


def _stretches(since: datetime, first: Terms, changes: Iterable[TermsChange]) -> list[Stretch]:
    """Lay entries over the first terms, one after another by their instants."""
    terms, hold = first, True
    held: dict[datetime, tuple[Terms | None, Counters]] = {since: (first, "restart")}
    in_order = sorted(changes, key=_since)  # of one instant as noted, for sorting is stable
    for change in in_order:
        if change.kind == "end":
            hold = False
        else:
            try:
                terms = changed(terms, change)
            except OveragesError as error:  # a bound that contradicts one of another entry
                raise error.within("changes", format_instant(change.since)) from None
            hold = hold or change.plan is not None
        _, counters = held.get(change.since, (None, "restart"))
        held[change.since] = (terms if hold else None), change.counters or counters
    stretches: list[Stretch] = []
    ends = [*list(held)[1:], FOREVER]
    for (start, (terms_then, counters)), end in zip(held.items(), ends, strict=True):
        if start == end:  # an entry of the last instant that there is
            continue
        if stretches and stretches[-1].terms == terms_then:  # an entry that changes nothing
            stretches[-1] = stretches[-1]._replace(end=end)
        else:
            stretches.append(Stretch(start, end, terms_then, counters))
    return stretches


def changed(terms: Terms, change: TermsChange) -> Terms:
    """Return terms with an entry laid over them."""
    limits = terms.limits
    if change.limits or change.drop_limits:
        merged = {**terms.limits, **change.limits}
        limits = FrozenDict(
            {
                metric: merged[metric]
                for metric in sorted(merged)
                if metric not in change.drop_limits
            }
        )
    version = terms.plan_version if change.plan is None else None
    status = change.status or terms.status
    laid = new_terms(
        change.plan or terms.plan,
        limits,
        change.cycle or terms.cycle,
        status,
        change.plan_version or version,
        terms.discounts,
        terms.maximum,
        terms.minimum,
        terms.own
        if status == terms.status
        else own_terms(terms.discounts, terms.maximum, terms.minimum, status),
    )
    if not change.names_own_terms:
        return laid
    return evolve(
        laid,
        discounts=_discounts_after(terms.discounts, change),
        maximum=_bound_after(terms, change, "maximum"),
        minimum=_bound_after(terms, change, "minimum"),
    )


def _discounts_after(discounts: Iterable[Discount], change: TermsChange) -> list[Discount]:
    """Return discounts with those of an entry: in place of one of the same name, or after all."""
    others = {discount.name: discount for discount in change.discounts}
    lasting = [each for each in discounts if each.name not in change.drop_discounts]
    return [*(others.pop(each.name, each) for each in lasting), *others.values()]


def _bound_after(terms: Terms, change: TermsChange, name: Bound) -> Money | None:
    if name in change.drop_bounds:
        return None
    named: Money | None = getattr(change, name)
    held: Money | None = getattr(terms, name)
    return held if named is None else named


def _runs(stretches: Iterable[Stretch]) -> list[Run]:
    """Join the stretches that follow each other and have one cycle."""
    runs: list[Run] = []
    for start, end, terms, _ in stretches:
        if terms is None:
            continue
        if runs and runs[-1].end == start and runs[-1].cycle == terms.cycle:
            runs[-1] = Run(runs[-1].start, end, terms.cycle)
        else:
            runs.append(Run(start, end, terms.cycle))
    return runs


def _written(time: Period) -> str:
    start = f"from {format_instant(time.start)}"
    return f"{start} on" if time.end == FOREVER else f"{start} to {format_instant(time.end)}"


def _place(noted: tuple[int, TermsChange]) -> int:
    place, _ = noted
    return place


def _end(time: Run) -> datetime:
    return time.end


def _since(change: TermsChange) -> datetime:
    return change.since
