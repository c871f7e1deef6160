"""Fates: the parts of an allowance that a period draws, repays, loses, and leaves to later ones.

Units are taken from in their order, the oldest first or the period's own first, and what is left of
each keeps the period that it is from. `overages.settlements.carry_over_result` says in which order
all this goes, and shows it:

    limit, overage, drawn, repaid, expired, cut, carried = fates_of(
        rule, brought, included=100, used=40, period=march, ages=True, included_before=0)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from overages.amounts.exact import Quantity, add_up, scaled, unscaled
from overages.periods.period import Period
from overages.terms.carry_over import CarriedUnits, CarryOver, new_units

_Units: TypeAlias = tuple[CarriedUnits, ...]

Fates: TypeAlias = tuple[Quantity, Quantity, _Units, _Units, _Units, _Units, _Units]
"""All that a `CarryOverResult` works out, in the order of its fields.

Limit, overage, and the units drawn, repaid, expired, cut and carried. (A plain tuple: a named one
takes ten times as long.)
"""


def fates_of(
    rule: CarryOver,
    brought: Iterable[CarriedUnits],
    included: Quantity,
    used: Quantity,
    period: Period,
    *,
    ages: bool,
    included_before: Quantity,
) -> Fates:
    """Work out the units that are drawn, and the fate of the others.

    The arguments are those of a `CarryOverResult`.
    """
    own = [new_units(included, period, rule.periods_at_first)] if included else []
    older: list[CarriedUnits] = []
    owed: list[CarriedUnits] = []
    picos, owed_picos, used_picos = scaled(included), 0, scaled(used)
    for units in brought:
        if units.quantity > 0:
            older.append(units)
            picos += scaled(units.quantity)
        else:
            owed.append(units)
            owed_picos -= scaled(units.quantity)
    usable = [*older, *own] if rule.draw == "oldest_first" else [*own, *older]
    limit_picos = picos - owed_picos if picos > owed_picos else 0
    over = unscaled(used_picos - limit_picos) if used_picos > limit_picos else 0
    # Units used beforehand are drawn as if they were used first, for they came first.
    drawn, unused = _divided(usable, owed_picos + used_picos)
    repaid, still_owed = _divided(owed, picos) if owed else ([], [])
    if rule.draw == "included_first":
        unused.sort(key=_start)
    expired, staying = aged(unused) if ages else ([], unused)
    # Expired units are gone before the bound is looked at: they don't use it up.
    cut: list[CarriedUnits] = []
    rest = staying
    is_bounded = ages and rule.is_bounded
    most = rule.most(add_up([included_before, included])) if is_bounded else None
    if most is not None:
        beyond = sum([scaled(units.quantity) for units in staying]) - scaled(most)
        cut, rest = _divided(staying, max(0, beyond))
    if over and rule.overage == "carried":
        # Borrowed: 120 used of 100 are charged nothing, and the next period has 20 less.
        still_owed.append(new_units(unscaled(limit_picos - used_picos), period, None))
        over = 0
    return (
        unscaled(limit_picos),
        over,
        tuple(drawn),
        tuple(repaid),
        tuple(expired),
        tuple(cut),
        (*still_owed, *rest),  # one of them is empty: units are left, or owed
    )


def _divided(
    carried: Iterable[CarriedUnits], picos: int
) -> tuple[list[CarriedUnits], list[CarriedUnits]]:
    """Take so many picos from units, in their order; return those taken and those left."""
    taken: list[CarriedUnits] = []
    left: list[CarriedUnits] = []
    for units in carried:
        if not picos:
            left.append(units)
            continue
        held = abs(scaled(units.quantity))
        if held <= picos:
            taken.append(units)
            picos -= held
        else:
            taken.append(_some_of(units, picos))
            left.append(_some_of(units, held - picos))
            picos = 0
    return taken, left


def _some_of(units: CarriedUnits, picos: int) -> CarriedUnits:
    """Return so many picos of units, of their sign."""
    quantity = unscaled(picos if units.quantity > 0 else -picos)
    return new_units(quantity, units.period, units.periods_left)


def _start(units: CarriedUnits) -> datetime:
    return units.period.start


def aged(
    unused: Iterable[CarriedUnits],
) -> tuple[list[CarriedUnits], list[CarriedUnits]]:
    """Divide units, the oldest first, into those that expire with a period and those that go on."""
    expired, staying = [], []
    for units in unused:
        if units.periods_left is None:
            staying.append(units)
        elif units.periods_left == 1:
            expired.append(units)
        else:
            staying.append(new_units(units.quantity, units.period, units.periods_left - 1))
    return expired, staying
