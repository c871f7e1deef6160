"""Rating: the lines of a statement, where terms say more than a quantity and a price.

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

The steps are: the limit from its parts (`overages.statements.limits`), the exact cost, the rounding
(by line, or of all together), and then the rules that adjust the totals of metrics, and of all of
them (`overages.statements.adjusting`).

Not done: working out each bill as the whole so far less the bills before. A grant, which is drawn
by one period and not by the next, would be counted again by each.

A plan of no more than included quantities and prices needs none of this where nothing came before:
`calculate` works it out in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from overages._ground.frozen_dict import FrozenDict
from overages.amounts.exact import (
    Quantity,
    add_up,
    excess,
    parse_quantity,
    scaled,
    unscaled,
)
from overages.amounts.money import Money
from overages.amounts.rounding import round_ratio, round_together
from overages.errors import OveragesError
from overages.prices.exact_cost import added_cost, cost_between
from overages.statements.adjusting import adjustments_of
from overages.statements.adjustment import Adjustment
from overages.statements.limit_part import LimitPart, sum_of_parts
from overages.statements.limits import FULL_SHARE, NO_CONTEXT, PartContext, free_parts, terms_parts
from overages.statements.overage import LineNumbers
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan
from overages.usage.usage import Usage


class RatedLines(NamedTuple):
    """The lines of a statement.

    :param rows: those that say something, in the plan's order: of metrics that were used, or that
        cost something or are adjusted though they weren't.
    :param unused_rows: those that only have a limit which isn't the plan's alone.
    """

    rows: tuple[LineNumbers, ...]
    unused_rows: tuple[LineNumbers, ...]
    adjustments: tuple[Adjustment, ...]


class UnroundedLine(NamedTuple):
    """A metric's line before it is rounded.

    :param exact: the cost of all units charged so far, in major currency units.
    :param exact_before: that of those that were charged before.
    :param before: units charged before; None where nothing was.
    """

    line: CompiledLine
    used: Quantity
    limit: Quantity | None
    over: Quantity
    exact: Fraction
    exact_before: Fraction
    before: Quantity | None
    limit_parts: tuple[LimitPart, ...]

    @property
    def added(self) -> Fraction:
        """The exact cost of this line alone."""
        return self.exact - self.exact_before

    def rounded(self, minor: int) -> LineNumbers:
        """Return the line's numbers, with its rounded cost."""
        return (
            self.line, self.used, self.limit, self.over, minor, self.before, self.limit_parts
        )  # fmt: skip


def rate_lines(
    plan: Plan, usage: Usage, own_limits: Mapping[str, Quantity], context: PartContext
) -> RatedLines:
    """Return the lines of a statement.

    :param own_limits: the org's own limits by metric.
    :raises InvalidValue: if the usage isn't of a part of the billing period, or for a quantity that
        a conversion or a price model refuses.
    """
    lines = _unrounded_lines(plan, usage, own_limits, context)
    costs = rounded_costs(plan, lines)
    rows, unused_rows = [], []
    adjustments: list[Adjustment] = []
    for line, minor in zip(lines, costs, strict=True):
        rules = _metric_adjustments(plan, line, minor, usage, context)
        adjustments += rules
        numbers = line.rounded(minor)
        # A minimum of a metric is due unused, and then its line has to be there to be adjusted.
        if line.used or minor or line.added or rules:
            rows.append(numbers)
        elif numbers != unused_numbers(line.line):
            unused_rows.append(numbers)
    if plan.has_rules:
        # After the rules of metrics: 10 % off all of them is of the amount that they leave.
        exact = sum((line.added for line in lines), Fraction())
        adjustments += adjustments_of(
            Money(sum(costs) + sum(line.cost.minor for line in adjustments), plan.currency),
            sum((Fraction(line.exact_cost) for line in adjustments), exact),
            rounding=plan.rounding,
            metric=None,
            discounts=plan.discounts,
            maximum=plan.maximum,
            minimum=plan.minimum,
            share=context.share_of(usage.period, plan),
            is_last_bill=context.is_last_bill,
        )
    return RatedLines(tuple(rows), tuple(unused_rows), tuple(adjustments))


def _unrounded_lines(
    plan: Plan, usage: Usage, own_limits: Mapping[str, Quantity], context: PartContext
) -> list[UnroundedLine]:
    """Return the lines that a statement has to look at."""
    # In a part of a period each limit is another one than the plan's, used or not.
    lines: Sequence[CompiledLine] = plan.compiled.lines
    if context.billing_period is None:
        lines = plan.compiled.lines_of(
            usage.quantities,
            own_limits,
            context.used_before,
            context.covered_before,
            context.limit_parts,
        )
    unrounded = []
    for line in lines:
        try:
            share = context.share_of(usage.period, line.allowance)
            unrounded.append(unrounded_line(line, usage.quantities, own_limits, context, share))
        except OveragesError as error:
            raise error.within(line.metric) from error.__cause__
    return unrounded


