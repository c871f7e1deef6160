"""Which journal the repositories of a test use, whatever the SQLite here would be given."""

from __future__ import annotations

from typing import Final

import pytest

from overages.adapters.sqlite import connection

JOURNALS: Final = ("delete", "wal")


def use_journal(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let repositories that are opened from now on use one kind of journal.

    An old library has its fault only where connections write at the same time.
    """
    monkeypatch.setattr(connection, "wal_is_safe", lambda version: bool(version) and kind == "wal")
