"""Recipes of usage events, and of how metrics are worked out of them.

event_recipes, metric_recipes, increment_recipes
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from overages.testing.basics import instants, metrics, names, orgs, roundings
from overages.testing.billing import reordered
from overages.testing.numerals import (
    exact_amounts,
    non_negative_numbers,
    positive_numbers,
    signed_numbers,
)
from overages.testing.recipe import Recipe, Spelled
from overages.usage.event import UsageEvent
from overages.usage.increment import Increment
from overages.usage.metric import Metric

_dimensions = st.sampled_from(["region", "model"]) | names

event_recipes: st.SearchStrategy[Recipe[UsageEvent]] = st.builds(
    lambda org, metric, quantity, at, event_id, dimensions: Recipe(
        UsageEvent,
        (org, metric, quantity, at),
        {"id": event_id, "dimensions": reordered(dimensions)},
    ),
    orgs,
    metrics,
    signed_numbers,
    instants,
    st.none() | names,
    st.dictionaries(_dimensions, names, max_size=3),
)

increment_recipes: st.SearchStrategy[Recipe[Increment]] = st.builds(
    lambda step, first, rounding: Recipe(
        Increment, (step,), {"first": first, "rounding": rounding}
    ),
    positive_numbers,
    non_negative_numbers,
    roundings,
)


@st.composite
def metric_recipes(draw: st.DrawFn) -> Recipe[Metric]:
    """Return metrics of every aggregation, with and without conditions and increments."""
    aggregation, reports = draw(st.sampled_from(_WAYS))
    named: dict[str, Any] = {"reports": reports, "factor": draw(_factors)}
    if draw(st.booleans()):
        wanted = draw(st.dictionaries(_dimensions, st.lists(names, min_size=1, max_size=3)))
        named["where"] = reordered({key: _in_any_order(values) for key, values in wanted.items()})
    if aggregation == "unique":
        named["distinct"] = draw(_dimensions)
    if draw(st.booleans()):
        named["increment"] = draw(increment_recipes | positive_numbers.map(_plain_increment))
        scopes = ["total", "event"] if aggregation == "sum" else ["total"]
        named["increment_scope"] = draw(st.sampled_from(scopes))
    name = draw(metrics)
    if "where" in named or draw(st.booleans()):
        named["event"] = draw(metrics.filter(lambda event: event != name))
    return Recipe(Metric, (name, aggregation), named)


_WAYS = [
    ("sum", Spelled(None, "amount")),
    ("count", Spelled(None, "amount")),
    ("unique", Spelled(None, "amount")),
    *(("max", reports) for reports in (Spelled(None, "amount"), "level", "change")),
    *(("last", reports) for reports in (Spelled(None, "amount"), "level", "change")),
    *(("time_weighted", reports) for reports in (Spelled(None, "level"), "change")),
]
_factors = st.one_of(st.just(1), positive_numbers, exact_amounts.filter(lambda one: one.first > 0))


def _in_any_order(values: list[str]) -> Spelled:
    return Spelled(values, (*reversed(values), values[0]))


def _plain_increment(step: Spelled) -> Spelled:
    return Spelled(step, Recipe(Increment, (step,)))
