"""Every adapter there is, made new for a test and closed after it.

class TestMemoryRepository(InMemory, RepositoryContract): ...
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal, Protocol

from overages import MemoryRepository, Repository, SqliteRepository
from overages.adapters.sqlite import migrate
from overages.testing.contract.base import APR, FEB, JAN, MAR, OURS, THEIRS
from tests.in_memory import in_memory


class Adapter(Protocol):
    """Makes a repository for a test, and closes it."""

    def make(self) -> Repository: ...
    def close(self, repository: Repository) -> None: ...


class InMemory:
    """The adapter in memory, which threads share."""

    made: MemoryRepository

    def make(self) -> Repository:
        self.made = MemoryRepository()
        return self.made

    def open_again(self) -> AbstractContextManager[Repository]:
        return nullcontext(self.made)

    def close(self, repository: Repository) -> None:
        """Nothing is held."""


class SqliteInMemory:
    """SQLite, without a file: threads share its one connection."""

    made: SqliteRepository

    def make(self) -> Repository:
        self.made = in_memory()
        return self.made

    def open_again(self) -> AbstractContextManager[Repository]:
        return nullcontext(self.made)

    def close(self, repository: Repository) -> None:
        assert isinstance(repository, SqliteRepository)
        repository.close()


class SqliteInAFile(SqliteInMemory):
    """SQLite in a file, whose disk isn't waited for: it takes longest, and no power fails here."""

    folder: TemporaryDirectory[str]

    def make(self) -> Repository:
        self.folder = TemporaryDirectory()
        self._path.write_bytes(_empty_file())
        return self._opened()

    def open_again(self) -> AbstractContextManager[Repository]:
        return self._opened()

    @property
    def _path(self) -> Path:
        return Path(self.folder.name, "overages.db")

    def _opened(self) -> SqliteRepository:
        repository = SqliteRepository(self._path)
        repository._database._connection.execute("PRAGMA synchronous = OFF")
        return repository

    def close(self, repository: Repository) -> None:
        super().close(repository)
        self.folder.cleanup()


class HeldRepository(SqliteRepository):
    """Each call, or transaction, is a block that holds the months of two orgs of the examples."""

    def _reading(self) -> AbstractContextManager[None]:
        if self._is_holding:
            return super()._reading()
        return self._holding(HELD, super()._reading, is_writing=False)

    def _writing(self) -> AbstractContextManager[None]:
        if self._is_holding:
            return super()._writing()
        return self._holding(HELD, super()._writing, is_writing=True)


class SqliteHeld(SqliteInMemory):
    """SQLite, read and written through what blocks hold."""

    def make(self) -> Repository:
        self.made = in_memory(HeldRepository)
        return self.made


class SqliteJoined:
    """SQLite within the transactions of a host's connection."""

    isolation_level: Literal["DEFERRED"] | None = "DEFERRED"
    connection: sqlite3.Connection

    def make(self) -> Repository:
        self.connection = sqlite3.connect(":memory:", isolation_level=self.isolation_level)
        self.connection.row_factory = sqlite3.Row
        self.connection.deserialize(_migrated())
        self.connection.execute("BEGIN")
        return SqliteRepository.join(self.connection)

    def close(self, repository: Repository) -> None:
        del repository  # the connection is the host's
        self.connection.close()


class SqliteJoinedByHand(SqliteJoined):
    """The same, where sqlite3 never begins a transaction by itself."""

    isolation_level = None


HELD: Final = dict.fromkeys((OURS, THEIRS), (JAN, FEB, MAR, APR))
ADAPTERS: Final[list[type[Adapter]]] = [
    InMemory,
    SqliteInMemory,
    SqliteInAFile,
    SqliteHeld,
    SqliteJoined,
    SqliteJoinedByHand,
]


# Tables are made once: their making is what would take longest in each test.


@cache
def _empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "empty.db")
        SqliteRepository(path).close()
        return path.read_bytes()


@cache
def _migrated() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("BEGIN")
        migrate(connection)
        connection.commit()
        return connection.serialize()
