"""Law 5: a period that is billed in steps comes to the same as one that is billed at once.

"Steps come to the whole. However often a period's statement so far is recorded, its records sum to
its last statement; `charge_between` over any steps sums to the charge at once; an allowance or a
price for a longer window than the period comes, over its periods, to what the window costs."

It is so of what counters decide: the limit, free units, conversion and the price. Rules on a bill's
cost (a maximum, a minimum, a percentage) are of each bill.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, strategies as st

from overages import Allowance, Discount, Plan, Statement, Usage, calculate
from tests.accounts import calculate_after

from .effort import many
from .terms import CODES, FEBRUARY, conversions, prices, roundings, tenths


@st.composite
def plans_of_one(draw: st.DrawFn, scope: str = "line") -> Plan:
    """Return a plan of one metric, at any price."""
    allowance = Allowance(
        draw(st.none() | tenths(20) | tenths(20)),
        draw(prices(st.booleans())),
        conversion=draw(st.none() | conversions),
        discounts=[Discount("free", quantity=draw(tenths(9)))] if draw(st.booleans()) else [],
    )
    terms: dict[str, Any] = {"rounding": draw(roundings), "rounding_scope": scope}
    return Plan("p", draw(st.sampled_from(CODES)), {"a": allowance}, **terms)


steps_used = st.lists(tenths(25), min_size=1, max_size=5)


def step(plan: Plan, used: Any, earlier: Any, limits: Any) -> Statement:
    usage = Usage("org-1", FEBRUARY, {"a": used})
    return calculate_after(plan, usage, {"a": earlier}, limits=limits)


def bills_of(plan: Plan, used: list[Any], limits: Any) -> list[Statement]:
    """Return a bill for each step, on top of those before."""
    return [
        step(plan, units, sum(map(Decimal, used[:i])) if i else None, limits)
        for i, units in enumerate(used)
    ]


limits = st.none() | st.fixed_dictionaries({"a": tenths(30)})


@many
@given(plans_of_one(), steps_used, limits)
def test_steps_come_to_what_all_comes_to_at_once(plan: Plan, used: list[Any], own: Any) -> None:
    bills = bills_of(plan, used, own)
    whole = calculate(plan, Usage("org-1", FEBRUARY, {"a": sum(map(Decimal, used))}), limits=own)
    assert sum(bill.total.minor for bill in bills) == whole.total.minor
    lines, line = [bill["a"] for bill in bills], whole["a"]
    assert sum(Fraction(each.exact_cost) for each in lines) == Fraction(line.exact_cost)
    assert sum(Fraction(each.used) for each in lines) == line.used
    assert sum(Fraction(each.quantity) for each in lines) == line.quantity


@many
@given(plans_of_one("total"), steps_used, limits)
def test_where_totals_are_rounded_each_bill_is_within_a_minor_unit(
    plan: Plan, used: list[Any], own: Any
) -> None:
    for bill in bills_of(plan, used, own):
        exact = Fraction(bill["a"].exact_cost) * 10**bill.currency.exponent
        assert abs(bill.total.minor - exact) < 1


@given(plans_of_one(), tenths(25), tenths(25), limits)
def test_each_step_says_what_was_used_up_and_charged_before(
    plan: Plan, first: Any, then: Any, own: Any
) -> None:
    before, now = bills_of(plan, [first, then], own)
    assert before["a"].before is None
    assert now["a"].before == before["a"].quantity
    if now["a"].limit is not None and before["a"].limit is not None:
        left = max(Fraction(), Fraction(before["a"].limit) - Fraction(before["a"].used))
        assert Fraction(now["a"].limit) == left
