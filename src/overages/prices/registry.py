"""The library's price models, in one list, by which prices are read, written and drawn."""

from __future__ import annotations

from typing import Final

from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume

PRICE_MODELS: Final[tuple[type[PriceModel], ...]] = (
    PerUnit,
    Package,
    Graduated,
    Volume,
    Percentage,
    Exchanged,
)
