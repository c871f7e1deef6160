"""Price tables: an allowance for each row of a file beside the plans."""

import pytest
from tests.plan_files import MINIMAL, faults
from tests.steps import steps

from overages import Allowance, PerUnit
from overages.errors import InvalidValue, OveragesError
from overages.imports.plan_files.price_table import read_price_table
from overages.imports.plans import PlanBook, read_plans

PRICED = '[plans.p]\ncurrency = "USD"\nprices = "prices.csv"\n'


def told(text: str) -> list[str]:
    """Return every fault of a price table that is refused."""
    with pytest.raises(OveragesError) as caught:
        read_price_table(text, "prices.csv")
    return [str(error) for error in caught.value.errors]


def book_of(text: str, **files: str) -> PlanBook:
    """Return the book of a file, with price tables by name."""
    return read_plans(text, read_table=lambda name: files[name.removesuffix(".csv")])


def faults_with(text: str, **files: str) -> list[str]:
    with pytest.raises(OveragesError) as caught:
        book_of(text, **files)
    return [str(error) for error in caught.value.errors]


def test_each_row_is_an_allowance_with_a_price_for_each_unit() -> None:
    table = read_price_table("metric,price\nin,0.5\nout,1.5e-07\n", "prices.csv")
    assert table.allowances == {
        "in": Allowance(0, PerUnit("0.5")),
        "out": Allowance(0, PerUnit("0.00000015")),
    }
    assert table.lines == {"in": 2, "out": 3}


def test_columns_come_in_any_order_and_cells_may_be_empty() -> None:
    text = (
        "\ufeffkind,included,metric,per,price\r\n"
        "level,3,seats,,15\r\n,,\r\n,,,,\r\n\r\n"
        ',unlimited,"calls, all",,0\r\n'
        "flow,,in,1000000,2.50\r\n"
    ).replace(",,\r\n,,,,", ",,,,")
    assert read_price_table(text, "prices.csv").allowances == {
        "seats": Allowance(3, PerUnit(15), kind="level"),
        "calls, all": Allowance(None, PerUnit(0)),
        "in": Allowance(0, PerUnit("2.5", per=1_000_000), kind="flow"),
    }


def test_every_fault_names_file_line_and_column_and_the_cell() -> None:
    text = (
        "metric,price,per,included,kind\n"
        'in,"0,5",0,-1,level\n'
        " out,1,,,levl\n"
        "in,1\n"
        "ok,1,,,\n"
        '"a\nb",1,,,\n'
        "ok,1,,,\n"
        "y,,,,\n"
    )
    assert told(text) == [
        "prices.csv:2.price: must be a plain decimal number such as 12.5, got '0,5'",
        "prices.csv:2.per: must be more than zero, got '0'",
        "prices.csv:2.included: must not be negative, got '-1'",
        "prices.csv:3.metric: must not have a space at an end, or two in a row, got ' out'",
        "prices.csv:3.kind: must be one of flow, level (did you mean 'level'?), got 'levl'",
        "prices.csv:4.row: must have 5 fields, has 2, got ['in', '1']",
        "prices.csv:7.metric: must not hold a control character (U+000A), got 'a\\nb'",
        "prices.csv:8.metric: must be there once, and is in line 5 as well, got 'ok'",
        "prices.csv:9.price: must be a plain decimal number such as 12.5, got ''",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "",
            ["prices.csv:1.columns: must have metric, got []", "prices.csv:1.columns: must have "],
        ),
        (
            "metric,prise\nin,1\n",
            [
                "prices.csv:1.columns: must have price, got ['metric', 'prise']",
                "prices.csv:1.columns: must be among metric, price, per, included, kind (did you "
                "mean 'price'?), got 'prise'",
            ],
        ),
        (
            "metric;price\nin;1\n",
            ["prices.csv:1.columns: must be separated by commas, not by ';', got 'metric;price'"],
        ),
        ('metric,price\n"in"x,1\n', ["prices.csv:2.row: must be readable as CSV, got "]),
        ("metric,price\n,\n", ["prices.csv: must have a row for a metric at least, got 'metric,p"]),
    ],
)
def test_a_text_that_is_no_price_table_is_refused(text: str, expected: list[str]) -> None:
    found = told(text)
    assert len(found) == len(expected)
    assert all(fault.startswith(start) for fault, start in zip(found, expected, strict=True))


