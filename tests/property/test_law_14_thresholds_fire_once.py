"""Law 14: thresholds fire once over any split, order of delivery, crash and retry.

"The warning and the bill agree. What a check said that a request would cost is what its line then
says, if nothing else comes between; what was announced is computed from the same values that are
billed. A threshold fires once, however usage is split, retried or crashed over."
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial
from itertools import pairwise
from operator import gt, le
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import example, given, strategies as st

from overages import (
    Account,
    Alert,
    Allowance,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Threshold,
    Usage,
    UsageEvent,
    calculate,
    crossings,
)

from .effort import many
from .repositories import Made, Make, on_each

FEB: Final = Period.month(2024, 2)
NOW: Final = datetime(2024, 2, 20, tzinfo=UTC)
PLAN: Final = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
ALERTS: Final = (
    Alert("half", Threshold(percent=50), metric="runs"),
    Alert("most", Threshold(percent=80), metric="runs", rearm=60),
    Alert("last", Threshold(quantity=5, of="remaining"), metric="runs", rearm=5),
    Alert("over", Threshold(quantity=1, of="overage"), metric="runs"),
    Alert("spend", Threshold(cost=Money(1000, "USD"), repeat=True), rearm=Money(500, "USD")),
)

Entry = tuple[str, int, str, Any, bool]
"""Alert, step, state, units or money used then, and whether nobody is told."""

growing = st.lists(st.integers(0, 30), min_size=1, max_size=10)
in_any_order = growing.flatmap(
    lambda quantities: st.tuples(st.just(quantities), st.permutations(range(len(quantities))))
)
any_quantities = st.lists(st.integers(-30, 40), min_size=1, max_size=10)
sizes = st.lists(st.integers(1, 5), max_size=10)


class Level(NamedTuple):
    """A step of an alert: when it is reached, and when it is far enough from that to be told of."""

    alert: str
    step: int
    reached: Callable[[Fraction], bool]
    far: Callable[[Fraction], bool]


def levels() -> Iterator[Level]:
    """Yield all levels that the alerts have, by the units used: of 50, each beyond costs 1.00."""
    yield Level("half", 1, lambda used: used >= 25, lambda _: False)
    yield Level("most", 1, lambda used: used >= 40, lambda used: used < 30)
    yield Level("last", 1, lambda used: used >= 45, lambda used: used < 45)
    yield Level("over", 1, lambda used: used >= 51, lambda _: False)
    for n in range(1, 50):
        yield Level("spend", n, partial(le, 50 + 10 * n), partial(gt, 45 + 10 * n))


def expected(quantities: Sequence[int]) -> list[Entry]:
    """Say what fires as events of some quantities come one by one, by a model of its own."""
    entries: list[Entry] = []
    used = 0
    reached: dict[Level, bool] = {}
    told: dict[Level, bool] = {}
    silent: dict[Level, bool] = {}
    every = list(levels())
    for quantity in quantities:
        used += quantity
        if used < 0:  # it can't be priced
            continue
        for level in every:
            number = Money(max(used - 50, 0) * 100, "USD") if level.alert == "spend" else used
            now = level.reached(Fraction(used))
            if now and not reached.get(level):
                silent[level] = told.get(level, False)
                told[level] = True
                entries.append((level.alert, level.step, "reached", number, silent[level]))
            if not now and reached.get(level):
                entries.append((level.alert, level.step, "cleared", number, silent[level]))
            if not now and told.get(level) and level.far(Fraction(used)):
                told[level] = False
                entries.append((level.alert, level.step, "rearmed", number, True))
            reached[level] = now
    return entries


def service_on(repository: Made) -> OverageService:
    repository.put_plan(PLAN)
    repository.put_account(Account("acme", "starter", since=FEB.start))
    for alert in ALERTS:
        repository.put_alert(alert, put_at=FEB.start)
    return OverageService(repository, clock=lambda: NOW)


def events_of(quantities: Sequence[int]) -> list[UsageEvent]:
    return [
        UsageEvent("acme", "runs", quantity, NOW, f"e{i}") for i, quantity in enumerate(quantities)
    ]


def batches(events: Sequence[UsageEvent], sizes: Sequence[int]) -> Iterator[Sequence[UsageEvent]]:
    """Yield events in batches of some sizes, and those that are left in a last one."""
    start = 0
    for size in sizes:
        yield events[start : start + size]
        start += size
    yield events[start:]


def fired(service: OverageService) -> list[Entry]:
    return [
        (each.definition.alert.id, each.step, each.state, each.used, each.is_silent)
        for each in reversed(service.alerts("acme", silent=True))
    ]


def by_alert(entries: Sequence[Entry]) -> dict[tuple[str, int], list[Entry]]:
    """Return entries by alert and step, each in its order."""
    own: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        own.setdefault(entry[:2], []).append(entry)
    return own


@on_each
@example([10, 20, 15, -20, 30], [2, 2])
@example([60, -40, 5, 40], [])
@example([-10, 50], [1])
@example([40, -11, 30], [3])
@many
@given(any_quantities, sizes)
def test_alerts_are_the_same_over_any_split(
    make: Make, quantities: list[int], sizes: list[int]
) -> None:
    with make() as repository:
        service = service_on(repository)
        for batch in batches(events_of(quantities), sizes):
            service.record_usage(batch)
        assert by_alert(fired(service)) == by_alert(expected(quantities))


class Crash(Exception):
    """The process is gone."""


@contextmanager
def crashing(repository: Made, at: int) -> Iterator[None]:
    """Crash at the n-th time that alerts are written within the block, if there is one."""
    left, keep = at, repository._keep_alerts

    def keep_or_crash(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        keep(*arguments)
        if left < 0:
            raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "_keep_alerts", keep_or_crash)
        yield


@on_each
@example([30, 15, 10, -20], [2], 0)
@example([30, 15, 10, -20], [2], 1)
@example([25, -26, 1, 25], [], 0)
@many
@given(any_quantities, sizes, st.integers(0, 4))
def test_alerts_are_the_same_over_crash_and_retry(
    make: Make, quantities: list[int], sizes: list[int], at: int
) -> None:
    with make() as repository:
        service = service_on(repository)
        for batch in batches(events_of(quantities), sizes):
            before = fired(service)
            try:
                with crashing(repository, at):
                    service.record_usage(batch)
            except Crash:
                assert fired(service) == before
            with suppress(Crash), repository.transaction():
                service.record_usage(batch)
                raise Crash  # just before it is kept
            for _ in range(2):
                service.record_usage(batch)
        assert by_alert(fired(service)) == by_alert(expected(quantities))


@on_each
@example(([30, 15, 10, 40], [3, 2, 1, 0]), [2])
@many
@given(in_any_order, sizes)
def test_each_threshold_fires_once_over_any_order_of_delivery(
    make: Make, delivered: tuple[list[int], list[int]], sizes: list[int]
) -> None:
    quantities, order = delivered
    with make() as repository:
        service = service_on(repository)
        events = events_of(quantities)
        for batch in batches([events[i] for i in order], sizes):
            service.record_usage(batch)
        told = [(alert, step) for alert, step, *_ in fired(service)]
        assert max(Counter(told).values(), default=1) == 1
        assert sorted(told) == sorted((alert, step) for alert, step, *_ in expected(quantities))


@on_each
@example([30, 15, 10, -20], [2])
@many
@given(any_quantities, sizes)
def test_what_is_announced_is_what_is_billed(
    make: Make, quantities: list[int], sizes: list[int]
) -> None:
    with make() as repository:
        service = service_on(repository)
        for batch in batches(events_of(quantities), sizes):
            service.record_usage(batch)
            if sum(quantities[: len(batch)]) < 0:
                return
        if sum(quantities) < 0:
            return
        statement = service.calculate("acme")
        assert statement is not None
        readings = {each.definition.alert.id: each for each in service.alert_readings("acme")}
        assert readings["spend"].used == statement.total
        assert (readings["half"].used, readings["half"].limit) == (statement["runs"].used, 50)
        standing = [entries[-1] for entries in by_alert(fired(service)).values()]
        steps = [
            step for alert, step, state, *_ in standing if (alert, state) == ("spend", "reached")
        ]
        assert max(steps, default=0) == statement.total.minor // 1000


@many
@given(st.lists(st.integers(0, 200), min_size=1, max_size=9))
def test_crossings_over_steps_are_those_at_once(numbers: list[int]) -> None:
    numbers.sort()
    thresholds = [alert.threshold for alert in ALERTS if alert.metric and alert.threshold]
    thresholds.append(Threshold(quantity=7, repeat=True))
    at_once = crossings(None, numbers[-1], 50, thresholds).reached
    steps = [
        crossing
        for before, after in pairwise([0, *numbers])
        for crossing in crossings(before, after, 50, thresholds).reached
    ]
    assert Counter(steps) == Counter(at_once)
    back = crossings(numbers[-1], 0, 50, thresholds).cleared
    assert Counter(back) == Counter(at_once)


@many
@given(st.integers(0, 300))
def test_a_cost_threshold_is_reached_where_the_bill_reaches_it(used: int) -> None:
    total = calculate(PLAN, Usage("acme", FEB, {"runs": used})).total
    threshold = Threshold(cost=Money(1000, "USD"), repeat=True)
    assert len(crossings(None, total, None, [threshold]).reached) == max(used - 50, 0) // 10
