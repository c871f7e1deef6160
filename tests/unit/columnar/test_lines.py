"""Lines of a table of usage, priced by columns where that can be, and by statements otherwise."""

import importlib
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest

from overages import (
    Allowance,
    CarryOver,
    Exchanged,
    Graduated,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Tier,
    Volume,
    calculate_many,
)
from overages.errors import InvalidType, InvalidValue, InvalidValues, UnknownMetric

pa = pytest.importorskip("pyarrow")
module: Any = importlib.import_module("overages.columnar.lines")
calculate_table = module.calculate_table
statements_to_arrow: Any = importlib.import_module("overages.exports.arrow").statements_to_arrow
usages_from_arrow: Any = importlib.import_module("overages.imports.arrow").usages_from_arrow

FEBRUARY, MARCH = Period.month(2024, 2), Period.month(2024, 3)
TIERS = [Tier(10, "0.5", flat=1), Tier(None, "0.25", maximum=7)]


def usage(*rows: tuple[str, str, Any], kind: Any = None) -> Any:
    orgs, metrics, used = zip(*rows, strict=True)
    quantities = pa.array(used, kind or pa.int64())
    return pa.table({"org_id": orgs, "metric": metrics, "quantity": quantities})


ROWS = ("bolt", "runs", 12), ("acme", "tokens", 30), ("bolt", "tokens", 2), ("acme", "runs", 0)


def same(plan: Plan, table: Any, period: Period | None = FEBRUARY, **options: Any) -> Any:
    """Return lines, which are those of statements."""
    limits = options.get("limits")
    cases = ((plan, each, limits) for each in usages_from_arrow(table, period))
    expected = statements_to_arrow(calculate_many(cases), amounts=options.get("amounts", "decimal"))
    lines = calculate_table(plan, table, period, **options)
    assert lines == expected
    return lines


def in_columns(plan: Plan, table: Any, period: Period | None = FEBRUARY, **options: Any) -> Any:
    """Return lines, which are those of statements, though none was made of them."""
    expected = same(plan, table, period, **options)
    with patch.object(module, "calculate_many", None):
        assert calculate_table(plan, table, period, **options) == expected
    return expected


@pytest.mark.parametrize(
    "price",
    [
        PerUnit("0.01"),
        PerUnit("0.1", per=4),
        Package("1.5", size=7),
        Graduated(TIERS),
        Volume(TIERS),
        Volume([Tier(None, "2.5", size=5, count="completed")]),
    ],
    ids=repr,
)
def test_prices_of_whole_units_are_worked_out_by_columns(price: Any) -> None:
    plan = Plan("p", "USD", {"tokens": Allowance(3, price), "runs": Allowance(None, PerUnit(9))})
    lines = in_columns(plan, usage(*ROWS))
    assert lines["org_id"].to_pylist() == ["bolt", "bolt", "acme"]
    assert lines["limit"].to_pylist() == [3, None, 3]


FLAT = Plan("p", "JPY", {"runs": Allowance(5, PerUnit("0.5")), "tokens": Allowance(3, PerUnit(2))})


def test_limits_of_the_orgs_own_take_the_place_of_the_plans() -> None:
    lines = in_columns(FLAT, usage(*ROWS), limits={"tokens": 29, "runs": None})
    assert lines["limit"].to_pylist() == [None, 29, 29]


@pytest.mark.parametrize("kind", [pa.int32(), pa.uint8(), pa.decimal128(38, 12)])
def test_whole_quantities_of_any_type_will_do(kind: Any) -> None:
    in_columns(FLAT, usage(*ROWS, kind=kind))


def test_names_beyond_ascii_will_do() -> None:
    in_columns(FLAT, usage(("münchen", "runs", 12)))


def test_periods_can_be_columns() -> None:
    table = usage(*ROWS)
    for name, times in [
        ("period_start", [FEBRUARY.start, MARCH.start, MARCH.start, MARCH.start]),
        ("period_end", [FEBRUARY.end, MARCH.end, MARCH.end, MARCH.end]),
    ]:
        table = table.append_column(name, pa.array(times, pa.timestamp("ns", "Europe/Paris")))
    lines = in_columns(FLAT, table, None)
    starts = [datetime(2024, month, 1, tzinfo=UTC) for month in (2, 3, 3)]
    assert lines["period_start"].to_pylist() == starts


@pytest.mark.parametrize(
    "terms",
    [
        {"rounding": "half_even"},
        {"rounding_scope": "total"},
        {"minimum": Money.of(9, "USD")},
    ],
    ids=repr,
)
def test_plans_that_say_more_have_the_lines_of_statements(terms: Any) -> None:
    assert len(same(Plan("p", "USD", FLAT.allowances, **terms), usage(*ROWS))) >= 3


