"""Balances: all that goes from one period of an org to its next.

`settle` takes one and gives the next; hosts that settle by themselves keep it between periods:

    balance = decode(stored, Balance)
    settlement = settle(plan, usage, balance, grants=grants)
    stored = encode(settlement.balance)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from attrs import field, frozen

from overages._ground.names import by_metric
from overages._ground.parsing import parse_all, tuple_of
from overages.amounts.money import Currency
from overages.errors import Field, InvalidValue
from overages.grants.burndown import Burndown
from overages.terms.carry_over import CarriedUnits
from overages.usage.usage import Usage


@frozen(init=False, weakref_slot=False)
class Balance:
    """What goes from one period of an org to its next.

    :param carried: units that earlier periods left, by metric, the oldest first.
    :param used: what was used so far of allowances for a longer time than a billing period, by the
        period that they are for, each once and of the one org.
    :param burndowns: how grants stand, for the units of each metric and for money, each once.
    :param covered: units of those allowances' metrics, as they are priced, that grants covered so
        far: they were never charged. As `used`, by the period that the allowance is for.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> Balance()  # before an org's first period
    Balance(carried={}, used=(), burndowns=(), covered=())
    """

    _carried: dict[str, tuple[CarriedUnits, ...]] = field(hash=False, alias="carried")
    used: tuple[Usage, ...]
    burndowns: tuple[Burndown, ...]
    covered: tuple[Usage, ...]

    def __init__(
        self,
        carried: Mapping[str, Iterable[CarriedUnits]] = MappingProxyType({}),
        used: Iterable[Usage] = (),
        burndowns: Iterable[Burndown] = (),
        covered: Iterable[Usage] = (),
    ) -> None:
        values = parse_all(
            (_carried_by_metric, carried, "carried"),
            (_by_period, used, "used"),
            (_by_pool, burndowns, "burndowns"),
            (_by_period, covered, "covered"),
        )
        layers, *others = values
        kept = {metric: found for metric, found in sorted(layers.items()) if found}
        self.__attrs_init__(kept, *others)

    def burndown(self, metric: str | None, currency: Currency | None) -> Burndown | None:
        """Return how grants of a metric's units stand, or of money; None if none was seen."""
        for found in self.burndowns:
            if (found.metric, found.currency) == (metric, currency):
                return found
        return None

    @property
    def carried(self) -> Mapping[str, tuple[CarriedUnits, ...]]:
        """Units that earlier periods left, by metric; can be read only."""
        return MappingProxyType(self._carried)

    def __repr__(self) -> str:
        return (
            f"Balance(carried={self._carried!r}, used={self.used!r}, burndowns={self.burndowns!r},"
            f" covered={self.covered!r})"
        )


def _by_period(value: object, field: Field) -> tuple[Usage, ...]:
    found = sorted(tuple_of(Usage)(value, field), key=lambda usage: usage.period)
    for before, usage in pairwise(found):
        if usage.org_id != before.org_id:
            raise InvalidValue(field, [before.org_id, usage.org_id], "must be of one org")
        if usage.period == before.period:
            raise InvalidValue(field, usage.period, "must name each period once")
    return tuple(found)


def _by_pool(value: object, field: Field) -> tuple[Burndown, ...]:
    found = sorted(tuple_of(Burndown)(value, field), key=_pool)
    for before, burndown in pairwise(found):
        if _pool(before) == _pool(burndown):
            problem = "must name each metric and currency once"
            raise InvalidValue(field, (burndown.metric, burndown.currency), problem)
    return tuple(found)


def _pool(burndown: Burndown) -> tuple[str, str, int]:
    unit = burndown.currency
    return burndown.metric or "", *(("", 0) if unit is None else (unit.code, unit.exponent))


_carried_by_metric: Final = by_metric(tuple_of(CarriedUnits), "metrics to CarriedUnits")
EMPTY_BALANCE: Final = Balance()
