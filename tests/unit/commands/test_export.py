"""``overages export``: records, statements and events, for other programs."""

import csv
import io
import os
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.desk import WITH_IDS, NearDesk

from overages import OverageRecord, Statement, UsageEvent
from overages.adapters.sqlite import SqliteRepository
from overages.codec import decode
from overages.commands import export as export_command

EXPORT = ("export", "--db", "b.db", "--until", "2024-03-10")
KINDS = ["records", "statements", "events"]
HEADER = WITH_IDS.replace("\n", ",dimension.region\n")
ROWS = [
    "e1,acme,tokens,350,2024-02-10T00:00:00Z,eu",
    "e2,acme,tokens,0.5,2024-02-11T00:00:00.25Z,",
    "e3,acme,tokens,7,2024-03-02T00:00:00Z,us",
    "e1,bolt,tokens,101,2024-02-11T00:00:00Z,=1+1",
]


@pytest.fixture(autouse=True)
def usage(desk: NearDesk) -> None:
    desk.usage("u.csv", *ROWS, header=HEADER)
    files = ["--plans", "plans.toml", "--usage", "u.csv"]
    desk.done("close", "--db", "b.db", *files, "--until", "2024-03-01")


def export(desk: NearDesk, kind: str, *options: str) -> str:
    status, out, err = desk.run(*EXPORT, kind, *options)
    assert (status, err) == (0, "")
    return out


def test_records_are_exported_as_csv(desk: NearDesk) -> None:
    rows = list(csv.DictReader(io.StringIO(export(desk, "records"))))
    assert [(row["org_id"], row["cost"]) for row in rows] == [("acme", "2.51"), ("bolt", "0.01")]


