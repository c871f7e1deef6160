"""Law 4: records sum to the last result, and their chain shows whether one was changed.

"Records are append-only. Recording the same statement twice writes nothing the second time. A
changed result appends corrections, signed, so that the sum of all records of a period is always the
period's last recorded result. No record is ever updated or deleted."
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import assume, given, strategies as st

from overages import OverageRecord, Period, Statement, aggregate
from overages.amounts.exact import number_text
from overages.errors import RecordsAltered
from overages.periods.period import format_instant
from overages.records.chain import (
    CHAIN_START,
    COLUMNS,
    ChainHead,
    Link,
    link_of,
    row_digest,
    row_of,
    verify_chain,
)
from overages.records.ledger import Ledger
from overages.testing.fields import currencies, names
from overages.testing.records import results
from tests.recorded import AT

from .effort import many
from .recipes import Recipe
from .strategies import Case, any_price, cases, record_recipes
from .sums import result_of, sums_of


def statement_lists(org_id: str = "org-1") -> st.SearchStrategy[list[Statement]]:
    """Return results of some months of an org, as one followed on another."""
    return results(st.just(org_id), currencies, any_price)


def add(ledger: Ledger, statement: Statement) -> tuple[OverageRecord, ...]:
    return ledger.add(statement, plan_version=1, created_at=AT).new


def history_of(statements: list[Statement]) -> Ledger:
    ledger = Ledger("org-1")
    for statement in statements:
        add(ledger, statement)
    return ledger


# Recording


@given(cases())
def test_a_first_statement_s_records_are_its_lines_that_are_over_or_cost(case: Case) -> None:
    statement = case.statement.one()
    ledger = Ledger(statement.org_id)
    found = [
        (record.metric, record.line, record.quantity, record.exact_cost, record.cost)
        for record in add(ledger, statement)
    ]
    overages = [
        (line.metric, "overage", line.quantity, line.exact_cost, line.cost)
        for line in statement.overages
        if line.quantity or line.cost.minor
    ]
    assert found == overages + [
        (line.metric, line.line, 0, line.exact_cost, line.cost) for line in statement.adjustments
    ]


@given(statement_lists())
def test_recording_the_same_statement_twice_adds_nothing(statements: list[Statement]) -> None:
    ledger = Ledger("org-1")
    for statement in statements:
        add(ledger, statement)
        before = list(ledger.records), list(ledger.new), ledger.head, list(ledger.counters)
        again = ledger.add(statement, plan_version=2, created_at=AT).recording()
        assert again.new == ()
        assert again.records == tuple(r for r in ledger.records if r.period == statement.period)
        assert (ledger.records, ledger.new, ledger.head, ledger.counters) == before


@many
@given(statement_lists())
def test_records_sum_to_the_last_result_of_each_period(statements: list[Statement]) -> None:
    ledger = Ledger("org-1")
    last: dict[Period, Statement] = {}
    for statement in statements:
        add(ledger, statement)
        last[statement.period] = statement
        for period, result in last.items():
            there = [record for record in ledger.records if record.period == period]
            assert sums_of(there) == result_of(result)
            assert aggregate(there, currency=result.currency) == result.summary()


@given(statement_lists())
def test_what_is_due_is_what_the_records_sum_to(statements: list[Statement]) -> None:
    ledger = history_of(statements)
    for (*_, start, end, metric), due in {row[:4]: row[4:] for row in ledger.counters}.items():
        there = [r for r in ledger.records if r.period.isoformat() == f"{start}/{end}"]
        sums = [sum_ for key, sum_ in sums_of(there).items() if key[0] == metric]
        quantity, minor = sum(sum_[0] for sum_ in sums), sum(sum_[2] for sum_ in sums)
        currency = there[0].cost.currency
        assert Fraction(due[0]) == quantity
        assert due[1:] == (str(minor), currency.code, currency.exponent)


@given(statement_lists())
def test_earlier_records_are_never_touched(statements: list[Statement]) -> None:
    ledger = Ledger("org-1")
    for statement in statements:
        before = list(ledger.records)
        new = add(ledger, statement)
        assert ledger.records == [*before, *new]
        assert [record.sequence for record in ledger.records] == list(
            range(1, len(ledger.records) + 1)
        )
        revisions = [r.revision for r in ledger.records if r.period == statement.period]
        assert sorted(revisions) == revisions
        assert set(revisions) == set(range(1, max(revisions, default=0) + 1))


@many
@given(statement_lists())
def test_a_unit_price_explains_the_exact_cost(statements: list[Statement]) -> None:
    for record in history_of(statements).records:
        if record.unit_price is not None:
            cost = Fraction(record.quantity) * Fraction(record.unit_price)
            assert cost == Fraction(record.exact_cost)


@given(statement_lists(), st.integers(0, 6))
def test_a_ledger_goes_on_wherever_another_one_ended(statements: list[Statement], at: int) -> None:
    whole, first = history_of(statements), history_of(statements[:at])
    second = Ledger("org-1", records=first.records, head=first.head)
    for statement in statements[at:]:
        add(second, statement)
    assert (second.records, second.head) == (whole.records, whole.head)
    assert first.new + second.new == whole.new


@given(statement_lists())
def test_what_is_recorded_is_what_would_be_constructed(statements: list[Statement]) -> None:
    ledger = history_of(statements)
    for record, stored in zip(ledger.records, ledger.new, strict=True):
        again = OverageRecord(
            record.org_id,
            record.period,
            record.metric,
            quantity=record.quantity,
            cost=record.cost,
            exact_cost=record.exact_cost,
            unit_price=record.unit_price,
            line=record.line,
            plan=record.plan,
            plan_version=record.plan_version,
            revision=record.revision,
            sequence=record.sequence,
            created_at=record.created_at,
            digest=record.digest,
        )
        assert (again, repr(again), hash(again)) == (record, repr(record), hash(record))
        assert (*row_of(record), record.digest) == stored


# The chain


@many
@given(record_recipes(), st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_a_digest_is_of_the_one_before_and_the_columns_line_by_line(
    recipe: Recipe[OverageRecord], previous: str
) -> None:
    record = recipe.one()
    price, cost = record.unit_price, record.cost
    text = (
        f"{previous}\n{record.org_id}\n{format_instant(record.period.start)}\n"
        f"{format_instant(record.period.end)}\n{record.metric or ''}\n{record.line}\n"
        f"{record.revision}\n{number_text(record.quantity)}\n"
        f"{'null' if price is None else number_text(price)}\n{number_text(record.exact_cost)}\n"
        f"{cost.minor}\n{cost.currency.code}\n{cost.currency.exponent}\n{record.plan}\n"
        f"{record.plan_version}\n{record.sequence}\n{format_instant(record.created_at)}"
    )
    expected = sha256(text.encode()).hexdigest()
    assert row_digest(row_of(record), previous) == expected
    assert row_digest(row_of(recipe.other()), previous) == expected


@given(statement_lists(), st.randoms(use_true_random=False))
def test_the_chain_of_what_was_recorded_verifies(statements: list[Statement], random: Any) -> None:
    ledger = history_of(statements)
    links = [link_of(row) for row in ledger.new]
    random.shuffle(links)
    assert verify_chain("org-1", links, ledger.head) == len(links)
    for sequence, (*_, digest) in enumerate(ledger.new, start=1):
        noted = ChainHead(sequence, digest)
        assert verify_chain("org-1", links, ledger.head, noted) == len(links)
    previous = CHAIN_START.digest
    for _, row, digest in map(link_of, ledger.new):
        assert row_digest(row, previous) == digest
        previous = digest


def with_place(link: Link, sequence: int) -> Link:
    at = COLUMNS.index("sequence")
    return Link(sequence, (*link.columns[:at], sequence, *link.columns[at + 1 :]), link.digest)


def change(data: st.DataObject, links: list[Link]) -> int:
    """Change a column of a record; return where."""
    at = data.draw(st.integers(0, len(links) - 1))
    column = data.draw(st.sampled_from([i for i, name in enumerate(COLUMNS) if name != "sequence"]))
    sequence, row, digest = links[at]
    value = row[column]
    other = data.draw(st.integers(0, 9)) if isinstance(value, int) else data.draw(names)
    assume(other != value)
    links[at] = Link(sequence, (*row[:column], other, *row[column + 1 :]), digest)
    return at + 1


def remove(data: st.DataObject, links: list[Link]) -> int:
    at = data.draw(st.integers(0, len(links) - 1))
    del links[at]
    return at + 1


def swap(data: st.DataObject, links: list[Link]) -> int:
    assume(len(links) > 1)
    pair = st.lists(st.integers(0, len(links) - 1), min_size=2, max_size=2, unique=True)
    one, other = sorted(data.draw(pair))
    links[one], links[other] = with_place(links[other], one + 1), with_place(links[one], other + 1)
    return one + 1


def duplicate(data: st.DataObject, links: list[Link]) -> int:
    at = data.draw(st.integers(0, len(links) - 1))
    links.insert(data.draw(st.integers(0, len(links))), links[at])
    return at + 1


def insert(data: st.DataObject, links: list[Link]) -> int:
    """Put another row in, and move those behind it on; its digest follows on the one before."""
    at = data.draw(st.integers(0, len(links)))
    _, row, _ = with_place(Link(0, row_of(data.draw(record_recipes()).one()), ""), at + 1)
    previous = links[at - 1].digest if at else CHAIN_START.digest
    behind = [with_place(link, at + 2 + i) for i, link in enumerate(links[at:])]
    lawful = data.draw(st.booleans())
    digest = row_digest(row, previous if lawful else "0" * 63 + "1")
    links[at:] = [Link(at + 1, row, digest), *behind]
    return at + 2 if lawful and behind else at + 1


@many
@given(statement_lists(), st.sampled_from([change, remove, swap, duplicate, insert]), st.data())
def test_whatever_is_done_to_a_chain_is_found_and_named(
    statements: list[Statement],
    tamper: Callable[[st.DataObject, list[Link]], int],
    data: st.DataObject,
) -> None:
    ledger = history_of(statements)
    assume(ledger.new)
    links = [link_of(row) for row in ledger.new]
    first = tamper(data, links)
    with pytest.raises(RecordsAltered) as caught:
        verify_chain("org-1", links, ledger.head)
    assert (caught.value.org_id, caught.value.sequence) == ("org-1", first)


@given(statement_lists(), st.data())
def test_a_chain_that_was_cut_off_shows_by_a_head_that_was_noted(
    statements: list[Statement], data: st.DataObject
) -> None:
    ledger = history_of(statements)
    assume(ledger.new)
    kept = data.draw(st.integers(0, len(ledger.new) - 1))
    left = [link_of(row) for row in ledger.new[:kept]]
    head = ChainHead(len(left), left[-1].digest) if left else CHAIN_START
    assert verify_chain("org-1", left, head) == len(left)
    with pytest.raises(RecordsAltered) as caught:
        verify_chain("org-1", left, head, noted=ledger.head)
    assert caught.value.sequence == len(left) + 1


# Orgs: law 8


@given(statement_lists(), statement_lists("org-2"), st.data())
def test_the_records_of_an_org_are_the_same_with_and_without_another_s(
    ours: list[Statement], theirs: list[Statement], data: st.DataObject
) -> None:
    alone = history_of(ours)
    ledgers = {"org-1": Ledger("org-1"), "org-2": Ledger("org-2")}
    left = {"org-1": iter(ours), "org-2": iter(theirs)}
    order = data.draw(st.permutations(["org-1"] * len(ours) + ["org-2"] * len(theirs)))
    for org_id in order:
        add(ledgers[org_id], next(left[org_id]))
    assert (ledgers["org-1"].records, ledgers["org-1"].head) == (alone.records, alone.head)
    assert {record.org_id for record in ledgers["org-2"].records} <= {"org-2"}
