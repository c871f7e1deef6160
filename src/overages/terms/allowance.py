"""Allowances: the terms of one metric in a plan.

A quantity that is included, the price of the units beyond it, and the rules that contracts add:

    Allowance(included=500_000, price=PerUnit("0.0001"))
    Allowance(1_000, PerUnit("0.02"), included_per="seats", carry_over=CarryOver(expires_after=1))
    Allowance(0, PerUnit("0.05"), minimum=Money(10_000, "USD"), proration="seconds")
    Allowance(50, PerUnit("1.00"), hard_limit=100)    # of which no request goes beyond
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, TypeAlias

from overages._ground.names import optional_name
from overages._ground.parsing import Problems, choice_of, instance_of, optional, parse_all
from overages._ground.value import term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    add_up,
    excess,
    optional_non_negative,
    parse_positive,
    plain_text,
)
from overages.amounts.money import Currency, Money, optional_non_negative_money, parse_currency
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import CurrencyMismatch, Field, InvalidValue, Path
from overages.periods.cycle import Cycle
from overages.periods.proration import Proration, ProrationLike, parse_proration
from overages.prices.exact_cost import checked_charge
from overages.prices.models import PriceModel, explain_price, parse_price_model
from overages.terms.carry_over import CarryOver
from overages.terms.commitment import Commitment
from overages.terms.conversion import Conversion
from overages.terms.discount import Discount, some_discounts

if TYPE_CHECKING:
    from overages._ground.svg import Svg

AllowanceKind: TypeAlias = Literal["flow", "level"]
"""Whether units of a metric are used up, and summed, or held over time."""


def _parse_included(value: object, field: Field) -> Quantity | None:
    if isinstance(value, str) and value == "unlimited":  # the word of plan files
        raise InvalidValue(field, value, "must be a number, or None where units are unlimited")
    return optional_non_negative(value, field)


def _parse_percent(value: object, field: Field) -> Quantity:
    number = parse_positive(value, field)
    if number < 100:
        raise InvalidValue(field, value, "must be 100 or more")
    return number


@value
class Allowance:
    """The terms of one metric: included units, the price of those beyond them, and rules.

    The first two are all that most plans need; the rest are rules that contracts add, each off
    unless it is given. They are applied in one order: conversion, free quantity, price, discounts,
    commitment, maximum, minimum.

    :param included: units that cost nothing, zero or more; None where usage is unlimited.
    :param price: the price of the units beyond them.
    :param conversion: how units used become the units that are included and priced.
    :param included_per: another metric of the plan, of which each used unit brings the included
        quantity: 1,000 for each of ``"seats"``, pooled over them.
    :param included_for: the cycle that the included quantity, and the tiers of the price, are for,
        where that isn't each billing period: a year's allowance that is drawn monthly. Free units
        are for that cycle, too.
    :param carry_over: how units that are not used go to later periods.
    :param proration: how much of a period a part of it counts for; a `Proration` or its name.
    :param increment: the step that a prorated quantity is rounded to, in units above zero.
    :param increment_rounding: how it is rounded.
    :param discounts: free units, percentages and amounts off, each with a name of its own.
    :param commitment: a spend that was agreed to, with a price for the spend beyond it.
    :param maximum: the most that the metric costs in a period.
    :param minimum: the least that it costs. As all that is due once in a period, each of these
        amounts, and an amount off, is due for a part of a period in proportion.
    :param hard_limit: the most that may be used in a period, in the units that are included, those
        included among them: `decide` denies requests beyond it. Usage that is reported all the same
        is billed. Units that are carried over or granted don't raise it.
    :param hard_limit_percent: the same in per cent of the included quantity, or of an org's own
        limit, 100 or more: 100 where there is to be no overage, 120 for a fifth more. Where nothing
        is included it is refused: `hard_limit` says a number.
    :param kind: ``"flow"`` for what is summed (tokens): a part of a period has a share of its
        allowance, of the bounds of its tiers and of their fees. ``"level"`` for what is held over
        time (seats): a part has a share of its charge. None: as the metric is counted, or a flow.
    :raises InvalidType: for a value of a wrong type, such as a price that is no price model.
    :raises InvalidValue: for a value that is not allowed, or rules that exclude each other;
        `InvalidValues` for several faults.
    :raises CurrencyMismatch: if its amounts of money are in several currencies.

    >>> from overages import PerUnit
    >>> Allowance(included=50, price=PerUnit("1.00"))
    Allowance(included=50, price=PerUnit(price=1))
    """

    included: Quantity | None = term(_parse_included)
    price: PriceModel = term(parse_price_model)
    conversion: Conversion | None = term(optional(instance_of(Conversion)))
    included_per: str | None = term(optional_name)
    included_for: Cycle | None = term(optional(instance_of(Cycle)))
    carry_over: CarryOver | None = term(optional(instance_of(CarryOver)))
    proration: Proration = term(parse_proration)
    increment: Quantity = term(parse_positive)
    increment_rounding: Rounding = term(parse_rounding)
    discounts: tuple[Discount, ...] = term(some_discounts)
    commitment: Commitment | None = term(optional(instance_of(Commitment)))
    maximum: Money | None = term(optional_non_negative_money)
    minimum: Money | None = term(optional_non_negative_money)
    hard_limit: Quantity | None = term(optional_non_negative)
    hard_limit_percent: Quantity | None = term(optional(_parse_percent))
    kind: AllowanceKind | None = term(optional(choice_of(AllowanceKind)))

    def __init__(
        self,
        included: QuantityLike | None,
        price: PriceModel,
        *,
        conversion: Conversion | None = None,
        included_per: str | None = None,
        included_for: Cycle | None = None,
        carry_over: CarryOver | None = None,
        proration: ProrationLike = Proration.DAYS,
        increment: QuantityLike = 1,
        increment_rounding: RoundingLike = Rounding.HALF_UP,
        discounts: Iterable[Discount] = (),
        commitment: Commitment | None = None,
        maximum: Money | None = None,
        minimum: Money | None = None,
        hard_limit: QuantityLike | None = None,
        hard_limit_percent: QuantityLike | None = None,
        kind: AllowanceKind | None = None,
    ) -> None: ...

    def _check_kind(self, problems: Problems) -> None:
        if self.kind == "level":
            for name in ("carry_over", "included_for"):
                if getattr(self, name, None) is not None:
                    problem = "must be None for a level, of which no unit is used up"
                    problems.add(InvalidValue(name, getattr(self, name), problem))

    def _check_carry_over(self, problems: Problems) -> None:
        if self.carry_over is not None and self.included is None:
            problem = "must be None where units are unlimited"
            problems.add(InvalidValue("carry_over", self.carry_over, problem))

    def _check_included_for(self, problems: Problems) -> None:
        if self.included_for is None:
            return
        if getattr(self, "carry_over", None) is not None:
            problem = "must be None where units are for a cycle of their own"
            problems.add(InvalidValue("carry_over", self.carry_over, problem))
        if getattr(self, "included_per", None) is not None:
            problem = "must be None where the allowance is for a cycle of its own"
            problems.add(InvalidValue("included_per", self.included_per, problem))

    def _check_hard_limit(self, problems: Problems) -> None:
        included, limit = self.included, self.hard_limit
        if limit is None or included is None or getattr(self, "included_per", None) is not None:
            return
        if limit < included:
            problem = f"must not be below the included quantity, {plain_text(included)}"
            problems.add(InvalidValue("hard_limit", limit, problem))

    def _check_hard_limit_percent(self, problems: Problems) -> None:
        if self.hard_limit_percent is None:
            return
        if self.hard_limit is not None:
            problem = "must be None where hard_limit is given"
        elif self.included is None:
            problem = "must be None where units are unlimited"
        elif not self.included:
            problem = "must be None where nothing is included, of which any per cent is nothing"
        else:
            return
        problems.add(InvalidValue("hard_limit_percent", self.hard_limit_percent, problem))

    def _check_hard_limit_cycle(self, problems: Problems) -> None:
        for name in ("hard_limit", "hard_limit_percent"):
            if self.included_for is not None and getattr(self, name) is not None:
                problem = "must be None where the allowance is for a cycle of its own"
                problems.add(InvalidValue(name, getattr(self, name), problem))

    def _check_bounds(self, problems: Problems) -> None:
        check_bounds(self.maximum, self.minimum, problems)

    def _check_currency(self, problems: Problems) -> None:
        amounts = list(self.amounts())
        check_currency(amounts[0][1].currency if amounts else None, amounts, problems)

    @property
    def is_flat(self) -> bool:
        """Whether it is no more than an included quantity and a price, in a whole period."""
        return not (
            self.conversion is not None
            or self.included_per is not None
            or self.discounts
            or self.commitment is not None
            or self.maximum is not None
            or self.minimum is not None
        )

    @property
    def needs_balance(self) -> bool:
        """Whether a period depends on the ones before it."""
        return self.carry_over is not None or self.included_for is not None

    def to_svg(
        self,
        up_to: QuantityLike | None = None,
        *,
        currency: Currency | str | None = None,
        width: int = 640,
        styled: bool = True,
    ) -> Svg:
        """Draw the exact cost of each quantity used, as SVG that a notebook shows.

        :param up_to: the largest quantity used, in units above zero; without it, as much beyond the
            included quantity as shows the whole price.
        :param currency: that of the price, for the axis.
        :param width: pixels, from 240 to 4,096.
        :param styled: whether the styles are in it; see `PriceModel`.
        :returns: a text; it has a title and a description for who can't see it.
        :raises InvalidValue: if it has rules beside quantity and price, by which the cost isn't
            that of the quantity alone; or for a number that isn't allowed.

        >>> from overages import PerUnit
        >>> "50 included" in Allowance(50, PerUnit("1.00")).to_svg()
        True
        """
        from overages.prices.curve import cost_chart  # pictures are for those who ask for one

        if not self.is_flat:
            problem = "must have no rule beside its included quantity and its price to be drawn"
            raise InvalidValue("allowance", self, problem)
        most, unit = parse_all(
            (optional(parse_positive), up_to, "up_to"),
            (optional(parse_currency), currency, "currency"),
        )
        price, included = self.price, self.included
        return cost_chart(
            "Cost of an allowance",
            lambda used: checked_charge(price, excess(used, included)).exact_cost,
            add_up([included or 0, getattr(price, "reach", 100)]) if most is None else most,
            unit,
            explain_price(price),
            included,
            width=width,
            styled=styled,
        )

    def amounts(self) -> Iterator[tuple[Path, Money]]:
        """Yield the amounts of money that its rules name, with the way to each."""
        yield from amounts_of(self.discounts, self.maximum, self.minimum)
        if self.commitment is not None and self.commitment.amount is not None:
            yield ("commitment", "amount"), self.commitment.amount

    def converted(self, used: Quantity) -> Quantity:
        """Return used units converted to those that are included and priced."""
        return used if self.conversion is None else self.conversion.convert(used)

    def prorated(self, quantity: Quantity, share: Fraction) -> Quantity:
        """Return a share of a quantity of its units, rounded to its increment."""
        if share == 1:
            return quantity
        return self.rounded(Fraction(quantity) * share)

    def rounded(self, units: Fraction) -> Quantity:
        """Return an exact number of its units, rounded to its increment."""
        return self.increment_rounding.round(units, self.increment)


def amounts_of(
    discounts: Iterable[Discount], maximum: Money | None, minimum: Money | None
) -> Iterator[tuple[Path, Money]]:
    """Yield the amounts of money of rules that a metric and a plan both have."""
    for i, discount in enumerate(discounts):
        if discount.amount is not None:
            yield ("discounts", i, "amount"), discount.amount
    if maximum is not None:
        yield ("maximum",), maximum
    if minimum is not None:
        yield ("minimum",), minimum


def check_currency(
    currency: Currency | None, amounts: Iterable[tuple[Path, Money]], problems: Problems
) -> None:
    """Tell each amount that is in another currency."""
    for path, amount in amounts:
        if currency is not None and amount.currency != currency:
            problems.add(CurrencyMismatch(currency.code, amount.currency.code, path))


def check_bounds(maximum: Money | None, minimum: Money | None, problems: Problems) -> None:
    """Tell a minimum that is above the maximum."""
    if maximum is None or minimum is None or maximum.currency != minimum.currency:
        return
    if minimum > maximum:
        problem = f"must not be above the maximum, {maximum}"
        problems.add(InvalidValue("minimum", minimum, problem))
