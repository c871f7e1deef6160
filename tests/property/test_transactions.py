"""Transaction fees obey law 1, law 2 and law 5, and agree with a model that sums first."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs
from hypothesis import given, strategies as st

from overages import TransactionFee
from overages.prices.transactions import TransactionCharge
from overages.testing.recipe import Recipe, cook
from overages.testing.rules import transaction_amounts, transaction_fee_recipes

from . import oracle


def total(amounts: list[Any]) -> Fraction:
    """Return the sum of some costs."""
    return sum((Fraction(amount) for amount in amounts), Fraction())


@given(transaction_fee_recipes, transaction_amounts)
def test_law_1_fees_of_inputs_written_differently_are_the_same(
    recipe: Recipe[TransactionFee], amounts: list[Any]
) -> None:
    one = recipe.one().charge_each(cook(amounts))
    other = recipe.other().charge_each(cook(amounts, second=True))
    assert (one, one.costs, one.exact_cost) == (other, other.costs, other.exact_cost)


@given(transaction_fee_recipes, transaction_amounts)
def test_law_2_the_cost_is_the_sum_of_the_events(
    recipe: Recipe[TransactionFee], amounts: list[Any]
) -> None:
    charge = recipe.one().charge_each(cook(amounts))
    assert Fraction(charge.exact_cost) == total(list(charge.costs))
    assert charge.free_events + charge.paid_events == len(amounts)
    assert [event.amount for event in charge.events] == list(charge.amounts)


@given(transaction_fee_recipes, st.lists(transaction_amounts, max_size=4))
def test_law_5_charges_in_any_number_of_steps_come_to_the_charge_at_once(
    recipe: Recipe[TransactionFee], steps: list[list[Any]]
) -> None:
    fee = recipe.one()
    charge: TransactionCharge = fee.charge_each([])
    costs: list[Any] = []
    for step in steps:
        charge = charge.then(cook(step))
        costs.extend(charge.costs)
    at_once = fee.charge_each([amount for step in steps for amount in cook(step)])
    assert tuple(costs) == at_once.costs


@given(transaction_fee_recipes, transaction_amounts)
def test_without_bounds_the_events_come_to_the_fee_on_their_sums(
    recipe: Recipe[TransactionFee], amounts: list[Any]
) -> None:
    fee = attrs.evolve(recipe.one(), min_per_event=None, max_per_event=None)
    charge = fee.charge_each(cook(amounts))
    free_events, cost = oracle.fees_on_sums(fee, cook(amounts))
    assert (charge.free_events, Fraction(charge.exact_cost)) == (free_events, cost)


@given(transaction_fee_recipes, transaction_amounts)
def test_bounds_hold_for_each_event_that_is_not_free_and_change_nothing_else(
    recipe: Recipe[TransactionFee], amounts: list[Any]
) -> None:
    fee = recipe.one()
    unbounded = attrs.evolve(fee, min_per_event=None, max_per_event=None)
    pairs = zip(
        fee.charge_each(cook(amounts)).events,
        unbounded.charge_each(cook(amounts)).events,
        strict=True,
    )
    for event, free_of_bounds in pairs:
        assert event.paid == free_of_bounds.paid
        expected = Fraction(free_of_bounds.exact_cost)
        if event.paid is not None and fee.min_per_event is not None:
            expected = max(expected, Fraction(fee.min_per_event))
        if event.paid is not None and fee.max_per_event is not None:
            expected = min(expected, Fraction(fee.max_per_event))
        assert Fraction(event.exact_cost) == expected
