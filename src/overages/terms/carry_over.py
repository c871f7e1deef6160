"""Carry-over: the rule by which an allowance that isn't used up goes to later periods.

A `CarryOver` is the rule, a `CarriedUnits` the units that one period leaves to later ones:

    rule = CarryOver(up_to=200_000, expires_after=3)
    january = CarriedUnits(20_000, Period.month(2024, 1), periods_left=3)

`overages.settlements.carry_over_result` says how a period uses them up or passes them on.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal, TypeAlias

from overages._ground.parsing import Problems, choice_of, instance_of, int_up_to, optional
from overages._ground.trusted import trusted
from overages._ground.value import derived, term, value
from overages.amounts.exact import (
    INTEGER_DIGITS,
    LIMIT,
    Exact,
    Quantity,
    QuantityLike,
    optional_non_negative,
    parse_amount,
    parse_positive,
    parse_quantity,
    parse_ratio,
    parse_sum_like,
)
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import Field, InvalidValue
from overages.periods.period import Period

DrawOrder: TypeAlias = Literal["oldest_first", "included_first"]
"""The units that are used up first: those carried longest, or the period's own included ones."""

OverageRule: TypeAlias = Literal["charged", "carried"]
"""The fate of units beyond the limit: charged, or taken from the next allowance."""

_MOST: Final = 1_000_000  # periods; a million hours are a century, more is a mistake


def _parse_share(value: object, field: Field) -> Exact:
    ratio = parse_ratio(value, field)
    if ratio < 0:
        raise InvalidValue(field, value, "must not be negative")
    if ratio >= LIMIT:  # it could be written as text, and not read again
        raise InvalidValue(field, value, f"must have at most {INTEGER_DIGITS} integer digits")
    return parse_amount(ratio, field)


def _parse_not_zero(value: object, field: Field) -> Quantity:
    units = parse_quantity(value, field)
    if not units:
        raise InvalidValue(field, value, "must not be zero")
    return units


@value
class CarryOver:
    """A rule by which unused units of an allowance go to later periods (rollover).

    At the end of a period, units that have expired go first; then, where more is left than may
    leave the period, the oldest is cut first, so that those that stay last longest.

    :param up_to: units that leave a period at most, of all periods together; None sets no bound.
    :param share: the same, as an exact share of the period's included quantity, zero or more:
        ``"0.5"`` or a `Fraction`; with both, the smaller bound holds.
    :param expires_after: in how many periods after its own a unit can be used, up to a million;
        None: in any.
    :param draw: ``"oldest_first"`` uses up carried units before included ones;
        ``"included_first"`` the other way round, and then the oldest first too.
    :param overage: ``"charged"`` charges units beyond the limit; ``"carried"`` charges none and
        takes them from the limits of later periods.
    :param increment: the step that the share of the included quantity is rounded to, above zero.
    :param rounding: how it is rounded.
    :raises InvalidType: for a value of a wrong type, such as a float.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> CarryOver(share="0.5").most(201)
    100
    """

    up_to: Quantity | None = term(optional_non_negative)
    share: Exact | None = term(optional(_parse_share))
    expires_after: int | None = term(optional(int_up_to(_MOST)))
    draw: DrawOrder = term(choice_of(DrawOrder))
    overage: OverageRule = term(choice_of(OverageRule))
    increment: Quantity = term(parse_positive)
    rounding: Rounding = term(parse_rounding)
    is_bounded: bool = derived()
    """Whether there is a most that leaves a period."""
    periods_at_first: int | None = derived()
    """In how many periods a unit can be used, with its own; None where it doesn't expire."""

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
    ) -> None: ...

    def _complete(self) -> None:
        # Its own period is one more.
        periods = None if self.expires_after is None else self.expires_after + 1
        is_bounded = self.up_to is not None or self.share is not None
        object.__setattr__(self, "is_bounded", is_bounded)
        object.__setattr__(self, "periods_at_first", periods)

    def most(self, included: QuantityLike) -> Quantity | None:
        """Return the most units that leave a period; None where there is no bound.

        :param included: units that the period includes, zero or more.
        """
        own = parse_sum_like(included, "included")
        if self.share is None:
            return self.up_to
        part = self.rounding.round(Fraction(own) * Fraction(self.share), self.increment)
        return part if self.up_to is None else min(part, self.up_to)


@value
class CarriedUnits:
    """Units that one period leaves to later ones: not used, or used beforehand.

    :param quantity: units of the period's allowance that weren't used; negative where more was used
        than there was, and is still to be taken from a later allowance. Not zero.
    :param period: the period that they come from.
    :param periods_left: in how many periods they can still be used, the coming one first; None
        where they don't expire, as a debt, taken from later allowances, never does.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    >>> CarriedUnits(20_000, Period.month(2024, 1), periods_left=3).quantity
    20000
    """

    quantity: Quantity = term(_parse_not_zero)
    period: Period = term(instance_of(Period))
    periods_left: int | None = term(optional(int_up_to(_MOST + 1)))

    def __init__(
        self, quantity: QuantityLike, period: Period, periods_left: int | None = None
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.quantity < 0 and self.periods_left is not None:
            problem = "must be None where the quantity is negative"
            problems.add(InvalidValue("periods_left", self.periods_left, problem))


new_units: Final = trusted(CarriedUnits)
"""Make carried units of a part of others, or of an allowance: no more than these, so a quantity."""
