"""Increments: the steps that a quantity is counted in.

A started minute counts in full, or the first minute does and then each second:

    Increment(60).counted(132)                        # 180
    Increment(1, first=60).counted(132)               # 132, and 60 for anything up to a minute
"""

from __future__ import annotations

from fractions import Fraction

from overages._ground.value import term, value
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    parse_non_negative,
    parse_positive,
    parse_ratio,
    scaled,
    unscaled,
)
from overages.amounts.rounding import Rounding, RoundingLike, parse_rounding


@value
class Increment:
    """A step that quantities are rounded to, and the least that any usage counts for.

    :param step: units, above zero; the units beyond `first` are rounded to a multiple of it.
    :param first: units that count at once, however little of them was used; none by default.
        Telephony's 60/1 is ``Increment(1, first=60)``.
    :param rounding: a `Rounding` or its name. By default, up: a step counts once it is started. Up
        is away from zero, so that taking an event back takes back all that it counted for.
    :raises InvalidType: for a float.
    :raises InvalidValue: for a step of zero or less, or a negative `first`.
    """

    step: Quantity = term(parse_positive)
    first: Quantity = term(parse_non_negative)
    rounding: Rounding = term(parse_rounding)

    def __init__(
        self,
        step: QuantityLike,
        *,
        first: QuantityLike = 0,
        rounding: RoundingLike = Rounding.UP,
    ) -> None: ...

    def counted(self, quantity: QuantityLike | Fraction) -> Quantity:
        """Return the units that a quantity counts for; a negative one, as many below zero.

        :raises InvalidType: for a float.

        >>> call = Increment(6, first=30)
        >>> [call.counted(seconds) for seconds in (0, 1, 30, 31, 132, -31)]
        [0, 30, 30, 36, 132, -36]
        """
        ratio = parse_ratio(quantity, "quantity")
        if not ratio:
            return 0
        beyond = max(abs(ratio) - Fraction(self.first), Fraction())
        picos = scaled(self.first) + scaled(self.rounding.round(beyond, self.step))
        return unscaled(picos if ratio > 0 else -picos)
