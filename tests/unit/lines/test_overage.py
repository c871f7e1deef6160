"""Overages: what they hold, what they cost, and how they explain themselves."""

from decimal import Context, Decimal, localcontext
from typing import Any

import pytest
from tests.told import told

from overages import (
    Graduated,
    Money,
    Overage,
    Package,
    PerUnit,
    Tier,
    TierCharge,
    Volume,
    charge_between,
)
from overages.errors import InvalidValue, InvalidValues
from overages.lines.limit_part import LimitPart

TIERS = [Tier(100, "0.10"), Tier(200, "0.05", flat=5), Tier(None, "0.01", flat=2, per=3)]


def test_an_overage_is_what_lies_beyond_its_limit() -> None:
    line = Overage("tokens", "750000.5", 500_000, PerUnit("0.0001"), Money(2500, "USD"))
    assert repr((line.used, line.limit, line.quantity)) == (
        "(Decimal('750000.5'), 500000, Decimal('250000.5'))"
    )
    assert repr(line.exact_cost) == "Decimal('25.00005')"


@pytest.mark.parametrize(("used", "limit"), [(5, 5), (4, 5), (10**20, None)])
def test_within_its_limit_or_without_one_nothing_is_over(used: int, limit: int | None) -> None:
    line = Overage("tokens", used, limit, PerUnit(1), Money(0, "USD"))
    assert repr((line.quantity, line.exact_cost)) == "(0, Decimal('0'))"
    assert line.tiers == ()


def test_an_overage_with_many_faults_reports_them_all() -> None:
    bad: Any = {"metric": "", "used": -1, "limit": 0.5, "price": "1.00", "cost": 5}
    with pytest.raises(InvalidValues) as caught:
        Overage(**bad)
    assert told(caught.value) == (
        "5 problems:\n"
        "- metric: must not be empty, got ''\n"
        "- used: must not be negative, got -1\n"
        "- limit: must be an int, a Decimal or a decimal string, got 0.5\n"
        "- price: must be a price model such as PerUnit('1'), got '1.00'\n"
        "- cost: must be of type Money, got 5"
    )


def test_an_overage_has_its_exact_cost_by_tier() -> None:
    line = Overage("tokens", 250, 100, Graduated(TIERS), Money(1750, "USD"))
    assert line.tiers == (TierCharge(TIERS[0], 100), TierCharge(TIERS[1], 50, above=100))
    assert repr(line.exact_cost) == "Decimal('17.5')"  # 100 x 0.10 + 50 x 0.05 + 5


@pytest.mark.parametrize(
    ("price", "used", "unit_price"),
    [
        (PerUnit("0.10"), 15, "Decimal('0.1')"),
        (PerUnit("0.10"), 5, "Decimal('0.1')"),  # nothing over: that of the next unit
        (PerUnit("0.10", per=60), 15, "Fraction(1, 600)"),
        (Package(1, 10), 15, "None"),
        (Graduated([Tier(1, 5), Tier(None, 1)]), 10, "Decimal('5')"),
        (Graduated(TIERS), 10, "Decimal('0.1')"),
        (Graduated(TIERS), 150, "None"),
    ],
)
def test_the_unit_price_is_that_of_each_unit_over(price: Any, used: int, unit_price: str) -> None:
    cost = Money.of(price.charge(max(0, used - 10)).exact_cost, "USD", "half_up")
    line = Overage("tokens", used, 10, price, cost)
    assert repr(line.unit_price) == unit_price


def test_where_a_fee_is_due_without_any_unit_no_unit_price_is_said() -> None:
    fee = Volume([Tier("0.5", 1, flat=1), Tier(None, 2)], flat_at_zero=True)  # none for the next
    line = Overage("tokens", 0, 10, fee, Money(100, "USD"))
    assert (line.exact_cost, line.unit_price) == (Decimal(1), None)


def test_an_overage_explains_itself_in_a_line() -> None:
    line = Overage("tokens", 750_000, 500_000, PerUnit("0.0001"), Money(2500, "USD"))
    assert line.explain() == (
        "metric     used    limit     over  price             exact       cost\n"
        "tokens  750,000  500,000  250,000  250,000 x 0.0001     25  25.00 USD"
    )


