"""Usage files of another layout, as ``[usage]`` in a file of plans says it, by each command."""

import pytest
from tests.desk import NearDesk

LAYOUT = """
[usage]
separator = ";"
timezone = "Europe/Paris"
columns = { org_id = "team", timestamp = "when" }
metrics = { tokens = "used" }
extra = "ignore"
"""
FILE = "team;when;used;note\nacme;2024-02-10;350;x\nacme;2024-03-01;100;\nbolt;2024-02-11;;\n"


@pytest.fixture(autouse=True)
def layout(desk: NearDesk) -> None:
    desk.write("plans.toml", (desk.folder / "plans.toml").read_text() + LAYOUT)
    desk.write("u.csv", FILE)


def test_usage_is_put_by_the_layout_of_a_file(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    ran = desk.run("ingest", "u.csv", "--db", "b.db", "--layout", "plans.toml")
    assert ran == (0, "b.db: rows: 2, new events: 2\n", "")
    desk.done("close", "--db", "b.db", "--until", "2024-03-01")
    assert desk.bills() == {"acme 2024-02-01": "3.50"}  # 1 March in Paris begins in February, UTC


def test_usage_is_closed_and_rated_by_the_layout_of_its_plans(desk: NearDesk) -> None:
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    desk.done("close", "--db", "b.db", *files, "--until", "2024-03-01")
    assert desk.bills() == {"acme 2024-02-01": "3.50"}
    assert "statements, 3.50 USD" in desk.done("rate", *files, "--period", "2024-02")


def test_a_fault_is_named_by_the_column_of_the_file(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    desk.write("u.csv", FILE.replace("acme;2024-02-10", "acme;2023-02-10").replace("100", "x"))
    status, _, err = desk.run("ingest", "u.csv", "--db", "b.db", "--layout", "plans.toml")
    assert status == 1
    assert "u.csv:2: acme: when: must be when the org has terms" in err
    assert "u.csv:3: used: must be a plain decimal number" in err


def test_a_file_of_another_layout_than_is_said_is_named(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    status, _, err = desk.run("ingest", "u.csv", "--db", "b.db")
    assert (status, len(err.splitlines())) == (1, 1)
    assert "separator" in err
