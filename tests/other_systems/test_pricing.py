"""What other billing systems make of a price and a quantity, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (Lago, Autumn, Polar, OpenMeter, FlexPrice, Meteroid, Kill Bill, CGRateS, Stripe, Zuora ...).
Prices and costs are in major currency units. Two things are written our way:

- A price table is open at its end here, so where a system's last tier has a bound, it has none.
- Where a system charges zero usage the first tier's flat fee, the table says ``flat_at_zero=True``.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from overages import (
    Conversion,
    Exchanged,
    Graduated,
    Money,
    Package,
    PerUnit,
    PriceModel,
    Tier,
    TierCharge,
    Volume,
    charge_between,
)

PER_UNIT = [
    pytest.param(PerUnit("1.0", per=60), 600, "10", id="cgrates-perunit-001"),
    pytest.param(PerUnit("0.001"), 100, "0.10", id="meteroid-per-unit-001"),
]

PACKAGES = [
    pytest.param(Package("1.25", size=1_000_000), 10, "1.25", id="chargebee-package-001"),
    pytest.param(Package("1", size=100), 100, "1", id="flexprice-package-002"),
    pytest.param(Package("1", size=100, count="completed"), 250, "2", id="flexprice-package-005"),
    pytest.param(Package("2.95", size=100), 0, "0", id="killbill-package-002"),
    pytest.param(Package("15", size=10), 10, "15", id="openmeter-package-002"),
    # The system asserts how many packages: at a price of 1 that is the cost.
    pytest.param(Package("1", size=10), 9, "1", id="openmeter-package-005"),
    pytest.param(Package("10", size=60), 150, "30", id="stripe-package-001"),
]

# fmt: off
S3_STORAGE_IN_2011 = Graduated([  # bounded at 460,800 GB
    Tier(1_024, price="0.140"),
    Tier(51_200, price="0.125"),
    Tier(None, price="0.110"),
])
FIRST_FIVE_FREE = Graduated([Tier(5, price=0), Tier(10, price=2), Tier(None, price=3)])
FLEXPRICE_WITH_FLAT_FEES = Graduated([
    Tier(5, price=0, flat=1),
    Tier(10, price=1, flat=2),
    Tier(None, price=2),
])
DEARER_EACH_UNIT = Graduated([Tier(1, price=10), Tier(2, price=20), Tier(None, price=30)])
FLEXPRICE_API_CALLS = Graduated([
    Tier(1_000, price="0.02"),
    Tier(5_000, price="0.005"),
    Tier(None, price="0.01"),
])
KILLBILL_BLOCKS = Graduated([  # bounded at 101,000; whole blocks within each tier
    Tier(1_000, price=1, size=100),
    Tier(None, price=1, size=1_000),
])
LAGO_GRADUATED = Graduated(
    [Tier(10, price=10, flat=2), Tier(20, price=5, flat=3), Tier(None, price=5, flat=3)],
    flat_at_zero=True,
)
METEROID_GRADUATED = Graduated([
    Tier(100, price=1),
    Tier(200, price="0.5"),
    Tier(None, price="0.25"),
])
OPENMETER_GRADUATED = Graduated(
    [Tier(5, flat=100), Tier(10, flat=50), Tier(15, price=10), Tier(None, price=5)],
    flat_at_zero=True,
)
OPENMETER_GRADUATED_CHEAPER = Graduated(
    [Tier(5, flat=100), Tier(10, flat=50), Tier(15, price=5), Tier(None, price=1)],
    flat_at_zero=True,
)
OPENMETER_FLAT_AND_UNITS = Graduated(
    [Tier(5, price=1, flat=100), Tier(10, price=2, flat=200), Tier(None, price=3)],
    flat_at_zero=True,
)
POLAR_FIVE_FREE = Graduated([Tier(5), Tier(None, price="10.00")])
ZUORA_HUNDRED_FREE = Graduated([Tier(100, price="0.00"), Tier(None, price="2.00")])  # bound: 200
KILLBILL_REBILLED = Graduated([  # bounded at 135
    Tier(10, price=1),
    Tier(60, price=10),
    Tier(None, price=100),
])
# fmt: on

GRADUATED = [
    pytest.param(S3_STORAGE_IN_2011, 52_900, "6602.36", id="aws-graduated-001"),
    pytest.param(FIRST_FIVE_FREE, 5, "0", id="flexprice-graduated-002"),
    pytest.param(FIRST_FIVE_FREE, 11, "13", id="flexprice-graduated-005"),
    pytest.param(FLEXPRICE_WITH_FLAT_FEES, 12, "12", id="flexprice-graduated-008"),
    pytest.param(DEARER_EACH_UNIT, Decimal("2.5"), "45", id="flexprice-graduated-011"),
    pytest.param(FLEXPRICE_API_CALLS, 500, "10", id="flexprice-graduated-017"),
    pytest.param(KILLBILL_BLOCKS, 5_325, "15", id="killbill-tiers-002"),
    pytest.param(LAGO_GRADUATED, 0, "2", id="lago-graduated-001"),
    pytest.param(LAGO_GRADUATED, 21, "163", id="lago-graduated-004"),
    pytest.param(METEROID_GRADUATED, 150, "125", id="meteroid-graduated-001"),
    pytest.param(OPENMETER_GRADUATED, 0, "100", id="openmeter-graduated-001"),
    pytest.param(OPENMETER_GRADUATED, 7, "150", id="openmeter-graduated-004"),
    pytest.param(OPENMETER_GRADUATED_CHEAPER, 22, "182", id="openmeter-graduated-007"),
    # The first charge of a period, with nothing billed before: the flat fee is due whole.
    pytest.param(OPENMETER_FLAT_AND_UNITS, 3, "103", id="openmeter-delta-005"),
    pytest.param(POLAR_FIVE_FREE, 8, "30.00", id="polar-graduated-002"),
    pytest.param(ZUORA_HUNDRED_FREE, 130, "60.00", id="zuora-graduated-001"),
]

# fmt: off
KILLBILL_TOP_TIER = Volume([  # bounded at 201,000; beyond it the last price goes on
    Tier(1_000, price=1, size=100),
    Tier(101_000, price=1, size=1_000),
    Tier(None, price="0.5", size=1_000),
])
LAGO_VOLUME = Volume(
    [Tier(100, price=2, flat=10), Tier(200, price=1), Tier(None, price="0.5", flat=50)],
    flat_at_zero=True,
)
METEROID_VOLUME = Volume([Tier(99, price=1), Tier(199, price="0.5"), Tier(None, price="0.25")])
OPENMETER_VOLUME = Volume(
    [Tier(5, flat=100), Tier(10, flat=150), Tier(15, price=10), Tier(None, price=5)],
    flat_at_zero=True,
)
ORB_BULK = Volume([Tier(10, price="0.50"), Tier(None, price="0.40")])  # bounded at 1,000
STRIPE_VOLUME = Volume([
    Tier(5, price=5),
    Tier(10, price=4),
    Tier(15, price=3),
    Tier(20, price=2),
    Tier(None, price=1),
])
# Autumn counts included units as a free first tier, which moves the other bounds up by them;
# beyond it the whole quantity is priced. These tables have 50 and 200 units included.
AUTUMN_50_INCLUDED = Volume([
    Tier(50),
    Tier(150, price="0.1"),
    Tier(550, price="0.05"),
    Tier(None, price="0.02"),
])
AUTUMN_200_INCLUDED = Volume([Tier(200), Tier(700, price="0.1"), Tier(None, price="0.05")])
KILLBILL_CAPACITY = Volume([
    Tier(1_000, flat=10),
    Tier(2_000, flat="20.0"),
    Tier(None, flat="30.0"),
])
# fmt: on

VOLUME = [
    pytest.param(AUTUMN_50_INCLUDED, 600, "12", id="autumn-volume-005"),
    pytest.param(KILLBILL_TOP_TIER, 300_000, "150.0", id="killbill-tiers-007"),
    pytest.param(LAGO_VOLUME, 0, "10", id="lago-volume-001"),
    pytest.param(LAGO_VOLUME, 101, "101", id="lago-volume-004"),
    pytest.param(METEROID_VOLUME, 150, "75", id="meteroid-volume-001"),
    pytest.param(OPENMETER_VOLUME, 15, "150", id="openmeter-volume-003"),
    pytest.param(
        Volume([Tier(None, price=5)], flat_at_zero=True), 0, "0", id="openmeter-volume-006"
    ),
    pytest.param(ORB_BULK, 101, "40.40", id="orb-volume-001"),
    pytest.param(STRIPE_VOLUME, 20, "40", id="stripe-tiers-003"),
    pytest.param(KILLBILL_CAPACITY, 1_001, "20.0", id="killbill-stairstep-002"),
]

# fmt: off
LAGO_GRADUATED_PERCENTAGE = Graduated(
    [
        Tier(10, price=1, per=100, flat=200),  # a price per 100 is a percentage
        Tier(20, price=2, per=100, flat=300),
        Tier(None, price=3, per=100, flat=400),
    ],
    flat_at_zero=True,
)
# fmt: on

PERCENTAGES = [
    pytest.param(LAGO_GRADUATED_PERCENTAGE, 11, "500.12", id="lago-graduated_percentage-002")
]


@pytest.mark.parametrize(
    ("price", "quantity", "expected"), [*PER_UNIT, *PACKAGES, *GRADUATED, *VOLUME, *PERCENTAGES]
)
def test_a_quantity_costs_what_the_other_system_charges_for_it(
    price: PriceModel, quantity: int | Decimal, expected: str
) -> None:
    assert price.charge(quantity).exact_cost == Decimal(expected)


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        pytest.param(
            S3_STORAGE_IN_2011, 52_900, ["143.36", "6272.00", "187.00"], id="aws-graduated-001"
        ),
        pytest.param(KILLBILL_BLOCKS, 5_325, ["10", "5"], id="killbill-tiers-002"),
        pytest.param(KILLBILL_REBILLED, 70, ["10", "500", "1000"], id="killbill-rebill-002"),
        pytest.param(LAGO_GRADUATED, 21, ["102", "53", "8"], id="lago-graduated-004"),
        pytest.param(
            OPENMETER_GRADUATED_CHEAPER, 22, ["100", "50", "25", "7"], id="openmeter-graduated-007"
        ),
        pytest.param(ZUORA_HUNDRED_FREE, 130, ["0", "60"], id="zuora-graduated-001"),
    ],
)
def test_each_tier_costs_what_the_other_system_shows_for_it(
    price: PriceModel, quantity: int, expected: list[str]
) -> None:
    costs = [part.exact_cost for part in price.charge(quantity).tiers]
    assert costs == [Decimal(cost) for cost in expected]


def test_each_tier_holds_the_units_that_openmeter_shows_for_it() -> None:
    """The lines of openmeter-graduated-007: two flat fees, 5 units at 5, 7 units at 1."""
    assert OPENMETER_GRADUATED_CHEAPER.charge(22).tiers == (
        TierCharge(Tier(5, flat=100), quantity=5, above=0),
        TierCharge(Tier(10, flat=50), quantity=5, above=5),
        TierCharge(Tier(15, price=5), quantity=5, above=10),
        TierCharge(Tier(None, price=1), quantity=7, above=15),
    )


TENS = Conversion(increment=10)
THOUSANDS = Conversion(divide=1_000, increment=1)


@pytest.mark.parametrize(
    ("price", "quantity", "conversion", "expected"),
    [
        pytest.param(
            Graduated([Tier(None, price="0.1")]), 15, TENS, "2", id="autumn-graduated-002"
        ),
        pytest.param(
            Volume([Tier(100_000, price="0.001"), Tier(None, price="0.0005")]), 99_500,
            Conversion(increment=1_000), "100", id="autumn-volume-002",
        ),
        pytest.param(
            AUTUMN_200_INCLUDED, 800, Conversion(increment=100), "40", id="autumn-volume-008"
        ),
        pytest.param(
            Graduated([Tier(5, price=1), Tier(None, price="0.5")], flat_at_zero=True), 7_400,
            THOUSANDS, "6.5", id="openmeter-unit-conversion-002",
        ),
    ],
)  # fmt: skip
def test_a_quantity_is_rounded_up_to_billing_units_before_it_is_priced(
    price: PriceModel, quantity: int, conversion: Conversion, expected: str
) -> None:
    assert price.charge(conversion.convert(quantity)).exact_cost == Decimal(expected)


def test_a_negative_quantity_costs_the_negative_of_what_as_many_units_cost() -> None:
    """autumn-graduated-005"""
    price = Graduated([Tier(None, price="0.1")])
    assert charge_between(price, before=TENS.convert(15), after=0) == -2


@pytest.mark.parametrize(
    ("conversion", "quantity", "expected"),
    [
        # From the start of each band: 60 at once, then second by second.
        pytest.param(Conversion(increment=1, minimum=60), "132", "132", id="cgrates-increment-004"),
        pytest.param(THOUSANDS, "7400", "8", id="openmeter-unit-conversion-002"),
        pytest.param(Conversion(multiply="1.5"), "4.2", "6.3", id="openmeter-unit-conversion-005"),
        pytest.param(
            Conversion(divide=1_000, increment=1, rounding="half_up"),
            "3500",
            "4",
            id="openmeter-unit-conversion-008",
        ),
        pytest.param(
            Conversion(divide=1_000, increment="0.01"),
            "1247",
            "1.25",
            id="openmeter-unit-conversion-011",
        ),
    ],
)
def test_a_quantity_is_converted_to_what_the_other_system_bills(
    conversion: Conversion, quantity: str, expected: str
) -> None:
    assert conversion.convert(quantity) == Decimal(expected)


def test_a_call_costs_what_it_costs_in_cgrates() -> None:
    """The amount of cgrates-increment-004, at 1 a second."""
    assert PerUnit(1).charge(Conversion(increment=1, minimum=60).convert(132)).exact_cost == 132


def test_a_cost_in_a_custom_unit_is_converted_once_as_the_other_system_does() -> None:
    """lago-custom_unit-001"""
    price = Exchanged(PerUnit(1), rate="0.5")
    assert price.price.charge(300).exact_cost == 300
    assert price.charge(300).exact_cost == 150


def test_an_amount_that_is_metered_costs_a_multiple_of_itself() -> None:
    """openmeter-dynamic-002: the meter counts money, and the price is a multiplier of it."""
    exact = PerUnit("1.33333").charge(10).exact_cost
    assert Money.of(exact, "USD", "half_up") == Money.of("13.33", "USD")


@pytest.mark.parametrize(
    ("price", "buckets", "expected"),
    [
        pytest.param(PerUnit("0.10"), [9, 10], "1.90", id="flexprice-per-unit-003"),
        pytest.param(
            Volume([Tier(10, price="0.10"), Tier(20, price="0.05"), Tier(None, price="0.02")]),
            [9, 15],
            "1.65",
            id="flexprice-volume-003",
        ),
    ],
)
def test_time_buckets_that_are_priced_by_themselves_add_up(
    price: PriceModel, buckets: list[int], expected: str
) -> None:
    costs = [Fraction(price.charge(quantity).exact_cost) for quantity in buckets]
    assert sum(costs) == Fraction(expected)
