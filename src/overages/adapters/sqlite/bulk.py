"""Bulk queries of SQLite: the rows of many orgs by one query, and the values made of them.

An org of which something can't be read is noted: who asks for it alone gets the error.

    queries = BulkQueries(cursor, ["org-1", "org-2"])
    heads = queries.made(queries.among("SELECT org_id, ..."), lambda org_id, rows: ...)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, TypeAlias, TypeVar

from overages.adapters.sqlite.rows import readable
from overages.adapters.sqlite.store import chunks, marks
from overages.errors import OveragesError

R = TypeVar("R")
V = TypeVar("V")

Row: TypeAlias = tuple[Any, ...]


class BulkQueries:
    """Asks for the rows of many orgs.

    :param orgs: all that are asked about.

    `faulty` has the orgs of which something can't be read.
    """

    def __init__(self, cursor: sqlite3.Cursor, orgs: Sequence[str]) -> None:
        self._cursor, self._orgs = cursor, orgs
        self.faulty: set[str] = set()

    def made(self, rows: Iterable[Row], make: Callable[[str, list[Row]], V]) -> dict[str, V]:
        """Return the value that is made of the rows of each org."""
        by_org: dict[str, list[Row]] = {}
        for row in rows:
            by_org.setdefault(row[0], []).append(row)
        return self.each_made(by_org.items(), make)

    def each_made(self, held: Iterable[tuple[str, R]], make: Callable[[str, R], V]) -> dict[str, V]:
        """Return the value that is made for each org; one for which none can be made is noted."""
        with suppress(OveragesError), readable():
            return {org_id: make(org_id, each) for org_id, each in held}
        made: dict[str, V] = {}
        for org_id, each in held:
            try:
                with readable():
                    made[org_id] = make(org_id, each)
            except OveragesError:
                self.faulty.add(org_id)
        return made

    def among(self, sql: str, where: str = "TRUE", order: str = "org_id") -> Iterator[Row]:
        """Yield the rows of all orgs, by org.

        :param order: of the rows of an org.
        """
        for chunk in chunks(self._orgs):
            query = (
                f"{sql} WHERE {where} AND org_id IN ({marks(range(_filled(chunk)))})"
                f" ORDER BY org_id, {order}"
            )
            yield from self._rows(query, chunk, _filled(chunk) - len(chunk))

    def joined(self, wanted: Sequence[Row], columns: str, sql: str) -> Iterator[Row]:
        """Yield the rows that some values are joined with."""
        width = columns.count(",") + 1
        mark = f"({marks(range(width))})"
        for chunk in chunks(wanted, width):
            values = marks(range(_filled(chunk)), mark)
            query = f"WITH RECURSIVE wanted ({columns}) AS (VALUES {values}){sql}"
            missing = (_filled(chunk) - len(chunk)) * width
            yield from self._rows(query, list(chain.from_iterable(chunk)), missing)

    def _rows(self, sql: str, values: Sequence[object], missing: int) -> list[Row]:
        rows: list[Row] = self._cursor.execute(sql, (*values, *[None] * missing)).fetchall()
        return rows


def _filled(values: Sequence[object]) -> int:
    """Return how many values a query takes, of few lengths: each makes another query."""
    return 1 << (len(values) - 1).bit_length()
