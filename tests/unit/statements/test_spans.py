"""Spans: a metric is cut where its own terms differ, and nowhere else."""

from typing import Any

import pytest
from tests.settled import DOLLAR, FEB, MAR, PLAIN, YEAR, day, in_parts, lines

import overages
from overages import Account, Allowance, Cycle, Money, Period, PerUnit, Plan, Usage
from overages.errors import InvalidValue, UnknownMetric
from overages.statements.spans import PeriodUsage

FIRST, SECOND, THIRD = MAR.split(day(12), day(20))


def plan(slug: str, **allowances: Allowance) -> Plan:
    return Plan(slug, "USD", allowances)


STARTER = plan(
    "starter", runs=Allowance(310, DOLLAR), seats=Allowance(3, PerUnit(15), kind="level")
)
PRO = plan("pro", runs=Allowance(620, PerUnit("0.5")), seats=STARTER.allowances["seats"])


def test_a_metric_is_cut_only_where_its_own_terms_differ() -> None:
    found = in_parts(
        {1: STARTER, 12: PRO}, {"runs": [400, 100], "seats": [5, 5]}, held={"seats": 5}
    )
    of = {metric: found.statement.of(metric) for metric in ("runs", "seats")}
    assert [line.part for line in of["runs"]] == [FIRST, Period(day(12), MAR.end)]
    assert [line.part for line in of["seats"]] == [None]
    assert lines(found) == [(400, 110, 29_000), (100, 400, 0)]
    assert lines(found, "seats") == [(5, 3, 3_000)]


def test_a_change_of_an_own_limit_cuts_its_metric_alone() -> None:
    account = Account("org-1", "starter", since=FEB.start)
    account = account.changed(since=day(12), limits={"runs": 31})
    usages = [Usage("org-1", MAR, {"runs": 300})]
    usages += [Usage("org-1", part, {"runs": n}) for part, n in [(FIRST, 100), (SECOND, 150)]]
    usages += [Usage("org-1", THIRD, {"runs": 50})]
    found = overages.settle(account, {"starter": STARTER}, MAR, usages)
    assert lines(found) == [(100, 110, 0), (200, 20, 18_000)]


def test_a_status_changes_no_terms_of_a_metric() -> None:
    account = Account("org-1", "starter", since=FEB.start)
    account = account.changed(since=day(12), status="past_due")
    found = overages.settle(account, {"starter": STARTER}, MAR, Usage("org-1", MAR, {"runs": 400}))
    assert found.statement.earlier_parts == ()
    assert lines(found) == [(400, 310, 9_000)]


USAGE = PeriodUsage(
    Usage("org-1", MAR, {"runs": 60, "seats": 5}),
    {
        FIRST: Usage("org-1", FIRST, {"runs": 10, "seats": 5}),
        SECOND: Usage("org-1", SECOND, {"runs": 20, "seats": 4}),
        THIRD: Usage("org-1", THIRD, {"runs": 30, "seats": 5}),
    },
)


def test_a_flow_is_summed_over_times_and_a_level_is_not() -> None:
    assert USAGE.of("runs", Period(day(1), day(20)), is_level=False) == 30
    assert USAGE.of("seats", SECOND, is_level=True) == 4
    assert USAGE.of("seats", MAR, is_level=True) == 5
    with pytest.raises(
        InvalidValue, match=r"^usage\.period: must be that of 2024-03-01T00:00:00Z/"
    ):
        USAGE.of("seats", Period(day(1), day(20)), is_level=True)


@pytest.mark.parametrize("time", [Period(day(1), day(15)), Period(day(5), day(12))])
def test_usage_of_a_time_that_is_not_known_is_refused(time: Period) -> None:
    with pytest.raises(
        InvalidValue,
        match=r"too, in which .* are the same: .* give a Usage of each part .*, got \['2024",
    ):
        USAGE.of("runs", time, is_level=False)
    assert USAGE.of("jobs", time, is_level=False) == 0


def test_a_level_that_was_nothing_at_the_end_was_held_before() -> None:
    found = in_parts(
        {
            1: STARTER,
            12: plan(
                "more", **{**STARTER.allowances, "seats": Allowance(4, PerUnit(15), kind="level")}
            ),
        },
        {"seats": [5, 0]},
        held={"seats": 0},
    )
    assert lines(found, "seats") == [(5, 3, 1_065), (0, 4, 0)]


