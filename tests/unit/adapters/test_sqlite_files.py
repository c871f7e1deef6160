"""A repository on a file: opened, opened to read alone, refused."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.owed import FEB, NOW, owed
from tests.since import SINCE

from overages import (
    Account,
    Plan,
    Usage,
    UsageEvent,
)
from overages.adapters.sqlite import MemberView, SqliteOutbox, SqliteRepository
from overages.adapters.sqlite.schema import APPLICATION_ID
from overages.errors import (
    ForeignDatabase,
    InvalidType,
    InvalidValue,
    StorageBusy,
    StorageError,
    StorageReadOnly,
)
from overages.testing.contract.base import close


class TestFile:
    def test_what_was_written_is_there_when_the_file_is_opened_again(self, path: Path) -> None:
        with SqliteRepository(path) as repository:
            records = repository.record(owed(5), created_at=NOW).records
        with SqliteRepository(str(path)) as repository:
            assert repository.records("org-1") == records

    def test_the_file_is_marked_as_ours(self, path: Path) -> None:
        SqliteRepository(path).close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        connection.close()

    def test_a_database_of_someone_else_is_left_alone(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE theirs (number)")
        connection.commit()
        before = path.read_bytes()
        with pytest.raises(ForeignDatabase, match=r"is someone else's"):
            SqliteRepository(path)
        assert path.read_bytes() == before
        connection.close()

    def test_a_closed_repository_says_that_it_cannot(self, path: Path) -> None:
        repository = SqliteRepository(path)
        repository.close()
        repository.close()
        with pytest.raises(StorageError):
            repository.records("org-1")
        with pytest.raises(StorageError):
            repository.record(owed(5), created_at=NOW)

    def test_a_write_that_another_connection_keeps_waiting_says_so(self, path: Path) -> None:
        with SqliteRepository(path, timeout=0) as ours, SqliteRepository(path, timeout=0) as other:
            with other.transaction():
                other.record(owed(5), created_at=NOW)
                with pytest.raises(StorageBusy):
                    ours.record(owed(5, "org-2"), created_at=NOW)
            ours.record(owed(5, "org-2"), created_at=NOW)
            assert ours.verify() == 2

    def test_two_repositories_on_a_file_see_each_others_writes(self, path: Path) -> None:
        with SqliteRepository(path) as ours, SqliteRepository(path) as other:
            for n in range(1, 6):
                writer, reader = (ours, other) if n % 2 else (other, ours)
                writer.record(owed(n), created_at=NOW)
                assert reader.verify() == n


WRITES: dict[str, Callable[[SqliteRepository], object]] = {
    "put_plan": lambda r: r.put_plan(Plan("scale", "USD", {})),
    "put_account": lambda r: r.put_account(Account("org-2", "starter", since=SINCE)),
    "add_events": lambda r: r.add_events([UsageEvent("org-1", "a", 1, NOW)]),
    "put_usage": lambda r: r.put_usage(Usage("org-1", FEB, {"tokens": 1})),
    "record": lambda r: r.record(owed(6), created_at=NOW),
    "close_period": lambda r: close(r, owed(5)),
}


class TestReadOnly:
    @pytest.fixture
    def repository(self, path: Path) -> Iterator[SqliteRepository]:
        with SqliteRepository(path) as writer:
            writer.put_account(Account("org-1", "starter", since=SINCE))
            writer.record(owed(5), created_at=NOW)
        with SqliteRepository.read_only(path) as reader:
            yield reader

    def test_everything_can_be_read(self, repository: SqliteRepository) -> None:
        assert list(repository.orgs()) == ["org-1"]
        assert (len(repository.records("org-1")), repository.verify()) == (1, 1)
        assert repository.summary("org-1", FEB) == owed(5).summary()

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
    def test_nothing_can_be_written(
        self, repository: SqliteRepository, write: Callable[[SqliteRepository], object]
    ) -> None:
        with pytest.raises(StorageReadOnly):
            write(repository)
        assert repository.verify() == 1

    def test_a_file_that_is_not_there_is_not_made(self, path: Path) -> None:
        with pytest.raises(StorageError):
            SqliteRepository.read_only(path)
        assert not path.exists()

    def test_an_empty_file_is_not_made_ready(self, path: Path) -> None:
        path.touch()
        with pytest.raises(StorageError, match=r"is empty; `overages migrate` makes it ready"):
            SqliteRepository.read_only(path)
        assert path.read_bytes() == b""


@pytest.mark.parametrize(
    "opened",
    [
        SqliteRepository,
        SqliteRepository.read_only,
        lambda path: MemberView(path, "org-1"),
        SqliteOutbox,
    ],
    ids=["repository", "read only", "view", "outbox"],
)
class TestPaths:
    @pytest.mark.parametrize("path", ["", "a\0b", Path("a\0b")], ids=repr)
    def test_a_path_that_names_no_file_is_refused(
        self, opened: Any, path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("a").touch()  # which SQLite would open for a path that it cuts at the NUL
        with pytest.raises(InvalidValue, match=r"^path: must name a file, got "):
            opened(path)

    @pytest.mark.parametrize("path", [None, 5, b"a", "\ud800"], ids=repr)
    def test_what_is_no_path_is_refused(self, opened: Any, path: Any) -> None:
        with pytest.raises(InvalidType, match=r"^path: must be a path, as a str or a Path, got "):
            opened(path)
