"""Amounts as Stripe writes them: its decimal places are not those of ISO 4217 everywhere.

stripe_amount(Money(2500, "USD"))                     # 2500
stripe_amount(Money(5, "ISK"))                        # 500: Stripe kept two decimals, always 00
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from overages._ground.parsing import instance_of, parse_int
from overages.amounts._currencies import CURRENT, WITHDRAWN
from overages.amounts.money import Currency, Money
from overages.errors import Field, InvalidValue

# Stripe's page "Supported currencies" (https://docs.stripe.com/currencies), as of November 2026: a
# currency has two decimals unless the page says otherwise, under "Zero-decimal currencies",
# "Three-decimal currencies" and "Special cases". UGX is in its list of zero decimals too, but the
# special case overrules that: "to charge 5 UGX, provide an amount value of 500". HUF and TWD are
# special in payouts alone.
_ZERO: Final = (
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
)  # fmt: skip
_THREE: Final = ("BHD", "JOD", "KWD", "OMR", "TND")
_HUNDREDS: Final = ("ISK", "UGX")

_EXPONENTS: Final[dict[str, int]] = dict.fromkeys(_ZERO, 0) | dict.fromkeys(_THREE, 3)
_STEPS: Final[dict[str, int]] = dict.fromkeys(_THREE, 10) | dict.fromkeys(_HUNDREDS, 100)
"""The number that an amount must be a multiple of, where that isn't 1."""


def stripe_amount(money: Money, field: Field = "cost") -> int:
    """Return an amount of money as the integer that Stripe's API takes.

    Nothing is rounded: an amount that Stripe can't write is refused.

    :param field: the name of the amount in an error.
    :raises InvalidValue: if the amount is finer than Stripe takes it in the currency (0.50 MGA,
        0.005 KWD), or if Stripe doesn't say how it writes the currency.

    Source: Stripe's documentation of currencies, https://docs.stripe.com/currencies

    >>> stripe_amount(Money.of("25.00", "USD")), stripe_amount(Money.of("500.00", "MGA"))
    (2500, 500)
    >>> stripe_amount(Money.of("5.5", "MGA"))
    Traceback (most recent call last):
        ...
    overages.errors.InvalidValue: cost: must be in steps of 1 MGA for Stripe, got Money(550, 'MGA')
    """
    exponent = _exponent(instance_of(Money)(money, field).currency, field)
    amount = Fraction(money.minor * 10**exponent, 10**money.currency.exponent)
    step = _STEPS.get(money.currency.code, 1)
    if amount.denominator != 1 or amount.numerator % step:
        smallest = _written(step, exponent)
        problem = f"must be in steps of {smallest} {money.currency} for Stripe"
        raise InvalidValue(field, money, problem)
    return amount.numerator


def money_of_stripe(amount: int, currency: str, field: Field = "amount") -> Money:
    """Return the money that an integer of Stripe's API is.

    :param currency: as Stripe writes it, in lower case.
    :raises InvalidValue: if it is no whole number of ISO 4217's minor units.

    >>> money_of_stripe(500, "isk")
    Money(5, 'ISK')
    """
    unit = Currency(instance_of(str)(currency, "currency").upper())
    exponent = _exponent(unit, field)
    minor = Fraction(parse_int(amount, field) * 10**unit.exponent, 10**exponent)
    if minor.denominator != 1:
        raise InvalidValue(field, amount, f"must be whole minor units of {unit}")
    return Money(minor.numerator, unit)


def _exponent(currency: Currency, field: Field) -> int:
    """Return Stripe's decimal places; it has those of ISO 4217's with two that it doesn't list."""
    exponent = _EXPONENTS.get(currency.code, 2)
    iso = CURRENT.get(currency.code, WITHDRAWN.get(currency.code))
    if iso is None or (iso != 2 and currency.code not in (*_EXPONENTS, *_HUNDREDS)):
        raise InvalidValue(field, currency.code, "must be in a currency that Stripe has")
    return exponent


def _written(step: int, exponent: int) -> str:
    """Write the smallest amount in major units."""
    places = exponent - len(str(step)) + 1
    return "1" if places <= 0 else f"0.{'1':0>{places}}"
