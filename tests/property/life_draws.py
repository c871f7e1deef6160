"""Random lives: an account with its plans, entries, events and grants, of one random number.

Each is drawn by `random.Random`, so that a seed says all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import combinations
from random import Random
from typing import Any

from overages import Account, Allowance, Cycle, Grant, Money, Period, Plan, Usage, UsageEvent

from .life_model import Entry, Event, Life, Own
from .life_plans import LEVELS, drawn_allowance, drawn_rules

FIRST = date(2023, 11, 1).toordinal()
DAYS = 330
_BOUNDS = ("maximum", "minimum")
FLOWS = ("tokens", "runs", "calls")


@dataclass
class Drawn:
    """A life, as the model has it and as the library does."""

    life: Life
    account: Account
    grants: list[tuple[int, Grant]]
    """With the day on which each was entered: an earlier period doesn't know it."""
    events: list[UsageEvent]
    until: int

    def known(self, end: int) -> list[Grant]:
        """Return the grants that were entered before the end of a period."""
        return [grant for day, grant in self.grants if day < end]

    def usages(self, period: Period, account: Account) -> list[Usage]:
        """Return the usage of a period, and of all times in it between changes of terms."""
        bounds = {
            period.start,
            period.end,
            *(part.start for part, _ in account.timeline.parts(period)),
        }
        for plan in self.life.plans.values():
            for allowance in plan.allowances.values():
                if allowance.included_for is not None:
                    end = allowance.included_for.period_at(period.start).end
                    while end < period.end:
                        bounds.add(end)
                        end = allowance.included_for.period_at(end).end
        return [self._usage(Period(*ends)) for ends in combinations(sorted(bounds), 2)]

    def _usage(self, time: Period) -> Usage:
        start, end = time.start.date().toordinal(), time.end.date().toordinal()
        metrics = {event.metric for event in self.life.events}
        used = {metric: self.life.used(metric, start, end) for metric in metrics}
        quantities = {metric: as_units(units) for metric, units in used.items() if units}
        return Usage("acme", time, quantities)


def as_units(units: Fraction) -> Any:
    return int(units) if units.denominator == 1 else str(float(units))


def at(day: int, hour: int = 0) -> datetime:
    return datetime.combine(date.fromordinal(day), datetime.min.time(), UTC) + timedelta(hours=hour)


def period_of(start: int, end: int) -> Period:
    return Period(at(start), at(end))


@dataclass(frozen=True)
class Style:
    """What may be said in a life: counters that go on are said of plain terms of flows alone."""

    goes_on: bool
    flows: tuple[str, ...]
    levels: tuple[str, ...]
    rounding: str | None
    """None: by plan."""
    scope: str

    @property
    def metrics(self) -> tuple[str, ...]:
        return *self.flows, *self.levels

    @property
    def limited(self) -> list[str]:
        """The metrics that the org may have limits of its own for."""
        return [metric for metric in self.metrics if not self.goes_on or metric not in LEVELS]

    @property
    def tries(self) -> bool:
        """Whether the org may be on trial: where counters go on, that would cut a level."""
        return not self.goes_on or not self.levels


def drawn_style(random: Random) -> Style:
    goes_on = random.random() < 0.3
    rounding = random.choice(["half_up", "half_even", "up", "down", None])
    scope = random.choice(["line", "line", "total"])
    flows = random.sample(FLOWS, random.randint(1, 3))
    levels = [] if random.random() < 0.4 else random.sample(sorted(LEVELS), random.randint(1, 2))
    return Style(goes_on, tuple(flows), tuple(levels), rounding, scope)


