"""Rating: the lines of a statement where terms say more than a quantity and a price.

A plan that is no more than that needs none of this: `calculate` works it out in one pass. The rest
goes through here, metric by metric, in the documented order: conversion, the limit and its parts,
price, then what `overages.statements.adjusting` does.

    found = rate(plan, usage, own_limits, Circumstances(whole=month, earlier={"tokens": 300_000}))
    found.rows, found.details, found.adjustments
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple

from attrs import frozen

from overages._ground.names import LONGEST_NAME
from overages.amounts.exact import (
    Quantity,
    add_up,
    as_quantity,
    excess,
    parse_quantity,
    plain_text,
    scaled,
    unscaled,
)
from overages.amounts.money import Money
from overages.amounts.rounding import round_ratio, round_together
from overages.errors import InvalidType, OveragesError
from overages.periods.period import Period
from overages.prices.models import PriceModel
from overages.prices.tier import Charge
from overages.statements.adjusting import adjustments_of
from overages.statements.adjustment import Adjustment
from overages.statements.limit_part import LimitPart, LimitPartKind
from overages.statements.overage import PLAIN, Detail, sum_of_parts
from overages.statements.statement import Row
from overages.terms.allowance import Allowance
from overages.terms.plan import Plan
from overages.usage.usage import Usage


@frozen(weakref_slot=False)
class Circumstances:
    """What is known of a period beyond the plan, the usage and the account's own limits.

    :param whole: the period that the usage's period is a part of; None where it is a whole one.
    :param timezone: whose calendar days count in proration.
    :param earlier: units used before, in the time that the allowance is for, by metric; None for a
        metric of which nothing was billed in it yet.
    :param covered: units of those, as they are priced, that grants covered, by metric.
    :param parts: what adds to a metric's limit, or takes from it.
    :param final: whether this is the period's last bill, on which true-ups are due.
    """

    whole: Period | None = None
    timezone: str = "UTC"
    earlier: Mapping[str, Quantity | None] = MappingProxyType({})
    covered: Mapping[str, Quantity] = MappingProxyType({})
    parts: Mapping[str, tuple[LimitPart, ...]] = MappingProxyType({})
    final: bool = True


USUAL: Final = Circumstances()


class Rated(NamedTuple):
    """The lines of a statement in numbers."""

    rows: tuple[Row, ...]
    details: tuple[Detail, ...]
    adjustments: tuple[Adjustment, ...]


class _Line(NamedTuple):
    """A metric's line before it is rounded, with its exact cost, and what was charged before."""

    used: Quantity
    limit: Quantity | None
    over: Quantity
    exact: Fraction
    paid: Fraction
    detail: Detail


def rate(
    plan: Plan, usage: Usage, own: Mapping[str, Quantity], circumstances: Circumstances
) -> Rated:
    """Return the lines of a statement.

    :param own: the account's own limits by metric.
    :raises InvalidValue: if the usage isn't of a part of the whole period, or for what a conversion
        or a price model makes of it.
    """
    lines = []
    for metric, allowance in plan.allowances.items():
        try:
            lines.append(_line(metric, allowance, usage, own, circumstances))
        except OveragesError as error:
            raise error.within(metric) from None
    costs = _rounded(plan, lines)
    rows = tuple(
        (line.used, line.limit, line.over, minor) for line, minor in zip(lines, costs, strict=True)
    )
    details = tuple(line.detail for line in lines)
    adjustments: list[Adjustment] = []
    for (metric, allowance), line, minor in zip(plan.allowances.items(), lines, costs, strict=True):
        adjustments += adjustments_of(
            Money(minor, plan.currency),
            line.exact - line.paid,
            rounding=plan.rounding,
            metric=metric,
            discounts=allowance.discounts,
            commitment=allowance.commitment,
            price=allowance.price,
            maximum=allowance.maximum,
            minimum=allowance.minimum,
            share=share_of(usage, allowance, circumstances),
            final=circumstances.final,
        )
    adjustments += adjustments_of(
        Money(sum(costs) + sum(line.cost.minor for line in adjustments), plan.currency),
        sum((line.exact - line.paid for line in lines), Fraction())
        + sum((Fraction(line.exact_cost) for line in adjustments), Fraction()),
        rounding=plan.rounding,
        metric=None,
        discounts=plan.discounts,
        maximum=plan.maximum,
        minimum=plan.minimum,
        share=share_of(usage, plan, circumstances),
        final=circumstances.final,
    )
    plain = all(detail == PLAIN for detail in details)
    return Rated(rows, () if plain else details, tuple(adjustments))


def share_of(usage: Usage, terms: Allowance | Plan, circumstances: Circumstances) -> Fraction:
    """Return how much of the whole period the usage is of, by the rule that terms name."""
    if circumstances.whole is None:
        return Fraction(1)
    whole, zone = circumstances.whole, circumstances.timezone
    return terms.proration.share(usage.period, whole, zone)


