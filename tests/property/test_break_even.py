"""The quantities at which one plan is cheaper than another: the same as if each were tried."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import assume, given, strategies as st

from overages import Money, Period, Plan, Usage, calculate, evolve
from overages.amounts.exact import SCALE, Quantity, scaled, unscaled
from overages.errors import InvalidValue
from overages.insight.break_even import BreakEven, break_even
from overages.testing import quantities as numbers
from overages.testing.prices import turning_points
from overages.testing.strategies import allowances, plans

from .effort import many

FEBRUARY = Period.month(2024, 2)
spans = st.sampled_from([2, 7, 30])
fees = st.integers(0, 2_000).map(lambda minor: Money(minor, "USD"))


def cost(plan: Plan, usage: Usage, quantity: Quantity) -> int:
    """Return all that a plan costs in minor units."""
    used = evolve(usage, quantities={**usage.quantities, "runs": quantity})
    fee = 0 if plan.base_fee is None else plan.base_fee.minor
    return calculate(plan, used).total.minor + fee


def scanned(a: Plan, b: Plan, usage: Usage, quantity: Quantity) -> str | None:
    """Return the slug of the plan that costs less."""
    left, right = cost(a, usage, quantity), cost(b, usage, quantity)
    return None if left == right else a.slug if left < right else b.slug


@st.composite
def pairs(draw: st.DrawFn, *, plain: bool) -> tuple[Plan, Plan]:
    """Return two plans of one metric or two, at times with much in common."""
    offers: Any = allowances(plain=plain, currencies=st.just("USD"))
    rules = plans(currencies=st.just("USD"), plain=plain)
    made = []
    first = draw(offers)
    for slug in ("a", "b"):
        offer = first if draw(st.integers(0, 2)) == 0 else draw(offers)
        if draw(st.booleans()):
            offer = evolve(first, included=draw(numbers.small), hard_limit=None)
        terms = draw(rules)
        known = {
            "runs": evolve(offer, included_per=None),
            "seats": evolve(first, included_per=None),
        }
        made.append(evolve(terms, slug=slug, allowances=known, base_fee=draw(fees)))
    return made[0], made[1]


def assert_agrees(a: Plan, b: Plan, usage: Usage, span: int, data: st.DataObject) -> None:
    points = [p for plan in (a, b) for p in turning_points(plan.allowances["runs"].price)]
    beyond = data.draw(st.sampled_from(points))
    included = max(scaled(plan.allowances["runs"].included or 0) for plan in (a, b))
    most = 10**24 * SCALE // span  # so that all of it can be converted
    step = unscaled(max(1, min((scaled(beyond) + included) // span, most)))
    until = unscaled(2 * span * scaled(step))
    try:
        answer = break_even(a, b, "runs", usage=usage, step=step, until=until)
    except InvalidValue as error:
        assume("comes to" not in str(error) and "1,000 ranges" not in str(error))
        raise
    assert answer.metric == "runs"
    for number in range(2 * span + 1):
        quantity = unscaled(number * scaled(step))
        assert answer.cheaper_at(quantity) == scanned(a, b, usage, quantity)
    assert_ranges_are_largest(answer, until)


def assert_ranges_are_largest(answer: BreakEven, until: Quantity) -> None:
    cheaper = [each.cheaper for each in answer.ranges]
    assert all(left != right for left, right in pairwise(cheaper))
    assert answer.ranges[0].first == 0
    assert answer.ranges[-1].last in (None, until)


@many
@given(st.data(), pairs(plain=True), spans)
def test_break_even_agrees_with_a_scan(
    data: st.DataObject, both: tuple[Plan, Plan], span: int
) -> None:
    assert_agrees(*both, Usage("org-1", FEBRUARY, {"seats": 7}), span, data)


@many
@given(st.data(), pairs(plain=False), spans)
def test_break_even_under_any_rules_agrees_with_a_scan(
    data: st.DataObject, both: tuple[Plan, Plan], span: int
) -> None:
    assert_agrees(*both, Usage("org-1", FEBRUARY, {"seats": 7}), span, data)


@given(pairs(plain=True))
def test_break_even_of_all_quantities_is_right_on_both_sides_of_each_end(
    both: tuple[Plan, Plan],
) -> None:
    a, b = both
    usage = Usage("org-1", FEBRUARY, {})
    try:
        answer = break_even(a, b, "runs")
    except InvalidValue as error:
        assume(error.field != "until")
        raise
    assert answer.ranges[-1].last is None
    for each in answer.ranges:
        last = 10**26 - 1 if each.last is None else each.last
        for quantity in (each.first, last):
            assert scanned(a, b, usage, quantity) == each.cheaper
