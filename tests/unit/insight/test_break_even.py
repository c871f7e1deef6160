"""The quantities at which one plan becomes cheaper than another, to the unit."""

from dataclasses import dataclass
from typing import Any

import pytest

from overages import (
    Allowance,
    BreakEven,
    Commitment,
    Conversion,
    Discount,
    Graduated,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Tier,
    Usage,
    Volume,
    break_even,
    evolve,
)
from overages.amounts.exact import Quantity
from overages.errors import CurrencyMismatch, InvalidValue, InvalidValues, UnknownMetric
from overages.insight.break_even import BreakEvenRange
from overages.prices.tier import Charge, TierCharge

FEBRUARY = Period.month(2024, 2)


def plan(slug: str, runs: Allowance, fee: int = 0, **rules: Any) -> Plan:
    """Return a plan of one metric, with a fee in whole dollars."""
    return Plan(slug, "USD", {"runs": runs}, base_fee=Money(fee * 100, "USD"), **rules)


def compared(a: Plan, b: Plan, **named: Any) -> list[str]:
    """Return the ranges of two plans, each as text."""
    return [str(each) for each in break_even(a, b, "runs", **named).ranges]


@dataclass(frozen=True)
class Squared:
    """A host's own price: a cent for each square of a unit."""

    def charge(self, quantity: Quantity, /) -> Charge:
        units = min(int(quantity), 10**12)
        return Charge([TierCharge(Tier(None, "0.01"), units * units)])


SMALL = plan("small", Allowance(100, PerUnit("0.10")), fee=20)
LARGE = plan("large", Allowance(1_000, PerUnit("0.05")), fee=60)


# fmt: off
CASES: list[tuple[Plan, Plan, list[str]]] = [
    (SMALL, LARGE, ["0 to 499: small", "500: the same", "501 and more: large"]),
    # The same price, and a fee or included units that never make up for each other.
    (plan("a", Allowance(100, PerUnit("0.001")), fee=1),
     plan("b", Allowance(100, PerUnit("0.001")), fee=2), ["0 and more: a"]),
    (plan("a", Allowance(0, PerUnit("0.01")), fee=10),
     plan("b", Allowance(1_000, PerUnit("0.01"))), ["0 and more: b"]),
    # To the cent, 0.001 is the same as 0.0011 a while, and not for good.
    (plan("a", Allowance(0, PerUnit("0.001"))),
     plan("b", Allowance(4, PerUnit("0.001"))),
     ["0 to 4: the same", "5 to 8: b", "9 to 14: the same", "15 to 18: b", "19 to 20: the same"]),
    # Of packages of the same size, a period of them tells all.
    (plan("a", Allowance(100, Package("1", 100))),
     plan("b", Allowance(1_000, Package("1", 100)), fee=10), ["0 to 20: a"]),
    (plan("a", Allowance(0, PerUnit("0.009"))),
     plan("b", Allowance(0, Package("1", 100))),
     ["0: the same", "1 to 20: a"]),
    # The same price, otherwise written.
    (plan("a", Allowance(3, PerUnit("0.001"))),
     plan("b", Allowance(3, Graduated([Tier(None, "0.001")]))), ["0 and more: the same"]),
    # Tiers, up to their bounds.
    (plan("a", Allowance(0, Graduated([Tier(10, "2"), Tier(None, "1")]))),
     plan("b", Allowance(0, Volume([Tier(10, "2"), Tier(None, "1")]))),
     ["0 to 10: the same", "11 to 20: b"]),
    # Rules: a minimum is the same once it is reached, and an amount off lasts.
    (plan("a", Allowance(0, PerUnit("1")), minimum=Money(1_000, "USD")),
     plan("b", Allowance(0, PerUnit("1"))), ["0 to 9: b", "10 to 20: the same"]),
    (plan("a", Allowance(0, PerUnit("1"), discounts=[Discount("x", amount=Money(300, "USD"))])),
     plan("b", Allowance(0, PerUnit("1"))), ["0: the same", "1 to 20: a"]),
    (plan("a", Allowance(0, PerUnit("1"), discounts=[Discount("x", percent=10)])),
     plan("b", Allowance(0, PerUnit("0.90"))), ["0 to 20: the same"]),
    (plan("a", Allowance(0, PerUnit("1")), discounts=[Discount("x", percent=10)]),
     plan("b", Allowance(0, PerUnit("0.90"))), ["0 to 20: the same"]),
    (plan("a", Allowance(0, PerUnit("1"), commitment=Commitment(Money(500, "USD"),
                                                                 overage_factor=2))),
     plan("b", Allowance(0, PerUnit("1.5"))),
     ["0 to 3: b", "4 to 9: a", "10: the same", "11 to 20: b"]),
    # Units that are converted: started thousands.
    (plan("a", Allowance(0, PerUnit("1"), conversion=Conversion(divide=10, increment=1))),
     plan("b", Allowance(0, PerUnit("0.10"))),
     ["0: the same", "1 to 9: b", "10: the same", "11 to 19: b", "20: the same"]),
    (plan("a", Allowance(0, PerUnit("1"), conversion=Conversion(minimum=5))),
     plan("b", Allowance(0, PerUnit("1"))),
     ["0: the same", "1 to 4: b", "5 to 20: the same"]),
    # A host's own.
    (plan("a", Allowance(0, Squared())), plan("b", Allowance(0, PerUnit("0.1"))),
     ["0: the same", "1 to 9: a", "10: the same", "11 to 20: b"]),
    (plan("a", Allowance(0, Squared())), plan("b", Allowance(0, Squared()), fee=1),
     ["0 to 20: a"]),
    # Lines that are rounded together.
    (plan("a", Allowance(0, PerUnit("0.004")), rounding_scope="total"),
     plan("b", Allowance(0, PerUnit("0.004"))), ["0 to 20: the same"]),
    (plan("a", Allowance(0, PerUnit("1"), minimum=Money(500, "USD")), rounding_scope="total"),
     plan("b", Allowance(0, PerUnit("1"))), ["0 to 4: b", "5 to 20: the same"]),
    # Half cents to the even one.
    (plan("a", Allowance(0, PerUnit("0.01"), ), rounding="half_even"),
     plan("b", Allowance(0, PerUnit("0.02")), rounding="half_even"),
     ["0: the same", "1 to 20: a"]),
]
# fmt: on


