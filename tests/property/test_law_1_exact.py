"""Law 1: numbers, prices and statements are exact, as an oracle of fractions says.

"Exact until one named rounding. Quantities, prices and costs are exact. [...] Each line is rounded
to the currency's minor unit once, by the rule that the plan names; the exact cost stays beside the
rounded one."
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages import (
    Account,
    Allowance,
    Conversion,
    Exchanged,
    Money,
    Overage,
    Package,
    Percentage,
    Period,
    PerUnit,
    Plan,
    Tier,
    TierCharge,
    TransactionFee,
    Usage,
    UsageEvent,
    calculate,
)
from overages.errors import InvalidValue
from overages.testing.fields import currencies
from overages.testing.prices import turning_points
from tests.recorded import recorded
from tests.since import SINCE

from . import oracle
from .effort import many
from .recipes import MOST_PARTS, UNIT, Recipe, Spelled, cook, in_parts, written
from .strategies import (
    Case,
    Pairs,
    cases,
    non_negative_numbers,
    our_price_recipes,
    plan_recipes,
    positive_numbers,
    priced_quantities,
    roundings,
    signed_numbers,
    small_wholes,
    whole_price_recipes,
)

FEBRUARY = Period.month(2024, 2)
MARCH_FIRST = FEBRUARY.end
USD_5 = Money(500, "USD")


# Numbers come in as they are


def is_in_its_one_form(number: object) -> bool:
    """Say whether a number is an int if it is whole, else a Decimal without zeros at its end."""
    if isinstance(number, Decimal):
        return number != int(number) and number.as_tuple().digits[-1] != 0
    return type(number) is int


@given(signed_numbers)
def test_a_number_keeps_its_value_however_it_is_written(number: Spelled) -> None:
    for text in (number.first, number.second):
        kept = UsageEvent("org-1", "tokens", text, MARCH_FIRST).quantity
        assert Fraction(kept) == Fraction(text)
        assert is_in_its_one_form(kept)


@given(positive_numbers)
def test_every_part_of_a_value_keeps_the_number_that_was_given(number: Spelled) -> None:
    given_number, exact = number.first, Fraction(number.first)
    tier = Tier(given_number, given_number, given_number, per=given_number)
    kept = [
        *(tier.up_to, tier.price, tier.flat, tier.per),
        Tier(None, size=given_number).size,
        Tier(None, maximum=given_number).maximum,
        TierCharge(tier, given_number, given_number).quantity,
        TierCharge(tier, given_number, given_number).above,
        PerUnit(given_number, given_number).price,
        PerUnit(given_number, given_number).per,
        Package(given_number, given_number).price,
        Package(given_number, given_number).size,
        Percentage(given_number).percent,
        Exchanged(PerUnit(1), given_number, given_number).rate,
        Exchanged(PerUnit(1), given_number, given_number).per,
        Conversion(given_number, given_number, given_number, given_number).multiply,
        Conversion(given_number, given_number, given_number, given_number).divide,
        Conversion(given_number, given_number, given_number, given_number).increment,
        Conversion(given_number, given_number, given_number, given_number).minimum,
        TransactionFee(given_number, given_number).percent,
        TransactionFee(given_number, given_number).fixed,
        TransactionFee(1, free_amount=given_number).free_amount,
        TransactionFee(1, min_per_event=given_number).min_per_event,
        TransactionFee(1, max_per_event=given_number).max_per_event,
        Allowance(given_number, PerUnit(1)).included,
        Usage("org-1", FEBRUARY, {"tokens": given_number}).quantities["tokens"],
        Account("org-1", "starter", limits={"tokens": given_number}, since=SINCE).limits["tokens"],
        Overage("tokens", given_number, given_number, PerUnit(1), Money(0, "USD")).used,
        Overage("tokens", given_number, given_number, PerUnit(1), Money(0, "USD")).limit,
    ]
    assert [Fraction(n or 0) for n in kept] == [exact] * len(kept)
    assert all(map(is_in_its_one_form, kept))


@given(st.integers(10**38, 10**60), st.sampled_from([1, -1]), st.integers(0, 27))
def test_a_number_of_27_integer_digits_is_refused(parts: int, sign: int, way: int) -> None:
    with pytest.raises(InvalidValue, match="at most 26 integer digits"):
        UsageEvent("org-1", "tokens", written(sign * parts, way), MARCH_FIRST)


@given(st.integers(1, 10**20).filter(lambda n: n % 10 > 0), st.integers(13, 40), st.booleans())
def test_a_number_of_13_decimals_is_refused(digits: int, places: int, as_text: bool) -> None:
    number = Decimal(f"{digits}E-{places}")
    with pytest.raises(InvalidValue, match="at most 12 decimal digits"):
        UsageEvent("org-1", "tokens", f"{number:f}" if as_text else number, MARCH_FIRST)


# Prices


@many
@given(priced_quantities())
def test_every_price_model_costs_what_the_oracle_says(pair: tuple[Recipe[Any], Spelled]) -> None:
    model, quantity = pair[0].one(), pair[1]
    expected = oracle.price_of(model, quantity.first)
    assert Fraction(model.charge(quantity.first).exact_cost) == expected
    assert Fraction(model.charge(quantity.second).exact_cost) == expected


@given(priced_quantities())
def test_every_tier_costs_what_the_oracle_says(pair: tuple[Recipe[Any], Spelled]) -> None:
    model, quantity = pair[0].one(), pair[1].first
    charged = [Fraction(tier.exact_cost) for tier in model.charge(quantity).tiers]
    assert charged == list(oracle.tier_costs(model, quantity).values())


@many
@given(our_price_recipes)
def test_a_price_costs_what_the_oracle_says_at_and_beside_every_point_where_it_turns(
    recipe: Recipe[Any],
) -> None:
    model = recipe.one()
    points = [in_parts(quantity) for quantity in (*turning_points(model), 1, 5, 7)]
    for parts in {point + beside for point in points for beside in (-UNIT, -1, 0, 1, UNIT)}:
        if 0 <= parts <= MOST_PARTS:
            quantity = written(parts, 0)
            expected = oracle.tier_costs(model, quantity)
            charge = model.charge(quantity)
            assert [Fraction(tier.exact_cost) for tier in charge.tiers] == list(expected.values())
            assert Fraction(charge.exact_cost) == sum(expected.values(), Fraction())


@given(priced_quantities())
def test_the_quantities_of_the_tiers_add_up(pair: tuple[Recipe[Any], Spelled]) -> None:
    model, quantity = pair[0].one(), pair[1].first
    tiers = model.charge(quantity).tiers
    assert sum((Fraction(tier.quantity) for tier in tiers), Fraction()) == Fraction(quantity)
    for tier in tiers:
        upper = tier.tier.up_to
        assert upper is None or Fraction(tier.above) + Fraction(tier.quantity) <= Fraction(upper)


@many
@given(whole_price_recipes, st.integers(0, 60))
def test_a_small_quantity_costs_what_counting_its_units_gives(
    recipe: Recipe[Any], quantity: int
) -> None:
    model = recipe.one()
    assert Fraction(model.charge(quantity).exact_cost) == oracle.unit_by_unit(model, quantity)


@given(priced_quantities())
def test_a_unit_price_is_there_just_where_all_units_cost_that_alone(
    pair: tuple[Recipe[Any], Spelled],
) -> None:
    model, quantity = pair[0].one(), pair[1].first
    charge = model.charge(quantity)
    expected = oracle.unit_price_of(model, quantity)
    assert charge.unit_price == expected
    if expected is not None:
        assert Fraction(charge.exact_cost) == expected * Fraction(quantity)


@given(priced_quantities())
def test_an_exact_cost_is_a_plain_decimal_or_a_fraction_that_is_none(
    pair: tuple[Recipe[Any], Spelled],
) -> None:
    charge = pair[0].one().charge(pair[1].first)
    amounts = [charge.exact_cost, *(tier.exact_cost for tier in charge.tiers)]
    for amount in [*amounts, *([] if charge.unit_price is None else [charge.unit_price])]:
        exact = Fraction(amount)
        is_decimal = 10**400 % exact.denominator == 0
        assert isinstance(amount, Decimal if is_decimal else Fraction)
        if isinstance(amount, Decimal):
            places = -int(amount.as_tuple().exponent)
            assert 10**places * exact == int(10**places * exact)
            assert places == 0 or 10 ** (places - 1) * exact % 1 != 0


beyond = st.one_of(
    st.integers(10**38, 10**40), st.integers(-(10**40), -1), st.just(10**38), st.just(-1)
)


@given(our_price_recipes, beyond, st.integers(0, 27))
def test_no_price_model_charges_a_quantity_that_is_negative_or_too_large(
    recipe: Recipe[Any], parts: int, way: int
) -> None:
    with pytest.raises(InvalidValue, match="quantity: must"):
        recipe.one().charge(written(parts, way))


# Statements


@many
@given(cases(plan_recipes(plain=True)))
def test_a_statement_says_what_the_oracle_says(case: Case) -> None:
    statement = case.statement.one()
    limits = {metric: getattr(limit, "first", None) for metric, limit in case.limits.items()}
    expected = oracle.lines_of(statement.plan, case.usage.one(), limits)
    scale = 10**statement.currency.exponent
    found = [
        oracle.Line(
            Fraction(line.used),
            None if line.limit is None else Fraction(line.limit),
            Fraction(line.quantity),
            Fraction(line.exact_cost) * scale,
            line.cost.minor,
        )
        for line in statement.every_overage()
    ]
    assert found == expected
    assert statement.total == Money(sum(line.cost for line in expected), statement.currency)


@many
@given(cases())
def test_a_line_of_any_plan_costs_what_the_oracle_says_of_its_units(case: Case) -> None:
    statement = case.statement.one()
    for line in statement.overages:
        unlimited = line.limit is None
        over = Fraction() if unlimited else Fraction(line.used) - Fraction(line.limit or 0)
        assert Fraction(line.quantity) == max(Fraction(), over)
        assert Fraction(line.exact_cost) == oracle.price_of(line.price, line.quantity)
        parts = sum((Fraction(part.quantity) for part in line.limit_parts), Fraction())
        assert not line.limit_parts or parts == Fraction(line.limit or 0)


@many
@given(whole_price_recipes, st.integers(0, 20), roundings, currencies)
def test_statements_of_small_whole_quantities_say_what_the_oracle_says(
    recipe: Recipe[Any], included: int, rounding: Spelled, currency: Any
) -> None:
    price = recipe.one()
    allowances = {"tokens": Allowance(included, price)}
    plan = Plan("small", cook(currency), allowances, rounding=rounding.first)
    for used in range(0, 50, 3):
        usage = Usage("org-1", FEBRUARY, {"tokens": used})
        line = calculate(plan, usage)["tokens"]
        (expected,) = oracle.lines_of(plan, usage, None)
        assert (Fraction(line.quantity), line.cost.minor) == (expected.over, expected.cost)
        assert line.unit_price == oracle.unit_price_of(price, line.quantity or 1)


@given(non_negative_numbers, small_wholes, st.integers(0, 27), st.booleans())
def test_a_limit_of_zero_is_a_limit_and_none_is_unlimited(
    used: Spelled, included: Spelled, way: int, alone: bool
) -> None:
    allowance = Allowance(included.first, PerUnit(1))
    plan = Plan("starter", "USD", {"tokens": allowance, "runs": allowance})
    usage = Usage("org-1", FEBRUARY, {"tokens": used.first})
    others: dict[str, Any] = {} if alone else {"runs": 3}
    zero = calculate(plan, usage, limits={**others, "tokens": written(0, way)})["tokens"]
    assert (zero.limit, Fraction(zero.quantity)) == (0, Fraction(used.first))
    none = calculate(plan, usage, limits={**others, "tokens": None})["tokens"]
    assert (none.limit, none.quantity, none.cost.minor) == (None, 0, 0)
    assert calculate(plan, usage, limits=others)["tokens"].limit == allowance.included


@given(cases())
def test_a_statement_answers_for_each_metric_of_the_plan_in_its_order(case: Case) -> None:
    statement = case.statement.one()
    every = statement.every_overage()
    assert [line.metric for line in every] == list(statement.plan.allowances)
    assert tuple(statement[line.metric] for line in every) == every
    adjusted = {line.metric for line in statement.adjustments}
    assert statement.overages == tuple(
        line for line in every if line.used or line.exact_cost or line.metric in adjusted
    )
    assert statement.lines == (*statement.overages, *statement.adjustments)


@given(cases())
def test_every_quantity_of_a_statement_is_in_its_one_form(case: Case) -> None:
    for line in case.statement.one().overages:
        numbers = [line.used, line.quantity, *(tier.quantity for tier in line.tiers)]
        assert all(map(is_in_its_one_form, numbers))


@given(cases())
def test_the_unit_price_of_a_line_is_that_of_what_is_over_or_of_the_next_unit(case: Case) -> None:
    for line in case.statement.one().overages:
        over = line.quantity or 1
        is_fee = not line.quantity and bool(line.exact_cost)  # due without any unit
        if isinstance(line.price, Pairs) or is_fee:
            assert line.unit_price is None
        else:
            assert line.unit_price == oracle.unit_price_of(line.price, over)


@given(cases())
def test_every_statement_can_be_recorded_and_keeps_its_exact_costs(case: Case) -> None:
    statement = case.statement.one()
    adjustments = {(line.metric, line.line): line for line in statement.adjustments}
    for record in recorded(statement):
        found = adjustments.get((record.metric, record.line))
        line = found or statement[record.metric or ""]
        units = line.quantity if isinstance(line, Overage) else 0
        assert Fraction(record.exact_cost) == Fraction(line.exact_cost)
        assert (record.quantity, record.cost) == (units, line.cost)


def test_the_finest_cost_there_is_can_be_recorded() -> None:
    finest = "0.000000000001"
    plan = Plan("fine", "USD", {"tokens": Allowance(0, PerUnit(finest, per=2**86))})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"tokens": finest}))
    (record,) = recorded(statement)
    assert Fraction(record.exact_cost) == Fraction(1, 10**24 * 2**86)
