"""``overages rate``, as it is called."""

import csv
import io
import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

import overages
from overages.__main__ import main

PLANS = """
default_plan = "p"
[plans.p]
currency = "USD"
allowances.tokens = { included = 100, price = { model = "per_unit", price = "0.01" } }
"""
HEADER = "org_id,metric,quantity,timestamp,event_id\n"


class Desk:
    """A folder with a file of plans and one of usage, and what the command makes of them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.plans = folder / "plans.toml"
        self.usage = folder / "usage.csv"
        self.capsys = capsys
        self.plans.write_text(PLANS)

    def rate(self, rows: str, *options: str) -> tuple[int, str, str]:
        self.usage.write_bytes((HEADER + rows).encode())
        files = ["--plans", str(self.plans), "--usage", str(self.usage)]
        status = main(["rate", *files, *options])
        printed = self.capsys.readouterr()
        return status, printed.out, printed.err.replace(f"{self.usage.parent}{os.sep}", "")

    def costs(self, rows: str, *options: str) -> list[tuple[str, str, str, str]]:
        status, out, _ = self.rate(rows, "--format", "csv", *options)
        assert status == 0
        return [
            (row["org_id"], row["period_start"][:13], row["used"], row["cost"])
            for row in csv.DictReader(io.StringIO(out))
        ]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_events_are_summed_by_org_and_month(desk: Desk) -> None:
    rows = (
        "b,tokens,90,2024-02-29T23:59:59.9999999Z,1\n"
        "b,tokens,60.5,2024-02-01T00:00:00Z,2\n"
        "b,tokens,150,2024-03-01T00:00:00Z,3\n"
        "a,tokens,101,2024-02-10T00:00:00Z,1\n"
    )
    assert desk.costs(rows) == [
        ("a", "2024-02-01T00", "101", "0.01"),
        ("b", "2024-02-01T00", "150.5", "0.51"),
        ("b", "2024-03-01T00", "150", "0.50"),
    ]


def test_a_period_leaves_other_events_out_and_says_so(desk: Desk) -> None:
    rows = "a,tokens,200,2024-02-10T00:00:00Z,1\na,tokens,300,2024-03-10T00:00:00Z,2\n"
    rows += "a,tokens,300,2024-01-10T00:00:00Z,3\n"
    status, out, err = desk.rate(rows, "--period", "2024-02")
    assert status == 0
    assert out.endswith("1 statement, 1.00 USD\n")
    period = "2024-02-01T00:00:00Z/2024-03-01T00:00:00Z"
    assert err == f"usage.csv: events outside the period {period}, left out: 2\n"


def test_a_period_that_cuts_months_is_refused(desk: Desk) -> None:
    rows = "a,tokens,200,2024-02-10T00:00:00Z,1\nb,tokens,300,2024-02-20T00:00:00Z,2\n"
    status, out, err = desk.rate(rows, "--period", "2024-01-15/2024-02-15")
    assert (status, out) == (1, "")
    assert err.splitlines()[1:] == [
        "--period: a: period: must be one of the org's own,"
        " 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z,"
        " got '2024-01-15T00:00:00Z/2024-02-15T00:00:00Z'"
    ]


def test_a_period_may_hold_several_months(desk: Desk) -> None:
    rows = "a,tokens,200,2024-02-10T00:00:00Z,1\na,tokens,300,2024-03-20T00:00:00Z,2\n"
    rows += "a,tokens,300,2024-04-20T00:00:00Z,3\n"
    assert desk.costs(rows, "--period", "2024-01-01/2024-04-01") == [
        ("a", "2024-02-01T00", "200", "1.00"),
        ("a", "2024-03-01T00", "300", "2.00"),
    ]


MOVING = """
[plans.q]
currency = "USD"
allowances.tokens = { included = 1, price = { model = "per_unit", price = 5 } }
[accounts.m]
plan = "p"
since = 2024-01-10T00:00:00Z
[[accounts.m.changes]]
since = 2024-03-12T00:00:00Z
plan = "q"
"""


@pytest.mark.parametrize("rows", ["m,tokens,200,2024-03-10T00:00:00Z,1\n", ""])
def test_a_period_that_cuts_one_of_an_accounts_own_is_refused(desk: Desk, rows: str) -> None:
    desk.plans.write_text(PLANS + MOVING)
    status, out, err = desk.rate(rows, "--period", "2024-02-20/2024-03-20")
    assert (status, out) == (1, "")
    assert err == (
        "--period: m: period: must be one of the org's own,"
        " 2024-02-01T00:00:00Z/2024-03-01T00:00:00Z and 2024-03-01T00:00:00Z/2024-04-01T00:00:00Z,"
        " got '2024-02-20T00:00:00Z/2024-03-20T00:00:00Z'\n"
    )


def test_a_period_may_hold_several_of_an_accounts_own(desk: Desk) -> None:
    desk.plans.write_text(PLANS + MOVING)
    rows = "m,tokens,200,2024-02-10T00:00:00Z,1\nm,tokens,310,2024-03-10T00:00:00Z,2\n"
    rows += "m,tokens,3,2024-03-12T00:00:00Z,3\n"
    assert desk.costs(rows, "--period", "2024-01-01/2024-04-01") == [
        ("m", "2024-02-01T00", "200", "1.00"),
        ("m", "2024-03-01T00", "310", "2.75"),  # 310 - 35: 100 x 11/31
        ("m", "2024-03-01T00", "3", "10.00"),  # 3 - 1: 1 x 20/31
    ]


def test_a_timezone_is_that_of_bare_timestamps_and_of_months(desk: Desk) -> None:
    rows = "a,tokens,200,2024-02-01T00:30:00,1\na,tokens,300,2024-01-31T23:30:00Z,2\n"
    assert desk.costs(rows, "--timezone", "Europe/Paris") == [("a", "2024-01-31T23", "500", "4.00")]


def test_a_repeated_event_counts_once(desk: Desk) -> None:
    row = "a,tokens,200,2024-02-10T00:00:00Z,1\n"
    assert desk.costs(row * 3) == [("a", "2024-02-01T00", "200", "1.00")]


def test_an_account_without_usage_may_still_owe(desk: Desk) -> None:
    desk.plans.write_text(
        PLANS
        + """
        [plans.flat]
        currency = "USD"
        allowances.tokens.included = 0
        allowances.tokens.price = { model = "volume", tiers = [{ flat = 7 }], flat_at_zero = true }
        [accounts.idle]
        plan = "flat"
        since = 2024-01-01T00:00:00Z
        """
    )
    rows = "a,tokens,200,2024-02-10T00:00:00Z,1\n"
    expected = [("a", "2024-02-01T00", "200", "1.00"), ("idle", "2024-02-01T00", "0", "7.00")]
    assert desk.costs(rows) == expected
    assert desk.costs("", "--period", "2024-02") == expected[1:]


def test_a_file_without_usage_has_no_statement(desk: Desk) -> None:
    assert desk.rate("") == (0, "0 statements\n", "")


def test_of_many_bad_rows_a_hundred_are_shown_and_all_are_counted(desk: Desk) -> None:
    status, out, err = desk.rate("a,tokens,x,2024-02-10T00:00:00Z,1\n" * 150)
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 101
    shown = "of which the first 100 are shown"
    assert err.endswith(f"usage.csv: bad rows: 150, {shown}; nothing was rated\n")


def test_of_a_file_of_faults_a_hundred_are_told(desk: Desk) -> None:
    desk.plans.write_text(PLANS + "".join(f"x{n} = 1\n" for n in range(500)))
    status, out, err = desk.rate("")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 101
    assert err.endswith("reading stopped after 100 problems\n")


def test_of_many_orgs_that_cannot_be_rated_a_hundred_are_told(desk: Desk) -> None:
    rows = "".join(f"org-{n},gpu,5,2024-02-10T00:00:00Z,{n}\n" for n in range(150))
    status, out, err = desk.rate(rows)
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 101
    assert err.endswith("reading stopped after 100 problems\n")


def test_every_bad_row_is_named_and_nothing_is_rated(desk: Desk) -> None:
    rows = (
        "a,tokens,200,2024-02-10T00:00:00Z,1\n"
        "a,tokens,1e3,2024-02-10,2\n"
        "a,tokens\n"
        "a,tokens,201,2024-02-10T00:00:00Z,1\n"
    )
    status, out, err = desk.rate(rows)
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "usage.csv:3: quantity: must be a plain decimal number such as 12.5, got '1e3'",
        "usage.csv:3: timestamp: must be an ISO 8601 time such as 2024-02-01T12:30:00Z, "
        "got '2024-02-10'",
        "usage.csv:4: row: must have 5 fields, has 2, got ['a', 'tokens']",
        "usage.csv:5: id: was reported before with another metric, quantity, time or dimensions, "
        "got '1'",
        "usage.csv: bad rows: 3; nothing was rated",
    ]


def test_a_sum_below_zero_is_an_error(desk: Desk) -> None:
    status, out, err = desk.rate("a,tokens,-5,2024-02-10T00:00:00Z,1\n")
    assert (status, out) == (1, "")
    assert "a, 2024-02-01 to 2024-03-01 UTC: quantities.tokens: must not be neg" in err


def test_every_org_that_cannot_be_rated_is_named(desk: Desk) -> None:
    rows = "a,tokns,200,2024-02-10T00:00:00Z,1\nb,runs,200,2024-02-10T00:00:00Z,1\n"
    status, out, err = desk.rate(rows)
    assert (status, out) == (1, "")
    assert [line.partition("'")[0] for line in err.splitlines()] == [
        "usage.csv: a, 2024-02-01 to 2024-03-01 UTC: usage.quantities.tokns: ",
        "usage.csv: b, 2024-02-01 to 2024-03-01 UTC: usage.quantities.runs: ",
    ]


def test_an_org_without_a_plan_is_an_error(desk: Desk) -> None:
    desk.plans.write_text(
        PLANS.replace("default_plan", "#")
        + '[accounts.a]\nplan = "p"\nsince = 2024-01-01T00:00:00Z'
    )
    status, _, err = desk.rate("b,tokens,1,2024-02-10T00:00:00Z,1\n")
    assert status == 1
    assert "has no account, and there is no default_plan, got 'b'" in err


@pytest.mark.parametrize(
    ("plans", "problem"),
    [
        (b"plans = 1", "plans.toml: plans: must be a mapping, got 1\n"),
        (b"\xff", "plans.toml: must be UTF-8"),
        (PLANS.encode("utf-16"), "plans.toml: must be UTF-8"),
        (
            b"x = " + b"[" * 5_000,
            "plans.toml: plans: must be a TOML text that is not nested as deep",
        ),
        (b"x = " + b"9" * 5_000, "plans.toml: plans: must be a TOML text: Exceeds the limit"),
    ],
    ids=range(5),
)
def test_faulty_plans_are_named(desk: Desk, plans: bytes, problem: str) -> None:
    desk.plans.write_bytes(plans)
    status, out, err = desk.rate("")
    assert (status, out) == (1, "")
    assert err.startswith(problem) or problem in err


def test_a_byte_order_mark_is_no_part_of_a_file(desk: Desk) -> None:
    desk.plans.write_bytes(PLANS.encode("utf-8-sig"))
    desk.usage.write_bytes((HEADER + "a,tokens,200,2024-02-10T00:00:00Z,1\n").encode("utf-8-sig"))
    assert main(["rate", "--plans", str(desk.plans), "--usage", str(desk.usage)]) == 0


@pytest.mark.parametrize("option", ["--plans", "--usage"])
def test_a_folder_is_no_file(desk: Desk, option: str) -> None:
    desk.usage.write_text(HEADER)
    files = {"--plans": str(desk.plans), "--usage": str(desk.usage), option: str(desk.usage.parent)}
    assert main(["rate", *chain.from_iterable(files.items())]) == 1
    assert "Is a directory" in desk.capsys.readouterr().err


def test_an_output_that_has_not_all_letters_is_named(desk: Desk) -> None:
    desk.usage.write_text(HEADER + "\u6771,tokens,200,2024-02-10T00:00:00Z,1\n", encoding="utf-8")
    command = [sys.executable, "-m", "overages", "rate"]
    command += ["--plans", str(desk.plans), "--usage", str(desk.usage)]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, env=ascii_only, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("overages: 'ascii' codec can't encode character")
    assert ended.stderr.count("\n") == 1


def test_a_faulty_header_is_named(desk: Desk) -> None:
    desk.usage.write_text("a,b\n")
    status = main(["rate", "--plans", str(desk.plans), "--usage", str(desk.usage)])
    assert status == 1
    assert "columns: must have org_id" in desk.capsys.readouterr().err


def test_a_missing_file_is_named(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rate", "--plans", str(desk.plans), "--usage", "none.csv"]) == 1
    assert capsys.readouterr().err == "none.csv: No such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["clsoe"], "(did you mean 'close'?)"),
        (["rate", "--format", "jsn"], "(did you mean 'json'?)"),
        (["close", "--forc"], "usage: overages close "),
        (["show", "--db", "x", "--period", "2024-13"], "usage: overages show "),
        (["show", "--db", "x", "--forc"], "unrecognized arguments: --forc"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_is_misspelt_is_answered_with_help(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"overages {overages.__version__}\n"


@pytest.mark.parametrize(
    "options",
    [
        ["--period", "2024-13"],
        ["--timezone", "Mars/Base"],
        ["--timezone", "../x"],
        ["--plans", ""],
        ["--usage", "a\0b"],
    ],
    ids=ascii,
)
def test_a_command_that_is_wrong_exits_with_2(
    desk: Desk, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        desk.rate("", *options)
    assert caught.value.code == 2
    assert f"argument {options[0]}: " in capsys.readouterr().err


def test_json_is_one_document(desk: Desk) -> None:
    _, out, _ = desk.rate("a,tokens,200,2024-02-10T00:00:00Z,1\n", "--format", "json")
    (statement,) = json.loads(out)
    assert (statement["org_id"], statement["total"]) == ("a", {"amount": "1.00", "currency": "USD"})


def test_totals_are_by_currency(desk: Desk) -> None:
    desk.plans.write_text(
        PLANS
        + """
        [plans.yen]
        currency = "JPY"
        allowances.tokens = { included = 0, price = { model = "per_unit", price = 1 } }
        [accounts.z]
        plan = "yen"
        since = 2024-01-01T00:00:00Z
        """
    )
    rows = "".join(f"{org},tokens,200,2024-02-10T00:00:00Z,1\n" for org in "abz")
    assert desk.rate(rows)[1].endswith("3 statements, 2.00 USD, 200 JPY\n")


def test_a_reader_that_has_had_enough_is_no_crash(desk: Desk) -> None:
    desk.usage.write_text(
        HEADER + "".join(f"{n},tokens,200,2024-02-10T00:00:00Z,\n" for n in range(3000))
    )
    command = [sys.executable, "-m", "overages", "rate"]
    command += ["--plans", str(desk.plans), "--usage", str(desk.usage)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


CHANGED = """
[plans.starter]
currency = "USD"
allowances.tokens = { included = 310, price = { model = "per_unit", price = "1" } }
allowances.seats = { included = 3, price = { model = "per_unit", price = "31" }, kind = "level" }
[plans.pro]
currency = "USD"
allowances.tokens = { included = 620, price = { model = "per_unit", price = "0.5" } }
allowances.seats = { included = 4, price = { model = "per_unit", price = "31" }, kind = "level" }
[accounts.acme]
plan = "starter"
since = 2024-03-01T00:00:00Z
[[accounts.acme.changes]]
since = 2024-03-12T00:00:00Z
plan = "pro"
[[accounts.acme.changes]]
since = 2024-03-20T00:00:00Z
limits = { tokens = 31 }
"""


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        ("acme,tokens,120,2024-03-02T00:00:00Z,1\n", "10.00 USD"),  # beyond 310 x 11/31
        ("acme,tokens,14,2024-03-30T00:00:00Z,1\n", "1.00 USD"),  # beyond 31 x 12/31
    ],
)
def test_a_change_within_a_period_is_billed_whichever_parts_have_rows(
    desk: Desk, rows: str, total: str
) -> None:
    desk.plans.write_text(CHANGED)
    status, output, errors = desk.rate(rows)
    assert (status, errors) == (0, "")
    assert output.splitlines()[-1] == f"1 statement, {total}"


def test_a_level_that_is_summed_is_refused_where_a_change_cuts_it(desk: Desk) -> None:
    desk.plans.write_text(CHANGED)
    status, out, err = desk.rate("acme,seats,4,2024-03-02T00:00:00Z,1\n")
    assert (status, out) == (1, "")
    assert err.startswith("usage.csv: acme, 2024-03-01 to 2024-04-01 UTC: metrics: must be counted")


def test_a_year_may_begin_within_a_period(desk: Desk) -> None:
    desk.plans.write_text(
        """
        default_plan = "yearly"
        [plans.yearly]
        currency = "USD"
        allowances.runs.included = 1_000
        allowances.runs.price = { model = "per_unit", price = 1 }
        allowances.runs.included_for = { anchor = 2024-01-01T00:00:00Z, unit = "year" }
        [accounts.acme]
        plan = "yearly"
        since = 2023-12-15T00:00:00Z
        cycle = { anchor = 2023-12-15T00:00:00Z }
        """
    )
    rows = "acme,runs,1030,2023-12-20T00:00:00Z,1\nacme,runs,50,2024-01-05T00:00:00Z,2\n"
    assert desk.rate(rows)[1].endswith("1 statement, 30.00 USD\n")
