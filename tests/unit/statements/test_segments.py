"""Segments: a billing period in which the plan changes."""

from datetime import UTC, datetime
from typing import Any

import pytest

from overages import Allowance, Money, Period, PerUnit, Plan, Usage, calculate
from overages.errors import InvalidType, InvalidValue, UnknownMetric
from overages.statements.segments import calculate_segments

FEB = Period.month(2024, 2)
FIRST, LAST = FEB.split(datetime(2024, 2, 20, tzinfo=UTC))
SMALL = Plan("small", "USD", {"runs": Allowance(290, PerUnit(1))})
LARGE = Plan("large", "USD", {"runs": Allowance(580, PerUnit("0.50"))})
JOBS = Plan("jobs", "USD", {"jobs": Allowance(10, PerUnit(1))})


def used(period: Period, runs: int, org_id: str = "org-1") -> Usage:
    return Usage(org_id, period, {"runs": runs})


def totals(plans: Any, quantities: list[int], **named: Any) -> list[str]:
    usages = map(used, (FIRST, LAST), quantities)
    found = calculate_segments(zip(plans, usages, strict=False), FEB, **named)
    return [str(statement.total) for statement in found]


def test_counters_restart_unless_told() -> None:
    assert totals([SMALL, LARGE], [250, 150]) == ["60.00 USD", "0.00 USD"]
    assert totals([SMALL, LARGE], [250, 150]) == totals(
        [SMALL, LARGE], [250, 150], counters="restart"
    )


def test_counters_that_continue_have_the_whole_allowance_less_what_was_used() -> None:
    assert totals([SMALL, LARGE], [250, 350], counters="continue") == ["0.00 USD", "10.00 USD"]


def test_after_a_downgrade_what_was_used_before_is_not_charged_again() -> None:
    found = totals([LARGE, SMALL], [500, 10], counters="continue")
    assert found == ["0.00 USD", "10.00 USD"]


def test_a_metric_that_only_one_of_the_plans_knows_counts_there() -> None:
    segments = [(SMALL, used(FIRST, 200)), (JOBS, Usage("org-1", LAST, {"jobs": 10}))]
    first, last = calculate_segments(segments, FEB, counters="continue")
    assert (first.total, last["jobs"].limit) == (Money(0, "USD"), 10)


def test_own_limits_hold_in_proportion_to_time() -> None:
    assert totals([SMALL, SMALL], [100, 100], limits={"runs": 29}) == ["81.00 USD", "90.00 USD"]


def test_a_part_of_a_period_may_stand_alone() -> None:
    (statement,) = calculate_segments([(SMALL, used(LAST, 150))], FEB)
    assert statement == calculate(SMALL, used(LAST, 150), billing_period=FEB)
    assert calculate_segments([], FEB) == ()


def test_minimums_are_in_proportion_to_time_and_wait_for_the_last_bill() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(0, PerUnit(1))}, minimum=Money(2900, "USD"))
    assert totals([plan, plan], [0, 0]) == ["19.00 USD", "10.00 USD"]
    assert totals([plan, plan], [0, 0], counters="continue") == ["19.00 USD", "10.00 USD"]
    assert totals([plan, plan], [0, 0], final=False) == ["0.00 USD", "0.00 USD"]


def test_days_are_those_of_the_timezone() -> None:
    parts = FEB.split(datetime(2024, 2, 20, 23, 30, tzinfo=UTC))
    segments = [(SMALL, used(part, 0)) for part in parts]
    by_zone = [
        [s["runs"].limit for s in calculate_segments(segments, FEB, timezone=zone)]
        for zone in ("UTC", "Europe/Paris")
    ]
    assert by_zone[0] != by_zone[1]


@pytest.mark.parametrize(
    ("segments", "error", "problem"),
    [
        (5, InvalidType, "segments: must be a list, or something else to iterate over, got 5"),
        ([5], InvalidValue, r"segments\[0\]: must hold \(plan, usage\) alone, got 5"),
        (
            [(SMALL, used(FIRST, 1), None)],
            InvalidValue,
            r"segments\[0\]: must hold \(plan, usage\) alone",
        ),
        ([("small", used(FIRST, 1))], InvalidType, r"segments\[0\]\[0\]: must be of type Plan"),
        ([(SMALL, {"runs": 1})], InvalidType, r"segments\[0\]\[1\]: must be of type Usage"),
        (
            [(SMALL, used(FIRST, 1)), (LARGE, used(LAST, 1, "org-2"))],
            InvalidValue,
            r"segments\[1\]\.org_id: must be that of the others, 'org-1', got 'org-2'",
        ),
        (
            [(SMALL, used(LAST, 1)), (LARGE, used(FIRST, 1))],
            InvalidValue,
            r"segments\[1\]\.period: must start where the one before it ends, ",
        ),
        ([(SMALL, used(Period.month(2024, 3), 1))], InvalidValue, "runs.part: must lie within "),
        ([(JOBS, used(FIRST, 1))], UnknownMetric, r"usage\.quantities\.runs: 'runs' is not in pl"),
    ],
)
def test_what_does_not_go_together_is_refused(segments: Any, error: Any, problem: str) -> None:
    with pytest.raises(error, match=f"(^|: ){problem}"):
        calculate_segments(segments, FEB)


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"counters": "reset"}, "counters: must be one of restart, continue"),
        ({"timezone": "Mars"}, "timezone: "),
        ({"final": 1}, "final: must be True or False"),
        ({"limits": {"jobs": 1}}, r"limits\.jobs: "),
    ],
)
def test_other_arguments_are_checked(named: Any, problem: str) -> None:
    with pytest.raises((InvalidType, InvalidValue, UnknownMetric), match=f"(^|: ){problem}"):
        calculate_segments([(SMALL, used(FIRST, 1))], FEB, **named)


def test_the_whole_is_a_period() -> None:
    whole: Any = "2024-02"
    with pytest.raises(InvalidType, match=r"^billing_period: must be of type Period"):
        calculate_segments([], whole)
