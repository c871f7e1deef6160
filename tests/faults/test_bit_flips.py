"""One bit of a record that has flipped: `verify` finds it whenever what is read has changed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from overages import OverageRecord
from overages.adapters.sqlite import SqliteRepository
from overages.errors import OveragesError, RecordsAltered, StorageError, UsageAltered
from overages.records.chain import COLUMNS

from .bills import fill, org_name
from .effort import times

ORGS: Final = 4
IN_COLUMNS: Final = times(50, 2000)
IN_FILES: Final = times(50, 2000)
TABLE: Final = "org_billing_overages"
NAMES: Final = (*COLUMNS, "id")

Read = dict[str, tuple[OverageRecord, ...]]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("flips") / "bills.db"
    fill(found, ORGS)
    with closing(sqlite3.connect(found)) as connection:
        connection.execute(f"DROP TRIGGER {TABLE}_no_update")
        connection.commit()
    return found


def read(repository: SqliteRepository) -> Read:
    """Return all records by org, without those of an org that can't be read."""
    found = {}
    for i in range(ORGS):
        with suppress(StorageError):
            found[org_name(i)] = repository.records(org_name(i))
    return found


def truth(path: Path) -> Read:
    with SqliteRepository(path) as repository:
        return read(repository)


def flipped_bit(data: bytes, bit: int) -> bytes:
    """Return bytes with one bit flipped."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def flip_value(connection: sqlite3.Connection, chance: random.Random) -> tuple[str, int, str]:
    """Flip a bit of one value of one record, and return whose, which and the column."""
    org, sequence = org_name(chance.randrange(ORGS)), chance.randint(1, 6)
    column = chance.choice(NAMES)
    where = f"WHERE org_id = '{org}' AND sequence = {sequence}"
    value = connection.execute(f"SELECT {column} FROM {TABLE} {where}").fetchone()[0]
    if isinstance(value, int):
        new = f"{column} = {value ^ 1 << chance.randrange(62)}"
    elif value is None:
        new = f"{column} = ''"
    else:
        raw = value.encode()
        hexed = flipped_bit(raw, chance.randrange(8 * len(raw))).hex()
        new = f"{column} = CAST(x'{hexed}' AS TEXT)"
    connection.execute(f"UPDATE {TABLE} SET {new} {where}")
    return org, sequence, column


def test_every_bit_that_flips_in_a_value_is_found_and_its_record_named(
    original: Path, tmp_path: Path
) -> None:
    chance = random.Random("columns")
    path = tmp_path / "flipped.db"
    for _ in range(IN_COLUMNS):
        path.write_bytes(original.read_bytes())
        with closing(sqlite3.connect(path)) as connection:
            try:
                org, sequence, column = flip_value(connection, chance)
            except sqlite3.IntegrityError:  # it would be where another record is
                continue
            connection.commit()
        with SqliteRepository(path) as repository:
            with pytest.raises((RecordsAltered, StorageError, UsageAltered)) as found:
                repository.verify()
            error = found.value
            if isinstance(error, RecordsAltered) and column not in ("org_id", "sequence"):
                assert (error.org_id, error.sequence) == (org, sequence), column
            for asked in (org_name(i) for i in range(ORGS) if org_name(i) != org):
                if column != "org_id":
                    assert repository.verify(asked) == 6


def areas(data: bytes, digests: list[tuple[str, str]]) -> list[tuple[int, int]]:
    """Return where each record is in a file: from the header of its row to the row's last byte.

    A row begins with a header of its columns' kinds, then comes the org, and the digest is last.
    """
    found = []
    for org, digest in digests:
        end = max(i for i in occurrences(data, digest.encode()) if org in nearby(data, i))
        start = data.rindex(org.encode(), 0, end)
        found.append((start - 20, end + len(digest)))
    return found


def occurrences(data: bytes, text: bytes) -> list[int]:
    found, at = [], data.find(text)
    while at >= 0:
        found.append(at)
        at = data.find(text, at + 1)
    return found


def nearby(data: bytes, at: int) -> str:
    """Return the part of a row before its digest, whose columns hold instants."""
    before = data[at - 160 : at].decode("latin-1")
    return before if "2024-02-01T" in before else ""


def test_no_bit_that_flips_in_the_file_gives_a_wrong_record_that_verifies(
    original: Path, tmp_path: Path
) -> None:
    chance = random.Random("files")
    expected, data = truth(original), original.read_bytes()
    with closing(sqlite3.connect(original)) as connection:
        digests = connection.execute(f"SELECT org_id, id FROM {TABLE}").fetchall()
    places = areas(data, digests)
    assert len(places) == 6 * ORGS
    path = tmp_path / "flipped.db"
    wrong = 0
    for _ in range(IN_FILES):
        start, end = chance.choice(places)
        path.write_bytes(flipped_bit(data, chance.randrange(8 * start, 8 * end)))
        wrong += is_wrong_and_found(path, expected)
    assert wrong > IN_FILES / 2


def is_wrong_and_found(path: Path, expected: Read) -> bool:
    """Tell whether what is read is not the truth, having checked that `verify` finds that."""
    try:
        with SqliteRepository(path) as repository:
            found = read(repository)
            try:
                repository.verify()
            except (RecordsAltered, StorageError, UsageAltered):
                return found != expected
    except StorageError:  # damaged so that it can't be opened
        return True
    except OveragesError as error:
        raise AssertionError("not an error of storage") from error
    assert found == expected
    return False
