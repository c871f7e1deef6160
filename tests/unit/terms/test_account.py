"""Accounts: an org, its plan and its own limits."""

import pickle
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from tests.told import told

from overages import Account, Cycle, Period
from overages.errors import InvalidType, InvalidValue, InvalidValues


def test_an_account_has_no_limits_of_its_own_unless_told() -> None:
    account = Account("org-1", "starter")
    assert (account.org_id, account.plan, dict(account.limits)) == ("org-1", "starter", {})


def test_an_account_is_active_and_billed_by_calendar_months_in_utc_unless_told() -> None:
    account = Account("org-1", "starter")
    assert (account.status, account.cycle) == ("active", Cycle.monthly("UTC"))
    assert account.period_at(datetime(2024, 2, 29, 23, tzinfo=UTC)) == Period.month(2024, 2)


def test_an_account_has_the_periods_of_its_cycle() -> None:
    cycle = Cycle(datetime(2024, 1, 31, tzinfo=UTC))
    account = Account("org-1", "starter", cycle=cycle)
    found = account.period_at(datetime(2024, 3, 1, tzinfo=UTC))
    assert str(found) == "2024-02-29T00:00:00Z/2024-03-31T00:00:00Z"


@pytest.mark.parametrize("status", ["trial", "active", "past_due", "canceled"])
def test_a_status_is_kept_and_makes_another_account(status: Any) -> None:
    account = Account("org-1", "starter", status=status)
    assert account.status == status
    assert (account == Account("org-1", "starter")) is (status == "active")


@pytest.mark.parametrize("status", ["", "cancelled", "ACTIVE", None, 1])
def test_another_status_is_refused(status: Any) -> None:
    problem = "status: must be one of trial, active, past_due, canceled"
    with pytest.raises(InvalidValue, match=f"^{problem}"):
        Account("org-1", "starter", status=status)


@pytest.mark.parametrize("cycle", ["month", Period.month(2024, 2)])
def test_a_cycle_of_an_account_is_a_cycle(cycle: Any) -> None:
    with pytest.raises(InvalidType, match=r"^cycle: must be of type Cycle, got "):
        Account("org-1", "starter", cycle=cycle)


def test_limits_have_one_form() -> None:
    account = Account("org-1", "starter", {"tokens": "600000.0", "seats": 0})
    assert repr(dict(account.limits)) == "{'tokens': 600000, 'seats': 0}"


def test_limits_can_be_read_only_and_do_not_change_with_their_source() -> None:
    source: dict[str, Any] = {"tokens": 5}
    limits: Any = Account("org-1", "starter", source).limits
    source["tokens"] = 6
    assert limits == {"tokens": 5}
    with pytest.raises(TypeError):
        limits["tokens"] = 6


def test_an_account_with_many_faults_reports_them_all() -> None:
    bad: Any = {"org_id": "", "plan": None, "limits": {"tokens": -1, "seats": 1.5}}
    with pytest.raises(InvalidValues) as caught:
        Account(**bad)
    assert told(caught.value) == (
        "4 problems:\n"
        "- org_id: must not be empty, got ''\n"
        "- plan: must be a str, got None\n"
        "- limits.tokens: must not be negative, got -1\n"
        "- limits.seats: must be an int, a Decimal or a decimal string, got 1.5"
    )


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ([], InvalidType, r"^limits: must be a mapping of metrics to quantities, got \[\]$"),
        ({"tokens": None}, InvalidType, r"^limits\.tokens: must be an int, a Decimal"),
        ({"": 1}, InvalidValue, "^limits.<metric>: must not be empty, got ''$"),
    ],
)
def test_limits_are_quantities_by_metric(limits: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Account("org-1", "starter", limits)


def test_accounts_are_equal_by_value_and_survive_pickling() -> None:
    account = Account("org-1", "starter", {"tokens": 5, "seats": 1})
    same = Account("org-1", "starter", {"seats": "1", "tokens": "5.0"})
    assert len({account, same, pickle.loads(pickle.dumps(account))}) == 1
    assert account != Account("org-1", "starter", {"tokens": 5})
    assert account != Account(
        "org-1", "starter", account.limits, cycle=Cycle.monthly("Europe/Paris")
    )


def test_the_repr_of_an_account_makes_it_again() -> None:
    account = Account("org-1", "starter", {"tokens": 5})
    assert repr(account) == "Account(org_id='org-1', plan='starter', limits={'tokens': 5})"
    assert eval(repr(account)) == account


def test_the_repr_of_an_account_shows_status_and_cycle_where_they_are_unusual() -> None:
    cycle = Cycle(datetime(2024, 1, 31, tzinfo=UTC), timezone="Europe/Paris")
    names = "Account(org_id='a', plan='p'"
    assert repr(Account("a", "p", status="trial")) == f"{names}, status='trial')"
    assert repr(Account("a", "p", cycle=Cycle.monthly())) == f"{names})"
    account = Account("a", "p", status="past_due", cycle=cycle)
    assert repr(account) == f"{names}, status='past_due', cycle={cycle!r})"


def test_an_account_has_its_plan_from_its_first_usage_unless_told() -> None:
    assert Account("org-1", "starter").since is None


def test_the_instant_from_which_an_account_has_its_plan_is_kept_in_utc() -> None:
    east = timezone(timedelta(hours=9))
    account = Account("org-1", "starter", since=datetime(2024, 2, 1, 9, tzinfo=east))
    assert account.since == datetime(2024, 2, 1, tzinfo=UTC)
    assert account != Account("org-1", "starter")
    assert account == Account("org-1", "starter", since=datetime(2024, 2, 1, tzinfo=UTC))
    assert repr(account) == (
        "Account(org_id='org-1', plan='starter', "
        "since=datetime.datetime(2024, 2, 1, 0, 0, tzinfo=datetime.timezone.utc))"
    )
    assert pickle.loads(pickle.dumps(account)) == account


@pytest.mark.parametrize(
    ("since", "message"),
    [
        (datetime(2024, 2, 1), "since: must have a timezone"),
        ("2024-02-01", "since: must be a datetime"),
        (Period.month(2024, 2), "since: must be a datetime"),
    ],
)
def test_another_start_of_an_account_is_refused(since: Any, message: str) -> None:
    with pytest.raises((InvalidType, InvalidValue), match=f"^{message}"):
        Account("org-1", "starter", since=since)
