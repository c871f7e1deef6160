"""Limits: how many units of a metric cost nothing, and where each of them comes from.

A limit is a sum of parts, which `price_line` puts together:

    terms_parts(line, quantities, own_limits, context, share)      # (LimitPart("included", 100),)
    free_parts(allowance)                                          # (LimitPart("free", 20, "a"),)
    context.limit_parts["tokens"]                                  # carried over, granted, owed

The facts of a part of a period beside its terms and its usage are a `PartContext`: the units that
earlier bills counted, the units that other periods left, and of which billing period it is a part.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from attrs import frozen

from overages._ground.frozen_dict import FrozenDict
from overages._ground.names import LONGEST_NAME
from overages.amounts.exact import Quantity, add_up, as_quantity, plain_text
from overages.periods.period import Period
from overages.statements.limit_part import LimitPart, LimitPartKind
from overages.terms.allowance import Allowance
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan

FULL_SHARE: Final = Fraction(1)
"""The share of a period that all of it is."""


@frozen(weakref_slot=False)
class PartContext:
    """The context of a part of a period: facts beside the plan, the usage and the org's own limits.

    :param billing_period: the period that the usage's one is a part of; None where it is all of it.
    :param timezone: whose calendar days count in proration.
    :param used_before: units used before, in the time that the allowance is for, by metric; None
        for a metric of which nothing was billed in it yet.
    :param covered_before: units of those, as they are priced, that grants covered, by metric.
    :param limit_parts: parts of each metric's limit beside its terms' own.
    :param is_last_bill: whether this is the period's last bill, on which true-ups are due.
    """

    billing_period: Period | None = None
    timezone: str = "UTC"
    used_before: Mapping[str, Quantity | None] = FrozenDict()
    covered_before: Mapping[str, Quantity] = FrozenDict()
    limit_parts: Mapping[str, tuple[LimitPart, ...]] = FrozenDict()
    is_last_bill: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether it changes no line of a flat plan."""
        is_start = not (self.used_before or self.covered_before or self.limit_parts)
        return is_start and self.billing_period is None

    def share_of(self, period: Period, terms: Allowance | Plan) -> Fraction:
        """Return the share of the billing period that is in a period, by the terms' proration."""
        if self.billing_period is None:
            return FULL_SHARE
        return terms.proration.share(period, self.billing_period, self.timezone)


NO_CONTEXT: Final = PartContext()


def terms_parts(
    line: CompiledLine,
    quantities: Mapping[str, Quantity],
    own_limits: Mapping[str, Quantity],
    context: PartContext,
    share: Fraction,
) -> tuple[LimitPart, ...] | None:
    """Return the plan's included units, or the org's own limit, as parts; None where unlimited.

    :param quantities: the usage of each metric; of 1,000 included for each seat, the seats.
    :param share: how much of the billing period they are of. It doesn't count for a metric of which
        something was used before: its counters are those of the whole period.
    """
    metric, allowance = line.metric, line.allowance
    if metric in context.used_before:
        share = FULL_SHARE
    if metric in own_limits:
        # An own limit stands in place of the included quantity, it is not added: 600,000 of an org
        # on a plan of 500,000 are 600,000, of which half a month has 300,000.
        return (_part(allowance, "own", own_limits[metric], share),)
    if allowance.included is None:
        return None
    bringing = allowance.included_per
    if bringing is None:
        return (_part(allowance, "included", allowance.included, share),)
    # Where counters go on, so does the bringing metric: 3 seats and then 2 more bring for 5.
    before = context.used_before.get(bringing) if metric in context.used_before else None
    brought_by = add_up([before or 0, quantities.get(bringing, 0)])
    units = as_quantity(Fraction(allowance.included) * Fraction(brought_by), "included")
    product = f"{plain_text(allowance.included)} x {plain_text(brought_by)} {bringing}"
    return (_part(allowance, "included", units, share, product),)


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
    product: str | None = None,
) -> LimitPart:
    """Return a share of some units; its name says their multiplier, if any."""
    if share == 1:
        return LimitPart(kind, units, product and _cut(product))
    name = _cut(f"{product or plain_text(units)} x {share}")
    return LimitPart(kind, allowance.prorated(units, share), name)


def _cut(text: str) -> str:
    """Cut a text to the length of a name: a metric's own can be as long as that."""
    return text.encode()[:LONGEST_NAME].decode(errors="ignore")
