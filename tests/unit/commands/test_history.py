"""Plans whose periods depend on earlier ones, over the command line: ``rate`` and ``close``."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.since import SINCE

from overages import (
    Account,
    Allowance,
    CarryOver,
    Cycle,
    MemoryRepository,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Usage,
)
from overages.__main__ import main
from overages._ground.value import evolve
from overages.commands import close, rate
from overages.commands.history import History
from overages.commands.inputs import load_plans
from overages.errors import InvalidValue
from overages.imports.plans import PlanBook
from overages.statements.statement import Statement

PLANS = """
default_plan = "rolling"
[plans.rolling]
currency = "USD"
allowances.tokens = { included = 500, price = { model = "per_unit", price = "0.10" } }
[plans.plain]
currency = "USD"
allowances.tokens = { included = 100, price = { model = "per_unit", price = "0.10" } }
"""
HEADER = "org_id,metric,quantity,timestamp,event_id\n"
JANUARY, FEBRUARY, MARCH, APRIL = (Period.month(2024, month) for month in (1, 2, 3, 4))
YEARS = Cycle.calendar("year")


def row(org_id: str, used: int, month: int, day: int = 10) -> str:
    return f"{org_id},tokens,{used},2024-{month:02}-{day:02}T00:00:00Z,{month}-{day}\n"


class Desk:
    """A folder with plans and usage, and what is closed; plan ``rolling`` keeps what is unused."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.db, self.capsys = folder, folder / "overages.db", capsys
        self.repository = MemoryRepository()
        self.statements: list[Statement] = []
        self.accounts("")
        self.price = "0.10"
        self.yearly = False

    def accounts(self, toml: str) -> None:
        (self.folder / "plans.toml").write_text(PLANS + toml)

    def load(self, path: Path, zone: None) -> PlanBook:
        book = load_plans(path, zone)
        tokens = Allowance(500, PerUnit(self.price), carry_over=CarryOver())
        if self.yearly:
            tokens = Allowance(500, PerUnit(self.price), included_for=YEARS)
        rolling = Plan("rolling", "USD", {"tokens": tokens})
        return evolve(book, plans={**book.plans, "rolling": rolling})

    def run(self, command: str, rows: str, *options: str) -> tuple[int, str]:
        (self.folder / "usage.csv").write_text(HEADER + rows)
        files = ["--plans", str(self.folder / "plans.toml")]
        files += ["--usage", str(self.folder / "usage.csv")]
        files += ["--db", str(self.db)] if command == "close" else []
        self.statements = []
        status = main([command, *files, *options])
        printed = self.capsys.readouterr()
        return status, printed.err.replace(f"{self.folder}{os.sep}", "")

    def bills(self, command: str, rows: str, *options: str) -> list[tuple[str, str, object, str]]:
        assert self.run(command, rows, *options)[0] == 0
        return [
            (s.org_id, s.period.describe()[:7], s["tokens"].limit, str(s.total))
            for s in self.statements
        ]

    def recorded(self, org_id: str, period: Period) -> int:
        found = self.repository.summary(org_id, period)
        return found.total.minor if found else 0

    def calculated(self, org_id: str, period: Period) -> int:
        """Return what a service makes of what is closed."""
        service = OverageService(self.repository, clock=lambda: period.start)
        statement = service.calculate(org_id, period)
        assert statement is not None
        return statement.total.minor


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    desk = Desk(tmp_path, capsys)
    total = rate.grand_total

    def opened(path: str) -> AbstractContextManager[MemoryRepository]:
        Path(path).touch()
        return nullcontext(desk.repository)

    monkeypatch.setattr(close, "SqliteRepository", opened)

    def seen(statements: list[Statement]) -> str:
        desk.statements = statements
        return total(statements)

    for module in (rate, close):
        monkeypatch.setattr(module, "load_plans", desk.load)
        monkeypatch.setattr(module, "grand_total", seen)
    return desk


either = pytest.mark.parametrize("command", ["rate", "close"])
THREE = row("a", 400, 1) + row("a", 550, 2) + row("a", 700, 3)


