"""Recipes of rules that stand beside prices: conversions of units, fees on transactions.

conversion = draw(conversion_recipes).one()
"""

from __future__ import annotations

from hypothesis import strategies as st

from overages.prices.transactions import TransactionFee
from overages.terms.conversion import Conversion
from overages.testing.basics import roundings
from overages.testing.numerals import (
    flat_fees,
    in_parts,
    modest_numbers,
    non_negative_numbers,
    pers,
    positive_numbers,
    prices,
    sizes,
    small_wholes,
)
from overages.testing.recipe import Recipe, Spelled

conversion_recipes: st.SearchStrategy[Recipe[Conversion]] = st.builds(
    lambda *args: Recipe(Conversion, args),
    st.one_of(st.just(1), positive_numbers),
    pers,
    st.none() | sizes,
    small_wholes | non_negative_numbers,
    roundings,
)


@st.composite
def _fees(draw: st.DrawFn) -> Recipe[TransactionFee]:
    least, most = sorted([draw(flat_fees), draw(flat_fees)], key=lambda fee: in_parts(fee.second))
    named = {
        "free_events": draw(st.none() | st.integers(0, 4)),
        "free_amount": draw(st.none() | small_wholes | non_negative_numbers),
        "min_per_event": draw(st.none() | st.just(least)),
        "max_per_event": draw(st.none() | st.just(most)),
    }
    return Recipe(TransactionFee, (draw(prices), draw(flat_fees)), named)


transaction_fee_recipes: st.SearchStrategy[Recipe[TransactionFee]] = _fees()
transaction_amounts: st.SearchStrategy[list[Spelled]] = st.lists(
    st.one_of(small_wholes, modest_numbers, non_negative_numbers), max_size=6
)
