"""Expected bars: a bar for each metric of a projection: used, expected, and between which ends.

expected_chart("Projection for acme", [ExpectedBar("runs", 75, 110, 108, 114, limit=50)])
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from overages._ground.plots import Meter, meters
from overages._ground.svg import Svg, parse_look
from overages.amounts.exact import Quantity, plain_text


class ExpectedBar(NamedTuple):
    """The units of a metric: used, expected, low, high, and its limit; None where not known."""

    metric: str
    used: Quantity
    expected: Quantity | None
    low: Quantity | None
    high: Quantity | None
    limit: Quantity | None

    @property
    def text(self) -> str:
        """The numbers in words."""
        told = f"{plain_text(self.used)} so far"
        if self.expected is not None:
            told += f", {plain_text(self.expected)} expected"
        if self.low is not None and self.high is not None:
            told += f" ({plain_text(self.low)} to {plain_text(self.high)})"
        return told if self.limit is None else f"{told}; limit {plain_text(self.limit)}"

    def meter(self) -> Meter:
        """Return the bar, whose scale is the largest of its numbers."""
        used = Fraction(self.used)
        ahead = max(
            Fraction(self.used if self.expected is None else self.expected) - used, Fraction(0)
        )
        ends = None
        if self.low is not None and self.high is not None:
            ends = Fraction(self.low), Fraction(self.high)
        limit = None if self.limit is None else Fraction(self.limit)
        full = max(used + ahead, *(ends or ()), limit or Fraction(0))
        return Meter(self.metric, self.text, [(used, 1), (ahead, 3)], full, limit, ends)


def expected_chart(
    title: str, bars: Sequence[ExpectedBar], bill: str, *, width: int, styled: bool
) -> Svg:
    """Draw the bars of a projection.

    :param bill: the amounts of the bill in words.
    """
    width, styled = parse_look(width, styled)
    told = [f"{bar.metric}: {bar.text}" for bar in bars]
    description = f"{'; '.join([*told, bill])}."
    names = [("so far", 1), ("expected", 3)]
    drawn = [bar.meter() for bar in bars]
    return meters(title, description, drawn, names, width=width, styled=styled)
