"""Increments: the steps that quantities are counted in."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import Increment, Rounding
from overages.errors import InvalidType, InvalidValues, OveragesError


@pytest.mark.parametrize(
    ("increment", "quantity", "expected"),
    [
        (Increment(60), 0, 0),
        (Increment(60), 1, 60),
        (Increment(60), 60, 60),
        (Increment(60), "60.000000000001", 120),
        (Increment(1, first=60), 0, 0),
        (Increment(1, first=60), "0.1", 60),
        (Increment(1, first=60), 60, 60),
        (Increment(1, first=60), "60.5", 61),
        (Increment(6, first=30), 31, 36),
        (Increment(1_000), 7_400, 8_000),
        (Increment(60, rounding="down"), 119, 60),
        (Increment(60, first=60, rounding="down"), 1, 60),
        (Increment("0.25", rounding="half_even"), "0.375", Decimal("0.5")),
        (Increment(1), Fraction(10, 3), 4),
    ],
)
def test_a_quantity_counts_in_steps_and_a_negative_one_as_much_below_zero(
    increment: Increment, quantity: Any, expected: Any
) -> None:
    assert repr(increment.counted(quantity)) == repr(expected)
    assert repr(increment.counted(-Fraction(quantity))) == repr(-expected)


def test_up_is_the_default_and_away_from_zero() -> None:
    assert Increment(60).rounding is Rounding.UP
    assert Increment(60).counted(-1) == -60


def test_equal_increments_are_equal_however_they_are_written() -> None:
    assert len({Increment("1.0", first=0), Increment(1), Increment(1, rounding="up")}) == 1


@pytest.mark.parametrize(
    ("increment", "text"),
    [
        (Increment(60), "Increment(step=60)"),
        (
            Increment("0.5", first=2, rounding="down"),
            "Increment(step=Decimal('0.5'), first=2, rounding='down')",
        ),
    ],
)
def test_the_repr_of_an_increment_makes_it_again(increment: Increment, text: str) -> None:
    assert repr(increment) == text
    assert eval(text) == increment


def test_an_increment_with_many_faults_reports_them_all() -> None:
    with pytest.raises(InvalidValues) as caught:
        Increment(0, first=-1, rounding="upwards")  # type: ignore[arg-type]
    assert [str(error).partition(":")[0] for error in caught.value.errors] == [
        "step", "first", "rounding",
    ]  # fmt: skip


def test_a_float_is_refused() -> None:
    odd: Any = 0.5
    with pytest.raises(InvalidType, match=r"^step: must be an int"):
        Increment(odd)
    with pytest.raises(OveragesError, match=r"^quantity: must be an int"):
        Increment(1).counted(odd)
