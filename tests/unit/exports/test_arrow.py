"""Statements, records and usage as Arrow tables."""

import importlib
import sys
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from tests.recorded import recorded, stored

from overages import (
    Allowance,
    Currency,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    calculate,
)
from overages._ground.columns import LINES, RECORDS, USAGE, names_of
from overages.errors import InvalidValue

pa = pytest.importorskip("pyarrow")
arrow: Any = importlib.import_module("overages.exports.arrow")

FEBRUARY = Period.month(2024, 2)
PLAN = Plan(
    "p",
    "USD",
    {"calls": Allowance("1.5", PerUnit("0.02")), "runs": Allowance(None, Package(2, 10))},
    minimum=Money(5000, "USD"),
)
THIRDS = Plan("thirds", Currency("credits", 9), {"calls": Allowance(0, PerUnit(1, per=3))})
QUANTITY, AMOUNT = pa.decimal128(38, 12), pa.decimal128(38, 24)


def statement(plan: Plan = PLAN, org_id: str = "ö", **quantities: Any) -> Statement:
    return calculate(plan, Usage(org_id, FEBRUARY, quantities))


def test_a_statement_has_a_row_for_each_overage_and_adjustment() -> None:
    table = arrow.statements_to_arrow([statement(calls=101, runs=5)])
    head = {
        "org_id": "ö",
        "period_start": datetime(2024, 2, 1, tzinfo=UTC),
        "period_end": datetime(2024, 3, 1, tzinfo=UTC),
        "plan": "p",
        "currency": "USD",
    }
    assert table.to_pylist() == [
        head
        | {
            "metric": "calls",
            "line": "overage",
            "used": 101,
            "limit": Decimal("1.5"),
            "over": Decimal("99.5"),
            "unit_price": Decimal("0.02"),
            "exact_cost": Decimal("1.99"),
            "cost": Decimal("1.99"),
        },
        head
        | {
            "metric": "runs",
            "line": "overage",
            "used": 5,
            "limit": None,
            "over": 0,
            "unit_price": None,
            "exact_cost": 0,
            "cost": 0,
        },
        head
        | {
            "metric": None,
            "line": "minimum",
            "used": None,
            "limit": None,
            "over": None,
            "unit_price": None,
            "exact_cost": Decimal("48.01"),
            "cost": Decimal("48.01"),
        },
    ]


def test_the_types_of_columns_are_declared_and_do_not_depend_on_what_is_in_them() -> None:
    instant = pa.timestamp("us", "UTC")
    empty, full = arrow.statements_to_arrow([]), arrow.statements_to_arrow([statement(calls=101)])
    assert empty.schema == full.schema
    assert tuple(full.schema.names) == names_of(LINES)
    assert full.schema.types == [
        *(pa.string(), instant, instant, pa.string(), pa.string(), pa.string()),
        *(QUANTITY, QUANTITY, QUANTITY, AMOUNT, AMOUNT, QUANTITY, pa.string()),
    ]
    nullable = {field.name for field in full.schema if field.nullable}
    assert nullable == {"metric", "used", "limit", "over", "unit_price"}


def test_amounts_can_be_text_as_in_csv() -> None:
    table = arrow.statements_to_arrow([statement(THIRDS, calls=10)], amounts="text")
    row = table.to_pylist()[0]
    assert (row["unit_price"], row["exact_cost"], row["cost"]) == ("1/3", "10/3", "3.333333333")
    assert row["over"] == 10
    assert table.schema.field("cost").type == pa.string()


def test_an_amount_that_no_decimal_equals_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidValue) as caught:
        arrow.statements_to_arrow([statement(PLAN, calls=1), statement(THIRDS, "org-2", calls=10)])
    assert str(caught.value) == (
        "org-2, 2024-02-01 to 2024-03-01 UTC: "
        "unit_price: must be a decimal number; amounts='text' holds any, "
        "got 1/3"
    )


