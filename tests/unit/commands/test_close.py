"""``overages close``: the periods of a database that have ended are closed."""

import sqlite3
from collections.abc import Sequence

import pytest
from tests.desk import WITH_IDS, NearDesk

from overages import OverageService, Period
from overages.adapters.sqlite import SqliteRepository
from overages.bookkeeping.books import EndedPeriod
from overages.commands import close as close_command
from overages.commands.desk import closing
from overages.errors import InvalidValue, StorageCorrupt, StorageFull

FEBRUARY = "2024-02-10T00:00:00Z"


def row(org: str = "acme", quantity: int = 350, at: str = FEBRUARY, metric: str = "tokens") -> str:
    return f"{org},{metric},{quantity},{at}"


def months(*quantities: int, org: str = "acme") -> list[str]:
    return [row(org, used, f"2024-{n + 1:02}-10T00:00:00Z") for n, used in enumerate(quantities)]


def files(desk: NearDesk, *rows: str, usage: str = "u.csv") -> Sequence[str]:
    desk.usage(usage, *rows)
    return ["close", "--db", "b.db", "--plans", "plans.toml", "--usage", usage]


def until(date: str = "2024-03-01") -> Sequence[str]:
    return ["close", "--db", "b.db", "--until", date]


def add(desk: NearDesk, text: str) -> None:
    desk.write("plans.toml", (desk.folder / "plans.toml").read_text() + text)


def test_from_files_to_closed_periods_once(desk: NearDesk) -> None:
    command = [*files(desk, row(), row("bolt", 101)), "--until", "2024-03-01"]
    assert desk.run(*command) == (
        0,
        "plans.toml: plan p: version 1, in force always\n"
        "plans.toml: account acme: new: plan p from 2024-01-01\n"
        "plans.toml: account bolt: new: plan p from 2024-01-01\n"
        "b.db: rows: 2, new events: 2\n"
        "b.db: January 2024, closed: 2, new records: 0\n"
        "b.db: February 2024, closed: 2, 2.51 USD, new records: 2\n",
        "",
    )
    before = desk.content()
    assert desk.run(*command) == (0, "b.db: rows: 2, new events: 0\nb.db: nothing to close\n", "")
    assert desk.content() == before
    assert desk.bills() == {"acme 2024-02-01": "2.50", "bolt 2024-02-01": "0.01"}


def test_a_bill_can_be_made_again_byte_by_byte(desk: NearDesk) -> None:
    command = [*files(desk, row(), row("bolt", 101)), "--until", "2024-03-01"]
    desk.done(*command)
    records = desk.done("export", "records", "--db", "b.db")
    (desk.folder / "b.db").unlink()
    desk.done(*command)
    assert desk.done("export", "records", "--db", "b.db") == records
    assert ",2024-03-01T00:00:00Z," in records


def test_a_period_that_runs_is_brought_up_to_date_and_stays_open(desk: NearDesk) -> None:
    told = desk.done(*files(desk, row()), "--until", "2024-02-20")
    assert "b.db: February 2024, still running: 2, 2.50 USD, new records: 1\n" in told
    desk.usage("v.csv", row(quantity=100, at="2024-02-21T00:00:00Z"))
    desk.done("ingest", "v.csv", "--db", "b.db")
    told = desk.done(*until("2024-02-25"))
    assert told == "b.db: February 2024, still running: 2, 3.50 USD, new records: 1\n"
    assert desk.done(*until()) == "b.db: February 2024, closed: 2, 3.50 USD, new records: 0\n"
    with SqliteRepository.read_only(desk.folder / "b.db") as repository:
        assert len(repository.closed_periods("acme")) == 2


