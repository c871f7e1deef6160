"""Plan files: accounts, and the plan of an org that has none."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.plan_files import MINIMAL, faults
from tests.since import SINCE

from overages import Account, Allowance, CarryOver, Cycle, Discount, Money, Period, PerUnit, Plan
from overages._ground.value import evolve
from overages.errors import NoTerms, UnknownPlan
from overages.imports.plan_files.versions import PlanVersion
from overages.imports.plans import read_plans

FEB = Period.month(2024, 2)


def test_the_only_plan_is_the_default_where_there_is_no_account() -> None:
    book = read_plans(MINIMAL)
    assert book.terms("anyone", FEB) == (book.plans["p"], {})


def test_an_account_has_its_plan_and_limits_and_others_have_none() -> None:
    book = read_plans(
        MINIMAL
        + '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\nlimits = { m = "7.5" }'
    )
    assert book.terms("acme", FEB) == (book.plans["p"], {"m": Decimal("7.5")})
    with pytest.raises(UnknownPlan, match=r"org_id: has no account, .*, got 'other'"):
        book.terms("other", FEB)


def test_an_account_has_a_status_and_a_cycle_if_it_says_so() -> None:
    book = read_plans(
        MINIMAL
        + """
        [accounts]
        usual = { plan = "p", since = 2024-01-01T00:00:00Z }
        late = { plan = "p", status = "past_due", since = 2024-01-31T00:00:00Z }
        [accounts.acme]
        plan = "p"
        since = 2024-01-01T00:00:00Z
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
        "usual": Account("usual", "p", since=SINCE),
        "late": Account("late", "p", status="past_due", since=anchor),
        "acme": Account(
            "acme", "p", limits={"m": 7}, status="trial", cycle=fortnights, since=SINCE
        ),
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
            [
                "cycle.anchor: must have a timezone: write 2024-01-31T00:00:00Z for UTC, "
                "got 2024-01-31T00:00:00"
            ],
        ),
        (
            "cycle = { anchor = 2024-01-31 }",
            ["cycle.anchor: must be an instant: write 2024-01-31T00:00:00Z, got 2024-01-31"],
        ),
        (
            "cycle = { anchor = '2024-01-31T00:00:00' }",
            [
                "cycle.anchor: must have a timezone, such as a Z at its end, "
                "got '2024-01-31T00:00:00'"
            ],
        ),
        (
            "since = 2024-01-31",
            ["since: must be an instant: write 2024-01-31T00:00:00Z, got 2024-01-31"],
        ),
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
    since = "" if toml.startswith("since") else "since = 2024-01-01T00:00:00Z"
    found = faults(f'{MINIMAL}[accounts.acme]\nplan = "p"\n{since}\n{toml}')
    assert sorted(found) == sorted(f"accounts.acme.{fault}" for fault in faulty)


def test_a_book_says_which_orgs_are_on_a_plan_that_keeps_something() -> None:
    book = read_plans(MINIMAL + '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z')
    assert not book.needs_balance
    rolling = Plan("q", "USD", {"m": Allowance(5, PerUnit(1), carry_over=CarryOver())})
    accounts = {**book.accounts, "globex": Account("globex", "q", since=SINCE)}
    book = evolve(book, versions={**book.versions, "q": [PlanVersion(rolling)]}, accounts=accounts)
    assert book.needs_balance
    assert [book.needs_balance_for(org) for org in ("acme", "globex", "other")] == [
        False,
        True,
        False,
    ]
    assert evolve(book, default_plan="q").needs_balance_for("other")


def test_the_default_plan_is_for_orgs_without_an_account() -> None:
    book = read_plans(
        'default_plan = "p"\n'
        + MINIMAL
        + '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z'
    )
    assert book.terms("other", FEB) == (book.plans["p"], {})


CHANGED = """
[plans.q]
currency = "USD"
allowances.m = { included = 50, price = { model = "per_unit", price = "0.10" } }
[accounts.acme]
plan = "p"
since = 2024-01-10T00:00:00Z
limits = { m = "unlimited" }
plan_version = 1
[[accounts.acme.changes]]
since = 2024-02-12T00:00:00Z
plan = "q"
drop_limits = ["m"]
[[accounts.acme.changes]]
since = 2024-03-15T00:00:00Z
limits = { m = 7 }
cycle = { anchor = 2024-03-15T00:00:00Z }
[[accounts.acme.changes]]
since = 2024-05-20T00:00:00Z
kind = "end"
[[accounts.acme.changes]]
since = 2024-06-01T00:00:00Z
plan = "p"
limits = { m = "unlimited" }
[[accounts.acme.changes]]
since = 2024-06-01T00:00:00Z
kind = "cancel"
"""


def instant(month: int, day: int) -> datetime:
    return datetime(2024, month, day, tzinfo=UTC)


def test_an_account_has_a_history_of_all_kinds_of_entries() -> None:
    book = read_plans(MINIMAL + CHANGED)
    account = (
        Account("acme", "p", instant(1, 10), {"m": None}, plan_version=1)
        .changed(since=instant(2, 12), plan="q", drop_limits=["m"])
        .changed(since=instant(3, 15), limits={"m": 7}, cycle=Cycle(instant(3, 15)))
        .ended(at=instant(5, 20))
        .changed(since=instant(6, 1), plan="p", limits={"m": None})
        .cancelled(since=instant(6, 1))
    )
    assert book.accounts["acme"] == account
    january = Period(instant(1, 10), instant(2, 1))
    assert book.terms("acme", january) == (book.plans["p"], {"m": None})
    assert book.terms("acme", FEB) == (book.plans["q"], {})
    with pytest.raises(NoTerms, match="period: must be when the org has terms"):
        book.terms("acme", Period.month(2024, 6))


