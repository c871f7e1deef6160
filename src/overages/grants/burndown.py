"""Burndowns: what was drawn on which grant, what is left of each, and what none of them covered.

    burndown = burn_down(grants, usage, metric="tokens", start=period.start, end=period.end)
    burndown.balances["top-up"]                       # what is left of a grant
    burndown.overage                                  # what no grant covered
    burn_down(grants, later, start=burndown.closed(), end=...)

Its numbers are in units of the metric or, for money, in major units of the currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from attrs import evolve, frozen

from overages._ground.names import optional_name, parse_name
from overages._ground.parsing import optional, parse_all, tuple_of
from overages._ground.trusted import trusted
from overages.amounts.exact import (
    Quantity,
    add_up,
    parse_non_negative_sum,
    parse_sum,
    scaled,
    unscaled,
)
from overages.amounts.money import Currency, parse_currency
from overages.errors import Field, InvalidValue
from overages.periods.period import parse_instant


@frozen(init=False, weakref_slot=False)
class Draw:
    """What was drawn on one grant at one instant, and what of it wasn't given back.

    :param grant_id: the grant.
    :param at: when, timezone-aware; kept in UTC.
    :param quantity: how much was drawn, above zero.
    :param covered: how much usage that covered: less than `quantity` where a grant is drawn on in
        started steps, else the same, which None means.
    :raises InvalidValue: if more was covered than drawn, or for another value that isn't allowed.

    >>> from datetime import UTC, datetime
    >>> Draw("minutes", datetime(2024, 1, 1, tzinfo=UTC), 60, covered=10).covered
    10
    """

    grant_id: str
    at: datetime
    quantity: Quantity
    covered: Quantity

    def __init__(
        self,
        grant_id: str,
        at: datetime,
        quantity: Quantity,
        covered: Quantity | None = None,
    ) -> None:
        grant, moment, drawn, used = parse_all(
            (parse_name, grant_id, "grant_id"),
            (parse_instant, at, "at"),
            (_above_zero, quantity, "quantity"),
            (optional(_above_zero), covered, "covered"),
        )
        if used is None:
            used = drawn
        if used > drawn:
            raise InvalidValue("covered", covered, f"must not be above the quantity, {drawn}")
        self.__attrs_init__(grant, moment, drawn, used)


new_draw: Final = trusted(Draw)


@frozen(init=False, weakref_slot=False)
class GrantBalance:
    """What became of a grant since it was first seen.

    Always, ``granted = drawn + expired + voided + left``.

    :param grant_id: the grant.
    :param granted: its amount, with all refills and what resets topped up.
    :param drawn: what usage has drawn and not given back.
    :param expired: what was left when it expired, or was dropped by a refill or a reset; and what
        was given back after that.
    :param voided: what was left when it was voided.
    :param filled_at: when it was last filled or reset, timezone-aware; kept in UTC.
    :raises InvalidValue: if more is gone than was granted, or for another value that isn't allowed.

    >>> from datetime import UTC, datetime
    >>> GrantBalance("g1", 100, 30, filled_at=datetime(2024, 1, 1, tzinfo=UTC)).left
    70
    """

    grant_id: str
    granted: Quantity
    drawn: Quantity
    expired: Quantity
    voided: Quantity
    filled_at: datetime

    def __init__(
        self,
        grant_id: str,
        granted: Quantity,
        drawn: Quantity = 0,
        expired: Quantity = 0,
        voided: Quantity = 0,
        *,
        filled_at: datetime,
    ) -> None:
        values = parse_all(
            (parse_name, grant_id, "grant_id"),
            (parse_non_negative_sum, granted, "granted"),
            (parse_non_negative_sum, drawn, "drawn"),
            (parse_non_negative_sum, expired, "expired"),
            (parse_non_negative_sum, voided, "voided"),
            (parse_instant, filled_at, "filled_at"),
        )
        self.__attrs_init__(*values)
        if self.left < 0:
            problem = "must be at least what was drawn, expired and voided"
            raise InvalidValue("granted", granted, problem)

    @property
    def left(self) -> Quantity:
        """What can still be drawn; never negative."""
        gone = scaled(self.drawn) + scaled(self.expired) + scaled(self.voided)
        return unscaled(scaled(self.granted) - gone)


new_balance: Final = trusted(GrantBalance)


@frozen(init=False, weakref_slot=False)
class Burndown:
    """How grants stand at an instant, and how they came to: what to report, and to go on from.

    For each grant and for all of them, ``granted = drawn + expired + voided + left``. What no
    grant covered is `overage`, a number of its own: no balance is ever negative.

    :param at: the instant, timezone-aware; kept in UTC. What ends, refills or begins at it has
        done so; what is used at it isn't counted yet.
    :param metric: what the units are of, or what the money may pay for; None for anything.
    :param currency: the currency of money, or its code; None for units of a metric.
    :param accounts: a `GrantBalance` for each grant that was effective; kept sorted by id.
    :param overage: what no grant covered.
    :param settled: overage that a reset has closed (see `burn_down`): owed, but no longer repaid.
    :param unreturned: negative usage beyond all that could be given back.
    :param draws: what drew on what, in order of time, with nothing of what was given back.
    :raises InvalidType: for a value of a wrong type.
    :raises InvalidValue: for a value that is not allowed, such as draws of more than was drawn on
        their grant; `InvalidValues` for several.
    """

    at: datetime
    metric: str | None
    currency: Currency | None
    accounts: tuple[GrantBalance, ...]
    overage: Quantity
    settled: Quantity
    unreturned: Quantity
    draws: tuple[Draw, ...]

    def __init__(
        self,
        at: datetime,
        metric: str | None = None,
        currency: Currency | str | None = None,
        accounts: Iterable[GrantBalance] = (),
        overage: Quantity = 0,
        settled: Quantity = 0,
        unreturned: Quantity = 0,
        draws: Iterable[Draw] = (),
    ) -> None:
        values = parse_all(
            (parse_instant, at, "at"),
            (optional_name, metric, "metric"),
            (optional(parse_currency), currency, "currency"),
            (_accounts, accounts, "accounts"),
            (parse_non_negative_sum, overage, "overage"),
            (parse_non_negative_sum, settled, "settled"),
            (parse_non_negative_sum, unreturned, "unreturned"),
            (tuple_of(Draw), draws, "draws"),
        )
        if values[1] is None and values[2] is None:
            raise InvalidValue("metric", None, "must be given, or a currency, or both")
        self.__attrs_init__(*values)
        _check_draws(self)

    @property
    def balances(self) -> Mapping[str, Quantity]:
        """What is left of each grant that was effective, by id; can be read only."""
        return MappingProxyType({account.grant_id: account.left for account in self.accounts})

    @property
    def granted(self) -> Quantity:
        """All that was granted, since each grant was first seen."""
        return add_up(account.granted for account in self.accounts)

    @property
    def drawn(self) -> Quantity:
        """All that was drawn on grants and not given back, since each was first seen."""
        return add_up(account.drawn for account in self.accounts)

    @property
    def expired(self) -> Quantity:
        """All that was lost as grants expired, were refilled or reset."""
        return add_up(account.expired for account in self.accounts)

    @property
    def voided(self) -> Quantity:
        """All that was lost as grants were voided."""
        return add_up(account.voided for account in self.accounts)

    @property
    def left(self) -> Quantity:
        """All that can still be drawn."""
        return add_up(account.left for account in self.accounts)

    @property
    def covered(self) -> Quantity:
        """How much usage the draws cover: those since it was last closed."""
        return add_up(draw.covered for draw in self.draws)

    def closed(self) -> Burndown:
        """Return what the next period goes on from, once this one is billed.

        Balances stay. Draws and overage are in the bill: they start anew, and what is given back
        later reaches no draw of before.

        >>> from datetime import UTC, datetime
        >>> Burndown(datetime(2024, 2, 1, tzinfo=UTC), "tokens", overage=20).closed().overage
        0
        """
        return evolve(self, overage=0, settled=0, unreturned=0, draws=())


new_burndown: Final = trusted(Burndown)


def _check_draws(burndown: Burndown) -> None:
    """Refuse draws that the accounts don't have, or that aren't in order of time."""
    drawn = {account.grant_id: scaled(account.drawn) for account in burndown.accounts}
    earliest = None
    for i, draw in enumerate(burndown.draws):
        drawn[draw.grant_id] = drawn.get(draw.grant_id, 0) - scaled(draw.quantity)
        if drawn[draw.grant_id] < 0:
            problem = "must be among what the accounts say was drawn"
            raise InvalidValue(("draws", i), draw, problem)
        if draw.at > burndown.at or (earliest is not None and draw.at < earliest):
            raise InvalidValue(("draws", i, "at"), draw.at, "must be in order, and not after at")
        earliest = draw.at


def _above_zero(value: object, field: Field) -> Quantity:
    number = parse_sum(value, field)
    if number <= 0:
        raise InvalidValue(field, value, "must be more than zero")
    return number


def _accounts(value: object, field: Field) -> tuple[GrantBalance, ...]:
    found = sorted(tuple_of(GrantBalance)(value, field), key=lambda account: account.grant_id)
    ids = [account.grant_id for account in found]
    if len(set(ids)) < len(ids):
        raise InvalidValue(field, ids, "must name each grant once")
    return tuple(found)
