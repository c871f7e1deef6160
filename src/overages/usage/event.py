"""Events: single uses, as a host reports them.

UsageEvent("org-123", "tokens", 4_808, at=moment, id="evt-1")
UsageEvent("org-123", "tokens", 4_808, at=moment, dimensions={"model": "large"})
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress
from operator import itemgetter
from typing import Any, Final, TypeVar, overload

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import by_name, optional_name, parse_name
from overages._ground.parsing import tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, parse_quantity
from overages.errors import Field, InvalidValue
from overages.periods.period import parse_instant

T = TypeVar("T")

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


_parse_objects: Final = tuple_of(UsageEvent)


def chosen_of(column: Sequence[T], places: Sequence[int]) -> Sequence[T]:
    """Return the items of some places, in the order of these."""
    if len(places) < 2:  # of one, what follows would be the item itself
        return [column[place] for place in places]
    chosen: Sequence[T] = itemgetter(*places)(column)
    return chosen


class EventColumns(Sequence[UsageEvent]):
    """Many events, which were checked: a list for each of their terms, in the order of the events.

    To make an object of each takes as long as to add its units up, so who looks at some terms, as
    `Meter.add_columns` and those who keep events do, goes without. As a sequence, these are the
    events themselves, each made when it is asked for.

    :param events: read once; the columns stay as they are, whatever becomes of a host's list.
    :raises InvalidType: if it isn't to be iterated over, or holds something else.

    >>> at = datetime.fromisoformat("2024-02-03T12:00:00Z")
    >>> events = EventColumns([UsageEvent("org-123", "tokens", units, at) for units in (5, 7)])
    >>> events.quantities, events[1].quantity
    ([5, 7], 7)
    """

    __slots__ = ("_made", "dimensions", "ids", "metrics", "orgs", "quantities", "times")

    orgs: Sequence[str]
    metrics: Sequence[str]
    quantities: Sequence[Quantity]
    times: Sequence[datetime]
    ids: Sequence[str | None]
    dimensions: Sequence[Mapping[str, str]]
    _made: Sequence[UsageEvent] | None

    def __init__(self, events: Iterable[UsageEvent] = ()) -> None:
        made = _parse_objects(events, "events")
        self.orgs = [event.org_id for event in made]
        self.metrics = [event.metric for event in made]
        self.quantities = [event.quantity for event in made]
        self.times = [event.at for event in made]
        self.ids = [event.id for event in made]
        self.dimensions = [event.dimensions for event in made]
        self._made = made

    @property
    def terms(self) -> tuple[Sequence[Any], ...]:
        """The columns, in the order in which `UsageEvent` takes them."""
        return self.orgs, self.metrics, self.quantities, self.times, self.ids, self.dimensions

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, place: int) -> UsageEvent: ...

    @overload
    def __getitem__(self, place: slice) -> EventColumns: ...

    def __getitem__(self, place: int | slice) -> UsageEvent | EventColumns:
        if isinstance(place, slice):
            return new_columns(*(column[place] for column in self.terms))
        if self._made is not None:
            return self._made[place]
        return new_event(*(column[place] for column in self.terms))

    def __iter__(self) -> Iterator[UsageEvent]:
        return map(new_event, *self.terms) if self._made is None else iter(self._made)

    def among(self, places: Sequence[int]) -> EventColumns:
        """Return those of some places, in the order of these."""
        chosen = new_columns(*(chosen_of(column, places) for column in self.terms))
        if self._made is not None:
            chosen._made = chosen_of(self._made, places)
        return chosen

    def where(self, mask: Sequence[bool]) -> EventColumns:
        """Return those that a mask, with a flag for each, says."""
        return new_columns(*([*compress(column, mask)] for column in self.terms))

    def with_ids(self, ids: Sequence[str]) -> EventColumns:
        """Return them with other ids."""
        *terms, _, dimensions = self.terms
        return new_columns(*(*terms, ids, dimensions))

    def identities(self) -> list[tuple[str, str]]:
        """Return the org and the id of each that has an id."""
        pairs = zip(self.orgs, self.ids, strict=True)
        return [(org_id, event_id) for org_id, event_id in pairs if event_id is not None]


def new_columns(
    orgs: Sequence[str],
    metrics: Sequence[str],
    quantities: Sequence[Quantity],
    times: Sequence[datetime],
    ids: Sequence[str | None],
    dimensions: Sequence[Mapping[str, str]],
) -> EventColumns:
    """Make columns of terms as the library keeps them, as `new_event` makes an event: unchecked."""
    made = EventColumns.__new__(EventColumns)
    made.orgs, made.metrics, made.quantities = orgs, metrics, quantities
    made.times, made.ids, made.dimensions = times, ids, dimensions
    made._made = None
    return made


class CountedEvents(Sequence[tuple[UsageEvent, datetime]]):
    """Events in columns, and the instants that they count at: a sequence of both together."""

    __slots__ = ("events", "instants")

    events: EventColumns
    instants: Sequence[datetime]

    def __init__(self, events: EventColumns, instants: Sequence[datetime]) -> None:
        self.events, self.instants = events, instants

    def __len__(self) -> int:
        return len(self.instants)

    @overload
    def __getitem__(self, place: int) -> tuple[UsageEvent, datetime]: ...

    @overload
    def __getitem__(self, place: slice) -> CountedEvents: ...

    def __getitem__(self, place: int | slice) -> tuple[UsageEvent, datetime] | CountedEvents:
        if isinstance(place, slice):
            return CountedEvents(self.events[place], self.instants[place])
        return self.events[place], self.instants[place]

    def __iter__(self) -> Iterator[tuple[UsageEvent, datetime]]:
        return zip(self.events, self.instants, strict=True)

    def among(self, places: Sequence[int]) -> CountedEvents:
        """Return those of some places, in the order of these."""
        return CountedEvents(self.events.among(places), chosen_of(self.instants, places))


def parse_events(value: object, field: Field) -> EventColumns:
    """Return events as columns; those that are some already were checked."""
    return value if type(value) is EventColumns else EventColumns(_parse_objects(value, field))
