"""Rating: the line of a metric, where terms say more than a quantity and a price.

The problem: an org has 1,000 units a year at 1.00 each beyond, and is billed by the month. It used
980 by the end of November, 50 in December, and got a grant of 10. Which line is December's?

    limit      20   1,000 included, of which 980 were used earlier
             + 10   granted, and drawn for December alone
    over       20   50 used - 30
    cost    20.00   the first 20 units that are charged this year

and a line of January to November would have gone on in the same way. So a line is worked out from
running totals, as they stood before it and with it, of units and of costs; so any
number of bills come to the same as one:

    used           = converted(before + now) - converted(before)
    limit          = max(0, terms + free + carried ... - used before) + granted
    over           = max(0, used - limit)
    charged before = max(0, used before - limit without grants - covered by grants before)
    cost           = price(charged before + over) - price(charged before)

The steps are: the limit from its parts (`overages.lines.limits`), and the exact cost. Then come the
rounding (by line, or of all together), and the rules that adjust the totals of metrics, and of all
of them (`overages.lines.rated_lines`).

Not done: working out each bill as the whole so far less the bills before. A grant, which is drawn
by one period and not by the next, would be counted again by each.

A metric of no more than an included quantity and a price needs none of this where nothing came
before: its line is one of `overages.statements.flat_lines`, in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import attrs

from overages._ground.frozen_dict import FrozenDict
from overages._ground.trusted import trusted
from overages._ground.value import evolve
from overages.amounts.exact import (
    Quantity,
    add_up,
    excess,
    parse_quantity,
    plus,
    scaled,
    unscaled,
)
from overages.lines.limit_part import LimitPart, new_limit_part, sum_of_parts
from overages.lines.limits import NO_CONTEXT, LineContext, free_parts, terms_part
from overages.lines.overage import LineNumbers
from overages.lines.part import is_full
from overages.periods.period import Period
from overages.prices.exact_cost import cost_between
from overages.prices.models import PriceModel
from overages.prices.prorated import for_a_share_of_time, prorated
from overages.prices.tier import Ratio
from overages.terms.compiled import CompiledLine

_NOTHING: Final = (0, 1)  # a cost


@attrs.frozen(weakref_slot=False)
class UnroundedLine:
    """A metric's line before it is rounded.

    :param line: the terms of its time: prorated prices, where that is a part of a billing period.
    :param so_far: the exact cost of all units charged so far, in major currency units.
    :param paid: that of those that were charged before.
    :param before: units charged before; None where nothing was.
    :param part: its time, where that isn't all of the statement's period.
    :param is_level: whether it is one of a level, whose parts are rounded together.
    """

    line: CompiledLine
    used: Quantity
    limit: Quantity | None
    over: Quantity
    so_far: Ratio
    paid: Ratio
    before: Quantity | None
    limit_parts: tuple[LimitPart, ...]
    part: Period | None
    is_level: bool

    @property
    def added(self) -> Fraction:
        """The exact cost of this line alone."""
        exact, (paid, _) = Fraction(*self.so_far), self.paid
        return exact - Fraction(*self.paid) if paid else exact

    def rounded(self, minor: int) -> LineNumbers:
        """Return the line's numbers, with its rounded cost."""
        return (
            self.line, self.used, self.limit, self.over, minor, self.before, self.limit_parts,
            self.part,
        )  # fmt: skip


_new_line: Final = trusted(UnroundedLine)


@attrs.frozen(weakref_slot=False)
class LineLimit:
    """A line before its price is asked for.

    :param terms: the plan's, of a whole period.
    :param parts: of the limit, that of units used earlier as the last; none where it is unlimited.
    :param before: units charged before; None where nothing was.
    """

    terms: CompiledLine
    used: Quantity
    limit: Quantity | None
    parts: tuple[LimitPart, ...]
    before: Quantity | None
    context: LineContext
    part: Period | None

    def priced(self, granted: tuple[LimitPart, ...] = ()) -> UnroundedLine:
        """Return the line with its exact cost.

        :param granted: units drawn on grants: for this usage, so nothing earlier used them up.
        """
        context, limit, parts = self.context, self.limit, self.parts
        if granted:
            limit = plus(limit or 0, sum_of_parts(granted))
            taken = parts[-1:] if parts and parts[-1].kind == "used" else ()
            parts = (*parts[: len(parts) - len(taken)], *granted, *taken)
        share = context.share if context.is_level else context.share_of_units
        line = line_for_share(self.terms, share, is_level=context.is_level)
        # A limit that is simply the plan's, or the org's own, needs no parts to explain it.
        if context.used_before is None and len(parts) == 1 and parts[0].name is None:
            parts = ()
        return priced_line(line, self.used, limit, self.before, parts, self.part, context.is_level)


