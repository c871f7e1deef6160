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

from overages.errors import InvalidType, InvalidValue
from overages.exact import LIMIT, SCALE, Quantity, QuantityLike, non_negative, scaled, unscaled
from overages.parsing import Problems, as_tuple
from overages.tier import NOTHING, Charge, Count, Tier, TierCharge, new_charge


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
        where = f"tiers[{i}]"
        if not isinstance(tier, Tier):
            problems.add(InvalidType(where, tier, "must be a Tier"))
            continue
        _check_signs(tier, where, problems)
        last = i == len(table) - 1
        if tier.up_to is None:
            if not last:
                problem = "must have a bound, for only the last tier is open"
                problems.add(InvalidValue(f"{where}.up_to", None, problem))
            continue
        if last:
            problem = "must be None, or what lies beyond has no price"
            problems.add(InvalidValue(f"{where}.up_to", tier.up_to, problem))
        if tier.up_to <= before:
            problem = f"must be more than {before}, where the tier begins"
            problems.add(InvalidValue(f"{where}.up_to", tier.up_to, problem))
        before = max(before, tier.up_to)
    problems.raise_any()
    return table


def _check_signs(tier: Tier, where: str, problems: Problems) -> None:
    for name in ("price", "flat"):
        value = getattr(tier, name)
        if value < 0:
            problems.add(InvalidValue(f"{where}.{name}", value, "must not be negative"))
    for name in ("per", "size"):
        value = getattr(tier, name)
        if value is not None and value <= 0:
            problems.add(InvalidValue(f"{where}.{name}", value, "must be more than zero"))


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
            number = non_negative(quantity, "quantity")
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
    """

    __slots__ = ("bounds", "denominator", "quantum", "steps")

    def __init__(self, tiers: Sequence[Tier], *, cumulative: bool, quantum: int) -> None:
        costs = [_prices(tier, quantum) for tier in tiers]
        self.quantum = quantum
        self.bounds = [_parts(tier.up_to, quantum) for tier in tiers if tier.up_to is not None]
        self.denominator = lcm(*(cost.denominator for pair in costs for cost in pair))
        self.steps = []
        due = 0  # for all tiers below, when they are full
        full: tuple[TierCharge, ...] = ()
        above: Quantity = 0
        for tier, (price, flat) in zip(tiers, costs, strict=True):
            rate, base = int(price * self.denominator), due + int(flat * self.denominator)
            size = 0 if tier.size is None else _parts(tier.size, quantum)
            lower = _parts(above, quantum)
            self.steps.append((lower, rate, base, size, tier.count, full, tier, above))
            if cumulative and tier.up_to is not None:
                inside = unscaled(scaled(tier.up_to) - scaled(above))
                units = _parts(inside, quantum)
                due = base + rate * (_packages(units, size, tier.count) if size else units)
                full += (TierCharge(tier, inside, above),)
                above = tier.up_to


def _is_whole(tiers: Sequence[Tier]) -> bool:
    """Say whether whole quantities stay whole: no bound and no package has decimals."""
    return not any(isinstance(n, Decimal) for tier in tiers for n in (tier.up_to, tier.size))


def _packages(parts: int, size: int, count: Count) -> int:
    return -(-parts // size) if count == "started" else parts // size


def _parts(number: Quantity, quantum: int) -> int:
    return scaled(number) * quantum // SCALE


def _prices(tier: Tier, quantum: int) -> tuple[Fraction, Fraction]:
    """Return the tier's price for a part of a unit (or for a package) and its flat fee."""
    price = Fraction(tier.price)
    return price / Fraction(tier.per) / (quantum if tier.size is None else 1), Fraction(tier.flat)
