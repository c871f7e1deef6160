"""Repositories that files are applied to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from overages import MemoryRepository, Repository, SqliteRepository


@pytest.fixture(params=["memory", "sqlite"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repository]:
    if request.param == "memory":
        yield MemoryRepository()
        return
    with SqliteRepository(tmp_path / "overages.db") as kept:
        yield kept