def unrounded_line(
    line: CompiledLine,
    quantities: Mapping[str, Quantity],
    own_limits: Mapping[str, Quantity],
    context: PartContext,
    share: Fraction,
) -> UnroundedLine:
    """Return a metric's line, exactly; see the top of this module for the formula and an example.

    :param quantities: units used in this part of the period, by metric.
    :param share: how much of the billing period the part is.
    """
    metric, allowance = line.metric, line.allowance
    used_before = context.used_before.get(metric)
    units_before = allowance.converted(used_before or 0)
    # Converted as running totals: of 1,500 and 1,500 bytes in started thousands, the bills have 2
    # and 1, which are the 3 of all at once; converted one by one they would have 2 and 2.
    used_so_far = add_up([used_before or 0, quantities.get(metric, 0)])
    used = excess(allowance.converted(used_so_far), units_before)
    parts = terms_parts(line, quantities, own_limits, context, share)
    if parts is None:
        # Unlimited: nothing is over, and nothing was charged before, but for a fee without units.
        return priced_line(line, used, None, None if used_before is None else 0, ())
    parts = (*parts, *free_parts(allowance), *context.limit_parts.get(metric, ()))
    # Units drawn on grants are for this usage alone: nothing earlier has used it up.
    granted = sum_of_parts(part for part in parts if part.kind == "granted")
    limit_before_grants = parse_quantity(excess(sum_of_parts(parts), granted), "limit")
    # Earlier usage took from the limit first; the rest of it was granted, or charged.
    used_up = min(units_before, limit_before_grants)
    if used_up:
        parts = (*parts, LimitPart("used", unscaled(-scaled(used_up))))
    limit = add_up([excess(limit_before_grants, used_up), granted])
    if used_before is None:
        # A limit that is simply the plan's, or the org's own, needs no parts to explain it.
        if len(parts) == 1 and parts[0].name is None:
            parts = ()
        return priced_line(line, used, limit, None, parts)
    # Units of before that the limit or a grant covered were not charged, so they are in no tier.
    covered = add_up([limit_before_grants, context.covered_before.get(metric, 0)])
    return priced_line(line, used, limit, excess(units_before, covered), parts)


def priced_line(
    line: CompiledLine,
    used: Quantity,
    limit: Quantity | None,
    before: Quantity | None,
    limit_parts: tuple[LimitPart, ...],
) -> UnroundedLine:
    """Return a line with its exact costs, so far and before."""
    price, over = line.allowance.price, excess(used, limit)
    # cost(before + over) - cost(before): tiers go on where the earlier bills left them.
    so_far = Fraction(*added_cost(price, None, add_up([before, over]) if before else over))
    paid = Fraction() if before is None else Fraction(*cost_between(price, None, before))
    return UnroundedLine(line, used, limit, over, so_far, paid, before, limit_parts)


def unused_numbers(line: CompiledLine) -> LineNumbers:
    """Return the line of a metric of which nothing was used, as the plan alone has it."""
    unused: Mapping[str, Quantity] = FrozenDict()
    return unrounded_line(line, unused, unused, NO_CONTEXT, FULL_SHARE).rounded(0)


def rounded_costs(plan: Plan, lines: Sequence[UnroundedLine]) -> tuple[int, ...]:
    """Return the costs of lines in minor units, by the scope that the plan rounds in.

    Where each line is rounded, the charge before is taken off as it was made, rounded, so
    that the parts of a period come to the charge of all of it: 0.004 and 0.004 are 0.00 and 0.01,
    as 0.008 is 0.01.
    """
    units = 10**plan.currency.exponent
    if plan.rounding_scope == "total":
        ratios = [(line.added * units).as_integer_ratio() for line in lines]
        # Only this bill's own costs: those of before were rounded together with others.
        return round_together(ratios, plan.rounding)

    def minor(amount: Fraction) -> int:
        return round_ratio(amount.numerator * units, amount.denominator, plan.rounding)

    # Not minor(exact - exact_before): half a cent a bill would be a cent, or nothing, each time.
    return tuple(minor(line.exact) - minor(line.exact_before) for line in lines)


def _metric_adjustments(
    plan: Plan, line: UnroundedLine, minor: int, usage: Usage, context: PartContext
) -> tuple[Adjustment, ...]:
    """Return the adjustments that the rules of a metric make of its line."""
    allowance = line.line.allowance
    if allowance.is_flat:  # most are, and finding out takes a third of rating a line
        return ()
    return adjustments_of(
        Money(minor, plan.currency),
        line.added,
        rounding=plan.rounding,
        metric=line.line.metric,
        discounts=allowance.discounts,
        commitment=allowance.commitment,
        price=allowance.price,
        maximum=allowance.maximum,
        minimum=allowance.minimum,
        share=context.share_of(usage.period, allowance),
        is_last_bill=context.is_last_bill,
    )
