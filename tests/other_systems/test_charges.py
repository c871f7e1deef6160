"""What other billing systems charge in a period, and what they add when usage grows; here too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (Lago, Polar, OpenMeter, FlexPrice, Kill Bill, Chargebee, Silver, Stigg, AWS ...). Amounts
are in major currency units; those that a system states in no currency are taken for US dollars.
A price table is open at its end here, so where a system's last tier has a bound, it has none.
"""

from decimal import Decimal
from itertools import pairwise

import pytest

from overages import (
    Allowance,
    Graduated,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Statement,
    Tier,
    Usage,
    Volume,
    calculate,
    charge_between,
)


def statement_of(allowance: Allowance, used: int | str, base_fee: Money | None = None) -> Statement:
    plan = Plan("plan", "USD", {"units": allowance}, rounding="half_up", base_fee=base_fee)
    return calculate(plan, Usage("org-123", Period.month(2024, 2), {"units": used}))


# fmt: off
FLEXPRICE_API_CALLS = Graduated([
    Tier(1_000, price="0.02"),
    Tier(5_000, price="0.005"),
    Tier(None, price="0.01"),
])
POLAR_SEATS = Graduated([
    Tier(50),
    Tier(100, price="20.00"),
    Tier(200, price="17.50"),
    Tier(None, price="15.00"),
])
# fmt: on


@pytest.mark.parametrize(
    ("allowance", "used", "expected"),
    [
        pytest.param(Allowance(100, Package("1", 10)), 155, "6", id="autumn-package-002"),
        pytest.param(
            Allowance(400_000, PerUnit("0.00001667")), 1_500_000, "18.34", id="aws-included-001"
        ),
        pytest.param(
            Allowance(750_000, PerUnit("0.02")), 820_000, "1400", id="chargebee-included-001"
        ),
        pytest.param(Allowance(1_000, FLEXPRICE_API_CALLS), 500, "0", id="flexprice-graduated-014"),
        pytest.param(Allowance(5, Package(100, 10)), 12, "100", id="lago-package-003"),
        pytest.param(Allowance(20, PerUnit("2.5")), 40, "50.00", id="silver-included-001"),
        pytest.param(Allowance(10, PerUnit("2.5")), 12, "5.0", id="silver-included-004"),
        pytest.param(Allowance(1_000, PerUnit("0.01")), 1_300, "3.00", id="stigg-overage-001"),
    ],
)
def test_usage_beyond_what_is_included_is_charged_as_the_other_system_charges_it(
    allowance: Allowance, used: int, expected: str
) -> None:
    assert statement_of(allowance, used).total == Money.of(expected, "USD")


def test_only_the_excess_over_a_trial_allowance_is_overage() -> None:
    """The two units of silver-included-004."""
    assert statement_of(Allowance(10, PerUnit("2.5")), 12)["units"].quantity == 2


def test_a_base_fee_comes_on_top_of_what_is_used() -> None:
    """polar-graduated-005"""
    statement = statement_of(Allowance(0, POLAR_SEATS), 143, Money.of("999.00", "USD"))
    assert statement.total == Money.of("1752.50", "USD")
    assert statement.plan.base_fee is not None
    assert statement.plan.base_fee + statement.total == Money.of("2751.50", "USD")


# fmt: off
OPENMETER_FLAT_TIERS = Graduated(
    [Tier(5, flat=100), Tier(10, flat=50), Tier(15, price=5), Tier(None, price=1)],
    flat_at_zero=True,
)
OPENMETER_DEARER = Graduated(
    [Tier(10, price=1), Tier(20, price=2), Tier(None, price=3)], flat_at_zero=True
)
OPENMETER_VOLUME = Volume([Tier(15, price=10), Tier(None, price=5)], flat_at_zero=True)
LAGO_TRANSACTIONS = Graduated([
    Tier(1_000, price=1, per=100, flat=200),  # a price per 100 is a percentage
    Tier(10_000, price=2, per=100, flat=300),
    Tier(None, price=3, per=100, flat=400),
])
# fmt: on


@pytest.mark.parametrize(
    ("price", "before", "after", "expected"),
    [
        # Growth within a tier that has only a flat fee is free.
        pytest.param(OPENMETER_FLAT_TIERS, 7, 8, "0", id="openmeter-delta-002"),
        pytest.param(OPENMETER_DEARER, 15, 8, "-12", id="openmeter-delta-008"),
        # All units become cheaper, which is worth more than the one unit added.
        pytest.param(OPENMETER_VOLUME, 15, 16, "-70", id="openmeter-delta-011"),
        pytest.param(Package(15, size=10), 9, 11, "15", id="openmeter-delta-017"),
        # A transaction of 4,000 after 1,050: the second tier's flat fee is paid already.
        pytest.param(LAGO_TRANSACTIONS, 1_050, 5_050, "80.00", id="lago-percentage-003"),
    ],
)
def test_usage_that_changes_costs_the_difference_that_the_other_system_charges(
    price: PriceModel, before: int, after: int, expected: str
) -> None:
    assert charge_between(price, before, after) == Decimal(expected)


@pytest.mark.parametrize(
    ("allowance", "before", "after", "expected"),
    [
        # Both 0.001 and 0.002 are rounded to 0.00 before they are compared.
        pytest.param(Allowance(0, PerUnit("0.001")), 1, 2, "0", id="openmeter-delta-014"),
        # Five units are free, and the tiers count what is left: 15, then 16.
        pytest.param(Allowance(5, OPENMETER_VOLUME), 20, 21, "-70", id="openmeter-delta-023"),
    ],
)
def test_the_rounded_charge_changes_by_what_the_other_system_charges(
    allowance: Allowance, before: int, after: int, expected: str
) -> None:
    change = statement_of(allowance, after).total - statement_of(allowance, before).total
    assert change == Money.of(expected, "USD")


# Three units are included: a free first tier, after which packages of two begin.
LAGO_PACKAGES = Graduated([Tier(3), Tier(None, price=100, size=2)])


def test_each_event_costs_what_it_adds_to_the_charge() -> None:
    """lago-marginal-002"""
    costs = [charge_between(LAGO_PACKAGES, *step) for step in pairwise([0, 3, 4, 6])]
    assert costs == [0, 100, 100]
    assert charge_between(LAGO_PACKAGES, 0, 6) == 200


# fmt: off
KILLBILL_UNITS = Graduated([  # bounded at 135
    Tier(10, price=1),
    Tier(60, price=10),
    Tier(None, price=100),
])
KILLBILL_STEPS = Volume([  # bounded at 75
    Tier(10, flat=1),
    Tier(50, flat=10),
    Tier(None, flat="100.0"),
])
# fmt: on


@pytest.mark.parametrize(
    ("price", "used", "already_billed", "in_the_period", "due"),
    [
        pytest.param(KILLBILL_UNITS, 70, "410", "1510", "1100", id="killbill-rebill-002"),
        pytest.param(KILLBILL_STEPS, 60, "10", "100.00", "90.00", id="killbill-stairstep-003"),
    ],
)
def test_a_period_that_is_billed_again_owes_what_was_not_billed_yet(
    price: PriceModel, used: int, already_billed: str, in_the_period: str, due: str
) -> None:
    total = statement_of(Allowance(0, price), used).total
    assert total == Money.of(in_the_period, "USD")
    assert total - Money.of(already_billed, "USD") == Money.of(due, "USD")
