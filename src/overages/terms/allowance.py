"""Allowances: what a plan says of one metric.

A quantity that is included, the price of what goes beyond, and the rules that contracts add:

    Allowance(included=500_000, price=PerUnit("0.0001"))
    Allowance(1_000, PerUnit("0.02"), included_per="seats", carry_over=CarryOver(expires_after=1))
    Allowance(0, PerUnit("0.05"), minimum=Money(10_000, "USD"), proration="seconds")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from attrs import frozen

from overages._ground.names import optional_name
from overages._ground.parsing import instance_of, optional, parse_all
from overages.amounts.exact import Quantity, QuantityLike, optional_non_negative, parse_positive
from overages.amounts.money import Money, optional_non_negative_money
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import InvalidValue
from overages.periods.cycle import Cycle
from overages.periods.proration import Proration, ProrationLike, parse_proration
from overages.prices.models import PriceModel, parse_price_model
from overages.terms.carry_over import CarryOver
from overages.terms.commitment import Commitment
from overages.terms.conversion import Conversion
from overages.terms.discount import Discount, some_discounts

DEFAULTS: Final[Mapping[str, object]] = {
    "conversion": None,
    "included_per": None,
    "included_for": None,
    "carry_over": None,
    "proration": Proration.DAYS,
    "increment": 1,
    "increment_rounding": Rounding.HALF_UP,
    "discounts": (),
    "commitment": None,
    "maximum": None,
    "minimum": None,
}


@frozen(init=False, repr=False, weakref_slot=False)
class Allowance:
    """What a plan says of one metric.

    The first two are all that most plans need; the rest are rules that contracts add, each off
    unless it is given. They are applied in one order: conversion, free quantity, price, discounts,
    commitment, maximum, minimum.

    :param included: units that cost nothing, zero or more; None where usage is unlimited.
    :param price: the price of the units beyond them.
    :param conversion: how what was used becomes the units that are included and priced.
    :param included_per: another metric of the plan, of which each used unit brings the included
        quantity: 1,000 for each of ``"seats"``, pooled over them.
    :param included_for: the cycle that the included quantity, and the tiers of the price, are for,
        where that isn't each billing period: a year's allowance that is drawn monthly. Free units
        are for that cycle, too.
    :param carry_over: what becomes of units that are not used.
    :param proration: how much of the included quantity, the minimum and the commitment a part of a
        period has; a `Proration` or its name.
    :param increment: what a prorated quantity is rounded to, in units above zero.
    :param increment_rounding: how it is rounded.
    :param discounts: free units, percentages and amounts off, each with a name of its own.
    :param commitment: a spend that was agreed to, with a price for what goes beyond it.
    :param maximum: what the metric costs in a period at most.
    :param minimum: what it costs at least.
    :raises InvalidType: for a value of a wrong type, such as a price that is no price model.
    :raises InvalidValue: for a value that is not allowed, or rules that exclude each other;
        `InvalidValues` for several faults.
    :raises CurrencyMismatch: if its amounts of money are in several currencies.

    >>> from overages import PerUnit
    >>> Allowance(included=50, price=PerUnit("1.00"))
    Allowance(included=50, price=PerUnit(price=1))
    """

    included: Quantity | None
    price: PriceModel
    conversion: Conversion | None
    included_per: str | None
    included_for: Cycle | None
    carry_over: CarryOver | None
    proration: Proration
    increment: Quantity
    increment_rounding: Rounding
    discounts: tuple[Discount, ...]
    commitment: Commitment | None
    maximum: Money | None
    minimum: Money | None

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
    ) -> None:
        values = parse_all(
            (optional_non_negative, included, "included"),
            (parse_price_model, price, "price"),
            (optional(instance_of(Conversion)), conversion, "conversion"),
            (optional_name, included_per, "included_per"),
            (optional(instance_of(Cycle)), included_for, "included_for"),
            (optional(instance_of(CarryOver)), carry_over, "carry_over"),
            (parse_proration, proration, "proration"),
            (parse_positive, increment, "increment"),
            (parse_rounding, increment_rounding, "increment_rounding"),
            (some_discounts, discounts, "discounts"),
            (optional(instance_of(Commitment)), commitment, "commitment"),
            (optional_non_negative_money, maximum, "maximum"),
            (optional_non_negative_money, minimum, "minimum"),
        )
        if carry_over is not None and (included_for is not None or included is None):
            problem = "must be None where units are for a cycle of their own, or unlimited"
            raise InvalidValue("carry_over", carry_over, problem)
        if included_per is not None and included_for is not None:
            problem = "must be None where the allowance is for a cycle of its own"
            raise InvalidValue("included_per", included_per, problem)
        if maximum is not None and minimum is not None and minimum > maximum:
            raise InvalidValue("minimum", minimum, f"must not be above the maximum, {maximum}")
        self.__attrs_init__(*values)

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

    def money(self) -> tuple[Money, ...]:
        """Return the amounts of money that its rules name."""
        return money_of(self.discounts, self.commitment, self.maximum, self.minimum)

    def converted(self, used: Quantity) -> Quantity:
        """Return what was used in the units that are included and priced."""
        return used if self.conversion is None else self.conversion.convert(used)

    def prorated(self, quantity: Quantity, share: Fraction) -> Quantity:
        """Return a share of a quantity of its units, rounded to its increment."""
        if share == 1:
            return quantity
        return self.increment_rounding.round(Fraction(quantity) * share, self.increment)

    def __repr__(self) -> str:
        shown = {"included": self.included, "price": self.price, **non_defaults(self, DEFAULTS)}
        return f"Allowance({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def non_defaults(terms: object, defaults: Mapping[str, object]) -> dict[str, object]:
    """Return, by name, the rules of some terms that are not by default, as they are written."""
    rules = {name: getattr(terms, name) for name in defaults}
    return {
        name: rule.value if isinstance(rule, (Proration, Rounding)) else rule
        for name, rule in rules.items()
        if rule != defaults[name]
    }


def money_of(
    discounts: Iterable[Discount],
    commitment: Commitment | None,
    maximum: Money | None,
    minimum: Money | None,
) -> tuple[Money, ...]:
    """Return the amounts of money among some rules."""
    amounts = [discount.amount for discount in discounts]
    amounts += [None if commitment is None else commitment.amount, maximum, minimum]
    return tuple(amount for amount in amounts if amount is not None)
