"""A database that shows a guest something: queries of unknown origin, bounded and checked.

database = GuestDatabase.open_read_only(path, timeout=5)
database.restrict(authorizer)
database.query("SELECT 1", (), Bounds(seconds=2, rows=10_000, size=2**24))
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from sys import getsizeof
from time import monotonic
from typing import Any, Final, NamedTuple

from overages._ground.parsing import each, instance_of, parse_all
from overages.adapters.sqlite.connection import Database
from overages.adapters.sqlite.failures import our_errors
from overages.errors import (
    Field,
    InvalidType,
    InvalidValue,
    QueryTooLarge,
    QueryTooSlow,
    StorageCorrupt,
    StorageError,
)

_LOOK: Final = 100  # instructions of SQLite between two looks at the clock
_LIMITS: Final = {  # so that no single instruction takes long, and no single row much room
    sqlite3.SQLITE_LIMIT_LENGTH: 2**16,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 2**16,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
}


class Bounds(NamedTuple):
    """The most that a query may take: seconds, rows, and bytes of memory for their values."""

    seconds: int
    rows: int
    size: int


class GuestDatabase(Database):
    """A connection on which an authorizer and bounds stand before every query."""

    def restrict(self, authorizer: Callable[..., int]) -> None:
        """Have SQLite ask about all that statements would do, and bound the texts they make."""
        self._connection.set_authorizer(authorizer)
        for category, most in _LIMITS.items():
            self._connection.setlimit(category, most)

    @contextmanager
    def time_limit(self, seconds: int) -> Iterator[None]:
        """Stop SQLite within the block, once it has taken longer.

        :raises QueryTooSlow: if it has.
        """
        self._require_usable()
        with self._lock:
            end = monotonic() + seconds
            self._connection.set_progress_handler(lambda: monotonic() > end, _LOOK)
            try:
                yield
            except StorageError as error:
                if getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                    raise
                raise QueryTooSlow(f"the query took longer than {seconds} s") from None
            finally:
                self._connection.set_progress_handler(None, 0)

    def query(self, sql: object, parameters: object, bounds: Bounds) -> list[tuple[Any, ...]]:
        """Return the rows of a query that a stranger wrote, fetched one by one.

        :raises InvalidType: for SQL or a parameter of a type that SQLite doesn't take.
        :raises InvalidValue: for a text that is no UTF-8, or an int of more than 64 bits.
        :raises QueryTooSlow: if it takes longer than it may.
        :raises QueryTooLarge: if its rows are more, or take more room, than they may.
        """
        text, values = parse_all(
            (_parse_text, sql, "sql"), (each(_parse_parameter), parameters, "parameters")
        )
        try:
            with self.time_limit(bounds.seconds), our_errors(), self._cursor_of_a_block() as cursor:
                return _bounded(cursor.execute(text, values), bounds)
        except StorageCorrupt as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) is not None:
                raise
            # The query can have made it of bytes, as CAST does: the database need not be damaged.
            raise StorageError("the query's result has a text that is no UTF-8") from None


def _bounded(rows: Iterable[tuple[Any, ...]], bounds: Bounds) -> list[tuple[Any, ...]]:
    fetched: list[tuple[Any, ...]] = []
    size = 0
    for row in rows:
        size += getsizeof(row) + sum(map(getsizeof, row))
        if len(fetched) == bounds.rows:
            raise QueryTooLarge(f"the query has more than {bounds.rows:,} rows")
        if size > bounds.size:
            raise QueryTooLarge(f"the query's rows take more than {bounds.size:,} bytes")
        fetched.append(row)
    return fetched


def _parse_text(value: object, field: Field) -> str:
    text: str = instance_of(str)(value, field)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        raise InvalidValue(field, value, "must be UTF-8") from None
    return text


def _parse_parameter(value: object, field: Field) -> object:
    if isinstance(value, str):
        return _parse_text(value, field)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidValue(field, value, "must have at most 64 bits")
    if value is not None and not isinstance(value, (bytes, float, int)):
        raise InvalidType(field, value, "must be a text, a number, bytes or None")
    return value