def drawn_plan(random: Random, style: Style, slug: str, first: Mapping[str, Allowance]) -> Plan:
    """Draw a plan, which has some allowances of the first one."""
    allowances = {}
    for metric in random.sample(style.metrics, len(style.metrics)):
        goes_on, levels = style.goes_on, style.levels
        same = metric in first and (random.random() < 0.4 or (goes_on and metric in LEVELS))
        allowances[metric] = (
            first[metric]
            if same
            else drawn_allowance(random, metric, style.flows, levels, plain=goes_on)
        )
    return Plan(
        slug,
        "USD",
        allowances,
        rounding=style.rounding or random.choice(["up", "down"]),  # type: ignore[arg-type]
        rounding_scope=style.scope,  # type: ignore[arg-type]
        proration=random.choice(["days", "days", "full"]),
        **drawn_rules(random, 0.25),
    )


def drawn_life(seed: int) -> Drawn:
    """Draw a life. In some of them counters go on, and then all terms are such as allow it."""
    random = Random(seed)
    style = drawn_style(random)
    plans: dict[str, Plan] = {}
    first: Mapping[str, Allowance] = {}
    for slug in ("a", "b", "c")[: random.randint(1, 3)]:
        plans[slug] = drawn_plan(random, style, slug, first)
        first = first or plans[slug].allowances
    since = FIRST + random.randint(0, 60)
    until = since + random.randint(40, DAYS)
    life, account = drawn_start(random, style, plans, since)
    entries: list[Entry] = []
    for _ in range(random.choice([0, 1, 1, 2, 3, 4, 6])):
        entry = drawn_entry(random, style, entries, plans, since, until)
        entries.append(entry)
        account = with_entry(account, entry)
    life = replace(life, entries=entries)
    life.events = events = _events(random, life, style.metrics, since, until)
    told = [
        UsageEvent("acme", event.metric, as_units(event.units), at(event.day, 12), id=str(i))
        for i, event in enumerate(events)
    ]
    grants = [
        drawn_grant(random, style, f"g{i}", since, until)
        for i in range(random.choice([0, 0, 1, 2, 4]))
    ]
    return Drawn(life, account, grants, told, until)


def drawn_start(
    random: Random, style: Style, plans: Mapping[str, Plan], since: int
) -> tuple[Life, Account]:
    """Draw the terms that an org starts with."""
    cycle = _cycle(random)
    limits = _limits(random, style.limited)
    plan = random.choice(list(plans))
    own = _own(random, tries=style.tries)
    account = Account("acme", plan, at(since), limits, cycle=cycle, **_told(own))
    return Life(plans, since, plan, cycle, limits, [], [], LEVELS, own), account


def with_entry(account: Account, entry: Entry) -> Account:
    """Return an account with an entry."""
    if entry.kind == "end":
        return account.ended(at=at(entry.day))
    if entry.kind == "cancel":
        return account.cancelled(since=at(entry.day))
    return account.changed(
        since=at(entry.day), plan=entry.plan, limits=entry.limits,
        drop_limits=entry.dropped, cycle=entry.cycle,
        counters=entry.counters,  # type: ignore[arg-type]
        drop_discounts=[name for name in entry.ended if name not in _BOUNDS],
        drop_bounds=[name for name in entry.ended if name in _BOUNDS],  # type: ignore[misc]
        **_told(entry.own),
    )  # fmt: skip


def _cycle(random: Random) -> Cycle:
    day = random.choice([1, 1, 15, 28, 31])
    return random.choice(
        [
            Cycle.monthly(),
            Cycle.monthly(day=day),
            Cycle.calendar("week"),
            Cycle.calendar("quarter"),
            Cycle(datetime(2023, 10, 31, tzinfo=UTC), every=2),
        ]
    )


def _own(random: Random, *, tries: bool) -> Own:
    """Draw terms of the org's own, which most orgs don't have."""
    rules = drawn_rules(random, 0.15)
    trial = random.random() < 0.5 if tries and random.random() < 0.3 else None
    return Own(tuple(rules.get("discounts", ())), rules.get("maximum"), rules.get("minimum"), trial)


def _told(own: Own) -> dict[str, Any]:
    """Return own terms as an account or an entry is told them."""
    named: dict[str, Any] = {name: getattr(own, name) for name in ("discounts", *_BOUNDS)}
    return named if own.trial is None else named | {"status": "trial" if own.trial else "active"}


