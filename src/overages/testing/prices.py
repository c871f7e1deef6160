"""Price models, and quantities at or beside the points where their cost turns.

The last unit of a tier, the first of the next package, the unit that brings a tier to its maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy as Strategy

from overages.amounts.exact import SCALE, Quantity, scaled, unscaled
from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, PriceModel, Volume
from overages.prices.registry import PRICE_MODELS
from overages.prices.tier import Tier
from overages.testing import quantities as numbers
from overages.testing.fields import BY_CLASS, Arguments, arguments, made, values


def one_unit(named: Arguments) -> Arguments:
    """Leave out how many units a tier's price buys, where it is for packages."""
    return {key: named[key] for key in named if key != "per" or named.get("size") is None}


_rows = arguments(Tier, up_to=None).map(one_unit)


@st.composite
def tables(draw: st.DrawFn, bounds: Strategy[Any] = numbers.positive) -> list[Tier]:
    """Return one to four tiers: bounds rise, and the last has none."""
    rising = sorted(draw(st.lists(bounds, max_size=3, unique=True)))
    return [Tier(up_to, **draw(_rows)) for up_to in [*rising, None]]


BY_CLASS[Tier] = made(Tier, mend=one_unit)
BY_CLASS[Graduated] = made(Graduated, tiers=tables())
BY_CLASS[Volume] = made(Volume, tiers=tables())
_in_currency = [values(kind) for kind in PRICE_MODELS if kind is not Exchanged]
BY_CLASS[Exchanged] = made(Exchanged, price=st.one_of(_in_currency))
BY_CLASS[PriceModel] = st.one_of(*_in_currency, values(Exchanged))
ANY_PRICE: Final[Strategy[PriceModel]] = values(PriceModel)  # type: ignore[type-abstract]


def turning_points(model: PriceModel) -> list[Quantity]:
    """Return the quantities at which the cost of a price model turns.

    They are zero, bounds, ends of packages, and where a tier comes to its maximum.
    """
    if isinstance(model, Exchanged):
        return turning_points(model.price)
    tiers: Sequence[Any] = getattr(model, "tiers", ())
    bounds = [0, *(tier.up_to for tier in tiers if tier.up_to is not None)]
    sizes = [each.size for each in (model, *tiers) if getattr(each, "size", None) is not None]
    caps = [
        _sum(bound, _units_to_maximum(tier)) for tier, bound in zip(tiers, bounds, strict=False)
    ]
    return [*bounds, *caps, *(unscaled(n * scaled(size)) for size in sizes for n in (1, 3))]


def _units_to_maximum(tier: Tier) -> Quantity:
    """Return the units of a tier that cost its maximum, to the part of a unit below; or none."""
    if tier.maximum is None or not tier.price:
        return 0
    each = Fraction(tier.per if tier.size is None else tier.size) / Fraction(tier.price)
    units = (Fraction(tier.maximum) - Fraction(tier.flat)) * each
    return unscaled(max(0, int(units * SCALE)))


def _sum(*quantities: Quantity) -> Quantity:
    return unscaled(min(numbers.LARGEST, max(0, sum(map(scaled, quantities)))))


_steps = [unscaled(parts) for parts in (0, SCALE, -SCALE, SCALE // 2, 1, -1)]
_choices = st.integers(0, 99)


@st.composite
def quantities_at(draw: st.DrawFn, model: PriceModel, included: Quantity | None = 0) -> Quantity:
    """Return a quantity, as often as not at or beside a point where the cost turns.

    :param included: units that cost nothing, which come before the first that is priced.
    """
    if not draw(st.booleans()):
        return draw(numbers.quantities)
    points = turning_points(model)
    point = points[draw(_choices) % len(points)]
    return _sum(point, included or 0, _steps[draw(_choices) % len(_steps)])
