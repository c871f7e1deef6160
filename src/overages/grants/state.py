"""The state of a grant: how much of it is drawn, expired, voided, and left.

    GrantState("top-up", granted=100, drawn=30, filled_at=paid).left      # 70
    Draw("top-up", at=used, quantity=30)

Numbers are in units of the metric or, for money, in major units of the currency.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from overages._ground.names import parse_name
from overages._ground.parsing import Problems, optional
from overages._ground.trusted import trusted
from overages._ground.value import term, value
from overages.amounts.exact import (
    Quantity,
    parse_non_negative_sum,
    parse_positive_sum,
    scaled,
    unscaled,
)
from overages.errors import InvalidValue
from overages.periods.period import parse_instant


@value
class Draw:
    """Units drawn on one grant at one instant, less those that were given back.

    :param grant_id: the grant.
    :param at: when, timezone-aware; kept in UTC.
    :param quantity: units (or money) that were drawn, above zero.
    :param covered: usage that they paid for: less than `quantity` where a grant is drawn on in
        started steps, else the same, which None means.
    :raises InvalidValue: if more was covered than drawn, or for another value that isn't allowed.

    >>> from datetime import UTC, datetime
    >>> Draw("minutes", datetime(2024, 1, 1, tzinfo=UTC), 60, covered=10).covered
    10
    """

    grant_id: str = term(parse_name)
    at: datetime = term(parse_instant)
    quantity: Quantity = term(parse_positive_sum)
    covered: Quantity = term(optional(parse_positive_sum), otherwise=lambda draw: draw.quantity)

    def __init__(
        self, grant_id: str, at: datetime, quantity: Quantity, covered: Quantity | None = None
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.covered > self.quantity:
            problem = f"must not be above the quantity, {self.quantity}"
            problems.add(InvalidValue("covered", self.covered, problem))


@value
class GrantState:
    """The units of a grant since it was first seen: drawn, expired, voided, and left.

    Always, ``granted = drawn + expired + voided + left``.

    :param grant_id: the grant.
    :param granted: its amount, with all refills.
    :param drawn: units that usage has drawn and not given back.
    :param expired: units left when it expired, or dropped by a refill; and those that were given
        back after that.
    :param voided: units left when it was voided.
    :param filled_at: when it was last filled, timezone-aware; kept in UTC.
    :raises InvalidValue: if more is gone than was granted, or for another value that isn't allowed.

    >>> from datetime import UTC, datetime
    >>> GrantState("g1", 100, 30, filled_at=datetime(2024, 1, 1, tzinfo=UTC)).left
    70
    """

    grant_id: str = term(parse_name)
    granted: Quantity = term(parse_non_negative_sum)
    drawn: Quantity = term(parse_non_negative_sum)
    expired: Quantity = term(parse_non_negative_sum)
    voided: Quantity = term(parse_non_negative_sum)
    filled_at: datetime = term(parse_instant)

    def __init__(
        self,
        grant_id: str,
        granted: Quantity,
        drawn: Quantity = 0,
        expired: Quantity = 0,
        voided: Quantity = 0,
        *,
        filled_at: datetime,
    ) -> None: ...

    def _check(self, problems: Problems) -> None:
        if self.left < 0:
            problem = "must be at least the sum of drawn, expired and voided"
            problems.add(InvalidValue("granted", self.granted, problem))

    @property
    def left(self) -> Quantity:
        """The units that can still be drawn; never negative."""
        gone = scaled(self.drawn) + scaled(self.expired) + scaled(self.voided)
        return unscaled(scaled(self.granted) - gone)


new_draw: Final = trusted(Draw)
new_state: Final = trusted(GrantState)
"""Make a draw, and a state, of what drawing on a grant has come to: it keeps their sums."""
