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
from datetime import timedelta
from fractions import Fraction
from typing import Final, NamedTuple

import attrs

from overages._ground.frozen_dict import FrozenDict
from overages._ground.value import evolve
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
from overages.periods.period import Period
from overages.prices.exact_cost import added_cost, cost_between
from overages.prices.models import PriceModel
from overages.prices.prorated import for_a_share_of_time, prorated
from overages.prices.tier import Ratio
from overages.statements.adjusting import PartRules, Rule, RunningTotal, rules_in_order
from overages.statements.adjustment import Adjustment
from overages.statements.limit_part import LimitPart, new_limit_part, sum_of_parts
from overages.statements.limits import FULL_SHARE, NO_CONTEXT, LineContext, free_parts, terms_parts
from overages.statements.overage import LineNumbers
from overages.statements.part import StatementPart, TimeShares, part_at_end, places_in
from overages.terms.compiled import CompiledLine
from overages.terms.plan import Plan

_TICK: Final = timedelta(microseconds=1)
_NOTHING: Final = (0, 1)  # a cost


class UnroundedLine(NamedTuple):
    """A metric's line before it is rounded.

    :param line: the terms of its time: prorated prices, where that is a part of a billing period.
    :param so_far: the exact cost of all units charged so far, in major currency units.
    :param paid: that of those that were charged before.
    :param before: units charged before; None where nothing was.
    :param part: its time, where that isn't all of the statement's period.
    :param share: how much of the billing period its time is.
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
    part: Period | None = None
    share: Fraction = FULL_SHARE
    is_level: bool = False

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


class LineLimit(NamedTuple):
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

    def granted(self, parts: tuple[LimitPart, ...]) -> LineLimit:
        """Return it with units drawn on grants: for this usage, so nothing earlier used them up."""
        units = sum_of_parts(parts)
        taken = [part for part in self.parts if part.kind == "used"]
        others = [part for part in self.parts if part.kind != "used"]
        limit = add_up([self.limit or 0, units])
        return self._replace(limit=limit, parts=(*others, *parts, *taken))

    def priced(self) -> UnroundedLine:
        """Return the line with its exact cost."""
        context, parts = self.context, self.parts
        share = context.share if context.is_level else context.share_of_units
        line = line_for_share(self.terms, share, is_level=context.is_level)
        # A limit that is simply the plan's, or the org's own, needs no parts to explain it.
        if context.used_before is None and len(parts) == 1 and parts[0].name is None:
            parts = ()
        where = (self.part, context.share, context.is_level)
        return priced_line(line, self.used, self.limit, self.before, parts, *where)


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
    metric, allowance = line.metric, line.allowance
    used_before, now = context.used_before, quantities.get(metric, 0)
    units_before: Quantity = 0
    if used_before is None:
        used = allowance.converted(now)
    else:
        units_before = allowance.converted(used_before)
        used = excess(allowance.converted(add_up([used_before, now])), units_before)
    parts = terms_parts(line, quantities, own_limits, context)
    if parts is None:
        # Unlimited: nothing is over, and nothing was charged before, but for a fee without units.
        before = None if used_before is None else 0
        return LineLimit(line, used, None, (), before, context, part)
    parts = (*parts, *free_parts(allowance, context.share_of_units), *context.limit_parts)
    limit = parse_quantity(excess(sum_of_parts(parts), 0), "limit")
    if used_before is None:
        return LineLimit(line, used, limit, parts, None, context, part)
    used_up = min(units_before, limit)
    if used_up:
        parts = (*parts, new_limit_part("used", unscaled(-scaled(used_up)), None))
    charged = excess(units_before, add_up([limit, context.covered_before]))
    return LineLimit(line, used, excess(limit, used_up), parts, charged, context, part)


def line_for_share(line: CompiledLine, share: Fraction, *, is_level: bool) -> CompiledLine:
    """Return the terms of a line in a share of the billing period: those with a prorated price."""
    if share == 1:
        return line
    allowance = line.allowance
    if is_level:
        price = for_a_share_of_time(allowance.price, share)
    else:
        price = prorated(allowance.price, share, allowance.rounded)
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
    share: Fraction = FULL_SHARE,
    is_level: bool = False,
) -> UnroundedLine:
    """Return a line with its exact costs, so far and before."""
    price, over = line.allowance.price, excess(used, limit)
    so_far = added_cost(price, None, add_up([before, over]) if before else over)
    paid = _NOTHING if before is None else cost_between(price, None, before)
    return UnroundedLine(
        line, used, limit, over, so_far, paid, before, limit_parts, part, share, is_level
    )


def unused_numbers(line: CompiledLine) -> LineNumbers:
    """Return the line of a metric of which nothing was used, as the plan alone has it."""
    nothing: Mapping[str, Quantity] = FrozenDict()
    return unrounded_line(line, nothing, nothing).rounded(0)


def rounded_costs(plan: Plan, lines: Sequence[UnroundedLine]) -> tuple[int, ...]:
    """Return the costs of lines in minor units, by the scope that the plan rounds in.

    Where each line is rounded, the charge before is taken off as it was charged, rounded, so that
    the parts of a period come to the cost of all of it: 0.004 and 0.004 are 0.00 and 0.01, as 0.008
    is 0.01. So are the parts of a level, one after another: 5 seats of 2 included at 15.00 come to
    15.97 and 29.03 in 11 and 20 of 31 days, and to 45.00 in all.

    :param lines: those of a metric one after another, in order of time.
    """
    units = 10**plan.currency.exponent
    if plan.rounding_scope == "total":
        ratios = [(line.added * units).as_integer_ratio() for line in lines]
        return round_together(ratios, plan.rounding)

    def minor(ratio: Ratio) -> int:
        numerator, denominator = ratio
        return round_ratio(numerator * units, denominator, plan.rounding)

    costs = []
    metric, running = "", Fraction()
    for line in lines:
        if not line.is_level:
            costs.append(minor(line.so_far) - minor(line.paid))
            continue
        if line.line.metric != metric:
            metric, running = line.line.metric, Fraction()
        before, running = running, running + Fraction(*line.so_far)
        start = before + Fraction(*line.paid)
        costs.append(minor(running.as_integer_ratio()) - minor(start.as_integer_ratio()))
    return tuple(costs)


class RuledTotals(NamedTuple):
    """The rules that adjust a statement, each set with the total that it is applied to, in order.

    :param of_metrics: for each metric that has lines, its rules and its total.
    """

    of_metrics: tuple[tuple[list[Rule], RunningTotal, list[UnroundedLine]], ...]
    parts: Sequence[StatementPart]
    shares: TimeShares

    def of_all(self) -> tuple[list[Rule], RunningTotal]:
        """Return the plans' rules and the total of all lines, once those of metrics were applied.

        A line that lies in several parts of the period is attributed to them by their time.
        """
        plan = self.parts[-1].plan
        by_part = [Fraction()] * len(self.parts)
        for _, total, lines in self.of_metrics:
            for line, exact in zip(lines, total.by_part, strict=True):
                times = places_in(self.parts, line.part)
                length = sum((time.end - time.start for _, time in times), timedelta())
                for place, time in times:
                    by_part[place] += exact * Fraction(
                        (time.end - time.start) // _TICK, length // _TICK
                    )
        minor = sum(total.rounded.minor for _, total, _ in self.of_metrics)
        rules = rules_in_order(
            [
                PartRules(
                    part.plan.discounts,
                    None,
                    part.plan.maximum,
                    part.plan.minimum,
                    share=self.shares.share(part.plan, part.period),
                )
                for part in self.parts
            ]
        )
        return rules, RunningTotal(Money(minor, plan.currency), by_part, plan.rounding, None)


def ruled_totals(
    parts: Sequence[StatementPart],
    shares: TimeShares,
    lines: Sequence[UnroundedLine],
    costs: Sequence[int],
) -> RuledTotals:
    """Return the rules of a statement's metrics, with the totals that they are applied to.

    :param costs: the lines' costs in minor units.
    """
    by_metric: dict[str, list[tuple[UnroundedLine, int]]] = {}
    for line, minor in zip(lines, costs, strict=True):
        by_metric.setdefault(line.line.metric, []).append((line, minor))
    totals = []
    for metric, own in by_metric.items():
        rules: list[Rule] = []
        if not all(line.line.allowance.is_flat for line, _ in own):
            rules = rules_in_order([_rules_of(parts, line) for line, _ in own])
        plan = parts[part_at_end(parts, own[-1][0].part)].plan
        total = RunningTotal(
            Money(sum(minor for _, minor in own), plan.currency),
            [line.added for line, _ in own],
            plan.rounding,
            metric,
        )
        totals.append((rules, total, [line for line, _ in own]))
    return RuledTotals(tuple(totals), parts, shares)


def _rules_of(parts: Sequence[StatementPart], line: UnroundedLine) -> PartRules:
    """Return the rules of a metric in the time of a line."""
    plan = parts[part_at_end(parts, line.part)].plan
    allowance = plan.allowances[line.line.metric]
    return PartRules(
        allowance.discounts,
        allowance.commitment,
        allowance.maximum,
        allowance.minimum,
        allowance.price,
        line.share,
    )


class RatedLines(NamedTuple):
    """The lines of a statement.

    :param rows: those that say something, in the plan's order: of metrics that were used, or that
        cost something or are adjusted though they weren't.
    :param unused_rows: those that only have a limit which isn't the plan's alone.
    """

    rows: tuple[LineNumbers, ...]
    unused_rows: tuple[LineNumbers, ...]
    adjustments: tuple[Adjustment, ...]


def finished_lines(
    parts: Sequence[StatementPart],
    shares: TimeShares,
    lines: Sequence[UnroundedLine],
    *,
    has_ended: bool,
) -> RatedLines:
    """Round lines, and apply the rules that adjust them.

    :param parts: the parts of the statement's period.
    :param lines: of all metrics, those of each in order of time.
    :param has_ended: whether the billing period is over, so that true-ups are due.
    """
    plan = parts[-1].plan
    costs = rounded_costs(plan, lines)
    adjustments: list[Adjustment] = []
    if not all(part.plan.compiled.is_flat for part in parts):
        ruled = ruled_totals(parts, shares, lines, costs)
        for rules, total, _ in ruled.of_metrics:
            if rules:
                adjustments += total.with_rules(rules, has_ended=has_ended)
        if any(part.plan.has_rules for part in parts):
            rules, total = ruled.of_all()
            adjustments += total.with_rules(rules, has_ended=has_ended)
    adjusted = {adjustment.metric for adjustment in adjustments}
    rows, unused_rows = [], []
    for line, minor in zip(lines, costs, strict=True):
        numbers = line.rounded(minor)
        if line.used or minor or line.added or line.line.metric in adjusted:
            rows.append(numbers)
        elif numbers != unused_numbers(line.line):
            unused_rows.append(numbers)
    return RatedLines(tuple(rows), tuple(unused_rows), tuple(adjustments))
