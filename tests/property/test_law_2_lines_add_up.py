"""Law 2: lines and tiers, against sums that are made by hand.

"Lines add up. The cost of a statement is the sum of its lines, always, and the cost of a line is
explained by its tiers."
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import assume, given, strategies as st

from overages import Money, Overage, Statement
from overages.amounts.rounding import allocate
from overages.errors import InvalidValue
from overages.testing.fields import minor_units
from tests.recorded import recorded

from . import oracle
from .effort import many
from .recipes import Recipe, Spelled
from .strategies import (
    Case,
    cases,
    money_recipes,
    non_negative_numbers,
    plan_recipes,
    price_numbers,
    priced_quantities,
    small_wholes,
)

total_scope = cases(plan_recipes(scopes=["total"]))


def exact_minor(line: Overage) -> Fraction:
    """Return what a line costs exactly, in minor units."""
    return Fraction(line.exact_cost) * Fraction(10) ** line.cost.currency.exponent


# Statements


@given(cases())
def test_the_total_is_the_sum_of_the_lines(case: Case) -> None:
    statement = case.statement.one()
    lines = sum((line.cost for line in statement.lines), Money(0, statement.currency))
    assert statement.total == lines


@given(cases())
def test_the_records_and_the_summary_come_to_the_total(case: Case) -> None:
    statement = case.statement.one()
    records = sum((record.cost for record in recorded(statement)), Money(0, statement.currency))
    assert statement.total == records
    assert statement.total == statement.summary().total


@given(cases())
def test_the_exact_cost_of_a_line_is_the_sum_of_its_tiers(case: Case) -> None:
    for line in case.statement.one().overages:
        tiers = sum((Fraction(tier.exact_cost) for tier in line.tiers), Fraction())
        assert Fraction(line.exact_cost) == tiers


@given(priced_quantities())
def test_the_exact_cost_of_a_tier_is_units_times_price_and_the_flat_fee(
    pair: tuple[Recipe[object], Spelled],
) -> None:
    model = pair[0].one()
    for charged in model.charge(pair[1].first).tiers:  # type: ignore[attr-defined]
        if charged.quantity:
            expected = oracle.cost_in(charged.tier, Fraction(charged.quantity))
        else:
            expected = oracle.capped(charged.tier, Fraction(charged.tier.flat))
        expected *= Fraction(charged.exchange_rate)
        assert Fraction(charged.exact_cost) == charged.fraction == expected


@given(cases())
def test_a_statement_made_of_its_lines_has_the_same_total(case: Case) -> None:
    statement = case.statement.one()
    lines = statement.lines, statement.unused
    again = Statement(statement.org_id, statement.period, statement.plan, *lines)
    assert again == statement
    assert again.total == statement.total


# Where the total is what gets rounded


@many
@given(total_scope)
def test_lines_add_up_to_the_exact_total_rounded_once(case: Case) -> None:
    statement = case.statement.one()
    exact = sum(map(exact_minor, statement.overages), Fraction())
    charged = sum(line.cost.minor for line in statement.overages)
    assert charged == oracle.rounded(exact, statement.plan.rounding.value)


@given(total_scope)
def test_each_line_is_within_a_minor_unit_of_its_exact_cost(case: Case) -> None:
    for line in case.statement.one().overages:
        assert line.cost.minor in {floor(exact_minor(line)), ceil(exact_minor(line))}


@given(total_scope)
def test_a_line_with_a_whole_cost_is_left_as_it_is(case: Case) -> None:
    for line in case.statement.one().overages:
        exact = exact_minor(line)
        assert exact.denominator != 1 or line.cost.minor == exact


@given(total_scope)
def test_lines_rounded_up_have_the_largest_remainders_the_earlier_first(
    case: Case,
) -> None:
    lines = case.statement.one().overages
    lost = [exact_minor(line) % 1 for line in lines]
    is_up = [line.cost.minor > exact_minor(line) for line in lines]
    ups = [(-lost[i], i) for i in range(len(lines)) if is_up[i]]
    downs = [(-lost[i], i) for i in range(len(lines)) if not is_up[i]]
    assert not ups or not downs or max(ups) < min(downs)


# Allocation


weight_lists = st.lists(
    st.one_of(small_wholes, price_numbers, non_negative_numbers), min_size=1, max_size=6
)


def numbers_of(weights: list[Spelled]) -> list[Fraction]:
    """Return the weights as fractions, having seen to it that they are not all zero."""
    numbers = [Fraction(weight.first) for weight in weights]
    assume(any(numbers))
    return numbers


@given(minor_units, weight_lists)
def test_shares_are_those_of_the_largest_remainder(total: int, weights: list[Spelled]) -> None:
    numbers = numbers_of(weights)
    expected = tuple(oracle.allocated(total, numbers))
    assert allocate(total, [weight.first for weight in weights]) == expected
    assert allocate(total, (weight.second for weight in weights)) == expected


@given(minor_units, weight_lists)
def test_shares_add_up_and_each_is_within_one_of_its_exact_share(
    total: int, weights: list[Spelled]
) -> None:
    numbers = numbers_of(weights)
    shares = allocate(total, [weight.first for weight in weights])
    assert sum(shares) == total
    for share, number in zip(shares, numbers, strict=True):
        exact = total * number / sum(numbers)
        assert abs(share - exact) < 1
        assert exact.denominator != 1 or share == exact


@given(minor_units, weight_lists)
def test_a_larger_weight_never_gets_less_and_of_equal_ones_the_earlier_gets_more(
    total: int, weights: list[Spelled]
) -> None:
    numbers = numbers_of(weights)
    sizes = [abs(share) for share in allocate(total, [weight.second for weight in weights])]
    in_order = sorted(range(len(sizes)), key=lambda i: (-numbers[i], i))
    assert [sizes[i] for i in in_order] == sorted(sizes, reverse=True)


@given(minor_units, st.integers(1, 50))
def test_equal_weights_give_shares_that_fall_by_one_at_most_once(total: int, count: int) -> None:
    shares = allocate(total, [1] * count)
    assert sum(shares) == total
    assert list(shares) == sorted(shares, reverse=total >= 0)
    assert max(shares) - min(shares) <= 1


@given(money_recipes(), weight_lists)
def test_money_is_split_without_loss(recipe: Recipe[Money], weights: list[Spelled]) -> None:
    numbers_of(weights)
    money = recipe.one()
    shares = money.allocate(weight.first for weight in weights)
    assert sum(shares, Money(0, money.currency)) == money


@given(minor_units.filter(bool), st.integers(0, 4))
def test_what_no_weight_can_take_is_refused(total: int, count: int) -> None:
    with pytest.raises(InvalidValue, match="weights: must not all be zero"):
        allocate(total, [0] * count)


@given(st.integers(0, 4))
def test_nothing_can_be_split_over_nothing(count: int) -> None:
    assert allocate(0, ["0"] * count) == (0,) * count
