"""Carry-over: one period after another gives what all at once do, and no unit is lost."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any

from hypothesis import assume, given, strategies as st

from overages import CarryOver, Period
from overages.amounts.exact import add_up, excess
from overages.settlements.carry_over_result import CarryOverResult
from overages.terms.carry_over import CarriedUnits
from overages.testing.strategies import values

from .contexts import ambient, decimal_contexts
from .effort import many
from .strategies import modest_numbers

Row = tuple[Period, Any, Any]

_numbers = modest_numbers.map(lambda number: number.first)


@st.composite
def histories(draw: st.DrawFn, quantities: st.SearchStrategy[Any] = _numbers) -> list[Row]:
    """Return none to eight months in order, some left out, with what was included and used."""
    months = sorted(draw(st.lists(st.integers(0, 23), max_size=8, unique=True)))
    return [
        (Period.month(2024 + n // 12, n % 12 + 1), draw(quantities), draw(quantities))
        for n in months
    ]


def total(layers: tuple[CarriedUnits, ...]) -> Fraction:
    """Return the units of some layers, signed."""
    return sum((Fraction(layer.quantity) for layer in layers), Fraction())


def carry_all(rule: CarryOver, rows: list[Row]) -> list[CarryOverResult]:
    """Return what an allowance comes to in each of some periods, with what those before left."""
    steps: list[CarryOverResult] = []
    for period, included, used in rows:
        brought = steps[-1].carried if steps else ()
        steps.append(CarryOverResult(rule, brought, included, used, period))
    return steps


@many
@given(values(CarryOverResult))
def test_carry_over_conserves_units(carrying: CarryOverResult) -> None:
    came = total(carrying.brought) + Fraction(carrying.included) - Fraction(carrying.used)
    went = total(carrying.expired) + total(carrying.cut) + total(carrying.carried)
    assert came + Fraction(carrying.overage) == went


@many
@given(values(CarryOverResult))
def test_carry_over_conserves_the_units_of_each_layer(carrying: CarryOverResult) -> None:
    """What was brought or included is drawn (or repaid), expired, cut or carried, to the unit."""
    beyond = Fraction(0)
    if carrying.rule.overage == "carried":
        beyond = max(Fraction(0), Fraction(carrying.used) - Fraction(carrying.limit))
    became = carrying.drawn + carrying.repaid + carrying.expired + carrying.cut + carrying.carried
    by_period: dict[Period, Fraction] = {carrying.period: Fraction(carrying.included) - beyond}
    for layer in carrying.brought:
        by_period[layer.period] = Fraction(layer.quantity)
    for layer in became:
        by_period[layer.period] -= Fraction(layer.quantity)
    assert set(by_period.values()) == {0}


@many
@given(values(CarryOverResult))
def test_carry_over_draws_what_was_used_and_repaid_but_for_what_is_beyond(
    carrying: CarryOverResult,
) -> None:
    beyond = max(Fraction(0), Fraction(carrying.used) - Fraction(carrying.limit))
    assert total(carrying.drawn) == Fraction(carrying.used) - beyond - total(carrying.repaid)
    charged = carrying.rule.overage == "charged"
    assert Fraction(carrying.overage) == (beyond if charged else 0)


@given(values(CarryOverResult))
def test_carry_over_charges_its_overage_above_what_is_free(carrying: CarryOverResult) -> None:
    assert excess(carrying.used, carrying.free) == carrying.overage


@many
@given(values(CarryOverResult))
def test_carry_over_never_passes_its_cap(carrying: CarryOverResult) -> None:
    units = add_up([carrying.included_before, carrying.included])
    most = carrying.rule.most(units) if carrying.ages else None  # of a period that goes on, none
    kept = sum(Fraction(layer.quantity) for layer in carrying.carried if layer.quantity > 0)
    if most is not None:
        assert kept <= Fraction(most)
        assert not carrying.cut or kept == Fraction(most)
    else:
        assert carrying.cut == ()


@many
@given(values(CarryOverResult))
def test_carry_over_is_never_negative(carrying: CarryOverResult) -> None:
    assert carrying.limit >= 0
    assert carrying.overage >= 0
    assert all(layer.quantity > 0 for layer in carrying.drawn + carrying.expired + carrying.cut)
    assert all(layer.quantity < 0 for layer in carrying.repaid)
    signs = {layer.quantity > 0 for layer in carrying.carried}
    assert len(signs) <= 1  # who has units left owes none


@given(values(CarryOver), histories())
def test_carry_over_lets_nothing_be_used_after_it_has_expired(
    rule: CarryOver, rows: list[Row]
) -> None:
    found = carry_all(rule, rows)
    numbers = {carrying.period: n for n, carrying in enumerate(found)}
    for n, carrying in enumerate(found):
        for layer in carrying.drawn + carrying.expired:
            age = n - numbers[layer.period]
            assert rule.expires_after is None or age <= rule.expires_after
        for layer in carrying.expired:
            assert n - numbers[layer.period] == rule.expires_after


@given(histories(), st.sampled_from(["oldest_first", "included_first"]))
def test_without_a_cap_or_expiry_overage_is_what_a_running_balance_falls_short(
    rows: list[Row], draw: Any
) -> None:
    """The total charged is the lowest that the balance would have been (Lindley's recursion)."""
    found = carry_all(CarryOver(draw=draw), rows)
    short = [Fraction(used) - Fraction(included) for _, included, used in rows]
    lowest = max([Fraction(0), *accumulate(short)])
    assert sum(Fraction(carrying.overage) for carrying in found) == lowest


@given(histories())
def test_overage_that_is_carried_is_charged_to_nobody_and_leaves_the_plain_balance(
    rows: list[Row],
) -> None:
    found = carry_all(CarryOver(overage="carried"), rows)
    balance = sum((Fraction(included) - Fraction(used) for _, included, used in rows), Fraction())
    assert all(carrying.overage == 0 for carrying in found)
    assert (total(found[-1].carried) if found else 0) == balance


def unit_by_unit(rule: CarryOver, rows: list[Row]) -> list[tuple[int, int]]:
    """Return the overage charged and the units left, of each period, one unit after another.

    Each unit is the number of the period that it comes from: an independent model of the rule.
    """
    left: list[int] = []
    owed = 0
    found = []
    for n, (_, included, used) in enumerate(rows):
        own = [n] * int(included)
        turn = own + left if rule.draw == "included_first" else left + own
        paid = min(owed, len(turn))
        turn, owed = turn[paid:], owed - paid
        beyond = max(0, int(used) - len(turn))
        turn = sorted(turn[int(used) :])
        if rule.expires_after is not None:
            turn = [unit for unit in turn if unit + rule.expires_after > n]
        most = rule.most(included)
        left = turn if most is None else turn[max(0, len(turn) - int(most)) :]
        owed += beyond if rule.overage == "carried" else 0
        found.append((beyond if rule.overage == "charged" else 0, len(left) - owed))
    return found


@many
@given(
    st.builds(
        CarryOver,
        st.none() | st.integers(0, 12),
        st.none() | st.sampled_from(["0.5", Fraction(1, 3), 1, 2]),
        st.none() | st.integers(1, 3),
        st.sampled_from(["oldest_first", "included_first"]),
        st.sampled_from(["charged", "carried"]),
    ),
    histories(st.integers(0, 9)),
)
def test_carry_over_does_with_layers_what_it_would_do_unit_by_unit(
    rule: CarryOver, rows: list[Row]
) -> None:
    found = carry_all(rule, rows)
    expected = unit_by_unit(rule, rows)
    assert [(step.overage, int(total(step.carried))) for step in found] == expected


@given(values(CarryOver), histories(), decimal_contexts())
def test_carry_over_is_exact_under_any_context(
    rule: CarryOver, rows: list[Row], context: Any
) -> None:
    expected = carry_all(rule, rows)
    with ambient(context):
        found = carry_all(rule, rows)
    assert found == expected
    assert [(step.limit, step.carried) for step in found] == [
        (step.limit, step.carried) for step in expected
    ]


@given(values(CarryOverResult), st.integers(1, 10))
def test_a_share_caps_what_is_carried_at_a_multiple_of_the_increment(
    carrying: CarryOverResult, tenths: int
) -> None:
    rule = CarryOver(share=Decimal(tenths) / 10, increment=5)
    most = rule.most(carrying.included)
    assume(most is not None)
    assert Fraction(str(most)) % 5 == 0
    assert Fraction(str(most)) <= Fraction(carrying.included) * Fraction(tenths, 10)
