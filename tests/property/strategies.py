"""Strategies for numbers, prices, plans, usage and every other value, as recipes.

What ends in ``_recipes`` gives a `Recipe`, whose parts are spelled in two ways each; the others
give values. Decimal contexts are in `contexts`, numbers in `numerals`.

    @given(plan_recipes())
    def test_...(recipe: Recipe[Plan]) -> None: ...
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from hypothesis import strategies as st

from overages import (
    Account,
    Allowance,
    ChainHead,
    Charge,
    Currency,
    Cycle,
    Graduated,
    MetricTotal,
    Money,
    Overage,
    OverageRecord,
    Package,
    Percentage,
    Period,
    PerUnit,
    Plan,
    PriceModel,
    Recording,
    Rounding,
    Statement,
    Summary,
    Tier,
    TierCharge,
    Usage,
    UsageEvent,
    Volume,
    calculate,
)

from .numerals import (
    MOST_PARTS,
    UNIT,
    Numeral,
    counts,
    exact_amounts,
    flat_fees,
    in_parts,
    non_negative_numbers,
    pers,
    positive_numbers,
    positive_parts,
    prices,
    signed_numbers,
    signed_parts,
    sizes,
    small_wholes,
    spelled,
    whole_sizes,
)
from .recipe import Recipe, Spelled

# Names, times, money


def _fits(text: str) -> bool:
    return 0 < len(text.encode()) <= 255


names = st.one_of(
    st.sampled_from(
        ["tokens", "runs", "<b>&seats</b>", "'; DROP TABLE x; --", "Größe", "トークン", " "]
    ),
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=12)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(_fits),
)
metrics = st.one_of(st.sampled_from(["tokens", "runs", "seats", "<b>"]), names)
orgs = st.one_of(st.sampled_from(["org-1", "org-2"]), names)

_offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_millennium = datetime(2000, 1, 1, tzinfo=UTC)
moments = st.integers(-1998 * 365 * 86_400, 7998 * 365 * 86_400).map(
    lambda seconds: _millennium + timedelta(seconds=seconds, microseconds=seconds % 1_000_003)
)


def elsewhere(moment: datetime, zone: timezone) -> Spelled:
    """Return an instant as UTC has it, and as another timezone has it."""
    return Spelled(moment, moment.astimezone(zone))


instants = st.builds(elsewhere, moments, _offsets)
months = st.builds(
    lambda year, month: Recipe(Period.month, (year, month)),
    st.integers(1, 9998),
    st.integers(1, 12),
)
own_currencies = st.builds(
    lambda code, exponent: Recipe(Currency, (f"~{code}", exponent)),
    st.sampled_from(["credits", "points"]),
    st.integers(0, 12),
)
iso_currencies = st.sampled_from(["JPY", "USD", "EUR", "KWD", "CLF", "DEM"]).map(
    lambda code: Spelled(code, Recipe(Currency, (code,)))
)
currencies = iso_currencies | own_currencies
roundings = st.sampled_from(Rounding).map(lambda rounding: Spelled(rounding, rounding.value))
ordinals = st.integers(1, 2**63 - 1) | st.integers(1, 3)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
minor_units = st.integers(-(10**30), 10**30) | st.integers(-500, 500)


@st.composite
def period_recipes(draw: st.DrawFn) -> Recipe[Period]:
    """Return stretches of time, from seconds to centuries."""
    if draw(st.booleans()):
        return draw(months)
    first, last = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    return Recipe(Period, (elsewhere(first, draw(_offsets)), elsewhere(last, draw(_offsets))))


periods = period_recipes().map(Recipe.one)

timezones = st.sampled_from(
    [
        *("UTC", "Europe/Paris", "America/New_York", "America/St_Johns", "Asia/Kathmandu"),
        *("Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein", "America/Juneau"),
    ]
)
units = st.sampled_from(["hour", "day", "week", "month", "quarter", "year"])
cycle_recipes = st.builds(
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


# Prices


@dataclass(frozen=True)
class Pairs:
    """A price model of a host's own, without anything of ours but what it returns."""

    price: Any
    size: int = 2
    count: str = "started"

    def charge(self, quantity: Any, /) -> Charge:
        """Charge every started pair of units."""
        return Charge([TierCharge(Tier(None, self.price, size=2), quantity)] if quantity else [])


