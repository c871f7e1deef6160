"""Allowances and plans with every term, and what excludes what."""

from fractions import Fraction
from typing import Any

import pytest

from overages import (
    Allowance,
    CarryOver,
    Commitment,
    Conversion,
    Currency,
    Cycle,
    Discount,
    Money,
    Period,
    PerUnit,
    Plan,
    Proration,
    Rounding,
    Usage,
    calculate,
)
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, InvalidValues

FREE = PerUnit(0)
USD_3, USD_5, USD_9 = (Money(minor, "USD") for minor in (300, 500, 900))
EUR_5 = Money(500, "EUR")
YEARS = Cycle(Period.month(2024, 1).start, unit="year")
LAUNCH, WELCOME = Discount("launch", percent=20), Discount("welcome", quantity=5)
TERMS: dict[str, Any] = {  # each of another value than is usual
    "conversion": Conversion(divide=1000),
    "included_per": "seats",
    "carry_over": CarryOver(5),
    "proration": Proration.SECONDS,
    "increment": 10,
    "increment_rounding": Rounding.UP,
    "discounts": (LAUNCH, WELCOME),
    "commitment": Commitment(USD_5),
    "maximum": USD_9,
    "minimum": USD_5,
    "hard_limit": 100,
}
SHOWN: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        Allowance,
        CarryOver,
        Commitment,
        Conversion,
        Currency,
        Discount,
        Money,
        PerUnit,
        Plan,
    )
}


def test_an_allowance_has_no_terms_unless_it_is_told() -> None:
    allowance = Allowance(5, FREE)
    assert [getattr(allowance, key) for key in TERMS] == [
        None, None, None, Proration.DAYS, 1, Rounding.HALF_UP, (), None, None, None, None,
    ]  # fmt: skip
    assert (allowance.included_for, allowance.hard_limit_percent) == (None, None)


def test_an_allowance_keeps_what_it_is_told() -> None:
    allowance = Allowance("5.0", FREE, **TERMS)
    assert {key: getattr(allowance, key) for key in TERMS} == TERMS
    assert Allowance(5, FREE, included_for=YEARS).included_for == YEARS
    by_name = Allowance(5, FREE, proration="seconds", increment_rounding="up")
    assert (by_name.proration, by_name.increment_rounding) == (Proration.SECONDS, Rounding.UP)


def test_an_allowance_shows_what_is_unusual() -> None:
    allowance = Allowance(5, FREE, **TERMS)
    text = repr(allowance)
    assert text.startswith("Allowance(included=5, price=PerUnit(price=0), conversion=")
    assert ", proration='seconds', increment=10, increment_rounding='up', discounts=(" in text
    assert eval(text, SHOWN) == allowance


