"""Applying a book: only what is new is put, and nothing that is kept changes."""

from datetime import UTC, datetime

import pytest
from tests.plan_files import MINIMAL, NOW, applied

from overages import (
    Account,
    Allowance,
    Grant,
    MemoryRepository,
    Metric,
    Money,
    OverageService,
    Period,
    PerUnit,
    Plan,
    Repository,
    evolve,
)
from overages.errors import (
    AccountConflict,
    GrantConflict,
    InvalidValue,
    InvalidValues,
    PeriodClosed,
    PlanConflict,
    UnknownPlan,
)
from overages.imports.applying import apply, changes_of
from overages.imports.plan_files.changes import NewVersion
from overages.imports.plans import read_plans

JANUARY, FEBRUARY, MARCH, APRIL = (datetime(2024, month, 1, tzinfo=UTC) for month in range(1, 5))
DEARER = "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\nallowances.m.price.price = '0.20'\n"
CHEAPER = "[[plans.p.versions]]\nsince = 2024-04-01T00:00:00Z\nallowances.m.price.price = '0.10'\n"
ACCOUNT = '[accounts.acme]\nplan = "p"\nsince = 2024-01-10T00:00:00Z\n'
PRICED = MINIMAL + MINIMAL.splitlines()[-1].replace(".m ", ".a ") + "\n"
PRICED += MINIMAL.splitlines()[-1].replace(".m ", ".b ") + "\n"
GRANT = '[grants.acme.welcome]\namount = 5\nmetric = "m"\neffective_at = 2024-02-01T00:00:00Z\n'


def change(day: str, terms: str) -> str:
    return f"[[accounts.acme.changes]]\nsince = 2024-{day}T00:00:00Z\n{terms}\n"


def refusals(text: str, repository: Repository) -> list[str]:
    """Return all that is said of a text which conflicts with a repository."""
    with pytest.raises((ValueError, LookupError)) as caught:
        changes_of(read_plans(text), repository)
    error = caught.value
    return [str(each) for each in getattr(error, "errors", ())]


def price(repository: Repository, instant: datetime) -> str:
    return str(repository.plan("p", at=instant).allowances["m"].price)


# What is new


def test_all_of_a_book_is_new_to_an_empty_repository(repository: Repository) -> None:
    text = MINIMAL + DEARER + ACCOUNT + "[metrics.m]\naggregation = 'max'\n" + GRANT
    assert applied(text, repository) == [
        "plan p: version 1, in force always",
        "plan p: version 2, in force from 2024-03-01",
        "metric m: new",
        "account acme: new: plan p from 2024-01-10",
        "grant acme/welcome: new",
    ]
    assert price(repository, FEBRUARY) == "PerUnit(price=Decimal('0.1'))"
    assert price(repository, MARCH) == "PerUnit(price=Decimal('0.2'))"
    assert repository.metrics() == (Metric("m", "max"),)
    assert repository.account("acme") == Account("acme", "p", datetime(2024, 1, 10, tzinfo=UTC))
    (note,) = repository.account_notes("acme")
    assert note.noted_at == NOW
    assert repository.grants("acme") == (Grant("welcome", 5, metric="m", effective_at=FEBRUARY),)


def test_finding_changes_writes_nothing(repository: Repository) -> None:
    changes_of(read_plans(MINIMAL + ACCOUNT + GRANT), repository)
    assert list(repository.orgs()) == []
    assert repository.grants("acme") == ()


def test_only_what_is_new_is_put(repository: Repository) -> None:
    applied(MINIMAL + ACCOUNT, repository)
    more = change("03-12", "limits = { m = 7 }\nstatus = 'past_due'")
    more += change("04-01", "kind = 'end'")
    text = MINIMAL + "since = 2024-01-01T00:00:00Z\n" + DEARER + ACCOUNT + more
    assert applied(text, repository) == [
        "plan p: version 2, in force from 2024-03-01",
        "account acme: 2 entries more: limits, status past_due from 2024-03-12; ends on 2024-04-01",
    ]
    more += change("04-01", "kind = 'cancel'")
    assert applied(MINIMAL + DEARER + ACCOUNT + more, repository) == [
        "account acme: 1 entry more: takes back the entries of 2024-04-01",
    ]


