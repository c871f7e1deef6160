"""Adjusting: from the total of the lines to the amount due, rule by rule in one order.

The problem: a bill of 75.00 has 20 % off, 10.00 off, a minimum of 100.00 and a maximum of 500.00.
Each rule is applied to the total that the ones before it left, so their order decides the amount,
and a customer is to see the effect of each. The order is: conversion of units, free units, price;
percentages off, in the order written, each of the amount left; fixed amounts off; the commitment;
the maximum; the minimum; credits. The first three make a metric's line. The rest are lines of their
own: a trial, which takes off again all that its time costs; then those of each metric that has
rules, those of the plan for the whole statement, and those of the org's own:

    line tokens                       75.00   (exactly 75)
    discount launch, 20 %            -15.00   of 75.00
    discount voucher, 10.00          -10.00   of the 60.00 left
    minimum 100.00                    50.00   from 50.00 up to it
    total                            100.00

Two totals run beside each other, one of the rounded costs and one of the exact ones, and each rule
is applied to both: no discount takes more than there is of either, and a maximum and a minimum
bound both. They part by the rounding: three lines of 0.004 each come to 0.00 rounded, and to
0.012 exactly, of which a minimum of 1.00 lacks 1.00 and 0.988. So an adjustment of less than a
minor unit may have an exact cost and no cost, or the reverse, and is a line too, so that exact
costs add up as well; one that has neither is left out.

Not done: rounding the exact total after all rules, once. It would be less rounding, but then no
line would have a cost of its own, and lines would no longer add up to the total.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TypeAlias

from overages.amounts.exact import Quantity, parse_amount
from overages.amounts.money import Money
from overages.amounts.rounding import Rounding
from overages.lines.adjustment import Adjustment, line_path
from overages.lines.rule import PartRules, Rule, rules_in_order
from overages.terms.commitment import Commitment

Change: TypeAlias = tuple[Money, Fraction]
"""The addition of a rule to the rounded total, and to the exact one in major currency units."""


def adjustments_of(
    subtotal: Money,
    exact_subtotal: Fraction,
    *,
    rounding: Rounding,
    metric: str | None,
    rules: PartRules,
    share: Fraction = Fraction(1),
    has_ended: bool = True,
) -> tuple[Adjustment, ...]:
    """Return the lines that rules add to those that come to a subtotal, in the order applied.

    A minimum is applied last, so a minimum above the maximum is due all the same.

    :param subtotal: the rounded sum of the lines; from a sum that gives money back, as where a
        volume price gets cheaper, nothing is taken off.
    :param exact_subtotal: the sum of their exact costs, in major currency units.
    :param metric: the metric whose lines they are; None for the whole statement.
    :param rules: the rules; free units among its discounts were taken off before the price, as part
        of the limit.
    :param share: how much of the billing period it is. Amounts, and the worth of a commitment,
        count for that share, exactly, and are then rounded once.
    :param has_ended: whether the period is over, so that true-ups are due.
    :raises CurrencyMismatch: if a rule's money is not in the currency of the subtotal.

    >>> from overages import Discount
    >>> total = Money(7500, "USD")
    >>> rules = PartRules((Discount("launch", percent=20),), minimum=Money(10000, "USD"))
    >>> lines = adjustments_of(
    ...     total, Fraction(75), rounding=Rounding.HALF_UP, metric=None, rules=rules)
    >>> [line.explain() for line in lines]
    ['discount launch: 75.00 USD -> 60.00 USD', 'minimum: 60.00 USD -> 100.00 USD']
    """
    total = RunningTotal(subtotal, [exact_subtotal], rounding, metric)
    return total.with_rules(rules_in_order([rules], lambda *_: share), has_ended=has_ended)


class RunningTotal:
    """The running total of some lines and the adjustments so far, rounded and exact.

    :param rounded: the sum of the lines' costs.
    :param exact: the sum of their exact costs in each part of the period, in major currency units.
    :param rounding: how a rule's share of an amount becomes whole minor units.
    :param metric: whose lines they are; None for those of all metrics.
    """

    __slots__ = ("_nothing", "adjustments", "by_part", "metric", "rounded", "rounding")

    def __init__(
        self, rounded: Money, exact: Iterable[Fraction], rounding: Rounding, metric: str | None
    ) -> None:
        self.rounded: Money = rounded
        self.by_part: list[Fraction] = list(exact)
        self.rounding: Rounding = rounding
        self.metric: str | None = metric
        self.adjustments: list[Adjustment] = []
        self._nothing: Change = (Money(0, rounded.currency), Fraction())

    @property
    def exact(self) -> Fraction:
        """The exact total of all parts."""
        return sum(self.by_part, Fraction())

    def with_rules(self, rules: Iterable[Rule], *, has_ended: bool) -> tuple[Adjustment, ...]:
        """Apply rules, one after another, and return their lines."""
        for rule in rules:
            self.add(rule, self.adjustment(rule, has_ended=has_ended))
        return tuple(self.adjustments)

    def adjustment(self, rule: Rule, *, has_ended: bool) -> Adjustment | None:
        """Return the line of a rule that is applied next; None where it changes nothing."""
        cost, exact = self._change(rule, has_ended=has_ended)
        if not cost.minor and not exact:
            return None
        exact_cost = parse_amount(exact, (*line_path((self.metric, rule.line)), "exact_cost"))
        return Adjustment(rule.kind, self.rounded, cost, exact_cost, self.metric, rule.name)

    def add(self, rule: Rule, line: Adjustment | None) -> None:
        """Go on from the total with the line of a rule, if it has one."""
        if line is not None:
            self.adjustments.append(line)
            self.rounded = line.after
            self._attribute(rule, Fraction(line.exact_cost))

    def _attribute(self, rule: Rule, change: Fraction) -> None:
        """Give each part of a rule its portion of the exact change: by what it came to so far.

        Where all of them came to nothing, by the worth of the rule in each.
        """
        if len(self.by_part) == 1:
            self.by_part[0] += change
            return
        places = [each.part for each in rule.parts]
        if rule.kind == "trial":
            for place in places:
                self.by_part[place] = Fraction()
            return
        weights = [self.by_part[place] for place in places]
        if rule.parts[0].worth is None:  # a percentage is of each part's own
            weights = [
                weight * Fraction(each.terms)  # type: ignore[arg-type]
                for weight, each in zip(weights, rule.parts, strict=True)
            ]
        if sum(weights) <= 0:
            weights = [each.worth or Fraction() for each in rule.parts]
        total = sum(weights)
        for place, weight in zip(places, weights, strict=True):
            self.by_part[place] += change * weight / total if total else change / len(places)

    def _change(self, rule: Rule, *, has_ended: bool) -> Change:
        """Return the addition of a rule to the totals."""
        for each in rule.parts:
            self._require_currency(each.terms)
        if rule.kind == "trial":
            return self._all_off(rule)
        if rule.works_as == "discount":
            if self.rounded.minor < 0 or self.exact < 0:
                return self._nothing  # the lines give money back, as where a price got cheaper
            return self._amount_off(rule) if rule.parts[0].worth is not None else self._off(rule)
        if rule.works_as == "maximum":
            return self._lowered_to(rule)
        if rule.works_as == "minimum":
            return self._raised_to(rule) if has_ended else self._nothing
        return self._committed(rule, has_ended=has_ended)

    def _all_off(self, rule: Rule) -> Change:
        """Return all that the lines of parts on trial cost, as each was rounded, taken off."""
        cost, exact = self._nothing
        for part, of_lines, _ in rule.parts:
            assert isinstance(of_lines, Money)
            cost -= of_lines
            exact -= self.by_part[part]
        return cost, exact

    def _off(self, rule: Rule) -> Change:
        """Return a percentage off, of each part's own total."""
        exact = Fraction()
        for part, percent, _ in rule.parts:
            exact -= self.by_part[part] * Fraction(percent) / 100  # type: ignore[arg-type]
        is_all = len(rule.parts) == len(self.by_part) and all(
            percent == 100 for _, percent, _ in rule.parts
        )
        # Lines rounded one by one come to less, or more, than their exact sum does: a percentage of
        # that may be more than there is, and all of it leaves nothing of either.
        cost = -self.rounded if is_all else max(self._rounded(exact), -self.rounded)
        return cost, exact

    def _amount_off(self, rule: Rule) -> Change:
        rounded, exact = self._due(rule)
        zero, _ = self._nothing
        return (
            min(zero, -min(self._rounded(rule.worth), rounded)),
            min(Fraction(), -min(rule.worth, exact)),
        )

    def _lowered_to(self, rule: Rule) -> Change:
        """Return the reduction to a maximum."""
        rounded, exact = self._due(rule)
        zero, _ = self._nothing
        beyond = min(Fraction(), rule.worth - exact)
        return min(zero, self._rounded(rule.worth) - rounded), beyond

    def _raised_to(self, rule: Rule) -> Change:
        """Return the true-up to a minimum."""
        rounded, exact = self._due(rule)
        zero, _ = self._nothing
        missing = max(Fraction(), rule.worth - exact)
        return max(zero, self._rounded(rule.worth) - rounded), missing

    def _committed(self, rule: Rule, *, has_ended: bool) -> Change:
        """Return the premium on spend beyond a commitment, or the true-up to it.

        Where parts have different ones, the premium and the true-up are by the rule of the last.
        """
        rounded, due = self._due(rule)
        commitment = rule.parts[-1].terms
        assert isinstance(commitment, Commitment)
        exact = commitment.premium(due, rule.worth)
        cost = self._rounded(exact)
        if has_ended and commitment.true_up:
            exact += commitment.shortfall(due, rule.worth)
            cost = max(cost, self._rounded(rule.worth) - rounded)
        return cost, exact

    def _due(self, rule: Rule) -> Change:
        """Return the total, rounded and exact, of the parts that have a rule."""
        if len(rule.parts) == len(self.by_part):
            return self.rounded, self.exact
        exact = sum((self.by_part[each.part] for each in rule.parts), Fraction())
        return min(self.rounded, self._rounded(exact)), exact

    def _require_currency(self, terms: Quantity | Money | Commitment) -> None:
        """Refuse another currency, whose figure would count as one of ours."""
        money = terms.amount if isinstance(terms, Commitment) else terms
        if isinstance(money, Money):
            zero, _ = self._nothing
            zero + money  # raises CurrencyMismatch

    def _rounded(self, amount: Fraction) -> Money:
        return Money.of(amount, self.rounded.currency, self.rounding)
