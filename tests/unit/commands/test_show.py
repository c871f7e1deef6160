"""``overages show``: a table of records."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from tests.recorded import recorded, stored

from overages import (
    Account,
    Allowance,
    Balance,
    Discount,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    SqliteRepository,
    Usage,
    calculate,
    settle,
)
from overages.__main__ import main
from overages.commands.show import explain

FEBRUARY = Period.month(2024, 2)
PLAN = Plan(
    "p",
    "USD",
    {"tokens": Allowance(100, PerUnit("0.01"), discounts=[Discount("launch", percent=50)])},
    minimum=Money(500, "USD"),
)


def test_each_line_is_named() -> None:
    records = recorded(calculate(PLAN, Usage("org-1", FEBRUARY, {"tokens": 500})))
    assert explain("org-1", FEBRUARY, records) == (
        "Records of org-1, 2024-02-01 to 2024-03-01 UTC\n"
        "\n"
        "revision  metric                  over  unit price  exact       cost\n"
        "1         tokens                   400        0.01      4   4.00 USD\n"
        "1         tokens.discount:launch     0                 -2  -2.00 USD\n"
        "1         minimum                    0                  3   3.00 USD\n"
        "total                                                       5.00 USD"
    )


def test_a_correction_may_have_no_unit_price_and_no_decimal() -> None:
    record = stored(
        "org-1", FEBRUARY, "gb", quantity="-1.5", cost=Money(-33, "USD"), exact_cost=Fraction(-1, 3)
    )
    assert explain("org-1", FEBRUARY, [record]).splitlines()[3] == (
        "1         gb      -1.5               -1/3  -0.33 USD"
    )


def test_the_line_of_a_part_is_named_by_its_start() -> None:
    def title(line: str) -> str:
        record = stored(
            "org-1", FEBRUARY, "gb", quantity=1, cost=Money(1, "USD"), exact_cost=1, line=line
        )
        return explain("org-1", FEBRUARY, [record]).splitlines()[3]

    assert title("overage:2024-02-12T00:00:00Z").startswith("1         gb from 2024-02-12  ")
    assert title("overage:2024-02-12T06:30:00Z").startswith(
        "1         gb from 2024-02-12T06:30:00Z  "
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of orgs without records."""
    path = tmp_path / "overages.db"
    with SqliteRepository(path) as repository:
        repository.put_plan(PLAN)
        service = OverageService(repository, lambda: datetime(2024, 3, 20, tzinfo=UTC))
        for org_id in ("new", "moved"):
            repository.put_account(Account(org_id, "p", since=FEBRUARY.start))
        service.put_opening_balance("moved", Balance())
        no_minimum = Plan("q", "USD", {"tokens": PLAN.allowances["tokens"]})
        repository.put_plan(no_minimum)
        for period in (FEBRUARY, Period.month(2024, 3)):
            usage = Usage("closed", period, {})
            account = Account("closed", "q", since=FEBRUARY.start)
            settlement = settle(account, {"q": no_minimum}, period, usage)
            repository.close_period(settlement, closed_at=period.end)
    return path


@pytest.mark.parametrize(
    ("org_id", "said"),
    [
        ("new", "there is no record of 'new', which has an account"),
        ("moved", "there is no record of 'moved', which has an account and 1 closing"),
        ("closed", "there is no record of 'closed', which has 2 closings"),
        ("move", "nothing is recorded of 'move' (did you mean 'moved'?)"),
        ("other", "nothing is recorded of 'other'"),
    ],
)
@pytest.mark.parametrize("command", ["show", "verify"])
def test_an_org_without_records_is_known_by_all_that_it_has(
    path: Path, capsys: pytest.CaptureFixture[str], command: str, org_id: str, said: str
) -> None:
    assert main([command, "--db", str(path), "--org", org_id]) == 0
    assert capsys.readouterr().err == f"{path}: {said}\n"
