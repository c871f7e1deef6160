"""The contract of repositories: records, only ever added to (law 4), and their revisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, RecordConflict
from overages.prices.models import PerUnit
from overages.records.aggregation import aggregate
from overages.repository import Repository
from overages.statements.statement import Statement
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


class RecordContract(ContractBase):
    """A first result, and the same again."""

    def test_a_first_result_adds_a_record_for_each_line_that_is_over(
        self, repository: Repository
    ) -> None:
        recording = repository.record(owed(tokens=150, runs="10.5"), created_at=NOW)
        assert recording.new == recording.records == repository.records(OURS, FEB)
        assert shown(recording.new) == [("tokens", 50, 50, 1), ("runs", Decimal("0.5"), 50, 1)]

    def test_a_record_says_all_of_its_line(self, repository: Repository) -> None:
        repository.record(owed(tokens="100.5"), created_at=NOW)
        (record,) = repository.records(OURS, FEB)
        assert repr(record) == (
            f"OverageRecord(org_id='org-1', period={FEB!r}, metric='tokens', "
            "quantity=Decimal('0.5'), cost=Money(1, 'USD'), exact_cost=Decimal('0.005'), "
            f"unit_price=Decimal('0.01'), plan='starter', created_at={NOW!r}, "
            f"digest={record.digest!r})"
        )
        assert record.id == record.digest

    def test_the_same_statement_again_writes_nothing_and_returns_what_is_there(
        self, repository: Repository
    ) -> None:
        first = repository.record(owed(tokens=150, runs=12), created_at=NOW)
        with nothing_written(repository):
            again = repository.record(owed(tokens=150, runs=12), created_at=LATER)
        assert again.new == ()
        assert again.records == first.records

    def test_the_same_result_of_other_usage_or_another_plan_writes_nothing(
        self, repository: Repository
    ) -> None:
        free = Plan("free", "USD", {**PLAN.allowances, "seats": Allowance(None, PerUnit(1))})
        repository.record(owed(tokens=150, runs=1), created_at=NOW)
        again = owed(plan=free, tokens=150, runs=9, seats=5)
        assert repository.record(again, created_at=NOW).new == ()

    def test_a_line_without_overage_and_cost_adds_no_record(self, repository: Repository) -> None:
        assert repository.record(owed(tokens=100, runs=10), created_at=NOW).records == ()
        assert repository.records(OURS) == ()
        assert repository.summary(OURS, FEB) is None
        assert repository.overage(OURS, FEB) is None
        assert repository.head(OURS) is None

    def test_a_line_that_is_over_and_free_adds_a_record(self, repository: Repository) -> None:
        free = Plan("free", "USD", {"tokens": Allowance(0, PerUnit(0))})
        assert shown(repository.record(owed(plan=free, tokens=3), created_at=NOW).new) == [
            ("tokens", 3, 0, 1)
        ]

    def test_a_flat_fee_at_zero_quantity_adds_a_record(self, repository: Repository) -> None:
        statement = owed(plan=FEE, tokens=0)
        assert shown(repository.record(statement, created_at=NOW).new) == [("tokens", 0, 500, 1)]
        assert repository.record(statement, created_at=NOW).new == ()
        check_sums(repository, statement)

    def test_records_are_kept_whole_when_the_same_org_has_usage(
        self, repository: Repository
    ) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        assert repository.usage(OURS, FEB).quantities == {}

    def test_the_instant_of_recording_is_kept_in_utc(self, repository: Repository) -> None:
        moment = datetime(2024, 3, 1, 1, 2, 3, 456789, timezone(timedelta(hours=-7, minutes=-30)))
        repository.record(owed(tokens=150), created_at=moment)
        (record,) = repository.records(OURS)
        assert record.created_at == moment
        assert record.created_at.tzinfo is UTC

    def test_an_instant_of_recording_without_a_timezone_is_refused(
        self, repository: Repository
    ) -> None:
        with nothing_written(repository), pytest.raises(InvalidValue, match=r"^created_at: "):
            repository.record(owed(tokens=150), created_at=datetime(2024, 3, 1))

    def test_records_are_of_one_period_or_of_all_in_the_order_of_recording(
        self, repository: Repository
    ) -> None:
        periods = (MAR, JAN, FEB, JAN)
        for n, period in enumerate(periods, 1):
            moment = LATER - timedelta(days=n)  # their clock may run backwards
            repository.record(owed(period=period, tokens=100 + n), created_at=moment)
        records = repository.records(OURS)
        assert [record.sequence for record in records] == [1, 2, 3, 4]
        assert [record.period for record in records] == list(periods)
        assert repository.records(OURS, JAN) == (records[1], records[3])
        assert repository.records(OURS, FEB) == (records[2],)

    def test_an_org_without_records_has_none(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        assert repository.records(THEIRS) == repository.records(OURS, MAR) == ()
        assert repository.summary(THEIRS) is None
        assert repository.summary(OURS, MAR) is None
        assert repository.overage(THEIRS, FEB) is None

    def test_the_summary_of_an_org_is_that_of_all_its_periods(self, repository: Repository) -> None:
        january, february = owed(period=JAN, tokens=150), owed(tokens="100.5", runs=11)
        repository.record(january, created_at=NOW)
        repository.record(february, created_at=NOW)
        assert repository.summary(OURS) == january.summary() + february.summary()
        assert repository.summary(OURS) == aggregate(repository.records(OURS))

    def test_a_summary_that_was_read_cannot_be_changed(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        summary: Any = repository.summary(OURS)
        for mapping in (summary.metrics, summary.adjustments):
            with pytest.raises(TypeError):
                mapping["tokens"] = mapping
            with pytest.raises(TypeError):
                mapping |= {"tokens": mapping}

    def test_periods_in_two_currencies_have_no_common_summary(self, repository: Repository) -> None:
        euros = Plan("euros", "EUR", PLAN.allowances)
        repository.record(owed(tokens=150), created_at=NOW)
        repository.record(owed(period=MAR, plan=euros, tokens=150), created_at=NOW)
        with pytest.raises(CurrencyMismatch):
            repository.summary(OURS)
        check_sums(repository, owed(period=MAR, plan=euros, tokens=150))


class RevisionContract(ContractBase):
    """Of two writers who read the same, one writes."""

    def test_the_revision_that_comes_next_is_recorded(self, repository: Repository) -> None:
        for revision, tokens in enumerate((150, 160, 140), 1):
            recording = repository.record(owed(tokens=tokens), created_at=NOW, revision=revision)
            assert recording.new[0].revision == revision

    def test_a_revision_that_is_there_and_says_the_same_writes_nothing(
        self, repository: Repository
    ) -> None:
        first = repository.record(owed(tokens=150), created_at=NOW, revision=1)
        with nothing_written(repository):
            again = repository.record(owed(tokens=150), created_at=LATER, revision=1)
        assert again.records == first.records

    @pytest.mark.parametrize(
        ("statement", "differing"),
        [
            (owed(tokens=160, runs=12), "tokens.quantity, tokens.exact_cost, tokens.cost"),
            (owed(tokens=150, runs=12, plan=DEARER), "tokens.exact_cost, tokens.cost"),
            (
                owed(tokens="150.1", runs=11),
                "tokens.quantity, tokens.exact_cost, runs.quantity, runs.exact_cost, runs.cost",
            ),
            (owed(tokens=150), "runs.quantity, runs.exact_cost, runs.cost"),
        ],
        ids=["quantity", "price", "both", "gone"],
    )
    def test_a_revision_that_says_something_else_is_a_conflict_that_names_what_differs(
        self, repository: Repository, statement: Statement, differing: str
    ) -> None:
        repository.record(owed(tokens=150, runs=12), created_at=NOW)
        with nothing_written(repository), pytest.raises(RecordConflict) as caught:
            repository.record(statement, created_at=LATER, revision=1)
        assert caught.value.problem.endswith(f" differs in {differing}")
        assert caught.value.value == 1

    def test_an_earlier_revision_that_said_the_same_writes_nothing(
        self, repository: Repository
    ) -> None:
        for tokens in (150, 160):
            repository.record(owed(tokens=tokens), created_at=NOW)
        with nothing_written(repository):
            again = repository.record(owed(tokens=150), created_at=LATER, revision=1)
        assert (again.new, again.records) == ((), repository.records(OURS, FEB))

    def test_an_earlier_revision_is_a_conflict_even_if_the_last_one_says_the_same(
        self, repository: Repository
    ) -> None:
        for tokens in (150, 160):
            repository.record(owed(tokens=tokens), created_at=NOW)
        with (
            nothing_written(repository),
            pytest.raises(RecordConflict, match=r" differs in tokens\.quantity"),
        ):
            repository.record(owed(tokens=160), created_at=LATER, revision=1)

    def test_a_revision_must_not_leave_one_out(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        with (
            nothing_written(repository),
            pytest.raises(InvalidValue, match=r"^org-1, .* revision: must be at most 2, got 3$"),
        ):
            repository.record(owed(tokens=160), created_at=NOW, revision=3)

    @pytest.mark.parametrize("revision", [0, -1, 2**63, True, "1", 1.0])
    def test_what_is_no_revision_is_refused(self, repository: Repository, revision: Any) -> None:
        with (
            nothing_written(repository),
            pytest.raises((InvalidValue, InvalidType), match=r"^revision: "),
        ):
            repository.record(owed(tokens=150), created_at=NOW, revision=revision)
