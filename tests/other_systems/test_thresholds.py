"""How other billing systems tell of thresholds, and this library too.

Each row is a numeric fact that another system's tests assert: its id names the system (Autumn,
FlexPrice, Lago, OpenMeter). Where a system names the one threshold that counts, it is the last one
that is passed on the way from zero. Where its steps begin at its last fixed threshold, they are
steps of the units beyond that.
"""

from fractions import Fraction

import pytest

from overages import (
    Allowance,
    Currency,
    Money,
    Period,
    PerUnit,
    Plan,
    Threshold,
    Usage,
    calculate,
    crossings,
)

FEB = Period.month(2024, 2)
MINOR = Currency("minor", exponent=0)


def used(*quantities: int, percent: int | None = None) -> list[Threshold]:
    """Return thresholds of units used, and one in per cent."""
    thresholds = [Threshold(quantity=quantity) for quantity in quantities]
    return thresholds if percent is None else [*thresholds, Threshold(percent=percent)]


def left(*quantities: int) -> list[Threshold]:
    """Return thresholds of units left."""
    return [Threshold(quantity=quantity, of="remaining") for quantity in quantities]


@pytest.mark.parametrize(
    ("before", "after", "levels", "passed"),
    [
        pytest.param(500, 510, [500], [], id="autumn-threshold-002"),
        pytest.param(9, 40, [10, 20, 31, 40], [10, 20, 31, 40], id="lago-threshold-001"),
    ],
)
def test_a_threshold_is_passed_by_the_total_that_reaches_it(
    before: int, after: int, levels: list[int], passed: list[int]
) -> None:
    reached = crossings(before, after, None, used(*levels)).reached
    assert [each.threshold.quantity for each in reached] == passed


@pytest.mark.parametrize(
    ("after", "limit", "thresholds", "last"),
    [
        pytest.param(
            25, 30, used(20, 10, 30), Threshold(quantity=20), id="openmeter-threshold-001",
        ),
        pytest.param(
            16, 30, used(20, 10, 30, percent=50), Threshold(percent=50),
            id="openmeter-threshold-004",
        ),
        pytest.param(
            15, 30, left(20, 10, 30), Threshold(quantity=20, of="remaining"),
            id="openmeter-threshold-007",
        ),
        pytest.param(
            30, 20, left(20, 10, 5), Threshold(quantity=5, of="remaining"),
            id="openmeter-threshold-010",
        ),
    ],
)  # fmt: skip
def test_the_last_one_that_is_passed_is_the_one_that_counts(
    after: int, limit: int, thresholds: list[Threshold], last: Threshold
) -> None:
    assert crossings(None, after, limit, thresholds).reached[-1].threshold == last


def test_steps_go_on_from_the_last_fixed_threshold() -> None:
    """lago-threshold-004: 100, and then each further 200; at 723, 900 is next."""
    fixed, steps, total = 100, Threshold(quantity=200, repeat=True), 723
    passed = crossings(None, total - fixed, None, [steps]).reached
    assert [fixed + each.level for each in passed] == [300, 500, 700]
    following = fixed + Fraction(steps.level(None, len(passed) + 1))
    assert following == 900
    before = fixed + Fraction(passed[-1].level)
    assert (total - before) / (following - before) == Fraction("0.115")


def test_an_amount_that_is_not_reached_bills_nothing() -> None:
    """flexprice-threshold-002: 500 units at 0.01, and 10.00 is the threshold."""
    plan = Plan("p", "USD", {"units": Allowance(0, PerUnit("0.01"))})
    total = calculate(plan, Usage("org", FEB, {"units": 500})).total
    assert crossings(None, total, None, [Threshold(cost=Money.of("10", "USD"))]).reached == ()


def test_progressive_bills_are_cut_where_the_total_lands_on_a_threshold() -> None:
    """lago-progressive_billing-002: at 0.02, 1,000,000 units twice, 20,000 is the threshold."""
    plan = Plan("p", MINOR, {"units": Allowance(0, PerUnit("0.02"))})
    totals = [
        calculate(plan, Usage("org", FEB, {"units": units})).total
        for units in (1_000_000, 2_000_000)
    ]
    threshold = Threshold(cost=Money(20_000, MINOR))
    cut = [
        [each.level for each in crossings(before, after, None, [threshold]).reached]
        for before, after in zip([None, totals[0]], totals, strict=True)
    ]
    assert cut == [[20_000], []]
    assert totals[1].minor - 20_000 + 3_100 == 23_100  # the rest of the final bill, and its base