def _limits(random: Random, metrics: Sequence[str]) -> dict[str, int | None]:
    return {
        metric: random.choice([None, 0, 3, 50, 1_000])
        for metric in metrics
        if random.random() < 0.2
    }


def drawn_entry(
    random: Random, style: Style, entries: Sequence[Entry], plans: Mapping[str, Plan],
    since: int, until: int,
) -> Entry:  # fmt: skip
    """Draw an entry, which may be dated back before those that were noted earlier."""
    day = random.randint(since, until)
    kind = random.choices(["change", "end", "cancel"], [8, 1.2, 0.8])[0]
    known = [entry.day for entry in entries if entry.kind != "cancel"]
    taken_back = [entry.day for entry in entries if entry.kind == "cancel"]
    if kind == "cancel":
        known = [d for d in known if d not in taken_back]
        if not known:
            kind = "end"
        else:
            return Entry(random.choice(known), kind="cancel")
    if kind == "end":
        return Entry(day, kind="end")
    limits = _limits(random, style.limited)
    dropped = tuple(m for m in style.limited if m not in limits and random.random() < 0.15)
    cycle = _cycle(random) if random.random() < 0.2 else None
    plan = random.choice(list(plans)) if random.random() < 0.7 else None
    own = _own(random, tries=style.tries)
    taken = {each.name for each in own.discounts}
    taken |= {name for name in _BOUNDS if getattr(own, name) is not None}
    others = [name for name in ("part", "voucher", *_BOUNDS) if name not in taken]
    ended = tuple(name for name in others if random.random() < 0.15)
    if not limits and not dropped and cycle is None and plan is None and own == Own():
        plan = next(iter(plans))
    counters = "continue" if style.goes_on and random.random() < 0.6 else None
    if counters is None and random.random() < 0.5:
        counters = "restart"
    return Entry(day, plan, limits, dropped, cycle, counters, own=own, ended=ended)


def _events(
    random: Random, life: Life, metrics: Sequence[str], since: int, until: int
) -> list[Event]:
    events = []
    levels: set[tuple[str, int]] = set()
    for _ in range(random.choice([0, 3, 10, 25, 40])):
        metric, day = random.choice(metrics), random.randint(since, until - 1)
        if life.terms_on(day) is None:
            continue
        if metric in LEVELS:
            if (metric, day) in levels:
                continue
            levels.add((metric, day))
        units = Fraction(random.choice([1, 2, 5, 7, 20, 60, 130, 400, 999]))
        if metric in LEVELS:
            units = Fraction(random.randint(0, 9))
        elif random.random() < 0.2:
            units /= 2
        events.append(Event(day, metric, units))
    return events


def drawn_grant(
    random: Random, style: Style, grant_id: str, since: int, until: int
) -> tuple[int, Grant]:
    """Draw a grant, some of them entered months after the day on which they begin."""
    start = random.randint(since - 20, until)
    ends: list[int | None] = [
        start + random.randint(1, 200) if random.random() < 0.5 else None,
        start + random.randint(0, 100) if random.random() < 0.15 else None,
    ]
    money = random.random() < 0.5
    metric = None if money and random.random() < 0.5 else random.choice(style.flows)
    amount: Any = random.choice([0, 10, 33, 500])
    if money:
        amount = Money(random.choice([100, 1_234, 50_000]), "USD")
    expires_at, voided_at = (None if end is None else at(end) for end in ends)
    grant = Grant(
        grant_id,
        amount,
        metric=metric,
        effective_at=at(start),
        expires_at=expires_at,
        voided_at=voided_at,
        priority=random.randint(0, 2),
        recurrence=Cycle.monthly(day=random.choice([1, 10])) if random.random() < 0.2 else None,
        created_at=at(start - random.randint(0, 9)) if random.random() < 0.3 else None,
    )
    return start + random.randint(0, 90) if random.random() < 0.3 else since, grant
