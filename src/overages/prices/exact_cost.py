"""Exact costs: the cost of a quantity by a price model, and of units on top of earlier ones.

Steps of a quantity cost together as much as all of it at once, as a step costs the difference of
two running costs:

    added_cost(price, before, quantity) = cost(before + quantity) - cost(before)

Of units at 1.00 up to 100 and at 0.50 beyond, 60 after 90 cost 115.00 - 90.00 = 25.00 + 10.00: the
first 10 are in the tier of the 90. It is negative where a volume price reaches a cheaper tier.

`before` is None where nothing was charged yet, not even a fee that is due at quantity zero: then
there is nothing to take off. After 0 units, a fee that is due at quantity zero was charged.

Costs are ratios of integers, not reduced: a `Fraction` takes five times as long to make, and this
is done for every line that a price model is asked for.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from overages.amounts.exact import Exact, Quantity, add_up
from overages.errors import FaultyPriceModel, OveragesError
from overages.prices.models import PriceModel
from overages.prices.tier import Charge, Ratio

_CALL: Final = ("price", "charge()")  # the path to the charge that a price model returns


def checked_charge(price: PriceModel, quantity: Quantity) -> Charge:
    """Return the charge of a quantity, having checked that of a host's own price model.

    A model may refuse a quantity with an error of the library; any other error is a fault of it.

    :raises FaultyPriceModel: if it gives no `Charge`, or raises an error of another kind, which is
        then the cause.
    """
    try:
        charge = price.charge(quantity)
    except FaultyPriceModel as error:  # of a price within it
        raise error.within("price") from error.__cause__
    except (OveragesError, MemoryError):  # the latter is no fault of the model's
        raise
    except Exception as error:
        raise FaultyPriceModel(_CALL, error, "must return a Charge, and raised an error") from error
    if not isinstance(charge, Charge):
        raise FaultyPriceModel(_CALL, charge, "must return a Charge")
    return charge


def cost_between(price: PriceModel, before: Quantity | None, after: Quantity) -> Ratio:
    """Return the cost of going from one quantity to another, more or fewer.

    >>> from overages import Graduated, Tier
    >>> price = Graduated([Tier(100, "1.00"), Tier(None, "0.50")])
    >>> Fraction(*cost_between(price, 90, 150)), Fraction(*cost_between(price, 150, 90))
    (Fraction(35, 1), Fraction(-35, 1))
    """
    cost, denominator = checked_charge(price, after).ratio
    if before is None:
        return cost, denominator
    cost_before, denominator_before = checked_charge(price, before).ratio
    return (
        cost * denominator_before - cost_before * denominator,
        denominator * denominator_before,
    )


def added_cost(price: PriceModel, before: Quantity | None, quantity: Quantity) -> Ratio:
    """Return the added cost of `quantity` units after `before`."""
    return cost_between(price, before, add_up([before, quantity]) if before else quantity)


def added_unit_price(
    price: PriceModel, before: Quantity | None, quantity: Quantity
) -> Exact | None:
    """Return the price of each of `quantity` units after `before`; of the next one, if zero.

    None where units differ in price, or come in packages or with a flat fee, and where a fee is
    due without any unit.
    """
    if not quantity:
        fee, _ = added_cost(price, before, 0)
        return None if fee else added_unit_price(price, before, 1)
    each = checked_charge(price, add_up([before, quantity]) if before else quantity).unit_price
    if before is None or each is None:
        return each
    # By a volume price all together have one price each, but those before may have had another.
    added = Fraction(*added_cost(price, before, quantity))
    return each if added == Fraction(quantity) * Fraction(each) else None
