"""Limits: how much of a metric is left, and whether a hard limit lets any more be used.

remaining(used=30, limit=50)                      # 20
is_blocked(used=50, limit=50)                     # True: the limit is used up
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from overages.exact import Quantity, QuantityLike, excess, non_negative, optional_non_negative
from overages.parsing import one_of, parse_all

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
