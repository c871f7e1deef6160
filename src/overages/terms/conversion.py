"""Conversion: how a quantity that was used becomes the units that are priced.

Bytes become started gigabytes, seconds of a call its first minute and each second after it. The
result is exact: a ratio that is no exact quantity is refused, unless an increment rounds it.

    Conversion(divide=1000, increment=1).convert(7_400)           # 8 started thousands
    Conversion(increment=1, minimum=60).convert(12)               # 60: the first minute is whole

Convert the usage of the whole period at once: parts that are converted one by one may come to more.
"""

from __future__ import annotations

from fractions import Fraction

from overages._ground.parsing import optional
from overages._ground.value import term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    number_from_ratio,
    parse_non_negative,
    parse_positive,
    parse_quantity,
    plain_text,
)
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding
from overages.errors import InvalidValue


@value
class Conversion:
    """A rule for units: ``quantity x multiply / divide``, in increments, from a minimum up.

    :param multiply: units for each `divide` that were used, above zero.
    :param divide: see `multiply`; above zero.
    :param increment: the step that units come in, above zero: 1 for whole ones, ``"0.01"`` for two
        decimals. None rounds nothing, and refuses a ratio that no quantity is equal to.
    :param minimum: units that count as soon as anything is used, zero or more. Increments are
        counted from it: a minimum of 60 and an increment of 6 give 60, 66, 72 ...
    :param rounding: how a part of an increment counts: by default, a started one counts whole.
    :raises InvalidValue: for a number out of its range; `InvalidValues` for several.

    >>> Conversion(divide=1000, increment="0.01").convert(1_247)
    Decimal('1.25')
    >>> Conversion(multiply="1.5").convert("4.2")
    Decimal('6.3')
    """

    multiply: Quantity = term(parse_positive)
    divide: Quantity = term(parse_positive)
    increment: Quantity | None = term(optional(parse_positive))
    minimum: Quantity = term(parse_non_negative)
    rounding: Rounding = term(parse_rounding)

    def __init__(
        self,
        multiply: QuantityLike = 1,
        divide: QuantityLike = 1,
        increment: QuantityLike | None = None,
        minimum: QuantityLike = 0,
        rounding: RoundingLike = Rounding.UP,
    ) -> None: ...

    def convert(self, used: QuantityLike) -> Quantity:
        """Return the units that are priced for a quantity that was used; for none of it, none.

        More that is used never converts to fewer units, so that their cost can be charged in
        steps: ``charge_between(price, convert(before), convert(after))``.

        :param used: zero or more.
        :raises InvalidType: if it is a float or no number.
        :raises InvalidValue: if it is negative; if the units are too many for a quantity; or if
            they are none exactly, and there is no increment.

        >>> calls = Conversion(increment=6, minimum=60)
        >>> [calls.convert(seconds) for seconds in (0, 1, 60, 61, 132)]
        [0, 60, 60, 66, 132]
        """
        number = parse_non_negative(used, "used")
        if not number:
            return 0
        units = Fraction(number) * Fraction(self.multiply) / Fraction(self.divide)
        beyond = max(Fraction(), units - Fraction(self.minimum))
        if self.increment is not None:
            beyond = Fraction(self.rounding.round(beyond, self.increment))
        return _as_quantity(beyond + Fraction(self.minimum), number)


def _as_quantity(units: Fraction, used: Quantity) -> Quantity:
    number = number_from_ratio(units.numerator, units.denominator)
    shown = f"comes to {plain_text(number)} units, which"
    if isinstance(number, Fraction):
        raise InvalidValue("used", used, f"{shown} no decimal equals and no increment rounds")
    try:
        return parse_quantity(number, "units")
    except InvalidValue as error:
        raise InvalidValue("used", used, f"{shown} {error.problem}") from None
