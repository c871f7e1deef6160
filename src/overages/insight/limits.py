"""Limits: how much of a metric is left, and whether a hard limit lets any more be used.

remaining(used=30, limit=50)                      # 20
is_blocked(used=50, limit=50)                     # True: the limit is used up
overage_cap([100, 50], percent=120)               # 180: at most so much beyond what is included
strictest([(100, 1), (2_000, 30)])                # 1: 2,000 in thirty days are fewer a day
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from overages._ground.parsing import each, one_of, parse_all, unpacked
from overages.amounts.exact import (
    Quantity,
    QuantityLike,
    exact_quantity,
    excess,
    non_negative,
    optional_non_negative,
    positive,
)
from overages.errors import InvalidValue

Comparison: TypeAlias = Literal["inclusive", "exclusive"]
"""Whether usage that equals the limit is blocked already (inclusive), or only what is above it."""

_comparison: Final = one_of("inclusive", "exclusive")


def remaining(used: QuantityLike, limit: QuantityLike | None) -> Quantity | None:
    """Return ``max(0, limit - used)``, exactly; None where there is no limit.

    :param used: units, zero or more.
    :param limit: units, zero or more; None for unlimited.
    :raises InvalidType: for a float, or what is no number.
    :raises InvalidValue: for a negative number.

    >>> remaining(30, 50), remaining(80, 50), remaining(999, None)
    (20, 0, None)
    """
    units, bound = parse_all((non_negative, used, "used"), (optional_non_negative, limit, "limit"))
    return None if bound is None else excess(bound, units)


def is_blocked(
    used: QuantityLike, limit: QuantityLike | None, comparison: Comparison = "inclusive"
) -> bool:
    """Say whether a hard limit lets nothing more be used.

    :param used: units, zero or more.
    :param limit: units, zero or more; None for unlimited, which never blocks.
    :param comparison: ``"inclusive"`` blocks as soon as usage equals the limit, ``"exclusive"``
        only when it is above it, so that the last use may pass it.
    :raises InvalidType: for a float, or what is no number.
    :raises InvalidValue: for a negative number, or another comparison.

    >>> is_blocked(50, 50), is_blocked(50, 50, "exclusive"), is_blocked(999, None)
    (True, False, False)
    """
    units, bound, rule = parse_all(
        (non_negative, used, "used"),
        (optional_non_negative, limit, "limit"),
        (_comparison, comparison, "comparison"),
    )
    if bound is None:
        return False
    return bool(units >= bound if rule == "inclusive" else units > bound)


def overage_cap(included: Iterable[QuantityLike], percent: QuantityLike) -> Quantity:
    """Return how many units may be overage at most, as a percentage of all that is included.

    :param included: what each of an org's plans includes, in units, zero or more.
    :param percent: per cent of all of it together, zero or more.
    :raises InvalidType: for a float, or what is no number.
    :raises InvalidValue: for a negative number, or if no quantity is that exactly.

    >>> overage_cap([100, 50], percent=120)
    180
    """
    parts, share = parse_all(
        (each(non_negative), included, "included"), (non_negative, percent, "percent")
    )
    units = sum(map(Fraction, parts), Fraction()) * Fraction(share) / 100
    return exact_quantity(units, "included x percent")


def strictest(limits: Iterable[tuple[QuantityLike, QuantityLike]]) -> int:
    """Return which of several limits allows the fewest units a day: its place, from 0.

    Limits over windows of different lengths can't be compared by their numbers alone.

    :param limits: (units, days of the window), zero or more and above zero; the first of equal
        ones counts. How many days a month has is for the caller to say.
    :raises InvalidType: for a float, or what is no number.
    :raises InvalidValue: for a number out of its range, or if there is no limit.

    >>> strictest([(100, 1), (2_000, 30)])
    1
    """
    found = each(_rate)(limits, "limits")
    if not found:
        raise InvalidValue("limits", (), "must hold one at least")
    return found.index(min(found))


def _rate(value: object, field: str) -> Fraction:
    units, days = unpacked(value, field, "units", "days")
    limit, window = parse_all((non_negative, units, f"{field}[0]"), (positive, days, f"{field}[1]"))
    return Fraction(limit) / Fraction(window)
