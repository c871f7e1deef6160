"""The contract of repositories: accounts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from overages._ground.value import evolve
from overages.errors import AccountConflict
from overages.periods.cycle import Cycle
from overages.repository import Repository
from overages.terms.account import Account
from overages.terms.change import TermsChange
from overages.terms.note import AccountNote
from overages.testing.contract.base import (
    FEB,
    JAN,
    LATER,
    MAR,
    NOW,
    OURS,
    THEIRS,
    ContractBase,
    event,
    nothing_written,
    owed,
)
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
            Account(OURS, "starter", since=JAN.start),
            Account(
                OURS,
                "no plan of this name",
                limits={"tokens": "0.000000000001"},
                status="trial",
                since=JAN.start,
            ),
            Account(
                OURS, "starter", limits={"tokens": 10**26 - 1}, status="canceled", since=JAN.start
            ),
            Account(OURS, "starter", since=datetime(2024, 1, 31, 1, 2, 3, 4, EAST)),
            Account(
                OURS,
                "starter",
                status="past_due",
                cycle=Cycle(datetime(2024, 1, 31, 1, 2, 3, 4, EAST), 2, "week", "Europe/Paris"),
                since=JAN.start,
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

    def test_the_entries_of_a_history_are_kept_one_by_one(self, repository: Repository) -> None:
        account = Account(OURS, "starter", JAN.start, {"tokens": 5})
        repository.put_account(account)
        for change in (
            TermsChange(MAR.start, plan="scale", limits={"runs": 1, "tokens": None}),
            TermsChange(FEB.start, drop_limits=["tokens"], cycle=Cycle.monthly(day=15)),
            TermsChange(MAR.end, kind="end"),
            TermsChange(MAR.end, kind="cancel"),
        ):
            account = evolve(account, changes=(*account.changes, change))
            repository.put_account(account)
            assert repository.account(OURS) == account
        assert list(repository.orgs()) == [OURS]

    def test_a_history_that_is_not_the_kept_one_and_more_is_refused(
        self, repository: Repository
    ) -> None:
        account = Account(OURS, "starter", JAN.start).changed(since=MAR.start, plan="scale")
        repository.put_account(account)
        for other in (
            Account(OURS, "starter", JAN.start),
            Account(OURS, "starter", JAN.start).changed(since=MAR.start, plan="other"),
            Account(OURS, "scale", JAN.start).changed(since=MAR.start, plan="scale"),
        ):
            with nothing_written(repository), pytest.raises(AccountConflict, match="entries added"):
                repository.put_account(other)
        assert repository.account(OURS) == account

    def test_each_entry_has_the_note_of_when_it_was_put(self, repository: Repository) -> None:
        account = Account(OURS, "starter", JAN.start)
        repository.put_account(account, noted_at=NOW, noted_by="ada", reason="signed up")
        repository.put_account(account, noted_at=LATER)  # nothing new
        account = account.changed(since=FEB.start, plan="scale").ended(at=MAR.start)
        repository.put_account(account, noted_at=LATER.astimezone(EAST))
        first, *others = repository.account_notes(OURS)
        assert first == AccountNote(NOW, "ada", "signed up")
        assert others == [AccountNote(LATER)] * 2
        assert repository.account_notes(THEIRS) == ()

    def test_several_accounts_are_put_and_read_at_once(self, repository: Repository) -> None:
        account = Account(OURS, "starter", JAN.start)
        repository.put_account(account)
        grown = account.changed(since=FEB.start, plan="scale")
        others = [Account(f"org {n:04}", "starter", JAN.start, {"tokens": n}) for n in range(600)]
        repository.put_accounts([grown, *others, grown], noted_at=NOW)
        orgs = [OURS, THEIRS, *(each.org_id for each in others), OURS]
        assert repository.accounts(orgs) == {each.org_id: each for each in (grown, *others)}
        assert repository.account_notes(OURS) == (AccountNote(None), AccountNote(NOW))
        assert repository.account_notes("org 0599") == (AccountNote(NOW),)
        assert repository.accounts([]) == repository.accounts([THEIRS]) == {}

    def test_none_of_several_accounts_is_put_if_one_is_refused(
        self, repository: Repository
    ) -> None:
        account = Account(OURS, "starter", JAN.start)
        repository.put_accounts([])
        repository.put_account(account)
        for other in (
            Account(OURS, "scale", JAN.start),
            account.changed(since=FEB.start, plan="p"),
        ):
            several = [Account(THEIRS, "starter", JAN.start), other, account]
            with nothing_written(repository), pytest.raises(AccountConflict):
                repository.put_accounts(several)

    @pytest.mark.parametrize("name", ["-", '"', "100 %", "org_id", "\u00e9\\n"])
    def test_an_org_of_any_name_has_its_own_account(
        self, repository: Repository, name: str
    ) -> None:
        accounts = {each: Account(each, "starter", JAN.start) for each in (OURS, name, "x-" + name)}
        repository.put_accounts(accounts.values())
        assert repository.accounts(accounts) == accounts
        assert repository.account(name) == accounts[name]

    def test_orgs_are_sorted_by_code_point(self, repository: Repository) -> None:
        orgs = ["b", "a", "B", "é", "z", "10", "9", "𝄞", "\uffee"]
        for org_id in orgs:
            repository.put_account(Account(org_id, "starter", since=JAN.start))
        assert list(repository.orgs()) == sorted(orgs)

    def test_orgs_are_those_with_an_account_or_records(self, repository: Repository) -> None:
        repository.add_events([event(org_id="org-3")])
        repository.put_usage(Usage("org-4", MAR, {"tokens": 1}))
        repository.record(owed("org-5", tokens=101), created_at=NOW)
        repository.record(owed("org-6", tokens=1), created_at=NOW)  # nothing to keep
        repository.put_account(Account(OURS, "starter", since=JAN.start))
        repository.record(owed(tokens=101), created_at=NOW)
        assert list(repository.orgs()) == [OURS, "org-5"]

    def test_accounts_can_be_put_while_orgs_are_read(self, repository: Repository) -> None:
        for org_id in ("a", "b", "c"):
            repository.put_account(Account(org_id, "starter", since=JAN.start))
        for org_id in repository.orgs():
            account = Account(org_id, "starter", since=JAN.start)
            repository.put_account(account.changed(since=FEB.start, plan="scale"))
            repository.put_account(Account(f"{org_id}{org_id}", "scale", since=JAN.start))
        plans = [
            each.plan
            for org_id in repository.orgs()
            if (each := repository.account(org_id)) is not None
        ]
        assert plans == ["starter", "scale"] * 3
