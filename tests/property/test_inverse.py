"""The inverse of a price: the units that an amount of money buys, and not one more."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, strategies as st

from overages import Allowance, Money, Period, Plan, PriceModel, Rounding, Usage, calculate
from overages.amounts.exact import LIMIT, SCALE, Quantity, scaled, unscaled
from overages.errors import InvalidValue
from overages.insight.inverse import QuantityRange, quantities_within, quantity_within
from overages.testing import quantities as numbers
from overages.testing.prices import turning_points
from overages.testing.strategies import allowances, prices

from .effort import many
from .oracle import price_of, rounded

FEBRUARY = Period.month(2024, 2)
MOST = LIMIT * SCALE - 1  # the largest quantity in parts of a unit

steps = st.sampled_from([1, 10, "0.1", "0.000000000001", 3]) | numbers.positive
roundings = st.sampled_from(Rounding)
spans = st.sampled_from([2, 5, 17, 60])


def charged(price: PriceModel, quantity: Quantity, rounding: Rounding) -> int:
    """Return the charge of a quantity in US cents, by the oracle."""
    return rounded(price_of(price, quantity) * 100, rounding.value)


@st.composite
def budgets(draw: st.DrawFn, price: PriceModel) -> Money:
    """Return US dollars, as often as not the charge of a quantity at which the cost turns."""
    if draw(st.booleans()):
        return Money(draw(st.integers(0, 500) | st.integers(0, 10**30)), "USD")
    points = turning_points(price)
    exact = price_of(price, draw(st.sampled_from(points)))
    return Money(max(0, int(exact * 100) + draw(st.integers(-1, 1))), "USD")


def after(quantity: Quantity, step: Quantity) -> Quantity | None:
    """Return the quantity one step above another; None if there is none."""
    parts = scaled(quantity) + scaled(step)
    return unscaled(parts) if parts <= MOST else None


def contains(ranges: Sequence[QuantityRange], quantity: Quantity) -> bool:
    """Tell whether a quantity lies in one of some ranges."""
    return any(r.first <= quantity and (r.last is None or quantity <= r.last) for r in ranges)


@many
@given(st.data(), prices(), steps, roundings)
def test_the_answer_of_the_inverse_fits_and_one_unit_more_does_not(
    data: st.DataObject, price: PriceModel, written: Any, rounding: Rounding
) -> None:
    step = numbers_of(written)
    budget = data.draw(budgets(price))
    try:
        answer = quantity_within(price, budget, rounding=rounding, step=written)
    except InvalidValue:
        assert charged(price, 0, rounding) > budget.minor
        assert quantities_within(price, budget, rounding=rounding, step=written) == ()
        return
    if answer is None:
        last = unscaled(MOST // scaled(step) * scaled(step))
        assert charged(price, last, rounding) <= budget.minor
        return
    assert scaled(answer) % scaled(step) == 0
    assert charged(price, answer, rounding) <= budget.minor
    more = after(answer, step)
    assert more is not None
    assert charged(price, more, rounding) > budget.minor


@many
@given(st.data(), prices(), spans, roundings)
def test_the_ranges_of_the_inverse_agree_with_a_scan(
    data: st.DataObject, price: PriceModel, span: int, rounding: Rounding
) -> None:
    budget = data.draw(budgets(price))
    turn = data.draw(st.sampled_from(turning_points(price)))
    step = unscaled(max(1, min(scaled(turn), MOST) // span))
    ranges = quantities_within(price, budget, rounding=rounding, step=step)
    for number in range(2 * span):
        quantity = unscaled(min(number * scaled(step), MOST // scaled(step) * scaled(step)))
        fits = charged(price, quantity, rounding) <= budget.minor
        assert contains(ranges, quantity) == fits


@many
@given(allowances(currencies=st.just("USD")), roundings)
def test_the_ranges_of_an_allowance_agree_with_its_charges(
    allowance: Allowance, rounding: Rounding
) -> None:
    assume(allowance.included_per is None)
    plan = Plan("plan", "USD", {"runs": allowance}, rounding=rounding)
    try:
        bought = quantities_within(allowance, Money(500, "USD"), rounding=rounding)
    except InvalidValue as error:
        assume("comes to" not in str(error))
        raise
    around = {0, *(r.first for r in bought), *(r.last for r in bought if r.last is not None)}
    for place in around:
        for beside in range(-3, 4):
            quantity = unscaled(max(0, scaled(place) + beside * SCALE))
            usage = Usage("org-1", FEBRUARY, {"runs": quantity})
            assert contains(bought, quantity) == (calculate(plan, usage).total.minor <= 500)


def numbers_of(written: Any) -> Quantity:
    """Return a step as the library keeps it."""
    return unscaled(int(Fraction(written) * SCALE))
