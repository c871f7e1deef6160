"""Counters of usage and overage are what they are made of, or `verify` names those that aren't."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.owed import FEB, MARCH, NOW, owed

from overages import Usage, UsageEvent
from overages.adapters.sqlite import SqliteRepository, migrate
from overages.errors import UsageAltered

TABLE = "org_billing_usage_monthly"
FEBRUARY = "2024-02-01 to 2024-03-01 UTC"


@pytest.fixture
def hosts() -> Iterator[sqlite3.Connection]:
    """Yield a host's connection to a database in which usage was counted, put and recorded."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("BEGIN")
        migrate(connection)
        repository = SqliteRepository.join(connection)
        repository.add_events([event("1", 5), event("2", "0.5", "runs")], lambda _: FEB)
        repository.put_usage(Usage("org-1", FEB, {"tokens": 7}))
        repository.put_usage(Usage("org-1", FEB, {"tokens": 7, "seats": 0}))
        repository.add_events([event("3", 3), event("4", "0.25", "runs")], lambda _: FEB)
        repository.put_usage(Usage("org-2", MARCH, {"tokens": 1}))
        repository.record(owed(10), created_at=NOW)
        repository.record(owed(8), created_at=NOW)
        yield connection


def event(id: str, quantity: int | str, metric: str = "tokens") -> UsageEvent:
    return UsageEvent("org-1", metric, quantity, NOW, id)


def test_what_was_counted_put_and_recorded_is_verified(hosts: sqlite3.Connection) -> None:
    repository = SqliteRepository.join(hosts)
    assert repository.usage("org-1", FEB).quantities == {"tokens": 10, "runs": 0.25}
    assert [repository.verify(org_id) for org_id in (None, "org-1", "org-2")] == [2, 2, 0]


def test_usage_that_is_put_again_as_it_stands_is_kept_once(hosts: sqlite3.Connection) -> None:
    rows = hosts.execute("SELECT org_id, metric_type, used FROM org_billing_usage_puts").fetchall()
    assert rows == [("org-1", "runs", "0"), ("org-1", "tokens", "7"), ("org-2", "tokens", "1")]


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            f"UPDATE {TABLE} SET used = '11' WHERE used = '10'",
            f"org-1, {FEBRUARY}: tokens.used: must be '10', by the events, usage and records that"
            " it is made of, got '11'",
        ),
        (
            f"UPDATE {TABLE} SET used = 'x' WHERE metric_type = 'runs'",
            f"org-1, {FEBRUARY}: runs.used: must be '0.25', ",
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
            f"UPDATE {TABLE} SET overage = '0' WHERE metric_type = 'runs'",
            f"org-1, {FEBRUARY}: runs.overage: must be None, ",
        ),
        (
            f"DELETE FROM {TABLE} WHERE metric_type = 'runs'",
            f"org-1, {FEBRUARY}: runs.used: must be '0.25', ",
        ),
        (
            f"INSERT INTO {TABLE} SELECT 'org-1', billing_period_start, billing_period_end, 'a',"
            f" '1', NULL, NULL, NULL, NULL FROM {TABLE} WHERE org_id = 'org-2'",
            "org-1, 2024-03-01 to 2024-04-01 UTC: a.used: must be '0', ",
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


def test_an_altered_counter_is_mended_by_putting_the_usage(hosts: sqlite3.Connection) -> None:
    hosts.execute(f"DELETE FROM {TABLE} WHERE org_id = 'org-2'")
    repository = SqliteRepository.join(hosts)
    with pytest.raises(UsageAltered, match="org-2"):
        repository.verify()
    repository.put_usage(Usage("org-2", MARCH, {"tokens": 1}))
    assert repository.verify() == 2


def test_all_of_many_orgs_are_verified() -> None:
    with SqliteRepository(":memory:") as repository:
        names = [f"org-{n:03}" for n in range(250)]
        repository.record_many([owed(5, name) for name in names], created_at=NOW)
        assert repository.verify() == 250
        for name in (names[99], names[100], names[-1]):
            sql = f"UPDATE {TABLE} SET used = {{}} WHERE org_id = '{name}'"
            repository._database.rows(sql.format("'1'"))
            with pytest.raises(UsageAltered, match=name):
                repository.verify()
            repository._database.rows(sql.format("'0'"))
        assert repository.verify() == 250
