"""``overages ingest``: the events of usage files, put into a database, each once."""

import gzip
import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from tests.desk import HEADER, WITH_IDS, NearDesk

from overages.adapters.sqlite import SqliteRepository
from overages.commands.desk import newcomers, rows as rows_of_files
from overages.errors import InvalidValue
from overages.service.usage_intake import UsageIntake

INGEST = ("ingest", "--db", "b.db")
FEBRUARY = "2024-02-10T00:00:00Z"


@pytest.fixture(autouse=True)
def agreed(desk: NearDesk) -> None:
    desk.done("apply", "--plans", "plans.toml", "--db", "b.db")


def row(
    org: str = "acme", quantity: int = 1, at: str = FEBRUARY, event_id: str | None = None
) -> str:
    cells = [] if event_id is None else [event_id]
    return ",".join([*cells, org, "tokens", str(quantity), at])


def used(desk: NearDesk) -> dict[str, int]:
    """Return the sum of all events that count, by org."""
    ran = desk.run("export", "events", "--db", "b.db")
    sums: dict[str, int] = {}
    for line in ran.out.splitlines()[1:]:
        org, _, quantity, *_ = line.split(",")
        sums[org] = sums.get(org, 0) + int(quantity)
    return sums


def test_rows_are_put_once(desk: NearDesk) -> None:
    desk.usage("u.csv", row(quantity=3), row(quantity=3), row("bolt", 4))
    assert desk.run(*INGEST, "u.csv") == (0, "b.db: rows: 3, new events: 3\n", "")
    before = desk.content()
    assert desk.run(*INGEST, "u.csv") == (0, "b.db: rows: 3, new events: 0\n", "")
    assert desk.content() == before
    assert used(desk) == {"acme": 6, "bolt": 4}


