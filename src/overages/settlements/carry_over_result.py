"""Carry-over in one period: an allowance with what earlier periods left, and what it leaves.

The state between two periods is a tuple of `CarriedUnits`, and one period after another gives what
all at once do:

    february = CarryOverResult(rule, january.carried, 500_000, 510_000, period)
    february.limit, february.overage, february.carried
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from attrs import evolve, field, frozen

from overages._ground.display import text_table
from overages._ground.parsing import instance_of, parse_all, tuple_of
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    excess,
    parse_non_negative,
    plain_text,
    scaled,
    unscaled,
)
from overages.errors import Field, InvalidValue, at
from overages.periods.period import Period
from overages.terms.carry_over import CarriedUnits, CarryOver

_COLUMNS: Final = ["from", "units", "drawn", "expired", "cut", "carried on"]


@frozen(init=False, weakref_slot=False)
class CarryOverResult:
    """What an allowance came to in one period: its limit and overage, and what it leaves.

    Units used beforehand are drawn first, then what is used. Nothing is lost: in signed units,
    ``brought + included - used + overage == expired + cut + carried``. In what is `drawn` and
    `expired`, `periods_left` counts this period; in what is `cut` and `carried`, it doesn't.

    :param rule: by which units are carried over.
    :param brought: what earlier periods left, the oldest first.
    :param included: units that the period itself includes, zero or more.
    :param used: units used in it, zero or more.
    :param period: when; it follows all periods that something is brought from.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: if what is brought isn't in order, and for any other fault.

    >>> january = CarryOverResult(CarryOver(share="0.5"), [], 1_000, 300, Period.month(2024, 1))
    >>> january.cut[0].quantity, january.carried[0].quantity
    (200, 500)
    >>> month, left = Period.month(2024, 2), january.carried
    >>> february = CarryOverResult(january.rule, left, 1_000, 1_700, month)
    >>> february.limit, february.overage
    (1500, 200)
    """

    rule: CarryOver
    brought: tuple[CarriedUnits, ...]
    included: Quantity
    used: Quantity
    period: Period
    limit: Quantity = field(init=False, eq=False, repr=False)
    """Units that could be used: included and brought, without those used beforehand."""
    overage: Quantity = field(init=False, eq=False, repr=False)
    """Units to charge: those beyond the limit; none where the rule carries them."""
    drawn: tuple[CarriedUnits, ...] = field(init=False, eq=False, repr=False)
    """What was drawn, in its order; what the period itself includes has its `period`."""
    repaid: tuple[CarriedUnits, ...] = field(init=False, eq=False, repr=False)
    """What of it was for units used beforehand, as negative quantities."""
    expired: tuple[CarriedUnits, ...] = field(init=False, eq=False, repr=False)
    """What could be used in this period for the last time, and wasn't."""
    cut: tuple[CarriedUnits, ...] = field(init=False, eq=False, repr=False)
    """What was more than may leave a period."""
    carried: tuple[CarriedUnits, ...] = field(init=False, eq=False, repr=False)
    """What goes to the next period, the oldest first."""

    def __init__(
        self,
        rule: CarryOver,
        brought: Iterable[CarriedUnits],
        included: QuantityLike,
        used: QuantityLike,
        period: Period,
    ) -> None:
        terms, layers, own, units, when = parse_all(
            (instance_of(CarryOver), rule, "rule"),
            (_in_order, brought, "brought"),
            (parse_non_negative, included, "included"),
            (parse_non_negative, used, "used"),
            (instance_of(Period), period, "period"),
        )
        if layers and when.start < layers[-1].period.end:
            problem = f"must not start before {layers[-1].period} ends, which something is from"
            raise InvalidValue("period", when, problem)
        self.__attrs_init__(terms, layers, own, units, when)
        self._draw()

    def _draw(self) -> None:
        """Work out what is drawn, and what becomes of the rest."""
        rule, there, debts = self.rule, self._there(), _negative(self.brought)
        units, owed = _parts(there), _parts(debts)
        limit = unscaled(max(0, units - owed))
        over = excess(self.used, limit)
        drawn, unused = _divided(self._in_turn(there), owed + scaled(self.used))
        expired, going = _aged(unused)
        most = rule.most(self.included)
        cut, kept = _divided(going, 0 if most is None else max(0, _parts(going) - scaled(most)))
        repaid, unpaid = _divided(debts, units)
        if over and rule.overage == "carried":
            unpaid.append(CarriedUnits(unscaled(-scaled(over)), self.period))
        _set_all(
            self,
            limit=limit,
            overage=0 if rule.overage == "carried" else over,
            drawn=tuple(drawn),
            repaid=tuple(repaid),
            expired=tuple(expired),
            cut=tuple(cut),
            carried=(*unpaid, *kept),  # one of them is empty
        )

    @property
    def free(self) -> Quantity:
        """Units that cost nothing: the limit, or what was used beyond it where that is carried.

        It is what `calculate` takes among `limits`, so that it charges the `overage`.
        """
        return self.limit if self.rule.overage == "charged" else max(self.limit, self.used)

    def _there(self) -> list[CarriedUnits]:
        """Return what can be drawn, the oldest first, what the period includes as the last."""
        after = self.rule.expires_after
        left = None if after is None else after + 1
        own = [CarriedUnits(self.included, self.period, left)] if self.included else []
        return [*(layer for layer in self.brought if layer.quantity > 0), *own]

    def _in_turn(self, there: list[CarriedUnits]) -> list[CarriedUnits]:
        if self.rule.draw == "oldest_first":
            return there
        return sorted(there, key=lambda layer: layer.period != self.period)

    def explain(self) -> str:
        """Say where the limit comes from and what became of it, as text with a line for each part.

        >>> month = Period.month(2024, 2)
        >>> january = CarriedUnits(20_000, Period.month(2024, 1))
        >>> print(CarryOverResult(CarryOver(), [january], 500_000, 510_000, month).explain())
        Allowance of 2024-02-01 to 2024-03-01 UTC: limit 520,000, used 510,000, over 0
        <BLANKLINE>
        from                            units    drawn  expired  cut  carried on
        2024-01-01 to 2024-02-01 UTC   20,000   20,000        0    0           0
        included                      500,000  490,000        0    0      10,000
        """
        over = excess(self.used, self.limit)
        numbers = [plain_text(number) for number in (self.limit, self.used, over)]
        title = "Allowance of {}: limit {}, used {}, over {}{}".format(
            self.period.describe(),
            *numbers,
            " (carried on)" if over and not self.overage else "",
        )
        rows = [_COLUMNS, *(self._row(layer.period, layer.quantity) for layer in self.brought)]
        rows.append(["included", *self._row(self.period, self.included)[1:]])
        return f"{title}\n\n{text_table(rows, 'lrrrrr')}"

    def _row(self, period: Period, units: Quantity) -> list[str]:
        became = ((*self.drawn, *self.repaid), self.expired, self.cut, self.carried)
        numbers = [
            next((layer.quantity for layer in layers if layer.period == period), 0)
            for layers in became
        ]
        return [period.describe(), *map(plain_text, [units, *numbers])]


