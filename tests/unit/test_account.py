"""Accounts: an org, its plan and its own limits."""

import pickle
from typing import Any

import pytest

from overages import Account
from overages.errors import InvalidType, InvalidValue, InvalidValues


def test_an_account_has_no_limits_of_its_own_unless_told() -> None:
    account = Account("org-1", "starter")
    assert (account.org_id, account.plan, dict(account.limits)) == ("org-1", "starter", {})


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
    assert str(caught.value) == (
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
        ({"": 1}, InvalidValue, "^limits metric: must not be empty, got ''$"),
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


def test_the_repr_of_an_account_makes_it_again() -> None:
    account = Account("org-1", "starter", {"tokens": 5})
    assert repr(account) == "Account('org-1', 'starter', {'tokens': 5})"
    assert eval(repr(account)) == account
