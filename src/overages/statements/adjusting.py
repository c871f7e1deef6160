"""Adjusting: from the total of the lines to the amount due, rule by rule in one order.

The problem: a bill of 75.00 has 20 % off, 10.00 off, a minimum of 100.00 and a maximum of 500.00.
Each rule is applied to the total that the ones before it left, so their order decides the amount,
and a customer is to see the effect of each. The order is: conversion of units, free units, price;
percentages off, in the order written, each of the amount left; fixed amounts off; the commitment;
the maximum; the minimum; credits. The first three make a metric's line. The rest are lines of their
own, first those of each metric that has rules, and then those of the whole statement:

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
from typing import NamedTuple, TypeAlias

from overages.amounts.exact import Quantity, parse_amount
from overages.amounts.money import Money
from overages.amounts.rounding import Rounding
from overages.prices.models import PriceModel
from overages.statements.adjustment import Adjustment, AdjustmentKind, line_name, line_path
from overages.terms.commitment import Commitment
from overages.terms.discount import Discount

Change: TypeAlias = tuple[Money, Fraction]
"""The addition of a rule to the rounded total, and to the exact one in major currency units."""


class Rule(NamedTuple):
    """A rule of a metric or of a plan that adjusts the total of its lines.

    Its terms are a percentage, an amount or a commitment.
    """

    kind: AdjustmentKind
    terms: Quantity | Money | Commitment
    name: str | None = None

    @property
    def line(self) -> str:
        """The name of its line among those of a metric."""
        return line_name(self.kind, self.name)


def rules_in_order(
    discounts: tuple[Discount, ...] = (),
    commitment: Commitment | None = None,
    maximum: Money | None = None,
    minimum: Money | None = None,
) -> list[Rule]:
    """Return rules in the order in which they are applied; discounts of units are none of them."""
    terms: list[tuple[Quantity | Money | None, str]]
    terms = [(each.percent, each.name) for each in discounts]
    # Percentages first, whichever is written first: 20 % and 10.00 off 75.00 are 15.00 and 10.00,
    # never 10.00 and then 13.00.
    terms += [(each.amount, each.name) for each in discounts]
    rules = [Rule("discount", each, name) for each, name in terms if each is not None]
    if commitment is not None:
        rules.append(Rule("commitment", commitment))
    if maximum is not None:
        rules.append(Rule("maximum", maximum))
    # The minimum is last: it was agreed to be paid in any case, so no maximum lowers it.
    if minimum is not None:
        rules.append(Rule("minimum", minimum))
    return rules


def adjustments_of(
    subtotal: Money,
    exact_subtotal: Fraction,
    *,
    rounding: Rounding,
    metric: str | None,
    discounts: tuple[Discount, ...] = (),
    commitment: Commitment | None = None,
    price: PriceModel | None = None,
    maximum: Money | None = None,
    minimum: Money | None = None,
    share: Fraction = Fraction(1),
    is_last_bill: bool = True,
) -> tuple[Adjustment, ...]:
    """Return the lines that rules add to those that come to a subtotal, in the order applied.

    A minimum is applied last, so a minimum above the maximum is due all the same.

    :param subtotal: the rounded total of the lines; from a negative one, as where a volume
        price gets cheaper, nothing is taken off.
    :param exact_subtotal: the sum of their exact costs, in major currency units.
    :param metric: the metric whose lines they are; None for the whole statement.
    :param discounts: free units among them were taken off before the price, as part of the limit.
    :param price: the price of the units that a commitment to a quantity is to.
    :param share: how much of the period is billed; the commitment and the minimum are multiplied by
        it, exactly, and then rounded once.
    :param is_last_bill: whether this is the period's last bill, on which true-ups are due.
    :raises CurrencyMismatch: if a rule's money is not in the currency of the subtotal.

    >>> total = Money(7500, "USD")
    >>> rules = {"discounts": (Discount("launch", percent=20),), "minimum": Money(10000, "USD")}
    >>> lines = adjustments_of(
    ...     total, Fraction(75), rounding=Rounding.HALF_UP, metric=None, **rules)
    >>> [line.explain() for line in lines]
    ['discount launch: 75.00 USD -> 60.00 USD', 'minimum: 60.00 USD -> 100.00 USD']
    """
    total = RunningTotal(subtotal, exact_subtotal, rounding, metric)
    for rule in rules_in_order(discounts, commitment, maximum, minimum):
        line = total.adjustment(rule, price, share, is_last_bill=is_last_bill)
        if line is not None:
            total.add(line)
    return tuple(total.adjustments)


def credited(subtotal: Money, credits: Iterable[tuple[str, Money]]) -> tuple[Adjustment, ...]:
    """Return the lines of prepaid money that is drawn, in the order given, never below zero.

    :param subtotal: the amount due.
    :param credits: (id, balance); a balance of zero or less gives nothing. A line's exact cost is
        its cost, for money is drawn.
    :raises CurrencyMismatch: if a balance is not in the currency of the subtotal.

    >>> due = Money(700, "USD")
    >>> lines = credited(due, [("g1", Money(500, "USD")), ("g2", Money(500, "USD"))])
    >>> [str(line.cost) for line in lines]
    ['-5.00 USD', '-2.00 USD']
    """
    lines = []
    for grant, balance in credits:
        # A credit pays a bill, and is never paid out: of 7.00, a grant of 10.00 pays 7.00.
        drawn = min(balance, subtotal)
        if drawn.minor > 0:
            exact = -Fraction(drawn.amount)
            lines.append(Adjustment("credit", subtotal, -drawn, exact, name=grant))
            subtotal -= drawn
    return tuple(lines)


def creditable(metric_total: Money | None, total: Money) -> Money:
    """Return the part of a total that a credit can pay: of a metric's, its own total at most.

    :param metric_total: the total of the metric's lines, without credits; None where a credit pays
        for any metric.
    :param total: the total of all lines, with the credits before this one.
    """
    # The total is less where the plan's discounts, its maximum or earlier credits took from it.
    most = total if metric_total is None else min(metric_total, total)
    return max(most, Money(0, total.currency))


class RunningTotal:
    """The running total of some lines and the adjustments so far, rounded and exact.

    :param rounded: the sum of the lines' costs.
    :param exact: that of their exact costs, in major currency units.
    :param rounding: how a rule's share of an amount becomes whole minor units.
    :param metric: whose lines they are; None for those of all metrics.
    """

    __slots__ = ("_nothing", "adjustments", "exact", "metric", "rounded", "rounding")

    def __init__(
        self, rounded: Money, exact: Fraction, rounding: Rounding, metric: str | None
    ) -> None:
        self.rounded: Money = rounded
        self.exact: Fraction = exact
        self.rounding: Rounding = rounding
        self.metric: str | None = metric
        self.adjustments: list[Adjustment] = []
        self._nothing: Change = (Money(0, rounded.currency), Fraction())

    def adjustment(
        self, rule: Rule, price: PriceModel | None, share: Fraction, *, is_last_bill: bool
    ) -> Adjustment | None:
        """Return the line of a rule that is applied next; None where it changes nothing."""
        kind, terms, _ = rule
        if isinstance(terms, Commitment):
            # Half a month has half of the agreed spend; a maximum bounds any part of it as it is.
            change = self.committed(terms, terms.worth(price) * share, is_last_bill=is_last_bill)
        elif not isinstance(terms, Money):
            change = self._percent_off(terms)
        elif kind == "discount":
            change = self._amount_off(terms)
        elif kind == "maximum":
            change = self._lowered_to(terms)
        else:
            change = self.raised_to(self._exactly(terms) * share, is_last_bill=is_last_bill)
        return self.line(rule, change)

    def line(self, rule: Rule, change: Change) -> Adjustment | None:
        """Return the line of a rule and a change; None where that is none."""
        cost, exact = change
        if not cost.minor and not exact:
            return None
        exact_cost = parse_amount(exact, (*line_path((self.metric, rule.line)), "exact_cost"))
        return Adjustment(rule.kind, self.rounded, cost, exact_cost, self.metric, rule.name)

    def add(self, line: Adjustment) -> None:
        """Add an adjustment to the running total."""
        self.adjustments.append(line)
        self.rounded = line.after
        self.exact += Fraction(line.exact_cost)

    def committed(self, commitment: Commitment, worth: Fraction, *, is_last_bill: bool) -> Change:
        """Return the premium on spend beyond a commitment, or the true-up to it.

        :param worth: the spend agreed to for the part of the period, in major currency units.
        """
        if commitment.amount is not None:
            self._exactly(commitment.amount)  # or another currency's figure would count as ours
        # Of a worth of 13 at a factor of 1.5, a spend of 15 has a premium of 1, on any bill, for
        # spend only grows; a spend of 10 lacks 3, which is known on the last bill alone.
        exact = commitment.premium(self.exact, worth)
        cost = self._rounded(exact)
        if is_last_bill and commitment.true_up:
            exact += commitment.shortfall(self.exact, worth)
            # Raised to the rounded worth, not by the rounded shortfall: the customer is to see the
            # agreed amount as the total, whatever the roundings of its lines came to.
            cost = max(cost, self._rounded(worth) - self.rounded)
        return cost, exact

    def raised_to(self, least: Fraction, *, is_last_bill: bool) -> Change:
        """Return the true-up to an amount in major currency units; none before the last bill."""
        zero, _ = self._nothing
        if not is_last_bill:
            return self._nothing
        # Each total is raised by itself: one may be there already where the other is short of it.
        missing = max(Fraction(), least - self.exact)
        return max(zero, self._rounded(least) - self.rounded), missing

    def _percent_off(self, percent: Quantity) -> Change:
        if self._gives_back():
            return self._nothing
        exact = -self.exact * Fraction(percent) / 100
        # Lines rounded one by one come to less, or more, than their exact sum does: a percentage of
        # that may be more than there is, and all of it leaves nothing of either.
        cost = -self.rounded if percent == 100 else max(self._rounded(exact), -self.rounded)
        return cost, exact

    def _amount_off(self, amount: Money) -> Change:
        if self._gives_back():
            return self._nothing
        # No more than there is, of either total: 10.00 off 7.00 leaves 0.00, and pays nothing out.
        return -min(amount, self.rounded), -min(self._exactly(amount), self.exact)

    def _gives_back(self) -> bool:
        """Tell whether the lines give money back, as where a volume price got cheaper."""
        return self.rounded.minor < 0 or self.exact < 0

    def _lowered_to(self, maximum: Money) -> Change:
        """Return the reduction to a maximum."""
        zero, _ = self._nothing
        # Each total by itself, as for a minimum: rounding may lift one alone over the maximum.
        beyond = min(Fraction(), self._exactly(maximum) - self.exact)
        return min(zero, maximum - self.rounded), beyond

    def _exactly(self, money: Money) -> Fraction:
        """Return an amount in major units, if it is in the currency of the lines."""
        zero, _ = self._nothing
        # The sum with a zero of the currency refuses money of another one.
        return Fraction((zero + money).amount)

    def _rounded(self, amount: Fraction) -> Money:
        return Money.of(amount, self.rounded.currency, self.rounding)
