"""The SQLite repository: opened on a file, or joined to a connection of the host's.

repository = SqliteRepository("overages.db")
"""

from __future__ import annotations

import sqlite3
from os import PathLike

from overages._ground.parsing import instance_of, parse_flag
from overages.adapters.sqlite.connection import Database
from overages.adapters.sqlite.held import HeldTables
from overages.adapters.sqlite.migrating import migrate_file_back, sql_for
from overages.codec import STANDARD, Codec


class SqliteRepository(HeldTables):
    """Keeps plans, accounts, usage, grants and records in a SQLite database.

    :param path: the file; it is made if there is none, and brought up to date if an older release
        made it. It may be the host's own database, once `migrate` has made our tables in it.
        ``":memory:"`` is a database that goes with the object.
    :param codec: the codec that stores plans; one that knows the host's own price models, if it has
        any.
    :param timeout: seconds to wait for another connection's write, before `StorageBusy`.
    :raises InvalidValue: if the path is empty.
    :raises ForeignDatabase: if the file is someone else's database.
    :raises SchemaTooNew: if a newer release made it.
    :raises StorageCorrupt: if it is damaged, or no database.

    >>> from datetime import UTC, datetime
    >>> from overages import Account
    >>> with SqliteRepository(":memory:") as repository:
    ...     repository.put_account(Account("org-123", "starter", datetime(2024, 2, 1, tzinfo=UTC)))
    ...     print(*repository.orgs())
    org-123
    """

    def __init__(
        self, path: str | PathLike[str], *, codec: Codec | None = None, timeout: int = 5
    ) -> None:
        self._use(Database.open(path, timeout=timeout), codec)

    @classmethod
    def read_only(
        cls, path: str | PathLike[str], *, codec: Codec | None = None, timeout: int = 5
    ) -> SqliteRepository:
        """Return a repository on a file that is there, which refuses every write.

        :raises StorageError: if there is no such file, or its schema is an older one.
        """
        repository = cls.__new__(cls)
        repository._use(Database.open_read_only(path, timeout=timeout), codec)
        return repository

    @classmethod
    def join(
        cls, connection: sqlite3.Connection, *, codec: Codec | None = None
    ) -> SqliteRepository:
        """Return a repository that works on the host's open connection, in its transactions.

        It never begins one nor commits: its writes are kept or lost with the host's own, and each
        of them is refused with `NoTransaction` where none is open, however the connection would
        begin one by itself. Reads need none. Rows, cursors, isolation level and progress handler
        of the connection may be any; its texts are to come as `str`.

        :raises StorageError: if `migrate` hasn't made the tables yet, or the connection has another
            `text_factory`, or a converter of TEXT columns.
        """
        instance_of(sqlite3.Connection)(connection, "connection")
        repository = cls.__new__(cls)
        repository._use(Database.join(connection), codec)
        return repository

    @staticmethod
    def migration_sql(path: str | PathLike[str], *, back: bool = False, timeout: int = 5) -> str:
        """Return the SQL that opening a file would run to bring its schema up to date.

        It is one transaction, in the words of SQLite's own shell. The file, which needn't be there,
        is left as it is.

        :param back: whether it is the SQL of `migrate_back` instead.
        :returns: the text; empty if there is nothing to do.
        :raises ForeignDatabase: if it is someone else's.
        :raises SchemaTooNew: if a newer release made it.

        >>> print(SqliteRepository.migration_sql("new.db").splitlines()[0])
        BEGIN IMMEDIATE;
        """
        return sql_for(path, back=parse_flag(back, "back"), timeout=timeout)

    @staticmethod
    def migrate_back(path: str | PathLike[str], *, timeout: int = 5) -> int:
        """Take the last step of a file's schema back, in one transaction, where no row is lost.

        Opening it with this release brings it up to date again: it is for who goes back to an
        older one.

        :returns: the number of the schema that is left; 0 where no table of ours is.
        :raises SchemaInUse: if something that is recorded would be lost; it names the tables.
        :raises StorageError: if there is no such file, or it has no tables of ours.
        """
        return migrate_file_back(path, timeout=timeout)

    def _use(self, database: Database, codec: Codec | None) -> None:
        self._database = database
        self._codec = codec or STANDARD

    def close(self) -> None:
        """Close the connection, unless it is the host's."""
        self._database.close()

    def __enter__(self) -> SqliteRepository:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