def test_an_account_that_begins_as_a_trial_is_told_so(repository: Repository) -> None:
    assert applied(MINIMAL + ACCOUNT + 'status = "trial"\n', repository)[1:] == [
        "account acme: new: plan p from 2024-01-10, status trial"
    ]


def test_the_first_entries_of_many_are_told(repository: Repository) -> None:
    more = "".join(change(f"02-0{day}", f"limits = {{ m = {day} }}") for day in range(1, 6))
    assert applied(MINIMAL + ACCOUNT + more, repository)[1] == (
        "account acme: new: plan p from 2024-01-10; limits from 2024-02-01; limits from "
        "2024-02-02; and 3 more"
    )


def test_what_the_book_lacks_stays(repository: Repository) -> None:
    applied(MINIMAL + DEARER + ACCOUNT + GRANT + "[metrics.m]\naggregation = 'max'", repository)
    assert applied(MINIMAL, repository) == []
    assert repository.account("acme") is not None
    assert len(repository.metrics()) == 1


# Plans


def test_a_changed_price_without_a_since_is_refused(repository: Repository) -> None:
    applied(MINIMAL, repository)
    assert refusals(MINIMAL.replace("0.10", "0.20"), repository) == [
        "plans.p.allowances.m.price: must be PerUnit(price=Decimal('0.1')), as it is kept, in "
        "force always; a change is a version of its own: add [[plans.p.versions]] with the change, "
        "and with since, from when it holds, got PerUnit(price=Decimal('0.2'))"
    ]
    with pytest.raises(PlanConflict):
        changes_of(read_plans(MINIMAL.replace("0.10", "0.20") + DEARER), repository)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("currency", "minimum = 5\ncurrency", "plans.p.minimum: must be left out, as it is kept"),
        (
            "included = 5",
            'included = 6, kind = "flow", proration = "full"',
            "plans.p.allowances.m.included: must be 5, as it is kept, in force always (as must 2 m",
        ),
        ("allowances.m", "allowances.n", "plans.p.allowances.m: must be Allowance(included=5, pr"),
        (
            "allowances.m",
            "allowances.n = { included = 1, price = { model = 'per_unit', price = 1 } }\n"
            "allowances.m",
            "plans.p.allowances.n: must be left out, as it is kept, in force always; a change is",
        ),
    ],
)
def test_the_first_term_that_differs_is_named(
    old: str, new: str, expected: str, repository: Repository
) -> None:
    applied(MINIMAL, repository)
    (fault,) = refusals(MINIMAL.replace(old, new), repository)
    assert fault.startswith(expected)


def test_the_order_of_allowances_is_part_of_a_plan(repository: Repository) -> None:
    n = "allowances.n = { included = 1, price = { model = 'per_unit', price = 1 } }\n"
    applied(MINIMAL + n, repository)
    (fault,) = refusals(MINIMAL.replace("allowances.m", n + "allowances.m"), repository)
    assert fault.startswith("plans.p.allowances: must be ['m', 'n'], as it is kept, in force alwa")


def test_a_first_version_is_compared_with_the_one_in_force_since_its_since(
    repository: Repository,
) -> None:
    applied(MINIMAL + DEARER, repository)
    april = "since = 2024-04-01T00:00:00Z\n"
    assert applied(MINIMAL.replace("0.10", "0.20") + april, repository) == []
    (fault,) = refusals(MINIMAL + april, repository)
    assert "as it is kept, in force from 2024-04-01 on;" in fault


