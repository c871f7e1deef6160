"""The cells of a column of a usage file, read many at a time.

    column = Cells(header, 2, parse_quantity, [WHOLE_NUMBERS])
    column.read([["org-1", "tokens", "5"], ["org-1", "tokens", "five"]], faults)   # [5, None]

Nearly all cells of a real file are written in one way. Those of a batch are put together and
matched with that as one text, a tenth of the time of a call for each; a batch in which one is
written otherwise is read cell by cell, by the parser, which accepts the same and more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from re import Pattern
from sys import intern
from typing import Any, Final, Protocol, TypeAlias

from overages._ground.columns import unescape_formula
from overages._ground.names import LONGEST_NAME, parse_name
from overages._ground.parsing import Parser
from overages.amounts.exact import INTEGER_DIGITS
from overages.errors import Field, OveragesError

Row: TypeAlias = Sequence[str]
Faults: TypeAlias = dict[int, list[OveragesError]]
"""The faults of a batch's rows, by their places in it."""

Way: TypeAlias = tuple[Pattern[str], Callable[[str], Any]]
"""A way that cells are often written: the shape of a column of them, and how one is read.

A cell of that shape is read as by the parser, or raises a `ValueError` or an `OverflowError`.
"""

REMEMBERED: Final = 65_536
"""The number of cells of a column that are remembered; most columns have few that differ."""


def shape_of(cell: str) -> Pattern[str]:
    """Compile the shape of a column whose cells all match a pattern, each with a line's end."""
    return re.compile(rf"(?:{cell}\n)++")


class Source(Protocol):
    """A part of an event, as the rows of a file say it."""

    def read(self, rows: Sequence[Row], faults: Faults) -> Sequence[Any]:
        """Return the part of each row; None for one that is faulty."""
        ...


class Constant:
    """A part that is the same in all rows."""

    def __init__(self, value: object) -> None:
        self._value = value

    def read(self, rows: Sequence[Row], faults: Faults) -> Sequence[Any]:
        """Return the part of each row."""
        del faults
        return [self._value] * len(rows)


class Cells:
    """A part that the cells of a column say.

    :param header: the names of all columns; faults are told by that of this one.
    :param place: of the column, counted from 0.
    :param parse: reads a cell.
    :param ways: that cells are often written in.
    """

    def __init__(
        self, header: Sequence[str], place: int, parse: Parser[Any], ways: Iterable[Way] = ()
    ) -> None:
        self._place, self._ways, field = place, tuple(ways), (header[place],)
        self._parse = lru_cache(maxsize=REMEMBERED)(lambda cell: parse(cell, field))

    def read(self, rows: Sequence[Row], faults: Faults) -> Sequence[Any]:
        """Return the part of each row; None for one that is faulty."""
        place = self._place
        return self.read_cells([row[place] for row in rows], faults)

    def read_cells(self, cells: Sequence[str], faults: Faults) -> Sequence[Any]:
        """Return the part that each cell says; None for one that is faulty."""
        parts = self._at_once(cells)
        if parts is not None:
            return parts
        parts = []
        for i, cell in enumerate(cells):
            try:
                parts.append(self._parse(cell))
            except OveragesError as error:
                faults.setdefault(i, []).append(error.with_traceback(None))
                parts.append(None)
        return parts

    def _at_once(self, cells: Sequence[str]) -> list[Any] | None:
        """Return the parts of cells that are all written in one of the ways, or None."""
        text = "\n".join(cells) + "\n"
        if text.count("\n") != len(cells):  # one holds a line's end itself
            return None
        for shape, read in self._ways:
            if shape.fullmatch(text):
                try:
                    return [*map(read, cells)]
                except (ValueError, OverflowError):  # the 30th of February
                    return None
        return None


def parse_cell(cell: object, field: Field) -> str:
    """Return the name that a cell says; an apostrophe before a formula is no part of it."""
    return parse_name(unescape_formula(str(cell)), field)


def unless_empty(parse: Parser[Any]) -> Parser[Any]:
    """Return a parser of cells that may say nothing, which is None."""
    return lambda cell, field: parse(cell, field) if cell else None


# Printable ASCII but spaces and apostrophes, which names can have, and formulas before them
_NAME: Final = shape_of(rf"[!-&(-~]{{1,{LONGEST_NAME}}}+")
_DIGITS: Final = shape_of(rf"[+-]?[0-9]{{1,{INTEGER_DIGITS}}}+")

WHOLE_NUMBERS: Final[Way] = _DIGITS, int
REPEATED_NAMES: Final[Way] = _NAME, intern  # one text for all events of an org
NEW_NAMES: Final[Way] = _NAME, str
