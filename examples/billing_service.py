"""A month in the life of a service: usage comes in, the overage follows, the invoice goes out.

python examples/billing_service.py
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from overages import Account, OverageService, Period, SqliteRepository, UsageEvent
from overages.imports.monthly_fields import plan_from_monthly_fields

ORG = "org-123"
FEBRUARY = Period.month(2024, 2)
STARTER = plan_from_monthly_fields(
    "starter",
    included_tokens_monthly=500_000,
    included_playbook_runs_monthly=50,
    included_seats=3,
    overage_token_price_milli_cents=10,
    overage_playbook_run_price_cents=100,
)


def usage_of(day: datetime) -> Iterator[UsageEvent]:
    """Yield what the org uses on a day."""
    yield UsageEvent(ORG, "tokens", 26_000, at=day, id=f"tokens-{day:%d}")
    yield UsageEvent(ORG, "playbook_runs", 3, at=day, id=f"runs-{day:%d}")


def show(service: OverageService, day: datetime, new: int) -> None:
    """Print what the org owes by a day, and how many records that day has added."""
    summary = service.summary(ORG, FEBRUARY)
    total = "nothing" if summary is None else summary.total
    print(f"{day:%d %B}: {total}, new records: {new}")


def run(repository: SqliteRepository) -> None:
    """Let a month go by, and what comes after it."""
    today = FEBRUARY.start
    service = OverageService(repository, clock=lambda: today)
    repository.put_plan(STARTER)
    repository.put_account(Account(ORG, "starter", since=FEBRUARY.start))
    while today < FEBRUARY.end:
        service.record_usage(usage_of(today))
        service.record_usage(usage_of(today))  # reported again: an event counts once
        recording = service.recalculate(ORG)
        if recording is not None and today.weekday() == 6:
            show(service, today, len(recording.new))
        today += timedelta(days=1)

    service.close_ended()  # February's invoice can go out
    late = UsageEvent(ORG, "tokens", 10_000, at=FEBRUARY.start, id="late")
    service.record_usage([late])
    recording = service.recalculate(ORG, force=True, period=FEBRUARY)
    show(service, today, 0 if recording is None else len(recording.new))
    print(f"records and closings: {repository.verify(ORG)}, all as recorded")


def main() -> None:
    """Run it on a database that is thrown away after."""
    with (
        TemporaryDirectory() as folder,
        SqliteRepository(Path(folder, "overages.db")) as repository,
    ):
        run(repository)


if __name__ == "__main__":
    main()
