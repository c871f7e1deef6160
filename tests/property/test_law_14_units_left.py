"""Law 14: as many units as are said to be left can be used without overage, and no more.

"The warning and the bill agree. What a check said that a request would cost is what its line then
says, if nothing else comes between; what was announced is computed from the same values that are
billed. A threshold fires once, however usage is split, retried or crashed over."
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hypothesis import example, given, strategies as st

from overages import (
    Account,
    Alert,
    Allowance,
    Cycle,
    Grant,
    MemoryRepository,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Threshold,
    Usage,
    UsageEvent,
)

from .effort import many

JANUARY: Final = Period.month(2024, 1)
FEBRUARY: Final = Period.month(2024, 2)
DAY: Final = timedelta(days=1)
PLAN: Final = Plan("starter", "USD", {"runs": Allowance(20, PerUnit("1.00"))})
CYCLES: Final = [
    Cycle.calendar("day"),
    Cycle.calendar("week"),
    Cycle.calendar("month"),
    Cycle(datetime.fromisoformat("2024-01-17T00:00:00+00:00")),
]


def day(number: int) -> datetime:
    """Return a day, counted from the start of January."""
    return JANUARY.start + number * DAY


@st.composite
def grants(draw: st.DrawFn, name: str) -> Grant:
    since = draw(st.integers(0, 45))
    ends = draw(st.none() | st.integers(since + 1, 75))
    cycle = draw(st.none() | st.sampled_from(CYCLES))
    return Grant(
        name,
        draw(st.integers(1, 40)),
        metric="runs",
        priority=draw(st.integers(0, 1)),
        effective_at=day(since),
        expires_at=None if ends is None else day(ends),
        recurrence=cycle,
        refill_keeps=0 if cycle is None else draw(st.sampled_from([0, 5, None])),
        step=draw(st.none() | st.sampled_from([3, 10])),
    )


used = st.lists(st.tuples(st.integers(0, 50), st.integers(-5, 30)), max_size=8)


def service_at(
    now: int, granted: list[Grant], used: list[tuple[int, int]], put: int
) -> OverageService:
    """Return a service on a day, with usage of days up to it, units put for its month beside."""
    repository = MemoryRepository()
    repository.put_plan(PLAN)
    repository.put_account(Account("acme", "starter", since=JANUARY.start))
    for grant in granted:
        repository.put_grant("acme", grant)
    service = OverageService(repository, clock=lambda: day(now) + DAY / 2)
    service.put_alert(Alert("most", Threshold(percent=80), metric="runs"))
    service.record_usage(UsageEvent("acme", "runs", units, day(at) + DAY / 4) for at, units in used)
    if put:
        repository.put_usage(Usage("acme", JANUARY if now < 31 else FEBRUARY, {"runs": put}))
    return service


def left_of(service: OverageService) -> int:
    """Return the units that are left, of which a decision, alerts and usage say the same."""
    told = service.decide("acme", {"runs": 0}, stop_at=["limit"])
    left = next(each.remaining for each in told.limits if each.kind == "included")
    usage = service.usage_now("acme")
    (reading,) = service.alert_readings("acme")
    assert usage is not None
    now = usage.limits["runs"]
    assert (now.remaining, now.used, now.limit) == (left, reading.used, reading.limit)
    assert isinstance(left, int)
    return left


def verdict(service: OverageService, units: int) -> str:
    return service.decide("acme", {"runs": units}, stop_at=["limit"]).verdict


def has_bills(used: list[tuple[int, int]]) -> bool:
    months = (JANUARY, FEBRUARY)
    return all(sum(units for at, units in used if day(at) in month) >= 0 for month in months)


two_grants = st.tuples(grants("a"), grants("b")).map(list)


@many
@example(
    [Grant("a", 100, metric="runs", effective_at=day(0), recurrence=CYCLES[2])], [(29, 100)], 30
)
@example([Grant("a", 100, metric="runs", effective_at=day(0), expires_at=day(31))], [(9, 60)], 10)
@example([Grant("a", 10, metric="runs", effective_at=day(10))], [(9, 60)], 10)
@given(two_grants, used, st.integers(0, 58))
def test_law_14_units_that_are_left_can_be_used_and_no_more(
    granted: list[Grant], used: list[tuple[int, int]], now: int
) -> None:
    own = [(at, units) for at, units in used if at <= now]
    if has_bills(own):
        service = service_at(now, granted, own, 0)
        left = left_of(service)
        assert (verdict(service, left), verdict(service, left + 1)) == ("allow", "deny")


@many
@example([Grant("a", 10, metric="runs", effective_at=day(0), recurrence=CYCLES[1])], [], 9, 30)
@example([Grant("a", 10, metric="runs", effective_at=day(0), expires_at=day(10))], [(10, 15)], 9, 0)
@example([Grant("a", 33, metric="runs", effective_at=day(0), step=10)], [(9, 20)], 10, 15)
@given(two_grants, used, st.integers(0, 58), st.integers(0, 40))
def test_law_14_units_that_are_left_can_be_used_beside_those_without_an_instant(
    granted: list[Grant], used: list[tuple[int, int]], now: int, put: int
) -> None:
    own = [(at, units) for at, units in used if at <= now + 1]  # some of them dated ahead
    if has_bills(own):
        service = service_at(now, granted, own, put)
        assert verdict(service, left_of(service)) == "allow"
