"""Events: what was used, as a host reports it.

UsageEvent("org-123", "tokens", 4_808, at=moment, id="evt-1")
UsageEvent("org-123", "tokens", 4_808, at=moment, dimensions={"model": "large"})
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from overages._ground.names import by_name, optional_name, parse_name
from overages._ground.parsing import parse_all
from overages.amounts.exact import Quantity, QuantityLike, parse_quantity
from overages.errors import Field, InvalidValue
from overages.periods.period import parse_instant

MOST_DIMENSIONS: Final = 100


_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@frozen(init=False, repr=False, weakref_slot=False)
class UsageEvent:
    """Something that was used, at an instant.

    :param org_id: who used it.
    :param metric: what is counted, such as ``"tokens"``.
    :param quantity: units used; negative where an earlier event is corrected.
    :param at: when, timezone-aware; kept in UTC.
    :param id: what makes the event unique within its org, so that it counts once however often it
        is reported; None if it has none.
    :param dimensions: what else is known of it, such as ``{"region": "eu"}``: names to values, both
        as names are, at most a hundred. A `Metric` tells events apart by them.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> at = datetime.fromisoformat("2024-02-03T12:00:00Z")
    >>> event = UsageEvent("org-123", "requests", 1, at, dimensions={"region": "eu"})
    >>> event.dimensions["region"]
    'eu'
    """

    org_id: str
    metric: str
    quantity: Quantity
    at: datetime
    id: str | None
    _dimensions: dict[str, str] = field(hash=False)

    def __init__(
        self,
        org_id: str,
        metric: str,
        quantity: QuantityLike,
        at: datetime,
        id: str | None = None,
        dimensions: Mapping[str, str] = _NONE,
    ) -> None:
        values = parse_all(
            (parse_name, org_id, "org_id"),
            (parse_name, metric, "metric"),
            (parse_quantity, quantity, "quantity"),
            (parse_instant, at, "at"),
            (optional_name, id, "id"),
            (_parse_dimensions, dimensions, "dimensions"),
        )
        self.__attrs_init__(*values)

    @property
    def dimensions(self) -> Mapping[str, str]:
        """What else is known of it, by name, sorted; can be read only."""
        return MappingProxyType(self._dimensions)

    def __repr__(self) -> str:
        shown = f"{self.org_id!r}, {self.metric!r}, {self.quantity!r}, {self.at!r}, {self.id!r}"
        dimensions = f", {self._dimensions!r}" if self._dimensions else ""
        return f"UsageEvent({shown}{dimensions})"


def _parse_dimensions(value: object, field: Field) -> dict[str, str]:
    if value is _NONE:
        return {}
    dimensions = _dimensions(value, field)
    if len(dimensions) > MOST_DIMENSIONS:
        raise InvalidValue(field, len(dimensions), f"must be at most {MOST_DIMENSIONS}")
    return dict(sorted(dimensions.items()))


_dimensions: Final = by_name(parse_name, "names to values", of="dimension")
