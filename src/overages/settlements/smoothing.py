"""Smoothing: overage over a window of several periods, so that a low one makes up for a high one.

The window's allowance is that of all its periods together, from its first day:

    months = [700, 200, 333, 1000, 600, 900]
    smoothed_overage(months, included=500, periods=3)         # (0, 0, 0, 0, 100, 900)
    smoothed_overage(months, 6_000, 12, included_per="window")  # an annual allowance, by the month
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from overages._ground.parsing import each, int_up_to, one_of, parse_all
from overages.amounts.exact import Quantity, QuantityLike, non_negative, scaled, unscaled

Billing: TypeAlias = Literal["as_it_occurs", "at_window_end"]
"""In which period a window's overage is due: that in which it arose, or the window's last."""

Window: TypeAlias = Literal["fixed", "rolling"]
"""Where a window begins that follows one without overage: after its end, or a period later."""

IncludedPer: TypeAlias = Literal["period", "window"]
"""What the included quantity is of."""

_MOST: Final = 1_000_000  # periods; a million hours are a century, more is a mistake


def smoothed_overage(
    used: Iterable[QuantityLike],
    included: QuantityLike,
    periods: int,
    *,
    billing: Billing = "as_it_occurs",
    window: Window = "fixed",
    included_per: IncludedPer = "period",
) -> tuple[Quantity, ...]:
    """Return the overage of each of some periods, where usage is compared over windows of them.

    The first window begins with the first period. A window has overage as far as what was used
    since its beginning is more than the whole of its allowance. What a later period uses doesn't
    change what an earlier one owes; usage is in one window with overage only, so charged once.

    :param used: units used in each period, zero or more, from the first period of a window on.
    :param included: units included, zero or more.
    :param periods: how many periods a window has, from 1 to 1,000,000.
    :param billing: ``"as_it_occurs"``: overage is due in the period in which it arises;
        ``"at_window_end"``: all of a window's in its last period, and none in a window that hasn't
        come to its end.
    :param window: ``"fixed"``: windows follow each other. ``"rolling"``: the same after a window
        with overage, at whose end counting begins anew; but where a window ends without overage, it
        moves on by one period, so that it is the last `periods` periods.
    :param included_per: whether `included` is of each ``"period"``, so that a window has `periods`
        times as much, or of the ``"window"``, as an annual allowance is that is drawn monthly.
    :returns: units for each period, in the order of `used`.
    :raises InvalidType: for a value of a wrong type, such as a float.
    :raises InvalidValue: for a value that is not allowed; `InvalidValues` for several.

    Source: the rolling window at the window's end is that of Zuora's overage smoothing.

    >>> smoothed_overage([700, 200, 333, 1000, 600, 900], included=500, periods=3)
    (0, 0, 0, 0, 100, 900)
    >>> smoothed_overage([700, 200, 333, 1000], 500, 3, billing="at_window_end", window="rolling")
    (0, 0, 0, 33)
    """
    quantities, units, count, due, kind, per = parse_all(
        (each(non_negative), used, "used"),
        (non_negative, included, "included"),
        (int_up_to(_MOST), periods, "periods"),
        (one_of("as_it_occurs", "at_window_end"), billing, "billing"),
        (one_of("fixed", "rolling"), window, "window"),
        (one_of("period", "window"), included_per, "included_per"),
    )
    allowed = scaled(units) * (count if per == "period" else 1)
    found = []
    current: deque[int] = deque()
    total = charged = 0  # of the current window
    for quantity in quantities:
        current.append(scaled(quantity))
        total += current[-1]
        ends = len(current) == count
        owed = max(0, total - allowed) - charged if ends or due == "as_it_occurs" else 0
        charged += owed
        found.append(unscaled(owed))
        if ends and kind == "rolling" and not charged:
            total -= current.popleft()
        elif ends:
            current.clear()
            total = charged = 0
    return tuple(found)
