"""A repository in SQLite: a file of its own, or tables in a database of the host's.

A write has returned only when it is on the disk, and an interrupted one was never there. Threads
may share a repository; processes open one each, after a fork, not before.

    with SqliteRepository("overages.db") as repository:
        repository.record(statement, created_at=now)

    connection.execute("BEGIN")
    migrate(connection)                               # once, in a database of the host's
    SqliteRepository.join(connection).record(statement, created_at=now)
    connection.commit()                               # together with the host's own writes
"""

from overages.adapters.sqlite.member import MemberView
from overages.adapters.sqlite.migrating import migrate, migrate_back
from overages.adapters.sqlite.outbox import SqliteOutbox
from overages.adapters.sqlite.repository import SqliteRepository

__all__ = ["MemberView", "SqliteOutbox", "SqliteRepository", "migrate", "migrate_back"]
