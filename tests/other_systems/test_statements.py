"""What other billing systems charge for whole periods, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (CGRateS, FlexPrice, Kill Bill, Lago, Meteroid, OpenMeter), and US dollars are the default.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.accounts import calculate_after
from tests.recorded import AT

from overages import (
    Allowance,
    Commitment,
    Discount,
    Graduated,
    Money,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Statement,
    Tier,
    Usage,
    Volume,
    calculate,
)
from overages.records.ledger import Ledger

FEBRUARY = Period.month(2024, 2)


def usd(amount: str) -> Money:
    """Return US dollars."""
    return Money.of(amount, "USD")


def plan_of(price: PriceModel, included: Any = 0, **rules: Any) -> Plan:
    """Return a plan of one metric."""
    return Plan("p", "USD", {"units": Allowance(included, price, **rules)})


def bill(plan: Plan, used: int, period: Period = FEBRUARY, **named: Any) -> Statement:
    """Return the statement of what was used of it, after units that were used earlier."""
    usage = Usage("org-1", period, {"units": used})
    earlier = named.pop("earlier", None)
    return (
        calculate(plan, usage, **named)
        if earlier is None
        else calculate_after(plan, usage, earlier)
    )


def days(first: tuple[int, int, int], last: tuple[int, int, int]) -> Period:
    """Return the period from a day up to another one."""
    return Period(datetime(*first, tzinfo=UTC), datetime(*last, tzinfo=UTC))


def recorded_in_turn(statements: Iterable[Statement]) -> list[Money]:
    """Record one statement after the other, and return what each added."""
    ledger = Ledger("org-1")
    return [
        sum(
            (r.cost for r in ledger.add(statement, plan_version=1, created_at=AT).new),
            Money(0, "USD"),
        )
        for statement in statements
    ]


# Prices that change


def test_a_price_that_changes_within_a_period_has_a_statement_on_either_side() -> None:
    """killbill-pricechange-002: usage of the day of the change is charged by the new plan."""
    change = (2026, 6, 18)
    before = bill(plan_of(PerUnit("1.00")), 33, days((2026, 5, 28), change))
    after = bill(plan_of(PerUnit("3.00")), 4, days(change, (2026, 6, 28)))
    assert (before.total, after.total) == (usd("33.00"), usd("12.00"))
    assert datetime(*change, tzinfo=UTC) in after.period
    assert datetime(*change, tzinfo=UTC) not in before.period
    assert recorded_in_turn([before, after]) == [usd("33.00"), usd("12.00")]


def test_lines_of_old_and_new_prices_are_one_invoice() -> None:
    """meteroid-invoice-002."""
    prices = {"seat": "20", "old": "0.10", "new": "0.20", "storage": "0.50"}
    plan = Plan("p", "USD", {m: Allowance(0, PerUnit(price)) for m, price in prices.items()})
    used = {"seat": 1, "old": 50, "new": 200, "storage": 100}
    assert calculate(plan, Usage("org-1", FEBRUARY, used)).total == usd("115.00")


# Usage that comes late: what was recorded is corrected


LATE = [(3, 0), (3, 3), (4, 3)]  # what each run knows of two parts of a period
HALF = [Discount("half", percent=50)]


@pytest.mark.parametrize(
    ("maximum", "discounts", "amounts"),
    [
        pytest.param("50", [], ["30", "20", "0"], id="openmeter-late-usage-002"),
        pytest.param("25", HALF, ["15", "10", "0"], id="openmeter-late-usage-005"),
    ],
)
def test_late_usage_corrects_what_was_recorded(
    maximum: str, discounts: list[Discount], amounts: list[str]
) -> None:
    """The system books each part on its own; the period's record says the same of them together."""
    plan = plan_of(PerUnit(10), maximum=usd(maximum), discounts=discounts)
    runs = [bill(plan, sum(parts)) for parts in LATE]
    assert recorded_in_turn(runs) == [usd(amount) for amount in amounts]
    assert recorded_in_turn([*runs, runs[-1]])[-1] == usd("0")


@pytest.mark.parametrize(
    ("maximum", "discounts", "moved"),
    [
        pytest.param("50", [], "10", id="openmeter-late-usage-002"),
        pytest.param("25", HALF, "5", id="openmeter-late-usage-005"),
    ],
)
def test_what_is_late_in_a_part_is_taken_off_the_part_that_reached_the_maximum(
    maximum: str, discounts: list[Discount], moved: str
) -> None:
    plan = plan_of(PerUnit(10), maximum=usd(maximum), discounts=discounts)
    first = [bill(plan, parts[0]).total for parts in LATE]
    all_of_it = [bill(plan, sum(parts)).total for parts in LATE]
    second = [whole - part for whole, part in zip(all_of_it, first, strict=True)]
    assert first[2] - first[1] == usd(moved)
    assert second[2] - second[1] == -usd(moved)


# Bills within a period


def test_a_bill_at_a_threshold_is_credited_on_the_last() -> None:
    """lago-progressive_billing-002: 200.00 at the threshold, and 31.00 for the subscription."""
    plan = plan_of(PerUnit("0.0002"))
    first = bill(plan, 1_000_000)
    assert first.total == usd("200.00")  # landing exactly on the threshold passes it
    second = bill(plan, 1_000_000, earlier={"units": 1_000_000})
    assert second.total == usd("200.00")
    whole = bill(plan, 2_000_000)
    assert whole.total + usd("31.00") - first.total == usd("231.00")
    assert recorded_in_turn([first, whole]) == [usd("200.00"), usd("200.00")]


