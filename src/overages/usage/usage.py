"""Usage: events as they are reported, and what they come to in a period.

A host reports events, or sums of its own:

    event = UsageEvent("org-123", "tokens", 4_808, at=moment, id="evt-1")
    event = UsageEvent("org-123", "tokens", 4_808, at=moment, dimensions={"model": "large"})
    usage = Usage("org-123", Period.month(2024, 2), {"tokens": 750_000})
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from overages._ground.names import by_metric, parse_name
from overages._ground.parsing import instance_of, parse_all
from overages._ground.trusted import slot_setters
from overages.amounts.exact import LIMIT, Quantity, QuantityLike, parse_non_negative
from overages.errors import OveragesError
from overages.periods.period import Period

parse_quantities: Final = by_metric(parse_non_negative, "metrics to quantities")


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
                (parse_name, org_id, "org_id"),
                (instance_of(Period), period, "period"),
                (parse_quantities, quantities, "quantities"),
            )
        _set_org_id(self, parse_name(org_id, "org_id"))
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
        return all(parse_name(metric, "metric") for metric in metrics)
    except OveragesError:
        return False
