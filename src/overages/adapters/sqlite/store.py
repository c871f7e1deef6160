"""The base of the parts of the SQLite repository: the database, and the block that they work in.

with self._writing():
    self._cursor.execute(...)
"""

from __future__ import annotations

import sqlite3
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import chain
from threading import get_ident
from typing import Any, Final, TypeVar

from overages.adapters.base import BaseRepository
from overages.adapters.sqlite.connection import Database
from overages.adapters.sqlite.failures import our_errors
from overages.codec import Codec

V = TypeVar("V")

IN_PERIOD: Final = "org_id = ? AND billing_period_start = ? AND billing_period_end = ?"
_PAGE: Final = 100  # orgs that are verified together
_ORGS: Final = " UNION ".join(
    f"SELECT org_id FROM org_billing_{table}"
    for table in (
        "chain_heads", "closings", "overages", "usage_monthly", "usage_events", "usage_puts"
    )
) + " ORDER BY org_id"  # fmt: skip
_CHUNK: Final = 500  # parameters of a query; of more, few are asked for again by the same text
_WRITTEN: Final = 2_000  # parameters of an insertion, unless a host allows fewer


class SqliteStore(BaseRepository):
    """Holds a database, and gives a cursor to who reads or writes."""

    _database: Database
    _codec: Codec
    _cursor_of_block: sqlite3.Cursor = None  # type: ignore[assignment]  # outside of any block
    _thread_of_block = 0  # that holds the database

    @property
    @abstractmethod
    def _cursor(self) -> sqlite3.Cursor:
        """The cursor of the block that is being run."""

    def transaction(self) -> AbstractContextManager[object]:
        """Make all calls within the block one: all that they write is kept, or none."""
        return self._writing()

    def _reading(self) -> AbstractContextManager[None]:
        if self._thread_of_block == get_ident() and self._database.is_within:
            return _ReadWithin(self)
        return _Block(self, self._database.reading())

    def _writing(self) -> AbstractContextManager[None]:
        return _Block(self, self._database.writing())

    def _spans(self, org_id: str | None) -> Iterator[tuple[str, Sequence[object]]]:
        """Yield conditions, with their parameters, that take one org, or all orgs some at once."""
        if org_id is not None:
            yield "org_id = ?", (org_id,)
            return
        # All at once, for page by page a damaged index could lead in circles.
        orgs = self._cursor.execute(_ORGS).fetchall()
        last = ""
        for (until,) in orgs[_PAGE - 1 :: _PAGE]:
            yield "org_id > ? AND org_id <= ?", (last, until)
            last = until
        yield "org_id > ?", (last,)


class _Block:
    """A block that holds a cursor; one within it leaves it to the outer one, which goes on."""

    __slots__ = ("_opened", "_outer", "_store")

    def __init__(self, store: SqliteStore, opened: AbstractContextManager[sqlite3.Cursor]) -> None:
        self._store, self._opened = store, opened

    def __enter__(self) -> None:
        store, cursor = self._store, self._opened.__enter__()
        self._outer = store._cursor_of_block, store._thread_of_block
        store._cursor_of_block, store._thread_of_block = cursor, get_ident()

    def __exit__(self, *raised: Any) -> bool | None:
        self._store._cursor_of_block, self._store._thread_of_block = self._outer
        return self._opened.__exit__(*raised)


class _ReadWithin:
    """A read within a block of its own thread: it has the state of that, and a cursor of its own.

    A decision makes twenty of them, in a quarter of the time that as many blocks take.
    """

    __slots__ = ("_outer", "_store")

    def __init__(self, store: SqliteStore) -> None:
        self._store, self._outer = store, store._cursor_of_block

    def __enter__(self) -> None:
        self._store._cursor_of_block = self._store._database.cursor()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._store._cursor_of_block = self._outer
        if isinstance(error, (sqlite3.Error, UnicodeDecodeError)):
            with our_errors():
                raise error


def chunks(values: Sequence[V], width: int = 1) -> Iterator[Sequence[V]]:
    """Yield values in parts that one statement takes as its parameters, some for each value."""
    size = _CHUNK // width
    for start in range(0, len(values), size):
        yield values[start : start + size]


def write_rows(
    cursor: sqlite3.Cursor, insert: str, rows: Sequence[Sequence[object]], otherwise: str = ""
) -> None:
    """Insert rows, of which as many share a statement as can.

    A statement for each row writes each page that it changes to the journal of statements, as the
    tables have triggers: in a block within another one, that takes a third of the time.

    :param insert: the statement up to its values.
    :param otherwise: what is done where a row is there.
    """
    if rows:
        values = [*chain.from_iterable(rows)]
        _write(cursor, insert, len(rows[0]), values, otherwise)


def write_columns(cursor: sqlite3.Cursor, insert: str, columns: Sequence[Sequence[object]]) -> None:
    """Insert rows as `write_rows` does, given column by column: they are put in turn in one go."""
    width = len(columns)
    values: list[object] = [None] * (width * len(columns[0]))
    for place, column in enumerate(columns):
        values[place::width] = column
    _write(cursor, insert, width, values)


def _write(
    cursor: sqlite3.Cursor, insert: str, width: int, values: list[object], otherwise: str = ""
) -> None:
    """Insert the values of rows of a width, one row after another."""
    most = cursor.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
    size = min(_WRITTEN, most) // width * width
    for start in range(0, len(values), size):
        chunk = values[start : start + size]
        cursor.execute(_insertion(insert, width, len(chunk) // width, otherwise), chunk)


@lru_cache
def _insertion(insert: str, width: int, rows: int, otherwise: str) -> str:
    """Return the statement that inserts some rows, made once for each number of them."""
    return f"{insert} {marks(range(rows), f'({marks(range(width))})')} {otherwise}"


def marks(values: Sequence[object], mark: str = "?") -> str:
    """Return a question mark for each value, or several."""
    return ", ".join([mark] * len(values))
