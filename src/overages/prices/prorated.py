"""Graduated prices of units that are there for part of a period: seats that join and leave.

Each event changes how many units there are, and says for how much of the period that counts. Tiers
go by how many there are, and what is due of each unit by its share of the period:

    price = Graduated([Tier(5, price=10, flat=100), Tier(None, price=5, flat=50)])
    prorated_cost(price, [(1, "0.71"), (4, "1.55"), (-5, "-0.8")])
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from overages._ground.parsing import Problems, as_tuple, instance_of, parse_all
from overages.amounts.exact import Exact, QuantityLike, exact_number, exact_ratio, quantity
from overages.errors import InvalidType, InvalidValue
from overages.prices.models import Graduated
from overages.prices.tier import Tier

Event: TypeAlias = tuple[QuantityLike, "QuantityLike | Fraction"]
"""Units that came (or went, if negative), and what they count for in the period."""


def prorated_cost(price: Graduated, events: Iterable[Event]) -> Exact:
    """Return what units cost that were there for part of a period, exactly.

    The running total is walked event by event. The slice of an event that lies within a tier counts
    times the event's weight per unit; what goes takes slices off the top. A tier that was ever
    entered owes its flat fee whole, also when it is empty again, and a tier's maximum holds for all
    that it owes. Units below zero count as given back from the first tier; if less than nothing is
    left at the end, in units or in cost, nothing is due.

    :param price: by the unit; in it, packages have no meaning and are refused.
    :param events: (units, weight) in the order in which they happened; the weight is the units
        times their share of the period, so it has their sign and is no larger.
    :returns: major currency units, unrounded.
    :raises InvalidType: for an event that is no pair, or a float.
    :raises InvalidValue: for a weight that isn't of the units, or a tier of packages;
        `InvalidValues` for several.

    >>> from overages import Graduated, Tier
    >>> price = Graduated([Tier(5, price=10, flat=100), Tier(None, price=5, flat=50)])
    >>> prorated_cost(price, [(6, 6), (-2, "-0.5")])    # 4.75 x 10 + 100, 0.75 x 5 + 50
    Decimal('201.25')
    """
    table, walk = parse_all((_by_unit, price, "price"), (_events, events, "events"))
    bounds = [Fraction(tier.up_to) for tier in table.tiers if tier.up_to is not None]
    counted = [Fraction() for _ in table.tiers]
    total = highest = Fraction()
    for units, share in walk:
        steps = zip(_split(total, bounds), _split(total + units, bounds), strict=True)
        slices = [share * (after - before) for before, after in steps]
        counted = [sum(parts, Fraction()) for parts in zip(counted, slices, strict=True)]
        total += units
        highest = max(highest, total)
    entered = [highest > 0 or table.flat_at_zero, *(highest > bound for bound in bounds)]
    cost = sum(map(_due, table.tiers, counted, entered), Fraction())
    if total < 0 or cost < 0:
        return exact_number(0, 1)
    return exact_number(*cost.as_integer_ratio())


def _split(total: Fraction, bounds: list[Fraction]) -> list[Fraction]:
    """Return how much of a running total lies in each tier; what is below zero, in the first."""
    reached = [min(total, bound) for bound in bounds]
    edges = [Fraction(), *reached, total]
    return [upper - lower for lower, upper in pairwise(edges)]


def _due(tier: Tier, units: Fraction, entered: bool) -> Fraction:
    cost = units * Fraction(tier.price) / Fraction(tier.per)
    if entered:
        cost += Fraction(tier.flat)
    return cost if tier.maximum is None else min(cost, Fraction(tier.maximum))


def _by_unit(value: object, field: str) -> Graduated:
    price: Graduated = instance_of(Graduated)(value, field)
    problems = Problems()
    for i, tier in enumerate(price.tiers):
        if tier.size is not None:
            problem = "must be None, for a share of a package has no price"
            problems.add(InvalidValue(f"{field}.tiers[{i}].size", tier.size, problem))
    problems.raise_any()
    return price


def _events(value: object, field: str) -> list[tuple[Fraction, Fraction]]:
    problems = Problems()
    events = as_tuple(value, field)
    found = [problems.attempt(_event, event, f"{field}[{i}]") for i, event in enumerate(events)]
    problems.raise_any()
    return found


def _event(value: object, field: str) -> tuple[Fraction, Fraction]:
    """Return an event's units, and how much of the period they count."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise InvalidType(field, value, "must be a tuple of units and their weight")
    number, weight = parse_all(
        (quantity, value[0], f"{field}.units"), (exact_ratio, value[1], f"{field}.weight")
    )
    units = Fraction(number)
    share = weight / units if units else Fraction()
    if share * units != weight or not 0 <= share <= 1:
        problem = f"must lie between 0 and the units, {number}"
        raise InvalidValue(f"{field}.weight", value[1], problem)
    return units, share
