"""Money: whole minor units of one currency.

An amount is given in minor units, or in major units to `Money.of`:

    total = Money(5000, "USD")                        # 50.00 USD
    cost = Money.of(exact_cost, currency, rounding=plan.rounding)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from overages._ground.names import parse_name
from overages._ground.parsing import (
    Problems,
    instance_of,
    optional,
    parse_all,
    parse_int,
    plain_str,
)
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts._currencies import CURRENT, WITHDRAWN
from overages.amounts.exact import SCALE, Quantity, QuantityLike, number_text, parse_ratio
from overages.amounts.rounding import RoundingLike, allocate, parse_rounding, round_ratio
from overages.errors import (
    CurrencyMismatch,
    Field,
    InvalidType,
    InvalidValue,
    UnknownCurrency,
    did_you_mean,
)

_EXPONENTS: Final = CURRENT | WITHDRAWN  # of ISO 4217
_LARGEST: Final = 10**1000  # more can't be written out
_ALIGNED: Final = r"([^0-9+\-.,]?[<>^])?([1-9][0-9]*)?"  # a filler is no part of an amount
_FINEST: Final = 12  # decimal places that a unit of the host's own may have
_MINOR_PICOS: Final[tuple[int, ...]] = tuple(
    SCALE // 10**exponent for exponent in range(_FINEST + 1)
)


def _parse_exponent(value: object, field: Field) -> int:
    exponent = parse_int(value, field)
    if not 0 <= exponent <= _FINEST:
        raise InvalidValue(field, value, f"must be from 0 to {_FINEST}")
    return exponent


def _unknown(code: str, field: Field) -> UnknownCurrency:
    # Codes of three letters all resemble each other: only one in other letters is no guess.
    hint = did_you_mean(code, {code.strip().upper()} & _EXPONENTS.keys())
    problem = f"must be an ISO 4217 code such as USD, or a Currency with an exponent{hint}"
    return UnknownCurrency(field, code, problem)


@value
class Currency:
    """A currency: its code and how many decimal places its minor unit has.

    :param code: an ISO 4217 code, current or withdrawn; or the name of a unit of the host's own.
    :param exponent: decimal places, 0 to 12. ISO 4217 decides it for its codes; for any other code
        it must be given, and the value made is the registration: there is no global table.
    :raises UnknownCurrency: if ISO 4217 doesn't know the code and no exponent is given.
    :raises InvalidValue: if the exponent is out of bounds, or not the one of ISO 4217.

    Source: ISO 4217, lists one (current) and three (withdrawn).

    >>> Currency("JPY").exponent
    0
    >>> Currency("credits", exponent=2)
    Currency(code='credits', exponent=2)
    """

    code: str = term(parse_name)
    exponent: int = term(optional(_parse_exponent), otherwise=lambda made: made._iso_exponent)

    def __init__(self, code: str, exponent: int | None = None) -> None: ...

    def _check(self, problems: Problems) -> None:
        exponent = self._iso_exponent
        if self.exponent is None:
            problems.add(_unknown(self.code, "code"))
        elif exponent not in {None, self.exponent}:
            problem = f"must be {exponent} for {self.code} (ISO 4217)"
            problems.add(InvalidValue("exponent", self.exponent, problem))

    @property
    def _iso_exponent(self) -> int | None:
        return _EXPONENTS.get(self.code)

    @property
    def shortest(self) -> str | Currency:
        """The code if that is enough to make the currency again, else the currency itself."""
        return self if self._iso_exponent is None else self.code

    def __str__(self) -> str:
        return self.code


def parse_currency(value: object, field: Field) -> Currency:
    """Return `value` if it is a `Currency`, or the ISO 4217 currency of that code."""
    if type(value) is Currency:
        return value
    code = plain_str(value)
    if code is None:
        raise InvalidType(field, value, "must be a Currency or a code such as 'USD'")
    if code not in _EXPONENTS:
        raise _unknown(code, field)
    return _of_code(code)


@lru_cache(maxsize=512)  # ISO 4217 has fewer; and one object for a currency compares fastest
def _of_code(code: str) -> Currency:
    return Currency(code)


def _parse_minor(value: object, field: Field) -> int:
    if type(value) is not int:
        raise InvalidType(field, value, "must be an int")
    if not -_LARGEST < value < _LARGEST:
        raise InvalidValue(field, value, "must have at most 1000 digits")
    return value


@value
class Money:
    """An amount of money: a whole number of a currency's minor units, of any sign.

    :param minor: minor units, such as cents; an `int`.
    :param currency: a `Currency` or an ISO 4217 code.

    Sums, differences and comparisons are of one currency; with another they raise
    `CurrencyMismatch`. There is no product: a price is multiplied, and its cost rounded after.
    `sum` of nothing is the int 0, which has no currency, so where there may be nothing it is given
    a start: ``sum(costs, Money(0, "USD"))``.

    As text it can be aligned; as a number it is the `amount`.

    >>> Money(5000, "USD") + Money.of("0.50", "USD"), sum([Money(1, "USD"), Money(2, "USD")])
    (Money(5050, 'USD'), Money(3, 'USD'))
    >>> print(Money(5000, "USD"), f"{Money(5000, 'USD'):>12}", f"{Money(500000, 'USD').amount:,f}")
    50.00 USD    50.00 USD 5,000.00
    """

    minor: int = term(_parse_minor)
    currency: Currency = term(parse_currency)

    def __init__(self, minor: int, currency: Currency | str) -> None: ...

    @classmethod
    def of(
        cls,
        amount: QuantityLike | Fraction,
        currency: Currency | str,
        rounding: RoundingLike | None = None,
    ) -> Money:
        """Return the money of an exact amount in major units.

        :param amount: major units: ``"50.00"``, ``50``, or an exact cost, however fine: a `Decimal`
            or a `Fraction`.
        :param rounding: how to round to the minor unit; without it, an amount that is finer than
            the minor unit is refused.
        :raises InvalidValue: if the amount would have to be rounded and no rounding is named.

        >>> Money.of("0.005", "USD", rounding="half_even")
        Money(0, 'USD')
        """
        exact, unit, rule = parse_all(
            (parse_ratio, amount, "amount"),
            (parse_currency, currency, "currency"),
            (optional(parse_rounding), rounding, "rounding"),
        )
        minor = exact * 10**unit.exponent
        if rule is not None:
            return cls(round_ratio(minor.numerator, minor.denominator, rule), unit)
        if minor.denominator != 1:
            problem = f"must have at most {unit.exponent} decimals in {unit}, or name a rounding"
            raise InvalidValue("amount", amount, problem)
        return cls(minor.numerator, unit)

    @property
    def amount(self) -> Decimal:
        """Major units, exactly, with the decimal places of the currency."""
        minor = number_text(self.minor)  # a host may limit how long an int's str is
        return Decimal(f"{minor}E-{self.currency.exponent}")

    def allocate(self, weights: Iterable[QuantityLike | Fraction]) -> tuple[Money, ...]:
        """Split the money in proportion to weights, losing nothing (largest remainder method).

        Each share is first rounded towards zero; the minor units left over go one by one to the
        shares with the largest remainders, of equal ones to the earlier.

        :param weights: zero or more each, such as the shares of a period that `Proration.share`
            gives; not all zero, unless the money is.
        :raises InvalidValue: for a negative weight, or if no weight is above zero.

        Source: the Hamilton method of apportionment.

        >>> [str(share) for share in Money(100, "USD").allocate([1, 1, 1])]
        ['0.34 USD', '0.33 USD', '0.33 USD']
        """
        return tuple(Money(share, self.currency) for share in allocate(self.minor, weights))

    def _minor_of(self, other: Money) -> int:
        ours, theirs = self.currency, other.currency
        if theirs is not ours and theirs != ours:  # one object, most often
            raise CurrencyMismatch(ours.code, theirs.code)
        return other.minor

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return _as_large(self.minor + self._minor_of(other), self.currency)

    def __radd__(self, other: int) -> Money:
        # `sum` begins with it; any other number is an amount of no currency.
        return self if type(other) is int and other == 0 else NotImplemented

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return _as_large(self.minor - self._minor_of(other), self.currency)

    def __neg__(self) -> Money:
        return new_money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return (
            NotImplemented if not isinstance(other, Money) else self.minor < self._minor_of(other)
        )

    def __le__(self, other: Money) -> bool:
        return (
            NotImplemented if not isinstance(other, Money) else self.minor <= self._minor_of(other)
        )

    def __gt__(self, other: Money) -> bool:
        return (
            NotImplemented if not isinstance(other, Money) else self.minor > self._minor_of(other)
        )

    def __ge__(self, other: Money) -> bool:
        return (
            NotImplemented if not isinstance(other, Money) else self.minor >= self._minor_of(other)
        )

    def __str__(self) -> str:
        return f"{self.amount:,f} {self.currency}"

    def __format__(self, spec: str) -> str:
        """Write the money as `str` does, aligned: ``<``, ``>`` or ``^`` and a width.

        :raises InvalidValue: for any other specification: one of a number could round, and one of a
            text cut off digits.
        """
        if not re.fullmatch(_ALIGNED, spec):
            problem = "must align the text, such as '>12'; a number is f'{money.amount:,f}'"
            raise InvalidValue("format", spec, problem)
        return format(str(self), spec)

    def __repr__(self) -> str:
        return f"Money({self.minor!r}, {self.currency.shortest!r})"


def parse_non_negative_money(value: object, field: Field) -> Money:
    """Return `value` if it is an amount of money, zero or more."""
    money: Money = instance_of(Money)(value, field)
    if money.minor < 0:
        raise InvalidValue(field, money, "must not be negative")
    return money


def check_kind(
    number: Quantity | Money, limit: Quantity | Money, field: Field, problems: Problems
) -> None:
    """Refuse units beside a limit of money, and money beside one of units or another currency."""
    if isinstance(number, Money) and isinstance(limit, Money):
        if number.currency != limit.currency:
            problems.add(CurrencyMismatch(limit.currency.code, number.currency.code, field))
    elif isinstance(number, Money) or isinstance(limit, Money):
        problem = "must be of one kind with the limit, units or money"
        problems.add(InvalidValue(field, number, problem))


def _as_large(minor: int, currency: Currency) -> Money:
    """Make money of a sum, which may be too large; all else of it is known: a third of the time."""
    return new_money(_parse_minor(minor, "minor"), currency)


def minor_picos(currency: Currency) -> int:
    """Return a currency's minor unit in picos of its major one: it is never finer than a pico."""
    return _MINOR_PICOS[currency.exponent]


new_money: Final = trusted(Money)
optional_non_negative_money: Final = optional(parse_non_negative_money)
