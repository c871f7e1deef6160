"""Price tables: what is lawful, and what a quantity costs at and around each bound."""

from decimal import Decimal
from typing import Any

import pytest
from tests.told import told

from overages import Tier, TierCharge
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.prices.ladder import Ladder, PriceTable, parse_tiers
from overages.prices.tier import Charge

OPEN = "must be None, or what lies beyond has no price"
BOUND = "must have a bound, for only the last tier is open"
FEES = [Tier(100, "0.10"), Tier(200, "0.05", flat=5), Tier(None, "0.01", flat=2)]
STARTED = [Tier(250, 3, size=100), Tier(None, 2, size=100)]
COMPLETED = [Tier(250, 3, size=100, count="completed"), Tier(None, 2, size=100, count="completed")]
FINE = [Tier("0.5", 2), Tier(None, 1)]
FINE_PACKAGES = [Tier(None, 1, size="0.5")]
THIRDS = [Tier(1, 1, per=3), Tier(None, "0.5")]
CAPPED = [
    Tier(100, "0.10", maximum=5),  # reached at 50
    Tier(200, "0.05", flat=5, maximum=5),  # at once
    Tier(300, "0.05", maximum=5),  # only by the whole tier
    Tier(400, maximum=5),  # never
    Tier(500, flat=6, maximum=5),  # by the fee alone
    Tier(None, "0.03", maximum=1),  # between 533 and 534
]
CAPPED_STARTED = [Tier(250, 3, size=100, maximum=7), Tier(None, 2, size=100, maximum=1)]
CAPPED_COMPLETED = [Tier(None, 3, size=100, count="completed", maximum=7)]