# On top of what was charged before


def after(before: Any, used: int, price: Any = None) -> Overage:
    """Return a line without a limit of its own left, on top of some units."""
    model = Graduated(TIERS) if price is None else price
    cost = Money.of(charge_between(model, before, Decimal(before or 0) + used), "USD", "half_up")
    return Overage("tokens", used, 0, model, cost, before=before)


def test_what_was_charged_before_is_taken_off_the_charge_of_all() -> None:
    line = after(before="90.0", used=60)
    assert repr(line.before) == "90"
    assert line.tiers == (TierCharge(TIERS[0], 100), TierCharge(TIERS[1], 50, above=100))
    assert line.charge.exact_cost == Decimal("17.5")
    assert repr((line.charged_before, line.exact_cost)) == "(Decimal('9'), Decimal('8.5'))"


@pytest.mark.parametrize("before", [0, None])
def test_where_nothing_was_charged_before_there_is_nothing_to_take_off(before: int | None) -> None:
    line = after(before, used=60)
    assert repr((line.charged_before, line.exact_cost)) == "(Decimal('0'), Decimal('6'))"


def test_more_units_may_cost_less_than_those_before() -> None:
    line = after(15, 1, Volume([Tier(15, 10), Tier(None, 5)]))
    assert (line.exact_cost, line.unit_price) == (Decimal(-70), None)


@pytest.mark.parametrize(
    ("price", "before", "used", "unit_price"),
    [
        (PerUnit("0.10"), 90, 60, "Decimal('0.1')"),
        (PerUnit("0.10"), 90, 0, "Decimal('0.1')"),
        (PerUnit("0.10", per=60), 90, 1, "Fraction(1, 600)"),
        (Graduated(TIERS), 10, 20, "Decimal('0.1')"),
        (Graduated(TIERS), 90, 60, "None"),
        (Graduated([Tier(10, 5), Tier(None, 1)]), 9, 0, "Decimal('5')"),
        (Graduated([Tier(10, 5), Tier(None, 1)]), 10, 0, "None"),  # the next unit costs 1
        (Volume([Tier(10, 5), Tier(None, 1)]), 5, 5, "Decimal('5')"),
        (Volume([Tier(10, 5), Tier(None, 1)]), 5, 20, "None"),  # 25 less 25
        (Package(1, 10), 5, 5, "None"),
    ],
)
def test_the_unit_price_is_that_of_the_units_on_top(
    price: Any, before: int, used: int, unit_price: str
) -> None:
    assert repr(after(before, used, price).unit_price) == unit_price


def test_an_overage_explains_what_was_charged_before() -> None:
    assert after(90, 60).explain() == (
        "metric  used  limit  over  price                          exact      cost\n"
        "tokens    60      0    60  by tier:                         8.5  8.50 USD\n"
        "                           up to 100: 100 x 0.1              10\n"
        "                           above 100: 50 x 0.05 + 5 flat    7.5\n"
        "                           charged before: 90                -9"
    )


# Where a limit comes from


def test_an_overage_explains_the_parts_of_its_limit() -> None:
    parts = [
        LimitPart("included", 1_000),
        LimitPart("granted", "50.5", "welcome"),
        LimitPart("used", -300),
    ]
    line = Overage(
        "tokens", 800, "750.5", PerUnit("0.1"), Money(495, "USD"), limit_parts=iter(parts)
    )
    assert line.limit_parts == tuple(parts)
    assert line.explain() == (
        "metric                used  limit  over  price       exact      cost\n"
        "tokens                 800  750.5  49.5  49.5 x 0.1   4.95  4.95 USD\n"
        "  included                  1,000\n"
        "  granted by welcome         50.5\n"
        "  used earlier               -300"
    )


@pytest.mark.parametrize(("limit", "said"), [(5, "5"), (None, "None")])
def test_the_parts_of_a_limit_sum_to_it(limit: int | None, said: str) -> None:
    parts = [LimitPart("included", 4), LimitPart("free", 2)]
    with pytest.raises(InvalidValue, match=f"^limit_parts: must sum to the limit, {said}, got"):
        Overage("tokens", 9, limit, PerUnit(0), Money(0, "USD"), limit_parts=parts)


