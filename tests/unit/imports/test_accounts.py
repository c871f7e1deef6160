"""Plan files: accounts, and the plan of an org that has none."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.plan_files import MINIMAL, faults

from overages import Account, Allowance, CarryOver, Cycle, PerUnit, Plan
from overages._ground.value import evolve
from overages.errors import UnknownPlan
from overages.imports.plans import read_plans


def test_the_only_plan_is_the_default_where_there_is_no_account() -> None:
    book = read_plans(MINIMAL)
    assert book.terms("anyone") == (book.plans["p"], {})


def test_an_account_has_its_plan_and_limits_and_others_have_none() -> None:
    book = read_plans(MINIMAL + '[accounts.acme]\nplan = "p"\nlimits = { m = "7.5" }')
    assert book.terms("acme") == (book.plans["p"], {"m": Decimal("7.5")})
    with pytest.raises(UnknownPlan, match=r"org_id: has no account, .*, got 'other'"):
        book.terms("other")


def test_an_account_has_a_status_and_a_cycle_if_it_says_so() -> None:
    book = read_plans(
        MINIMAL
        + """
        [accounts]
        usual = { plan = "p" }
        late = { plan = "p", status = "past_due", since = 2024-01-31T00:00:00Z }
        [accounts.acme]
        plan = "p"
        limits = { m = 7 }
        status = "trial"
        cycle = { anchor = 2024-01-31T01:00:00+01:00, every = 2, unit = "week", timezone = "UTC" }
        [accounts.text]
        plan = "p"
        cycle = { anchor = "2024-01-31T00:00:00Z", timezone = "Europe/Paris" }
        since = "2024-02-01T00:00:00+01:00"
        """
    )
    anchor = datetime(2024, 1, 31, tzinfo=UTC)
    fortnights = Cycle(anchor, every=2, unit="week")
    assert book.accounts == {
        "usual": Account("usual", "p"),
        "late": Account("late", "p", status="past_due", since=anchor),
        "acme": Account("acme", "p", {"m": 7}, status="trial", cycle=fortnights),
        "text": Account(
            "text",
            "p",
            cycle=Cycle(anchor, timezone="Europe/Paris"),
            since=datetime(2024, 1, 31, 23, tzinfo=UTC),
        ),
    }


@pytest.mark.parametrize(
    ("toml", "faulty"),
    [
        ("cycle = 5", ["cycle: must be a mapping, got 5"]),
        ("cycle = {}", ["cycle.anchor: must be given, got None"]),
        (
            "cycle = { anchor = 2024-01-31T00:00:00Z, zone = 'UTC' }",
            [
                "cycle.zone: isn't known (did you mean 'timezone'?); known here are anchor, every, "
                "unit, timezone, got 'UTC'"
            ],
        ),
        (
            "cycle = { anchor = 2024-01-31T00:00:00 }",
            ["cycle.anchor: must have a timezone, got 2024-01-31T00:00:00"],
        ),
        ("cycle = { anchor = 2024-01-31 }", ["cycle.anchor: must be a datetime, got 2024-01-31"]),
        (
            "cycle = { anchor = '2024-01-31T00:00:00' }",
            [
                "cycle.anchor: must have a timezone, such as a Z at its end, "
                "got '2024-01-31T00:00:00'"
            ],
        ),
        ("since = 2024-01-31", ["since: must be a datetime, got 2024-01-31"]),
        (
            "since = '2024-01-31'\nstatus = 'gone'",
            [
                "since: must be an ISO 8601 time such as 2024-02-01T12:30:00Z, got '2024-01-31'",
                "status: must be one of trial, active, past_due, canceled, got 'gone'",
            ],
        ),
        (
            "limits = { m = -1 }\nstatus = 'gone'\n"
            "cycle = { anchor = 2024-01-31T00:00:00Z, every = 0, unit = 'decade', timezone = 'X' }",
            [
                "limits.m: must not be negative, got -1",
                "cycle.every: must be from 1 to 1,000,000, got 0",
                "cycle.unit: must be one of hour, day, week, month, quarter, year, got 'decade'",
                "cycle.timezone: must be the IANA name of a timezone known here, such as "
                "Europe/Paris, got 'X'",
                "status: must be one of trial, active, past_due, canceled, got 'gone'",
            ],
        ),
    ],
)
def test_every_fault_of_an_account_is_named_by_its_path(toml: str, faulty: list[str]) -> None:
    found = faults(f'{MINIMAL}[accounts.acme]\nplan = "p"\n{toml}')
    assert sorted(found) == sorted(f"accounts.acme.{fault}" for fault in faulty)


def test_a_book_says_which_orgs_are_on_a_plan_that_keeps_something() -> None:
    book = read_plans(MINIMAL + '[accounts.acme]\nplan = "p"')
    assert not book.needs_balance
    rolling = Plan("q", "USD", {"m": Allowance(5, PerUnit(1), carry_over=CarryOver())})
    accounts = {**book.accounts, "globex": Account("globex", "q")}
    book = evolve(book, plans={**book.plans, "q": rolling}, accounts=accounts)
    assert book.needs_balance
    assert [book.needs_balance_for(org) for org in ("acme", "globex", "other")] == [
        False,
        True,
        False,
    ]
    assert evolve(book, default_plan="q").needs_balance_for("other")


def test_the_default_plan_is_for_orgs_without_an_account() -> None:
    book = read_plans('default_plan = "p"\n' + MINIMAL + '[accounts.acme]\nplan = "p"')
    assert book.terms("other") == (book.plans["p"], {})
