"""Events: single uses, as a host reports them.

UsageEvent("org-123", "tokens", 4_808, at=moment, id="evt-1")
UsageEvent("org-123", "tokens", 4_808, at=moment, dimensions={"model": "large"})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_name, optional_name, parse_name
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, parse_quantity
from overages.errors import Field, InvalidValue
from overages.periods.period import parse_instant

MOST_DIMENSIONS: Final = 100

_NO_DIMENSIONS: Final[FrozenDict[str, str]] = FrozenDict()
_parse_names: Final = by_name(parse_name, "names to values", of="dimension")


def parse_dimensions(value: object, field: Field) -> FrozenDict[str, str]:
    """Return a frozen copy of a mapping of names to values, a hundred at most, sorted by name."""
    if value is _NO_DIMENSIONS:  # most events have none
        return _NO_DIMENSIONS
    dimensions = _parse_names(value, field)
    if len(dimensions) > MOST_DIMENSIONS:
        raise InvalidValue(field, len(dimensions), f"must be at most {MOST_DIMENSIONS}")
    return FrozenDict(sorted(dimensions.items()))


@value
class UsageEvent:
    """A use of a metric, at an instant.

    :param org_id: who used it.
    :param metric: the metric that is counted, such as ``"tokens"``.
    :param quantity: units used; negative where an earlier event is corrected.
    :param at: when, timezone-aware; kept in UTC.
    :param id: a name that is unique within its org, so that the event counts once however often it
        is reported; None if it has none.
    :param dimensions: further facts of it, such as ``{"region": "eu"}``: names to values, both
        as names are, at most a hundred. A `Metric` tells events apart by them.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> at = datetime.fromisoformat("2024-02-03T12:00:00Z")
    >>> event = UsageEvent("org-123", "requests", 1, at, dimensions={"region": "eu"})
    >>> event.dimensions["region"]
    'eu'
    """

    org_id: str = term(parse_name)
    metric: str = term(parse_name)
    quantity: Quantity = term(parse_quantity)
    at: datetime = term(parse_instant)
    id: str | None = term(optional_name)
    dimensions: Mapping[str, str] = term(parse_dimensions)

    def __init__(
        self,
        org_id: str,
        metric: str,
        quantity: QuantityLike,
        at: datetime,
        id: str | None = None,
        dimensions: Mapping[str, str] = _NO_DIMENSIONS,
    ) -> None: ...


new_event: Final = trusted(UsageEvent)
"""Make an event of terms as the library keeps them: checked names, a quantity in its one form, an
instant in UTC, dimensions sorted by name."""


class EventColumns(NamedTuple):
    """The terms of many events, a list for each, in the order of the events; they were checked.

    To make an object of each event takes as long as to add its units up, so who only counts them,
    as `Meter.add_columns` does, goes without.
    """

    orgs: Sequence[str]
    metrics: Sequence[str]
    quantities: Sequence[Quantity]
    times: Sequence[datetime]
    ids: Sequence[str | None]
    dimensions: Sequence[Mapping[str, str]]

    def events(self) -> list[UsageEvent]:
        """Return them as objects."""
        return [*map(new_event, *self)]

    def among(self, places: Sequence[int]) -> EventColumns:
        """Return those of some places."""
        return EventColumns._make([column[place] for place in places] for column in self)
