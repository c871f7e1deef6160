"""Prices in another unit than the currency: credits, points, a foreign currency.

The price model counts in that unit, and its cost is exchanged once, at a fixed rate. The
result stays exact, and each tier still says how its part comes about:

    price = Exchanged(Graduated([Tier(100, "2"), Tier(None, "1")]), rate="0.05")
    price.charge(300).exact_cost                      # 400 credits at 0.05: Decimal("20")
    price.price.charge(300).exact_cost                # Decimal("400"), in credits
"""

from __future__ import annotations

from fractions import Fraction

from overages._ground.value import term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    number_from_ratio,
    parse_non_negative,
    parse_positive,
    plain_text,
)
from overages.errors import Field, InvalidType
from overages.prices.exact_cost import checked_charge
from overages.prices.models import PriceModel, explain_price, parse_price_model
from overages.prices.tier import Charge, TierCharge


def _parse_unexchanged(value: object, field: Field) -> PriceModel:
    if isinstance(value, Exchanged):
        # Two rates in turn would be one, and a tier would show neither as it was agreed.
        raise InvalidType(field, value, "must be in the other unit, not exchanged already")
    return parse_price_model(value, field)


@value
class Exchanged:
    """A price in another unit, exchanged once: ``price x rate / per``.

    :param price: the price model that counts in the other unit; none that is itself exchanged.
    :param rate: major currency units for `per` of the other unit, above zero.
    :param per: the amount in the other unit that the rate is for, above zero.
    :raises InvalidType: if the price is no price model, or an exchanged one.
    :raises InvalidValue: if a number is not above zero.

    >>> from overages import PerUnit
    >>> charge = Exchanged(PerUnit(1), rate="0.5").charge(300)
    >>> charge.exact_cost, charge.tiers[0].explain()
    (Decimal('150'), '300 x 1, at a rate of 0.5')
    >>> Exchanged(PerUnit(1), rate=1, per=3).charge(10).exact_cost
    Fraction(10, 3)
    """

    price: PriceModel = term(_parse_unexchanged)
    rate: Quantity = term(parse_positive)
    per: Quantity = term(parse_positive)

    def __init__(self, price: PriceModel, rate: QuantityLike, per: QuantityLike = 1) -> None: ...

    def charge(self, quantity: QuantityLike, /) -> Charge:
        """Return the charge of a quantity in major currency units, exactly and tier by tier.

        :param quantity: units, zero or more.
        :raises InvalidType: if the quantity is no number.
        :raises InvalidValue: if the quantity is negative, too large or too fine.
        :raises FaultyPriceModel: if a price model of the host's own gives no charge.
        """
        # Tier by tier, so that each says its cost in the currency; the sum is exact all the same.
        charge = checked_charge(self.price, parse_non_negative(quantity, "quantity"))
        rate = Fraction(self.rate) / Fraction(self.per)
        return Charge(_exchanged(part, rate) for part in charge.tiers)

    def explain(self) -> str:
        """Write the terms in the other unit, and the rate at which that is exchanged."""
        rate = Fraction(self.rate) / Fraction(self.per)
        exact = number_from_ratio(rate.numerator, rate.denominator)
        return f"{explain_price(self.price)}\nat a rate of {plain_text(exact)}"


def _exchanged(part: TierCharge, rate: Fraction) -> TierCharge:
    rate *= Fraction(part.exchange_rate)
    exact = number_from_ratio(rate.numerator, rate.denominator)
    return TierCharge(part.tier, part.quantity, part.above, exact)
