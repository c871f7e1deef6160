"""Recipes of names, times, currencies and money.

names, periods, money_recipes(st.just("USD"))
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from overages._ground.names import parse_name
from overages.amounts.money import Currency, Money
from overages.amounts.rounding import Rounding
from overages.errors import OveragesError
from overages.periods.cycle import Cycle
from overages.periods.period import Period
from overages.testing.recipe import Recipe, Spelled

Currencies = st.SearchStrategy[Currency] | st.SearchStrategy[str]
"""Currencies, or ISO 4217 codes."""


def or_usual(
    given: st.SearchStrategy[Any] | None, usual: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    """Return the strategy that a caller gave, if it gave one."""
    return usual if given is None else given


def _is_name(text: str) -> bool:
    try:
        return parse_name(text, "name") == text
    except OveragesError:
        return False


names: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(
        ["tokens", "runs", "<b>&seats</b>", "'; DROP TABLE x; --", "Größe", "トークン", "two words"]
    ),
    st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(_is_name),
)
metrics: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(["tokens", "runs", "seats", "<b>"]), names
)
orgs: st.SearchStrategy[str] = st.one_of(st.sampled_from(["org-1", "org-2"]), names)

offsets: st.SearchStrategy[timezone] = st.integers(-23 * 60, 23 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
_millennium = datetime(2000, 1, 1, tzinfo=UTC)
moments: st.SearchStrategy[datetime] = st.integers(-1998 * 365 * 86_400, 7998 * 365 * 86_400).map(
    lambda seconds: _millennium + timedelta(seconds=seconds, microseconds=seconds % 1_000_003)
)


def elsewhere(moment: datetime, zone: timezone) -> Spelled:
    """Return an instant as UTC has it, and as another timezone has it."""
    return Spelled(moment, moment.astimezone(zone))


instants: st.SearchStrategy[Spelled] = st.builds(elsewhere, moments, offsets)
months: st.SearchStrategy[Recipe[Period]] = st.builds(
    lambda year, month: Recipe(Period.month, (year, month)),
    st.integers(1, 9998),
    st.integers(1, 12),
)
own_currencies: st.SearchStrategy[Recipe[Currency]] = st.builds(
    lambda code, exponent: Recipe(Currency, (f"~{code}", exponent)),
    st.sampled_from(["credits", "points"]),
    st.integers(0, 12),
)
iso_currencies: st.SearchStrategy[Spelled] = st.sampled_from(
    ["JPY", "USD", "EUR", "KWD", "CLF", "DEM"]
).map(lambda code: Spelled(code, Recipe(Currency, (code,))))
currencies: st.SearchStrategy[Any] = iso_currencies | own_currencies
roundings: st.SearchStrategy[Spelled] = st.sampled_from(Rounding).map(
    lambda rounding: Spelled(rounding, rounding.value)
)
ordinals: st.SearchStrategy[int] = st.integers(1, 2**63 - 1) | st.integers(1, 3)
digests: st.SearchStrategy[str] = st.binary(min_size=32, max_size=32).map(bytes.hex)
minor_units: st.SearchStrategy[int] = st.integers(-(10**30), 10**30) | st.integers(-500, 500)


@st.composite
def period_recipes(draw: st.DrawFn) -> Recipe[Period]:
    """Return stretches of time, from seconds to centuries."""
    if draw(st.booleans()):
        return draw(months)
    first, last = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    return Recipe(Period, (elsewhere(first, draw(offsets)), elsewhere(last, draw(offsets))))


periods: st.SearchStrategy[Any] = period_recipes().map(Recipe.one)

timezones: st.SearchStrategy[str] = st.sampled_from(
    [
        *("UTC", "Europe/Paris", "America/New_York", "America/St_Johns", "Asia/Kathmandu"),
        *("Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "America/Juneau"),
    ]
)
units: st.SearchStrategy[str] = st.sampled_from(["hour", "day", "week", "month", "quarter", "year"])
cycle_recipes: st.SearchStrategy[Recipe[Cycle]] = st.builds(
    lambda anchor, every, unit, zone: Recipe(
        Cycle, (anchor,), {"every": every, "unit": unit, "timezone": zone}
    ),
    instants,
    st.integers(1, 40),
    units,
    timezones,
)


def money_recipes(unit: st.SearchStrategy[Any] = currencies) -> st.SearchStrategy[Recipe[Money]]:
    """Return amounts of money of any sign."""
    return st.builds(lambda minor, of: Recipe(Money, (minor, of)), minor_units, unit)
