"""Strategies of price models, and of what they charge.

price = draw(prices())
"""

from __future__ import annotations

from hypothesis import strategies as st

from overages.prices.exchange import Exchanged
from overages.prices.models import Graduated, Package, Percentage, PerUnit, PriceModel, Volume
from overages.prices.tier import Charge, Tier, TierCharge
from overages.prices.transactions import TransactionFee
from overages.terms.conversion import Conversion
from overages.testing.pricing import our_price_recipes
from overages.testing.recipe import Recipe
from overages.testing.recipes import values_of


def prices() -> st.SearchStrategy[PriceModel]:
    """Return price models of every class of the library."""
    return our_price_recipes.map(Recipe.one)


def unit_prices() -> st.SearchStrategy[PerUnit]:
    """Return prices per unit, or per so many units."""
    return values_of(PerUnit)


def package_prices() -> st.SearchStrategy[Package]:
    """Return prices of packages, started or completed."""
    return values_of(Package)


def percentages() -> st.SearchStrategy[Percentage]:
    """Return percentages of an amount."""
    return values_of(Percentage)


def graduated_prices() -> st.SearchStrategy[Graduated]:
    """Return graduated tables of one to four tiers."""
    return values_of(Graduated)


def volume_prices() -> st.SearchStrategy[Volume]:
    """Return volume tables of one to four tiers."""
    return values_of(Volume)


def exchanged_prices() -> st.SearchStrategy[Exchanged]:
    """Return prices in another unit than the currency, with the rate between the two."""
    return values_of(Exchanged)


def tiers() -> st.SearchStrategy[Tier]:
    """Return rows of price tables, by the unit or by the package."""
    return values_of(Tier)


def tier_charges() -> st.SearchStrategy[TierCharge]:
    """Return charges of one tier."""
    return values_of(TierCharge)


def charges() -> st.SearchStrategy[Charge]:
    """Return charges, as price models make them and put together by hand."""
    return values_of(Charge)


def conversions() -> st.SearchStrategy[Conversion]:
    """Return rules of how what is used becomes units, with and without increments."""
    return values_of(Conversion)


def transaction_fees() -> st.SearchStrategy[TransactionFee]:
    """Return fees on transactions, with and without allowances and bounds."""
    return values_of(TransactionFee)
