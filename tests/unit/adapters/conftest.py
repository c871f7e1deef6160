"""Databases of a host's, which have our tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from overages.adapters.sqlite import migrate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "host.db"


@pytest.fixture(params=["DEFERRED", None], ids=["usual", "autocommit"])
def host(path: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    """Yield the connection of a host that has a table of its own, and ours."""
    connection = sqlite3.connect(path, isolation_level=request.param)
    connection.execute("CREATE TABLE invoices (number INTEGER)")
    connection.execute("BEGIN")
    migrate(connection)
    connection.commit()
    yield connection
    connection.close()


@pytest.fixture
def in_memory() -> Iterator[sqlite3.Connection]:
    """Yield the connection of a host to a database in memory, within a transaction."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("BEGIN")
        migrate(connection)
        yield connection
