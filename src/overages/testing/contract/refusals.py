"""The contract of repositories: recording refuses statements, and then writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from overages.amounts.money import Currency
from overages.errors import (
    CurrencyMismatch,
    InvalidValue,
    InvalidValues,
    PeriodClosed,
    PeriodOverlap,
)
from overages.periods.period import Period
from overages.prices.models import Graduated
from overages.prices.tier import Tier
from overages.repository import Repository
from overages.statements.statement import Statement
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    FEB,
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
    nothing_written,
    owed,
    shown,
)

HALF = timedelta(days=14)
MIDDLE = Period(FEB.start + HALF, FEB.end + HALF)  # the end of February, the beginning of March


def unlike_ratios(count: int, first: int = 0) -> Graduated:
    """Return a price of as many tiers, each of a denominator of its own, of some 38 digits."""
    pers = [f"{10**25 + 2 * i + 1}.{10**11 + 7 + i}" for i in range(first, first + count)]
    bounds = [*range(1, count), None]
    return Graduated([Tier(up_to, 1, per=per) for up_to, per in zip(bounds, pers, strict=True)])


class OverlapContract(ContractBase):
    """No instant is charged twice."""

    @pytest.mark.parametrize(
        "other",
        [
            MIDDLE,
            Period(JAN.start, FEB.start + timedelta(microseconds=1)),
            Period(FEB.end - timedelta(microseconds=1), MAR.end),
            Period(FEB.start + HALF, FEB.end),
            Period(FEB.start, FEB.start + HALF),
            Period(JAN.start, MAR.end),
            Period(FEB.start - HALF, FEB.end),
        ],
        ids=["across", "first-tick", "last-tick", "end", "beginning", "around", "longer"],
    )
    def test_a_metric_is_not_charged_for_a_period_that_overlaps_a_charge(
        self, repository: Repository, other: Period
    ) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        with nothing_written(repository), pytest.raises(PeriodOverlap) as caught:
            repository.record(owed(period=other, tokens=150), created_at=NOW)
        assert (caught.value.org_id, caught.value.period) == ("org-1", other)
        assert caught.value.value == (FEB,)
        assert caught.value.problem.endswith(f" of tokens for {FEB.describe()}")

    def test_periods_that_touch_do_not_overlap(self, repository: Repository) -> None:
        for period in (FEB, MAR, JAN):
            assert repository.record(owed(period=period, tokens=150), created_at=NOW).new

    def test_periods_that_touch_within_a_second_do_not_overlap(
        self, repository: Repository
    ) -> None:
        middle = FEB.start + timedelta(microseconds=500_000)
        halves = [Period(FEB.start, middle), Period(middle, FEB.end)]
        for period in halves:
            assert repository.record(owed(period=period, tokens=150), created_at=NOW).new

    def test_another_metric_may_be_charged_for_a_period_that_overlaps(
        self, repository: Repository
    ) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        assert repository.record(owed(period=MIDDLE, runs=12), created_at=NOW).new
        check_sums(repository, owed(tokens=150))

    def test_another_org_may_be_charged_for_a_period_that_overlaps(
        self, repository: Repository
    ) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        assert repository.record(owed(THEIRS, MIDDLE, tokens=150), created_at=NOW).new

    def test_what_was_taken_back_is_no_charge_to_overlap(self, repository: Repository) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        repository.record(owed(), created_at=NOW)
        assert repository.record(owed(period=MIDDLE, tokens=150), created_at=NOW).new
        with nothing_written(repository), pytest.raises(PeriodOverlap):
            repository.record(owed(tokens=150), created_at=NOW)

    def test_a_charge_that_overlaps_another_of_its_batch_is_refused(
        self, repository: Repository
    ) -> None:
        with nothing_written(repository), pytest.raises(PeriodOverlap):
            repository.record_many(
                [owed(tokens=150), owed(period=MIDDLE, tokens=150)], created_at=NOW
            )


class RefusalContract(ContractBase):
    """Currencies, and batches of which a part is refused."""

    @pytest.mark.parametrize("tokens", [150, 160, 0])
    def test_a_period_is_recorded_in_one_currency(
        self, repository: Repository, tokens: int
    ) -> None:
        euros = Plan("euros", "EUR", PLAN.allowances)
        repository.record(owed(tokens=150), created_at=NOW)
        with nothing_written(repository), pytest.raises(CurrencyMismatch, match="USD and EUR"):
            repository.record(owed(plan=euros, tokens=tokens), created_at=NOW)

    def test_currencies_of_one_code_and_other_exponents_are_two(
        self, repository: Repository
    ) -> None:
        coarse, fine = (
            Plan("own", Currency("credits", exponent=exponent), PLAN.allowances)
            for exponent in (0, 12)
        )
        repository.record(owed(plan=coarse, tokens=150), created_at=NOW)
        with nothing_written(repository), pytest.raises(CurrencyMismatch):
            repository.record(owed(plan=fine, tokens=160), created_at=NOW)

    def test_an_exact_cost_that_could_not_be_read_again_is_not_written(
        self, repository: Repository
    ) -> None:
        price = unlike_ratios(28)
        plan = Plan("unlike", "USD", {"tokens": Allowance(0, price), "runs": Allowance(0, price)})
        batch = [owed(THEIRS, tokens=150), owed(plan=plan, runs=1, tokens=28)]
        problem = "^org-1, .*: tokens.exact_cost: must have at most 1000 digits on a side"
        with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
            repository.record(batch[1], created_at=NOW)
        with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
            repository.record_many(batch, created_at=NOW)

    def test_an_exact_cost_of_nearly_as_many_digits_is_read_as_it_was(
        self, repository: Repository
    ) -> None:
        plan = Plan("unlike", "USD", {"tokens": Allowance(0, unlike_ratios(25))})
        statement = owed(plan=plan, tokens=25)
        repository.record(statement, created_at=NOW)
        (record,) = repository.records(OURS)
        assert record.exact_cost == statement["tokens"].exact_cost

    def test_a_correction_that_could_not_be_read_again_is_not_written(
        self, repository: Repository
    ) -> None:
        now, later = (
            Plan("unlike", "USD", {"tokens": Allowance(0, unlike_ratios(20, first))})
            for first in (0, 20)
        )
        repository.record(owed(plan=now, tokens=20), created_at=NOW)
        problem = "tokens.exact_cost: must have at most 1000 digits on a side"
        with nothing_written(repository), pytest.raises(InvalidValue, match=problem):
            repository.record(owed(plan=later, tokens=20), created_at=LATER)

    def test_all_faults_of_a_batch_are_reported_and_nothing_is_written(
        self, repository: Repository
    ) -> None:
        repository.record(owed(tokens=150), created_at=NOW)
        close(repository, owed(tokens=150))
        batch = [
            owed(THEIRS, tokens=150),
            owed(tokens=160),
            owed(period=MIDDLE, tokens=150),
            owed(period=JAN, tokens=150),
        ]
        with nothing_written(repository), pytest.raises(InvalidValues) as caught:
            repository.record_many(batch, created_at=NOW)
        assert [type(error) for error in caught.value.errors] == [PeriodClosed, PeriodOverlap]

    def test_a_batch_that_was_refused_can_be_recorded_in_parts(
        self, repository: Repository
    ) -> None:
        batch = [owed(tokens=150), owed(period=MIDDLE, tokens=150)]
        with pytest.raises(PeriodOverlap):
            repository.record_many(batch, created_at=NOW)
        (record,) = repository.record(batch[1], created_at=NOW).new
        assert (shown((record,)), record.sequence) == ([("tokens", 50, 50, 1)], 1)
        assert repository.verify() == 1

    def test_statements_may_come_from_a_generator(self, repository: Repository) -> None:
        made = (owed(period=period, tokens=150) for period in (FEB, MAR))
        assert len(repository.record_many(made, created_at=NOW)) == 2

    def test_a_generator_of_statements_that_raises_lets_nothing_be_written(
        self, repository: Repository
    ) -> None:
        def broken() -> Iterator[Statement]:
            yield owed(tokens=150)
            raise OSError("the file is gone")

        with nothing_written(repository), pytest.raises(OSError, match="the file is gone"):
            repository.record_many(broken(), created_at=NOW)
