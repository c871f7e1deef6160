"""Every adapter keeps the contract of repositories."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from overages.adapters.memory import MemoryRepository
from overages.adapters.sqlite import SqliteRepository, migrate
from overages.repository import Repository
from overages.testing.contract import RepositoryContract


class TestMemoryRepository(RepositoryContract):
    def make(self) -> Repository:
        return MemoryRepository()


class SqliteContract(RepositoryContract):
    def close(self, repository: Repository) -> None:
        assert isinstance(repository, SqliteRepository)
        repository.close()


class TestSqliteRepositoryInMemory(SqliteContract):
    def make(self) -> Repository:
        return SqliteRepository(":memory:")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was just made."""
    path = tmp_path_factory.mktemp("contract") / "empty.db"
    SqliteRepository(path).close()
    return path


class TestSqliteRepositoryInAFile(SqliteContract):
    path: Path

    @pytest.fixture(autouse=True)
    def _file(self, empty: Path) -> None:
        self.path = empty.with_name("overages.db")
        shutil.copy(empty, self.path)

    def make(self) -> Repository:
        repository = SqliteRepository(self.path)
        # No power fails here, and waiting for the disk takes longer than all else.
        repository._database._connection.execute("PRAGMA synchronous = OFF")
        return repository


@pytest.fixture(scope="module")
def migrated() -> bytes:
    """A host's database with our tables: their making is what would take longest in each test."""
    with closing(sqlite3.connect(":memory:")) as connection:
        migrate(connection)
        return connection.serialize()


class TestSqliteRepositoryInTheHostsTransactions(RepositoryContract):
    isolation_level: Literal["DEFERRED"] | None = "DEFERRED"
    connection: sqlite3.Connection
    tables: bytes

    @pytest.fixture(autouse=True)
    def _tables(self, migrated: bytes) -> None:
        self.tables = migrated

    def make(self) -> Repository:
        self.connection = sqlite3.connect(":memory:", isolation_level=self.isolation_level)
        self.connection.row_factory = sqlite3.Row
        self.connection.deserialize(self.tables)
        return SqliteRepository.join(self.connection)

    def close(self, repository: Repository) -> None:
        del repository  # the connection is the host's
        self.connection.close()


class TestSqliteRepositoryWithAHostThatBeginsByItself(TestSqliteRepositoryInTheHostsTransactions):
    isolation_level = None


def test_no_test_of_the_contract_hides_another() -> None:
    names = [name for part in RepositoryContract.__mro__ for name in vars(part) if "test_" in name]
    assert len(names) == len(set(names)) > 150


def test_a_contract_without_a_repository_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="RepositoryContract must say how to make a repo"):
        RepositoryContract().make()
