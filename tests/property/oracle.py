"""An independent model of every answer: fractions only, and the definitions written out.

It knows values by their attributes and calls nothing of the library that calculates. Where it can
be slow to be plain, it is slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, TypeAlias

from overages import (
    Exchanged,
    Graduated,
    Percentage,
    PerUnit,
    Plan,
    Tier,
    TransactionFee,
    Usage,
    UsageEvent,
    Volume,
)

Number: TypeAlias = int | Decimal | Fraction | str

ONE_PART = Fraction(1, 10**12)  # the finest quantity
MOST = 10**26 - ONE_PART  # the largest


# What a quantity costs


def price_of(model: Any, quantity: Number) -> Fraction:
    """Return what a quantity costs by a price model, in major currency units."""
    return sum(tier_costs(model, quantity).values(), Fraction())


def tier_costs(model: Any, quantity: Number) -> dict[int, Fraction]:
    """Return what a quantity costs in each tier that it uses, by the tier's index."""
    units = Fraction(quantity)
    if isinstance(model, Exchanged):
        rate = Fraction(model.rate) / Fraction(model.per)
        return {i: cost * rate for i, cost in tier_costs(model.price, quantity).items()}
    if isinstance(model, Percentage):
        return {0: units * Fraction(model.percent) / 100} if units else {}
    if isinstance(model, PerUnit):
        return {0: units / Fraction(model.per) * Fraction(model.price)} if units else {}
    if isinstance(model, (Graduated, Volume)):
        if not units:
            return {0: _at_zero(model)} if model.flat_at_zero else {}
        inside = parts_within if isinstance(model, Graduated) else all_in_one
        return {i: cost_in(model.tiers[i], part) for i, part in inside(model.tiers, units).items()}
    _check_counts_packages(model)
    return {0: packages(units, model.size, model.count) * Fraction(model.price)} if units else {}


def parts_within(tiers: Sequence[Tier], units: Fraction) -> dict[int, Fraction]:
    """Return how much of a quantity lies within the bounds of each tier, where any does."""
    found = {}
    lower = Fraction()
    for i, tier in enumerate(tiers):
        upper = units if tier.up_to is None else Fraction(tier.up_to)
        inside = min(units, upper) - lower
        if inside > 0:
            found[i] = inside
        lower = upper
    return found


def all_in_one(tiers: Sequence[Tier], units: Fraction) -> dict[int, Fraction]:
    """Return the whole quantity at the first tier that is wide enough for it."""
    fitting = [i for i, t in enumerate(tiers) if t.up_to is None or units <= Fraction(t.up_to)]
    return {fitting[0]: units}


def cost_in(tier: Tier, units: Fraction) -> Fraction:
    """Return what some units, more than none, cost within a tier."""
    return capped(tier, uncapped_cost_in(tier, units))


def capped(tier: Tier, cost: Fraction) -> Fraction:
    """Return a cost, or the most that the tier can cost."""
    return cost if tier.maximum is None else min(cost, Fraction(tier.maximum))


def uncapped_cost_in(tier: Tier, units: Fraction) -> Fraction:
    """Return what some units, more than none, would cost within a tier without a maximum."""
    if tier.size is None:
        times = units / Fraction(tier.per)
    else:
        times = Fraction(packages(units, tier.size, tier.count))
    return times * Fraction(tier.price) + Fraction(tier.flat)


def unit_price_of(model: Any, quantity: Number) -> Fraction | None:
    """Return the price that all units of a quantity have, if no fee or package is in the way."""
    if isinstance(model, Exchanged):
        price = unit_price_of(model.price, quantity)
        return None if price is None else price * Fraction(model.rate) / Fraction(model.per)
    used = tier_costs(model, quantity)
    if isinstance(model, Percentage):
        found = {Fraction(model.percent) / 100}
    elif isinstance(model, PerUnit):
        found = {Fraction(model.price) / Fraction(model.per)}
    elif isinstance(model, (Graduated, Volume)):
        tiers = [model.tiers[i] for i in used]
        if any(t.flat or t.size is not None or t.maximum is not None for t in tiers):
            return None
        found = {Fraction(tier.price) / Fraction(tier.per) for tier in tiers}
    else:
        return None
    return found.pop() if used and len(found) == 1 else None


