"""Graduated prices of units that are there for part of a period, worked out by hand."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from overages import Graduated, Tier, Volume, prorated_cost
from overages.errors import InvalidType, InvalidValue, InvalidValues

SEATS = Graduated([Tier(5, price=10, flat=100), Tier(None, price=5, flat=50)])
PLAIN = Graduated([Tier(5, price=10), Tier(None, price=5)])
HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("price", "events", "cost"),
    [
        (PLAIN, [], "0"),
        (PLAIN, [(0, 0)], "0"),
        (PLAIN, [(7, 7)], "60"),
        (PLAIN, [(7, "3.5")], "30"),  # each of the seven for half of the period
        (PLAIN, [(3, 3), (4, 2)], "45"),  # 30, and of 2 x 10 + 2 x 5 one half
        (PLAIN, [(7, 7), (-4, -2)], "45"),  # the same seen from the end
        (PLAIN, [(7, 7), (-7, -7)], "0"),
        (PLAIN, [(1, Fraction(1, 3))], "10/3"),
        (PLAIN, [("2.5", "1.25")], "12.5"),
        (SEATS, [(5, 5)], "150"),
        (SEATS, [(6, 0)], "150"),  # flat fees are due whole
        (SEATS, [(6, 6), (-6, -6)], "150"),
        (SEATS, [(1, 0), (-1, -1)], "90"),  # more is given back than was counted
        (PLAIN, [(1, 0), (-1, -1)], "0"),
        (SEATS, [(6, 6), (-7, 0)], "0"),
        (PLAIN, [(-2, -1), (2, 2)], "10"),
        (PLAIN, [(-2, -2), (7, 7)], "50"),
        (Graduated([Tier(None, 1, flat=3)]), [], "0"),
        (Graduated([Tier(None, 1, flat=3)], flat_at_zero=True), [], "3"),
        (Graduated([Tier(None, 1, per=4, flat=3, maximum=4)]), [(2, 2)], "3.5"),
        (Graduated([Tier(None, 1, per=4, flat=3, maximum=4)]), [(9, 9)], "4"),
    ],
)
def test_slices_count_by_the_share_of_their_event(
    price: Graduated, events: list[Any], cost: str
) -> None:
    assert prorated_cost(price, iter(events)) == Fraction(cost)


def test_the_cost_is_a_decimal_where_one_is_exact() -> None:
    assert repr(prorated_cost(PLAIN, [(1, HALF)])) == "Decimal('5')"
    assert repr(prorated_cost(PLAIN, [(1, Fraction(1, 3))])) == "Fraction(10, 3)"
    assert prorated_cost(PLAIN, [(-1, -1)]) == Decimal(0)


def test_faults_of_events_are_reported_together() -> None:
    events: Any = [(1, 2), (1, -1), (-1, 1), (0, 1), (1.5, "x"), (1,), "12"]
    with pytest.raises(InvalidValues) as caught:
        prorated_cost(PLAIN, events)
    assert str(caught.value) == (
        "8 problems:\n"
        "- events[0].weight: must lie between 0 and the units, 1, got 2\n"
        "- events[1].weight: must lie between 0 and the units, 1, got -1\n"
        "- events[2].weight: must lie between 0 and the units, -1, got 1\n"
        "- events[3].weight: must lie between 0 and the units, 0, got 1\n"
        "- events[4].units: must be an int, a Decimal or a decimal string, got 1.5\n"
        "- events[4].weight: must be a plain decimal number such as 12.5, got 'x'\n"
        "- events[5]: must be a tuple of units and their weight, got (1,)\n"
        "- events[6]: must be a tuple of units and their weight, got '12'"
    )


def test_packages_are_refused() -> None:
    with pytest.raises(
        InvalidValue,
        match=r"^price\.tiers\[1\]\.size: must be None, for a share of a package has no price, got",
    ):
        prorated_cost(Graduated([Tier(5, 1), Tier(None, 1, size=10)]), [])


def test_another_price_is_refused() -> None:
    volume: Any = Volume([Tier(None, 1)])
    with pytest.raises(InvalidType, match=r"^price: must be of type Graduated, got Volume"):
        prorated_cost(volume, [])
