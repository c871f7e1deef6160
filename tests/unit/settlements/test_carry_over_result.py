"""Carry-over of one period: what an allowance comes to in a period, worked out by hand."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.accounts import settle
from tests.settled import DOLLAR, FEB, JAN, MAR, PLAIN, ROLLING, parts, runs, settled, totals

from overages import (
    Allowance,
    Balance,
    CarryOver,
    Conversion,
    Discount,
    Period,
    Plan,
    Usage,
)
from overages._ground.value import evolve
from overages.errors import OveragesError
from overages.settlements.carry_over_result import CarryOverResult
from overages.terms.carry_over import CarriedUnits

JANUARY, FEBRUARY, MARCH, APRIL = (Period.month(2024, n) for n in range(1, 5))
ROLLOVER = CarryOver()


def test_the_example_of_the_module_comes_to_what_it_says() -> None:
    brought = [CarriedUnits(50, JANUARY, 1), CarriedUnits(30, FEBRUARY, 2)]
    march = CarryOverResult(CarryOver(up_to=110, expires_after=2), brought, 100, 40, MARCH)
    assert (march.limit, march.overage) == (180, 0)
    assert march.drawn == (CarriedUnits(40, JANUARY, 1),)
    assert march.expired == (CarriedUnits(10, JANUARY, 1),)
    assert march.cut == (CarriedUnits(20, FEBRUARY, 1),)
    assert march.carried == (CarriedUnits(10, FEBRUARY, 1), CarriedUnits(100, MARCH, 2))


def months(rule: CarryOver, *numbers: tuple[int, int]) -> list[CarryOverResult]:
    """Return what (included, used) come to in months from January on, one after the other."""
    steps: list[CarryOverResult] = []
    for month, (included, used) in zip((JANUARY, FEBRUARY, MARCH, APRIL), numbers, strict=False):
        brought = steps[-1].carried if steps else ()
        steps.append(CarryOverResult(rule, brought, included, used, month))
    return steps


def test_unused_units_go_to_the_next_period_and_say_where_they_come_from() -> None:
    january = CarryOverResult(ROLLOVER, [], 100, 30, JANUARY)
    assert (january.limit, january.overage) == (100, 0)
    assert january.drawn == (CarriedUnits(30, JANUARY),)
    assert january.carried == (CarriedUnits(70, JANUARY),)
    february = CarryOverResult(ROLLOVER, january.carried, 100, 180, FEBRUARY)
    assert (february.limit, february.free, february.overage) == (170, 170, 10)
    assert february.drawn == (CarriedUnits(70, JANUARY), CarriedUnits(100, FEBRUARY))
    assert february.carried == ()


def test_the_oldest_is_drawn_first_unless_what_is_included_is() -> None:
    brought = [CarriedUnits(20, JANUARY), CarriedUnits(30, FEBRUARY)]
    oldest = CarryOverResult(ROLLOVER, brought, 100, 40, MARCH)
    assert oldest.drawn == (CarriedUnits(20, JANUARY), CarriedUnits(20, FEBRUARY))
    assert oldest.carried == (CarriedUnits(10, FEBRUARY), CarriedUnits(100, MARCH))
    included = CarryOverResult(CarryOver(draw="included_first"), brought, 100, 110, MARCH)
    assert included.drawn == (CarriedUnits(100, MARCH), CarriedUnits(10, JANUARY))
    assert included.carried == (CarriedUnits(10, JANUARY), CarriedUnits(30, FEBRUARY))
    assert included.limit == oldest.limit == 150


def test_units_expire_after_so_many_periods_after_their_own() -> None:
    found = months(CarryOver(expires_after=2, draw="included_first"), *[(100, 90)] * 4)
    assert [step.limit for step in found] == [100, 110, 120, 120]
    assert found[1].carried == (CarriedUnits(10, JANUARY, 1), CarriedUnits(10, FEBRUARY, 2))
    assert found[2].expired == (CarriedUnits(10, JANUARY, 1),)
    assert found[2].carried == (CarriedUnits(10, FEBRUARY, 1), CarriedUnits(10, MARCH, 2))


def test_a_layer_keeps_the_expiry_that_it_was_carried_with() -> None:
    step = CarryOverResult(CarryOver(), [CarriedUnits(5, JANUARY, 1)], 0, 2, FEBRUARY)
    assert (step.limit, step.expired, step.carried) == (5, (CarriedUnits(3, JANUARY, 1),), ())


def test_where_the_cap_bites_the_oldest_is_cut() -> None:
    brought = [CarriedUnits(20, JANUARY), CarriedUnits(30, FEBRUARY)]
    step = CarryOverResult(CarryOver(up_to=110, draw="included_first"), brought, 100, 0, MARCH)
    assert step.cut == (CarriedUnits(20, JANUARY), CarriedUnits(20, FEBRUARY))
    assert step.carried == (CarriedUnits(10, FEBRUARY), CarriedUnits(100, MARCH))


def test_what_expires_leaves_room_under_the_cap() -> None:
    brought = [CarriedUnits(20, JANUARY, 1), CarriedUnits(30, FEBRUARY, 2)]
    step = CarryOverResult(CarryOver(up_to=30, expires_after=2), brought, 0, 0, MARCH)
    assert (step.expired, step.cut) == ((CarriedUnits(20, JANUARY, 1),), ())
    assert step.carried == (CarriedUnits(30, FEBRUARY, 1),)


def test_overage_that_is_carried_is_taken_from_the_next_allowance() -> None:
    rule = CarryOver(overage="carried")
    january = CarryOverResult(rule, [], 100, 130, JANUARY)
    assert (january.limit, january.free, january.overage) == (100, 130, 0)
    assert january.carried == (CarriedUnits(-30, JANUARY),)
    february = CarryOverResult(rule, january.carried, 100, 60, FEBRUARY)
    assert (february.limit, february.overage) == (70, 0)
    assert february.drawn == (CarriedUnits(90, FEBRUARY),)
    assert february.repaid == (CarriedUnits(-30, JANUARY),)
    assert february.carried == (CarriedUnits(10, FEBRUARY),)


def test_what_an_allowance_cannot_repay_is_taken_from_the_one_after_it() -> None:
    rule = CarryOver(overage="carried")
    found = months(rule, (100, 350), (100, 20), (400, 0))
    assert found[1].limit == 0
    assert found[1].carried == (CarriedUnits(-150, JANUARY), CarriedUnits(-20, FEBRUARY))
    assert found[2].limit == 230
    assert found[2].carried == (CarriedUnits(230, MARCH),)


def test_what_was_used_beforehand_stays_so_where_overage_is_charged_from_now_on() -> None:
    step = CarryOverResult(CarryOver(), [CarriedUnits(-150, JANUARY)], 100, 20, FEBRUARY)
    assert (step.limit, step.overage, step.carried) == (0, 20, (CarriedUnits(-50, JANUARY),))


def test_units_left_and_units_owed_can_be_brought_together() -> None:
    brought = [CarriedUnits(-10, JANUARY), CarriedUnits(30, FEBRUARY)]
    step = CarryOverResult(ROLLOVER, brought, 5, 22, MARCH)
    assert step.limit == 25
    assert step.drawn == (CarriedUnits(30, FEBRUARY), CarriedUnits(2, MARCH))
    assert step.carried == (CarriedUnits(3, MARCH),)


def test_quantities_have_decimals() -> None:
    step = CarryOverResult(ROLLOVER, [CarriedUnits("0.1", JANUARY)], "0.2", "0.25", FEBRUARY)
    assert (step.limit, step.carried) == (Decimal("0.3"), (CarriedUnits("0.05", FEBRUARY),))


def test_nothing_included_leaves_no_layer() -> None:
    step = CarryOverResult(ROLLOVER, [], 0, 0, JANUARY)
    assert (step.limit, step.drawn, step.carried) == (0, (), ())


def test_explaining_says_where_each_part_went() -> None:
    rule = CarryOver(up_to=50, expires_after=1)
    brought = [CarriedUnits(20, JANUARY, 1), CarriedUnits(1_000, FEBRUARY, 1)]
    assert CarryOverResult(rule, brought, 100, 30, MARCH).explain().splitlines() == [
        "Allowance of 2024-03-01 to 2024-04-01 UTC: limit 1,120, used 30, over 0",
        "",
        "from                          units  drawn  expired  cut  carried on",
        "2024-01-01 to 2024-02-01 UTC     20     20        0    0           0",
        "2024-02-01 to 2024-03-01 UTC  1,000     10      990    0           0",
        "included                        100      0        0   50          50",
    ]


def test_explaining_says_that_overage_is_carried() -> None:
    rule = CarryOver(overage="carried")
    step = CarryOverResult(rule, [CarriedUnits(-30, JANUARY)], 20, 5, FEBRUARY)
    assert step.explain().splitlines() == [
        "Allowance of 2024-02-01 to 2024-03-01 UTC: limit 0, used 5, over 5 (carried on)",
        "",
        "from                          units  drawn  expired  cut  carried on",
        "2024-01-01 to 2024-02-01 UTC    -30    -20        0    0         -10",
        "included                         20     20        0    0          -5",
    ]


odd: Any = "odd"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: CarryOverResult(odd, [], 1, 1, JANUARY),
            "rule: must be of type CarryOver, got 'odd'",
        ),
        (
            lambda: CarryOverResult(ROLLOVER, [odd], 1, 1, JANUARY),
            "brought[0]: must be of type CarriedUnits",
        ),
        (
            lambda: CarryOverResult(ROLLOVER, [], -1, 1, JANUARY),
            "included: must not be negative, got -1",
        ),
        (
            lambda: CarryOverResult(ROLLOVER, [], 1, 1.5, JANUARY),  # type: ignore[arg-type]
            "used: must be an int, a Decimal or",
        ),
        (
            lambda: CarryOverResult(
                ROLLOVER, [CarriedUnits(1, FEBRUARY), CarriedUnits(1, JANUARY)], 1, 1, MARCH
            ),
            "brought[1]: must come from a period after that of the one before, 2024-02-01T",
        ),
        (
            lambda: CarryOverResult(ROLLOVER, [CarriedUnits(1, JANUARY)], 1, 1, JANUARY),
            "period: must not start before 2024-01-01T00:00:00Z/2024-02-01T00:00:00Z ends, which",
        ),
    ],
)
def test_what_is_not_lawful_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        call()
    assert str(caught.value).startswith(message)


# Of the allowances of a plan


def test_what_is_carried_and_owed_are_parts_of_the_limit() -> None:
    rule = CarryOver(overage="carried")
    plan = Plan("p", "USD", {"runs": Allowance(100, DOLLAR, carry_over=rule)})
    first, second, third, fourth = settled(plan, 40, 190, 250, 0)
    assert parts(first) == []
    assert parts(second) == [
        ("included", 100),
        ("carried over from 2024-01-01", 60),
        ("from the next allowance", 30),
    ]
    assert parts(third)[:2] == [("included", 100), ("used beforehand in 2024-02-01", -30)]
    assert parts(third)[2] == ("from the next allowance", 180)
    assert fourth.statement["runs"].limit == 0
    assert fourth.balance.carried == {"runs": (CarriedUnits(-80, MAR),)}
    assert totals([first, second, third, fourth]) == [0, 0, 0, 0]


def test_units_that_a_discount_makes_free_are_used_last_and_never_carried() -> None:
    free = Discount("trial", quantity=20)
    offer = Allowance(100, DOLLAR, carry_over=CarryOver(), discounts=[free])
    found = settled(Plan("p", "USD", {"runs": offer}), 40, 170, 115, 100)
    assert [step.carry_overs["runs"].used for step in found] == [40, 160, 100, 100]
    assert [step.statement["runs"].limit for step in found] == [120, 180, 120, 120]
    assert totals(found) == [0, 0, 0, 0]
    owing = evolve(offer, carry_over=CarryOver(overage="carried"))
    (step,) = settled(Plan("p", "USD", {"runs": owing}), 130)
    assert [layer.quantity for layer in step.balance.carried["runs"]] == [-10]
    assert step.statement.total.minor == 0


def test_what_is_converted_or_brought_by_seats_is_carried_in_units() -> None:
    offer = Allowance(
        10, DOLLAR, included_per="seats", conversion=Conversion(divide=60), carry_over=CarryOver()
    )
    plan = Plan("p", "USD", {"seats": Allowance(None, DOLLAR), "runs": offer})
    found = settle(plan, Usage("org-1", JAN, {"seats": 3, "runs": 1_500}))
    assert found.balance.carried["runs"][0].quantity == 5
    found = settle(plan, Usage("org-1", FEB, {"seats": 1, "runs": 1_200}), found.balance)
    assert (found.statement["runs"].limit, found.statement["runs"].quantity) == (15, 5)


def test_usage_that_can_not_be_converted_names_its_metric() -> None:
    offer = Allowance(10, DOLLAR, conversion=Conversion(divide=3), carry_over=CarryOver())
    with pytest.raises(OveragesError) as caught:
        settle(Plan("p", "USD", {"runs": offer}), runs(1))
    assert caught.value.path[0] == "runs"


def test_an_own_limit_stands_in_place_of_what_is_included() -> None:
    first, second = settled(ROLLING, 40, 130, limits={"runs": 50})
    assert parts(second) == [("own limit", 50), ("carried over from 2024-01-01", 10)]
    assert totals([first, second]) == [0, 7000]


def test_a_part_of_a_period_has_its_share_of_what_is_included() -> None:
    first, last = JAN.split(datetime(2024, 1, 11, tzinfo=UTC))
    found = settle(ROLLING, runs(2, first), billing_period=JAN)
    assert found.balance.carried["runs"][0].quantity == 30
    found = settle(ROLLING, runs(0, last), found.balance, billing_period=JAN)
    assert found.statement["runs"].limit == 98


def test_what_was_carried_keeps_its_own_terms_under_another_rule() -> None:
    stricter = CarryOver(up_to=20, expires_after=1)
    new = Plan("new", "USD", {"runs": Allowance(50, DOLLAR, carry_over=stricter)})
    (first,) = settled(ROLLING, 40)
    found = settle(new, runs(10, FEB), first.balance)
    assert found.statement["runs"].limit == 110
    assert found.balance.carried["runs"] == (CarriedUnits(20, FEB, 1),)
    assert settle(PLAIN, runs(0, FEB), first.balance).balance == Balance()
