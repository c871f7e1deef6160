"""A connection to a SQLite database: opened with care, used in transactions, failing in our words.

database = Database.open(path)
with database.writing() as cursor:
    cursor.execute("INSERT ...")                  # kept when the block ends, or not at all
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from os import PathLike
from threading import RLock
from typing import Any, Final, Self

from overages.adapters.sqlite import migrations
from overages.adapters.sqlite.failures import our_errors
from overages.adapters.sqlite.schema import (
    is_hosted,
    make_tables,
    schema_version,
)
from overages.errors import (
    InvalidType,
    InvalidValue,
    NoTransaction,
    StorageBusy,
    StorageError,
    StorageReadOnly,
)

_CACHE: Final = 32 * 1024  # kibibytes: with SQLite's 2,000, many orgs' events take a third longer
_OLDEST: Final = (3, 37, 0)  # the first SQLite with STRICT tables
# One that was begun here would not be the host's to commit: Django outside of atomic() commits
# nothing, and SQLAlchemy's commit() only what it began: both lost what was written, in silence.
_NO_TRANSACTION: Final = (
    "the joined connection has no transaction open, so a write could be lost: write within"
    " atomic() in Django; elsewhere, execute BEGIN IMMEDIATE first"
)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Tell whether a release of SQLite keeps a write-ahead log safe with several connections.

    Before 3.51.3 a checkpoint that met a write could lose it; 3.50.7 and 3.44.6 have the repair.
    """
    return (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )


