"""An independent model of an account's life: its raw entries, walked day by day.

It keeps what was told of the org, and reads values by their attributes; it calls nothing of the
library that calculates. Instants are midnights of UTC, but those of events, which are noons; days
are numbered as by `date.toordinal`. `life_bills` works out of it what each period comes to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from overages import Allowance, Cycle, Discount, Money, Plan

Layers = list[tuple[int, Fraction, int | None]]
"""Units carried over, by the day that their time begins on, with the periods left to them."""
Fill = tuple[str, int]
"""A grant, and the day on which its units were granted, or granted anew."""
ZERO, WHOLE = Fraction(), Fraction(1)


class Own(NamedTuple):
    """The org's own discounts and bounds, and whether it is on trial; None says nothing of it."""

    discounts: tuple[Discount, ...] = ()
    maximum: Money | None = None
    minimum: Money | None = None
    trial: bool | None = None


class Entry(NamedTuple):
    """An entry of an account's history, as it was made."""

    day: int
    plan: str | None = None
    limits: Mapping[str, int | None] = {}
    dropped: tuple[str, ...] = ()
    cycle: Cycle | None = None
    counters: str | None = None
    kind: str = "change"
    own: Own = Own()
    ended: tuple[str, ...] = ()
    """The discounts and bounds of its own that the org has no more, by name."""


class Event(NamedTuple):
    """Units that were used at noon of a day, or a level that is held from then on."""

    day: int
    metric: str
    units: Fraction


class Agreed(NamedTuple):
    """What holds on a day."""

    plan: str
    limits: Mapping[str, int | None]
    cycle: Cycle
    own: Own


class Part(NamedTuple):
    """Days of a period on which plan and own terms are the same."""

    start: int
    end: int
    plan: Plan
    own: Own


class Span(NamedTuple):
    """Days on which a metric's own terms are the same."""

    start: int
    end: int
    allowance: Allowance
    own: tuple[int | None, ...]
    window: tuple[int, int] | None
    goes_on: bool
    trial: bool


class Counting(NamedTuple):
    """How the units of a span are counted.

    :param share_of_units: the share of included units, bounds and fees.
    :param before: units that were used before and count with its own; None where none can have.
    :param covered: those of them that grants covered.
    :param first_day: the first one that its counters count from, in the period.
    """

    share: Fraction
    share_of_units: Fraction
    before: Fraction | None
    covered: Fraction
    first_day: int


@dataclass
class Line:
    """What a line of a metric should say."""

    metric: str
    span: Span
    used: Fraction
    limit: Fraction | None
    over: Fraction
    share: Fraction
    exact: Fraction
    paid: Fraction
    is_level: bool
    granted: Fraction = ZERO
    cost: int = 0

    @property
    def added(self) -> Fraction:
        return self.exact - self.paid


@dataclass
class Kept:
    """All that periods leave to later ones."""

    carried: dict[str, Layers] = field(default_factory=dict)
    used: dict[tuple[str, tuple[int, int]], Fraction] = field(default_factory=dict)
    covered: dict[tuple[str, tuple[int, int]], Fraction] = field(default_factory=dict)
    drawn: dict[Fill, Fraction] = field(default_factory=dict)


# Days


def day_of(instant: Any) -> int:
    return int(instant.date().toordinal())


def whole_of(cycle: Cycle, day: int) -> tuple[int, int]:
    """Return the days from which and to which a cycle's period goes that a day lies in.

    :param cycle: of months, quarters, years or weeks.
    """
    anchor = cycle.anchor.date()
    if cycle.unit == "week":
        length = 7 * cycle.every
        start = day - (day - anchor.toordinal()) % length
        return start, start + length
    months = {"month": 1, "quarter": 3, "year": 12}[cycle.unit] * cycle.every
    n = ((date.fromordinal(day).year - anchor.year) * 12 + 12) // months + 2
    while _boundary(anchor, n * months) > day:
        n -= 1
    return _boundary(anchor, n * months), _boundary(anchor, (n + 1) * months)


def _boundary(anchor: date, months: int) -> int:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1).toordinal()) - 1
    return min(date(year, month + 1, 1).toordinal() + anchor.day - 1, last)


# The account


