"""Rating: conversion, the parts of a limit, parts of a period, and counters that go on."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.accounts import calculate_after, settle

from overages import (
    Allowance,
    CarryOver,
    Commitment,
    Conversion,
    Discount,
    Graduated,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    Usage,
    Volume,
    calculate,
)
from overages.errors import InvalidValue
from overages.lines.limit_part import LimitPart
from overages.lines.limits import NO_CONTEXT
from overages.lines.rating import limited

FEBRUARY = Period.month(2024, 2)
FIRST_HALF = Period(FEBRUARY.start, datetime(2024, 2, 15, 12, tzinfo=UTC))
USD_1 = Money(100, "USD")
PRICE = PerUnit("0.01")


def bill(
    allowance: Allowance,
    used: Any = 0,
    *,
    period: Period = FEBRUARY,
    others: dict[str, Any] | None = None,
    plan: dict[str, Any] | None = None,
    **named: Any,
) -> Statement:
    """Return the statement of a plan of one metric, ``a``, and of seats, which are free."""
    offers = {"a": allowance, "seats": Allowance(None, PerUnit(0))}
    terms = Plan("p", "USD", offers, **(plan or {}))
    usage = Usage("org-1", period, {"a": used, **(others or {})})
    if "earlier" in named:
        return calculate_after(terms, usage, **named)
    return calculate(terms, usage, **named)


def numbers(statement: Statement) -> tuple[Any, ...]:
    """Return used, limit, over and minor units of the line."""
    line = statement["a"]
    return line.used, line.limit, line.quantity, line.cost.minor


def parts(statement: Statement) -> list[tuple[str, Any, str | None]]:
    return [(part.kind, part.quantity, part.name) for part in statement["a"].limit_parts]


def adjusted(statement: Statement) -> list[tuple[str | None, str, int]]:
    return [(line.metric, line.line, line.cost.minor) for line in statement.adjustments]


# Conversion and the limit


def test_what_was_used_is_converted_before_anything_is_taken_off() -> None:
    started = Conversion(divide=1000, increment=1)
    statement = bill(Allowance(2, PerUnit(1), conversion=started), 4_001)
    assert numbers(statement) == (5, 2, 3, 300)
    assert statement["a"].limit_parts == ()


def test_an_allowance_comes_with_each_unit_of_another_metric() -> None:
    statement = bill(Allowance("10.5", PRICE, included_per="seats"), 1_000, others={"seats": "2.5"})
    assert numbers(statement) == (1000, Decimal("26.25"), Decimal("973.75"), 974)
    assert parts(statement) == [("included", Decimal("26.25"), "10.5 x 2.5 seats")]


def test_without_the_other_metric_nothing_is_included() -> None:
    statement = bill(Allowance(10, PRICE, included_per="seats"), 5)
    assert numbers(statement) == (5, 0, 5, 5)
    assert parts(statement) == [("included", 0, "10 x 0 seats")]


def test_what_is_included_together_must_be_a_quantity() -> None:
    allowance = Allowance("0.000000000001", PRICE, included_per="seats")
    with pytest.raises(
        InvalidValue, match=r"(^|: )a\.included: must have at most 12 decimal digits"
    ):
        bill(allowance, 5, others={"seats": "0.1"})


def test_the_name_of_another_metric_may_be_as_long_as_names_are() -> None:
    seats = "ä" * 127
    offers = {"a": Allowance(10, PRICE, included_per=seats), seats: Allowance(None, PRICE)}
    statement = calculate(Plan("p", "USD", offers), Usage("org-1", FEBRUARY, {seats: 2}))
    assert statement["a"].limit_parts == (LimitPart("included", 20, f"10 x 2 {'ä' * 124}"),)


def test_an_own_limit_stands_in_place_of_what_seats_bring() -> None:
    allowance = Allowance(10, PRICE, included_per="seats")
    statement = bill(allowance, 15, others={"seats": 9}, limits={"a": 12})
    assert numbers(statement) == (15, 12, 3, 3)
    assert statement["a"].limit_parts == ()


def test_free_units_are_part_of_the_limit() -> None:
    free = [Discount("welcome", quantity="2.5"), Discount("sorry", quantity=3)]
    statement = bill(Allowance(10, PRICE, discounts=free), 20)
    assert numbers(statement) == (20, Decimal("15.5"), Decimal("4.5"), 5)
    assert parts(statement) == [
        ("included", 10, None),
        ("free", Decimal("2.5"), "welcome"),
        ("free", 3, "sorry"),
    ]
    assert statement.adjustments == ()


def test_usage_without_a_limit_is_never_over() -> None:
    statement = bill(Allowance(None, PRICE, discounts=[Discount("free", quantity=5)]), 10**20)
    assert numbers(statement) == (10**20, None, 0, 0)
    assert statement["a"].limit_parts == ()


# A part of a period


def test_a_limit_is_that_of_the_share_of_the_period() -> None:
    allowance = Allowance(1_000, PRICE)
    statement = bill(allowance, 900, period=FIRST_HALF, billing_period=FEBRUARY)
    assert numbers(statement) == (900, 483, 417, 417)  # 14 days of 29
    assert parts(statement) == [("included", 483, "1,000 x 14/29")]
    half = Allowance(1_000, PRICE, proration="seconds", increment=100, increment_rounding="down")
    assert numbers(bill(half, 900, period=FIRST_HALF, billing_period=FEBRUARY))[1] == 500


def test_an_own_limit_and_what_seats_bring_are_prorated_too() -> None:
    allowance = Allowance(100, PRICE, included_per="seats")
    others = {"seats": 3}
    named: dict[str, Any] = {"period": FIRST_HALF, "billing_period": FEBRUARY, "others": others}
    assert parts(bill(allowance, **named)) == [("included", 145, "100 x 3 seats x 14/29")]
    assert parts(bill(allowance, **named, limits={"a": 58})) == [("own", 28, "58 x 14/29")]


def test_a_fault_names_the_metric() -> None:
    thirds = Conversion(divide=3)
    for allowance in (
        Allowance(2, PRICE, conversion=thirds),
        Allowance(2, PRICE, conversion=thirds, carry_over=CarryOver()),
    ):
        plan = Plan("p", "USD", {"a": allowance, "b": Allowance(0, PRICE, conversion=thirds)})
        with pytest.raises(InvalidValue, match=r"^a\.used: comes to 4/3 units, which no decimal"):
            settle(plan, Usage("org-1", FEBRUARY, {"a": 4, "b": 3}))


def test_what_seats_bring_goes_on_where_their_counter_does() -> None:
    allowance = Allowance(100, PRICE, included_per="seats")
    named: dict[str, Any] = {"others": {"seats": 1}, "earlier": {"a": 150, "seats": 2}}
    assert parts(bill(allowance, 100, **named)) == [
        ("included", 300, "100 x 3 seats"),
        ("used", -150, None),
    ]
    named["earlier"] = {"a": 150}
    assert parts(bill(allowance, 100, **named))[0] == ("included", 100, "100 x 1 seats")


def test_a_whole_period_has_all_of_it() -> None:
    assert bill(Allowance(1_000, PRICE), 900, billing_period=FEBRUARY) == bill(
        Allowance(1_000, PRICE), 900
    )


def test_days_are_those_of_a_timezone() -> None:
    month = Period.month(2024, 2, ZoneInfo("Europe/Berlin"))
    part = Period(month.start, datetime(2024, 2, 15, 23, tzinfo=UTC))  # the 16th in Berlin
    named: dict[str, Any] = {"period": part, "billing_period": month, "timezone": "Europe/Berlin"}
    assert parts(bill(Allowance(29, PRICE), **named)) == [("included", 15, "29 x 15/29")]
    with pytest.raises(InvalidValue, match=r"(^|: )timezone: "):
        bill(Allowance(29, PRICE), **{**named, "timezone": "Berlin"})


def test_usage_is_of_a_part_of_the_whole_period() -> None:
    with pytest.raises(InvalidValue):
        bill(Allowance(1_000, PRICE), period=FEBRUARY, billing_period=FIRST_HALF)


def test_minimums_and_commitments_are_those_of_the_share() -> None:
    allowance = Allowance(0, PRICE, minimum=Money(2900, "USD"))
    named: dict[str, Any] = {"period": FIRST_HALF, "billing_period": FEBRUARY}
    by_seconds = {"minimum": Money(5800, "USD"), "proration": "seconds"}
    statement = bill(allowance, 100, **named, plan=by_seconds)
    assert adjusted(statement) == [("a", "minimum", 1300), (None, "minimum", 1500)]
    committed = Allowance(0, PRICE, commitment=Commitment(quantity=2900))
    assert adjusted(bill(committed, 100, **named)) == [("a", "commitment", 1300)]


# Counters that go on


TIERED = Graduated([Tier(10, 1), Tier(None, "0.5", flat=2)])


def test_an_allowance_less_what_was_used_earlier_is_left() -> None:
    statement = bill(Allowance(100, PRICE), 50, earlier={"a": 70})
    assert numbers(statement) == (50, 30, 20, 20)
    assert parts(statement) == [("included", 100, None), ("used", -70, None)]
    assert statement["a"].before == 0


def test_beyond_it_the_tiers_go_on() -> None:
    statement = bill(Allowance(100, TIERED), 10, earlier={"a": 105})
    assert numbers(statement) == (10, 0, 10, 950)  # 10 + 5 x 0.5 + 2, less 5
    assert parts(statement) == [("included", 100, None), ("used", -100, None)]
    line = statement["a"]
    assert (line.before, line.charged_before) == (5, Decimal(5))
    assert line.exact_cost == Decimal("9.5")


def test_nothing_used_earlier_leaves_all_of_it() -> None:
    allowance = Allowance(100, TIERED)
    assert bill(allowance, 120, earlier={"a": None}) == bill(allowance, 120)
    assert bill(allowance, 120, earlier={"a": 0}).total == bill(allowance, 120).total
    assert bill(allowance, 120, earlier={}) == bill(allowance, 120)


def test_a_fee_at_quantity_zero_is_due_once_in_a_period_that_is_billed_in_steps() -> None:
    price = Graduated([Tier(None, price=1, flat=5)], flat_at_zero=True)
    first = bill(Allowance(10, price), 4, earlier={"a": None})
    then = [bill(Allowance(10, price), 3, earlier={"a": used}) for used in (4, 7, 10)]
    assert [each.total.minor for each in (first, *then)] == [500, 0, 0, 300]
    assert "charged before: 0" in then[0].explain()


def test_an_allowance_of_nothing_says_no_more_than_what_was_charged_before() -> None:
    statement = bill(Allowance(0, PRICE), 10, earlier={"a": 5})
    assert parts(statement) == [("included", 0, None)]
    assert (statement["a"].before, statement["a"].cost) == (5, Money(10, "USD"))


def test_where_counters_go_on_an_allowance_is_not_prorated() -> None:
    offers = {"a": Allowance(290, PRICE), "b": Allowance(290, PRICE)}
    usage = Usage("org-1", FIRST_HALF, {"a": 50, "b": 200})
    plan = Plan("p", "USD", offers)
    found = calculate_after(plan, usage, {"a": 250}, billing_period=FEBRUARY)
    assert [(line.limit, line.quantity) for line in found.overages] == [(40, 10), (140, 60)]


def test_what_was_used_earlier_is_converted_with_what_is_used_now() -> None:
    started = Conversion(divide=1000, increment=1)
    allowance = Allowance(0, PerUnit(1), conversion=started)
    assert numbers(bill(allowance, 900, earlier={"a": 100})) == (0, 0, 0, 0)
    assert numbers(bill(allowance, 901, earlier={"a": 100})) == (1, 0, 1, 100)


def test_what_was_charged_is_taken_off_rounded_as_it_was() -> None:
    allowance = Allowance(0, PerUnit("0.005"))
    assert [bill(allowance, 1, earlier={"a": n}).total.minor for n in range(4)] == [1, 0, 1, 0]


def test_or_exactly_where_the_total_is_rounded() -> None:
    total: dict[str, Any] = {"rounding_scope": "total"}
    allowance = Allowance(0, PerUnit("0.005"))
    found = [bill(allowance, 1, earlier={"a": n}, plan=total).total.minor for n in range(4)]
    assert found == [1, 1, 1, 1]


def test_a_price_that_gets_cheaper_gives_something_back() -> None:
    price = Volume([Tier(15, 10), Tier(None, 5)])
    statement = bill(Allowance(5, price, minimum=USD_1), 1, earlier={"a": 20}, ended=False)
    assert numbers(statement) == (1, 0, 1, -7000)
    assert statement.total == Money(-7000, "USD")


def test_started_packages_go_on_too() -> None:
    allowance = Allowance(5, Package(2, 10))
    assert numbers(bill(allowance, 4, earlier={"a": 11})) == (4, 0, 4, 0)
    assert numbers(bill(allowance, 5, earlier={"a": 11})) == (5, 0, 5, 200)


# What settlement adds


def test_parts_of_a_limit_are_added_and_taken_off() -> None:
    plan = Plan("p", "USD", {"a": Allowance(10, PRICE)})
    more = (LimitPart("carried", 5, "2024-01-01"), LimitPart("owed", -3, "2024-01-01"))
    line = plan.compiled.lines[0]
    included = LimitPart("included", 10)
    rated = limited(line, 20, included, NO_CONTEXT, None, more).priced()
    parts = (included, *more)
    assert rated.rounded(8) == (line, 20, 12, 8, 8, None, parts, None)