@pytest.mark.parametrize(
    ("kinds", "name", "fault"),
    [
        (["included", "included"], None, "kind: must be given once in all (included or own)"),
        (["included", "own"], None, "kind: must be given once in all (included or own)"),
        (["own", "own"], None, "kind: must be given once in all (included or own)"),
        (["borrowed", "borrowed"], None, "kind: must be given once in all (borrowed)"),
        (["granted", "granted"], "g1", "kind: must be given once in all (granted by 'g1')"),
    ],
)
def test_parts_that_no_limit_has_together_are_refused(
    kinds: list[Any], name: str | None, fault: str
) -> None:
    parts = [LimitPart(kind, 3, name) for kind in kinds]
    with pytest.raises(InvalidValue) as caught:
        Overage("tokens", 6, 6, PerUnit(0), Money(0, "USD"), limit_parts=parts)
    assert str(caught.value) == f"limit_parts[1].{fault}, got {kinds[1]!r}"


def test_what_was_used_before_is_one_part() -> None:
    parts = [LimitPart("included", 9), LimitPart("used", -1), LimitPart("used", -2)]
    with pytest.raises(InvalidValue, match=r"^limit_parts\[2\]\.kind: must be given once in all"):
        Overage("tokens", 6, 6, PerUnit(0), Money(0, "USD"), limit_parts=parts)


def test_parts_that_can_be_several_are_accepted() -> None:
    parts = [LimitPart("granted", 3, "g1"), LimitPart("granted", 3, "g2")]
    parts += [LimitPart("carried", 2, "2024-01-01")] * 2  # two periods of one day
    parts += [LimitPart("owed", -1, "2024-01-01")] * 2
    parts += [LimitPart("free", 1, "a"), LimitPart("free", 1, "b")]
    line = Overage("tokens", 6, 10, PerUnit(0), Money(0, "USD"), limit_parts=parts)
    assert line.limit_parts == tuple(parts)


def test_what_is_no_part_and_no_quantity_is_refused() -> None:
    strangers: Any = {"before": -1, "limit_parts": [LimitPart("included", 5), 5]}
    with pytest.raises(InvalidValues) as caught:
        Overage("tokens", 9, 5, PerUnit(1), Money(0, "USD"), **strangers)
    assert told(caught.value) == (
        "2 problems:\n"
        "- before: must not be negative, got -1\n"
        "- limit_parts[1]: must be of type LimitPart, got 5"
    )


def test_no_decimal_context_rounds_what_is_taken_off() -> None:
    line = after("123456.789", 1, PerUnit(1))
    with localcontext(Context(prec=2)):
        assert "charged before: 123,456.789  -123,456.789" in line.explain()


# What a line costs


@pytest.mark.parametrize(
    ("cost", "exact", "before"),
    [
        (-1, "0.015", None),
        (3, "0.015", None),
        (0, "0.01", None),
        (2, "0.01", None),
        (1, "100.00", None),
        (3, "0.015", "0.5"),
    ],
)
def test_a_cost_that_no_rounding_makes_of_the_exact_one_is_refused(
    cost: int, exact: str, before: str | None
) -> None:
    with pytest.raises(InvalidValue, match=r"^cost: must be [\d.]+ USD, rounded, got Money\("):
        Overage("x", 1, 0, PerUnit(exact), Money(cost, "USD"), before)


@pytest.mark.parametrize(
    ("cost", "exact", "before"),
    [
        (1, "0.015", None),
        (2, "0.015", None),
        (1, "0.01", None),
        (0, "0.01", "0.5"),  # 0.015 - 0.005, by halves to even: 0.02 - 0.00, or to odd the reverse
        (2, "0.01", "0.5"),
    ],
)
def test_a_cost_may_be_rounded_up_or_down(cost: int, exact: str, before: str | None) -> None:
    assert Overage("x", 1, 0, PerUnit(exact), Money(cost, "USD"), before).cost.minor == cost


def test_a_wrong_cost_and_wrong_parts_are_told_together() -> None:
    with pytest.raises(InvalidValues) as caught:
        Overage("x", 9, 5, PerUnit(1), Money(1, "USD"), limit_parts=[LimitPart("free", 2)])
    assert len(caught.value.errors) == 2
