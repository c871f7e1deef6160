"""Prorated prices: the price of a part of a billing period.

A plan's tiers and fees are for a whole period. In a part of one, a flow (tokens) and a level
(seats) are prorated in two ways:

    flow: a share of its bounds and fees     level: a share of its charge
    up to 10 at 2.00, then 1.00 + 5.00 flat  15.00 a seat
    in 11 of 31 days: up to 4 (10 x 11/31 = 3.55), then 1.00 + 1.77 flat (5 x 11/31, exactly)
                                             in 11 of 31 days: 15.00 x 11/31 a seat, exactly

for tokens are used up, and a part has its part of them, while a seat is held all the time. Prices
of units and of packages stay as they are for a flow. A table of a host's own isn't known, so it
isn't prorated for a flow.

A tier is at least one increment wide, that of the allowance's rounding, or all of its own width
where that is less: 10 x 1/31 are no units, and a tier that was left out would take its flat fee
with it. Its bound is 1.

    price = prorated(Graduated(tiers), share, round_bound, increment)
    price = for_a_share_of_time(PerUnit("15.00"), share)
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from overages._ground.value import evolve
from overages.amounts.exact import Quantity, add_up, excess, number_from_ratio
from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, PerUnit, PriceModel, Volume
from overages.prices.tier import Fee, Tier


def prorated(
    price: PriceModel,
    share: Fraction,
    round_bound: Callable[[Fraction], Quantity],
    increment: Quantity,
) -> PriceModel:
    """Return the price of a flow in a part of a period: its bounds and fees are shared out.

    :param share: the part's share of the period.
    :param round_bound: rounds a share of a bound, in units, as the allowance rounds quantities.
    :param increment: the step that it rounds to, in units: the least width of a tier, unless the
        tier itself is narrower.

    >>> price = Graduated([Tier(10, price="2"), Tier(None, price="1", flat="31")])
    >>> print(prorated(price, Fraction(11, 31), round, 1).explain())
    graduated:
    up to 4: 2
    above 4: 1 + 11 flat
    """
    if isinstance(price, Exchanged):
        return evolve(price, price=prorated(price.price, share, round_bound, increment))
    if not isinstance(price, Graduated | Volume):
        return price
    tiers: list[Tier] = []
    above: Quantity = 0  # where the tier begins in a whole period
    below: Quantity = 0  # and in the part
    for tier in price.tiers:
        up_to = tier.up_to
        if up_to is not None:
            least = add_up([below, min(increment, excess(up_to, above))])
            above, below = up_to, max(least, round_bound(Fraction(up_to) * share))
            up_to = below
        most = None if tier.maximum is None else _share_of(tier.maximum, share)
        tiers.append(evolve(tier, up_to=up_to, flat=_share_of(tier.flat, share), maximum=most))
    return evolve(price, tiers=tiers)


def for_a_share_of_time(price: PriceModel, share: Fraction) -> PriceModel:
    """Return the price of a level that is held for a share of a period: that share of its charge.

    >>> from overages import PerUnit
    >>> price = for_a_share_of_time(PerUnit(15), Fraction(11, 31))
    >>> price.charge(2).exact_cost == Fraction(330, 31)
    True
    """
    if not share:  # two changes on one day have none of it between them; no rate is zero
        return PerUnit(0)
    rate, per = share.as_integer_ratio()
    if isinstance(price, Exchanged):
        exact = Fraction(price.rate) / Fraction(price.per) * share
        price, (rate, per) = price.price, exact.as_integer_ratio()
    return Exchanged(price, rate, per)


def _share_of(amount: Fee, share: Fraction) -> Fee:
    return number_from_ratio(*(Fraction(amount) * share).as_integer_ratio())
