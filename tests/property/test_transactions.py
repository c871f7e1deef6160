"""Transaction fees obey law 1 and law 5, and agree with a model that sums first."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import TransactionFee
from overages._ground.value import evolve
from overages.amounts.exact import Exact, number_from_ratio
from overages.testing.strategies import values

from . import oracle
from .recipes import Recipe, cook, recipes
from .strategies import modest_numbers, non_negative_numbers, small_wholes

fees = recipes(values(TransactionFee))
transaction_amounts = st.lists(small_wholes | modest_numbers | non_negative_numbers, max_size=6)


@given(fees, transaction_amounts)
def test_law_1_fees_of_inputs_written_differently_are_the_same(
    recipe: Recipe[TransactionFee], amounts: list[Any]
) -> None:
    one = recipe.one().charge_each(cook(amounts))
    assert one == recipe.other().charge_each(cook(amounts, second=True))


@given(fees, st.lists(transaction_amounts, max_size=4))
def test_law_5_charges_in_any_number_of_steps_come_to_the_charge_at_once(
    recipe: Recipe[TransactionFee], steps: list[list[Any]]
) -> None:
    fee = recipe.one()
    costs: list[Exact] = []
    count, total = 0, Fraction()
    for step in map(cook, steps):
        before: Any = number_from_ratio(*total.as_integer_ratio())
        costs += fee.charge_each(step, events_before=count, amount_before=before)
        count += len(step)
        total += sum((Fraction(amount) for amount in step), Fraction())
    at_once = fee.charge_each([amount for step in steps for amount in cook(step)])
    assert tuple(costs) == at_once


@given(fees, transaction_amounts)
def test_without_bounds_the_events_come_to_the_fee_on_their_sums(
    recipe: Recipe[TransactionFee], amounts: list[Any]
) -> None:
    fee = evolve(recipe.one(), min_per_event=None, max_per_event=None)
    costs = fee.charge_each(cook(amounts))
    free_events, cost = oracle.fees_on_sums(fee, cook(amounts))
    assert sum((Fraction(each) for each in costs), Fraction()) == cost
    assert not any(costs[:free_events])


@given(fees, transaction_amounts)
def test_bounds_hold_for_each_event_that_is_not_free_and_change_nothing_else(
    recipe: Recipe[TransactionFee], amounts: list[Any]
) -> None:
    fee = recipe.one()
    unbounded = evolve(fee, min_per_event=None, max_per_event=None)
    free_events, _ = oracle.fees_on_sums(fee, cook(amounts))
    expected = [Fraction(each) for each in unbounded.charge_each(cook(amounts))]
    for i in range(free_events, len(expected)):
        if fee.min_per_event is not None:
            expected[i] = max(expected[i], Fraction(fee.min_per_event))
        if fee.max_per_event is not None:
            expected[i] = min(expected[i], Fraction(fee.max_per_event))
    assert [Fraction(each) for each in fee.charge_each(cook(amounts))] == expected
