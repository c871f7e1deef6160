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

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from overages.amounts.exact import Quantity, number_from_ratio, parse_amount
from overages.amounts.money import Money, new_money
from overages.amounts.rounding import Rounding
from overages.errors import InvalidValue
from overages.prices.models import PriceModel
from overages.statements.adjustment import (
    Adjustment,
    AdjustmentKind,
    line_name,
    line_path,
    new_adjustment,
)
from overages.terms.commitment import Commitment
from overages.terms.discount import Discount

Change: TypeAlias = tuple[Money, Fraction]
"""The addition of a rule to the rounded total, and to the exact one in major currency units."""


class PartRules(NamedTuple):
    """The rules of a metric, or of a plan, in one part of a period.

    :param share: how much of the billing period the part is: all that is due once in a period is
        due for that share of it.
    :param price: the price of a commitment to a quantity, for a whole period.
    """

    discounts: tuple[Discount, ...] = ()
    commitment: Commitment | None = None
    maximum: Money | None = None
    minimum: Money | None = None
    price: PriceModel | None = None
    share: Fraction = Fraction(1)


class RuleOfPart(NamedTuple):
    """A rule as one part has it.

    :param part: the part's place among the parts, from 0.
    :param terms: a percentage, an amount of money or a commitment.
    :param worth: the amount for the part's share of the period, in major currency units; None for
        a percentage, which is of the part's own total.
    """

    part: int
    terms: Quantity | Money | Commitment
    worth: Fraction | None


class Rule(NamedTuple):
    """A rule of a metric or of a plan that adjusts the total of its lines, in all its parts."""

    kind: AdjustmentKind
    name: str | None
    parts: tuple[RuleOfPart, ...]

    @property
    def line(self) -> str:
        """The name of its line among those of a metric."""
        return line_name(self.kind, self.name)

    @property
    def is_true_up(self) -> bool:
        """Whether it raises a total, once the period is over."""
        return self.kind in {"commitment", "minimum"}

    @property
    def worth(self) -> Fraction:
        """The amount that it is about, for all its parts together."""
        return sum((each.worth for each in self.parts if each.worth is not None), Fraction())


def rules_in_order(parts: Sequence[PartRules]) -> list[Rule]:
    """Return the rules of the parts of a period in the order in which they are applied.

    A rule that several parts have is one rule: it is applied once, for the sum of their shares.
    Discounts of units are none of them: they raise a limit.

    :raises InvalidValue: if a discount of one name is a percentage in one part, and an amount in
        another: it would have two lines of one name.
    """
    by_line: dict[tuple[AdjustmentKind, str | None], list[RuleOfPart]] = {}
    for stage in ("percent", "amount", "commitment", "maximum", "minimum"):
        for place, part in enumerate(parts):
            for kind, name, terms in _rules_of(part, stage):
                worth = _worth(terms, part)
                rules = by_line.setdefault((kind, name), [])
                if rules and (rules[0].worth is None) != (worth is None):
                    problem = "must be percentages in all parts of a period, or amounts in all"
                    raise InvalidValue(("discounts", str(name)), [rules[0].terms, terms], problem)
                rules.append(
                    RuleOfPart(place, terms, None if worth is None else worth * part.share)
                )
    return [Rule(kind, name, tuple(rules)) for (kind, name), rules in by_line.items()]


def _rules_of(
    part: PartRules, stage: str
) -> Iterator[tuple[AdjustmentKind, str | None, Quantity | Money | Commitment]]:
    """Yield the rules that a part has for one of the stages of their order."""
    if stage in {"percent", "amount"}:
        for discount in part.discounts:
            terms = getattr(discount, stage)
            if terms is not None:
                yield "discount", discount.name, terms
    elif stage == "commitment" and part.commitment is not None:
        yield "commitment", None, part.commitment
    elif stage == "maximum" and part.maximum is not None:
        yield "maximum", None, part.maximum
    elif stage == "minimum" and part.minimum is not None:
        yield "minimum", None, part.minimum


