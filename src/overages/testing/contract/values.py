"""The contract of repositories: a record is read as it was written, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest

from overages.amounts.exact import Exact, QuantityLike
from overages.amounts.money import Currency, Money, parse_currency
from overages.periods.period import Period
from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.prices.tier import Tier
from overages.records.aggregation import aggregate
from overages.repository import Repository
from overages.statements.statement import Statement
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.testing.contract.base import (
    FEB,
    NOW,
    OURS,
    ContractBase,
    check_sums,
    close,
    owed,
    shown,
)

LARGEST: Final = Decimal("99999999999999999999999999.999999999999")
SECOND_LARGEST: Final = Decimal("99999999999999999999999999.999999999998")
SMALLEST: Final = Decimal("0.000000000001")
CREDITS: Final = Currency("credits", exponent=12)


def priced(
    price: PriceModel, used: QuantityLike, currency: Currency | str = "USD", period: Period = FEB
) -> Statement:
    """Return the statement of a plan that includes nothing."""
    return owed(OURS, period, Plan("any", currency, {"tokens": Allowance(0, price)}), tokens=used)


def check_read_as_recorded(repository: Repository, statement: Statement) -> None:
    """Record a statement and check that all its records are read as they were returned."""
    recording = repository.record(statement, created_at=NOW)
    records = repository.records(statement.org_id, statement.period)
    assert records == recording.records
    assert repr(records) == repr(recording.records)
    assert [record.digest for record in records] == [record.digest for record in recording.records]
    assert repository.record(statement, created_at=NOW).new == ()
    check_sums(repository, statement)
    assert repository.verify(statement.org_id) == len(repository.records(statement.org_id))


class ValueContract(ContractBase):
    """Numbers, currencies and instants at their bounds."""

    @pytest.mark.parametrize(
        ("price", "used", "exact"),
        [
            (PerUnit("0.01"), 7, Decimal("0.07")),
            (PerUnit(1, per=3), 1, Fraction(1, 3)),
            (PerUnit(1, per=3), 3, Decimal(1)),
            (PerUnit("0.000000000001", per=60), SMALLEST, Fraction(1, 6 * 10**25)),
            (PerUnit(LARGEST), LARGEST, None),
            (PerUnit(LARGEST, per=SMALLEST), LARGEST, None),
            (PerUnit(LARGEST, per=SECOND_LARGEST), SECOND_LARGEST, None),
            (Percentage("1.3"), "99.99", Decimal("1.29987")),
            (Package("1.25", size=7), 15, Decimal("3.75")),
            (Graduated([Tier(1, price=2), Tier(None, price=1, per=7, flat=1)]), 3, None),
            (Volume([Tier(1, flat=2), Tier(None, price="0.3")]), "1.5", Decimal("0.45")),
        ],
        ids=str,
    )
    def test_exact_costs_are_read_as_they_were_recorded(
        self, repository: Repository, price: PriceModel, used: QuantityLike, exact: Exact | None
    ) -> None:
        check_read_as_recorded(repository, priced(price, used))
        (record,) = repository.records(OURS)
        expected = price.charge(record.quantity).exact_cost if exact is None else exact
        assert record.exact_cost == expected

    @pytest.mark.parametrize(
        "currency", ["USD", "JPY", "BHD", "CLF", Currency("credits", 0), CREDITS], ids=str
    )
    def test_currencies_are_read_as_they_were_recorded(
        self, repository: Repository, currency: Currency | str
    ) -> None:
        check_read_as_recorded(repository, priced(PerUnit("0.7"), LARGEST, currency))
        summary = repository.summary(OURS)
        assert summary is not None
        assert summary.currency == parse_currency(currency, "currency")

    def test_corrections_of_thirds_and_sevenths_sum_exactly(self, repository: Repository) -> None:
        prices = [PerUnit(1, per=3), PerUnit(1, per=7), PerUnit(LARGEST, per=11), PerUnit("0.1")]
        for price in [*prices, *reversed(prices)]:
            check_read_as_recorded(repository, priced(price, 1))
            records = repository.records(OURS)
            total = sum((Fraction(record.exact_cost) for record in records), Fraction())
            assert total == Fraction(price.charge(1).exact_cost)

    def test_corrections_across_the_whole_range_are_exact(self, repository: Repository) -> None:
        for used in (LARGEST, SMALLEST, LARGEST, 0):
            check_read_as_recorded(repository, priced(PerUnit(LARGEST), used))
        quantities = [quantity for _, quantity, _, _ in shown(repository.records(OURS))]
        up, top = str(SECOND_LARGEST), str(LARGEST)
        assert [str(quantity) for quantity in quantities] == [top, f"-{up}", up, f"-{top}"]

    def test_sums_of_many_periods_are_exact(self, repository: Repository) -> None:
        for month in range(1, 13):
            period = Period.month(2024, month)
            check_read_as_recorded(repository, priced(PerUnit("0.3"), LARGEST, CREDITS, period))
        summary = repository.summary(OURS)
        assert summary is not None
        parts = 12 * (10**38 - 1)
        assert summary["tokens"].quantity == Decimal(f"{parts}E-12")
        assert summary.total == Money(12 * (3 * 10**37), CREDITS)  # each rounded up from ...9.7
        assert summary == aggregate(repository.records(OURS))

    @pytest.mark.parametrize(
        "period",
        [
            Period(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
            Period(FEB.start, FEB.start + timedelta(microseconds=1)),
            Period(FEB.end - timedelta(microseconds=1), FEB.end),
            Period(datetime(999, 12, 31, 23, 59, 59, 1, UTC), datetime(1000, 1, 1, tzinfo=UTC)),
        ],
        ids=str,
    )
    def test_periods_are_read_as_they_were_recorded(
        self, repository: Repository, period: Period
    ) -> None:
        check_read_as_recorded(repository, priced(PerUnit(1), 1, period=period))
        closing = close(repository, priced(PerUnit(1), 1, period=period))
        assert repository.closing(OURS, period) == closing
        assert repository.closing_before(OURS, period.end) == closing
        assert repository.closings(OURS, period.start) == (closing,)
        assert repository.closed_periods(OURS) == {period: NOW}
        assert repository.usage(OURS, period).period == period

    @pytest.mark.parametrize(
        "moment",
        [
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
            datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC),
            datetime(2024, 2, 29, 23, 59, 59, 100_000, UTC),
        ],
        ids=str,
    )
    def test_instants_are_read_as_they_were_recorded(
        self, repository: Repository, moment: datetime
    ) -> None:
        repository.record(owed(tokens=150), created_at=moment)
        close(repository, owed(tokens=150), moment)
        assert repository.records(OURS)[0].created_at == moment
        assert repository.closed_periods(OURS) == {FEB: moment}
