"""Aggregation: records of any orgs and periods become one summary."""

from decimal import Decimal
from typing import Any

import pytest
from tests.recorded import recorded, stored

from overages import (
    Allowance,
    Currency,
    Money,
    OverageRecord,
    Period,
    PerUnit,
    Plan,
    Summary,
    Usage,
    aggregate,
    calculate,
)
from overages.errors import CurrencyMismatch, InvalidType, InvalidValue, UnknownCurrency
from overages.statements.summary import MetricTotal

FEBRUARY, MARCH = Period.month(2024, 2), Period.month(2024, 3)


def record(
    metric: str, quantity: Any, minor: int, *, org: str = "org-1", currency: Any = "USD"
) -> OverageRecord:
    cost = Money(minor, currency)
    return stored(org, FEBRUARY, metric, quantity=quantity, cost=cost, exact_cost=0)


def test_quantities_and_costs_are_summed_by_metric() -> None:
    march = stored("org-1", MARCH, "gb", quantity="0.25", cost=Money(3, "USD"), exact_cost=0)
    records = [
        record("tokens", 250_000, 2_500),
        record("gb", "0.5", 7),
        record("tokens", 100, 1, org="org-2"),
        record("gb", 2, 20),
        march,
    ]
    expected = Summary(
        "USD",
        {
            "tokens": MetricTotal(250_100, Money(2_501, "USD")),
            "gb": MetricTotal(Decimal("2.75"), Money(30, "USD")),
        },
    )
    assert aggregate(iter(records)) == expected
    assert aggregate(reversed(records)) == expected


def test_decimals_that_come_to_a_whole_are_an_int() -> None:
    summary = aggregate([record("gb", "0.1", 1)] * 10)
    assert repr(summary["gb"].quantity) == "1"


def test_a_sum_is_exact_at_any_size() -> None:
    summary = aggregate([record("gb", 10**26 - 1, 10**30), record("gb", "-0.000000000001", -1)] * 2)
    assert repr(summary["gb"]) == (
        "MetricTotal(quantity=Decimal('199999999999999999999999997.999999999998'), "
        "cost=Money(1999999999999999999999999999998, 'USD'))"
    )


def test_a_correction_takes_back_what_was_charged() -> None:
    charge, back = record("tokens", 250_000, 2_500), record("tokens", -250_000, -2_500)
    assert aggregate([charge, back]) == Summary("USD", {})
    assert aggregate([charge, back, record("tokens", 1, 2)])["tokens"].cost.minor == 2


def test_summaries_of_parts_add_up_to_the_summary_of_all() -> None:
    left = [record("tokens", 1, 10), record("gb", "0.5", 5)]
    right = [record("gb", "0.5", 5), record("seats", 1, -3)]
    assert aggregate(left) + aggregate(right) == aggregate(left + right)


def test_the_records_of_a_statement_come_to_its_summary() -> None:
    plan = Plan("p", "USD", {m: Allowance(1, PerUnit("0.125")) for m in ("a", "b", "c")})
    statement = calculate(plan, Usage("org-1", FEBRUARY, {"a": 8, "b": "1.5"}))
    summary = aggregate(recorded(statement))
    assert summary == statement.summary()
    assert (summary["a"].cost.minor, summary["b"].cost.minor) == (88, 6)  # 87.5 and 6.25
    assert summary.total == statement.total == Money(94, "USD")


@pytest.mark.parametrize("currency", ["JPY", Currency("JPY")])
def test_no_records_come_to_nothing_in_the_currency_that_is_given(currency: Any) -> None:
    assert aggregate([], currency=currency) == Summary("JPY", {})


def test_no_records_and_no_currency_are_an_error() -> None:
    problem = "must hold at least one, or a currency be given"
    with pytest.raises(InvalidValue, match=rf"^records: {problem}, got \(\)$"):
        aggregate([])


@pytest.mark.parametrize(
    ("codes", "currency"), [(["USD", "EUR"], None), (["EUR"], "USD"), (["EUR", "USD"], "EUR")]
)
def test_records_of_two_currencies_are_an_error(codes: list[str], currency: Any) -> None:
    records = [record("tokens", 1, 1, currency=code) for code in codes]
    with pytest.raises(
        CurrencyMismatch,
        match=rf"^records\[{len(codes) - 1}\].cost: (USD and EUR|EUR and USD) can't be",
    ):
        aggregate(records, currency=currency)


def test_equal_currencies_that_are_different_objects_are_one() -> None:
    records = [record("a", 1, 5, currency=Currency("credits", 2)) for _ in range(3)]
    total = aggregate(records, currency=Currency("credits", 2)).total
    assert total == Money(15, Currency("credits", 2))


def test_units_of_one_code_and_two_exponents_are_two_currencies() -> None:
    records = [record("a", 1, 5, currency=Currency("credits", places)) for places in (2, 3)]
    with pytest.raises(CurrencyMismatch):
        aggregate(records)


def test_an_unknown_currency_is_an_error_before_any_record_is_read() -> None:
    records = iter([record("tokens", 1, 1)])
    with pytest.raises(UnknownCurrency, match=r"^currency: must be an ISO 4217 code"):
        aggregate(records, currency="usd")
    assert len(list(records)) == 1


def test_what_is_no_record_is_refused() -> None:
    strangers: Any = [record("tokens", 1, 1), Money(1, "USD")]
    with pytest.raises(InvalidType, match=r"^records\[1\]: must be of type OverageRecord, got"):
        aggregate(strangers)
