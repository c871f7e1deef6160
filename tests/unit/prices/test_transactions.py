"""Transaction fees worked out by hand, event by event."""

from decimal import Decimal
from typing import Any

import pytest
from tests.told import told

from overages import (
    Allowance,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    TransactionFee,
    Usage,
    UsageEvent,
    calculate,
    meter,
)
from overages.errors import InvalidType, InvalidValue, InvalidValues

FEBRUARY = Period.month(2024, 2)


@pytest.mark.parametrize(
    ("fee", "amounts", "costs"),
    [
        (TransactionFee(5), [100, 20], "5 1"),
        (TransactionFee(5, fixed="0.5"), [100, 0], "5.5 0.5"),
        (TransactionFee("0.000000000001"), ["0.000000000001"], "1E-26"),
        (TransactionFee(5, 1, free_events=1), [100, 20], "0 2"),
        (TransactionFee(5, 1, free_events=0), [100, 20], "6 2"),
        (TransactionFee(5, 1, free_events=0, free_amount=100), [100, 20], "6 2"),
        (TransactionFee(5, 1, free_amount=0), [100, 20], "6 2"),
        (TransactionFee(5, 1, free_amount=100), [100, 20], "0 2"),
        (TransactionFee(5, 1, free_amount=110), [100, 20, 20], "0 1.5 2"),
        (TransactionFee(5, 1, free_amount="100.5"), [100, 20], "0 1.975"),
        # An event of nothing is free as long as the amounts before it come to no more than is free.
        (TransactionFee(5, 1, free_amount=100), [100, 0, 1, 0], "0 0 1.05 1"),
        # The one that ends first ends both.
        (TransactionFee(5, 1, free_events=1, free_amount=110), [100, 20], "0 2"),
        (TransactionFee(5, 1, free_events=9, free_amount=110), [100, 20], "0 1.5"),
        (TransactionFee(5, min_per_event=2), [0, 30, 100], "2 2 5"),
        (TransactionFee(5, max_per_event=2), [0, 30, 100], "0 1.5 2"),
        (TransactionFee(5, 1, min_per_event=2, max_per_event=2), [0, 100], "2 2"),
        # The bounds hold for the fixed fee too, and for the part of an event that is paid.
        (TransactionFee(5, 1, max_per_event=2), [100], "2"),
        (TransactionFee(5, min_per_event=2, free_amount=95), [90, 10], "0 2"),
        (TransactionFee(5), [], ""),
    ],
)
def test_each_event_has_its_fee(fee: TransactionFee, amounts: list[Any], costs: str) -> None:
    assert " ".join(map(str, fee.charge_each(iter(amounts)))) == costs


def test_later_events_are_charged_as_if_all_were_charged_at_once() -> None:
    fee = TransactionFee(5, 1, free_events=3, free_amount=110)
    amounts: list[Any] = [50, "49.5", 20, 1]
    costs = fee.charge_each(amounts)
    assert fee.charge_each(amounts[2:], events_before=2, amount_before=Decimal("99.5")) == costs[2:]
    assert fee.charge_each([1], events_before=3, amount_before=Decimal("119.5")) == costs[3:]
    assert fee.charge_each([], events_before=4) == ()


def test_fees_are_billed_as_a_quantity_of_money() -> None:
    costs = TransactionFee("1.3", fixed=2).charge_each(["50.05", 100])
    events = [
        UsageEvent("org-1", "fees", str(cost), FEBRUARY.start, id=f"fee-{i}")
        for i, cost in enumerate(costs)
    ]
    plan = Plan("p", "USD", {"fees": Allowance(0, PerUnit(1))})
    (usage,) = meter(events)
    statement = calculate(plan, usage)
    assert statement["fees"].exact_cost == Decimal("5.95065")
    assert statement.total.minor == 595
    assert usage == Usage("org-1", FEBRUARY, {"fees": "5.95065"})


def test_a_fee_is_no_price_model_for_it_has_no_price_for_a_sum() -> None:
    fee: Any = TransactionFee(5)
    assert not isinstance(fee, PriceModel)
    with pytest.raises(InvalidType, match=r"^price: must be a price model"):
        Allowance(0, fee)


def test_a_fee_with_many_faults_reports_them_all() -> None:
    bad: Any = {"free_events": "3", "free_amount": -1, "min_per_event": 0.5, "max_per_event": ""}
    with pytest.raises(InvalidValues) as caught:
        TransactionFee(-1, "1,5", **bad)
    assert told(caught.value) == (
        "6 problems:\n"
        "- percent: must not be negative, got -1\n"
        "- fixed: must be a plain decimal number such as 12.5, got '1,5'\n"
        "- free_events: must be an int, got '3'\n"
        "- free_amount: must not be negative, got -1\n"
        "- min_per_event: must be an int, a Decimal or a decimal string, got 0.5\n"
        "- max_per_event: must be a plain decimal number such as 12.5, got ''"
    )


def test_the_least_is_no_more_than_the_most() -> None:
    with pytest.raises(
        InvalidValue, match=r"^min_per_event: must be at most max_per_event, 2, got 3$"
    ):
        TransactionFee(1, min_per_event=3, max_per_event=2)
    assert TransactionFee(1, min_per_event=2, max_per_event=2).charge_each([0]) == (Decimal(2),)


@pytest.mark.parametrize("before", ["119.50", "0119.5", "1.195e2", Decimal("119.5")])
def test_the_sum_of_amounts_before_is_a_number_as_any_other(before: Any) -> None:
    fee = TransactionFee(10, free_amount=120)
    assert fee.charge_each([1], events_before=1, amount_before=before) == (Decimal("0.05"),)


def test_a_sum_of_amounts_may_be_larger_than_each_of_them() -> None:
    fee = TransactionFee(10, free_amount=120)
    assert fee.charge_each([1], amount_before="9" * 40) == (Decimal("0.1"),)


@pytest.mark.parametrize(
    ("before", "problem"),
    [
        ("1e", "must be a plain decimal number such as 12.5"),
        ("", "must be a plain decimal number such as 12.5"),
        ("1" * 1_001, "must be a plain decimal number such as 12.5"),
        ("-1", "must not be negative"),
        ("-1e2", "must not be negative"),
        ("1e-13", "must have at most 12 decimal digits"),
        ("1e1000", "must have at most 1000 digits on a side"),
        ("0." + "1" * 13, "must have at most 12 decimal digits"),
    ],
)
def test_a_text_that_is_no_sum_of_amounts_is_refused(before: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"^amount_before: {problem}"):
        TransactionFee(1).charge_each([1], amount_before=before)


def test_faults_of_events_are_reported_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        TransactionFee(1).charge_each([1, -1], events_before=-1, amount_before=-1)
    assert told(caught.value) == (
        "3 problems:\n"
        "- amounts[1]: must not be negative, got -1\n"
        "- events_before: must not be negative, got -1\n"
        "- amount_before: must not be negative, got -1"
    )


def test_a_repr_makes_a_fee_again() -> None:
    fee = TransactionFee("1.30", free_events=2)
    text = "TransactionFee(percent=Decimal('1.3'), free_events=2)"
    assert repr(fee) == text
    assert eval(text) == fee