@pytest.mark.parametrize("how", ["reversed", "gz", "elsewhere", "stdin", "packed stdin", "marked"])
def test_the_same_content_is_known_however_it_comes(desk: NearDesk, how: str) -> None:
    rows = [row(quantity=n) for n in (1, 2, 2, 3)]
    desk.usage("u.csv", *rows)
    desk.done(*INGEST, "u.csv")
    content = desk.content()["u.csv"]
    (desk.folder / "u.csv").unlink()
    (desk.folder / "more").mkdir()
    path, sent, options = "u.csv", b"", list[str]()
    if how == "reversed":
        desk.usage("u.csv", *reversed(rows))
    elif how == "gz":
        path = "u.csv.gz"
        desk.write(path, gzip.compress(content))
    elif how == "elsewhere":
        path = str(Path("more", "u.csv"))
        desk.write(path, content)
    elif how == "marked":
        desk.write("u.csv", b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    else:
        path, sent, options = "-", content, ["--name", "u.csv"]
        sent = gzip.compress(content) if how == "packed stdin" else content
    assert desk.run(*INGEST, path, *options, sent=sent) == (
        0,
        "b.db: rows: 4, new events: 0\n",
        "",
    )


def test_standard_input_is_a_batch_of_its_own_name(desk: NearDesk) -> None:
    content = HEADER + row() + "\n"
    assert desk.run(*INGEST, "-", sent=content).out == "b.db: rows: 1, new events: 1\n"
    assert desk.run(*INGEST, "-", sent=content).out == "b.db: rows: 1, new events: 0\n"
    refused = desk.run(*INGEST, "-", sent=HEADER + row(quantity=7) + "\n")
    assert refused.status == 1
    assert refused.err.startswith("standard input: the batch 'standard input' is there with 1 rows")


def test_events_with_ids_count_once_in_whichever_file(desk: NearDesk) -> None:
    desk.usage("u.csv", row(event_id="1"), row(event_id="2"), row(event_id="1"), header=WITH_IDS)
    desk.usage("v.csv", row(event_id="2"), row(event_id="3"), header=WITH_IDS)
    assert desk.run(*INGEST, "u.csv").out == "b.db: rows: 3, new events: 2\n"
    assert desk.run(*INGEST, "v.csv").out == "b.db: rows: 2, new events: 1\n"
    desk.usage("u.csv", row(event_id="4"), header=WITH_IDS)  # a file may grow, or be another
    assert desk.run(*INGEST, "u.csv").out == "b.db: rows: 1, new events: 1\n"


def test_an_id_with_another_content_is_named(desk: NearDesk) -> None:
    desk.usage("u.csv", row(event_id="1"), header=WITH_IDS)
    desk.done(*INGEST, "u.csv")
    before = desk.content()["b.db"]
    desk.usage("v.csv", row(event_id="0"), row(quantity=2, event_id="1"), header=WITH_IDS)
    status, out, err = desk.run(*INGEST, "v.csv")
    assert (status, out) == (1, "")
    assert err.startswith("v.csv:3: acme: event_id: was reported before with another")
    assert desk.content()["b.db"] == before


def test_some_rows_may_have_ids_and_others_none(desk: NearDesk) -> None:
    rows = [row(event_id="1"), row(event_id=""), row(event_id="")]
    desk.usage("u.csv", *rows, header=WITH_IDS)
    assert desk.run(*INGEST, "u.csv").out == "b.db: rows: 3, new events: 3\n"
    desk.usage("u.csv", *rows, row(event_id="2"), header=WITH_IDS)
    assert desk.run(*INGEST, "u.csv").out == "b.db: rows: 4, new events: 1\n"
    desk.usage("u.csv", *rows, row(event_id=""), header=WITH_IDS)
    assert desk.run(*INGEST, "u.csv").status == 1


def test_two_files_of_one_name_are_told_apart(desk: NearDesk) -> None:
    for folder, quantity in (("jan", 1), ("feb", 2)):
        (desk.folder / folder).mkdir()
        desk.usage(f"{folder}/u.csv", row(quantity=quantity))
    desk.done(*INGEST, "jan/u.csv")
    assert desk.run(*INGEST, "feb/u.csv") == (
        1,
        "",
        "feb/u.csv: the batch 'u.csv' is there with 1 rows of another content: give this file"
        " another --name, or take it in place of the first by --replace u.csv; nothing was"
        " written\n",
    )
    assert desk.done(*INGEST, "feb/u.csv", "--name", "feb") == "b.db: rows: 1, new events: 1\n"
    assert used(desk) == {"acme": 3}


def test_two_files_of_one_name_in_one_command_are_all_or_none(desk: NearDesk) -> None:
    for folder, quantity in (("jan", 1), ("feb", 2)):
        (desk.folder / folder).mkdir()
        desk.usage(f"{folder}/u.csv", row(quantity=quantity))
    assert desk.run(*INGEST, "jan/u.csv", "feb/u.csv").status == 1
    assert used(desk) == {}
    assert desk.done(*INGEST, "jan/u.csv", "jan/u.csv") == "b.db: rows: 2, new events: 1\n"


def test_a_batch_that_is_replaced_has_no_other_name(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    desk.done(*INGEST, "u.csv")
    ran = desk.run(*INGEST, "u.csv", "--replace", "u.csv", "--name", "x")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("error: --name must be that of --replace, or left out\n")


@pytest.mark.parametrize("option", ["--name", "--replace"])
def test_a_name_is_for_one_file(desk: NearDesk, option: str) -> None:
    desk.usage("u.csv", row())
    status, _, err = desk.run(*INGEST, "u.csv", "u.csv", option, "x")
    assert status == 2
    assert err.endswith("error: --name and --replace are for one file\n")


# In place of another


def replace(desk: NearDesk, *rows: str, name: str = "u.csv", header: str = HEADER) -> str:
    desk.usage(name, *rows, header=header)
    return desk.done(*INGEST, name, "--replace", "u.csv")


def test_what_a_file_has_no_more_is_withdrawn(desk: NearDesk) -> None:
    desk.usage("u.csv", row(), row("bolt", 2), row("bolt", 3))
    desk.done(*INGEST, "u.csv")
    told = replace(desk, row("bolt", 3), row("acme", 5), name="right.csv")
    assert told == (
        "right.csv: withdrawn: acme, 1 tokens, 2024-02-10 UTC\n"
        "right.csv: withdrawn: bolt, 2 tokens, 2024-02-10 UTC\n"
        "b.db: rows: 2, new events: 1\n"
    )
    assert used(desk) == {"acme": 5, "bolt": 3}


STATES: list[Sequence[str]] = [
    [row(), row(), row()],
    [row(), row()],
    [row(), row(), row()],
    [row(), row(), row(), row()],
    [row("bolt"), row("bolt")],
    [row("bolt", 9), row()],
    [row(), row(), row(), row(), row()],
    [row("bolt"), row(), row("bolt")],
]


def sums_of(rows: Sequence[str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in rows:
        org, _, quantity, _ = each.split(",")
        sums[org] = sums.get(org, 0) + int(quantity)
    return sums


@pytest.mark.parametrize("order", [1, -1])
def test_rows_that_come_and_go_again_and_again_count_as_the_last_file_says(
    desk: NearDesk, order: int
) -> None:
    desk.usage("u.csv", row())
    desk.done(*INGEST, "u.csv")
    for rows in [*STATES, *reversed(STATES)]:
        replace(desk, *rows[::order])
        assert used(desk) == sums_of(rows)
        assert "new events: 0" in replace(desk, *reversed(rows))
        assert "new events: 0" in desk.done(*INGEST, "u.csv")


def test_a_batch_is_replaced_by_what_comes_by_standard_input(desk: NearDesk) -> None:
    desk.usage("u.csv", row(), row())
    desk.done(*INGEST, "u.csv")
    sent = gzip.compress(f"{HEADER}{row(quantity=7)}\n".encode())
    ran = desk.run(*INGEST, "-", "--replace", "u.csv", sent=sent)
    assert ran.status == 0
    assert ran.out.splitlines()[0] == "standard input: withdrawn: acme, 1 tokens, 2024-02-10 UTC"
    assert used(desk) == {"acme": 7}


def test_rows_with_ids_may_take_the_place_of_rows_without(desk: NearDesk) -> None:
    """Then the first file is another content: its rows were taken back."""
    desk.usage("u.csv", row(), row())
    desk.done(*INGEST, "u.csv")
    replace(desk, row(quantity=5, event_id="1"), name="v.csv", header=WITH_IDS)
    assert used(desk) == {"acme": 5}
    assert desk.run(*INGEST, "u.csv").status == 1
    replace(desk, row(), row())
    assert used(desk) == {"acme": 2}


def test_a_batch_of_rows_with_ids_is_replaced_too(desk: NearDesk) -> None:
    desk.usage("u.csv", row(event_id="1"), row("bolt", event_id="2"), header=WITH_IDS)
    desk.done(*INGEST, "u.csv")
    replace(desk, row(event_id="1"), row("acme", event_id="2"), header=WITH_IDS)
    assert used(desk) == {"acme": 2}


QUANTITIES = {"": 1, "a": 2, "b": 4, "c": 8}


def with_ids(*ids: str) -> list[str]:
    """Return a row for each event id; an empty one is for a row without."""
    return [row(quantity=QUANTITIES[event_id], event_id=event_id) for event_id in ids]


@pytest.mark.parametrize("last", [["c"], ["b"], ["a", "c"], ["a", "", "c"], ["", ""]])
def test_rows_with_ids_that_took_the_place_of_others_are_replaced_in_their_turn(
    desk: NearDesk, last: Sequence[str]
) -> None:
    desk.usage("u.csv", row(quantity=64))
    desk.done(*INGEST, "u.csv")
    replace(desk, *with_ids("a", "b"), header=WITH_IDS)
    assert used(desk) == {"acme": 2 + 4}
    told = replace(desk, *with_ids(*last), name="v.csv", header=WITH_IDS)
    assert told.splitlines()[:-1] == [
        f"v.csv: withdrawn: acme, {QUANTITIES[gone]} tokens, 2024-02-10 UTC"
        for gone in "ab"
        if gone not in last
    ]
    assert used(desk) == {"acme": sum(QUANTITIES[event_id] for event_id in last)}


def test_of_the_same_rows_without_ids_a_row_with_one_may_be_gone(desk: NearDesk) -> None:
    desk.usage("u.csv", *with_ids("a", "", "c", ""), header=WITH_IDS)
    desk.done(*INGEST, "u.csv")
    assert replace(desk, *with_ids("", "", "c"), header=WITH_IDS) == (
        "u.csv: withdrawn: acme, 2 tokens, 2024-02-10 UTC\nb.db: rows: 3, new events: 0\n"
    )
    assert used(desk) == {"acme": 1 + 1 + 8}


def test_two_batches_without_a_row_that_has_no_id_are_no_copies(desk: NearDesk) -> None:
    for n, name in enumerate(("u.csv", "v.csv")):
        desk.usage(name, row(quantity=n + 1))
        desk.done(*INGEST, name)
        desk.usage(name, row(event_id=name), header=WITH_IDS)
        desk.done(*INGEST, name, "--replace", name)
    for name in ("u.csv", "v.csv"):
        assert desk.done(*INGEST, name) == "b.db: rows: 1, new events: 0\n"
    assert used(desk) == {"acme": 2}


def test_rows_like_withdrawn_ones_count_again_and_that_is_said(desk: NearDesk) -> None:
    rows = [row(), row("bolt", 2), row("bolt", 3)]
    desk.usage("u.csv", *rows)
    desk.done(*INGEST, "u.csv")
    assert "count again" not in replace(desk, row("bolt", 3))
    desk.usage("u.csv", *rows)
    ran = desk.run(*INGEST, "u.csv", "--replace", "u.csv")
    assert ran == (
        0,
        "b.db: rows: 3, new events: 2\n",
        "u.csv: rows like withdrawn ones, which count again: 2\n",
    )
    assert used(desk) == {"acme": 1, "bolt": 5}
    for again in ([*INGEST, "u.csv"], [*INGEST, "u.csv", "--replace", "u.csv"]):
        assert desk.run(*again) == (0, "b.db: rows: 3, new events: 0\n", "")
    assert "count again" not in replace(desk, *rows, row("bolt", 9))


def test_an_id_that_was_withdrawn_counts_no_more_and_that_is_said(desk: NearDesk) -> None:
    desk.usage("u.csv", row(event_id="1"), row(event_id="2"), header=WITH_IDS)
    desk.done(*INGEST, "u.csv")
    desk.done("withdraw", "--db", "b.db", "--org", "acme", "2")
    assert desk.run(*INGEST, "u.csv")[1:] == (
        "b.db: rows: 2, new events: 0\n",
        "u.csv: rows whose events were withdrawn, and count no more: 1\n",
    )
    assert used(desk) == {"acme": 1}


def test_of_many_rows_that_are_withdrawn_twenty_are_named(desk: NearDesk) -> None:
    desk.usage("u.csv", row(), *(row("bolt", n) for n in range(1, 26)))
    desk.done(*INGEST, "u.csv")
    lines = replace(desk, row()).splitlines()
    assert len(lines) == 20 + 2
    assert lines[-2:] == ["u.csv: and 5 more events withdrawn", "b.db: rows: 1, new events: 0"]


def test_a_batch_that_is_not_there_is_not_replaced(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    before = desk.content()
    assert desk.run(*INGEST, "u.csv", "--replace", "v.csv") == (
        3,
        "",
        "u.csv: there is no batch 'v.csv' to replace\n",
    )
    assert desk.content() == before


def test_a_batch_of_which_all_is_withdrawn_can_be_replaced(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    desk.done(*INGEST, "u.csv")
    with SqliteRepository(desk.folder / "b.db") as repository:
        ((event, _),) = repository.batch_events("acme", "u.csv")
        assert event.id is not None
        repository.withdraw("acme", event.id, withdrawn_at=event.at)
    told = replace(desk, row())
    assert told == "b.db: rows: 1, new events: 0\n"  # it was withdrawn by hand, and stays so
    assert replace(desk, row(), row("bolt")).endswith("b.db: rows: 2, new events: 2\n")


def test_a_batch_of_which_all_rows_with_ids_are_withdrawn_can_be_replaced(desk: NearDesk) -> None:
    desk.usage("u.csv", *with_ids("a", "b"), header=WITH_IDS)
    desk.done(*INGEST, "u.csv")
    desk.done("withdraw", "--db", "b.db", "--org", "acme", "a", "b")
    assert replace(desk, row(quantity=5)) == "b.db: rows: 1, new events: 1\n"
    assert used(desk) == {"acme": 5}


def test_rows_with_ids_are_the_content_of_a_batch_that_was_withdrawn(desk: NearDesk) -> None:
    """So that its first file, whose rows were taken back by hand, is another one."""
    desk.usage("u.csv", row())
    desk.done(*INGEST, "u.csv")
    exported = desk.done("export", "events", "--db", "b.db", "--format", "json")
    event_id = json.loads(exported)["id"]
    desk.done("withdraw", "--db", "b.db", "--org", "acme", event_id)
    replace(desk, *with_ids("a"), name="v.csv", header=WITH_IDS)
    desk.usage("u.csv", row())
    assert desk.run(*INGEST, "u.csv").status == 1
    assert used(desk) == {"acme": 2}


def test_a_batch_whose_rows_with_ids_are_all_of_others_can_be_replaced(desk: NearDesk) -> None:
    desk.usage("u.csv", *with_ids("a"), header=WITH_IDS)
    desk.usage("v.csv", row(quantity=64))
    desk.done(*INGEST, "u.csv", "v.csv")
    desk.usage("w.csv", *with_ids("a"), header=WITH_IDS)
    desk.done(*INGEST, "w.csv", "--replace", "v.csv")
    assert used(desk) == {"acme": 2}
    with SqliteRepository(desk.folder / "b.db") as repository:
        assert list(repository.batch_orgs("v.csv")) == ["acme"]
    desk.usage("w.csv", row(quantity=5))
    assert "new events: 1" in desk.done(*INGEST, "w.csv", "--replace", "v.csv")
    assert used(desk) == {"acme": 7}


def test_a_batch_that_a_host_noted_without_rows_can_be_replaced(desk: NearDesk) -> None:
    with SqliteRepository(desk.folder / "b.db") as repository:
        repository.put_batch("u.csv", "0" * 32, 0, noted_at=datetime(2024, 2, 1, tzinfo=UTC))
    assert replace(desk, row()) == "b.db: rows: 1, new events: 1\n"


def test_a_batch_whose_rows_came_under_other_names_cannot_be_replaced(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    desk.done(*INGEST, "u.csv")
    exported = desk.done("export", "events", "--db", "b.db")
    desk.write("e.csv", exported)
    desk.done("apply", "--plans", "plans.toml", "--db", "c.db")
    desk.done("ingest", "e.csv", "--db", "c.db")
    desk.done("ingest", "u.csv", "--db", "c.db")
    desk.usage("u.csv", row(quantity=7))
    before = desk.content()["c.db"]
    ran = desk.run("ingest", "u.csv", "--replace", "u.csv", "--db", "c.db")
    assert (ran.status, ran.out) == (1, "")
    assert desk.content()["c.db"] == before
    assert "none of the rows of the batch 'u.csv' is there under its name" in ran.err


def test_orgs_without_an_account_are_told_with_the_faulty_rows(desk: NearDesk) -> None:
    desk.usage("u.csv", "acme,tokens,x," + FEBRUARY, row("acm"))
    ran = desk.run(*INGEST, "u.csv")
    assert ran.status == 1
    assert "'acm' has no account (did you mean 'acme'?); 1 row" in ran.err
    assert "quantity: must be a plain decimal number" in ran.err


def test_a_pipe_is_read_once_and_may_be_looked_at_twice(desk: NearDesk) -> None:
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    for new in (1, 0):
        writer = Thread(target=pipe.write_text, args=(HEADER + row() + "\n",))
        writer.start()
        assert desk.done(*INGEST, "pipe").endswith(f"new events: {new}\n")
        writer.join()


def test_a_file_whose_name_is_no_batchs_needs_one(desk: NearDesk) -> None:
    name = "a" * 230 + ".csv"
    desk.usage(name, row())
    ran = desk.run(*INGEST, name)
    assert ran.status == 1
    assert "its name can't be that of its batch, give it a --name: " in ran.err
    assert desk.run(*INGEST, name, "--name", "a").status == 0


def test_a_dry_run_says_what_a_run_would_do_and_writes_nothing(desk: NearDesk) -> None:
    desk.usage("u.csv", row(), row("bolt"))
    desk.done(*INGEST, "u.csv")
    desk.usage("u.csv", row("bolt"), row("bolt"))
    before = desk.content()
    dry = desk.run(*INGEST, "u.csv", "--replace", "u.csv", "--dry-run")
    assert dry == (
        0,
        "u.csv: withdrawn: acme, 1 tokens, 2024-02-10 UTC\nb.db: rows: 2, new events: 1\n",
        "dry run: nothing was written\n",
    )
    assert desk.content() == before
    assert desk.run(*INGEST, "u.csv", "--replace", "u.csv").out == dry.out


def test_a_dry_run_makes_no_database(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    before = desk.content()
    assert desk.run("ingest", "u.csv", "--db", "c.db", "--dry-run").status == 1  # it has no org
    assert desk.content() == before


# Rows that can't be counted


def test_every_fault_is_named_once_and_nothing_is_written(desk: NearDesk) -> None:
    before = desk.content()["b.db"]
    rows = [row(), "acme,tokens,1e,2024-02-10", "acme,tokens", *["acme,words,5," + FEBRUARY] * 3]
    desk.usage("u.csv", *rows, row(at="2023-05-01T00:00:00Z"), row(at="2023-06-01T00:00:00Z"))
    status, out, err = desk.run(*INGEST, "u.csv")
    assert (status, out) == (1, "")
    lines = err.splitlines()
    assert lines[0] == "u.csv:3: quantity: must be a plain decimal number such as 12.5, got '1e'"
    assert lines[1].startswith("u.csv:3: timestamp: must have a timezone, such as a Z at its end")
    assert lines[2] == "u.csv:4: row: must have 4 fields, has 2, got ['acme', 'tokens']"
    assert lines[3].startswith("u.csv:5: acme: metric: 'words' is not in plan 'p', ")
    assert lines[3].endswith(" (and 2 more like it)")
    assert lines[4].startswith(
        "u.csv:8: acme: timestamp: must be when the org has terms: from 2024"
    )
    assert lines[4].endswith(" (and 1 more like it)")
    assert lines[5:] == ["u.csv: faults: 8; nothing was written"]
    assert desk.content()["b.db"] == before


def test_a_faulty_row_of_a_batch_that_is_there_is_named(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    desk.done(*INGEST, "u.csv")
    desk.usage("u.csv", row(), "acme,tokens,x," + FEBRUARY)
    status, _, err = desk.run(*INGEST, "u.csv")
    assert (status, err.splitlines()) == (
        1,
        [
            "u.csv:3: quantity: must be a plain decimal number such as 12.5, got 'x'",
            "u.csv: faults: 1; nothing was written",
        ],
    )


def test_one_faulty_file_keeps_the_others_out(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    desk.usage("v.csv", row(quantity=0).replace(",0,", ",x,"))
    assert desk.run(*INGEST, "u.csv", "v.csv").status == 1
    assert used(desk) == {}


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        ("", 3, "u.csv: is empty; nothing was written\n"),
        ("\n\n", 3, "u.csv: is empty; nothing was written\n"),
        (HEADER, 3, "u.csv: has no rows; nothing was written\n"),
        (HEADER + "\n,,,\n", 3, "u.csv: has no rows; nothing was written\n"),
        ("a,b\n", 1, "u.csv: columns: "),
        ("PAR1", 1, "u.csv: file: must be a text, and not a Parquet file: "),
        (HEADER + '"acme,tokens,1,\n', 1, "u.csv:2: row: must be readable as CSV"),
    ],
)
def test_a_file_without_rows_that_can_be_read_is_named(
    desk: NearDesk, content: str, status: int, said: str
) -> None:
    desk.write("u.csv", content)
    ran = desk.run(*INGEST, "u.csv")
    assert (ran.status, ran.out) == (status, "")
    assert ran.err.startswith(said)


def test_a_file_that_is_missing_or_none_is_named(desk: NearDesk) -> None:
    assert desk.run(*INGEST, "none.csv") == (1, "", "none.csv: No such file or directory\n")
    (desk.folder / "folder").mkdir()
    assert desk.run(*INGEST, "folder") == (1, "", "folder: Is a directory\n")


def test_a_file_is_read_in_pieces_however_small(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_files, "PIECE", 2)
    book = 'default_plan = "p"\n'
    desk.write("plans.toml", (desk.folder / "plans.toml").read_text().replace(book, ""))
    desk.write("plans.toml", book + (desk.folder / "plans.toml").read_text())
    rows = [row(), *(row(f"new-{n % 2}", n + 1) for n in range(7)), row(quantity=4)]
    desk.usage("u.csv", *rows)
    options = ["--layout", "plans.toml", "--new-orgs"]
    assert "new events: 9" in desk.done(*INGEST, "u.csv", *options)
    assert used(desk) == sums_of(rows)
    assert "new events: 0" in desk.done(*INGEST, "u.csv", *options)


# Orgs without an account


def test_orgs_without_an_account_are_listed_those_with_most_rows_first(desk: NearDesk) -> None:
    before = desk.content()["b.db"]
    desk.usage("u.csv", row("zeta"), row("ACME "), row("Acme"), row("Acme"), row())
    desk.usage("u.csv", row("zeta"), row("Acme"), row("Acme"), row())
    assert desk.run(*INGEST, "u.csv") == (
        1,
        "",
        "u.csv:3: org_id: 'Acme' has no account (did you mean 'acme'?); 2 rows\n"
        "u.csv:2: org_id: 'zeta' has no account; 1 row\n"
        "orgs without an account: 2; nothing was written: give them an account in the plans, or"
        " the default plan by --new-orgs\n",
    )
    assert desk.content()["b.db"] == before


def test_of_many_orgs_without_an_account_twenty_are_named(desk: NearDesk) -> None:
    desk.usage("u.csv", *(row(f"new-{n:02}") for n in range(25)))
    lines = desk.run(*INGEST, "u.csv").err.splitlines()
    assert len(lines) == 20 + 2
    assert lines[-2] == "and 5 more orgs without an account"
    assert lines[-1].startswith("orgs without an account: 25; nothing was written")


NEW = ("--layout", "plans.toml", "--new-orgs")


def test_a_new_org_has_the_default_plan_from_the_period_of_its_earliest_event(
    desk: NearDesk,
) -> None:
    zone = 'timezone = "Europe/Paris"\n' + (desk.folder / "plans.toml").read_text()
    desk.write("plans.toml", zone)
    rows = [row("new", at="2024-03-10T00:00:00Z"), row("new", at="2024-01-31T23:30:00Z")]
    desk.usage("u.csv", *rows, row())
    assert desk.run(*INGEST, "u.csv", *NEW) == (
        0,
        "b.db: new: a new account: plan p from 2024-02-01\nb.db: rows: 3, new events: 3\n",
        "",
    )
    with SqliteRepository.read_only(desk.folder / "b.db") as repository:
        account = repository.account("new")
    assert account is not None
    assert (account.plan, account.since.isoformat()) == ("p", "2024-01-31T23:00:00+00:00")
    assert account.cycle.timezone == "Europe/Paris"


def test_of_many_new_accounts_twenty_are_named(desk: NearDesk) -> None:
    desk.usage("u.csv", *(row(f"new-{n:02}") for n in range(25)))
    lines = desk.done(*INGEST, "u.csv", *NEW).splitlines()
    assert lines[0] == "b.db: new-00: a new account: plan p from 2024-02-01"
    assert lines[20:] == ["b.db: and 5 more new accounts", "b.db: rows: 25, new events: 25"]


def test_a_row_of_a_new_org_that_cannot_be_counted_is_named(desk: NearDesk) -> None:
    desk.usage("u.csv", row(), row("new").replace("tokens", "words"))
    status, out, err = desk.run(*INGEST, "u.csv", *NEW)
    assert (status, out) == (1, "")
    assert err.startswith("u.csv:3: new: metric: 'words' is not in plan 'p'")
    assert used(desk) == {}


@pytest.mark.parametrize("options", [["--new-orgs"], NEW])
def test_a_default_plan_is_needed_for_new_orgs(desk: NearDesk, options: Sequence[str]) -> None:
    plans = (desk.folder / "plans.toml").read_text()
    desk.write("plans.toml", plans.replace('default_plan = "p"', ""))
    desk.usage("u.csv", row("new"))
    assert desk.run(*INGEST, "u.csv", *options) == (
        1,
        "",
        "--new-orgs: needs a default_plan in the file of --layout\n",
    )
    assert desk.run("close", "--db", "b.db", "--usage", "u.csv", "--new-orgs") == (
        1,
        "",
        "--new-orgs: needs a default_plan in the file of --plans\n",
    )


def test_a_default_plan_that_was_not_put_is_named(desk: NearDesk) -> None:
    plans = (desk.folder / "plans.toml").read_text().partition("[accounts")[0]
    desk.write("plans.toml", plans.replace('"p"', '"q"').replace("plans.p", "plans.q"))
    desk.usage("u.csv", row("new"), row("new"))
    assert desk.run(*INGEST, "u.csv", *NEW) == (
        1,
        "",
        "--new-orgs: default_plan: must be a plan that was put: p, got 'q'\n",
    )


def test_a_new_account_is_told_with_one_that_its_name_resembles(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.usage("u.csv", row("acne"))
    line = "b.db: acne: a new account: plan p from 2024-02-01"
    told = desk.done(*INGEST, "u.csv", *NEW, "--dry-run")
    assert f"{line} (did you mean 'acme'?)\n" in told
    monkeypatch.setattr(newcomers, "_MOST_NEAR", 1)  # too many to look through
    assert f"{line}\n" in desk.done(*INGEST, "u.csv", *NEW)


# Batches that resemble others


def test_the_rows_of_another_batch_are_refused_unless_this_one_is_named(desk: NearDesk) -> None:
    for name in ("u.csv", "v.csv"):
        desk.usage(name, row())
    desk.done(*INGEST, "u.csv")
    assert desk.run(*INGEST, "v.csv") == (
        1,
        "",
        "v.csv: its rows are there as rows of the batch 'u.csv', and would count twice: leave it"
        " out, or, if they are others, give it a --name; nothing was written\n",
    )
    assert desk.run(*INGEST, "v.csv", "--name", "v") == (
        0,
        "b.db: rows: 1, new events: 1\n",
        "v.csv: its rows are there as rows of the batch 'u.csv', and count once more\n",
    )


def test_the_rows_of_another_batch_take_no_ones_place_unless_that_is_said(desk: NearDesk) -> None:
    for quantity, name in enumerate(("u.csv", "v 2.csv")):
        desk.usage(name, row(quantity=quantity))
        desk.done(*INGEST, name)
    desk.usage("v 2.csv", row(quantity=0))
    before = desk.content()
    take = (*INGEST, "v 2.csv", "--replace", "v 2.csv")
    assert desk.run(*take) == (
        1,
        "",
        "v 2.csv: its rows are there as rows of the batch 'u.csv', and would count twice: if they"
        " are others, say so by --name 'v 2.csv'; nothing was written\n",
    )
    assert desk.content() == before
    assert desk.run(*take, "--name", "v 2.csv").out.endswith("rows: 1, new events: 1\n")
    for again in (take, [*INGEST, "v 2.csv"], [*INGEST, "u.csv", "--replace", "u.csv"]):
        assert desk.done(*again) == "b.db: rows: 1, new events: 0\n"


def rows_of(*quantities: int) -> list[str]:
    return [row(quantity=quantity) for quantity in quantities]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ((1, 2, 3, 5), "75 % of its rows are there as rows of the batch 'u.csv'"),  # corrected
        ((1, 2), "its rows are there as rows of the batch 'u.csv'"),  # a part
        (range(1, 21), "it has 100 % of the rows of the batch 'u.csv'"),  # and more
        ((3, 4, 5, 6, 7), "it has 50 % of the rows of the batch 'u.csv'"),
    ],
)
def test_a_file_that_is_half_another_one_or_has_half_of_it_is_refused(
    desk: NearDesk, second: Iterable[int], told: str
) -> None:
    desk.usage("u.csv", *rows_of(1, 2, 3, 4))
    desk.done(*INGEST, "u.csv")
    before = desk.content()["b.db"]
    desk.usage("v.csv", *rows_of(*second))
    status, out, err = desk.run(*INGEST, "v.csv")
    assert (status, out) == (1, "")
    assert err.startswith(f"v.csv: {told}, and would count twice: take it in place of that one")
    assert desk.content()["b.db"] == before
    assert desk.run(*INGEST, "v.csv", "--replace", "u.csv").status == 0
    assert used(desk) == {"acme": sum(second)}


def test_a_few_rows_that_another_batch_has_are_told_and_count(desk: NearDesk) -> None:
    desk.usage("u.csv", *rows_of(*range(100)))
    desk.usage("v.csv", *rows_of(*range(99, 300)))
    desk.done(*INGEST, "u.csv")
    assert desk.run(*INGEST, "v.csv") == (
        0,
        "b.db: rows: 201, new events: 201\n",
        "v.csv: 1 % of its rows are there as rows of the batch 'u.csv', and count once more\n",
    )
    assert desk.run(*INGEST, "v.csv").err == ""


def test_rows_of_many_batches_are_told_with_those_that_have_most(desk: NearDesk) -> None:
    for number, name in enumerate("abcde"):
        desk.usage(f"{name}.csv", *rows_of(*range(10 * number, 11 * number + 1)))
        desk.done(*INGEST, f"{name}.csv")
    desk.usage("f.csv", *rows_of(*range(50)))
    assert desk.run(*INGEST, "f.csv") == (
        1,
        "",
        "f.csv: it has most rows of the batches 'e.csv', 'd.csv', 'c.csv' and 2 more, and would"
        " count twice: give those alone that are new, or, if they are others, give it a --name;"
        " nothing was written\n",
    )


def test_of_a_large_file_some_rows_are_looked_up_whatever_their_order(desk: NearDesk) -> None:
    rows = rows_of(*range(6_000))
    desk.usage("u.csv", *rows[:300])
    desk.usage("v.csv", *rows)
    desk.usage("w.csv", *reversed(rows))
    desk.done(*INGEST, "u.csv")
    messages = [desk.run(*INGEST, name).err.partition(": ")[2] for name in ("v.csv", "w.csv")]
    assert messages[0] == messages[1]
    assert messages[0].startswith("it has about ")
    share, _, rest = messages[0].removeprefix("it has about ").partition(" ")
    assert 80 <= int(share) <= 100  # of 300 rows, by 2,048 of 6,000
    assert rest.startswith("% of the rows of the batch 'u.csv', and would count twice")


def test_a_file_of_new_orgs_is_compared_with_the_other_ones_of_its_command(desk: NearDesk) -> None:
    desk.usage("u.csv", row("new"))
    desk.usage("v.csv", row("new"), row("new", 7))
    told = desk.run(*INGEST, "u.csv", "v.csv", *NEW)
    assert told.err.startswith(
        "v.csv: 50 % of its rows are there as rows of the batch 'u.csv', and"
    )
    assert used(desk) == {}


@pytest.mark.parametrize("late", ["next", "own"])
def test_rows_are_found_wherever_they_count(desk: NearDesk, late: str) -> None:
    closed(desk)
    for name in ("late.csv", "late-2.csv"):
        desk.usage(name, row(quantity=150))
    desk.run(*INGEST, "late.csv", "--late", late)
    assert "batch 'late.csv', and would count twice" in desk.run(*INGEST, "late-2.csv").err


def test_what_a_batch_has_no_more_is_no_copy(desk: NearDesk) -> None:
    desk.usage("u.csv", *rows_of(1, 2))
    desk.done(*INGEST, "u.csv")
    desk.usage("u.csv", *rows_of(2, 3))
    desk.done(*INGEST, "u.csv", "--replace", "u.csv")
    desk.usage("v.csv", *rows_of(1, 4))
    assert desk.run(*INGEST, "v.csv")[::2] == (0, "")
    desk.usage("w.csv", *rows_of(1, 2))  # as u.csv was first
    assert "there as rows of the batches" in desk.run(*INGEST, "w.csv").err


def test_equal_rows_weigh_as_many_as_they_are(desk: NearDesk) -> None:
    desk.usage("u.csv", *(row() for _ in range(99)))
    desk.usage("v.csv", *(row() for _ in range(99)), *rows_of(7, 8))
    desk.usage("w.csv", row(), *rows_of(*range(20, 40)))
    desk.done(*INGEST, "u.csv")
    told = "v.csv: 98 % of its rows are there as rows of the batch 'u.csv', and would count twice"
    assert desk.run(*INGEST, "v.csv").err.startswith(told)
    assert desk.run(*INGEST, "w.csv") == (
        0,
        "b.db: rows: 21, new events: 21\n",
        "w.csv: 4 % of its rows are there as rows of the batch 'u.csv', and count once more\n",
    )


def test_equal_rows_are_found_among_many_that_differ(desk: NearDesk) -> None:
    equal = [row("bolt") for _ in range(3_000)]
    desk.usage("u.csv", *equal)
    desk.usage("v.csv", *rows_of(*range(1, 2_500)), *equal)
    desk.done(*INGEST, "u.csv")
    told = "v.csv: about 54 % of its rows are there as rows of the batch 'u.csv', and would count"
    assert desk.run(*INGEST, "v.csv").err.startswith(told)


def test_a_row_that_was_withdrawn_and_came_again_is_found(desk: NearDesk) -> None:
    desk.usage("u.csv", *rows_of(1, 2))
    desk.usage("other.csv", *rows_of(3))
    desk.usage("v.csv", *rows_of(1, 2))
    desk.done(*INGEST, "u.csv")
    desk.done(*INGEST, "other.csv", "--replace", "u.csv")
    assert desk.run(*INGEST, "u.csv", "--replace", "u.csv").status == 0
    assert "v.csv: its rows are there as rows" in desk.run(*INGEST, "v.csv").err
    assert used(desk) == {"acme": 3}


def test_rows_that_are_all_there_are_to_be_left_out(desk: NearDesk) -> None:
    desk.usage("month.csv", *rows_of(*range(1, 31)))
    desk.usage("day.csv", *rows_of(4))
    desk.done(*INGEST, "month.csv")
    assert desk.run(*INGEST, "day.csv").err == (
        "day.csv: its rows are there as rows of the batch 'month.csv', and would count twice:"
        " leave it out, or, if they are others, give it a --name; nothing was written\n"
    )
    desk.usage("month-2.csv", *rows_of(*range(1, 30)))  # as one of them was wrong
    assert "by --replace month.csv, or, if" in desk.run(*INGEST, "month-2.csv").err


def test_files_of_one_command_are_named_alone(desk: NearDesk) -> None:
    desk.usage("u.csv", *rows_of(1, 2))
    desk.usage("v.csv", *rows_of(1, 2, 3))
    assert desk.run(*INGEST, "u.csv", "v.csv").err == (
        "v.csv: 66 % of its rows are there as rows of the batch 'u.csv', and would count twice:"
        " take it in place of that one by --replace u.csv, or, if they are others, give it alone,"
        " with a --name; nothing was written\n"
    )


def test_rating_has_no_names_for_files(desk: NearDesk) -> None:
    desk.usage("u.csv", *rows_of(1, 2))
    desk.usage("v.csv", *rows_of(1, 2, 3))
    told = desk.run("rate", "--plans", "plans.toml", "--usage", "u.csv", "--usage", "v.csv")
    assert told == (
        1,
        "",
        "v.csv: 66 % of its rows are there as rows of the batch 'u.csv', and would count twice:"
        " leave them out, or write all files as one; nothing was written\n",
    )


def test_rows_with_ids_are_no_copies(desk: NearDesk) -> None:
    desk.usage("u.csv", row())
    desk.usage("v.csv", row(event_id="evt-1"), header=WITH_IDS)
    desk.usage("w.csv", row(quantity=4))
    for name in ("u.csv", "v.csv", "w.csv"):
        assert desk.run(*INGEST, name)[::2] == (0, "")


def test_a_batch_to_replace_that_is_not_there_is_named_with_a_near_one(desk: NearDesk) -> None:
    desk.usage("usage.csv", row())
    desk.done(*INGEST, "usage.csv")
    assert desk.run(*INGEST, "usage.csv", "--replace", "usage.cvs") == (
        3,
        "",
        "usage.csv: there is no batch 'usage.cvs' to replace (did you mean 'usage.csv'?)\n",
    )


# Late usage


def closed(desk: NearDesk) -> None:
    desk.usage("u.csv", row(quantity=100))
    desk.done(*INGEST, "u.csv")
    desk.done("close", "--db", "b.db", "--until", "2024-03-01")


def test_usage_of_a_closed_period_is_kept_and_named_with_what_it_would_add(desk: NearDesk) -> None:
    closed(desk)
    desk.usage("late.csv", row(quantity=50), row("bolt", 5, at="2024-03-05T00:00:00Z"))
    assert desk.run(*INGEST, "late.csv") == (
        5,
        "b.db: rows: 2, new events: 2\n",
        "acme, February 2024, is closed, and comes to something else now: would add 0.50 USD;"
        " overages close --force --org acme corrects it\n",
    )


def test_late_usage_counts_in_the_next_period_by_rule(desk: NearDesk) -> None:
    closed(desk)
    desk.usage("late.csv", row(quantity=150))
    assert desk.run(*INGEST, "late.csv", "--late", "next")[::2] == (0, "")
    desk.done("close", "--db", "b.db", "--until", "2024-04-01")
    assert desk.bills("--period", "2024-03") == {"acme 2024-03-01": "0.50"}


def test_a_replaced_file_of_a_closed_period_waits_for_a_decision(desk: NearDesk) -> None:
    closed(desk)
    desk.usage("u.csv", row("bolt", 300))
    ran = desk.run(*INGEST, "u.csv", "--replace", "u.csv")
    assert ran.status == 5
    assert "bolt, February 2024, is closed" in ran.err
    assert "would add 2.00 USD" in ran.err


def test_a_closed_period_that_cannot_be_worked_out_any_more_is_named(desk: NearDesk) -> None:
    closed(desk)
    desk.usage("late.csv", row(quantity=-500))
    ran = desk.run(*INGEST, "late.csv")
    assert ran.status == 5
    assert ran.err == (
        "acme, February 2024, is closed, and can't be worked out any more: acme, 2024-02-01 to"
        " 2024-03-01 UTC: quantities.tokens: must not be negative, got -400\n"
    )


def test_a_refused_event_that_names_no_field_is_one_of_the_ids(
    desk: NearDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InvalidValue((), "x", "must be another")

    monkeypatch.setattr(UsageIntake, "_require_billable", refuse)
    desk.usage("u.csv", row())
    assert desk.run(*INGEST, "u.csv").err.startswith("u.csv:2: acme: event_id: must be another")
