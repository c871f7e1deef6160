"""Projection: forecasts are as they are defined, know nothing of later, and are billed as usage is.

The oracle is `forecast_model`, in fractions.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from overages import (
    Account,
    MemoryRepository,
    OverageService,
    Period,
    Plan,
    Statement,
    UsageEvent,
    evolve,
)
from overages.amounts.exact import SCALE, scaled, unscaled
from overages.bookkeeping.usage_reader import UsageReader
from overages.errors import OveragesError
from overages.forecasts.backtest import backtest, bounds_of, typical_units
from overages.forecasts.daily_usage import DailyUsage, days_of
from overages.forecasts.forecast import MetricDays, forecast
from overages.forecasts.methods import METHODS, METHODS_OF, UsageKind
from overages.forecasts.usage_days import usage_days
from overages.insight.outlook import DayAhead, UnitsAhead
from overages.testing import strategies as values
from overages.usage.divided_usage import usage_of
from overages.usage.routing import Routes

from . import forecast_model as model
from .effort import few, many
from .test_law_10_usage_in_time import METRICS, START, Told, kept, told

FLOW = METHODS_OF["flow"]
SINCE = datetime(2024, 1, 1, tzinfo=UTC)

units = st.integers(0, 20) | st.integers(0, 10**15) | st.just(0)


@st.composite
def pasts(draw: st.DrawFn) -> tuple[list[DailyUsage], DailyUsage]:
    """Draw up to eight periods of a few days, and one of which some days are left."""
    day, periods = date(2024, 1, draw(st.integers(1, 7))), []
    for _ in range(draw(st.integers(0, 8)) + 1):
        length = draw(st.integers(1, 4) | st.integers(7, 10))
        dates = tuple(day + timedelta(n) for n in range(length))
        picos = draw(st.lists(units, min_size=length, max_size=length))
        periods.append(DailyUsage(dates, tuple(picos), draw(st.booleans() | st.just(True))))
        day = dates[-1] + timedelta(1)
    *before, last = periods
    return before, last.until(draw(st.integers(0, len(last.dates) - 1)))


def modelled(periods: list[DailyUsage]) -> list[model.Past]:
    return [model.Past(days(period), period.is_whole) for period in periods]


def days(period: DailyUsage) -> model.Days:
    return [(day.weekday(), picos) for day, picos in zip(period.dates, period.picos, strict=False)]


@many
@given(pasts())
def test_each_method_says_what_its_definition_says(
    drawn: tuple[list[DailyUsage], DailyUsage],
) -> None:
    before, current = drawn
    left = [day.weekday() for day in current.dates[len(current.picos) :]]
    for method in FLOW:
        expected = model.said(method, modelled(before), days(current), left)
        assert METHODS[method](before, current) == expected


@many
@given(pasts())
def test_the_backtest_its_choice_and_its_bounds_are_as_defined(
    drawn: tuple[list[DailyUsage], DailyUsage],
) -> None:
    before, current = drawn
    tested = backtest(before, len(current.picos), FLOW)
    tried = model.trials(modelled(before), len(current.picos))
    assert [tuple(trial) for trial in tested.trials] == tried
    assert typical_units(before) == model.typical(modelled(before))
    for place, trial in enumerate(tested.trials):
        earlier = tested._replace(trials=tested.trials[:place])
        method = earlier.choice(trial.forecasts)
        assert method == model.choice(tried[:place], list(trial.forecasts))
        if method is not None:
            bounds = earlier.bounds(method)
            assert (bounds and bounds[:2]) == model.bounds(tried[:place], method)


@many
@given(pasts(), st.data())
def test_what_came_later_changes_no_trial(
    drawn: tuple[list[DailyUsage], DailyUsage], data: st.DataObject
) -> None:
    before, current = drawn
    trials = backtest(before, len(current.picos), FLOW).trials
    count = data.draw(st.integers(0, len(before)))
    earlier = backtest(before[:count], len(current.picos), FLOW).trials
    assert earlier == trials[: len(earlier)]
    assert len(earlier) == sum(period.is_whole for period in before[:count])


@many
@given(st.lists(st.fractions(), min_size=4, max_size=45, unique=True))
def test_bounds_hold_for_just_as_many_as_they_aim_at(residuals: list[Fraction]) -> None:
    """Each residual is once the next one after all the others, in whatever order they came."""
    within, aims = 0, set()
    for place, residual in enumerate(residuals):
        bounds = bounds_of(residuals[:place] + residuals[place + 1 :])
        assert bounds is not None
        within += bounds.low < residual < bounds.high
        aims.add(bounds.aim)
    assert aims == {Fraction(within, len(residuals))}
    assert aims <= {Fraction(1, 2), Fraction(3, 5), Fraction(2, 3)} or min(aims) >= Fraction(5, 7)


@many
@given(
    pasts(), st.sampled_from(["flow", "unique", "peak", "level"]), units, st.sampled_from([1, 7])
)
def test_low_expected_and_high_are_in_order_and_only_a_level_falls(
    drawn: tuple[list[DailyUsage], DailyUsage], kind: UsageKind, today: int, step: int
) -> None:
    before, current = drawn
    used = current.total + today
    ends = forecast(MetricDays(kind, used, current, tuple(before), step))
    assert (ends.expected is None) <= (ends.low is None) == (ends.high is None)
    told_ends = [end for end in (ends.low, ends.expected, ends.high) if end is not None]
    assert all(low <= high for low, high in pairwise(told_ends))
    assert all(end >= (0 if kind == "level" else used) for end in told_ends)
    assert all(end % step == 0 or end == used for end in told_ends)
    if kind in ("peak", "level"):
        assert ends.expected in (used, round_half_up(used, step))
    assert (ends.reason is None) == (ends.low is not None)


def round_half_up(used: int, step: int) -> int:
    return (2 * used + step) // (2 * step) * step


@many
@given(pasts(), st.integers(1, 40))
def test_a_stretched_period_has_the_same_daily_mean(
    drawn: tuple[list[DailyUsage], DailyUsage], length: int
) -> None:
    for period in drawn[0]:
        picos = period.stretched(length)
        assert len(picos) == length
        assert sum(picos) == period.total * length // len(period.dates)


@many
@given(
    st.integers(-(10**15), 10**15),
    st.lists(units, min_size=1, max_size=9),
    st.sampled_from([1, SCALE // 10, 3]),
    st.lists(st.integers(0, 9 * 24), max_size=5),
)
def test_the_times_of_a_period_have_the_units_of_all_of_it(
    more: int, picos: list[int], step: int, hours: list[int]
) -> None:
    times = [Period(START + timedelta(n), START + timedelta(n + 1)) for n in range(len(picos))]
    ahead = [DayAhead(time, Fraction(each)) for time, each in zip(times, picos, strict=True)]
    to_come = UnitsAhead(more, more, tuple(ahead), step)
    cuts = sorted({min(START + timedelta(hours=hour), times[-1].end) for hour in hours})
    bounds = sorted({times[0].start, *cuts, times[-1].end})
    parts = [to_come.within(Period(*ends), 0, START) for ends in pairwise(bounds)]
    assert sum(parts) == sum(to_come.by_day()) == more
    assert all((part >= 0) == (more >= 0) for part in parts if part)
    assert [to_come.within(time, 5, START) - 5 for time in times] == to_come.by_day()


@many
@given(told(), st.integers(1, 9))
def test_the_days_of_a_period_sum_to_the_usage_of_its_bill(events: list[Told], size: int) -> None:
    repository, routes = MemoryRepository(), Routes(METRICS)
    kept(repository, events, size)
    period = Period(START + timedelta(1), START + timedelta(4))
    reader, parts = UsageReader(repository, "org-1", routes), days_of(period, "UTC")
    counts = reader.counts([period.start, *(day.end for day in parts)])
    of_days = usage_days("org-1", parts, 3, routes, counts)
    quantities = usage_of(events, "org-1", period, routes).quantities
    for metric in {*quantities, *of_days.picos}:
        assert sum(of_days.of(metric)) == scaled(quantities.get(metric, 0))
    for over in (1, 2):  # as the usage stood then
        known = [each for each in events if each[1] < parts[over - 1].end]
        stood = usage_of(known, "org-1", period, routes).quantities
        for metric in {*stood, *of_days.picos}:
            assert sum(of_days.of(metric)[:over]) == scaled(stood.get(metric, 0))


# Billed as usage is


@st.composite
def lives(draw: st.DrawFn) -> tuple[MemoryRepository, Plan, datetime]:
    """Draw a plan of flows, usage of it from January on, and an instant in March."""
    plan = draw(values.plans(currencies=st.just("USD")))
    assume(plan.allowances)
    flows = {
        metric: evolve(each, kind="flow", included_per=None, included_for=None, increment=1)
        for metric, each in plan.allowances.items()
    }
    plan = evolve(plan, allowances=flows)
    repository = MemoryRepository()
    repository.put_plan(plan)
    repository.put_account(Account("acme", plan.slug, SINCE))
    instant = datetime(
        2024, 3, draw(st.integers(1, 31)), draw(st.sampled_from([0, 13])), tzinfo=UTC
    )
    sizes = draw(st.lists(st.integers(0, 9) | st.integers(0, 500), min_size=3, max_size=8))
    hours = int((instant - SINCE) / timedelta(hours=1))
    repository.add_events(
        UsageEvent(
            "acme", metric, sizes[n % len(sizes)], SINCE + timedelta(hours=11 * n), f"{metric}{n}"
        )
        for metric in plan.allowances
        for n in range(hours // 11)
    )
    return repository, plan, instant


def at(repository: MemoryRepository, instant: datetime) -> OverageService:
    return OverageService(repository, clock=lambda: instant)


MARCH = Period.month(2024, 3)


@few
@given(lives())
def test_a_projection_at_full_elapsed_share_equals_the_statement(
    life: tuple[MemoryRepository, Plan, datetime],
) -> None:
    repository, _, _ = life
    service = at(repository, MARCH.end)
    try:
        statement: Statement | None = service.calculate("acme", MARCH)
    except OveragesError as error:
        with pytest.raises(type(error)):
            service.project("acme", MARCH)
        return
    projection = service.project("acme", MARCH)
    assert projection is not None
    assert projection.bill == projection.expected_bill == statement
    assert projection.low_bill == projection.high_bill == statement
    assert projection.used == projection.expected == projection.low == projection.high
    service.close("acme", MARCH)
    closed = service.project("acme", MARCH)
    assert closed is not None
    assert closed.expected_bill == statement


@few
@given(lives(), st.sampled_from(["expected", "low", "high"]))
def test_what_is_projected_is_billed_so_if_it_comes_so(
    life: tuple[MemoryRepository, Plan, datetime], end: str
) -> None:
    repository, plan, instant = life
    projection = at(repository, instant).project("acme")
    assert projection is not None
    assert projection.bill == at(repository, instant).calculate("acme")
    to_come: dict[str, Any] = getattr(projection, end)
    bill: Statement | None = getattr(projection, f"{end}_bill")
    assert (bill is None) == (None in to_come.values())
    assume(bill is not None)
    repository.add_events(
        UsageEvent(
            "acme", metric, unscaled(scaled(quantity) - scaled(projection.used[metric])), instant
        )
        for metric, quantity in to_come.items()
    )
    assert bill == at(repository, MARCH.end).calculate("acme", MARCH)
    assert set(to_come) == set(plan.allowances)
