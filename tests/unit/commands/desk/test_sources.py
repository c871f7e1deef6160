"""Databases that commands read from."""

from pathlib import Path

import pytest

from overages import Metric, SqliteRepository
from overages.commands.desk.outcome import NOTHING, Stop
from overages.commands.desk.sources import to_read
from overages.errors import StorageError


def test_a_database_that_is_not_there_is_said_and_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "b.db"
    with pytest.raises(Stop) as caught:
        to_read(path)
    assert caught.value.status == NOTHING
    assert capsys.readouterr().err == f"{path}: there is no such file\n"
    assert not path.exists()


def test_a_database_is_only_read(tmp_path: Path) -> None:
    SqliteRepository(tmp_path / "b.db").close()
    with to_read(tmp_path / "b.db") as repository, pytest.raises(StorageError):
        repository.put_metrics([Metric("m")])
