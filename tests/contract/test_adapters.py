"""Every adapter keeps the contract of repositories."""

import pytest

from overages.testing.contract import RepositoryContract

from .adapters import (
    InMemory,
    SqliteHeld,
    SqliteInAFile,
    SqliteInMemory,
    SqliteJoined,
    SqliteJoinedByHand,
)


class TestInMemory(InMemory, RepositoryContract): ...


class TestSqliteInMemory(SqliteInMemory, RepositoryContract): ...


class TestSqliteInAFile(SqliteInAFile, RepositoryContract): ...


class TestSqliteHeld(SqliteHeld, RepositoryContract): ...


class TestSqliteJoined(SqliteJoined, RepositoryContract): ...


class TestSqliteJoinedByHand(SqliteJoinedByHand, RepositoryContract): ...


def test_no_test_of_the_contract_hides_another() -> None:
    names = [name for part in RepositoryContract.__mro__ for name in vars(part) if "test_" in name]
    assert len(names) == len(set(names)) > 150


def test_a_contract_without_a_repository_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="RepositoryContract must say how to make a repo"):
        RepositoryContract().make()
