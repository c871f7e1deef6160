"""The rows of a usage file: the events that a batch of them gives, and the faults.

    rows = UsageRows(find_columns(header, layout), layout)
    batch = rows.read([2, 3], [["org-1", "tokens", "5", "2024-02-01T12:00:00Z"], ...])
    batch.events()                                    # (2, event), ...

A batch is read column by column, which takes a fifth of the time of row by row: see
`overages.imports.usage_files.cells`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import parse_name
from overages.amounts.exact import parse_quantity
from overages.errors import InvalidValue, InvalidValues, OveragesError
from overages.imports.usage_files.cells import (
    NEW_NAMES,
    REMEMBERED,
    REPEATED_NAMES,
    WHOLE_NUMBERS,
    Cells,
    Constant,
    Faults,
    Row,
    Source,
    parse_cell,
    unless_empty,
)
from overages.imports.usage_files.columns import UsageColumns
from overages.imports.usage_files.layout import UsageLayout
from overages.imports.usage_files.times import instant_parser, instant_ways
from overages.usage.event import EventColumns, UsageEvent, new_columns

EventOrError: TypeAlias = UsageEvent | OveragesError

_NO_DIMENSIONS: Final[FrozenDict[str, str]] = FrozenDict()


class ReadEvents(NamedTuple):
    """The events of some rows in the order of the rows, those of one row by measure.

    :param lines: that the rows of each begin at.
    :param columns: their terms, which are no good in the place of a faulty row.
    :param errors: those of faulty rows, by their places among these.
    """

    lines: Sequence[int]
    columns: EventColumns
    errors: Mapping[int, OveragesError]


class ReadRows(NamedTuple):
    """A batch of rows as it was read.

    :param numbers: of the lines that they begin at.
    :param columns: the terms of the events of each measure; where a row has none, its quantity is
        None, and where a row is faulty, they are no good.
    :param errors: those of faulty rows, by their places.
    :param is_wide: whether a row gives an event, or none, for each of the measures.
    """

    numbers: Sequence[int]
    columns: Sequence[EventColumns]
    errors: Mapping[int, OveragesError]
    is_wide: bool = False

    def events(self) -> Iterable[tuple[int, EventOrError]]:
        """Return the events of rows, each with its row's number; one error for a faulty row."""
        lines, columns, errors = self.in_order()
        events: list[EventOrError] = list(columns)
        for place, error in errors.items():
            events[place] = error
        return zip(lines, events, strict=True)

    def in_order(self) -> ReadEvents:
        """Return the events in the order of the rows, with a place for each faulty row."""
        if not self.is_wide:
            return ReadEvents(self.numbers, self.columns[0], self.errors)
        quantities = [columns.quantities for columns in self.columns]
        places: list[tuple[int, int]] = []  # of measures and rows
        errors: dict[int, OveragesError] = {}
        for row in range(len(self.numbers)):
            if row in self.errors:
                errors[len(places)] = self.errors[row]
                places.append((0, row))
            else:
                used = [each for each, units in enumerate(quantities) if units[row] is not None]
                places += [(measure, row) for measure in used]
        terms = zip(*(columns.terms for columns in self.columns), strict=True)
        return ReadEvents(
            [self.numbers[row] for _, row in places],
            new_columns(*([of_all[measure][row] for measure, row in places] for of_all in terms)),
            errors,
        )

    def counted(self) -> Iterable[EventColumns]:
        """Return the events as columns, of rows that are all good."""
        for columns in self.columns:
            if self.is_wide and None in columns.quantities:
                used = [i for i, units in enumerate(columns.quantities) if units is not None]
                yield columns.among(used)
            else:
                yield columns


