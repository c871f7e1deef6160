"""Increments: the steps that a quantity is counted in.

A started minute counts in full, or the first minute does and then each second:

    Increment(60).counted(132)                        # 180
    Increment(1, first=60).counted(132)               # 132, and 60 for anything up to a minute
"""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from overages._ground.parsing import parse_all
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


@frozen(init=False, repr=False, weakref_slot=False)
class Increment:
    """A step that quantities are rounded to, and the least that counts of what isn't zero.

    :param step: units, above zero; what goes beyond `first` is rounded to a multiple of it.
    :param first: units that count at once, however little of them was used; none by default.
        What telephony writes as 60/1 is ``Increment(1, first=60)``.
    :param rounding: a `Rounding` or its name. By default, up: a step counts once it is started. Up
        is away from zero, so that what takes an event back takes back what it counted for.
    :raises InvalidType: for a float.
    :raises InvalidValue: for a step of zero or less, or a negative `first`.
    """

    step: Quantity
    first: Quantity
    rounding: Rounding

    def __init__(
        self,
        step: QuantityLike,
        *,
        first: QuantityLike = 0,
        rounding: RoundingLike = Rounding.UP,
    ) -> None:
        values = parse_all(
            (parse_positive, step, "step"),
            (parse_non_negative, first, "first"),
            (parse_rounding, rounding, "rounding"),
        )
        self.__attrs_init__(*values)

    def counted(self, quantity: QuantityLike | Fraction) -> Quantity:
        """Return how much a quantity counts for; a negative one, as much below zero.

        :raises InvalidType: for a float.

        >>> call = Increment(6, first=30)
        >>> [call.counted(seconds) for seconds in (0, 1, 30, 31, 132, -31)]
        [0, 30, 30, 36, 132, -36]
        """
        ratio = parse_ratio(quantity, "quantity")
        if not ratio:
            return 0
        beyond = max(abs(ratio) - Fraction(self.first), Fraction())
        parts = scaled(self.first) + scaled(self.rounding.round(beyond, self.step))
        return unscaled(parts if ratio > 0 else -parts)

    def __repr__(self) -> str:
        first = f", first={self.first!r}" if self.first else ""
        rounding = "" if self.rounding is Rounding.UP else f", rounding={self.rounding.value!r}"
        return f"Increment({self.step!r}{first}{rounding})"
