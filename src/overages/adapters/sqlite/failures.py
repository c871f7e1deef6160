"""Failures of sqlite3, as errors of the library.

with our_errors(): connection.execute(sql)
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
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


class _OurErrors:
    """A block that SQLite is used in; there are several in each read, so it is no generator."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise storage_error(error) from error
        if isinstance(error, UnicodeDecodeError):  # in a message of SQLite's about what is damaged
            raise StorageCorrupt(f"SQLite: {error}") from error


_OUR_ERRORS: Final = _OurErrors()


def our_errors() -> AbstractContextManager[None]:
    """Turn errors of sqlite3 within the block into a `StorageError`."""
    return _OUR_ERRORS


def storage_error(error: sqlite3.Error) -> StorageError:
    """Return our error for one of sqlite3's."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None and "decode to UTF-8" in str(error):
        return StorageCorrupt(f"SQLite: {error}")
    kind = StorageError if code is None else _ERRORS.get(code & 0xFF, StorageError)
    return kind(f"SQLite: {error}")
