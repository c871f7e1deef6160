"""Price tables: a price for each of many metrics, in CSV.

A host with a price for each model and direction writes no 10,000 tables of TOML. The first line
names the columns, in any order: ``metric`` and ``price``, and where they are needed ``per`` (units
that the price buys, 1 where it is empty), ``included`` (0 where it is empty, or ``unlimited``) and
``kind`` (``flow`` or ``level``):

    metric,price,per
    gpt-4/in,2.5,1000000
    gpt-4/out,1.5e-07,

    read_price_table(text, "prices.csv").allowances["gpt-4/out"]
"""

from __future__ import annotations

import csv
import re
from io import StringIO
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from overages._ground.columns import Column, refuse_columns
from overages._ground.names import parse_name
from overages._ground.parsing import Problems, parse_all
from overages.errors import Field, InvalidValue, OveragesError
from overages.prices.models import PerUnit
from overages.terms.allowance import Allowance

UNLIMITED: Final = "unlimited"
PRICES: Final = (
    Column("metric", "text"),
    Column("price", "amount"),
    Column("per", "quantity", nullable=True, optional=True),
    Column("included", "quantity", nullable=True, optional=True),
    Column("kind", "text", nullable=True, optional=True),
)
_FREE: Final = PerUnit(0)


class PriceTable(NamedTuple):
    """The allowance of each metric, in the order of the rows, and the line that it stands in."""

    allowances: dict[str, Allowance]
    lines: dict[str, int]


Cells: TypeAlias = tuple[str, ...]
"""The cells of a row that say its allowance."""


def read_price_table(
    text: str, name: str, made: dict[Cells, Allowance] | None = None
) -> PriceTable:
    """Return the allowances that the rows of a CSV text say.

    :param name: of the file, for faults.
    :param made: allowances that were made of other tables; those of this one are added.
    :raises InvalidValue: if a column is missing or unknown, a number badly written, or a metric
        there twice; `InvalidValues` for several faults. Each has the path ``<name>:<line>`` and the
        column.

    >>> table = read_price_table("metric,price,per\\nin,2.5,1000000\\n", "prices.csv")
    >>> table.allowances
    {'in': Allowance(included=0, price=PerUnit(price=Decimal('2.5'), per=1000000))}
    """
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header, name)
        rows = _Rows(name, header, {} if made is None else made)
        for row in reader:
            if any(row):  # else it is one that a spreadsheet left behind
                rows.add(reader.line_num, row)
    except csv.Error as error:
        path = (f"{name}:{reader.line_num}", "row")
        raise InvalidValue(path, str(error), "must be readable as CSV") from None
    rows.problems.raise_any()
    if not rows.allowances:
        raise InvalidValue((name,), text, "must have a row for a metric at least")
    return PriceTable(rows.allowances, rows.lines)


def _check_header(header: list[str], name: str) -> None:
    """Refuse a first line that doesn't name the columns."""
    problems = Problems()
    if len(header) == 1 and (other := re.search("[;\t|]", header[0])):
        problem = f"must be separated by commas, not by {other[0]!r}"
        problems.add(InvalidValue("columns", header[0], problem), (f"{name}:1",))
    else:
        problems.attempt(refuse_columns, header, PRICES, path=(f"{name}:1",))
    problems.raise_any()


class _Rows:
    """The rows that were read so far; many models have one price, and it is made once."""

    def __init__(self, name: str, header: list[str], made: dict[Cells, Allowance]) -> None:
        self.allowances: dict[str, Allowance] = {}
        self.lines: dict[str, int] = {}
        self.problems = Problems()
        self._name, self._width, self._made = name, len(header), made
        # A column that isn't there is an empty cell behind the others.
        places = {column: place for place, column in enumerate(header)}
        self._metric, *cells = (places.get(column.name, len(header)) for column in PRICES)
        self._cells = itemgetter(*cells)

    def add(self, line: int, row: list[str]) -> None:
        """Take a row in, or keep its faults."""
        try:
            metric, allowance = self._read(row)
        except OveragesError as error:
            self.problems.add(error, (f"{self._name}:{line}",))
            return
        before = self.lines.setdefault(metric, line)
        if before != line:
            problem = f"must be there once, and is in line {before} as well"
            self.problems.add(InvalidValue("metric", metric, problem), (f"{self._name}:{line}",))
        self.allowances[metric] = allowance

    def _read(self, row: list[str]) -> tuple[str, Allowance]:
        if len(row) != self._width:
            raise InvalidValue("row", row, f"must have {self._width} fields, has {len(row)}")
        row.append("")
        cells: Cells = self._cells(row)
        allowance = self._made.get(cells)
        if allowance is None:
            metric, self._made[cells] = parse_all(
                (parse_name, row[self._metric], "metric"), (_allowance, cells, "")
            )
            return metric, self._made[cells]
        return parse_name(row[self._metric], "metric"), allowance


def _allowance(cells: Any, field: Field) -> Allowance:
    """Return the allowance that the cells of a row say; their faults name the columns."""
    del field
    price, per, included, kind = cells
    problems = Problems()
    model = problems.attempt(PerUnit, price, per or 1) or _FREE
    quantity = None if included == UNLIMITED else included or 0
    allowance = problems.attempt(Allowance, quantity, model, kind=kind or None)
    problems.raise_any()
    return allowance
