"""Plans, accounts and usage to look at. Seeding again changes nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from overages import (
    Account,
    Allowance,
    Discount,
    Grant,
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
from overages.alerts.alert import usual_alerts
from overages.imports.events import read_events
from overages.imports.monthly_fields import plan_from_monthly_fields
from overages.imports.plans import read_plans
from overages.insight.budget import Budget

EXAMPLES = Path(__file__).parent.parent
FIRST, JANUARY = Period.month(2023, 3), Period.month(2024, 1)
UNTIL = datetime(2024, 2, 21, tzinfo=UTC)  # the usage of a year ends there
MONTHS = [
    (Period.month(2023 + n // 12, n % 12 + 1), tokens * 1000, runs)
    for n, tokens, runs in [
        (2, 120, 9), (3, 150, 12), (4, 210, 14), (5, 260, 18), (6, 300, 22), (7, 280, 25),
        (8, 310, 31), (9, 420, 40), (10, 480, 44), (11, 510, 52), (12, 530, 61), (13, 750, 75),
    ]
]  # fmt: skip
METRICS = [Metric("seats", "max", reports="change")]  # an event is so many seats more, or fewer
BASIC = Plan(
    "basic",
    "USD",
    {
        "tokens": Allowance(250_000, PerUnit("0.00012")),
        "playbook_runs": Allowance(20, PerUnit("1.20")),
        "seats": Allowance(3, PerUnit(0), kind="level"),
    },
)
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
CREDIT = Grant(
    "welcome-credit",
    Money.of("500.00", "USD"),
    effective_at=JANUARY.end,
    expires_at=datetime(2024, 7, 1, tzinfo=UTC),
)


def seed(repository: SqliteRepository, service: OverageService, now: datetime) -> None:
    """Put what the example has to show into a repository, up to an instant."""
    book = read_plans((EXAMPLES / "plans.toml").read_text(encoding="utf-8"))
    for plan in (*book.plans.values(), BASIC, MONTHLY, GROWTH):
        repository.put_plan(plan)
    for org_id in ("acme", "initech", "northwind"):
        repository.put_account(book.account(org_id, JANUARY.start))
    acquainted = Account("org-123", "basic", since=FIRST.start)
    upgraded = acquainted.changed(since=datetime(2023, 10, 1, tzinfo=UTC), plan="monthly")
    repository.put_account(upgraded)
    repository.put_account(Account("globex", "growth", since=JANUARY.start))
    repository.put_grant("globex", CREDIT)
    events = [e for e in (*_events_of_file(), *_events(), *_a_year()) if e.at <= now]
    if not repository.closed_periods("org-123"):
        _at(repository, JANUARY.end).record_usage(e for e in events if e.at < JANUARY.end)
        _close_the_past(repository)
    for metric in ("tokens", "playbook_runs"):
        for alert in usual_alerts(metric):
            service.put_alert(alert)
    repository.put_budget("org-123", Budget(Money.of("80.00", "USD")))
    for at, group in groupby(sorted(events, key=_instant), key=_instant):
        _at(repository, at).record_usage(group)  # as it came, so that alerts have their day


def _events_of_file() -> Iterator[UsageEvent]:
    with (EXAMPLES / "usage.csv").open(encoding="utf-8", newline="") as lines:
        for _, event in read_events(lines):
            if isinstance(event, UsageEvent):
                yield event


def _events() -> Iterator[UsageEvent]:
    """Yield the usage of a big customer, in one event of each metric."""
    at = datetime(2024, 2, 12, 9, 30, tzinfo=UTC)
    for metric, quantity in ("tokens", 2_345_678), ("playbook_runs", 230), ("storage_gb", 81):
        yield UsageEvent("globex", metric, quantity, at=at, id=f"{metric}-2")


def _a_year() -> Iterator[UsageEvent]:
    """Yield the usage of a small customer that grows, day by day: on working days more."""
    yield UsageEvent("org-123", "seats", 3, at=FIRST.start, id="seats")
    for period, *amounts in MONTHS:
        days = (min(period.end, UNTIL) - period.start).days
        mornings = [period.start + timedelta(days=n, hours=9, minutes=30) for n in range(days)]
        weights = [(9 if at.weekday() < 5 else 3) + at.day * 7 % 5 for at in mornings]
        for metric, amount in zip(("tokens", "playbook_runs"), amounts, strict=True):
            before = so_far = 0
            for at, weight in zip(mornings, weights, strict=True):
                so_far += weight
                quantity = amount * so_far // sum(weights) - before
                before += quantity
                if quantity:
                    yield UsageEvent("org-123", metric, quantity, at, f"{metric}-{at:%Y-%m-%d}")


def _close_the_past(repository: SqliteRepository) -> None:
    """Close each month when it is over; January after a correction by what came late."""
    for period, *_ in MONTHS[:-2]:
        _at(repository, period.end).close_ended(orgs=["org-123"])
    service = _at(repository, JANUARY.end)
    service.recalculate("org-123", period=JANUARY)
    late = UsageEvent("org-123", "tokens", 12_345, at=datetime(2024, 1, 31, 23, tzinfo=UTC), id="l")
    service.record_usage([late])
    service.close_ended()


def _at(repository: SqliteRepository, instant: datetime) -> OverageService:
    return OverageService(repository, clock=lambda: instant, metrics=METRICS)


def _instant(event: UsageEvent) -> datetime:
    return event.at