@pytest.mark.parametrize("term", TERMS)
def test_allowances_differ_by_each_of_their_terms(term: str) -> None:
    changed, same = (Allowance(5, FREE, **{term: TERMS[term]}) for _ in range(2))
    assert changed != Allowance(5, FREE)
    assert (changed, hash(changed)) == (same, hash(same))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"conversion": 1000}, "conversion: must be of type Conversion, got 1000"),
        ({"included_per": ""}, "included_per: must not be empty, got ''"),
        ({"included_per": 5}, "included_per: must be a str, got 5"),
        ({"included_for": "year"}, "included_for: must be of type Cycle, got 'year'"),
        ({"carry_over": True}, "carry_over: must be of type CarryOver, got True"),
        ({"proration": "hours"}, "proration: must be one of days, days_30_360, seconds, days_in"),
        ({"increment": 0}, "increment: must be more than zero, got 0"),
        ({"increment_rounding": "near"}, "increment_rounding: must be one of half_up, half_even"),
        ({"discounts": 5}, "discounts: must be a list, or something else to iterate over, got 5"),
        ({"discounts": ["launch"]}, r"discounts\[0\]: must be of type Discount, got 'launch'"),
        ({"discounts": [LAUNCH] * 2}, r"discounts\[1\].name: must be given once, got 'launch'"),
        ({"commitment": USD_5}, r"commitment: must be of type Commitment, got Money\(500"),
        ({"maximum": 5}, "maximum: must be of type Money, got 5"),
        ({"maximum": -USD_5}, "maximum: must not be negative, got "),
        ({"minimum": 5}, "minimum: must be of type Money, got 5"),
        ({"minimum": -USD_5}, "minimum: must not be negative, got "),
        ({"minimum": USD_9, "maximum": USD_5}, "minimum: must not be above the maximum, 5.00 USD"),
        ({"hard_limit": -1}, "hard_limit: must not be negative, got -1"),
        ({"hard_limit": "4.9"}, "hard_limit: must not be below the included quantity, 5, got 4.9"),
        ({"hard_limit_percent": "99.9"}, "hard_limit_percent: must be 100 or more, got '99.9'"),
        (
            {"hard_limit": 5, "hard_limit_percent": 100},
            "hard_limit_percent: must be None where hard_limit is given, got 100",
        ),
        (
            {"hard_limit": 5, "included_for": YEARS},
            "hard_limit: must be None where the allowance is for a cycle of its own, got 5",
        ),
        (
            {"hard_limit_percent": 120, "included_for": YEARS},
            "hard_limit_percent: must be None where the allowance is for a cycle of its own, got",
        ),
        (
            {"carry_over": CarryOver(), "included_for": YEARS},
            "carry_over: must be None where units are for a cycle of their own",
        ),
        (
            {"included_per": "seats", "included_for": YEARS},
            "included_per: must be None where the allowance is for a cycle of its own",
        ),
    ],
)
def test_a_term_that_is_not_allowed_is_named(terms: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        Allowance(5, FREE, **terms)


def test_what_is_unlimited_can_not_be_carried_over() -> None:
    with pytest.raises(InvalidValue, match=r"^carry_over: must be None where"):
        Allowance(None, FREE, carry_over=CarryOver())


def test_what_is_for_a_cycle_of_its_own_is_not_for_each_of_another_metric() -> None:
    with pytest.raises(InvalidValue, match="included_per: must be None where the allowance is for"):
        Allowance(5, PerUnit(1), included_per="seats", included_for=YEARS)


def test_the_amounts_of_an_allowance_are_in_one_currency() -> None:
    with pytest.raises(CurrencyMismatch, match=r"^minimum: EUR and USD can't be added"):
        Allowance(5, FREE, minimum=USD_5, maximum=EUR_5)
    with pytest.raises(CurrencyMismatch, match=r"^commitment\.amount: USD and EUR can't be added"):
        Allowance(5, FREE, minimum=USD_5, commitment=Commitment(EUR_5))


def test_all_rules_that_clash_are_reported_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        Allowance(
            None,
            FREE,
            carry_over=CarryOver(),
            included_for=YEARS,
            included_per="seats",
            minimum=USD_9,
            maximum=USD_5,
        )
    fields = [str(error).partition(":")[0] for error in caught.value.errors]
    assert fields == ["carry_over", "carry_over", "included_per", "minimum"]


def test_all_faults_are_reported_together() -> None:
    bad: Any = {"increment": 0, "proration": "x", "maximum": 5}
    with pytest.raises(InvalidValues) as caught:
        Allowance(-1, FREE, **bad)
    found = [str(error).split(":")[0] for error in caught.value.errors]
    assert found == ["included", "proration", "increment", "maximum"]


PLAIN = {"hard_limit", "carry_over", "proration", "increment", "increment_rounding"}


@pytest.mark.parametrize("term", TERMS)
def test_an_allowance_is_plain_if_no_term_counts_in_a_whole_period(term: str) -> None:
    assert Allowance(5, FREE, **{term: TERMS[term]}).is_flat == (term in PLAIN)
    assert Allowance(5, FREE, included_for=YEARS).is_flat


def test_what_is_carried_over_or_for_a_longer_cycle_depends_on_earlier_periods() -> None:
    assert not Allowance(5, FREE).needs_balance
    assert Allowance(5, FREE, carry_over=CarryOver()).needs_balance
    assert Allowance(5, FREE, included_for=YEARS).needs_balance


def test_the_amounts_of_all_terms_are_known() -> None:
    terms = {**TERMS, "discounts": [LAUNCH, Discount("voucher", amount=USD_3)]}
    assert list(Allowance(5, FREE, **terms).amounts()) == [
        (("discounts", 1, "amount"), USD_3),
        (("maximum",), USD_9),
        (("minimum",), USD_5),
        (("commitment", "amount"), USD_5),
    ]
    assert not list(Allowance(5, FREE, commitment=Commitment(quantity=5)).amounts())


def test_a_prorated_quantity_is_rounded_to_the_increment_but_the_whole_is_not() -> None:
    tens = Allowance(105, FREE, increment=10, increment_rounding="up")
    assert tens.prorated(105, Fraction(1, 2)) == 60
    assert tens.prorated(105, Fraction(1)) == 105
    assert Allowance(5, FREE).prorated(5, Fraction(1, 2)) == 3


# Plans


def plan(allowance: Allowance | None = None, **terms: Any) -> Plan:
    x = allowance or Allowance(5, FREE)
    return Plan("p", "USD", {"x": x, "y": Allowance(5, FREE)}, **terms)


@pytest.mark.parametrize(
    "terms",
    [{"discounts": [LAUNCH]}, {"maximum": USD_9}, {"minimum": USD_5}, {"proration": "seconds"}],
)
def test_a_plan_keeps_and_shows_its_terms_and_differs_by_each(terms: dict[str, Any]) -> None:
    changed = plan(**terms)
    assert changed != plan()
    (key,) = terms
    assert f", {key}=" in repr(changed)
    assert eval(repr(changed), SHOWN) == changed
    assert changed.compiled.is_flat == (key == "proration")
    assert plan().compiled.is_flat


def test_a_plan_is_not_plain_if_one_of_its_allowances_is_not() -> None:
    assert not plan(Allowance(5, FREE, minimum=USD_5)).compiled.is_flat
    assert plan(Allowance(5, FREE, carry_over=CarryOver())).compiled.is_flat


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"discounts": [WELCOME]}, r"discounts\[0\].quantity: must be None: units are those of a"),
        ({"discounts": [LAUNCH] * 2}, r"discounts\[1\].name: must be given once"),
        ({"maximum": -USD_5}, "maximum: must not be negative"),
        ({"minimum": "5.00"}, "minimum: must be of type Money"),
        ({"minimum": USD_9, "maximum": USD_5}, "minimum: must not be above the maximum, 5.00 USD"),
        ({"proration": "hours"}, "proration: must be one of days, "),
        ({"maximum": EUR_5}, "maximum: USD and EUR can't be added"),
        ({"minimum": EUR_5}, "minimum: USD and EUR can't be added"),
        (
            {"discounts": [Discount("v", amount=EUR_5)]},
            r"discounts\[0\].amount: USD and EUR can't be added",
        ),
    ],
)
def test_a_term_of_a_plan_that_is_not_allowed_is_named(terms: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue, CurrencyMismatch), match=f"^{message}"):
        plan(**terms)


