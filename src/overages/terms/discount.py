"""Discounts: what is taken off a price, or off what is priced.

A discount has a name, which the line that it becomes in a statement carries:

    Discount("launch", percent=20)                    # 20 % off
    Discount("voucher", amount=Money(500, "USD"))     # 5.00 USD off
    Discount("welcome", quantity=1_000)               # 1,000 units free
"""

from __future__ import annotations

from attrs import frozen

from overages._ground.names import name as parse_name
from overages._ground.parsing import optional, parse_all, tuple_of
from overages.amounts.exact import Quantity, QuantityLike, non_negative, optional_non_negative
from overages.amounts.money import Money, optional_non_negative_money
from overages.errors import InvalidValue


@frozen(init=False, weakref_slot=False)
class Discount:
    """A percentage, a fixed amount or free units: one of the three.

    :param name: which discount it is, among those of the same lines.
    :param percent: per cent of the price, from 0 to 100.
    :param amount: what is taken off the price, zero or more; never more than the price.
    :param quantity: units that are free, zero or more; they are taken off before the price.
    :raises InvalidValue: if none or several of the three are given, or one is out of bounds;
        `InvalidValues` for several faults.

    >>> Discount("launch", percent="12.50").percent
    Decimal('12.5')
    >>> Discount("launch")
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: discount: must have one of percent, amount and quantity, got []
    """

    name: str
    percent: Quantity | None
    amount: Money | None
    quantity: Quantity | None

    def __init__(
        self,
        name: str,
        *,
        percent: QuantityLike | None = None,
        amount: Money | None = None,
        quantity: QuantityLike | None = None,
    ) -> None:
        values = parse_all(
            (_named, name, "name"),
            (optional(_percent), percent, "percent"),
            (optional_non_negative_money, amount, "amount"),
            (optional_non_negative, quantity, "quantity"),
        )
        given = [key for key, value in zip(_WAYS, values[1:], strict=True) if value is not None]
        if len(given) != 1:
            problem = "must have one of percent, amount and quantity"
            raise InvalidValue("discount", given, problem)
        self.__attrs_init__(*values)


def some_discounts(value: object, field: str) -> tuple[Discount, ...]:
    """Return discounts, each with a name of its own."""
    found = tuple_of(Discount)(value, field)
    seen = set()
    for i, discount in enumerate(found):
        if discount.name in seen:
            raise InvalidValue(f"{field}[{i}].name", discount.name, "must be given once")
        seen.add(discount.name)
    return found


_WAYS = ("percent", "amount", "quantity")


def _named(value: object, field: str) -> str:
    parsed = parse_name(value, field)
    parse_name(f"discount:{parsed}", field)  # what names its line, which is stored as one
    return parsed


def _percent(value: object, field: str) -> Quantity:
    number = non_negative(value, field)
    if number > 100:
        raise InvalidValue(field, value, "must be from 0 to 100")
    return number
