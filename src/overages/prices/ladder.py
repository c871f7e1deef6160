"""A price table worked out: its bounds, its running totals and its full tiers, ready for look-up.

The tiered prices hold one and ask it for each quantity:

    table = PriceTable(tiers, cumulative=True)        # graduated
    table.charge(15_000)                              # Charge(...)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import TypeAlias

from overages._ground.parsing import Problems, as_tuple
from overages.amounts.exact import (
    LIMIT,
    SCALE,
    Quantity,
    QuantityLike,
    parse_non_negative,
    scaled,
    unscaled,
)
from overages.errors import InvalidType, InvalidValue
from overages.prices.tier import NOTHING, Charge, Count, Tier, TierCharge, new_charge

Step: TypeAlias = tuple[int, int, int, int, Count, tuple[TierCharge, ...], Tier, Quantity]
"""Lower bound, rate, what is due at it with the flat fee, package (or 0) and how packages count,
full tiers below, the tier, and its lower bound in units."""


def check_table(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    """Return the tiers of a lawful table: bounds rise, only the last one is open, no sign is minus.

    :raises InvalidValue: for one fault, or `InvalidValues` for all of several.
    """
    problems = Problems()
    table: tuple[Tier, ...] = as_tuple(tiers, "tiers")
    if not table:
        problems.add(InvalidValue("tiers", table, "must hold at least one tier"))
    before: Quantity = 0
    for i, tier in enumerate(table):
        if not isinstance(tier, Tier):
            problems.add(InvalidType(("tiers", i), tier, "must be a Tier"))
            continue
        _check_signs(tier, i, problems)
        last = i == len(table) - 1
        if tier.up_to is None:
            if not last:
                problem = "must have a bound, for only the last tier is open"
                problems.add(InvalidValue(("tiers", i, "up_to"), None, problem))
            continue
        if last:
            problem = "must be None, or what lies beyond has no price"
            problems.add(InvalidValue(("tiers", i, "up_to"), tier.up_to, problem))
        if tier.up_to <= before:
            problem = f"must be more than {before}, where the tier begins"
            problems.add(InvalidValue(("tiers", i, "up_to"), tier.up_to, problem))
        before = max(before, tier.up_to)
    problems.raise_any()
    return table


def _check_signs(tier: Tier, place: int, problems: Problems) -> None:
    for name in ("price", "flat", "maximum"):
        value = getattr(tier, name)
        if value is not None and value < 0:
            problems.add(InvalidValue(("tiers", place, name), value, "must not be negative"))
    for name in ("per", "size"):
        value = getattr(tier, name)
        if value is not None and value <= 0:
            problems.add(InvalidValue(("tiers", place, name), value, "must be more than zero"))


class PriceTable:
    """Checked tiers, ready to price quantities. Not a value, but the inner part of one.

    :param cumulative: whether each unit has the price of its own tier (graduated), or all units
        have that of the tier reached (volume).
    :param flat_at_zero: whether the first tier's flat fee is due at quantity zero already.
    """

    __slots__ = ("_at_zero", "_fine", "_whole")

    def __init__(
        self, tiers: Sequence[Tier], *, cumulative: bool = False, flat_at_zero: bool = False
    ) -> None:
        self._at_zero = Charge([TierCharge(tiers[0], 0)]) if flat_at_zero else NOTHING
        self._whole = Ladder(tiers, cumulative=cumulative, quantum=1) if _is_whole(tiers) else None
        self._fine = Ladder(tiers, cumulative=cumulative, quantum=SCALE)

    def charge(self, quantity: QuantityLike) -> Charge:
        """Return what a quantity, zero or more, costs in major currency units."""
        ladder = self._whole
        if ladder is not None and type(quantity) is int and 0 < quantity < LIMIT:
            parts = quantity
        else:
            number = parse_non_negative(quantity, "quantity")
            if not number:
                return self._at_zero
            ladder, parts = self._fine, scaled(number)
        step = ladder.steps[bisect_left(ladder.bounds, parts)]
        lower, rate, base, size, count, full, tier, above = step
        parts -= lower
        inside = parts if ladder.quantum == 1 else unscaled(parts)
        if size:
            parts = _packages(parts, size, count)
        return new_charge(full, (tier, inside, above), base + parts * rate, ladder.denominator)

    @property
    def slope(self) -> Fraction | None:
        """Cost of each unit, where it is the same for all and nothing else is due; else None."""
        (_, rate, base, size, *_), *others = self._fine.steps
        if others or base or size:
            return None
        return Fraction(rate * SCALE, self._fine.denominator)


class Ladder:
    """The steps of a table in integers.

    Quantities are counted in `quantum` parts of a unit (1 where every bound and package is whole,
    else `SCALE`), costs in parts of a major currency unit, as many as the `denominator` says.

    A tier that can reach its maximum has two steps, of which the second costs that and no more: so
    a quantity is looked up and priced as fast as without any maximum.
    """

    __slots__ = ("bounds", "denominator", "quantum", "steps")

    def __init__(self, tiers: Sequence[Tier], *, cumulative: bool, quantum: int) -> None:
        costs = [_prices(tier, quantum) for tier in tiers]
        self.quantum: int = quantum
        self.bounds: list[int] = []
        self.denominator: int = lcm(*(cost.denominator for row in costs for cost in row))
        self.steps: list[Step] = []
        due = 0  # for all tiers below, when they are full
        full: tuple[TierCharge, ...] = ()
        above: Quantity = 0
        for tier, row in zip(tiers, costs, strict=True):
            rate, flat, *most = (int(cost * self.denominator) for cost in row)
            size = 0 if tier.size is None else _parts(tier.size, quantum)
            lower = _parts(above, quantum)
            self.steps.append((lower, rate, due + flat, size, tier.count, full, tier, above))
            for maximum in most:
                self._cap(due + maximum)
            if tier.up_to is None:
                continue  # it is the last one
            self.bounds.append(_parts(tier.up_to, quantum))
            if cumulative:
                units = self.bounds[-1] - lower
                cost = flat + rate * (_packages(units, size, tier.count) if size else units)
                due += min(cost, *most) if most else cost
                full += (TierCharge(tier, unscaled(scaled(tier.up_to) - scaled(above)), above),)
                above = tier.up_to

    def _cap(self, maximum: int) -> None:
        """End the last step where it comes to a maximum, if it does, and let another one follow."""
        lower, rate, base, size, count, full, tier, above = self.steps[-1]
        begin = self.bounds[-1] if self.bounds else 0
        capped = (lower, 0, maximum, 0, count, full, tier, above)
        left = maximum - base
        if left < 0:
            self.steps[-1] = capped
        elif rate:
            end = lower + _most_parts(left // rate, size, count)
            if end <= begin:
                self.steps[-1] = capped
            elif tier.up_to is None or end < _parts(tier.up_to, self.quantum):
                self.bounds.append(end)
                self.steps.append(capped)


def _is_whole(tiers: Sequence[Tier]) -> bool:
    """Say whether whole quantities stay whole: no bound and no package has decimals."""
    return not any(isinstance(n, Decimal) for tier in tiers for n in (tier.up_to, tier.size))


def _packages(parts: int, size: int, count: Count) -> int:
    return -(-parts // size) if count == "started" else parts // size


def _most_parts(times: int, size: int, count: Count) -> int:
    """Return the most parts for which a price is due so many times at most."""
    if not size:
        return times
    return times * size if count == "started" else (times + 1) * size - 1


def _parts(number: Quantity, quantum: int) -> int:
    return scaled(number) * quantum // SCALE


def _prices(tier: Tier, quantum: int) -> tuple[Fraction, ...]:
    """Return the tier's price for a part of a unit (or a package), its flat fee and any maximum."""
    price = Fraction(tier.price) / Fraction(tier.per) / (quantum if tier.size is None else 1)
    fees = (tier.flat,) if tier.maximum is None else (tier.flat, tier.maximum)
    return (price, *map(Fraction, fees))
