"""Usage events, usage and records from Arrow tables and data frames."""

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.recorded import recorded
from tests.told import told

from overages import Allowance, Currency, Period, PerUnit, Plan, Usage, UsageEvent, calculate
from overages.errors import InvalidType, InvalidValue, OveragesError

pa = pytest.importorskip("pyarrow")
imports: Any = importlib.import_module("overages.imports.arrow")
exports: Any = importlib.import_module("overages.exports.arrow")

AT = datetime(2024, 2, 1, 12, tzinfo=UTC)
FEBRUARY = Period.month(2024, 2)
EVENT = {"org_id": "org-1", "metric": "tokens", "quantity": 10, "timestamp": AT, "event_id": "e1"}
USED = {"org_id": "org-1", "metric": "tokens", "quantity": 10}
INSTANT = pa.timestamp("us", "UTC")


def events(*rows: dict[str, Any]) -> list[UsageEvent]:
    return list(imports.events_from_arrow(pa.Table.from_pylist(list(rows))))


def with_column(name: str, array: Any) -> Any:
    """Return a table of one event with another column in place of its own."""
    table = pa.Table.from_pylist([EVENT])
    return table.set_column(table.schema.get_field_index(name), name, array)


def faults(of: pytest.ExceptionInfo[OveragesError]) -> list[str]:
    return [str(error) for error in of.value.errors]


def test_a_row_is_an_event() -> None:
    assert events(EVENT) == [UsageEvent("org-1", "tokens", 10, AT, "e1")]


