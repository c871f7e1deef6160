"""A task that is retried, or runs twice, records once."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from overages import Period, SqliteRepository, UsageEvent
from overages.errors import StorageBusy

from .bills import IN_FEBRUARY, records_in, service_of, sign_up

celery = pytest.importorskip("celery")
signals = pytest.importorskip("celery.signals")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database with an org that used something."""
    path = tmp_path / "overages.db"
    with SqliteRepository(path) as repository:
        sign_up(repository)
        usage = [UsageEvent("org-1", "tokens", 200, IN_FEBRUARY, "1")]
        service_of(repository).record_usage(usage)
    return path


@pytest.fixture
def app() -> Any:
    app = celery.Celery("billing", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True
    return app


PERIOD = Period.month(2024, 2).isoformat()


def test_a_task_that_meets_a_writer_is_retried_and_records_once(app: Any, path: Path) -> None:
    attempts = []

    @app.task(autoretry_for=[StorageBusy], retry_backoff=True, max_retries=3)  # type: ignore[untyped-decorator]
    def record_period(org_id: str, period: str) -> int:
        attempts.append(org_id)
        with SqliteRepository(path, timeout=0) as repository:
            recording = service_of(repository).recalculate(org_id, period=Period.parse(period))
            assert recording is not None
            return len(recording.new)

    def let_go(**_: object) -> None:
        other.rollback()

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        signals.task_retry.connect(let_go)
        assert record_period.delay("org-1", PERIOD).get() == 1
    assert attempts == ["org-1"] * 2
    assert records_in(path) == 1


def test_a_task_whose_worker_dies_after_the_commit_records_once(app: Any, path: Path) -> None:
    news = []

    @app.task(autoretry_for=[ConnectionError], max_retries=3)  # type: ignore[untyped-decorator]
    def record_period(org_id: str, period: str) -> None:
        with SqliteRepository(path) as repository:
            recording = service_of(repository).recalculate(org_id, period=Period.parse(period))
            assert recording is not None
            news.append(len(recording.new))
        if len(news) == 1:
            raise ConnectionError("before it was acknowledged")

    record_period.delay("org-1", PERIOD).get()
    assert news == [1, 0]
    assert records_in(path) == 1
