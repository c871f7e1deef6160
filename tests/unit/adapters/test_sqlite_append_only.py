"""What is append-only in SQLite: triggers hold it against whoever has a connection."""

import sqlite3
from pathlib import Path

import pytest
from tests.owed import FEB, MARCH, NOW, PLAN, owed

from overages import Account, Budget, Grant, Metric, Usage, UsageEvent
from overages._ground.value import evolve
from overages.adapters.sqlite import SqliteRepository
from overages.errors import (
    StorageCorrupt,
    StorageError,
)
from overages.testing.contract.base import ALERT, RESERVED, close, fired


class TestAppendOnly:
    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE org_billing_overages SET amount = '0'",
            "UPDATE OR REPLACE org_billing_overages SET revision = 9",
            "DELETE FROM org_billing_overages",
            "INSERT OR REPLACE INTO org_billing_overages SELECT * FROM org_billing_overages",
            "REPLACE INTO org_billing_overages SELECT * FROM org_billing_overages",
            "INSERT INTO org_billing_overages SELECT * FROM org_billing_overages WHERE true"
            " ON CONFLICT DO UPDATE SET amount = '0'",
        ],
    )
    def test_records_cannot_be_changed_or_removed(self, path: Path, sql: str) -> None:
        with SqliteRepository(path) as repository:
            records = repository.record(owed(5), created_at=NOW).records
            with pytest.raises(StorageError, match=r"overage records are append-only"):
                repository._database.rows(sql)
            assert repository.records("org-1") == records
            assert repository.verify() == 1

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE org_billing_grants SET grant_json = replace(grant_json, '5', '9')",
            "UPDATE org_billing_grants SET voided_at = NULL",
            "UPDATE org_billing_grants SET voided_at = '2024-04-01T00:00:00Z' WHERE grant_id = 'b'",
            "UPDATE OR REPLACE org_billing_grants SET grant_id = 'a'",
            "DELETE FROM org_billing_grants",
            "REPLACE INTO org_billing_grants SELECT * FROM org_billing_grants",
        ],
    )
    def test_grants_cannot_be_changed_or_removed(self, path: Path, sql: str) -> None:
        with SqliteRepository(path) as repository:
            for grant_id in ("a", "b"):
                grant = Grant(grant_id, 5, metric="tokens", effective_at=NOW)
                repository.put_grant("org-1", grant)
            repository.void_grant("org-1", "b", NOW)
            grants = repository.grants("org-1")
            with pytest.raises(StorageError, match="grants are append-only, and voided once"):
                repository._database.rows(sql)
            assert repository.grants("org-1") == grants

    def test_a_grant_under_another_id_than_its_own_is_damage(self, path: Path) -> None:
        with SqliteRepository(path) as repository:
            repository.put_grant("org-1", Grant("a", 5, metric="tokens", effective_at=NOW))
            repository._database.rows(
                "INSERT INTO org_billing_grants"
                " SELECT org_id, 'b', grant_json, NULL FROM org_billing_grants"
            )
            with pytest.raises(StorageCorrupt, match="grant_id: must be that of the grant, 'a', "):
                repository.grants("org-1")

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE org_billing_reservations SET units = replace(units, '10', '99')",
            "UPDATE org_billing_reservations SET outcome = NULL",
            "UPDATE org_billing_reservations SET outcome = 'released' WHERE key = 'b'",
            "UPDATE OR REPLACE org_billing_reservations SET key = 'a'",
            "DELETE FROM org_billing_reservations",
            "REPLACE INTO org_billing_reservations SELECT * FROM org_billing_reservations",
        ],
    )
    def test_reservations_cannot_be_changed_or_removed(self, path: Path, sql: str) -> None:
        with SqliteRepository(path) as repository:
            for key in ("a", "b"):
                repository.put_reservation(evolve(RESERVED, key=key))
            repository.commit_reservation("org-1", "b", at=NOW)
            reservations = repository.reservations("org-1")
            with pytest.raises(StorageError, match="append-only, and end once"):
                repository._database.rows(sql)
            assert repository.reservations("org-1") == reservations

    def test_a_budget_under_another_id_than_its_own_is_damage(self, path: Path) -> None:
        with SqliteRepository(path) as repository:
            repository.put_budget("org-1", Budget(5, metric="tokens"))
            repository._database.rows(
                "INSERT INTO org_billing_budgets"
                " SELECT 2, org_id, 'b', budget, put_at FROM org_billing_budgets"
            )
            with pytest.raises(StorageCorrupt, match="must be that of the budget, 'tokens-units'"):
                repository.budgets("org-1")

    def test_an_alert_under_another_id_than_its_own_is_damage(self, path: Path) -> None:
        with SqliteRepository(path) as repository:
            repository.put_alert(ALERT, put_at=NOW)
            repository._database.rows(
                "INSERT INTO org_billing_alerts"
                " SELECT 2, org_id, 'b', version, alert, put_at FROM org_billing_alerts"
            )
            with pytest.raises(StorageCorrupt, match="must be that of the alert, 'a-1', "):
                repository.alert_definitions()

    @pytest.mark.parametrize(("org_id", "key"), [("org-2", fired().key), ("org-1", "b")])
    def test_an_alert_that_fired_under_another_key_than_its_own_is_damage(
        self, path: Path, org_id: str, key: str
    ) -> None:
        with SqliteRepository(path) as repository:
            repository.add_alerts([fired()])
            repository._database.rows(
                "INSERT INTO org_billing_fired_alerts SELECT 2, ?, billing_period_start,"
                " billing_period_end, ?, fired FROM org_billing_fired_alerts",
                (org_id, key),
            )
            with pytest.raises(StorageCorrupt, match="must be that of the alert, "):
                repository.fired_alerts(org_id)

    @pytest.mark.parametrize(
        ("table", "column", "problem"),
        [
            ("overages", "cost", "overage records are append-only"),
            ("chain_heads", "id", "a chain of records only grows"),
            ("usage_events", "quantity", "usage events are append-only"),
            ("grants", "grant_json", "grants are append-only, and voided once"),
            ("budgets", "budget", "budgets are append-only"),
            ("alerts", "alert", "alerts are append-only"),
            ("fired_alerts", "fired", "alerts that fired are append-only"),
            ("alert_acknowledgements", "acknowledged_at", "acknowledgements are append-only"),
            ("reservations", "units", "reservations are append-only, and end once"),
            ("plans", "plan", "a version of a plan never changes"),
            ("plan_starts", "version", "when a version of a plan came into force never changes"),
            ("usage_withdrawals", "withdrawn_at", "withdrawals of events are append-only"),
            ("usage_puts", "used", "usage that was put is append-only"),
            ("accounts", "entry", "an entry of an account never changes"),
            ("closings", "balance", "closings are append-only"),
            ("metrics", "metric", "metrics are append-only"),
            ("usage_batches", "digest", "batches are append-only"),
            ("usage_batch_events", "last", "the events of a batch only grow"),
            ("outbox", "request", "what may have been sent must not be forgotten"),
        ],
    )
    def test_no_connection_can_change_or_remove_or_replace_what_is_there(
        self, host: sqlite3.Connection, table: str, column: str, problem: str
    ) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        repository.add_events([UsageEvent("org-1", "tokens", 1, NOW, "1")], batch="a")
        repository.put_batch("a", "digest", 1, NOW)
        repository.put_metric(Metric("peak", "max"))
        repository.withdraw("org-1", "1", withdrawn_at=NOW)
        repository.put_usage(Usage("org-1", FEB, {"tokens": 5}))
        repository.put_plan(PLAN)
        repository.record(owed(5), created_at=NOW)
        repository.put_grant("org-1", Grant("a", 5, metric="tokens", effective_at=NOW))
        repository.put_budget("org-1", Budget(5, metric="tokens"))
        repository.put_alert(ALERT, put_at=NOW)
        repository.add_alerts([fired()])
        repository.acknowledge_alert("org-1", fired().key, acknowledged_at=NOW)
        repository.put_reservation(RESERVED)
        close(repository, owed(5))
        repository.put_account(Account("org-1", "p", since=NOW).changed(since=NOW, plan="q"))
        entry = ("org-1", "stripe", "a", "{}", "2024-03-01T00:00:00Z", 1, "open", None)
        host.execute("INSERT INTO org_billing_outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entry)
        before = list(host.iterdump())
        ours = f"org_billing_{table}"
        statements = [
            f"DELETE FROM {ours}",
            f"REPLACE INTO {ours} SELECT * FROM {ours}",
            f"INSERT OR REPLACE INTO {ours} SELECT * FROM {ours}",
            f"INSERT INTO {ours} SELECT * FROM {ours} WHERE true"
            f" ON CONFLICT DO UPDATE SET {column} = '0'",
        ]
        if table != "outbox":  # of which an entry changes until it is delivered
            statements += [
                f"UPDATE {ours} SET {column} = '0'",
                f"UPDATE OR REPLACE {ours} SET {column} = '0'",
            ]
        for sql in statements:
            with pytest.raises(sqlite3.IntegrityError, match=problem):
                host.execute(sql)
        assert list(host.iterdump()) == before

    def test_an_event_is_not_replaced_by_one_of_its_number_either(
        self, host: sqlite3.Connection
    ) -> None:
        repository = SqliteRepository.join(host)
        host.execute("BEGIN")
        repository.add_events([UsageEvent("org-1", "tokens", 1, NOW, "1")])
        columns = "metric_type, quantity, at, counts_at, dimensions"
        with pytest.raises(sqlite3.IntegrityError, match="usage events are append-only"):
            host.execute(
                f"REPLACE INTO org_billing_usage_events (number, org_id, event_id, {columns})"
                f" SELECT number, org_id, 'another', {columns} FROM org_billing_usage_events"
            )
        assert [event.id for event in repository.events("org-1", MARCH)] == ["1"]
