"""Plain events: usage events as columns of pyarrow, which nothing is missing in.

events.filter(mask).span
for columns in one_by_one(events): meter.add_columns(columns)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import pyarrow.compute as pc

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import DECIMAL_DIGITS, Quantity, unscaled
from overages.imports.arrays import Array
from overages.usage.event import EventColumns, new_columns

NO_DIMENSIONS: Final[FrozenDict[str, str]] = FrozenDict()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PlainEvents(NamedTuple):
    """Events as arrays of pyarrow, all of one length.

    :param orgs: a dictionary array of names.
    :param metrics: as well.
    :param quantities: 64-bit integers: units, or the parts of a unit that `decimals` says.
    :param decimals: that quantities have: 0, or 6 where they count millionths.
    :param times: 64-bit integers: microseconds since 1970.
    :param ids: texts; None where the file has none.
    """

    orgs: Array
    metrics: Array
    quantities: Array
    decimals: int
    times: Array
    ids: Array | None

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The first instant and the last one; None without any."""
        ends = pc.min_max(self.times).as_py()
        if ends["min"] is None:
            return None
        return instant_of(ends["min"]), instant_of(ends["max"])

    def filter(self, mask: Array) -> PlainEvents:
        """Return those of a mask."""
        return PlainEvents(
            self.orgs.filter(mask),
            self.metrics.filter(mask),
            self.quantities.filter(mask),
            self.decimals,
            self.times.filter(mask),
            None if self.ids is None else self.ids.filter(mask),
        )


def one_by_one(events: PlainEvents) -> Iterator[EventColumns]:
    """Return events as values of Python, if there are any."""
    count = len(events.times)
    if count:
        yield new_columns(
            events.orgs.to_pylist(),
            events.metrics.to_pylist(),
            quantities_of(events.quantities.to_pylist(), events.decimals),
            [instant_of(microseconds) for microseconds in events.times.to_pylist()],
            [None] * count if events.ids is None else events.ids.to_pylist(),
            [NO_DIMENSIONS] * count,
        )


def quantities_of(numbers: Sequence[int], decimals: int) -> Sequence[Quantity]:
    """Return numbers that count so many decimals of a unit as quantities."""
    if not decimals:
        return numbers
    factor = 10 ** (DECIMAL_DIGITS - decimals)
    return [unscaled(number * factor) for number in numbers]


def instant_of(microseconds: int) -> datetime:
    """Return the instant of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def microseconds_of(instant: datetime) -> int:
    """Return the microseconds from 1970 to an instant."""
    return (instant - _EPOCH) // timedelta(microseconds=1)
