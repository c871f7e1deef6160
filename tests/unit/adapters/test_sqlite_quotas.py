"""Facts of quotas in SQLite: one query, by the sums that there were, as long as these are there."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Final

import pytest

from overages import Allowance, Period, PerUnit, Plan, UsageEvent
from overages._ground.value import evolve
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.sums import CROWD
from overages.errors import StorageCorrupt
from overages.quotas.quota_facts import QuotaFacts, QuotaQuestion, quota_question

FEB: Final = Period.month(2024, 2)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLAN: Final = Plan("starter", "USD", {"runs": Allowance(50, PerUnit("1.00"))})
ASKED: Final = quota_question("org-1", "starter", FEB, metrics=["runs"])


@pytest.fixture
def repository(in_memory: sqlite3.Connection) -> SqliteRepository:
    repository = SqliteRepository.join(in_memory)
    repository.put_plan(PLAN)
    return repository


def crowd(day: int, count: int = CROWD) -> list[UsageEvent]:
    at = FEB.start + day * DAY
    return [UsageEvent("org-1", "runs", 1, at, f"{day}-{n}") for n in range(count)]


def facts(repository: SqliteRepository, asked: QuotaQuestion = ASKED) -> QuotaFacts:
    told = repository.quota_facts(asked, FEB.start)
    assert told is not None  # as no mark was asked for
    return told


def runs(repository: SqliteRepository) -> object:
    """Return the units of the facts, which are those of the usage."""
    used = facts(repository).usage
    assert used == repository.usage("org-1", FEB, metrics=["runs"])
    return used.quantities.get("runs", 0)


def test_facts_that_were_asked_for_before_are_one_query(
    in_memory: sqlite3.Connection, repository: SqliteRepository
) -> None:
    repository.add_events([*crowd(1), *crowd(3), *crowd(5, 1)])
    first = facts(repository)
    sent: list[str] = []
    in_memory.set_trace_callback(sent.append)
    assert facts(repository) == first
    assert (len(sent), sent[0][:6]) == (1, "SELECT")


def test_units_follow_events_between_the_sums_of_before(repository: SqliteRepository) -> None:
    repository.add_events([*crowd(1), *crowd(3)])
    used = [runs(repository)]
    for day in (0, 2, 28, 1):  # before, between, behind, and in a sum
        repository.add_events([UsageEvent("org-1", "runs", 100, FEB.start + day * DAY)])
        used.append(runs(repository))
    assert used == [2 * CROWD + more for more in (0, 100, 200, 300, 400)]


def test_units_follow_sums_that_come_and_change(repository: SqliteRepository) -> None:
    used = [runs(repository)]
    for day, count in ((5, CROWD - 1), (6, CROWD), (3, CROWD), (4, 1)):
        repository.add_events(crowd(day, count))
        used += [runs(repository), runs(repository)]
    repository.withdraw("org-1", "6-0", withdrawn_at=FEB.end)
    used.append(runs(repository))
    sums = [0, CROWD - 1, 2 * CROWD - 1, 3 * CROWD - 1, 3 * CROWD]
    assert used == [sums[0], *(each for each in sums[1:] for _ in range(2)), 3 * CROWD - 1]


def test_units_are_those_of_another_connection_that_made_a_sum(tmp_path: object) -> None:
    path = f"{tmp_path}/bills.db"
    with SqliteRepository(path) as one, SqliteRepository(path) as other:
        one.add_events(crowd(1, CROWD - 1))
        assert runs(one) == CROWD - 1
        other.add_events([UsageEvent("org-1", "runs", 1, FEB.start + DAY)])
        assert [runs(one), runs(other), runs(one)] == [CROWD] * 3


@pytest.mark.parametrize("metrics", [("runs",), None], ids=["some names", "all names"])
def test_a_text_that_cant_be_decoded_is_told_by_its_own_column(
    in_memory: sqlite3.Connection, repository: SqliteRepository, metrics: tuple[str, ...] | None
) -> None:
    repository.add_events([*crowd(1), *crowd(2, 1)])
    asked = ASKED._replace(metrics=metrics)
    facts(repository, asked)
    in_memory.execute("DROP TRIGGER org_billing_usage_events_no_update")
    in_memory.execute(
        "UPDATE org_billing_usage_events SET quantity = CAST(x'ff' AS TEXT) WHERE event_id = '2-0'"
    )
    for _ in range(2):
        with pytest.raises(StorageCorrupt, match=r"'group_concat\(quantity, ','\)'"):
            facts(repository, asked)


def test_a_mark_of_before_tells_nothing_once_there_are_other_sums(
    repository: SqliteRepository,
) -> None:
    before = facts(repository)
    repository.put_plan(evolve(PLAN, allowances={}), since=FEB.end)
    repository.add_events(crowd(1))
    assert repository.quota_facts(ASKED, FEB.start, mark=before.mark) is None
    assert repository.quota_facts(ASKED, FEB.start, mark=facts(repository).mark) is not None


@pytest.mark.parametrize("days", [8, 9, 20], ids=["each for itself", "padded", "padded by more"])
def test_sums_may_leave_many_gaps(repository: SqliteRepository, days: int) -> None:
    for day in range(1, days):
        at = FEB.start + day * DAY + HOUR
        repository.add_events([UsageEvent("org-1", "runs", 100, at)])
        repository.add_events(crowd(day))
    hourly = Period(FEB.start + timedelta(minutes=1), FEB.start + 30 * HOUR)
    for asked in (ASKED, ASKED._replace(period=hourly)):
        expected = repository.usage("org-1", asked.period, metrics=["runs"])
        assert [facts(repository, asked).usage for _ in range(2)] == [expected] * 2


def test_too_many_gaps_for_one_query_are_asked_for_in_several(
    in_memory: sqlite3.Connection, repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overages.adapters.sqlite.quotas._MOST", 30)
    for day in (1, 3, 5):
        repository.add_events(crowd(day))
    sent: list[str] = []
    for _ in range(2):
        in_memory.set_trace_callback(sent.append)
        told = facts(repository)
        in_memory.set_trace_callback(None)
        assert told.usage.quantities == {"runs": 3 * CROWD}
    assert len(sent) > 2


def test_a_query_by_sums_of_before_is_not_asked_again_once_those_of_now_are_too_many(
    in_memory: sqlite3.Connection, repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts(repository)
    monkeypatch.setattr("overages.adapters.sqlite.quotas._MOST", 30)
    repository.add_events([*crowd(1), *crowd(3), *crowd(5)])
    facts(repository)
    sent: list[str] = []
    in_memory.set_trace_callback(sent.append)
    facts(repository)
    assert sum("org_billing_usage_sums" in each for each in sent) == 1


def test_names_that_are_more_than_a_statement_takes_are_asked_for_some_at_a_time(
    in_memory: sqlite3.Connection, repository: SqliteRepository
) -> None:
    in_memory.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    repository.add_events(crowd(1))
    names = ("runs", *(f"metric-{number}" for number in range(1_200)))
    for _ in range(2):
        used = facts(repository, ASKED._replace(metrics=names)).usage
        assert used.quantities == {"runs": CROWD}


def test_names_without_number_are_asked_for_whatever_their_sums_are(
    repository: SqliteRepository,
) -> None:
    repository.add_events([*crowd(1), UsageEvent("org-1", "other", 2, FEB.start)])
    for asked in (ASKED._replace(metrics=None), ASKED._replace(metrics=())):
        expected = repository.usage("org-1", FEB, metrics=asked.metrics)
        assert [facts(repository, asked).usage for _ in range(2)] == [expected] * 2


def test_the_queries_of_many_questions_are_held_and_those_of_more_made_anew(
    repository: SqliteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overages.adapters.sqlite.quotas._MANY", 1)
    repository.add_events([*crowd(1), *crowd(2, 1)])
    for _ in range(2):
        for number, units in (("org-1", CROWD + 1), ("org-2", 0)):
            used = facts(repository, ASKED._replace(org_id=number)).usage.quantities
            assert used.get("runs", 0) == units
