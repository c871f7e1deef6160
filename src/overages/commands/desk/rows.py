"""The rows of usage files: their events, and the lines that they begin at, many at a time.

    for piece in pieces_of(file, layout):
        piece.rows.lines, piece.rows.events, piece.faults

They stay in columns, as they were read, until they are in the database: to make an object of each
takes longer than to read it, and twice the room where it has to wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple

from overages.commands.desk.sources import UsageFile, lines_of
from overages.errors import OveragesError
from overages.imports.events import read_rows
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.rows import ReadEvents, ReadRows
from overages.usage.event import EventColumns, chosen_of, new_columns

PIECE: Final = 10_000
"""The rows that are put together."""


class Rows(NamedTuple):
    """Some events of a usage file.

    :param lines: that the rows of each begin at.
    """

    lines: Sequence[int]
    events: EventColumns

    def where(self, mask: Sequence[bool]) -> Rows:
        """Return those that a mask, with a flag for each, says."""
        if all(mask):
            return self
        return Rows([*compress(self.lines, mask)], self.events.where(mask))


class WaitingRows:
    """Rows that wait in columns, to which others are added."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._terms: list[list[Any]] = [[] for _ in EventColumns().terms]

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, rows: Rows) -> None:
        """Have some more wait, after the others."""
        self._lines += rows.lines
        for waiting, column in zip(self._terms, rows.events.terms, strict=True):
            waiting.extend(column)

    def sort_by_org(self) -> None:
        """Bring them into the order of their orgs, those of an org as they came."""
        orgs = self._terms[0]
        places = sorted(range(len(orgs)), key=orgs.__getitem__)
        for column in self._columns():
            column[:] = chosen_of(column, places)

    def take(self) -> Rows:
        """Return the first of them, `PIECE` at most, which wait no more."""
        lines, *terms = (column[:PIECE] for column in self._columns())
        for column in self._columns():
            del column[:PIECE]
        return Rows(lines, new_columns(*terms))

    def _columns(self) -> list[list[Any]]:
        return [self._lines, *self._terms]


class Piece(NamedTuple):
    """Rows that follow each other in a file, at most `PIECE` of them.

    :param rows: those without a fault.
    :param faults: the others, by their lines.
    """

    rows: Rows
    faults: Sequence[tuple[int, OveragesError]]

    def __len__(self) -> int:
        return len(self.rows.lines) + len(self.faults)


def pieces_of(file: UsageFile, layout: UsageLayout) -> Iterator[Piece]:
    """Yield the rows of a file in pieces.

    :raises OveragesError: if the file is damaged, or its columns are wrong.
    """
    rows, faults = WaitingRows(), list[tuple[int, OveragesError]]()
    with lines_of(file, layout) as lines:
        for read in map(ReadRows.in_order, read_rows(lines, layout)):
            first, end = 0, len(read.lines)
            while first < end:
                last = min(end, first + PIECE - len(rows) - len(faults))
                good, faulty = _apart(read, range(first, last))
                rows.add(good)
                faults += faulty
                first = last
                if len(rows) + len(faults) == PIECE:
                    yield Piece(rows.take(), faults)
                    faults = []
    if rows or faults:
        yield Piece(rows.take(), faults)


def _apart(read: ReadEvents, places: range) -> tuple[Rows, Sequence[tuple[int, OveragesError]]]:
    """Return the good rows of some places, and the faulty ones."""
    lines, columns, errors = read
    among = slice(places.start, places.stop)
    rows = Rows(lines[among], columns[among])
    if not errors:
        return rows, ()
    good = rows.where([place not in errors for place in places])
    return good, [(lines[place], errors[place]) for place in places if place in errors]
