"""Rounding: seven rules by a table, and the shares that lose nothing."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import Rounding
from overages.amounts.rounding import (
    allocate,
    floor_form,
    parse_rounding,
    round_ratio,
    round_together,
)
from overages.errors import InvalidType, InvalidValue

RULES = ["half_up", "half_even", "half_down", "up", "down", "ceiling", "floor"]
E40 = 10**40
# Each row: the number n / d, then what every rule (in the order above) makes of it.
TABLE = [
    (0, 1, [0, 0, 0, 0, 0, 0, 0]),
    (1, 4, [0, 0, 0, 1, 0, 1, 0]),
    (1, 3, [0, 0, 0, 1, 0, 1, 0]),
    (49, 100, [0, 0, 0, 1, 0, 1, 0]),
    (1, 2, [1, 0, 0, 1, 0, 1, 0]),
    (51, 100, [1, 1, 1, 1, 0, 1, 0]),
    (2, 3, [1, 1, 1, 1, 0, 1, 0]),
    (3, 4, [1, 1, 1, 1, 0, 1, 0]),
    (1, 1, [1, 1, 1, 1, 1, 1, 1]),
    (5, 4, [1, 1, 1, 2, 1, 2, 1]),
    (3, 2, [2, 2, 1, 2, 1, 2, 1]),
    (7, 4, [2, 2, 2, 2, 1, 2, 1]),
    (5, 2, [3, 2, 2, 3, 2, 3, 2]),
    (7, 2, [4, 4, 3, 4, 3, 4, 3]),
    (6, 2, [3, 3, 3, 3, 3, 3, 3]),
    (-1, 4, [0, 0, 0, -1, 0, 0, -1]),
    (-1, 3, [0, 0, 0, -1, 0, 0, -1]),
    (-1, 2, [-1, 0, 0, -1, 0, 0, -1]),
    (-2, 3, [-1, -1, -1, -1, 0, 0, -1]),
    (-1, 1, [-1, -1, -1, -1, -1, -1, -1]),
    (-5, 4, [-1, -1, -1, -2, -1, -1, -2]),
    (-3, 2, [-2, -2, -1, -2, -1, -1, -2]),
    (-5, 2, [-3, -2, -2, -3, -2, -2, -3]),
    (-7, 2, [-4, -4, -3, -4, -3, -3, -4]),
    (2 * E40 + 1, 2, [E40 + 1, E40, E40, E40 + 1, E40, E40 + 1, E40]),
    (5 * E40 - 1, 10 * E40, [0, 0, 0, 1, 0, 1, 0]),
    (5 * E40 + 1, 10 * E40, [1, 1, 1, 1, 0, 1, 0]),
]
CASES = [
    pytest.param(n, d, rule, rounded, id=f"{n}/{d}-{rule}" if d < E40 else f"huge-{rule}")
    for n, d, row in TABLE
    for rule, rounded in zip(RULES, row, strict=True)
]


@pytest.mark.parametrize(("numerator", "denominator", "rule", "rounded"), CASES)
def test_each_rule_rounds_by_the_table(
    numerator: int, denominator: int, rule: str, rounded: int
) -> None:
    assert round_ratio(numerator, denominator, Rounding(rule)) == rounded
    assert Rounding(rule).round(Fraction(numerator, denominator)) == rounded


def test_the_table_has_every_rule() -> None:
    assert [rule.value for rule in Rounding] == RULES


@pytest.mark.parametrize(
    ("rule", "form"),
    [
        (Rounding.HALF_UP, (2, 100, 200)),
        (Rounding.HALF_DOWN, (2, 99, 200)),
        (Rounding.UP, (1, 99, 100)),
        (Rounding.CEILING, (1, 99, 100)),
        (Rounding.DOWN, (1, 0, 100)),
        (Rounding.FLOOR, (1, 0, 100)),
        (Rounding.HALF_EVEN, None),
    ],
)
def test_all_rules_but_half_even_are_one_floor_division(
    rule: Rounding, form: tuple[int, int, int] | None
) -> None:
    assert floor_form(100, rule) == form


@pytest.mark.parametrize("value", ["half_even", Rounding.HALF_EVEN])
def test_a_rounding_is_made_of_itself_or_its_name(value: object) -> None:
    assert parse_rounding(value, "rounding") is Rounding.HALF_EVEN


@pytest.mark.parametrize("value", ["HALF_EVEN", "ROUND_HALF_EVEN", "", None, 1, ["up"]])
def test_an_unknown_rounding_is_refused(value: object) -> None:
    names = "half_up, half_even, half_down, up, down, ceiling, floor"
    with pytest.raises(
        InvalidValue, match=f"^rounding: must be one of {names}(, got | .did you mean)"
    ):
        parse_rounding(value, "rounding")


@pytest.mark.parametrize(
    ("value", "increment", "rule", "form"),
    [
        ("10.275", "0.01", "half_up", "Decimal('10.28')"),
        ("10.275", "0.01", "half_even", "Decimal('10.28')"),
        ("10.265", "0.01", "half_even", "Decimal('10.26')"),
        ("-10.275", "0.01", "half_up", "Decimal('-10.28')"),
        ("-10.275", "0.01", "ceiling", "Decimal('-10.27')"),
        (90, 60, "up", "120"),
        (90, 60, "down", "60"),
        (0, 60, "up", "0"),
        (Decimal("1.10"), "0.05", "half_up", "Decimal('1.1')"),
        ("1.99", "0.5", "half_up", "2"),
        (Fraction(2, 3), "0.0001", "half_up", "Decimal('0.6667')"),
        (Fraction(-2, 3), Decimal("0.0001"), "floor", "Decimal('-0.6667')"),
    ],
)
def test_a_rule_rounds_to_a_multiple_of_the_increment(
    value: Any, increment: Any, rule: str, form: str
) -> None:
    assert repr(Rounding(rule).round(value, increment)) == form


def test_a_rule_rounds_to_whole_numbers_unless_told() -> None:
    assert [Rounding.HALF_UP.round(number) for number in ("2.5", "-2.5", "2.49")] == [3, -3, 2]


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((2.5,), InvalidType, r"^value: must be an int, a Decimal or a decimal string, got 2\.5$"),
        ((2, 0.1), InvalidType, r"^increment: must be an int, a Decimal"),
        ((2, 0), InvalidValue, r"^increment: must be more than zero, got 0$"),
        ((2, "-0.01"), InvalidValue, r"^increment: must be more than zero, got '-0\.01'$"),
    ],
)
def test_a_rule_refuses_what_is_no_number_or_no_increment(
    args: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Rounding.HALF_UP.round(*args)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, [1, 1, 1], (34, 33, 33)),
        (101, [1, 1, 1], (34, 34, 33)),
        (-100, [1, 1, 1], (-34, -33, -33)),
        (5, [3, 7], (2, 3)),  # 1.5 and 3.5: the left-over unit goes to the earlier
        (10, [1, 2, 4], (1, 3, 6)),  # 1.43, 2.86, 5.71: the two left over go to the latter two
        (1, [0, 1], (0, 1)),
        (100, [0, 0, 5], (0, 0, 100)),
        (0, [1, 1], (0, 0)),
        (0, [0, 0], (0, 0)),
        (0, [], ()),
        (3, ["0.5", Decimal("0.25"), "0.25"], (1, 1, 1)),  # 1.5, 0.75, 0.75
        (7, [Fraction(1, 3), Fraction(2, 3)], (2, 5)),  # 2.33 and 4.67
        (10**30, [1, 2], (333333333333333333333333333333, 666666666666666666666666666667)),
    ],
)
def test_allocate_splits_by_weight_and_loses_nothing(
    total: int, weights: Any, shares: tuple[int, ...]
) -> None:
    assert allocate(total, weights) == shares


def test_allocate_reads_weights_once() -> None:
    assert allocate(7, iter([1, 1])) == (4, 3)


@pytest.mark.parametrize(
    ("total", "weights", "error", "message"),
    [
        (1.0, [1], InvalidType, r"^total: must be an int, got 1\.0$"),
        (True, [1], InvalidType, r"^total: must be an int, got True$"),
        (1, [1, -1], InvalidValue, r"^weights\[1\]: must not be negative, got -1$"),
        (1, [0.5], InvalidType, r"^weights\[0\]: must be an int, a Decimal"),
        (1, [Fraction(-1, 3)], InvalidValue, r"^weights\[0\]: must not be negative"),
        (1, [0, "0.0"], InvalidValue, r"^weights: must not all be zero, got \(0, '0.0'\)$"),
        (1, [], InvalidValue, r"^weights: must not all be zero, got \(\)$"),
    ],
)
def test_allocate_refuses_what_can_not_be_split(
    total: Any, weights: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        allocate(total, weights)


@pytest.mark.parametrize(
    ("ratios", "rule", "rounded"),
    [
        ([], "half_up", ()),
        ([(1, 2), (1, 2), (2, 1)], "half_up", (1, 0, 2)),
        ([(1, 3), (1, 3), (1, 3)], "down", (1, 0, 0)),  # the sum is 1 exactly
        ([(4, 10), (4, 10), (4, 10)], "half_up", (1, 0, 0)),  # 1.2 to 1
        ([(4, 10), (4, 10), (4, 10)], "up", (1, 1, 0)),  # 1.2 to 2
        ([(6, 10), (9, 10)], "half_even", (1, 1)),  # 1.5 to 2
        ([(6, 10), (9, 10)], "half_down", (0, 1)),  # 1.5 to 1
        ([(5, 1), (1, 100)], "up", (5, 1)),
    ],
)
def test_round_together_rounds_the_sum_once_and_spreads_it(
    ratios: list[tuple[int, int]], rule: str, rounded: tuple[int, ...]
) -> None:
    assert round_together(ratios, Rounding(rule)) == rounded
