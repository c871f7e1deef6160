"""What other billing systems charge event by event; here too.

Each row is a numeric fact that another system's tests assert: its id names the system (Lago).
Amounts are in major currency units.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from overages import TransactionFee
from overages.amounts.exact import Exact


def total_of(costs: tuple[Exact, ...]) -> Fraction:
    """Return the sum of some costs."""
    return sum((Fraction(cost) for cost in costs), Fraction())


@pytest.mark.parametrize(
    ("fee", "amounts", "expected"),
    [
        # The free amount ends with the second event, before the three free events do.
        pytest.param(
            TransactionFee("1.3", fixed=2, free_events=3, free_amount=250),
            [50, 100, 250, 400],
            "11.15",
            id="lago-percentage-001",
        ),
        # Within the bounds: 90 of the third event are paid.
        pytest.param(
            TransactionFee(
                "2.99", free_events=3, free_amount=10_000, min_per_event="1.75", max_per_event=12
            ),
            [10, 80, 10_000],
            "2.691",
            id="lago-percentage-005",
        ),
    ],
)
def test_the_fees_of_a_period_come_to_what_the_other_system_charges(
    fee: TransactionFee, amounts: list[int], expected: str
) -> None:
    assert total_of(fee.charge_each(amounts)) == Fraction(expected)


def test_each_event_costs_what_it_adds_to_the_fees() -> None:
    """lago-marginal-005: the event that crosses the free amount owes the whole fixed fee."""
    fee = TransactionFee(5, fixed=1, free_amount=120)
    later = fee.charge_each([20, 20], events_before=2, amount_before=110)
    assert [*fee.charge_each([100, 10]), *later] == [0, 0, Decimal("1.5"), 2]
    assert total_of(fee.charge_each([100, 10, 20, 20])) == Fraction("3.5")
