"""Rated lines: the lines of all metrics, rounded, and the rules that adjust their totals.

Lines are rounded one by one, or all together; then the rules of each metric are applied to the
total of its lines, and those of the plans to the total of all:

    rows, unused_rows, adjustments, minor = finished_lines(parts, shares, lines, has_ended=True)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from overages.amounts.money import Money
from overages.amounts.rounding import Rounding, round_ratio, round_together
from overages.lines.adjusting import RunningTotal
from overages.lines.adjustment import Adjustment
from overages.lines.overage import LineNumbers
from overages.lines.part import StatementPart, TimeShares, part_at_end, places_in
from overages.lines.rating import UnroundedLine, unused_numbers
from overages.lines.rule import PartRules, Rule, rules_in_order
from overages.prices.tier import Ratio

_NO_COST: Final = Fraction()
_is_flat: Final = attrgetter("is_flat")
_TICK: Final = timedelta(microseconds=1)


def rounded_costs(
    parts: Sequence[StatementPart], lines: Sequence[UnroundedLine]
) -> tuple[int, ...]:
    """Return the costs of lines in minor units, by the scope that the last plan rounds in.

    Each line is rounded by the rule of its own part's plan; all together, by that of the last.
    Where each line is rounded, the charge before is taken off as it was charged, rounded, so that
    the parts of a period come to the cost of all of it: 0.004 and 0.004 are 0.00 and 0.01, as 0.008
    is 0.01. So are the parts of a level, one after another: 5 seats of 2 included at 15.00 come to
    15.97 and 29.03 in 11 and 20 of 31 days, and to 45.00 in all.

    :param lines: those of a metric one after another, in order of time.
    """
    plan = parts[-1].plan
    units = 10**plan.currency.exponent
    if plan.rounding_scope == "total":
        ratios = [(line.added * units).as_integer_ratio() for line in lines]
        return round_together(ratios, plan.rounding)

    costs = []
    metric, running = "", _NO_COST
    for line in lines:
        own = plan if line.part is None else parts[part_at_end(parts, line.part)].plan
        rule = own.rounding
        if not line.is_level:
            costs.append(_difference(line.so_far, line.paid, units, rule))
            continue
        if line.line.metric != metric:
            metric, running = line.line.metric, _NO_COST
        before, running = running, running + Fraction(*line.so_far)
        start = before + Fraction(*line.paid)
        so_far, paid = running.as_integer_ratio(), start.as_integer_ratio()
        costs.append(_difference(so_far, paid, units, rule))
    return tuple(costs)


def _difference(so_far: Ratio, paid: Ratio, units: int, rule: Rounding) -> int:
    """Return the difference of two costs in minor units, each rounded."""
    (cost, of), (cost_before, of_before) = so_far, paid
    minor = round_ratio(cost * units, of, rule)
    return minor - round_ratio(cost_before * units, of_before, rule) if cost_before else minor


class RuledTotals(NamedTuple):
    """The rules that adjust a statement, each set with the total that it is applied to, in order.

    :param of_metrics: for each metric that has lines, its rules and its total.
    """

    of_metrics: tuple[tuple[list[Rule], RunningTotal, list[UnroundedLine]], ...]
    parts: Sequence[StatementPart]
    shares: TimeShares

    def of_all(self) -> tuple[list[Rule], RunningTotal]:
        """Return the rules for all lines and their total, once those of metrics were applied.

        Those of the plans come first, and then those of the org's own.

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
        rules = self._for_all(own=False) + self._for_all(own=True)
        return rules, RunningTotal(Money(minor, plan.currency), by_part, plan.rounding, None)

    def _for_all(self, *, own: bool) -> list[Rule]:
        """Return the rules for all lines together: those of the plans, or of the org's own."""
        rules = []
        for part in self.parts:
            terms = part.own if own else part.plan
            minimum = None if part.own.trial else terms.minimum
            proration, time = part.plan.proration, part.period
            rules.append(
                PartRules(
                    terms.discounts, None, terms.maximum, minimum, proration=proration, time=time
                )
            )
        of_span = self.shares.span_of is not None
        return rules_in_order(rules, self.shares.by_rule, own=own, of_span=of_span)


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
        on_trial = any(part.own.trial for part in parts)
        if on_trial or not all(line.line.allowance.is_flat for line, _ in own):
            of_lines = [_rules_of(parts, line, minor) for line, minor in own]
            of_span = shares.span_of is not None
            rules = rules_in_order(of_lines, shares.by_rule, of_span=of_span)
        plan = parts[part_at_end(parts, own[-1][0].part)].plan
        total = RunningTotal(
            Money(sum(minor for _, minor in own), plan.currency),
            [line.added for line, _ in own],
            plan.rounding,
            metric,
        )
        totals.append((rules, total, [line for line, _ in own]))
    return RuledTotals(tuple(totals), parts, shares)


def _rules_of(parts: Sequence[StatementPart], line: UnroundedLine, minor: int) -> PartRules:
    """Return the rules of a metric in the time of a line, which costs so many minor units."""
    part = parts[part_at_end(parts, line.part)]
    plan, on_trial = part.plan, part.own.trial
    allowance = plan.allowances[line.line.metric]
    return PartRules(
        allowance.discounts,
        None if on_trial else allowance.commitment,
        allowance.maximum,
        None if on_trial else allowance.minimum,
        allowance.price,
        allowance.proration,
        line.part,
        Money(minor, plan.currency) if on_trial else None,
    )


RatedLines: TypeAlias = tuple[
    tuple[LineNumbers, ...], tuple[LineNumbers, ...], tuple[Adjustment, ...], int
]  # fmt: skip
"""The lines of a statement.

Those that say something, in the plan's order: of metrics that were used, or that cost something or
are adjusted though they weren't; those that only have a limit which isn't the plan's alone; the
adjustments; and the total of all, in minor units. (A plain tuple: a named one takes ten times as
long.)
"""


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
    costs = rounded_costs(parts, lines)
    minor = sum(costs)
    adjustments: list[Adjustment] = []
    adjusted: set[str | None] = set()
    if not all(map(_is_flat, parts)):
        ruled = ruled_totals(parts, shares, lines, costs)
        for rules, total, _ in ruled.of_metrics:
            if rules:
                adjustments += total.with_rules(rules, has_ended=has_ended)
        if any(part.plan.has_rules or part.own.has_rules for part in parts):
            rules, total = ruled.of_all()
            adjustments += total.with_rules(rules, has_ended=has_ended)
        minor += sum(adjustment.cost.minor for adjustment in adjustments)
        adjusted = {adjustment.metric for adjustment in adjustments}
    rows, unused_rows = [], []
    for line, cost in zip(lines, costs, strict=True):
        numbers = line.rounded(cost)
        if line.used or cost or line.added or line.line.metric in adjusted:
            rows.append(numbers)
        elif numbers != unused_numbers(line.line):
            unused_rows.append(numbers)
    return tuple(rows), tuple(unused_rows), tuple(adjustments), minor
