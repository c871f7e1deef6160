"""Thresholds: numbers of usage, of units that are left, or of money, that someone is told of.

    Threshold(percent=80)                             # of the units that are included
    Threshold(quantity=1_000, of="remaining")         # 1,000 units are left
    Threshold(cost=Money.of("100", "USD"), repeat=True)   # each further 100.00

It is reached by the number that lands on it: before < threshold <= after.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal, TypeAlias

from overages._ground.parsing import (
    Problems,
    check_alternatives,
    choice_of,
    optional,
    parse_flag,
)
from overages._ground.value import term, value
from overages.amounts.exact import (
    Exact,
    Quantity,
    QuantityLike,
    number_from_ratio,
    optional_non_negative,
    parse_quantity,
    parse_sum,
    plain_text,
    scaled,
    unscaled,
)
from overages.amounts.money import Money, optional_non_negative_money
from overages.errors import CurrencyMismatch, Field, InvalidType, InvalidValue

ThresholdOf: TypeAlias = Literal["used", "remaining", "overage"]
"""The number that is compared: units used, units left of the limit, units beyond it."""

Direction: TypeAlias = Literal["rising", "falling"]
"""The way in which a number passes a threshold."""

Undecided: TypeAlias = Literal["unlimited", "nothing_included"]
"""Why no number can reach a threshold: there is no limit, or a limit of zero."""

Amount: TypeAlias = Quantity | Money
"""Units of a metric, or money."""

_KINDS: Final = ("percent", "quantity", "cost")


def _direction(threshold: Threshold) -> Direction:
    return "falling" if threshold.of == "remaining" else "rising"


@value
class Threshold:
    """A number that usage, the rest of an allowance, or a cost can pass.

    :param percent: per cent of the limit: of the units that are included, of a grant, of a budget.
    :param quantity: units of the metric.
    :param cost: money: the cost beyond the plan; of a grant or a budget of money, the money that is
        used or left.
    :param of: ``"used"``, ``"remaining"`` (the limit less the units used, never below zero) or
        ``"overage"`` (the units beyond the limit).
    :param direction: ``"rising"``: reached by a number at or above it; ``"falling"``: by one at or
        below it. None: falling for units that remain, else rising.
    :param repeat: whether each further step is told of as well: at 100.00, 200.00, 300.00.
    :raises InvalidValue: if none or several of the three numbers are given, if it is zero and
        rising, or falling and repeated; `InvalidValues` for several faults.

    >>> Threshold(percent=80)
    Threshold(percent=80)
    >>> Threshold(percent=10, of="remaining").direction
    'falling'
    """

    percent: Quantity | None = term(optional_non_negative)
    quantity: Quantity | None = term(optional_non_negative)
    cost: Money | None = term(optional_non_negative_money)
    of: ThresholdOf = term(choice_of(ThresholdOf))
    direction: Direction = term(optional(choice_of(Direction)), otherwise=_direction)
    repeat: bool = term(parse_flag)

    def __init__(
        self,
        *,
        percent: QuantityLike | None = None,
        quantity: QuantityLike | None = None,
        cost: Money | None = None,
        of: ThresholdOf = "used",
        direction: Direction | None = None,
        repeat: bool = False,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        check_alternatives(self, _KINDS, problems)

    def _check_number(self, problems: Problems) -> None:
        if self.direction == "falling":
            if self.repeat:
                problems.add(InvalidValue("repeat", True, "must be False where numbers fall"))
            return
        for name in _KINDS:
            number = getattr(self, name, None)
            if number is not None and not number_of(number):
                problem = "must be more than zero, which any number has reached"
                problems.add(InvalidValue(name, number, problem))

    @property
    def number(self) -> Amount:
        """The number that is given: per cent, units or money."""
        units = self.quantity if self.percent is None else self.percent
        return units if self.cost is None and units is not None else self.cost or 0

    def undecided(self, limit: Amount | None) -> Undecided | None:
        """Return why no number of a limit can reach it; None where one can.

        >>> Threshold(percent=80).undecided(None), Threshold(quantity=80).undecided(None)
        ('unlimited', None)
        """
        if self.of == "used" and self.percent is None:
            return None
        if limit is None:
            return "unlimited"
        is_of_nothing = not number_of(limit) and (
            self.of == "remaining" or self.percent is not None
        )
        return "nothing_included" if is_of_nothing else None

    def level(self, limit: Amount | None, step: int = 1) -> Exact:
        """Return the number at which one of its steps is reached, of the kind that it is `of`.

        >>> Threshold(percent=80).level(50)
        Decimal('40')
        """
        number = self._level(limit) * step
        return number_from_ratio(number.numerator, number.denominator)

    def _level(self, limit: Amount | None) -> Fraction:
        if self.percent is None:
            return number_of(self.quantity if self.cost is None else self.cost)
        return number_of(limit) * Fraction(self.percent) / 100

    def place(self, limit: Amount | None, step: int = 1) -> Fraction:
        """Return the units used, or the major units of money, at which a step is passed."""
        level = self._level(limit) * step
        if self.of == "used":
            return level
        return number_of(limit) - level if self.of == "remaining" else number_of(limit) + level

    def compared(self, used: Amount, limit: Amount | None) -> Fraction:
        """Return the number that is compared with its level: units used, left, or beyond."""
        if self.of == "used":
            return number_of(used)
        left = number_of(limit) - number_of(used)
        return max(left if self.of == "remaining" else -left, Fraction())

    def steps(self, used: Amount, limit: Amount | None) -> int:
        """Return how many of its steps a number has reached: 0 or 1, unless they are repeated.

        None is reached where none can be: see `undecided`.

        >>> hundreds = Threshold(cost=Money.of("100", "USD"), repeat=True)
        >>> hundreds.steps(Money.of("349.99", "USD"), None)
        3
        """
        if self.undecided(limit) is not None:
            return 0
        number, level = self.compared(used, limit), self._level(limit)
        if self.direction == "falling":
            return int(number <= level)
        reached = max(number // level, 0)
        return reached if self.repeat else min(reached, 1)

    def check_amount(self, amount: Amount, field: Field) -> None:
        """Refuse a number that isn't of the threshold's kind: money for money, units for units.

        :raises InvalidType: if it is of the other kind.
        :raises CurrencyMismatch: if it is money of another currency.
        """
        if self.cost is None:
            if self.quantity is not None and isinstance(amount, Money):
                raise InvalidType(field, amount, "must be units, as the threshold is")
        elif not isinstance(amount, Money):
            raise InvalidType(field, amount, "must be Money, as the threshold is")
        elif amount.currency != self.cost.currency:
            raise CurrencyMismatch(self.cost.currency.code, amount.currency.code, field)

    @property
    def grows(self) -> bool:
        """Whether it is reached by more usage, and not by less."""
        return (self.direction == "rising") != (self.of == "remaining")

    def number_text(self, step: int = 1) -> str:
        """Write the number that one of its steps is reached at.

        >>> Threshold(percent=80).number_text(), Threshold(quantity=5, repeat=True).number_text(2)
        ('80 %', '10')
        """
        if self.cost is not None:
            return str(Money(self.cost.minor * step, self.cost.currency))
        share = self.quantity if self.percent is None else self.percent
        units = plain_text(unscaled(scaled(share or 0) * step))
        return units if self.percent is None else f"{units} %"

    def explain(self, step: int | None = None) -> str:
        """Write it as a person would.

        :param step: one of its steps, which is written as the number that it is reached at.

        >>> Threshold(percent=80).explain(), Threshold(quantity=5, of="remaining").explain()
        ('80 % used', '5 remaining')
        >>> hundreds = Threshold(cost=Money.of("100", "USD"), repeat=True)
        >>> hundreds.explain(), hundreds.explain(step=3)
        ('each further 100.00 USD used', '300.00 USD used')
        """
        number = self.number_text(step or 1)
        is_each = self.repeat and step is None
        parts = ["each further", number, self.of] if is_each else [number, self.of]
        if self.direction != _direction(self):
            parts.append(f"({self.direction})")
        return " ".join(parts)


def parse_used(value: object, field: Field) -> Amount:
    """Return units or money; units may be fewer than none where more is taken back than used."""
    if isinstance(value, Money):
        return value
    return parse_quantity(value, field) if isinstance(value, str) else parse_sum(value, field)


optional_amount: Final = optional(parse_used)


def number_of(amount: Amount | None) -> Fraction:
    """Return units, or the major units of money, as a number; 0 where there is none."""
    return Fraction(amount.amount if isinstance(amount, Money) else amount or 0)
