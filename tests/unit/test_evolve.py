"""A value is changed by making another one: `evolve`."""

import copy
import sys
from typing import Any

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Conversion,
    Cycle,
    Discount,
    Exchanged,
    Graduated,
    Money,
    Overage,
    Package,
    Percentage,
    Period,
    PerUnit,
    Plan,
    Tier,
    TransactionFee,
    Usage,
    UsageEvent,
    Volume,
    calculate,
    evolve,
)
from overages.errors import InvalidValue
from overages.prices.registry import PRICE_MODELS
from overages.settlements.carry_over_result import CarryOverResult
from overages.settlements.pooled_statement import PoolShare
from overages.terms.carry_over import CarriedUnits

FEBRUARY = Period.month(2024, 2)
USD_5 = Money(5, "USD")


CHANGES: list[tuple[Any, dict[str, Any], Any]] = [
    (Balance({"a": [CarriedUnits(5, FEBRUARY)]}), {"carried": {}}, Balance()),
    (PerUnit(1, per=60), {"price": 2}, PerUnit(2, per=60)),
    (Package(1, 10), {"count": "completed"}, Package(1, 10, count="completed")),
    (Percentage(1), {"percent": "2.50"}, Percentage("2.5")),
    (Graduated([Tier(None, 1)]), {"tiers": [Tier(None, 2)]}, Graduated([Tier(None, 2)])),
    (Volume([Tier(None, 1)]), {"flat_at_zero": True}, Volume([Tier(None, 1)], flat_at_zero=True)),
    (Tier(None, 1), {"flat": 2}, Tier(None, 1, 2)),
    (Tier(None, 1), {"maximum": "2.0"}, Tier(None, 1, maximum=2)),
    (Exchanged(PerUnit(1), 2), {"rate": "3.0"}, Exchanged(PerUnit(1), 3)),
    (Conversion(divide=60), {"increment": 1}, Conversion(divide=60, increment=1)),
    (TransactionFee(5), {"fixed": 1}, TransactionFee(5, 1)),
    (Allowance(5, PerUnit(1)), {"included": None}, Allowance(None, PerUnit(1))),
    (
        Allowance(5, PerUnit(1), minimum=USD_5),
        {"carry_over": CarryOver(1), "proration": "full"},
        Allowance(5, PerUnit(1), minimum=USD_5, carry_over=CarryOver(1), proration="full"),
    ),
    (
        Plan("p", "USD", {}, discounts=[Discount("a", percent=5)]), {"minimum": USD_5},
        Plan("p", "USD", {}, discounts=[Discount("a", percent=5)], minimum=USD_5),
    ),
    (Usage("a", FEBRUARY, {"x": 1}), {"org_id": "b"}, Usage("b", FEBRUARY, {"x": 1})),
    (
        UsageEvent("a", "x", 1, FEBRUARY.start, dimensions={"region": "eu"}), {"quantity": 2},
        UsageEvent("a", "x", 2, FEBRUARY.start, dimensions={"region": "eu"}),
    ),
    (Account("a", "p", SINCE, {"x": 1}), {"plan": "q"}, Account("a", "q", SINCE, {"x": 1})),
    (
        Account("a", "p", SINCE, status="trial", cycle=Cycle.monthly("Europe/Paris")),
        {"status": "active"}, Account("a", "p", SINCE, cycle=Cycle.monthly("Europe/Paris")),
    ),
    (
        Cycle(FEBRUARY.start), {"unit": "day", "every": 10},
        Cycle(FEBRUARY.start, every=10, unit="day"),
    ),
    (CarryOver(share="0.5"), {"up_to": 5}, CarryOver(5, "0.5")),
    (CarriedUnits(5, FEBRUARY, 2), {"periods_left": 1}, CarriedUnits(5, FEBRUARY, 1)),
    (
        CarryOverResult(CarryOver(), [], 5, 3, FEBRUARY), {"rule": CarryOver(1)},
        CarryOverResult(CarryOver(1), [], 5, 3, FEBRUARY),
    ),
    (
        PoolShare("a", "x", 1, USD_5), {"cost": Money(6, "USD")},
        PoolShare("a", "x", 1, Money(6, "USD")),
    ),
    (USD_5, {"minor": 6}, Money(6, "USD")),
    (
        Overage("x", 7, 5, PerUnit("0.025"), USD_5), {"limit": 7, "cost": Money(0, "USD")},
        Overage("x", 7, 7, PerUnit("0.025"), Money(0, "USD")),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "changes", "expected"), CHANGES)
def test_a_changed_value_is_worked_out_anew(
    value: Any, changes: dict[str, Any], expected: Any
) -> None:
    changed = evolve(value, **changes)
    assert changed == expected
    assert repr(changed) == repr(expected)


def test_a_changed_plan_calculates_by_its_new_terms() -> None:
    plan = Plan("p", "USD", {"x": Allowance(0, PerUnit("0.005"))})
    usage = Usage("a", FEBRUARY, {"x": 1})
    assert calculate(plan, usage).total == Money(1, "USD")
    assert calculate(evolve(plan, rounding="down"), usage).total == Money(0, "USD")
    assert evolve(PerUnit(1), price=3).charge(2).exact_cost == 6


def test_every_price_model_is_among_them() -> None:
    assert set(PRICE_MODELS) <= {type(value) for value, _, _ in CHANGES}


def test_a_change_is_validated() -> None:
    with pytest.raises(InvalidValue, match="price: must not be negative"):
        evolve(PerUnit(1), price=-1)
    with pytest.raises(InvalidValue, match=r"^carry_over: must be None"):
        evolve(Allowance(5, PerUnit(1), carry_over=CarryOver()), included=None)


def test_what_was_carried_is_worked_out_anew() -> None:
    carrying = CarryOverResult(CarryOver(), [], 5, 3, FEBRUARY)
    assert evolve(carrying, used=9).overage == 4
    assert evolve(carrying, rule=CarryOver(1)).carried == (CarriedUnits(1, FEBRUARY),)


def test_the_standard_library_makes_another_value_in_the_same_way() -> None:
    plan: Any = Plan("p", "USD", {"a": Allowance(5, PerUnit(1))})
    assert plan.__replace__(slug="q") == evolve(plan, slug="q")
    with pytest.raises(InvalidValue, match=r"^slug: must not be empty"):
        plan.__replace__(slug="")
    if sys.version_info >= (3, 13):
        assert copy.replace(plan, slug="q") == evolve(plan, slug="q")
    with pytest.raises(TypeError, match="slog"):
        evolve(plan, slog="q")
