"""The schema of the SQLite databases, as numbered steps from an empty file to the present one.

`0001.sql` makes version 1 of an empty database, `0002.sql` would make version 2 of that. A step
that was released is never changed.

    for statement in statements(1): connection.execute(statement)
"""

from __future__ import annotations

from collections.abc import Iterator
from sqlite3 import complete_statement
from typing import Final

LATEST: Final = 1


def statements(step: int) -> Iterator[str]:
    """Yield the statements of a step, one by one (a script would commit around them)."""
    from importlib.resources import files  # takes longer than all of the adapter, and seldom runs

    statement = ""
    for line in (files(__name__) / f"{step:04}.sql").read_text(encoding="utf-8").splitlines(True):
        statement += line
        if complete_statement(statement):
            yield statement
            statement = ""
