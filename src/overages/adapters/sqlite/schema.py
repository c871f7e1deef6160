"""Which of our tables a database has, and making those that are missing.

if schema_version(connection) < migrations.LATEST:
    make_tables(connection, mark=True)            # within an open transaction
"""

from __future__ import annotations

import sqlite3
from typing import Final

from overages.adapters.sqlite import migrations
from overages.errors import ForeignDatabase, SchemaTooNew, StorageCorrupt, StorageError

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


def make_tables(connection: sqlite3.Connection, *, mark: bool) -> None:
    """Run the steps that are missing, within an open transaction.

    :param mark: whether the whole file is ours.
    """
    version = schema_version(connection, joined=not mark)
    for step in range(version + 1, migrations.LATEST + 1):
        for statement in migrations.statements(step):
            connection.execute(statement)
    if mark:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {migrations.LATEST}")
    else:
        connection.execute("CREATE TABLE IF NOT EXISTS org_billing_schema (version INTEGER) STRICT")
        connection.execute("DELETE FROM org_billing_schema")
        connection.execute("INSERT INTO org_billing_schema VALUES (?)", (migrations.LATEST,))
