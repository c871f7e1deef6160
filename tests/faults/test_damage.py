"""A file that is damaged: it fails loudly, or shows the truth; never a wrong number."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from overages import Summary
from overages.adapters.sqlite import SqliteRepository
from overages.errors import (
    OveragesError,
    RecordsAltered,
    StorageCorrupt,
    StorageError,
    UsageAltered,
)

from .bills import fill, org_name
from .effort import times

ORGS: Final = 30
PAGE: Final = 4096

Damage = Callable[[bytes, random.Random], bytes]
Truth = dict[str, Summary | None]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("damage") / "bills.db"
    fill(path, ORGS)
    return path.read_bytes()


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def cut_to_pages(data: bytes, chance: random.Random) -> bytes:
    return data[: PAGE * chance.randrange(1, len(data) // PAGE)]


def damage_header(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(100)
    return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


def put_page(data: bytes, at: int, page: bytes) -> bytes:
    return data[: PAGE * at] + page + data[PAGE * (at + 1) :]


def overwrite_page(data: bytes, chance: random.Random) -> bytes:
    return put_page(data, chance.randrange(len(data) // PAGE), chance.randbytes(PAGE))


def blank_page(data: bytes, chance: random.Random) -> bytes:
    return put_page(data, chance.randrange(len(data) // PAGE), bytes(PAGE))


def copy_page(data: bytes, chance: random.Random) -> bytes:
    source = PAGE * chance.randrange(1, len(data) // PAGE)
    target = chance.randrange(1, len(data) // PAGE)
    return put_page(data, target, data[source : source + PAGE])


def scribble(data: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(len(data)), chance.randrange(1, 300)
    return data[:at] + chance.randbytes(length) + data[at + length :]


DAMAGES: Final = [
    cut, cut_to_pages, damage_header, overwrite_page, blank_page, copy_page, scribble,
]  # fmt: skip


def read(repository: SqliteRepository) -> Truth:
    """Return the summaries of all orgs that can be read, of all their records."""
    found: Truth = {}
    for org in map(org_name, range(ORGS)):
        with suppress(OveragesError):
            found[org] = repository.summary(org)
            assert len(repository.records(org)) in range(1000)
    return found


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_or_shows_the_truth_or_does_not_verify(
    tmp_path: Path, sound: bytes, damage: Damage
) -> None:
    path = tmp_path / "bills.db"
    path.write_bytes(sound)
    with SqliteRepository(path) as repository:
        truth = read(repository)
    chance = random.Random(damage.__name__)
    loud = 0
    for i in range(times(10, 1000)):
        path = tmp_path / f"{i}.db"
        path.write_bytes(damage(sound, chance))
        try:
            with SqliteRepository(path, timeout=0) as repository:
                found = read(repository)
                repository.verify()
        except (StorageError, RecordsAltered, UsageAltered):
            loud += 1
        else:
            assert found == truth
        path.unlink()
    assert loud > 0


@pytest.mark.parametrize(
    "content",
    [b"org,metric,cost\n" * 100, b"hello", b"\0" * PAGE, b"\xff" * PAGE, b"SQLite format 3"],
    ids=["a text", "a word", "zeros", "ones", "the start of a header"],
)
def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bills.csv"
    path.write_bytes(content)
    for opened in (SqliteRepository, SqliteRepository.read_only):
        with pytest.raises(StorageCorrupt):
            opened(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_records_that_read_as_none_do_not_verify(tmp_path: Path, sound: bytes) -> None:
    """The table's first page is blank, and an index still knows of the records."""
    path = tmp_path / "bills.db"
    path.write_bytes(sound)
    with closing(sqlite3.connect(path)) as connection:
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_schema"))
    full, empty = (PAGE * (roots[f"org_billing_{name}"] - 1) for name in ("overages", "accounts"))
    path.write_bytes(sound[:full] + sound[empty : empty + PAGE] + sound[full + PAGE :])
    with SqliteRepository(path) as repository:
        assert repository.records(org_name(0)) == ()
        with pytest.raises(RecordsAltered, match="org-000: record 1 is missing"):
            repository.verify()


def test_a_file_that_was_cut_off_does_not_verify(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "bills.db"
    path.write_bytes(sound[: len(sound) // 2 // PAGE * PAGE])
    with pytest.raises(StorageCorrupt), SqliteRepository(path) as repository:
        repository.verify()
