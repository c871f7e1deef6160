"""How other billing systems carry and reset allowances, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (Autumn, FlexPrice, OpenMeter, Zuora). They name the rules in many ways; what each is here
stands in the row.
"""

import pytest

from overages import (
    Allowance,
    CarryOver,
    Cycle,
    Money,
    Period,
    PerUnit,
    Plan,
    Usage,
    calculate,
    carry_all,
)

MONTHS = [Period.month(2024, n) for n in range(1, 13)]
DAYS = [Cycle.calendar("day").period(n) for n in range(2)]


@pytest.mark.parametrize(
    ("rule", "periods", "included", "used", "carried", "next_limit"),
    [
        # Half of what is included may be rolled over, rounded down; 150 are unused.
        pytest.param(CarryOver(share="0.5"), MONTHS, 200, 50, 100, 300, id="autumn-rollover-001"),
        # Unused units are rolled over for two periods.
        pytest.param(
            CarryOver(expires_after=2), MONTHS, 1000, 800, 200, 1200, id="zuora-rollover-001"
        ),
        # A grant of each day pays the overage that was preserved of the day before.
        pytest.param(
            CarryOver(up_to=0, overage="carried"),
            DAYS,
            100,
            120,
            -20,
            80,
            id="openmeter-grant-burndown-008",
        ),
    ],
)
def test_what_is_left_goes_to_the_next_period(
    rule: CarryOver, periods: list[Period], included: int, used: int, carried: int, next_limit: int
) -> None:
    first, second = carry_all(rule, [(periods[0], included, used), (periods[1], included, 0)])
    assert first.overage == 0
    assert [layer.quantity for layer in first.carried] == [carried]
    assert second.limit == next_limit


@pytest.mark.parametrize(
    ("windows", "quantity", "amount"),
    [
        pytest.param([(40, 100), (250, 100), (60, 50)], 160, "80.00", id="flexprice-allowance-002"),
        pytest.param([(130, 100)], 30, "15.00", id="flexprice-allowance-005"),  # at the same price
    ],
)
def test_windows_without_carry_over_add_up(
    windows: list[tuple[int, int]], quantity: int, amount: str
) -> None:
    plan = Plan("p", "USD", {"calls": Allowance(0, PerUnit("0.5"))})
    lines = [
        calculate(plan, Usage("org-1", month, {"calls": used}), limits={"calls": limit})["calls"]
        for month, (used, limit) in zip(MONTHS, windows, strict=False)
    ]
    assert sum(line.quantity for line in lines) == quantity
    assert sum((line.cost for line in lines), Money(0, "USD")) == Money.of(amount, "USD")
