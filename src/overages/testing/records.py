"""Records as they come about: results of an org's periods, one after the other, in a ledger.

records = draw(histories(currencies=st.just("USD")))
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from overages._ground.value import evolve
from overages.amounts.exact import Exact, Quantity, number_from_ratio
from overages.amounts.money import Currency, Money
from overages.amounts.rounding import Rounding
from overages.lines.adjustment import OVERAGE, Key
from overages.records.chain import CHAIN_START, row_digest, row_of
from overages.records.ledger import Ledger
from overages.records.record import OverageRecord
from overages.records.recording import Recording
from overages.statements.calculation import calculate
from overages.statements.statement import Statement
from overages.terms.plan import Plan
from overages.testing import fields, quantities as numbers
from overages.testing.billing import used_of
from overages.testing.fields import BY_CLASS, LAST_MONTH, few, or_none
from overages.testing.plans import Currencies, plans
from overages.testing.prices import ANY_PRICE
from overages.usage.usage import Usage

_three_months = st.integers(0, 2)
_choices = st.lists(st.integers(0, 2), max_size=5)


@st.composite
def results(
    draw: st.DrawFn,
    org_ids: Strategy[str] = fields.orgs,
    currencies: Currencies = fields.currencies,
    prices: Strategy[Any] = ANY_PRICE,
) -> list[Statement]:
    """Return statements of an org and of up to three months, as one result follows on another.

    They are of up to three versions of a plan, which may differ in all but the slug and currency.
    """
    currency: Any = draw(currencies)
    org_id, slug, first = draw(org_ids), draw(fields.names), draw(st.integers(0, LAST_MONTH - 2))
    offers = plans(currencies=st.just(currency), prices=prices).map(lambda p: evolve(p, slug=slug))
    versions = [draw(offers), *draw(few(offers, 2))]
    return [
        _result(draw, org_id, versions[n % len(versions)], first + draw(_three_months))
        for n in draw(_choices)
    ]


def _result(draw: st.DrawFn, org_id: str, plan: Plan, month: int) -> Statement:
    return calculate(plan, Usage(org_id, fields.month(month), used_of(draw, plan)))


def recorded(
    org_id: str, statements: Iterable[Statement], since: datetime, gap: timedelta
) -> tuple[Ledger, Recording]:
    """Return a ledger that took statements in, one after each gap, and the last recording."""
    ledger, recording = Ledger(org_id), Recording((), ())
    versions: dict[Plan, int] = {}
    for n, statement in enumerate(statements):
        version = versions.setdefault(statement.plan, len(versions) + 1)
        added = ledger.add(statement, plan_version=version, created_at=since + n * gap)
        recording = added.recording()
    return ledger, recording


@st.composite
def ledgers(
    draw: st.DrawFn, org_ids: Strategy[str], currencies: Currencies
) -> tuple[Ledger, Recording]:
    """Return a ledger that took results in, and the last recording."""
    org_id = draw(org_ids)
    statements = draw(results(st.just(org_id), currencies))
    since, gap = draw(fields.months).start, timedelta(seconds=draw(st.integers(0, 100_000)))
    return recorded(org_id, statements, since, gap)


def histories(
    *, org_ids: Strategy[str] = fields.orgs, currencies: Currencies = fields.currencies
) -> Strategy[tuple[OverageRecord, ...]]:
    """Return all records of an org, in order, of up to three months and several results of each.

    They are as in a repository: a chain, whose records of a period and metric sum to the
    last result. There may be none.

    :param org_ids: the orgs to choose from.
    :param currencies: their currencies.
    """
    return ledgers(org_ids, currencies).map(lambda pair: tuple(pair[0].records))


def first_record(
    key: Key,
    quantity: Quantity,
    unit_price: Quantity | None,
    exact: Exact,
    currency: Currency | str,
    rounding: Rounding,
    **named: Any,
) -> OverageRecord:
    """Return a record that is the first of its org: its numbers agree, and so does its digest."""
    metric, line = key
    if line != OVERAGE:
        quantity, unit_price = 0, None
    if unit_price is not None:
        due = Fraction(quantity) * Fraction(unit_price)
        exact = number_from_ratio(due.numerator, due.denominator)
    record = OverageRecord(
        metric=metric,
        line=line,
        quantity=quantity,
        unit_price=None
        if unit_price is None
        else number_from_ratio(*unit_price.as_integer_ratio()),
        exact_cost=exact,
        cost=Money.of(exact, currency, rounding),
        revision=1,
        sequence=1,
        digest=CHAIN_START.digest,
        **named,
    )
    return evolve(record, digest=row_digest(row_of(record), CHAIN_START.digest))


_keys = st.tuples(fields.metrics, st.just(OVERAGE)) | st.tuples(
    st.none() | fields.metrics, st.sampled_from(["minimum", "discount:launch"])
)


def records(currencies: Currencies = fields.currencies) -> Strategy[OverageRecord]:
    """Return single records, each of them the first one of its org.

    :param currencies: their currencies.
    """
    return st.builds(
        first_record,
        _keys,
        numbers.signed,
        or_none(numbers.amounts),
        numbers.exact,
        currencies,
        st.sampled_from(Rounding),
        org_id=fields.orgs,
        period=fields.periods,
        plan=fields.names,
        plan_version=st.integers(1, 3) | st.integers(1, 2**63 - 1),
        created_at=fields.instants,
    )


BY_CLASS[OverageRecord] = records()
BY_CLASS[Recording] = ledgers(fields.orgs, fields.currencies).map(lambda pair: pair[1])
