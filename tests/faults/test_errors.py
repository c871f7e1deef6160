"""Whatever a database holds, what comes out is a value or an error of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from overages import Account, Metric, UsageEvent
from overages.adapters.sqlite import SqliteRepository
from overages.adapters.sqlite.sums import CROWD
from overages.errors import OveragesError
from overages.quotas.quota_facts import quota_question
from overages.testing.contract.base import close
from tests.since import SINCE

from .bills import LATER, NOW, PERIOD, PLAN, events, fill, org_name, statement, usage
from .effort import times
from .operations import OPERATIONS

ORG: Final = org_name(0)
OF_METRICS: Final = quota_question(ORG, PLAN.slug, PERIOD, metrics=["runs", "tokens"])
TABLES: Final = (
    "org_billing_overages",
    "org_billing_chain_heads",
    "org_billing_usage_monthly",
    "org_billing_usage_events",
    "org_billing_usage_withdrawals",
    "org_billing_usage_sums",
    "org_billing_usage_puts",
    "org_billing_grants",
    "org_billing_budgets",
    "org_billing_alerts",
    "org_billing_fired_alerts",
    "org_billing_alert_acknowledgements",
    "org_billing_reservations",
    "org_billing_closings",
    "org_billing_accounts",
    "org_billing_plans",
    "org_billing_plan_starts",
    "org_billing_metrics",
    "org_billing_usage_batches",
    "org_billing_usage_batch_events",
)
EACH: Final = times(22, 1)  # in the short form, a column gets one of the oddities
ODDITIES: Final = (
    "NULL", "''", "0", "-1", "9223372036854775807", "1.5", "9e999", "x'00ff'", "'x'", "'1e5'",
    "'NaN'", "'1/0'", "'1/'", "'9'", "'[]'", "'{}'", "'null'", "CAST(x'ff80' AS TEXT)", "char(0)",
    "'2024-13-01T00:00:00Z'", f"'{'9' * 5000}'", f"'{'[' * 100_000}'",
)  # fmt: skip

READS: Final[dict[str, Callable[[SqliteRepository], object]]] = {
    "plan": lambda r: r.plan(PLAN.slug),
    "plan version": lambda r: r.plan(PLAN.slug, version=1),
    "plan at": lambda r: r.plan(PLAN.slug, at=NOW),
    "slugs": lambda r: r.slugs(),
    "metrics": lambda r: r.metrics(),
    "batch": lambda r: r.batch("a"),
    "batches": lambda r: list(r.batches()),
    "batch orgs": lambda r: list(r.batch_orgs("a")),
    "batch events": lambda r: list(r.batch_events(ORG, "a")),
    "withdrawn ids": lambda r: r.withdrawn_ids(ORG, ["evt-1"]),
    "account": lambda r: r.account(ORG),
    "orgs": lambda r: list(r.orgs()),
    "events": lambda r: list(r.events(ORG, PERIOD)),
    "counted events": lambda r: list(r.counted_events(ORG, PERIOD, earlier=True)),
    "event sums": lambda r: r.event_sums(ORG, PERIOD),
    "event before": lambda r: r.event_before(ORG, LATER.start, "runs"),
    "put sums": lambda r: r.put_sums(ORG, PERIOD),
    "remake sums": lambda r: r.remake_sums(ORG),
    "usage": lambda r: r.usage(ORG, PERIOD),
    "records": lambda r: r.records(ORG),
    "records of a period": lambda r: r.records(ORG, PERIOD),
    "summary": lambda r: r.summary(ORG),
    "summary of a period": lambda r: r.summary(ORG, PERIOD),
    "overage": lambda r: r.overage(ORG, PERIOD),
    "grants": lambda r: r.grants(ORG),
    "budgets": lambda r: r.budgets(ORG),
    "alert definitions": lambda r: r.alert_definitions(ORG),
    "has alerts": lambda r: r.has_alerts(),
    "fired alerts": lambda r: r.fired_alerts(ORG, PERIOD),
    "reservation": lambda r: r.reservation(ORG, "kept"),
    "reservations": lambda r: r.reservations(ORG),
    "held units": lambda r: r.held_units(ORG, PERIOD, NOW),
    "quota facts": lambda r: r.quota_facts(quota_question(ORG, PLAN.slug, PERIOD), NOW),
    "quota facts of metrics": lambda r: [r.quota_facts(OF_METRICS, NOW) for _ in range(2)],
    "closing": lambda r: r.closing(ORG, PERIOD),
    "closing_before": lambda r: r.closing_before(ORG, NOW),
    "closings": lambda r: r.closings(ORG),
    "closed_periods": lambda r: r.closed_periods(ORG),
    "settled": lambda r: r.settled(ORG, PERIOD),
    "head": lambda r: r.head(ORG),
    "verify": lambda r: r.verify(),
    "verify one": lambda r: r.verify(ORG),
}
CALLS: Final = READS | OPERATIONS


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with something in every table, none of which has a rule any more."""
    found = tmp_path / "bills.db"
    found.write_bytes(lawless())
    return found


@cache
def lawless() -> bytes:
    """Return the file of such a database."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bills.db"
        fill(path)
        fill_all_tables(path)
        drop_rules(path)
        return path.read_bytes()


def fill_all_tables(path: Path) -> None:
    with SqliteRepository(path) as repository:
        repository.put_account(Account(ORG, plan=PLAN.slug, since=SINCE))
        repository.put_usage(usage(ORG))
        repository.add_events(events(ORG, 0, 4), batch="a")
        repository.put_batch("a", "digest", 4, NOW)
        crowd = [UsageEvent(ORG, "runs", 1, PERIOD.start, id=f"crowd-{n}") for n in range(CROWD)]
        repository.add_events(crowd)  # of which the sum is held
        repository.put_metric(Metric("peak", "max", event="load"))
        repository.withdraw(ORG, "event-3", withdrawn_at=NOW)
        close(repository, statement(org_name(1)), NOW)
        close(repository, statement(ORG), NOW)


def drop_rules(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for table in TABLES:
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() != (0,)
            connection.execute(f"CREATE TABLE lawless AS SELECT * FROM {table}")
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"ALTER TABLE lawless RENAME TO {table}")
        connection.commit()


def leaks(path: Path, oddity: str, table: str, column: str) -> list[str]:
    """Return the calls that raise anything but our errors on an odd value in a column."""
    found = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE {table} SET {column} = {oddity} WHERE rowid = 1")
    with SqliteRepository(path) as repository:
        for kind, call in CALLS.items():
            try:
                with suppress(OveragesError):
                    call(repository)
            except Exception as error:
                found.append(f"{kind}, {table}.{column} = {oddity[:30]}: {error!r:.120}")
            assert not repository._database._connection.in_transaction
    return found


@pytest.mark.parametrize("table", TABLES)
def test_no_value_in_a_column_makes_any_method_raise_an_error_that_is_not_ours(
    path: Path, table: str
) -> None:
    original, copy = path.read_bytes(), path.with_name("odd.db")
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    found = []
    for i, column in enumerate(columns):
        for oddity in ODDITIES[i % EACH :: EACH]:
            copy.write_bytes(original)
            found += leaks(copy, oddity, table, column)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_gone_makes_no_method_raise_an_error_that_is_not_ours(
    path: Path, table: str
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"DROP TABLE {table}")
        connection.commit()
    with SqliteRepository(path) as repository:
        for call in CALLS.values():
            with suppress(OveragesError):
                call(repository)
