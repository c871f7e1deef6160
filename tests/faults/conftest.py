"""Where the faults can be made: on systems with `os.fork` and limits for processes."""

import os
import sqlite3

import pytest

from overages.adapters.sqlite import connection

from .journals import JOURNALS, use_journal

if not hasattr(os, "fork"):
    collect_ignore_glob = ["test_*"]


@pytest.fixture(params=JOURNALS)
def journal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the rollback journal, and with the write-ahead log."""
    kind = str(request.param)
    use_journal(monkeypatch, kind)
    return kind


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commits not wait for the disk: for what is not about how a write is broken off."""
    configure = connection._configure

    def configure_in_haste(database: sqlite3.Connection) -> None:
        configure(database)
        database.execute("PRAGMA synchronous = OFF")

    monkeypatch.setattr(connection, "_configure", configure_in_haste)
