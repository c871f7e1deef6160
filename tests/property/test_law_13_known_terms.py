"""Law 13: there is one way.

"The same terms and events give the same statement by the pure functions, by the service over every
repository, by the command line, and in columns. No rule has two implementations."

A service knows the terms that its last decision on an org found, and looks for them anew where
something else was agreed since. Whatever is agreed, used or held in between, by it or by others,
its decision is that of a service that knows nothing yet, field by field, and so is its error.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
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
    Metric,
    Money,
    OverageService,
    PerUnit,
    Plan,
    Repository,
    Rounding,
    UsageEvent,
)
from overages.errors import OveragesError
from tests.in_memory import in_memory

from .effort import many
from .terms import FEBRUARY

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
NOON: Final = FEBRUARY.start + 9 * DAY + timedelta(hours=12)
CALLS: Final = Allowance(None, PerUnit("0.001"))
ALLOWANCES: Final = [
    Allowance(10, PerUnit("0.50"), hard_limit=30),
    Allowance(20, PerUnit("0.25"), hard_limit_percent=150),
    Allowance("7.5", PerUnit("0.333")),
    Allowance(5, PerUnit(1), carry_over=CarryOver()),
]
FEE, DOWN = Money(500, "USD"), Rounding.DOWN
PLANS: Final = [
    *(Plan("p", "USD", {"a": each, "b": CALLS}, rounding=DOWN) for each in ALLOWANCES),
    Plan("p", "USD", {"a": ALLOWANCES[0]}, base_fee=FEE),
]
OTHER: Final = Plan("q", "USD", {"a": Allowance(0, PerUnit(2)), "c": CALLS})
BUDGETS: Final = [
    Budget(Money(400, "USD"), on_reached="stop_usage"),
    Budget(12, metric="a", id="units", on_reached="stop_usage"),
    Budget(5, metric="a", id="day", on_reached="stop_usage", window=Cycle.calendar("day")),
]

units = st.integers(0, 9) | st.sampled_from(["0.5", "2.25"])
whens = st.sampled_from([FEBRUARY.start, NOON, NOON + DAY, FEBRUARY.end])


class Hosts:
    """Two services on one repository, of which one is made anew for each decision."""

    def __init__(self, repository: Repository) -> None:
        self.repository, self.now, self.keys = repository, NOON, 0
        self.service = OverageService(repository, clock=lambda: self.now)
        repository.put_plan(PLANS[0])
        repository.put_plan(OTHER)
        repository.put_account(Account("acme", "p", FEBRUARY.start))

    def both(self, requested: Any, named: Any) -> None:
        anew = OverageService(self.repository, clock=lambda: self.now)
        outcomes = [told(each, requested, named) for each in (self.service, anew)]
        assert outcomes[0] == outcomes[1]

    def change(self, **terms: Any) -> None:
        account = self.repository.account("acme")
        assert account is not None
        self.repository.put_account(account.changed(**terms))

    def step(self, data: st.DataObject) -> None:
        """Agree on something, use or hold something, or let time go by."""
        draw, kept = data.draw, self.repository
        match draw(st.integers(0, 12)):
            case 0 | 1 | 2:
                event = UsageEvent("acme", draw(st.sampled_from("aabc")), draw(units), self.now)
                self.service.record_usage([event])
            case 3 | 4:
                self.keys += 1
                ends = self.now + draw(st.integers(1, 50)) * MINUTE
                requested = {draw(st.sampled_from("ab")): draw(units)}
                self.service.reserve("acme", requested, key=f"k-{self.keys}", expires_at=ends)
            case 5:
                self.now += draw(st.sampled_from([MINUTE, 20 * MINUTE, DAY, 20 * DAY]))
            case 6:
                kept.put_plan(draw(st.sampled_from(PLANS)), since=draw(whens))
            case 7:
                self.change(since=draw(whens), limits={"a": draw(st.none() | units)})
            case 8:
                slug, version = draw(st.sampled_from("ppq")), draw(st.sampled_from([None, 1]))
                self.change(since=draw(whens), plan=slug, plan_version=version)
            case 9:
                kept.put_budget("acme", draw(st.sampled_from(BUDGETS)))
            case 10:
                kept.drop_budget("acme", draw(st.sampled_from(BUDGETS)).id)
            case 11 if draw(st.booleans()):
                kept.put_grant("acme", Grant("g", 4, metric="a", effective_at=FEBRUARY.start))
            case _ if draw(st.integers(0, 3)) == 0:
                kept.put_metric(Metric("c", "max", event="load"))
            case _:
                account = kept.account("acme")
                assert account is not None
                kept.put_account(account.ended(at=draw(whens)))


def told(service: OverageService, requested: Any, named: Any) -> object:
    """Return a decision, or the error in its place."""
    try:
        return service.decide("acme", requested, **named)
    except OveragesError as error:
        return type(error), str(error)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Any, Any]:
    named: dict[str, Any] = {"on_passing": draw(st.sampled_from(["reject", "clamp", "cross"]))}
    named["stop_at"] = draw(st.sampled_from([(), (), ("limit",), ("grants",)]))
    metrics = st.sampled_from(["a", "a", "b", "c"])
    return draw(st.dictionaries(metrics, units, min_size=1)), named


@many
@given(st.data(), st.sampled_from(["memory", "sqlite"]))
def test_law_13_a_decision_by_known_terms_is_that_of_a_service_that_knows_none(
    data: st.DataObject, kind: str
) -> None:
    opened: AbstractContextManager[Repository] = nullcontext(MemoryRepository())
    if kind == "sqlite":
        opened = in_memory()
    with opened as repository:
        hosts = Hosts(repository)
        for _ in range(data.draw(st.integers(1, 15))):
            hosts.both(*data.draw(requests()))
            with suppress(OveragesError):
                hosts.step(data)
        hosts.both(*data.draw(requests()))