def test_a_first_version_may_come_before_those_that_are_kept(repository: Repository) -> None:
    applied(MINIMAL.replace("0.10", "0.20") + "since = 2024-03-01T00:00:00Z\n", repository)
    assert applied(MINIMAL + "since = 2024-02-01T00:00:00Z\n", repository) == [
        "plan p: version 2, in force from 2024-02-01"
    ]
    assert applied(MINIMAL.replace("0.10", "0.30"), repository) == [
        "plan p: version 3, in force always"
    ]
    assert [price(repository, at)[-7:-3] for at in (JANUARY, FEBRUARY, MARCH)] == [
        "'0.3", "'0.1", "'0.2",
    ]  # fmt: skip


def test_a_version_may_be_dated_before_one_that_is_kept(repository: Repository) -> None:
    applied(MINIMAL + CHEAPER.replace("0.10", "0.30"), repository)
    assert applied(MINIMAL + DEARER, repository) == ["plan p: version 3, in force from 2024-03-01"]
    assert price(repository, MARCH) == "PerUnit(price=Decimal('0.2'))"
    assert price(repository, APRIL) == "PerUnit(price=Decimal('0.3'))"


def test_a_plan_that_comes_back_is_the_version_that_it_was(repository: Repository) -> None:
    applied(MINIMAL, repository)
    assert applied(MINIMAL + DEARER + CHEAPER, repository) == [
        "plan p: version 2, in force from 2024-03-01",
        "plan p: version 1, in force from 2024-04-01",
    ]


def test_a_version_that_changes_nothing_is_not_put(repository: Repository) -> None:
    assert applied(MINIMAL + CHEAPER, repository) == ["plan p: version 1, in force always"]


def test_the_version_of_an_instant_gives_way_to_the_one_put_last(repository: Repository) -> None:
    applied(MINIMAL + DEARER, repository)
    assert applied(MINIMAL + DEARER.replace("0.20", "0.30"), repository) == [
        "plan p: version 3, in force from 2024-03-01"
    ]
    assert price(repository, MARCH) == "PerUnit(price=Decimal('0.3'))"


def test_an_instant_within_a_day_is_told_with_its_time() -> None:
    plan = Plan("p", "USD", {"m": Allowance(5, PerUnit(1))})
    told = str(NewVersion(plan, 2, datetime(2024, 2, 29, 23, tzinfo=UTC)))
    assert told == "plan p: version 2, in force from 2024-02-29 23:00:00 UTC"


# Metrics


def test_a_changed_metric_takes_the_place_of_the_one_before(repository: Repository) -> None:
    applied(MINIMAL + "[metrics.m]\nevent = 'x'\n", repository)
    changed = "[metrics.m]\nevent = 'y'\naggregation = 'count'\n"
    assert applied(MINIMAL + changed, repository) == [
        "metric m: aggregation 'count' in place of 'sum', event 'y' in place of 'x'"
    ]
    assert repository.metrics() == (Metric("m", "count", event="y"),)


def test_metrics_change_together(repository: Repository) -> None:
    one, other = "[metrics.a]\nevent = '{}'\n", "[metrics.b]\nevent = '{}'\n"
    applied(PRICED + one.format("x") + other.format("y"), repository)
    assert len(applied(PRICED + one.format("y") + other.format("x"), repository)) == 2


def test_a_metric_that_clashes_with_a_kept_one_is_refused(repository: Repository) -> None:
    applied(PRICED + "[metrics.a]\nevent = 'x'\n", repository)
    (fault,) = refusals(PRICED + "[metrics.b]\nevent = 'x'\n", repository)
    assert fault.startswith("metrics.b: must not count the same events as 'a', got Metric(name='b'")


# Accounts


def test_another_history_is_refused(repository: Repository) -> None:
    applied(MINIMAL + ACCOUNT, repository)
    other = ACCOUNT.replace("-10T", "-11T")
    with pytest.raises(AccountConflict, match="entries added at its end") as caught:
        changes_of(read_plans(MINIMAL + other), repository)
    assert caught.value.org_id == "acme"


