"""What is said over HTTP keeps the laws: exact numbers, lines that add up, what is recorded."""

import json
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, strategies as st

from overages import MemoryRepository, OverageRecord, Period, Statement
from overages.errors import InvalidType, InvalidValue, InvalidValues
from overages.exports.wire import calculated, recalculate_request, recorded
from overages.testing.fields import currencies
from overages.testing.records import results
from tests.recorded import AT

from .effort import many
from .strategies import any_price

KEYS = {"tokens", "playbookRuns", "seats"}


def said(statement: Statement) -> dict[str, Any]:
    """Return the data as a reader of JSON has them."""
    try:
        data = calculated(statement)
    except InvalidValue:
        assume(False)
    written = json.loads(json.dumps(data, allow_nan=False))
    assert written == data
    return data


def exact(number: int | str) -> Fraction:
    assert isinstance(number, str) or abs(number) < 2**53
    return Fraction(number)


@given(results(st.just("org-1"), currencies, any_price))
@many
def test_law_1_and_2_every_number_is_exact_and_lines_add_up(found: list[Statement]) -> None:
    for statement in found:
        data = said(statement)
        costs = [line["cost"] for line in data["overages"].values()]
        costs += [line["cost"] for line in data.get("adjustments", [])]
        assert sum(map(exact, costs)) == exact(data["totalCost"]) == statement.total.minor
        assert sum(exact(line["amount"]) for line in data["overages"].values()) == sum(
            Fraction(line.quantity) for line in statement.overages
        )
        assert data["overages"].keys() >= KEYS


@given(results(st.just("org-1"), currencies, any_price))
@many
def test_law_4_what_is_recorded_is_the_last_result(found: list[Statement]) -> None:
    repository = MemoryRepository()
    last: dict[Period, Statement] = {}
    for statement in found:
        repository.record(statement, created_at=AT)
        last[statement.period] = statement
    for period, statement in last.items():
        records: tuple[OverageRecord, ...] = repository.records("org-1", period)
        with_plan = recorded("org-1", period, records, statement.plan)
        data = said(statement)
        if not records:  # and so no currency
            data.pop("currency", None)
        assert json.dumps(with_plan) == json.dumps(data)


@given(st.binary() | st.text() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("force"), inner),
).map(json.dumps))  # fmt: skip
@many
def test_a_request_is_read_or_refused(body: bytes | str) -> None:
    try:
        force = recalculate_request(body)
    except (InvalidType, InvalidValue, InvalidValues):
        return
    assert not body or json.loads(body) in ({}, {"force": force})
