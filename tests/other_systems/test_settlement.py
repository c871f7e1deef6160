"""How other billing systems settle a period with what earlier ones left, and this library too.

Each row is a numeric fact that another system's tests or documentation assert: its id names the
system (Autumn, Device Cloud, OpenMeter, Zuora).
"""

from datetime import timedelta

import pytest

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
    settle,
)

MONTHS = [Period.month(2024, n) for n in range(1, 13)]


@pytest.mark.parametrize(
    ("rule", "included", "used", "remaining", "available"),
    [
        pytest.param(CarryOver(expires_after=2), 1000, 800, 200, 1200, id="zuora-rollover-001"),
        pytest.param(CarryOver(share="0.5"), 200, 50, 100, 300, id="autumn-rollover-001"),
    ],
)
def test_what_is_left_can_be_used_in_the_next_period(
    rule: CarryOver, included: int, used: int, remaining: int, available: int
) -> None:
    allowance = Allowance(included, PerUnit(1), carry_over=rule)
    plan = Plan("prepaid", "USD", {"units": allowance})
    first = settle(plan, Usage("org", MONTHS[0], {"units": used}))
    assert first.statement.total == Money(0, "USD")
    assert [layer.quantity for layer in first.balance.carried["units"]] == [remaining]
    second = settle(plan, Usage("org", MONTHS[1], {}), first.balance)
    assert second.statement["units"].limit == available


@pytest.mark.parametrize(
    ("included", "periods", "price", "used", "billed", "amounts"),
    [
        # Two windows of three periods; overage is billed in the month that it appears.
        pytest.param(
            500,
            3,
            "0.1",
            [700, 200, 333, 1000, 600, 900],
            [0, 0, 0, 0, 100, 900],
            ["0", "0", "0", "0", "10", "90"],
            id="zuora-smoothing-002",
        )
    ],
)
def test_overage_over_a_window_is_that_of_an_allowance_for_all_of_it(
    included: int,
    periods: int,
    price: str,
    used: list[int],
    billed: list[int],
    amounts: list[str],
) -> None:
    window = Cycle(MONTHS[0].start, every=periods)
    allowance = Allowance(included * periods, PerUnit(price), included_for=window)
    plan, balance = Plan("smooth", "USD", {"units": allowance}), Balance()
    lines = []
    for month, quantity in zip(MONTHS, used, strict=False):
        settlement = settle(plan, Usage("org", month, {"units": quantity}), balance)
        balance = settlement.balance
        lines.append(settlement.statement["units"])
    assert [line.quantity for line in lines] == billed
    assert [line.cost for line in lines] == [Money.of(amount, "USD") for amount in amounts]


@pytest.mark.parametrize(
    ("charge", "prepaid", "included", "amount", "consumed"),
    [pytest.param(3, "0", 1, "2", 1, id="devicecloud-prepaid-001")],
)
def test_usage_is_split_across_prepaid_money_allowance_and_overage(
    charge: int, prepaid: str, included: int, amount: str, consumed: int
) -> None:
    plan = Plan("devices", "USD", {"units": Allowance(included, PerUnit(1))})
    money = Grant("prepaid", Money.of(prepaid, "USD"), effective_at=MONTHS[0].start)
    found = settle(plan, Usage("org", MONTHS[0], {"units": charge}), grants=[money])
    line = found.statement["units"]
    assert found.statement.total == Money.of(amount, "USD")
    assert line.used - line.quantity == consumed


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
    repository.put_account(Account("org", "p"))
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
    assert found.burndowns[0].balances == {"g1": left}
    assert (found.burndowns[0].overage, found.statement["units"].quantity) == (overage, overage)
