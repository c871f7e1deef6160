"""A disk that is full, or fails, at any write: nothing is half there, and later all goes on."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from overages.adapters.sqlite import SqliteRepository
from overages.errors import StorageError, StorageFull

from .bills import NOW, Contents, contents, fill, statements
from .children import result
from .effort import THOROUGH, times

ORGS = 40  # their records take many pages
STEP = times(16_384, 1024)  # SQLite writes pages, but for the headers of its journals


def record_more(repository: SqliteRepository) -> int:
    """Record a changed statement for each org; return how many records that adds."""
    made = repository.record_many(statements(ORGS, level=5), created_at=NOW)
    return sum(len(recording.new) for recording in made)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "bills.db"
    fill(found, ORGS)
    return found


def full_after(path: Path, wanted: Path) -> Contents:
    """Return what a copy of a database has when the same was recorded without a fault."""
    shutil.copy(path, wanted)
    with SqliteRepository(wanted) as repository:
        record_more(repository)
    return contents(wanted)


def test_a_database_that_may_not_grow_is_full_and_usable_when_it_may_again(path: Path) -> None:
    before, after = contents(path), full_after(path, path.with_name("wanted.db"))
    with SqliteRepository(path) as repository:
        connection = repository._database._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        refused = 0
        for allowed in range(pages, 10 * pages):
            connection.execute(f"PRAGMA max_page_count = {allowed}")
            try:
                record_more(repository)
            except StorageFull:
                refused += 1
                assert not connection.in_transaction
                assert contents(path) == before
                assert repository.verify() == 2 * 3 * ORGS
            else:
                break
        assert refused > 5
        assert repository.verify() == 3 * 3 * ORGS
    assert contents(path) == after


def failing_from(limit: int, path: Path) -> tuple[str, bool]:
    """Record while no byte of a file can be written from `limit` on; then once more, without.

    Return how the first attempt ended, and whether it left a transaction open.
    """
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    with SqliteRepository(path) as repository:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, usual[1]))
        try:
            record_more(repository)
        except StorageError as error:
            ended = type(error).__name__
        else:
            ended = "recorded"
        is_open = repository._database._connection.in_transaction
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        assert repository.verify() in (2 * 3 * ORGS, 3 * 3 * ORGS)
        return ended, is_open


def test_a_write_that_fails_at_any_place_of_the_file_or_its_journal_leaves_nothing(
    path: Path, journal: str
) -> None:
    before, after = contents(path), full_after(path, path.with_name("wanted.db"))
    copy = path.with_name(f"{journal}.db")
    failed = 0
    for limit in range(0, 4 * path.stat().st_size, STEP):
        shutil.copy(path, copy)
        ended, is_open = result(partial(failing_from, limit, copy))
        assert not is_open
        assert contents(copy) == (after if ended == "recorded" else before)
        with SqliteRepository(copy) as repository:
            record_more(repository)
            assert record_more(repository) == 0
        assert contents(copy) == after
        failed += ended != "recorded"
        if ended == "recorded":
            break
    assert failed * STEP >= path.stat().st_size / 2


def test_a_database_that_cannot_be_made_for_want_of_room_is_made_later(
    tmp_path: Path, journal: str
) -> None:
    failed = 0
    for limit in range(0, 200_000, STEP):
        path = tmp_path / f"{journal}-{limit}.db"
        ended = result(partial(making, limit, path))
        with SqliteRepository(path) as repository:
            assert repository.verify() == 0
            assert record_more(repository) == 3 * ORGS
        failed += ended != "made"
        if ended == "made" and not THOROUGH:
            break
    assert failed > 2


def making(limit: int, path: Path) -> str:
    """Open a new database while no file can grow beyond `limit`, and return how that ended."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, usual[1]))
    try:
        SqliteRepository(path).close()
    except StorageError as error:
        return type(error).__name__
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    return "made"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 430 kilobytes, where the user may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=430k", "tmpfs", str(place)]
    may = os.geteuid() == 0 and shutil.which("mount") is not None
    if not may or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can't be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("journal")
def test_a_disk_without_room_is_full_and_usable_when_it_has_some(small_disk: Path) -> None:
    path, ballast = small_disk / "bills.db", small_disk / "ballast"
    fill(path, orgs=20)
    before = contents(path)
    with SqliteRepository(path) as repository:
        fill_up(ballast)
        with pytest.raises(StorageFull):
            record_more(repository)
        assert not repository._database._connection.in_transaction
        assert repository.verify() == 2 * 3 * 20
        ballast.unlink()
        assert contents(path) == before
        repository.record_many(statements(20, level=5), created_at=NOW)
        assert repository.verify() == 3 * 3 * 20


def fill_up(ballast: Path) -> None:
    """Take all room that a disk has left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 512)
        except OSError:
            return
