"""Carry-over: the rule by which an allowance that isn't used up goes to later periods.

A `CarryOver` is the rule, a `CarriedUnits` what one period leaves to later ones:

    rule = CarryOver(up_to=200_000, expires_after=3)
    january = CarriedUnits(20_000, Period.month(2024, 1), periods_left=3)

What becomes of them in a period is for `overages.settlements.carry_over_result` to say.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from overages._ground.parsing import instance_of, int_up_to, one_of, optional, parse_all
from overages.amounts.exact import (
    INTEGER_DIGITS,
    LIMIT,
    Exact,
    Quantity,
    QuantityLike,
    optional_non_negative,
    parse_amount,
    parse_non_negative,
    parse_positive,
    parse_quantity,
    parse_ratio,
)
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import Field, InvalidValue
from overages.periods.period import Period

DrawOrder: TypeAlias = Literal["oldest_first", "included_first"]
"""What is used up first: what was carried longest, or the period's own included quantity."""

OverageRule: TypeAlias = Literal["charged", "carried"]
"""What becomes of units beyond the limit: they are charged, or taken from the next allowance."""

_MOST: Final = 1_000_000  # periods; a million hours are a century, more is a mistake


@frozen(init=False, weakref_slot=False)
class CarryOver:
    """A rule by which what is unused of an allowance goes to later periods (rollover).

    At the end of a period, first goes what has expired; then, where more is left than may leave the
    period, the oldest is cut first, so that what stays lasts longest.

    :param up_to: units that leave a period at most, of all periods together; None sets no bound.
    :param share: the same, as an exact share of what the period includes, zero or more: ``"0.5"``
        or a `Fraction`; with both, the smaller bound holds.
    :param expires_after: in how many periods after its own a unit can be used, up to a million;
        None: in any.
    :param draw: ``"oldest_first"`` uses up what was carried before what the period includes;
        ``"included_first"`` the other way round, and then the oldest first too.
    :param overage: ``"charged"`` charges units beyond the limit; ``"carried"`` charges none and
        takes them from what later periods have.
    :param increment: what the share of the included quantity is rounded to, above zero.
    :param rounding: how it is rounded.
    :raises InvalidType: for a value of a wrong type, such as a float.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> CarryOver(share="0.5").most(201)
    100
    """

    up_to: Quantity | None
    share: Exact | None
    expires_after: int | None
    draw: DrawOrder
    overage: OverageRule
    increment: Quantity
    rounding: Rounding = field(repr=lambda rounding: repr(rounding.value))

    def __init__(
        self,
        up_to: QuantityLike | None = None,
        share: QuantityLike | Fraction | None = None,
        expires_after: int | None = None,
        draw: DrawOrder = "oldest_first",
        overage: OverageRule = "charged",
        *,
        increment: QuantityLike = 1,
        rounding: RoundingLike = Rounding.FLOOR,
    ) -> None:
        values = parse_all(
            (optional_non_negative, up_to, "up_to"),
            (optional(_share), share, "share"),
            (optional(int_up_to(_MOST)), expires_after, "expires_after"),
            (one_of("oldest_first", "included_first"), draw, "draw"),
            (one_of("charged", "carried"), overage, "overage"),
            (parse_positive, increment, "increment"),
            (parse_rounding, rounding, "rounding"),
        )
        self.__attrs_init__(*values)

    def most(self, included: QuantityLike) -> Quantity | None:
        """Return how many units leave a period at most; None where there is no bound.

        :param included: units that the period includes, zero or more.
        """
        own = Fraction(parse_non_negative(included, "included"))
        if self.share is None:
            return self.up_to
        part = self.rounding.round(own * Fraction(self.share), self.increment)
        return part if self.up_to is None else min(part, self.up_to)


@frozen(init=False, weakref_slot=False)
class CarriedUnits:
    """What one period leaves to later ones: units that weren't used, or that were used beforehand.

    :param quantity: units of the period's allowance that weren't used; negative where more was used
        than there was, and is still to be taken from a later allowance. Not zero.
    :param period: the period that they come from.
    :param periods_left: in how many periods they can still be used, the coming one first; None
        where they don't expire, as what is to be taken from an allowance never does.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> CarriedUnits(20_000, Period.month(2024, 1), periods_left=3).quantity
    20000
    """

    quantity: Quantity
    period: Period
    periods_left: int | None

    def __init__(
        self, quantity: QuantityLike, period: Period, periods_left: int | None = None
    ) -> None:
        units, when, left = parse_all(
            (_not_zero, quantity, "quantity"),
            (instance_of(Period), period, "period"),
            (optional(int_up_to(_MOST + 1)), periods_left, "periods_left"),
        )
        if units < 0 and left is not None:
            raise InvalidValue("periods_left", left, "must be None where the quantity is negative")
        self.__attrs_init__(units, when, left)


def _share(value: object, field: Field) -> Exact:
    ratio = parse_ratio(value, field)
    if ratio < 0:
        raise InvalidValue(field, value, "must not be negative")
    if ratio >= LIMIT:  # it could be written as text, and not read again
        raise InvalidValue(field, value, f"must have at most {INTEGER_DIGITS} integer digits")
    return parse_amount(ratio, field)


def _not_zero(value: object, field: Field) -> Quantity:
    units = parse_quantity(value, field)
    if not units:
        raise InvalidValue(field, value, "must not be zero")
    return units