def _check_counts_packages(model: Any) -> None:
    """Refuse a model that is none of those above: it must be a package, or a host's own like it."""
    if not (hasattr(model, "size") and hasattr(model, "count")):
        raise TypeError(f"the oracle doesn't know {type(model).__name__}")


def packages(units: Fraction, size: Number, count: str) -> int:
    """Return how many packages of a size were started, or completed."""
    return {"started": ceil, "completed": floor}[count](units / Fraction(size))


def unit_by_unit(model: Any, quantity: int) -> Fraction:
    """Return what a whole quantity costs, by counting its units one after the other.

    Bounds and sizes must be whole, so that a unit never lies in two tiers or packages.
    """
    if isinstance(model, Volume):
        reached = next(t for t in model.tiers if t.up_to is None or quantity <= t.up_to)
        return _counted(reached, quantity) if quantity else _at_zero(model)
    if isinstance(model, Graduated):
        in_tiers = [0] * len(model.tiers)
        for unit in range(1, quantity + 1):
            index = next(i for i, t in enumerate(model.tiers) if t.up_to is None or unit <= t.up_to)
            in_tiers[index] += 1
        due = [_counted(t, n) for t, n in zip(model.tiers, in_tiers, strict=True) if n]
        return sum(due, Fraction()) if quantity else _at_zero(model)
    if isinstance(model, Percentage):
        return sum((Fraction(model.percent) / 100 for _ in range(quantity)), Fraction())
    if isinstance(model, PerUnit):
        return sum(
            (Fraction(model.price) / Fraction(model.per) for _ in range(quantity)), Fraction()
        )
    _check_counts_packages(model)
    return _started_or_full(quantity, model.size, model.count) * Fraction(model.price)


def _counted(tier: Tier, units: int) -> Fraction:
    if tier.size is not None:
        due = _started_or_full(units, tier.size, tier.count) * Fraction(tier.price)
        return capped(tier, due + Fraction(tier.flat))
    cost = Fraction(tier.flat)
    for _ in range(units):
        cost += Fraction(tier.price) / Fraction(tier.per)
    return capped(tier, cost)


def _started_or_full(units: int, size: Number, count: str) -> int:
    begun = full = 0
    room = Fraction()  # left in the package that is open
    for _ in range(units):
        if not room:
            begun += 1
            room = Fraction(size)
        room -= 1
        full += not room
    return begun if count == "started" else full


def _at_zero(model: Graduated | Volume) -> Fraction:
    first = model.tiers[0]
    return capped(first, Fraction(first.flat)) if model.flat_at_zero else Fraction()


# Rounding


def rounded(value: Fraction, mode: str) -> int:
    """Round to a whole number, by the definition of each mode."""
    below, above = floor(value), ceil(value)
    towards_zero, away = (below, above) if value >= 0 else (above, below)
    if mode in {"floor", "ceiling", "down", "up"}:
        return {"floor": below, "ceiling": above, "down": towards_zero, "up": away}[mode]
    if value - below != above - value:  # no tie (and a whole number is no tie with itself)
        return min(below, above, key=lambda whole: abs(value - whole))
    if below == above:
        return below
    even = below if below % 2 == 0 else above
    return {"half_up": away, "half_down": towards_zero, "half_even": even}[mode]


def largest_remainder(parts: Sequence[Fraction], total: int) -> list[int]:
    """Round parts, none negative, so that they come to a total: what is missing goes one by one.

    The next one is for the part that lost most, of equal ones for the first.
    """
    shares = [floor(part) for part in parts]
    lost = [part - share for part, share in zip(parts, shares, strict=True)]
    for _ in range(total - sum(shares)):
        most = lost.index(max(lost))
        shares[most] += 1
        lost[most] = Fraction(-1)
    return shares