@pytest.mark.parametrize(("a", "b", "ranges"), CASES)
def test_each_quantity_has_its_cheaper_plan(a: Plan, b: Plan, ranges: list[str]) -> None:
    until = None if ranges[-1].split(":")[0].endswith("more") else 20
    assert compared(a, b, until=until) == ranges
    turned = compared(b, a, until=until)
    assert turned == ranges


@pytest.mark.parametrize("rounding", ["half_up", "half_even", "half_down", "up", "down"])
@pytest.mark.parametrize(
    ("price", "fee"),
    [
        (PerUnit("0.001"), 10), (PerUnit("0.01"), 10), (PerUnit("1"), 10),
        (Package("1", 100), 10), (PerUnit("0.005"), 0),
    ],
)  # fmt: skip
def test_plans_that_are_apart_for_ever_are_told_at_once(
    price: PriceModel, fee: int, rounding: Any
) -> None:
    """However they are rounded, and though no two charges are looked at one by one."""
    a = plan("a", Allowance(100, price), fee=fee, rounding=rounding)
    b = plan("b", Allowance(300, price), rounding=rounding)
    assert compared(a, b)[-1].endswith("and more: b")


def test_minimum_of_one_plan_ends_and_then_both_are_the_same_for_ever() -> None:
    price = PerUnit("0.001")
    a = plan("a", Allowance(100, price), minimum=Money(500, "USD"))
    assert compared(a, plan("b", Allowance(100, price))) == [
        "0 to 5,094: b",
        "5,095 and more: the same",
    ]


def test_costs_a_cent_apart_go_on_to_differ_by_halves_to_even() -> None:
    """An odd number of cents turns a half the other way: the ranges go on."""
    price, off = PerUnit("0.005"), Discount("x", amount=Money(1, "USD"))
    a = plan("a", Allowance(0, price, discounts=[off]), rounding="half_even")
    b = plan("b", Allowance(2, price), rounding="half_even")
    assert compared(a, b, until=7) == [
        "0 to 2: the same", "3: b", "4: the same", "5: a", "6: the same", "7: b"
    ]  # fmt: skip
    with pytest.raises(InvalidValue, match=r"^until: must be given, or less, as over 1,000 ranges"):
        break_even(a, b, "runs")


def test_ranges_without_end_are_refused_and_up_to_a_bound_they_are_told() -> None:
    a, b = plan("a", Allowance(0, PerUnit("0.001"))), plan("b", Allowance(4, PerUnit("0.001")))
    with pytest.raises(InvalidValue, match=r"^until: must be given, or less, as over 1,000 ranges"):
        break_even(a, b, "runs")
    with pytest.raises(InvalidValue, match=r"^until: must be given, or less, .*, got 1000000$"):
        break_even(a, b, "runs", until=1_000_000)
    assert len(break_even(a, b, "runs", until=100).ranges) == 21


