"""Every outbox keeps what the protocol promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from overages._ground.value import evolve
from overages.adapters.outbox import MemoryOutbox
from overages.adapters.sqlite import SqliteOutbox, SqliteRepository
from overages.errors import InvalidType, InvalidValue, StorageBusy, StorageCorrupt, StorageError
from overages.outbox import Outbox, OutboxEntry

NOON = datetime(2024, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def entry(id: str = "a", org_id: str = "org-1", destination: str = "stripe") -> OutboxEntry:
    return OutboxEntry(org_id, destination, id, '{"description":"1 ö 2\\n\'"}', NOON)


@pytest.fixture(params=["memory", "sqlite"])
def outbox(request: pytest.FixtureRequest) -> Iterator[Outbox]:
    if request.param == "memory":
        yield MemoryOutbox()
    else:
        with SqliteOutbox(":memory:") as made:
            yield made


def test_it_is_an_outbox(outbox: Outbox) -> None:
    assert isinstance(outbox, Outbox)


def test_an_entry_is_kept_as_it_is(outbox: Outbox) -> None:
    assert outbox.add([entry("a"), entry("b")]) == {"a", "b"}
    assert outbox.entries("org-1", "stripe", ["a", "b", "c"]) == {"a": entry("a"), "b": entry("b")}


def test_an_entry_that_is_there_stays_as_it_is(outbox: Outbox) -> None:
    outbox.add([entry("a")])
    assert outbox.add([evolve(entry("a"), request="other"), entry("b")]) == {"b"}
    assert outbox.entries("org-1", "stripe", ["a"]) == {"a": entry("a")}


def test_an_entry_that_is_given_twice_is_kept_once(outbox: Outbox) -> None:
    assert outbox.add([entry("a"), entry("a")]) == {"a"}
    assert outbox.entries("org-1", "stripe", ["a"]) == {"a": entry("a")}


def test_orgs_and_destinations_never_meet(outbox: Outbox) -> None:
    mine, theirs, elsewhere = entry(), entry(org_id="org-2"), entry(destination="test")
    outbox.add([mine])
    assert outbox.entries("org-2", "stripe", ["a"]) == {}
    assert outbox.entries("org-1", "test", ["a"]) == {}
    outbox.add([theirs, elsewhere])
    assert outbox.swap(mine, mine.delivered("ii_1"))
    assert outbox.entries("org-2", "stripe", ["a"]) == {"a": theirs}
    assert outbox.entries("org-1", "test", ["a"]) == {"a": elsewhere}


def test_a_state_takes_the_place_of_the_one_that_was_read_once(outbox: Outbox) -> None:
    outbox.add([entry()])
    first, second = entry().failed(), entry().delivered("ii_1")
    assert outbox.swap(entry(), first)
    assert not outbox.swap(entry(), second)
    assert outbox.entries("org-1", "stripe", ["a"]) == {"a": first}
    renewed = first.renewed("{}", NOON + timedelta(days=1))
    assert outbox.swap(first, renewed)
    assert not outbox.swap(first, second)
    assert outbox.swap(renewed, renewed.delivered("ii_2"))
    assert outbox.entries("org-1", "stripe", ["a"]) == {"a": renewed.delivered("ii_2")}


def test_an_entry_that_is_not_there_can_not_change(outbox: Outbox) -> None:
    assert not outbox.swap(entry(), entry().failed())
    assert outbox.entries("org-1", "stripe", ["a"]) == {}


def test_what_is_delivered_can_not_change(outbox: Outbox) -> None:
    outbox.add([entry()])
    delivered = entry().delivered("ii_1")
    outbox.swap(entry(), delivered)
    with pytest.raises(InvalidValue, match="can't change any more"):
        outbox.swap(delivered, entry())


def test_more_entries_than_a_statement_has_parameters(outbox: Outbox) -> None:
    ids = [f"id-{i}" for i in range(1200)]
    assert outbox.add(map(entry, ids)) == frozenset(ids)
    assert sorted(outbox.entries("org-1", "stripe", ids)) == sorted(ids)


def test_what_is_no_entry_is_refused_before_anything_is_kept(outbox: Outbox) -> None:
    wrong: Any = [entry(), "entry"]
    with pytest.raises(InvalidType, match=r"^entries\[1\]: must be of type OutboxEntry"):
        outbox.add(wrong)
    assert outbox.entries("org-1", "stripe", ["a"]) == {}
    with pytest.raises(InvalidValue, match="org_id: must not be empty"):
        outbox.entries("", "stripe", [])


def test_a_file_has_records_and_outbox_and_keeps_both(tmp_path: Path) -> None:
    path = tmp_path / "overages.db"
    with SqliteRepository(path), SqliteOutbox(path) as outbox:
        outbox.add([entry()])
    with SqliteOutbox(path) as outbox:
        assert outbox.entries("org-1", "stripe", ["a"]) == {"a": entry()}


def test_a_write_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "overages.db"
    with SqliteOutbox(path, timeout=0) as outbox, SqliteRepository(path) as repository:
        outbox.add([entry()])
        with repository.transaction(), pytest.raises(StorageBusy):
            outbox.swap(entry(), entry().failed())
        assert outbox.swap(entry(), entry().failed())


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM org_billing_outbox",
        "UPDATE org_billing_outbox SET state = 'open', reference = NULL WHERE id = 'a'",
        "UPDATE org_billing_outbox SET id = 'c' WHERE id = 'b'",
        "UPDATE org_billing_outbox SET org_id = 'org-2' WHERE id = 'b'",
        "UPDATE org_billing_outbox SET destination = 'test' WHERE id = 'b'",
        "REPLACE INTO org_billing_outbox SELECT * FROM org_billing_outbox",
    ],
)
def test_the_table_refuses_what_would_have_something_sent_twice(sql: str) -> None:
    with SqliteOutbox(":memory:") as outbox:
        outbox.add([entry("a"), entry("b")])
        outbox.swap(entry("a"), entry("a").delivered("ii_1"))
        with pytest.raises(StorageError), outbox._database.writing() as cursor:
            cursor.execute(sql)
        found = outbox.entries("org-1", "stripe", ["a", "b"])
        assert found == {"a": entry("a").delivered("ii_1"), "b": entry("b")}


def test_a_row_that_no_entry_can_be_made_of_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "overages.db"
    with SqliteOutbox(path) as outbox:
        outbox.add([entry()])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE org_billing_outbox SET state = 'lost'")
    connection.commit()
    connection.close()
    with SqliteOutbox(path) as outbox, pytest.raises(StorageCorrupt, match="state: must be one of"):
        outbox.entries("org-1", "stripe", ["a"])
