"""Carrying: what an allowance comes to in a period, worked out by hand."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from overages import Carried, CarryOver, Period, carry, carry_all
from overages.errors import OveragesError

JANUARY, FEBRUARY, MARCH, APRIL = (Period.month(2024, n) for n in range(1, 5))
ROLLOVER = CarryOver()


def row(period: Period, *numbers: int) -> tuple[Period, Any, Any]:
    """Return a row of what is included and used."""
    included, used = numbers
    return period, included, used


def test_unused_units_go_to_the_next_period_and_say_where_they_come_from() -> None:
    january = carry(ROLLOVER, [], 100, 30, JANUARY)
    assert (january.limit, january.overage) == (100, 0)
    assert january.drawn == (Carried(30, JANUARY),)
    assert january.carried == (Carried(70, JANUARY),)
    february = carry(ROLLOVER, january.carried, 100, 180, FEBRUARY)
    assert (february.limit, february.overage) == (170, 10)
    assert february.drawn == (Carried(70, JANUARY), Carried(100, FEBRUARY))
    assert february.carried == ()


def test_the_oldest_is_drawn_first_unless_what_is_included_is() -> None:
    brought = [Carried(20, JANUARY), Carried(30, FEBRUARY)]
    oldest = carry(ROLLOVER, brought, 100, 40, MARCH)
    assert oldest.drawn == (Carried(20, JANUARY), Carried(20, FEBRUARY))
    assert oldest.carried == (Carried(10, FEBRUARY), Carried(100, MARCH))
    included = carry(CarryOver(draw="included_first"), brought, 100, 110, MARCH)
    assert included.drawn == (Carried(100, MARCH), Carried(10, JANUARY))
    assert included.carried == (Carried(10, JANUARY), Carried(30, FEBRUARY))
    assert included.limit == oldest.limit == 150


def test_units_expire_after_so_many_periods_after_their_own() -> None:
    months = [row(month, 100, 90) for month in (JANUARY, FEBRUARY, MARCH, APRIL)]
    found = carry_all(CarryOver(expires_after=2, draw="included_first"), months)
    assert [step.limit for step in found] == [100, 110, 120, 120]
    assert found[1].carried == (Carried(10, JANUARY, 1), Carried(10, FEBRUARY, 2))
    assert found[2].expired == (Carried(10, JANUARY, 1),)
    assert found[2].carried == (Carried(10, FEBRUARY, 1), Carried(10, MARCH, 2))


def test_a_layer_keeps_the_expiry_that_it_was_carried_with() -> None:
    step = carry(CarryOver(), [Carried(5, JANUARY, 1)], 0, 2, FEBRUARY)
    assert (step.limit, step.expired, step.carried) == (5, (Carried(3, JANUARY, 1),), ())


def test_where_the_cap_bites_the_oldest_is_cut() -> None:
    brought = [Carried(20, JANUARY), Carried(30, FEBRUARY)]
    step = carry(CarryOver(up_to=110, draw="included_first"), brought, 100, 0, MARCH)
    assert step.cut == (Carried(20, JANUARY), Carried(20, FEBRUARY))
    assert step.carried == (Carried(10, FEBRUARY), Carried(100, MARCH))


def test_what_expires_leaves_room_under_the_cap() -> None:
    brought = [Carried(20, JANUARY, 1), Carried(30, FEBRUARY, 2)]
    step = carry(CarryOver(up_to=30, expires_after=2), brought, 0, 0, MARCH)
    assert (step.expired, step.cut) == ((Carried(20, JANUARY, 1),), ())
    assert step.carried == (Carried(30, FEBRUARY, 1),)


def test_overage_that_is_carried_is_taken_from_the_next_allowance() -> None:
    rule = CarryOver(overage="carried")
    january = carry(rule, [], 100, 130, JANUARY)
    assert (january.overage, january.carried) == (0, (Carried(-30, JANUARY),))
    february = carry(rule, january.carried, 100, 60, FEBRUARY)
    assert (february.limit, february.overage) == (70, 0)
    assert february.drawn == (Carried(90, FEBRUARY),)
    assert february.repaid == (Carried(-30, JANUARY),)
    assert february.carried == (Carried(10, FEBRUARY),)


def test_what_an_allowance_cannot_repay_is_taken_from_the_one_after_it() -> None:
    rule = CarryOver(overage="carried")
    found = carry_all(rule, [row(JANUARY, 100, 350), row(FEBRUARY, 100, 20), row(MARCH, 400, 0)])
    assert found[1].limit == 0
    assert found[1].carried == (Carried(-150, JANUARY), Carried(-20, FEBRUARY))
    assert found[2].limit == 230
    assert found[2].carried == (Carried(230, MARCH),)


def test_what_was_used_beforehand_stays_so_where_overage_is_charged_from_now_on() -> None:
    step = carry(CarryOver(), [Carried(-150, JANUARY)], 100, 20, FEBRUARY)
    assert (step.limit, step.overage, step.carried) == (0, 20, (Carried(-50, JANUARY),))


def test_units_left_and_units_owed_can_be_brought_together() -> None:
    brought = [Carried(-10, JANUARY), Carried(30, FEBRUARY)]
    step = carry(ROLLOVER, brought, 5, 22, MARCH)
    assert step.limit == 25
    assert step.drawn == (Carried(30, FEBRUARY), Carried(2, MARCH))
    assert step.carried == (Carried(3, MARCH),)


def test_quantities_have_decimals() -> None:
    step = carry(ROLLOVER, [Carried("0.1", JANUARY)], "0.2", "0.25", FEBRUARY)
    assert (step.limit, step.carried) == (
        Decimal("0.3"),
        (Carried("0.05", FEBRUARY),),
    )


def test_nothing_included_leaves_no_layer() -> None:
    step = carry(ROLLOVER, [], 0, 0, JANUARY)
    assert (step.limit, step.drawn, step.carried) == (0, (), ())


def test_explaining_says_where_each_part_went() -> None:
    rule = CarryOver(up_to=50, expires_after=1)
    brought = [Carried(20, JANUARY, 1), Carried(1_000, FEBRUARY, 1)]
    assert carry(rule, brought, 100, 30, MARCH).explain().splitlines() == [
        "Allowance of 2024-03-01 to 2024-04-01 UTC: limit 1,120, used 30, over 0",
        "",
        "from                          units  drawn  expired  cut  carried on",
        "2024-01-01 to 2024-02-01 UTC     20     20        0    0           0",
        "2024-02-01 to 2024-03-01 UTC  1,000     10      990    0           0",
        "included                        100      0        0   50          50",
    ]


def test_explaining_says_that_overage_is_carried() -> None:
    rule = CarryOver(overage="carried")
    step = carry(rule, [Carried(-30, JANUARY)], 20, 5, FEBRUARY)
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
        (lambda: carry(odd, [], 1, 1, JANUARY), "rule: must be of type CarryOver, got 'odd'"),
        (lambda: carry(ROLLOVER, [odd], 1, 1, JANUARY), "brought[0]: must be of type Carried"),
        (lambda: carry(ROLLOVER, [], -1, 1, JANUARY), "included: must not be negative, got -1"),
        (lambda: carry(ROLLOVER, [], 1, 1.5, JANUARY), "used: must be an int, a Decimal or"),  # type: ignore[arg-type]
        (
            lambda: carry(ROLLOVER, [Carried(1, FEBRUARY), Carried(1, JANUARY)], 1, 1, MARCH),
            "brought[1]: must come from a period after that of the one before, 2024-02-01T",
        ),
        (
            lambda: carry(ROLLOVER, [Carried(1, JANUARY)], 1, 1, JANUARY),
            "period: must not start before 2024-01-01T00:00:00Z/2024-02-01T00:00:00Z ends, which",
        ),
        (
            lambda: carry_all(ROLLOVER, [row(JANUARY, 1, 1), row(JANUARY, 1, 1)]),
            "periods[1].period: must not start before the one before it ends, 2024-01-01T00:00:00Z",
        ),
        (
            lambda: carry_all(ROLLOVER, [row(JANUARY, 1, 1), row(FEBRUARY, -1, 1)]),
            "periods[1].included: must not be negative, got -1",
        ),
        (
            lambda: carry_all(ROLLOVER, [(JANUARY, 1)]),  # type: ignore[list-item]
            "periods[0]: must hold (period, included, used) alone, got (Period.parse(",
        ),
        (lambda: carry_all(ROLLOVER, [5]), "periods[0]: must hold (period, included, used) alo"),  # type: ignore[list-item]
        (lambda: carry_all(ROLLOVER, 5), "periods: must be a list, or something else to"),  # type: ignore[arg-type]
    ],
)
def test_what_is_not_lawful_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(OveragesError) as caught:
        call()
    assert str(caught.value).startswith(message)
