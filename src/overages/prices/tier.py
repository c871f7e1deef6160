"""Tiers: the rows of a price table, and the cost of a quantity in each.

A `Tier` is a row as it was written down. A `TierCharge` is a tier with the quantity that fell into
it, and a `Charge` is all of those of one quantity: its exact cost with the whole way there.

    Tier(10_000, price="0.001", flat="5")
    TierCharge(tier, above=0, quantity=750).exact_cost        # Decimal("5.75")
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from attrs import frozen

from overages._ground.classes import final, known_to_pydantic
from overages._ground.parsing import Problems, choice_of, instance_of, optional, tuple_of
from overages._ground.trusted import trusted
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    number_from_ratio,
    parse_amount,
    parse_non_negative,
    parse_positive,
    plain_text,
)
from overages.errors import Field, InvalidValue

Count: TypeAlias = Literal["started", "completed"]
"""The packages that are charged: every one that was begun, or only the full ones."""


Ratio: TypeAlias = tuple[int, int]
"""A numerator and a denominator, which is above zero; of an amount, in major currency units."""

Fee: TypeAlias = Quantity | Fraction
"""Major currency units due once; a `Fraction` where a share of them by time is no decimal."""


def _parse_fee(value: object, field: Field) -> Fee:
    if not isinstance(value, Fraction):
        return parse_non_negative(value, field)
    if value < 0:
        raise InvalidValue(field, value, "must not be negative")
    fee = parse_amount(value, field)
    return fee if isinstance(fee, Fraction) else parse_non_negative(fee, field)


@value
class Tier:
    """One row of a price table.

    :param up_to: the tier's inclusive upper bound, in units, above zero; None where there is none.
    :param price: major currency units for `per` units, or for a package where there is a `size`.
    :param flat: major currency units, due once when the tier is entered. A `Fraction`, if need be:
        a share of a fee by time is no decimal.
    :param per: units that `price` buys, above zero; fractions are charged in proportion.
    :param size: units in a package, above zero; packages are then charged in the tier, not units.
    :param count: whether ``"started"`` packages are charged, or only ``"completed"`` ones.
    :param maximum: the most that the tier can cost, its flat fee included, in major currency units;
        None where there is no such cap. As `flat`, it may be a `Fraction`.

    `unit_price` is the price of each unit in major currency units; None where a flat fee, packages
    or a maximum come in.

    :raises InvalidType: if a number is a float or no number at all.
    :raises InvalidValue: if a number is negative or badly written, or both `per` and `size` are
        given; `InvalidValues` for several faults.

    >>> Tier(100, price="0.05")
    Tier(up_to=100, price=Decimal('0.05'))
    """

    up_to: Quantity | None = term(optional(parse_positive))
    price: Quantity = term(parse_non_negative)
    flat: Fee = term(_parse_fee)
    per: Quantity = term(parse_positive)
    size: Quantity | None = term(optional(parse_positive))
    count: Count = term(choice_of(Count))
    maximum: Fee | None = term(optional(_parse_fee))
    unit_price: Exact | None = derived()

    def __init__(
        self,
        up_to: QuantityLike | None,
        price: QuantityLike = 0,
        flat: QuantityLike | Fraction = 0,
        *,
        per: QuantityLike = 1,
        size: QuantityLike | None = None,
        count: Count = "started",
        maximum: QuantityLike | Fraction | None = None,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.per != 1 and self.size is not None:
            problem = "must be left at 1 where the tier has a size"
            problems.add(InvalidValue("per", self.per, problem))

    def _complete(self) -> None:
        price = None
        if not self.flat and self.size is None and self.maximum is None:
            each = Fraction(self.price) / Fraction(self.per)
            price = number_from_ratio(each.numerator, each.denominator)
        object.__setattr__(self, "unit_price", price)

    def exact_units(self, quantity: Quantity) -> Fraction:
        """Return the number of times that the price is due for a quantity within the tier."""
        return Fraction(*self.units_ratio(quantity))

    def units_ratio(self, quantity: Quantity) -> Ratio:
        """Return the same as a ratio of integers, not reduced."""
        counted, of = quantity.as_integer_ratio()
        each, of_each = (self.per if self.size is None else self.size).as_integer_ratio()
        units, denominator = counted * of_each, of * each
        if self.size is None:
            return units, denominator
        packages = -(-units // denominator) if self.count == "started" else units // denominator
        return packages, 1

    def explain(self) -> str:
        """Write the terms of the tier: ``80 per 1,000 + 25 flat, at most 900``."""
        text = plain_text(self.price)
        if self.per != 1:
            text += f" per {plain_text(self.per)}"
        if self.size is not None:
            kind = "" if self.count == "started" else "completed "
            text += f" ({kind}packages of {plain_text(self.size)})"
        if self.flat:
            text += f" + {plain_text(self.flat)} flat"
        if self.maximum is not None:
            text += f", at most {plain_text(self.maximum)}"
        return text


def _parse_rate(value: object, field: Field) -> Exact:
    amount = parse_amount(value, field)
    if amount <= 0:
        raise InvalidValue(field, value, "must be more than zero")
    return amount


@value
class TierCharge:
    """The cost of a quantity in one tier: ``units x price + flat``, and at most its maximum.

    :param tier: the row of the price table.
    :param quantity: the units that fell into it, zero or more.
    :param above: the tier's exclusive lower bound, in units.
    :param exchange_rate: major currency units for each unit that the tier is priced in, where that
        is another one (see `Exchanged`); above zero, and exact.

    >>> charge = TierCharge(Tier(None, price="1.25", size=1000, maximum=3), quantity=2500)
    >>> charge.exact_cost, charge.uncapped_cost
    (Decimal('3'), Decimal('3.75'))
    >>> charge.explain()
    '3 x 1.25 (packages of 1,000), at most 3'
    """

    tier: Tier = term(instance_of(Tier))
    quantity: Quantity = term(parse_non_negative)
    above: Quantity = term(parse_non_negative)
    exchange_rate: Exact = term(_parse_rate)

    def __init__(
        self,
        tier: Tier,
        quantity: QuantityLike,
        above: QuantityLike = 0,
        exchange_rate: Exact | int = 1,
    ) -> None: ...

    @property
    def exact_cost(self) -> Exact:
        """Unrounded cost in major currency units."""
        return number_from_ratio(*self._ratio())

    @property
    def uncapped_cost(self) -> Exact:
        """Unrounded cost in major currency units, were there no maximum."""
        return number_from_ratio(*self._exchanged(self._priced()))

    @property
    def fraction(self) -> Fraction:
        """The exact cost as a fraction, for sums."""
        return Fraction(*self._ratio())

    def _ratio(self) -> Ratio:
        cost, denominator = self._priced()
        if self.tier.maximum is not None:
            # A maximum is in the unit that the tier is priced in: exchanged as the cost is.
            most, of = self.tier.maximum.as_integer_ratio()
            if most * denominator < cost * of:
                cost, denominator = most, of
        return self._exchanged((cost, denominator))

    def _exchanged(self, cost: Ratio) -> Ratio:
        if self.exchange_rate == 1:
            return cost
        rate, of = self.exchange_rate.as_integer_ratio()
        return cost[0] * rate, cost[1] * of

    @property
    def unit_price(self) -> Exact | None:
        """Major currency units for each unit; None where a fee, packages or a maximum come in."""
        price = self.tier.unit_price
        if price is None or self.exchange_rate == 1:
            return price
        each = Fraction(price) * Fraction(self.exchange_rate)
        return number_from_ratio(each.numerator, each.denominator)

    def _priced(self) -> Ratio:
        tier = self.tier
        units, of = tier.units_ratio(self.quantity)
        price, of_price = tier.price.as_integer_ratio()
        flat, of_flat = tier.flat.as_integer_ratio()
        denominator = of * of_price
        return units * price * of_flat + flat * denominator, denominator * of_flat

    def explain(self) -> str:
        """Write the formula of the cost in one line: ``above 100: 50 x 0.05 + 5 flat``."""
        tier = self.tier
        bounds = ""
        if self.above:
            bounds = f"above {plain_text(self.above)}: "
        elif tier.up_to is not None:
            bounds = f"up to {plain_text(tier.up_to)}: "
        text = f"{bounds}{self._units()} x {tier.explain()}"
        if self.exchange_rate != 1:
            text += f", at a rate of {plain_text(self.exchange_rate)}"
        return text

    def _units(self) -> str:
        if self.tier.size is None:
            return plain_text(self.quantity)
        return plain_text(self.tier.exact_units(self.quantity).numerator)


@final
@known_to_pydantic
@frozen(init=False, eq=False, repr=False, weakref_slot=False)
class Charge:
    """The cost of a quantity, tier by tier.

    :param tiers: a `TierCharge` for each tier that was used; none, and the cost is zero.

    >>> Charge([TierCharge(Tier(None, price="0.10", per=60), quantity=600)]).exact_cost
    Decimal('1')
    """

    # No `value`: a price model makes millions of these. The tiers that it filled are shared, and
    # the one that it reached becomes a TierCharge when `tiers` is read: a third of the time saved.
    _filled: tuple[TierCharge, ...]
    _reached: tuple[Tier, Quantity, Quantity] | None
    _numerator: int
    _denominator: int

    def __init__(self, tiers: Iterable[TierCharge]) -> None:
        charges = tuple_of(TierCharge)(tiers, "tiers")
        cost = sum((charge.fraction for charge in charges), Fraction())
        self.__attrs_init__(charges, None, cost.numerator, cost.denominator)

    @property
    def tiers(self) -> tuple[TierCharge, ...]:
        """A `TierCharge` for each tier that was used, from the first one up."""
        if self._reached is None:
            return self._filled
        return (*self._filled, new_tier_charge(*self._reached, _AT_PAR))

    @property
    def ratio(self) -> tuple[int, int]:
        """The exact cost in major currency units as (numerator, denominator), not reduced."""
        return self._numerator, self._denominator

    @property
    def exact_cost(self) -> Exact:
        """Unrounded cost in major currency units: the sum over the tiers."""
        return number_from_ratio(self._numerator, self._denominator)

    @property
    def unit_price(self) -> Exact | None:
        """Price of each unit in major currency units; None where units differ or a fee is added."""
        if self._reached is not None and not self._filled:  # most charges: no tier has to be made
            return self._reached[0].unit_price
        prices = {part.unit_price for part in self.tiers}
        return prices.pop() if len(prices) == 1 else None

    def __eq__(self, other: object) -> bool:
        return self.tiers == other.tiers if isinstance(other, Charge) else NotImplemented

    def __hash__(self) -> int:
        return hash((Charge, self.tiers))

    def __repr__(self) -> str:
        return f"Charge({list(self.tiers)!r})"


NO_CHARGE: Final = Charge(())
_AT_PAR: Final = Decimal(1)  # the exchange rate where there is none
new_tier_charge: Final = trusted(TierCharge)
new_charge: Final = trusted(Charge)
