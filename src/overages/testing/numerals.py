"""Strategies for exact numbers, each written in two ways that mean the same.

They are drawn as integers, in parts of a unit, so that no way of writing comes before another.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

from hypothesis import strategies as st

from overages.testing.recipe import Spelled

Numeral: TypeAlias = int | Decimal | str

UNIT: Final = 10**12  # numbers are drawn as integers, in 10**-12 parts of a unit
MOST_PARTS: Final = 10**38 - 1


def written(parts: int, way: int) -> Numeral:
    """Write ``parts / UNIT`` in one of many ways that all mean the same."""
    sign = "-" if parts < 0 or (parts == 0 and way % 2) else ""
    zeros = "0" * (way // 6 % 4)
    whole, rest = divmod(abs(parts), UNIT)
    decimals = f"{rest:012d}".rstrip("0")
    plain = f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
    match way % 6:
        case 0 if not decimals:
            return -whole if sign else whole
        case 1:
            return Decimal(f"{sign}{abs(parts)}{zeros}E-{12 + len(zeros)}")
        case 2:
            digits = str(abs(parts)).rstrip("0") or "0"
            return Decimal(f"{sign}{digits}E{len(str(abs(parts))) - len(digits) - 12}")
        case 3:
            return plain
        case 4:
            return f"{sign or '+'}{zeros}{whole}.{decimals}0{zeros}"
        case _:
            return Decimal(plain)


ANY_WAY: Final = st.sampled_from([(one, other) for one in range(24) for other in range(24)])


def respelled(parts: int, ways: tuple[int, int]) -> Spelled:
    """Return a number, given in parts, written in two ways."""
    return Spelled(*(written(parts, way) for way in ways))


def spelled(
    parts: st.SearchStrategy[int], ways: st.SearchStrategy[tuple[int, int]] = ANY_WAY
) -> st.SearchStrategy[Spelled]:
    """Return numbers, given in parts, each written in two ways."""
    return st.builds(respelled, parts, ways)


_small_whole = st.integers(0, 40).map(lambda n: n * UNIT)
_whole = st.integers(0, 2_000_000).map(lambda n: n * UNIT)
_coarse = st.builds(
    lambda n, places: n * 10 ** (12 - places), st.integers(0, 99_999), st.integers(1, 12)
)
_extreme = st.integers(0, 20).map(lambda n: MOST_PARTS - n)
_any_parts = st.integers(0, MOST_PARTS)
_halves = st.builds(  # prices that end in a 5 just below a minor unit, so that ties are common
    lambda n, places: (2 * n + 1) * 5 * 10 ** (11 - places), st.integers(0, 40), st.integers(0, 5)
)

non_negative_parts: st.SearchStrategy[int] = st.one_of(
    _small_whole, _whole, _coarse, _any_parts, _extreme
)
positive_parts: st.SearchStrategy[int] = non_negative_parts.map(lambda parts: parts or 1)
signed_parts: st.SearchStrategy[int] = st.builds(
    lambda parts, sign: parts * sign, non_negative_parts, st.sampled_from([1, -1])
)

non_negative_numbers: st.SearchStrategy[Spelled] = spelled(non_negative_parts)
positive_numbers: st.SearchStrategy[Spelled] = spelled(positive_parts)
small_wholes: st.SearchStrategy[Spelled] = spelled(_small_whole)
modest_parts: st.SearchStrategy[int] = st.one_of(_small_whole, _whole, _coarse)
modest_numbers: st.SearchStrategy[Spelled] = spelled(modest_parts)
signed_numbers: st.SearchStrategy[Spelled] = spelled(signed_parts)
prices: st.SearchStrategy[Spelled] = spelled(
    st.one_of(_halves, _halves, _small_whole, _coarse, non_negative_parts)
)
maxima: st.SearchStrategy[Spelled] = st.one_of(prices, spelled(_whole))
flat_fees: st.SearchStrategy[Spelled] = st.one_of(st.just(Spelled("0", 0)), prices)
# The second are the ratios with the most decimals, or with none.
pers: st.SearchStrategy[Spelled] = st.one_of(
    spelled(st.sampled_from([1, 10, 60, 1000, 1_000_000]).map(lambda n: n * UNIT)),
    spelled(st.sampled_from([3, 7, 2**86, 5**37]).map(lambda n: n * UNIT)),
    positive_numbers,
)
sizes: st.SearchStrategy[Spelled] = st.one_of(
    spelled(st.integers(1, 12).map(lambda n: n * UNIT)), positive_numbers
)
whole_sizes: st.SearchStrategy[Spelled] = spelled(st.integers(1, 9).map(lambda n: n * UNIT))
counts: st.SearchStrategy[str] = st.sampled_from(["started", "completed"])

fractions: st.SearchStrategy[Fraction] = st.builds(
    Fraction, st.integers(-(10**30), 10**30) | st.integers(-50, 50), st.integers(1, 60)
)
exact_amounts: st.SearchStrategy[Spelled] = fractions.map(lambda f: Spelled(f, _as_decimal(f)))


def exact_amounts_of(sign: int) -> st.SearchStrategy[Spelled]:
    """Return exact amounts that are zero or of one sign."""
    return fractions.map(lambda f: Spelled(sign * abs(f), _as_decimal(sign * abs(f))))


def _as_decimal(ratio: Fraction) -> Decimal | Fraction:
    """Return a fraction as a decimal with more zeros than it needs, if that is possible."""
    scaled = ratio * 10**14
    return Decimal(f"{scaled.numerator}E-14") if scaled.denominator == 1 else ratio


def in_parts(number: Numeral) -> int:
    """Return a number in parts."""
    return int(Fraction(number) * UNIT)
