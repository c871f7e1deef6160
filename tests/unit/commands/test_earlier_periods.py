"""Plans whose periods depend on earlier ones, over the command line: ``rate`` and ``close``."""

import os
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    CarryOver,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    Statement,
    Usage,
)
from overages.__main__ import main
from overages.commands import close, rate
from overages.commands.bills import Bill

KEPT = "carry_over = {}"
YEARLY = 'included_for = { anchor = 2024-01-01T00:00:00Z, unit = "year" }'
PLANS = """
default_plan = "rolling"
[plans.rolling]
currency = "USD"
[plans.rolling.allowances.tokens]
included = 500
price = { model = "per_unit", price = "0.10" }
carry_over = {}
[plans.plain]
currency = "USD"
allowances.tokens = { included = 100, price = { model = "per_unit", price = "0.10" } }
"""
HEADER = "org_id,metric,quantity,timestamp,event_id\n"
JANUARY, FEBRUARY, MARCH, APRIL = (Period.month(2024, month) for month in (1, 2, 3, 4))


def row(org_id: str, used: int, month: int, day: int = 10) -> str:
    return f"{org_id},tokens,{used},2024-{month:02}-{day:02}T00:00:00Z,{month}-{day}\n"


class Desk:
    """A folder with plans, usage and a database; plan ``rolling`` keeps what is unused."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.db, self.capsys = folder, folder / "overages.db", capsys
        self.made: list[Bill] = []
        self.rated: list[Statement] = []
        self.write(PLANS)

    def write(self, plans: str) -> None:
        (self.folder / "plans.toml").write_text(plans)

    def accounts(self, toml: str) -> None:
        self.write(PLANS + toml)

    def open(self) -> SqliteRepository:
        return SqliteRepository(self.db)

    def run(self, command: str, rows: str, *options: str) -> tuple[int, str]:
        status, _, err = self.print(command, rows, *options)
        return status, err

    def print(self, command: str, rows: str, *options: str) -> tuple[int, str, str]:
        (self.folder / "usage.csv").write_text(HEADER + rows)
        files = ["--plans", str(self.folder / "plans.toml")]
        files += ["--usage", str(self.folder / "usage.csv")]
        files += ["--db", str(self.db)] if command == "close" else []
        status = main([command, *files, *options])
        printed = self.capsys.readouterr()
        here = f"{self.folder}{os.sep}"
        return status, printed.out.replace(here, ""), printed.err.replace(here, "")

    def bills(self, command: str, rows: str, *options: str) -> list[tuple[str, str, int, str]]:
        """Return org, month, limit and total of the periods that are wanted."""
        assert self.run(command, rows, *options)[0] == 0
        if command == "close":
            with self.open() as repository:
                wanted = [bill for bill in self.made if bill.is_wanted]
                settled = [repository.settled(bill.org_id, bill.period) for bill in wanted]
            self.rated = [each.statement for each in settled if each is not None]
            assert [statement.total for statement in self.rated] == [bill.total for bill in wanted]
        return [
            (s.org_id, s.period.describe()[:7], int(s["tokens"].limit or 0), str(s.total.amount))
            for s in self.rated
        ]

    def recorded(self, org_id: str, period: Period) -> int:
        with self.open() as repository:
            found = repository.summary(org_id, period)
        return found.total.minor if found else 0

    def calculated(self, org_id: str, period: Period) -> int:
        """Return what a service makes of what is closed."""
        with self.open() as repository:
            service = OverageService(repository, clock=lambda: period.start)
            statement = service.calculate(org_id, period)
        assert statement is not None
        return statement.total.minor


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    desk, bill, rated = Desk(tmp_path, capsys), rate.bill, rate.rate

    def seen(*args: Any, **named: Any) -> list[Bill]:
        desk.made = bill(*args, **named)
        return desk.made

    def printed(args: Namespace) -> list[Statement]:
        desk.rated = rated(args)
        return desk.rated

    monkeypatch.setattr(close, "bill", seen)
    monkeypatch.setattr(rate, "rate", printed)
    return desk


either = pytest.mark.parametrize("command", ["rate", "close"])
THREE = row("a", 400, 1) + row("a", 550, 2) + row("a", 700, 3)


@either
def test_periods_of_a_file_are_settled_one_after_another(desk: Desk, command: str) -> None:
    assert desk.bills(command, THREE + row("b", 600, 2)) == [
        ("a", "2024-01", 500, "0.00"),
        ("a", "2024-02", 600, "0.00"),
        ("a", "2024-03", 550, "15.00"),
        ("b", "2024-02", 500, "10.00"),
    ]


@either
def test_a_period_without_usage_counts_between_others(desk: Desk, command: str) -> None:
    rows = row("a", 400, 1) + row("a", 1_200, 3)
    assert desk.bills(command, rows) == [
        ("a", "2024-01", 500, "0.00"),
        ("a", "2024-03", 1_100, "10.00"),
    ]


@either
def test_an_allowance_for_a_year_is_drawn_by_its_months(desk: Desk, command: str) -> None:
    desk.write(PLANS.replace(KEPT, YEARLY))
    assert [total for *_, total in desk.bills(command, THREE)] == [
        "0.00", "45.00", "70.00",
    ]  # fmt: skip


@either
def test_only_usage_or_since_begins_what_is_carried_over(desk: Desk, command: str) -> None:
    desk.accounts(
        '[accounts.a]\nplan = "rolling"\nsince = 2024-03-01T00:00:00Z\n'
        '[accounts.b]\nplan = "rolling"\nsince = 2023-12-05T00:00:00Z\n'
    )
    rows = row("a", 600, 3) + row("b", 600, 2) + row("c", 1, 1)
    limits = {(org, month): limit for org, month, limit, _ in desk.bills(command, rows)}
    assert ("a", "2024-01") not in limits
    assert limits["a", "2024-03"] == 500
    short = 435  # of December: 500 x 27/31
    assert (limits["b", "2024-01"], limits["b", "2024-02"]) == (500 + short, 1_000 + short)


@either
def test_one_period_rests_on_the_earlier_ones_of_the_file(desk: Desk, command: str) -> None:
    assert desk.bills(command, THREE, "--period", "2024-03") == [("a", "2024-03", 550, "15.00")]
    err = desk.run(command, THREE + row("a", 1, 4), "--period", "2024-03")[1]
    assert err.endswith("left out: 1\n")


@either
def test_one_period_without_the_earlier_ones_is_refused(desk: Desk, command: str) -> None:
    status, err = desk.run(command, row("a", 700, 3), "--period", "2024-03")
    assert status == 1
    assert err == (
        "usage.csv: a, 2024-03-01 to 2024-04-01 UTC: plan: keeps what earlier periods left, and"
        " none of this org's are known: give their events, too, or close them first; say in its"
        " account since when it has the plan, if this period is the first; or leave --period out,"
        " if the file has all there is, got 'rolling'\n"
    )
    if command == "close":
        with desk.open() as repository:
            assert list(repository.orgs()) == []


@either
def test_one_period_is_the_first_if_the_account_says_so(desk: Desk, command: str) -> None:
    desk.accounts('[accounts.a]\nplan = "rolling"\nsince = 2024-03-05T00:00:00Z\n')
    bills = desk.bills(command, row("a", 700, 3), "--period", "2024-03")
    assert bills == [("a", "2024-03", 435, "26.50")]  # 500 x 27/31, of a short period


@either
def test_a_year_begins_without_the_one_before(desk: Desk, command: str) -> None:
    desk.write(PLANS.replace(KEPT, YEARLY))
    bills = desk.bills(command, row("a", 700, 1), "--period", "2024-01")
    assert bills == [("a", "2024-01", 500, "20.00")]
    assert desk.run("rate", row("a", 700, 2), "--period", "2024-02")[0] == 1


@either
def test_one_period_must_be_made_of_the_orgs_own(desk: Desk, command: str) -> None:
    status, err = desk.run(command, THREE, "--period", "2024-02-15/2024-03-15")
    assert status == 1
    assert err == (
        "--period: a: period: must be one of the org's own,"
        " 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z and 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z,"
        " got '2024-02-15T00:00:00Z/2024-03-15T00:00:00Z'\n"
    )


@either
def test_orgs_on_other_plans_need_nothing_earlier(desk: Desk, command: str) -> None:
    desk.accounts('[accounts.p]\nplan = "plain"\nsince = 2024-01-01T00:00:00Z\n')
    rows = THREE + row("p", 900, 1) + row("p", 200, 3)
    assert desk.bills(command, rows, "--period", "2024-03") == [
        ("a", "2024-03", 550, "15.00"),
        ("p", "2024-03", 100, "10.00"),
    ]
    assert desk.run(command, rows, "--period", "2024-03")[1].endswith("left out: 1\n")


@either
def test_what_is_wrong_in_an_earlier_period_is_named(desk: Desk, command: str) -> None:
    rows = row("a", 400, 1).replace("tokens", "words") + row("a", 550, 2)
    status, err = desk.run(command, rows, "--period", "2024-02")
    assert status == 1
    assert err == (
        "usage.csv: a, 2024-01-01 to 2024-02-01 UTC: "
        "usage.quantities.words: 'words' is not in plan 'rolling', whose metrics are: tokens\n"
    )


def test_an_org_without_a_plan_is_named(desk: Desk) -> None:
    desk.accounts('[accounts.a]\nplan = "rolling"\nsince = 2024-01-01T00:00:00Z\n')
    path = desk.folder / "plans.toml"
    path.write_text(path.read_text().replace('default_plan = "rolling"', ""))
    status, err = desk.run("rate", THREE + row("b", 1, 3), "--period", "2024-03")
    assert status == 1
    assert "b, 2024-03-01 to 2024-04-01 UTC: org_id: has no account" in err


def test_months_that_are_closed_by_themselves_rest_on_the_database(desk: Desk) -> None:
    desk.run("close", row("a", 400, 1))
    february = desk.bills("close", row("a", 550, 2), "--period", "2024-02")
    march = desk.bills("close", row("a", 700, 3))
    assert february == [("a", "2024-02", 600, "0.00")]
    assert march == [("a", "2024-03", 550, "15.00")]
    assert desk.recorded("a", MARCH) == desk.calculated("a", MARCH) == 1500


def test_an_org_that_a_database_in_use_does_not_know_is_new(desk: Desk) -> None:
    desk.run("close", row("a", 400, 1))
    rows = row("a", 550, 2) + row("b", 600, 2) + row("c", 700, 2)
    assert desk.bills("close", rows, "--period", "2024-02") == [
        ("a", "2024-02", 600, "0.00"),
        ("b", "2024-02", 500, "10.00"),
        ("c", "2024-02", 500, "20.00"),
    ]


def test_a_database_of_the_same_period_alone_does_not_do(desk: Desk) -> None:
    with desk.open() as repository:
        repository.put_account(Account("a", plan="rolling", since=FEBRUARY.start))
        repository.put_usage(Usage("a", FEBRUARY, {"tokens": 1}))
    assert desk.run("close", row("a", 550, 2), "--period", "2024-02")[0] == 1


def test_earlier_usage_of_the_file_is_kept_where_the_database_has_none(desk: Desk) -> None:
    desk.run("close", row("a", 400, 1))
    rows = row("a", 1, 1) + row("a", 650, 2) + row("a", 700, 3)
    options = ["--period", "2024-03"]
    assert desk.bills("close", rows, *options) == [("a", "2024-03", 500, "20.00")]
    with desk.open() as repository:
        used = [repository.usage("a", month).quantities for month in (JANUARY, FEBRUARY, MARCH)]
    assert used == [{"tokens": 400}, {"tokens": 650}, {"tokens": 700}]
    assert desk.recorded("a", FEBRUARY) == 500
    assert desk.calculated("a", MARCH) == 2000


def test_an_earlier_period_that_is_billed_along_is_told(desk: Desk) -> None:
    rows = row("a", 650, 2) + row("a", 700, 3)
    assert desk.run("close", rows, "--period", "2024-03") == (
        0,
        "overages.db: a, 2024-02-01 to 2024-03-01 UTC: closed too, 15.00 USD\n",
    )


def test_a_period_that_no_longer_follows_is_told_unless_it_is_corrected_too(desk: Desk) -> None:
    desk.run("close", THREE)
    january = row("a", 480, 1)
    assert desk.run("close", january, "--force") == (
        0,
        "overages.db: a, 2024-02-01 to 2024-03-01 UTC: comes to something else now\n",
    )
    status, err = desk.run("close", january + row("a", 550, 2) + row("a", 700, 3), "--force")
    assert (status, err) == (0, "")
    assert desk.recorded("a", MARCH) == desk.calculated("a", MARCH) == 2000


def test_an_earlier_period_is_settled_by_the_terms_of_its_time(desk: Desk) -> None:
    terms = Plan("rolling", "USD", {"tokens": Allowance(900, PerUnit(1), carry_over=CarryOver())})
    with desk.open() as repository:
        repository.put_usage(Usage("a", FEBRUARY, {"tokens": 400}))
        repository.put_plan(terms)
        repository.put_account(Account("a", plan="rolling", since=FEBRUARY.start))
    bills = desk.bills("close", row("a", 1_100, 3), "--period", "2024-03")
    assert bills == [("a", "2024-03", 1_000, "10.00")]
    assert desk.calculated("a", MARCH) == 1000


def test_a_plan_that_is_in_force_later_holds_by_the_file_before(desk: Desk) -> None:
    later = Plan("rolling", "USD", {"tokens": Allowance(900, PerUnit(1))})
    with desk.open() as repository:
        repository.put_plan(later, since=MARCH.start)
    rows = row("a", 600, 2) + row("a", 1_000, 3)
    assert desk.bills("close", rows) == [
        ("a", "2024-02", 500, "10.00"),
        ("a", "2024-03", 900, "100.00"),
    ]


def test_earlier_usage_of_a_plan_that_the_database_has_not_is_settled_by_the_file(
    desk: Desk,
) -> None:
    with desk.open() as repository:
        repository.put_usage(Usage("a", JANUARY, {"tokens": 400}))
        repository.put_account(Account("a", plan="rolling", since=SINCE))
    bills = desk.bills("close", row("a", 550, 2), "--period", "2024-02")
    assert bills == [("a", "2024-02", 600, "0.00")]
    assert desk.calculated("a", FEBRUARY) == 0


def test_closing_again_writes_nothing(desk: Desk) -> None:
    desk.run("close", THREE)
    before = desk.db.read_bytes()
    desk.run("close", THREE)
    desk.run("close", row("a", 700, 3), "--period", "2024-03")
    assert desk.db.read_bytes() == before


def test_no_earlier_event_is_counted_where_no_plan_keeps(desk: Desk) -> None:
    desk.write(PLANS.replace(KEPT, ""))
    err = desk.run("rate", THREE, "--period", "2024-03")[1]
    assert err.endswith("left out: 2\n")


def test_since_is_kept_with_the_account(desk: Desk) -> None:
    desk.accounts('[accounts.a]\nplan = "rolling"\nsince = 2024-01-05T00:00:00Z\n')
    desk.run("close", THREE)
    with desk.open() as repository:
        account = repository.account("a")
    assert account is not None
    assert account.since == datetime(2024, 1, 5, tzinfo=UTC)
    assert desk.calculated("a", APRIL) == 0


def test_an_org_of_which_nothing_is_left_at_first_begins_with_that_period(desk: Desk) -> None:
    assert desk.bills("rate", row("a", 5, 1) + row("a", -5, 1, 11) + row("a", 1_010, 2)) == [
        ("a", "2024-01", 500, "0.00"),
        ("a", "2024-02", 1_000, "1.00"),
    ]


def test_usage_of_a_time_that_a_period_cuts_is_named(desk: Desk) -> None:
    odd = Period(datetime(2024, 2, 20, tzinfo=UTC), datetime(2024, 3, 20, tzinfo=UTC))
    with desk.open() as repository:
        repository.put_usage(Usage("a", odd, {"tokens": 5}))
    status, err = desk.run("close", row("a", 5, 3))
    assert status == 1
    assert err.startswith("overages.db: a, 2024-03-01 to 2024-04-01 UTC: usage")
    assert str(odd) in err
