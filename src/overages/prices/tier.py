"""Tiers: the rows of a price table, and what a quantity costs in each.

A `Tier` is a row as it was written down. A `TierCharge` is a tier with the quantity that fell into
it, and a `Charge` is all of those of one quantity: its exact cost with the whole way there.

    Tier(10_000, price="0.001", flat="5")
    TierCharge(tier, above=0, quantity=750).exact_cost        # Decimal("5.75")
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from overages._ground.parsing import instance_of, one_of, parse_all, tuple_of
from overages._ground.trusted import trusted
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    number_from_ratio,
    optional_quantity,
    parse_amount,
    parse_non_negative,
    parse_positive,
    parse_quantity,
    plain_text,
)
from overages.errors import Field, InvalidValue

Count: TypeAlias = Literal["started", "completed"]
"""Which packages are charged: every one that was begun, or only the full ones."""

count_rule: Final = one_of("started", "completed")


@frozen(init=False, repr=False, weakref_slot=False)
class Tier:
    """One row of a price table.

    :param up_to: the tier's inclusive upper bound, in units; None where there is none.
    :param price: major currency units for `per` units, or for a package where there is a `size`.
    :param flat: major currency units, due once when the tier is entered.
    :param per: how many units `price` buys; fractions are charged in proportion.
    :param size: units in a package; within the tier, packages are then charged, not units.
    :param count: whether ``"started"`` packages are charged, or only ``"completed"`` ones.
    :param maximum: the most that the tier can cost, its flat fee included, in major currency units;
        None where there is no such cap.

    `unit_price` is the price of each unit in major currency units; None where a flat fee, packages
    or a maximum come in.

    :raises InvalidType: if a number is a float or no number at all.
    :raises InvalidValue: if a number is badly written, or both `per` and `size` are given.

    Signs and order are checked by the table that the tier is put in, with all its other faults.

    >>> Tier(100, price="0.05")
    Tier(up_to=100, price=Decimal('0.05'))
    """

    up_to: Quantity | None
    price: Quantity
    flat: Quantity
    per: Quantity
    size: Quantity | None
    count: Count
    maximum: Quantity | None
    unit_price: Exact | None = field(init=False, eq=False)

    def __init__(
        self,
        up_to: QuantityLike | None,
        price: QuantityLike = 0,
        flat: QuantityLike = 0,
        *,
        per: QuantityLike = 1,
        size: QuantityLike | None = None,
        count: Count = "started",
        maximum: QuantityLike | None = None,
    ) -> None:
        values = parse_all(
            (optional_quantity, up_to, "up_to"),
            (parse_quantity, price, "price"),
            (parse_quantity, flat, "flat"),
            (parse_quantity, per, "per"),
            (optional_quantity, size, "size"),
            (count_rule, count, "count"),
            (optional_quantity, maximum, "maximum"),
        )
        if values[3] != 1 and size is not None:
            raise InvalidValue("per", per, "must be left at 1 where the tier has a size")
        self.__attrs_init__(*values)
        object.__setattr__(self, "unit_price", _unit_price(self))

    def exact_units(self, quantity: Quantity) -> Fraction:
        """Return how many times the price is due for a quantity within the tier."""
        if self.size is None:
            return Fraction(quantity) / Fraction(self.per)
        packages = Fraction(quantity) / Fraction(self.size)
        return Fraction(ceil(packages) if self.count == "started" else floor(packages))

    def explain(self) -> str:
        """Say what is charged in the tier, in words: ``80 per 1,000 + 25 flat, at most 900``."""
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

    def __repr__(self) -> str:
        usual = {"flat": 0, "per": 1, "size": None, "count": "started", "maximum": None}
        unusual = {key: getattr(self, key) for key, value in usual.items()}
        shown = [f"up_to={self.up_to!r}", f"price={self.price!r}"]
        shown += [f"{key}={value!r}" for key, value in unusual.items() if value != usual[key]]
        return f"Tier({', '.join(shown)})"


def _unit_price(tier: Tier) -> Exact | None:
    if tier.flat or tier.size is not None or tier.maximum is not None:
        return None
    if tier.per <= 0:  # the table will refuse it
        return None
    price, parts = tier.price.as_integer_ratio()
    units, of_units = tier.per.as_integer_ratio()
    return number_from_ratio(price * of_units, parts * units)


@frozen(init=False, repr=False, weakref_slot=False)
class TierCharge:
    """What a quantity costs in one tier: ``units x price + flat``, and at most the tier's maximum.

    :param tier: the row of the price table.
    :param quantity: the units that fell into it, zero or more.
    :param above: the tier's exclusive lower bound, in units.
    :param rate: major currency units for each unit that the tier is priced in, where that is
        another one (see `Exchanged`); above zero, and exact.

    >>> charge = TierCharge(Tier(None, price="1.25", size=1000, maximum=3), quantity=2500)
    >>> charge.exact_cost, charge.uncapped_cost
    (Decimal('3'), Decimal('3.75'))
    >>> charge.explain()
    '3 x 1.25 (packages of 1,000), at most 3'
    """

    tier: Tier
    quantity: Quantity
    above: Quantity
    rate: Exact

    def __init__(
        self,
        tier: Tier,
        quantity: QuantityLike,
        above: QuantityLike = 0,
        rate: Exact | int = 1,
    ) -> None:
        values = parse_all(
            (instance_of(Tier), tier, "tier"),
            (parse_non_negative, quantity, "quantity"),
            (parse_non_negative, above, "above"),
            (_positive_amount, rate, "rate"),
        )
        parse_positive(tier.per, "tier.per")
        parse_positive(1 if tier.size is None else tier.size, "tier.size")
        self.__attrs_init__(*values)

    @property
    def exact_cost(self) -> Exact:
        """Unrounded cost in major currency units."""
        cost = self.fraction
        return number_from_ratio(cost.numerator, cost.denominator)

    @property
    def uncapped_cost(self) -> Exact:
        """What the cost would be if the tier had no maximum, in major currency units."""
        cost = self._priced() * Fraction(self.rate)
        return number_from_ratio(cost.numerator, cost.denominator)

    @property
    def fraction(self) -> Fraction:
        """The exact cost as a fraction, for sums."""
        cost, most = self._priced(), self.tier.maximum
        return (cost if most is None else min(cost, Fraction(most))) * Fraction(self.rate)

    @property
    def unit_price(self) -> Exact | None:
        """Major currency units for each unit; None where a fee, packages or a maximum come in."""
        price = self.tier.unit_price
        if price is None or self.rate == 1:
            return price
        each = Fraction(price) * Fraction(self.rate)
        return number_from_ratio(each.numerator, each.denominator)

    def _priced(self) -> Fraction:
        tier = self.tier
        return tier.exact_units(self.quantity) * Fraction(tier.price) + Fraction(tier.flat)

    def explain(self) -> str:
        """Say in one line how the cost comes about: ``above 100: 50 x 0.05 + 5 flat``."""
        tier = self.tier
        bounds = ""
        if self.above:
            bounds = f"above {plain_text(self.above)}: "
        elif tier.up_to is not None:
            bounds = f"up to {plain_text(tier.up_to)}: "
        text = f"{bounds}{self._units()} x {tier.explain()}"
        return text if self.rate == 1 else f"{text}, at a rate of {plain_text(self.rate)}"

    def _units(self) -> str:
        if self.tier.size is None:
            return plain_text(self.quantity)
        return plain_text(self.tier.exact_units(self.quantity).numerator)

    def __repr__(self) -> str:
        rate = "" if self.rate == 1 else f", rate={self.rate!r}"
        shown = f"tier={self.tier!r}, quantity={self.quantity!r}, above={self.above!r}"
        return f"TierCharge({shown}{rate})"


def _positive_amount(value: object, field: Field) -> Exact:
    amount = parse_amount(value, field)
    if amount <= 0:
        raise InvalidValue(field, value, "must be more than zero")
    return amount


@frozen(init=False, eq=False, repr=False, weakref_slot=False)
class Charge:
    """What a quantity costs, tier by tier.

    :param tiers: a `TierCharge` for each tier that was used; none, and the cost is zero.

    >>> Charge([TierCharge(Tier(None, price="0.10", per=60), quantity=600)]).exact_cost
    Decimal('1')
    """

    # A price model makes millions of these: the tiers that it filled are shared, and the one that
    # it reached becomes a TierCharge when `tiers` is asked for, which saves a third of the time.
    _filled: tuple[TierCharge, ...]
    _reached: tuple[Tier, Quantity, Quantity] | None
    _numerator: int
    _denominator: int

    def __init__(self, tiers: Iterable[TierCharge]) -> None:
        parts = tuple_of(TierCharge)(tiers, "tiers")
        cost = sum((part.fraction for part in parts), Fraction())
        self.__attrs_init__(parts, None, cost.numerator, cost.denominator)

    @property
    def tiers(self) -> tuple[TierCharge, ...]:
        """A `TierCharge` for each tier that was used, from the first one up."""
        if self._reached is None:
            return self._filled
        return (*self._filled, new_tier_charge(*self._reached, ONE))

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
        if self._reached is not None and not self._filled:
            return self._reached[0].unit_price
        prices = {part.unit_price for part in self.tiers}
        return prices.pop() if len(prices) == 1 else None

    def __eq__(self, other: object) -> bool:
        return self.tiers == other.tiers if isinstance(other, Charge) else NotImplemented

    def __hash__(self) -> int:
        return hash((Charge, self.tiers))

    def __repr__(self) -> str:
        return f"Charge({list(self.tiers)!r})"


NOTHING: Final = Charge(())
ONE: Final = Decimal(1)
new_tier_charge: Final = trusted(TierCharge)
new_charge: Final = trusted(Charge)
