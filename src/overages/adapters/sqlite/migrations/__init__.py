"""The schema of the SQLite databases, as numbered steps from an empty file to the present one.

`0001.sql` makes version 1 of an empty database, `0002.sql` would make version 2 of that;
`0001.back.sql` leads back again, where no row would be lost. A step that was released is never
changed.

    for statement in statements(1): connection.execute(statement)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from sqlite3 import complete_statement
from typing import Final

LATEST: Final = 1
_DROPPED: Final = re.compile(r"^DROP TABLE (\w+);$", re.MULTILINE)


def statements(step: int, *, back: bool = False) -> Iterator[str]:
    """Yield the statements of a step, one by one (a script would commit around them).

    :param back: whether those that take the step back.
    """
    statement = ""
    for line in _text(step, back=back).splitlines(True):
        statement += line
        if complete_statement(statement):
            yield statement
            statement = ""


def dropped_tables(step: int) -> list[str]:
    """Return the tables whose rows are lost where a step is taken back."""
    return _DROPPED.findall(_text(step, back=True))


def _text(step: int, *, back: bool) -> str:
    from importlib.resources import files  # takes longer than all of the adapter, and seldom runs

    name = f"{step:04}.back.sql" if back else f"{step:04}.sql"
    return (files(__name__) / name).read_text(encoding="utf-8")