_new_limit: Final = trusted(LineLimit)


def unrounded_line(
    line: CompiledLine,
    quantities: Mapping[str, Quantity],
    own_limits: Mapping[str, Quantity | None],
    context: LineContext = NO_CONTEXT,
    part: Period | None = None,
) -> UnroundedLine:
    """Return a metric's line, exactly; see the top of this module for the formula and an example.

    The arguments are those of `line_limit`.
    """
    return line_limit(line, quantities, own_limits, context, part).priced()


def line_limit(
    line: CompiledLine,
    quantities: Mapping[str, Quantity],
    own_limits: Mapping[str, Quantity | None],
    context: LineContext = NO_CONTEXT,
    part: Period | None = None,
) -> LineLimit:
    """Return a metric's line up to its limit.

    :param line: the plan's terms, of a whole period.
    :param quantities: the usage in the line's time, by metric.
    :param part: that time, where it isn't all of the statement's period.
    """
    of_terms = terms_part(line, quantities, own_limits, context)
    return limited(line, quantities.get(line.metric, 0), of_terms, context, part)


def limited(
    line: CompiledLine,
    now: Quantity,
    of_terms: LimitPart | None,
    context: LineContext,
    part: Period | None,
    others: tuple[LimitPart, ...] = (),
) -> LineLimit:
    """Return a metric's line up to its limit, as `line_limit` does.

    :param now: units used in the line's time, before they are converted.
    :param of_terms: what the terms say of the limit; see `terms_part`.
    :param others: parts of it that other periods left, or owe.
    """
    allowance, used_before = line.allowance, context.used_before
    units_before: Quantity = 0
    if used_before is None:
        used = allowance.converted(now)
    else:
        units_before = allowance.converted(used_before)
        used = excess(allowance.converted(add_up([used_before, now])), units_before)
    if of_terms is None:
        # Unlimited: nothing is over, and nothing was charged before, but for a fee without units.
        before = None if used_before is None else 0
        return _new_limit(line, used, None, (), before, context, part)
    parts = (of_terms, *free_parts(allowance, context.share_of_units), *others)
    units = sum_of_parts(parts)
    limit = parse_quantity(units, "limit") if units > 0 else 0
    if used_before is None:
        return _new_limit(line, used, limit, parts, None, context, part)
    used_up = min(units_before, limit)
    if used_up:
        parts = (*parts, new_limit_part("used", unscaled(-scaled(used_up)), None))
    charged = excess(units_before, add_up([limit, context.covered_before]))
    return _new_limit(line, used, excess(limit, used_up), parts, charged, context, part)


def line_for_share(line: CompiledLine, share: Fraction, *, is_level: bool) -> CompiledLine:
    """Return the terms of a line in a share of the billing period: those with a prorated price."""
    if is_full(share):
        return line
    allowance = line.allowance
    if is_level:
        price = for_a_share_of_time(allowance.price, share)
    else:
        price = prorated(allowance.price, share, allowance.rounded, allowance.increment)
    return with_price(line, price)


def with_price(line: CompiledLine, price: PriceModel) -> CompiledLine:
    """Return the terms of a line with another price."""
    if price == line.allowance.price:
        return line
    return attrs.evolve(line, allowance=evolve(line.allowance, price=price), factor=None)


def priced_line(
    line: CompiledLine,
    used: Quantity,
    limit: Quantity | None,
    before: Quantity | None,
    limit_parts: tuple[LimitPart, ...],
    part: Period | None = None,
    is_level: bool = False,
) -> UnroundedLine:
    """Return a line with its exact costs, so far and before."""
    price, over = line.allowance.price, excess(used, limit)
    paid = _NOTHING
    if before is not None:
        paid = cost_between(price, None, before)
    so_far = line.added_cost(None, add_up([before, over]) if before else over)
    return _new_line(line, used, limit, over, so_far, paid, before, limit_parts, part, is_level)


def unused_numbers(line: CompiledLine) -> LineNumbers:
    """Return the line of a metric of which nothing was used, as the plan alone has it."""
    nothing: Mapping[str, Quantity] = FrozenDict()
    return unrounded_line(line, nothing, nothing).rounded(0)
