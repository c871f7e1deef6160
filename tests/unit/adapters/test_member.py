"""The view of a member: one org's records, and nothing else, whatever is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from overages import Allowance, Budget, Cycle, Grant, Money, Period, PerUnit, Plan, Usage, calculate
from overages._ground.value import evolve
from overages.adapters.sqlite import MemberView, SqliteRepository
from overages.errors import (
    AccessDenied,
    InvalidType,
    InvalidValue,
    QueryTooLarge,
    QueryTooSlow,
    StorageCorrupt,
    StorageError,
)
from overages.testing.contract.base import RESERVED, fired

FEBRUARY, MARCH = Period.month(2024, 2), Period.month(2024, 3)
NOW = datetime(2024, 4, 1, tzinfo=UTC)
PLAN = Plan("p", "USD", {"tokens": Allowance(100, PerUnit("0.01"))})
OURS, THEIRS = "it's; --", "org-2"
GRANTS = (
    Grant("top-up", Money.of("5.00", "USD"), effective_at=NOW),
    Grant("monthly", 100, metric="tokens", effective_at=NOW, recurrence=Cycle(NOW)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "overages.db"
    with SqliteRepository(path) as repository:
        for org_id in (OURS, THEIRS):
            for period, used in ((FEBRUARY, 300), (MARCH, 200)):
                statement = calculate(PLAN, Usage(org_id, period, {"tokens": used}))
                repository.record(statement, created_at=NOW)
            for i, grant in enumerate(GRANTS):
                repository.put_grant(org_id, evolve(grant, priority=i))
            entries = [fired(org_id=org_id), fired("cleared", 2, org_id=org_id)]
            repository.add_alerts(entries)
            repository.acknowledge_alert(org_id, entries[0].key, acknowledged_at=NOW)
    return path


@pytest.fixture
def view(path: Path) -> Iterator[MemberView]:
    with MemberView(path, OURS) as view:
        yield view


def test_a_member_reads_the_records_of_the_org(view: MemberView, path: Path) -> None:
    with SqliteRepository.read_only(path) as repository:
        assert view.records() == repository.records(OURS)
        assert view.records(MARCH) == repository.records(OURS, MARCH)
        assert view.summary() == repository.summary(OURS)
        assert view.summary(FEBRUARY) == repository.summary(OURS, FEBRUARY)


def test_a_member_reads_the_alerts_of_the_org_newest_first(view: MemberView) -> None:
    assert view.alerts() == (fired("cleared", 2, org_id=OURS), fired(org_id=OURS))
    for table in ("org_billing_fired_alerts", "org_billing_alert_acknowledgements"):
        assert view.query(f"SELECT DISTINCT org_id FROM {table}") == [(OURS,)]


def test_a_member_reads_the_budgets_and_reservations_of_the_org(path: Path) -> None:
    with SqliteRepository(path) as repository:
        for org_id in (OURS, THEIRS):
            for budget in (Budget(9, metric="runs"), Budget(5, metric="tokens", id="b")):
                repository.put_budget(org_id, budget)
            repository.put_budget(org_id, Budget(Money(5, "USD")))
            repository.drop_budget(org_id, "all")
            for key in ("r-2", "r-1"):
                repository.put_reservation(evolve(RESERVED, org_id=org_id, key=key))
        with MemberView(path, OURS) as view:
            assert view.budgets() == repository.budgets(OURS)
            assert view.reservations() == repository.reservations(OURS)
            assert [each.key for each in view.reservations()] == ["r-1", "r-2"]
            for table in ("budgets", "reservations"):
                rows = view.query(f"SELECT DISTINCT org_id FROM org_billing_{table}")
                assert rows == [(OURS,)]
                with pytest.raises(AccessDenied):
                    view.query(f"SELECT * FROM main.org_billing_{table}")


def test_a_member_reads_the_grants_of_the_org(view: MemberView, path: Path) -> None:
    with SqliteRepository.read_only(path) as repository:
        assert view.grants() == repository.grants(OURS)
    assert [grant.id for grant in view.grants()] == ["top-up", "monthly"]
    assert view.query("SELECT DISTINCT org_id FROM org_billing_grants") == [(OURS,)]


def test_an_org_without_records_has_no_summary(path: Path) -> None:
    with MemberView(path, "org-3") as view:
        assert (view.records(), view.summary(), view.grants()) == ((), None, ())


def test_a_query_sees_the_table_as_if_it_were_the_orgs(view: MemberView) -> None:
    assert view.query("SELECT count(*), count(DISTINCT org_id) FROM org_billing_overages") == [
        (2, 1)
    ]
    sql = "SELECT amount FROM org_billing_overages WHERE billing_period_start >= ?"
    assert view.query(sql, ("2024-03",)) == [("100",)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM main.org_billing_overages",
        "SELECT o.cost FROM main.org_billing_overages AS o",
        "WITH org_billing_overages AS (SELECT * FROM main.org_billing_overages)"
        " SELECT * FROM org_billing_overages",
        "SELECT * FROM (SELECT * FROM main.org_billing_overages) AS org_billing_overages",
        "SELECT (SELECT max(cost) FROM main.org_billing_overages) FROM org_billing_overages",
        "SELECT * FROM org_billing_overages UNION ALL SELECT * FROM main.org_billing_overages",
        "SELECT * FROM main.org_billing_grants",
        "SELECT * FROM org_billing_alerts",
        "SELECT * FROM main.org_billing_fired_alerts",
        "SELECT * FROM main.org_billing_alert_acknowledgements",
        "SELECT (SELECT max(grant_json) FROM main.org_billing_grants) FROM org_billing_overages",
        "SELECT * FROM (SELECT * FROM main.org_billing_grants) AS org_billing_overages",
        "SELECT * FROM org_billing_usage_monthly",
        "SELECT * FROM org_billing_chain_heads",
        "SELECT * FROM org_billing_accounts",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM sqlite_temp_schema",
        "PRAGMA user_version",
        "PRAGMA query_only = OFF",
        "ATTACH 'other.db' AS other",
        "BEGIN IMMEDIATE",
        "DROP VIEW org_billing_overages",
        "CREATE TEMP TABLE t (x)",
        "CREATE TEMP VIEW v AS SELECT * FROM main.org_billing_overages",
        "INSERT INTO org_billing_accounts VALUES ('a', 'b')",
        "UPDATE main.org_billing_overages SET cost = '0'",
        "DELETE FROM main.org_billing_overages",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    ],
)
def test_everything_else_is_denied(view: MemberView, sql: str) -> None:
    with pytest.raises(AccessDenied):
        view.query(sql)
    assert len(view.records()) == 2


def test_a_table_that_a_function_makes_is_denied(view: MemberView) -> None:
    with pytest.raises(StorageError, match="not authorized"):
        view.query("SELECT * FROM pragma_table_info('org_billing_overages')")


def test_what_is_no_query_is_an_error_of_the_storage(view: MemberView) -> None:
    with pytest.raises(StorageError, match="SELEKT"):
        view.query("SELEKT 1")


ENDLESS = "SELECT count(*) FROM " + ", ".join(f"org_billing_overages AS o{i}" for i in range(50))


def test_a_query_that_takes_too_long_is_stopped(
    view: MemberView, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = chain([10.0, 11.5], repeat(12.1))
    monkeypatch.setattr("overages.adapters.sqlite.guest.monotonic", lambda: next(clock))
    with pytest.raises(QueryTooSlow, match=r"^the query took longer than 2 s$"):
        view.query(ENDLESS)
    assert len(view.records()) == 2


def test_a_query_within_its_time_goes_on_to_its_end_or_its_own_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = chain([10.0], repeat(12.1))
    monkeypatch.setattr("overages.adapters.sqlite.guest.monotonic", lambda: next(clock))
    many = ", ".join(f"org_billing_overages AS o{i}" for i in range(10))
    with MemberView(path, OURS, time_limit=3) as view:
        assert view.query(f"SELECT count(*) FROM {many}") == [(2**10,)]
        with pytest.raises(AccessDenied):
            view.query("SELECT * FROM org_billing_accounts")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(zeroblob(70000))",
        "SELECT replace(hex(zeroblob(30000)), '0', 'xx')",
        "SELECT 'a' LIKE printf('%.*c', 201, '%')",
    ],
)
def test_no_single_step_of_a_query_can_take_long(view: MemberView, sql: str) -> None:
    with pytest.raises(StorageError, match=r"too (big|complex)"):
        view.query(sql)


MANY = "SELECT 'ab' FROM org_billing_overages, " + ", ".join(
    f"org_billing_overages o{i}" for i in "12"
)


def test_a_query_that_has_too_many_rows_is_stopped(path: Path) -> None:
    with MemberView(path, OURS, row_limit=8) as view:
        assert view.query(MANY) == [("ab",)] * 8
    with MemberView(path, OURS, row_limit=7) as view:
        with pytest.raises(QueryTooLarge, match=r"^the query has more than 7 rows$"):
            view.query(MANY)
        assert len(view.records()) == 2


def test_a_query_whose_rows_take_too_much_room_is_stopped(path: Path) -> None:
    large = "SELECT printf('%.*c', 5000, 'x') FROM org_billing_overages"
    with MemberView(path, OURS, byte_limit=12_000) as view:
        assert [len(text) for (text,) in view.query(large)] == [5000, 5000]
    problem = r"^the query's rows take more than 10,000 bytes$"
    with (
        MemberView(path, OURS, byte_limit=10_000) as view,
        pytest.raises(QueryTooLarge, match=problem),
    ):
        view.query(large)


def test_the_records_and_grants_of_an_org_are_shown_however_many(path: Path) -> None:
    with MemberView(path, OURS, row_limit=1, byte_limit=1) as view:
        assert (len(view.records()), len(view.grants())) == (2, 2)


@pytest.mark.parametrize(
    ("sql", "parameters", "kind", "problem"),
    [
        ("SELECT '\ud800'", (), InvalidValue, "sql: must be UTF-8, got "),
        (b"SELECT 1", (), InvalidType, "sql: must be of type str, got b'SELECT 1'"),
        ("SELECT ?", ("\ud800",), InvalidValue, r"parameters\[0\]: must be UTF-8, got "),
        ("SELECT ?, ?", (1, 2**63), InvalidValue, r"parameters\[1\]: must have at most 64 bits, "),
        ("SELECT ?", (-(2**63) - 1,), InvalidValue, r"parameters\[0\]: must have at most 64 "),
        ("SELECT ?", (NOW,), InvalidType, r"parameters\[0\]: must be a text, a number, bytes"),
        ("SELECT ?", 5, InvalidType, "parameters: "),
        ("SELECT ?", (), StorageError, "SQLite: Incorrect number of bindings supplied"),
        ("SELECT 1; SELECT 2", (), StorageError, "SQLite: You can only execute one statement"),
        ("SELECT \0", (), StorageError, "SQLite: the query contains a null character"),
        ("SELECT " + "1," * 40_000 + "1", (), StorageError, "SQLite: query string is too large"),
        ("SELECT " + "1," * 100 + "1", (), StorageError, "SQLite: too many columns"),
        ("SELECT CAST(x'ff' AS TEXT)", (), StorageError, "the query's result has a text"),
    ],
)  # fmt: skip
def test_a_hostile_query_is_refused_in_the_right_words(
    view: MemberView, sql: Any, parameters: Any, kind: type[Exception], problem: str
) -> None:
    with pytest.raises(kind, match=f"^{problem}") as caught:
        view.query(sql, parameters)
    assert not isinstance(caught.value, StorageCorrupt)


def test_parameters_may_be_all_that_sqlite_takes(view: MemberView) -> None:
    values = (None, 2**63 - 1, -(2**63), 0.5, "é", b"\xff")
    assert view.query("SELECT ?, ?, ?, ?, ?, ?", values) == [values]


def test_a_query_of_a_damaged_database_says_so(path: Path) -> None:
    with MemberView(path, OURS) as view:
        data = bytearray(path.read_bytes())
        for page in range(4096, len(data), 4096):
            data[page : page + 4096] = b"\xff" * 4096
        path.write_bytes(data)
        with pytest.raises(StorageCorrupt):
            view.query("SELECT * FROM org_billing_overages")


@pytest.mark.parametrize("name", ["row_limit", "byte_limit"])
def test_a_limit_of_rows_or_bytes_is_at_least_one(path: Path, name: str) -> None:
    limits: Any = {name: 0}
    with pytest.raises(InvalidValue, match=f"^{name}: must be from 1 to "):
        MemberView(path, OURS, **limits)


@pytest.mark.parametrize("limit", [0, 61])
def test_a_time_limit_is_some_seconds(path: Path, limit: int) -> None:
    with pytest.raises(InvalidValue, match=f"^time_limit: must be from 1 to 60, got {limit}$"):
        MemberView(path, OURS, time_limit=limit)


def test_a_bad_org_is_refused(path: Path) -> None:
    with pytest.raises(InvalidValue, match="org_id: must not be empty"):
        MemberView(path, "")
