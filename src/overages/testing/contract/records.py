"""The contract of repositories: records, which are only ever added to (law 4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from overages.errors import CurrencyMismatch, InvalidValue
from overages.prices.models import PerUnit
from overages.records.aggregation import aggregate
from overages.repository import Repository
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.contract.base import (
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
