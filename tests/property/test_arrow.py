"""Through Arrow and back: nothing changes, or it is refused."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages import OverageRecord, Statement, Usage, UsageEvent
from overages._ground.columns import EVENTS
from overages.errors import InvalidValue
from overages.testing.records import records
from overages.testing.strategies import statements, usages, values

pa = pytest.importorskip("pyarrow")
imports: Any = importlib.import_module("overages.imports.arrow")
exports: Any = importlib.import_module("overages.exports.arrow")


def frames_of(table: Any) -> list[Any]:
    """Return a table as it is, and as each library of frames that is there has it."""
    found = [table]
    for library, make in [("pandas", "DataFrame"), ("polars", "DataFrame")]:
        try:
            frame = getattr(importlib.import_module(library), make)
        except ImportError:
            continue
        found.append(table.to_pandas() if library == "pandas" else frame(table))
    return found


@given(st.lists(usages(), max_size=4, unique_by=lambda usage: (usage.org_id, usage.period)))
def test_usage_comes_back_as_it_was(given_usages: list[Usage]) -> None:
    for frame in frames_of(exports.usages_to_arrow(given_usages)):
        assert imports.usages_from_arrow(frame) == given_usages


@given(st.lists(values(UsageEvent), min_size=1, max_size=4))
def test_events_come_back_as_they_were(events: list[UsageEvent]) -> None:
    dimensions = {f"dimension.{key}" for event in events for key in event.dimensions}
    types = {"instant": pa.timestamp("us", "UTC"), "quantity": pa.decimal128(38, 12)}
    named = [(column.name, types.get(column.kind, pa.string())) for column in EVENTS]
    schema = pa.schema(named + [(column, pa.string()) for column in sorted(dimensions)])
    rows = [
        {
            "org_id": event.org_id,
            "metric": event.metric,
            "quantity": event.quantity,
            "timestamp": event.at,
            "event_id": event.id,
            **{f"dimension.{key}": value for key, value in event.dimensions.items()},
        }
        for event in events
    ]
    for frame in frames_of(pa.Table.from_pylist(rows, schema)):
        assert list(imports.events_from_arrow(frame)) == events


@given(st.lists(records(), max_size=3))
def test_records_come_back_as_they_were(given_records: list[OverageRecord]) -> None:
    for frame in frames_of(exports.records_to_arrow(given_records, amounts="text")):
        assert list(imports.records_from_arrow(frame)) == given_records


@given(records())
def test_a_record_in_decimals_is_exact_or_refused(record: OverageRecord) -> None:
    with suppress(InvalidValue):  # which amounts those are, the tests of the module say
        for frame in frames_of(exports.records_to_arrow([record])):
            assert list(imports.records_from_arrow(frame)) == [record]


@given(statements())
def test_lines_of_a_statement_add_up(statement: Statement) -> None:
    table = exports.statements_to_arrow([statement], amounts="text")
    costs = [line.cost.amount for line in statement.lines]
    assert table["cost"].to_pylist() == [format(cost, "f") for cost in costs]
    assert table["metric"].to_pylist() == [line.metric for line in statement.lines]
