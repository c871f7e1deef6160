"""``overages close``, ``show``, ``verify`` and ``migrate``, as they are called."""

import os
import signal
import sqlite3
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.faults.children import finish, start

from overages import Period, Terms
from overages.__main__ import main
from overages.adapters.sqlite import SqliteRepository

PLANS = """
default_plan = "p"
[plans.p]
currency = "USD"
allowances.tokens = { included = 100, price = { model = "per_unit", price = "0.01" } }
"""
DEARER = PLANS.replace("0.01", "0.02")
HEADER = "org_id,metric,quantity,timestamp,event_id\n"
SINCE = '[accounts.{}]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
ROWS = "a,tokens,350,2024-02-10T00:00:00Z,1\nb,tokens,101,2024-02-11T00:00:00Z,1\n"
FEBRUARY = Period.month(2024, 2)
AT = "2024-03-01T09:00:00Z"


class Desk:
    """A folder with plans, usage and a database, and what commands make of them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.db = folder / "overages.db"
        self.capsys = capsys
        self.write("plans.toml", PLANS)
        self.usage(ROWS)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def usage(self, rows: str) -> None:
        self.write("usage.csv", HEADER + rows)

    def run(self, command: str, *options: str) -> tuple[int, str, str]:
        files = ["--db", str(self.db)]
        if command == "close":
            files += ["--plans", str(self.folder / "plans.toml")]
            files += ["--usage", str(self.folder / "usage.csv")]
        status = main([command, *files, *options])
        printed = self.capsys.readouterr()
        here = f"{self.folder}{os.sep}"
        return status, printed.out.replace(here, ""), printed.err.replace(here, "")

    def rows(self) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.db)
        try:
            return connection.execute("SELECT * FROM org_billing_overages").fetchall()
        finally:
            connection.close()


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_a_month_is_closed_once_however_often_it_is_run(desk: Desk) -> None:
    first = desk.run("close")
    assert first == (0, "overages.db: 2 statements, 2.51 USD; new records: 2\n", "")
    rows = desk.rows()
    again = desk.run("close")
    assert again == (0, "overages.db: 2 statements, 2.51 USD; new records: 0\n", "")
    assert desk.rows() == rows


@pytest.mark.parametrize("options", [["--created-at", "2024-02-20T00:00:00Z"], ["--force"]])
def test_what_has_changed_since_is_corrected(desk: Desk, options: list[str]) -> None:
    """A period that still runs always is, and a closed one by force."""
    desk.run("close", *options)
    desk.usage(ROWS.replace("350", "340"))
    assert desk.run("close", *options)[1] == (
        "overages.db: 2 statements, 2.41 USD; new records: 1\n"
    )
    assert desk.run("show", "--org", "a")[1] == (
        "Records of a, 2024-02-01 to 2024-03-01 UTC\n\n"
        "revision  metric  over  unit price  exact       cost\n"
        "1         tokens   250        0.01    2.5   2.50 USD\n"
        "2         tokens   -10        0.01   -0.1  -0.10 USD\n"
        "total                                       2.40 USD\n\n"
        "2 records, 2.40 USD\n"
    )


def test_a_changed_plan_is_in_force_from_the_period_that_it_is_closed_with(desk: Desk) -> None:
    desk.run("close")
    desk.write("plans.toml", DEARER)
    desk.usage("a,tokens,350,2024-03-10T00:00:00Z,2\n")
    desk.run("close")
    with SqliteRepository.read_only(desk.db) as repository:
        summaries = [repository.summary("a", Period.month(2024, month)) for month in (2, 3)]
        assert [summary and summary.total.minor for summary in summaries] == [250, 500]
        assert repository.plan("p", at=FEBRUARY.start) == repository.plan("p", version=1)
        assert repository.plan("p") == repository.plan("p", version=2)


def test_terms_and_usage_are_kept_with_the_records(desk: Desk) -> None:
    account = SINCE.format("a") + 'limits = { tokens = 200 }\nstatus = "trial"\n'
    desk.write("plans.toml", PLANS + account)
    desk.run("close")
    with SqliteRepository.read_only(desk.db) as repository:
        a, b = repository.account("a"), repository.account("b")
        assert a is not None
        assert b is not None
        assert (a.limits, a.status, b.plan) == ({"tokens": 200}, "trial", "p")
        assert repository.usage("a", FEBRUARY).quantities == {"tokens": 350}


def test_an_org_is_closed_by_its_own_cycle_or_by_months_of_the_timezone(desk: Desk) -> None:
    cycle = SINCE.format("a") + "cycle = { anchor = 2024-01-15T00:00:00Z }\n"
    desk.write("plans.toml", PLANS + cycle)
    assert desk.run("close", "--timezone", "Europe/Paris")[0] == 0
    out = desk.run("show")[1]
    assert "Records of a, 2024-01-15 to 2024-02-15 UTC" in out
    assert "Records of b, 2024-01-31 23:00:00 to 2024-02-29 23:00:00 UTC" in out


def test_an_account_without_usage_is_closed_for_its_own_periods(desk: Desk) -> None:
    flat = PLANS.replace('{ model = "per_unit", price = "0.01" }', "{ model = 'graduated',"
                         " tiers = [{ flat = 5 }], flat_at_zero = true }")  # fmt: skip
    idle = SINCE.format("idle") + "cycle = { anchor = 2024-01-15T00:00:00Z }\n"
    desk.write("plans.toml", flat + idle)
    desk.run("close")
    assert "Records of idle, 2024-01-15 to 2024-02-15 UTC" in desk.run("show")[1]


def test_a_period_that_has_ended_is_closed_and_one_that_runs_is_not(desk: Desk) -> None:
    desk.usage(ROWS + "a,tokens,300,2024-03-10T00:00:00Z,2\n")
    desk.run("close", "--created-at", "2024-03-15T00:00:00Z")
    with SqliteRepository.read_only(desk.db) as repository:
        assert list(repository.closed_periods("a")) == [FEBRUARY]
        assert repository.records("a", Period.month(2024, 3))
    desk.run("close", "--created-at", "2024-04-01T00:00:00Z")
    with SqliteRepository.read_only(desk.db) as repository:
        assert list(repository.closed_periods("a")) == [FEBRUARY, Period.month(2024, 3)]


def test_a_closed_period_changes_only_by_force(desk: Desk) -> None:
    desk.run("close", "--created-at", "2024-03-02T00:00:00Z")
    assert desk.run("close")[0] == 0  # for nothing has changed
    before = desk.db.read_bytes()
    desk.usage(ROWS.replace("350", "340").replace("101", "110"))
    status, out, err = desk.run("close")
    assert (status, out) == (1, "")
    assert err == "".join(
        f"overages.db: {org}, 2024-02-01 to 2024-03-01 UTC: is closed since"
        " 2024-03-02T00:00:00Z, and changes only by force\n"
        for org in "ab"
    )
    assert desk.db.read_bytes() == before
    assert desk.run("close", "--force")[1].endswith("new records: 2\n")


def test_of_an_org_with_a_fault_nothing_is_recorded_nor_of_any_other(desk: Desk) -> None:
    desk.usage(ROWS + "c,words,1,2024-02-11T00:00:00Z,1\n")
    status, out, err = desk.run("close")
    assert (status, out) == (1, "")
    assert err.startswith("usage.csv: c, 2024-02-01 to 2024-03-01 UTC: usage.quantities.words: ")
    assert desk.run("verify")[1] == "overages.db: records and closings: 0, all as recorded\n"


def test_usage_of_before_the_terms_of_a_kept_account_is_refused(desk: Desk) -> None:
    desk.run("close")
    desk.usage("a,tokens,200,2024-01-10T00:00:00Z,2\n")
    status, _, err = desk.run("close")
    assert status == 1
    assert err.startswith("usage.csv: a: period: must be when the org has terms: from 2024-02-01")


def test_a_file_without_usage_records_nothing(desk: Desk) -> None:
    desk.usage("")
    assert desk.run("close") == (0, "overages.db: 0 statements; new records: 0\n", "")


def test_faulty_input_makes_no_database(desk: Desk) -> None:
    desk.usage("a,tokens,1e3,2024-02-10T00:00:00Z,1\n")
    assert desk.run("close")[0] == 1
    assert not desk.db.exists()


def test_a_bill_can_be_made_again_byte_by_byte(desk: Desk) -> None:
    desk.run("close", "--created-at", AT)
    rows = desk.rows()
    desk.db.unlink()
    desk.run("close", "--created-at", AT)
    assert desk.rows() == rows
    assert {row[15] for row in rows} == {AT}


def test_a_time_that_is_none_is_a_wrong_argument(desk: Desk) -> None:
    with pytest.raises(SystemExit):
        desk.run("close", "--created-at", "yesterday")
    assert "instant: must be an ISO 8601 time" in desk.capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_close_that_was_killed_has_written_nothing_and_is_just_run_again(desk: Desk) -> None:
    desk.usage("".join(f"org-{i:02},tokens,200,2024-02-10T00:00:00Z,1\n" for i in range(30)))
    desk.run("close", "--created-at", AT)
    whole = desk.rows()
    desk.db.unlink()
    finish(*start(lambda _: close_and_be_killed(desk, period=20)))
    with SqliteRepository(desk.db) as repository:
        assert repository.verify() == 0
    desk.run("close", "--created-at", AT)
    assert desk.rows() == whole


def close_and_be_killed(desk: Desk, period: int) -> None:
    """Close until a period is written, but not committed."""
    periods, close_period = count(1), SqliteRepository.close_period

    def close(*args: Any, **named: Any) -> Any:
        made = close_period(*args, **named)
        if next(periods) == period:
            os.kill(os.getpid(), signal.SIGKILL)
        return made

    pytest.MonkeyPatch().setattr(SqliteRepository, "close_period", close)
    desk.run("close", "--created-at", AT)


def test_what_is_shown_can_be_of_one_period(desk: Desk) -> None:
    desk.usage(ROWS + "a,tokens,300,2024-03-10T00:00:00Z,2\n")
    desk.run("close")
    out = desk.run("show", "--period", "2024-03")[1]
    assert out.startswith("Records of a, 2024-03-01 to 2024-04-01 UTC\n")
    assert out.endswith("\n\n1 record, 2.00 USD\n")
    assert desk.run("show", "--org", "nobody")[1] == "0 records\n"


def test_records_of_several_currencies_are_added_apart(desk: Desk) -> None:
    euro = PLANS.replace("plans.p]", "plans.q]").replace('default_plan = "p"', "")
    desk.write(
        "plans.toml", PLANS + euro.replace("USD", "EUR") + SINCE.format("b").replace('"p"', '"q"')
    )
    desk.run("close")
    assert desk.run("show")[1].endswith("2 records, 2.50 USD, 0.01 EUR\n")


def test_records_that_were_altered_are_named(desk: Desk) -> None:
    desk.run("close")
    assert desk.run("verify") == (0, "overages.db: records and closings: 4, all as recorded\n", "")
    assert desk.run("verify", "--org", "a")[1] == (
        "overages.db: records and closings: 2, all as recorded\n"
    )
    connection = sqlite3.connect(desk.db)
    connection.execute("DROP TRIGGER org_billing_overages_no_update")
    connection.execute("UPDATE org_billing_overages SET cost = '2' WHERE org_id = 'b'")
    connection.commit()
    connection.close()
    expected = "overages.db: b: record 1 is not what was recorded\n"
    assert desk.run("verify") == (1, "", expected)


def test_usage_that_was_altered_is_named(desk: Desk) -> None:
    desk.run("close")
    connection = sqlite3.connect(desk.db)
    connection.execute("DROP TRIGGER org_billing_usage_puts_no_update")
    connection.execute("UPDATE org_billing_usage_puts SET used = '2' WHERE org_id = 'b'")
    connection.commit()
    connection.close()
    status, out, err = desk.run("verify")
    assert (status, out) == (1, "")
    assert err.startswith("overages.db: b, 2024-02-01 to 2024-03-01 UTC: ")


@pytest.mark.parametrize("command", ["show", "verify"])
def test_what_only_reads_makes_no_database(desk: Desk, command: str) -> None:
    status, out, err = desk.run(command)
    assert (status, out) == (1, "")
    assert err == "overages.db: there is no such file\n"
    assert not desk.db.exists()


@pytest.mark.parametrize("command", ["show", "verify"])
def test_what_is_no_name_of_an_org_is_said(desk: Desk, command: str) -> None:
    desk.run("migrate")
    status, out, err = desk.run(command, "--org", " a")
    assert (status, out) == (1, "")
    assert err.startswith("overages: org_id: must not have a space at an end")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_what_names_no_file_is_a_wrong_argument(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["migrate", "--db", path])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith("argument --db: must name a file\n")


def test_a_database_can_be_made_ready_before(desk: Desk) -> None:
    assert desk.run("migrate") == (0, "overages.db: schema 1\n", "")
    assert desk.run("migrate") == (0, "overages.db: schema 1\n", "")
    assert desk.run("verify")[1] == "overages.db: records and closings: 0, all as recorded\n"


@pytest.mark.parametrize("name", [":memory:", "file:x.db?mode=memory"])
def test_a_database_is_a_file_whatever_its_name(
    desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite takes these for no file at all: then a bill would be said to be recorded, and gone."""
    monkeypatch.chdir(desk.folder)
    desk.db = Path(name)
    assert desk.run("close")[1].endswith("new records: 2\n")
    assert desk.run("close")[1].endswith("new records: 0\n")
    assert (desk.folder / name).is_file()


