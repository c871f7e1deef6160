"""Plans, accounts and usage to look at. Seeding again changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from overages import (
    Account,
    Allowance,
    Discount,
    Metric,
    Money,
    OverageService,
    Package,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    UsageEvent,
)
from overages.imports.events import read_events
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.imports.plans import read_plans

EXAMPLES = Path(__file__).parent.parent
JANUARY = Period.month(2024, 1)
METRICS = [Metric("seats", "max", reports="change")]  # an event is so many seats more, or fewer
MONTHLY = plan_from_monthly_fields(
    "monthly",
    included_tokens_monthly=500_000,
    included_playbook_runs_monthly=50,
    included_seats=3,
    overage_token_price_milli_cents=10,
    overage_playbook_run_price_cents=100,
)
GROWTH = Plan(
    "growth",
    "USD",
    {
        "tokens": Allowance(1_000_000, PerUnit("0.00008")),
        "playbook_runs": Allowance(100, Package("40.00", size=100)),
        "seats": Allowance(10, PerUnit("12.50"), kind="level"),
        "storage_gb": Allowance(50, PerUnit("0.023")),
    },
    discounts=[Discount("launch", percent=10)],
    minimum=Money.of("400.00", "USD"),
)


def seed(repository: SqliteRepository, service: OverageService) -> None:
    """Put what the example has to show into a repository."""
    book = read_plans((EXAMPLES / "plans.toml").read_text(encoding="utf-8"))
    for plan in (*book.plans.values(), MONTHLY, GROWTH):
        repository.put_plan(plan)
    for org_id in ("acme", "initech", "northwind"):
        repository.put_account(book.account(org_id, JANUARY.start))
    repository.put_account(Account("org-123", "monthly", since=JANUARY.start))
    repository.put_account(Account("globex", "growth", since=JANUARY.start))
    service.record_usage([*_events_of_file(), *_events()])
    if not repository.closed_periods("org-123"):
        _close_january(repository)


def _events_of_file() -> Iterator[UsageEvent]:
    with (EXAMPLES / "usage.csv").open(encoding="utf-8", newline="") as lines:
        for _, event in read_events(lines):
            if isinstance(event, UsageEvent):
                yield event


def _events() -> Iterator[UsageEvent]:
    def used(org_id: str, metric: str, quantity: int, month: int) -> UsageEvent:
        at = datetime(2024, month, 12, 9, 30, tzinfo=UTC)
        return UsageEvent(org_id, metric, quantity, at=at, id=f"{metric}-{month}")

    yield used("org-123", "tokens", 530_000, 1)
    yield used("org-123", "playbook_runs", 61, 1)
    yield used("org-123", "tokens", 750_000, 2)
    yield used("org-123", "playbook_runs", 75, 2)
    yield used("globex", "tokens", 2_345_678, 2)
    yield used("globex", "playbook_runs", 230, 2)
    yield used("globex", "storage_gb", 81, 2)


def _close_january(repository: SqliteRepository) -> None:
    """Record January when it is over, correct it by what came late, and close it for all."""
    service = OverageService(repository, clock=lambda: JANUARY.end, metrics=METRICS)
    service.recalculate("org-123", period=JANUARY)
    late = UsageEvent("org-123", "tokens", 12_345, at=datetime(2024, 1, 31, 23, tzinfo=UTC), id="l")
    service.record_usage([late])
    service.close_ended()
