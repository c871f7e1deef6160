"""Entries of accounts: what they drop is there, their plans too, and each bill has one currency."""

import pytest
from tests.plan_files import MINIMAL, NOW, applied, faults

from overages import Repository
from overages.errors import OveragesError
from overages.imports.applying import apply, changes_of
from overages.imports.plans import read_plans

ACCOUNT = """
[accounts.acme]
plan = "p"
since = 2024-01-01T00:00:00Z
limits = { m = 7 }
minimum = { amount = 1, currency = "USD" }
discounts = [{ name = "launch", percent = 10 }, { name = "gift", percent = 5 }]
"""
EUROS = MINIMAL.replace("plans.p", "plans.e").replace("USD", "EUR")
ENTRIES = "accounts.acme.changes"


def change(day: str, terms: str) -> str:
    return f"[[accounts.acme.changes]]\nsince = 2024-{day}T00:00:00Z\n{terms}\n"


def refused(text: str, repository: Repository) -> list[str]:
    """Return all that is said of a text that can't be applied."""
    with pytest.raises(OveragesError) as caught:
        apply(changes_of(read_plans(text), repository), repository, NOW)
    return [str(each) for each in caught.value.errors]


# Drops


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        (
            'drop_limits = ["mm", "m"]',
            "drop_limits.mm: must be a limit of its own that the org has then, m (did you mean"
            " 'm'?), got 'mm'",
        ),
        (
            'drop_discounts = ["lanch"]',
            "drop_discounts.lanch: must be a discount of its own that the org has then, launch,"
            " gift (did you mean 'launch'?), got 'lanch'",
        ),
        (
            'drop_bounds = ["maximum"]',
            "drop_bounds.maximum: must be a bound of its own that the org has then, minimum (did"
            " you mean 'minimum'?), got 'maximum'",
        ),
    ],
)
def test_a_drop_of_what_the_org_does_not_have_is_named(terms: str, fault: str) -> None:
    assert faults(MINIMAL + ACCOUNT + change("03-01", terms)) == [f"{ENTRIES}[0].{fault}"]


def test_what_an_org_has_never_had_is_dropped_by_no_entry() -> None:
    account = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
    found = faults(MINIMAL + account + change("03-01", 'drop_bounds = ["minimum"]'))
    assert found == [
        f"{ENTRIES}[0].drop_bounds.minimum: must be a bound of its own that the org has then, of"
        " which it has none, got 'minimum'"
    ]


DROP = 'drop_limits = ["m"]'


@pytest.mark.parametrize(
    "entries",
    [
        change("03-01", DROP),
        change("03-01", "kind = 'end'") + change("04-01", f"plan = 'p'\n{DROP}"),  # go on after it
        change("03-01", DROP) + change("03-01", "limits.m = 8") + change("03-01", DROP),
        change("04-01", DROP) + change("04-01", "kind = 'cancel'") + change("05-01", DROP),
        change("04-01", DROP) + change("03-01", DROP),  # dated back
        change("03-01", "drop_limits = ['mm']") + change("03-01", "kind = 'cancel'"),
    ],
)
def test_a_drop_is_of_what_holds_at_its_instant(repository: Repository, entries: str) -> None:
    applied(MINIMAL + ACCOUNT, repository)
    assert len(applied(MINIMAL + ACCOUNT + entries, repository)) == 1


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        (change("03-01", DROP) + change("04-01", DROP), 1),
        (change("03-01", DROP) + change("03-01", DROP), 1),
        (change("04-01", "limits.m = 8") + change("03-01", DROP) + change("03-15", DROP), 2),
        (change("03-01", DROP) + change("02-01", "limits.m = 8") + change("03-15", DROP), 2),
    ],
)
def test_what_was_dropped_before_is_not_there_any_more(entries: str, place: int) -> None:
    (told,) = faults(MINIMAL + ACCOUNT + entries)
    assert told.startswith(f"{ENTRIES}[{place}].drop_limits.m: must be a limit of its own that the")


def test_an_entry_that_is_kept_stays_and_is_taken_back_by_another(repository: Repository) -> None:
    wrong = change("03-01", "drop_limits = ['mm']")
    book = read_plans(MINIMAL + ACCOUNT + wrong)
    repository.put_plan(book.plans["p"])
    repository.put_account(book.accounts["acme"])  # by a host, or by a version that took it
    mended = wrong + change("03-01", "kind = 'cancel'") + change("03-01", DROP)
    assert applied(ACCOUNT + mended, repository) == [
        "account acme: 2 entries more: takes back the entries of 2024-03-01; drop limits from"
        " 2024-03-01"
    ]


# Plans, of the file or of the database


def test_a_file_with_plans_may_name_those_of_the_database(repository: Repository) -> None:
    applied(EUROS.replace("allowances.m", "allowances.runs"), repository)
    alert = "[alerts.a]\nmetric = 'runs'\nthreshold.percent = 80\n"
    grant = "[grants.acme.g]\namount = 5\nmetric = 'runs'\neffective_at = 2024-02-01T00:00:00Z\n"
    counted = "[metrics.runs]\naggregation = 'max'\n"
    account = '[accounts.acme]\nplan = "e"\nsince = 2024-01-01T00:00:00Z\nlimits.runs = 5\n'
    own = "[org_alerts.acme.b]\nmetric = 'runs'\nthreshold.percent = 80\n"
    budget = "[budgets.acme.c]\nmetric = 'runs'\namount = 5\n"
    named = "default_plan = 'e'\n" + MINIMAL + account + grant + counted + alert + own + budget
    gone = named.replace("runs", "rums").replace("limits.rums", "limits.runs")
    told = refused(gone, repository)
    assert sorted(each.partition(": 'rums' is a metric of no plan")[0] for each in told) == [
        "alerts.a.metric",
        "budgets.acme.c.metric",
        "grants.acme.g.metric",
        "metrics.rums",
        "org_alerts.acme.b.metric",
    ]
    assert len(applied(named, repository)) == 7
    assert read_plans(named).needs_balance_for("acme") is False