def test_rows_come_behind_the_allowances_of_the_plan() -> None:
    own = 'allowances.seats = { included = 3, price = { model = "per_unit", price = 15 } }\n'
    book = book_of(PRICED + own, prices="metric,price\nin,1\nout,2\n")
    assert list(book.plans["p"].allowances) == ["seats", "in", "out"]
    book = book_of(PRICED, prices="metric,price\nin,1\nout,2\n")
    assert list(book.plans["p"].allowances.items()) == [
        ("in", Allowance(0, PerUnit(1))),
        ("out", Allowance(0, PerUnit(2))),
    ]


def test_a_version_may_have_another_table_and_goes_on_with_the_one_before() -> None:
    later = (
        "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\nminimum = 5\n"
        "[[plans.p.versions]]\nsince = 2024-04-01T00:00:00Z\nprices = 'april.csv'\n"
        "[plans.q]\nextends = 'p'\nminimum = 7\n"
    )
    book = book_of(
        PRICED + later, prices="metric,price\nin,1\nout,2\n", april="metric,price\nin,3\n"
    )
    first, second, third = (version.plan for version in book.versions["p"])
    assert first.allowances == second.allowances == book.plans["q"].allowances
    assert third.allowances == {"in": Allowance(0, PerUnit(3))}


def test_a_metric_is_in_the_plan_or_in_the_table() -> None:
    own = 'allowances.in = { included = 3, price = { model = "per_unit", price = 15 } }\n'
    (fault,) = faults_with(PRICED + own, prices="metric,price\nout,1\nin,1\n")
    assert fault.startswith(
        "plans.p.allowances.in: must be there once, and is in prices.csv:3 as well, got {'incl"
    )


def test_other_faults_of_a_plan_with_a_table_are_told_beside_them() -> None:
    own = 'allowances.x = { included = "y", price = { model = "per_unit", price = 15 } }\n'
    own += "minimum = 'z.1'\n[plans.q]\nextends = 'p'\n"
    assert faults_with(PRICED + own, prices="metric,price\nin,1\nout,\n") == [
        "prices.csv:3.price: must be a plain decimal number such as 12.5, got ''",
        "plans.p.allowances.x.included: must be a number, or \"unlimited\", got 'y'",
        "plans.p.minimum: must be a plain decimal number such as 12.5, got 'z.1'",
    ]
    assert faults_with(PRICED + "allowances = 5", prices="metric,price\nin,1\n") == [
        "plans.p.allowances: must be a mapping, got 5"
    ]


def test_a_table_can_be_read_only_by_a_function_that_is_given() -> None:
    assert faults(PRICED + "[plans.q]\nextends = 'p'") == [
        "plans.p.prices: can't be read here: read_plans needs a read_table for it, got 'prices.csv'"
    ]
    assert faults(PRICED.replace('"prices.csv"', "5")) == ["plans.p.prices: must be a str, got 5"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            FileNotFoundError(2, "No such file or directory"),
            "must be a file that can be read (No such file or directory)",
        ),
        (OSError("odd"), "must be a file that can be read (odd)"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            "must be a file in UTF-8 ('utf-8' codec can't decode byte 0xff in position 0: invalid",
        ),
        (InvalidValue("prices", "prices.csv", "must be mine"), "must be mine"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(error: Exception, expected: str) -> None:
    def read_table(name: str) -> str:
        assert name == "prices.csv"
        raise error

    with pytest.raises(InvalidValue) as caught:
        read_plans(PRICED, read_table=read_table)
    assert str(caught.value).startswith(f"plans.p.prices: {expected}")


def test_many_rows_with_one_price_share_its_allowance() -> None:
    later = "[[plans.p.versions]]\nsince = 2024-03-01T00:00:00Z\nprices = 'march.csv'\n"
    rows = "metric,price\nin,1\nout,1\n"
    book = book_of(PRICED + later, prices=rows, march=rows.replace("out,1", "out,2"))
    first, second = (version.plan.allowances for version in book.versions["p"])
    assert first["in"] is first["out"] is second["in"]


@pytest.mark.parametrize("versions", [0, 11])
def test_twice_as_many_rows_take_twice_the_steps(versions: int) -> None:
    def rows(count: int) -> str:
        return "metric,price\n" + "".join(f"m{i},0.{i + 1:06d}\n" for i in range(count))

    later = "".join(
        f"[[plans.p.versions]]\nsince = 2024-{month + 1:02d}-01T00:00:00Z\nbase_fee = {month}\n"
        for month in range(1, versions + 1)
    )

    def read(count: int) -> int:
        text = rows(count)
        return steps(lambda: book_of(PRICED + later, prices=text))

    less, more = read(500), read(1_000)
    assert more < 2.2 * less


def test_a_minimal_plan_needs_no_table() -> None:
    assert read_plans(MINIMAL).plans["p"].allowances["m"].included == 5
