"""Adjusting: from what lines come to, to what is due, in one order.

The order is: conversion of units, free units, price; percentages off, in the order
given, each of what is left; fixed amounts off; the commitment; the maximum; the minimum; credits.
The first three make a metric's line. The discounts, commitment, maximum and minimum are applied to
the line of each metric that has them, and then to the whole statement, the sum of all lines before:

    found = adjustments_of(cost, exact_cost, rounding=plan.rounding, metric="tokens", maximum=cap)
    sum((line.cost for line in found), cost)          # what is due for the metric
    credited(total, [("grant-1", Money(500, "USD"))])

Two sums are kept, of the rounded and of the exact costs, and each rule holds for either: no
discount takes more than there is, and a maximum and a minimum bound both. So an adjustment of less
than a minor unit may have an exact cost and no cost, or the reverse, and is kept, so that exact
costs add up too; one that has neither is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from overages.amounts.exact import Quantity
from overages.amounts.money import Money
from overages.amounts.rounding import Rounding
from overages.prices.models import PriceModel
from overages.statements.adjustment import Adjustment, AdjustmentKind
from overages.terms.commitment import Commitment
from overages.terms.discount import Discount


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
    final: bool = True,
) -> tuple[Adjustment, ...]:
    """Return the lines that rules add to those that come to a subtotal, in the order applied.

    A minimum is applied last, so a minimum above the maximum is due all the same.

    :param subtotal: what the lines come to, rounded; from what is given back, as where a volume
        price gets cheaper, nothing is taken off.
    :param exact_subtotal: the sum of their exact costs, in major currency units.
    :param metric: the metric whose lines they are; None for the whole statement.
    :param discounts: free units among them were taken off before the price, as part of the limit.
    :param price: what a commitment to a quantity is priced by.
    :param share: how much of the period is billed; the commitment and the minimum are multiplied by
        it, exactly, and then rounded once.
    :param final: whether this is the period's last bill, on which true-ups are due.
    :raises CurrencyMismatch: if a rule's money is not in the currency of the subtotal.

    >>> total = Money(7500, "USD")
    >>> rules = {"discounts": (Discount("launch", percent=20),), "minimum": Money(10000, "USD")}
    >>> found = adjustments_of(
    ...     total, Fraction(75), rounding=Rounding.HALF_UP, metric=None, **rules)
    >>> [line.explain() for line in found]
    ['discount launch: 75.00 USD -> 60.00 USD', 'minimum: 60.00 USD -> 100.00 USD']
    """
    due = _Due(subtotal, exact_subtotal, rounding, metric)
    for discount in discounts:
        if discount.percent is not None:
            due.take_percent(discount.name, discount.percent)
    for discount in discounts:
        if discount.amount is not None:
            due.take(discount.name, discount.amount)
    if commitment is not None:
        due.commit(commitment, price, share, final=final)
    if maximum is not None:
        due.lower_to(maximum)
    if minimum is not None and final:
        due.raise_to(minimum, share)
    return tuple(due.adjustments)


def credited(subtotal: Money, credits: Iterable[tuple[str, Money]]) -> tuple[Adjustment, ...]:
    """Return the lines of prepaid money that is drawn, in the order given, never below zero.

    :param subtotal: what is due.
    :param credits: (id, balance); a balance of zero or less gives nothing. A line's exact cost is
        its cost, for what is drawn is money.
    :raises CurrencyMismatch: if a balance is not in the currency of the subtotal.

    >>> due = Money(700, "USD")
    >>> lines = credited(due, [("g1", Money(500, "USD")), ("g2", Money(500, "USD"))])
    >>> [str(line.cost) for line in lines]
    ['-5.00 USD', '-2.00 USD']
    """
    found = []
    for grant, balance in credits:
        drawn = min(balance, subtotal)
        if drawn.minor > 0:
            exact = -Fraction(drawn.amount)
            found.append(Adjustment("credit", subtotal, -drawn, exact, name=grant))
            subtotal -= drawn
    return tuple(found)


class _Due:
    """What the lines come to so far, rounded and exactly, and the adjustments on the way there."""

    __slots__ = ("_exact", "_metric", "_rounding", "_sum", "_zero", "adjustments")

    def __init__(
        self, subtotal: Money, exact: Fraction, rounding: Rounding, metric: str | None
    ) -> None:
        self._sum, self._exact = subtotal, exact
        self._rounding, self._metric = rounding, metric
        self._zero = Money(0, subtotal.currency)
        self.adjustments: list[Adjustment] = []

    def take_percent(self, name: str, percent: Quantity) -> None:
        """Take a percentage off; all of it takes all of either sum."""
        if self._sum < self._zero or self._exact < 0:
            return
        exact = -self._exact * Fraction(percent) / 100
        # Lines rounded one by one can come to less, or more, than their exact sum does.
        cost = -self._sum if percent == 100 else max(self._rounded(exact), -self._sum)
        self._add("discount", cost, exact, name)

    def take(self, name: str, amount: Money) -> None:
        """Take an amount off, or what there is."""
        if self._sum < self._zero or self._exact < 0:
            return
        exact = min(self._exactly(amount), self._exact)
        self._add("discount", -min(amount, self._sum), -exact, name)

    def commit(
        self, commitment: Commitment, price: PriceModel | None, share: Fraction, *, final: bool
    ) -> None:
        """Add the premium beyond a commitment, or what is missing to it."""
        if commitment.amount is not None:
            self._exactly(commitment.amount)  # or another currency's figure would count as ours
        worth = commitment.worth(price) * share
        exact = commitment.premium(self._exact, worth)
        cost = self._rounded(exact)
        if final and commitment.true_up:
            exact += commitment.shortfall(self._exact, worth)
            cost = max(cost, self._rounded(worth) - self._sum)
        self._add("commitment", cost, exact)

    def lower_to(self, maximum: Money) -> None:
        """Take off what is beyond a maximum."""
        exact = min(Fraction(), self._exactly(maximum) - self._exact)
        self._add("maximum", min(self._zero, maximum - self._sum), exact)

    def raise_to(self, minimum: Money, share: Fraction) -> None:
        """Add what is missing to a share of a minimum."""
        least = self._exactly(minimum) * share
        exact = max(Fraction(), least - self._exact)
        self._add("minimum", max(self._zero, self._rounded(least) - self._sum), exact)

    def _exactly(self, money: Money) -> Fraction:
        """Return an amount in major units, if it is in the currency of the lines."""
        return Fraction((self._zero + money).amount)

    def _rounded(self, amount: Fraction) -> Money:
        return Money.of(amount, self._sum.currency, self._rounding)

    def _add(
        self, kind: AdjustmentKind, cost: Money, exact: Fraction, name: str | None = None
    ) -> None:
        if cost.minor or exact:
            line = Adjustment(kind, self._sum, cost, exact, self._metric, name)
            self.adjustments.append(line)
            self._sum, self._exact = line.after, self._exact + exact
