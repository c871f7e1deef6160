"""Counters of usage and overage are what they are made of, or `verify` names those that aren't."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from tests.in_memory import in_memory
from tests.owed import FEB, MARCH, NOW, owed

from overages import Usage, UsageEvent
from overages.adapters.sqlite import SqliteRepository, migrate
from overages.adapters.sqlite.sums import CROWD
from overages.errors import StorageCorrupt, UsageAltered

TABLE = "org_billing_usage_monthly"
FEBRUARY = "2024-02-01 to 2024-03-01 UTC"


SUMS = "org_billing_usage_sums"
THIRD = "2024-02-03 to 2024-02-04 UTC"
NINE = "2024-02-03 09:00:00 to 2024-02-03 10:00:00 UTC"


@pytest.fixture
def hosts() -> Iterator[sqlite3.Connection]:
    """Yield a host's connection to a database in which usage was counted, put and recorded."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("BEGIN")
        migrate(connection)
        repository = SqliteRepository.join(connection)
        repository.add_events([event("1", 5), event("2", "0.5", "runs"), event("0", 9, "jobs")])
        for metric in ("tokens", "runs"):  # a crowd, whose sums are held
            repository.add_events([event(f"0-{metric}-{n}", 0, metric) for n in range(CROWD - 2)])
        repository.put_usage(Usage("org-1", FEB, {"tokens": 7}))
        repository.put_usage(Usage("org-1", FEB, {"tokens": 7, "seats": 0}))
        repository.add_events([event("3", 3), event("4", "0.25", "runs")])
        repository.withdraw("org-1", "0", withdrawn_at=NOW)
        repository.put_usage(Usage("org-2", MARCH, {"tokens": 1}))
        repository.record(owed(10), created_at=NOW)
        repository.record(owed(8), created_at=NOW)
        yield connection


def event(id: str, quantity: int | str, metric: str = "tokens") -> UsageEvent:
    return UsageEvent("org-1", metric, quantity, datetime(2024, 2, 3, 9, 30, tzinfo=UTC), id)


def test_what_was_counted_put_and_recorded_is_verified(hosts: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(hosts)
    assert repository.usage("org-1", FEB).quantities == {"tokens": 15, "runs": 0.75}
    assert [repository.verify(org_id) for org_id in (None, "org-1", "org-2")] == [2, 2, 0]


def test_usage_that_is_put_again_as_it_stands_is_kept_once(hosts: sqlite3.Connection) -> None:
    rows = hosts.execute("SELECT org_id, metric_type, used FROM org_billing_usage_puts").fetchall()
    assert rows == [("org-1", "tokens", "7"), ("org-2", "tokens", "1")]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            f"UPDATE {SUMS} SET used = '9' WHERE used = '8'",
            f"org-1, {THIRD}: tokens.used: must be '8', by the events and records that it is made"
            " of, got '9'",
        ),
        (
            f"UPDATE {SUMS} SET used = '9' WHERE unit = 'hour' AND metric_type = 'tokens'",
            f"org-1, {NINE}: tokens.used: must be '8', ",
        ),
        (
            f"UPDATE {SUMS} SET used = 'x' WHERE metric_type = 'runs'",
            f"org-1, {THIRD}: runs.used: must be '0.75', ",
        ),
        (
            f"UPDATE {SUMS} SET events = 7 WHERE metric_type = 'tokens'",
            f"org-1, {THIRD}: tokens.events: must be 8, ",
        ),
        (
            f"UPDATE {SUMS} SET largest = '6' WHERE metric_type = 'tokens'",
            f"org-1, {THIRD}: tokens.largest: must be '5', ",
        ),
        (
            f"UPDATE {SUMS} SET last_id = '1' WHERE metric_type = 'tokens'",
            f"org-1, {THIRD}: tokens.last_id: must be '3', ",
        ),
        (
            f"DELETE FROM {SUMS} WHERE metric_type = 'runs'",
            f"org-1, {THIRD}: runs.events: must be 8, ",
        ),
        (
            f"UPDATE {SUMS} SET metric_type = 'jobs' WHERE metric_type = 'runs'",
            f"org-1, {THIRD}: jobs.events: must be 0, ",
        ),
        (
            f"UPDATE {TABLE} SET overage = '1', overage_cost = '1' WHERE overage = '8'",
            f"org-1, {FEBRUARY}: tokens.overage: must be '8', ",
        ),
        (
            f"UPDATE {TABLE} SET overage_cost = '-8' WHERE overage = '8'",
            f"org-1, {FEBRUARY}: tokens.overage_cost: must be '8', ",
        ),
        (
            f"UPDATE {TABLE} SET currency = 'EUR' WHERE overage = '8'",
            f"org-1, {FEBRUARY}: tokens.currency: must be 'USD', ",
        ),
        (
            f"UPDATE {TABLE} SET metric_type = 'runs'",
            f"org-1, {FEBRUARY}: runs.overage: must be None, ",
        ),
        (
            f"DELETE FROM {TABLE}",
            f"org-1, {FEBRUARY}: tokens.overage: must be '8', ",
        ),
    ],
)
def test_a_counter_that_is_not_what_it_is_made_of_is_named(
    hosts: sqlite3.Connection, sql: str, problem: str
) -> None:
    hosts.execute(sql)
    repository = SqliteRepository.join(hosts)
    for org_id in (None, "org-1"):
        with pytest.raises(UsageAltered) as caught:
            repository.verify(org_id)
        assert str(caught.value).startswith(problem)
        assert caught.value.org_id == "org-1"
    assert repository.verify("org-2") == 0