@pytest.mark.parametrize(
    ("exact_cost", "fits"),
    [
        (Decimal("1E-24"), True),
        (Decimal("1E-25"), False),
        (Decimal("1E+13"), True),
        (Decimal("1E+14"), False),
        (Decimal("-99999999999999.999999999999999999999999"), True),
        (Fraction(1, 60), False),
    ],
)
def test_amounts_have_fourteen_integer_and_twenty_four_decimal_digits(
    exact_cost: Any, fits: bool
) -> None:
    record = stored("a", FEBRUARY, "calls", quantity=1, cost=Money(1, "USD"), exact_cost=exact_cost)
    if fits:
        (row,) = arrow.records_to_arrow([record]).to_pylist()
        assert row["exact_cost"] == exact_cost
    else:
        with pytest.raises(InvalidValue, match="a, 2024-02-01 to 2024-03-01 UTC: exact_cost: must"):
            arrow.records_to_arrow([record])
    (row,) = arrow.records_to_arrow([record], amounts="text").to_pylist()
    assert Fraction(row["exact_cost"]) == exact_cost


def test_costs_have_twenty_six_integer_digits() -> None:
    for digits, fits in [(26, True), (27, False)]:
        cost = Money(10**digits - 1, Currency("units", 0))
        record = stored("a", FEBRUARY, "calls", quantity=1, cost=cost, exact_cost=1)
        if fits:
            (row,) = arrow.records_to_arrow([record]).to_pylist()
            assert row["cost"] == 10**26 - 1
        else:
            with pytest.raises(InvalidValue, match="cost: must have at most 26 integer and 12"):
                arrow.records_to_arrow([record])


def test_the_ambient_decimal_context_changes_nothing() -> None:
    most = Decimal("99999999999999999999999999.999999999999")
    usage = Usage("a", FEBRUARY, {"calls": most})
    with localcontext() as context:
        context.prec = 2
        table = arrow.usages_to_arrow([usage])
        assert table["quantity"].to_pylist() == [most]


def test_a_record_is_a_row_with_all_that_it_has() -> None:
    records = recorded(statement(THIRDS, calls=3))
    table = arrow.records_to_arrow(records, amounts="text")
    assert tuple(table.schema.names) == names_of(RECORDS)
    (row,) = table.to_pylist()
    assert row == {
        "org_id": "ö",
        "period_start": FEBRUARY.start,
        "period_end": FEBRUARY.end,
        "metric": "calls",
        "line": "overage",
        "quantity": 3,
        "unit_price": "1/3",
        "exact_cost": "1",
        "cost": "1.000000000",
        "currency": "credits",
        "currency_exponent": 9,
        "plan": "thirds",
        "plan_version": 1,
        "revision": 1,
        "sequence": 1,
        "created_at": records[0].created_at,
        "digest": records[0].digest,
    }


def test_usage_is_a_row_for_each_quantity_and_one_for_none() -> None:
    usages = [Usage("a", FEBRUARY, {"x": 1, "y": "0.5"}), Usage("b", FEBRUARY, {})]
    table = arrow.usages_to_arrow(usages)
    assert tuple(table.schema.names) == names_of(USAGE)
    assert [(row["org_id"], row["metric"], row["quantity"]) for row in table.to_pylist()] == [
        ("a", "x", 1),
        ("a", "y", Decimal("0.5")),
        ("b", None, None),
    ]


def test_batches_are_made_as_they_are_read() -> None:
    taken = 0

    def usages() -> Any:
        nonlocal taken
        for i in range(40_000):
            taken += 1
            yield Usage(f"org-{i}", FEBRUARY, {"x": i})

    with arrow.usage_batches(usages()) as batches:
        assert taken == 0
        assert batches.read_next_batch().num_rows == 16_384 == taken
        assert [batch.num_rows for batch in batches] == [16_384, 7_232]
    statements = arrow.statement_batches(iter([statement(calls=101)]))
    records = arrow.record_batches(iter(recorded(statement(calls=101))))
    assert (statements.read_all().num_rows, records.read_all().num_rows) == (2, 2)


def test_what_amounts_are_is_decimal_or_text() -> None:
    with pytest.raises(InvalidValue, match="amounts: must be one of decimal, text"):
        arrow.statements_to_arrow([], amounts="float")


@pytest.mark.parametrize(
    "module", ["overages.exports.arrow", "overages.imports.frames", "overages.columnar.lines"]
)
def test_without_pyarrow_the_extra_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(ImportError, match=r"pip install 'overages\[arrow\]'") as caught:
        importlib.import_module(module)
    assert caught.value.name == "pyarrow"
