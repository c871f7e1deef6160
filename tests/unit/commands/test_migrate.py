"""``overages migrate``: a database made ready."""

from pathlib import Path

import pytest
from tests.desk import NearDesk

from overages.adapters.sqlite.migrations import LATEST


def test_a_database_can_be_made_ready_before(desk: NearDesk) -> None:
    for _ in range(2):
        assert desk.run("migrate", "--db", "b.db") == (0, f"b.db: schema {LATEST}\n", "")
    verified = "b.db: records and closings: 0, all as recorded\n"
    assert desk.run("verify", "--db", "b.db").out == verified


def test_the_sql_is_printed_and_nothing_runs(desk: NearDesk) -> None:
    before = desk.content()
    status, sql, err = desk.run("migrate", "--db", "b.db", "--sql")
    assert (status, err) == (0, "")
    assert "CREATE TABLE org_billing_overages" in sql
    assert desk.content() == before
    desk.done("migrate", "--db", "b.db")
    before = desk.content()
    assert desk.run("migrate", "--db", "b.db", "--sql").out == ""  # for nothing is left to do
    assert "DROP TABLE" in desk.run("migrate", "--db", "b.db", "--sql", "--back").out
    assert desk.content() == before


def test_a_step_is_taken_back_where_nothing_recorded_would_be_lost(desk: NearDesk) -> None:
    desk.done("migrate", "--db", "b.db")
    assert desk.run("migrate", "--db", "b.db", "--back") == (
        0,
        f"b.db: schema {LATEST - 1}\n",
        "",
    )
    assert desk.run("migrate", "--db", "b.db").out == f"b.db: schema {LATEST}\n"
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    before = desk.content()
    status, out, err = desk.run("migrate", "--db", "b.db", "--back")
    assert (status, out) == (1, "")
    assert err.startswith("b.db: ")
    assert desk.content() == before


def test_a_folder_that_is_missing_is_named(desk: NearDesk) -> None:
    path = str(Path("none", "b.db"))
    ran = desk.run("migrate", "--db", path)
    assert ran == (1, "", f"{path}: there is no such folder\n")


@pytest.mark.parametrize("name", [":memory:", "file:x.db?mode=memory"])
def test_a_database_is_a_file_whatever_its_name(desk: NearDesk, name: str) -> None:
    """SQLite takes these for no file at all: then a bill would be said to be recorded, and gone."""
    desk.usage("u.csv", "acme,tokens,300,2024-02-10T00:00:00Z")
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    for new in (1, 0):
        ran = desk.run("close", "--db", name, *files, "--until", "2024-03-01")
        assert f"new events: {new}\n" in ran.out
    assert (desk.folder / name).is_file()


def test_a_database_of_someone_else_is_refused_and_left(desk: NearDesk) -> None:
    desk.write("b.db", b"no database" * 100)
    before = desk.content()
    status, out, err = desk.run("migrate", "--db", "b.db")
    assert (status, out) == (1, "")
    assert err.startswith("b.db: ")
    assert desk.content() == before