class Database:
    """One connection, which any number of threads may share.

    :param connection: opened before; nothing is done to it.
    :param joined: whether it is the host's: then nothing is ever begun or committed, a write that
        finds no transaction is refused, and one that fails is taken back alone.
    """

    def __init__(self, connection: sqlite3.Connection, *, joined: bool) -> None:
        self._connection = connection
        self._joined = joined
        self._lock = RLock()
        self._cursors: list[sqlite3.Cursor] = []  # those of the block that is being run
        self._is_writing = False  # whether a block that writes is being run
        self._changes_before = 0  # that this connection had made when the transaction began
        self._process = os.getpid()
        with our_errors():
            sqlite3.Cursor(connection)  # fails early on a connection that is closed
        self._require_usable()

    @classmethod
    def open(cls, path: str | PathLike[str], *, timeout: int) -> Self:
        """Open a database of ours, having made it if there is none, and brought it up to date.

        :param timeout: seconds to wait for another connection's write.
        :raises ForeignDatabase: if it is someone else's.
        :raises SchemaTooNew: if a newer release made it.
        """
        name = _parse_path(path)
        if path != ":memory:":  # "file:x" names a file, too: to SQLite it would be an address
            name = os.path.abspath(name)
            if not os.path.isdir(os.path.dirname(name)):
                raise StorageError("there is no such folder")
        if sqlite3.sqlite_version_info < _OLDEST:
            version = sqlite3.sqlite_version
            raise StorageError(f"SQLite 3.37 or newer is needed, the library here is {version}")
        with our_errors():
            connection = sqlite3.connect(
                name, timeout=timeout, isolation_level=None, check_same_thread=False
            )
        return cls._opened(connection, migrating=True)

    @classmethod
    def open_read_only(cls, path: str | PathLike[str], *, timeout: int) -> Self:
        """Open a database of ours that is there, for reads alone."""
        try:
            return cls._opened(_connect_to(path, "ro", timeout), migrating=False)
        except StorageReadOnly:  # a writer was killed: what it left half done is to be taken back
            with our_errors(), closing(_connect_to(path, "rw", timeout)) as connection:
                connection.execute("SELECT name FROM sqlite_schema").fetchall()
        return cls._opened(_connect_to(path, "ro", timeout), migrating=False)

    @classmethod
    def open_as_it_is(cls, path: str | PathLike[str], *, timeout: int) -> Self:
        """Open a database that is there, whichever schema it has."""
        return cls(_connect_to(path, "rw", timeout), joined=False)

    @classmethod
    def _opened(cls, connection: sqlite3.Connection, *, migrating: bool) -> Self:
        database = cls(connection, joined=False)
        try:
            with database.reading():  # or another connection could make the tables in between
                version = schema_version(connection)
            with our_errors():
                if migrating:
                    _configure(connection)
                    if version < migrations.LATEST:
                        with database.writing():
                            make_tables(connection, mark=not is_hosted(connection))
                elif version < migrations.LATEST:
                    problem = "has an older schema" if version else "is empty"
                    raise StorageError(f"the database {problem}; `overages migrate` makes it ready")
        except BaseException:
            connection.close()
            raise
        return database

    @classmethod
    def join(cls, connection: sqlite3.Connection) -> Self:
        """Work on the host's connection, within its transactions."""
        database = cls(connection, joined=True)
        with our_errors():
            if schema_version(connection, joined=True) < migrations.LATEST:
                raise StorageError("the database has no tables of ours yet; call migrate() first")
        return database

    def close(self) -> None:
        """Close the connection, unless it is the host's, or the process that was forked from."""
        if not self._joined and self._process == os.getpid():
            with self._lock:
                self._connection.close()

    @property
    def is_within(self) -> bool:
        """Whether a transaction is open; asked by the thread of a block that is being run.

        :raises StorageError: if the connection can't be used, as after a fork.
        """
        self._require_usable()
        return self._connection.in_transaction

    @property
    def reads_what_stays(self) -> bool:
        """Whether nothing that the block which is being run reads can be taken back any more.

        A block that reads may have written by blocks within it: its end alone keeps that.
        """
        return not self._joined and self._connection.total_changes == self._changes_before

    def mark(self) -> tuple[int, int]:
        """Return a mark of what the block that is being run sees: another one once that changed."""
        # The first tells what other connections committed, the second what this one wrote.
        ((version,),) = sqlite3.Cursor(self._connection).execute("PRAGMA data_version").fetchall()
        return version, self._connection.total_changes

    def cursor(self) -> sqlite3.Cursor:
        """Return a cursor for the block that is being run.

        It gives plain tuples, whatever the host likes its rows and cursors to be, and is closed
        with the block: one that was not read to its end would keep a lock, and the file open beyond
        `close`.
        """
        cursor = sqlite3.Cursor(self._connection)
        self._cursors.append(cursor)
        return cursor

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Return the rows of one query; it sees one state of the database by itself."""
        self._require_usable()
        with self._lock, our_errors():
            cursor = sqlite3.Cursor(self._connection)
            try:
                return cursor.execute(sql, parameters).fetchall()
            finally:
                cursor.close()

    def reading(self) -> AbstractContextManager[sqlite3.Cursor]:
        """Hold one state of the database for some reads."""
        return self._transaction(writes=False)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Cursor]:
        """Hold the database for reads and writes; keep all of them, or none on an error.

        Within another such block it is a part of that one.
        """
        self._require_usable()
        with self._lock:
            outer = self._is_writing
            if outer and not self._connection.in_transaction:
                raise StorageError("what this is a part of has failed, and was taken back")
            self._is_writing = True
            try:
                with self._transaction(writes=True) as cursor:
                    yield cursor
            finally:
                self._is_writing = outer

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[sqlite3.Cursor]:
        self._require_usable()
        with self._lock, our_errors():
            is_within = self._connection.in_transaction
            if writes and self._joined and not is_within:
                raise NoTransaction(_NO_TRANSACTION)
            if is_within and not writes:  # it has one state already, and nothing to take back
                with self._cursor_of_a_block() as cursor:
                    yield cursor
                return
            if not is_within:
                self._changes_before = self._connection.total_changes
            is_saved = False
            try:  # from here on, as an interrupt may come as soon as the transaction has begun
                if writes and not is_within:
                    self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("SAVEPOINT overages")
                is_saved = True
                with self._cursor_of_a_block() as cursor:
                    yield cursor
                self._end(writes=writes, is_within=is_within)
            except BaseException:
                self._take_back(is_within=is_within, is_saved=is_saved)
                raise

    def _end(self, *, writes: bool, is_within: bool) -> None:
        if writes and not is_within:
            self._connection.execute("COMMIT")
            return
        try:
            self._connection.execute("RELEASE overages")
        except sqlite3.OperationalError as error:
            # A host's progress handler can stop this before or after it is done: the transaction
            # holds what was written either way.
            stopped = error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
            if not (stopped and is_within):
                raise

    def _require_usable(self) -> None:
        """Refuse a connection that isn't this process's, or that gives texts as bytes.

        SQLite can damage a file through a connection that went through a fork; and another thread
        may have held the lock then, which stays held. As for bytes: an event's id would be no id
        that is known, and count again.
        """
        if self._process != os.getpid():
            raise StorageError("the database was opened before a fork; open it in each process")
        factory = self._connection.text_factory
        if factory is not str:
            raise StorageError(f"the connection's text_factory must be str, got {factory!r}")

    def _cursor_of_a_block(self) -> _CursorsOfABlock:
        return _CursorsOfABlock(self)

    def _take_back(self, *, is_within: bool, is_saved: bool) -> None:
        """Leave the connection as it was before a transaction, or a part of one, failed."""
        if not self._connection.in_transaction:
            return  # SQLite has taken all of it back by itself, as it does on a full disk
        if not is_within:
            self._undo("ROLLBACK")
        elif is_saved:
            self._undo("ROLLBACK TO overages")
            self._undo("RELEASE overages")

    def _undo(self, sql: str) -> None:
        try:
            self._connection.execute(sql)
        except sqlite3.OperationalError:
            # A host's progress handler that stops everything stops this too, and half a write
            # would stay: rather does the host lose its handler.
            self._connection.set_progress_handler(None, 0)
            self._connection.execute(sql)


class _CursorsOfABlock:
    """A block with cursors of its own, which are closed as it ends."""

    __slots__ = ("_database", "_outer")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Cursor:
        database, cursor = self._database, sqlite3.Cursor(self._database._connection)
        self._outer, database._cursors = database._cursors, [cursor]
        return cursor

    def __exit__(self, *_: object) -> None:
        for cursor in self._database._cursors:
            cursor.close()
        self._database._cursors = self._outer


def _parse_path(path: object) -> str:
    """Return a path as text; SQLite would keep nothing under an empty one, and cut one at a NUL."""
    try:
        name = os.fspath(path)  # type: ignore[call-overload]
        os.fsencode(name)
    except (TypeError, ValueError):  # no path, or one with half a surrogate pair
        name = None
    if not isinstance(name, str):
        raise InvalidType("path", path, "must be a path, as a str or a Path")
    if not name or "\0" in name:
        raise InvalidValue("path", path, "must name a file")
    return name


def _connect_to(path: str | PathLike[str], mode: str, timeout: int) -> sqlite3.Connection:
    """Connect to a file that is there."""
    from pathlib import Path  # needed to read alone

    name = _parse_path(path)
    if not os.path.exists(name):
        raise StorageError("there is no such file")
    with our_errors():
        return sqlite3.connect(
            f"{Path(name).absolute().as_uri()}?mode={mode}",
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )


def _configure(connection: sqlite3.Connection) -> None:
    """Make writes safe: every commit on the disk, and a journal without known faults."""
    connection.execute("PRAGMA synchronous = EXTRA")  # FULL, and the folder after the journal went
    connection.execute(f"PRAGMA cache_size = -{_CACHE}")
    connection.execute("PRAGMA recursive_triggers = ON")  # or REPLACE would delete without one
    if wal_is_safe(sqlite3.sqlite_version_info):
        with suppress(sqlite3.OperationalError):  # busy: the journal that it has is as safe
            connection.execute("PRAGMA journal_mode = WAL")
    elif connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "wal":
        raise StorageBusy("the database is in use with a write-ahead log, unsafe in this SQLite")
