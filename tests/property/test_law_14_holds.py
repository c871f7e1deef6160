"""Law 14: what is held is counted as the usage that it becomes.

"The warning and the bill agree. What a check said that a request would cost is what its line then
says, if nothing else comes between; what was announced is computed from the same values that are
billed."

So committing all that is held, in any order, leaves each limit with what was left of it.

Holds are made in two months and before and after a change of plan, under terms that go on from one
period to the next: an allowance of the year, units that are carried over, grants.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import given, strategies as st

from overages import (
    Account,
    Allowance,
    Budget,
    CarryOver,
    Cycle,
    Grant,
    MemoryRepository,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    StandingLimit,
)
from overages.terms.change import Counters

from .effort import many

JANUARY, FEBRUARY = Period.month(2024, 1), Period.month(2024, 2)
CHANGE: Final = FEBRUARY.start + timedelta(days=12)
NOW: Final = FEBRUARY.start + timedelta(days=20)
UNTIL: Final = FEBRUARY.end

lasting = st.sampled_from(
    [{}, {"included_for": Cycle.calendar("year")}, {"carry_over": CarryOver(expires_after=2)}]
)
continued: st.SearchStrategy[Counters] = st.sampled_from(["restart", "continue"])
instants = st.sampled_from(
    [JANUARY.end - timedelta(hours=1), FEBRUARY.start, CHANGE - timedelta(hours=1), CHANGE]
)


@st.composite
def plans(draw: st.DrawFn, slug: str, named: dict[str, Any]) -> Plan:
    if "included_for" not in named:
        named = {**named, "hard_limit": draw(st.none() | st.integers(60, 200))}
    allowance = Allowance(draw(st.integers(0, 60)), PerUnit(draw(st.integers(0, 3))), **named)
    metrics = {"a": allowance, "b": Allowance(0, PerUnit(1))}
    return Plan(slug, "USD", {"a": allowance} if draw(st.booleans()) else metrics)


@st.composite
def grants(draw: st.DrawFn) -> list[Grant]:
    since = draw(st.sampled_from([JANUARY.start, FEBRUARY.start + timedelta(days=3)]))
    made = [
        Grant("units", draw(st.integers(1, 60)), metric="a", effective_at=since),
        Grant("money", Money(draw(st.integers(1, 9_000)), "USD"), effective_at=since),
    ]
    return [each for each in made if draw(st.booleans())]


def left(limits: tuple[StandingLimit, ...]) -> list[tuple[Any, ...]]:
    return [(each.kind, each.name, each.metric, each.remaining) for each in limits]


@many
@given(st.data(), lasting)
def test_law_14_committing_what_is_held_leaves_each_limit_with_what_was_left(
    data: st.DataObject, named: dict[str, Any]
) -> None:
    now: list[datetime] = [JANUARY.start]
    repository = MemoryRepository()
    service = OverageService(repository, clock=lambda: now[0])
    for slug in ("p", "q"):
        repository.put_plan(data.draw(plans(slug, named)))
    counters: Counters = "restart" if named else data.draw(continued)
    account = Account("acme", "p", since=JANUARY.start)
    if data.draw(st.booleans()):
        account = account.changed(since=CHANGE, plan="q", counters=counters)
    repository.put_account(account)
    for grant in data.draw(grants()):
        repository.put_grant("acme", grant)
    service.put_budget("acme", Budget(Money.of(60, "USD"), on_reached="stop_usage"))
    keys: list[str] = []
    for at in sorted(data.draw(st.lists(instants, min_size=1, max_size=4))):
        now[0] = at
        requested = {metric: data.draw(st.integers(0, 50)) for metric in ("a", "b")}
        known = {
            m: n for m, n in requested.items() if service.decide("acme", {m: 0}).verdict == "allow"
        }
        key = f"r-{len(keys)}"
        decision = service.decide("acme", known, on_passing="clamp")
        if decision.verdict != "deny":
            service.reserve("acme", known, key=key, expires_at=UNTIL, on_passing="clamp")
            keys.append(key)
    now[0] = NOW
    before = service.decide("acme", {"a": 0}, stop_at=["limit"])
    for key in data.draw(st.permutations(keys)):
        service.commit("acme", key)
        after = service.decide("acme", {"a": 0}, stop_at=["limit"])
        assert left(after.limits) == left(before.limits)
