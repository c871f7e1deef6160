"""Which of our tables a database has, making those that are missing, and taking a step back.

if schema_version(connection) < migrations.LATEST:
    make_tables(connection, mark=True)            # within an open transaction
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from overages.adapters.sqlite import migrations
from overages.errors import (
    ForeignDatabase,
    SchemaInUse,
    SchemaTooNew,
    StorageCorrupt,
    StorageError,
)

APPLICATION_ID: Final = 0x0E7A6E5  # marks the files that are ours


def schema_version(connection: sqlite3.Connection, *, joined: bool = False) -> int:
    """Return the version of our tables in a database; 0 if there are none.

    :param joined: whether a database with tables of others is as good.
    :raises ForeignDatabase: if it isn't, and there are.
    """
    cursor = sqlite3.Cursor(connection)  # of plain rows, whatever the host's are
    (application,), (version,) = (
        cursor.execute(f"PRAGMA {key}").fetchone() for key in ("application_id", "user_version")
    )
    tables = {name for (name,) in cursor.execute("SELECT name FROM sqlite_schema")}
    kinds = {kind for (kind,) in cursor.execute("SELECT type FROM sqlite_schema")}
    if not kinds <= {"index", "table", "trigger", "view"}:
        raise StorageError("the connection must have no converter of TEXT columns (detect_types)")
    if "org_billing_schema" in tables:  # in a host's database, whose user_version is the host's
        rows = cursor.execute("SELECT version FROM org_billing_schema").fetchall()
        if len(rows) != 1 or type(rows[0][0]) is not int:
            raise StorageCorrupt("the database doesn't tell which schema it has")
        version = int(rows[0][0])
    elif application != APPLICATION_ID:
        if (tables or application or version) and not joined:
            raise ForeignDatabase("the database is someone else's: it has tables but none of ours")
        version = 0
    if version < 0:
        raise StorageCorrupt(f"the database can't have schema {version}")
    if version > migrations.LATEST:
        problem = f"the database has schema {version}, this release knows {migrations.LATEST}"
        raise SchemaTooNew(f"{problem}: use a newer release")
    return int(version)


def is_hosted(connection: sqlite3.Connection) -> bool:
    """Tell whether our tables are in a database of the host's, which has a version of its own."""
    sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'org_billing_schema'"
    return bool(sqlite3.Cursor(connection).execute(sql).fetchone()[0])


def make_tables(connection: sqlite3.Connection, *, mark: bool) -> None:
    """Run the steps that are missing, within an open transaction.

    :param mark: whether the whole file is ours.
    """
    for statement in _steps_up(schema_version(connection, joined=not mark), mark=mark):
        connection.execute(statement)


def take_step_back(connection: sqlite3.Connection, *, mark: bool) -> int:
    """Take the last step back, within an open transaction; return the version that is left.

    :param mark: whether the whole file is ours.
    :raises SchemaInUse: if rows would be lost.
    :raises StorageError: if there is no step to take back.
    """
    version = schema_version(connection, joined=not mark)
    if not version:
        raise StorageError("the database has no tables of ours: there is no step to take back")
    cursor = sqlite3.Cursor(connection)
    in_use = [
        table
        for table in migrations.dropped_tables(version)
        if cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").fetchone()[0]
    ]
    if in_use:
        raise SchemaInUse(version, in_use)
    for statement in _steps_back(version, mark=mark):
        connection.execute(statement)
    return version - 1


def script(version: int, *, back: bool, mark: bool) -> str:
    """Return the SQL that leads from a version to the latest, or a step back; or nothing.

    :param mark: whether the whole file is ours.
    """
    steps = list((_steps_back if back else _steps_up)(version, mark=mark))
    return "".join(["BEGIN IMMEDIATE;\n", *steps, "COMMIT;\n"]) if steps else ""


def _steps_up(version: int, *, mark: bool) -> Iterator[str]:
    if version < migrations.LATEST:
        for step in range(version + 1, migrations.LATEST + 1):
            yield from migrations.statements(step)
        yield from _marks(migrations.LATEST, mark=mark)


def _steps_back(version: int, *, mark: bool) -> Iterator[str]:
    if version:
        yield from migrations.statements(version, back=True)
        yield from _marks(version - 1, mark=mark)


def _marks(version: int, *, mark: bool) -> Iterator[str]:
    """Yield the statements that note a version; a database without our tables has no mark."""
    if mark:
        yield f"PRAGMA application_id = {APPLICATION_ID if version else 0};\n"
        yield f"PRAGMA user_version = {version};\n"
    elif version:
        yield "CREATE TABLE IF NOT EXISTS org_billing_schema (version INTEGER) STRICT;\n"
        yield "DELETE FROM org_billing_schema;\n"
        yield f"INSERT INTO org_billing_schema VALUES ({version});\n"
    else:
        yield "DROP TABLE org_billing_schema;\n"