def _in_order(value: object, field: Field) -> tuple[CarriedUnits, ...]:
    layers = tuple_of(CarriedUnits)(value, field)
    for i, (before, layer) in enumerate(pairwise(layers), 1):
        if layer.period.start < before.period.end:
            problem = f"must come from a period after that of the one before, {before.period}"
            raise InvalidValue(at(field, i), layer, problem)
    return layers


def _negative(layers: Iterable[CarriedUnits]) -> list[CarriedUnits]:
    return [layer for layer in layers if layer.quantity < 0]


def _parts(layers: Iterable[CarriedUnits]) -> int:
    """Return the units of some layers, of one sign, in parts."""
    return sum(abs(scaled(layer.quantity)) for layer in layers)


def _divided(
    layers: Iterable[CarriedUnits], parts: int
) -> tuple[list[CarriedUnits], list[CarriedUnits]]:
    """Take so many parts from layers, in their order; return what is taken and what is left."""
    taken: list[CarriedUnits] = []
    left: list[CarriedUnits] = []
    for layer in layers:
        whole = abs(scaled(layer.quantity))
        part = min(parts, whole)
        parts -= part
        sign = 1 if layer.quantity > 0 else -1
        for into, share in [(taken, part), (left, whole - part)]:
            if share:
                into.append(evolve(layer, quantity=unscaled(sign * share)))
    return taken, left


def _aged(layers: Iterable[CarriedUnits]) -> tuple[list[CarriedUnits], list[CarriedUnits]]:
    """Return what expires at the end of a period, and the rest as it goes on, the oldest first."""
    expired, going = [], []
    for layer in sorted(layers, key=lambda layer: layer.period):
        if layer.periods_left is None:
            going.append(layer)
        elif layer.periods_left == 1:
            expired.append(layer)
        else:
            going.append(evolve(layer, periods_left=layer.periods_left - 1))
    return expired, going


def _set_all(value: CarryOverResult, **fields: object) -> None:
    for name, held in fields.items():
        object.__setattr__(value, name, held)
