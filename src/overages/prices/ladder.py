"""A price table worked out in integers, ready for look-up.

The problem: of a quantity q, each tier below the one it reaches is full, and the rest is in that
one. With lower bounds b, prices p and flat fees f, tier k being the one reached,

    graduated:  cost(q) = sum for i < k of (f_i + p_i x (b_i+1 - b_i))  +  f_k + p_k x (q - b_k)
    volume:     cost(q) = f_k + p_k x q

exactly, for decimals of any kind, packages and maxima included. A bill asks it a million times.

The steps chosen:

1. All prices and fees of a table are brought to one denominator, so that costs are integers.
2. The cost of the full tiers below, and the flat fee, is the same for all quantities of a tier:
   it is worked out once. So is the breakdown of those tiers, which all charges then share.
3. A tier is a `Step`: ``fixed + price x (q - begin)``, found by bisection of the bounds. One that
   can reach its maximum is two: in the second, the maximum is fixed and nothing is added.
4. Quantities are counted in picos. Where all bounds and packages are integers, whole units are
   counted by a second ladder as they are, which saves their conversion.

Example: ``Graduated([Tier(10_000, "0.001"), Tier(None, "0.0005", flat=5, maximum=12)])`` in units,
its costs in 2,000ths:

    ======  ======  =====  ======  =============================================================
    beyond  begin   price  fixed
    ======  ======  =====  ======  =============================================================
    0       0       2      0
    10,000  10,000  1      30,000  10 for the full tier and 5 flat
    24,000  10,000  0      44,000  10, and the maximum of 12: 5 + 14,000 x 0.0005, and no more
    ======  ======  =====  ======  =============================================================

15,000 units are above 10,000: 30,000 + 1 x 5,000 = 35,000 of 2,000ths, or 17.50.

Not done: costs as `Fraction`, which takes five to 26 times as long; code generated for each table,
which gains less than a fifth; a cost for each tier of a charge, which few readers ask for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import lcm
from typing import NamedTuple

from attrs import evolve, frozen

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
from overages.errors import Field, InvalidType, InvalidValue, at
from overages.prices.tier import NO_CHARGE, Charge, Tier, TierCharge, new_charge


def parse_tiers(value: object, field: Field) -> tuple[Tier, ...]:
    """Return the tiers of a lawful table: bounds rise, and only the last one is open.

    :raises InvalidValue: for one fault, or `InvalidValues` for all of several.
    """
    problems = Problems()
    tiers = as_tuple(value, field)
    if not tiers:
        problems.add(InvalidValue(field, tiers, "must hold at least one tier"))
    bound: Quantity = 0
    for i, tier in enumerate(tiers):
        is_last = i == len(tiers) - 1
        if not isinstance(tier, Tier):
            problems.add(InvalidType(at(field, i), tier, "must be a Tier"))
        elif tier.up_to is None:
            if not is_last:
                problem = "must have a bound, for only the last tier is open"
                problems.add(InvalidValue(at(field, i, "up_to"), None, problem))
        else:
            if is_last:
                problem = "must be None, or what lies beyond has no price"
                problems.add(InvalidValue(at(field, i, "up_to"), tier.up_to, problem))
            if tier.up_to <= bound:
                problem = f"must be more than {bound}, where the tier begins"
                problems.add(InvalidValue(at(field, i, "up_to"), tier.up_to, problem))
            bound = max(bound, tier.up_to)  # so that one bound that is too low hides no other
    problems.raise_any()
    return tiers


class Stretch(NamedTuple):
    """Quantities over which a cost rises evenly, or by equal packages, and never falls.

    :param up_to: the last of them, in units; None where there is no end.
    :param unit_price: the rise by each unit, in major currency units.
    :param package: the units of a package, by less than whose price the cost is off an even rise;
        zero where there are none.
    """

    up_to: Quantity | None
    unit_price: Fraction
    package: Quantity


class PriceTable:
    """Lawful tiers, ready to price quantities. Not a value, but the inner part of one.

    :param cumulative: whether each unit has the price of its own tier (graduated), or all units
        have that of the tier reached (volume).
    :param flat_at_zero: whether the first tier's flat fee is due at quantity zero already.
    """

    __slots__ = ("_at_zero", "_by_picos", "_by_units", "_counts_units", "_make", "slope")

    def __init__(
        self, tiers: Sequence[Tier], *, cumulative: bool = False, flat_at_zero: bool = False
    ) -> None:
        self._at_zero = Charge([TierCharge(tiers[0], 0)]) if flat_at_zero else NO_CHARGE
        self.slope: Fraction | None = _slope(tiers)
        """Cost of each unit, where it is the same for all and nothing else is due; else None."""
        self._make = partial(Ladder, tiers, cumulative=cumulative)
        self._counts_units = not any(
            isinstance(number, Decimal) for tier in tiers for number in (tier.up_to, tier.size)
        )
        # Half of making a price each: of 10,000 in a list, an org has a use for three.
        self._by_units: Ladder | None = None
        self._by_picos: Ladder | None = None

    def ladder_of_units(self) -> Ladder | None:
        """Return the steps that count whole units; None where bounds or packages have decimals."""
        if self._by_units is None and self._counts_units:
            self._by_units = self._make(per_unit=1)
        return self._by_units

    def _ladder_of_picos(self) -> Ladder:
        if self._by_picos is None:
            self._by_picos = self._make(per_unit=SCALE)
        return self._by_picos

    def stretches(self) -> tuple[Stretch, ...]:
        """Return the stretches of the quantities above zero, from the first one up."""
        ladder = self._ladder_of_picos()
        ends: list[Quantity | None] = [*map(unscaled, ladder.bounds), None]
        stretches = []
        for end, step in zip(ends, ladder.steps, strict=True):
            price = Fraction(step.price * SCALE, ladder.denominator * (step.package or 1))
            stretches.append(Stretch(end, price, unscaled(step.package)))
        return tuple(stretches)

    def charge(self, quantity: QuantityLike) -> Charge:
        """Return the charge of a quantity, zero or more, in major currency units."""
        ladder = self._by_units
        if ladder is not None and type(quantity) is int and 0 < quantity < LIMIT:
            counted = quantity
        elif ladder is None and self.ladder_of_units() is not None:
            return self.charge(quantity)
        else:
            number = parse_non_negative(quantity, "quantity")
            if not number:  # no tier is entered, so no flat fee is due but by `flat_at_zero`
                return self._at_zero
            ladder, counted = self._ladder_of_picos(), scaled(number)
        step = ladder.steps[bisect_left(ladder.bounds, counted)]  # left: a bound is in its tier
        beyond = counted - step.begin
        inside = beyond if ladder.per_unit == 1 else unscaled(beyond)
        if step.package:
            beyond = _packages(beyond, step.package, step.tier)
        cost = step.fixed + beyond * step.price
        # The reached tier's own cost takes a third of the time: it is made when it is read.
        return new_charge(step.full, (step.tier, inside, step.above), cost, ladder.denominator)


def _slope(tiers: Sequence[Tier]) -> Fraction | None:
    tier = tiers[0]
    if len(tiers) > 1 or tier.flat or tier.size is not None:
        return None
    if tier.maximum is not None:
        return None if tier.price and tier.maximum else Fraction()
    return Fraction(tier.price) / Fraction(tier.per)


@frozen(weakref_slot=False)
class Step:
    """A range of quantities whose cost is ``fixed + price x (quantity - begin)``.

    A slot is read as fast as a tuple is unpacked, and has a name.

    :param begin: exclusive lower bound of the tier, as the ladder counts.
    :param price: cost of each that is counted beyond it, or of each package.
    :param fixed: cost of the full tiers below, with the flat fee or the maximum that is reached.
    :param package: size of a package, as the ladder counts; 0 where there are none.
    :param tier: the tier.
    :param above: its exclusive lower bound in units.
    :param full: the charges of the full tiers below.
    """

    begin: int
    price: int
    fixed: int
    package: int
    tier: Tier
    above: Quantity
    full: tuple[TierCharge, ...]


class Ladder:
    """The steps of a table in integers; see above for a worked example.

    :param per_unit: how many are counted for a unit: 1, or `SCALE` where picos are.
    """

    __slots__ = ("bounds", "denominator", "per_unit", "steps")

    def __init__(self, tiers: Sequence[Tier], *, cumulative: bool, per_unit: int) -> None:
        costs = [_costs(tier, per_unit) for tier in tiers]
        self.per_unit: int = per_unit
        self.bounds: list[int] = []
        self.denominator: int = lcm(*(cost.denominator for row in costs for cost in row))
        self.steps: list[Step] = []
        below = 0  # the cost of the full tiers below
        full: tuple[TierCharge, ...] = ()
        above: Quantity = 0
        for tier, row in zip(tiers, costs, strict=True):
            price, flat, *maximum = (int(cost * self.denominator) for cost in row)  # exactly
            begin = self._counted(above)
            package = 0 if tier.size is None else self._counted(tier.size)
            self.steps.append(Step(begin, price, below + flat, package, tier, above, full))
            if maximum:
                self._cap(below + maximum[0])
            if tier.up_to is None:
                continue  # it is the last one
            self.bounds.append(self._counted(tier.up_to))
            if cumulative:  # else all begin at zero again, with nothing due below
                units = self.bounds[-1] - begin
                cost = flat + price * (_packages(units, package, tier) if package else units)
                below += min(cost, *maximum) if maximum else cost
                full += (TierCharge(tier, unscaled(scaled(tier.up_to) - scaled(above)), above),)
                above = tier.up_to

    def _counted(self, number: Quantity) -> int:
        return scaled(number) * self.per_unit // SCALE

    def _cap(self, maximum: int) -> None:
        """End the last step where it comes to a maximum, if it does, and let another one follow."""
        step = self.steps[-1]
        capped = evolve(step, price=0, fixed=maximum, package=0)
        left = maximum - step.fixed
        if left < 0:  # the flat fee alone is more
            self.steps[-1] = capped
        elif step.price:  # else no quantity comes to it
            end = step.begin + _most_within(left // step.price, step.package, step.tier)
            # The first step of a volume price begins at zero, whatever its tier's lower bound is.
            if end <= (self.bounds[-1] if self.bounds else 0):
                self.steps[-1] = capped
            elif step.tier.up_to is None or end < self._counted(step.tier.up_to):
                self.bounds.append(end)
                self.steps.append(capped)


def _packages(counted: int, size: int, tier: Tier) -> int:
    return -(-counted // size) if tier.count == "started" else counted // size


def _most_within(times: int, package: int, tier: Tier) -> int:
    """Return the most that can be counted while a price is due so many times, and no more.

    Of completed packages, the one after them is free until it is full.
    """
    if not package:
        return times
    return times * package if tier.count == "started" else (times + 1) * package - 1


def _costs(tier: Tier, per_unit: int) -> tuple[Fraction, ...]:
    """Return a tier's price (for each that is counted, or a package), flat fee and any maximum."""
    price = Fraction(tier.price) / Fraction(tier.per) / (per_unit if tier.size is None else 1)
    fees = (tier.flat,) if tier.maximum is None else (tier.flat, tier.maximum)
    return (price, *(Fraction(fee) for fee in fees))
