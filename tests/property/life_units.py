"""Units in an independent model of an account's life: converted, shared out, carried over."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from overages import Allowance, Graduated, Volume
from overages._ground.value import evolve

from . import oracle
from .life_model import ZERO, Layers


def converted(allowance: Allowance, used: Fraction) -> Fraction:
    """Return used units as those that are priced."""
    rule = allowance.conversion
    if rule is None or not used:
        return used
    least = Fraction(rule.minimum)
    units = max(ZERO, used * Fraction(rule.multiply) / Fraction(rule.divide) - least)
    if rule.increment is not None:
        step = Fraction(rule.increment)
        units = step * oracle.rounded(units / step, rule.rounding.value)
    return least + units


def share_of(units: Fraction, share: Fraction, allowance: Allowance) -> Fraction:
    if share == 1:
        return units
    step = Fraction(allowance.increment)
    return step * oracle.rounded(units * share / step, allowance.increment_rounding.value)


def for_share(price: Any, share: Fraction, allowance: Allowance) -> Any:
    """Return the price of a part: its bounds and fees are those of its share."""
    if share == 1 or not isinstance(price, Graduated | Volume):
        return price
    tiers, below, above = [], ZERO, ZERO
    for tier in price.tiers:
        fees: dict[str, Any] = {"flat": Fraction(tier.flat) * share}
        if tier.maximum is not None:
            fees["maximum"] = Fraction(tier.maximum) * share
        if tier.up_to is None:
            tiers.append(evolve(tier, **fees))
        else:
            whole = Fraction(tier.up_to)
            least = min(Fraction(allowance.increment), whole - above)
            below = max(share_of(whole, share, allowance), below + least)
            above = whole
            assert below.denominator == 1
            tiers.append(evolve(tier, up_to=int(below), **fees))
    return evolve(price, tiers=tiers)


def carry(
    rule: Any, layers: Layers, included: Fraction, used: Fraction, free: Fraction, day: int
) -> tuple[Fraction, Layers]:
    """Return the limit with what was carried over, and what is left of it."""
    left = None if rule.expires_after is None else rule.expires_after + 1
    mine: Layers = [(day, included, left)] if included else []
    held = [each for each in layers if each[1] > 0]
    owed = [(day, -units, left) for day, units, left in layers if units < 0]
    debt = sum((units for _, units, _ in owed), ZERO)
    usable = sum((units for _, units, _ in [*held, *mine]), ZERO)
    limit = max(ZERO, usable - debt)
    drawing = used if used <= limit else max(limit, used - free)
    in_turn = [*held, *mine] if rule.draw == "oldest_first" else [*mine, *held]
    unused = sorted(_without(in_turn, debt + drawing), key=lambda each: each[0])
    debts = [(day, -units, left) for day, units, left in _without(owed, usable)]
    beyond = max(ZERO, drawing - limit)
    if beyond and rule.overage == "carried":
        debts.append((day, -beyond, None))
        limit += beyond
    return limit, [*debts, *unused]


def within_bounds(rule: Any, layers: Layers, included: Fraction) -> Layers:
    """Return what may leave a period: at most so much, without the oldest units."""
    bounds = [] if rule.up_to is None else [Fraction(rule.up_to)]
    if rule.share is not None:
        step = Fraction(rule.increment)
        part = oracle.rounded(included * Fraction(rule.share) / step, rule.rounding.value)
        bounds.append(step * part)
    unused = [each for each in layers if each[1] > 0]
    total = sum((units for _, units, _ in unused), ZERO)
    beyond = max(ZERO, total - min(bounds, default=total))
    return [*(each for each in layers if each[1] < 0), *_without(unused, beyond)]


def _without(layers: Iterable[tuple[int, Fraction, int | None]], units: Fraction) -> Layers:
    """Return what is left of layers of which so many units are taken, in their order."""
    left: Layers = []
    for day, held, periods in layers:
        taken = min(held, units)
        units -= taken
        if held > taken:
            left.append((day, held - taken, periods))
    return left


def aged(layers: Layers) -> Layers:
    return [
        (day, units, None if left is None else left - 1)
        for day, units, left in layers
        if left is None or left > 1
    ]
