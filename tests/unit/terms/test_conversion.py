"""Conversions worked out by hand, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from tests.told import told

from overages import Conversion, Rounding
from overages.errors import InvalidType, InvalidValue, InvalidValues

MOST = 10**26 - 1
CALLS = Conversion(increment=6, minimum=60)


@pytest.mark.parametrize(
    ("conversion", "used", "units"),
    [
        (Conversion(), "7.5", "7.5"),
        (Conversion(multiply="1.5"), "4.2", "6.3"),
        (Conversion(divide=1000), 7_400, "7.4"),
        (Conversion(divide=1000, increment=1), 7_400, "8"),
        (Conversion(divide=1000, increment=1), 7_000, "7"),
        (Conversion(divide=1000, increment=1, rounding="half_up"), 3_500, "4"),
        (Conversion(divide=1000, increment=1, rounding="half_up"), 3_499, "3"),
        (Conversion(divide=1000, increment=1, rounding="down"), 999, "0"),
        (Conversion(divide=3, increment="0.01"), 1, "0.34"),
        (Conversion(increment=10), 15, "20"),
        (Conversion(multiply=2, divide=6), 9, "3"),
        (CALLS, 0, "0"),
        (CALLS, "0.000000000001", "60"),
        (CALLS, 60, "60"),
        (CALLS, "60.5", "66"),
        (CALLS, 72, "72"),
        (CALLS, 73, "78"),
        (Conversion(increment=7, minimum=60), 61, "67"),
        (Conversion(divide=60, minimum=1), 30, "1"),
        (Conversion(divide=60, minimum=1), 90, "1.5"),
        (Conversion(), MOST, str(MOST)),
    ],
)
def test_what_was_used_becomes_units(conversion: Conversion, used: Any, units: str) -> None:
    assert str(conversion.convert(used)) == units


@pytest.mark.parametrize(
    ("conversion", "used", "message"),
    [
        (
            Conversion(divide=3),
            1,
            "used: comes to 1/3 units, which no decimal equals and no increment rounds, got 1",
        ),
        (
            Conversion(divide=10**12),
            "0.5",
            "used: comes to 0.0000000000005 units, which must have at most 12 decimal digits, "
            "got 0.5",
        ),
        (
            Conversion(multiply=10),
            MOST,
            f"used: comes to {MOST * 10:,} units, which must have at most 26 integer digits, "
            f"got {MOST}",
        ),
        (Conversion(), -1, "used: must not be negative, got -1"),
    ],
)
def test_what_has_no_exact_quantity_is_refused(
    conversion: Conversion, used: Any, message: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        conversion.convert(used)
    assert str(caught.value) == message


def test_a_float_is_refused() -> None:
    used: Any = 1.5
    with pytest.raises(InvalidType, match=r"^used: must be an int, a Decimal or a decimal string"):
        CALLS.convert(used)


def test_many_faults_are_reported_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        Conversion(0, -1, 0, -1, "nearest")  # type: ignore[arg-type]
    assert told(caught.value) == (
        "5 problems:\n"
        "- multiply: must be more than zero, got 0\n"
        "- divide: must be more than zero, got -1\n"
        "- increment: must be more than zero, got 0\n"
        "- minimum: must not be negative, got -1\n"
        "- rounding: must be one of half_up, half_even, half_down, up, down, ceiling, floor, "
        "got 'nearest'"
    )


def test_a_conversion_is_a_value() -> None:
    same = Conversion("1.0", Decimal("60.0"), "1", rounding=Rounding.UP)
    assert len({Conversion(divide=60, increment=1), same}) == 1
    assert repr(same) == ("Conversion(divide=60, increment=1)")
