"""Law 1: no float enters, and none comes out.

"Exact until one named rounding. Quantities, prices and costs are exact. No float enters anywhere,
and no ambient `decimal` context decides a result."
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages import (
    Account,
    Allowance,
    Currency,
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
    Usage,
    UsageEvent,
    calculate,
    charge_between,
)
from overages.amounts.rounding import allocate
from overages.errors import InvalidType, InvalidValue
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.records.chain import ChainHead
from overages.statements.summary import MetricTotal
from tests.recorded import stored
from tests.since import SINCE

from .effort import few
from .recipes import UNIT, Recipe, written
from .strategies import our_price_recipes

FEBRUARY = Period.month(2024, 2)
MARCH_FIRST = FEBRUARY.end
USD_5 = Money(500, "USD")


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
    return lambda number: plan_from_monthly_fields(
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
    "Account.limits": lambda n: Account("org-1", "starter", limits={"tokens": n}, since=SINCE),
    "Overage.used": lambda n: Overage("tokens", n, 1, PerUnit(0), Money(0, "USD")),
    "Overage.limit": lambda n: Overage("tokens", 1, n, PerUnit(0), Money(0, "USD")),
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
    "Rounding.round.value": Rounding.HALF_UP.round,
    "Rounding.round.increment": lambda n: Rounding.HALF_UP.round(1, n),
    "charge_between.before": lambda n: charge_between(PerUnit(1), n, 1),
    "charge_between.after": lambda n: charge_between(PerUnit(1), 1, n),
    "calculate.limits, of one": lambda n: calculate(STARTER, NO_USAGE, limits={"tokens": n}),
    "calculate.limits": lambda n: calculate(STARTER, NO_USAGE, limits={"tokens": 1, "runs": n}),
    **{f"plan_from_monthly_fields.{field}": monthly(field) for field in MONTHLY_FIELDS},
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