@pytest.mark.parametrize("command", ["show", "verify"])
def test_an_org_without_records_is_named(desk: Desk, command: str) -> None:
    desk.run("close")
    desk.write("usage.csv", HEADER + "acme,tokens,101,2024-02-11T00:00:00Z,1\n")
    desk.run("close")
    assert desk.run(command, "--org", "acme")[2] == ""
    status, _, err = desk.run(command, "--org", "acne")
    assert (status, err) == (
        0,
        "overages.db: nothing is recorded of 'acne' (did you mean 'acme'?)\n",
    )


def test_a_folder_that_is_missing_is_named(desk: Desk) -> None:
    status, _, err = desk.run("migrate", "--db", str(desk.folder / "none" / "overages.db"))
    assert (status, err.replace(os.sep, "/")) == (1, "none/overages.db: there is no such folder\n")


MOVED = """
[plans.q]
currency = "USD"
allowances.tokens = { included = 290, price = { model = "per_unit", price = "0.02" } }
[accounts.a]
plan = "p"
since = 2024-01-10T00:00:00Z
limits = { tokens = "unlimited" }
[[accounts.a.changes]]
since = 2024-02-01T00:00:00Z
plan = "q"
drop_limits = ["tokens"]
[[accounts.a.changes]]
since = 2024-03-15T00:00:00Z
kind = "end"
"""
LIFE = "".join(f"a,tokens,350,2024-{at}T00:00:00Z,{at}\n" for at in ("01-20", "02-20", "03-10"))