def allocated(total: int, weights: Sequence[Number]) -> list[int]:
    """Split a whole number in proportion to weights."""
    whole = sum((Fraction(weight) for weight in weights), Fraction())
    if not whole:
        return [0] * len(weights)
    shares = largest_remainder([abs(total) * Fraction(w) / whole for w in weights], abs(total))
    return [share if total >= 0 else -share for share in shares]


# Statements


@dataclass(frozen=True)
class Line:
    """What a statement's line should say; the exact cost is in minor units."""

    used: Fraction
    limit: Fraction | None
    over: Fraction
    exact: Fraction
    cost: int


def lines_of(plan: Plan, usage: Usage, limits: Mapping[str, Any] | None) -> list[Line]:
    """Return what a statement should say of each metric, in the plan's order."""
    numbers = [_line_numbers(plan, metric, usage, limits or {}) for metric in plan.allowances]
    exact = [
        price_of(allowance.price, over) * 10**plan.currency.exponent
        for allowance, (_, _, over) in zip(plan.allowances.values(), numbers, strict=True)
    ]
    mode = plan.rounding.value
    if plan.rounding_scope == "line":
        costs = [rounded(minor, mode) for minor in exact]
    else:
        costs = largest_remainder(exact, rounded(sum(exact, Fraction()), mode))
    return [Line(*n, e, c) for n, e, c in zip(numbers, exact, costs, strict=True)]


def _line_numbers(
    plan: Plan, metric: str, usage: Usage, limits: Mapping[str, Any]
) -> tuple[Fraction, Fraction | None, Fraction]:
    used = Fraction(usage.quantities.get(metric, 0))
    limit = limits.get(metric, plan.allowances[metric].included)
    if limit is None:
        return used, None, Fraction()
    return used, Fraction(limit), max(Fraction(), used - Fraction(limit))


# Metering


def usage_sums(events: Iterable[UsageEvent]) -> dict[tuple[str, tuple[int, int], str], Fraction]:
    """Return what events come to by org, month (of UTC) and metric; each event id counts once."""
    sums: dict[tuple[str, tuple[int, int], str], Fraction] = {}
    seen = set()
    for event in events:
        if event.id is not None:
            if (event.org_id, event.id) in seen:
                continue
            seen.add((event.org_id, event.id))
        key = (event.org_id, (event.at.year, event.at.month), event.metric)
        sums[key] = sums.get(key, Fraction()) + Fraction(event.quantity)
    return sums


# Price tables


def table_faults(rows: Sequence[Mapping[str, Any] | None]) -> set[str]:
    """Return the path to each fault in a table of tiers; a row that is no tier is None."""
    faults = set() if rows else {"tiers"}
    for i, row in enumerate(rows):
        if row is None:
            faults.add(f"tiers[{i}]")
            continue
        bounds_below = [r["up_to"] for r in rows[:i] if r is not None and r["up_to"] is not None]
        bound, is_last = row["up_to"], i == len(rows) - 1
        misplaced = (bound is None) != is_last
        if misplaced or (bound is not None and bound <= max([0, *bounds_below])):
            faults.add(f"tiers[{i}].up_to")
    return faults


# Fees on transactions


def fees_on_sums(fee: TransactionFee, amounts: Sequence[Number]) -> tuple[int, Fraction]:
    """Return how many events are free, and the fee that is due without bounds.

    It is worked out of sums: the free amount is what the first free events come to, or the free
    amount if that is less; free events are the first ones whose running total is no more than it.
    """
    values = [Fraction(amount) for amount in amounts]
    if fee.free_events is None and fee.free_amount is None:
        most_events, most_amount = 0, Fraction()
    else:
        most_events = len(values) if fee.free_events is None else fee.free_events
        first = sum(values[:most_events], Fraction())
        most_amount = first if fee.free_amount is None else min(first, Fraction(fee.free_amount))
    within = [
        i
        for i in range(len(values))
        if fee.free_amount is None or sum(values[: i + 1]) <= Fraction(fee.free_amount)
    ]
    free = min(most_events, len(within))
    due = (sum(values, Fraction()) - most_amount) * Fraction(fee.percent) / 100
    return free, due + (len(values) - free) * Fraction(fee.fixed)
