"""The contract of repositories: corrections of records, and batches (law 4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from overages.errors import CurrencyMismatch
from overages.prices.models import PerUnit
from overages.repository import Repository
from overages.statements.summary import Summary
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    DEARER,
    FEB,
    FEE,
    JAN,
    LATER,
    MAR,
    NOW,
    OURS,
    PLAN,
    THEIRS,
    ContractBase,
    check_sums,
    nothing_written,
    owed,
    shown,
)


class CorrectionContract(ContractBase):
    """A changed result: corrections that the records of the period sum to it with."""

    def test_more_adds_what_is_more(self, repository: Repository) -> None:
        (first,) = repository.record(owed(tokens=150), created_at=NOW).new
        recording = repository.record(owed(tokens="170.5"), created_at=LATER)
        assert shown(recording.new) == [("tokens", Decimal("20.5"), 21, 2)]
        assert recording.records == (first, *recording.new) == repository.records(OURS, FEB)
        assert recording.new[0].unit_price == Decimal("0.01")
        check_sums(repository, owed(tokens="170.5"))

    def test_less_takes_back_what_is_less(self, repository: Repository) -> None:
        repository.record(owed(tokens=150, runs=12), created_at=NOW)
        (correction,) = repository.record(owed(tokens=120, runs=12), created_at=NOW).new
        assert shown((correction,)) == [("tokens", -30, -30, 2)]
        assert correction.exact_cost == Decimal("-0.3")
        check_sums(repository, owed(tokens=120, runs=12))

    def test_nothing_takes_all_back(self, repository: Repository) -> None:
        repository.record(owed(tokens=150, runs=12), created_at=NOW)
        recording = repository.record(owed(), created_at=NOW)
        assert sorted(shown(recording.new)) == [("runs", -2, -200, 2), ("tokens", -50, -50, 2)]
        assert repository.summary(OURS, FEB) == Summary("USD", {})
        assert repository.overage(OURS, FEB) == Summary("USD", {})
        assert repository.record(owed(), created_at=NOW).new == ()

    def test_parts_of_units_that_cancel_leave_nothing(self, repository: Repository) -> None:
        for runs in ("11.75", 11, 0):
            repository.record(owed(runs=runs), created_at=NOW)
        assert repository.summary(OURS) == Summary("USD", {})
        assert repository.overage(OURS, FEB) == Summary("USD", {})

    def test_what_was_taken_back_can_be_charged_again(self, repository: Repository) -> None:
        for tokens in (150, 0, 150):
            repository.record(owed(tokens=tokens), created_at=NOW)
        assert shown(repository.records(OURS, FEB)) == [
            ("tokens", 50, 50, 1),
            ("tokens", -50, -50, 2),
            ("tokens", 50, 50, 3),
        ]
        check_sums(repository, owed(tokens=150))

    def test_a_change_of_the_price_corrects_the_cost_alone(self, repository: Repository) -> None:
        repository.record(owed(tokens=150, runs=12), created_at=NOW)
        (correction,) = repository.record(
            owed(plan=DEARER, tokens=150, runs=12), created_at=NOW
        ).new
        assert shown((correction,)) == [("tokens", 0, 50, 2)]
        assert (correction.unit_price, correction.plan_version) == (None, 2)
        check_sums(repository, owed(plan=DEARER, tokens=150, runs=12))

    def test_a_metric_that_enters_the_plan_is_charged(self, repository: Repository) -> None:
        more = Plan("starter", "USD", {**PLAN.allowances, "seats": Allowance(1, PerUnit(15))})
        repository.record(owed(tokens=150), created_at=NOW)
        statement = owed(plan=more, tokens=150, seats=3)
        assert shown(repository.record(statement, created_at=NOW).new) == [("seats", 2, 3000, 2)]
        check_sums(repository, statement)

    def test_a_metric_that_leaves_the_plan_is_taken_back(self, repository: Repository) -> None:
        fewer = Plan("starter", "USD", {"runs": PLAN.allowances["runs"]})
        repository.record(owed(tokens=150, runs=12), created_at=NOW)
        statement = owed(plan=fewer, runs=12)
        assert shown(repository.record(statement, created_at=NOW).new) == [("tokens", -50, -50, 2)]
        check_sums(repository, statement)

    def test_a_fee_without_quantity_is_taken_back(self, repository: Repository) -> None:
        repository.record(owed(plan=FEE, tokens=0), created_at=NOW)
        recording = repository.record(owed(tokens=0), created_at=NOW)
        assert shown(recording.new) == [("tokens", 0, -500, 2)]
        assert repository.summary(OURS, FEB) == Summary("USD", {})

    def test_a_cost_that_differs_before_rounding_alone_is_a_changed_result(
        self, repository: Repository
    ) -> None:
        fine, finer = (
            Plan("fine", "USD", {"tokens": Allowance(0, PerUnit(price))})
            for price in ("0.0101", "0.0102")
        )
        repository.record(owed(plan=fine, tokens=1), created_at=NOW)
        (correction,) = repository.record(owed(plan=finer, tokens=1), created_at=NOW).new
        assert (correction.cost.minor, correction.exact_cost) == (0, Decimal("0.0001"))

    def test_results_are_counted_by_period(self, repository: Repository) -> None:
        steps = [(FEB, 101), (MAR, 101), (FEB, 102), (FEB, 103), (MAR, 102)]
        revisions = [
            repository.record(owed(period=period, tokens=tokens), created_at=NOW).new[0].revision
            for period, tokens in steps
        ]
        assert revisions == [1, 1, 2, 3, 2]

    def test_results_are_counted_by_period_whichever_metric_changes(
        self, repository: Repository
    ) -> None:
        steps = [(101, 11), (102, 11), (102, 12), (103, 12), (103, 13)]
        for n, (tokens, runs) in enumerate(steps, 1):
            recording = repository.record(owed(tokens=tokens, runs=runs), created_at=NOW)
            assert {record.revision for record in recording.new} == {n}
            assert recording.records == repository.records(OURS, FEB)

    def test_records_that_are_there_never_change(self, repository: Repository) -> None:
        seen: tuple[object, ...] = ()
        for tokens, runs in [(150, 12), (120, 13), (0, 0), (101, 0), (150, 12)]:
            repository.record(owed(tokens=tokens, runs=runs), created_at=NOW)
            records = repository.records(OURS)
            assert records[: len(seen)] == seen
            check_sums(repository, owed(tokens=tokens, runs=runs))
            seen = records


class BatchContract(ContractBase):
    """Many statements in one transaction."""

    def test_a_batch_gives_a_recording_for_each_statement_in_order(
        self, repository: Repository
    ) -> None:
        statements = [owed(THEIRS, tokens=101), owed(tokens=102), owed(tokens=90, period=MAR)]
        recordings = repository.record_many(statements, created_at=NOW)
        assert [len(recording.new) for recording in recordings] == [1, 1, 0]
        assert [r.records for r in recordings] == [
            repository.records(s.org_id, s.period) for s in statements
        ]

    def test_an_empty_batch_writes_nothing(self, repository: Repository) -> None:
        with nothing_written(repository):
            assert len(repository.record_many([], created_at=NOW)) == 0

    def test_a_batch_may_have_several_periods_of_an_org(self, repository: Repository) -> None:
        statements = [owed(period=period, tokens=150) for period in (MAR, JAN, FEB)]
        recordings = repository.record_many(statements, created_at=NOW)
        for place, statement in enumerate(statements):
            check_sums(repository, statement)
            assert recordings[place].records[0].period == statement.period
        assert [record.sequence for record in repository.records(OURS)] == [1, 2, 3]
        assert repository.verify(OURS) == 3

    def test_a_batch_may_have_several_results_of_a_period(self, repository: Repository) -> None:
        statements = [owed(tokens=150), owed(tokens=120, runs=11), owed(tokens=120, runs=11)]
        recordings = repository.record_many(statements, created_at=NOW)
        assert [len(recording.new) for recording in recordings] == [1, 2, 0]
        assert shown(repository.records(OURS)) == [
            ("tokens", 50, 50, 1),
            ("tokens", -30, -30, 2),
            ("runs", 1, 100, 2),
        ]
        check_sums(repository, statements[-1])

    def test_a_batch_is_recorded_as_its_statements_one_by_one_would_be(
        self, repository: Repository
    ) -> None:
        ours, theirs = (
            [
                owed(org_id, tokens=150, runs=11),
                owed(org_id, tokens=130),
                owed(org_id, MAR, runs=11),
            ]
            for org_id in (OURS, THEIRS)
        )
        repository.record_many(ours, created_at=NOW)
        for statement in theirs:
            repository.record(statement, created_at=NOW)
        assert shown(repository.records(OURS)) == shown(repository.records(THEIRS))

    def test_a_batch_may_be_of_many_orgs(self, repository: Repository) -> None:
        statements = [owed(f"org-{n:04}", tokens=101 + n) for n in range(1_100)]
        repository.record_many(statements, created_at=NOW)
        again = repository.record_many(iter(statements), created_at=NOW)
        assert all(len(r.records) == 1 and not r.new for r in again)
        assert repository.verify() == 1_100

    def test_a_batch_with_a_fault_writes_nothing(self, repository: Repository) -> None:
        euros = Plan("euros", "EUR", PLAN.allowances)
        repository.record(owed(tokens=150), created_at=NOW)
        batch = [owed(THEIRS, tokens=150), owed(plan=euros, tokens=1), owed(period=MAR, tokens=150)]
        with nothing_written(repository), pytest.raises(CurrencyMismatch):
            repository.record_many(batch, created_at=NOW)
