"""A repository that was opened before a fork is refused in the child, and stays the parent's."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.owed import NOW, PLAN, owed

from overages.adapters.sqlite import MemberView, SqliteOutbox, SqliteRepository, migrate
from overages.errors import StorageError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on as in a child of this process."""
    child = os.getpid() + 1
    monkeypatch.setattr("os.getpid", lambda: child)


def test_every_call_is_refused_in_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = SqliteRepository(tmp_path / "overages.db")
    reader = SqliteRepository.read_only(tmp_path / "overages.db")
    outbox = SqliteOutbox(tmp_path / "overages.db")
    view = MemberView(tmp_path / "overages.db", "org-1")
    host = sqlite3.connect(tmp_path / "host.db")
    host.execute("BEGIN")
    migrate(host)
    joined = SqliteRepository.join(host)
    calls: list[Callable[[], Any]] = [
        lambda: repository.put_plan(PLAN),
        lambda: repository.record(owed(5), created_at=NOW),
        lambda: repository.records("org-1"),
        lambda: list(repository.orgs()),
        lambda: repository.transaction().__enter__(),
        lambda: reader.records("org-1"),
        lambda: outbox.entries("org-1", "stripe", []),
        view.records,
        lambda: view.query("SELECT 1"),
        lambda: joined.records("org-1"),
        lambda: joined.record(owed(5), created_at=NOW),
    ]
    with monkeypatch.context() as child:
        forked(child)
        for call in calls:
            with pytest.raises(StorageError, match="before a fork; open it in each process"):
                call()
        repository.close()  # leaves the parent's open
    assert repository.put_plan(PLAN) == 1
    for opened in (repository, reader, outbox, view, host):
        opened.close()


def in_a_child(work: Callable[[], object]) -> int:
    """Do work in a child of this process, and return its status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # others' threads
def test_a_child_that_opens_its_own_writes_beside_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "overages.db"

    def record_in_the_child() -> None:
        with pytest.raises(StorageError, match="before a fork"):
            repository.record(owed(5), created_at=NOW)
        with SqliteRepository(path) as own:
            own.record(owed(5), created_at=NOW)

    with SqliteRepository(path) as repository:
        repository.record(owed(5, "org-2"), created_at=NOW)
        assert in_a_child(record_in_the_child) == 0
        repository.record(owed(6), created_at=NOW)
    with closing(SqliteRepository(path)) as again:
        assert (len(again.records("org-1")), again.verify()) == (2, 3)