@either
def test_periods_of_a_file_are_settled_one_after_another(desk: Desk, command: str) -> None:
    assert desk.bills(command, THREE + row("b", 600, 2)) == [
        ("a", "2024-01", 500, "0.00 USD"),
        ("a", "2024-02", 600, "0.00 USD"),
        ("a", "2024-03", 550, "15.00 USD"),
        ("b", "2024-02", 500, "10.00 USD"),
    ]


@either
def test_a_period_without_usage_counts_between_others(desk: Desk, command: str) -> None:
    rows = row("a", 400, 1) + row("a", 1_200, 3)
    assert desk.bills(command, rows) == [
        ("a", "2024-01", 500, "0.00 USD"),
        ("a", "2024-03", 1_100, "10.00 USD"),
    ]


@either
def test_an_allowance_for_a_year_is_drawn_by_its_months(desk: Desk, command: str) -> None:
    desk.yearly = True
    assert [total for *_, total in desk.bills(command, THREE)] == [
        "0.00 USD", "45.00 USD", "70.00 USD",
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
    assert desk.bills(command, THREE, "--period", "2024-03") == [("a", "2024-03", 550, "15.00 USD")]
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
    assert not desk.db.exists()


@either
def test_one_period_is_the_first_if_the_account_says_so(desk: Desk, command: str) -> None:
    desk.accounts('[accounts.a]\nplan = "rolling"\nsince = 2024-03-05T00:00:00Z\n')
    bills = desk.bills(command, row("a", 700, 3), "--period", "2024-03")
    assert bills == [("a", "2024-03", 435, "26.50 USD")]  # 500 x 27/31, of a short period


@either
def test_a_year_begins_without_the_one_before(desk: Desk, command: str) -> None:
    desk.yearly = True
    bills = desk.bills(command, row("a", 700, 1), "--period", "2024-01")
    assert bills == [("a", "2024-01", 500, "20.00 USD")]
    assert desk.run("rate", row("a", 700, 2), "--period", "2024-02")[0] == 1


@either
def test_one_period_must_start_where_one_of_the_orgs_does(desk: Desk, command: str) -> None:
    status, err = desk.run(command, THREE, "--period", "2024-02-15/2024-03-15")
    assert status == 1
    assert err.endswith(
        "usage.csv: a, 2024-02-15 to 2024-03-15 UTC: period: must start where one of the org's"
        " does, such as 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z, for its plan keeps what earlier"
        " ones left, got '2024-02-15T00:00:00Z/2024-03-15T00:00:00Z'\n"
    )


@either
def test_orgs_on_other_plans_need_nothing_earlier(desk: Desk, command: str) -> None:
    desk.accounts('[accounts.p]\nplan = "plain"\nsince = 2024-01-01T00:00:00Z\n')
    rows = THREE + row("p", 900, 1) + row("p", 200, 3)
    assert desk.bills(command, rows, "--period", "2024-03") == [
        ("a", "2024-03", 550, "15.00 USD"),
        ("p", "2024-03", 100, "10.00 USD"),
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
    assert february == [("a", "2024-02", 600, "0.00 USD")]
    assert march == [("a", "2024-03", 550, "15.00 USD")]
    assert desk.recorded("a", MARCH) == desk.calculated("a", MARCH) == 1500


def test_an_org_that_a_database_in_use_does_not_know_is_new(desk: Desk) -> None:
    desk.run("close", row("a", 400, 1))
    rows = row("a", 550, 2) + row("b", 600, 2)
    assert desk.bills("close", rows, "--period", "2024-02") == [
        ("a", "2024-02", 600, "0.00 USD"),
        ("b", "2024-02", 500, "10.00 USD"),
    ]


def test_a_database_of_the_same_period_alone_does_not_do(desk: Desk) -> None:
    desk.db.touch()
    desk.repository.put_account(Account("a", plan="rolling", since=SINCE))
    desk.repository.put_usage(Usage("a", FEBRUARY, {"tokens": 1}))
    assert desk.run("close", row("a", 550, 2), "--period", "2024-02")[0] == 1


def test_earlier_usage_of_the_file_is_kept_where_the_database_has_none(desk: Desk) -> None:
    desk.run("close", row("a", 400, 1))
    rows = row("a", 1, 1) + row("a", 550, 2) + row("a", 700, 3)
    assert desk.bills("close", rows, "--period", "2024-03") == [("a", "2024-03", 550, "15.00 USD")]
    used = [desk.repository.usage("a", month).quantities for month in (JANUARY, FEBRUARY, MARCH)]
    assert used == [{"tokens": 400}, {"tokens": 550}, {"tokens": 700}]
    assert desk.recorded("a", FEBRUARY) == 0
    assert desk.calculated("a", MARCH) == 1500


def test_an_earlier_period_is_settled_by_the_terms_of_its_time(desk: Desk) -> None:
    desk.db.touch()
    terms = Plan("rolling", "USD", {"tokens": Allowance(900, PerUnit(1), carry_over=CarryOver())})
    desk.repository.put_usage(Usage("a", JANUARY, {"tokens": 5}))
    desk.repository.put_usage(Usage("a", FEBRUARY, {"tokens": 400}))
    desk.repository.put_plan(terms, since=FEBRUARY.start)  # in January, none was in force
    desk.repository.put_account(Account("a", plan="rolling", since=SINCE))
    bills = desk.bills("close", row("a", 1_100, 3), "--period", "2024-03")
    assert bills == [("a", "2024-03", 1_000, "10.00 USD")]
    assert desk.calculated("a", MARCH) == 1000


def test_earlier_usage_of_a_plan_that_the_database_has_not_is_settled_by_the_file(
    desk: Desk,
) -> None:
    desk.db.touch()
    desk.repository.put_account(Account("a", plan="rolling", since=JANUARY.start))
    desk.repository.put_usage(Usage("a", JANUARY, {"tokens": 400}))
    bills = desk.bills("close", row("a", 550, 2), "--period", "2024-02")
    assert bills == [("a", "2024-02", 600, "0.00 USD")]
    assert desk.calculated("a", FEBRUARY) == 0


def test_closing_again_writes_nothing(desk: Desk) -> None:
    desk.run("close", THREE)
    before = desk.repository.records("a")
    desk.run("close", THREE)
    desk.run("close", row("a", 700, 3), "--period", "2024-03")
    assert desk.repository.records("a") == before


@pytest.mark.parametrize("command", ["rate"])
def test_no_org_is_looked_at_where_no_plan_keeps(
    desk: Desk, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError

    load: Callable[..., PlanBook] = load_plans
    monkeypatch.setattr(rate, "load_plans", load)
    monkeypatch.setattr(PlanBook, "needs_balance_for", refused)
    assert desk.run(command, THREE, "--period", "2024-03")[0] == 0


def test_since_is_kept_with_the_account(desk: Desk) -> None:
    desk.accounts('[accounts.a]\nplan = "rolling"\nsince = 2024-01-05T00:00:00Z\n')
    desk.run("close", THREE)
    account = desk.repository.account("a")
    assert account is not None
    assert account.since == datetime(2024, 1, 5, tzinfo=UTC)
    assert desk.calculated("a", APRIL) == 0


def test_an_org_of_which_nothing_is_left_at_first_begins_with_that_period(desk: Desk) -> None:
    assert desk.bills("rate", row("a", 5, 1) + row("a", -5, 1, 11) + row("a", 1_010, 2)) == [
        ("a", "2024-01", 500, "0.00 USD"),
        ("a", "2024-02", 1_000, "1.00 USD"),
    ]


def test_usage_of_a_time_that_is_no_period_of_the_org_is_named(desk: Desk) -> None:
    desk.accounts("")
    book = desk.load(desk.folder / "plans.toml", None)
    odd = Period(JANUARY.start, datetime(2024, 1, 20, tzinfo=UTC))
    desk.repository.put_account(Account("a", "rolling", JANUARY.start).ended(at=odd.end))
    desk.repository.put_usage(Usage("a", odd, {"tokens": 5}))
    march = Usage("a", MARCH, {"tokens": 5})
    with pytest.raises(InvalidValue, match="must be of one of the org's periods, as 2024-01-01"):
        History(book, [march], repository=desk.repository).statement(march)
