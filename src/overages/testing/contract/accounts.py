"""The contract of repositories: accounts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from overages.periods.cycle import Cycle
from overages.repository import Repository
from overages.terms.account import Account
from overages.testing.contract.base import MAR, NOW, OURS, ContractBase, event, month_of, owed
from overages.usage.usage import Usage

EAST = timezone(timedelta(hours=9))


class AccountContract(ContractBase):
    """The account of each org."""

    def test_an_org_without_an_account_has_none(self, repository: Repository) -> None:
        assert repository.account(OURS) is None
        assert list(repository.orgs()) == []

    @pytest.mark.parametrize(
        "account",
        [
            Account(OURS, "starter"),
            Account(OURS, "no plan of this name", {"tokens": "0.000000000001"}, status="trial"),
            Account(OURS, "starter", {"tokens": 10**26 - 1}, status="canceled"),
            Account(OURS, "starter", since=datetime(2024, 1, 31, 1, 2, 3, 4, EAST)),
            Account(
                OURS,
                "starter",
                status="past_due",
                cycle=Cycle(datetime(2024, 1, 31, 1, 2, 3, 4, EAST), 2, "week", "Europe/Paris"),
            ),
        ],
        ids=["usual", "trial", "canceled", "since", "cycle"],
    )
    def test_an_account_is_read_as_it_was_put(
        self, repository: Repository, account: Account
    ) -> None:
        repository.put_account(account)
        assert repository.account(OURS) == account
        assert repr(repository.account(OURS)) == repr(account)

    def test_an_account_takes_the_place_of_the_one_before(self, repository: Repository) -> None:
        repository.put_account(Account(OURS, "starter", {"tokens": 5}))
        repository.put_account(Account(OURS, "scale", {"runs": 1}))
        assert repository.account(OURS) == Account(OURS, "scale", {"runs": 1})
        assert list(repository.orgs()) == [OURS]

    def test_orgs_are_sorted_by_code_point(self, repository: Repository) -> None:
        orgs = ["b", "a", "B", "é", "z", "10", "9", "𝄞", "\uffee"]
        for org_id in orgs:
            repository.put_account(Account(org_id, "starter"))
        assert list(repository.orgs()) == sorted(orgs)

    def test_orgs_are_those_with_an_account_or_records(self, repository: Repository) -> None:
        repository.add_events([event(org_id="org-3")], month_of)
        repository.put_usage(Usage("org-4", MAR, {"tokens": 1}))
        repository.record(owed("org-5", tokens=101), created_at=NOW)
        repository.record(owed("org-6", tokens=1), created_at=NOW)  # nothing to keep
        repository.put_account(Account(OURS, "starter"))
        repository.record(owed(tokens=101), created_at=NOW)
        assert list(repository.orgs()) == [OURS, "org-5"]

    def test_accounts_can_be_put_while_orgs_are_read(self, repository: Repository) -> None:
        for org_id in ("a", "b", "c"):
            repository.put_account(Account(org_id, "starter"))
        for org_id in repository.orgs():
            repository.put_account(Account(org_id, "scale"))
            repository.put_account(Account(f"{org_id}{org_id}", "scale"))
        accounts = [repository.account(org_id) for org_id in repository.orgs()]
        assert accounts == [
            Account(org_id, "scale") for org_id in ("a", "aa", "b", "bb", "c", "cc")
        ]
