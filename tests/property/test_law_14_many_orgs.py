"""Law 14: alerts of orgs whose usage is kept together are those of each event that comes alone.

"The warning and the bill agree. What a check said that a request would cost is what its line then
says, if nothing else comes between; what was announced is computed from the same values that are
billed. A threshold fires once, however usage is split, retried or crashed over."
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from hypothesis import example, given, strategies as st

from overages import (
    Account,
    Alert,
    Allowance,
    Budget,
    CarryOver,
    Cycle,
    Grant,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Threshold,
    Tier,
    UsageEvent,
    Volume,
)
from overages.alerts.fired_alert import FiredAlert

from .effort import many
from .repositories import Made, Make, on_each

JANUARY: Final = Period.month(2024, 1)
FEBRUARY: Final = Period.month(2024, 2)
DAY: Final = timedelta(days=1)
NOW: Final = FEBRUARY.start + 20 * DAY
LEVEL: Final = Volume([Tier(60, "1.00"), Tier(None, "0.50")])
PLANS: Final = {
    "flat": Allowance(50, PerUnit("1.00")),
    "carried": Allowance(20, PerUnit("1.00"), carry_over=CarryOver(expires_after=1)),
    "volume": Allowance(10, LEVEL),
    "budgeted": Allowance(10, PerUnit("0.30")),
    "granted": Allowance(5, PerUnit("0.30")),
}
"""The allowance of each org's plan, by the name of both."""

ALERTS: Final = (
    Alert("most", Threshold(percent=80), metric="runs", rearm=60),
    Alert("last", Threshold(quantity=5, of="remaining"), metric="runs"),
    Alert("over", Threshold(quantity=20, of="overage", repeat=True), metric="runs"),
    Alert("spend", Threshold(cost=Money(1000, "USD"), repeat=True)),
)


class Event(NamedTuple):
    """Units that an org uses on a day, counted from the start of January."""

    org: str
    day: int
    units: int


orgs = st.sampled_from([*PLANS])
growing = st.builds(Event, orgs, st.integers(0, 52), st.integers(0, 40))
any_events = st.builds(Event, orgs, st.integers(0, 52), st.integers(-20, 40))


def service_on(repository: Made) -> OverageService:
    service = OverageService(repository, clock=lambda: NOW)
    for org, allowance in PLANS.items():
        repository.put_plan(Plan(org, "USD", {"runs": allowance}))
        repository.put_account(Account(org, org, since=JANUARY.start))
    for alert in ALERTS:
        repository.put_alert(alert, put_at=JANUARY.start)
    daily = Budget(Money(300, "USD"), id="daily", window=Cycle.calendar("day"))
    repository.put_budget("budgeted", daily)
    pack = Grant("pack", 30, metric="runs", effective_at=JANUARY.start)
    repository.put_grant("granted", pack)
    of_day = Alert("day", Threshold(percent=90), budget="daily")
    of_pack = Alert("pack", Threshold(percent=75), grant="pack")
    repository.put_alert(of_day, org_id="budgeted", put_at=JANUARY.start)
    repository.put_alert(of_pack, org_id="granted", put_at=JANUARY.start)
    return service


def told(make: Make, usage: Sequence[Event], sizes: Sequence[int]) -> dict[str, list[FiredAlert]]:
    """Return what fires by usage that comes in batches of some sizes, the rest in one."""
    events = [
        UsageEvent(each.org, "runs", each.units, JANUARY.start + each.day * DAY, f"e{number}")
        for number, each in enumerate(usage)
    ]
    with make() as repository:
        service = service_on(repository)
        for size in sizes:
            service.record_usage(events[:size])
            events = events[size:]
        service.record_usage(events)
        return {org: sorted(service.alerts(org, silent=True), key=by_step) for org in PLANS}


def by_step(fired: FiredAlert) -> tuple[str, Period, int, int]:
    return fired.definition.alert.id, fired.period, fired.step, fired.number


@on_each
@example(
    [Event("flat", 40, 30), Event("flat", 41, 15), Event("volume", 41, 5), Event("flat", 42, 3)], []
)
@example([Event("carried", 40, 12), Event("carried", 1, 20), Event("carried", 41, 1)], [])
@many
@given(
    st.lists(growing, max_size=16) | st.lists(any_events, max_size=16),
    st.lists(st.integers(1, 6), max_size=4),
)
def test_law_14_orgs_that_are_kept_together_are_told_of_as_each_event_alone(
    make: Make, usage: list[Event], sizes: list[int]
) -> None:
    assert told(make, usage, sizes) == told(make, usage, [1] * len(usage))
