"""How other billing systems discount, cap, commit and credit, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (CGRateS, FlexPrice, Lago, Meteroid, OpenMeter). Amounts are in major currency units; those
that a system states in no currency are taken for US dollars. What is due now, where something was
billed before, is what the period comes to now less what it came to then.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Adjustment,
    Commitment,
    Discount,
    Graduated,
    Grant,
    Money,
    Percentage,
    Period,
    PerUnit,
    PriceModel,
    Rounding,
    Tier,
)
from overages.errors import InvalidValue
from overages.grants.draws import draw
from overages.lines.adjusting import adjustments_of
from overages.lines.rule import PartRules

MONTH = Period.month(2024, 1)


def usd(amount: str) -> Money:
    """Return US dollars."""
    return Money.of(amount, "USD")


def prepaid(grant_id: str, amount: str) -> Grant:
    """Return a grant of US dollars."""
    return Grant(grant_id, usd(amount), effective_at=MONTH.start)


def adjust(
    exact: Fraction | str, currency: str = "USD", **rules: Any
) -> tuple[Money, tuple[Adjustment, ...]]:
    """Return what is due of an exact cost, and the lines that made it so."""
    cost = Fraction(exact)
    subtotal = Money.of(cost, currency, "half_up")
    found = adjustments_of(
        subtotal, cost, rounding=Rounding.HALF_UP, metric=None, rules=PartRules(**rules)
    )
    return sum((line.cost for line in found), subtotal), found


def due(price: PriceModel, quantity: int, **rules: Any) -> Money:
    """Return what a quantity comes to."""
    return adjust(Fraction(price.charge(quantity).exact_cost), price=price, **rules)[0]


def taken(lines: tuple[Adjustment, ...], kind: str) -> Money:
    """Return what lines of one kind come to."""
    return sum((line.cost for line in lines if line.kind == kind), Money(0, "USD"))


# fmt: off
STEPS = (Tier(5, flat="100"), Tier(10, flat="50"))
OPENMETER_GRADUATED = Graduated([*STEPS, Tier(None, price="1")], flat_at_zero=True)
OPENMETER_GRADUATED_4 = Graduated([
    *STEPS, Tier(15, price="5"), Tier(None, price="1"),
], flat_at_zero=True)
FLEXPRICE_GRADUATED = Graduated([Tier(5, price="2"), Tier(None, price="1")])
# fmt: on


@pytest.mark.parametrize(
    ("billed", "lines", "rules", "expected"),
    [
        # The maximum and what was billed have more decimals than a dollar there: 9000.01123.
        pytest.param(
            "9000.01", ["9000.01123", "1000"], {"maximum": Money.of("10000.001", "USD", "half_up")},
            "999.99", id="openmeter-maximum-009",
        ),
        pytest.param(
            "6.50", ["2.00", "3.00", "1.50"], {"commitment": Commitment(usd("100.00"))}, "93.50",
            id="lago-commitment-002",
        ),
    ],
)  # fmt: skip
def test_what_is_due_beside_what_was_billed(
    billed: str, lines: list[str], rules: dict[str, Any], expected: str
) -> None:
    result, _ = adjust(sum(map(Fraction, lines), Fraction()), **rules)
    assert result - usd(billed) == usd(expected)


def test_a_maximum_keeps_what_the_cost_was_without_it() -> None:
    """openmeter-maximum-003 and -006: what 20 and 10 units more come to, and what is taken off."""
    half: dict[str, Any] = {"discounts": (Discount("half", percent=50),), "maximum": usd("100")}
    before, after = (adjust(f"{10 * quantity}", **half)[1] for quantity in (7, 27))
    assert after[0].before - before[0].before == usd("200")
    assert taken(after, "discount") - taken(before, "discount") == usd("-100")
    assert taken(after, "maximum") - taken(before, "maximum") == usd("-35")

    costs = [Fraction(OPENMETER_GRADUATED_4.charge(quantity).exact_cost) for quantity in (12, 22)]
    assert costs[1] - costs[0] == 22
    assert taken(adjust(costs[0], maximum=usd("170"))[1], "maximum") == usd("0")
    assert taken(adjust(costs[1], maximum=usd("170"))[1], "maximum") == usd("-12")


# For each window: times, quantity, price, commitment; then what is due, the part of the commitments
# that was used, what lies beyond them at its price, and the true-ups.
@pytest.mark.parametrize(
    ("windows", "amount", "utilized", "beyond", "true_up"),
    [
        pytest.param(
            [
                (1, 10, PerUnit(2), Commitment(usd("5"), overage_factor=2, true_up=False)),
                (1, 1, PerUnit(2), Commitment(usd("5"), overage_factor=2, true_up=False)),
                (1, 3, PerUnit(1), Commitment(usd("10"), overage_factor=2)),
            ],
            *("47", "10", "30", "7"),
            id="flexprice-overage-factor-002",
        ),
        pytest.param(
            [(1, 15, PerUnit(1), Commitment(usd("10"), overage_factor="1.5"))],
            *("17.5", "10", "7.5", "0"),
            id="flexprice-overage-factor-005",
        ),
        pytest.param(
            [
                (1, 2, PerUnit(1), Commitment(usd("5"), overage_factor=2)),
                (5, 0, PerUnit(1), Commitment(usd("5"), overage_factor=2)),
                (1, 5, PerUnit(2), Commitment(usd("4"), overage_factor=2)),
                (1, 8, FLEXPRICE_GRADUATED, Commitment(quantity=5)),
                (5, 0, FLEXPRICE_GRADUATED, Commitment(quantity=5)),
                (1, 5, PerUnit(3), Commitment(quantity=3, overage_factor=3)),
            ],
            *("136", "25", "33", "78"),
            id="flexprice-overage-factor-008",
        ),
    ],
)
def test_commitments_of_windows(
    windows: list[tuple[int, int, PriceModel, Commitment]],
    amount: str,
    utilized: str,
    beyond: str,
    true_up: str,
) -> None:
    results, used, over, missing = (Money(0, "USD") for _ in range(4))
    for times, quantity, price, commitment in windows:
        result, lines = adjust(
            Fraction(price.charge(quantity).exact_cost), commitment=commitment, price=price
        )
        worth = commitment.worth(price)
        spend = Fraction(price.charge(quantity).exact_cost)
        added = taken(lines, "commitment")
        within = Money.of(min(spend, worth), "USD")
        for _ in range(times):
            results, used = results + result, used + within
            over += result - within if spend > worth else Money(0, "USD")
            missing += Money(0, "USD") if spend > worth else added
    assert [results, used, over, missing] == [usd(n) for n in (amount, utilized, beyond, true_up)]


@pytest.mark.parametrize(
    ("quantity", "rules", "credit", "expected"),
    [
        pytest.param(15, {}, "150", "5", id="openmeter-credit-002"),
        pytest.param(10, {"minimum": usd("200")}, "175", "25", id="openmeter-credit-005"),
    ],
)
def test_credits(quantity: int, rules: dict[str, Any], credit: str, expected: str) -> None:
    """The system spreads a credit over the lines; here it is a line, and the rest is due."""
    subtotal = due(OPENMETER_GRADUATED, quantity, **rules)
    assert Money.of(draw([prepaid("a", credit)], subtotal, MONTH).overage, "USD") == usd(expected)


@pytest.mark.parametrize(
    ("potential", "expected"),
    [
        pytest.param("150.01", "150", id="capped"),
        pytest.param("149.99", "149.99", id="within"),
    ],
)
def test_no_more_is_credited_than_was_paid_less_earlier_credits(
    potential: str, expected: str
) -> None:
    burndown = draw([prepaid("a", "50"), prepaid("b", potential)], usd("200"), MONTH)
    assert [usd(str(each.quantity)) for each in burndown.draws] == [usd("50"), usd(expected)]


def test_a_negative_credit_gives_nothing() -> None:
    """flexprice-credit-cap-002: there, it counts as zero; here, it is refused."""
    with pytest.raises(InvalidValue, match="amount"):
        prepaid("unused days", "-50")


def test_unused_days_are_credited_and_taxed_on_the_rounded_credit() -> None:
    """lago-credit_note-002: 6 days of 7, tax of 23.33 %."""
    credit = Money.of(Fraction("29.99") * Fraction(6, 7), "USD", "half_up")
    tax = Money.of(Percentage("23.33").charge(credit.amount).exact_cost, "USD", "half_up")
    assert (credit, tax, credit + tax) == (usd("25.71"), usd("6.00"), usd("31.71"))
