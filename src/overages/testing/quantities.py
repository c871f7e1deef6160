"""Exact numbers of every size: whole units, and a fraction of one that is none as often as not.

Each is drawn as those two. A failing test then shrinks to a small whole number, or to one with few
decimals: the number that a fraction is drawn as is its decimals read from right to left.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from hypothesis import strategies as st

from overages.amounts.exact import (
    DECIMAL_DIGITS,
    LIMIT,
    SCALE,
    Exact,
    Quantity,
    number_from_ratio,
    scaled,
    unscaled,
)

Strategy: TypeAlias = st.SearchStrategy

LARGEST: Final = LIMIT * SCALE - 1  # in parts of a unit, 10**-12 each


def quantity(units: int, decimals: int) -> Quantity:
    """Return so many units and a fraction, whose decimals are given from right to left.

    >>> quantity(7, 0), quantity(7, 5), quantity(7, 10), quantity(7, 521)
    (7, Decimal('7.5'), Decimal('7.01'), Decimal('7.125'))
    """
    return unscaled(units * SCALE + int(str(decimals)[::-1].ljust(DECIMAL_DIGITS, "0")))


def negated(number: Quantity) -> Quantity:
    """Return a quantity of the other sign, exactly."""
    return unscaled(-scaled(number))


small: Strategy[int] = st.integers(0, 40)
_thousands = st.integers(0, 2_000_000)
_integers = st.integers(0, LIMIT - 1)
_decimals = st.integers(1, SCALE - 1)
_halves = st.integers(500, 599) | st.integers(5_000, 5_999)  # of a minor unit: ties are common

# As few choices as can be: a value that takes over five in a list isn't dropped when shrinking.
modest: Strategy[Quantity] = st.one_of(
    small, _thousands, st.builds(quantity, _thousands, _decimals)
)
"""Quantities of which any few have a sum, and a product, that is a quantity again."""

quantities: Strategy[Quantity] = st.one_of(
    small,
    _integers,
    st.builds(quantity, _thousands, _decimals),
    st.builds(quantity, _integers, _decimals),
)
"""All quantities from zero up."""

amounts: Strategy[Quantity] = st.one_of(
    small, st.builds(quantity, small, _halves | _decimals), quantities
)
"""Prices and fees in major currency units, from zero up."""

_ratios = st.sampled_from([1, 10, 60, 1_000, 1_000_000, 3, 7, 2**86, 5**37])
positive: Strategy[Quantity] = (_ratios | quantities).map(lambda number: number or 1)
signed: Strategy[Quantity] = quantities | quantities.map(negated)
per_cents: Strategy[Quantity] = st.integers(0, 100) | st.builds(
    quantity, st.integers(0, 99), _decimals
)
factors: Strategy[Quantity] = st.builds(quantity, st.integers(1, 8), _decimals)
exact: Strategy[Exact] = st.builds(
    number_from_ratio, st.integers(-50, 50) | st.integers(-(10**30), 10**30), st.integers(1, 60)
)
"""Exact amounts, of either sign: a `Decimal`, or a `Fraction` where there is none."""

ratios: Strategy[Exact] = st.builds(
    number_from_ratio, st.integers(1, 50) | st.integers(1, 10**25), st.integers(1, 60)
)
"""The same, above zero."""
