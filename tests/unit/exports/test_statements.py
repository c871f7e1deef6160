"""Statements as JSON and CSV."""

import csv
import io
import json
import re

import pytest
from tests.accounts import calculate_after

from overages import (
    Allowance,
    Currency,
    Discount,
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
from overages.codec import decode
from overages.exports.statements import json_lines, write_csv
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


def test_json_has_the_statements_as_the_codec_writes_them() -> None:
    statements = [statement("ö"), ADJUSTED]
    documents = json.loads("".join(json_lines(statements)))
    assert [decode(json.dumps(each), Statement) for each in documents] == statements
    line = documents[0]["lines"][0]
    assert (line["used"], line["limit"], line["quantity"]) == ("2000000", "1.5", "1999998.5")
    assert (line["exact_cost"], line["cost"]["amount"]) == ("3999997/300000000", "0.013333323")
    assert documents[0]["total"]["amount"] == "0.013333323"


def test_json_of_no_and_of_many_statements_is_an_array() -> None:
    assert json.loads("".join(json_lines([]))) == []
    lines = list(json_lines([statement("a"), statement("b"), statement("c")]))
    assert [line[0] + line[-1] for line in lines] == ["[,", " ,", " ]"]
    assert [document["org_id"] for document in json.loads("".join(lines))] == ["a", "b", "c"]


def test_csv_has_a_row_for_each_line() -> None:
    file = io.StringIO()
    write_csv([statement('a "quoted", one')], file)
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
    write_csv([calculate(plan, Usage(name, Period.month(2024, 2), {name: 5}))], file)
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
    write_csv([ADJUSTED], file)
    assert file.getvalue().splitlines()[1:] == [
        "a,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,cloud,gb,overage,25,3,22,0.333,7.326,7.33,USD",
        "a,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,cloud,gb,discount:half,,,,,-3.663,-3.66,USD",
        "a,2024-02-01T00:00:00Z,2024-03-01T00:00:00Z,cloud,,minimum,,,,,2.337,2.33,USD",
    ]
