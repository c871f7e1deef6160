"""Units of events in SQLite: those of sums and of the events between them, and no others."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from overages import Period, Usage, UsageEvent
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.sums import CROWD
from overages.errors import StorageCorrupt

FEB: Final = Period.month(2024, 2)
IN_KOLKATA: Final = Period(
    datetime(2024, 1, 31, 18, 30, tzinfo=UTC), datetime(2024, 2, 29, 18, 30, tzinfo=UTC)
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def crowd(at: datetime, metric: str = "runs", count: int = CROWD) -> list[UsageEvent]:
    return [UsageEvent("org-1", metric, 1, at, f"{metric}-{at}-{n}") for n in range(count)]


def used(repository: SqliteRepository, period: Period = FEB, *names: str) -> dict[str, object]:
    return dict(repository.usage("org-1", period, metrics=names or None).quantities)


def test_units_are_of_sums_and_of_the_events_between_them(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    for day in (1, 2, 5):
        repository.add_events(crowd(FEB.start + day * DAY))
    between = [FEB.start, FEB.start + 3 * DAY, FEB.start + 4 * DAY + HOUR, FEB.end - HOUR]
    outside = [FEB.start - HOUR, FEB.end]
    repository.add_events([UsageEvent("org-1", "runs", 100, at) for at in between + outside])
    repository.add_events([UsageEvent("org-1", "tokens", "0.25", FEB.start)])
    assert used(repository) == {
        "runs": 3 * CROWD + 400,
        "tokens": Usage("org-1", FEB, {"tokens": "0.25"}).quantities["tokens"],
    }
    assert used(repository, FEB, "runs") == {"runs": 3 * CROWD + 400}


def test_a_period_that_cuts_a_day_is_told_by_the_hours_of_it(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    start, end = IN_KOLKATA.start, IN_KOLKATA.end
    for at in (start - HOUR, start, start + HOUR, start + DAY, end - HOUR, end + HOUR):
        repository.add_events(crowd(at))
    assert used(repository, IN_KOLKATA) == {"runs": 4 * CROWD}


def test_sums_and_events_with_decimals_are_exact(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    events = [UsageEvent("org-1", "gb", "0.1", FEB.start, f"e-{n}") for n in range(3 * CROWD)]
    repository.add_events([*events, UsageEvent("org-1", "gb", "0.1", FEB.end - HOUR)])
    assert str(used(repository)["gb"]) == "2.5"


def test_events_are_kept_where_a_host_allows_few_parameters(in_memory: sqlite3.Connection) -> None:
    in_memory.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    repository = SqliteRepository.join(in_memory)
    assert repository.add_events(crowd(FEB.start, count=250)) == 250
    assert used(repository) == {"runs": 250}


def test_names_are_asked_for_in_as_many_queries_as_they_need(in_memory: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(in_memory)
    names = [f"m-{n}" for n in range(1_001)]
    repository.add_events([UsageEvent("org-1", name, 1, FEB.start) for name in names])
    repository.add_events(crowd(FEB.start, "m-1000"))
    assert used(repository, FEB, *names) == {**dict.fromkeys(names, 1), "m-1000": 1 + CROWD}


@pytest.mark.parametrize(
    ("table", "column"),
    [("org_billing_usage_events", "quantity"), ("org_billing_usage_sums", "used")],
)
@pytest.mark.parametrize("number", ["1,2", "one", "", "0.1.2"])
def test_a_number_that_is_none_is_a_storage_that_is_damaged(
    in_memory: sqlite3.Connection, table: str, column: str, number: str
) -> None:
    repository = SqliteRepository.join(in_memory)
    repository.add_events([*crowd(FEB.start), UsageEvent("org-1", "runs", 1, FEB.end - HOUR)])
    in_memory.execute("DROP TRIGGER org_billing_usage_events_no_update")
    in_memory.execute(f"UPDATE {table} SET {column} = ?", (number,))
    with pytest.raises(StorageCorrupt, match="a row can't be read"):
        used(repository)
