"""``overages status``: which periods are closed, have ended, run, or come to something else."""

import pytest
from tests.desk import NearDesk

from overages.adapters.sqlite import SqliteRepository

STATUS = ("status", "--db", "b.db")


@pytest.fixture(autouse=True)
def usage(desk: NearDesk) -> None:
    desk.usage(
        "u.csv", "acme,tokens,350,2024-02-10T00:00:00Z", "bolt,tokens,101,2024-02-11T00:00:00Z"
    )
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    desk.done("ingest", "u.csv", "--db", "b.db")


def test_each_org_has_a_row(desk: NearDesk) -> None:
    desk.done("close", "--db", "b.db", "--until", "2024-02-01")
    desk.done("close", "--db", "b.db", "--until", "2024-03-01", "--org", "bolt")
    assert desk.run(*STATUS, "--until", "2024-03-10") == (
        0,
        "org   closed  ended  stale  running       so far\n"
        "acme       1      1      0  March 2024  0.00 USD\n"
        "bolt       2      0      0  March 2024  0.00 USD\n",
        "",
    )


def test_what_has_come_together_so_far_is_shown(desk: NearDesk) -> None:
    ran = desk.run(*STATUS, "--until", "2024-02-20", "--org", "acme")
    assert ran.out.splitlines()[1:] == ["acme       0      1      0  February 2024  2.50 USD"]


def test_before_and_after_its_terms_an_org_has_no_period(desk: NearDesk) -> None:
    end = '[[accounts.bolt.changes]]\nsince = 2024-03-01T00:00:00Z\nkind = "end"\n'
    desk.write("plans.toml", (desk.folder / "plans.toml").read_text() + end)
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    ran = desk.run(*STATUS, "--until", "2024-04-10", "--org", "bolt")
    assert ran.out.splitlines()[1].split() == ["bolt", "0", "2", "0", "none"]
    ran = desk.run(*STATUS, "--until", "2023-12-01", "--org", "bolt")
    assert ran.out.splitlines()[1].split() == ["bolt", "0", "0", "0", "none"]


def test_a_closed_period_that_comes_to_something_else_waits_for_a_decision(desk: NearDesk) -> None:
    desk.done("close", "--db", "b.db", "--until", "2024-03-01")
    desk.run("withdraw", "--db", "b.db", "--org", "acme", *ids(desk))
    status, out, _ = desk.run(*STATUS, "--until", "2024-03-01")
    assert status == 5
    assert out.splitlines()[3:] == [
        "acme, February 2024, closed: recording it anew would add -2.50 USD"
    ]


def ids(desk: NearDesk) -> list[str]:
    events = desk.done("export", "events", "--db", "b.db", "--org", "acme")
    return [line.rpartition(",")[2] for line in events.splitlines()[1:]]


def test_a_period_that_cannot_be_worked_out_is_named(desk: NearDesk) -> None:
    desk.usage("v.csv", "acme,tokens,-900,2024-02-10T00:00:00Z")
    desk.done("ingest", "v.csv", "--db", "b.db")
    ran = desk.run(*STATUS, "--until", "2024-02-20")
    assert ran.status == 5
    assert ran.out.splitlines()[1].split()[-3:] == ["February", "2024", "unknown"]
    assert ran.out.splitlines()[3] == (
        "acme, February 2024, open: can't be worked out: acme, 2024-02-01 to 2024-03-01 UTC:"
        " quantities.tokens: must not be negative, got -550"
    )


def test_nothing_is_said_of_nothing(desk: NearDesk) -> None:
    desk.done("migrate", "--db", "c.db")
    assert desk.run("status", "--db", "c.db") == (3, "", "c.db: has no orgs\n")
    assert desk.run(*STATUS, "--org", "bold") == (
        3,
        "",
        "b.db: there is no org 'bold' (did you mean 'bolt'?)\n",
    )


def test_an_org_of_which_only_records_are_there_has_closed_periods(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.done("close", "--db", "b.db", "--until", "2024-03-01")
    monkeypatch.setattr(SqliteRepository, "account", lambda *_: None)
    ran = desk.run(*STATUS, "--org", "acme", "--until", "2024-03-01")
    assert ran.out.splitlines()[1].split() == ["acme", "2", "0", "0", "none"]