@pytest.mark.parametrize("options", [["--until", "2024-03-01"], ["--until", "2024-02-20"], []])
def test_a_dry_run_says_the_same_and_writes_nothing(desk: NearDesk, options: list[str]) -> None:
    command = [*files(desk, row()), *options]
    before = desk.content()
    dry = desk.run(*command, "--dry-run")
    assert (dry.status, dry.err) == (0, "dry run: nothing was written\n")
    assert desk.content() == before  # nor is a database made
    assert desk.run(*command).out == dry.out
    desk.usage("v.csv", row(quantity=100))
    desk.run("ingest", "v.csv", "--db", "b.db")
    before = desk.content()
    dry = desk.run("close", "--db", "b.db", *options, "--force", "--dry-run")
    assert desk.content() == before
    assert desk.run("close", "--db", "b.db", *options, "--force").out == dry.out


def test_without_until_all_that_is_past_is_closed(desk: NearDesk) -> None:
    told = desk.done(*files(desk, row()))
    assert "b.db: February 2024, closed: 2, 2.50 USD, new records: 1\n" in told
    assert told.count("\n") == 3 + 1 + 20 + 1
    assert told.splitlines()[-1].endswith(" more kinds of periods")


def test_until_is_never_in_the_future(desk: NearDesk) -> None:
    status, out, err = desk.run(*until("2999-01-01"))
    assert (status, out) == (2, "")
    assert err.endswith("error: argument --until: must not be in the future\n")
    assert "b.db" not in desk.content()


def test_nothing_is_closed_of_nothing(desk: NearDesk) -> None:
    assert desk.run(*until()) == (3, "", "b.db: there is no such file\n")
    desk.done("migrate", "--db", "b.db")
    assert desk.run(*until()) == (3, "", "b.db: has no orgs\n")
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    assert desk.run(*until(), "--org", "acne") == (
        3,
        "",
        "b.db: there is no org 'acne' (did you mean 'acme'?)\n",
    )
    assert desk.run(*until("2023-12-01")) == (0, "b.db: nothing to close\n", "")


