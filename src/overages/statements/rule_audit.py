"""Auditing adjustments: whether each follows from the plan's rules, one after another.

The rules are applied once more, and the running totals are compared with the adjustments' own:

    rule                   must be            because
    20 % off, 75.00        -15.00             nothing else decides it
    minimum 100.00         40.00, or less,    60.00 are there; a part of the period has a share of
                           or no line         the minimum, and a bill before the last one none
    credit of a grant      60.00 or less      nobody but the grant knows its balance

Where a commitment or a minimum has an exact cost, the amount that it was worth for the part of the
period follows from it, and the rounded cost from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from overages._ground.parsing import Problems
from overages.amounts.money import Money, new_money
from overages.errors import InvalidValue, at
from overages.prices.models import PriceModel
from overages.statements.adjusting import (
    Change,
    Rule,
    RunningTotal,
    creditable,
    rules_in_order,
)
from overages.statements.adjustment import Adjustment, Key, path_of
from overages.statements.limits import FULL_SHARE
from overages.statements.rating import UnroundedLine
from overages.terms.commitment import Commitment
from overages.terms.plan import Plan


class _Placed(NamedTuple):
    """An adjustment, and its place among the lines of the statement."""

    place: int
    line: Adjustment


class _Agreement(NamedTuple):
    """A spend that a part of a period has a share of, and that the last bill trues up to.

    :param worth: all of it, in major currency units.
    :param premium_factor: how many times more is due of the spend beyond it.
    :param change: the change of a total by a share of it, on the last bill or another one.
    """

    worth: Fraction
    premium_factor: Fraction
    change: Callable[..., Change]


def audit_adjustments(
    plan: Plan,
    lines: Sequence[UnroundedLine],
    costs: Sequence[int],
    adjustments: Sequence[Adjustment],
    problems: Problems,
) -> None:
    """Add a problem for each adjustment that the plan's rules don't make of its lines.

    :param costs: the lines' costs in minor units.
    :param adjustments: of the currency of the plan, and of metrics that have a line.
    """
    audit = _Audit(len(lines), adjustments, problems)
    minor, exact = 0, Fraction()
    by_metric = {}
    for line, cost in zip(lines, costs, strict=True):
        allowance = line.line.allowance
        total = RunningTotal(
            new_money(cost, plan.currency), line.added, plan.rounding, line.line.metric
        )
        rules = rules_in_order(
            allowance.discounts, allowance.commitment, allowance.maximum, allowance.minimum
        )
        # First each metric, then the plan on the sum of them: the order in which bills are made.
        audit.apply(rules, total, allowance.price)
        # A credit for this metric pays at most its line with its own rules; the plan's come later.
        by_metric[line.line.metric] = total.rounded
        minor += total.rounded.minor
        exact += total.exact
    total = RunningTotal(new_money(minor, plan.currency), exact, plan.rounding, None)
    audit.apply(rules_in_order(plan.discounts, None, plan.maximum, plan.minimum), total, None)
    audit.draw_credits(by_metric, total.rounded)
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

    def apply(self, rules: Sequence[Rule], total: RunningTotal, price: PriceModel | None) -> None:
        """Compare the changes of a total by rules with the adjustments, and go on from there."""
        for rule in rules:
            path = path_of((total.metric, rule.line))
            placed = self._left.pop((total.metric, rule.line), None)
            if placed is not None:
                self._order.append(placed.place)
            agreement = _agreement(rule, total, price)
            # A premium on the spend beyond all that was agreed to is due in any case.
            expected = total.adjustment(rule, price, FULL_SHARE, is_last_bill=agreement is None)
            if placed is None:
                if expected is not None:
                    problem = f"must have the plan's {expected.explain()}"
                    self._problems.add(InvalidValue("lines", path, problem))
            elif agreement is not None:
                self._check_agreed(placed, rule, total, agreement)
                expected = placed.line
            else:
                self._compare(placed, expected)
            if expected is not None:
                total.add(expected)

    def _compare(self, placed: _Placed, expected: Adjustment | None) -> None:
        """Refuse an adjustment that isn't the one that its rule makes."""
        if expected is None:
            problem = "must be left out: its rule changes nothing"
            self._refuse(placed, None, placed.line.explain(), problem)
            return
        for name in ("before", "cost", "exact_cost"):
            amount, by_rule = getattr(placed.line, name), getattr(expected, name)
            if amount != by_rule:
                self._refuse(placed, name, amount, f"must be {by_rule}, by the plan's rule")

    def _check_agreed(
        self, placed: _Placed, rule: Rule, total: RunningTotal, agreement: _Agreement
    ) -> None:
        """Refuse a true-up or a premium that no share of the spend agreed to comes to."""
        line, exact = placed.line, Fraction(placed.line.exact_cost)
        agreed, factor, change = agreement
        worths = [total.exact + exact]  # the amount that a true-up raises to
        if factor:
            worths.append(total.exact - exact / factor)  # the amount that a premium is due beyond
        if exact:
            # The share isn't known, but the worth follows from the line: 60 raised by 15 are 75.
            # With it the rule is applied once more, and must make the very same line.
            lawful = any(
                line == total.line(rule, change(worth, is_last_bill=is_last_bill))
                for worth in worths
                if 0 <= worth <= agreed
                for is_last_bill in (True, False)
            )
        else:  # lines were rounded to less than their exact sum, which is enough
            worth = min(agreed, total.exact)
            most, missing = change(worth, is_last_bill=True)
            at_most = line.before == total.rounded and line.cost <= most
            lawful = worth >= 0 and not missing and at_most
        if not lawful:
            problem = f"must be what the plan's {rule.kind}, or a share of it, adds to "
            self._refuse(placed, None, line.explain(), f"{problem}{total.rounded}")

    def draw_credits(self, by_metric: Mapping[str, Money], total: Money) -> None:
        """Compare the adjustments left, which must be credits, with the amount there is to pay.

        :param by_metric: the total of the lines of each metric.
        :param total: the total of them all.
        """
        paid: Adjustment | None = None
        for placed in sorted(self._left.values(), key=_credit_rank):
            line = placed.line
            self._order.append(placed.place)
            if line.kind != "credit":
                self._refuse(placed, None, line.explain(), "must be by a rule of the plan")
                continue
            if paid is not None and paid.metric == line.metric:
                # Of one metric (or of none) each credit pays the rest that the one before it left.
                due = paid.after
            else:
                due = creditable(None if line.metric is None else by_metric[line.metric], total)
            if line.before != due:
                self._refuse(placed, "before", line.before, f"must be {due}")
            total += line.cost
            paid = line

    def check_order(self) -> None:
        """Refuse adjustments in another order than that in which rules are applied."""
        if any(place > following for place, following in pairwise(self._order)):
            problem = "must be in the order in which rules are applied"
            self._problems.add(InvalidValue("lines", self._written, problem))

    def _refuse(self, placed: _Placed, field: str | None, value: object, problem: str) -> None:
        path = at("lines", placed.place) if field is None else at("lines", placed.place, field)
        self._problems.add(InvalidValue(path, value, problem))


def _agreement(rule: Rule, total: RunningTotal, price: PriceModel | None) -> _Agreement | None:
    """Return the agreement of a commitment or a minimum; None for another rule."""
    terms = rule.terms
    if isinstance(terms, Commitment):
        factor = Fraction(terms.overage_factor) - 1
        return _Agreement(terms.worth(price), factor, partial(total.committed, terms))
    if rule.kind == "minimum" and isinstance(terms, Money):
        return _Agreement(Fraction(terms.amount), Fraction(), total.raised_to)
    return None


def _credit_rank(placed: _Placed) -> tuple[bool, str]:
    """Return the sort key of a credit: those for all metrics are drawn last."""
    return placed.line.metric is None, placed.line.metric or ""