@pytest.mark.parametrize("sql", [f"DELETE FROM {SUMS}", f"UPDATE {SUMS} SET used = 'x'"])
def test_altered_sums_are_mended_by_making_them_again(hosts: sqlite3.Connection, sql: str) -> None:
    repository = SqliteRepository.join(hosts)
    sums = repository.event_sums("org-1", FEB)
    hosts.execute(sql)
    with pytest.raises(UsageAltered, match="org-1"):
        repository.verify()
    repository.remake_sums("org-1")
    assert repository.verify() == 2
    assert repository.event_sums("org-1", FEB) == sums


def test_sums_that_can_not_be_read_are_damage(hosts: sqlite3.Connection) -> None:
    hosts.execute(f"UPDATE {SUMS} SET used = 'x' WHERE metric_type = 'tokens'")
    repository = SqliteRepository.join(hosts)
    with pytest.raises(StorageCorrupt):
        repository.event_sums("org-1", FEB)
    with pytest.raises(StorageCorrupt):
        repository.add_events([event("5", 1)])
    hosts.execute(f"UPDATE {SUMS} SET start = '1' WHERE metric_type = 'runs'")
    with pytest.raises(StorageCorrupt):
        repository.verify("org-1")


@pytest.mark.parametrize("instant", ["2024-02-03T09:30:00Z", "2024-02-03T09:30:00.000000+00:00"])
def test_an_instant_of_another_form_is_damage(hosts: sqlite3.Connection, instant: str) -> None:
    """Texts of one form alone sort as the instants do."""
    columns = "org_id, event_id, metric_type, quantity, at, counts_at, dimensions"
    hosts.execute(
        f"INSERT INTO org_billing_usage_events ({columns})"
        f" VALUES ('org-1', 'odd', 'tokens', '1', '{instant}', '{instant}', '{{}}')"
    )
    with pytest.raises(StorageCorrupt, match="is no instant in UTC with six decimals"):
        list(SqliteRepository.join(hosts).counted_events("org-1", FEB))


def test_an_event_has_no_empty_id(hosts: sqlite3.Connection) -> None:
    """In sums and seals it would be an event without an id."""
    columns = "org_id, event_id, metric_type, quantity, at, counts_at, dimensions"
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        hosts.execute(
            f"INSERT INTO org_billing_usage_events ({columns})"
            f" SELECT org_id, '', metric_type, quantity, at, counts_at, dimensions"
            " FROM org_billing_usage_events LIMIT 1"
        )


def test_all_of_many_orgs_are_verified() -> None:
    with in_memory() as repository:
        names = [f"org-{n:03}" for n in range(250)]
        repository.record_many([owed(5, name) for name in names], created_at=NOW)
        assert repository.verify() == 250
        for name in (names[99], names[100], names[-1]):
            sql = f"UPDATE {TABLE} SET overage = {{}} WHERE org_id = '{name}'"
            repository._database.rows(sql.format("'1'"))
            with pytest.raises(UsageAltered, match=name):
                repository.verify()
            repository._database.rows(sql.format("'5'"))
        assert repository.verify() == 250