def shown(desk: Desk) -> list[tuple[str, int]]:
    """Return the periods of the records of an org, and the minor units of each."""
    with SqliteRepository.read_only(desk.db) as repository:
        return [
            (str(record.period.describe()), record.cost.minor) for record in repository.records("a")
        ]


def test_each_period_of_an_account_is_closed_by_its_own_terms(desk: Desk) -> None:
    desk.write("plans.toml", PLANS + MOVED)
    desk.usage(LIFE)
    assert desk.run("close")[0] == 0
    assert shown(desk) == [
        ("2024-02-01 to 2024-03-01 UTC", 120),
        ("2024-03-01 to 2024-03-15 UTC", 438),  # 350 - 131: 290 x 14/31
    ]


def test_usage_of_an_account_without_terms_is_a_bad_row(desk: Desk) -> None:
    desk.write("plans.toml", PLANS + MOVED)
    desk.usage(LIFE + "a,tokens,1,2024-03-15T00:00:00Z,late\n")
    for options in ([], ["--period", "2024-03"]):
        status, out, err = desk.run("close", *options)
        assert (status, out) == (1, "")
        assert "a: instant: must be when the org has terms: from 2024-01-10T00:00:00Z to" in err
        assert "usage.csv:5: " in err


def test_rows_of_an_org_without_terms_are_summed_up(desk: Desk) -> None:
    desk.write("plans.toml", PLANS + MOVED)
    late = "".join(f"a,tokens,1,2024-03-{day}T00:00:00Z,late-{day}\n" for day in range(15, 30))
    desk.usage(LIFE + late + "a,tokens,x,2024-03-01T00:00:00Z,bad\n")
    first, bad, *told = desk.run("close")[2].splitlines()
    assert "usage.csv:5: a: instant: must be when the org has terms" in first
    assert "usage.csv:20: quantity: must be a plain decimal number" in bad
    assert [line.partition("usage.csv: ")[2] for line in told] == [
        "a: 15 rows of when it has no terms",
        "bad rows: 16; nothing was rated",
    ]


