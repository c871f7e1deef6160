"""Discounts: amounts off a price, or units off the quantity that is priced.

A discount has a name, which the line that it becomes in a statement carries:

    Discount("launch", percent=20)                    # 20 % off
    Discount("voucher", amount=Money(500, "USD"))     # 5.00 USD off
    Discount("welcome", quantity=1_000)               # 1,000 units free
"""

from __future__ import annotations

from overages._ground.names import parse_name
from overages._ground.parsing import Problems, check_alternatives, optional, tuple_of
from overages._ground.value import term, value
from overages.amounts.exact import Quantity, QuantityLike, optional_non_negative, parse_non_negative
from overages.amounts.money import Money, optional_non_negative_money
from overages.errors import Field, InvalidValue, at

_WAYS = ("percent", "amount", "quantity")


def _parse_discount_name(value: object, field: Field) -> str:
    parsed = parse_name(value, field)
    parse_name(f"own_discount:{parsed}", field)  # it names its line, which is stored by that name
    return parsed


def _parse_percent(value: object, field: Field) -> Quantity:
    number = parse_non_negative(value, field)
    if number > 100:
        raise InvalidValue(field, value, "must be from 0 to 100")
    return number


@value
class Discount:
    """A percentage, a fixed amount or free units: one of the three.

    :param name: which discount it is, among those of the same lines.
    :param percent: per cent of the price, from 0 to 100.
    :param amount: money off the price, zero or more; never more than the price.
    :param quantity: units that are free, zero or more; they are taken off before the price.
    :raises InvalidValue: if none or several of the three are given, or one is out of bounds;
        `InvalidValues` for several faults.

    >>> Discount("launch", percent="12.50").percent
    Decimal('12.5')
    >>> Discount("launch")
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: percent: must be given, or amount or quantity, got None
    """

    name: str = term(_parse_discount_name)
    percent: Quantity | None = term(optional(_parse_percent))
    amount: Money | None = term(optional_non_negative_money)
    quantity: Quantity | None = term(optional_non_negative)

    def __init__(
        self,
        name: str,
        *,
        percent: QuantityLike | None = None,
        amount: Money | None = None,
        quantity: QuantityLike | None = None,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        check_alternatives(self, _WAYS, problems)


def some_discounts(value: object, field: Field) -> tuple[Discount, ...]:
    """Return discounts, each with a name of its own."""
    discounts = tuple_of(Discount)(value, field)
    seen = set()
    for i, discount in enumerate(discounts):
        if discount.name in seen:
            raise InvalidValue(at(field, i, "name"), discount.name, "must be given once")
        seen.add(discount.name)
    return discounts


def discounts_of_money(value: object, field: Field) -> tuple[Discount, ...]:
    """Return discounts of several metrics together: of percentages and amounts, not of units."""
    discounts, problems = some_discounts(value, field), Problems()
    for i, discount in enumerate(discounts):
        if discount.quantity is not None:
            problem = "must be None: units are those of a metric, whose allowance can free them"
            problems.add(InvalidValue(at(field, i, "quantity"), discount.quantity, problem))
    problems.raise_any()
    return discounts
