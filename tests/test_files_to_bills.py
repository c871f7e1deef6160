"""From files to bills: lives that once gave a wrong bill in silence.

Each of them has commands that run as processes, `desk`; variants of it run in this one, `near`.
"""

from __future__ import annotations

import gzip
import signal
import time
from pathlib import Path

import pytest

from tests.desk import WITH_IDS, Desk, NearDesk

PLANS = """
default_plan = "p"
[plans.p]
currency = "USD"
allowances.tokens = { included = 0, price = { model = "per_unit", price = 1 } }
"""
ACCOUNT = '[accounts.{}]\nplan = "p"\nsince = 2024-01-01T00:00:00Z\n'
SEVENTEENTH = (
    '[accounts.acme]\nplan = "p"\nsince = 2024-01-17T00:00:00Z\n'
    "cycle = { anchor = 2024-01-17T00:00:00Z }\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write("plans.toml", PLANS + ACCOUNT.format("acme"))
    return desk


@pytest.fixture
def near(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> NearDesk:
    monkeypatch.chdir(tmp_path)
    near = NearDesk(tmp_path, capsys, monkeypatch)
    near.write("plans.toml", PLANS + ACCOUNT.format("acme"))
    return near


def close(desk: Desk, usage: str, until: str, *options: str) -> str:
    files = ["--plans", "plans.toml", "--usage", usage]
    return desk.done("close", "--db", "b.db", *files, "--until", until, *options)


def test_f1_two_exports_that_each_hold_a_part_of_a_period(desk: Desk) -> None:
    desk.write("plans.toml", PLANS + SEVENTEENTH)
    desk.usage(
        "february.csv", "acme,tokens,12,2024-02-20T00:00:00Z", "acme,tokens,8,2024-02-25T00:00:00Z"
    )
    desk.usage(
        "march.csv", "acme,tokens,1,2024-03-02T00:00:00Z", "acme,tokens,1,2024-03-20T00:00:00Z"
    )
    close(desk, "february.csv", "2024-03-01")
    assert desk.bills() == {"acme 2024-02-17": "20.00"}
    close(desk, "march.csv", "2024-04-01")
    assert desk.bills() == {"acme 2024-02-17": "21.00", "acme 2024-03-17": "1.00"}
    status = desk.run("status", "--db", "b.db", "--until", "2024-04-01")
    assert status.out.splitlines()[1].split()[:4] == ["acme", "2", "0", "0"]


def test_f1b_usage_that_comes_after_its_period_was_closed(desk: Desk) -> None:
    desk.write("plans.toml", PLANS + SEVENTEENTH)
    desk.usage("first.csv", "acme,tokens,20,2024-02-20T00:00:00Z")
    close(desk, "first.csv", "2024-03-20")
    desk.usage("second.csv", "acme,tokens,1,2024-03-02T00:00:00Z")
    late = desk.run("ingest", "second.csv", "--db", "b.db")
    assert late.status == 5
    assert "acme, 2024-02-17 to 2024-03-17 UTC, is closed" in late.err
    assert "would add 1.00 USD" in late.err
    assert desk.bills() == {"acme 2024-02-17": "20.00"}
    assert desk.run("close", "--db", "b.db", "--until", "2024-04-20", "--force").status == 0
    assert desk.bills() == {"acme 2024-02-17": "21.00"}


def test_f1b_by_rule_it_counts_in_the_next_period(near: NearDesk) -> None:
    near.write("plans.toml", PLANS + SEVENTEENTH)
    near.usage("first.csv", "acme,tokens,20,2024-02-20T00:00:00Z")
    close(near, "first.csv", "2024-03-20")
    near.usage("second.csv", "acme,tokens,1,2024-03-02T00:00:00Z")
    near.done("ingest", "second.csv", "--db", "b.db", "--late", "next")
    near.done("close", "--db", "b.db", "--until", "2024-04-17")
    assert near.bills() == {"acme 2024-02-17": "20.00", "acme 2024-03-17": "1.00"}


def test_f2_two_usage_files_are_both_read(desk: Desk) -> None:
    desk.usage("a.csv", "acme,tokens,1,2024-02-20T00:00:00Z")
    desk.usage("b.csv", "acme,tokens,2,2024-02-20T00:00:00Z")
    close(desk, "a.csv", "2024-03-01", "--usage", "b.csv")
    assert desk.bills() == {"acme 2024-02-01": "3.00"}


def test_f3_a_changed_price_holds_from_the_date_that_the_file_says(desk: Desk) -> None:
    desk.usage("february.csv", "acme,tokens,10,2024-02-20T00:00:00Z")
    desk.usage("march.csv", "acme,tokens,10,2024-03-20T00:00:00Z")
    close(desk, "february.csv", "2024-03-01")
    desk.write("plans.toml", PLANS.replace("price = 1 }", "price = 2 }") + ACCOUNT.format("acme"))
    refused = desk.run("apply", "--plans", "plans.toml", "--db", "b.db")
    assert refused.status == 1
    assert "since" in refused.err
    dearer = """
[[plans.p.versions]]
since = 2024-03-01T00:00:00Z
allowances.tokens.price = { model = "per_unit", price = 2 }
"""
    desk.write("plans.toml", PLANS + dearer + ACCOUNT.format("acme"))
    close(desk, "march.csv", "2024-04-01")
    assert desk.bills() == {"acme 2024-02-01": "10.00", "acme 2024-03-01": "20.00"}


@pytest.mark.parametrize("org", ["paris-lab", "paris lab "])
def test_f4_a_misspelt_org_is_named_and_nothing_is_written(desk: Desk, org: str) -> None:
    desk.write("plans.toml", PLANS + ACCOUNT.format('"paris lab"'))
    desk.usage("u.csv", f"{org},tokens,7485,2024-02-20T00:00:00Z")
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    refused = desk.run("close", "--db", "b.db", *files, "--until", "2024-03-01")
    assert refused.status == 1
    assert "u.csv:2: org_id: " in refused.err
    if org == "paris-lab":
        assert "'paris-lab' has no account (did you mean 'paris lab'?); 1 row" in refused.err
    assert desk.run("show", "--db", "b.db").status == 3
    assert desk.bills() == {}


def test_f4_new_orgs_are_named_before_they_are_billed(desk: Desk) -> None:
    desk.usage("u.csv", "paris-lab,tokens,7,2024-02-20T00:00:00Z")
    told = close(desk, "u.csv", "2024-03-01", "--new-orgs")
    assert "paris-lab: a new account" in told
    assert desk.bills() == {"paris-lab 2024-02-01": "7.00"}


def test_f5_seats_are_a_level(desk: Desk) -> None:
    plans = """
[plans.p]
currency = "USD"
allowances.seats = { included = 0, price = { model = "per_unit", price = 15 }, kind = "level" }
[metrics.seats]
aggregation = "last"
reports = "level"
"""
    desk.write("plans.toml", plans + ACCOUNT.format("acme"))
    rows = [f"acme,seats,5,2024-02-{day:02}T00:00:00Z" for day in range(1, 29)]
    desk.usage("u.csv", *rows)
    close(desk, "u.csv", "2024-03-01")
    assert desk.bills() == {"acme 2024-02-01": "75.00"}


@pytest.mark.parametrize("ids", [False, True])
def test_f6_rows_that_turn_out_to_be_another_orgs(desk: Desk, ids: bool) -> None:
    desk.write("plans.toml", PLANS + ACCOUNT.format("acme") + ACCOUNT.format("acme-2"))
    header = WITH_IDS if ids else "org_id,metric,quantity,timestamp\n"
    mark = "evt-1," if ids else ""
    desk.usage("u.csv", f"{mark}acme-2,tokens,5,2024-02-20T00:00:00Z", header=header)
    close(desk, "u.csv", "2024-02-21")
    assert desk.bills() == {"acme-2 2024-02-01": "5.00"}
    desk.usage("right.csv", f"{mark}acme,tokens,5,2024-02-20T00:00:00Z", header=header)
    told = close(desk, "right.csv", "2024-03-01", "--replace", "u.csv")
    assert "withdrawn: acme-2, 5 tokens" in told
    assert desk.bills() == {"acme 2024-02-01": "5.00", "acme-2 2024-02-01": "0.00"}


def test_f6_another_content_is_refused_unless_it_is_said_to_replace(near: NearDesk) -> None:
    near.usage("u.csv", "acme,tokens,5,2024-02-20T00:00:00Z")
    close(near, "u.csv", "2024-02-21")
    assert "new events: 0" in close(near, "u.csv", "2024-02-21")
    near.usage("u.csv", "acme,tokens,6,2024-02-20T00:00:00Z")
    refused = near.run("ingest", "u.csv", "--db", "b.db")
    assert refused.status == 1
    assert "--replace u.csv" in refused.err
    near.done("ingest", "u.csv", "--db", "b.db", "--replace", "u.csv")
    near.usage("u.csv", "acme,tokens,5,2024-02-20T00:00:00Z")  # and back again
    near.done("ingest", "u.csv", "--db", "b.db", "--replace", "u.csv")
    near.done("close", "--db", "b.db", "--until", "2024-03-01")
    assert near.bills() == {"acme 2024-02-01": "5.00"}


def test_f7_nothing_is_no_success(near: NearDesk) -> None:
    near.usage("none.csv")
    near.write("empty.csv", "")
    for name, said in (("none.csv", "has no rows"), ("empty.csv", "is empty")):
        ran = near.run("close", "--db", "b.db", "--plans", "plans.toml", "--usage", name)
        assert ran.status == 3
        assert f"{name}: {said}" in ran.err
    near.done("apply", "--db", "b.db", "--plans", "plans.toml")
    at = ["--db", "b.db", "--until", "2024-03-01"]
    assert near.run("close", *at, "--period", "2020-01").status == 3
    assert near.run("close", *at, "--period", "2024-03").status == 4  # it hasn't begun
    at[-1] = "2024-03-02"
    assert near.run("close", *at, "--period", "2024-03").status == 3  # nothing lies in it
    running = near.run("close", *at, "--period", "2024-03", "--force")
    assert (running.status, "hasn't ended" in running.err) == (4, True)
    ran = near.run("verify", "--db", "b.db", "--org", "acme2")
    assert ran == (3, "", "b.db: there is no org 'acme2' (did you mean 'acme'?)\n")


def test_f7_processes_end_with_a_status_that_says_so(desk: Desk) -> None:
    desk.usage("none.csv")
    ran = desk.run("close", "--db", "b.db", "--plans", "plans.toml", "--usage", "none.csv")
    assert ran.status == 3
    assert ran.err.startswith("none.csv: has no rows")
    files = ["--plans", "plans.toml", "--until", "2024-03-01"]
    assert desk.run("close", "--db", "b.db", *files, "--period", "2024-03").status == 4


FILE = "org_id,metric,quantity,timestamp\nacme,tokens,5,2024-02-20T00:00:00Z\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (FILE.replace(",", ";").encode(), "separator"),
        (FILE.replace(",", "\t").encode(), "separator"),
        (FILE.encode("utf-16"), "encoding"),
        (FILE.replace("acme", "acmé").encode("latin-1"), "encoding"),
        (FILE.replace("org_id,metric", " ORG_ID ,Metric").encode(), "columns = {"),
    ],
)
def test_f8_one_message_names_the_cause(near: NearDesk, content: bytes, said: str) -> None:
    near.write("u.csv", content)
    ran = near.run("rate", "--plans", "plans.toml", "--usage", "u.csv")
    assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert ran.err.startswith("u.csv: ")
    assert said in ran.err


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(FILE.encode(), mtime=0),
        b"\xef\xbb\xbf" + FILE.encode(),
        FILE.replace("\n", "\r\n").encode(),
        f"{FILE}\n,,,\n".encode(),
    ],
)
def test_f8_what_means_one_thing_is_simply_read(near: NearDesk, content: bytes) -> None:
    near.write("plans.toml", b"\xef\xbb\xbf" + (PLANS + ACCOUNT.format("acme")).encode())
    near.write("u.csv", content)
    assert "1 statement, 5.00 USD" in near.done("rate", "--plans", "plans.toml", "--usage", "u.csv")