def test_an_account_on_the_default_plan_goes_on(repository: Repository) -> None:
    applied(MINIMAL, repository)
    book = read_plans(MINIMAL)
    repository.put_account(book.account("acme", datetime(2024, 1, 10, tzinfo=UTC)))
    text = MINIMAL + ACCOUNT + change("03-12", "limits = { m = 7 }")
    assert applied(text, repository) == ["account acme: 1 entry more: limits from 2024-03-12"]


def test_nothing_is_put_if_an_entry_would_move_a_closed_period(repository: Repository) -> None:
    applied(
        MINIMAL + ACCOUNT + "[accounts.b]\nplan = 'p'\nsince = 2024-02-01T00:00:00Z", repository
    )
    service = OverageService(repository, clock=lambda: NOW)
    for org_id in ("acme", "b"):
        service.close(org_id, Period(FEBRUARY, MARCH))
    ends = change("02-10", "kind = 'end'")
    text = MINIMAL + DEARER + ACCOUNT + ends
    text += "[accounts.b]\nplan = 'p'\nsince = 2024-02-01T00:00:00Z\n" + ends.replace("acme", "b")
    changes = changes_of(read_plans(text), repository)
    with pytest.raises(InvalidValues) as caught:
        apply(changes, repository, NOW)
    assert [(type(error), error.org_id) for error in caught.value.errors] == [
        (PeriodClosed, "acme"),
        (PeriodClosed, "b"),
    ]
    assert len(changes_of(read_plans(text), repository)) == 3


# Grants


def test_a_grant_that_says_something_else_is_refused(repository: Repository) -> None:
    applied(MINIMAL + ACCOUNT + GRANT, repository)
    with pytest.raises(
        GrantConflict, match=r"^acme: grants\.acme\.welcome\.amount: must be 5, as it was"
    ):
        changes_of(read_plans(MINIMAL + ACCOUNT + GRANT.replace("= 5", "= 6")), repository)


RECURRENT = GRANT + "expires_at = 2024-05-01T00:00:00Z\nrecurrence.anchor = 2024-02-01T00:00:00Z\n"
OTHER_ID = "as it was put before under that id: give a grant of other terms another id"


@pytest.mark.parametrize(
    ("was", "then", "fault"),
    [
        ("2024-05-01T00", "2024-06-01T12", "expires_at: must be 2024-05-01, "),
        ("expires_at = 2024-05-01T00:00:00Z\n", "", "expires_at: must be 2024-05-01, "),
        ("anchor = 2024", "unit = 'week'\nrecurrence.anchor = 2024",
         "recurrence: must be month in UTC, from 2024-02-01, "),
        ('5\nmetric = "m"', "{ amount = 5, currency = 'USD' }", "amount: must be 5, "),
        ("expires_at", "priority = 7\nexpires_at", "priority: must be "),
        ("expires_at", "created_at = 2024-01-20T00:00:00Z\nexpires_at",
         "created_at: must be left out, "),
    ],
)  # fmt: skip
def test_each_term_of_a_grant_that_differs_is_named_with_the_remedy(
    repository: Repository, was: str, then: str, fault: str
) -> None:
    applied(MINIMAL + ACCOUNT + RECURRENT, repository)
    assert RECURRENT.count(was) == 1
    told, *others = refusals(RECURRENT.replace(was, then), repository)
    assert told.startswith(f"acme: grants.acme.welcome.{fault}")
    assert f"{OTHER_ID}, and void this one (voided_at) if that takes its place, got " in told
    assert "Cycle" not in told  # nor any other way in which Python alone writes a term
    assert [each.partition(":")[0] for each in others] == ["acme"] * ("amount" in fault)


def test_a_voided_grant_is_not_to_be_voided_to_be_another(repository: Repository) -> None:
    applied(MINIMAL + ACCOUNT + GRANT + "voided_at = 2024-03-01T00:00:00Z\n", repository)
    assert refusals(GRANT.replace("= 5", "= 6"), repository) == [
        f"acme: grants.acme.welcome.amount: must be 5, {OTHER_ID}, got 6"
    ]


