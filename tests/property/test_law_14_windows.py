"""Law 14: the charges of windows are what the bill rises by in them.

"The warning and the bill agree. What a check said that a request would cost is what its line then
says, if nothing else comes between; what was announced is computed from the same values that are
billed. A threshold fires once, however usage is split, retried or crashed over."

Each bill is worked out here by `calculate`, of the events before an instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final, NamedTuple

from hypothesis import example, given, strategies as st

from overages import (
    Account,
    Alert,
    Allowance,
    Budget,
    Cycle,
    Graduated,
    MemoryRepository,
    Money,
    OverageService,
    Package,
    Period,
    PerUnit,
    Plan,
    Threshold,
    Tier,
    Usage,
    UsageEvent,
    Volume,
    calculate,
)
from overages.prices.models import PriceModel
from tests.in_memory import in_memory

from .effort import many

JANUARY: Final = Period.month(2024, 1)
FEBRUARY: Final = Period.month(2024, 2)
DAY: Final = timedelta(days=1)
PRICES: Final[list[PriceModel]] = [
    PerUnit("0.37"),
    PerUnit("0.004"),  # which is rounded, so that a day may cost nothing
    Package("2.50", size=7),
    Graduated([Tier(9, "1.00"), Tier(30, "0.30"), Tier(None, "0.07")]),
    Volume([Tier(20, "1.00"), Tier(None, "0.40")]),
]
PLANS: Final = [  # earlier units make later ones cheaper, or dearer, or both in turn
    Plan(slug, "USD", {"runs": Allowance(5, price), "jobs": Allowance(0, PerUnit("0.2549"))})
    for slug, price in (("tiers", PRICES[3]), ("even", PerUnit("0.3749")), ("packs", PRICES[2]))
]
WINDOWS: Final = (
    Cycle.calendar("day"),
    Cycle.calendar("week"),
    Cycle.calendar("day", "Asia/Tokyo"),
    Cycle.calendar("month", "America/New_York"),
)


class Event(NamedTuple):
    """Units of a metric, some hours after the end of January."""

    hours: int
    metric: str
    quantity: int

    @property
    def at(self) -> datetime:
        return FEBRUARY.start + timedelta(hours=self.hours)


def events(least: int, most: int) -> st.SearchStrategy[list[Event]]:
    one = st.builds(
        Event, st.integers(least, most), st.sampled_from(["runs", "jobs"]), st.integers(0, 25)
    )
    return st.lists(one, max_size=8)


def bill(plan: Plan, used: Sequence[Event], period: Period, before: datetime) -> int:
    """Return what a month costs, in minor units, by the events before an instant."""
    quantities = {"runs": 0, "jobs": 0}
    for event in used:
        if event.at in period and event.at < before:
            quantities[event.metric] += event.quantity
    return calculate(plan, Usage("acme", period, quantities), ended=False).total.minor


def charges(plan: Plan, used: Sequence[Event], window: Period, *, signed: bool = False) -> int:
    """Return what the bills of January and February rise by in a window."""
    rise = sum(
        bill(plan, used, month, window.end) - bill(plan, used, month, window.start)
        for month in (JANUARY, FEBRUARY)
    )
    return rise if signed else max(0, rise)


def service_on(repository: Any, plan: Plan, clock: Any) -> OverageService:
    repository.put_plan(plan)
    repository.put_account(Account("acme", plan.slug, since=JANUARY.start))
    return OverageService(repository, clock=clock)


def usage_events(used: Sequence[Event]) -> list[UsageEvent]:
    return [UsageEvent("acme", e.metric, e.quantity, e.at, f"e{i}") for i, e in enumerate(used)]


@example(PRICES[3], WINDOWS[1], [Event(-30, "runs", 20), Event(5, "runs", 20)], 20, 0)
@example(PRICES[0], WINDOWS[0], [Event(70, "runs", 20), Event(73, "runs", 20)], 9, 8)
@many
@given(
    st.sampled_from(PRICES),
    st.sampled_from(WINDOWS),
    events(-80, 90),
    st.integers(0, 30),
    st.integers(0, 9),
)
def test_law_14_a_decision_never_grants_more_than_is_left_of_a_window(
    price: PriceModel, cycle: Cycle, used: list[Event], asked: int, held: int
) -> None:
    plan = Plan("p", "USD", {"runs": Allowance(5, price), "jobs": Allowance(0, PerUnit("0.25"))})
    now = FEBRUARY.start + timedelta(hours=71)
    with in_memory() as repository:
        service = service_on(repository, plan, lambda: now)
        service.record_usage(usage_events(used))
        window = cycle.period_at(now)
        budget = Budget(Money.of("4.00", "USD"), on_reached="stop_usage", window=cycle)
        before = charges(plan, used, window)
        standing = service.put_budget("acme", budget)
        assert standing.used == Money(before, "USD")
        assert standing.resets_at == window.end
        own: list[Event] = [*used]
        if held and service.decide("acme", {"runs": held}).verdict == "allow":
            service.reserve("acme", {"runs": held}, key="h", expires_at=now + DAY)
            own.append(Event(71, "runs", held))
        decision = service.decide("acme", {"runs": asked}, on_passing="clamp")
        granted = decision.granted["runs"]

        def after(more: int) -> int:
            """Return the charges with more units: no less than nothing, and as the bill rises."""
            more_of_it = [*own, Event(71, "runs", more)]
            rise = charges(plan, more_of_it, window, signed=True)
            return rise - min(0, charges(plan, own, window, signed=True))

        assert after(int(granted)) <= max(400, after(0))
        if granted < asked:
            assert after(int(granted) + 1) > max(400, after(0))
        (limit,) = (each for each in decision.limits if each.kind == "budget")
        assert limit.remaining == Money(max(0, 400 - after(0)), "USD")
        service.record_usage([UsageEvent("acme", "runs", granted, now, "granted")])
        everything = [*used, Event(71, "runs", int(granted))]
        assert service.budgets("acme")[0].used == Money(charges(plan, everything, window), "USD")


@many
@given(st.sampled_from(PRICES), st.sampled_from(WINDOWS[:3]), events(0, 28 * 24))
def test_law_14_the_charges_of_all_windows_are_the_bill(
    price: PriceModel, cycle: Cycle, used: list[Event]
) -> None:
    plan = Plan("p", "USD", {"runs": Allowance(5, price), "jobs": Allowance(0, PerUnit("0.25"))})
    now = [FEBRUARY.end]
    service = service_on(MemoryRepository(), plan, lambda: now[0])
    service.record_usage(usage_events(used))
    service.put_budget("acme", Budget(Money(1, "USD"), window=cycle))
    total = fallen = 0
    for window in cycle.periods_from(FEBRUARY.start):
        if window.start >= FEBRUARY.end:
            break
        now[0] = max(FEBRUARY.start, window.start)
        total += service.budgets("acme")[0].used.minor  # type: ignore[union-attr]
        fallen += charges(plan, used, window) - charges(plan, used, window, signed=True)
    statement = service.calculate("acme", FEBRUARY)
    assert statement is not None
    assert total - fallen == statement.total.minor


ALERTS: Final = (
    Alert("most", Threshold(percent=80), budget="all-day"),
    Alert("each", Threshold(cost=Money(500, "USD"), repeat=True), budget="all-day"),
)
DAYS: Final = [Period(FEBRUARY.start + n * DAY, FEBRUARY.start + (n + 1) * DAY) for n in range(11)]
NOON: Final = DAYS[9].start + DAY / 2
Entry = tuple[str, int, datetime, str, int]


def expected(plan: Plan, used: Sequence[Event]) -> list[Entry]:
    """Say what fires as events come one by one, on their own days and on those not over."""
    entries: list[Entry] = []
    numbers = dict.fromkeys(DAYS, 0)
    for count in range(1, len(used) + 1):
        for day, before in numbers.items():
            if used[count - 1].at not in day and day.end <= NOON:
                continue
            number = charges(plan, used[:count], day)
            for name, steps in (("most", [800]), ("each", range(500, 40_00, 500))):
                for place, level in enumerate(steps, 1):
                    if (number >= level) != (before >= level):
                        state = "reached" if number >= level else "cleared"
                        entries.append((name, place, day.start, state, number))
            numbers[day] = number
    return sorted(entries)


@example(PLANS[0], [Event(220, "runs", 25), Event(3, "runs", 25), Event(3, "jobs", 9)], [])
@example(PLANS[0], [Event(220, "runs", 25), Event(221, "runs", 25), Event(3, "runs", 25)], [2])
@example(PLANS[1], [Event(220, "runs", 25), Event(3, "runs", 4), Event(3, "runs", 1)], [1])
@many
@given(st.sampled_from(PLANS), events(0, 250), st.lists(st.integers(1, 5), max_size=5))
def test_law_14_alerts_of_windows_are_the_same_over_any_split(
    plan: Plan, used: list[Event], sizes: list[int]
) -> None:
    repository = MemoryRepository()
    service = service_on(repository, plan, lambda: NOON)
    repository.put_budget("acme", Budget(Money.of("10.00", "USD"), window=Cycle.calendar("day")))
    for alert in ALERTS:
        repository.put_alert(alert, put_at=FEBRUARY.start)
    made, starts = usage_events(used), [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    for start, end in pairwise([*starts, len(made) + starts[-1]]):
        service.record_usage(made[start:end])
    fired = [
        (each.definition.alert.id, each.step, each.period.start, each.state, each.used.minor)  # type: ignore[union-attr]
        for each in service.alerts("acme", silent=True)
    ]
    assert sorted(fired) == expected(plan, used)
