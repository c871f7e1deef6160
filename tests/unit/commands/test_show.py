"""``overages show``: the records in a database, by org and period."""

import pytest
from tests.desk import NearDesk

from overages.adapters.sqlite import SqliteRepository


@pytest.fixture(autouse=True)
def bills(desk: NearDesk) -> None:
    desk.usage(
        "u.csv",
        "acme,tokens,350,2024-02-10T00:00:00Z",
        "acme,tokens,300,2024-03-10T00:00:00Z",
        "bolt,tokens,101,2024-02-11T00:00:00Z",
    )
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    desk.done("close", "--db", "b.db", *files, "--until", "2024-04-01")


SHOW = ("show", "--db", "b.db")


def test_records_are_shown_by_org_and_period(desk: NearDesk) -> None:
    status, out, err = desk.run(*SHOW)
    assert (status, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("Records")] == [
        "Records of acme, February 2024",
        "Records of acme, March 2024",
        "Records of bolt, February 2024",
    ]
    assert out.endswith("\n\n3 records, 4.51 USD\n")


def test_corrections_are_records_of_their_own(desk: NearDesk) -> None:
    desk.usage("late.csv", "acme,tokens,-10,2024-02-10T00:00:00Z")
    desk.run("ingest", "late.csv", "--db", "b.db")
    desk.done("close", "--db", "b.db", "--until", "2024-04-01", "--force")
    assert desk.run(*SHOW, "--org", "acme", "--period", "2024-02").out == (
        "Records of acme, February 2024\n\n"
        "revision  metric  over  unit price  exact       cost\n"
        "1         tokens   250        0.01    2.5   2.50 USD\n"
        "2         tokens   -10        0.01   -0.1  -0.10 USD\n"
        "total                                       2.40 USD\n\n"
        "2 records, 2.40 USD\n"
    )


def test_one_period_is_shown_alone(desk: NearDesk) -> None:
    out = desk.run(*SHOW, "--period", "2024-03").out
    assert out.startswith("Records of acme, March 2024\n")
    assert out.endswith("\n\n1 record, 2.00 USD\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--period", "2020-01"), "b.db: nothing is recorded of that\n"),
        (("--org", "bolt", "--period", "2024-03"), "b.db: nothing is recorded of that\n"),
        (("--org", "bold"), "b.db: there is no org 'bold' (did you mean 'bolt'?)\n"),
        (("--org", "someone"), "b.db: there is no org 'someone'\n"),
    ],
)
def test_what_is_not_there_is_said(desk: NearDesk, options: tuple[str, ...], said: str) -> None:
    assert desk.run(*SHOW, *options) == (3, "", said)


def test_a_time_that_cuts_a_period_is_refused(desk: NearDesk) -> None:
    status, out, err = desk.run(*SHOW, "--org", "acme", "--period", "2024-02-15/2024-03-15")
    assert (status, out) == (1, "")
    assert err.startswith("--period: acme: period: must be one of the org's own, 2024-02-01")


def test_an_org_of_which_only_records_are_there_is_shown(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteRepository, "account", lambda *_: None)
    shown = desk.run(*SHOW, "--org", "acme")
    assert shown.status == 0
    assert shown.out.endswith("2 records, 4.50 USD\n")
    named = desk.run(*SHOW, "--org", "acme", "--period", "2024-02")
    assert named.status == 3  # without an account it has no periods


def test_a_period_that_is_not_closed_says_so(desk: NearDesk) -> None:
    desk.usage("v.csv", "acme,tokens,300,2024-04-10T00:00:00Z")
    desk.done("ingest", "v.csv", "--db", "b.db")
    desk.done("close", "--db", "b.db", "--until", "2024-04-20")
    out = desk.run(*SHOW, "--period", "2024-04").out
    assert out.startswith("Records of acme, April 2024, not closed yet\n")


def test_an_org_of_which_a_time_cuts_a_period_is_left_out(desk: NearDesk) -> None:
    desk.write(
        "more.toml",
        '[accounts.middle]\nplan = "p"\nsince = 2024-01-15T00:00:00Z\n'
        "cycle = { anchor = 2024-01-15T00:00:00Z }\n",
    )
    desk.done("apply", "--plans", "more.toml", "--db", "b.db")
    status, out, err = desk.run(*SHOW, "--period", "2024-03")
    assert (status, out.count("Records of")) == (0, 1)
    assert err.endswith(": left out; --org middle and one of its own names it\n")


@pytest.mark.parametrize("command", ["show", "verify", "status", "export records", "explain"])
def test_what_only_reads_makes_no_database(desk: NearDesk, command: str) -> None:
    before = desk.content()
    org = ["--org", "acme"] if command == "explain" else []
    ran = desk.run(*command.split(), "--db", "none.db", *org)
    assert ran[1:] == ("", "none.db: there is no such file\n")
    assert ran.status == 3
    assert desk.content() == before


@pytest.mark.parametrize("command", ["show", "verify", "status", "export records"])
def test_what_is_no_name_of_an_org_is_a_wrong_argument(desk: NearDesk, command: str) -> None:
    status, out, err = desk.run(*command.split(), "--db", "b.db", "--org", " a")
    assert (status, out) == (2, "")
    assert "argument --org: name: must not have a space at an end" in err