def _worth(terms: Quantity | Money | Commitment, part: PartRules) -> Fraction | None:
    if isinstance(terms, Commitment):
        return terms.worth(part.price)
    return Fraction(terms.amount) if isinstance(terms, Money) else None


def adjustments_of(
    subtotal: Money,
    exact_subtotal: Fraction,
    *,
    rounding: Rounding,
    metric: str | None,
    rules: PartRules,
    has_ended: bool = True,
) -> tuple[Adjustment, ...]:
    """Return the lines that rules add to those that come to a subtotal, in the order applied.

    A minimum is applied last, so a minimum above the maximum is due all the same.

    :param subtotal: the rounded sum of the lines; from a sum that gives money back, as where a
        volume price gets cheaper, nothing is taken off.
    :param exact_subtotal: the sum of their exact costs, in major currency units.
    :param metric: the metric whose lines they are; None for the whole statement.
    :param rules: the rules; free units among its discounts were taken off before the price, as part
        of the limit. Amounts, and the worth of a commitment, count for the rules' share of the
        period, exactly, and are then rounded once.
    :param has_ended: whether the period is over, so that true-ups are due.
    :raises CurrencyMismatch: if a rule's money is not in the currency of the subtotal.

    >>> total = Money(7500, "USD")
    >>> rules = PartRules((Discount("launch", percent=20),), minimum=Money(10000, "USD"))
    >>> lines = adjustments_of(
    ...     total, Fraction(75), rounding=Rounding.HALF_UP, metric=None, rules=rules)
    >>> [line.explain() for line in lines]
    ['discount launch: 75.00 USD -> 60.00 USD', 'minimum: 60.00 USD -> 100.00 USD']
    """
    total = RunningTotal(subtotal, [exact_subtotal], rounding, metric)
    return total.with_rules(rules_in_order([rules]), has_ended=has_ended)


def credited(
    subtotal: Money, credits: Iterable[tuple[str, Money]], metric: str | None = None
) -> tuple[Adjustment, ...]:
    """Return the lines of prepaid money that is drawn, in the order given, never below zero.

    :param subtotal: the amount due.
    :param credits: (id, balance); a balance of zero or less gives nothing. A line's exact cost is
        its cost, for money is drawn.
    :param metric: the metric whose lines it pays; None for any.
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
            exact = number_from_ratio(-drawn.minor, 10**drawn.currency.exponent)
            lines.append(new_adjustment("credit", subtotal, -drawn, exact, metric, grant))
            subtotal -= drawn
    return tuple(lines)


def creditable(
    metric_total: Money | None, of_metrics: Money, due: Money, left: Money, rounding: Rounding
) -> Money:
    """Return the part of a total that a credit can pay: of a metric's, its own total at most.

    A discount or a maximum of the plan is every metric's in proportion: of two metrics at 100.00
    each and 50 % off both, 50.00 are due for each.

    :param metric_total: the total of the metric's lines, without credits; None where a credit pays
        for any metric.
    :param of_metrics: the total of all metrics' lines, before the rules of the plan.
    :param due: the same after them, before credits.
    :param left: the same with the credits before this one.
    """
    most = left
    if metric_total is not None:
        most = min(metric_total, left)
        if due < of_metrics and of_metrics.minor > 0:
            share = Fraction(due.minor, of_metrics.minor) * Fraction(metric_total.amount)
            most = min(Money.of(share, left.currency, rounding), most)
    return most if most.minor > 0 else new_money(0, left.currency)


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
        if rule.kind == "discount":
            if self.rounded.minor < 0 or self.exact < 0:
                return self._nothing  # the lines give money back, as where a price got cheaper
            return self._amount_off(rule) if rule.parts[0].worth is not None else self._off(rule)
        if rule.kind == "maximum":
            return self._lowered_to(rule)
        if rule.kind == "minimum":
            return self._raised_to(rule) if has_ended else self._nothing
        return self._committed(rule, has_ended=has_ended)

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