class UsageRows:
    """Reads the rows of a file that has these columns."""

    def __init__(self, columns: UsageColumns, layout: UsageLayout) -> None:
        header, place = columns.header, columns.event_id
        self._header = header
        self._org = _names(header, columns.org_id, layout.org_id)
        ways = instant_ways(layout)
        self._at = Cells(header, columns.timestamp, instant_parser(layout), ways)
        self._id: Source = Constant(None)
        if place is not None:
            self._id = Cells(header, place, unless_empty(parse_cell), [NEW_NAMES])
        self._dimensions = _Dimensions(header, columns.dimensions)
        self._is_wide = bool(columns.metrics)  # so that a row gives an event, or none, for each
        self._measures: list[_Measure] = [
            _OfMetric(header, metric, quantity, place)
            for metric, quantity in columns.metrics.items()
        ] or [_OfRow(columns, layout)]

    def read(self, numbers: Sequence[int], rows: Sequence[Row]) -> ReadRows:
        """Return rows as events, or their faults.

        :param numbers: of the lines that they begin at.
        """
        rows, faults_of_width = self._of_one_width(rows)
        faults: Faults = {}
        common = _Common(
            self._org.read(rows, faults),
            self._at.read(rows, faults),
            self._id.read(rows, faults),
            self._dimensions.read(rows, faults),
        )
        columns = [measure.columns(rows, common, faults) for measure in self._measures]
        errors = {i: self._error(own) for i, own in {**faults, **faults_of_width}.items()}
        return ReadRows(numbers, columns, errors, self._is_wide)

    def _error(self, errors: list[OveragesError]) -> OveragesError:
        """Return the error of a row, whose faults are told from left to right."""
        if len(errors) == 1:
            return errors[0]
        return InvalidValues(sorted(errors, key=self._place))

    def _place(self, error: OveragesError) -> int:
        return self._header.index(str(error.path[0]))

    def _of_one_width(self, rows: Sequence[Row]) -> tuple[Sequence[Row], Faults]:
        """Return rows with an empty one in place of each that has too many fields or too few."""
        width, faults = len(self._header), Faults()
        if any(len(row) != width for row in rows):
            blank = [""] * width
            for i, row in enumerate(rows):
                if len(row) != width:
                    problem = f"must have {width} fields, has {len(row)}"
                    faults[i] = [InvalidValue("row", row, problem)]
            rows = [blank if i in faults else row for i, row in enumerate(rows)]
        return rows, faults


def _names(header: Sequence[str], place: int | None, constant: str | None) -> Source:
    """Return the source of orgs or of metrics, of which there are few."""
    if place is None:
        return Constant(constant)
    return Cells(header, place, parse_cell, [REPEATED_NAMES])


class _Common(NamedTuple):
    """The parts of the events of each row that all of them have."""

    orgs: Sequence[Any]
    times: Sequence[Any]
    ids: Sequence[Any]
    dimensions: Sequence[Any]


class _Measure(Protocol):
    """A quantity that rows have."""

    def columns(self, rows: Sequence[Row], common: _Common, faults: Faults) -> EventColumns:
        """Return the terms of the event of each row, which are no good where it is faulty.

        One that has no event has None for its quantity.
        """
        ...


class _OfRow:
    """The only quantity of a row."""

    def __init__(self, columns: UsageColumns, layout: UsageLayout) -> None:
        self._metric = _names(columns.header, columns.metric, layout.metric)
        self._quantity: Source = Constant(layout.quantity)
        if columns.quantity is not None:
            cells = Cells(columns.header, columns.quantity, parse_quantity, [WHOLE_NUMBERS])
            self._quantity = cells

    def columns(self, rows: Sequence[Row], common: _Common, faults: Faults) -> EventColumns:
        metrics, quantities = self._metric.read(rows, faults), self._quantity.read(rows, faults)
        orgs, *others = common
        return new_columns(orgs, metrics, quantities, *others)


class _OfMetric:
    """The quantity of a metric that has a column of its own, empty where none was used."""

    def __init__(
        self, header: Sequence[str], metric: str, quantity: int, event_id: int | None
    ) -> None:
        self._metric = metric
        self._quantity = Cells(header, quantity, unless_empty(parse_quantity), [WHOLE_NUMBERS])
        self._id = None
        if event_id is not None:
            self._id = Cells(header, event_id, unless_empty(parse_name), [NEW_NAMES])

    def columns(self, rows: Sequence[Row], common: _Common, faults: Faults) -> EventColumns:
        quantities = self._quantity.read(rows, faults)
        orgs, times, ids, dimensions = common
        if self._id is not None:
            too_long: Faults = {}
            own = ["" if each is None else f"{each}/{self._metric}" for each in ids]
            ids = self._id.read_cells(own, too_long)
            for i, errors in too_long.items():
                faults.setdefault(i, errors)
        metrics = [self._metric] * len(rows)
        return new_columns(orgs, metrics, quantities, times, ids, dimensions)


class _Dimensions:
    """The dimensions of events, in a column each; a mapping serves all events that are alike."""

    def __init__(self, header: Sequence[str], places: Mapping[str, int]) -> None:
        parse = unless_empty(parse_cell)
        self._columns = [Cells(header, each, parse, [REPEATED_NAMES]) for each in places.values()]
        names = tuple(places)

        @lru_cache(maxsize=REMEMBERED)
        def of_values(*values: str | None) -> FrozenDict[str, str]:
            pairs = zip(names, values, strict=True)
            return FrozenDict({name: each for name, each in pairs if each is not None})

        self._of_values = of_values

    def read(self, rows: Sequence[Row], faults: Faults) -> Sequence[Any]:
        """Return the dimensions of each row."""
        if not self._columns:
            return [_NO_DIMENSIONS] * len(rows)
        return [*map(self._of_values, *(each.read(rows, faults) for each in self._columns))]
