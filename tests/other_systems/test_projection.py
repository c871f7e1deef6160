"""How other billing systems project an invoice, and this library too.

Each row is a numeric fact that another system's documentation asserts: its id names the system.
What it takes for granted (half of the usage after half of the days) stands in the row.
"""

from datetime import UTC, datetime, timedelta

import pytest

from overages import (
    Account,
    Allowance,
    MemoryRepository,
    Money,
    OverageService,
    PerUnit,
    Plan,
    UsageEvent,
)


@pytest.mark.parametrize(
    ("included", "unit_price", "daily", "days_over", "expected_units", "expected"),
    [
        pytest.param(
            750_000, "0.02", [27_333, 27_334, 27_333], 15, 820_000, "1400",
            id="chargebee-included-001",
        ),
    ],
)  # fmt: skip
def test_a_projected_invoice_is_the_price_of_the_projected_units(
    included: int,
    unit_price: str,
    daily: list[int],
    days_over: int,
    expected_units: int,
    expected: str,
) -> None:
    june = datetime(2024, 6, 1, tzinfo=UTC)
    repository = MemoryRepository()
    repository.put_plan(Plan("plan", "USD", {"calls": Allowance(included, PerUnit(unit_price))}))
    repository.put_account(Account("org-123", "plan", since=june))
    repository.add_events(
        UsageEvent("org-123", "calls", daily[n % len(daily)], june + timedelta(days=n))
        for n in range(days_over)
    )
    now = june + timedelta(days=days_over)
    projection = OverageService(repository, clock=lambda: now).project("org-123")
    assert projection is not None
    assert projection.metrics["calls"].method == "elapsed_share"
    assert projection.expected == {"calls": expected_units}
    assert projection.expected_bill is not None
    assert projection.expected_bill.total == Money.of(expected, "USD")
