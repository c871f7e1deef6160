"""Carrying: what an allowance comes to in a period, worked out by hand."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from overages import CarryOver, Period
from overages.errors import OveragesError
from overages.settlements.carrying import Carrying
from overages.terms.carry_over import Carried

JANUARY, FEBRUARY, MARCH, APRIL = (Period.month(2024, n) for n in range(1, 5))
ROLLOVER = CarryOver()


def months(rule: CarryOver, *numbers: tuple[int, int]) -> list[Carrying]:
    """Return what (included, used) come to in months from January on, one after the other."""
    steps: list[Carrying] = []
    for month, (included, used) in zip((JANUARY, FEBRUARY, MARCH, APRIL), numbers, strict=False):
        brought = steps[-1].carried if steps else ()
        steps.append(Carrying(rule, brought, included, used, month))
    return steps


def test_unused_units_go_to_the_next_period_and_say_where_they_come_from() -> None:
    january = Carrying(ROLLOVER, [], 100, 30, JANUARY)
    assert (january.limit, january.overage) == (100, 0)
    assert january.drawn == (Carried(30, JANUARY),)
    assert january.carried == (Carried(70, JANUARY),)
    february = Carrying(ROLLOVER, january.carried, 100, 180, FEBRUARY)
    assert (february.limit, february.overage) == (170, 10)
    assert february.drawn == (Carried(70, JANUARY), Carried(100, FEBRUARY))
    assert february.carried == ()


def test_the_oldest_is_drawn_first_unless_what_is_included_is() -> None:
    brought = [Carried(20, JANUARY), Carried(30, FEBRUARY)]
    oldest = Carrying(ROLLOVER, brought, 100, 40, MARCH)
    assert oldest.drawn == (Carried(20, JANUARY), Carried(20, FEBRUARY))
    assert oldest.carried == (Carried(10, FEBRUARY), Carried(100, MARCH))
    included = Carrying(CarryOver(draw="included_first"), brought, 100, 110, MARCH)
    assert included.drawn == (Carried(100, MARCH), Carried(10, JANUARY))
    assert included.carried == (Carried(10, JANUARY), Carried(30, FEBRUARY))
    assert included.limit == oldest.limit == 150


def test_units_expire_after_so_many_periods_after_their_own() -> None:
    found = months(CarryOver(expires_after=2, draw="included_first"), *[(100, 90)] * 4)
    assert [step.limit for step in found] == [100, 110, 120, 120]
    assert found[1].carried == (Carried(10, JANUARY, 1), Carried(10, FEBRUARY, 2))
    assert found[2].expired == (Carried(10, JANUARY, 1),)
    assert found[2].carried == (Carried(10, FEBRUARY, 1), Carried(10, MARCH, 2))


def test_a_layer_keeps_the_expiry_that_it_was_carried_with() -> None:
    step = Carrying(CarryOver(), [Carried(5, JANUARY, 1)], 0, 2, FEBRUARY)
    assert (step.limit, step.expired, step.carried) == (5, (Carried(3, JANUARY, 1),), ())


def test_where_the_cap_bites_the_oldest_is_cut() -> None:
    brought = [Carried(20, JANUARY), Carried(30, FEBRUARY)]
    step = Carrying(CarryOver(up_to=110, draw="included_first"), brought, 100, 0, MARCH)
    assert step.cut == (Carried(20, JANUARY), Carried(20, FEBRUARY))
    assert step.carried == (Carried(10, FEBRUARY), Carried(100, MARCH))


def test_what_expires_leaves_room_under_the_cap() -> None:
    brought = [Carried(20, JANUARY, 1), Carried(30, FEBRUARY, 2)]
    step = Carrying(CarryOver(up_to=30, expires_after=2), brought, 0, 0, MARCH)
    assert (step.expired, step.cut) == ((Carried(20, JANUARY, 1),), ())
    assert step.carried == (Carried(30, FEBRUARY, 1),)


def test_overage_that_is_carried_is_taken_from_the_next_allowance() -> None:
    rule = CarryOver(overage="carried")
    january = Carrying(rule, [], 100, 130, JANUARY)
    assert (january.overage, january.carried) == (0, (Carried(-30, JANUARY),))
    february = Carrying(rule, january.carried, 100, 60, FEBRUARY)
    assert (february.limit, february.overage) == (70, 0)
    assert february.drawn == (Carried(90, FEBRUARY),)
    assert february.repaid == (Carried(-30, JANUARY),)
    assert february.carried == (Carried(10, FEBRUARY),)


def test_what_an_allowance_cannot_repay_is_taken_from_the_one_after_it() -> None:
    rule = CarryOver(overage="carried")
    found = months(rule, (100, 350), (100, 20), (400, 0))
    assert found[1].limit == 0
    assert found[1].carried == (Carried(-150, JANUARY), Carried(-20, FEBRUARY))
    assert found[2].limit == 230
    assert found[2].carried == (Carried(230, MARCH),)


def test_what_was_used_beforehand_stays_so_where_overage_is_charged_from_now_on() -> None:
    step = Carrying(CarryOver(), [Carried(-150, JANUARY)], 100, 20, FEBRUARY)
    assert (step.limit, step.overage, step.carried) == (0, 20, (Carried(-50, JANUARY),))


def test_units_left_and_units_owed_can_be_brought_together() -> None:
    brought = [Carried(-10, JANUARY), Carried(30, FEBRUARY)]
    step = Carrying(ROLLOVER, brought, 5, 22, MARCH)
    assert step.limit == 25
    assert step.drawn == (Carried(30, FEBRUARY), Carried(2, MARCH))
    assert step.carried == (Carried(3, MARCH),)


def test_quantities_have_decimals() -> None:
    step = Carrying(ROLLOVER, [Carried("0.1", JANUARY)], "0.2", "0.25", FEBRUARY)
    assert (step.limit, step.carried) == (
        Decimal("0.3"),
        (Carried("0.05", FEBRUARY),),
    )


def test_nothing_included_leaves_no_layer() -> None:
    step = Carrying(ROLLOVER, [], 0, 0, JANUARY)
    assert (step.limit, step.drawn, step.carried) == (0, (), ())


def test_explaining_says_where_each_part_went() -> None:
    rule = CarryOver(up_to=50, expires_after=1)
    brought = [Carried(20, JANUARY, 1), Carried(1_000, FEBRUARY, 1)]
    assert Carrying(rule, brought, 100, 30, MARCH).explain().splitlines() == [
        "Allowance of 2024-03-01 to 2024-04-01 UTC: limit 1,120, used 30, over 0",
        "",
        "from                          units  drawn  expired  cut  carried on",
        "2024-01-01 to 2024-02-01 UTC     20     20        0    0           0",
        "2024-02-01 to 2024-03-01 UTC  1,000     10      990    0           0",
        "included                        100      0        0   50          50",
    ]


def test_explaining_says_that_overage_is_carried() -> None:
    rule = CarryOver(overage="carried")
    step = Carrying(rule, [Carried(-30, JANUARY)], 20, 5, FEBRUARY)
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
        (lambda: Carrying(odd, [], 1, 1, JANUARY), "rule: must be of type CarryOver, got 'odd'"),
        (lambda: Carrying(ROLLOVER, [odd], 1, 1, JANUARY), "brought[0]: must be of type Carried"),
        (lambda: Carrying(ROLLOVER, [], -1, 1, JANUARY), "included: must not be negative, got -1"),
        (lambda: Carrying(ROLLOVER, [], 1, 1.5, JANUARY), "used: must be an int, a Decimal or"),  # type: ignore[arg-type]
        (
            lambda: Carrying(ROLLOVER, [Carried(1, FEBRUARY), Carried(1, JANUARY)], 1, 1, MARCH),
            "brought[1]: must come from a period after that of the one before, 2024-02-01T",
        ),
        (
            lambda: Carrying(ROLLOVER, [Carried(1, JANUARY)], 1, 1, JANUARY),
            "period: must not start before 2024-01-01T00:00:00Z/2024-02-01T00:00:00Z ends, which",
        ),
    ],
)
def test_what_is_not_lawful_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        call()
    assert str(caught.value).startswith(message)