def units_of(allowance: Allowance, used: Quantity) -> Quantity:
    """Return what was used in the units that are included and priced."""
    return used if allowance.conversion is None else allowance.conversion.convert(used)


def base_parts(
    metric: str,
    allowance: Allowance,
    usage: Usage,
    own: Mapping[str, Quantity],
    circumstances: Circumstances,
) -> tuple[LimitPart, ...] | None:
    """Return what the plan includes, or the account's own limit; None where usage is unlimited."""
    # The counters are those of the whole period.
    goes_on = metric in circumstances.earlier
    share = Fraction(1) if goes_on else share_of(usage, allowance, circumstances)
    if metric in own:
        return (_part(allowance, "own", own[metric], share),)
    if allowance.included is None:
        return None
    if allowance.included_per is None:
        return (_part(allowance, "included", allowance.included, share),)
    before = circumstances.earlier.get(allowance.included_per) if goes_on else None
    others = add_up([before or 0, usage.quantities.get(allowance.included_per, 0)])
    together = Fraction(allowance.included) * Fraction(others)
    units = as_quantity(together, "included")
    each = f"{plain_text(allowance.included)} x {plain_text(others)} {allowance.included_per}"
    return (_part(allowance, "included", units, share, each),)


def free_parts(allowance: Allowance) -> tuple[LimitPart, ...]:
    """Return the units that discounts make free."""
    return tuple(
        LimitPart("free", discount.quantity, discount.name)
        for discount in allowance.discounts
        if discount.quantity is not None
    )


def _part(
    allowance: Allowance,
    kind: LimitPartKind,
    units: Quantity,
    share: Fraction,
    each: str | None = None,
) -> LimitPart:
    if share == 1:
        return LimitPart(kind, units, each and _short(each))
    name = _short(f"{each or plain_text(units)} x {share}")
    return LimitPart(kind, allowance.prorated(units, share), name)


def _short(text: str) -> str:
    """Return a text, cut to what a name may have: a metric's own can be as long as that."""
    return text.encode()[:LONGEST_NAME].decode(errors="ignore")


def _line(
    metric: str,
    allowance: Allowance,
    usage: Usage,
    own: Mapping[str, Quantity],
    circumstances: Circumstances,
) -> _Line:
    earlier = circumstances.earlier.get(metric)
    there = units_of(allowance, earlier or 0)
    now = units_of(allowance, add_up([earlier or 0, usage.quantities.get(metric, 0)]))
    used = excess(now, there)
    base = base_parts(metric, allowance, usage, own, circumstances)
    if base is None:
        none = None if earlier is None else 0
        return _Line(used, None, 0, *_costs(allowance.price, none, 0), (none, ()))
    parts = [*base, *free_parts(allowance), *circumstances.parts.get(metric, ())]
    # What is drawn on grants is for this usage alone: nothing earlier has used it up.
    granted = sum_of_parts(part for part in parts if part.kind == "granted")
    whole = parse_quantity(excess(sum_of_parts(parts), granted), "limit")
    if taken := min(there, whole):
        parts.append(LimitPart("used", unscaled(-scaled(taken))))
    limit = add_up([excess(whole, taken), granted])
    over = excess(used, limit)
    free = add_up([whole, circumstances.covered.get(metric, 0)])
    before = None if earlier is None else excess(there, free)
    is_plain = len(parts) == 1 and parts[0].name is None and before is None
    detail = PLAIN if is_plain else (before, tuple(parts))
    return _Line(used, limit, over, *_costs(allowance.price, before, over), detail)


def _costs(price: PriceModel, before: Quantity | None, over: Quantity) -> tuple[Fraction, Fraction]:
    """Return what units cost with those before them, and what those before cost alone."""
    paid = (0, 1) if before is None else cost_of(price, before)
    due = cost_of(price, add_up([before or 0, over]))
    return Fraction(*due), Fraction(*paid)


def _rounded(plan: Plan, lines: Iterable[_Line]) -> tuple[int, ...]:
    """Return the lines' costs in minor units, by the scope that the plan rounds in.

    What was charged before is taken off as it was charged, rounded, so that the parts of a period
    come to what all of it would.
    """
    units = 10**plan.currency.exponent
    if plan.rounding_scope == "total":
        exact = [((line.exact - line.paid) * units).as_integer_ratio() for line in lines]
        return round_together(exact, plan.rounding)

    def minor(amount: Fraction) -> int:
        return round_ratio(amount.numerator * units, amount.denominator, plan.rounding)

    return tuple(minor(line.exact) - minor(line.paid) for line in lines)


def cost_of(price: PriceModel, quantity: Quantity) -> tuple[int, int]:
    """Return an exact cost as a ratio, having checked what a host's price model gave."""
    charge = price.charge(quantity)
    if not isinstance(charge, Charge):
        raise InvalidType("price.charge()", charge, "must return a Charge")
    return charge.ratio
