"""The rule of carry-over, and what a period leaves: what is taken, and what is refused."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import CarryOver, Period
from overages.errors import InvalidType, InvalidValue, InvalidValues, OveragesError
from overages.terms.carry_over import CarriedUnits

JANUARY = Period.month(2024, 1)


def test_without_a_bound_any_number_of_units_leaves_a_period() -> None:
    assert CarryOver().most(10) is None
    assert CarryOver().rounding.value == "floor"


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        (CarryOver(up_to=70), 70),
        (CarryOver(up_to=0), 0),
        (CarryOver(share="0.5"), 100),
        (CarryOver(share=Fraction(1, 3)), 67),
        (CarryOver(share=Fraction(1, 3), rounding="up"), 67),
        (CarryOver(share=Fraction(2, 3)), 134),
        (CarryOver(share=Fraction(1, 3), increment="0.5"), 67),
        (CarryOver(share=Fraction(1, 3), increment=10), 60),
        (CarryOver(share=Fraction(1, 3), increment=10, rounding="half_up"), 70),
        (CarryOver(share="1.5"), Decimal(301)),
        (CarryOver(share="0.01", increment="0.01"), Decimal("2.01")),
        (CarryOver(up_to=99, share="0.5"), 99),
        (CarryOver(up_to=101, share="0.5"), 100),
    ],
)
def test_the_smaller_bound_holds_and_a_share_is_floored(rule: CarryOver, most: Any) -> None:
    assert rule.most(201) == most


def test_a_share_is_kept_in_its_one_form() -> None:
    assert (
        CarryOver(share="0.50")
        == CarryOver(share=Fraction(1, 2))
        == CarryOver(share=Decimal("0.500"))
    )


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: CarryOver(-1), InvalidValue, "up_to: must not be negative, got -1"),
        (
            lambda: CarryOver(share=Fraction(10**26)),
            InvalidValue,
            "share: must have at most 26 integer digits",
        ),
        (lambda: CarryOver(share="-0.1"), InvalidValue, "share: must not be negative, got '-0.1'"),
        (lambda: CarryOver(share=0.5), InvalidType, "share: must be an int, a Decimal or a deci"),  # type: ignore[arg-type]
        (lambda: CarryOver(expires_after=0), InvalidValue, "expires_after: must be from 1 to 1,0"),
        (lambda: CarryOver(expires_after=True), InvalidType, "expires_after: must be an int"),
        (
            lambda: CarryOver(draw="newest_first"),  # type: ignore[arg-type]
            InvalidValue,
            "draw: must be one of oldest_first, included_first (did you mean 'oldest_first'?",
        ),
        (
            lambda: CarryOver(overage="free"),  # type: ignore[arg-type]
            InvalidValue,
            "overage: must be one of charged, carried, got 'free'",
        ),
        (lambda: CarryOver(increment=0), InvalidValue, "increment: must be more than zero, got 0"),
        (
            lambda: CarryOver(rounding="near"),  # type: ignore[arg-type]
            InvalidValue,
            "rounding: must be one of half_up, ha",
        ),
        (lambda: CarryOver().most(-1), InvalidValue, "included: must not be negative, got -1"),
        (lambda: CarriedUnits(0, JANUARY), InvalidValue, "quantity: must not be zero, got 0"),
        (
            lambda: CarriedUnits(1, JANUARY, 0),
            InvalidValue,
            "periods_left: must be from 1 to 1,000,001",
        ),
        (
            lambda: CarriedUnits(-1, JANUARY, 2),
            InvalidValue,
            "periods_left: must be None where the quantity is negative, got 2",
        ),
        (
            lambda: CarriedUnits(1, "2024-01"),  # type: ignore[arg-type]
            InvalidType,
            "period: must be of type Period, got '2024",
        ),
    ],
)
def test_what_is_not_lawful_is_refused(
    make: Callable[[], object], kind: type[OveragesError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_all_that_is_wrong_is_said_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        CarryOver(-1, "-1", increment=0)
    assert len(caught.value.errors) == 3


def test_what_is_carried_as_taken_too_much_never_expires() -> None:
    assert CarriedUnits(-5, Period.month(2024, 1)).quantity == -5
    with pytest.raises(InvalidValue, match="periods_left: must be None where the quantity is neg"):
        CarriedUnits(-5, Period.month(2024, 1), periods_left=1)


def test_a_share_is_of_units_that_sum_to_more_than_a_quantity_may_have() -> None:
    """Of two spans of a period, each may include as many as there are."""
    most = 99_999_999_999_999_999_999_999_999
    assert CarryOver(share="0.5").most(2 * most) == most
