"""Auditing adjustments: whether each follows from the rules of plan and org, one after another.

The rules are applied once more, and the running totals are compared with the adjustments' own:

    rule                   must be            because
    20 % off, 75.00        -15.00             nothing else decides it
    minimum 100.00         40.00, or no line  60.00 are there; while the period runs, none is due
    credit of a grant      60.00 or less      nobody but the grant knows its balance
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from overages._ground.parsing import Problems
from overages.errors import InvalidValue, at
from overages.lines.adjusting import RunningTotal
from overages.lines.adjustment import Adjustment, Due, Key, path_of
from overages.lines.rated_lines import RuledTotals
from overages.lines.rule import Rule


class _Placed(NamedTuple):
    """An adjustment, and its place among the lines of the statement."""

    place: int
    line: Adjustment


def audit_adjustments(
    ruled: RuledTotals, first: int, adjustments: Sequence[Adjustment], problems: Problems
) -> None:
    """Add a problem for each adjustment that the plans' rules don't make of the lines.

    :param ruled: the rules, with the totals of the lines that they are applied to.
    :param first: the place of the first adjustment among the lines of the statement.
    :param adjustments: of the currency of the plan, and of metrics that have a line.
    """
    audit = _Audit(first, adjustments, problems)
    for rules, total, _ in ruled.of_metrics:
        audit.apply(rules, total)
    by_metric = {str(total.metric): total.rounded for _, total, _ in ruled.of_metrics}
    rules, total = ruled.of_all()
    audit.apply(rules, total)
    audit.draw_credits(Due(total.rounded, by_metric, total.rounding))
    audit.check_order()


class _Audit:
    """Goes through rules in their order, and finds the line of each among the adjustments."""

    def __init__(self, first: int, adjustments: Sequence[Adjustment], problems: Problems) -> None:
        self._problems = problems
        self._left: dict[Key, _Placed] = {}
        self._order: list[int] = []  # the places of those that rules have made
        self._written = [path_of((line.metric, line.line)) for line in adjustments]
        for placed in map(_Placed, range(first, first + len(adjustments)), adjustments):
            key = placed.line.metric, placed.line.line
            if key in self._left:
                self._refuse(placed, None, placed.line.line, "must be there once")
            else:
                self._left[key] = placed

    def apply(self, rules: Sequence[Rule], total: RunningTotal) -> None:
        """Compare the changes of a total by rules with the adjustments, and go on from there."""
        for rule in rules:
            path = path_of((total.metric, rule.line))
            placed = self._left.pop((total.metric, rule.line), None)
            # While the period runs no true-up is due, but a premium is.
            expected = running = total.adjustment(rule, has_ended=False)
            if rule.is_true_up and (placed is None or placed.line != running):
                expected = total.adjustment(rule, has_ended=True)
            if placed is not None:
                self._order.append(placed.place)
                self._compare(placed, expected, rule)
            elif running is not None:
                problem = f"must have {rule.whose} {running.explain()}"
                self._problems.add(InvalidValue("lines", path, problem))
            total.add(rule, running if placed is None else expected)

    def _compare(self, placed: _Placed, expected: Adjustment | None, rule: Rule) -> None:
        """Refuse an adjustment that isn't the one that its rule makes."""
        if expected is None:
            problem = "must be left out: its rule changes nothing"
            self._refuse(placed, None, placed.line.explain(), problem)
            return
        for name in ("before", "cost", "exact_cost"):
            amount, by_rule = getattr(placed.line, name), getattr(expected, name)
            if amount != by_rule:
                self._refuse(placed, name, amount, f"must be {by_rule}, by {rule.whose} rule")

    def draw_credits(self, due: Due) -> None:
        """Compare the adjustments left, which must be credits, with the amount there is to pay.

        Nobody but the grants knows in which order they are drawn on.
        """
        for placed in self._left.values():
            line = placed.line
            self._order.append(placed.place)
            if line.kind != "credit":
                self._refuse(
                    placed, None, line.explain(), "must be by a rule of the plan or the org"
                )
                continue
            if line.before != (most := due.of(line.metric)):
                self._refuse(placed, "before", line.before, f"must be {most}")
            due.pay(line.metric, -line.cost.minor)

    def check_order(self) -> None:
        """Refuse adjustments in another order than that in which rules are applied."""
        if any(place > following for place, following in pairwise(self._order)):
            problem = "must be in the order in which rules are applied"
            self._problems.add(InvalidValue("lines", self._written, problem))

    def _refuse(self, placed: _Placed, field: str | None, value: object, problem: str) -> None:
        path = at("lines", placed.place) if field is None else at("lines", placed.place, field)
        self._problems.add(InvalidValue(path, value, problem))
