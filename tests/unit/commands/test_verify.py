"""``overages verify``: whether records, closings and sums are as they were."""

import sqlite3

import pytest
from tests.desk import NearDesk


@pytest.fixture(autouse=True)
def bills(desk: NearDesk) -> None:
    desk.usage(
        "u.csv", "acme,tokens,300,2024-02-10T00:00:00Z", "bolt,tokens,50,2024-02-11T00:00:00Z"
    )
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    desk.done("close", "--db", "b.db", *files, "--until", "2024-03-01")


def alter(desk: NearDesk, table: str, change: str) -> None:
    connection = sqlite3.connect(desk.folder / "b.db")
    connection.execute(f"DROP TRIGGER org_billing_{table}_no_update")
    connection.execute(f"UPDATE org_billing_{table} SET {change} WHERE org_id = 'acme'")
    connection.commit()
    connection.close()


def test_all_is_counted(desk: NearDesk) -> None:
    verified = "b.db: records and closings: {}, all as recorded\n"
    assert desk.run("verify", "--db", "b.db") == (0, verified.format(5), "")
    assert desk.run("verify", "--db", "b.db", "--org", "bolt") == (0, verified.format(2), "")


def test_records_that_were_altered_are_named(desk: NearDesk) -> None:
    alter(desk, "overages", "cost = '3.00'")
    assert desk.run("verify", "--db", "b.db") == (
        1,
        "",
        "b.db: acme: record 2 is not what was recorded\n",
    )
    assert desk.run("verify", "--db", "b.db", "--org", "bolt").status == 0


def test_usage_that_was_altered_is_named(desk: NearDesk) -> None:
    alter(desk, "usage_events", "quantity = '2'")
    status, out, err = desk.run("verify", "--db", "b.db")
    assert (status, out) == (1, "")
    assert err.startswith("b.db: acme, ")


def test_an_org_that_is_not_there_is_named(desk: NearDesk) -> None:
    assert desk.run("verify", "--db", "b.db", "--org", "bold") == (
        3,
        "",
        "b.db: there is no org 'bold' (did you mean 'bolt'?)\n",
    )