def test_one_org_is_closed_alone(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    assert desk.done(*until(), "--org", "bolt") == (
        "b.db: January 2024, closed: 1, new records: 0\n"
        "b.db: February 2024, closed: 1, new records: 0\n"
    )


# Periods by name


def test_a_period_is_closed_by_name_after_those_before_it(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    told = desk.run(*until("2024-04-10"), "--period", "2024-02", "--force")
    assert told == (
        0,
        "b.db: January 2024, closed: 2, new records: 0\n"
        "b.db: February 2024, closed: 2, new records: 0\n",
        "",
    )
    with SqliteRepository.read_only(desk.folder / "b.db") as repository:
        closed = list(repository.closed_periods("acme"))
    assert closed == [Period.month(2024, 1), Period.month(2024, 2)]


def test_a_period_that_has_not_ended_is_brought_up_to_date_and_said(desk: NearDesk) -> None:
    ran = desk.run(*files(desk, row()), "--until", "2024-02-20", "--period", "2024-02")
    assert (ran.status, ran.out.splitlines()[-1], ran.err) == (
        4,
        "b.db: February 2024, still running: 2, 2.50 USD, new records: 1",
        "b.db: 2024-02 hasn't ended for all orgs: those were brought up to date\n",
    )
    assert desk.bills() == {"acme 2024-02-01": "2.50"}


def test_of_a_period_before_the_named_one_that_fails_the_named_one_stays_open(
    desk: NearDesk,
) -> None:
    rows = [row(quantity=-5, at="2024-01-10T00:00:00Z"), row()]
    desk.run(*files(desk, *rows), "--until", "2024-01-01")
    ran = desk.run(*until(), "--period", "2024-02", "--org", "acme")
    assert (ran.status, ran.out) == (1, "b.db: nothing to close\n")
    assert ran.err.startswith("b.db: acme, 2024-01-01 to 2024-02-01 UTC: quantities.tokens: must")
    with SqliteRepository.read_only(desk.folder / "b.db") as repository:
        assert not repository.closed_periods("acme")


def test_a_period_that_has_not_begun_is_said_and_nothing_is_written(desk: NearDesk) -> None:
    before = desk.content()
    ran = desk.run(*files(desk, row()), "--until", "2024-02-20", "--period", "2024-03")
    assert (ran.status, ran.err) == (4, "b.db: 2024-03 hasn't begun; nothing was closed\n")
    with SqliteRepository.read_only(desk.folder / "b.db") as repository:
        assert not list(repository.orgs())
    assert set(desk.content()) - set(before) <= {"b.db", "u.csv"}


def test_a_period_in_which_nothing_was_used_is_closed_by_force(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    before = desk.content()
    assert desk.run(*until(), "--period", "2024-02") == (
        3,
        "",
        "b.db: no org has used anything in 2024-02: if that is so, --force closes it; nothing was"
        " closed\n",
    )
    assert desk.content() == before


def test_usage_that_can_not_be_read_is_told_by_closing(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")

    def unreadable(*_: object, **__: object) -> None:
        raise InvalidValue("quantities", None, "must be readable")

    monkeypatch.setattr(SqliteRepository, "usage", unreadable)
    ran = desk.run(*until(), "--period", "2024-02")
    assert "hasn't" not in ran.err
    assert "no org has used" not in ran.err


@pytest.mark.parametrize(
    "options", [["--name", "a"], ["--replace", "a"], ["--new-orgs"], ["--late", "next"]]
)
def test_options_of_usage_are_for_usage(desk: NearDesk, options: list[str]) -> None:
    ran = desk.run(*until(), *options)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("--name, --replace, --new-orgs and --late are for --usage\n")


def test_rows_that_were_withdrawn_leave_a_decision(desk: NearDesk) -> None:
    desk.usage("w.csv", f"e1,{row()}", header=WITH_IDS)
    command = ["close", "--db", "b.db", "--plans", "plans.toml", "--usage", "w.csv"]
    desk.done(*command, "--until", "2024-02-20")
    desk.done("withdraw", "--org", "acme", "e1", "--db", "b.db")
    assert desk.run(*command, "--until", "2024-02-20").status == 5


def test_a_period_that_no_org_has_is_said(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    assert desk.run(*until(), "--period", "2020-01") == (
        3,
        "b.db: nothing to close\n",
        "b.db: no org has a period in 2020-01\n",
    )


CYCLES = """
[accounts.short]
plan = "p"
since = 2024-02-17T00:00:00Z
[accounts.paris]
plan = "p"
since = 2024-01-31T23:00:00Z
cycle = { anchor = 2024-01-31T23:00:00Z, timezone = "Europe/Paris" }
"""
MIDDLE = """
[accounts.middle]
plan = "p"
since = 2024-01-15T00:00:00Z
cycle = { anchor = 2024-01-15T00:00:00Z }
"""


def test_a_month_is_each_orgs_own(desk: NearDesk) -> None:
    add(desk, CYCLES)
    rows = [row("paris", 200, "2024-02-29T23:30:00Z"), row("short", 144, "2024-02-20T00:00:00Z")]
    desk.done(*files(desk, *rows), "--until", "2024-02-01")
    ran = desk.run(*until(), "--period", "2024-02")
    assert ran == (
        0,
        "b.db: February 2024, closed: 3, new records: 0\n"
        "b.db: 2024-02-17 to 2024-03-01 UTC, closed: 1, 0.99 USD, new records: 1\n",
        "",
    )  # 144 less 100 x 13/29


def test_an_org_of_which_a_month_cuts_a_period_is_named_and_left_out(desk: NearDesk) -> None:
    add(desk, MIDDLE)
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    before = desk.content()
    cut = (
        "--period: middle: period: must be one of the org's own,"
        " 2024-01-15T00:00:00Z/2024-02-15T00:00:00Z and 2024-02-15T00:00:00Z/2024-03-15T00:00:00Z,"
        " got '2024-02-01T00:00:00Z/2024-03-01T00:00:00Z': left out; --org middle and one of its"
        " own names it\n"
    )
    named = [*until("2024-04-01"), "--period", "2024-02", "--force"]
    assert desk.run(*named, "--org", "middle") == (1, "", cut)
    assert desk.content() == before
    assert desk.run(*named) == (
        0,
        "b.db: January 2024, closed: 2, new records: 0\n"
        "b.db: February 2024, closed: 2, new records: 0\n",
        cut,
    )
    own = ["--period", "2024-01-15/2024-02-15", "--org", "middle", "--force"]
    ran = desk.run(*until("2024-04-01"), *own)
    assert ran.out == "b.db: 2024-01-15 to 2024-02-15 UTC, closed: 1, new records: 0\n"


def test_an_org_without_an_account_has_no_period(desk: NearDesk) -> None:
    """Only records of it are there, which a host put."""
    desk.done(*files(desk, row()), "--until", "2024-03-01")
    connection = sqlite3.connect(desk.folder / "b.db")
    connection.execute("PRAGMA foreign_keys = OFF")
    (trigger,) = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%accounts_no_delete'"
    ).fetchone()
    connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DELETE FROM org_billing_accounts WHERE org_id = 'acme'")
    connection.commit()
    connection.close()
    ran = desk.run(*until("2024-04-01"), "--org", "acme", "--period", "2024-02")
    assert ran.status == 3
    assert desk.run(*until("2024-04-01"), "--org", "acme").out == "b.db: nothing to close\n"


def test_an_account_that_has_not_begun_or_has_ended_has_no_running_period(desk: NearDesk) -> None:
    add(
        desk,
        '[accounts.later]\nplan = "p"\nsince = 2024-06-01T00:00:00Z\n'
        '[accounts.past]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
        '[[accounts.past.changes]]\nsince = 2024-02-01T00:00:00Z\nkind = "end"\n',
    )
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    assert desk.run(*until("2024-02-15")).out == (
        "b.db: January 2024, closed: 3, new records: 0\n"
        "b.db: February 2024, still running: 2, new records: 0\n"
    )


# Faults of orgs


FAULTY = '[accounts.faulty]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'


def faulty(desk: NearDesk) -> None:
    add(desk, FAULTY)
    rows = [row("faulty", -5), row("acme"), row("bolt", 101)]
    desk.usage("u.csv", *rows)
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    desk.done("ingest", "u.csv", "--db", "b.db")


FAULT = (
    "b.db: faulty, 2024-02-01 to 2024-03-01 UTC: quantities.tokens: must not be negative, got -5\n"
    "b.db: periods that stay open, as they can't be billed: 1\n"
)


@pytest.mark.parametrize("options", [[], ["--period", "2024-02"]])
def test_a_fault_of_one_org_stops_no_other(desk: NearDesk, options: list[str]) -> None:
    faulty(desk)
    status, out, err = desk.run(*until(), *options)
    assert (status, err) == (1, FAULT)
    assert "b.db: February 2024, closed: 2, 2.51 USD, new records: 2\n" in out
    assert desk.bills() == {"acme 2024-02-01": "2.50", "bolt 2024-02-01": "0.01"}


def test_a_fault_of_a_running_period_stops_no_other(desk: NearDesk) -> None:
    faulty(desk)
    status, out, err = desk.run(*until("2024-02-20"))
    assert (status, err) == (1, FAULT)
    assert "b.db: February 2024, still running: 2, 2.51 USD, new records: 2\n" in out


def test_a_fault_is_mended_and_its_period_closed(desk: NearDesk) -> None:
    faulty(desk)
    desk.run(*until())
    desk.usage("more.csv", row("faulty", 205))
    desk.done("ingest", "more.csv", "--db", "b.db")
    assert desk.done(*until()) == "b.db: February 2024, closed: 1, 1.00 USD, new records: 1\n"


def test_a_fault_of_the_storage_is_no_orgs(desk: NearDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")

    def full(*_: object, **__: object) -> None:
        raise StorageFull("the disk is full")

    monkeypatch.setattr(SqliteRepository, "record", full)
    named = ["--period", "2024-02", "--force"]
    for command in (until("2024-02-15"), [*until("2024-02-15"), *named]):
        assert desk.run(*command)[::2] == (1, "b.db: the disk is full\n")


# What comes to something else


def late(desk: NearDesk) -> None:
    desk.done(*files(desk, *months(400, 350)), "--until", "2024-03-01")
    desk.usage("late.csv", row(quantity=10))
    desk.run("ingest", "late.csv", "--db", "b.db")


def test_a_closed_period_that_comes_to_something_else_changes_only_by_force(
    desk: NearDesk,
) -> None:
    late(desk)
    before = desk.content()
    assert desk.run(*until(), "--period", "2024-02") == (
        5,
        "b.db: February 2024, closed before, and something else now: 1, 2.50 USD, new records: 0\n"
        "b.db: February 2024, closed: 1, new records: 0\n",
        "b.db: acme, February 2024: comes to something else now; --force corrects it\n",
    )
    assert desk.content() == before
    for options in (["--period", "2024-02"], []):
        dry = desk.run(*until(), *options, "--force", "--dry-run")
        assert "b.db: February 2024, corrected: 1, 2.60 USD, new records: 1\n" in dry.out
    assert desk.run(*until(), "--force")[::2] == (0, "")
    assert desk.bills("--period", "2024-02") == {"acme 2024-02-01": "2.60"}
    assert desk.run(*until(), "--force") == (0, "b.db: nothing to close\n", "")


def test_a_period_is_corrected_by_name(desk: NearDesk) -> None:
    late(desk)
    ran = desk.run(*until(), "--period", "2024-02", "--force")
    assert ran.status == 0
    assert "b.db: February 2024, corrected: 1, 2.60 USD, new records: 1\n" in ran.out


def test_late_usage_of_a_file_is_named_unless_it_is_forced(desk: NearDesk) -> None:
    desk.done(*files(desk, row()), "--until", "2024-03-01")
    more = [*files(desk, row(quantity=10), usage="late.csv"), "--until", "2024-03-01"]
    ran = desk.run(*more)
    assert (ran.status, ran.err) == (
        5,
        "b.db: acme, February 2024: comes to something else now; --force corrects it\n",
    )
    assert desk.run(*more, "--force")[::2] == (0, "")
    assert desk.bills() == {"acme 2024-02-01": "2.60"}


def test_late_usage_of_a_file_counts_in_the_next_period_by_rule(desk: NearDesk) -> None:
    desk.done(*files(desk, row()), "--until", "2024-03-01")
    more = files(desk, row(quantity=110), usage="late.csv")
    desk.done(*more, "--late", "next", "--until", "2024-04-01")
    assert desk.bills() == {"acme 2024-02-01": "2.50", "acme 2024-03-01": "0.10"}


def carrying(desk: NearDesk, *quantities: int) -> None:
    """Close months of a plan that keeps what is unused: 100 tokens a month."""
    text = (desk.folder / "plans.toml").read_text()
    desk.write("plans.toml", text.replace('"0.01" } }', '"0.01" }, carry_over = {} }'))
    told = desk.run(
        *files(desk, *months(*quantities)), "--until", f"2024-0{len(quantities) + 1}-01"
    )
    assert told.status == 0


def test_what_is_unused_goes_from_month_to_month(desk: NearDesk) -> None:
    carrying(desk, 20, 150, 160)
    assert desk.bills() == {"acme 2024-03-01": "0.30"}


def test_months_that_no_longer_follow_are_corrected_along(desk: NearDesk) -> None:
    carrying(desk, 20, 150, 160)
    desk.usage("late.csv", row(quantity=60, at="2024-01-20T00:00:00Z"))
    assert desk.run("ingest", "late.csv", "--db", "b.db").status == 5
    ran = desk.run(*until("2024-04-01"), "--force")
    assert ran == (
        0,
        "b.db: January 2024, corrected: 1, new records: 0\n"
        "b.db: February 2024, corrected: 1, 0.30 USD, new records: 1\n"
        "b.db: March 2024, corrected: 1, 0.60 USD, new records: 1\n",
        "",
    )
    assert desk.bills() == {"acme 2024-02-01": "0.30", "acme 2024-03-01": "0.60"}


def test_a_month_that_no_longer_follows_one_that_was_corrected_by_name_is_named(
    desk: NearDesk,
) -> None:
    carrying(desk, 20, 150)
    desk.usage("late.csv", row(quantity=60, at="2024-01-20T00:00:00Z"))
    desk.run("ingest", "late.csv", "--db", "b.db")
    ran = desk.run(*until(), "--period", "2024-01", "--force", "--org", "acme")
    assert ran == (
        5,
        "b.db: January 2024, corrected: 1, new records: 0\n",
        "b.db: acme, February 2024: comes to something else now; --force corrects it\n",
    )


def test_of_many_that_come_to_something_else_twenty_are_named(desk: NearDesk) -> None:
    add(desk, "".join(FAULTY.replace("faulty", f"org-{n:02}") for n in range(25)))
    desk.done(*files(desk, *(row(f"org-{n:02}") for n in range(25))), "--until", "2024-03-01")
    desk.usage("late.csv", *(row(f"org-{n:02}", 10) for n in range(25)))
    desk.run("ingest", "late.csv", "--db", "b.db")
    status, _, err = desk.run(*until(), "--period", "2024-02")
    assert (status, len(err.splitlines())) == (5, 21)
    assert err.endswith("b.db: and 5 more that come to something else\n")


# Terms that change in time


def test_a_price_holds_from_its_date(desk: NearDesk) -> None:
    desk.done(*files(desk, *months(0, 350)), "--until", "2024-03-01")
    add(
        desk,
        "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\n"
        'allowances.tokens.price = { model = "per_unit", price = "0.02" }\n',
    )
    march = row(at="2024-03-10T00:00:00Z")
    desk.done(*files(desk, march, usage="march.csv"), "--until", "2024-04-01")
    assert desk.bills() == {"acme 2024-02-01": "2.50", "acme 2024-03-01": "5.00"}


MOVED = """
[plans.q]
currency = "USD"
allowances.tokens = { included = 290, price = { model = "per_unit", price = "0.02" } }
[[accounts.acme.changes]]
since = 2024-02-01T00:00:00Z
plan = "q"
[[accounts.acme.changes]]
since = 2024-03-15T00:00:00Z
kind = "end"
"""


def test_each_period_of_an_account_is_closed_by_the_terms_of_its_time(desk: NearDesk) -> None:
    add(desk, MOVED)
    desk.done(*files(desk, *months(350, 350, 350)), "--until", "2024-05-01")
    assert desk.bills("--org", "acme") == {
        "acme 2024-01-01": "2.50",
        "acme 2024-02-01": "1.20",
        "acme 2024-03-01": "4.38",  # 290 x 14/31 are 131
    }


def test_an_account_is_closed_in_the_timezone_of_its_file(desk: NearDesk) -> None:
    zone = (desk.folder / "plans.toml").read_text().replace("2024-01-01T00", "2023-12-31T23")
    desk.write("plans.toml", 'timezone = "Europe/Paris"\n' + zone)
    rows = [row(at="2024-01-31T23:30:00Z"), row(at="2024-02-29T22:30:00Z")]
    told = desk.done(*files(desk, *rows), "--until", "2024-03-01")
    assert "b.db: February 2024, closed: 2, 6.00 USD, new records: 1\n" in told


def test_an_account_without_usage_may_still_owe(desk: NearDesk) -> None:
    text = (desk.folder / "plans.toml").read_text()
    flat = '{ model = "volume", tiers = [{ flat = 5 }], flat_at_zero = true }'
    desk.write("plans.toml", text.replace('{ model = "per_unit", price = "0.01" }', flat))
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    told = desk.done(*until("2024-02-01"))
    assert told == "b.db: January 2024, closed: 2, 10.00 USD, new records: 2\n"


EURO = """
[plans.q]
currency = "EUR"
allowances.tokens = { included = 100, price = { model = "per_unit", price = "0.01" } }
[accounts.euro]
plan = "q"
since = 2024-01-01T00:00:00Z
"""


def test_totals_are_by_currency(desk: NearDesk) -> None:
    add(desk, EURO)
    told = desk.done(*files(desk, row(), row("euro", 101)), "--until", "2024-03-01")
    assert told.endswith("b.db: February 2024, closed: 3, 0.01 EUR, 2.50 USD, new records: 2\n")


# Files that are faulty


def test_of_files_with_a_fault_nothing_is_written(desk: NearDesk) -> None:
    desk.done("migrate", "--db", "b.db")
    before = desk.content()["b.db"]
    status, _, err = desk.run(*files(desk, row(), row(metric="words")), "--until", "2024-03-01")
    assert (status, err.splitlines()[-1]) == (1, "u.csv: faults: 1; nothing was written")
    assert desk.content()["b.db"] == before


def test_usage_that_is_dated_ahead_of_now_is_refused(desk: NearDesk) -> None:
    status, _, err = desk.run(*files(desk, row(at="2999-01-01T00:00:00Z")))
    assert status == 1
    assert err.startswith("u.csv:2: acme: timestamp: must be at most 1 day")


def test_usage_of_after_until_is_kept_for_its_period(desk: NearDesk) -> None:
    """A file may go on while an earlier month is closed."""
    desk.done(*files(desk, *months(0, 350, 350)), "--until", "2024-03-01")
    assert desk.bills() == {"acme 2024-02-01": "2.50"}
    desk.done(*until("2024-04-01"))
    assert desk.bills() == {"acme 2024-02-01": "2.50", "acme 2024-03-01": "2.50"}


def test_an_account_that_cant_be_read_is_named(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    failed = EndedPeriod("acme", None, None, StorageCorrupt("a row can't be read"))
    monkeypatch.setattr(OverageService, "close_ended", lambda *_, **__: [failed])
    ran = desk.run(*until())
    assert ran.status == 1
    assert ran.err == (
        "b.db: acme: a row can't be read\n"
        "b.db: periods that stay open, as they can't be billed: 1\n"
    )


def test_only_some_kinds_of_periods_are_told(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close_command, "_MOST_SHOWN", 1)
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    assert desk.done(*until("2024-04-01")) == (
        "b.db: January 2024, closed: 2, new records: 0\nb.db: and 2 more kinds of periods\n"
    )


def test_of_many_orgs_status_tells_the_closed_periods_that_have_changed(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close_command, "MOST_COMPARED", 1)
    monkeypatch.setattr(closing, "MOST_COMPARED", 1)
    desk.done(*files(desk, row()), "--until", "2024-03-01")
    ran = desk.run(*files(desk, row(quantity=10), usage="late.csv"), "--until", "2024-03-01")
    assert ran.status == 5
    assert ran.err == (
        "b.db: closed periods were not compared, of so many orgs: see status\n"
        "acme, February 2024, is closed, and comes to something else now: would add 0.10 USD;"
        " overages close --force --org acme corrects it\n"
    )


def test_charges_that_are_taken_back_are_told_and_usage_without_terms(desk: NearDesk) -> None:
    desk.done(*files(desk, row()), "--until", "2024-02-20")
    assert desk.bills() == {"acme 2024-02-01": "2.50"}
    ended = '[[accounts.acme.changes]]\nsince = 2024-02-05T00:00:00Z\nkind = "end"\n'
    add(desk, ended)
    ran = desk.run("close", "--db", "b.db", "--plans", "plans.toml", "--until", "2024-02-21")
    assert ran.status == 1
    assert "February 2024, no period any more, taken back: 1, -2.50 USD, new records: 1" in ran.out
    assert "must be when the org has terms, and tokens was used in it" in ran.err
    assert desk.bills() == {"acme 2024-02-01": "0.00"}


MOVED_DAY = (
    "[[accounts.acme.changes]]\nsince = 2024-02-15T00:00:00Z\n"
    "cycle = { anchor = 2024-02-15T00:00:00Z }\n"
)


def test_a_billing_day_that_moves_within_what_is_recorded_is_told(desk: NearDesk) -> None:
    desk.done(*files(desk, row()), "--until", "2024-02-20")
    add(desk, MOVED_DAY)
    ran = desk.run("close", "--db", "b.db", "--plans", "plans.toml", "--until", "2024-02-21")
    assert ran.status == 0
    assert "no period any more, taken back: 1, -2.50 USD" in ran.out


def test_charges_that_closing_a_period_by_name_takes_back_are_told(desk: NearDesk) -> None:
    rows = [row(), row(quantity=200, at="2024-02-20T00:00:00Z")]
    desk.done(*files(desk, *rows), "--until", "2024-02-21")
    assert desk.bills() == {"acme 2024-02-01": "4.50"}
    add(desk, MOVED_DAY)
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")
    named = [*until("2024-03-20"), "--period", "2024-02-15/2024-03-15", "--org", "acme"]
    told = (
        "b.db: 2024-02-01 to 2024-02-15 UTC, closed: 1, 3.02 USD, new records: 1\n"
        "b.db: February 2024, no period any more, taken back: 1, -4.50 USD, new records: 1\n"
        "b.db: 2024-02-15 to 2024-03-15 UTC, closed: 1, 1.00 USD, new records: 1\n"
    )  # 350 less 100 x 14/29, and 200 less 100
    assert desk.run(*named, "--dry-run").out == told
    assert desk.run(*named) == (0, told, "")
    assert "taken back" not in desk.done(*named)
    bills = {"acme 2024-02-01": "3.02", "acme 2024-02-15": "1.00"}
    assert desk.bills() == bills  # of February as a whole nothing is left


def test_of_an_account_whose_billing_day_does_not_move_nothing_is_taken_back(
    desk: NearDesk,
) -> None:
    desk.done(*files(desk, row()), "--until", "2024-02-20")
    desk.usage("more.csv", row(quantity=-100))
    desk.done("ingest", "more.csv", "--db", "b.db")
    told = desk.done(*until(), "--period", "2024-02", "--org", "acme")
    assert told == "b.db: February 2024, closed: 1, 1.50 USD, new records: 1\n"


def test_a_closed_period_of_an_account_whose_billing_day_moved_waits_as_others_do(
    desk: NearDesk,
) -> None:
    add(desk, MOVED_DAY)
    desk.done(*files(desk, row()), "--until", "2024-03-20")
    desk.usage("more.csv", row(quantity=10))
    assert desk.run("ingest", "more.csv", "--db", "b.db").status == 5
    assert desk.run(*until("2024-03-20")) == (
        5,
        "b.db: March 2024, still running: 1, new records: 0\n"
        "b.db: 2024-03-15 to 2024-04-15 UTC, still running: 1, new records: 0\n",
        "b.db: acme, 2024-02-01 to 2024-02-15 UTC: comes to something else now; --force corrects"
        " it\n",
    )


def test_a_fault_of_an_account_whose_billing_day_moved_is_told_once(desk: NearDesk) -> None:
    add(desk, MOVED_DAY)
    ran = desk.run(*files(desk, row(quantity=-5)), "--until", "2024-03-01")
    assert ran.status == 1
    assert ran.err == (
        "b.db: acme, 2024-02-01 to 2024-02-15 UTC: quantities.tokens: must not be negative, got"
        " -5\nb.db: periods that stay open, as they can't be billed: 1\n"
    )