def test_entries_are_added_to_an_account_and_no_other_history_is_kept(
    desk: Desk,
) -> None:
    desk.write("plans.toml", PLANS + MOVED)
    desk.usage(LIFE)
    desk.run("close", "--created-at", AT)
    before = shown(desk)
    again = '[[accounts.a.changes]]\nsince = 2024-06-01T00:00:00Z\nplan = "p"\n'
    desk.write("plans.toml", PLANS + MOVED + again)
    assert desk.run("close")[0] == 0
    assert shown(desk) == before
    with SqliteRepository.read_only(desk.db) as repository:
        account, notes = repository.account("a"), repository.account_notes("a")
        assert account is not None
        assert [change.since.month for change in account.changes] == [2, 3, 6]
        assert notes[0].noted_at == notes[2].noted_at == datetime.fromisoformat(AT)
        assert notes[3].noted_at != notes[0].noted_at
    desk.write("plans.toml", PLANS + MOVED)
    status, _, err = desk.run("close")
    assert status == 1
    assert "a: account.changes[2]: must be as it is kept, 2024-06-01T00:00:00Z plan 'p': " in err


def test_an_org_on_the_default_plan_goes_on_when_the_default_is_another(desk: Desk) -> None:
    desk.run("close")
    for _ in range(2):  # the second time, nothing is new
        desk.write("plans.toml", PLANS.replace('"p"', '"q"') + MOVED.partition("[accounts")[0])
        desk.usage("b,tokens,300,2024-03-10T00:00:00Z,2\n")
        assert desk.run("close")[0] == 0
        with SqliteRepository.read_only(desk.db) as repository:
            account = repository.account("b")
            assert account is not None
            assert account.plan == "p"
            assert [change.plan for change in account.changes] == ["q"]
            assert account.changes[0].since == datetime(2024, 3, 1, tzinfo=UTC)