@pytest.mark.parametrize(
    "runs",
    [
        Allowance(5, PerUnit(1), carry_over=CarryOver()),
        Allowance(5, Volume([Tier(None, 1, flat=2)], flat_at_zero=True)),
        Allowance(5, Graduated([Tier("2.5", 1), Tier(None, 2)])),
        Allowance("5.5", PerUnit(1)),
        Allowance(10**25, PerUnit(1)),
        Allowance(5, PerUnit(14 * 10**12)),
        Allowance(5, Exchanged(PerUnit(1), rate=2)),
        Allowance(5, Graduated([*(Tier(n, n) for n in range(1, 18)), Tier(None, 1)])),
    ],
    ids=repr,
)
def test_metrics_that_take_more_have_the_lines_of_statements(runs: Allowance) -> None:
    plan = Plan("p", "USD", {**FLAT.allowances, "runs": runs})
    assert len(same(plan, usage(*ROWS))) >= 3


def test_a_price_that_no_decimal_is_exact_for_is_written_as_text() -> None:
    plan = Plan("p", "USD", {"runs": Allowance(5, PerUnit(1, per=3))})
    lines = same(plan, usage(("acme", "runs", 6)), amounts="text")
    assert lines["exact_cost"].to_pylist() == ["1/3"]
    with pytest.raises(InvalidValue, match="amounts='text' holds any"):
        calculate_table(plan, usage(("acme", "runs", 6)), FEBRUARY)


def test_other_tables_have_the_lines_of_statements() -> None:
    same(FLAT, usage(*ROWS, kind=pa.decimal128(20, 2)).slice(0, 0))
    same(FLAT, usage(("acme", "runs", "7.5"), kind=pa.string()))


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([("acme", "toads", 1)], UnknownMetric, "toads"),
        ([("acme", "runs", -1)], InvalidValue, "must not be negative"),
        ([("acme", "runs", 1), ("acme", "runs", 1)], InvalidValue, "must be there once for acme"),
        ([("acme", "runs", None)], InvalidType, "quantity: must be an int"),
        ([(" acme", "runs", 1)], InvalidValue, "must not have a space at an end"),
    ],
)
def test_the_same_is_refused(rows: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        calculate_table(FLAT, usage(*rows), FEBRUARY)


def test_a_table_and_a_plan_are_asked_for() -> None:
    wrong: Any = "starter"
    with pytest.raises(InvalidType, match="plan: must be a Plan"):
        calculate_table(wrong, usage(*ROWS), FEBRUARY)
    with pytest.raises(InvalidType, match="table: must have the Arrow PyCapsule interface"):
        calculate_table(FLAT, wrong, FEBRUARY)
    with pytest.raises(InvalidValue, match="columns: must have metric"):
        calculate_table(FLAT, usage(*ROWS).drop_columns("metric"), FEBRUARY)


def refused_alike(table: Any, period: Any = FEBRUARY) -> str:
    """Return the error that a table is refused with, as it is by statements."""
    with pytest.raises(InvalidType) as by_statements:
        usages_from_arrow(table, period)
    with pytest.raises(InvalidType) as by_columns:
        calculate_table(FLAT, table, period)
    assert str(by_columns.value) == str(by_statements.value)
    return str(by_columns.value)


@pytest.mark.parametrize(
    "orgs",
    [pa.array([101, 102]), pa.array([1.5, 2.5]), pa.array([True, False]), pa.array([b"a"] * 2)],
)
def test_a_column_of_another_type_is_refused(orgs: Any) -> None:
    table = pa.table({"org_id": orgs, "metric": ["runs"] * 2, "quantity": [7, 9]})
    assert refused_alike(table).startswith("columns.org_id: must hold text, got ")


def test_instants_without_a_timezone_are_refused() -> None:
    bounds = {"period_start": FEBRUARY.start, "period_end": FEBRUARY.end}
    naive = {name: [each.replace(tzinfo=None)] for name, each in bounds.items()}
    table = pa.table({"org_id": ["acme"], "metric": ["runs"], "quantity": [7], **naive})
    with pytest.raises(InvalidValues, match=r"columns\.period_start, columns\.period_end"):
        calculate_table(FLAT, table)


def test_categories_that_are_nothing_are_refused() -> None:
    orgs = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1]), pa.array(["acme", None]))
    table = pa.table({"org_id": orgs, "metric": ["runs"] * 3, "quantity": [7, 9, 9]})
    with pytest.raises(InvalidValues, match=r"rows\[1\]\.org_id, rows\[2\]\.org_id"):
        calculate_table(FLAT, table, FEBRUARY)


def test_categories_are_names() -> None:
    table = usage(*ROWS)
    for place, name in enumerate(("org_id", "metric")):
        table = table.set_column(place, name, table[name].dictionary_encode())
    assert calculate_table(FLAT, table, FEBRUARY) == in_columns(FLAT, usage(*ROWS))


def test_the_largest_limit_is_a_limit() -> None:
    lines = same(FLAT, usage(("acme", "runs", 7)), limits={"runs": 2**63 - 1})
    assert lines["limit"][0].as_py() == 2**63 - 1


def test_a_period_is_asked_for() -> None:
    with pytest.raises(InvalidType, match=r"^period: must be of type Period, got '2024-02'"):
        calculate_table(FLAT, usage(*ROWS), "2024-02")


def test_frames_of_other_libraries_will_do() -> None:
    polars = pytest.importorskip("polars")
    assert calculate_table(FLAT, polars.from_arrow(usage(*ROWS)), FEBRUARY) == in_columns(
        FLAT, usage(*ROWS)
    )