def test_a_gap_that_cannot_be_told_is_refused_in_time() -> None:
    """Both cost the same, and none of the rules says so: each quantity would be looked at."""
    a = plan("a", Allowance(0, PerUnit("0.001"), discounts=[Discount("x", percent=10)]))
    b = evolve(a, slug="b", allowances={**a.allowances, "seats": Allowance(3, PerUnit("15"))})
    with pytest.raises(InvalidValue, match=r"^until: must be given, or less"):
        break_even(a, b, "runs")


def test_plans_that_differ_in_nothing_but_their_fees_are_told_apart_by_these() -> None:
    a = plan("a", Allowance(0, PerUnit("0.001"), discounts=[Discount("x", percent=10)]))
    assert compared(a, evolve(a, slug="b")) == ["0 and more: the same"]
    assert compared(a, evolve(a, slug="b", base_fee=Money(1, "USD"))) == ["0 and more: a"]
    cheap = evolve(a, base_fee=Money(500, "USD"))
    assert compared(cheap, evolve(a, slug="b"), until=9) == ["0 to 9: b"]


def test_other_usage_limits_and_steps_count() -> None:
    seats = Allowance(3, PerUnit("15"))
    small = evolve(SMALL, allowances={**SMALL.allowances, "seats": seats})
    large = evolve(LARGE, allowances={**LARGE.allowances, "seats": evolve(seats, included=10)})
    usage = Usage("acme", FEBRUARY, {"seats": 5, "runs": 99})
    assert compared(small, large, usage=usage) == [
        "0 to 199: small", "200: the same", "201 and more: large"
    ]  # fmt: skip
    assert compared(small, large, limits={"runs": 0, "seats": None}, step=300) == [
        "0 to 600: small", "900 and more: large"
    ]  # fmt: skip


def test_units_for_each_of_another_metric_count_and_are_not_themselves_compared() -> None:
    runs, seats = Allowance(10, PerUnit(1), included_per="seats"), Allowance(0, PerUnit(5))
    a = Plan("a", "USD", {"runs": runs, "seats": seats})
    runs, seats = Allowance(0, PerUnit("0.50")), Allowance(None, PerUnit(0))
    b = Plan("b", "USD", {"runs": runs, "seats": seats})
    usage = Usage("acme", FEBRUARY, {"seats": 2})
    assert compared(a, b, usage=usage)[-1] == "21 and more: b"
    with pytest.raises(InvalidValue, match=r"^metric: must bring no included units .* of 'runs'"):
        break_even(a, b, "seats")
    assert break_even(a, b, "seats", limits={"runs": 9}).cheaper_at(7) == "b"


def test_what_cannot_be_compared_is_refused_by_name() -> None:
    with pytest.raises(UnknownMetric, match=r"^metric: 'rums' is not in plan 'small'"):
        break_even(SMALL, LARGE, "rums")
    with pytest.raises(UnknownMetric, match=r"limits\.seats: 'seats' is not in plan 'small'"):
        break_even(SMALL, LARGE, "runs", limits={"seats": 1})
    with pytest.raises(InvalidValue, match=r"^b\.slug: must be another one than that of a"):
        break_even(SMALL, SMALL, "runs")
    with pytest.raises(CurrencyMismatch, match=r"^b\.currency: USD and EUR"):
        break_even(SMALL, Plan("euro", "EUR", SMALL.allowances), "runs")
    wrong: Any = "small"
    with pytest.raises(InvalidValues, match=r"^2 problems: step, a$"):
        break_even(wrong, LARGE, "runs", step=0)


def test_an_answer_says_what_it_is_asked_and_shows_itself() -> None:
    answer = break_even(SMALL, LARGE, "runs")
    assert [answer.cheaper_at(n) for n in (0, "499", 500, 501, 10**20)] == [
        "small", "small", None, "large", "large"
    ]  # fmt: skip
    assert '<td style="text-align: left">0 to 499</td>' in answer._repr_html_()
    assert str(answer) == answer.explain()
    few = break_even(SMALL, LARGE, "runs", until=600, step=7)
    with pytest.raises(InvalidValue, match=r"^quantity: must be one that was compared"):
        few.cheaper_at(601)
    with pytest.raises(InvalidValue, match=r"^quantity: must be one that was compared"):
        BreakEven("runs", [BreakEvenRange(5, None, None)]).cheaper_at(4)


def test_ranges_are_above_each_other() -> None:
    with pytest.raises(InvalidValue, match=r"^ranges: must hold at least one range"):
        BreakEven("runs", [])
    with pytest.raises(InvalidValues) as caught:
        BreakEven(
            "runs", [BreakEvenRange(*each) for each in [(0, None, "a"), (5, 9, "b"), (9, 9, None)]]
        )
    assert [error.field for error in caught.value.errors] == ["ranges[1].first", "ranges[2].first"]
    with pytest.raises(InvalidValue, match=r"^last: must be at least the first"):
        BreakEvenRange(5, 4, None)
