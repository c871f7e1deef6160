"""Stripe is told the records: their sum, one item each, and nothing that it rounds by itself."""

from __future__ import annotations

from hypothesis import given, strategies as st

from overages import Currency, Money, Period, Statement, aggregate
from overages.errors import OveragesError
from overages.exports.stripe import invoice_items, money_of_stripe, stripe_amount
from overages.exports.stripe.items import inclusive_seconds
from overages.testing import strategies
from tests.recorded import recorded

CODES = ["USD", "JPY", "ISK", "UGX", "MGA", "KWD", "HUF", "IQD", "EUR"]


@given(st.integers(-(10**12), 10**12), st.sampled_from(CODES))
def test_an_amount_is_refused_or_comes_back_the_same(minor: int, code: str) -> None:
    money = Money(minor, code)
    try:
        amount = stripe_amount(money)
    except OveragesError:
        return
    assert money_of_stripe(amount, code.lower()) == money


@given(st.sampled_from(["USD", "JPY", "HUF"]), st.lists(st.integers(-(10**9), 10**9), max_size=20))
def test_amounts_add_up_as_money_does(code: str, minors: list[int]) -> None:
    total = sum(minors)
    assert sum(stripe_amount(Money(minor, code)) for minor in minors) == stripe_amount(
        Money(total, code)
    )


USD_AND_OTHERS = st.sampled_from(["USD", "JPY", "ISK", "MGA", "KWD"]).map(Currency)


@given(strategies.statements(plans=strategies.plans(currencies=USD_AND_OTHERS)))
def test_items_are_one_for_each_record_and_add_up_to_the_statement(statement: Statement) -> None:
    records = recorded(statement)
    try:
        items = invoice_items(records, lambda _: "cus_1", statements=[statement])
    except OveragesError:
        return  # an amount or a currency that Stripe doesn't have
    assert [item.record_id for item in items] == [record.id for record in records]
    total = aggregate(records).total if records else Money(0, statement.currency)
    assert total == statement.total
    if records:
        assert sum(item.amount for item in items) == stripe_amount(total)
    for item in items:
        assert len(item.metadata) <= 50
        assert all(len(text) <= 500 for text in (item.description, *item.metadata.values()))


@given(strategies.values(Period))
def test_the_seconds_of_a_period_hold_its_first_and_last_instant(period: Period) -> None:
    start, end = inclusive_seconds(period)
    assert start <= end
    assert end - start <= (period.end - period.start).total_seconds() + 1
