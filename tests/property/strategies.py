"""Strategies of this project's own tests: its users' ones, and a price model of a host's.

What ends in ``_recipes`` gives a `Recipe`, whose parts are spelled in two ways each; the others
give values. Decimal contexts are in `contexts`.

    @given(plan_recipes())
    def test_...(recipe: Recipe[Plan]) -> None: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import strategies as st

from overages import (
    Allowance,
    Graduated,
    Overage,
    Package,
    Plan,
    Statement,
    Tier,
    TierCharge,
    UsageEvent,
    Volume,
)
from overages.amounts.exact import parse_quantity
from overages.prices.tier import Charge
from overages.testing import billing
from overages.testing.basics import (
    currencies,
    cycle_recipes,
    digests,
    elsewhere,
    iso_currencies,
    metrics,
    minor_units,
    moments,
    money_recipes,
    names,
    offsets,
    own_currencies,
    periods,
    roundings,
    timezones,
    units,
)
from overages.testing.billing import Case, quantity_maps
from overages.testing.numerals import UNIT, counts, prices, signed_numbers, whole_sizes
from overages.testing.pricing import (
    our_price_recipes,
    per_unit_recipes,
    percentage_recipes,
    priced_quantities,
    quantities_at,
    table_recipes,
    tiered,
    turning_points,
)
from overages.testing.recipe import Recipe, Spelled
from overages.testing.recipes import (
    OUR_RECIPES,
    metric_total_recipes,
    record_recipes,
    summary_recipes,
)

__all__ = [
    "VALUE_RECIPES",
    "Case",
    "Pairs",
    "cases",
    "currencies",
    "cycle_recipes",
    "digests",
    "event_lists",
    "iso_currencies",
    "metric_total_recipes",
    "metrics",
    "minor_units",
    "moments",
    "money_recipes",
    "names",
    "our_price_recipes",
    "own_currencies",
    "periods",
    "plan_recipes",
    "price_recipes",
    "priced_quantities",
    "quantities_at",
    "quantity_maps",
    "record_recipes",
    "roundings",
    "statement_recipes",
    "summary_recipes",
    "table_recipes",
    "timezones",
    "turning_points",
    "units",
    "whole_price_recipes",
]


@dataclass(frozen=True)
class Pairs:
    """A price model of a host's own, without anything of ours but what it returns."""

    price: int | Decimal
    size: int = 2
    count: str = "started"

    def charge(self, quantity: Any, /) -> Charge:
        """Charge every started pair of units."""
        return Charge([TierCharge(Tier(None, self.price, size=2), quantity)] if quantity else [])


price_recipes: st.SearchStrategy[Recipe[Any]] = st.one_of(
    our_price_recipes,
    prices.map(lambda price: Recipe(Pairs, (parse_quantity(price.first, "price"),))),
)


@st.composite
def _whole_tables(draw: st.DrawFn) -> list[Recipe[Tier]]:
    table = draw(table_recipes(bounds=st.integers(1, 30).map(lambda n: n * UNIT)))
    named = [
        {**t.named, "size": draw(whole_sizes)} if "size" in t.named else t.named for t in table
    ]
    return [Recipe(t.make, t.args, n) for t, n in zip(table, named, strict=True)]


whole_price_recipes: st.SearchStrategy[Recipe[Any]] = st.one_of(
    per_unit_recipes,
    percentage_recipes,
    st.builds(
        lambda price, size, count: Recipe(Package, (price, size), {"count": count}),
        prices,
        whole_sizes,
        counts,
    ),
    tiered(Graduated, _whole_tables()),
    tiered(Volume, _whole_tables()),
)
"""Prices whose bounds and packages are whole, so that units can be counted one by one."""


def plan_recipes(
    unit: st.SearchStrategy[Any] = currencies,
    scopes: Sequence[str] = ("line", "total"),
    *,
    plain: bool = False,
    converting: bool = True,
) -> st.SearchStrategy[Recipe[Plan]]:
    """Return plans of none to four metrics, in any currency and by any rounding.

    :param plain: whether they are to have no terms but what is included, and prices.
    :param converting: whether what is used may be converted.
    """
    return billing.plan_recipes(unit, scopes, price_recipes, plain=plain, converting=converting)


def cases(
    plans: st.SearchStrategy[Recipe[Plan]] | None = None,
) -> st.SearchStrategy[Case]:
    """Return plans, usage of some of their metrics, and limits of an org's own for some."""
    return billing.cases(plan_recipes() if plans is None else plans)


statement_recipes = cases().map(lambda case: case.statement)

VALUE_RECIPES: Final[dict[type, st.SearchStrategy[Recipe[Any]]]] = {
    **OUR_RECIPES,
    Allowance: billing.allowance_recipes(price_recipes),
    Overage: billing.overage_recipes(price_recipes),
    Plan: plan_recipes(),
    Statement: statement_recipes,
}
"""How each value is made; a new value needs a line in `OUR_RECIPES`, and all laws then hold it."""


@st.composite
def event_lists(
    draw: st.DrawFn,
    org_ids: Sequence[str] = ("org-1", "org-2"),
    ids: Sequence[str | None] = (None, None, "evt-1", "evt-2", "evt-3"),
    quantities: st.SearchStrategy[Spelled] = signed_numbers,
) -> list[UsageEvent]:
    """Return events in any order, without conflicts; what has an id may come more than once."""
    content = st.tuples(st.sampled_from(["tokens", "runs"]), quantities, _near_a_month_end)
    found: list[UsageEvent] = []
    for org_id in org_ids:
        known = {event_id: draw(content) for event_id in ids if event_id is not None}
        for event_id in draw(st.lists(st.sampled_from(ids), max_size=6)):
            what = draw(content) if event_id is None else known[event_id]
            event = Recipe(UsageEvent, (org_id, *what, event_id))
            found.append(event.other() if draw(st.booleans()) else event.one())
    return list(draw(st.permutations(found)))


_month_ends = [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3)]
_near_a_month_end = st.builds(
    lambda end, seconds, micro, zone: elsewhere(
        end + timedelta(seconds=seconds, microseconds=micro), zone
    ),
    st.sampled_from(_month_ends),
    st.sampled_from([-86_400, -1, 0, 0, 1, 86_400]),
    st.sampled_from([-1, 0, 0, 1]),
    offsets,
)


def each_value(*without: type) -> pytest.MarkDecorator:
    """Run a test for each kind of value, except some of them."""
    kinds = [pytest.param(kind, id=kind.__name__) for kind in VALUE_RECIPES if kind not in without]
    return pytest.mark.parametrize("kind", kinds)
