"""Values that are made unchecked are values like those that the constructor makes."""

import copy
import pickle
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from overages import (
    Account,
    Adjustment,
    Allowance,
    Balance,
    CarryOver,
    Cycle,
    Graduated,
    Grant,
    Money,
    Overage,
    Period,
    PerUnit,
    Plan,
    Statement,
    Tier,
    TierCharge,
    Usage,
    calculate,
    settle,
)
from overages._ground.trusted import trusted
from overages.grants.burndown import Burndown
from overages.grants.state import Draw, GrantState
from overages.lines.limit_part import LimitPart
from overages.prices.tier import Charge
from overages.settlements.carry_over_result import CarryOverResult
from overages.terms.carry_over import CarriedUnits

JANUARY, FEBRUARY = Period.month(2024, 1), Period.month(2024, 2)
TIERS = [Tier(10, "0.5"), Tier(None, "0.25", flat=1)]
PLAN = Plan("p", "USD", {"a": Allowance(5, Graduated(TIERS)), "b": Allowance(0, PerUnit(1))})
USAGE = Usage("org-1", FEBRUARY, {"a": 20, "b": "2.5"})
CHARGE = Charge([TierCharge(TIERS[0], 10), TierCharge(TIERS[1], 5, above=10)])  # 5 + 1.25 + 1
LINES = [
    Overage("a", 20, 5, Graduated(TIERS), Money(725, "USD")),
    Overage("b", "2.5", 0, PerUnit(1), Money(250, "USD")),
]
# (made unchecked, made by the constructor, another of its kind)
PAIRS: list[tuple[Any, Any, list[str]]] = [
    (calculate(PLAN, USAGE), Statement("org-1", FEBRUARY, PLAN, LINES), ["total", "org_id"]),
    (calculate(PLAN, USAGE).lines[1], LINES[1], ["quantity", "cost"]),
    (calculate(PLAN, USAGE).total, Money(975, "USD"), ["minor", "currency"]),
    (Cycle.monthly().period(289), Period.month(2024, 2), ["start", "end"]),
    (Graduated(TIERS).charge(15), CHARGE, ["tiers", "_numerator"]),
    (Graduated(TIERS).charge(15).tiers[1], CHARGE.tiers[1], ["quantity", "tier"]),
]
SETTLED = settle(
    Account("org-1", "rolling", FEBRUARY.start),
    {"rolling": Plan("rolling", "USD", {"a": Allowance(5, PerUnit(1), carry_over=CarryOver())})},
    FEBRUARY,
    Usage("org-1", FEBRUARY, {"a": 20}),
    Balance({"a": [CarriedUnits(2, JANUARY)]}),
    grants=[
        Grant("units", 4, metric="a", effective_at=FEBRUARY.start),
        Grant("money", Money(250, "USD"), effective_at=FEBRUARY.start),
    ],
)
LAST = FEBRUARY.end - timedelta(microseconds=1)
STATE = GrantState("units", 4, 4, filled_at=FEBRUARY.start)
BURNDOWN = Burndown(FEBRUARY.end, "a", grants=[STATE], overage=9, draws=[Draw("units", LAST, 4)])
CLOSED = [
    Burndown(FEBRUARY.end, "a", grants=[STATE]),
    Burndown(
        FEBRUARY.end,
        currency="USD",
        grants=[GrantState("money", Decimal("2.5"), Decimal("2.5"), filled_at=FEBRUARY.start)],
    ),
]
PARTS = SETTLED.statement["a"].limit_parts
CREDIT = Adjustment("credit", Money(900, "USD"), Money(-250, "USD"), Decimal("-2.5"), name="money")
CARRIED = CarryOverResult(CarryOver(), [CarriedUnits(2, JANUARY)], 5, 20, FEBRUARY)
PAIRS += [
    (SETTLED.balance, Balance(burndowns=CLOSED), ["burndowns", "carried"]),
    (SETTLED.burndowns[0], BURNDOWN, ["draws", "overage"]),
    (SETTLED.burndowns[0].grants[0], STATE, ["granted", "drawn"]),
    (SETTLED.burndowns[0].draws[0], BURNDOWN.draws[0], ["quantity", "covered"]),
    (SETTLED.carry_overs["a"], CARRIED, ["drawn", "limit"]),
    (SETTLED.carry_overs["a"].drawn[1], CarriedUnits(5, FEBRUARY), ["quantity"]),
    (PARTS[1], LimitPart("carried", 2, "2024-01-01"), ["quantity", "name"]),
    (PARTS[2], LimitPart("granted", 4, "units"), ["quantity", "name"]),
    (SETTLED.statement.adjustments[0], CREDIT, ["exact_cost", "before"]),
]
each_pair = pytest.mark.parametrize(
    ("made", "built", "names"), PAIRS, ids=[type(made).__name__ for made, _, _ in PAIRS]
)


@each_pair
def test_they_are_of_the_very_class(made: object, built: object, names: list[str]) -> None:
    assert type(made) is type(built)
    assert not hasattr(made, "__dict__")
    assert [getattr(made, name) for name in names[:1]] == [getattr(built, names[0])]


@each_pair
def test_they_are_equal_with_equal_hash_and_repr(
    made: object, built: object, names: list[str]
) -> None:
    del names
    assert (made, hash(made), repr(made)) == (built, hash(built), repr(built))
    assert built == made


@each_pair
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_they_survive_pickling(
    made: object, built: object, names: list[str], protocol: int
) -> None:
    del names
    twin = pickle.loads(pickle.dumps(made, protocol))
    assert (type(twin), twin, hash(twin), repr(twin)) == (
        type(built),
        built,
        hash(built),
        repr(built),
    )


@each_pair
def test_they_survive_copying(made: object, built: object, names: list[str]) -> None:
    del names
    for twin in (copy.copy(made), copy.deepcopy(made)):
        assert (type(twin), twin, repr(twin)) == (type(built), built, repr(built))


@each_pair
def test_they_can_not_be_changed(made: Any, built: Any, names: list[str]) -> None:
    for value in (made, built, pickle.loads(pickle.dumps(made)), copy.copy(made)):
        for name in (*names, "anything_else"):
            with pytest.raises(FrozenInstanceError):
                setattr(value, name, 0)
            with pytest.raises(FrozenInstanceError):
                delattr(value, name)
    assert repr(made) == repr(built)


def test_trusted_fills_all_fields_by_position_and_checks_nothing() -> None:
    made: Any = trusted(Money)("not an int", None)
    assert (type(made), made.minor, made.currency) == (Money, "not an int", None)
    with pytest.raises(TypeError):
        trusted(Money)(5)
