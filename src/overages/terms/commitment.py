"""Commitments: a spend that was agreed to, and the cost of spending less or more.

A commitment is to an amount, or to a quantity, worth its cost by the price model:

    commitment = Commitment(Money(100_000, "USD"), overage_factor="1.5")
    worth = commitment.worth()                        # Fraction(1000)
    commitment.shortfall(Fraction(900), worth)        # Fraction(100): the true-up
    commitment.premium(Fraction(1200), worth)         # Fraction(100): half of the 200 beyond
"""

from __future__ import annotations

from fractions import Fraction

from overages._ground.parsing import Problems, check_alternatives, parse_flag
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, optional_non_negative, parse_non_negative
from overages.amounts.money import Money, optional_non_negative_money
from overages.errors import Field, InvalidValue
from overages.prices.exact_cost import checked_charge
from overages.prices.models import PriceModel


def _parse_factor(value: object, field: Field) -> Quantity:
    number = parse_non_negative(value, field)
    if number < 1:
        raise InvalidValue(field, value, "must be 1 or more")
    return number


@value
class Commitment:
    """A spend that was agreed to, for a period.

    :param amount: the spend, zero or more.
    :param quantity: in place of it units, zero or more, worth the price model's charge for them.
    :param overage_factor: how many times the price spend beyond the commitment costs; 1 or more.
    :param true_up: whether the rest is due where less is spent.
    :raises InvalidValue: if both or neither of amount and quantity are given, or one is out of
        bounds; `InvalidValues` for several faults.

    >>> Commitment(Money(100_000, "USD")).worth()
    Fraction(1000, 1)
    """

    amount: Money | None = term(optional_non_negative_money)
    quantity: Quantity | None = term(optional_non_negative)
    overage_factor: Quantity = term(_parse_factor)
    true_up: bool = term(parse_flag)

    def __init__(
        self,
        amount: Money | None = None,
        *,
        quantity: QuantityLike | None = None,
        overage_factor: QuantityLike = 1,
        true_up: bool = True,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        check_alternatives(self, ("amount", "quantity"), problems)

    def worth(self, price: PriceModel | None = None) -> Fraction:
        """Return the spend that is agreed to, exactly, in major currency units.

        :param price: the price model of a quantity; not needed for an amount.
        :raises InvalidValue: if a quantity is agreed to and there is no price.

        >>> from overages.prices.models import Graduated
        >>> from overages.prices.tier import Tier
        >>> Commitment(quantity=8).worth(Graduated([Tier(5, "2"), Tier(None, "1")]))
        Fraction(13, 1)
        """
        if self.amount is not None:
            return Fraction(self.amount.amount)
        if self.quantity is None or price is None:
            raise InvalidValue("price", price, "must be given for a commitment to a quantity")
        return Fraction(*checked_charge(price, self.quantity).ratio)

    def shortfall(self, spend: Fraction, worth: Fraction) -> Fraction:
        """Return the true-up: the amount due beside `spend`, where that is less than agreed to.

        :param spend: the spend, in major currency units.
        :param worth: the spend agreed to: all that `worth` gives, or its share of a period.

        >>> Commitment(quantity=8).shortfall(Fraction(10), Fraction(13))
        Fraction(3, 1)
        """
        return max(Fraction(), worth - spend) if self.true_up else Fraction()

    def premium(self, spend: Fraction, worth: Fraction) -> Fraction:
        """Return the premium: the surcharge on `spend`, where that is more than agreed to.

        The spend beyond costs `overage_factor` times as much: ``(spend - worth) x (factor - 1)``.

        >>> Commitment(quantity=8, overage_factor="1.5").premium(Fraction(15), Fraction(13))
        Fraction(1, 1)
        """
        return max(Fraction(), spend - worth) * (Fraction(self.overage_factor) - 1)
