"""The strategies that users are given: what they draw is lawful, and what they were asked for."""

from __future__ import annotations

import inspect
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

import overages
from overages import (
    Account,
    Currency,
    OverageRecord,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Recording,
    Settlement,
    Statement,
    Usage,
    aggregate,
    calculate,
)
from overages.codec import decode, encode
from overages.records.chain import CHAIN_START, ChainHead, Link, row_of, verify_chain
from overages.settlements.pooled_statement import PooledStatement
from overages.testing import strategies
from overages.testing.registration import kinds

from .effort import few

strategies.register()

KINDS = kinds()
FEBRUARY = Period.month(2024, 2)


def test_every_public_value_has_a_strategy() -> None:
    public = {getattr(overages, name) for name in overages.__all__}
    assert {kind for kind in public if attrs.has(kind)} | {PriceModel} <= set(KINDS)


def test_every_strategy_is_documented() -> None:
    for name in strategies.__all__:
        documentation = inspect.getdoc(getattr(strategies, name))
        assert documentation
        assert documentation.splitlines()[0].endswith(".")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@few
@given(data=st.data())
def test_a_value_of_every_class_can_be_had_from_its_type(kind: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))
    assert isinstance(value, kind)
    if not isinstance(value, (PooledStatement, Recording, Settlement)):
        assert decode(encode(value), object) == value


@given(strategies.names())
def test_names_are_names(name: str) -> None:
    assert Usage(name, FEBRUARY, {name: 1}).org_id == name


@given(st.data())
def test_a_plan_is_what_was_asked_for(data: st.DataObject) -> None:
    wanted: Any = data.draw(st.sampled_from([st.just("JPY"), st.just(Currency("credits", 3))]))
    prices = st.just(PerUnit(5))
    metrics = st.sampled_from(["a", "b"])
    plan = data.draw(strategies.plans(currencies=wanted, prices=prices, metrics=metrics))
    assert plan.currency.code in {"JPY", "credits"}
    assert set(plan.allowances) <= {"a", "b"}
    assert all(allowance.price == PerUnit(5) for allowance in plan.allowances.values())
    assert data.draw(strategies.allowances(prices)).price == PerUnit(5)


@given(st.data(), strategies.plans())
def test_what_is_drawn_for_a_plan_is_of_that_plan(data: st.DataObject, plan: Plan) -> None:
    orgs, periods = st.just("org-7"), st.just(FEBRUARY)
    usage = data.draw(strategies.usages(plan=plan, org_ids=orgs, periods=periods))
    account = data.draw(strategies.accounts(plan=plan, org_ids=orgs))
    assert (usage.org_id, usage.period, account.org_id) == ("org-7", FEBRUARY, "org-7")
    assert account.plan == plan.slug
    assert calculate(plan, usage, limits=account.limits).org_id == "org-7"


@given(st.data(), strategies.plans())
def test_statements_are_of_the_plans_orgs_and_periods_asked_for(
    data: st.DataObject, plan: Plan
) -> None:
    found = strategies.statements(
        plans=st.just(plan), org_ids=st.just("org-7"), periods=st.just(FEBRUARY)
    )
    statement = data.draw(found)
    assert (statement.plan, statement.org_id, statement.period) == (plan, "org-7", FEBRUARY)


@given(st.data())
def test_amounts_are_in_the_currency_asked_for(data: st.DataObject) -> None:
    euros = st.just("EUR")
    amounts = [
        data.draw(strategies.money(euros)),
        *(record.cost for record in data.draw(strategies.histories(currencies=euros))),
    ]
    assert {amount.currency.code for amount in amounts} == {"EUR"}


@given(strategies.values(OverageRecord))
def test_a_record_is_the_first_of_its_org(record: OverageRecord) -> None:
    head = ChainHead(1, record.digest)
    assert verify_chain(record.org_id, [Link(1, row_of(record), record.digest)], head) == 1
    assert (record.revision, record.sequence) == (1, 1)
    assert_is_lawful(record)


def assert_is_lawful(record: OverageRecord) -> None:
    """Assert that a record's numbers go together."""
    exact = Fraction(record.exact_cost)
    if record.unit_price is not None:
        assert exact == Fraction(record.quantity) * Fraction(record.unit_price)
    assert abs(record.cost.minor - exact * 10**record.cost.currency.exponent) < 1


@given(strategies.histories(org_ids=st.just("org-7")))
def test_a_history_is_a_chain_that_sums_to_results(records: tuple[OverageRecord, ...]) -> None:
    head = ChainHead(len(records), records[-1].digest) if records else CHAIN_START
    links = [Link(each.sequence, row_of(each), each.digest) for each in records]
    assert verify_chain("org-7", links, head) == len(records)
    assert {record.org_id for record in records} <= {"org-7"}
    for period in {record.period for record in records}:
        there = [record for record in records if record.period == period]
        totals = aggregate(there).metrics.values()
        assert all(total.quantity >= 0 for total in totals)
        assert aggregate(there).total.minor >= 0


@given(strategies.values(Recording))
def test_a_recording_ends_with_what_is_new(recording: Recording) -> None:
    assert recording.records[len(recording.records) - len(recording.new) :] == recording.new


@given(strategies.accounts(), strategies.usages(), strategies.statements())
def test_everything_can_be_drawn_without_any_wish(
    account: Account, usage: Usage, statement: Statement
) -> None:
    drawn: list[Any] = [account, usage, statement]
    assert [type(value) for value in drawn] == [Account, Usage, Statement]