def test_an_org_that_had_an_account_of_its_own_is_on_the_default_without_its_terms(
    desk: Desk,
) -> None:
    limited = SINCE.format("b") + 'limits = { tokens = 5 }\nstatus = "trial"\n'
    limited += 'discounts = [{ name = "partner", percent = 10 }]\n'
    limited += 'minimum = { amount = 5, currency = "USD" }\n'
    desk.write("plans.toml", PLANS + limited)
    desk.run("close")
    desk.write("plans.toml", PLANS)
    desk.usage("b,tokens,300,2024-03-10T00:00:00Z,2\n")
    for _ in range(2):
        assert desk.run("close")[0] == 0
        with SqliteRepository.read_only(desk.db) as repository:
            account = repository.account("b")
            assert account is not None
            assert len(account.changes) == 1
            assert account.at(datetime(2024, 3, 1, tzinfo=UTC)) == Terms("p")


def test_sums_of_spans_that_a_change_divides_are_replaced(desk: Desk) -> None:
    """The usage of March is kept for the parts that it has now, and no more for all of it."""
    running = ["--created-at", "2024-03-25T00:00:00Z"]
    rows = "a,tokens,310,2024-03-10T00:00:00Z,1\na,tokens,3,2024-03-20T00:00:00Z,2\n"
    desk.usage(rows)
    desk.write("plans.toml", PLANS + SINCE.format("a"))
    desk.run("close", *running)
    assert shown(desk) == [("2024-03-01 to 2024-04-01 UTC", 213)]
    changed = "[[accounts.a.changes]]\nsince = 2024-03-12T00:00:00Z\nlimits = { tokens = 1 }\n"
    desk.write("plans.toml", PLANS + SINCE.format("a") + changed)
    desk.run("close", *running)
    with SqliteRepository.read_only(desk.db) as repository:
        march = Period.month(2024, 3)
        used = [dict(each.quantities) for each in repository.put_sums("a", march)]
        summary = repository.summary("a", march)
    assert [each for each in used if any(each.values())] == [{"tokens": 310}, {"tokens": 3}]
    assert summary is not None
    assert summary.total.minor == 275 + 2  # beyond 100 x 11/31 and 1 x 20/31
