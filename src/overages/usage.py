"""Usage: events as they are reported, and what they come to in a period.

A host reports events, or sums of its own:

    event = UsageEvent("org-123", "tokens", 4_808, at=moment, id="evt-1")
    event = UsageEvent("org-123", "tokens", 4_808, at=moment, dimensions={"model": "large"})
    usage = Usage("org-123", Period.month(2024, 2), {"tokens": 750_000})
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from overages.errors import InvalidValue, OveragesError
from overages.exact import LIMIT, Quantity, QuantityLike, non_negative, quantity as parse_quantity
from overages.names import by_metric, by_name, name, optional_name
from overages.parsing import instance_of, parse_all
from overages.period import Period, instant
from overages.trusted import slot_setters

parse_quantities: Final = by_metric(non_negative, "metrics to quantities")

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
            (name, org_id, "org_id"),
            (name, metric, "metric"),
            (parse_quantity, quantity, "quantity"),
            (instant, at, "at"),
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


def _parse_dimensions(value: object, field: str) -> dict[str, str]:
    if value is _NONE:
        return {}
    dimensions = _dimensions(value, field)
    if len(dimensions) > MOST_DIMENSIONS:
        raise InvalidValue(field, len(dimensions), f"must be at most {MOST_DIMENSIONS}")
    return dict(sorted(dimensions.items()))


_dimensions: Final = by_name(name, "names to values", of="dimension")


@frozen(init=False, repr=False, weakref_slot=False)
class Usage:
    """What an org used of each metric in a period.

    :param org_id: who used it.
    :param period: when; the quantities are those of the whole period.
    :param quantities: units by metric, zero or more; a metric that is not named wasn't used.
    :raises InvalidType: for a value of a wrong type, such as a float quantity.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> usage = Usage("org-123", Period.month(2024, 2), {"tokens": "750000"})
    >>> usage.quantities["tokens"]
    750000
    """

    org_id: str
    period: Period
    _quantities: dict[str, Quantity] = field(hash=False)

    def __init__(self, org_id: str, period: Period, quantities: Mapping[str, QuantityLike]) -> None:
        parsed = _plain_copy(quantities)
        if parsed is None or not isinstance(period, Period):
            org_id, period, parsed = parse_all(
                (name, org_id, "org_id"),
                (instance_of(Period), period, "period"),
                (parse_quantities, quantities, "quantities"),
            )
        _set_org_id(self, name(org_id, "org_id"))
        _set_period(self, period)
        _set_quantities(self, parsed)

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """Units by metric; can be read only."""
        return MappingProxyType(self._quantities)

    def __repr__(self) -> str:
        return f"Usage({self.org_id!r}, {self.period!r}, {self._quantities!r})"


_set_org_id, _set_period, _set_quantities = slot_setters(Usage)


def _plain_copy(quantities: object) -> dict[str, Quantity] | None:
    """Return a copy of quantities that are all ints, with metrics that are all names; else None.

    Usage comes by the million and nearly all of it is like that: it is checked in a third of the
    time that looking at each closely would take.
    """
    if type(quantities) is not dict:
        return None
    copy = quantities.copy()
    for value in copy.values():
        if type(value) is not int or not 0 <= value < LIMIT:
            return None
    return copy if _are_names(tuple(copy)) else None


@lru_cache(maxsize=256)  # hosts have few sets of metrics
def _are_names(metrics: tuple[object, ...]) -> bool:
    try:
        return all(name(metric, "metric") for metric in metrics)
    except OveragesError:
        return False
