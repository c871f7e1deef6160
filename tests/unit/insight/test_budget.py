"""Budgets: what they say, and what isn't one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from overages import Budget, Cycle, Money, Period
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, InvalidValues
from overages.insight.budget import WindowedBudget

MONEY = Money.of("200.00", "USD")
NOON = datetime(2024, 2, 20, 12, tzinfo=UTC)
DAILY = Cycle.calendar("day")


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
        Budget(MONEY, window=days),
        Budget(MONEY, metric="runs", window=fortnights),
    ]
    assert [each.id for each in budgets] == [
        "all", "runs-cost", "runs-units", "runs-units-day", "runs-units-2-week", "all-day",
        "runs-cost-2-week",
    ]  # fmt: skip
    units = Budget("5.0", metric="runs", id="daily", window=Cycle.calendar("day"))
    assert (units.id, units.amount, units.is_money) == ("daily", 5, False)
    assert Budget(MONEY, id="all") == Budget(MONEY)
    assert repr(Budget(MONEY)) == "Budget(amount=Money(20000, 'USD'))"


def test_units_need_a_metric() -> None:
    with pytest.raises(InvalidValue, match=r"^metric: must be given for units "):
        Budget(5)


def test_charging_never_stops_by_window() -> None:
    with pytest.raises(InvalidValue, match=r"^on_reached: .* for a window: a bill is of the org's"):
        Budget(MONEY, on_reached="stop_charging", window=DAILY)


def test_a_windowed_budget_has_nothing_held_unless_it_says_so() -> None:
    units, money = Budget(5, metric="runs", window=DAILY), Budget(MONEY, window=DAILY)
    assert WindowedBudget(units, 3, resets_at=NOON).held == 0
    assert WindowedBudget(money, Money(300, "USD"), resets_at=NOON).held == Money(0, "USD")
    falling = WindowedBudget(money, Money(300, "USD"), Money(-20, "USD"), resets_at=NOON)
    assert falling.held == Money(-20, "USD")


def test_a_windowed_budget_is_of_the_window_that_ends_at_its_reset() -> None:
    weekly = Budget(5, metric="runs", window=Cycle.calendar("week"))
    for budget, days in ((Budget(5, metric="runs", window=DAILY), 1), (weekly, 7)):
        ends = datetime(2024, 2, 19, tzinfo=UTC)  # a Monday
        window = WindowedBudget(budget, 3, resets_at=ends)
        assert window.period == Period(ends - timedelta(days=days), ends)


@pytest.mark.parametrize(
    ("budget", "used", "held", "error", "problem"),
    [
        (Budget(MONEY), MONEY, None, InvalidValue, "budget: must have a window"),
        (Budget(MONEY, window=DAILY), 3, None, InvalidValue, "used: must be of one kind with"),
        (Budget(MONEY, window=DAILY), MONEY, 3, InvalidValue, "held: must be of one kind with"),
        (Budget(5, metric="runs", window=DAILY), 1, MONEY, InvalidValue, "held: must be of one"),
        (Budget(5, metric="runs", window=DAILY), -1, 0, InvalidValue, "used: must not be negative"),
        (Budget(5, metric="runs", window=DAILY), 1, -1, InvalidValue, "held: must not be negative"),
        (Budget(MONEY, window=DAILY), Money(-1, "USD"), None, InvalidValue, "used: must not be"),
        (Budget(MONEY, window=DAILY), Money(1, "EUR"), MONEY, CurrencyMismatch, "used: "),
        (Budget(MONEY, window=DAILY), MONEY, Money(1, "EUR"), CurrencyMismatch, "held: "),
        (
            Budget(MONEY, window=DAILY),
            Money(9, "USD"),
            Money(-10, "USD"),
            InvalidValue,
            "held: must not be below zero with all that is used, 0.09 USD",
        ),
        ("daily", 3, 0, InvalidType, "budget: must be of type Budget"),
    ],
)
def test_what_is_no_windowed_budget_is_refused(
    budget: Any, used: Any, held: Any, error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=f"^{problem}"):
        WindowedBudget(budget, used, held, resets_at=NOON)


@pytest.mark.parametrize(
    ("amount", "problem"), [(MONEY, "for a metric"), (5, "for a metric"), ("0", "for a metric")]
)
def test_charging_stops_for_all_metrics_or_by_the_terms(amount: Any, problem: str) -> None:
    with pytest.raises(InvalidValue, match=f"{problem}: Allowance.maximum caps its cost"):
        Budget(amount, metric="runs", on_reached="stop_charging")
    with pytest.raises(InvalidValues) as caught:
        Budget(7, on_reached="stop_charging")
    assert [str(error) for error in caught.value.errors] == [
        "metric: must be given for units (money has a currency), got None",
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
