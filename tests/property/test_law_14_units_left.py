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
    )


used = st.lists(st.tuples(st.integers(0, 50), st.integers(-5, 30)), max_size=8)


@many
@example(
    [Grant("a", 100, metric="runs", effective_at=day(0), recurrence=CYCLES[2])], [(29, 100)], 30
)
@example([Grant("a", 100, metric="runs", effective_at=day(0), expires_at=day(31))], [(9, 60)], 10)
@given(st.tuples(grants("a"), grants("b")).map(list), used, st.integers(0, 58))
def test_law_14_units_that_are_left_can_be_used_and_no_more(
    granted: list[Grant], used: list[tuple[int, int]], now: int
) -> None:
    repository = MemoryRepository()
    repository.put_plan(PLAN)
    repository.put_account(Account("acme", "starter", since=JANUARY.start))
    for grant in granted:
        repository.put_grant("acme", grant)
    service = OverageService(repository, clock=lambda: day(now))
    period = JANUARY if now < 31 else FEBRUARY
    own = [(at, units) for at, units in used if at <= now]
    for month in (JANUARY, FEBRUARY):
        if sum(units for at, units in own if day(at) in month) < 0:
            return  # it has no bill
    service.record_usage(UsageEvent("acme", "runs", units, day(at)) for at, units in own)
    service.put_alert(Alert("most", Threshold(percent=80), metric="runs"))

    usage = service.usage_now("acme")
    assert usage is not None
    if usage.limits["runs"].over:  # it was used while no grant was there for it
        return
    told = service.decide("acme", {"runs": 0}, stop_at=["limit"])
    left = next(each.remaining for each in told.limits if each.kind == "included")
    assert isinstance(left, int)
    fits, over = (service.decide("acme", {"runs": n}, stop_at=["limit"]) for n in (left, left + 1))
    assert (fits.verdict, over.verdict) == ("allow", "deny")
    (reading,) = service.alert_readings("acme")
    assert reading.period == period
    assert usage.limits["runs"].remaining == left