@dataclass
class Life:
    """An org, as it was told."""

    plans: Mapping[str, Plan]
    since: int
    plan: str
    cycle: Cycle
    limits: Mapping[str, int | None]
    entries: Sequence[Entry]
    events: Sequence[Event]
    levels: frozenset[str]
    own: Own
    _terms: dict[int, Agreed | None] = field(default_factory=dict, init=False, repr=False)

    def terms_on(self, day: int) -> Agreed | None:
        """Return what holds on a day: the entries before it, one laid over the other."""
        if day not in self._terms:
            self._terms[day] = self._laid_over(day)
        return self._terms[day]

    def _laid_over(self, day: int) -> Agreed | None:
        if day < self.since:
            return None
        plan, cycle, limits, holds = self.plan, self.cycle, dict(self.limits), True
        own = self.own
        for entry in sorted(self._standing(), key=lambda entry: entry.day):
            if entry.day > day:
                break
            if entry.kind == "end":
                holds = False
                continue
            plan, cycle = entry.plan or plan, entry.cycle or cycle
            limits |= entry.limits
            for metric in entry.dropped:
                limits.pop(metric, None)
            own = _after(own, entry)
            holds = holds or entry.plan is not None
        return Agreed(plan, limits, cycle, own) if holds else None

    def _standing(self) -> list[Entry]:
        kept: list[Entry] = []
        for entry in self.entries:
            if entry.kind == "cancel":
                kept = [other for other in kept if other.day != entry.day]
            else:
                kept.append(entry)
        return kept

    def counters_on(self, day: int) -> str:
        said = [entry.counters for entry in self._standing() if entry.day == day and entry.counters]
        return said[-1] if said else "restart"

    def periods(self, until: int) -> list[tuple[int, int]]:
        """Return the first day and the end of each period that begins before a day."""
        found: list[tuple[int, int]] = []
        before: Any = None
        for day in range(self.since, until + 800):
            terms = self.terms_on(day)
            now = None if terms is None else (terms.cycle, whole_of(terms.cycle, day))
            if now != before and day >= until:
                break
            if now is not None:
                start = day if now != before else found.pop()[0]
                found.append((start, day + 1))
            before = now
        return found

    def spans(self, metric: str, start: int, end: int) -> list[Span]:
        """Return the spans of a metric in a period, by walking its days."""
        spans: list[Span] = []
        before: Any = None
        for day in range(start, end):
            terms = self.terms_on(day)
            assert terms is not None
            allowance = self.plans[terms.plan].allowances.get(metric)
            if allowance is None:
                before = None
                continue
            own = (terms.limits[metric],) if metric in terms.limits else ()
            year = allowance.included_for
            window = None if year is None else whole_of(year, day)
            trial = bool(terms.own.trial)
            now = allowance, own, window, trial
            if now == before:
                spans[-1] = spans[-1]._replace(end=day + 1)
            else:
                changes = day > start and self.terms_on(day - 1) != terms
                goes_on = changes and self.counters_on(day) == "continue"
                spans.append(Span(day, day + 1, allowance, own, window, goes_on, trial))
            before = now
        return spans

    def used(self, metric: str, start: int, end: int) -> Fraction:
        """Return the units used in some days, or the highest level that was held in them."""
        own = [event for event in self.events if event.metric == metric]
        if metric not in self.levels:
            return sum((event.units for event in own if start <= event.day < end), ZERO)
        at_start = [event for event in own if event.day < start]
        held = [max(at_start, key=lambda event: event.day).units] if at_start else []
        return max(
            [*held, *(event.units for event in own if start <= event.day < end)], default=ZERO
        )

    def parts(self, start: int, end: int) -> list[Part]:
        """Return the parts of a period: days on which plan and own terms are the same."""
        parts: list[Part] = []
        before: Any = None
        for day in range(start, end):
            terms = self.terms_on(day)
            assert terms is not None
            now = terms.plan, terms.limits, terms.own
            if now == before:
                parts[-1] = parts[-1]._replace(end=day + 1)
            else:
                parts.append(Part(day, day + 1, self.plans[terms.plan], terms.own))
            before = now
        return parts


def _after(own: Own, entry: Entry) -> Own:
    """Lay what an entry says of an org's own terms over those that held."""
    said, ended = entry.own, entry.ended
    by_name = {each.name: each for each in own.discounts if each.name not in ended}
    by_name |= {each.name: each for each in said.discounts}
    maximum = None if "maximum" in ended else own.maximum
    minimum = None if "minimum" in ended else own.minimum
    return Own(
        tuple(by_name.values()),
        maximum if said.maximum is None else said.maximum,
        minimum if said.minimum is None else said.minimum,
        own.trial if said.trial is None else said.trial,
    )
