"""The contract of repositories: periods that are closed, with their balances."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from overages._ground.value import evolve
from overages.amounts.exact import Quantity
from overages.errors import InvalidType, InvalidValue, PeriodClosed, PeriodOverlap, UnknownPlan
from overages.periods.period import Period
from overages.prices.models import PerUnit
from overages.prices.tier import Charge
from overages.records.aggregation import aggregate
from overages.repository import Repository
from overages.settlements.balance import Balance
from overages.settlements.settlement import Settlement, settle
from overages.statements.statement import Statement
from overages.terms.account import Account
from overages.terms.allowance import Allowance
from overages.terms.carry_over import CarriedUnits
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    ACCOUNT,
    APR,
    DEARER,
    FEB,
    GRANT,
    JAN,
    LATER,
    MAR,
    NOW,
    OURS,
    PLAN,
    THEIRS,
    ContractBase,
    check_sums,
    close,
    event,
    nothing_written,
    owed,
)
from overages.usage.usage import Usage

DAY = timedelta(days=1)
BALANCE = Balance({"tokens": (CarriedUnits(40, FEB, 1),)})


class _Odd:
    """A price model that no codec knows."""

    def charge(self, quantity: Quantity) -> Charge:
        """Return the cost of some units."""
        return PerUnit("0.01").charge(quantity)


def _settled(account: Account, period: Period, _: Balance) -> Settlement:
    """Return the settlement of an org that used 160 tokens."""
    return Settlement(owed(account.org_id, period, tokens=160), Balance())


class ClosingContract(ContractBase):
    """A period is closed once: its statement, its records and its balance stay."""

    def test_a_period_is_open_until_it_is_closed(self, repository: Repository) -> None:
        assert repository.closing(OURS, FEB) is None
        assert repository.settled(OURS, FEB) is None
        closing = close(repository, owed(tokens=150))
        assert (closing.org_id, closing.period, closing.number) == (OURS, FEB, 1)
        assert (closing.closed_at, closing.sequence) == (NOW, 2)
        assert repository.closing(OURS, FEB) == closing
        assert repository.closing(OURS, MAR) is None
        assert repository.closing(THEIRS, FEB) is None

    def test_what_a_period_was_closed_with_is_read_back(self, repository: Repository) -> None:
        settlement = Settlement(owed(tokens=150, runs=3), BALANCE, idle_grants=["g-2"])
        closing = repository.close_period(settlement, closed_at=NOW, grants=[GRANT])
        assert (closing.balance, closing.grants) == (BALANCE, (GRANT,))
        assert repository.closing(OURS, FEB) == closing
        assert repository.settled(OURS, FEB) == settlement
        check_sums(repository, settlement.statement)
        assert repository.verify() == 2
        assert repository.verify(OURS, repository.head(OURS)) == 2

    def test_a_statement_of_several_parts_is_read_back(self, repository: Repository) -> None:
        bounds = [FEB.start, FEB.start + 11 * DAY, FEB.end]
        account = Account(OURS, "starter", JAN.start).changed(since=bounds[1], plan="scale")
        used = [Usage(OURS, Period(*ends), {"tokens": 90}) for ends in pairwise(bounds)]
        plans = {"starter": PLAN, "scale": evolve(DEARER, slug="scale")}
        settlement = settle(account, plans, FEB, [Usage(OURS, FEB, {"tokens": 180}), *used])
        repository.close_period(settlement, closed_at=NOW)
        assert repository.settled(OURS, FEB) == settlement

    def test_usage_is_sealed_as_it_was_known_and_later_usage_is_fine(
        self, repository: Repository
    ) -> None:
        late = event("late", 5, at=FEB.start)
        repository.add_events([event(name, 5, at=FEB.start) for name in "abcd"])
        repository.add_events([event("other", 5, at=MAR.start)])
        repository.withdraw(OURS, "other", withdrawn_at=NOW)
        unsealed = close(repository, owed(period=JAN))
        repository.withdraw(OURS, "c", withdrawn_at=NOW)
        closing = close(repository, owed(tokens=15))
        for again in "da":
            repository.withdraw(OURS, again, withdrawn_at=NOW - DAY)
        repository.add_events([late])
        assert repository.verify(OURS) == 2
        corrected = close(repository, owed(tokens=10), force=True)
        assert repository.verify(OURS) == 3
        assert [seal.usage_seal.rpartition("-")[0] for seal in (unsealed, closing, corrected)] == [
            "0-0-0",
            "4-0-1",
            "5-0-3",
        ]

    def test_a_period_is_closed_once(self, repository: Repository) -> None:
        closing = close(repository, owed(tokens=150))
        with nothing_written(repository):
            assert close(repository, owed(tokens=150), LATER) == closing
            assert close(repository, owed(tokens=160), LATER) == closing
            assert close(repository, owed(tokens=150), LATER, force=True) == closing

    def test_closing_corrects_what_was_recorded(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        close(repository, owed(tokens=160))
        check_sums(repository, owed(tokens=160))

    def test_a_period_of_nothing_is_closed_without_a_record(self, repository: Repository) -> None:
        closing = close(repository, owed())
        assert (repository.records(OURS), closing.sequence) == ((), 1)
        assert list(repository.orgs()) == [OURS]
        assert repository.verify(OURS) == 1

    def test_a_correction_by_force_is_one_closing_more(self, repository: Repository) -> None:
        close(repository, owed(tokens=150))
        settlement = Settlement(owed(tokens=170), BALANCE)
        closing = repository.close_period(settlement, closed_at=LATER, grants=[GRANT], force=True)
        assert (closing.number, closing.balance, closing.grants) == (2, BALANCE, ())
        assert repository.closings(OURS) == (closing,)
        assert repository.closed_periods(OURS) == {FEB: NOW}
        assert repository.settled(OURS, FEB) == settlement
        check_sums(repository, owed(tokens=170))
        assert repository.verify() == 4

    def test_another_balance_alone_is_one_closing_more(self, repository: Repository) -> None:
        close(repository, owed(tokens=150))
        settlement = Settlement(owed(tokens=150), BALANCE)
        closing = repository.close_period(settlement, closed_at=LATER, force=True)
        assert (closing.number, closing.balance) == (2, BALANCE)
        assert len(repository.records(OURS)) == 1

    def test_periods_of_which_nothing_is_kept_are_closed_together(
        self, repository: Repository
    ) -> None:
        orgs = {
            OURS: Account(OURS, "starter", JAN.start),
            THEIRS: Account(THEIRS, "starter", FEB.start),
        }
        repository.put_accounts(orgs.values())
        settlement = Settlement(owed(period=JAN, tokens=120), BALANCE)
        repository.close_period(settlement, closed_at=NOW)
        asked: list[tuple[Account, Period, Balance]] = []

        def settled(account: Account, period: Period, balance: Balance) -> Settlement:
            asked.append((account, period, balance))
            return Settlement(owed(account.org_id, period, tokens=150), Balance())

        recordings = repository.close_fresh({OURS: FEB, THEIRS: FEB}, settled, closed_at=LATER)
        assert asked == [(orgs[OURS], FEB, BALANCE), (orgs[THEIRS], FEB, Balance())]
        for org_id, recording in recordings.items():
            assert recording.records == recording.new == repository.records(org_id, FEB)
            assert not recording.is_stale
            assert repository.closed_periods(org_id)[FEB] == LATER
            assert repository.settled(org_id, FEB) == settled(orgs[org_id], FEB, Balance())
        assert list(recordings) == [OURS, THEIRS]
        assert repository.verify() == 6

    def test_a_period_that_is_not_fresh_is_left_as_it_is(self, repository: Repository) -> None:
        orgs = ["closed", "closed later", "granted", "recorded", "recorded later", "much later"]
        repository.put_accounts([Account(org_id, "starter", JAN.start) for org_id in orgs])
        close(repository, owed("closed", tokens=150))
        close(repository, owed("closed later", period=MAR))
        repository.put_grant("granted", GRANT)
        repository.record(owed("recorded", tokens=150), created_at=NOW)
        repository.record(owed("recorded later", period=MAR, tokens=150), created_at=NOW)
        repository.record(owed("much later", period=APR, tokens=150), created_at=NOW)

        with nothing_written(repository):
            periods = dict.fromkeys([*orgs, "without an account"], FEB)
            assert repository.close_fresh(periods, _settled, closed_at=LATER) == {}

    def test_a_period_that_is_not_settled_stays_open(self, repository: Repository) -> None:
        repository.put_account(Account(OURS, "starter", JAN.start))
        with nothing_written(repository):
            assert repository.close_fresh({OURS: FEB}, lambda *_: None, closed_at=NOW) == {}

    def test_an_error_of_one_settlement_leaves_all_open(self, repository: Repository) -> None:
        repository.put_accounts(
            [Account(org_id, "starter", JAN.start) for org_id in (OURS, THEIRS)]
        )

        def settled(account: Account, period: Period, balance: Balance) -> Settlement:
            if account.org_id == THEIRS:
                raise UnknownPlan("plan", "starter", "was not in force yet")
            return _settled(account, period, balance)

        with nothing_written(repository), pytest.raises(UnknownPlan):
            repository.close_fresh({OURS: FEB, THEIRS: FEB}, settled, closed_at=NOW)

    @pytest.mark.parametrize(
        "other", [owed(THEIRS, FEB), owed(OURS, MAR)], ids=["of another org", "of another period"]
    )
    def test_a_settlement_of_another_period_is_refused(
        self, repository: Repository, other: Statement
    ) -> None:
        accounts = [Account(org_id, "starter", JAN.start) for org_id in (OURS, THEIRS)]
        repository.put_accounts(accounts)
        settlement, text = Settlement(other, Balance()), r"^settle\(\): must be of org-1, 2024-02"
        with nothing_written(repository), pytest.raises(InvalidValue, match=text):
            repository.close_fresh({OURS: FEB}, lambda *_: settlement, closed_at=NOW)

    def test_a_plan_that_cant_be_written_leaves_its_period_open(
        self, repository: Repository
    ) -> None:
        accounts = [Account(org_id, "starter", JAN.start) for org_id in (OURS, THEIRS)]
        repository.put_accounts(accounts)
        odd = Plan("odd", "USD", {"tokens": Allowance(0, _Odd())})

        def settled(account: Account, period: Period, _: Balance) -> Settlement:
            plan = odd if account.org_id == OURS else PLAN
            return Settlement(owed(account.org_id, period, plan, tokens=160), Balance())

        periods = {OURS: FEB, THEIRS: FEB}
        assert list(repository.close_fresh(periods, settled, closed_at=NOW)) == [THEIRS]
        assert repository.closed_periods(OURS) == {}
        assert repository.records(OURS) == ()
        assert repository.verify() == 2

    def test_what_closes_fresh_periods_is_checked(self, repository: Repository) -> None:
        wrong: Any = "2024-02"
        with pytest.raises(InvalidType, match=r"^periods\.org-1: must be of type Period"):
            repository.close_fresh({OURS: wrong}, lambda *_: None, closed_at=NOW)
        with pytest.raises(InvalidType, match=r"^settle: must be a function that gives the"):
            repository.close_fresh({OURS: FEB}, wrong, closed_at=NOW)
        repository.put_account(Account(OURS, "starter", JAN.start))
        with pytest.raises(InvalidType, match=r"^settle\(\): must be of type Settlement"):
            repository.close_fresh({OURS: FEB}, lambda *_: wrong, closed_at=NOW)

    def test_the_last_closed_period_before_an_instant(self, repository: Repository) -> None:
        closings = {period: close(repository, owed(period=period)) for period in (FEB, JAN, APR)}
        assert repository.closing_before(OURS, JAN.end - DAY) is None
        assert repository.closing_before(OURS, JAN.end) == closings[JAN]
        assert repository.closing_before(OURS, FEB.end - DAY) == closings[JAN]
        assert repository.closing_before(OURS, APR.start) == closings[FEB]
        assert repository.closing_before(OURS, APR.end + DAY) == closings[APR]
        assert repository.closing_before(THEIRS, APR.end) is None

    def test_periods_within_one_second_are_told_apart(self, repository: Repository) -> None:
        tick = timedelta(microseconds=250_000)
        bounds = [FEB.start + n * tick for n in range(5)]
        periods = [Period(*ends) for ends in pairwise(bounds)]
        closings = [close(repository, owed(period=period)) for period in periods]
        assert repository.closings(OURS) == tuple(closings)
        assert repository.closings(OURS, bounds[2]) == tuple(closings[2:])
        for bound, closing in zip(bounds[1:], closings, strict=True):
            assert repository.closing_before(OURS, bound) == closing
        assert repository.closing_before(OURS, bounds[0]) is None

    def test_closings_are_in_the_order_of_their_periods(self, repository: Repository) -> None:
        march, january = (close(repository, owed(period=period)) for period in (MAR, JAN))
        assert repository.closings(OURS) == (january, march)
        assert repository.closings(OURS, FEB.start) == (march,)
        assert list(repository.closed_periods(OURS)) == [JAN, MAR]

    def test_a_closing_that_is_refused_writes_nothing(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        overlapping = Period(FEB.start + DAY, FEB.end + DAY)
        with nothing_written(repository), pytest.raises(PeriodOverlap):
            close(repository, owed(period=overlapping, tokens=150))

    def test_a_closed_period_is_changed_by_force_alone(self, repository: Repository) -> None:
        close(repository, owed(tokens=150))
        problem = (
            r"^org-1, 2024-02-01 to 2024-03-01 UTC: "
            r"is closed since 2024-03-01T12:00:00Z, and changes only by force$"
        )
        for record_anew in (
            lambda: repository.record(owed(tokens=160), created_at=LATER),
            lambda: repository.record_many([owed(tokens=160)], created_at=LATER),
        ):
            with nothing_written(repository), pytest.raises(PeriodClosed, match=problem):
                record_anew()
        close(repository, owed(tokens=170), LATER, force=True)
        assert aggregate(repository.records(OURS, FEB)) == owed(tokens=170).summary()

    def test_the_same_result_of_a_closed_period_needs_no_force(
        self, repository: Repository
    ) -> None:
        close(repository, owed(tokens=150))
        with nothing_written(repository):
            assert repository.record(owed(tokens=150), created_at=LATER).new == ()

    def test_other_periods_and_orgs_change_without_force(self, repository: Repository) -> None:
        close(repository, owed())
        assert repository.record(owed(THEIRS, tokens=150), created_at=NOW).new
        assert repository.record(owed(period=MAR, tokens=150), created_at=NOW).new


class ClosedAccountContract(ContractBase):
    """No entry of an account moves a boundary inside a closed period."""

    def test_an_end_within_a_closed_period_is_refused(self, repository: Repository) -> None:
        repository.put_account(ACCOUNT)
        close(repository, owed())
        problem = "2024-02-01 to 2024-03-01 UTC: is closed since 2024-03-01T12:00:00Z"
        for account in (
            ACCOUNT.ended(at=FEB.start + DAY),
            ACCOUNT.ended(at=JAN.start + DAY),
        ):
            with nothing_written(repository), pytest.raises(PeriodClosed, match=problem):
                repository.put_account(account)

    def test_an_end_after_a_closed_period_is_kept(self, repository: Repository) -> None:
        repository.put_account(ACCOUNT)
        close(repository, owed())
        for account in (ended := ACCOUNT.ended(at=FEB.end), ended.changed(since=MAR.end, plan="b")):
            repository.put_account(account)
        assert repository.account(OURS) == account

    def test_another_plan_within_a_closed_period_is_kept(self, repository: Repository) -> None:
        repository.put_account(ACCOUNT)
        close(repository, owed())
        changed = ACCOUNT.changed(since=FEB.start + DAY, plan="scale")
        repository.put_account(changed)
        assert repository.account(OURS) == changed

    def test_a_period_that_was_none_of_the_account_s_holds_nothing_up(
        self, repository: Repository
    ) -> None:
        repository.put_account(Account(OURS, "starter", MAR.start))
        close(repository, owed())
        repository.put_account(Account(OURS, "starter", MAR.start).ended(at=MAR.end))
