"""Law 1: exact until one named rounding; no float enters, no ambient decimal context decides."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from overages import (
    Account,
    Allowance,
    ChainHead,
    Conversion,
    Currency,
    Exchanged,
    MetricTotal,
    Money,
    Overage,
    OverageRecord,
    Package,
    Percentage,
    Period,
    PerUnit,
    Plan,
    Rounding,
    Tier,
    TierCharge,
    TransactionFee,
    Usage,
    UsageEvent,
    allocate,
    calculate,
    charge_between,
    round_to,
)
from overages.errors import InvalidType, InvalidValue
from overages.testing.numerals import (
    MOST_PARTS,
    UNIT,
    fractions,
    non_negative_numbers,
    positive_numbers,
    signed_numbers,
    small_wholes,
    written,
)
from overages.testing.recipe import Recipe, Spelled, cook
from tests.recorded import recorded, stored

from . import oracle
from .effort import few, many
from .strategies import (
    Case,
    Pairs,
    cases,
    currencies,
    our_price_recipes,
    plan_recipes,
    priced_quantities,
    roundings,
    turning_points,
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
        TransactionFee(1).charge_each([given_number]).amounts[0],
        Allowance(given_number, PerUnit(1)).included,
        Usage("org-1", FEBRUARY, {"tokens": given_number}).quantities["tokens"],
        Account("org-1", "starter", {"tokens": given_number}).limits["tokens"],
        Overage("tokens", given_number, given_number, PerUnit(1), USD_5).used,
        Overage("tokens", given_number, given_number, PerUnit(1), USD_5).limit,
    ]
    assert [Fraction(n or 0) for n in kept] == [exact] * len(kept)
    assert all(map(is_in_its_one_form, kept))


@given(st.integers(10**38, 10**60), st.sampled_from([1, -1]), st.integers(0, 23))
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
    points = [*turning_points(model), UNIT, 5 * UNIT, 7 * UNIT]
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
def test_a_unit_price_is_given_just_where_all_units_cost_that_and_nothing_else_is_due(
    pair: tuple[Recipe[Any], Spelled],
) -> None:
    model, quantity = pair[0].one(), pair[1].first
    charge = model.charge(quantity)
    expected = oracle.unit_price_of(model, quantity)
    assert charge.unit_price == expected
    if expected is not None:
        assert Fraction(charge.exact_cost) == expected * Fraction(quantity)


@given(priced_quantities())
def test_an_exact_cost_is_a_decimal_without_zeros_at_its_end_or_a_fraction_that_is_no_decimal(
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


@given(our_price_recipes, beyond, st.integers(0, 23))
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
        for line in statement.overages
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


@given(non_negative_numbers, small_wholes, st.integers(0, 23), st.booleans())
def test_a_limit_of_zero_is_a_limit_and_no_limit_is_the_plans(
    used: Spelled, included: Spelled, way: int, alone: bool
) -> None:
    allowance = Allowance(included.first, PerUnit(1))
    plan = Plan("starter", "USD", {"tokens": allowance, "runs": allowance})
    usage = Usage("org-1", FEBRUARY, {"tokens": used.first})
    others: dict[str, Any] = {} if alone else {"runs": 3}
    zero = calculate(plan, usage, limits={**others, "tokens": written(0, way)})["tokens"]
    assert (zero.limit, Fraction(zero.quantity)) == (0, Fraction(used.first))
    none = calculate(plan, usage, limits={**others, "tokens": None})["tokens"]
    assert none == calculate(plan, usage)["tokens"]


@given(cases())
def test_a_statement_has_a_line_for_each_metric_of_the_plan_in_its_order(case: Case) -> None:
    statement = case.statement.one()
    assert [line.metric for line in statement.overages] == list(statement.plan.allowances)
    assert [statement[line.metric] for line in statement.overages] == list(statement.overages)
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
        if isinstance(line.price, Pairs):
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


# Rounding happens once


BOUNDS: dict[str, tuple[Fraction, Fraction]] = {  # of (rounded - exact), both inclusive
    "half_up": (Fraction(-1, 2), Fraction(1, 2)),
    "half_even": (Fraction(-1, 2), Fraction(1, 2)),
    "half_down": (Fraction(-1, 2), Fraction(1, 2)),
    "up": (Fraction(0), Fraction(1)),
    "ceiling": (Fraction(0), Fraction(1)),
    "down": (Fraction(-1), Fraction(0)),
    "floor": (Fraction(-1), Fraction(0)),
}


@many
@given(cases(plan_recipes(scopes=["line"])))
def test_a_line_is_as_near_its_exact_cost_as_the_rounding_promises(case: Case) -> None:
    statement = case.statement.one()
    least, most = BOUNDS[statement.plan.rounding.value]
    for line in statement.overages:
        exact = Fraction(line.exact_cost) * 10**statement.currency.exponent
        assert least <= line.cost.minor - exact <= most
        assert abs(line.cost.minor - exact) < 1


@given(cases(plan_recipes(scopes=["total"])))
def test_a_total_is_as_near_its_exact_total_as_the_rounding_promises(case: Case) -> None:
    statement = case.statement.one()
    least, most = BOUNDS[statement.plan.rounding.value]
    exact = sum((Fraction(line.exact_cost) for line in statement.overages), Fraction())
    charged = sum(line.cost.minor for line in statement.overages)
    assert least <= charged - exact * 10**statement.currency.exponent <= most


@many
@given(fractions, positive_numbers, roundings)
def test_round_to_gives_the_multiple_that_the_oracle_gives(
    value: Fraction, increment: Spelled, rounding: Spelled
) -> None:
    step = Fraction(increment.first)
    expected = oracle.rounded(value / step, rounding.first.value) * step
    for way in ("first", "second"):
        found = round_to(value, getattr(increment, way), getattr(rounding, way))
        assert Fraction(found) == expected


halves = st.integers(-40, 40).map(lambda n: Fraction(n, 4))


@given(halves | fractions, st.sampled_from(Rounding))
def test_the_roundings_mean_what_those_of_decimal_mean(value: Fraction, rounding: Rounding) -> None:
    assume(not 10**20 % value.denominator)
    wide = decimal.Context(prec=200)
    number = wide.divide(Decimal(value.numerator), Decimal(value.denominator))
    expected = number.to_integral_value(rounding=f"ROUND_{rounding.name}", context=wide)
    assert round_to(value, 1, rounding) == int(expected)
    assert oracle.rounded(value, rounding.value) == int(expected)


each_rounding = pytest.mark.parametrize("rounding", list(Rounding))


@each_rounding
@few
@given(whole=st.integers(-9, 9) | st.integers(-(10**25), 10**25), places=st.integers(0, 11))
def test_an_exact_half_goes_where_its_rounding_sends_it(
    rounding: Rounding, whole: int, places: int
) -> None:
    half = Fraction(2 * whole + 1, 2)
    expected = oracle.rounded(half, rounding.value)
    assert round_to(half, 1, rounding) == expected
    currency = Currency("credits", places)
    assert Money.of(half / 10**places, currency, rounding).minor == expected


@each_rounding
@pytest.mark.parametrize("scope", ["line", "total"])
@pytest.mark.parametrize("model", [PerUnit, lambda price: Package(price, 1)])
def test_a_line_and_a_total_of_an_exact_half_go_where_their_rounding_sends_them(
    rounding: Rounding, scope: Any, model: Callable[[str], Any]
) -> None:
    allowances = {"tokens": Allowance(0, model("0.005")), "runs": Allowance(0, model("0"))}
    plan = Plan("half", "USD", allowances, rounding=rounding, rounding_scope=scope)
    for quantity in range(12):
        statement = calculate(plan, Usage("org-1", FEBRUARY, {"tokens": quantity}))
        assert statement.total.minor == oracle.rounded(Fraction(quantity, 2), rounding.value)


@given(fractions, roundings, st.integers(0, 12))
def test_money_of_an_amount_is_rounded_once(
    amount: Fraction, rounding: Spelled, exponent: int
) -> None:
    currency = Currency("credits", exponent)
    expected = oracle.rounded(amount * 10**exponent, rounding.first.value)
    assert Money.of(amount, currency, rounding.second) == Money(expected, currency)


@given(signed_numbers, st.integers(0, 12))
def test_money_of_an_amount_is_exact_or_refused(amount: Spelled, exponent: int) -> None:
    currency = Currency("credits", exponent)
    minor = Fraction(amount.first) * 10**exponent
    if minor.denominator == 1:
        money = Money.of(amount.second, currency)
        assert money == Money(int(minor), currency)
        assert money.amount == Fraction(amount.first)
    else:
        with pytest.raises(InvalidValue, match="amount: must have at most"):
            Money.of(amount.second, currency)


# No float enters


def record(**numbers: Any) -> OverageRecord:
    """Return a record with some of its numbers replaced."""
    usual: dict[str, Any] = {"quantity": 5, "cost": USD_5, "exact_cost": 5, "unit_price": 1}
    return stored("org-1", FEBRUARY, "tokens", **{**usual, **numbers})


STARTER = Plan(
    "starter", "USD", {"tokens": Allowance(5, PerUnit(1)), "runs": Allowance(5, PerUnit(1))}
)
NO_USAGE = Usage("org-1", FEBRUARY, {})

MONTHLY_FIELDS = [
    "included_tokens_monthly",
    "included_playbook_runs_monthly",
    "included_seats",
    "overage_token_price_milli_cents",
    "overage_playbook_run_price_cents",
    "overage_seat_price_cents",
    "monthly_price_cents",
]


def monthly(field: str) -> Callable[[Any], Plan]:
    """Return a function that makes a plan of the fields of a billing table, all 1 but one."""
    return lambda number: Plan.from_monthly_fields(
        "starter", **{**dict.fromkeys(MONTHLY_FIELDS, 1), field: number}
    )


ENTRANCES: dict[str, Callable[[Any], object]] = {
    "PerUnit.price": PerUnit,
    "PerUnit.per": lambda n: PerUnit(1, per=n),
    "Package.price": lambda n: Package(n, 1),
    "Package.size": lambda n: Package(1, n),
    "Percentage.percent": Percentage,
    "Tier.up_to": Tier,
    "Tier.price": lambda n: Tier(None, n),
    "Tier.flat": lambda n: Tier(None, 1, n),
    "Tier.per": lambda n: Tier(None, 1, per=n),
    "Tier.size": lambda n: Tier(None, 1, size=n),
    "TierCharge.quantity": lambda n: TierCharge(Tier(None), n),
    "TierCharge.above": lambda n: TierCharge(Tier(None), 1, n),
    "Allowance.included": lambda n: Allowance(n, PerUnit(1)),
    "Usage.quantities": lambda n: Usage("org-1", FEBRUARY, {"tokens": n}),
    "Usage.quantities, beside a decimal": lambda n: Usage("org-1", FEBRUARY, {"a": "1.5", "b": n}),
    "UsageEvent.quantity": lambda n: UsageEvent("org-1", "tokens", n, MARCH_FIRST),
    "Account.limits": lambda n: Account("org-1", "starter", {"tokens": n}),
    "Overage.used": lambda n: Overage("tokens", n, 1, PerUnit(1), USD_5),
    "Overage.limit": lambda n: Overage("tokens", 1, n, PerUnit(1), USD_5),
    "OverageRecord.quantity": lambda n: record(quantity=n),
    "OverageRecord.exact_cost": lambda n: record(exact_cost=n),
    "OverageRecord.unit_price": lambda n: record(unit_price=n),
    "OverageRecord.plan_version": lambda n: record(plan_version=n),
    "OverageRecord.revision": lambda n: record(revision=n),
    "OverageRecord.sequence": lambda n: record(sequence=n),
    "ChainHead.sequence": lambda n: ChainHead(n, "0" * 64),
    "MetricTotal.quantity": lambda n: MetricTotal(n, USD_5),
    "Money.minor": lambda n: Money(n, "USD"),
    "Money.of": lambda n: Money.of(n, "USD", "half_up"),
    "Money.allocate": lambda n: USD_5.allocate([1, n]),
    "Currency.exponent": lambda n: Currency("credits", n),
    "allocate.total": lambda n: allocate(n, [1]),
    "allocate.weights": lambda n: allocate(1, [1, n]),
    "round_to.value": round_to,
    "round_to.increment": lambda n: round_to(1, n),
    "charge_between.before": lambda n: charge_between(PerUnit(1), n, 1),
    "charge_between.after": lambda n: charge_between(PerUnit(1), 1, n),
    "calculate.limits, of one": lambda n: calculate(STARTER, NO_USAGE, limits={"tokens": n}),
    "calculate.limits": lambda n: calculate(STARTER, NO_USAGE, limits={"tokens": 1, "runs": n}),
    **{f"Plan.from_monthly_fields.{field}": monthly(field) for field in MONTHLY_FIELDS},
}


@pytest.mark.parametrize("entrance", [pytest.param(e, id=name) for name, e in ENTRANCES.items()])
@few
@given(number=st.floats() | st.sampled_from([0.0, 1.0, 5.0]) | st.booleans())
def test_floats_and_bools_are_refused_everywhere(
    entrance: Callable[[Any], object], number: float | bool
) -> None:
    with pytest.raises(InvalidType):
        entrance(number)


@given(our_price_recipes, st.floats() | st.booleans())
def test_no_price_model_charges_a_float_or_a_bool(
    recipe: Recipe[Any], number: float | bool
) -> None:
    with pytest.raises(InvalidType):
        recipe.one().charge(number)


@pytest.mark.parametrize("entrance", [pytest.param(e, id=name) for name, e in ENTRANCES.items()])
def test_the_same_entrances_accept_a_whole_number(entrance: Callable[[Any], object]) -> None:
    entrance(1)


def test_what_is_not_finite_is_refused() -> None:
    for text in ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity"]:
        for entrance in (PerUnit, lambda n: record(exact_cost=n), lambda n: MetricTotal(n, USD_5)):
            with pytest.raises(InvalidValue):
                entrance(Decimal(text))


@given(st.integers(1, UNIT - 1))
def test_no_answer_is_a_float(parts: int) -> None:
    quantity = written(parts, 3)
    statement = calculate(STARTER, Usage("org-1", FEBRUARY, {"tokens": quantity, "runs": 9}))
    line = statement["runs"]
    for answer in (
        line.quantity,
        line.exact_cost,
        line.unit_price,
        line.cost.amount,
        line.cost.minor,
    ):
        assert not isinstance(answer, float)
