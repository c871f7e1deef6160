"""Migrations: the steps of the schema, run, taken back, or written as SQL for someone to read.

migrate(connection)                               # in a database of the host's
migrate_back(connection)                          # the last step, where no row is lost
print(sql_for("overages.db", timeout=5))          # the steps that opening the file would run
"""

from __future__ import annotations

import os
import sqlite3
from os import PathLike

from overages.adapters.sqlite.connection import Database
from overages.adapters.sqlite.schema import (
    is_hosted,
    make_tables,
    schema_version,
    script,
    take_step_back,
)


def migrate(connection: sqlite3.Connection) -> None:
    """Make the tables in a database of the host's, or bring them up to date.

    It works within the host's transaction, and never commits it.

    :raises NoTransaction: if none is open.
    :raises SchemaTooNew: if a newer release made the tables.
    :raises StorageError: as `SqliteRepository.join` does.
    """
    database = Database(connection, joined=True)
    with database.writing():
        make_tables(connection, mark=False)


def migrate_back(connection: sqlite3.Connection) -> int:
    """Take the last step of our tables back in a database of the host's, where no row is lost.

    It works within the host's transaction, and never commits it.

    :returns: the number of the schema that is left; 0 where there are no tables of ours any more.
    :raises NoTransaction: if none is open.
    :raises SchemaInUse: if rows would be lost; the error names their tables.
    :raises StorageError: if there are no tables of ours.
    """
    database = Database(connection, joined=True)
    with database.writing():
        return take_step_back(connection, mark=False)


def migrate_file_back(path: str | PathLike[str], *, timeout: int) -> int:
    """Take the last step of a file's tables back; return the number of the schema that is left."""
    database = Database.open_as_it_is(path, timeout=timeout)
    try:
        with database.writing() as cursor:
            return take_step_back(cursor.connection, mark=not is_hosted(cursor.connection))
    finally:
        database.close()


def sql_for(path: str | PathLike[str], *, back: bool = False, timeout: int) -> str:
    """Return the SQL that would be run on a file, which needn't be there; it is left as it is."""
    if not os.path.exists(path):
        return script(0, back=back, mark=True)
    database = Database.open_as_it_is(path, timeout=timeout)
    try:
        with database.reading() as cursor:
            connection = cursor.connection
            mark = not is_hosted(connection)
            return script(schema_version(connection), back=back, mark=mark)
    finally:
        database.close()
