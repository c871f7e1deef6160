"""Where the faults can be made: on systems with `os.fork` and limits for processes."""

import os

import pytest

from .journals import JOURNALS, use_journal

if not hasattr(os, "fork"):
    collect_ignore_glob = ["test_*"]


@pytest.fixture(params=JOURNALS)
def journal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the rollback journal, and with the write-ahead log."""
    kind = str(request.param)
    use_journal(monkeypatch, kind)
    return kind
