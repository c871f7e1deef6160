"""Values that are told before the bill: ranges, plans compared, histories.

Their amounts are in one currency, their ranges and periods in order.
"""

from __future__ import annotations

from functools import partial

from hypothesis import strategies as st

from overages.amounts.exact import SCALE, Quantity, scaled, unscaled
from overages.amounts.money import Money
from overages.insight.break_even import BreakEven, BreakEvenRange
from overages.insight.comparison import Comparison, PlanCost, Recommendation
from overages.insight.history import History, HistoryEntry, PeriodGrowth
from overages.insight.inverse import QuantityRange
from overages.testing import fields, quantities as numbers
from overages.testing.fields import BY_CLASS, Arguments, arguments, few, made, or_none
from overages.testing.values import in_order, priced_in

_rising = partial(in_order, low="first", high="last")


def together(named: Arguments) -> Arguments:
    """Leave out one of two arguments of another plan that comes without the other."""
    if (named.get("other") is None) == (named.get("other_cost") is None):
        return named
    return {name: each for name, each in named.items() if name not in ("other", "other_cost")}


def _of_one_currency(kind: type) -> st.SearchStrategy[Arguments]:
    return st.builds(priced_in, arguments(kind), fields.currencies)


@st.composite
def break_evens(draw: st.DrawFn) -> BreakEven:
    """Return ranges of quantities, one above another, of which the last may have no end."""
    bounds = sorted(draw(st.lists(numbers.modest, min_size=1, max_size=4, unique=True)))
    ends = [*(unscaled(scaled(bound) - 1) for bound in bounds[1:]), draw(_last(bounds[-1]))]
    return BreakEven(
        draw(fields.metrics),
        [
            BreakEvenRange(first, last, draw(or_none(fields.names)))
            for first, last in zip(bounds, ends, strict=True)
        ],
    )


def _last(first: Quantity) -> st.SearchStrategy[Quantity | None]:
    return or_none(st.just(unscaled(scaled(first) + SCALE)))


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    """Return the costs of up to three plans in up to three months."""
    slugs = draw(st.lists(fields.names, min_size=1, max_size=3, unique=True))
    first, number = draw(st.integers(0, 40)), draw(st.integers(1, 3))
    currency = draw(fields.currencies)
    costs = [
        PlanCost(slug, fields.month(month), *(Money(minor, currency) for minor in draw(_costs)))
        for slug in slugs
        for month in range(first, first + number)
    ]
    return Comparison(draw(fields.orgs), costs, draw(or_none(st.sampled_from(slugs))))


@st.composite
def overage_histories(draw: st.DrawFn) -> History:
    """Return the overage of some orgs and metrics in some months."""
    currency = draw(fields.currencies)
    keys = st.tuples(fields.orgs, fields.months, or_none(fields.metrics))
    entries = {
        key: HistoryEntry(*key, draw(numbers.signed), Money(draw(fields.minor_units), currency))
        for key in draw(few(keys, 4))
    }
    return History(currency, entries.values())


_costs = st.tuples(fields.minor_units, fields.minor_units)

BY_CLASS[QuantityRange] = made(QuantityRange, mend=_rising)
BY_CLASS[BreakEvenRange] = made(BreakEvenRange, mend=_rising)
BY_CLASS[BreakEven] = break_evens()
BY_CLASS[PlanCost] = _of_one_currency(PlanCost).map(lambda named: PlanCost(**named))
BY_CLASS[Recommendation] = _of_one_currency(Recommendation).map(
    lambda named: Recommendation(**together(named))
)
BY_CLASS[Comparison] = comparisons()
BY_CLASS[PeriodGrowth] = _of_one_currency(PeriodGrowth).map(lambda named: PeriodGrowth(**named))
BY_CLASS[History] = overage_histories()
