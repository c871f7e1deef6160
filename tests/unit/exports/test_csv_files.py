"""Statements, records and events as CSV."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from tests.accounts import calculate_after

from overages import (
    Allowance,
    Currency,
    Discount,
    MemoryRepository,
    Money,
    Package,
    Period,
    PerUnit,
    Plan,
    Statement,
    Usage,
    UsageEvent,
    calculate,
)
from overages._ground.columns import unescape_formula
from overages.exports.csv_files import write_events, write_records, write_statements
from overages.imports.events import read_events

PLAN = Plan(
    "p",
    Currency("credits", 9),
    {
        "calls": Allowance("1.5", PerUnit("0.00000002", per=3)),
        "runs": Allowance(None, Package(2, 10)),
    },
)


def statement(org_id: str) -> Statement:
    return calculate(PLAN, Usage(org_id, Period.month(2024, 2), {"calls": 2_000_000, "runs": 5}))


def test_csv_has_a_row_for_each_line() -> None:
    file = io.StringIO()
    write_statements([statement('a "quoted", one')], file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [row["metric"] for row in rows] == ["calls", "runs"]
    assert rows[0] == {
        "org_id": 'a "quoted", one',
        "period_start": "2024-02-01T00:00:00Z",
        "period_end": "2024-03-01T00:00:00Z",
        "plan": "p",
        "metric": "calls",
        "line": "overage",
        "used": "2000000",
        "limit": "1.5",
        "over": "1999998.5",
        "unit_price": "1/150000000",
        "exact_cost": "3999997/300000000",
        "cost": "0.013333323",
        "currency": "credits",
    }


@pytest.mark.parametrize("name", ["=cmd", "+1", "-1", "@SUM(1)", "a;=b", "'=c", "'tis"])
def test_csv_has_no_formula_and_is_read_back(name: str) -> None:
    free = Discount(name, percent=50)
    plan = Plan(name, Currency(f"~{name}", 2), {name: Allowance(1, PerUnit(2), discounts=[free])})
    file = io.StringIO()
    write_statements([calculate(plan, Usage(name, Period.month(2024, 2), {name: 5}))], file)
    overage, discount = csv.DictReader(io.StringIO(file.getvalue()))
    written = [overage[column] for column in ("org_id", "plan", "metric")]
    assert {unescape_formula(cell) for cell in written} == {name}
    assert all(re.match("[^-=+@]", part) for cell in written for part in cell.split(";"))
    assert unescape_formula(discount["line"]) == f"discount:{name}"
    assert (overage["cost"], discount["cost"]) == ("8.00", "-4.00")  # numbers stay numbers
    rows = [
        "org_id,metric,quantity,timestamp",
        f"{written[0]},{written[2]},-5,2024-02-01T00:00:00Z",
    ]
    ((_, event),) = read_events(rows)
    assert isinstance(event, UsageEvent)
    assert (event.org_id, event.metric, event.quantity) == (name, name, -5)


ADJUSTED = calculate_after(
    Plan(
        "cloud",
        "USD",
        {
            "gb": Allowance(
                10,
                PerUnit("0.333"),
                discounts=[Discount("welcome", quantity=5), Discount("half", percent=50)],
            )
        },
        minimum=Money(600, "USD"),
    ),
    Usage("a", Period.month(2024, 2), {"gb": 25}),
    {"gb": 12},
)


def test_csv_has_a_row_for_each_adjustment() -> None:
    file = io.StringIO()
    write_statements([ADJUSTED], file)
    assert file.getvalue().splitlines()[1:] == [
        "a,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,cloud,gb,overage,25,3,22,0.333,7.326,7.33,USD",
        "a,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,cloud,gb,discount:half,,,,,-3.663,-3.66,USD",
        "a,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,cloud,,minimum,,,,,2.337,2.33,USD",
    ]


def test_csv_of_records_has_all_that_makes_them() -> None:
    repository = MemoryRepository()
    made = repository.record(ADJUSTED, created_at=datetime(2024, 3, 1, 9, tzinfo=UTC)).records
    file = io.StringIO()
    write_records(made, file)
    first, *_, last = csv.DictReader(io.StringIO(file.getvalue()))
    assert (first["metric"], first["line"], first["quantity"], first["cost"]) == (
        *("gb", "overage"),
        *("22", "7.33"),
    )
    assert (first["created_at"], first["sequence"]) == ("2024-03-01T09:00:00Z", "1")
    assert (last["metric"], last["line"], last["digest"]) == ("", "minimum", made[-1].digest)


def test_csv_of_events_is_read_back() -> None:
    at = datetime(2024, 2, 3, 4, 5, 6, 700_000, tzinfo=UTC)
    events = [
        UsageEvent("=a", "tokens", "-1.5", at, "evt-1", {"region": "eu"}),
        UsageEvent("b", "runs", 2, at),
    ]
    file = io.StringIO()
    write_events(events, file, dimensions=["model", "region"])
    assert file.getvalue().splitlines() == [
        "org_id,metric,quantity,timestamp,event_id,dimension.model,dimension.region",
        "'=a,tokens,-1.5,2024-02-03T04:05:06.700000Z,evt-1,,eu",
        "b,runs,2,2024-02-03T04:05:06.700000Z,,,",
    ]
    read = [event for _, event in read_events(file.getvalue().splitlines())]
    assert read == events
