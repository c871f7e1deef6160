"""Projections: the bill that a period should come to, and the day on which a limit is passed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Account,
    Allowance,
    Conversion,
    Period,
    PerUnit,
    Plan,
    Projection,
    Usage,
    calculate,
    settle,
)
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.forecasts.daily_usage import DailyUsage, daily_usage, dates_of, days_of
from overages.forecasts.forecast import MetricDays
from overages.forecasts.methods import UsageKind
from overages.insight.projection import project

FEB = Period.month(2024, 2)
DATES = dates_of(days_of(FEB, "UTC"), "UTC")
NOW = datetime(2024, 2, 11, tzinfo=UTC)  # ten of 29 days are over
PLAN = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})


def month(number: int, units: int) -> DailyUsage:
    dates = dates_of(days_of(Period.month(2023, number), "UTC"), "UTC")
    return daily_usage(dates, [units] * len(dates))


def projected(
    *units: int,
    plan: Plan = PLAN,
    before: tuple[DailyUsage, ...] = (),
    now: datetime = NOW,
    kind: UsageKind = "flow",
    today: int = 0,
    **named: Any,
) -> Projection:
    """Return the projection of February, of which as many days are over as there are units."""
    current = daily_usage(DATES, units)
    usage = Usage("acme", FEB, {"runs": sum(units) + today} if any(units) or today else {})
    days = MetricDays(kind, current.total + today * 10**12, current, before, **named)
    return project(
        now,
        "UTC",
        {"runs": days},
        calculate(plan, usage),
        lambda outlook: calculate(plan, outlook.applied([usage])[0]),
    )


def test_the_plan_is_run_on_the_usage_that_is_expected() -> None:
    projection = projected(*([4] * 10))
    assert projection.used == {"runs": 40}
    assert projection.expected == {"runs": 116}
    assert projection.low == projection.high == {"runs": None}
    assert projection.expected_bill == calculate(PLAN, Usage("acme", FEB, {"runs": 116}))
    assert projection.bill == calculate(PLAN, Usage("acme", FEB, {"runs": 40}))
    assert (projection.low_bill, projection.high_bill) == (None, None)
    assert (projection.org_id, projection.period, projection.at) == ("acme", FEB, NOW)
    assert projection.days_left == 18  # after today


def test_low_and_high_have_a_bill_each() -> None:
    before = tuple(month(number, 2 + number % 2) for number in range(1, 9))
    projection = projected(*([4] * 10), before=before)
    told = projection.metrics["runs"]
    assert told.low is not None
    assert told.high is not None
    assert told.expected is not None
    assert 40 <= told.low <= told.expected <= told.high
    for bill, units in [(projection.low_bill, told.low), (projection.high_bill, told.high)]:
        assert bill == calculate(PLAN, Usage("acme", FEB, {"runs": units}))
    assert (told.periods_tried, told.bounds_tried) == (8, 4)
    assert told.aim == Fraction(3, 4)  # of seven residuals: the first period has none before it
    assert told.coverage is not None
    assert told.error == pytest.approx(float(told.error or 0))
    assert told.method in told.errors


def test_a_period_that_is_over_has_its_statement_thrice() -> None:
    projection = projected(*([4] * 29), now=FEB.end)
    assert projection.expected == projection.low == projection.high == {"runs": 116}
    assert projection.expected_bill == projection.low_bill == projection.high_bill
    assert projection.expected_bill == projection.bill
    assert projection.days_left == 0


@pytest.mark.parametrize(
    ("units", "today", "day"),
    [
        ([4] * 10, 0, date(2024, 2, 13)),  # 48 by the 12th, 52 by the 13th
        ([5] * 10, 0, date(2024, 2, 11)),  # 50 are included, and are used up by the 10th
        ([60] + [0] * 9, 0, date(2024, 2, 1)),
        ([1] * 10, 45, date(2024, 2, 11)),
        ([1] * 10, 0, None),
    ],
)
def test_a_limit_is_passed_on_the_day_of_its_first_overage(
    units: list[int], today: int, day: date | None
) -> None:
    assert projected(*units, today=today).metrics["runs"].runs_out == day


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        (Plan("starter", "USD", {"runs": Allowance(None, PerUnit("1"))}), "flow"),
        (Plan("starter", "USD", {"runs": Allowance(5, PerUnit("1"), kind="level")}), "level"),
    ],
)
def test_what_is_unlimited_and_what_is_held_never_runs_out(plan: Plan, kind: UsageKind) -> None:
    assert projected(*([4] * 10), plan=plan, kind=kind).metrics["runs"].runs_out is None


def test_a_limit_of_converted_units_is_passed_at_its_share_of_them() -> None:
    """116 seconds come to 58 pairs; 20 of these are 40 seconds, and the 11th day has the 41st."""
    pairs = Allowance(20, PerUnit("1"), conversion=Conversion(divide=2))
    plan = Plan("starter", "USD", {"runs": pairs})
    projection = projected(*([4] * 10), plan=plan)
    assert projection.expected_bill is not None
    assert projection.expected_bill["runs"].used == 58
    assert projection.metrics["runs"].runs_out == date(2024, 2, 11)


def test_each_part_has_a_limit_of_its_own() -> None:
    """Of 31 and 310 for a month, 11 and 200 are for the parts of March that 12 March divides."""
    march = Period.month(2024, 3)
    account = Account("acme", "small", march.start)
    account = account.changed(since=datetime(2024, 3, 12, tzinfo=UTC), plan="large")
    plans = {
        slug: Plan(slug, "USD", {"runs": Allowance(included, PerUnit(1))})
        for slug, included in [("small", 31), ("large", 310)]
    }
    dates = dates_of(days_of(march, "UTC"), "UTC")

    def told(*units: int) -> date | None:
        current = daily_usage(dates, units)
        first = sum(units[:11])
        parts = [part for part, _ in account.parts(march)]
        usages = [Usage("acme", march, {"runs": sum(units)})] + [
            Usage("acme", part, {"runs": used} if used else {})
            for part, used in zip(parts, [first, sum(units) - first], strict=True)
        ]

        def bill(outlook: Any = None) -> Any:
            return settle(
                account, plans, march, outlook.applied(usages) if outlook else usages
            ).statement

        now = march.start + timedelta(len(units))
        metrics = {"runs": MetricDays("flow", current.total, current)}
        return project(now, "UTC", metrics, bill(), bill).metrics["runs"].runs_out

    assert told(*([1] * 11), 0) is None
    assert told(*([1] * 10), 3, 0) == date(2024, 3, 11)
    assert told(*([1] * 11), 150) == date(2024, 3, 16)  # 161 in 12 days are 13.4 a day


def test_a_metric_of_which_there_is_not_enough_to_say_leaves_the_bill_open() -> None:
    projection = projected(4, now=FEB.start + timedelta(1))
    assert projection.expected == {"runs": None}
    assert projection.expected_bill is None
    assert projection.metrics["runs"].reason is not None


def test_a_period_that_hasnt_begun_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^now: must not be before 2024-02-01T00:00:00Z"):
        projected(now=FEB.start - timedelta(1))


@pytest.mark.parametrize("units", [9, 11])
def test_days_that_are_not_those_of_the_period_are_refused(units: int) -> None:
    told = r"^metrics\.runs\.current: must be of 29 days, of which 10 are over"
    with pytest.raises(InvalidValue, match=told):
        projected(*([4] * units))


def test_arguments_of_a_wrong_type_are_told_together() -> None:
    with pytest.raises(InvalidValues) as told:
        project("2024", "Mars", {}, None, 5)  # type: ignore[arg-type]
    assert len(told.value.errors) == 4
    with pytest.raises(InvalidType, match=r"^bill: must be a function"):
        project(NOW, "UTC", {}, calculate(PLAN, Usage("acme", FEB, {})), 5)  # type: ignore[arg-type]


def test_a_projection_explains_itself() -> None:
    before = tuple(month(number, 2 + number % 2) for number in range(1, 9))
    text = str(projected(*([4] * 10), before=before))
    assert text.startswith("Projection for acme, February 2024, on 2024-02-11: 18 days left\n\n")
    assert "bill  0.00 USD" in text
    assert " of 4" in text
    short = projected(4, now=datetime(2024, 2, 2, tzinfo=UTC))
    assert "?" in str(short)
    assert str(short).endswith(f"runs: {short.metrics['runs'].reason}.")
    noon = datetime(2024, 2, 28, 12, tzinfo=UTC)
    assert "on 2024-02-28: 1 day left" in str(projected(*([4] * 27), now=noon))
    assert "on 2024-02-29: ends today" in str(projected(*([4] * 28), now=noon + timedelta(1)))
    assert "on 2024-03-01: over" in str(projected(*([4] * 29), now=FEB.end))
    assert "\n  expected  116\n" in projected(*([4] * 10)).explain(width=40)
