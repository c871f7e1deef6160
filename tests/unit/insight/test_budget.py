"""Budgets: what they say, and what isn't one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from overages import Budget, Cycle, Money
from overages.errors import InvalidType, InvalidValue, InvalidValues

MONEY = Money.of("200.00", "USD")
NOON = datetime(2024, 2, 20, 12, tzinfo=UTC)


def test_a_budget_tells_unless_it_says_more() -> None:
    budget = Budget(MONEY)
    assert (budget.amount, budget.metric, budget.on_reached) == (MONEY, None, "tell")
    assert (budget.window, budget.is_money) == (None, True)


def test_a_budget_has_an_id_of_its_kind_unless_it_says_another() -> None:
    days, fortnights = Cycle(NOON, every=1, unit="day"), Cycle(NOON, every=2, unit="week")
    budgets = [
        Budget(MONEY),
        Budget(MONEY, metric="runs"),
        Budget(5, metric="runs"),
        Budget(5, metric="runs", window=days),
        Budget(5, metric="runs", window=fortnights),
    ]
    assert [each.id for each in budgets] == [
        "all", "runs-cost", "runs-units", "runs-units-day", "runs-units-2-week"
    ]  # fmt: skip
    units = Budget("5.0", metric="runs", id="daily", window=Cycle.calendar("day"))
    assert (units.id, units.amount, units.is_money) == ("daily", 5, False)
    assert Budget(MONEY, id="all") == Budget(MONEY)
    assert repr(Budget(MONEY)) == "Budget(amount=Money(20000, 'USD'))"


def test_units_need_a_metric() -> None:
    with pytest.raises(InvalidValue, match=r"^metric: must be given for units, got None"):
        Budget(5)


def test_money_is_for_the_period_of_the_org() -> None:
    with pytest.raises(InvalidValue, match=r"^window: must be None for money, which is due by"):
        Budget(MONEY, window=Cycle.calendar("day"))


@pytest.mark.parametrize(
    ("amount", "problem"), [(MONEY, "for a metric"), (5, "for a metric"), ("0", "for a metric")]
)
def test_charging_stops_for_all_metrics_or_by_the_terms(amount: Any, problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"{problem}: Allowance.maximum caps its cost"):
        Budget(amount, metric="runs", on_reached="stop_charging")
    with pytest.raises(InvalidValues) as caught:
        Budget(7, on_reached="stop_charging")
    assert [str(error) for error in caught.value.errors] == [
        "metric: must be given for units, got None",
        'on_reached: must be "tell" or "stop_usage" for units: Allowance.maximum caps their cost,'
        " got 'stop_charging'",
    ]


@pytest.mark.parametrize(
    ("named", "error", "problem"),
    [
        ({"amount": -1, "metric": "runs"}, InvalidValue, "^amount: must not be negative"),
        ({"amount": Money(-1, "USD")}, InvalidValue, "^amount: must not be negative"),
        ({"amount": 1.5, "metric": "runs"}, InvalidType, "^amount: must be an int, a Dec"),
        ({"amount": MONEY, "id": ""}, InvalidValue, "^id: must not be empty"),
        ({"amount": MONEY, "on_reached": "stop"}, InvalidValue, "must be one of tell, stop_char"),
        (
            {"amount": 1, "metric": "runs", "window": "day"},
            InvalidType,
            "^window: must be of type Cycle",
        ),
    ],
)
def test_what_is_no_budget_is_refused(named: Any, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        Budget(**named)
