"""Lines of columns are those of statements, row for row, and the same is refused (law 13)."""

from __future__ import annotations

import importlib
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overages import Allowance, Graduated, Package, Period, PerUnit, Plan, Rounding, Tier, Volume
from overages.errors import OveragesError
from overages.testing.strategies import plans

pa = pytest.importorskip("pyarrow")
columnar: Any = importlib.import_module("overages.columnar.lines")
imports: Any = importlib.import_module("overages.imports.arrow")
exports: Any = importlib.import_module("overages.exports.arrow")

FEBRUARY = Period.month(2024, 2)
PRICES = ["0.0001", "1.5", "0", "19.99", "0.005", "1E-9", "0.125", "123456"]
METRICS = ["tokens", "runs", "seats"]

amounts = st.sampled_from(PRICES)
fees = st.sampled_from(["0", "0", "5", "0.004"])
maxima = st.sampled_from([None, None, None, "0", "12", "0.5"])
sizes = st.integers(1, 12)


@st.composite
def tables(draw: st.DrawFn) -> list[Tier]:
    """Return tiers, with whole bounds."""
    steps = draw(st.lists(st.integers(1, 40), max_size=3))
    size = draw(st.none() | sizes)
    terms: dict[str, Any] = {"size": size, "count": draw(st.sampled_from(["started", "completed"]))}
    bounds = [*accumulate(steps), None]
    return [
        Tier(bound, draw(amounts), flat=draw(fees), maximum=draw(maxima), **(terms if size else {}))
        for bound in bounds
    ]


prices = st.one_of(
    st.builds(PerUnit, amounts, per=st.sampled_from([1, 2, 8, 1000, 3])),
    st.builds(Package, amounts, size=sizes),
    tables().map(Graduated),
    tables().map(Volume),
)
included = st.none() | st.integers(0, 30) | st.sampled_from([2**62, 10**20])
plain_plans = st.builds(
    Plan,
    st.just("p"),
    st.sampled_from(["USD", "JPY", "KWD"]),
    st.dictionaries(
        st.sampled_from(METRICS), st.builds(Allowance, included, prices), min_size=1, max_size=3
    ),
    rounding=st.sampled_from([*Rounding]),
)
used = st.integers(0, 60) | st.sampled_from([0, 10**6, 2**53 + 1, 2**63 - 1])
PLAIN_ROWS = st.fixed_dictionaries(
    {
        "org_id": st.sampled_from(["acme", "bolt", "core"]),
        "metric": st.sampled_from(METRICS),
        "quantity": used,
        "period_start": st.just(FEBRUARY.start),
        "period_end": st.sampled_from([FEBRUARY.end, Period.month(2024, 3).end]),
    }
)
ODD: dict[str, list[Any]] = {
    "org_id": ["é", " a", "", "an org", None],
    "metric": ["toads", None],
    "quantity": [-1, None],
    "period_start": [FEBRUARY.end, None],
}


@st.composite
def usage_tables(draw: st.DrawFn, metrics: list[str]) -> tuple[Any, Period | None]:
    """Return a table of usage, most often one that no row of is refused, and its period."""
    rows = draw(st.lists(PLAIN_ROWS, max_size=9))
    if draw(st.integers(0, 5)):
        rows = list(
            {(row["org_id"], row["metric"], row["period_end"]): row for row in rows}.values()
        )
        rows = [row for row in rows if row["metric"] in metrics]
    if rows and not draw(st.integers(0, 4)):
        column = draw(st.sampled_from(sorted(ODD)))
        draw(st.sampled_from(rows))[column] = draw(st.sampled_from(ODD[column]))
    kind = draw(st.sampled_from([pa.int64(), pa.decimal128(38, 12), pa.decimal128(30, 0)]))
    text = draw(st.sampled_from([pa.string(), pa.large_string()]))
    moment = pa.timestamp(draw(st.sampled_from(["us", "ns", "s"])), "UTC")
    types = [text, text, kind, moment, moment]
    table = pa.Table.from_pylist(rows, pa.schema(list(zip(PLAIN, types, strict=True))))
    if draw(st.integers(0, 20)) == 7:
        table = table.drop_columns([draw(st.sampled_from(PLAIN))])
    elif draw(st.booleans()):
        return table.drop_columns(["period_start", "period_end"]), FEBRUARY
    return table, None


PLAIN = ["org_id", "metric", "quantity", "period_start", "period_end"]


def outcome(make: Any) -> Any:
    """Return a table, or the class and message of the error that it is refused by."""
    try:
        return make()
    except OveragesError as error:
        return type(error), str(error)


def by_statements(plan: Plan, table: Any, period: Period | None, limits: Any) -> Any:
    usages = imports.usages_from_arrow(table, period)
    return exports.statements_to_arrow(
        importlib.import_module("overages").calculate_many((plan, each, limits) for each in usages)
    )


@given(
    st.data(),
    plain_plans | plain_plans | plans(),
    st.sampled_from([None, None, {"runs": 7}, {"runs": None}]),
)
def test_lines_of_columns_are_those_of_statements(data: Any, plan: Plan, limits: Any) -> None:
    table, period = data.draw(usage_tables([*plan.allowances]))
    expected = outcome(lambda: by_statements(plan, table, period, limits))
    lines = outcome(lambda: columnar.calculate_table(plan, table, period, limits=limits))
    assert lines == expected