@st.composite
def tier_recipes(draw: st.DrawFn, up_to: Any = None) -> Recipe[Tier]:
    """Return a lawful tier with a given bound."""
    named: dict[str, Any] = {}
    if draw(st.booleans()):
        named = {"per": draw(pers)}
    elif draw(st.booleans()):
        named = {"size": draw(sizes), "count": draw(counts)}
    return Recipe(Tier, (up_to, draw(prices), draw(flat_fees)), named)


@st.composite
def table_recipes(
    draw: st.DrawFn, bounds: st.SearchStrategy[int] = positive_parts
) -> list[Recipe[Tier]]:
    """Return a lawful table of one to four tiers: bounds rise, the last tier has none."""
    rising = sorted(draw(st.lists(bounds, max_size=3, unique=True)))
    ups: list[Any] = [draw(spelled(st.just(bound))) for bound in rising]
    return [draw(tier_recipes(up_to)) for up_to in [*ups, None]]


def _tiered(
    make: Callable[..., Any], tables: st.SearchStrategy[list[Recipe[Tier]]] | None = None
) -> st.SearchStrategy[Recipe[Any]]:
    return st.builds(
        lambda table, at_zero: Recipe(
            make, (Spelled(table, tuple(table)),), {"flat_at_zero": at_zero}
        ),
        table_recipes() if tables is None else tables,
        st.booleans(),
    )


per_unit_recipes = st.builds(lambda price, per: Recipe(PerUnit, (price, per)), prices, pers)
package_recipes = st.builds(
    lambda price, size, count: Recipe(Package, (price, size), {"count": count}),
    prices,
    sizes,
    counts,
)
percentage_recipes = st.builds(lambda percent: Recipe(Percentage, (percent,)), prices)
graduated_recipes = _tiered(Graduated)
volume_recipes = _tiered(Volume)
our_price_recipes: st.SearchStrategy[Recipe[Any]] = st.one_of(
    per_unit_recipes, package_recipes, percentage_recipes, graduated_recipes, volume_recipes
)
price_recipes: st.SearchStrategy[Recipe[Any]] = st.one_of(
    our_price_recipes, prices.map(lambda price: Recipe(Pairs, (price.first,)))
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
    _tiered(Graduated, _whole_tables()),
    _tiered(Volume, _whole_tables()),
)
"""Prices whose bounds and packages are whole, so that units can be counted one by one."""


def turning_points(model: PriceModel) -> list[int]:
    """Return the parts at which the cost of a price model turns: bounds, and ends of packages."""
    tiers: Sequence[Any] = getattr(model, "tiers", ())
    points = [0, *(in_parts(tier.up_to) for tier in tiers if tier.up_to is not None)]
    sizes_in_use = [in_parts(each.size) for each in (model, *tiers) if getattr(each, "size", None)]
    return points + [n * size for size in sizes_in_use for n in (1, 3)]