def test_the_default_plan_is_one_of_them(repository: Repository) -> None:
    applied(EUROS, repository)
    assert applied("default_plan = 'e'\n", repository) == []
    assert refused("default_plan = 'ee'\n", repository) == [
        "default_plan: must be one of the plans, here or in the database, e (did you mean 'e'?):"
        " the plan comes first, in a file that is applied before, or in this one, got 'ee'"
    ]


def test_a_version_that_an_org_stays_on_is_one_of_the_plans(repository: Repository) -> None:
    account = '[accounts.acme]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
    first = account + "plan_version = 3\n" + change("02-01", "status = 'trial'")
    wrong = "plan_version: must be the number of a version of plan 'p', which has 1, got"
    assert faults(MINIMAL + first) == [f"accounts.acme.{wrong} 3"]
    later = account + change("02-01", "status = 'trial'") + change("03-01", "plan_version = 2")
    assert faults(MINIMAL + later) == [f"{ENTRIES}[1].{wrong} 2"]
    applied(MINIMAL, repository)
    dearer = "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\nallowances.m.price.price = 1\n"
    assert len(applied(MINIMAL + dearer + later, repository)) == 2


def test_a_limit_is_of_a_version_that_the_database_alone_has(repository: Repository) -> None:
    seats = "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\nallowances.seats.included = 5\n"
    seats += 'allowances.seats.price = { model = "per_unit", price = "1.00" }\n'
    applied(MINIMAL + seats, repository)
    account = '[accounts.acme]\nplan = "p"\nsince = 2024-03-01T00:00:00Z\nlimits.seats = 9\n'
    assert len(applied(MINIMAL + account, repository)) == 1


# Currencies


MOVED = 'plan = "e"\ndrop_bounds = ["minimum"]'


def told_of(entry: int, name: str, then: str, got: str) -> str:
    return (
        f"{ENTRIES}[{entry}].{name}: must be a plan in USD, as the one before it in the org's"
        f" period {then}, since a bill has one currency, not EUR as well; or be so from the start"
        f" of the next period, since = 2024-04-01T00:00:00Z, got {got}"
    )


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        (
            change("02-01", "status = 'trial'") + change("03-10", MOVED),
            told_of(1, "plan", "2024-03-01 to 2024-04-01 UTC", "'e'"),
        ),
        (
            change("03-10", "cycle.anchor = 2024-03-01T00:00:00Z\nplan = 'p'")
            + change("03-12", MOVED) + change("03-12", "status = 'active'"),
            told_of(1, "plan", "2024-03-10 to 2024-04-01 UTC", "'e'"),
        ),
    ],
)  # fmt: skip
def test_a_plan_in_another_currency_comes_with_a_period(
    repository: Repository, entries: str, fault: str
) -> None:
    assert refused(MINIMAL + EUROS + ACCOUNT + entries, repository) == [fault]
    assert repository.slugs() == ()


@pytest.mark.parametrize(
    "entries",
    [
        change("04-01", MOVED),
        change("03-10", MOVED + "\ncycle.anchor = 2024-03-10T00:00:00Z"),  # a period of its own
        change("03-10", "kind = 'end'") + change("03-20", MOVED),
        change("03-10", MOVED) + change("03-10", "kind = 'cancel'") + change("04-01", MOVED),
        change("03-10", "plan = 'd'"),
    ],
)
def test_it_is_taken_where_each_bill_has_one(repository: Repository, entries: str) -> None:
    dollars = MINIMAL.replace("plans.p", "plans.d")
    assert len(applied(MINIMAL + EUROS + dollars + ACCOUNT + entries, repository)) == 4


def test_a_version_in_another_currency_is_stayed_on_from_a_period_on(
    repository: Repository,
) -> None:
    later = '[[plans.p.versions]]\nsince = 2025-01-01T00:00:00Z\ncurrency = "EUR"\n'
    entry = change("03-10", 'plan_version = 2\ndrop_bounds = ["minimum"]')
    assert refused(MINIMAL + later + ACCOUNT + entry, repository) == [
        told_of(0, "plan_version", "2024-03-01 to 2024-04-01 UTC", "2")
    ]


def test_a_plan_that_is_not_in_force_then_has_none_yet(repository: Repository) -> None:
    late = EUROS.replace("[plans.e]", "[plans.e]\nsince = 2024-05-01T00:00:00Z")
    assert len(applied(MINIMAL + late + ACCOUNT + change("03-10", MOVED), repository)) == 3


def test_a_period_that_had_two_before_is_no_fault_of_what_comes(repository: Repository) -> None:
    mixed = ACCOUNT + change("03-10", MOVED)
    book = read_plans(MINIMAL + EUROS + mixed)
    for plan in book.plans.values():
        repository.put_plan(plan)
    repository.put_account(book.accounts["acme"])
    assert len(applied(mixed + change("06-01", "status = 'trial'"), repository)) == 1
    moved = mixed + change("06-01", "status = 'trial'") + change("02-10", 'plan = "e"')
    (told,) = refused(moved + change("02-10", 'drop_bounds = ["minimum"]'), repository)
    assert told.startswith(f"{ENTRIES}[2].plan: must be a plan in USD, as the one before it in the")
