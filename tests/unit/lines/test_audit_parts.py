"""A statement of several parts is refused where its lines are not those of its plans."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from tests.settled import DOLLAR, JAN, MAR, day, in_parts

from overages import (
    Account,
    Allowance,
    Cycle,
    Discount,
    Graduated,
    Grant,
    Money,
    Overage,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    settle,
)
from overages._ground.value import evolve
from overages.errors import InvalidValue, OveragesError, UnknownMetric
from overages.lines.limit_part import LimitPart
from overages.lines.part import StatementPart

FIRST, SECOND = MAR.split(day(12))
TIERS = Graduated([Tier(10, price=2), Tier(None, price=1)])
SEATS = Allowance(3, PerUnit(15), kind="level")
STARTER = Plan("starter", "USD", {"runs": Allowance(310, TIERS), "seats": SEATS})
PRO = Plan(
    "pro",
    "USD",
    {"runs": Allowance(620, TIERS), "seats": evolve(SEATS, included=4), "jobs": SEATS},
    discounts=[Discount("half", percent=50)],
)
USED = {"runs": [130, 410], "seats": [5, 5], "jobs": [0, 5]}
BILL = in_parts({1: STARTER, 12: PRO}, USED, held={"seats": 5, "jobs": 5}).statement


def faults(lines: Any = BILL.lines, **named: Any) -> list[str]:
    """Return the faults of another statement of the same period and plans."""
    kept: dict[str, Any] = {
        "earlier_parts": BILL.earlier_parts, "billing_period": None, "timezone": "UTC"
    }  # fmt: skip
    with pytest.raises(OveragesError) as caught:
        Statement("org-1", MAR, PRO, lines, BILL.unused, **{**kept, **named})
    return [str(error) for error in caught.value.errors]


def with_line(place: int, **changes: Any) -> list[Any]:
    lines: list[Any] = list(BILL.lines)
    lines[place] = evolve(lines[place], **changes)
    return lines


def test_a_statement_of_parts_is_made_again_of_its_lines() -> None:
    again = Statement("org-1", MAR, PRO, BILL.lines, BILL.unused, BILL.earlier_parts)
    assert again == BILL
    assert hash(again) == hash(BILL)
    assert [(line.metric, line.part) for line in BILL.overages] == [
        ("runs", FIRST), ("runs", SECOND), ("seats", FIRST), ("seats", SECOND), ("jobs", SECOND),
    ]  # fmt: skip


def test_explained_it_names_its_plans_and_times() -> None:
    text = BILL.explain()
    assert "plan starter, then pro" in text
    assert "2024-03-01 to 2024-03-12" in text


def test_a_plan_that_goes_on_is_named_once() -> None:
    account = Account("org-1", "starter", JAN.start).changed(since=day(5), plan="pro")
    account = account.changed(since=day(12), limits={"runs": 5})
    plans = {"starter": STARTER, "pro": PRO}
    statement = settle(account, plans, MAR, Usage("org-1", MAR, {})).statement
    assert [part.plan.slug for part in statement.parts] == ["starter", "pro", "pro"]
    title = statement.explain().splitlines()[0]
    assert title == "Overage of org-1, 2024-03-01 to 2024-04-01 UTC, plan starter, then pro"


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (
            MAR,
            "lines.runs.part: must lie within 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z",
        ),
        (Period(day(1), day(31)), "lines.runs.part: must lie in parts of the period in which the"),
        (Period(JAN.start, day(12)), "lines.runs.part: must lie within 2024-03-01T00:00:00Z/2024"),
    ],
)
def test_a_line_lies_where_its_terms_are_the_same(part: Period, fault: str) -> None:
    assert faults(with_line(0, part=part))[0].startswith(fault)


def test_a_line_of_all_of_the_period_has_the_same_terms_in_all_of_it() -> None:
    assert faults(with_line(2, part=None))[0].startswith("lines.seats.part: must lie in parts of")


def test_a_line_is_of_a_part_whose_plan_knows_its_metric() -> None:
    with pytest.raises(UnknownMetric, match=r"^lines\.jobs: 'jobs' is not in plan 'starter'"):
        Statement("org-1", MAR, PRO, with_line(4, part=FIRST), BILL.unused, BILL.earlier_parts)


def test_no_time_is_charged_twice() -> None:
    lines = [*BILL.lines]
    lines.insert(2, lines[1])
    (fault,) = faults(lines)
    assert fault.startswith("lines.runs.part: must be of times that don't overlap, got ")


def test_no_time_is_left_out() -> None:
    first, _, *others = BILL.lines
    fault = faults([first, *others])[0]
    assert fault.startswith("lines.runs.part: must be, together, of all of the time in which plans")


@pytest.mark.parametrize("time", [Period(day(12), day(31)), Period(day(13), MAR.end)])
def test_a_line_begins_and_ends_where_its_terms_do(time: Period) -> None:
    (fault,) = faults(with_line(1, part=time))
    assert fault.startswith("lines.runs.part: must begin and end where parts of the period do, or")


def test_a_line_may_end_with_the_cycle_of_its_allowance_alone() -> None:
    plan = Plan("a", "USD", {"runs": Allowance(10, DOLLAR, included_for=Cycle(anchor=day(10)))})
    account, times = Account("org-1", "a", JAN.start), MAR.split(day(10))
    usages = [Usage("org-1", time, {"runs": 20}) for time in times]
    whole = Usage("org-1", MAR, {"runs": 40})
    found = settle(account, {"a": plan}, MAR, [whole, *usages]).statement
    assert [line.part for line in found.overages] == [*times]
    assert made_again(found) == found
    lines = [
        evolve(line, part=time)
        for line, time in zip(found.overages, MAR.split(day(11)), strict=True)
    ]
    with pytest.raises(OveragesError) as caught:
        Statement("org-1", MAR, plan, lines)
    assert [error.path for error in caught.value.errors] == [("lines", "runs", "part")] * 2


def test_lines_of_a_metric_are_in_order_of_time() -> None:
    second, first, *others = BILL.lines
    assert faults([first, second, *others])[0].startswith("lines: must be in the plan's order, and")


def test_a_price_is_the_plans_or_its_share_by_time() -> None:
    wrong = Graduated([Tier(5, price=2), Tier(None, price=1)])
    assert faults(with_line(0, price=wrong, cost=Money(2_500, "USD")))[0].startswith(
        "lines.runs.price: must be the plan's, or its share by time, got Graduated"
    )


def test_parts_of_a_level_are_rounded_together() -> None:
    assert [line.cost.minor for line in BILL.of("seats")] == [1_065, 967]
    (fault,) = faults(with_line(3, cost=Money(968, "USD")))[:1]
    assert fault.startswith("lines.seats.cost: must be 9.67 USD, as the plan rounds 300/31,")


def test_earlier_parts_follow_each_other() -> None:
    gap = [StatementPart(Period(day(2), day(12)), STARTER)]
    assert faults(earlier_parts=gap)[0].startswith(
        "earlier_parts[0].period: must start where the time before it ends, 2024-03-01"
    )


@pytest.mark.parametrize("whole", [MAR, JAN, Period(day(1), day(12))])
def test_a_billing_period_holds_more_than_the_period(whole: Period) -> None:
    assert faults(billing_period=whole)[0].startswith(
        "billing_period: must hold more than 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z, and all"
    )


def test_a_discount_of_one_part_is_of_what_that_part_is_due() -> None:
    (half,) = BILL.adjustments
    second = sum(Fraction(line.exact_cost) for line in BILL.overages if line.part == SECOND)
    assert Fraction(half.exact_cost) == -second / 2
    assert half.cost.minor == -2_252
    assert faults([*BILL.overages])[0].startswith("lines: must have the plan's discount half: ")


@pytest.mark.parametrize("used", [(50, 0), (0, 90)])
def test_an_unused_part_has_its_share_of_what_is_due_once(used: tuple[int, int]) -> None:
    plan = Plan("a", "USD", {"runs": Allowance(0, PerUnit(1), maximum=Money(10_000, "USD"))})
    account = Account("org-1", "a", JAN.start).changed(since=day(12), limits={"runs": 5})
    usages = [
        Usage("org-1", time, {"runs": units})
        for time, units in zip((MAR, FIRST, SECOND), (sum(used), *used), strict=True)
    ]
    found = settle(account, {"a": plan}, MAR, usages).statement
    assert found.adjustments == ()  # the maximum of both parts is 100.00
    assert len(found.overages) == len(found.unused) == 1
    again = Statement("org-1", MAR, plan, found.lines, found.unused, found.earlier_parts)
    assert again == found


def made_again(found: Statement) -> Statement:
    return Statement(
        found.org_id, found.period, found.plan, found.lines, found.unused, found.earlier_parts
    )


def test_a_credit_of_a_metric_leaves_its_unused_part_unused() -> None:
    plans = {n: Plan(f"p{n}", "USD", {"runs": Allowance(n, DOLLAR)}) for n in (1, 12)}
    money = Grant("money", Money(500, "USD"), metric="runs", effective_at=MAR.start)
    found = in_parts(plans, {"runs": [50, 0]}, grants=[money]).statement
    assert [line.line for line in found.adjustments] == ["credit:money"]
    assert [line.part for line in found.unused] == [SECOND]
    assert made_again(found) == found


def test_terms_that_stay_the_same_may_stand_elsewhere_in_a_plan() -> None:
    same, other = Allowance(1, DOLLAR), Allowance(2, DOLLAR)
    window = evolve(same, included_for=Cycle(anchor=day(10)))  # it ends in the first part
    plans = {
        1: Plan("a", "USD", {"gpu": window, "runs": same, "jobs": same}, rounding="up"),
        12: Plan("b", "USD", {"jobs": other, "runs": same, "gpu": window}),
    }
    found = in_parts(plans, {"runs": [5, 5], "jobs": [5, 5]}).statement
    assert [line.part for line in found.of("gpu")] == [*MAR.split(day(10))]
    assert made_again(found) == found


def test_each_part_is_rounded_by_its_own_plan() -> None:
    plans = {
        1: Plan("a", "USD", {"runs": Allowance(0, PerUnit("0.001"))}, rounding="up"),
        12: Plan("b", "USD", {"runs": Allowance(0, PerUnit("0.002"))}, rounding="down"),
    }
    found = in_parts(plans, {"runs": [1, 1]}).statement
    assert [line.cost.minor for line in found.of("runs")] == [1, 0]
    again = Statement("org-1", MAR, found.plan, found.lines, found.unused, found.earlier_parts)
    assert again == found
    plans[12] = evolve(plans[12], rounding_scope="total")
    assert in_parts(plans, {"runs": [1, 1]}).statement.total.minor == 0  # 0.003, rounded down


def test_parts_of_a_level_grow_by_the_rule_of_each() -> None:
    seats = [Allowance(n, PerUnit(10), kind="level") for n in (0, 1)]
    plans = {
        1: Plan("a", "USD", {"seats": seats[0]}, rounding="up"),
        12: Plan("b", "USD", {"seats": seats[1]}, rounding="down"),
    }
    found = in_parts(plans, {"seats": [1, 2]}, held={"seats": 2}).statement
    # 10 x 11/31 is 3.548 and up 3.55; down, 3.54 has grown to 10.00.
    assert [line.cost.minor for line in found.of("seats")] == [355, 646]
    again = Statement("org-1", MAR, found.plan, found.lines, found.unused, found.earlier_parts)
    assert again == found


def test_a_level_that_is_due_in_full_may_be_left_unsaid() -> None:
    plans = {
        n: Plan(f"p{n}", "USD", {"seats": Allowance(0, PerUnit(price), proration="full")})
        for n, price in [(1, "0.014"), (12, "0.021")]
    }
    found = in_parts(plans, {"seats": [1, 1]}, held={"seats": 1}, levels={"seats"}).statement
    assert [line.cost.minor for line in found.of("seats")] == [1, 3]  # 0.014 grows to 0.035
    assert made_again(found) == found
    as_flow = in_parts(plans, {"seats": [1, 1]}).statement
    assert [line.cost.minor for line in as_flow.of("seats")] == [1, 2]
    assert made_again(as_flow) == as_flow


def test_free_units_may_be_those_of_all_parts_that_are_counted_together() -> None:
    gift = [Discount("gift", quantity=31)]
    plans = {
        n: Plan(f"p{n}", "USD", {"runs": Allowance(n, DOLLAR, discounts=gift)}) for n in (1, 12, 20)
    }
    found = in_parts(plans, {"runs": [50, 50, 50]}, counters=["restart", "continue"]).statement
    gifts = [
        part.quantity
        for line in found.of("runs")
        for part in line.limit_parts
        if part.kind == "free"
    ]
    assert gifts == [11, 20, 20]
    parts = found.earlier_parts
    assert Statement("org-1", MAR, found.plan, found.lines, found.unused, parts) == found
    first, *others = found.lines
    assert isinstance(first, Overage)
    greedy = [*first.limit_parts[:1], LimitPart("free", 12, "gift")]
    forged = evolve(first, limit=12, cost=Money(3_800, "USD"), limit_parts=greedy)
    with pytest.raises(InvalidValue, match=r"limit_parts: must have the plan's free units"):
        Statement("org-1", MAR, found.plan, [forged, *others], found.unused, parts)


def test_a_fee_of_a_part_is_not_left_out() -> None:
    fee = Graduated([Tier(None, price=1, flat=31)], flat_at_zero=True)
    plans = {1: Plan("a", "USD", {"runs": Allowance(0, fee)}), 12: Plan("b", "USD", {})}
    found = in_parts(plans, {}).statement
    assert [(line.part, line.cost.minor) for line in found.overages] == [(FIRST, 1_100)]
    with pytest.raises(InvalidValue, match="must have the line of 'runs', which costs something"):
        Statement("org-1", MAR, found.plan, [], [], found.earlier_parts)


def test_a_part_of_a_billing_period_says_which_it_is_of() -> None:
    account = Account("org-1", "starter", since=day(12))
    usage = Usage("org-1", SECOND, {"runs": 205})
    found = settle(account, {"starter": STARTER}, SECOND, usage).statement
    assert (found.billing_period, found["runs"].limit, found.total.minor) == (MAR, 200, 1_000)
    assert (
        Statement("org-1", SECOND, STARTER, found.lines, found.unused, billing_period=MAR) == found
    )
    with pytest.raises(InvalidValue, match=r"^lines\.runs\.price: must be the plan's"):
        Statement("org-1", SECOND, STARTER, found.lines, found.unused)


def test_a_fee_at_zero_is_due_for_a_single_day() -> None:
    fee = Graduated([Tier(10, price=1, flat=310), Tier(None, price="0.5")], flat_at_zero=True)
    plan = Plan("a", "USD", {"runs": Allowance(0, fee)})
    account = Account("org-1", "a", since=day(31))
    last = Period(day(31), MAR.end)
    found = settle(account, {"a": plan}, last, Usage("org-1", last, {})).statement
    assert found.total == Money(1_000, "USD")  # 310 x 1/31
    assert Statement("org-1", last, plan, found.lines, found.unused, billing_period=MAR) == found


def test_the_lines_of_a_metric_are_asked_for_by_all_its_parts() -> None:
    with pytest.raises(InvalidValue, match=r"^metric: must have one line, and has one in each"):
        BILL["runs"]
    assert BILL["jobs"].part == SECOND
    assert [line.part for line in BILL.of("seats")] == [FIRST, SECOND]
    assert isinstance(BILL.every_overage()[0], Overage)
    usage = Usage("org-1", JAN, {})
    unparted = settle(Account("org-1", "pro", JAN.start), {"pro": PRO}, JAN, usage).statement
    for statement in (BILL, unparted):
        with pytest.raises(UnknownMetric, match="'gpu' is not in plan 'pro'"):
            statement["gpu"]
    assert "runs" in BILL
    assert "gpu" not in BILL