def test_event_ids_and_dimensions_may_be_missing_or_null() -> None:
    one = {k: v for k, v in EVENT.items() if k != "event_id"}
    assert events(one) == [UsageEvent("org-1", "tokens", 10, AT)]
    rows = [EVENT | {"dimension.region": "eu"}, EVENT | {"event_id": None}]
    assert events(*rows) == [
        UsageEvent("org-1", "tokens", 10, AT, "e1", {"region": "eu"}),
        UsageEvent("org-1", "tokens", 10, AT),
    ]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([10], pa.int8()),
        pa.array([10], pa.uint64()),
        pa.array([Decimal(10)], pa.decimal128(4, 2)),
        pa.array([Decimal(10)], pa.decimal128(38, 12)),
        pa.array([Decimal(10)], pa.decimal256(76, 40)),
        pa.array(["10.000"]),
        pa.array(["10"], pa.large_string()),
    ],
    ids=lambda array: str(array.type),
)
def test_a_quantity_may_be_of_any_type_that_is_exact(array: Any) -> None:
    (event,) = imports.events_from_arrow(with_column("quantity", array))
    assert repr(event.quantity) == "10"


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_a_quantity_that_is_a_float_is_refused_by_the_name_of_its_column(kind: Any) -> None:
    table = with_column("quantity", pa.array([10.0]).cast(kind))
    with pytest.raises(InvalidType) as caught:
        imports.events_from_arrow(table)
    assert str(caught.value) == (
        "columns.quantity: must hold integers, decimals or decimal text (a float is not exact), "
        f"got {str(kind)!r}"
    )


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["org-1"], pa.large_string()),
        pa.array(["org-1"], pa.string_view()),
        pa.array(["org-1"]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_a_text_may_be_a_category(array: Any) -> None:
    (event,) = imports.events_from_arrow(with_column("org_id", array))
    assert event == UsageEvent("org-1", "tokens", 10, AT, "e1")


@pytest.mark.parametrize(
    ("unit", "tick", "expected"),
    [
        ("s", 1, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("ms", -1, datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("us", 1, datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("ns", 1_999, datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        ("ns", -1, datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_what_is_finer_than_a_microsecond_is_cut_off(
    unit: str, tick: int, expected: datetime
) -> None:
    array = pa.array([tick], pa.int64()).cast(pa.timestamp(unit, "UTC"))
    (event,) = imports.events_from_arrow(with_column("timestamp", array))
    assert event.at == expected


def test_a_timestamp_of_another_zone_is_the_same_instant() -> None:
    local = AT.astimezone(timezone(timedelta(hours=2)))
    array = pa.array([local], pa.timestamp("us", "+02:00"))
    (event,) = imports.events_from_arrow(with_column("timestamp", array))
    assert (event.at, event.at.tzinfo) == (AT, UTC)


def test_all_faults_of_the_columns_are_reported_at_once() -> None:
    table = pa.table(
        {
            "org_id": pa.array([1]),
            "metric": pa.array([["tokens"]]),
            "quantity": pa.array([True]),
            "timestamp": pa.array([datetime(2024, 2, 1)]),
            "dimension.region": pa.array([1.5]),
        }
    )
    with pytest.raises(OveragesError) as caught:
        imports.events_from_arrow(table)
    assert faults(caught) == [
        "columns.org_id: must hold text, got 'int64'",
        "columns.metric: must hold text, got 'list<item: string>'",
        "columns.quantity: must hold integers, decimals or decimal text (a float is not exact), "
        "got 'bool'",
        "columns.timestamp: must hold timestamps with a timezone, got 'timestamp[us]'",
        "columns.dimension.region: must hold text, got 'double'",
    ]


def test_columns_that_are_missing_or_unknown_are_refused() -> None:
    table = pa.table({"org_id": ["a"], "metric": ["b"], "quantity": [1], "eventid": ["e"]})
    with pytest.raises(OveragesError) as caught:
        imports.events_from_arrow(table)
    assert faults(caught) == [
        "columns: must have timestamp, got ['org_id', 'metric', 'quantity', 'eventid']",
        "columns: must be among org_id, metric, quantity, timestamp, event_id, dimension.<name> "
        "(did you mean 'event_id'?), got 'eventid'",
    ]


def test_a_faulty_row_is_named_when_it_is_reached() -> None:
    bad = {"org_id": "", "metric": None, "quantity": None, "timestamp": None, "event_id": ""}
    schema = pa.schema(
        [
            *(("org_id", pa.string()), ("metric", pa.string()), ("quantity", pa.int64())),
            *(("timestamp", INSTANT), ("event_id", pa.string())),
        ]
    )
    table = pa.Table.from_pylist([EVENT, bad, EVENT | {"org_id": ""}], schema)
    found = imports.events_from_arrow(table)
    assert next(found) == UsageEvent("org-1", "tokens", 10, AT, "e1")
    with pytest.raises(OveragesError) as caught:
        next(found)
    assert faults(caught) == [
        "rows[1].quantity: must be an int, a Decimal or a decimal string, got None",
        "rows[1].timestamp: must not be null, got None",
    ]
    with pytest.raises(OveragesError) as caught:
        events(EVENT | {"org_id": "", "event_id": ""})
    assert faults(caught) == [
        "rows[0].org_id: must not be empty, got ''",
        "rows[0].id: must not be empty, got ''",
    ]


def test_an_instant_beyond_the_year_9999_is_refused() -> None:
    array = pa.array([2**53], pa.int64()).cast(pa.timestamp("s", "UTC"))
    with pytest.raises(InvalidValue, match=r"rows\[0\].timestamp: must be within the years"):
        list(imports.events_from_arrow(with_column("timestamp", array)))


def test_a_quantity_that_is_too_fine_is_refused() -> None:
    array = pa.array([Decimal("1E-13")], pa.decimal128(38, 13))
    with pytest.raises(InvalidValue, match=r"rows\[0\].quantity: must have at most 12 decimal"):
        list(imports.events_from_arrow(with_column("quantity", array)))


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(InvalidType, match="table: must have the Arrow PyCapsule interface"):
        imports.events_from_arrow([EVENT])


def test_batches_are_read_as_they_are_asked_for() -> None:
    read = 0
    schema = pa.Table.from_pylist([EVENT]).schema

    def batches() -> Iterator[Any]:
        nonlocal read
        for i in range(3):
            read += 1
            yield pa.RecordBatch.from_pylist([EVENT | {"event_id": f"e{i}"}], schema)

    found = imports.events_from_arrow(pa.RecordBatchReader.from_batches(schema, batches()))
    assert read == 0
    assert (next(found).id, read) == ("e0", 1)
    assert ([event.id for event in found], read) == (["e1", "e2"], 3)


def test_usage_is_gathered_from_rows_in_any_order() -> None:
    march = Period.month(2024, 3)
    usages = [
        Usage("b", FEBRUARY, {"x": 1, "y": "2.5"}),
        Usage("a", FEBRUARY, {"x": 3}),
        Usage("b", march, {"x": 4}),
        Usage("c", march, {}),
    ]
    table = exports.usages_to_arrow(usages)
    assert imports.usages_from_arrow(table) == usages
    scattered = table.take([3, 2, 4, 1, 0]).select(table.column_names[::-1])
    assert set(imports.usages_from_arrow(scattered)) == set(usages)


def test_usage_of_one_period_needs_no_columns_of_it() -> None:
    table = pa.Table.from_pylist([USED, {"org_id": "org-2", "metric": None, "quantity": None}])
    assert imports.usages_from_arrow(table, FEBRUARY) == [
        Usage("org-1", FEBRUARY, {"tokens": 10}),
        Usage("org-2", FEBRUARY, {}),
    ]
    with pytest.raises(OveragesError) as caught:
        imports.usages_from_arrow(table)
    assert "must have period_start" in told(caught.value)
    with pytest.raises(InvalidValue, match=r"columns: must be among .* got 'period_start'"):
        imports.usages_from_arrow(pa.Table.from_pylist([USED | {"period_start": AT}]), FEBRUARY)
    with pytest.raises(InvalidType, match="period: must be of type Period"):
        imports.usages_from_arrow(table, "2024-02")


def test_all_faults_of_usage_are_reported_at_once() -> None:
    rows: list[dict[str, Any]] = [
        USED,
        USED,
        USED | {"metric": "x", "quantity": -1},
        USED | {"org_id": None, "metric": None},
        USED | {"metric": "y", "quantity": None},
    ]
    with pytest.raises(OveragesError) as caught:
        imports.usages_from_arrow(pa.Table.from_pylist(rows), FEBRUARY)
    assert faults(caught) == [
        "rows[1].metric: must be there once for org-1, 2024-02-01 to 2024-03-01 UTC, got 'tokens'",
        "rows[2].quantity: must not be negative, got -1",
        "rows[3].org_id: must be a str, got None",
        "rows[3].metric: must be a str, got None",
        "rows[4].quantity: must be an int, a Decimal or a decimal string, got None",
    ]


def test_periods_of_usage_must_be_lawful() -> None:
    row = USED | {"period_start": AT, "period_end": AT}
    with pytest.raises(InvalidValue, match=r"rows\[0\].end: must be later than the start"):
        imports.usages_from_arrow(pa.Table.from_pylist([row]))


def test_an_empty_table_has_nothing_in_it() -> None:
    table = pa.table({name: pa.nulls(0) for name in EVENT})
    assert list(imports.events_from_arrow(table)) == []


@pytest.mark.parametrize("amounts", ["decimal", "text"])
def test_records_come_back_as_they_were(amounts: str) -> None:
    plan = Plan("p", Currency("credits", 9), {"calls": Allowance(0, PerUnit("0.001", per=8))})
    records = recorded(calculate(plan, Usage("ö", FEBRUARY, {"calls": "7.5"})))
    table = exports.records_to_arrow(records, amounts=amounts)
    assert tuple(imports.records_from_arrow(table)) == records


def test_fractions_of_records_come_back_as_they_were() -> None:
    plan = Plan("p", "USD", {"calls": Allowance(0, PerUnit("0.001", per=3))})
    records = recorded(calculate(plan, Usage("ö", FEBRUARY, {"calls": 10_000})))
    assert records[0].exact_cost == Fraction(10, 3)
    table = exports.records_to_arrow(records, amounts="text")
    assert tuple(imports.records_from_arrow(table)) == records


def record_of(exact_cost: str) -> Any:
    """Return a table of one record whose exact cost is written so."""
    plan = Plan("p", "USD", {"calls": Allowance(0, PerUnit(1))})
    records = recorded(calculate(plan, Usage("a", FEBRUARY, {"calls": 1})))
    table = exports.records_to_arrow(records, amounts="text")
    at = table.schema.get_field_index("exact_cost")
    return table.set_column(at, "exact_cost", pa.array([exact_cost]))


def test_an_amount_with_an_exponent_is_read_digit_by_digit() -> None:
    (record,) = imports.records_from_arrow(record_of("1.5e-07"))
    assert record.exact_cost == Decimal("0.00000015")


@pytest.mark.parametrize("written", ["1e", "1/0", " 1", "", "1" * 3_000, "NaN", "1/3/5", "1.5/3"])
def test_amounts_that_are_no_plain_numbers_are_refused(written: str) -> None:
    table = record_of(written)
    with pytest.raises(InvalidValue, match=r"rows\[0\].exact_cost: must be a plain number"):
        list(imports.records_from_arrow(table))


# Frames


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas")


@pytest.fixture
def polars() -> Any:
    return pytest.importorskip("polars")


def test_a_frame_of_pandas_is_a_table(pandas: Any) -> None:
    frame = pandas.DataFrame([EVENT, EVENT | {"org_id": "org-2", "quantity": 3}])
    frame["metric"] = frame["metric"].astype("category")
    assert len(list(imports.events_from_arrow(frame))) == 2
    filtered = frame[frame["org_id"] == "org-2"].sort_values("quantity")
    filtered["quantity"] = [Decimal("2.50")]
    expected = [UsageEvent("org-2", "tokens", Decimal("2.5"), AT, "e1")]
    assert list(imports.events_from_arrow(filtered)) == expected
    assert list(imports.events_from_arrow(filtered.set_index("org_id"))) == expected


def test_a_float_column_of_pandas_is_refused(pandas: Any) -> None:
    frame = pandas.DataFrame([EVENT, EVENT | {"quantity": None}])  # so that pandas makes it one
    with pytest.raises(InvalidType, match=r"columns.quantity: .*, got 'double'"):
        imports.events_from_arrow(frame)


def test_a_column_of_pandas_that_mixes_floats_and_decimals_is_refused(pandas: Any) -> None:
    mixed = [EVENT | {"quantity": Decimal("1.5")}, EVENT | {"quantity": 1.5}]
    with pytest.raises(InvalidValue, match="table: must be readable as Arrow"):
        imports.events_from_arrow(pandas.DataFrame(mixed))


def test_a_frame_of_polars_is_a_table(polars: Any) -> None:
    frame = polars.DataFrame([EVENT | {"quantity": Decimal("2.50")}])
    frame = frame.with_columns(polars.col("metric").cast(polars.Categorical))
    expected = [UsageEvent("org-1", "tokens", Decimal("2.5"), AT, "e1")]
    assert list(imports.events_from_arrow(frame)) == expected
    with pytest.raises(InvalidType, match=r"columns.quantity: .*, got 'double'"):
        imports.events_from_arrow(frame.with_columns(polars.col("quantity").cast(polars.Float64)))


def test_frames_and_back_are_exact(pandas: Any, polars: Any) -> None:
    most = Decimal("99999999999999999999999999.999999999999")
    usages = [Usage("a", FEBRUARY, {"x": most, "y": "0.000000000001"}), Usage("b", FEBRUARY, {})]
    table = exports.usages_to_arrow(usages)
    frames = [
        table.to_pandas(),
        table.to_pandas(types_mapper=pandas.ArrowDtype),
        polars.from_arrow(table),
        polars.from_arrow(exports.usage_batches(usages)),
    ]
    for frame in frames:
        assert imports.usages_from_arrow(frame) == usages