def test_a_lawful_table_comes_back_as_a_tuple() -> None:
    assert parse_tiers(iter(FEES), "tiers") == tuple(FEES)


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ([], "tiers: must hold at least one tier, got ()"),
        ([Tier(10, 1)], f"tiers[0].up_to: {OPEN}, got 10"),
        ([Tier(10), Tier(20)], f"tiers[1].up_to: {OPEN}, got 20"),
        ([Tier(None), Tier(None)], f"tiers[0].up_to: {BOUND}, got None"),
        (
            [Tier(10), Tier(10), Tier(None)],
            "tiers[1].up_to: must be more than 10, where the tier begins, got 10",
        ),
        (
            [Tier("10.5"), Tier(10), Tier(None)],
            "tiers[1].up_to: must be more than 10.5, where the tier begins, got 10",
        ),
        (
            [Tier(20), Tier(10), Tier(30), Tier(None)],
            "tiers[1].up_to: must be more than 20, where the tier begins, got 10",
        ),
    ],
)
def test_each_fault_of_a_table_is_named_by_its_path(tiers: list[Tier], message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_tiers(tiers, "tiers")
    assert str(caught.value) == message


def test_the_worked_example_of_the_module_is_what_is_worked_out() -> None:
    tiers = [Tier(10_000, "0.001"), Tier(None, "0.0005", flat=5, maximum=12)]
    ladder = Ladder(tiers, cumulative=True, per_unit=1)
    steps = [(step.above, step.begin, step.price, step.fixed) for step in ladder.steps]
    assert (ladder.denominator, ladder.bounds) == (2_000, [10_000, 24_000])
    assert steps == [(0, 0, 2, 0), (10_000, 10_000, 1, 30_000), (10_000, 10_000, 0, 44_000)]
    table = PriceTable(tiers, cumulative=True)
    assert table.charge(15_000).exact_cost == Decimal("17.5")
    assert table.charge(24_000).exact_cost == table.charge(24_001).exact_cost == 22


def test_a_table_holds_tiers_alone() -> None:
    rows: Any = [Tier(10), (None, 1)]
    with pytest.raises(InvalidType, match=r"^tiers\[1\]: must be a Tier, got \(None, 1\)$"):
        parse_tiers(rows, "tiers")


def test_all_faults_of_a_table_are_reported_together() -> None:
    rows: Any = [Tier(None), "a tier", Tier(10), Tier(5), Tier(10)]
    with pytest.raises(InvalidValues) as caught:
        parse_tiers(rows, "tiers")
    assert told(caught.value) == (
        "5 problems:\n"
        f"- tiers[0].up_to: {BOUND}, got None\n"
        "- tiers[1]: must be a Tier, got 'a tier'\n"
        "- tiers[3].up_to: must be more than 10, where the tier begins, got 5\n"
        f"- tiers[4].up_to: {OPEN}, got 10\n"
        "- tiers[4].up_to: must be more than 10, where the tier begins, got 10"
    )


@pytest.mark.parametrize(
    ("tiers", "quantity", "cost"),
    [
        (FEES, 0, "0"),
        (FEES, "0.000000000001", "1E-13"),
        (FEES, 1, "0.1"),
        (FEES, 100, "10"),
        (FEES, "100.5", "15.025"),  # 10 + 0.5 x 0.05 + 5
        (FEES, 101, "15.05"),
        (FEES, 200, "20"),
        (FEES, 201, "22.01"),
        (FEES, 1000, "30"),  # 10 + 100 x 0.05 + 5 + 800 x 0.01 + 2
        (STARTED, 1, "3"),
        (STARTED, 100, "3"),
        (STARTED, 101, "6"),
        (STARTED, "100.5", "6"),
        (STARTED, 250, "9"),  # the third package is begun
        (STARTED, 251, "11"),  # and a new one begins with the tier
        (STARTED, 350, "11"),
        (STARTED, 351, "13"),
        (COMPLETED, 99, "0"),
        (COMPLETED, 250, "6"),
        (COMPLETED, 349, "6"),
        (COMPLETED, 350, "8"),
        (FINE, "0.25", "0.5"),
        (FINE, "0.5", "1"),
        (FINE, 1, "1.5"),
        (FINE_PACKAGES, "0.1", "1"),
        (FINE_PACKAGES, 1, "2"),
        (FINE_PACKAGES, "1.1", "3"),
        (THIRDS, 1, "1/3"),
        (THIRDS, 2, "5/6"),
        (CAPPED, 49, "4.9"),
        (CAPPED, "49.999", "4.9999"),
        (CAPPED, 50, "5"),
        (CAPPED, 51, "5"),
        (CAPPED, 100, "5"),
        (CAPPED, "100.5", "10"),
        (CAPPED, 200, "10"),
        (CAPPED, 201, "10.05"),
        (CAPPED, 300, "15"),
        (CAPPED, 400, "15"),
        (CAPPED, 401, "20"),
        (CAPPED, 533, "20.99"),
        (CAPPED, "533.3", "20.999"),
        (CAPPED, 534, "21"),
        (CAPPED, 10**26 - 1, "21"),
        (CAPPED_STARTED, 200, "6"),
        (CAPPED_STARTED, 201, "7"),
        (CAPPED_STARTED, 250, "7"),
        (CAPPED_STARTED, "250.1", "8"),
        (CAPPED_COMPLETED, "299.9", "6"),
        (CAPPED_COMPLETED, 300, "7"),
        (CAPPED_COMPLETED, 400, "7"),
    ],
)
def test_a_cumulative_table_prices_each_unit_in_its_own_tier(
    tiers: list[Tier], quantity: Any, cost: str
) -> None:
    assert str(PriceTable(tiers, cumulative=True).charge(quantity).exact_cost) == cost


@pytest.mark.parametrize(
    ("tiers", "quantity", "cost"),
    [
        (FEES, 0, "0"),
        (FEES, 100, "10"),
        (FEES, "100.5", "10.025"),  # 100.5 x 0.05 + 5
        (FEES, 101, "10.05"),
        (FEES, 200, "15"),
        (FEES, 201, "4.01"),
        (STARTED, 250, "9"),
        (STARTED, 251, "6"),
        (COMPLETED, 251, "4"),
        (FINE, "0.5", "1"),
        (FINE, "0.6", "0.6"),
        (THIRDS, 1, "1/3"),
        (CAPPED, 50, "5"),
        (CAPPED, 150, "5"),
        (CAPPED, 201, "5"),
        (CAPPED, 450, "5"),
        (CAPPED, 501, "1"),
        (CAPPED_STARTED, 300, "1"),
    ],
)
def test_another_table_prices_all_units_in_the_tier_reached(
    tiers: list[Tier], quantity: Any, cost: str
) -> None:
    assert str(PriceTable(tiers).charge(quantity).exact_cost) == cost


def test_a_tier_keeps_what_it_would_cost_without_its_maximum() -> None:
    charge = PriceTable(CAPPED, cumulative=True).charge(150)
    kept = [(part.quantity, part.exact_cost, part.uncapped_cost) for part in charge.tiers]
    assert kept == [(100, Decimal(5), Decimal(10)), (50, Decimal(5), Decimal("7.5"))]
    assert charge.exact_cost == Charge(charge.tiers).exact_cost


def test_a_flat_fee_at_zero_is_capped_too() -> None:
    assert PriceTable([Tier(None, flat=6, maximum=5)], flat_at_zero=True).charge(0).exact_cost == 5


def test_a_charge_names_each_tier_that_was_used() -> None:
    assert PriceTable(FEES, cumulative=True).charge(201).tiers == (
        TierCharge(FEES[0], 100),
        TierCharge(FEES[1], 100, above=100),
        TierCharge(FEES[2], 1, above=200),
    )
    assert PriceTable(FEES).charge(201).tiers == (TierCharge(FEES[2], 201),)
    assert PriceTable(FEES).charge(0).tiers == ()


def test_a_charge_costs_what_its_tiers_cost() -> None:
    for tiers in (FEES, STARTED, COMPLETED, FINE, THIRDS):
        charge = PriceTable(tiers, cumulative=True).charge("251.5")
        assert charge.exact_cost == Charge(charge.tiers).exact_cost


def test_a_flat_fee_is_due_at_zero_only_if_the_table_says_so() -> None:
    tiers = [Tier(10, 1, flat=5), Tier(None, flat=9)]
    assert PriceTable(tiers).charge(0) == Charge([])
    at_zero = PriceTable(tiers, flat_at_zero=True)
    assert at_zero.charge(0) == Charge([TierCharge(tiers[0], 0)])
    assert str(at_zero.charge(0).exact_cost) == "5"
    assert str(at_zero.charge(1).exact_cost) == "6"


@pytest.mark.parametrize("tiers", [FEES, FINE])
@pytest.mark.parametrize(
    ("quantity", "error"),
    [
        (-1, InvalidValue),
        ("-0.5", InvalidValue),
        (10**26, InvalidValue),
        ("1e", InvalidValue),
        (1.0, InvalidType),
        (True, InvalidType),
        (None, InvalidType),
    ],
)
def test_what_is_no_quantity_has_no_price(
    tiers: list[Tier], quantity: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"^quantity: must "):
        PriceTable(tiers).charge(quantity)


def test_the_largest_quantity_is_priced_to_the_last_digit() -> None:
    table = PriceTable([Tier(None, "99999999999999999999999999.999999999999")])
    # (10**26 - 10**-12) squared is 10**52 - 2 x 10**14 + 10**-24
    assert str(table.charge("99999999999999999999999999.999999999999").exact_cost) == (
        "9999999999999999999999999999999999999800000000000000.000000000000000000000001"
    )


@pytest.mark.parametrize(
    ("tiers", "slope"),
    [
        ([Tier(None, "0.10")], "1/10"),
        ([Tier(None, 1, per=3)], "1/3"),
        ([Tier(None)], "0"),
        ([Tier(None, "0.10", flat=1)], "None"),
        ([Tier(None, "0.10", size=10)], "None"),
        ([Tier(None, "0.10", maximum=1)], "None"),
        ([Tier(None, "0.10", maximum=0)], "0"),
        (FEES, "None"),
    ],
)
def test_a_table_has_a_slope_if_every_unit_costs_the_same_and_no_more(
    tiers: list[Tier], slope: str
) -> None:
    assert str(PriceTable(tiers).slope) == slope