def test_a_book_knows_each_plan_that_an_account_is_ever_on() -> None:
    book = read_plans(MINIMAL + CHANGED)
    q = evolve(book.plans["q"].allowances["m"], carry_over=CarryOver())
    book = evolve(book, versions={**book.versions, "q": [PlanVersion(Plan("q", "USD", {"m": q}))]})
    assert book.needs_balance_for("acme")


@pytest.mark.parametrize(
    ("toml", "faulty"),
    [
        (
            "plan = 'r'",
            ["changes[0].plan: must be one of the plans, here or in the database, p: the"],
        ),
        (
            "limits = { x = 1 }\n[[accounts.acme.changes]]\nsince = 2024-03-01T00:00:00Z\n"
            "limits = { x = 2 }",
            ["changes[0].limits.x: 'x' is not in plan 'p', whose metrics are: m"],
        ),
        ("limits = { m = 'endless' }", ['changes[0].limits.m: must be a number, or "unlimited"']),
        ("kind = 'pause'", ["changes[0].kind: must be one of change, end, cancel, got 'pause'"]),
        ("kind = 'cancel'", ["changes[0].since: must be that of an entry before it, which it"]),
        ("", ["changes[0].plan: must be given, or another of the terms"]),
    ],
)
def test_every_fault_of_an_entry_is_named_by_its_path(toml: str, faulty: list[str]) -> None:
    account = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
    entry = "[[accounts.acme.changes]]\nsince = 2024-02-01T00:00:00Z\n"
    told = faults(f"{MINIMAL}{account}{entry}{toml}")
    assert len(told) == len(faulty)
    for fault, beginning in zip(told, faulty, strict=True):
        assert fault.startswith(f"accounts.acme.{beginning}")


def test_a_limit_that_a_later_plan_does_not_know_is_named_where_it_is_set() -> None:
    other = MINIMAL.replace("plans.p", "plans.r").replace("allowances.m", "allowances.n")
    account = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\nlimits = { m = 1 }\n'
    moved = "[[accounts.acme.changes]]\nsince = 2024-02-01T00:00:00Z\nplan = 'r'\n"
    (told,) = faults(f"{MINIMAL}{other}{account}{moved}")
    assert told.startswith("accounts.acme.limits.m: 'm' is not in plan 'r'")
    read_plans(f"{MINIMAL}{other}{account}{moved}drop_limits = ['m']")


OWN = """
[accounts.acme]
plan = "p"
since = 2024-01-01T00:00:00Z
status = "trial"
minimum = { amount = "50.00", currency = "USD" }
[[accounts.acme.discounts]]
name = "gift"
amount = { amount = 5, currency = "USD" }
[[accounts.acme.changes]]
since = 2024-02-12T00:00:00Z
status = "active"
discounts = [{ name = "partner", percent = 10 }]
drop_discounts = ["gift"]
drop_bounds = ["minimum"]
"""


def test_an_account_has_discounts_and_bounds_whose_amounts_say_their_currency() -> None:
    gift, partner = Discount("gift", amount=Money(500, "USD")), Discount("partner", percent=10)
    account = Account(
        "acme", "p", SINCE, status="trial", minimum=Money(5_000, "USD"), discounts=[gift]
    ).changed(
        since=instant(2, 12), status="active", discounts=[partner], drop_discounts=["gift"],
        drop_bounds=["minimum"],
    )  # fmt: skip
    assert read_plans(MINIMAL + OWN).accounts["acme"] == account


@pytest.mark.parametrize(
    ("was", "then", "fault"),
    [
        (
            'minimum = { amount = "50.00", currency = "USD" }',
            "minimum = 50",
            "minimum: must be a mapping, got 50",
        ),
        ('"50.00", currency = "USD"', '"50.00", currency = "EUR"', "minimum: USD and EUR can't"),
        (
            'amount = 5, currency = "USD"',
            "amount = 5",
            "discounts[0].amount.currency: must be given",
        ),
        ('amount = "50.00"', 'amount = "50.005"', "minimum.amount: must have at most 2 decimals"),
    ],
)
def test_an_amount_of_an_account_is_one_of_its_plans_currency(
    was: str, then: str, fault: str
) -> None:
    assert OWN.count(was) == 1
    (told,) = faults(MINIMAL + OWN.replace(was, then))
    assert told.startswith(f"accounts.acme.{fault}")


def test_an_amount_is_refused_by_the_plan_that_it_holds_with_and_told_once() -> None:
    euros = MINIMAL.replace("plans.p", "plans.e").replace("USD", "EUR")
    moved = '[[accounts.acme.changes]]\nsince = 2024-02-01T00:00:00Z\nplan = "e"\n'
    again = '[[accounts.acme.changes]]\nsince = 2024-02-05T00:00:00Z\nstatus = "active"\n'
    ended = '[[accounts.acme.changes]]\nsince = 2024-02-03T00:00:00Z\nkind = "end"\n'
    assert faults(MINIMAL + euros + OWN + ended + moved + again) == [
        f"accounts.acme.{amount}: EUR and USD can't be added or compared"
        for amount in ("discounts[0].amount", "minimum")
    ]
    gone = moved + 'drop_bounds = ["minimum"]\ndrop_discounts = ["gift"]\n'
    read_plans(MINIMAL + euros + OWN + ended + gone + again)
