"""Failures of sqlite3, as errors of the library.

with our_errors(): connection.execute(sql)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from overages.errors import (
    AccessDenied,
    StorageBusy,
    StorageCorrupt,
    StorageError,
    StorageFull,
    StorageReadOnly,
)

_ERRORS: Final = {
    sqlite3.SQLITE_AUTH: AccessDenied,
    sqlite3.SQLITE_BUSY: StorageBusy,
    sqlite3.SQLITE_LOCKED: StorageBusy,
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_READONLY: StorageReadOnly,
    sqlite3.SQLITE_PERM: StorageReadOnly,
    sqlite3.SQLITE_CORRUPT: StorageCorrupt,
    sqlite3.SQLITE_NOTADB: StorageCorrupt,
}


@contextmanager
def our_errors() -> Iterator[None]:
    """Turn errors of sqlite3 within the block into a `StorageError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(error) from error
    except UnicodeDecodeError as error:  # in a message of SQLite's about what is damaged
        raise StorageCorrupt(f"SQLite: {error}") from error


def storage_error(error: sqlite3.Error) -> StorageError:
    """Return our error for one of sqlite3's."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and "decode to UTF-8" in str(error):
        return StorageCorrupt(f"SQLite: {error}")
    kind = StorageError if code is None else _ERRORS.get(code & 0xFF, StorageError)
    return kind(f"SQLite: {error}")