@pytest.mark.parametrize(
    "terms",
    [
        {"maximum": EUR_5},
        {"minimum": EUR_5},
        {"commitment": Commitment(EUR_5)},
        {"discounts": [Discount("v", amount=EUR_5)]},
    ],
)
def test_the_amounts_of_allowances_are_in_the_currency_of_the_plan(terms: dict[str, Any]) -> None:
    with pytest.raises(CurrencyMismatch, match=r"^allowances\.x\.[\w.\[\]]+: USD and EUR can't"):
        plan(Allowance(5, FREE, **terms))


def test_each_amount_in_another_currency_is_told_with_its_path() -> None:
    gbp = Money(5, "GBP")
    allowances = {"a": Allowance(5, FREE, maximum=EUR_5), "b": Allowance(5, FREE, minimum=gbp)}
    with pytest.raises(InvalidValues) as caught:
        Plan("p", "USD", allowances, base_fee=gbp)
    assert [str(error) for error in caught.value.errors] == [
        "base_fee: USD and GBP can't be added or compared",
        "allowances.a.maximum: USD and EUR can't be added or compared",
        "allowances.b.minimum: USD and GBP can't be added or compared",
    ]


@pytest.mark.parametrize("other", ["x", "z"])
def test_units_are_included_for_each_of_another_metric_of_the_plan(other: str) -> None:
    problem = f"^allowances.x.included_per: must be another metric of the plan, got '{other}'$"
    with pytest.raises(InvalidValue, match=problem):
        plan(Allowance(5, FREE, included_per=other))
    assert plan(Allowance(5, FREE, included_per="y")).allowances["x"].included_per == "y"


def test_a_limit_that_is_no_quantity_is_refused_by_name() -> None:
    most = Allowance(10**26 - 1, FREE, discounts=[WELCOME])
    with pytest.raises(InvalidValue, match=r"(^|: )x\.limit: must have at most 26 integer digits"):
        calculate(plan(most), Usage("org-1", Period.month(2024, 2), {"x": 1}))


def test_the_word_of_plan_files_for_no_limit_is_none_here() -> None:
    with pytest.raises(InvalidValue, match=r"^included: must be a number, or None where units are"):
        Allowance("unlimited", PerUnit(1))


def test_no_unit_of_a_level_is_carried_over_or_for_a_longer_time() -> None:
    with pytest.raises(InvalidValues) as caught:
        Allowance(
            5, PerUnit(1), kind="level", carry_over=CarryOver(), included_for=Cycle.calendar("year")
        )
    told = [str(error) for error in caught.value.errors]
    assert (
        sum("must be None for a level, of which no unit is used up" in text for text in told) == 2
    )


def test_units_that_are_unlimited_can_have_a_hard_limit_but_not_in_per_cent_of_them() -> None:
    assert Allowance(None, FREE, hard_limit=5).hard_limit == 5
    problem = r"^hard_limit_percent: must be None where units are unlimited, got 120"
    with pytest.raises(InvalidValue, match=problem):
        Allowance(None, FREE, hard_limit_percent=120)


def test_a_hard_limit_of_nothing_is_a_number_and_no_per_cent() -> None:
    assert Allowance(0, FREE, hard_limit=0).hard_limit == 0
    problem = r"^hard_limit_percent: must be None where nothing is included, of which any per cent"
    with pytest.raises(InvalidValue, match=problem):
        Allowance(0, FREE, hard_limit_percent=200)


def test_a_hard_limit_can_be_below_units_that_another_metric_brings() -> None:
    assert Allowance(1_000, FREE, included_per="seats", hard_limit=500).hard_limit == 500
    assert Allowance(5, FREE, hard_limit_percent="120.0").hard_limit_percent == 120