def test_statements_are_exported_of_each_period_that_has_begun(desk: NearDesk) -> None:
    """Each of their lines is a row."""
    rows = list(csv.DictReader(io.StringIO(export(desk, "statements"))))
    assert [(row["org_id"], row["period_start"][:7], row["cost"]) for row in rows] == [
        ("acme", "2024-02", "2.51"),
        ("acme", "2024-03", "0.00"),
        ("bolt", "2024-02", "0.01"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_json_lines_are_read_as_values(desk: NearDesk, kind: str) -> None:
    classes: dict[str, type[object]] = {
        "records": OverageRecord,
        "statements": Statement,
        "events": UsageEvent,
    }
    lines = export(desk, kind, "--format", "json").splitlines()
    values = [decode(line, classes[kind]) for line in lines]
    assert len(values) == {"records": 2, "statements": 6, "events": 4}[kind]


@pytest.mark.parametrize("format", ["csv", "json"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_what_would_be_printed(desk: NearDesk, kind: str, format: str) -> None:
    options = ["--format", format]
    printed = export(desk, kind, *options)
    assert export(desk, kind, *options, "--output", "out") == ""
    assert (desk.folder / "out").read_bytes().decode() == printed


def test_exported_events_come_back_as_they_were(desk: NearDesk) -> None:
    exported = export(desk, "events")
    assert exported.splitlines()[0] == (
        "org_id,metric,quantity,timestamp,event_id,dimension.region"
    )
    assert ",'=1+1\n" in exported
    desk.write("back.csv", exported)
    desk.done("apply", "--plans", "plans.toml", "--db", "c.db")
    assert "new events: 4" in desk.done("ingest", "back.csv", "--db", "c.db")
    assert desk.run("export", "events", "--db", "c.db").out == exported
    assert "new events: 0" in desk.done("ingest", "back.csv", "--db", "b.db")


def test_rows_without_ids_come_back_with_those_that_they_were_given(desk: NearDesk) -> None:
    desk.usage("v.csv", *["acme,tokens,1,2024-03-02T00:00:00Z"] * 2)
    desk.done("ingest", "v.csv", "--db", "b.db")
    desk.write("back.csv", export(desk, "events"))
    assert "new events: 0" in desk.done("ingest", "back.csv", "--db", "b.db")


def test_a_withdrawn_event_is_not_exported(desk: NearDesk) -> None:
    desk.run("withdraw", "--db", "b.db", "--org", "acme", "e1")
    assert "e1,acme" not in export(desk, "events")
    assert len(export(desk, "events").splitlines()) == 1 + 3


@pytest.mark.parametrize(("kind", "count"), [("records", 1), ("statements", 1), ("events", 2)])
def test_one_org_and_period_is_exported_alone(desk: NearDesk, kind: str, count: int) -> None:
    out = export(desk, kind, "--org", "acme", "--period", "2024-02")
    assert len(out.splitlines()) == 1 + count


def test_a_period_that_has_not_begun_has_no_statement(desk: NearDesk) -> None:
    assert desk.run(*EXPORT, "statements", "--period", "2024-05").status == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("records", "--period", "2020-01"), "b.db: there are no records of that\n"),
        (("events", "--period", "2020-01"), "b.db: there are no events of that\n"),
        (("statements", "--until", "2023-01-01"), "b.db: there are no statements of that\n"),
        (("events", "--org", "acne"), "b.db: there is no org 'acne' (did you mean 'acme'?)\n"),
    ],
)
def test_what_is_not_there_is_said_and_no_file_is_made(
    desk: NearDesk, options: tuple[str, ...], said: str
) -> None:
    assert desk.run(*EXPORT, *options, "--output", "out") == (3, "", said)
    assert "out" not in desk.content()


@pytest.mark.parametrize(("kind", "count"), [("records", 2), ("statements", 2), ("events", 3)])
def test_of_a_period_that_is_named_each_org_has_its_own(
    desk: NearDesk, kind: str, count: int
) -> None:
    assert len(export(desk, kind, "--period", "2024-02").splitlines()) == 1 + count


def test_records_of_closed_periods_are_exported_alone(desk: NearDesk) -> None:
    desk.usage("v.csv", "e9,acme,tokens,350,2024-03-05T00:00:00Z", header=WITH_IDS)
    desk.done("ingest", "v.csv", "--db", "b.db")
    desk.done("close", "--db", "b.db", "--until", "2024-03-10")
    assert len(export(desk, "records").splitlines()) == 1 + 3
    assert len(export(desk, "records", "--closed").splitlines()) == 1 + 2
    assert desk.run(*EXPORT, "records", "--closed", "--period", "2024-03").status == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_that_cuts_a_period_is_refused(desk: NearDesk, kind: str) -> None:
    cut = ["--period", "2024-02-15/2024-03-15", "--org", "acme"]
    status, out, err = desk.run(*EXPORT, kind, *cut)
    assert (status, out) == (1, "")
    assert err.startswith("--period: acme: period: must be one of the org's own, 2024-02-01")


def test_a_statement_that_cannot_be_worked_out_is_named(desk: NearDesk) -> None:
    desk.usage("v.csv", "x,acme,tokens,-900,2024-03-10T00:00:00Z", header=WITH_IDS)
    desk.done("ingest", "v.csv", "--db", "b.db")
    status, _, err = desk.run(*EXPORT, "statements")
    assert status == 1
    assert err.startswith("b.db: acme, 2024-03-01 to 2024-04-01 UTC: quantities.tokens: must not")


def test_a_file_is_whole_or_as_it_was(desk: NearDesk) -> None:
    """No half of an export is left where a statement can't be worked out."""
    desk.write("out", "before\n")
    desk.usage("v.csv", "x,bolt,tokens,-900,2024-03-10T00:00:00Z", header=WITH_IDS)
    desk.done("ingest", "v.csv", "--db", "b.db")
    for kind in ("csv", "json", "parquet"):
        ran = desk.run(*EXPORT, "statements", "--format", kind, "--output", "out")
        assert ran.status == 1
        assert (desk.folder / "out").read_text() == "before\n"
        assert sorted(desk.content()) == ["b.db", "out", "plans.toml", "u.csv", "v.csv"]


def test_a_folder_that_is_missing_is_named(desk: NearDesk) -> None:
    path = str(Path("none", "out.csv"))
    assert desk.run(*EXPORT, "records", "--output", path) == (
        1,
        "",
        f"{path}: No such file or directory\n",
    )


def test_an_org_without_an_account_has_records_and_events(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteRepository, "account", lambda *_: None)
    assert len(export(desk, "records").splitlines()) == 1 + 2
    assert len(export(desk, "events").splitlines()) == 1 + 4
    for kind in KINDS:  # but no periods
        assert desk.run(*EXPORT, kind, "--period", "2024-02").status == 3
    assert desk.run(*EXPORT, "statements").status == 3


# Parquet


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_has_the_rows_of_the_csv(desk: NearDesk, kind: str) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert export(desk, kind, "--format", "parquet", "--output", "out.parquet") == ""
    table = parquet.read_table(desk.folder / "out.parquet")
    rows = list(csv.DictReader(io.StringIO(export(desk, kind))))
    assert table.num_rows == len(rows)
    assert table.column("org_id").to_pylist() == [row["org_id"] for row in rows]
    name = {"records": "cost", "statements": "cost", "events": "quantity"}[kind]
    exact = [Decimal(each) for each in table.column(name).to_pylist()]
    assert exact == [Decimal(row[name]) for row in rows]


def test_parquet_needs_a_file(desk: NearDesk) -> None:
    status, out, err = desk.run(*EXPORT, "records", "--format", "parquet")
    assert (status, out) == (2, "")
    assert err.endswith("error: --format parquet needs an --output\n")


def test_parquet_needs_pyarrow(desk: NearDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert desk.run(*EXPORT, "records", "--format", "parquet", "--output", "out") == (
        1,
        "",
        "--format parquet: needs pyarrow: pip install 'overages[arrow]'\n",
    )
    assert "out" not in desk.content()


def test_an_export_may_go_into_a_pipe(desk: NearDesk) -> None:
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert export(desk, "records", "--output", "pipe") == ""
        assert os.read(end, 10_000).decode() == export(desk, "records")
    finally:
        os.close(end)
    pipe.unlink()


def test_an_export_goes_where_a_link_leads(desk: NearDesk) -> None:
    (desk.folder / "link").symlink_to("out")
    export(desk, "records", "--output", "link")
    assert (desk.folder / "link").is_symlink()
    assert (desk.folder / "out").read_text() == export(desk, "records")


def test_a_disk_that_fails_is_told_apart(desk: NearDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_command, "write_records", fail)
    assert desk.run(*EXPORT, "records", "--output", "out") == (
        1,
        "",
        "overages: [Errno 28] No space left on device\n",
    )
    assert sorted(desk.content()) == ["b.db", "plans.toml", "u.csv"]


def test_an_export_never_takes_the_place_of_the_database(desk: NearDesk) -> None:
    desk.write("b.db", b"")
    ran = desk.run("export", "records", "--db", "b.db", "--output", "b.db")
    assert ran.status == 2
    assert ran.err.endswith("--output must be another file than --db\n")
