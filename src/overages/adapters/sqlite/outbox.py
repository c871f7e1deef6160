"""An outbox in SQLite: a table beside the records, or in a file of its own.

with SqliteOutbox("overages.db") as outbox:
    outbox.add([entry])
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any, Final

from overages._ground.names import parse_name
from overages._ground.parsing import as_tuple, parse_all, tuple_of
from overages.adapters.sqlite.connection import Database
from overages.adapters.sqlite.rows import instant_of, readable
from overages.adapters.sqlite.store import chunks, marks
from overages.outbox import OutboxEntry, check_swap
from overages.periods.period import format_instant

_COLUMNS: Final = "org_id, destination, id, request, sent_at, attempt, state, reference"
_INSERT: Final = (
    f"INSERT INTO org_billing_outbox ({_COLUMNS}) SELECT ?, ?, ?, ?, ?, ?, ?, ?"
    " WHERE NOT EXISTS (SELECT 1 FROM org_billing_outbox"
    " WHERE org_id = ? AND destination = ? AND id = ?)"  # ON CONFLICT comes after the trigger
)
_SWAP: Final = (
    f"UPDATE org_billing_outbox SET ({_COLUMNS}) = (?, ?, ?, ?, ?, ?, ?, ?)"
    " WHERE org_id = ? AND destination = ? AND id = ? AND request = ? AND sent_at = ?"
    " AND attempt = ? AND state = ? AND reference IS ?"
)


class SqliteOutbox:
    """Keeps entries in a SQLite database.

    It has a connection of its own and commits before it returns, since its entries have to be on
    the disk before the other system is called: it can't join a transaction of the host's. Best it
    is in the file that has the records, so that a backup has both, or in one beside it.

    :param path: the file; it is made if there is none. It may be the host's own database, once
        `migrate` has made our tables in it. ``":memory:"`` goes with the object.
    :param timeout: seconds to wait for another connection's write, before `StorageBusy`.
    :raises ForeignDatabase: if the file is someone else's database.

    >>> with SqliteOutbox(":memory:") as outbox:
    ...     dict(outbox.entries("org-123", "stripe", ["0f" * 32]))
    {}
    """

    def __init__(self, path: str | PathLike[str], *, timeout: int = 5) -> None:
        self._database = Database.open(path, timeout=timeout)

    def add(self, entries: Iterable[OutboxEntry]) -> frozenset[str]:
        """Keep the entries that are new, in one transaction, and return their ids."""
        entries = tuple_of(OutboxEntry)(entries, "entries")
        new = []
        with self._database.writing() as cursor:
            for entry in entries:
                row = _row(entry)
                if cursor.execute(_INSERT, (*row, *row[:3])).rowcount:
                    new.append(entry.id)
        return frozenset(new)

    def entries(self, org_id: str, destination: str, ids: Iterable[str]) -> dict[str, OutboxEntry]:
        """Return those entries of an org that are kept, by id."""
        org_id, destination, ids = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, destination, "destination"),
            (as_tuple, ids, "ids"),
        )
        entries = {}
        with self._database.reading() as cursor:
            for chunk in chunks(tuple(ids)):
                sql = (
                    f"SELECT {_COLUMNS} FROM org_billing_outbox"
                    f" WHERE org_id = ? AND destination = ? AND id IN ({marks(chunk)})"
                )
                for row in cursor.execute(sql, (org_id, destination, *chunk)).fetchall():
                    entries[row[2]] = _entry(*row)
        return entries

    def swap(self, old: OutboxEntry, new: OutboxEntry) -> bool:
        """Put an entry in the place of another state of it, if it still is that one."""
        check_swap(old, new)
        with self._database.writing() as cursor:
            return cursor.execute(_SWAP, (*_row(new), *_row(old))).rowcount == 1

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def __enter__(self) -> SqliteOutbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _row(entry: OutboxEntry) -> tuple[str | int | None, ...]:
    return (
        entry.org_id,
        entry.destination,
        entry.id,
        entry.request,
        format_instant(entry.sent_at),
        entry.attempt,
        entry.state,
        entry.reference,
    )


def _entry(
    org_id: str,
    destination: str,
    id: str,
    request: str,
    sent_at: str,
    attempt: int,
    state: Any,
    reference: str | None,
) -> OutboxEntry:
    with readable():
        moment = instant_of(sent_at)
        return OutboxEntry(
            org_id,
            destination,
            id,
            request,
            moment,
            attempt=attempt,
            state=state,
            reference=reference,
        )