def test_a_grant_may_be_voided_by_the_file(repository: Repository) -> None:
    applied(MINIMAL + ACCOUNT + GRANT, repository)
    text = MINIMAL + ACCOUNT + GRANT + "voided_at = 2024-03-01T00:00:00Z\n"
    assert applied(text, repository) == ["grant acme/welcome: voided from 2024-03-01"]
    (grant,) = repository.grants("acme")
    assert grant.voided_at == MARCH
    assert applied(MINIMAL + ACCOUNT + GRANT, repository) == []
    (fault,) = refusals(text.replace("-03-", "-04-"), repository)
    assert fault == (
        "acme: grants.acme.welcome.voided_at: must be 2024-03-01, since when it is voided: it stays"
        " so, got 2024-04-01T00:00:00+00:00"
    )


def test_a_grant_may_come_voided(repository: Repository) -> None:
    text = MINIMAL + ACCOUNT + GRANT + "voided_at = 2024-03-01T00:00:00Z\n"
    assert applied(text, repository)[2:] == ["grant acme/welcome: new"]
    (grant,) = repository.grants("acme")
    assert grant.voided_at == MARCH


def test_money_is_granted_as_units_are(repository: Repository) -> None:
    money = GRANT.replace('5\nmetric = "m"', "{ amount = 5, currency = 'USD' }")
    applied(MINIMAL + ACCOUNT + money, repository)
    (grant,) = repository.grants("acme")
    assert grant.amount == Money(500, "USD")


# Conflicts


def test_all_conflicts_of_a_book_are_told_together(repository: Repository) -> None:
    metric = "[metrics.a]\nevent = 'x'\n"
    other = MINIMAL.replace("plans.p", "plans.q")
    applied(PRICED + other + ACCOUNT + GRANT + metric, repository)
    text = (PRICED + other).replace("0.10", "0.20") + ACCOUNT.replace("-10T", "-11T")
    text += GRANT.replace("= 5", "= 6") + metric.replace(".a", ".b")
    with pytest.raises(InvalidValues) as caught:
        changes_of(read_plans(text), repository)
    assert [type(error) for error in caught.value.errors] == [
        PlanConflict, PlanConflict, InvalidValue, AccountConflict, GrantConflict,
    ]  # fmt: skip


def test_changes_that_another_writer_was_faster_with_are_refused_whole() -> None:
    repository = MemoryRepository()
    changes = changes_of(read_plans(MINIMAL + ACCOUNT + GRANT), repository)
    repository.put_grant("acme", evolve(read_plans(MINIMAL + GRANT).grants["acme"][0], amount=6))
    with pytest.raises(GrantConflict):
        apply(changes, repository, NOW)
    assert list(repository.orgs()) == []


# Files without plans


def test_accounts_alone_have_plans_of_the_repository(repository: Repository) -> None:
    applied(MINIMAL, repository)
    assert applied(ACCOUNT, repository) == ["account acme: new: plan p from 2024-01-10"]
    assert applied(GRANT, repository) == ["grant acme/welcome: new"]


def test_a_plan_that_neither_the_file_nor_the_repository_has_is_refused(
    repository: Repository,
) -> None:
    with pytest.raises(UnknownPlan, match=r"^accounts\.acme\.plan: "):
        changes_of(read_plans(ACCOUNT), repository)


@pytest.mark.parametrize("plans", ["", MINIMAL])
def test_a_grant_of_an_org_without_an_account_is_refused(
    repository: Repository, plans: str
) -> None:
    with pytest.raises(InvalidValue, match=r"^grants\.acme: must be an org with an account"):
        changes_of(read_plans(plans + GRANT), repository)


def test_a_grant_of_an_org_that_is_like_another_names_that_one(repository: Repository) -> None:
    text = MINIMAL + ACCOUNT + GRANT.replace("acme", "acne")
    with pytest.raises(InvalidValue, match=r"\(did you mean 'acme'\?\)"):
        changes_of(read_plans(text), repository)