def test_a_level_that_brings_units_is_counted_over_the_time_of_its_metric() -> None:
    per_seat = Allowance(10, DOLLAR, included_per="seats")
    first = plan("first", runs=per_seat, seats=Allowance(None, PerUnit(0), kind="level"))
    second = plan("second", runs=per_seat, seats=Allowance(9, PerUnit(0), kind="level"))
    third = plan("third", runs=Allowance(0, DOLLAR), seats=Allowance(9, PerUnit(0), kind="level"))
    used = {"runs": [40, 0, 0], "seats": [4, 5, 4]}
    with pytest.raises(InvalidValue, match=r"^runs\.usage\.period: must be that of .* 'seats' are"):
        in_parts({1: first, 12: second, 20: third}, used, held={"seats": 4})
    used = {"runs": [40, 0, 0], "seats": [4, 4, 4]}
    same = in_parts({1: first, 12: second, 20: third}, used, held={"seats": 4})
    assert lines(same)[0] == (40, 25, 1500)  # 10 for each of 4 seats, for 19 of 31 days
    found = in_parts({1: first, 12: second}, {"runs": [40, 0], "seats": [4, 4]}, held={"seats": 4})
    assert lines(found) == [(40, 40, 0)]


def test_usage_while_no_plan_knows_the_metric_is_refused() -> None:
    without = plan("without", seats=STARTER.allowances["seats"])
    with pytest.raises(UnknownMetric, match="'runs' is not in plan 'without'") as caught:
        in_parts({1: STARTER, 12: without}, {"runs": [10, 1]})
    assert caught.value.period == Period(day(12), MAR.end)
    found = in_parts({1: STARTER, 12: without}, {"runs": [210, 0]})
    assert lines(found) == [(210, 110, 10_000)]
    assert found.statement["runs"].part == FIRST


@pytest.mark.parametrize("within", [False, True])
def test_usage_that_no_plan_of_the_period_knows_is_refused(within: bool) -> None:
    used: dict[str, Any] = {"runs": [1, 1], "gpu": [1, 0]}
    with pytest.raises(UnknownMetric, match=r"^usage\.quantities\.gpu: 'gpu' is not in plan 'pro'"):
        in_parts({1: STARTER, 12: PRO}, used, held={"gpu": 0} if within else None)


def test_the_units_of_the_parts_are_those_of_the_whole() -> None:
    with pytest.raises(InvalidValue, match=r"^runs\.usage\.quantities\.runs: must be the sum of"):
        in_parts({1: STARTER, 12: PRO}, {"runs": [10, 20]}, held={"runs": 31})


def test_the_units_of_the_only_part_that_knows_a_metric_are_those_of_the_whole() -> None:
    without = plan("without", seats=STARTER.allowances["seats"])
    for plans, runs in (({1: STARTER, 12: without}, [100, 0]), ({1: without, 12: PRO}, [0, 100])):
        with pytest.raises(InvalidValue, match=r"the sum of the usage of its parts, 100: .*500$"):
            in_parts(plans, {"runs": runs}, held={"runs": 500})


def test_a_window_that_ends_within_a_part_cuts_it() -> None:
    weekly = Cycle(day(4), unit="week")
    of_weeks = plan("weeks", runs=Allowance(10, DOLLAR, included_for=weekly))
    bounds = [day(n) for n in (4, 11, 18, 25)]
    times = MAR.split(*bounds)
    usages = [
        Usage("org-1", MAR, {"runs": 60}),
        *(Usage("org-1", time, {"runs": 12}) for time in times),
    ]
    account = Account("org-1", "weeks", since=FEB.start)
    found = overages.settle(account, {"weeks": of_weeks}, MAR, usages)
    assert [line.part for line in found.statement.of("runs")] == list(times)
    assert lines(found) == [(12, 10, 200)] * 5
    assert found.balance.used == (Usage("org-1", weekly.period_at(day(26)), {"runs": 12}),)


def test_a_window_goes_on_where_other_terms_change() -> None:
    yearly = Allowance(100, DOLLAR, included_for=YEAR)
    first = plan("first", runs=yearly, jobs=PLAIN.allowances["runs"])
    second = plan("second", runs=yearly, jobs=Allowance(20, DOLLAR))
    found = in_parts({1: first, 12: second}, {"runs": [80, 40]})
    assert lines(found) == [(120, 100, 2_000)]
    dearer = plan("dearer", runs=Allowance(100, PerUnit(2), included_for=YEAR))
    found = in_parts({1: first, 12: dearer}, {"runs": [80, 40]})
    assert lines(found) == [(80, 100, 0), (40, 20, 4_000)]
    assert found.statement.total == Money(4_000, "USD")