@st.composite
def quantities_at(draw: st.DrawFn, model: PriceModel, included: Numeral | None = 0) -> Spelled:
    """Return a quantity, as often as not at or beside a point where the cost turns."""
    if draw(st.booleans()):
        return draw(non_negative_numbers)
    at = draw(st.sampled_from(turning_points(model))) + in_parts(included or 0)
    beside = draw(st.sampled_from([-UNIT, -1, 0, 0, 1, UNIT, UNIT // 2]))
    return draw(spelled(st.just(min(MOST_PARTS, max(0, at + beside)))))


@st.composite
def priced_quantities(
    draw: st.DrawFn, models: st.SearchStrategy[Recipe[Any]] = our_price_recipes
) -> tuple[Recipe[Any], Spelled]:
    """Return a price model, and a quantity for it to price."""
    recipe = draw(models)
    return recipe, draw(quantities_at(recipe.one()))


# Plans and what is done with them


@st.composite
def allowance_recipes(draw: st.DrawFn) -> Recipe[Allowance]:
    """Return allowances, some of them unlimited."""
    included = draw(st.one_of(non_negative_numbers, small_wholes, st.none()))
    return Recipe(Allowance, (included, draw(price_recipes)))


@st.composite
def plan_recipes(
    draw: st.DrawFn,
    unit: st.SearchStrategy[Any] = currencies,
    scopes: Sequence[str] = ("line", "total"),
) -> Recipe[Plan]:
    """Return plans of none to four metrics, in any currency and by any rounding."""
    found = draw(st.lists(metrics, max_size=4, unique=True))
    currency = draw(unit)
    named = {
        "rounding": draw(roundings),
        "rounding_scope": draw(st.sampled_from(scopes)),
        "base_fee": draw(st.none() | money_recipes(st.just(currency))),
    }
    allowances = {metric: draw(allowance_recipes()) for metric in found}
    return Recipe(Plan, (draw(names), currency, allowances), named)


@st.composite
def _quantities_of(draw: st.DrawFn, plan: Plan) -> dict[str, Spelled]:
    used = [metric for metric in plan.allowances if draw(st.integers(0, 3))]
    return {
        metric: draw(quantities_at(plan.allowances[metric].price, plan.allowances[metric].included))
        for metric in used
    }


def reordered(mapping: dict[str, Any]) -> Spelled:
    """Return a mapping in its order and in the opposite one."""
    return Spelled(mapping, dict(reversed(mapping.items())))


@dataclass(frozen=True)
class Case:
    """Something to calculate."""

    plan: Recipe[Plan]
    usage: Recipe[Usage]
    limits: dict[str, Any]  # by metric, each spelled; or None

    @property
    def statement(self) -> Recipe[Statement]:
        """The recipe of the statement."""
        return Recipe(calculate, (self.plan, self.usage), {"limits": reordered(self.limits)})


@st.composite
def cases(draw: st.DrawFn, plans: st.SearchStrategy[Recipe[Plan]] | None = None) -> Case:
    """Return a plan, usage of some of its metrics, and limits of an org's own for some."""
    recipe = draw(plan_recipes() if plans is None else plans)
    plan = recipe.one()
    quantities = draw(_quantities_of(plan))
    limited = [metric for metric in plan.allowances if not draw(st.integers(0, 2))]
    limits = {metric: draw(st.none() | non_negative_numbers | small_wholes) for metric in limited}
    period = draw(period_recipes())
    return Case(recipe, Recipe(Usage, (draw(orgs), period, reordered(quantities))), limits)


statement_recipes = cases().map(lambda case: case.statement)

quantity_maps = st.dictionaries(metrics, non_negative_numbers, max_size=4)
usage_recipes = st.builds(
    lambda org, period, quantities: Recipe(Usage, (org, period, reordered(quantities))),
    orgs,
    period_recipes(),
    quantity_maps,
)
account_recipes = st.builds(
    lambda org, plan, limits, status, cycle: Recipe(
        Account, (org, plan, reordered(limits)), {"status": status, "cycle": cycle}
    ),
    orgs,
    names,
    quantity_maps,
    st.sampled_from(["trial", "active", "past_due", "canceled"]),
    st.one_of(st.sampled_from([None, Spelled(None, Recipe(Cycle.monthly))]), cycle_recipes),
)
event_recipes = st.builds(
    lambda org, metric, quantity, at, event_id: Recipe(
        UsageEvent, (org, metric, quantity, at), {"id": event_id}
    ),
    orgs,
    metrics,
    signed_numbers,
    instants,
    st.none() | names,
)
overage_recipes = st.builds(
    lambda *args: Recipe(Overage, args),
    metrics,
    non_negative_numbers,
    st.none() | non_negative_numbers,
    price_recipes,
    money_recipes(),
)
tier_charge_recipes = st.builds(
    lambda *args: Recipe(TierCharge, args),
    st.one_of(tier_recipes(), positive_numbers.flatmap(tier_recipes)),
    non_negative_numbers,
    non_negative_numbers,
)
charge_recipes = st.one_of(
    st.lists(tier_charge_recipes, max_size=3).map(
        lambda parts: Recipe(Charge, (Spelled(parts, tuple(parts)),))
    ),
    priced_quantities().map(lambda pair: Recipe(_charged, pair)),
)


def _charged(model: PriceModel, quantity: Any) -> Charge:
    return model.charge(quantity)


def record_recipes(
    unit: st.SearchStrategy[Any] = currencies,
) -> st.SearchStrategy[Recipe[OverageRecord]]:
    """Return charges and corrections of some orgs, periods and metrics, of any numbers."""
    return st.builds(
        lambda org, period, metric, named: Recipe(OverageRecord, (org, period, metric), named),
        orgs,
        period_recipes(),
        metrics,
        st.fixed_dictionaries(
            {
                "quantity": signed_numbers,
                "cost": money_recipes(unit),
                "exact_cost": exact_amounts,
                "unit_price": st.none() | exact_amounts,
                "plan": names,
                "plan_version": ordinals,
                "revision": ordinals,
                "sequence": ordinals,
                "created_at": instants,
                "digest": digests,
            }
        ),
    )


head_recipes = st.builds(
    lambda sequence, digest: Recipe(ChainHead, (sequence, digest)), ordinals, digests
)
recording_recipes = st.lists(record_recipes(), max_size=3).flatmap(
    lambda found: st.integers(0, len(found)).map(
        lambda before: Recipe(Recording, (tuple(found), tuple(found[before:])))
    )
)


def metric_total_recipes(
    unit: st.SearchStrategy[Any] = currencies,
) -> st.SearchStrategy[Recipe[MetricTotal]]:
    """Return totals of metrics, which take no strings."""
    numbers = spelled(signed_parts, st.sampled_from([(1, 2), (2, 1), (1, 7)]))
    return st.builds(
        lambda quantity, cost: Recipe(MetricTotal, (quantity, cost)), numbers, money_recipes(unit)
    )


@st.composite
def summary_recipes(draw: st.DrawFn, unit: st.SearchStrategy[Any] = currencies) -> Recipe[Summary]:
    """Return totals by metric, of one currency."""
    currency = draw(unit)
    totals = metric_total_recipes(st.just(currency))
    found = draw(st.dictionaries(metrics, totals, max_size=4))
    return Recipe(Summary, (currency, reordered(found)))


VALUE_RECIPES: Final[dict[type, st.SearchStrategy[Recipe[Any]]]] = {
    Account: account_recipes,
    Allowance: allowance_recipes(),
    ChainHead: head_recipes,
    Charge: charge_recipes,
    Currency: st.one_of(own_currencies, iso_currencies.map(lambda unit: unit.second)),
    Cycle: cycle_recipes,
    Graduated: graduated_recipes,
    MetricTotal: metric_total_recipes(),
    Money: money_recipes(),
    Overage: overage_recipes,
    OverageRecord: record_recipes(),
    Package: package_recipes,
    PerUnit: per_unit_recipes,
    Percentage: percentage_recipes,
    Period: period_recipes(),
    Plan: plan_recipes(),
    Recording: recording_recipes,
    Statement: statement_recipes,
    Summary: summary_recipes(),
    Tier: st.one_of(tier_recipes(), positive_numbers.flatmap(tier_recipes)),
    TierCharge: tier_charge_recipes,
    Usage: usage_recipes,
    UsageEvent: event_recipes,
    Volume: volume_recipes,
}
"""How each value is made; a new value needs a line here, and all laws of values then hold it."""


# Usage events


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
    _offsets,
)
