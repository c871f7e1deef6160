"""How other billing systems settle a period with what earlier ones left, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (Autumn, Device Cloud, FlexPrice, OpenMeter, Zuora). They name the rules in many ways; what
each is here stands in the row.
"""

from datetime import timedelta

import pytest
from tests.accounts import settle
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    Balance,
    CarryOver,
    Cycle,
    Grant,
    MemoryRepository,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Usage,
    UsageEvent,
    calculate,
)

MONTHS = [Period.month(2024, n) for n in range(1, 13)]
DAYS = [Cycle.calendar("day").period(n) for n in range(2)]


@pytest.mark.parametrize(
    ("rule", "periods", "included", "used", "carried", "next_limit"),
    [
        # Unused units are rolled over for two periods.
        pytest.param(
            CarryOver(expires_after=2), MONTHS, 1000, 800, 200, 1200, id="zuora-rollover-001"
        ),
        # Half of what is included may be rolled over, rounded down; 150 are unused.
        pytest.param(CarryOver(share="0.5"), MONTHS, 200, 50, 100, 300, id="autumn-rollover-001"),
        # A grant of each day pays the overage that was preserved of the day before.
        pytest.param(
            CarryOver(up_to=0, overage="carried"),
            DAYS,
            100,
            120,
            -20,
            80,
            id="openmeter-grant-burndown-008",
        ),
    ],
)
def test_what_is_left_goes_to_the_next_period(
    rule: CarryOver, periods: list[Period], included: int, used: int, carried: int, next_limit: int
) -> None:
    allowance = Allowance(included, PerUnit(1), carry_over=rule)
    plan = Plan("prepaid", "USD", {"units": allowance})
    first = settle(plan, Usage("org", periods[0], {"units": used}))
    assert first.statement.total == Money(0, "USD")
    assert [layer.quantity for layer in first.balance.carried["units"]] == [carried]
    second = settle(plan, Usage("org", periods[1], {}), first.balance)
    assert second.statement["units"].limit == next_limit


@pytest.mark.parametrize(
    ("windows", "quantity", "amount"),
    [
        pytest.param([(40, 100), (250, 100), (60, 50)], 160, "80.00", id="flexprice-allowance-002"),
        pytest.param([(130, 100)], 30, "15.00", id="flexprice-allowance-005"),  # at the same price
    ],
)
def test_windows_without_carry_over_add_up(
    windows: list[tuple[int, int]], quantity: int, amount: str
) -> None:
    plan = Plan("p", "USD", {"calls": Allowance(0, PerUnit("0.5"))})
    lines = [
        calculate(plan, Usage("org-1", month, {"calls": used}), limits={"calls": limit})["calls"]
        for month, (used, limit) in zip(MONTHS, windows, strict=False)
    ]
    assert sum(line.quantity for line in lines) == quantity
    assert sum((line.cost for line in lines), Money(0, "USD")) == Money.of(amount, "USD")


def test_overage_over_a_window_is_that_of_an_allowance_for_all_of_it() -> None:
    """zuora-smoothing-002: two windows of three periods; overage is billed when it appears."""
    window = Cycle(MONTHS[0].start, every=3)
    allowance = Allowance(3 * 500, PerUnit("0.1"), included_for=window)
    plan, balance = Plan("smooth", "USD", {"units": allowance}), Balance()
    lines = []
    for month, quantity in zip(MONTHS, [700, 200, 333, 1000, 600, 900], strict=False):
        settlement = settle(plan, Usage("org", month, {"units": quantity}), balance)
        balance = settlement.balance
        lines.append(settlement.statement["units"])
    assert [line.quantity for line in lines] == [0, 0, 0, 0, 100, 900]
    assert [line.cost.minor for line in lines] == [0, 0, 0, 0, 1000, 9000]


def test_usage_is_split_across_prepaid_money_allowance_and_overage() -> None:
    """devicecloud-prepaid-001"""
    plan = Plan("devices", "USD", {"units": Allowance(1, PerUnit(1))})
    money = Grant("prepaid", Money(0, "USD"), effective_at=MONTHS[0].start)
    statement = settle(plan, Usage("org", MONTHS[0], {"units": 3}), grants=[money]).statement
    assert statement.total == Money.of(2, "USD")
    assert statement["units"].used - statement["units"].quantity == 1


@pytest.mark.parametrize(
    ("amount", "voided", "usage", "left", "overage"),
    [
        # Voided half-way: what was left is lost, and what is used later is overage.
        pytest.param(100, 60, [(59, 50), (61, 50)], 0, 50, id="openmeter-grant-burndown-002")
    ],
)
def test_a_grant_that_is_voided_pays_for_what_was_used_before(
    amount: int, voided: int, usage: list[tuple[int, int]], left: int, overage: int
) -> None:
    start = MONTHS[0].start
    repository = MemoryRepository()
    repository.put_plan(Plan("p", "USD", {"units": Allowance(0, PerUnit(1))}))
    repository.put_account(Account("org", "p", since=SINCE))
    grant = Grant(
        "g1",
        amount,
        metric="units",
        priority=1,
        effective_at=start,
        expires_at=start + timedelta(days=30),
    )
    repository.put_grant("org", grant)
    repository.void_grant("org", "g1", at=start + timedelta(minutes=voided))
    service = OverageService(repository, clock=lambda: start + timedelta(days=5))
    events = [
        UsageEvent("org", "units", quantity, at=start + timedelta(minutes=minutes))
        for minutes, quantity in usage
    ]
    service.record_usage(events)
    found = service.settle("org")
    assert found is not None
    assert found.burndowns[0].remaining == {"g1": left}
    assert (found.burndowns[0].overage, found.statement["units"].quantity) == (overage, overage)