def test_f8_processes_name_the_cause_or_read_the_file(desk: Desk) -> None:
    desk.write("u.csv", FILE.replace(",", ";"))
    ran = desk.run("rate", "--plans", "plans.toml", "--usage", "u.csv")
    assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "separator" in ran.err
    desk.write("u.csv", gzip.compress(FILE.encode()))
    assert "1 statement, 5.00 USD" in desk.done("rate", "--plans", "plans.toml", "--usage", "u.csv")


def test_f9_ctrl_c_says_one_line(desk: Desk) -> None:
    rows = [f"acme,tokens,1,2024-02-20T00:00:{n % 60:02}Z" for n in range(40_000)]
    desk.usage("u.csv", *rows)
    files = ["--plans", "plans.toml", "--usage", "u.csv", "--until", "2024-03-01"]
    for pause in (0.02, 0.1, 0.4, 0.8):
        process = desk.start("close", "--db", "b.db", *files)
        time.sleep(pause)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        if process.returncode == 130:
            assert len(err.splitlines()) == 1
        assert "/overages/commands/" not in out + err  # before that, Python is not ready for it
    close(desk, "u.csv", "2024-03-01")
    assert desk.bills() == {"acme 2024-02-01": "40000.00"}


def test_f10_an_export_runs_no_formula_in_a_spreadsheet(desk: Desk) -> None:
    orgs = ["=cmd", "+1", "@SUM(1)"]
    desk.write("plans.toml", PLANS + "".join(ACCOUNT.format(f'"{org}"') for org in orgs))
    desk.usage("u.csv", *(f"{org},tokens,5,2024-02-20T00:00:00Z" for org in orgs))
    close(desk, "u.csv", "2024-03-01")
    for kind in ("records", "statements", "events"):
        ran = desk.run("export", kind, "--db", "b.db", "--period", "2024-02")
        for org in orgs:
            assert f"\n'{org}," in ran.out or f",'{org}," in ran.out


def test_f11_a_price_with_an_exponent_is_read_exactly(desk: Desk) -> None:
    exponent = PLANS.replace("price = 1 }", 'price = "1.5e-07" }')
    desk.write("plans.toml", exponent + ACCOUNT.format("acme"))
    desk.usage("u.csv", "acme,tokens,1e6,2024-02-20T00:00:00Z")
    assert "0.15 USD" in desk.done("rate", "--plans", "plans.toml", "--usage", "u.csv")
