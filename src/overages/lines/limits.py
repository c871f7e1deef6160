"""Limits: how many units of a metric cost nothing, and where each of them comes from.

A limit is a sum of parts, which `price_line` puts together:

    terms_part(line, quantities, own_limits, context)       # LimitPart("included", 100)
    free_parts(allowance)                                   # (LimitPart("free", 20, "a"),)

The facts of a line beside its terms and its usage are a `LineContext`: its share of the billing
period, and the units that were counted before.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from attrs import frozen

from overages._ground.names import LONGEST_NAME
from overages._ground.trusted import trusted
from overages.amounts.exact import Quantity, as_quantity, plain_text
from overages.lines.limit_part import LimitPart, LimitPartKind, new_limit_part
from overages.lines.part import FULL_SHARE, is_full
from overages.terms.allowance import Allowance
from overages.terms.compiled import CompiledLine


@frozen(weakref_slot=False)
class LineContext:
    """The facts that decide a line beside its terms, the usage and the org's own limits.

    :param share: how much of the billing period the line's time is.
    :param share_of_units: the share of included units, bounds and fees: that of the time that its
        units are counted over; all of them for a level.
    :param is_level: whether the metric is held over time, so that its charge is shared out.
    :param used_before: units used before, in the time that the allowance is for; None where
        nothing was billed in it yet.
    :param covered_before: units of those used before, as they are priced, that grants covered.
    """

    share: Fraction = FULL_SHARE
    share_of_units: Fraction = FULL_SHARE
    is_level: bool = False
    used_before: Quantity | None = None
    covered_before: Quantity = 0


NO_CONTEXT: Final = LineContext()
new_context: Final = trusted(LineContext)


def terms_part(
    line: CompiledLine,
    quantities: Mapping[str, Quantity],
    own_limits: Mapping[str, Quantity | None],
    context: LineContext,
) -> LimitPart | None:
    """Return the plan's included units, or the org's own limit, as a part; None where unlimited.

    :param quantities: the usage of each metric; of 1,000 included for each seat, the seats.
    """
    metric, allowance, share = line.metric, line.allowance, context.share_of_units
    if metric in own_limits:
        own = own_limits[metric]
        return None if own is None else _part(allowance, "own", own, share)
    if allowance.included is None:
        return None
    bringing = allowance.included_per
    if bringing is None:
        return _part(allowance, "included", allowance.included, share)
    brought_by = quantities.get(bringing, 0)
    units = as_quantity(Fraction(allowance.included) * Fraction(brought_by), "included")
    product = f"{plain_text(allowance.included)} x {plain_text(brought_by)} {bringing}"
    return _part(allowance, "included", units, share, product)


def free_parts(allowance: Allowance, share: Fraction = FULL_SHARE) -> tuple[LimitPart, ...]:
    """Return the units that discounts make free, for a share of a period."""
    if not allowance.discounts:
        return ()
    return tuple(
        LimitPart("free", allowance.prorated(discount.quantity, share), discount.name)
        for discount in allowance.discounts
        if discount.quantity is not None
    )


def _part(
    allowance: Allowance,
    kind: LimitPartKind,
    units: Quantity,
    share: Fraction,
    product: str | None = None,
) -> LimitPart:
    """Return a share of some units; its name says their multiplier, if any."""
    if is_full(share):
        return new_limit_part(kind, units, product and _cut(product))
    name = _cut(f"{product or plain_text(units)} x {share}")
    return LimitPart(kind, allowance.prorated(units, share), name)


def _cut(text: str) -> str:
    """Cut a text to the length of a name: a metric's own can be as long as that."""
    return text.encode()[:LONGEST_NAME].decode(errors="ignore")