def test_a_maximum_holds_for_the_period_whose_statement_is_recorded_again() -> None:
    """openmeter-delta-020: 10 more after 5, of which 5 are beyond the maximum."""
    plan = plan_of(PerUnit(10), maximum=usd("100"))
    before, after = bill(plan, 5), bill(plan, 15)
    assert after["units"].cost - before["units"].cost == usd("100")
    assert [line.cost for line in after.adjustments] == [-usd("50")]
    assert recorded_in_turn([before, after]) == [usd("50"), usd("50")]


def test_free_units_and_tiers_go_on_from_what_was_charged() -> None:
    """openmeter-delta-023: the 16th unit that isn't free makes all of them cheaper."""
    price = Volume([Tier(15, price=10), Tier(None, price=5)])
    plan = plan_of(price, discounts=[Discount("free", quantity=5)])
    assert bill(plan, 1, earlier={"units": 20}).total == -usd("70")
    assert recorded_in_turn([bill(plan, 20), bill(plan, 21)]) == [usd("150"), -usd("70")]


def test_free_units_that_were_used_before_are_not_free_again() -> None:
    """openmeter-discount-002: 15 units after 20, of which 10 were free."""
    plan = plan_of(PerUnit(1), discounts=[Discount("free", quantity=10)])
    line = bill(plan, 15, earlier={"units": 20})["units"]
    assert (line.quantity, line.before, line.limit) == (15, 10, 0)


# Discounts, maximums and minimums


STEPS = (Tier(5, flat="100"), Tier(10, flat="50"))
GRADUATED = Graduated([*STEPS, Tier(15, price="5"), Tier(None, price="1")], flat_at_zero=True)
VOLUME = Volume(
    [Tier(5, flat="100"), Tier(10, flat="150"), Tier(15, price="10"), Tier(None, price="5")],
    flat_at_zero=True,
)
VOLUME_2 = Volume([Tier(15, price="10"), Tier(None, price="5")], flat_at_zero=True)


@pytest.mark.parametrize(
    ("plan", "before", "after", "expected"),
    [
        pytest.param(
            plan_of(PerUnit(1), maximum=usd("10")), 0, 1800, "10", id="cgrates-maximum-002"
        ),
        pytest.param(
            plan_of(PerUnit(10), maximum=usd("100"), discounts=HALF), 7, 27, "65",
            id="openmeter-maximum-003",
        ),
        pytest.param(
            plan_of(GRADUATED, maximum=usd("170")), 12, 22, "10", id="openmeter-maximum-006"
        ),
        pytest.param(
            plan_of(PerUnit(10), minimum=usd("100")), 0, 0, "100", id="openmeter-minimum-001"
        ),
        pytest.param(
            plan_of(VOLUME, minimum=usd("100")), 0, 100, "500", id="openmeter-minimum-004"
        ),
        pytest.param(
            plan_of(VOLUME_2, minimum=usd("150")), 10, 10, "50", id="openmeter-minimum-007"
        ),
        pytest.param(
            plan_of(PerUnit("0.01"), minimum=usd("10.00")), 0, 1500, "15.00", id="lago-minimum-001"
        ),
    ],
)  # fmt: skip
def test_a_maximum_and_a_minimum_are_of_the_period(
    plan: Plan, before: int, after: int, expected: str
) -> None:
    first = [bill(plan, before, ended=False)] if before else []
    assert recorded_in_turn([*first, bill(plan, after)])[-1] == usd(expected)


@pytest.mark.parametrize(
    ("currency", "price", "used", "discounts", "expected"),
    [
        pytest.param(
            "JPY", "1", 1000, [Discount("a", percent="33.333")], ["-333", "667"],
            id="flexprice-discount-002",
        ),
        pytest.param(
            "USD", "0.001", 99_999, [Discount("a", percent=10)], ["-10.00", "90.00"],
            id="flexprice-discount-005",
        ),
        pytest.param(
            "USD", "1", 100,
            [Discount("a", amount=usd("80.00")), Discount("b", amount=usd("50.00"))],
            ["-80.00", "-20.00", "0.00"],
            id="meteroid-discount-002",
        ),
        pytest.param(
            "USD", "1", 100,
            [Discount("b", amount=usd("50.00")), Discount("a", amount=usd("80.00"))],
            ["-50.00", "-50.00", "0.00"],
            id="meteroid-discount-002-reversed",
        ),
    ],
)  # fmt: skip
def test_discounts_are_lines(
    currency: str, price: str, used: int, discounts: list[Discount], expected: list[str]
) -> None:
    offer = Allowance(0, PerUnit(price), discounts=discounts)
    statement = calculate(
        Plan("p", currency, {"units": offer}), Usage("org-1", FEBRUARY, {"units": used})
    )
    found = [*(line.cost for line in statement.adjustments), statement.total]
    assert found == [Money.of(amount, currency) for amount in expected]


def test_what_comes_after_a_commitment_was_spent_costs_more() -> None:
    """flexprice-overage-factor-011: 12 more after 70, at twice the price beyond 60."""
    plan = plan_of(PerUnit(1), commitment=Commitment(usd("60"), overage_factor=2))
    assert recorded_in_turn([bill(plan, 70), bill(plan, 82)]) == [usd("80"), usd("24")]
